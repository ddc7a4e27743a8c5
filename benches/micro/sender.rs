//! What an attempt costs before its bytes reach a socket: the machine that decides on it, and its request.

use std::{collections::VecDeque, hint::black_box};

use pushpull::{
    fault::Hold,
    model::{AttemptOutcome, Event, EventId, RunId, Span, Time, WallClock},
    policy::{
        RetrySchedule,
        dispatch::{Dispatch, Output, Start},
    },
    rng::Draws,
    scenario::{DeliveryOrder, SendingPlan},
    wire::{Secret, WebhookHead, render_event, render_webhook, sign},
    workload::Payload,
};

use crate::{KEY, NOW_S, body, compare, id, keyed_hash};

/// Attempts in flight: what one endpoint has by default.
const IN_FLIGHT: u32 = 16;
/// Nanoseconds between two events.
const APART: u64 = 1_000;

/// A provider that sends as fast as its endpoint answers: each event is delivered, sent and acked.
struct Backlog {
    machine: Dispatch,
    outputs: Vec<Output>,
    in_flight: VecDeque<Start>,
    /// Every so many events one is held back until three have overtaken it; 0: none.
    held_every: u32,
    /// Every so many attempts one fails; 0: none.
    failed_every: u32,
    events: u32,
    now: Time,
}

impl Backlog {
    fn new(ordering: DeliveryOrder, held_every: u32, failed_every: u32) -> Backlog {
        let schedule = RetrySchedule {
            delays: vec![Span(50 * APART); 20],
            jitter: 0.1,
            backoff: pushpull::policy::Backoff::Plain,
        };
        let manners = SendingPlan { ordering, ..SendingPlan::default() };
        let machine = Dispatch::new(schedule, IN_FLIGHT, Draws::new(1), 0).with_manners(&manners);
        let (outputs, in_flight) = (Vec::new(), VecDeque::new());
        Backlog { machine, outputs, in_flight, held_every, failed_every, events: 0, now: Time::ZERO }
    }

    /// One event comes, what may leave leaves, and the oldest attempt ends if nothing else could leave.
    fn turn(&mut self) {
        self.events += 1;
        self.now = Time(u64::from(self.events) * APART);
        let event =
            Event { seq: self.events, subject: self.events % 1_000, version: self.events, occurred_at: self.now };
        if self.held_every > 0 && self.events.is_multiple_of(self.held_every) {
            let hold = Hold { overtaken_by: Some(3), at_most: Span(100 * APART) };
            self.machine.deliver_held(event, hold);
        } else {
            self.machine.deliver(event);
        }
        self.drain();
        while self.in_flight.len() == IN_FLIGHT as usize {
            self.end_one();
            self.drain();
        }
    }

    fn end_one(&mut self) {
        let Some(start) = self.in_flight.pop_front() else { return };
        let fails = self.failed_every > 0 && start.number == 1 && start.event.seq.is_multiple_of(self.failed_every);
        let outcome = if fails { AttemptOutcome::Timeout } else { AttemptOutcome::Status(200) };
        self.machine.ended(&start, outcome, self.now);
    }

    /// As its driver does: drain, start, and ask when to come again.
    fn drain(&mut self) {
        self.machine.drain(self.now, &mut self.outputs);
        for output in self.outputs.drain(..) {
            if let Output::Start(start) = output {
                self.in_flight.push_back(start);
            }
        }
        black_box(self.machine.next_deadline());
    }
}

/// The machine's share of an attempt, to the hash that its signature is.
pub fn machine() {
    let body = body(&id(7));
    let rows = [
        ("dispatch machine: an event, its attempt, its ack", DeliveryOrder::None, 0, 0),
        ("the same, in order per subject", DeliveryOrder::Subject, 0, 0),
        ("the same, one event in ten held back", DeliveryOrder::None, 10, 0),
        ("the same, one attempt in ten fails and is retried", DeliveryOrder::None, 0, 10),
    ];
    for (what, ordering, held_every, failed_every) in rows {
        let mut backlog = Backlog::new(ordering, held_every, failed_every);
        compare(&format!("{what}, to HMAC-SHA256 of 1 KB"), 20_000, &mut keyed_hash(&body), &mut |_| backlog.turn());
    }
}

/// A request as the sender writes it anew for each attempt: body, signature, head.
pub fn request() {
    let secret = Secret::from_bytes(&KEY).expect("32 bytes are a secret");
    let payload = Payload { event_type: "order.updated".to_owned(), bytes: 1_024 };
    let (wall, draws) = (WallClock { t0_unix_ns: NOW_S * 1_000_000_000 }, Draws::new(1));
    let event = |number: u32| Event {
        seq: number % 1_000_000 + 1,
        subject: number % 50,
        version: number % 1_000,
        occurred_at: Time(u64::from(number)),
    };
    let sample = body(&id(7));
    let (mut body, mut bytes) = (Vec::new(), Vec::new());
    let write_body = |body: &mut Vec<u8>, number: u32| {
        let event = event(number);
        let id = EventId::genuine(RunId::from_bits(1), event.seq);
        body.clear();
        render_event(body, &payload, id, &event, wall, draws);
        id
    };
    let mut copied = Vec::with_capacity(2_048);
    let mut copy = |_| {
        copied.clear();
        copied.extend_from_slice(black_box(&sample));
    };
    compare("write a body of 1 KB, to a copy of 1 KB", 20_000, &mut copy, &mut |number| {
        write_body(&mut body, number);
        black_box(&body);
    });
    compare("sign it, to HMAC-SHA256 of it", 20_000, &mut keyed_hash(&sample), &mut |number| {
        black_box(sign(&secret, "evt_000000000001_0000000007", NOW_S + u64::from(number % 9), black_box(&sample)));
    });
    compare(
        "write the whole request: body, signature, head, to the same",
        20_000,
        &mut keyed_hash(&sample),
        &mut |n| {
            let id = write_body(&mut body, n);
            let signature = sign(&secret, &id.text(), NOW_S, &body);
            let head = WebhookHead {
                path: "/webhooks/0",
                authority: "127.0.0.1:8080",
                id,
                timestamp_s: NOW_S,
                signature: Some(&signature),
                attempt: 1,
            };
            bytes.clear();
            render_webhook(&mut bytes, &head, &body);
            black_box(&bytes);
        },
    );
}
