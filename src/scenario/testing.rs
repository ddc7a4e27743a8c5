//! Small plans for tests: patient, without faults, nothing slow. Change what the test is about.

use super::{
    Connection, ConsumerPlan, CostPlan, Distribution, EMBEDDED_PRICES, EffectKind, EffectPlan, Follows, LedgerKind,
    Mode, On429, Path, Plan, PollingPlan, ProviderPlan, PullPlan, QueueKind, SendingPlan, VirtualPlan, WebhookPlan,
    price_list,
};
use crate::{
    model::{RunId, Span},
    policy::{
        RetrySchedule,
        poll::{Ask, Conditional, Fixed, Phase, State, Strategy},
    },
    workload::{Constant, Payload, Workload},
};

/// Bills made from the prices in the binary.
pub fn cost() -> Option<CostPlan> {
    price_list(EMBEDDED_PRICES.1, EMBEDDED_PRICES.0).ok().map(|prices| CostPlan { prices, free_tier: false })
}

fn consumer(name: &str, clients: u32, path: Path) -> ConsumerPlan {
    ConsumerPlan {
        name: name.to_owned(),
        provider: 0,
        clients,
        follows: Follows::Own,
        path,
        queue: QueueKind::Memory,
        queue_capacity: 100,
        ledger: LedgerKind::Memory,
        ledger_ttl: None,
        workers: 1,
        max_tries: 3,
        visibility: None,
        optimistic: false,
        effect: EffectPlan {
            kind: EffectKind::Append,
            duration: Span::ZERO,
            distribution: Distribution::Constant,
            poison_every: None,
        },
        flaw: None,
    }
}

/// A webhook consumer named "webhook".
pub fn webhook_consumer(clients: u32) -> ConsumerPlan {
    let webhook = WebhookPlan {
        external: None,
        signature_tolerance: Some(Span::from_secs(300)),
        body_limit: 1 << 20,
        connection_limit: 100,
        dedupe: false,
    };
    consumer("webhook", clients, Path::Webhook(webhook))
}

/// A fixed timer without jitter.
pub fn fixed(interval: Span) -> Fixed {
    Fixed { interval, jitter: 0.0, phase: Phase::Random }
}

/// Polls for states on a fixed timer without jitter.
pub fn state(interval: Span, ask: Ask, overlap: Option<Span>) -> State {
    State { interval, jitter: 0.0, phase: Phase::Random, ask, overlap, conditional: true }
}

/// A polling consumer named "poll" with a timeout of 20 ms.
pub fn polling_consumer(clients: u32) -> ConsumerPlan {
    let polling = PollingPlan {
        strategy: Strategy::Conditional(Conditional(fixed(Span::from_secs(1)))),
        page_size: 10,
        timeout: Span::from_millis(20),
        cursor_overlap: Span::ZERO,
        on_429: On429::Respect,
        connection: Connection::KeepAlive,
    };
    consumer("poll", clients, Path::Polling(polling))
}

/// A plan with one provider and one consumer: patient, without faults, retried after 1 and 2 ms.
pub fn plan(consumer: ConsumerPlan) -> Plan {
    Plan {
        schema_version: 1,
        name: "test".to_owned(),
        title: String::new(),
        question: String::new(),
        watch: String::new(),
        conclude: String::new(),
        published: String::new(),
        case: None,
        seed: 42,
        seeds: 1,
        run_id: RunId::from_bits(7),
        mode: Mode::Live,
        time_scale: 1.0,
        duration: Span::from_millis(50),
        drain: Span::from_secs(1),
        workload: Workload {
            arrivals: Constant { count: 1_000, per: Span::from_secs(1) }.into(),
            subjects: 10,
            payload: Payload { event_type: "order.updated".to_owned(), bytes: 300 },
        },
        providers: vec![ProviderPlan {
            name: "provider".to_owned(),
            profile: "standard-webhooks".to_owned(),
            described: None,
            resign: true,
            head: Default::default(),
            ack_timeout: Span::from_secs(60),
            retry: RetrySchedule {
                delays: vec![Span::from_millis(1), Span::from_millis(2)],
                jitter: 0.0,
                backoff: crate::policy::Backoff::Plain,
            },
            concurrency: 4,
            sending: SendingPlan::default(),
            pull: PullPlan::default(),
            page_limit: 10,
            timestamp_grain: Span::from_millis(10),
        }],
        consumers: vec![consumer],
        faults: Vec::new(),
        virtual_time: VirtualPlan::default(),
        cost: None,
        goals: Vec::new(),
        expects: Vec::new(),
        warnings: Vec::new(),
        reproduce: String::new(),
        source: String::new(),
    }
}
