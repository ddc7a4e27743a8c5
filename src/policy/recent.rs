//! How an endpoint's last attempts fared: in slots of a sixtieth of the window, so that a busy endpoint costs no more
//! than an idle one.

use super::health::Seen;
use crate::{
    model::{DisabledBy, Time},
    scenario::FailureRatio,
};

const SLOTS: u64 = 60;

/// The last window of attempts.
#[derive(Debug, Clone)]
pub(super) struct Recent {
    rule: FailureRatio,
    slots: [Slot; SLOTS as usize],
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// Which one it is, from t0 on.
    number: u64,
    attempts: u32,
    failed: u32,
    /// First attempts.
    events: u32,
}

impl Recent {
    pub fn new(rule: FailureRatio) -> Recent {
        Recent { rule, slots: [Slot::default(); SLOTS as usize] }
    }

    /// An attempt has ended.
    pub fn count(&mut self, seen: Seen, now: Time) {
        let number = self.number_at(now);
        let slot = &mut self.slots[(number % SLOTS) as usize];
        if slot.number != number {
            *slot = Slot { number, ..Slot::default() };
        }
        slot.attempts = slot.attempts.saturating_add(1);
        slot.failed = slot.failed.saturating_add(u32::from(!seen.acked));
        slot.events = slot.events.saturating_add(u32::from(seen.first));
    }

    /// Why the endpoint is switched off now, if too many have failed.
    pub fn too_many(&self, now: Time) -> Option<DisabledBy> {
        let number = self.number_at(now);
        let (mut attempts, mut failed, mut events) = (0u32, 0u32, 0u32);
        for slot in self.slots.iter().filter(|slot| slot.number + SLOTS > number) {
            attempts = attempts.saturating_add(slot.attempts);
            failed = failed.saturating_add(slot.failed);
            events = events.saturating_add(slot.events);
        }
        let above = u64::from(failed) * 1_000_000 > u64::from(attempts) * u64::from(self.rule.above_millionths);
        (above && events >= self.rule.least_events).then_some(DisabledBy::Ratio { failed, attempts })
    }

    fn number_at(&self, now: Time) -> u64 {
        now.0 / (self.rule.window.0 / SLOTS).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Span;

    fn at(secs: u64) -> Time {
        Time::ZERO + Span::from_secs(secs)
    }

    /// More than 95 % of an hour's attempts, of a hundred events at least.
    fn recent() -> Recent {
        let window = Span::from_secs(3_600);
        Recent::new(FailureRatio { above_millionths: 950_000, window, least_events: 100 })
    }

    fn seen(acked: bool) -> Seen {
        Seen { acked, first: true, word: None }
    }

    #[test]
    fn more_than_the_share_counts_and_exactly_the_share_does_not() {
        let mut recent = recent();
        (0..5).for_each(|_| recent.count(seen(true), at(0)));
        (0..95).for_each(|_| recent.count(seen(false), at(1)));
        assert_eq!(recent.too_many(at(2)), None, "95 of 100");
        recent.count(seen(false), at(2));
        assert_eq!(recent.too_many(at(2)), Some(DisabledBy::Ratio { failed: 96, attempts: 101 }));
        // An hour later nothing of that is recent.
        assert_eq!(recent.too_many(at(3_602 + 60)), None);
    }

    #[test]
    fn few_events_are_exempt_however_often_each_is_tried() {
        let mut recent = recent();
        (0..99).for_each(|_| recent.count(seen(false), at(10)));
        (0..500).for_each(|_| recent.count(Seen { first: false, ..seen(false) }, at(10)));
        assert_eq!(recent.too_many(at(10)), None);
        recent.count(seen(false), at(10));
        assert!(recent.too_many(at(10)).is_some());
    }
}
