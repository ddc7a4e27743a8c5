//! What is done to endpoints and their deliveries by hand.

use tokio::sync::{
    mpsc::{UnboundedSender, unbounded_channel},
    oneshot,
};

use super::{
    answer::{self, Added, Answer, DeliveryView, EndpointView, List, Rotated},
    desk::{ADDED_MAX, Desk, ending},
    journal::Delivery,
};
use crate::{
    live::{
        control::EndpointAddress,
        keys::{fresh_keys, signing_key},
        provider::{
            dispatcher,
            endpoint::Endpoint,
            generator::Told,
            inbox::{self, Inbox, NotRedelivered},
            shared_pool::SharedPool,
        },
    },
    model::Span,
    policy::rotation::TooManySecrets,
    wire::control::{DeliveryId, EndpointId, Filter, Refusal},
};

impl Desk {
    pub(super) fn endpoints(&self) -> Answer {
        let standings: Vec<_> = self.reach.watched.journal().endpoints().collect();
        let lines = self.lines();
        let known = standings.into_iter().filter_map(|(id, standing)| {
            let line = lines.known.get(&id)?;
            Some(EndpointView::of(self.context(), id, &line.url, standing))
        });
        Answer::ok(&List { data: known.collect() })
    }

    pub(super) fn endpoint(&self, id: EndpointId) -> Result<Answer, Refusal> {
        let standing = self.reach.watched.journal().endpoint(id).ok_or_else(|| id.unknown())?;
        let lines = self.lines();
        let line = lines.known.get(&id).ok_or_else(|| id.unknown())?;
        Ok(Answer::ok(&EndpointView::of(self.context(), id, &line.url, standing)))
    }

    /// A new endpoint: fed, driven and watched like those of the plan.
    pub(super) fn add(&self, url: String) -> Result<Answer, Refusal> {
        let keys = fresh_keys(self.context().profile());
        let mut lines = self.lines();
        let consumer = self.context().by_hand();
        if lines.known.range(EndpointId { consumer, client: 0 }..).count() >= ADDED_MAX {
            let error = format!("{ADDED_MAX} endpoints are there already");
            return Err(Refusal::new(409, error, "remove one: DELETE /endpoints/{id}"));
        }
        let id = EndpointId { consumer, client: lines.next };
        let address = EndpointAddress { consumer, client: id.client, url, secret: keys.signing };
        let endpoint = Endpoint::parse(&address, self.context().profile())
            .map_err(|error| Refusal::new(422, error.to_string(), "send a URL such as http://127.0.0.1:8080/hook"))?;
        lines.next += 1;
        while lines.drivers.try_join_next().is_some() {}
        let (feed, events) = unbounded_channel();
        let (inbox, driver) = Inbox::new(events);
        let seat = self.reach.pool.as_ref().map(SharedPool::seat);
        let (context, stop) = (self.reach.context.clone(), self.reach.stop.clone());
        self.reach.watched.journal().join(id);
        self.reach.generator.send(Told::Join { client: id.client, feed }).map_err(|_| ending())?;
        lines.drivers.spawn(dispatcher::drive(context, endpoint.into(), seat, inbox, stop));
        let EndpointAddress { url, .. } = address;
        let added = Added { id: id.to_string(), url: &url, enabled: true, secret: &keys.verifying };
        let answer = Answer::created(format!("/endpoints/{id}"), &added);
        lines.known.insert(id, Line { url, driver });
        Ok(answer)
    }

    /// The plan's endpoints stay: without them the plan's deliveries would be lost silently.
    pub(super) fn remove(&self, id: EndpointId) -> Result<Answer, Refusal> {
        if id.consumer < self.context().by_hand() && self.lines().known.contains_key(&id) {
            let error = format!("\"{id}\" is the scenario's");
            return Err(Refusal::new(409, error, "remove an endpoint that was added, or start without --to"));
        }
        self.take_away(id).ok_or_else(|| id.unknown())?;
        Ok(Answer::gone())
    }

    /// Ends an endpoint that was added.
    pub(super) fn take_away(&self, id: EndpointId) -> Option<()> {
        let line = self.lines().known.remove(&id)?;
        // First the generator lets go, so that the driver finds an end of what it is fed.
        let _ = self.reach.generator.send(Told::Leave { client: id.client });
        let _ = line.driver.send(inbox::Command::Remove);
        self.reach.watched.journal().leave(id);
        Some(())
    }

    pub(super) async fn enable(&self, id: EndpointId) -> Result<Answer, Refusal> {
        self.ask(id, |answer| inbox::Command::Enable { answer }).await?;
        self.endpoint(id)
    }

    pub(super) async fn rotate(&self, id: EndpointId, overlap: Span) -> Result<Answer, Refusal> {
        let profile = self.context().profile();
        if profile.is_some_and(|profile| profile.scheme.is_none()) {
            let error = format!("\"{}\" signs nothing", self.context().provider().profile);
            return Err(Refusal::new(409, error, "rotate where there is a secret"));
        }
        let keys = fresh_keys(profile);
        let next = signing_key(profile, &keys.signing).map_err(|error| Refusal::new(500, error, "try again"))?;
        let rotated = self.ask(id, |answer| inbox::Command::Rotate { next, overlap, answer }).await?;
        let until = rotated.map_err(|TooManySecrets(valid)| {
            let error = format!("{valid} secrets of \"{id}\" are valid at once already");
            Refusal::new(409, error, "wait until one has ended, or rotate with {\"overlap_ms\": 0}")
        })?;
        let former_valid_until = answer::instant(self.context(), until);
        Ok(Answer::ok(&Rotated { id: id.to_string(), secret: keys.verifying, former_valid_until }))
    }

    pub(super) fn deliveries(&self, filter: Filter) -> Answer {
        let listed: Vec<_> = {
            let journal = self.reach.watched.journal();
            journal.list(filter).map(|(id, delivery)| (id, delivery.clone())).collect()
        };
        let view = |(id, delivery): &(DeliveryId, Delivery)| DeliveryView::of(self.context(), *id, delivery);
        Answer::ok(&List { data: listed.iter().map(view).collect() })
    }

    pub(super) fn delivery(&self, id: DeliveryId) -> Result<DeliveryView, Refusal> {
        let journal = self.reach.watched.journal();
        let delivery = journal.delivery(id).ok_or_else(|| id.unknown())?;
        Ok(DeliveryView::of(self.context(), id, delivery))
    }

    pub(super) async fn redeliver(&self, id: DeliveryId) -> Result<Answer, Refusal> {
        let (event, made) = {
            let journal = self.reach.watched.journal();
            let delivery = journal.delivery(id).ok_or_else(|| id.unknown())?;
            (delivery.event, delivery.attempts)
        };
        let redelivered = self.ask(id.endpoint, |answer| inbox::Command::Redeliver { event, made, answer }).await?;
        match redelivered {
            Ok(()) => Ok(Answer::accepted(&self.delivery(id)?)),
            Err(NotRedelivered::Open) => {
                Err(Refusal::new(409, format!("\"{id}\" is on its way"), "wait until it is delivered or has failed"))
            }
            Err(NotRedelivered::Disabled) => {
                let fix = format!("switch it on: POST /endpoints/{}/enable", id.endpoint);
                Err(Refusal::new(409, format!("\"{}\" is switched off", id.endpoint), fix))
            }
        }
    }

    /// Tells an endpoint's driver something, and waits for its answer.
    pub(super) async fn ask<T>(
        &self,
        id: EndpointId,
        command: impl FnOnce(oneshot::Sender<T>) -> inbox::Command,
    ) -> Result<T, Refusal> {
        let driver = self.lines().known.get(&id).map(|line| line.driver.clone()).ok_or_else(|| id.unknown())?;
        let (answer, answered) = oneshot::channel();
        driver.send(command(answer)).map_err(|_| ending())?;
        answered.await.map_err(|_| ending())
    }
}

/// How an endpoint's driver is reached.
pub(in crate::live::provider) struct Line {
    pub url: String,
    pub driver: UnboundedSender<inbox::Command>,
}
