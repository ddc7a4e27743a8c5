//! Whether an endpoint is sent to, judged by how it answers.
//!
//! ```text
//!            its own word (410, a header), or a rule that knows no pause
//!   [on] ----------------------------------------------------------------> [off] --enable--> [on]
//!     '--N failures in a row (pause)--> [paused] --pause over, or enable--> [on]
//! ```

use super::recent::Recent;
use crate::{
    model::{DisabledBy, GiveUp, Span, Time},
    scenario::AutoDisable,
};

/// The health of one endpoint.
#[derive(Debug, Clone)]
pub(super) struct Health {
    rule: Option<AutoDisable>,
    state: State,
    /// Since the last ack, or as many as the end of a pause leaves.
    failures_in_a_row: u32,
    pauses_in_a_row: u32,
    /// Since the last ack, pauses or not.
    unbroken: u32,
    /// Of the first of those.
    failing_since: Option<Time>,
    /// Deliveries given up since the last ack.
    events_in_a_row: u32,
    /// The last attempts, where the rule asks.
    recent: Option<Box<Recent>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    On,
    PausedUntil(Time),
    Off,
}

/// The end of an attempt, for its endpoint's health.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// Whether it was acked.
    pub acked: bool,
    /// Whether it was its event's first.
    pub first: bool,
    /// Why the endpoint itself wants nothing more, if it says so.
    pub word: Option<DisabledBy>,
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
        Health {
            rule,
            state: State::On,
            failures_in_a_row: 0,
            pauses_in_a_row: 0,
            unbroken: 0,
            failing_since: None,
            events_in_a_row: 0,
            recent: rule.and_then(|rule| rule.ratio).map(|ratio| Box::new(Recent::new(ratio))),
        }
    }

    #[inline]
    pub fn is_on(&self) -> bool {
        self.state == State::On
    }

    /// An attempt has ended. Failures of attempts that had left before the endpoint was switched off
    /// say nothing new.
    pub fn saw(&mut self, seen: Seen, now: Time) -> Option<SwitchedOff> {
        if let Some(recent) = &mut self.recent {
            recent.count(seen, now);
        }
        if seen.acked {
            (self.failures_in_a_row, self.pauses_in_a_row, self.unbroken) = (0, 0, 0);
            (self.failing_since, self.events_in_a_row) = (None, 0);
        }
        if let Some(why) = seen.word.filter(|_| self.state != State::Off) {
            return Some(self.off_for_good(why));
        }
        if seen.acked { None } else { self.failed(now) }
    }

    fn failed(&mut self, now: Time) -> Option<SwitchedOff> {
        let rule = self.rule.filter(|_| self.is_on())?;
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        self.unbroken = self.unbroken.saturating_add(1);
        let failing_for = now.since(*self.failing_since.get_or_insert(now));
        let (in_a_row, unbroken) = (self.failures_in_a_row, self.unbroken);
        let reached = |count: u32, most: Option<u32>| most.is_some_and(|most| count >= most);
        if reached(unbroken, rule.permanent_after) {
            return Some(self.off_for_good(DisabledBy::Failures(unbroken)));
        }
        if rule.failing_for.is_some_and(|most| failing_for >= most) {
            return Some(self.off_for_good(DisabledBy::FailingFor(failing_for)));
        }
        if let Some(why) = self.recent.as_mut().and_then(|recent| recent.too_many(now)) {
            return Some(self.off_for_good(why));
        }
        if !reached(in_a_row, rule.failures) {
            return None;
        }
        let why = DisabledBy::Failures(in_a_row);
        let Some(pause) = rule.pause else { return Some(self.off_for_good(why)) };
        let doubled = pause.first.scaled(1u64 << self.pauses_in_a_row.min(40), 1);
        let until = now + doubled.min(pause.max).max(Span(1));
        self.state = State::PausedUntil(until);
        self.pauses_in_a_row = self.pauses_in_a_row.saturating_add(1);
        Some(SwitchedOff { why, until: Some(until) })
    }

    /// A delivery is given up after a failed attempt: its event counts where it was tried as often as it would be.
    pub fn gave_up(&mut self, why: GiveUp) -> Option<SwitchedOff> {
        let most = self.rule.filter(|_| self.is_on())?.events?;
        if matches!(why, GiveUp::Disabled) {
            return None;
        }
        self.events_in_a_row = self.events_in_a_row.saturating_add(1);
        let events = self.events_in_a_row;
        (events >= most).then(|| self.off_for_good(DisabledBy::Events(events)))
    }

    fn off_for_good(&mut self, why: DisabledBy) -> SwitchedOff {
        self.state = State::Off;
        SwitchedOff { why, until: None }
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
        let failures = self.rule.and_then(|rule| rule.failures);
        self.failures_in_a_row = failures.map_or(0, |failures| failures.saturating_sub(1));
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
    use crate::scenario::{FailureRatio, Pause};

    fn at(secs: u64) -> Time {
        Time::ZERO + Span::from_secs(secs)
    }

    fn rule(failures: u32, pause: Option<Pause>) -> AutoDisable {
        AutoDisable { failures: Some(failures), pause, ..AutoDisable::default() }
    }

    fn fail(health: &mut Health, at: Time) -> Option<SwitchedOff> {
        health.saw(Seen { acked: false, first: true, word: None }, at)
    }

    fn ack(health: &mut Health) {
        assert_eq!(health.saw(Seen { acked: true, first: true, word: None }, at(0)), None);
    }

    fn hear(health: &mut Health, acked: bool, word: DisabledBy) -> Option<SwitchedOff> {
        health.saw(Seen { acked, first: true, word: Some(word) }, at(1))
    }

    fn for_good(why: DisabledBy) -> Option<SwitchedOff> {
        Some(SwitchedOff { why, until: None })
    }

    #[test]
    fn failures_in_a_row_switch_off_and_an_ack_between_them_does_not_let_them() {
        let mut health = Health::new(Some(rule(3, None)));
        for _ in 0..5 {
            assert_eq!(fail(&mut health, at(1)), None);
            assert_eq!(fail(&mut health, at(1)), None);
            ack(&mut health);
        }
        fail(&mut health, at(2));
        fail(&mut health, at(2));
        assert_eq!(fail(&mut health, at(2)), for_good(DisabledBy::Failures(3)));
        assert_eq!((fail(&mut health, at(3)), health.wake(at(9_999)), health.is_on()), (None, None, false));
        assert!(health.enable() && health.is_on() && !health.enable());
        assert_eq!(fail(&mut health, at(4)), None, "a person's word counts from the beginning");
    }

    #[test]
    fn a_pause_doubles_with_each_failure_behind_it_up_to_its_limit() {
        let pause = Some(Pause { first: Span::from_secs(10), max: Span::from_secs(35) });
        let mut health = Health::new(Some(rule(2, pause)));
        fail(&mut health, at(0));
        let mut now = at(0);
        let mut lengths = Vec::new();
        for _ in 0..4 {
            let until = fail(&mut health, now).and_then(|off| off.until).unwrap();
            lengths.push(until.since(now).0 / 1_000_000_000);
            assert_eq!((health.wakes_at(), health.wake(until - Span(1))), (Some(until), None));
            assert_eq!(health.wake(until), Some(until));
            now = until;
        }
        assert_eq!(lengths, [10, 20, 35, 35]);
        ack(&mut health);
        assert_eq!(fail(&mut health, now), None);
        assert_eq!(fail(&mut health, now).and_then(|off| off.until), Some(now + Span::from_secs(10)));
    }

    /// GitLab's: four in a row pause for a minute, doubling to a day, and the fortieth ends it.
    #[test]
    fn so_many_failures_are_for_good_however_many_pauses_lie_between_them() {
        let pause = Some(Pause { first: Span::from_secs(60), max: Span::from_secs(86_400) });
        let mut health = Health::new(Some(AutoDisable { permanent_after: Some(40), ..rule(4, pause) }));
        let (mut now, mut pauses) = (at(0), Vec::new());
        for failure in 1..=40 {
            match fail(&mut health, now) {
                None => assert!(failure < 4, "{failure}"),
                Some(SwitchedOff { until: Some(until), .. }) => {
                    pauses.push(until.since(now).0 / 60_000_000_000);
                    assert_eq!(health.wake(until), Some(until));
                    now = until;
                }
                off => assert_eq!((failure, off), (40, for_good(DisabledBy::Failures(40)))),
            }
        }
        assert_eq!((pauses.len(), health.is_on()), (36, false));
        assert_eq!(pauses[..13], [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 1_440, 1_440]);
    }

    #[test]
    fn events_given_up_in_a_row_count_and_one_ack_forgets_them() {
        let rule = AutoDisable { events: Some(2), ..AutoDisable::default() };
        let mut health = Health::new(Some(rule));
        assert_eq!(health.gave_up(GiveUp::Exhausted), None);
        ack(&mut health);
        assert_eq!(health.gave_up(GiveUp::Exhausted), None);
        assert_eq!(fail(&mut health, at(1)), None, "attempts alone do not count");
        assert_eq!(health.gave_up(GiveUp::TooOld), for_good(DisabledBy::Events(2)));
        assert_eq!(health.gave_up(GiveUp::Disabled), None);
    }

    #[test]
    fn nothing_but_failures_for_too_long_is_the_end() {
        let rule = AutoDisable { failing_for: Some(Span::from_secs(100)), ..AutoDisable::default() };
        let mut health = Health::new(Some(rule));
        assert_eq!([fail(&mut health, at(10)), fail(&mut health, at(109))], [None; 2]);
        ack(&mut health);
        assert_eq!([fail(&mut health, at(110)), fail(&mut health, at(209))], [None; 2]);
        assert_eq!(fail(&mut health, at(210)), for_good(DisabledBy::FailingFor(Span::from_secs(100))));
    }

    #[test]
    fn too_large_a_share_of_failures_is_the_end() {
        let ratio = FailureRatio { above_millionths: 500_000, window: Span::from_secs(60), least_events: 4 };
        let mut health = Health::new(Some(AutoDisable { ratio: Some(ratio), ..AutoDisable::default() }));
        ack(&mut health);
        ack(&mut health);
        assert_eq!([fail(&mut health, at(1)), fail(&mut health, at(2))], [None; 2]);
        assert_eq!(fail(&mut health, at(3)), for_good(DisabledBy::Ratio { failed: 3, attempts: 5 }));
    }

    #[test]
    fn an_endpoints_own_word_is_the_end_whatever_the_rule_and_also_in_a_pause() {
        let mut health = Health::new(None);
        assert_eq!(hear(&mut health, false, DisabledBy::Gone), for_good(DisabledBy::Gone));
        assert_eq!(hear(&mut health, false, DisabledBy::Gone), None);
        let pause = Some(Pause { first: Span::from_secs(10), max: Span::from_secs(10) });
        let mut health = Health::new(Some(rule(1, pause)));
        fail(&mut health, at(0));
        assert_eq!(hear(&mut health, false, DisabledBy::Gone), for_good(DisabledBy::Gone));
        assert_eq!(health.wake(at(99)), None);
        let mut health = Health::new(None);
        assert_eq!(hear(&mut health, true, DisabledBy::Asked), for_good(DisabledBy::Asked), "also with an ack");
    }
}
