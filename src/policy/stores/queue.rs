//! The queue: what is kept, in the order in which it is to be taken.

use std::collections::{BTreeSet, VecDeque};

/// An item that the queue has handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held<I> {
    /// Names the item in what follows; counts from 1 in the order put.
    pub number: u64,
    /// Failed tries so far.
    pub tries: u32,
    /// How often it was handed out before.
    pub taken: u32,
    /// The item.
    pub item: I,
}

/// A queue with the promises of [`crate::backend::Queue`]. `K` names what is a copy of what.
#[derive(Debug, Clone)]
pub struct QueueModel<K, I> {
    durable: bool,
    ready: VecDeque<Held<I>>,
    /// By number: as many as there are workers, mostly.
    held: Vec<Held<I>>,
    dead: Vec<I>,
    /// What was ever kept, where copies are recognised.
    accepted: Option<BTreeSet<K>>,
    last: u64,
}

impl<K: Ord, I: Clone> QueueModel<K, I> {
    /// An empty queue. `durable`: it outlives its process. `recognises`: it leaves copies out, which only
    /// a durable one can promise.
    #[must_use]
    pub fn new(durable: bool, recognises: bool) -> QueueModel<K, I> {
        QueueModel {
            durable,
            ready: VecDeque::new(),
            held: Vec::new(),
            dead: Vec::new(),
            accepted: (durable && recognises).then(BTreeSet::new),
            last: 0,
        }
    }

    /// Keeps an item; false where it is a copy of one that was kept before.
    pub fn put(&mut self, key: K, item: I) -> bool {
        if self.accepted.as_mut().is_some_and(|accepted| !accepted.insert(key)) {
            return false;
        }
        self.last += 1;
        self.ready.push_back(Held { number: self.last, tries: 0, taken: 0, item });
        true
    }

    /// Hands out the next item.
    pub fn take(&mut self) -> Option<Held<I>> {
        let next = self.ready.pop_front()?;
        let place = self.held.partition_point(|held| held.number < next.number);
        self.held.insert(place, Held { taken: next.taken + 1, ..next.clone() });
        Some(next)
    }

    /// Forgets an item that is dealt with, whoever holds it by now; false where it is gone already.
    pub fn done(&mut self, number: u64) -> bool {
        self.let_go(number).is_some() || self.take_back(number).is_some()
    }

    /// A try failed: the item goes to the back, with one more try counted.
    pub fn retry(&mut self, number: u64) {
        if let Some(held) = self.let_go(number) {
            self.ready.push_back(Held { tries: held.tries + 1, ..held });
        }
    }

    /// Moves an item to the dead letters.
    pub fn bury(&mut self, number: u64) {
        let buried = self.let_go(number).map(|held| held.item);
        self.dead.extend(buried);
    }

    /// An item was held for too long since it was handed out for the `taken`th time, from 0: it is handed
    /// out again, although its holder may still work on it.
    pub fn expire(&mut self, number: u64, taken: u32) {
        let place = self.held.binary_search_by_key(&number, |held| held.number);
        if let Some(place) = place.ok().filter(|place| self.held[*place].taken == taken + 1) {
            let held = self.held.remove(place);
            self.ready.push_back(held);
        }
    }

    /// The process dies. What was held comes again, in the order put.
    pub fn crash(&mut self) {
        if !self.durable {
            self.ready.clear();
            self.held.clear();
            self.dead.clear();
            return;
        }
        let held = std::mem::take(&mut self.held);
        self.ready.extend(held);
        self.ready.make_contiguous().sort_by_key(|held| held.number);
    }

    /// Items kept, those handed out included.
    #[must_use]
    pub fn depth(&self) -> u64 {
        (self.ready.len() + self.held.len()) as u64
    }

    /// Whether something can be taken.
    #[must_use]
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Everything kept: first what waits, then what is handed out.
    pub fn kept(&self) -> impl Iterator<Item = &I> {
        self.ready.iter().chain(&self.held).map(|held| &held.item)
    }

    /// The dead letters.
    #[must_use]
    pub fn dead(&self) -> &[I] {
        &self.dead
    }

    fn let_go(&mut self, number: u64) -> Option<Held<I>> {
        let place = self.held.binary_search_by_key(&number, |held| held.number).ok()?;
        Some(self.held.remove(place))
    }

    fn take_back(&mut self, number: u64) -> Option<Held<I>> {
        let place = self.ready.iter().position(|held| held.number == number)?;
        self.ready.remove(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(queue: &mut QueueModel<u8, u8>) -> Vec<u8> {
        std::iter::from_fn(|| queue.take()).map(|held| held.item).collect()
    }

    #[test]
    fn a_durable_queue_brings_again_what_was_held_and_one_in_memory_forgets_everything() {
        for (durable, left) in [(true, vec![1, 2, 3]), (false, Vec::new())] {
            let mut queue = QueueModel::new(durable, false);
            for item in 1..=3u8 {
                assert!(queue.put(item, item));
            }
            let first = queue.take().expect("three are there");
            queue.retry(first.number);
            queue.take();
            queue.crash();
            assert_eq!(queue.depth(), left.len() as u64);
            assert_eq!(numbers(&mut queue), left);
        }
    }

    #[test]
    fn copies_are_left_out_for_as_long_as_the_store_exists() {
        let mut queue = QueueModel::new(true, true);
        assert!(queue.put(1, 1) && !queue.put(1, 1));
        let held = queue.take().expect("one is there");
        assert!(queue.done(held.number));
        queue.crash();
        assert!(!queue.put(1, 1) && queue.put(2, 2));
        assert!(QueueModel::new(false, true).put(1u8, 1), "what memory knows is gone with its process");
    }

    #[test]
    fn what_was_held_too_long_is_taken_again_and_the_first_to_be_done_is_the_last() {
        let mut queue = QueueModel::new(true, false);
        queue.put(1u8, 1u8);
        let first = queue.take().expect("one is there");
        queue.expire(first.number, 0);
        let second = queue.take().expect("it came again");
        assert_eq!((second.number, second.taken, first.taken), (first.number, 1, 0));
        queue.expire(second.number, 1);
        assert!(queue.done(first.number), "also where it waits to be taken a third time");
        assert!(!queue.done(second.number) && queue.depth() == 0);
    }
}
