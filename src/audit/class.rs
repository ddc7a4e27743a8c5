//! What became of an obligation: six classes, each its own predicate over facts.
//!
//! `due = applied + superseded + dead_lettered + lost + pending + undelivered`. No class is what the
//! others leave over: where facts are missing none holds, and the run is void.

use super::Facts;

/// What became of one obligation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// It took effect.
    Applied,
    /// A newer version came first, or another event where one per subject has its effect, or its client asks for states and saw a newer one.
    Superseded,
    /// In the receiver's dead-letter queue.
    DeadLettered,
    /// Acked, passed by the cursor, or expired in the provider's log, and nowhere durable.
    Lost,
    /// In the queue, a delivery still open, or retained ahead of the cursor.
    Pending,
    /// Given up by the sender, and nowhere durable.
    Undelivered,
}

/// Whether a class holds, given the facts.
pub type Predicate = fn(Facts) -> bool;

impl Class {
    /// Every class with its predicate, in the order of the books.
    pub const TABLE: [(Class, Predicate); 6] = [
        (Class::Applied, applied),
        (Class::Superseded, superseded),
        (Class::DeadLettered, dead_lettered),
        (Class::Lost, lost),
        (Class::Pending, pending),
        (Class::Undelivered, undelivered),
    ];

    /// The one class whose predicate holds; `None` where none or several do.
    #[must_use]
    pub fn of(facts: Facts) -> Option<Class> {
        let mut holding = Class::TABLE.iter().filter(|(_, holds)| holds(facts)).map(|(class, _)| *class);
        match (holding.next(), holding.next()) {
            (Some(class), None) if contradiction(facts).is_none() => Some(class),
            _ => None,
        }
    }
}

/// An effect row stands, whatever the sender believes.
fn applied(facts: Facts) -> bool {
    facts.any(Facts::APPLIED)
}

/// No effect, but a row that says why: a newer version was there, or the subject had had its effect. Or its client asks for states, has
/// seen a later one, and holds nothing of this one any more: it will never be asked for again.
fn superseded(facts: Facts) -> bool {
    (facts.any(Facts::SUPERSEDED) && !facts.any(Facts::APPLIED)) || overtaken(facts)
}

/// Neither of these, and a human will find it in the dead-letter queue.
fn dead_lettered(facts: Facts) -> bool {
    facts.any(Facts::DEAD) && !facts.any(Facts::APPLIED.with(Facts::SUPERSEDED))
}

/// Nothing final yet, and something will still bring it: the queue, the sender or the provider's log.
fn pending(facts: Facts) -> bool {
    facts.any(Facts::QUEUED.with(Facts::OUTGOING).with(Facts::OPEN).with(Facts::AHEAD))
        && !final_row(facts)
        && !overtaken(facts)
}

/// The sender or the cursor is done with it, no store holds it, and it is known how it vanished.
fn lost(facts: Facts) -> bool {
    facts.any(DONE_WITH) && nowhere(facts) && can_vanish(facts)
}

/// The sender gave up without ever seeing an ack, no store holds it, and it is known why not.
fn undelivered(facts: Facts) -> bool {
    facts.any(Facts::GAVE_UP) && !facts.any(DONE_WITH) && nowhere(facts) && can_vanish(facts)
}

/// The sender saw an ack, at whatever time, or the cursor stands behind it, or the log has let go of it:
/// neither path will bring it again.
const DONE_WITH: Facts =
    Facts::ACKED.with(Facts::ACKED_BEFORE).with(Facts::COPY_ACKED).with(Facts::PASSED).with(Facts::EXPIRED);

fn final_row(facts: Facts) -> bool {
    facts.any(Facts::APPLIED.with(Facts::SUPERSEDED).with(Facts::DEAD))
}

/// The duty has passed to a later version, whose own obligation says what became of that. A copy that
/// the consumer still holds speaks for itself, and so does one of which nobody knows where it went.
fn overtaken(facts: Facts) -> bool {
    let holds = Facts::QUEUED.with(Facts::OUTGOING);
    facts.any(Facts::OVERTAKEN) && !facts.any(holds) && !final_row(facts) && can_vanish(facts)
}

fn nowhere(facts: Facts) -> bool {
    !final_row(facts)
        && !overtaken(facts)
        && !facts.any(Facts::QUEUED.with(Facts::OUTGOING).with(Facts::OPEN).with(Facts::AHEAD))
}

/// What was accepted stays in the queue until a worker is done or the process dies. Accepted,
/// untouched, by a process that lived, and yet in no store: that is a miscount, not a loss.
fn can_vanish(facts: Facts) -> bool {
    !facts.any(Facts::RECEIVED) || facts.any(Facts::WORKED.with(Facts::HOLDER_DIED))
}

/// Two facts that no run can produce together: a delivery ends in one way only.
#[must_use]
pub fn contradiction(facts: Facts) -> Option<&'static str> {
    const ENDS: [(Facts, &str); 3] = [
        (Facts::ACKED.with(Facts::GAVE_UP), "acked and given up"),
        (Facts::ACKED.with(Facts::OPEN), "acked and still open"),
        (Facts::GAVE_UP.with(Facts::OPEN), "given up and still open"),
    ];
    ENDS.iter().find(|(both, _)| facts.all(*both)).map(|(_, words)| *words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TABLE: &[(&[Facts], Option<Class>)] = &[
        (&[Facts::ACKED, Facts::RECEIVED, Facts::WORKED, Facts::APPLIED], Some(Class::Applied)),
        // The sender's belief does not matter to the receiver's truth.
        (&[Facts::GAVE_UP, Facts::RECEIVED, Facts::APPLIED], Some(Class::Applied)),
        // Died after the effect: the queue still holds it, and the ledger will suppress it.
        (&[Facts::ACKED, Facts::RECEIVED, Facts::APPLIED, Facts::QUEUED], Some(Class::Applied)),
        (&[Facts::PASSED, Facts::RECEIVED, Facts::SUPERSEDED], Some(Class::Superseded)),
        (&[Facts::ACKED, Facts::RECEIVED, Facts::DEAD], Some(Class::DeadLettered)),
        (&[Facts::ACKED], Some(Class::Lost)),
        (&[Facts::PASSED], Some(Class::Lost)),
        // Nobody can ask for it any more; but a webhook, a queue or a row may still have it.
        (&[Facts::EXPIRED], Some(Class::Lost)),
        (&[Facts::EXPIRED, Facts::GAVE_UP], Some(Class::Lost)),
        (&[Facts::EXPIRED, Facts::OPEN], Some(Class::Pending)),
        (&[Facts::EXPIRED, Facts::RECEIVED, Facts::QUEUED], Some(Class::Pending)),
        (&[Facts::EXPIRED, Facts::RECEIVED, Facts::WORKED, Facts::APPLIED], Some(Class::Applied)),
        (&[Facts::EXPIRED, Facts::RECEIVED], None),
        (&[Facts::ACKED, Facts::RECEIVED, Facts::HOLDER_DIED], Some(Class::Lost)),
        (&[Facts::ACKED, Facts::RECEIVED, Facts::WORKED], Some(Class::Lost)),
        (&[Facts::ACKED, Facts::RECEIVED, Facts::QUEUED], Some(Class::Pending)),
        (&[Facts::ACKED, Facts::RECEIVED, Facts::WORKED, Facts::OUTGOING], Some(Class::Pending)),
        // Called and not yet marked: it has happened, and will be asked for again.
        (&[Facts::ACKED, Facts::RECEIVED, Facts::WORKED, Facts::APPLIED, Facts::OUTGOING], Some(Class::Applied)),
        (&[Facts::OPEN], Some(Class::Pending)),
        (&[Facts::AHEAD], Some(Class::Pending)),
        (&[Facts::GAVE_UP], Some(Class::Undelivered)),
        // A hybrid: what the sender gave up is still ahead of the cursor, or the poll has passed it too.
        (&[Facts::GAVE_UP, Facts::AHEAD], Some(Class::Pending)),
        (&[Facts::GAVE_UP, Facts::PASSED, Facts::RECEIVED, Facts::APPLIED], Some(Class::Applied)),
        (&[Facts::GAVE_UP, Facts::PASSED], Some(Class::Lost)),
        (&[Facts::ACKED, Facts::RECEIVED, Facts::HOLDER_DIED, Facts::AHEAD], Some(Class::Pending)),
        (&[Facts::GAVE_UP, Facts::COPY_ACKED], Some(Class::Lost)),
        // States: never shown, whichever side of the cursor it lies on, because a later one was.
        (&[Facts::PASSED, Facts::OVERTAKEN], Some(Class::Superseded)),
        (&[Facts::AHEAD, Facts::OVERTAKEN], Some(Class::Superseded)),
        (&[Facts::PASSED, Facts::RECEIVED, Facts::WORKED, Facts::APPLIED, Facts::OVERTAKEN], Some(Class::Applied)),
        (
            &[Facts::PASSED, Facts::RECEIVED, Facts::WORKED, Facts::SUPERSEDED, Facts::OVERTAKEN],
            Some(Class::Superseded),
        ),
        // What it holds itself speaks first.
        (&[Facts::PASSED, Facts::RECEIVED, Facts::QUEUED, Facts::OVERTAKEN], Some(Class::Pending)),
        (&[Facts::PASSED, Facts::RECEIVED, Facts::DEAD, Facts::OVERTAKEN], Some(Class::DeadLettered)),
        // It was in a store that died, and a later state has made up for it.
        (&[Facts::AHEAD, Facts::RECEIVED, Facts::HOLDER_DIED, Facts::OVERTAKEN], Some(Class::Superseded)),
        // A hybrid: what the sender gave up, or has still open, the poll showed in a later version.
        (&[Facts::GAVE_UP, Facts::AHEAD, Facts::OVERTAKEN], Some(Class::Superseded)),
        (&[Facts::OPEN, Facts::AHEAD, Facts::OVERTAKEN], Some(Class::Superseded)),
        // A queue row that vanished is a miscount, whatever was seen later.
        (&[Facts::PASSED, Facts::RECEIVED, Facts::OVERTAKEN], None),
        // Sent again after an ack: that ack stays the receiver's word.
        (&[Facts::ACKED_BEFORE, Facts::GAVE_UP], Some(Class::Lost)),
        (&[Facts::ACKED_BEFORE, Facts::OPEN], Some(Class::Pending)),
        (&[Facts::ACKED_BEFORE, Facts::GAVE_UP, Facts::RECEIVED, Facts::APPLIED], Some(Class::Applied)),
        // Miscounts: a missing end, a vanished queue row, two ends.
        (&[], None),
        (&[Facts::RECEIVED], None),
        (&[Facts::ACKED, Facts::RECEIVED], None),
        (&[Facts::ACKED, Facts::GAVE_UP, Facts::APPLIED], None),
        (&[Facts::OPEN, Facts::GAVE_UP], None),
    ];

    #[test]
    fn each_story_has_its_class_and_each_class_its_story() {
        for (known, class) in TABLE {
            let facts = known.iter().fold(Facts::default(), |all, fact| all.with(*fact));
            assert_eq!(Class::of(facts), *class, "{}", facts.in_words());
        }
        for (class, _) in Class::TABLE {
            assert!(TABLE.iter().any(|(_, reached)| *reached == Some(class)), "{class:?} is never reached");
        }
    }

    proptest! {
        #[test]
        fn no_two_predicates_ever_hold_together(picked in proptest::collection::vec(0usize..TABLE.len(), 1..4)) {
            let facts = picked.iter().flat_map(|&i| TABLE[i].0).fold(Facts::default(), |all, fact| all.with(*fact));
            prop_assert!(Class::TABLE.iter().filter(|(_, holds)| holds(facts)).count() <= 1);
        }
    }
}
