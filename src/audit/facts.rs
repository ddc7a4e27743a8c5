//! What is known of one obligation, four bytes.

/// A set of facts. Each is what one party saw or what a store holds; none is a conclusion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts(u32);

macro_rules! facts {
    ($($(#[doc = $doc:literal])+ $name:ident = $bit:literal, $words:literal;)+) => {
        impl Facts {
            $($(#[doc = $doc])+ pub const $name: Facts = Facts(1 << $bit);)+

            const TABLE: &'static [(Facts, &'static str)] = &[$((Facts::$name, $words)),+];
        }
    };
}

facts! {
    /// The sender saw a 2xx to an original attempt.
    ACKED = 0, "acked";
    /// The sender saw a 2xx to a copy.
    COPY_ACKED = 1, "a copy acked";
    /// The sender gave it up, and has not been made to send it again since.
    GAVE_UP = 2, "given up";
    /// The delivery was open at the end.
    OPEN = 3, "delivery open";
    /// The consumer accepted it at least once.
    RECEIVED = 4, "received";
    /// A worker said that it was done with it.
    WORKED = 5, "worked on";
    /// An effect row stands.
    APPLIED = 6, "effect row";
    /// A row says that a newer version was there.
    SUPERSEDED = 7, "superseded row";
    /// The queue holds it.
    QUEUED = 8, "in the queue";
    /// The dead-letter queue holds it.
    DEAD = 9, "in the dead-letter queue";
    /// The client's durable cursor has passed it.
    PASSED = 10, "passed by the cursor";
    /// It lies ahead of the client's durable cursor.
    AHEAD = 11, "ahead of the cursor";
    /// The process that had received it died afterwards.
    HOLDER_DIED = 12, "receiver died since";
    /// The sender saw a 2xx, and was then made to send it again.
    ACKED_BEFORE = 13, "acked before it was sent again";
    /// It lies ahead of the client's durable cursor, and the provider's log has let go of it.
    EXPIRED = 14, "expired ahead of the cursor";
    /// The outbox holds it: the call for its effect is still to be made, or to be marked.
    OUTGOING = 15, "in the outbox";
    /// Its client asks for states, and has accepted a later version of its subject.
    OVERTAKEN = 16, "a later state seen";
    /// More than one effect row stands.
    APPLIED_AGAIN = 17, "a further effect row";
}

impl Facts {
    /// Whether any of `facts` is known.
    #[must_use]
    pub fn any(self, facts: Facts) -> bool {
        self.0 & facts.0 != 0
    }

    /// Whether all of `facts` are known.
    #[must_use]
    pub fn all(self, facts: Facts) -> bool {
        self.0 & facts.0 == facts.0
    }

    /// These and `facts`.
    #[must_use]
    pub const fn with(self, facts: Facts) -> Facts {
        Facts(self.0 | facts.0)
    }

    /// These without `facts`.
    #[must_use]
    pub const fn without(self, facts: Facts) -> Facts {
        Facts(self.0 & !facts.0)
    }

    /// The facts in words, for the reader of a void run.
    #[must_use]
    pub fn in_words(self) -> String {
        let known: Vec<&str> =
            Self::TABLE.iter().filter(|(fact, _)| self.any(*fact)).map(|(_, words)| *words).collect();
        if known.is_empty() { "nothing known".to_owned() } else { known.join(", ") }
    }
}
