//! Events by the digest of their bodies: for receivers that tell copies apart in no other way.
//!
//! A body is a function of the plan and of where t0 lies, so a digest is led back to its event by making the bodies of
//! all events that can have happened, once each and no sooner than they are asked after. What no event's body is was
//! made up by somebody.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::{
    model::{Event, Seq, Subject, Time, Version},
    workload::Arrival,
};

/// The digests of the events so far.
pub struct Digests {
    schedule: Box<dyn Iterator<Item = Arrival> + Send>,
    /// The event that is next, where it has been taken out of the schedule.
    next: Option<Arrival>,
    seq: Seq,
    versions: HashMap<Subject, Version>,
    known: HashMap<[u8; 32], Seq>,
}

impl Digests {
    /// Those of a schedule.
    #[must_use]
    pub fn new(schedule: Box<dyn Iterator<Item = Arrival> + Send>) -> Digests {
        Digests { schedule, next: None, seq: 0, versions: HashMap::new(), known: HashMap::new() }
    }

    /// The event whose body this is the digest of, if one that happened until `now` has it. Of events with the same
    /// body it is the first.
    pub fn event_of(
        &mut self,
        digest: [u8; 32],
        now: Time,
        mut render: impl FnMut(&mut Vec<u8>, &Event),
    ) -> Option<Seq> {
        let mut body = Vec::new();
        while !self.known.contains_key(&digest) {
            let due = self.next.take().or_else(|| self.schedule.next())?;
            if due.at > now {
                self.next = Some(due);
                return None;
            }
            self.seq += 1;
            let version = self.versions.entry(due.subject).or_insert(0);
            *version += 1;
            let event = Event { seq: self.seq, subject: due.subject, version: *version, occurred_at: due.at };
            body.clear();
            render(&mut body, &event);
            self.known.entry(Sha256::digest(&body).into()).or_insert(self.seq);
        }
        self.known.get(&digest).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Span;

    #[test]
    fn a_digest_leads_to_its_event_once_that_can_have_happened() {
        let at = |ms| Time::ZERO + Span::from_millis(ms);
        let schedule = (1..=100).map(move |n| Arrival { at: at(n * 10), subject: (n % 3) as u32 });
        let mut digests = Digests::new(Box::new(schedule));
        let body = |event: &Event| format!("{} {} {}", event.seq, event.subject, event.version).into_bytes();
        let digest = |text: &str| -> [u8; 32] { Sha256::digest(text).into() };
        let mut made = 0;
        let mut ask = |text: &str, ms| {
            digests.event_of(digest(text), at(ms), |out, event| {
                made += 1;
                out.extend(body(event));
            })
        };
        assert_eq!(ask("7 1 3", 60), None, "it has not happened");
        assert_eq!(ask("7 1 3", 70), Some(7));
        assert_eq!(ask("2 2 1", 70), Some(2));
        assert_eq!(ask("nonsense", 10_000), None);
        assert_eq!(ask("100 1 34", 10_000), Some(100));
        assert_eq!(made, 100, "each body is made once");
    }
}
