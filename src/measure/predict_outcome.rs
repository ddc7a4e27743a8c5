//! Closed forms of what became of a consumer's events: after an outage, under a ledger that forgets, where a
//! sender gives up.

use super::{ConsumerResult, ModelRow, model, predict::Rows};
use crate::{
    fault::{DropAck, FaultKind, FaultPlan, OutageManner, Selector},
    model::Span,
    policy::poll::Phase,
    scenario::{ConsumerNo, ConsumerPlan, LedgerKind, Path, Plan, ProviderPlan},
    workload::Arrivals,
};

/// Rows that hold a consumer's result against its forms.
pub(super) fn rows(plan: &Plan, no: ConsumerNo, result: &ConsumerResult) -> Vec<ModelRow> {
    let mine = &plan.consumers[usize::from(no)];
    let Some(provider) = plan.providers.get(usize::from(mine.provider)) else { return Vec::new() };
    let mut out = Rows::new(&mine.name);
    let faults: Vec<&FaultPlan> = plan.faults.iter().filter(|fault| fault.consumers.contains(&no)).collect();
    if let ([fault], None) = (faults.as_slice(), mine.flaw) {
        after_outage(&mut out, plan, mine, provider, fault, result);
        forgotten(&mut out, mine, provider, fault, result);
    }
    if faults.is_empty() && mine.flaw.is_none() {
        passed_over(&mut out, plan, mine, provider, result);
    }
    out.workers(plan, mine, provider, &faults, result);
    if faults.is_empty() {
        out.pages(plan, mine, provider, result);
    }
    out.into_rows()
}

/// What a cursor on created times passes over that commits behind it (2.15).
fn passed_over(out: &mut Rows<'_>, plan: &Plan, mine: &ConsumerPlan, provider: &ProviderPlan, result: &ConsumerResult) {
    let (Some(lag), Path::Polling(polling)) = (provider.pull.commit_lag, &mine.path) else { return };
    let grid = polling.strategy.grid().filter(|grid| grid.jitter() == 0.0 && polling.cursor_overlap == Span::ZERO);
    let (Some(grid), Arrivals::Poisson(_), Some(lost)) = (grid, &plan.workload.arrivals, result.lost) else { return };
    let due = result.due as f64;
    if due == 0.0 || provider.pull.view_lag > Span::ZERO || provider.pull.retention.is_some() {
        return;
    }
    let rate = due / f64::from(mine.clients.max(1)) / plan.duration.as_secs_f64();
    let share = model::commit_lag_loss(rate, lag.as_secs_f64(), grid.interval.as_secs_f64());
    out.add(
        "share lost behind the cursor: commit lag",
        share,
        lost as f64 / due,
        // What one poll misses is missed together: its spread has no simple form.
        None,
        "exponential commit lag, a cursor on the newest created time, Poisson arrivals, subjects shared equally, pages \
         that hold all there is",
    );
}

/// How late what came due in an outage is once that is over (2.7).
fn after_outage(
    out: &mut Rows<'_>,
    plan: &Plan,
    mine: &ConsumerPlan,
    provider: &ProviderPlan,
    fault: &FaultPlan,
    result: &ConsumerResult,
) {
    let FaultKind::Outage(outage) = &fault.kind else { return };
    let (Some(from), Some(until)) = (fault.selector.from, fault.selector.until) else { return };
    let only = Selector { from: Some(from), until: Some(until), ..Selector::default() };
    let steady = matches!(plan.workload.arrivals, Arrivals::Poisson(_) | Arrivals::Constant(_));
    let Some(recovery) = result.recovery.as_ref().filter(|_| fault.selector == only && steady) else { return };
    let (Some(mean), true) = (recovery.lag_mean_s, recovery.due > 0) else { return };
    let n = recovery.due as f64;
    match &mine.path {
        Path::Webhook(_) if provider.retries_by_schedule_alone() && provider.sending.sender_pool.is_none() => {
            let detection = match outage.how {
                OutageManner::Refuse => Span::ZERO,
                OutageManner::Hang => provider.ack_timeout,
            };
            let delays: Vec<f64> = provider.retry.delays.iter().map(|delay| delay.as_secs_f64()).collect();
            let offsets = model::offsets_s(&delays, detection.as_secs_f64());
            let Some(lag) = model::outage_lag(until.since(from).as_secs_f64(), &offsets) else { return };
            let assumes = "steady arrivals, every attempt fails until the outage is over and none after; network, queueing \
                           and effect are left out";
            out.add(
                "mean lag after the outage: the first retry behind its end",
                lag.mean_s,
                mean,
                Some(lag.sd_s / n.sqrt()),
                assumes,
            );
            if let Some(max) = recovery.lag_max_s {
                out.add(
                    "largest lag after the outage: the longest gap between attempts",
                    lag.max_s,
                    max,
                    None,
                    assumes,
                );
            }
        }
        Path::Polling(polling) => {
            let even = polling.strategy.grid().filter(|grid| grid.phase == Phase::Random && grid.jitter() == 0.0);
            let page = u64::from(polling.page_size.min(provider.page_limit));
            // Where it takes many pages, how long they take and what a limit makes of them is another matter.
            let fits = recovery.due <= page * u64::from(mine.clients) && result.rate_limited == 0;
            let Some(grid) = even.filter(|_| fits && outage.how == OutageManner::Refuse) else { return };
            let t = grid.interval.as_secs_f64();
            let assumes =
                "polls at even intervals, one page holds what has come; the mean over clients of random phase";
            // All that came due waits for the same poll of its client.
            let error = t / 12f64.sqrt() / f64::from(mine.clients.max(1)).sqrt();
            out.add("mean lag after the outage = interval / 2", t / 2.0, mean, Some(error), assumes);
        }
        _ => {}
    }
}

/// What a ledger that forgets lets through a second time (2.10).
fn forgotten(
    out: &mut Rows<'_>,
    mine: &ConsumerPlan,
    provider: &ProviderPlan,
    fault: &FaultPlan,
    result: &ConsumerResult,
) {
    let FaultKind::DropAck(drop) = &fault.kind else { return };
    let Some(p) = fault.selector.probability else { return };
    let only = Selector { probability: Some(p), path: fault.selector.path, ..Selector::default() };
    let (Some(ttl), Path::Webhook(webhook)) = (mine.ledger_ttl, &mine.path) else { return };
    let plain = fault.selector == only && drop.when == DropAck::default().when && provider.retries_by_schedule_alone();
    if !plain || webhook.dedupe || mine.ledger == LedgerKind::None {
        return;
    }
    let Some(applied) = result.duplicates_applied else { return };
    let delays: Vec<f64> = provider.retry.delays.iter().map(|delay| delay.as_secs_f64()).collect();
    let offsets = model::offsets_s(&delays, 0.0);
    let (n, ttl_s) = (result.due as f64, ttl.as_secs_f64());
    let predicted = model::extra_effects(p, &offsets, ttl_s);
    let error = predicted.sd / n.sqrt();
    let assumes = "acks are lost independently and all requests arrive; an attempt that comes later than the ledger \
                   remembers is new again; network time is left out";
    let quantity = "effects beyond the first per event: p_a to the power of the attempts before each forgotten one";
    out.add(quantity, predicted.mean, applied as f64 / n, Some(error), assumes);
}
