//! Polls at even instants, many at a time, counted per second.
//!
//! A run of polls from one instant on, a gap apart, falls into the same places of the second again after
//! the least time that is a multiple of both. So it is a few combs, one per poll within that time, whose
//! teeth lie whole seconds apart: a comb is two numbers, one where it begins and one where it ends, and
//! all combs are summed up once.

use crate::model::{Span, Time};

const SECOND: u64 = 1_000_000_000;

/// Counts of one consumer's polls that were passed over.
#[derive(Debug)]
pub(super) struct Combs {
    gap: Span,
    /// Seconds from tooth to tooth.
    stride: usize,
    /// Combs that a long run of polls makes.
    per_stride: u64,
    /// By second: combs that begin there, less those that have ended. 200 without an event, ...
    empty: Vec<i32>,
    /// ... and 304.
    not_modified: Vec<i32>,
}

impl Combs {
    /// For polls this far apart, all before `end`.
    pub fn new(gap: Span, end: Time) -> Combs {
        let gap = Span(gap.0.max(1));
        let common = greatest_common(gap.0, SECOND);
        let seconds = end.0.div_ceil(SECOND) as usize;
        let (empty, not_modified) = (vec![0; seconds], vec![0; seconds]);
        Combs { gap, stride: (gap.0 / common) as usize, per_stride: SECOND / common, empty, not_modified }
    }

    /// What stands where counting is to begin soon: to read it early is all that it is good for.
    #[inline]
    pub fn look_at(&self, first: Time, not_modified: bool) -> i32 {
        let places = if not_modified { &self.not_modified } else { &self.empty };
        places.get((first.0 / SECOND) as usize).copied().unwrap_or(0)
    }

    /// Counts so many polls, the first of which was due at `first`.
    pub fn count(&mut self, first: Time, polls: u64, not_modified: bool) {
        let places = if not_modified { &mut self.not_modified } else { &mut self.empty };
        for poll in 0..polls.min(self.per_stride) {
            let begin = ((first.0 + poll * self.gap.0) / SECOND) as usize;
            let teeth = (polls - poll).div_ceil(self.per_stride) as usize;
            places[begin] += 1;
            if let Some(behind) = teeth.checked_mul(self.stride).and_then(|length| places.get_mut(begin + length)) {
                *behind -= 1;
            }
        }
    }

    /// What was counted: second, empty, not modified.
    pub fn sum(mut self) -> impl Iterator<Item = (u32, u32, u32)> {
        for places in [&mut self.empty, &mut self.not_modified] {
            for second in self.stride..places.len() {
                places[second] += places[second - self.stride];
            }
        }
        let counts = self.empty.into_iter().zip(self.not_modified);
        let each = (0u32..).zip(counts);
        each.map(|(second, (empty, not_modified))| (second, empty as u32, not_modified as u32))
            .filter(|(_, empty, not_modified)| empty + not_modified > 0)
    }
}

fn greatest_common(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn combs_count_what_counting_one_by_one_counts(
            gap_ms in 1u64..5_000, odd_ns in 0u64..3,
            runs in proptest::collection::vec((0u64..20_000, 0u64..60, any::<bool>()), 0..20),
        ) {
            let (gap, end) = (Span::from_millis(gap_ms) + Span(odd_ns), Time(20 * SECOND));
            let mut combs = Combs::new(gap, end);
            let mut wanted = vec![(0u32, 0u32); 20];
            for (first_ms, polls, not_modified) in runs {
                let first = Time(first_ms * 1_000_000);
                let within = (0..polls).map(|poll| first.0 + poll * gap.0).take_while(|at| *at < end.0);
                let within: Vec<u64> = within.collect();
                combs.count(first, within.len() as u64, not_modified);
                for at in within {
                    let (empty, unchanged) = &mut wanted[(at / SECOND) as usize];
                    *(if not_modified { unchanged } else { empty }) += 1;
                }
            }
            let wanted = (0u32..).zip(wanted).filter(|(_, counts)| *counts != (0, 0));
            let found: Vec<(u32, (u32, u32))> = combs.sum().map(|(second, a, b)| (second, (a, b))).collect();
            prop_assert_eq!(found, wanted.collect::<Vec<_>>());
        }
    }
}
