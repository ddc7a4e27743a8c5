//! The secrets that an endpoint's webhooks are signed with: one, or several while a rotation lasts.

use crate::model::{Span, Time};

/// An endpoint's secrets. A receiver that knows any one of those that are valid can verify.
#[derive(Debug, Clone)]
pub struct SigningSecrets<K> {
    current: K,
    /// Those that it took the place of, each until an instant; the newest first.
    former: Vec<(K, Time)>,
}

/// One more signature per webhook would help nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} secrets are valid at once already")]
pub struct TooManySecrets(pub usize);

impl<K> SigningSecrets<K> {
    /// Secrets that are valid at once, at most.
    pub const MAX: usize = 5;

    /// One secret.
    #[must_use]
    pub fn new(secret: K) -> SigningSecrets<K> {
        SigningSecrets { current: secret, former: Vec::new() }
    }

    /// Signs with `next` from `now` on, and for another `overlap` at most with what was valid before: whoever
    /// has to end a secret at once ends the older ones with it.
    pub fn rotate(&mut self, next: K, now: Time, overlap: Span) -> Result<(), TooManySecrets>
    where
        K: Clone,
    {
        let ends = now + overlap;
        let before = std::iter::once((&self.current, ends));
        let older = self.former.iter().map(|(secret, until)| (secret, ends.min(*until)));
        let former: Vec<(K, Time)> = before
            .chain(older)
            .filter(|(_, until)| *until > now)
            .map(|(secret, until)| (secret.clone(), until))
            .collect();
        if former.len() >= Self::MAX {
            return Err(TooManySecrets(former.len()));
        }
        *self = SigningSecrets { current: next, former };
        Ok(())
    }

    /// Those that are valid, the newest first.
    pub fn valid_at(&self, now: Time) -> impl Iterator<Item = &K> {
        let former = self.former.iter().filter(move |(_, until)| *until > now).map(|(secret, _)| secret);
        std::iter::once(&self.current).chain(former)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Secret;

    const MINUTE: Span = Span::from_secs(60);

    fn secret(byte: u8) -> Secret {
        Secret::from_bytes(&[byte; 32]).unwrap()
    }

    fn at(secs: u64) -> Time {
        Time::ZERO + Span::from_secs(secs)
    }

    fn valid(secrets: &SigningSecrets<Secret>, secs: u64) -> Vec<Secret> {
        secrets.valid_at(at(secs)).cloned().collect()
    }

    #[test]
    fn both_secrets_are_valid_for_the_overlap_and_only_the_new_one_behind_it() {
        let mut secrets = SigningSecrets::new(secret(1));
        secrets.rotate(secret(2), at(10), MINUTE).unwrap();
        assert_eq!(valid(&secrets, 69), [secret(2), secret(1)]);
        assert_eq!(valid(&secrets, 70), [secret(2)]);
        secrets.rotate(secret(3), at(80), Span::ZERO).unwrap();
        assert_eq!(valid(&secrets, 80), [secret(3)]);
    }

    #[test]
    fn a_secret_that_must_end_at_once_takes_the_older_ones_with_it() {
        let mut secrets = SigningSecrets::new(secret(1));
        secrets.rotate(secret(2), at(0), MINUTE).unwrap();
        secrets.rotate(secret(3), at(10), MINUTE).unwrap();
        assert_eq!(valid(&secrets, 59), [secret(3), secret(2), secret(1)]);
        assert_eq!(valid(&secrets, 60), [secret(3), secret(2)], "no overlap is made longer by the next one");
        secrets.rotate(secret(4), at(30), Span::ZERO).unwrap();
        assert_eq!(valid(&secrets, 30), [secret(4)]);
    }

    #[test]
    fn a_webhook_carries_so_many_signatures_and_no_more() {
        let mut secrets = SigningSecrets::new(secret(0));
        for byte in 1..SigningSecrets::<Secret>::MAX as u8 {
            secrets.rotate(secret(byte), at(0), MINUTE).unwrap();
        }
        assert_eq!(secrets.rotate(secret(9), at(1), MINUTE), Err(TooManySecrets(SigningSecrets::<Secret>::MAX)));
        assert_eq!(valid(&secrets, 1).len(), SigningSecrets::<Secret>::MAX);
        assert_eq!(valid(&secrets, 1)[0], secret(4), "what is refused changes nothing");
        secrets.rotate(secret(9), at(60), MINUTE).unwrap();
        assert_eq!(valid(&secrets, 60), [secret(9), secret(4)]);
    }
}
