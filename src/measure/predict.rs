//! Which closed forms apply to a run, and their rows beside what was measured.
//!
//! A formula is shown only where its assumptions hold; where it is left out, a sentence says why.

use super::{
    ModelRow,
    age::AgeRecorder,
    model::{self, Losses, Moments},
    tally::Tally,
};
use crate::{
    fault::{DropAck, FaultKind, FaultPlan, Selector, TargetPath},
    model::Span,
    policy::poll::{Adaptive, Grid, LongPoll, Phase, Strategy},
    scenario::{ConsumerNo, ConsumerPlan, EffectKind, Follows, HybridPlan, On429, Path, Plan, PollingPlan},
    workload::Arrivals,
};

/// Rows for one consumer, and why others are missing.
pub(super) fn rows(plan: &Plan, no: ConsumerNo, tally: &Tally) -> (Vec<ModelRow>, Vec<String>) {
    let mine = &plan.consumers[usize::from(no)];
    let mut out = Rows { consumer: &mine.name, rows: Vec::new(), left_out: Vec::new() };
    let faults: Vec<&FaultPlan> = plan.faults.iter().filter(|fault| fault.consumers.contains(&no)).collect();
    let provider = plan.providers.get(usize::from(mine.provider));
    if tally.due == 0 {
        out.leave_out("nothing was due");
    } else if mine.flaw.is_some() {
        out.leave_out("it does something wrong on purpose");
    } else {
        match &mine.path {
            Path::Polling(_) if !faults.is_empty() => out.leave_out("faults hit its polls"),
            Path::Polling(_) if tally.rate_limited > 0 => out.leave_out("the provider's limit turned polls away"),
            Path::Polling(polling) if slowed(plan, mine, polling) => {
                out.leave_out("its provider asks for longer intervals than its own");
            }
            Path::Polling(PollingPlan { strategy: Strategy::State(state), .. }) => out.state(plan, mine, state, tally),
            Path::Polling(_) if shown_late(plan, mine) => out.leave_out("its provider shows events late"),
            Path::Polling(polling) => match (&polling.strategy, polling.strategy.grid()) {
                (Strategy::Adaptive(adaptive), _) => out.adaptive(plan, mine, adaptive, tally),
                (Strategy::LongPoll(long_poll), _) => out.long_poll(plan, mine, long_poll, tally),
                (Strategy::Feed(_), Some(grid)) => out.feed(plan, mine, &grid, tally),
                (Strategy::Ping(ping), _) => out.ping(ping, tally),
                (_, Some(grid)) => out.polling(plan, mine, &grid, tally),
                (_, None) => out.leave_out("its polls lie on no even grid"),
            },
            Path::Hybrid(_) if shown_late(plan, mine) => out.leave_out("its provider shows events late"),
            Path::Hybrid(hybrid) if hybrid.polling.state().is_some() => {
                out.leave_out("its form is of polls for events, and it asks for states");
            }
            Path::Hybrid(hybrid) => out.hybrid(plan, mine, hybrid, &faults, tally),
            Path::Webhook(_) if tally.switches.count() > 0 => out.leave_out("endpoints were switched off"),
            Path::Webhook(_) if tally.redelivered > 0 => out.leave_out("dead letters were sent again"),
            Path::Webhook(_) if provider.is_some_and(|provider| provider.sending.sender_pool.is_some()) => {
                let slots = provider.and_then(|provider| provider.sending.sender_pool).unwrap_or(1);
                out.shared_pool(plan, mine, tally, slots);
            }
            Path::Webhook(_) if tally.rejected > 0 => out.leave_out("its receiver turned requests away"),
            Path::Webhook(_) => match losses(plan, mine, &faults) {
                Some(losses) if tally.open == 0 => {
                    out.webhook(losses, mine.is_external(), tally);
                    provider.iter().for_each(|provider| out.order(plan, mine, provider, losses.p_r, tally));
                }
                Some(_) => out.leave_out("deliveries were open at the end"),
                None => out.leave_out("its faults are more than independent losses of requests and acks"),
            },
        }
    }
    (out.rows, out.left_out)
}

fn shown_late(plan: &Plan, mine: &ConsumerPlan) -> bool {
    plan.providers.get(usize::from(mine.provider)).is_some_and(|provider| provider.pull.view_lag > Span::ZERO)
}

/// Whether a poller keeps to its provider's interval and not to its own.
fn slowed(plan: &Plan, mine: &ConsumerPlan, polling: &PollingPlan) -> bool {
    let hint = plan.providers.get(usize::from(mine.provider)).and_then(|provider| provider.pull.poll_interval_hint);
    // A long poll asks again at once, whatever its hold.
    let own = if polling.strategy.hold().is_some() { Span::ZERO } else { polling.strategy.shortest_gap() };
    polling.on_429 == On429::Respect && hint.is_some_and(|hint| hint > own)
}

pub(super) struct Rows<'a> {
    consumer: &'a str,
    rows: Vec<ModelRow>,
    left_out: Vec<String>,
}

impl<'a> Rows<'a> {
    /// None yet, of this consumer.
    pub(super) fn new(consumer: &'a str) -> Rows<'a> {
        Rows { consumer, rows: Vec::new(), left_out: Vec::new() }
    }

    /// The rows.
    pub(super) fn into_rows(self) -> Vec<ModelRow> {
        self.rows
    }
}

impl Rows<'_> {
    pub(super) fn leave_out(&mut self, why: &str) {
        self.left_out.push(format!("no closed form is held against {}: {why}", self.consumer));
    }

    pub(super) fn add(&mut self, quantity: &str, predicted: f64, measured: f64, error: Option<f64>, assumes: &str) {
        self.rows.push(ModelRow {
            consumer: self.consumer.to_owned(),
            quantity: quantity.to_owned(),
            predicted,
            measured,
            // What is predicted below a billionth is nothing: no share of it means anything.
            difference: (predicted.abs() > 1e-9).then(|| (measured - predicted) / predicted),
            standard_errors: error.filter(|error| *error > 0.0).map(|error| (measured - predicted) / error),
            assumes: assumes.to_owned(),
        });
    }

    pub(super) fn polling(&mut self, plan: &Plan, mine: &ConsumerPlan, grid: &Grid, tally: &Tally) {
        self.timed_polls(plan, mine, grid, tally);
        let Arrivals::Poisson(_) = plan.workload.arrivals else {
            return self
                .leave_out("ages and waste need Poisson arrivals: a constant rate can lock to the poll's phase");
        };
        if grid.phase == Phase::Aligned && grid.jitter() > 0.0 {
            return self
                .leave_out("spread polls that all begin one interval after t0 are not stationary from the start");
        }
        let late = plan.providers.get(usize::from(mine.provider)).is_some_and(|one| one.pull.commit_lag.is_some());
        if late || mine.polling().is_some_and(|polling| polling.cursor_overlap > Span::ZERO) {
            return self
                .leave_out("ages and waste need a log that shows events at once, and clients that do not look back");
        }
        self.polling_ages(mine, grid, &tally.ages);
        if grid.jitter() == 0.0 {
            self.waste(plan, mine, grid, tally);
        }
    }

    /// Polls due within the window of arrivals.
    fn timed_polls(&mut self, plan: &Plan, mine: &ConsumerPlan, grid: &Grid, tally: &Tally) {
        let (interval, window) = (grid.interval.0.max(1), plan.duration.0);
        let measured = tally.window_polls.made as f64;
        match grid.phase {
            Phase::Random => {
                // A window that is no multiple of the interval holds one poll more of some clients.
                let rest = (window % interval) as f64 / interval as f64;
                let error = Some((f64::from(mine.clients) * rest * (1.0 - rest)).sqrt());
                let polls = model::polls(mine.clients, plan.duration.as_secs_f64(), grid.interval.as_secs_f64());
                let assumes = "polls on a fixed timer, counted within the window of arrivals";
                self.add("polls = clients x duration / interval", polls, measured, error, assumes);
            }
            Phase::Aligned if grid.jitter() == 0.0 => {
                let polls = f64::from(mine.clients) * (window.saturating_sub(1) / interval) as f64;
                let assumes = "polls at whole multiples of the interval, counted within the window of arrivals";
                self.add("polls = clients x multiples of the interval", polls, measured, None, assumes);
            }
            Phase::Aligned => {}
        }
    }

    fn polling_ages(&mut self, mine: &ConsumerPlan, grid: &Grid, ages: &AgeRecorder) {
        let age = ages.summary();
        let (Some(mean), Some(p99)) = (age.mean, age.p99) else {
            return self.leave_out("not every obligation took effect, so ages are censored");
        };
        let (t, n) = (grid.interval.as_secs_f64(), age.count as f64);
        let effect = mine.effect.duration.as_secs_f64();
        let assumes = "Poisson arrivals, every page read at once; network and queueing time are left out";
        let predicted = model::polling_mean_age_s(t, grid.jitter()) + effect;
        let error = t / 12f64.sqrt() / n.sqrt();
        self.add("mean age = interval / 2 + effect", predicted, mean, Some(error), assumes);
        if grid.jitter() == 0.0 && effect == 0.0 {
            let error = t * (0.99f64 * 0.01 / n).sqrt();
            self.add("p99 age = 0.99 x interval", model::polling_age_quantile_s(t, 0.99), p99, Some(error), assumes);
        }
    }

    /// Events per second and client, where every client has the same and their arrivals are Poisson.
    pub(super) fn rate_per_client(&mut self, plan: &Plan, mine: &ConsumerPlan) -> Option<f64> {
        let equal = mine.follows == Follows::All || plan.workload.subjects.is_multiple_of(mine.clients.max(1));
        if !equal || !matches!(plan.workload.arrivals, Arrivals::Poisson(_)) {
            self.leave_out("its form needs Poisson arrivals and subjects shared equally");
            return None;
        }
        let share = f64::from(mine.clients_per_event()) / f64::from(mine.clients.max(1));
        Some(plan.workload.arrivals.rate_per_sec() * share)
    }

    fn adaptive(&mut self, plan: &Plan, mine: &ConsumerPlan, adaptive: &Adaptive, tally: &Tally) {
        let Some(lambda) = self.rate_per_client(plan, mine) else { return };
        let Adaptive { min, max, factor } = adaptive;
        let found = model::adaptive(lambda, min.as_secs_f64(), max.as_secs_f64(), *factor);
        let assumes = "Poisson arrivals, subjects shared equally, the start forgotten; network time is left out";
        let polls = found.polls_per_s * f64::from(mine.clients) * plan.duration.as_secs_f64();
        self.add(
            "polls, adaptive: visits / time of the chain of gaps",
            polls,
            tally.window_polls.made as f64,
            None,
            assumes,
        );
        match tally.ages.summary().mean {
            Some(mean) => {
                let predicted = found.mean_age_s + mine.effect.duration.as_secs_f64();
                self.add("mean age, adaptive: sum of v T^2 / 2 over sum of v T", predicted, mean, None, assumes);
            }
            None => self.leave_out("not every obligation took effect, so ages are censored"),
        }
    }

    fn long_poll(&mut self, plan: &Plan, mine: &ConsumerPlan, long_poll: &LongPoll, tally: &Tally) {
        let Some(lambda) = self.rate_per_client(plan, mine) else { return };
        let (hold, clients) = (long_poll.hold.as_secs_f64(), f64::from(mine.clients));
        let form = model::long_polls(lambda, hold, plan.duration.as_secs_f64());
        let assumes = "Poisson arrivals, subjects shared equally, counted within the window of arrivals; the round trip is \
                       left out";
        let measured = tally.window_polls.made as f64;
        let quantity = "long polls = events + holds that end in vain";
        self.add(quantity, form.polls * clients, measured, None, assumes);
        let empty = tally.window_polls.empty as f64 / measured.max(1.0);
        self.add("share of empty long polls = holds in vain / all", form.empty / form.polls, empty, None, assumes);
    }

    fn hybrid(&mut self, plan: &Plan, mine: &ConsumerPlan, hybrid: &HybridPlan, faults: &[&FaultPlan], tally: &Tally) {
        let (Some(provider), Arrivals::Poisson(_)) =
            (plan.providers.get(usize::from(mine.provider)), &plan.workload.arrivals)
        else {
            return self.leave_out("its form needs Poisson arrivals");
        };
        let on_push_only = faults.iter().all(|fault| fault.selector.path == Some(TargetPath::Webhook));
        let losses = losses(plan, mine, faults).filter(|_| on_push_only && provider.retries_by_schedule_alone());
        let (Some(losses), Some(grid)) = (losses, hybrid.polling.strategy.grid()) else {
            return self.leave_out("its form needs independent losses on the push path and polls on an even grid");
        };
        let Some(mean) = tally.ages.summary().mean else {
            return self.leave_out("not every obligation took effect, so ages are censored");
        };
        let mut offsets_s = vec![0.0];
        for delay in &provider.retry.delays {
            offsets_s.push(offsets_s[offsets_s.len() - 1] + delay.as_secs_f64());
        }
        let form = model::Hybrid { p_r: losses.p_r, offsets_s: &offsets_s, poll_s: grid.interval.as_secs_f64() };
        let n = tally.due as f64;
        let assumes = "requests are lost independently and at once, no acks; network and queueing time are left out";
        let effect = mine.effect.duration.as_secs_f64();
        let sd = (form.mean_square_age() - form.mean_age_s().powi(2)).max(0.0).sqrt();
        let predicted = form.mean_age_s() + effect;
        self.add("mean age, hybrid = (1-p) W + p T/2", predicted, mean, Some(sd / n.sqrt()), assumes);
        // Half an interval: long against the network and short against the poll that finds what was lost.
        let y = Span(grid.interval.0 / 2);
        if let Some(late) = tally.ages.summary().share_over(y).filter(|_| effect == 0.0) {
            let quantity = "share older than half an interval = p (1 - y / T)";
            self.share(quantity, form.older_than(y.as_secs_f64()), (late * n).round() as u64, n, assumes);
        }
        let first = tally.by_poll.receipts.saturating_sub(tally.by_poll.duplicates) as f64 / n;
        let share = form.poll_first();
        let error = (share * (1.0 - share) / n).sqrt();
        self.add("share first seen by a poll = E[min(W, T)] / T", share, first, Some(error), assumes);
    }

    fn waste(&mut self, plan: &Plan, mine: &ConsumerPlan, grid: &Grid, tally: &Tally) {
        let t = grid.interval.as_secs_f64();
        let equal_shares = mine.follows == Follows::All || plan.workload.subjects.is_multiple_of(mine.clients.max(1));
        let (polls, empty) = (tally.window_polls.made as f64, tally.window_polls.empty as f64);
        if !equal_shares || polls == 0.0 {
            return;
        }
        let share = f64::from(mine.clients_per_event()) / f64::from(mine.clients.max(1));
        let rate = plan.workload.arrivals.rate_per_sec() * share;
        let later = model::empty_share(rate, t);
        // At a random phase a client's first poll looks back on a part of an interval only.
        let first = if grid.phase == Phase::Random { f64::from(mine.clients).min(polls) } else { 0.0 };
        let of_first = model::first_empty_share(rate, t);
        let over = |of_first: f64, later: f64| (first * of_first + (polls - first) * later) / polls;
        let predicted = over(of_first, later);
        if predicted * polls < 1.0 {
            // Not one empty poll is to be expected: nothing to compare.
            return;
        }
        let error = (over(of_first * (1.0 - of_first), later * (1.0 - later)) / polls).sqrt();
        let assumes = "Poisson arrivals, subjects shared equally, polls within the window of arrivals; a first poll at \
                       a random phase finds nothing with probability (1 - e^-x) / x";
        self.add(
            "share of empty polls = e^-x, x = events per interval",
            predicted,
            empty / polls,
            Some(error),
            assumes,
        );
    }

    fn webhook(&mut self, losses: Losses, external: bool, tally: &Tally) {
        let n = tally.due as f64;
        let [attempts, receipts, duplicates]: [Moments; 3] = losses.enumerate();
        let assumes = "requests and acks are lost independently; nothing else fails";
        let error = |moments: Moments| Some(moments.sd / n.sqrt());
        let measured = tally.attempts as f64 / n;
        self.add("attempts per event = (1 - f^K) / s", losses.attempts(), measured, error(attempts), assumes);
        if external {
            return;
        }
        let measured = tally.genuine_receipts as f64 / n;
        self.add("receipts per event = (1 - f^K) / (1 - p_a)", losses.receipts(), measured, error(receipts), assumes);
        let measured = tally.duplicates_received as f64 / n;
        self.add(
            "duplicates per event = receipts - (1 - p_r^K)",
            losses.duplicates(),
            measured,
            error(duplicates),
            assumes,
        );
        self.share("share given up = f^K", losses.gave_up(), tally.gave_up, n, assumes);
        let quantity = "share given up although in effect = f^K - p_r^K";
        self.share(quantity, losses.gave_up_but_received(), tally.gave_up_but_applied, n, assumes);
    }

    /// A share of `n`, where some are to be expected at all.
    fn share(&mut self, quantity: &str, predicted: f64, measured: u64, n: f64, assumes: &str) {
        const EXPECTED: f64 = 10.0;
        if predicted * n >= EXPECTED {
            let error = (predicted * (1.0 - predicted) / n).sqrt();
            self.add(quantity, predicted, measured as f64 / n, Some(error), assumes);
        }
    }
}

/// How many effects in somebody else's system a crash repeats, where crashes come at instants that have
/// nothing to do with the calls, and no key is honoured.
pub(super) fn crash_window(plan: &Plan, no: ConsumerNo, tally: &Tally, deaths: u32) -> Option<ModelRow> {
    let mine = &plan.consumers[usize::from(no)];
    let at_instants = |fault: &FaultPlan| match &fault.kind {
        FaultKind::Crash(crash) if fault.consumers.contains(&no) => crash.point.is_none(),
        _ => true,
    };
    let repeats = matches!(mine.effect.kind, EffectKind::External { honours_key: false, .. });
    if !repeats || deaths == 0 || !plan.faults.iter().all(at_instants) {
        return None;
    }
    let predicted = tally.external.repeats_per_crash(plan.duration)?;
    let measured = tally.external.repeated as f64 / f64::from(deaths);
    let mut out = Rows { consumer: &mine.name, rows: Vec::new(), left_out: Vec::new() };
    let error = (predicted / f64::from(deaths)).sqrt();
    let assumes = "crashes at random instants; window: from a call's return to its durable mark, as measured";
    out.add("effects repeated per crash = rate x window", predicted, measured, Some(error), assumes);
    out.rows.pop()
}

/// What a crash costs where no key is honoured, measured or not.
pub(super) fn crash_window_in_words(plan: &Plan, no: ConsumerNo, tally: &Tally) -> Option<String> {
    let mine = &plan.consumers[usize::from(no)];
    let EffectKind::External { honours_key, .. } = mine.effect.kind else { return None };
    let (repeats, window) = (tally.external.repeats_per_crash(plan.duration)?, tally.external.window());
    let whose = if honours_key { "would repeat, were no key honoured," } else { "repeats" };
    Some(format!(
        "{}: a call lies unmarked for {:.2} ms on average after it returned (p99 {:.2} ms), so a crash at a random \
         instant {whose} rate x window = {repeats:.3} effects; effects elsewhere are at least once and not in \
         duplicates_applied",
        mine.name,
        window.mean? * 1e3,
        window.p99? * 1e3,
    ))
}

/// The losses that the faults amount to, if they are nothing but independent losses.
fn losses(plan: &Plan, mine: &ConsumerPlan, faults: &[&FaultPlan]) -> Option<Losses> {
    let provider = plan.providers.get(usize::from(mine.provider))?;
    if !provider.sending.leaves_the_schedule_alone() {
        return None;
    }
    let mut losses = Losses { p_r: 0.0, p_a: 0.0, k: provider.retry.max_attempts() };
    for fault in faults {
        let p = fault.selector.probability?;
        if fault.selector != (Selector { probability: Some(p), path: fault.selector.path, ..Selector::default() }) {
            return None;
        }
        let of = match &fault.kind {
            FaultKind::DropRequest(_) => &mut losses.p_r,
            // The default is after processing; before it, nobody knows whether there was an effect.
            FaultKind::DropAck(drop) if drop.when == DropAck::default().when => &mut losses.p_a,
            _ => return None,
        };
        *of = 1.0 - (1.0 - *of) * (1.0 - p);
    }
    Some(losses)
}
