//! What was offered to a receiver and what of it came through, as time went by; and how long requests
//! waited and were waited for.

use serde::{Deserialize, Serialize};

use crate::{
    model::{AttemptOutcome, Span, Time},
    record::{Attempt, Poll},
};

/// What a consumer's requests were up against.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Load {
    /// Attempts, copies included, that ran into the provider's ack timeout.
    pub timeouts: u64,
    /// Attempts per second in the last tenth of the window of arrivals; `None` for one that only polls.
    pub late_offered_per_s: Option<f64>,
    /// Deliveries first acked per second in the last tenth of the window of arrivals.
    pub late_goodput_per_s: Option<f64>,
    /// Whether its receiver fell for good: in every minute from one on until the end of the window more
    /// than half of the attempts timed out. `None` where the window has no whole minute of attempts.
    pub fell: Option<bool>,
    /// The beginning of the first of these minutes.
    pub fell_after_s: Option<f64>,
    /// First attempts that left later than they were due: they waited for a sender or for their turn.
    pub waited: u64,
    /// How long these waited, on average.
    pub wait_mean_s: Option<f64>,
    /// From a poll's due instant to its last answer, on average; `None` where polls are only counted.
    pub poll_mean_s: Option<f64>,
    /// The longest of these.
    pub poll_max_s: Option<f64>,
}

/// Collects [`Load`].
#[derive(Debug)]
pub(super) struct LoadRecorder {
    window: Span,
    /// By whole second of the window.
    seconds: Vec<Second>,
    timeouts: u64,
    waits: Mean,
    polls: Mean,
    /// Polls of which no single record tells.
    counted_polls: u64,
}

/// Attempts that left in a second and timed out, and first acks that came in it.
#[derive(Debug, Clone, Copy, Default)]
struct Second {
    attempts: u32,
    timeouts: u32,
    acked: u32,
}

impl LoadRecorder {
    pub(super) fn new(window: Span) -> LoadRecorder {
        let (waits, polls) = (Mean::default(), Mean::default());
        LoadRecorder { window, seconds: Vec::new(), timeouts: 0, waits, polls, counted_polls: 0 }
    }

    /// `first_ack`: whether the attempt is the first of its delivery to be acked.
    pub(super) fn attempt(&mut self, attempt: &Attempt, first_ack: bool) {
        let timed_out = attempt.outcome == AttemptOutcome::Timeout;
        self.timeouts += u64::from(timed_out);
        if let Some(second) = self.second(attempt.sent) {
            second.attempts += 1;
            second.timeouts += u32::from(timed_out);
        }
        if first_ack && let Some(second) = self.second(attempt.done) {
            second.acked += 1;
        }
        if attempt.number == 1 && attempt.copy == 0 && attempt.sent > attempt.intended {
            self.waits.take(attempt.sent.since(attempt.intended));
        }
    }

    pub(super) fn poll(&mut self, poll: &Poll) {
        self.polls.take(poll.done.since(poll.intended));
    }

    /// So many polls were only counted.
    pub(super) fn count_polls(&mut self, n: u64) {
        self.counted_polls += n;
    }

    pub(super) fn load(&self) -> Load {
        let fell = self.fell();
        let each_poll_told = self.counted_polls == 0;
        Load {
            timeouts: self.timeouts,
            late_offered_per_s: self.late(|second| second.attempts),
            late_goodput_per_s: self.late(|second| second.acked),
            fell: fell.map(|after| after.is_some()),
            fell_after_s: fell.flatten().map(|minute| minute as f64 * MINUTE as f64),
            waited: self.waits.count,
            wait_mean_s: self.waits.mean_s(),
            poll_mean_s: self.polls.mean_s().filter(|_| each_poll_told),
            poll_max_s: (self.polls.count > 0 && each_poll_told).then(|| self.polls.max.as_secs_f64()),
        }
    }

    /// The counts of a second of the window.
    fn second(&mut self, at: Time) -> Option<&mut Second> {
        if at >= Time::ZERO + self.window {
            return None;
        }
        let place = (at.0 / SECOND) as usize;
        if place >= self.seconds.len() {
            self.seconds.resize(place + 1, Second::default());
        }
        self.seconds.get_mut(place)
    }

    /// Per second over the last tenth of the window, in whole seconds; at least one of them.
    fn late(&self, of: fn(&Second) -> u32) -> Option<f64> {
        if self.seconds.is_empty() {
            return None;
        }
        let whole = (self.window.0 / SECOND) as usize;
        let n = (whole / 10).max(1);
        let (from, to) = (whole.saturating_sub(n), whole.min(self.seconds.len()));
        let counts = self.seconds.get(from..to).unwrap_or(&[]);
        Some(counts.iter().map(|second| u64::from(of(second))).sum::<u64>() as f64 / n as f64)
    }

    /// The first minute from which on more than half of every minute's attempts timed out; `Some(None)`
    /// where the last whole minute is sound.
    fn fell(&self) -> Option<Option<usize>> {
        let whole = (self.window.0 / SECOND / MINUTE) as usize;
        let minutes: Vec<bool> = self.seconds.chunks(MINUTE as usize).take(whole).map(mostly_late).collect();
        if minutes.is_empty() || minutes.len() < whole {
            return None;
        }
        let trailing = minutes.iter().rev().take_while(|late| **late).count();
        Some((trailing > 0).then(|| minutes.len() - trailing))
    }
}

const SECOND: u64 = 1_000_000_000;
/// In seconds.
const MINUTE: u64 = 60;

fn mostly_late(seconds: &[Second]) -> bool {
    let sum = |of: fn(&Second) -> u32| seconds.iter().map(|second| u64::from(of(second))).sum::<u64>();
    2 * sum(|second| second.timeouts) > sum(|second| second.attempts)
}

/// A mean of spans and the longest of them, exact.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    count: u64,
    sum_ns: u128,
    max: Span,
}

impl Mean {
    fn take(&mut self, span: Span) {
        self.count += 1;
        self.sum_ns += u128::from(span.0);
        self.max = self.max.max(span);
    }

    fn mean_s(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum_ns as f64 / self.count as f64 / 1e9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Obligation;

    fn attempt(sent_s: u64, outcome: AttemptOutcome) -> Attempt {
        let sent = Time(sent_s * SECOND);
        let what = Obligation { consumer: 0, client: 0, seq: 1 };
        Attempt { what, number: 1, copy: 0, intended: sent, sent, done: sent + Span::from_millis(500), outcome }
    }

    fn run(late: impl Fn(u64) -> bool) -> Load {
        let mut recorder = LoadRecorder::new(Span::from_secs(600));
        for second in 0..600 {
            let outcome = if late(second) { AttemptOutcome::Timeout } else { AttemptOutcome::Status(200) };
            recorder.attempt(&attempt(second, outcome), !late(second));
        }
        recorder.load()
    }

    #[test]
    fn a_receiver_has_fallen_where_it_does_not_get_up_again() {
        let fallen = run(|second| second > 330);
        assert_eq!((fallen.fell, fallen.fell_after_s), (Some(true), Some(360.0)), "the sixth minute is half sound");
        assert_eq!((fallen.late_offered_per_s, fallen.late_goodput_per_s), (Some(1.0), Some(0.0)));
        let stumbled = run(|second| (120..240).contains(&second));
        assert_eq!((stumbled.fell, stumbled.fell_after_s, stumbled.timeouts), (Some(false), None, 120));
        assert_eq!(stumbled.late_goodput_per_s, Some(1.0));
        let short = LoadRecorder::new(Span::from_secs(59)).load();
        assert_eq!((short.fell, short.late_offered_per_s), (None, None));
    }

    #[test]
    fn only_first_attempts_that_left_late_have_waited() {
        let mut recorder = LoadRecorder::new(Span::from_secs(600));
        let prompt = attempt(1, AttemptOutcome::Status(200));
        let late = Attempt { intended: Time::ZERO, ..prompt };
        for one in [prompt, late, Attempt { number: 2, ..late }, Attempt { copy: 1, ..late }] {
            recorder.attempt(&one, false);
        }
        assert_eq!((recorder.load().waited, recorder.load().wait_mean_s), (1, Some(1.0)));
    }
}
