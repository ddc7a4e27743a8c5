//! The words of a report, one meaning each.

/// Word and meaning.
pub(super) const GLOSSARY: &[(&str, &str)] = &[
    ("event", "a fact at the provider, such as a changed order"),
    ("consumer", "a party that wants every event that is due to it, by polling or by webhook"),
    ("client", "one polling party, or one webhook endpoint, of a consumer"),
    ("obligation", "one event that one client must turn into one effect; what is due"),
    ("age", "the time from an event's scheduled instant to its complete effect"),
    ("> run", "so many obligations had no effect by the end of the run that this percentile lies beyond it"),
    ("attempt", "one POST of a webhook; after a failure the sender tries again by its schedule"),
    ("ack", "the 2xx answer that ends a delivery"),
    ("receipt", "the consumer's durable acceptance of an event"),
    ("duplicate", "a receipt of an event that was accepted before; applied, if it took effect again"),
    ("effect", "the business change, wanted once per event"),
    ("ledger", "the persistent record of what was applied, by which duplicates are recognised"),
    ("useful request", "a page with events, a state that is new, or the first ack of a delivery"),
    ("wasted request", "answered without anything new: an empty or unchanged page, an ack of what was acked"),
    (
        "superseded",
        "a newer version of its subject was there already, or was all that a poll for states saw; or what shall happen once per subject had happened",
    ),
    ("dead-lettered", "set aside by the consumer after bounded tries"),
    ("lost", "acked, passed by the cursor, or expired at the provider, and nowhere durable"),
    ("pending", "in the queue, a delivery still open, or still ahead of the cursor at the end"),
    ("undelivered", "given up by the sender"),
    ("void", "the books do not balance, or the harness could not keep its schedule: do not believe the figures"),
];
