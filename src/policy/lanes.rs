//! Ordered delivery: which deliveries of an endpoint wait for which.
//!
//! A lane holds the deliveries that must not overtake one another. Its head is on its way; the
//! others are held here, out of the machine's sight, so that they can starve no other lane.

use std::collections::{HashMap, VecDeque, hash_map::Entry};

use crate::{
    model::{Event, Subject},
    scenario::DeliveryOrder,
};

/// The lanes of one endpoint; `T` is a delivery.
#[derive(Debug)]
pub(super) struct Lanes<T> {
    whole_endpoint: bool,
    /// A lane is there while its head is on its way.
    held: HashMap<Subject, VecDeque<T>>,
}

impl<T> Lanes<T> {
    /// The lanes that `order` asks for; `None` where nothing waits for anything.
    pub fn of(order: DeliveryOrder) -> Option<Lanes<T>> {
        let whole_endpoint = match order {
            DeliveryOrder::None => return None,
            DeliveryOrder::Subject => false,
            DeliveryOrder::Endpoint => true,
        };
        Some(Lanes { whole_endpoint, held: HashMap::new() })
    }

    /// A delivery of `event` has come: given back where it may go at once, held otherwise.
    pub fn admit(&mut self, event: &Event, delivery: T) -> Option<T> {
        match self.held.entry(self.lane(event)) {
            Entry::Occupied(mut lane) => {
                lane.get_mut().push_back(delivery);
                None
            }
            Entry::Vacant(lane) => {
                lane.insert(VecDeque::new());
                Some(delivery)
            }
        }
    }

    /// The lane's head has come to its end: the next one may go.
    pub fn done(&mut self, event: &Event) -> Option<T> {
        let Entry::Occupied(mut lane) = self.held.entry(self.lane(event)) else { return None };
        let next = lane.get_mut().pop_front();
        if next.is_none() {
            lane.remove();
        }
        next
    }

    /// Everything that is held, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.held.values().flatten()
    }

    /// Takes out everything that is held; the heads stay on their way.
    pub fn empty(&mut self) -> Vec<T> {
        self.held.values_mut().flat_map(std::mem::take).collect()
    }

    fn lane(&self, event: &Event) -> Subject {
        if self.whole_endpoint { 0 } else { event.subject }
    }
}
