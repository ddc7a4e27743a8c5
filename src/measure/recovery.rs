//! How a consumer came back after an outage: what had come due in it, and when nothing waited any more.

use serde::{Deserialize, Serialize};

use crate::{
    fault::{FaultKind, FaultPlan},
    model::{AttemptOutcome, Span, Time},
    record::Attempt,
    scenario::{ConsumerNo, Plan},
};

/// How a consumer came back, where it was away. Windows of outages and stalls are those of the plan.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Recovery {
    /// What came due while it was away.
    pub due: u64,
    /// From the end of the outage to the effect of what came due in it, on average; `None` where any of
    /// it had no effect.
    pub lag_mean_s: Option<f64>,
    /// The longest of these.
    pub lag_max_s: Option<f64>,
    /// From the end of the last outage to the first instant at which nothing waited for its effect.
    pub drain_s: Option<f64>,
    /// From the end of the last outage to the end of the last second of which half of the attempts timed
    /// out; `None` where there is one in the last tenth of the window of arrivals.
    pub back_after_s: Option<f64>,
}

/// Collects [`Recovery`] from obligations in the order of their due instants.
#[derive(Debug)]
pub(super) struct RecoveryRecorder {
    /// When it was away, in order.
    away: Vec<(Time, Time)>,
    window: Span,
    due: u64,
    settled: u64,
    lag_sum_ns: u128,
    lag_max: Span,
    /// Up to here something waited.
    busy_until: Time,
    /// Something is without an effect and still to come.
    stuck: bool,
    drained: Option<Time>,
    /// By whole second since the last outage's end: attempts and timeouts.
    since: Vec<(u32, u32)>,
}

impl RecoveryRecorder {
    pub(super) fn new(plan: &Plan, consumer: ConsumerNo) -> RecoveryRecorder {
        let hits = |fault: &&FaultPlan| fault.consumers.contains(&consumer);
        let window = |fault: &FaultPlan| match fault.kind {
            FaultKind::Outage(_) | FaultKind::Stall(_) => fault.selector.from.zip(fault.selector.until),
            _ => None,
        };
        let mut away: Vec<(Time, Time)> = plan.faults.iter().filter(hits).filter_map(window).collect();
        away.sort_unstable();
        RecoveryRecorder {
            away,
            window: plan.duration,
            due: 0,
            settled: 0,
            lag_sum_ns: 0,
            lag_max: Span::ZERO,
            busy_until: Time::ZERO,
            stuck: false,
            drained: None,
            since: Vec::new(),
        }
    }

    /// When the last outage ended.
    fn back(&self) -> Option<Time> {
        self.away.iter().map(|(_, until)| *until).max()
    }

    /// An obligation took effect at `settled`, or did not; `pending` where it still may.
    pub(super) fn take(&mut self, due: Time, settled: Option<Time>, pending: bool) {
        let Some(back) = self.back() else { return };
        if let Some(until) = self.away.iter().filter(|(from, until)| due >= *from && due < *until).map(|w| w.1).max() {
            self.due += 1;
            if let Some(at) = settled {
                let lag = at.since(until);
                self.settled += 1;
                self.lag_sum_ns += u128::from(lag.0);
                self.lag_max = self.lag_max.max(lag);
            }
        }
        let free = self.busy_until.max(back);
        if self.drained.is_none() && !self.stuck && due > free {
            self.drained = Some(free);
        }
        self.busy_until = self.busy_until.max(settled.unwrap_or(Time::ZERO));
        self.stuck |= pending;
    }

    pub(super) fn attempt(&mut self, attempt: &Attempt) {
        let Some(back) = self.back().filter(|back| attempt.sent >= *back) else { return };
        if attempt.sent >= Time::ZERO + self.window {
            return;
        }
        let second = (attempt.sent.since(back).0 / SECOND) as usize;
        if second >= self.since.len() {
            self.since.resize(second + 1, (0, 0));
        }
        self.since[second].0 += 1;
        self.since[second].1 += u32::from(attempt.outcome == AttemptOutcome::Timeout);
    }

    pub(super) fn recovery(&self) -> Option<Recovery> {
        let back = self.back()?;
        let whole = self.settled > 0 && self.settled == self.due;
        // What nothing came after was drained with the last effect.
        let drained = self.drained.or((!self.stuck).then(|| self.busy_until.max(back)));
        Some(Recovery {
            due: self.due,
            lag_mean_s: whole.then(|| self.lag_sum_ns as f64 / self.settled as f64 / 1e9),
            lag_max_s: whole.then(|| self.lag_max.as_secs_f64()),
            drain_s: drained.map(|at| at.since(back).as_secs_f64()),
            back_after_s: self.back_after_s(back),
        })
    }

    fn back_after_s(&self, back: Time) -> Option<f64> {
        if self.since.is_empty() {
            return None;
        }
        let late = self.since.iter().rposition(|(attempts, timeouts)| *attempts > 0 && 2 * timeouts >= *attempts);
        let after = late.map_or(0, |second| second as u64 + 1);
        let last_tenth = (Time::ZERO + self.window).since(back).0.saturating_sub(self.window.0 / 10);
        (after * SECOND <= last_tenth).then_some(after as f64)
    }
}

const SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fault::{Outage, Selector},
        record::Obligation,
        scenario::testing,
    };

    fn at(s: u64) -> Time {
        Time(s * SECOND)
    }

    fn recorder() -> RecoveryRecorder {
        let mut plan = testing::plan(testing::webhook_consumer(1));
        plan.duration = Span::from_secs(100);
        let selector = Selector { from: Some(at(10)), until: Some(at(20)), ..Selector::default() };
        let kind = FaultKind::Outage(Outage::default());
        plan.faults = vec![FaultPlan { index: 0, kind, consumers: vec![0], selector }];
        RecoveryRecorder::new(&plan, 0)
    }

    #[test]
    fn what_came_due_in_an_outage_lags_from_its_end_and_the_rest_does_not_count() {
        let mut recorder = recorder();
        for (due, settled) in [(5, 6), (12, 24), (15, 21), (19, 30), (25, 29), (40, 41)] {
            recorder.take(at(due), Some(at(settled)), false);
        }
        let told = recorder.recovery().expect("it was away");
        assert_eq!((told.due, told.lag_mean_s, told.lag_max_s), (3, Some(5.0), Some(10.0)));
        assert_eq!(told.drain_s, Some(10.0), "at 30 s nothing waited");
    }

    #[test]
    fn what_never_took_effect_leaves_no_mean_and_what_still_may_is_not_drained() {
        let mut recorder = recorder();
        recorder.take(at(12), None, true);
        recorder.take(at(40), Some(at(41)), false);
        let told = recorder.recovery().expect("it was away");
        assert_eq!((told.lag_mean_s, told.drain_s, told.due), (None, None, 1));
    }

    #[test]
    fn a_receiver_is_back_when_most_of_a_second_comes_through_again() {
        let mut recorder = recorder();
        let what = Obligation { consumer: 0, client: 0, seq: 1 };
        for second in 0..100 {
            let sent = at(second);
            let late = (15..40).contains(&second);
            let outcome = if late { AttemptOutcome::Timeout } else { AttemptOutcome::Status(200) };
            recorder.attempt(&Attempt { what, number: 1, copy: 0, intended: sent, sent, done: sent, outcome });
        }
        assert_eq!(recorder.recovery().and_then(|told| told.back_after_s), Some(20.0));
        let sent = at(95);
        let outcome = AttemptOutcome::Timeout;
        recorder.attempt(&Attempt { what, number: 1, copy: 0, intended: sent, sent, done: sent, outcome });
        assert_eq!(recorder.recovery().and_then(|told| told.back_after_s), None, "not yet");
    }
}
