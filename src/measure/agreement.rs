//! Whether a live and a virtual run of one plan say the same.
//!
//! Agreement has to be shown, not presumed: a difference counts as none only where its whole interval
//! lies within the tolerance (two one-sided tests at 5 %). What is not shown either way is undecided,
//! which a longer run would settle.

use serde::{Deserialize, Serialize};

use super::{Age, ConsumerResult, RunResult, quantity};

/// Ages agree within this share, ...
const AGE_SHARE: f64 = 0.1;
/// ... or within this much, whichever is more.
const AGE_S: f64 = 0.010;
/// The one-sided 5 % point of the normal distribution.
const Z: f64 = 1.645;

/// Counts that follow from keyed draws: the two drivers must agree to the last one.
const KEYED: [&str; 6] = ["due", "dead_lettered", "lost", "pending", "undelivered", "duplicates_applied"];

/// Counts in which two messages race for a version: a matter of milliseconds, so that they may differ by a
/// hundredth of what was due.
const RACED: [&str; 4] = ["applied", "superseded", "stale_overwrites", "subject_repeated"];

/// Ages that are compared: the name, and the share that lies below.
const AGES: [(&str, f64); 3] = [("age_s.p50", 0.5), ("age_s.p90", 0.9), ("age_s.p99", 0.99)];

/// One quantity of one consumer, seen by both drivers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgreementRow {
    /// The consumer.
    pub consumer: String,
    /// The quantity; see [`super::QUANTITIES`].
    pub quantity: String,
    /// What the live run says; `None` where nobody observed it.
    pub live: Option<f64>,
    /// What the virtual run says.
    pub virtual_time: Option<f64>,
    /// How far they may lie apart.
    pub tolerance: f64,
    /// What that comes to.
    pub finding: Finding,
}

/// What a comparison comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// Shown to lie within the tolerance.
    Agrees,
    /// Neither shown.
    Undecided,
    /// Beyond the tolerance.
    Differs,
    /// One of the two did not observe it.
    NotCompared,
}

/// The comparison, consumer by consumer.
#[must_use]
pub fn agreement(live: &RunResult, virtual_time: &RunResult) -> Vec<AgreementRow> {
    let mut rows = Vec::new();
    for one in &live.consumers {
        let Some(other) = virtual_time.consumers.iter().find(|other| other.name == one.name) else { continue };
        rows.extend(KEYED.iter().map(|name| counted(name, one, other, 0.0)));
        let race = if is_raced(one) { 0.01 * one.due as f64 } else { 0.0 };
        rows.extend(RACED.iter().map(|name| counted(name, one, other, race)));
        rows.push(requests(one, other, live.duration_s / virtual_time.duration_s.max(1e-9)));
        for (name, share) in AGES {
            rows.extend(age(name, share, one, other));
        }
    }
    rows
}

fn row(name: &str, one: &ConsumerResult, other: &ConsumerResult, tolerance: f64, finding: Finding) -> AgreementRow {
    let read = |of: &ConsumerResult| quantity(name).and_then(|quantity| (quantity.read)(of));
    let (live, virtual_time) = (read(one), read(other));
    let finding = if live.is_some() && virtual_time.is_some() { finding } else { Finding::NotCompared };
    AgreementRow { consumer: one.name.clone(), quantity: name.to_owned(), live, virtual_time, tolerance, finding }
}

/// Whether versions overtake each other at all.
fn is_raced(one: &ConsumerResult) -> bool {
    one.superseded.is_some_and(|n| n > 0) || one.stale_overwrites.is_some_and(|n| n > 0)
}

fn counted(name: &str, one: &ConsumerResult, other: &ConsumerResult, tolerance: f64) -> AgreementRow {
    let read = |of: &ConsumerResult| quantity(name).and_then(|quantity| (quantity.read)(of));
    let apart = read(one).zip(read(other)).map_or(0.0, |(a, b)| (a - b).abs());
    row(name, one, other, tolerance, found(apart <= tolerance))
}

/// A live run ends when somebody has noticed that all is quiet, and its clients poll until then: it may have
/// made as many polls more as it was longer. Webhooks are sent by keyed draws, but whether one falls into an
/// outage that ends just then is a matter of milliseconds.
fn requests(one: &ConsumerResult, other: &ConsumerResult, longer: f64) -> AgreementRow {
    let (live, virtual_time) = (one.requests as f64, other.requests as f64);
    let (tolerance, longer) = if one.kind == "webhook" {
        (0.01 * live.max(virtual_time), 1.0)
    } else {
        ((0.1 * live.max(virtual_time)).max(2.0 * f64::from(one.clients)), longer)
    };
    let (least, most) = (virtual_time * longer.min(1.0), virtual_time * longer.max(1.0));
    let beyond = (least - live).max(live - most).max(0.0);
    row("requests", one, other, tolerance, found(beyond <= tolerance))
}

fn found(agrees: bool) -> Finding {
    if agrees { Finding::Agrees } else { Finding::Differs }
}

/// A quantile, by the order statistics around it: the ranks n q +- z sqrt(n q (1 - q)).
fn age(name: &str, share: f64, one: &ConsumerResult, other: &ConsumerResult) -> Option<AgreementRow> {
    let (tolerance, finding) = compare(one.age_s.as_ref()?, other.age_s.as_ref()?, share)?;
    Some(row(name, one, other, tolerance, finding))
}

fn compare(live: &Age, virtual_time: &Age, share: f64) -> Option<(f64, Finding)> {
    let (a, b) = (interval(live, share)?, interval(virtual_time, share)?);
    let middle = |(low, high): (f64, f64)| (low + high) / 2.0;
    let tolerance = (AGE_SHARE * middle(a).max(middle(b))).max(AGE_S);
    // How far apart the two may be at most, and at least.
    let most = (a.1 - b.0).abs().max((b.1 - a.0).abs());
    let least = (a.0 - b.1).max(b.0 - a.1).max(0.0);
    let finding = match (most <= tolerance, least > tolerance) {
        (true, _) => Finding::Agrees,
        (_, true) => Finding::Differs,
        _ => Finding::Undecided,
    };
    Some((tolerance, finding))
}

/// Where a quantile lies, in seconds; `None` where it lies among obligations without an effect.
fn interval(age: &Age, share: f64) -> Option<(f64, f64)> {
    let n = age.count as f64;
    let half = Z * (n * share * (1.0 - share)).sqrt();
    let at = |rank: f64| {
        let rank = (rank.ceil().max(1.0) as u64).min(age.count);
        let mut seen = 0;
        age.histogram_us.iter().find_map(|&(us, count)| {
            seen += count;
            (seen >= rank).then_some(us as f64 / 1e6)
        })
    };
    Some((at(n * share - half)?, at(n * share + half)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{measure::AgeRecorder, model::Span};

    fn ages(of: impl Fn(u64) -> u64, n: u64) -> Age {
        let mut recorder = AgeRecorder::new();
        (0..n).for_each(|i| recorder.record(Span::from_micros(of(i))));
        recorder.summary()
    }

    fn finding(live: &Age, virtual_time: &Age) -> Finding {
        compare(live, virtual_time, 0.5).unwrap().1
    }

    #[test]
    fn agreement_has_to_be_shown() {
        let uniform = ages(|i| i * 1_000, 2_000);
        assert_eq!(finding(&uniform, &ages(|i| i * 1_010, 2_000)), Finding::Agrees);
        assert_eq!(finding(&uniform, &ages(|i| i * 1_300, 2_000)), Finding::Differs);
        // The same distribution from a handful of events shows nothing.
        assert_eq!(finding(&ages(|i| i * 200_000, 10), &ages(|i| i * 200_000, 10)), Finding::Undecided);
        // Below ten milliseconds nobody minds.
        assert_eq!(finding(&ages(|_| 1_000, 50), &ages(|_| 9_000, 50)), Finding::Agrees);
    }
}
