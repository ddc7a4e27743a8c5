//! `pushpull provider`, `poller`, `receiver`: one part of a run on its own.
//!
//! The orchestrator starts the same commands with `--orchestrated` and tells them their part over
//! stdin; a person gives it as arguments.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use clap::Args;
use tokio::sync::watch;

use super::{Exit, load, load::Overrides, runtime};
use crate::{
    live::{
        self, Bound, Role, RoleError,
        clock::Epoch,
        control::{Assignment, EndpointAddress, Part, Report},
        keys,
    },
    scenario::{ConsumerNo, Plan, ProfilePlan},
    wire::{NotHere, require_loopback},
};

/// What every part on its own takes.
#[derive(Debug, Args)]
struct Common {
    /// The scenario whose part this is: a file or an embedded name.
    #[arg(default_value = "quickstart")]
    scenario: String,
    #[command(flatten)]
    overrides: Overrides,
    /// Folder for records and stores. Stores in it are taken up again.
    #[arg(long, default_value = "pushpull-part")]
    out: PathBuf,
    /// Speak with an orchestrator over stdin and stdout.
    #[arg(long, hide = true)]
    orchestrated: bool,
}

/// Arguments of `pushpull provider`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  WEBHOOK_SECRET=whsec_... pushpull provider quickstart --listen 127.0.0.1:4000 \\\n    \
    --to webhook=http://127.0.0.1:8080/webhooks/{client} --secret-env WEBHOOK_SECRET\n\n  \
    pushpull provider quickstart --control 127.0.0.1:4001    then, to add an endpoint and see what else there is:\n  \
    curl --json '{\"url\": \"http://127.0.0.1:8080/hook\"}' http://127.0.0.1:4001/endpoints\n  \
    curl http://127.0.0.1:4001/"
)]
pub(super) struct ProviderArgs {
    #[command(flatten)]
    common: Common,
    /// Which provider of the scenario; the first by default.
    #[arg(long)]
    provider: Option<String>,
    /// Where the pull API listens.
    #[arg(long, default_value = "127.0.0.1:4000")]
    listen: SocketAddr,
    /// Where a webhook consumer's events go: NAME=URL; {client} in it is the client's number.
    #[arg(long = "to", value_name = "NAME=URL")]
    to: Vec<String>,
    /// The environment variable with the signing secret (whsec_...).
    #[arg(long, value_name = "VAR")]
    secret_env: Option<String>,
    /// Where the control API listens, on loopback: endpoints are added, events emitted and faults switched
    /// over HTTP. Port 0 lets the system choose; the address is printed on stdout.
    #[arg(long, value_name = "ADDRESS")]
    control: Option<SocketAddr>,
}

/// Arguments of `pushpull poller`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  pushpull poller quickstart --consumer poll-2s --from http://127.0.0.1:4000")]
pub(super) struct PollerArgs {
    #[command(flatten)]
    common: Common,
    /// Which polling consumer of the scenario; the first by default.
    #[arg(long)]
    consumer: Option<String>,
    /// The pull API.
    #[arg(long, default_value = "http://127.0.0.1:4000", value_name = "URL")]
    from: String,
}

/// Arguments of `pushpull receiver`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  WEBHOOK_SECRET=whsec_... pushpull receiver quickstart --consumer webhook \\\n    \
    --listen 127.0.0.1:8080 --secret-env WEBHOOK_SECRET")]
pub(super) struct ReceiverArgs {
    #[command(flatten)]
    common: Common,
    /// Which webhook consumer of the scenario; the first by default.
    #[arg(long)]
    consumer: Option<String>,
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where /healthz and /metrics are served; a port of the system's choice by default.
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,
    /// The pull API, for a consumer that also polls.
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    /// The environment variables with the accepted signing secrets (whsec_...); several in a rotation.
    #[arg(long, value_name = "VAR")]
    secret_env: Vec<String>,
}

pub(super) fn provider(args: &ProviderArgs) -> anyhow::Result<Exit> {
    args.control.map_or(Ok(()), live::provider::require_loopback)?;
    let addresses = Bound { listen: Some(args.listen), control: args.control, ..Bound::default() };
    play(&args.common, addresses, None, live::provider::run, |plan| {
        let mut endpoints = Vec::new();
        for to in &args.to {
            let (name, url) = to.split_once('=').with_context(|| format!("--to {to}: write NAME=URL"))?;
            on_this_machine("--to", url)?;
            let consumer =
                plan.consumer(name).with_context(|| format!("--to {to}: the scenario has no consumer {name}"))?;
            let provider = plan.consumers[usize::from(consumer)].provider;
            let secret = match args.secret_env.as_deref() {
                Some(variable) => secret(plan, provider, Side::Signs, variable)?,
                None if signs_nothing(plan, provider) => String::new(),
                None => bail!("--to needs --secret-env VAR to sign with"),
            };
            for client in 0..plan.consumers[usize::from(consumer)].clients {
                let url = url.replace("{client}", &client.to_string());
                endpoints.push(EndpointAddress { consumer, client, url, secret: secret.clone() });
            }
        }
        let number = match &args.provider {
            None => 0,
            Some(name) => plan
                .providers
                .iter()
                .position(|provider| provider.name == *name)
                .with_context(|| format!("--provider {name}: the scenario has no provider of this name"))?,
        };
        let capture = plan.workload.capture().map(PathBuf::from);
        Ok(Part::Provider { provider: number as u16, endpoints, capture, control: args.control })
    })
}

pub(super) fn poller(args: &PollerArgs) -> anyhow::Result<Exit> {
    on_this_machine("--from", &args.from)?;
    play(&args.common, Bound::default(), Some(&args.from), live::poller::run, |plan| {
        let consumer = pick(plan, args.consumer.as_deref(), false)?;
        Ok(Part::Poller { consumer })
    })
}

pub(super) fn receiver(args: &ReceiverArgs) -> anyhow::Result<Exit> {
    args.from.as_deref().map_or(Ok(()), |from| on_this_machine("--from", from))?;
    let addresses = Bound { listen: Some(args.listen), admin: args.admin, ..Bound::default() };
    play(&args.common, addresses, args.from.as_deref(), live::receiver::run, |plan| {
        let consumer = pick(plan, args.consumer.as_deref(), true)?;
        let provider = plan.consumers[usize::from(consumer)].provider;
        if args.secret_env.is_empty() && !signs_nothing(plan, provider) {
            bail!("a receiver verifies signatures\n  fix: write --secret-env VAR, where VAR holds whsec_...");
        }
        if plan.consumers[usize::from(consumer)].polls() && args.from.is_none() {
            bail!("a hybrid also polls\n  fix: write --from URL, such as --from http://127.0.0.1:4000");
        }
        let secrets: Vec<String> = args
            .secret_env
            .iter()
            .map(|name| secret(plan, provider, Side::Verifies, name))
            .collect::<anyhow::Result<_>>()?;
        let clients = plan.consumers[usize::from(consumer)].clients;
        Ok(Part::Receiver { consumer, secrets: vec![secrets; clients as usize] })
    })
}

/// Refuses a URL beyond this machine: load is for nobody else.
fn on_this_machine(argument: &str, url: &str) -> anyhow::Result<()> {
    require_loopback(url).map_err(|why| anyhow!("{argument}: \"{url}\" {why}\n  fix: {}", NotHere::FIX))
}

/// Plays one part, told by an orchestrator or by the arguments.
fn play<F>(
    common: &Common,
    Bound { listen, admin, control }: Bound,
    pull_api: Option<&str>,
    run: impl FnOnce(Role) -> F,
    part: impl FnOnce(&Plan) -> anyhow::Result<Part>,
) -> anyhow::Result<Exit>
where
    F: Future<Output = Result<(), RoleError>>,
{
    if common.orchestrated {
        return runtime()?.block_on(async {
            let role = Role::from_stdin().await?;
            let reporter = role.reporter();
            if let Err(error) = run(role).await {
                reporter.send(&Report::Failed { message: error.to_string() });
                return Err(error.into());
            }
            Ok(Exit::Good)
        });
    }
    let plan = load::plan(&common.scenario, &common.overrides, &[])?;
    let part = part(&plan)?;
    // A port in use, or asked for twice, is told before anything is written.
    let free = |address| {
        std::net::TcpListener::bind(address)
            .with_context(|| format!("cannot listen on {address}; choose another address"))
    };
    drop([listen, admin, control].into_iter().flatten().map(free).collect::<anyhow::Result<Vec<_>>>()?);
    let assignment = Assignment {
        admin,
        pull_api: pull_api.map(|url| url.trim_end_matches('/').to_owned()),
        ..assignment(plan, part, &common.out, listen.unwrap_or((Ipv4Addr::LOCALHOST, 0).into()))?
    };
    runtime()?.block_on(async {
        let role = Role::standalone(assignment, Epoch::ahead(Duration::ZERO), interrupted_once())?;
        run(role).await?;
        Ok(Exit::Good)
    })
}

fn assignment(plan: Plan, part: Part, out: &Path, listen: SocketAddr) -> anyhow::Result<Assignment> {
    let records = out.join("records");
    std::fs::create_dir_all(&records).with_context(|| format!("cannot create {}", records.display()))?;
    let name = match &part {
        Part::Provider { provider, .. } => plan.providers[usize::from(*provider)].name.clone(),
        Part::Receiver { consumer, .. } | Part::Poller { consumer, .. } => {
            plan.consumers[usize::from(*consumer)].name.clone()
        }
    };
    Ok(Assignment {
        records: records.join(format!("{name}-{}.records", plan.run_id)),
        stores: out.join("stores").join(name),
        plan,
        part,
        listen,
        admin: None,
        incarnation: 0,
        crashes_left: 0,
        epoch: None,
        pull_api: None,
    })
}

/// The consumer by name, or the first of the kind.
fn pick(plan: &Plan, name: Option<&str>, webhook: bool) -> anyhow::Result<ConsumerNo> {
    let kind = if webhook { "webhook" } else { "polling" };
    let mut fitting = plan.consumers.iter().enumerate().filter(|(_, consumer)| consumer.is_pushed() == webhook);
    let found = match name {
        Some(name) => fitting.find(|(_, consumer)| consumer.name == name),
        None => fitting.next(),
    };
    match found {
        Some((index, _)) => Ok(index as ConsumerNo),
        None => bail!("{} has no {kind} consumer{}", plan.name, name.map(|n| format!(" \"{n}\"")).unwrap_or_default()),
    }
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// A sender's.
    Signs,
    /// A receiver's.
    Verifies,
}

/// The key in an environment variable, in the form that the provider takes; the message never contains it.
pub(super) fn secret(plan: &Plan, provider: u16, side: Side, variable: &str) -> anyhow::Result<String> {
    #[allow(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
    let text = std::env::var(variable)
        .with_context(|| format!("the environment variable {variable} with the signing secret"))?;
    let described = plan.providers[usize::from(provider)].described.as_ref();
    let profile = described.map(ProfilePlan::read).transpose()?;
    let read = match (side, &profile) {
        (Side::Verifies, Some(profile)) => keys::verifying_key(profile, &text).map(drop),
        (_, profile) => keys::signing_key(profile.as_ref(), &text).map(drop),
    };
    read.map_err(anyhow::Error::msg)
        .with_context(|| format!("the environment variable {variable} holds no signing secret"))?;
    Ok(text)
}

fn signs_nothing(plan: &Plan, provider: u16) -> bool {
    !plan.providers[usize::from(provider)].signature().sender
}

/// Turns true at the first Ctrl-C.
fn interrupted_once() -> watch::Receiver<bool> {
    let (tx, rx) = watch::channel(false);
    tokio::spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        let _ = tx.send(true);
        tx.closed().await;
    });
    rx
}
