//! One endpoint's deliveries: what to send when, how many at once, when to give up.
