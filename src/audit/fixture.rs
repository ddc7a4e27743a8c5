//! Synthetic runs for tests: a plan, and the records that a faithful run of it would leave behind.
//!
//! A small simulation of its own, so that the judge is not tested against the drivers that it
//! judges. Tests then take records away or plant some.

use std::collections::BTreeMap;

use crate::{
    fault::{self, FaultKind, FaultPlan, LossSeen, RequestFate, ResponseFate, Selector, Target, TargetPath},
    model::{
        AttemptOutcome, ClientNo, EffectOutcome, Event, GiveUp, PollOutcome, RunId, Span, Time, Version, WallClock,
    },
    policy::{
        RetrySchedule,
        poll::{Ask, Strategy},
    },
    record::{Attempt, CursorPosition, EffectRow, Obligation, Poll, ProcessChange, ReadError, ReadStats, Record, Role},
    rng::{Draws, Purpose},
    scenario::{
        Comparison, Condition, Connection, ConsumerNo, ConsumerPlan, Distribution, EffectKind, EffectPlan, Follows,
        LedgerKind, Mode, On429, Path, Plan, PollingPlan, ProviderPlan, PullPlan, QueueKind, SendingPlan, VirtualPlan,
        WebhookPlan,
    },
    workload::{Arrival, Payload, Poisson, Workload},
};

const MS: u64 = 1_000_000;

/// A plan of `secs` seconds with Poisson arrivals of `rate` per second, and no consumers yet.
pub(crate) fn plan(secs: u64, rate: u64) -> Plan {
    Plan {
        schema_version: 1,
        name: "dropped-ack".to_owned(),
        title: "A dropped ack: who pays twice?".to_owned(),
        question: "What do lost acks and a short outage cost a webhook, and does the ledger hold?".to_owned(),
        watch: "The dashed line: duplicates that arrive.".to_owned(),
        conclude: "The ledger suppressed {webhook.duplicates_suppressed}; without one, customers paid twice for \
                   {no-ledger.duplicates_applied}."
            .to_owned(),
        published: "A report of 2013 on lost acks; its network is left out.".to_owned(),
        case: None,
        seed: 42,
        seeds: 1,
        run_id: RunId::from_bits(0xc0ffee),
        mode: Mode::Live,
        time_scale: 1.0,
        duration: Span::from_secs(secs),
        drain: Span::from_secs(20),
        workload: Workload {
            arrivals: Poisson { count: rate, per: Span::from_secs(1) }.into(),
            subjects: 40,
            payload: Payload { event_type: "order.updated".to_owned(), bytes: 256 },
        },
        providers: vec![ProviderPlan {
            name: "provider".to_owned(),
            profile: "standard-webhooks".to_owned(),
            described: None,
            resign: true,
            head: Default::default(),
            ack_timeout: Span::from_secs(3),
            retry: RetrySchedule {
                delays: [1, 2, 4, 8].map(Span::from_secs).to_vec(),
                jitter: 0.1,
                backoff: crate::policy::Backoff::Plain,
            },
            concurrency: 16,
            sending: SendingPlan::default(),
            pull: PullPlan::default(),
            page_limit: 100,
            timestamp_grain: Span::from_secs(1),
        }],
        consumers: Vec::new(),
        faults: Vec::new(),
        virtual_time: VirtualPlan::default(),
        cost: crate::scenario::testing::cost(),
        goals: Vec::new(),
        expects: Vec::new(),
        warnings: Vec::new(),
        reproduce: "pushpull run dropped-ack --seed 42".to_owned(),
        source: "title = \"A dropped ack: who pays twice?\"\nseed = 42\n".to_owned(),
    }
}

fn consumer(name: &str, clients: u32, path: Path) -> ConsumerPlan {
    ConsumerPlan {
        name: name.to_owned(),
        provider: 0,
        clients,
        follows: Follows::Own,
        path,
        queue: QueueKind::Sqlite,
        queue_capacity: 10_000,
        ledger: LedgerKind::Sqlite,
        ledger_ttl: None,
        workers: 4,
        visibility: None,
        optimistic: false,
        max_tries: 3,
        effect: EffectPlan {
            kind: EffectKind::Append,
            duration: Span::ZERO,
            distribution: Distribution::Constant,
            poison_every: None,
        },
        flaw: None,
    }
}

/// A polling consumer.
pub(crate) fn polling(name: &str, clients: u32, interval: Span) -> ConsumerPlan {
    let path = PollingPlan {
        strategy: Strategy::Fixed(crate::scenario::testing::fixed(interval)),
        page_size: 100,
        timeout: Span::from_secs(10),
        cursor_overlap: Span::ZERO,
        on_429: On429::Respect,
        connection: Connection::KeepAlive,
    };
    consumer(name, clients, Path::Polling(path))
}

/// A polling consumer that asks for what has changed.
pub(crate) fn scanning(name: &str, clients: u32, interval: Span) -> ConsumerPlan {
    let mut consumer = polling(name, clients, interval);
    consumer.effect.kind = EffectKind::Set;
    if let Path::Polling(polling) = &mut consumer.path {
        let overlap = Some(Span::from_secs(1));
        polling.strategy = Strategy::State(crate::scenario::testing::state(interval, Ask::UpdatedSince, overlap));
    }
    consumer
}

/// A webhook consumer.
pub(crate) fn webhook(name: &str, clients: u32) -> ConsumerPlan {
    let path = WebhookPlan {
        external: None,
        signature_tolerance: Some(Span::from_secs(300)),
        body_limit: 1 << 20,
        connection_limit: 1_024,
        dedupe: false,
    };
    consumer(name, clients, Path::Webhook(path))
}

/// A fault on `consumers`.
pub(crate) fn fault(index: u16, kind: FaultKind, consumers: &[ConsumerNo], selector: Selector) -> FaultPlan {
    FaultPlan { index, kind, consumers: consumers.to_vec(), selector }
}

/// `name.quantity comparison bound`.
pub(crate) fn condition(consumer: Option<ConsumerNo>, key: &str, comparison: Comparison, bound: f64) -> Condition {
    let quantity = key.to_owned();
    let mark = match comparison {
        Comparison::Less => "< ",
        _ => "",
    };
    let wanted = format!("{mark}{bound}");
    Condition { key: key.to_owned(), consumer, quantity, over: None, comparison, bound, wanted }
}

/// Two webhooks, one without a ledger, and a poller, under lost acks and an outage.
pub(crate) fn comparison() -> Plan {
    let mut plan = plan(60, 20);
    let mut forgetful = webhook("no-ledger", 20);
    forgetful.ledger = LedgerKind::None;
    plan.consumers = vec![polling("poll-5s", 20, Span::from_secs(5)), webhook("webhook", 20), forgetful];
    let some = |p| Selector { probability: Some(p), ..Selector::default() };
    let window = Selector { from: Some(Time(20_000 * MS)), until: Some(Time(26_000 * MS)), ..Selector::default() };
    plan.faults = vec![
        fault(0, FaultKind::DropAck(fault::DropAck::default()), &[1, 2], some(0.05)),
        fault(1, FaultKind::Outage(fault::Outage::default()), &[1, 2], window),
    ];
    plan.goals = vec![condition(None, "age_s.p99", Comparison::Less, 5.0)];
    plan.expects = vec![
        Condition { key: "webhook.lost".to_owned(), ..condition(Some(1), "lost", Comparison::Equal, 0.0) },
        Condition {
            key: "webhook.duplicates_applied".to_owned(),
            ..condition(Some(1), "duplicates_applied", Comparison::Equal, 0.0)
        },
    ];
    plan
}

/// Replays `records`, `torn` files of which were cut short.
pub(crate) fn replay(
    records: &[Record],
    torn: u32,
) -> impl Fn(&mut dyn FnMut(Record)) -> Result<ReadStats, ReadError> + '_ {
    move |each| {
        records.iter().cloned().for_each(each);
        Ok(ReadStats { records: records.len() as u64, torn })
    }
}

/// The records of a faithful run.
pub(crate) fn records(plan: &Plan) -> Vec<Record> {
    let mut run = Run::new(plan);
    run.emit();
    for no in 0..plan.consumers.len() as ConsumerNo {
        let mine = &plan.consumers[usize::from(no)];
        if let Some(polling) = mine.polling() {
            run.poll(no, polling);
        }
        if mine.is_pushed() {
            run.push(no);
        }
        run.account(no);
    }
    let at = run.end;
    let provider = Role::Provider(0);
    let usage = |role, cpu_ns| Record::Usage { role, incarnation: 0, cpu_ns, peak_rss_bytes: Some(21 << 20) };
    run.out.push(usage(provider, Some(1_900 * MS)));
    run.out.push(usage(Role::Orchestrator, Some(120 * MS)));
    run.out.push(Record::Process { role: provider, change: ProcessChange::Exited, at });
    run.out.push(Record::End { at, interrupted: false });
    run.out
}

struct Run<'a> {
    plan: &'a Plan,
    draws: Draws,
    events: Vec<Event>,
    end: Time,
    out: Vec<Record>,
}

impl Run<'_> {
    fn new(plan: &Plan) -> Run<'_> {
        let out = vec![Record::Begin { wall: WallClock { t0_unix_ns: 1_700_000_000_000 * MS } }];
        let end = Time::ZERO + plan.duration + plan.drain;
        Run { plan, draws: Draws::new(plan.seed), events: Vec::new(), end, out }
    }

    fn emit(&mut self) {
        let mut versions: BTreeMap<u32, Version> = BTreeMap::new();
        let schedule = self.plan.workload.schedule(self.draws, Time::ZERO + self.plan.duration);
        for (seq, Arrival { at: occurred_at, subject }) in (1..).zip(schedule) {
            let version = versions.entry(subject).or_insert(0);
            *version += 1;
            let event = Event { seq, subject, version: *version, occurred_at };
            let lag = Span(self.draws.below(MS, Purpose::Payload, 9, u64::from(seq)));
            self.out.push(Record::Emitted { event, emitted_at: occurred_at + lag });
            self.events.push(event);
        }
    }

    fn push(&mut self, no: ConsumerNo) {
        let mine = &self.plan.consumers[usize::from(no)];
        for event in self.events.clone() {
            for client in mine.clients_of(event.subject) {
                self.deliver(&event, Obligation { consumer: no, client, seq: event.seq });
            }
        }
    }

    /// One delivery, to its end.
    fn deliver(&mut self, event: &Event, what: Obligation) {
        let mut intended = event.occurred_at;
        let mut receipts = 0;
        for number in 1.. {
            if intended >= self.end {
                return self.out.push(Record::Open { what, attempts: number - 1 });
            }
            let outcome = self.attempt(event, what, number, intended, &mut receipts);
            let done = intended + outcome.1;
            let attempt =
                Attempt { what, number, copy: 0, intended, sent: intended + Span(MS / 5), done, outcome: outcome.0 };
            self.out.push(Record::Attempt(attempt));
            if outcome.0.is_ack() {
                return;
            }
            let retry = &self.plan.providers[0].retry;
            match retry.next(number, done, None, self.draws, u64::from(what.client), what.seq) {
                Some(next) => intended = next,
                None => {
                    return self.out.push(Record::GaveUp { what, at: done, attempts: number, why: GiveUp::Exhausted });
                }
            }
        }
    }

    /// What the sender sees of one attempt, and after how long.
    fn attempt(
        &mut self,
        event: &Event,
        what: Obligation,
        number: u32,
        at: Time,
        receipts: &mut u32,
    ) -> (AttemptOutcome, Span) {
        let Obligation { consumer, client, seq } = what;
        let target = Target { path: TargetPath::Webhook, consumer, client, number: seq, attempt: number, copy: 0, at };
        let fate = fault::decide(&self.plan.faults, &target, self.draws);
        for &fault in &fate.hits {
            self.out.push(Record::FaultHit { fault, consumer, client, number: seq, attempt: number, copy: 0, at });
        }
        let lost = |seen| match seen {
            LossSeen::Reset => (AttemptOutcome::Reset, Span(MS)),
            LossSeen::Timeout => (AttemptOutcome::Timeout, Span::from_secs(3)),
        };
        match fate.request {
            RequestFate::Deliver => {}
            RequestFate::Lost(seen) => return lost(seen),
            RequestFate::Refused => return (AttemptOutcome::Refused, Span(MS / 2)),
            RequestFate::Hang => return lost(LossSeen::Timeout),
            RequestFate::Reset => return lost(LossSeen::Reset),
            RequestFate::Answered { status, .. } => return (AttemptOutcome::Status(status), Span(MS)),
        }
        let slow = Span(MS + (self.draws.exponential(Purpose::EffectDuration, 7, u64::from(seq)) * 3e6) as u64);
        self.accept(event, what, at + Span(MS), at + Span(2 * MS) + slow, receipts);
        match fate.response {
            ResponseFate::Deliver => (AttemptOutcome::Status(200), Span(2 * MS)),
            ResponseFate::LostAfterProcessing(seen) => lost(seen),
            ResponseFate::LostBeforeProcessing => lost(LossSeen::Reset),
        }
    }

    fn accept(&mut self, event: &Event, what: Obligation, received: Time, applied: Time, receipts: &mut u32) {
        let polls = !self.plan.consumers[usize::from(what.consumer)].is_pushed();
        let by = if polls { TargetPath::Poll } else { TargetPath::Webhook };
        self.out.push(Record::Receipt { what, forged: false, by, at: received });
        let forgets = self.plan.consumers[usize::from(what.consumer)].ledger == LedgerKind::None;
        let outcome = if *receipts == 0 || forgets { EffectOutcome::Applied } else { EffectOutcome::Duplicate };
        *receipts += 1;
        self.out.push(Record::Worked { what, outcome, at: applied });
        if outcome == EffectOutcome::Applied {
            self.out.push(effect(event, what, applied));
        }
    }

    fn poll(&mut self, no: ConsumerNo, polling: &PollingPlan) {
        let mine = &self.plan.consumers[usize::from(no)];
        let mut tallies: BTreeMap<u32, u32> = BTreeMap::new();
        for client in 0..mine.clients {
            let due: Vec<Event> =
                self.events.iter().filter(|e| mine.clients_of(e.subject).contains(&client)).copied().collect();
            self.poll_client(no, client, polling, &due, &mut tallies);
        }
        for (second, empty) in tallies {
            self.out.push(Record::PollTally {
                consumer: no,
                second,
                after_window: Time::ZERO + Span::from_secs(u64::from(second)) >= Time::ZERO + self.plan.duration,
                empty,
                not_modified: 0,
                lag_max: Span(MS),
            });
        }
    }

    fn poll_client(
        &mut self,
        no: ConsumerNo,
        client: ClientNo,
        polling: &PollingPlan,
        due: &[Event],
        tallies: &mut BTreeMap<u32, u32>,
    ) {
        let interval = polling.strategy.shortest_gap();
        let phase = self.draws.below(interval.0, Purpose::Phase, u64::from(no), u64::from(client));
        let (mut seen, mut at) = (0, Time(phase));
        for number in 1.. {
            if at >= self.end {
                break;
            }
            let found = due[seen..].partition_point(|event| event.occurred_at <= at);
            let shown = due[seen..seen + found].iter().enumerate().filter(|(i, event)| {
                // Of states only the newest of each subject.
                let later = &due[seen + i + 1..seen + found];
                polling.state().is_none() || later.iter().all(|one| one.subject != event.subject)
            });
            for (_, event) in shown {
                let what = Obligation { consumer: no, client, seq: event.seq };
                self.accept(event, what, at + Span(2 * MS), at + Span(3 * MS), &mut 0);
            }
            seen += found;
            if found == 0 {
                *tallies.entry((at.0 / (1_000 * MS)) as u32).or_default() += 1;
            } else {
                self.out.push(Record::Poll(Poll {
                    consumer: no,
                    client,
                    number,
                    intended: at,
                    sent: at + Span(MS / 4),
                    done: at + Span(2 * MS),
                    requests: 1,
                    events: found as u32,
                    outcome: PollOutcome::Events,
                }));
            }
            at = at + interval;
        }
        let passed = match polling.state() {
            Some(_) => CursorPosition::UpdatedSince(self.end),
            None => CursorPosition::Seq(due[..seen].last().map_or(0, |event| event.seq)),
        };
        self.out.push(Record::Cursor { consumer: no, client, passed });
    }

    /// Bytes and processor time, plausible rather than measured.
    fn account(&mut self, no: ConsumerNo) {
        let mine = &self.plan.consumers[usize::from(no)];
        let role = Role::of(mine, no);
        let requests: u64 = self.out.iter().map(|record| requests_of(record, no)).sum();
        let (up, down) = if mine.is_pushed() { (80, 620) } else { (190, 330) };
        self.out.push(Record::Bytes { consumer: no, up: up * requests, down: down * requests, requests });
        let cpu_ns = Some(requests * 350_000 + 90 * MS);
        self.out.push(Record::Usage { role, incarnation: 0, cpu_ns, peak_rss_bytes: Some(14 << 20) });
    }
}

fn requests_of(record: &Record, no: ConsumerNo) -> u64 {
    match record {
        Record::Attempt(attempt) if attempt.what.consumer == no => 1,
        Record::Poll(poll) if poll.consumer == no => u64::from(poll.requests),
        Record::PollTally { consumer, empty, not_modified, .. } if *consumer == no => u64::from(empty + not_modified),
        _ => 0,
    }
}

/// An effect row.
pub(crate) fn effect(event: &Event, what: Obligation, at: Time) -> Record {
    Record::Effect(EffectRow {
        what,
        subject: event.subject,
        version: event.version,
        at,
        forged: false,
        superseded: false,
    })
}
