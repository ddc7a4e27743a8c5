//! What reaches the driver of one endpoint: events to deliver, and what somebody wants by hand.

use tokio::sync::{
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    oneshot,
};

use crate::{
    live::keys::SigningKey,
    model::{Event, Span, Time},
    policy::rotation::TooManySecrets,
};

/// A driver's two channels.
pub(super) struct Inbox {
    pub events: UnboundedReceiver<Event>,
    pub commands: UnboundedReceiver<Command>,
}

impl Inbox {
    /// An inbox for `events`, and where commands to the driver go.
    pub fn new(events: UnboundedReceiver<Event>) -> (Inbox, UnboundedSender<Command>) {
        let (sender, commands) = unbounded_channel();
        (Inbox { events, commands }, sender)
    }
}

/// Something that is wanted of an endpoint by hand.
pub(super) enum Command {
    /// Send a delivery again that has ended after `made` attempts.
    Redeliver { event: Event, made: u32, answer: oneshot::Sender<Result<(), NotRedelivered>> },
    /// Switch the endpoint on, whatever had switched it off.
    Enable { answer: oneshot::Sender<()> },
    /// Sign with another secret, and for a while with the former ones as well; until when is the answer.
    Rotate { next: SigningKey, overlap: Span, answer: oneshot::Sender<Result<Time, TooManySecrets>> },
    /// Switch it on, and sign with the secret that it began with.
    Restore { answer: oneshot::Sender<()> },
    /// Send nothing more.
    Remove,
}

/// Why a delivery is not sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotRedelivered {
    /// It is on its way.
    Open,
    /// Its endpoint is switched off.
    Disabled,
}
