//! What is emitted next: the plan's events and those that are wished for by hand, in the order of their
//! instants.

use std::{collections::VecDeque, iter::Peekable};

use super::generator::Wish;
use crate::{
    model::{Event, Time},
    workload::{Arrival, Source},
};

/// A schedule with wishes in between.
pub(super) struct Agenda<S: Iterator<Item = Arrival>> {
    schedule: Peekable<S>,
    /// Each with the instant at which it came; no later one came earlier.
    wishes: VecDeque<(Time, Wish)>,
    source: Source,
}

impl<S: Iterator<Item = Arrival>> Agenda<S> {
    /// The schedule, and no wishes yet.
    pub fn new(schedule: S) -> Agenda<S> {
        Agenda { schedule: schedule.peekable(), wishes: VecDeque::new(), source: Source::default() }
    }

    /// An event occurs `now` because somebody wants it to. It takes its turn behind what was due before.
    pub fn wish(&mut self, now: Time, wish: Wish) {
        self.wishes.push_back((now, wish));
    }

    /// Whether the schedule has more.
    pub fn has_scheduled(&mut self) -> bool {
        self.schedule.peek().is_some()
    }

    /// When the next event occurs, if one does.
    pub fn next_at(&mut self) -> Option<Time> {
        let scheduled = self.schedule.peek().map(|arrival| arrival.at);
        let wished = self.wishes.front().map(|(at, _)| *at);
        scheduled.into_iter().chain(wished).min()
    }

    /// The next event that has occurred by `now`, and the wish that it fulfils.
    pub fn take_due(&mut self, now: Time) -> Option<(Event, Option<Wish>)> {
        let wished = self.wishes.front().map_or(Time::MAX, |(at, _)| *at);
        if let Some(arrival) = self.schedule.next_if(|arrival| arrival.at <= now.min(wished)) {
            return Some((self.source.next(arrival), None));
        }
        let (at, wish) = self.wishes.pop_front_if(|(at, _)| *at <= now)?;
        Some((self.source.next(Arrival { at, subject: wish.subject }), Some(wish)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::value::RawValue;
    use tokio::sync::oneshot;

    use super::*;
    use crate::{
        model::{Seq, Subject},
        wire::HandMade,
    };

    fn wish(subject: Subject) -> Wish {
        let made = HandMade { event_type: "ping".to_owned(), data: RawValue::NULL.to_owned() };
        Wish { subject, made, emitted: oneshot::channel().0 }
    }

    proptest! {
        #[test]
        fn every_event_comes_once_in_the_order_of_the_instants(
            mut due in proptest::collection::vec(0u64..50, 0..30),
            // When somebody looks, and whether a wish has come with it.
            mut looks in proptest::collection::vec((0u64..60, any::<bool>()), 0..40),
        ) {
            due.sort_unstable();
            looks.sort_unstable();
            let arrivals = due.iter().map(|&at| Arrival { at: Time(at), subject: (at % 3) as Subject });
            let mut agenda = Agenda::new(arrivals);
            let (mut events, mut wished) = (Vec::new(), 0);
            for (now, wishes) in looks.iter().copied().chain([(100, false)]) {
                if wishes {
                    wished += 1;
                    agenda.wish(Time(now), wish(1));
                }
                while let Some((event, _)) = agenda.take_due(Time(now)) {
                    prop_assert!(event.occurred_at <= Time(now));
                    events.push(event);
                }
                prop_assert!(agenda.next_at().is_none_or(|next| next > Time(now)));
            }
            prop_assert_eq!(events.len(), due.len() + wished);
            prop_assert!(events.is_sorted_by_key(|event| event.occurred_at));
            prop_assert!(events.iter().map(|event| event.seq).eq(1..=events.len() as Seq));
            let mut versions = BTreeMap::new();
            for event in &events {
                let version = versions.entry(event.subject).or_insert(0);
                *version += 1;
                prop_assert_eq!(event.version, *version);
            }
        }
    }
}
