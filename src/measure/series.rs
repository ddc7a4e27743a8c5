//! What happened when: counts per bucket of time.

use serde::{Deserialize, Serialize};

use crate::model::{Span, Time};

/// Counts over the run, in buckets of equal width from t0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Width of a bucket in driver seconds.
    pub bucket_s: f64,
    /// The buckets.
    pub buckets: Vec<Bucket>,
}

/// What happened within one bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bucket {
    /// Obligations that came due, by the event's instant.
    pub due: u64,
    /// Requests, by their start (uneventful polls: by their intended second).
    pub requests: u64,
    /// Of these, that brought something new.
    pub useful: u64,
    /// Of these, answered without anything new.
    pub wasted: u64,
    /// Webhook attempts, copies not included.
    pub attempts: u64,
    /// Receipts beyond the first per obligation.
    pub duplicates_received: u64,
    /// Obligations that first took effect.
    pub applied: u64,
}

impl Series {
    const BUCKETS_WANTED: u64 = 120;
    const BUCKETS_MAX: usize = 1_000;

    /// Empty buckets up to `end`: one second wide, wider where that would be more than 120.
    #[must_use]
    pub fn new(end: Time) -> Series {
        let second = Span::from_secs(1).0;
        let width_s = end.0.div_ceil(second * Self::BUCKETS_WANTED).max(1);
        let n = (end.0 / (width_s * second) + 1).min(Self::BUCKETS_MAX as u64);
        Series { bucket_s: width_s as f64, buckets: vec![Bucket::default(); n as usize] }
    }

    /// The bucket of an instant; what lies beyond the end counts in the last.
    pub fn at(&mut self, at: Time) -> &mut Bucket {
        let i = (at.as_secs_f64() / self.bucket_s) as usize;
        let last = self.buckets.len() - 1;
        &mut self.buckets[i.min(last)]
    }

    /// The instants in the middle of the buckets, in seconds, with their counts.
    pub fn points(&self) -> impl Iterator<Item = (f64, &Bucket)> {
        self.buckets.iter().enumerate().map(|(i, bucket)| ((i as f64 + 0.5) * self.bucket_s, bucket))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_cover_the_run_and_swallow_what_comes_after() {
        let mut series = Series::new(Time(250_500_000_000));
        assert_eq!((series.bucket_s, series.buckets.len()), (3.0, 84));
        series.at(Time(2_900_000_000)).due += 1;
        series.at(Time::MAX).due += 1;
        assert_eq!((series.buckets[0].due, series.buckets[83].due), (1, 1));
        assert_eq!(Series::new(Time::ZERO).buckets.len(), 1);
    }
}
