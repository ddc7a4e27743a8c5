//! What will happen when.
//!
//! The order is exact: by instant, and within one instant by the order in which things were put
//! down. Nothing else decides, so a run replays.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::model::Time;

/// Things to come.
#[derive(Debug)]
pub(super) struct Agenda<T> {
    heap: BinaryHeap<Reverse<Entry<T>>>,
    /// Entries made so far.
    numbered: u64,
}

#[derive(Debug)]
struct Entry<T> {
    at: Time,
    number: u64,
    what: T,
}

impl<T> Entry<T> {
    fn key(&self) -> (Time, u64) {
        (self.at, self.number)
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Entry<T>) -> bool {
        self.key() == other.key()
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Entry<T>) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Entry<T>) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl<T> Agenda<T> {
    /// Nothing to come.
    pub fn new() -> Agenda<T> {
        Agenda { heap: BinaryHeap::new(), numbered: 0 }
    }

    /// Something happens at `at`, behind all that was put there for the same instant.
    pub fn put(&mut self, at: Time, what: T) {
        self.numbered += 1;
        self.heap.push(Reverse(Entry { at, number: self.numbered, what }));
    }

    /// When something comes next.
    pub fn first_at(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }

    /// What comes next.
    pub fn pop(&mut self) -> Option<(Time, T)> {
        self.heap.pop().map(|Reverse(entry)| (entry.at, entry.what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn things_come_by_instant_and_then_in_the_order_put_down(
            steps in proptest::collection::vec(proptest::option::of(0u64..20), 1..200),
        ) {
            let mut agenda = Agenda::new();
            let mut expected: Vec<(Time, usize)> = Vec::new();
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Some(at) => {
                        agenda.put(Time(at), number);
                        expected.push((Time(at), number));
                    }
                    None => {
                        expected.sort();
                        let first = (!expected.is_empty()).then(|| expected.remove(0));
                        prop_assert_eq!(agenda.pop(), first);
                    }
                }
            }
        }
    }
}
