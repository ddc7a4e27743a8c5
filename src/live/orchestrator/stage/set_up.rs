//! The beginning: every actor enters the stage, in an order in which each can be told whom to speak to.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use super::{Actor, Stage};
use crate::{
    live::{
        RoleError,
        control::{EndpointAddress, Part, Report},
        keys::{KeyTexts, fresh_keys},
        orchestrator::{CAPTURE, RunError, process::What},
    },
    profile::Profile,
    record::Role,
    scenario::ConsumerNo,
};

/// How long a role may take to bind and open its stores.
const READY_TIMEOUT: Duration = Duration::from_secs(20);

impl Stage<'_> {
    /// Starts every role and waits until each is bound: receivers first, because the provider must
    /// know their addresses, and the provider before the pollers, for the same reason.
    pub async fn set_up(&mut self, external_secrets: &BTreeMap<ConsumerNo, String>) -> Result<(), RunError> {
        let mut endpoints = Vec::new();
        for (index, consumer) in self.plan.consumers.iter().enumerate() {
            let number = index as ConsumerNo;
            let Some(webhook) = consumer.webhook() else { continue };
            let url_of: Box<dyn Fn(u32) -> String> = match &webhook.external {
                Some(external) => {
                    let url = external.url.clone();
                    Box::new(move |client| url.replace("{client}", &client.to_string()))
                }
                None => Box::new(|_| String::new()),
            };
            let profile = self.profile_of(consumer.provider)?;
            let keys = || match external_secrets.get(&number) {
                Some(text) => KeyTexts { signing: text.clone(), verifying: String::new() },
                None => fresh_keys(profile.as_ref()),
            };
            let keys: Vec<KeyTexts> = (0..consumer.clients).map(|_| keys()).collect();
            let mut base = None;
            if webhook.external.is_none() {
                let part = Part::Receiver {
                    consumer: number,
                    secrets: keys.iter().map(|keys| vec![keys.verifying.clone()]).collect(),
                };
                base = Some(self.enter(Role::Receiver(number), consumer.name.clone(), part).await?);
            }
            for (client, keys) in (0..consumer.clients).zip(keys) {
                let url = match base {
                    Some(address) => format!("http://{address}/webhooks/{client}"),
                    None => url_of(client),
                };
                endpoints.push(EndpointAddress { consumer: number, client, url, secret: keys.signing });
            }
        }
        for provider in 0..self.plan.providers.len() as u16 {
            self.set_up_provider(provider, &endpoints).await?;
        }
        Ok(())
    }

    /// How a provider signs, where it follows a profile.
    fn profile_of(&self, provider: u16) -> Result<Option<Profile>, RunError> {
        let described = self.plan.providers[usize::from(provider)].described.as_ref();
        let read = described.map(|described| described.read()).transpose();
        read.map_err(|error| RunError::Role(RoleError::Assignment(error.to_string())))
    }

    /// One provider and whoever polls it.
    async fn set_up_provider(&mut self, provider: u16, endpoints: &[EndpointAddress]) -> Result<(), RunError> {
        let plan = self.plan;
        let served = |consumer: ConsumerNo| plan.consumers[usize::from(consumer)].provider == provider;
        let endpoints = endpoints.iter().filter(|endpoint| served(endpoint.consumer)).cloned().collect();
        let name = plan.providers[usize::from(provider)].name.clone();
        let capture = plan.workload.capture().map(|_| self.dir.join(CAPTURE));
        let part = Part::Provider { provider, endpoints, capture, control: None };
        let address = self.enter(Role::Provider(provider), name, part).await?;
        self.pull_apis.insert(provider, address);
        for (number, consumer) in (0..).zip(&plan.consumers) {
            // A consumer that is pushed to is on the stage already.
            if !consumer.is_pushed() && served(number) {
                let part = Part::Poller { consumer: number };
                self.enter(Role::Poller(number), consumer.name.clone(), part).await?;
            }
        }
        Ok(())
    }

    /// Puts an actor on the stage and waits until it is ready; returns where it listens.
    async fn enter(&mut self, role: Role, name: String, part: Part) -> Result<SocketAddr, RunError> {
        self.actors.push(Actor::new(self.plan, role, name, part));
        let index = self.actors.len() - 1;
        self.spawn(index).await?;
        let ready = tokio::time::timeout(READY_TIMEOUT, self.wait_ready(index)).await;
        let listen = ready.unwrap_or_else(|_| Err(self.start_error(index, "it did not answer in time".to_owned())))?;
        let actor = &mut self.actors[index];
        actor.listen = listen.unwrap_or(actor.listen);
        Ok(actor.listen)
    }

    async fn wait_ready(&mut self, index: usize) -> Result<Option<SocketAddr>, RunError> {
        loop {
            let Some(event) = self.events.recv().await else {
                return Err(self.start_error(index, "it is gone".to_owned()));
            };
            match event.what {
                What::Said(Report::Ready { listen, .. }) if event.actor == index => return Ok(listen),
                What::Said(Report::Failed { message }) => return Err(self.start_error(event.actor, message)),
                What::Ended => {
                    let said = self.last_words(event.actor);
                    return Err(self.start_error(event.actor, format!("it ended at once{said}")));
                }
                What::Said(_) => {}
            }
        }
    }

    fn start_error(&self, index: usize, message: String) -> RunError {
        RunError::Start { role: self.actors[index].title(), message }
    }

    /// The end of a role's log: what it said before it died.
    fn last_words(&self, index: usize) -> String {
        let text = std::fs::read_to_string(self.actors[index].log_path(&self.dir)).unwrap_or_default();
        let tail: Vec<&str> = text.lines().rev().take(5).collect();
        if tail.is_empty() {
            String::new()
        } else {
            format!("; it said: {}", tail.into_iter().rev().collect::<Vec<_>>().join(" / "))
        }
    }
}
