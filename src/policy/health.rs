//! Whether an endpoint is sent to, judged by how it answers.
//!
//! ```text
//!            410, or N failures in a row (for good)
//!   [on] ----------------------------------------------> [off] --enable--> [on]
//!     '--N failures in a row (pause)--> [paused] --pause over, or enable--> [on]
//! ```

use crate::{
    model::{DisabledBy, Span, Time},
    scenario::AutoDisable,
};

/// The health of one endpoint.
#[derive(Debug, Clone, Copy)]
pub(super) struct Health {
    rule: Option<AutoDisable>,
    state: State,
    failures_in_a_row: u32,
    pauses_in_a_row: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    On,
    PausedUntil(Time),
    Off,
}

/// An endpoint is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SwitchedOff {
    pub why: DisabledBy,
    /// `None`: until somebody switches it on.
    pub until: Option<Time>,
}

impl Health {
    pub fn new(rule: Option<AutoDisable>) -> Health {
        Health { rule, state: State::On, failures_in_a_row: 0, pauses_in_a_row: 0 }
    }

    pub fn is_on(&self) -> bool {
        self.state == State::On
    }

    /// An attempt was acked.
    pub fn acked(&mut self) {
        self.failures_in_a_row = 0;
        self.pauses_in_a_row = 0;
    }

    /// An attempt failed; `gone`: the receiver wants nothing more. Failures of attempts that had left before
    /// the endpoint was switched off say nothing new.
    pub fn failed(&mut self, gone: bool, now: Time) -> Option<SwitchedOff> {
        if gone && self.state != State::Off {
            self.state = State::Off;
            return Some(SwitchedOff { why: DisabledBy::Gone, until: None });
        }
        let rule = self.rule.filter(|_| self.is_on())?;
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        if self.failures_in_a_row < rule.failures {
            return None;
        }
        let until = rule.pause.map(|pause| {
            let doubled = pause.first.scaled(1u64 << self.pauses_in_a_row.min(40), 1);
            now + doubled.min(pause.max).max(Span(1))
        });
        self.state = until.map_or(State::Off, State::PausedUntil);
        self.pauses_in_a_row = self.pauses_in_a_row.saturating_add(1);
        Some(SwitchedOff { why: DisabledBy::Failures(self.failures_in_a_row), until })
    }

    /// When the pause is over, if there is one.
    pub fn wakes_at(&self) -> Option<Time> {
        match self.state {
            State::PausedUntil(until) => Some(until),
            State::On | State::Off => None,
        }
    }

    /// Ends a pause that is over at `now`; tells when it was.
    pub fn wake(&mut self, now: Time) -> Option<Time> {
        let until = self.wakes_at().filter(|until| *until <= now)?;
        self.state = State::On;
        // One more failure is enough to begin the next pause.
        self.failures_in_a_row = self.rule.map_or(0, |rule| rule.failures.saturating_sub(1));
        Some(until)
    }

    /// Somebody switches it on; false where it is on.
    pub fn enable(&mut self) -> bool {
        let was_off = !self.is_on();
        if was_off {
            *self = Health::new(self.rule);
        }
        was_off
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Pause;

    const FAILED: bool = false;
    const GONE: bool = true;

    fn at(secs: u64) -> Time {
        Time::ZERO + Span::from_secs(secs)
    }

    #[test]
    fn failures_in_a_row_switch_off_and_an_ack_between_them_does_not_let_them() {
        let mut health = Health::new(Some(AutoDisable { failures: 3, pause: None }));
        for _ in 0..5 {
            assert_eq!(health.failed(FAILED, at(1)), None);
            assert_eq!(health.failed(FAILED, at(1)), None);
            health.acked();
        }
        health.failed(FAILED, at(2));
        health.failed(FAILED, at(2));
        let off = SwitchedOff { why: DisabledBy::Failures(3), until: None };
        assert_eq!(health.failed(FAILED, at(2)), Some(off));
        assert_eq!((health.failed(FAILED, at(3)), health.wake(at(9_999)), health.is_on()), (None, None, false));
        assert!(health.enable() && health.is_on() && !health.enable());
        assert_eq!(health.failed(FAILED, at(4)), None, "a person's word counts from the beginning");
    }

    #[test]
    fn a_pause_doubles_with_each_failure_behind_it_up_to_its_limit() {
        let pause = Some(Pause { first: Span::from_secs(10), max: Span::from_secs(35) });
        let mut health = Health::new(Some(AutoDisable { failures: 2, pause }));
        health.failed(FAILED, at(0));
        let mut now = at(0);
        let mut lengths = Vec::new();
        for _ in 0..4 {
            let until = health.failed(FAILED, now).and_then(|off| off.until).unwrap();
            lengths.push(until.since(now).0 / 1_000_000_000);
            assert_eq!((health.wakes_at(), health.wake(until - Span(1))), (Some(until), None));
            assert_eq!(health.wake(until), Some(until));
            now = until;
        }
        assert_eq!(lengths, [10, 20, 35, 35]);
        health.acked();
        assert_eq!(health.failed(FAILED, now), None);
        assert_eq!(health.failed(FAILED, now).and_then(|off| off.until), Some(now + Span::from_secs(10)));
    }

    #[test]
    fn gone_is_gone_whatever_the_rule_and_also_in_a_pause() {
        let mut health = Health::new(None);
        let off = SwitchedOff { why: DisabledBy::Gone, until: None };
        assert_eq!(health.failed(GONE, at(1)), Some(off));
        assert_eq!(health.failed(GONE, at(1)), None);
        let pause = Some(Pause { first: Span::from_secs(10), max: Span::from_secs(10) });
        let mut health = Health::new(Some(AutoDisable { failures: 1, pause }));
        health.failed(FAILED, at(0));
        assert_eq!(health.failed(GONE, at(1)), Some(off));
        assert_eq!(health.wake(at(99)), None);
    }
}
