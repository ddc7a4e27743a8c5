//! Closed forms of what a receiver's workers do: late answers, work done again, a backlog drained.

use super::{
    ConsumerResult,
    model::{self, Workers},
    predict::Rows,
};
use crate::{
    fault::{FaultKind, FaultPlan, StallTarget},
    model::Span,
    scenario::{ConsumerPlan, DeliveryOrder, Distribution, Flaw, LedgerKind, Mode, Path, Plan, ProviderPlan},
    workload::Arrivals,
};

impl Rows<'_> {
    /// What the workers of a receiver come to, under these faults.
    pub(super) fn workers(
        &mut self,
        plan: &Plan,
        mine: &ConsumerPlan,
        provider: &ProviderPlan,
        faults: &[&FaultPlan],
        result: &ConsumerResult,
    ) {
        let at_random = matches!(plan.workload.arrivals, Arrivals::Poisson(_))
            && mine.effect.distribution == Distribution::Exponential
            && mine.effect.duration > Span::ZERO
            && matches!(mine.path, Path::Webhook(_));
        if !at_random || result.due == 0 {
            return;
        }
        let workers = Workers { c: mine.workers, service_s: mine.effect.duration.as_secs_f64() };
        match (faults, mine.flaw) {
            ([], Some(Flaw::Synchronous)) => self.late_answers(plan, provider, workers, result),
            ([], None) => self.worked_again(plan, mine, workers, result),
            ([fault], None) => self.drained(plan, mine, fault, workers, result),
            _ => {}
        }
    }

    /// The share of answers that come too late from one that works within the request (2.9).
    fn late_answers(&mut self, plan: &Plan, provider: &ProviderPlan, workers: Workers, result: &ConsumerResult) {
        // Whoever waits for a sender does not come at random, and a receiver that has fallen is no steady state.
        let steady = result.load.waited == 0
            && result.load.fell == Some(false)
            && provider.sending.sender_pool.is_none()
            && provider.sending.ordering == DeliveryOrder::None;
        let offered = result.attempts as f64 / plan.duration.as_secs_f64();
        let capacity = f64::from(workers.c) / workers.service_s;
        if !steady || offered >= capacity {
            return;
        }
        self.add(
            "share of late answers: Erlang's C",
            workers.late(offered, provider.ack_timeout.as_secs_f64()),
            result.load.timeouts as f64 / result.requests.max(1) as f64,
            // Late answers come in clusters: their spread has no simple form.
            None,
            "Poisson arrivals, exponential work, first come first served; retries count as arrivals at random; what is \
             late is worked off all the same; network time is left out",
        );
    }

    /// How often a queue has work done again that takes longer than it is patient (2.12).
    fn worked_again(&mut self, plan: &Plan, mine: &ConsumerPlan, workers: Workers, result: &ConsumerResult) {
        let (Some(visibility), Some(again)) = (mine.visibility, result.duplicates_suppressed) else { return };
        let extra = model::extra_executions(visibility.as_secs_f64(), workers.service_s);
        let busy = result.due as f64 / plan.duration.as_secs_f64() * workers.service_s * (1.0 + extra);
        // Nobody waits for a worker: far fewer are busy than there are.
        let idle = busy + 6.0 * busy.sqrt() < f64::from(workers.c);
        let alone =
            result.duplicates_received == Some(0) && mine.ledger != LedgerKind::None && mine.ledger_ttl.is_none();
        if !idle || !alone {
            return;
        }
        self.add(
            "executions beyond the first per event: sum of e^(-j(j+1)V/2m)",
            extra,
            again as f64 / result.due as f64,
            None,
            "exponential work, a worker is always free, and whoever completes first takes the event from the queue",
        );
    }

    /// How long a backlog takes to be worked off (2.8).
    fn drained(
        &mut self,
        plan: &Plan,
        mine: &ConsumerPlan,
        fault: &FaultPlan,
        workers: Workers,
        result: &ConsumerResult,
    ) {
        let FaultKind::Stall(stall) = &fault.kind else { return };
        let (Some(from), Some(until)) = (fault.selector.from, fault.selector.until) else { return };
        let Some(drain_s) = result.recovery.as_ref().and_then(|recovery| recovery.drain_s) else { return };
        let (lambda, mu) = (result.due as f64 / plan.duration.as_secs_f64(), f64::from(workers.c) / workers.service_s);
        let predicted = model::drain_s(lambda, mu, until.since(from).as_secs_f64());
        // All that comes is kept, and goes on coming until the backlog is gone.
        let only_work = plan.mode == Mode::Virtual && plan.virtual_time.commit_time == Span::ZERO;
        let kept = result.rejected == Some(0) && result.load.timeouts == 0 && mine.visibility.is_none();
        let goes_on = until.as_secs_f64() + predicted < plan.duration.as_secs_f64();
        if stall.what != StallTarget::Ledger || lambda >= mu || !only_work || !kept || !goes_on {
            return;
        }
        let backlog = lambda * until.since(from).as_secs_f64();
        // A Poisson backlog, and a busy period of so many.
        let spread = backlog / (mu - lambda).powi(2) + backlog * (mu + lambda) / (mu - lambda).powi(3);
        self.add(
            "time to drain = rho / (1 - rho) x outage",
            predicted,
            drain_s,
            Some(spread.sqrt()),
            "Poisson arrivals, exponential work and nothing beside it, a queue that holds all that comes",
        );
    }
}
