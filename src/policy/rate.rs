//! A rate limit: token buckets, in integers, one per whoever is limited.

use std::collections::BTreeMap;

use crate::{
    model::{Span, Time},
    scenario::{RateHint, RateLimit},
    wire::scenario_seconds,
};

/// The buckets of one limit; `K` tells who is limited.
#[derive(Debug)]
pub struct RateLimiter<K> {
    rule: RateLimit,
    buckets: BTreeMap<K, Bucket>,
}

/// What a request is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// `None`: go ahead. Otherwise: come again no sooner than after this.
    pub retry_in: Option<Span>,
    /// Requests that may still come at once.
    pub remaining: u32,
    /// How long until the bucket is full again.
    pub full_in: Span,
}

/// A token counts `per` units (its nanoseconds), and each nanosecond brings `count` of them: nothing is
/// ever rounded.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    units: u128,
    at: Time,
}

impl<K: Ord> RateLimiter<K> {
    /// Full buckets.
    #[must_use]
    pub fn new(rule: RateLimit) -> RateLimiter<K> {
        RateLimiter { rule, buckets: BTreeMap::new() }
    }

    /// A request of `who` at `now`: takes a token where there is one.
    pub fn ask(&mut self, who: K, now: Time) -> Allowance {
        let RateLimit { count, per, burst, .. } = self.rule;
        let (token, rate) = (u128::from(per.0.max(1)), u128::from(count.max(1)));
        let full = u128::from(burst.max(1)) * token;
        let bucket = self.buckets.entry(who).or_insert(Bucket { units: full, at: now });
        let brought = u128::from(now.since(bucket.at).0) * rate;
        bucket.units = bucket.units.saturating_add(brought).min(full);
        bucket.at = bucket.at.max(now);
        let until = |units: u128| {
            let ns = units.saturating_sub(bucket.units).div_ceil(rate);
            Span(u64::try_from(ns).unwrap_or(u64::MAX))
        };
        let retry_in = (bucket.units < token).then(|| until(token));
        if retry_in.is_none() {
            bucket.units -= token;
        }
        self.rule.standing(bucket.units, retry_in)
    }

    /// The request that `who` took a token for does not count after all: how things stand then.
    pub fn give_back(&mut self, who: &K) -> Option<Allowance> {
        let RateLimit { per, burst, .. } = self.rule;
        let token = u128::from(per.0.max(1));
        let bucket = self.buckets.get_mut(who)?;
        bucket.units = (bucket.units + token).min(u128::from(burst.max(1)) * token);
        Some(self.rule.standing(bucket.units, None))
    }
}

impl RateLimit {
    fn standing(&self, units: u128, retry_in: Option<Span>) -> Allowance {
        let (token, rate) = (u128::from(self.per.0.max(1)), u128::from(self.count.max(1)));
        let missing = (u128::from(self.burst.max(1)) * token).saturating_sub(units);
        Allowance {
            retry_in,
            remaining: u32::try_from(units / token).unwrap_or(u32::MAX),
            full_in: Span(u64::try_from(missing.div_ceil(rate)).unwrap_or(u64::MAX)),
        }
    }

    /// How long a client waits, in seconds of scenario time, that this limit tells to come again after `retry_in`; `None`:
    /// it is not told.
    #[must_use]
    pub fn told_s(&self, retry_in: Span, time_scale: f64) -> Option<u64> {
        let seconds = scenario_seconds(retry_in, time_scale);
        match self.hint {
            RateHint::RetryAfter | RateHint::ResetIn => Some(seconds),
            // Both clocks tell whole seconds, and whoever comes too early comes in vain.
            RateHint::ResetAt => Some(seconds + 1),
            RateHint::None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::RateScope;
    use proptest::prelude::*;

    fn limiter(count: u64, per_ms: u64, burst: u32) -> RateLimiter<u32> {
        RateLimiter::new(RateLimit::new(count, Span::from_millis(per_ms), burst, RateScope::Client))
    }

    fn ms(ms: u64) -> Time {
        Time::ZERO + Span::from_millis(ms)
    }

    #[test]
    fn a_burst_is_taken_then_the_rate_and_each_has_a_bucket_of_its_own() {
        let mut limiter = limiter(2, 1_000, 3);
        let told = |allowance: Allowance| (allowance.retry_in, allowance.remaining, allowance.full_in);
        assert_eq!(told(limiter.ask(1, ms(0))), (None, 2, Span::from_millis(500)));
        assert_eq!(told(limiter.ask(1, ms(0))), (None, 1, Span::from_millis(1_000)));
        assert_eq!(told(limiter.ask(1, ms(0))), (None, 0, Span::from_millis(1_500)));
        assert_eq!(told(limiter.ask(1, ms(100))), (Some(Span::from_millis(400)), 0, Span::from_millis(1_400)));
        assert_eq!(limiter.ask(1, ms(499)).retry_in, Some(Span::from_millis(1)));
        assert_eq!(limiter.ask(2, ms(499)).retry_in, None);
        assert_eq!(limiter.ask(1, ms(500)).retry_in, None);
    }

    #[test]
    fn what_does_not_count_is_given_back_and_a_bucket_never_holds_more_than_it_can() {
        let mut limiter = limiter(1, 1_000, 2);
        assert_eq!(limiter.give_back(&1), None, "who never asked");
        limiter.ask(1, ms(0));
        assert_eq!(limiter.give_back(&1).map(|now| (now.remaining, now.full_in)), Some((2, Span::ZERO)));
        assert_eq!(limiter.give_back(&1).map(|now| now.remaining), Some(2));
        assert_eq!([0, 0].map(|at| limiter.ask(1, ms(at)).retry_in), [None; 2]);
        assert!(limiter.ask(1, ms(0)).retry_in.is_some());
    }

    #[test]
    fn a_client_waits_as_long_as_its_provider_knows_how_to_say() {
        let told = |hint| {
            let limit = RateLimit { hint, ..RateLimit::new(1, Span::from_secs(1), 1, RateScope::All) };
            limit.told_s(Span::from_millis(1_500), 1.0)
        };
        let hints = [RateHint::RetryAfter, RateHint::ResetIn, RateHint::ResetAt, RateHint::None];
        assert_eq!(hints.map(told), [Some(2), Some(2), Some(3), None]);
    }

    proptest! {
        #[test]
        fn no_stretch_of_time_sees_more_than_the_burst_and_the_rate(
            gaps in proptest::collection::vec(0u64..400_000_000, 1..200),
            count in 1u64..50, per_ms in 1u64..2_000, burst in 1u32..8,
        ) {
            let mut limiter = limiter(count, per_ms, burst);
            let (mut now, mut granted) = (Time::ZERO, Vec::new());
            for gap in gaps {
                now = now + Span(gap);
                let allowance = limiter.ask(0, now);
                match allowance.retry_in {
                    None => granted.push(now),
                    Some(wait) => {
                        prop_assert!(wait > Span::ZERO);
                        // Told to the nanosecond: not before, and surely then.
                        let early = limiter.buckets[&0];
                        prop_assert!(limiter.ask(0, now + Span(wait.0 - 1)).retry_in.is_some());
                        limiter.buckets.insert(0, early);
                        prop_assert_eq!(limiter.ask(0, now + wait).retry_in, None);
                        limiter.buckets.insert(0, early);
                    }
                }
                prop_assert!(allowance.remaining < burst);
            }
            for (i, from) in granted.iter().enumerate() {
                for (j, until) in granted.iter().enumerate().skip(i) {
                    let most = u128::from(burst)
                        + u128::from(until.since(*from).0) * u128::from(count) / u128::from(per_ms * 1_000_000);
                    prop_assert!((j - i + 1) as u128 <= most);
                }
            }
        }

        #[test]
        fn who_keeps_to_the_rate_is_never_refused(count in 1u64..50, per_ms in 1u64..2_000, n in 1u64..300) {
            let mut limiter = limiter(count, per_ms, 1);
            let gap = (per_ms * 1_000_000).div_ceil(count);
            for i in 0..n {
                prop_assert_eq!(limiter.ask(0, Time::ZERO + Span(i * gap)).retry_in, None);
            }
        }
    }
}
