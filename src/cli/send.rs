//! `pushpull send`.

use std::{ffi::OsString, path::PathBuf};

use anyhow::{anyhow, bail};
use clap::Args;
use serde::Serialize;

use super::{
    Exit, print,
    request::{body_of, check_id, from_environment, headers, profile, sign_keys},
    runtime,
};
use crate::{
    live::courier::{Courier, Delivered, SeenAnswer},
    model::{AttemptOutcome, EventId, Span},
    profile::{Handshake, Outgoing, Profile, Wanted},
    scenario::{AnswersPlan, units::span_to_text},
    wire::{Target, TargetError, render_post, scheme::SignKey},
};

/// Arguments of `pushpull send`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    pushpull send --profile stripe --secret-env STRIPE_SECRET --to http://127.0.0.1:8080/hooks\n    \
    an event of Stripe's, signed now\n  \
    pushpull send --profile github --secret-env SECRET --to http://127.0.0.1:8080/hooks --event push --body push.json\n    \
    a captured body, byte for byte\n  \
    pushpull send --profile svix --secret-env SECRET --to http://127.0.0.1:8080/hooks --copies 40 --concurrent\n    \
    the same request forty times at once: does the receiver apply it once?\n  \
    pushpull send --profile slack --secret-env SECRET --to http://127.0.0.1:8080/hooks --drop-ack\n    \
    an ack that nobody reads, and the retry that follows\n\n\
    Exit codes: 0 every answer that was read is an ack to that provider, and in time; 1 one is not; 2 bad input.")]
pub(super) struct SendArgs {
    /// As which provider: a name that `pushpull profiles` lists, or a TOML file.
    #[arg(long, value_name = "NAME|FILE.toml")]
    profile: String,
    /// Where to, on this machine.
    #[arg(long, value_name = "URL")]
    to: String,
    /// The environment variable that holds the secret; several during a rotation. Of Ed25519: the private key.
    #[arg(long = "secret-env", value_name = "VARIABLE")]
    secret_envs: Vec<String>,
    /// The body, byte for byte; - is stdin. Default: the profile's payload.
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// The event's type. Default: that of the profile's first payload.
    #[arg(long, value_name = "TYPE")]
    event: Option<String>,
    /// The event's id, where it stands in a header. Default: a fresh one.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// A further header, or another value of one of the profile's.
    #[arg(long = "header", value_name = "NAME: VALUE", allow_hyphen_values = true)]
    headers: Vec<OsString>,
    /// The URL that is signed, where the receiver knows itself by another one. Default: that of --to.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Send the same request, with the same id and signature, so many times.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    copies: u32,
    /// Send the copies at once instead of one after the other.
    #[arg(long, requires = "copies")]
    concurrent: bool,
    /// Close the connection without reading the answer, and send again as a retry, signed anew.
    #[arg(long, conflicts_with_all = ["copies", "concurrent"])]
    drop_ack: bool,
    /// Send what the provider asks before its first delivery, such as Slack's url_verification, and check the answer.
    #[arg(long, conflicts_with_all = ["body", "event", "id", "copies", "concurrent", "drop_ack"])]
    handshake: bool,
    /// A host that is not this machine, and that may be sent to: its owner has agreed.
    #[arg(long, value_name = "HOST")]
    allow_target: Option<String>,
    /// Print the outcome as JSON.
    #[arg(long)]
    json: bool,
}

/// What came of it, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Sent<'a> {
    profile: &'a str,
    to: &'a str,
    event: Option<&'a str>,
    id: Option<&'a str>,
    body_bytes: usize,
    acked: bool,
    attempts: Vec<Attempt>,
}

/// One attempt.
#[derive(Debug, Serialize)]
struct Attempt {
    number: usize,
    /// `None`: no answer was read.
    status: Option<u16>,
    /// The answer as "status", or what came instead.
    outcome: &'static str,
    ms: f64,
    acked: bool,
}

pub(super) fn run(args: &SendArgs) -> anyhow::Result<Exit> {
    let (profile, _) = profile(&args.profile)?;
    let target = Target::parse(&args.to).map_err(|error| match error {
        // A password is not shown.
        TargetError::User => anyhow!("--to: the URL {error}"),
        error => anyhow!("--to: \"{}\" {error}", args.to),
    })?;
    let keys = keys(args, &profile)?;
    if let Some(id) = &args.id {
        check_id(id)?;
    }
    let fresh_id = EventId::genuine(crate::live::fresh_run_id(), 1);
    let handshake = handshake(args, &profile, &fresh_id.text())?;
    let body = match &handshake {
        Some(handshake) => Some(handshake.body.clone()),
        None => args.body.as_deref().map(body_of).transpose()?,
    };
    let headers = headers(&args.headers)?;
    let wanted =
        Wanted { body: body.as_deref(), event: args.event.as_deref(), id: args.id.as_deref(), headers: &headers };
    let outgoing = profile.outgoing(&wanted, &profile.id_form.write(fresh_id))?;
    let sending = Sending { args, profile: &profile, target, keys, outgoing, handshake };
    // Whatever cannot be signed is told before anything is sent.
    sending.request()?;
    runtime()?.block_on(sending.send())
}

fn keys(args: &SendArgs, profile: &Profile) -> anyhow::Result<Vec<SignKey>> {
    let secrets = from_environment(&args.secret_envs)?;
    match &profile.scheme {
        None => Ok(Vec::new()),
        Some(_) if secrets.is_empty() => bail!("no secret\n  fix: add --secret-env VARIABLE"),
        Some(scheme) => sign_keys(scheme, &secrets),
    }
}

/// A first contact, with a challenge of its own.
struct FirstContact<'a> {
    handshake: &'a Handshake,
    challenge: String,
    body: Vec<u8>,
}

/// What `--handshake` sends.
fn handshake<'a>(args: &SendArgs, profile: &'a Profile, fresh: &str) -> anyhow::Result<Option<FirstContact<'a>>> {
    match &profile.handshake {
        _ if !args.handshake => Ok(None),
        None => bail!("--handshake: {} asks nothing before its first delivery\n  fix: remove it", profile.name),
        Some(handshake) => {
            let challenge = fresh.replace('_', "");
            Ok(Some(FirstContact { body: handshake.request(&challenge), handshake, challenge }))
        }
    }
}

/// A request on its way.
struct Sending<'a> {
    args: &'a SendArgs,
    profile: &'a Profile,
    target: Target,
    keys: Vec<SignKey>,
    outgoing: Outgoing,
    handshake: Option<FirstContact<'a>>,
}

impl Sending<'_> {
    /// The request, signed now.
    fn request(&self) -> anyhow::Result<Vec<u8>> {
        let url = self.args.url.as_deref().unwrap_or(&self.args.to);
        let now = crate::live::clock::now_unix_ms();
        let headers = self.profile.signed(&self.outgoing, &self.keys, (url, now))?;
        let mut bytes = Vec::with_capacity(self.outgoing.body.len() + 1_024);
        render_post(&mut bytes, &self.target, &headers, &self.outgoing.body);
        Ok(bytes)
    }

    async fn send(&self) -> anyhow::Result<Exit> {
        let patience = self.profile.ack_timeout;
        let courier = Courier::to(&self.target, self.may_be_elsewhere()?, patience);
        let courier = courier.await.map_err(|error| anyhow!("--to: {error}"))?;
        if !self.args.json {
            print(&self.headline())?;
        }
        let mut attempts = Vec::new();
        if let Some(contact) = &self.handshake {
            return self.make_contact(&courier, contact).await;
        }
        if self.args.drop_ack {
            self.tell(&mut attempts, courier.post_unread(&self.request()?).await)?;
            self.tell(&mut attempts, courier.post(&self.request()?).await)?;
        } else if self.args.concurrent {
            let request = self.request()?;
            for delivered in courier.post_at_once(&request, self.args.copies as usize).await {
                self.tell(&mut attempts, delivered)?;
            }
        } else {
            let request = self.request()?;
            for _ in 0..self.args.copies {
                self.tell(&mut attempts, courier.post(&request).await)?;
            }
        }
        self.conclude(attempts)
    }

    /// Asks, and says whether the answer opens the way for deliveries.
    async fn make_contact(&self, courier: &Courier, contact: &FirstContact<'_>) -> anyhow::Result<Exit> {
        let (delivered, body) = courier.ask(&self.request()?).await;
        let mut attempts = Vec::new();
        let FirstContact { handshake, challenge, .. } = contact;
        let mut attempt = Attempt::new(1, delivered, &AnswersPlan::default());
        let checked = attempt.status.map(|status| handshake.check(challenge, status, &body));
        attempt.acked = matches!(checked, Some(Ok(())));
        if !self.args.json {
            let why = match checked {
                Some(Err(failure)) => failure.to_string(),
                _ => attempt.told(self.profile.ack_timeout),
            };
            print(&format!("attempt 1: {why}\n"))?;
        }
        attempts.push(attempt);
        self.conclude(attempts)
    }

    /// Whether the host was named as one that may be elsewhere.
    fn may_be_elsewhere(&self) -> anyhow::Result<bool> {
        match &self.args.allow_target {
            None => Ok(false),
            Some(host) if host.eq_ignore_ascii_case(&self.target.host) => Ok(true),
            Some(host) => {
                let fix = &self.target.host;
                bail!(
                    "--allow-target {host}: --to goes to another host\n  fix: write --allow-target {fix}, or remove it"
                )
            }
        }
    }

    fn headline(&self) -> String {
        let Outgoing { id, event, body, .. } = &self.outgoing;
        let event = match &self.handshake {
            Some(contact) => format!("a handshake, which asks for {}", contact.handshake.asks_for()),
            None => event.clone().unwrap_or_else(|| "an event".to_owned()),
        };
        let id = if id.is_empty() { String::new() } else { format!(" {id}") };
        let signature = match &self.profile.scheme {
            None => "unsigned".to_owned(),
            Some(scheme) => {
                let mut names: Vec<&str> = scheme.ways.iter().map(|way| way.header.sent()).collect();
                names.dedup();
                format!("signed in {}", names.join(" and "))
            }
        };
        format!("{event}{id}, {} bytes, {signature}, to {}\n", body.len(), self.args.to)
    }

    /// Writes an attempt down and says what became of it.
    fn tell(&self, attempts: &mut Vec<Attempt>, delivered: Delivered) -> anyhow::Result<()> {
        let attempt = Attempt::new(attempts.len() + 1, delivered, &self.profile.answers);
        if !self.args.json {
            print(&format!("attempt {}: {}\n", attempt.number, attempt.told(self.profile.ack_timeout)))?;
        }
        attempts.push(attempt);
        Ok(())
    }

    fn conclude(&self, attempts: Vec<Attempt>) -> anyhow::Result<Exit> {
        // An ack that was to be lost is not asked for: it need only have been there.
        let right = |attempt: &&Attempt| attempt.acked || self.args.drop_ack && attempt.outcome == "left-unread";
        let (count, wrong) = (attempts.len(), attempts.iter().filter(|attempt| !right(attempt)).count());
        let verdict = match (count, wrong) {
            (1, 0) => "acked".to_owned(),
            (1, _) => "not acked".to_owned(),
            _ if self.args.drop_ack && wrong == 0 => "acked when it was sent again".to_owned(),
            (_, 0) => format!("acked: all of {count}"),
            _ => format!("not acked: {wrong} of {count}"),
        };
        if self.args.json {
            let Outgoing { id, event, body, .. } = &self.outgoing;
            let sent = Sent {
                profile: &self.profile.name,
                to: &self.args.to,
                event: event.as_deref(),
                id: Some(id.as_str()).filter(|id| !id.is_empty()),
                body_bytes: body.len(),
                acked: wrong == 0,
                attempts,
            };
            print(&format!("{}\n", serde_json::to_string_pretty(&sent)?))?;
        } else {
            print(&format!("{verdict}\n"))?;
        }
        Ok(if wrong == 0 { Exit::Good } else { Exit::ExpectationFailed })
    }
}

impl Attempt {
    fn new(number: usize, Delivered { seen, took }: Delivered, answers: &AnswersPlan) -> Attempt {
        let (status, outcome, acked) = match seen {
            SeenAnswer::LeftUnread => (None, "left-unread", false),
            SeenAnswer::Read(outcome) => match outcome {
                AttemptOutcome::Status(status)
                | AttemptOutcome::Accepted(status)
                | AttemptOutcome::NotAccepted(status) => (Some(status), "status", answers.taken(outcome).is_ack()),
                AttemptOutcome::Timeout => (None, "timeout", false),
                AttemptOutcome::Refused => (None, "refused", false),
                AttemptOutcome::Reset => (None, "reset", false),
                AttemptOutcome::BadResponse => (None, "bad-response", false),
            },
        };
        // Tenths of a millisecond: more would be noise.
        Attempt { number, status, outcome, ms: (took.as_secs_f64() * 10_000.0).round() / 10.0, acked }
    }

    fn told(&self, patience: Span) -> String {
        let ms = self.ms;
        match (self.status, self.outcome) {
            (Some(status), _) if self.acked => format!("{status} in {ms} ms"),
            (Some(status), _) => format!("{status} in {ms} ms: not an ack"),
            (None, "left-unread") => format!("answered in {ms} ms, and left unread"),
            (None, "timeout") => format!("no whole answer within {}", span_to_text(patience)),
            (None, "refused") => format!("no connection after {ms} ms: nobody answers there"),
            (None, "reset") => format!("the connection broke after {ms} ms, before a whole answer"),
            (None, _) => format!("an answer after {ms} ms that is not HTTP, or too long"),
        }
    }
}
