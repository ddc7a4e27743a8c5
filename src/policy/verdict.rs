//! What follows a failed attempt: when the next one is due, or why there is none.

use super::{RetrySchedule, dispatch::Ending};
use crate::{
    fault::Stop,
    model::{AttemptOutcome, GiveUp, Seq, Span, Time},
    rng::Draws,
    scenario::{AnswersPlan, Ends, On410, RetryAfter},
};

/// The status with which a receiver says that it wants nothing more.
const GONE: u16 = 410;

/// A failed attempt of a delivery.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failure {
    /// Its event.
    pub seq: Seq,
    /// When that happened; `None` where it is sent again on somebody's word, which makes no event too old.
    pub since: Option<Time>,
    /// Attempts of this delivery so far, this one included.
    pub tried: u32,
    /// How it ended, and what the receiver asks for.
    pub ending: Ending,
    /// When.
    pub at: Time,
}

/// Whether a receiver has said that it wants nothing more, and its provider listens.
pub(super) fn is_gone(answers: &AnswersPlan, outcome: AttemptOutcome) -> bool {
    outcome == AttemptOutcome::Status(GONE) && answers.on_410 == On410::Disable
}

/// Whether an event of `since` is too old for an attempt at `at`.
pub(super) fn is_too_old(answers: &AnswersPlan, since: Option<Time>, at: Time) -> bool {
    let limit = answers.give_up_after.zip(since).map(|(window, since)| since + window);
    limit.is_some_and(|limit| at > limit)
}

/// When the next attempt is due. `entity` keys the jitter.
pub(super) fn next(
    answers: &AnswersPlan,
    schedule: &RetrySchedule,
    failure: &Failure,
    draws: Draws,
    entity: u64,
) -> Result<Time, GiveUp> {
    let Failure { seq, since, tried, ending: Ending { outcome, retry_after, stop }, at } = *failure;
    if is_gone(answers, outcome) {
        return Err(GiveUp::Gone);
    }
    if stop == Some(Stop::GiveUp) {
        return Err(GiveUp::Stopped);
    }
    if answers.retry_on.as_ref().is_some_and(|these| !Ends::among(these, outcome)) {
        return Err(GiveUp::NotRetried);
    }
    let (clamped, later) = match answers.retry_after {
        RetryAfter::Clamp => (retry_after, Span::ZERO),
        RetryAfter::Respect { at_most } => (None, retry_after.unwrap_or_default().min(at_most)),
        RetryAfter::Ignore => (None, Span::ZERO),
    };
    let least = answers.least_delay.as_ref().filter(|least| Ends::among(&least.on, outcome));
    let least = least.map_or(Span::ZERO, |least| least.delay);
    let due = schedule.next(tried, at, clamped, draws, entity, seq).ok_or(GiveUp::Exhausted)?;
    let due = due.max(at + least.max(later));
    if is_too_old(answers, since, due) { Err(GiveUp::TooOld) } else { Ok(due) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{policy::Backoff, scenario::LeastDelay};
    use AttemptOutcome::{Refused, Reset, Status, Timeout};

    fn s(secs: u64) -> Span {
        Span::from_secs(secs)
    }

    /// In seconds after an attempt that failed at 100 s, of an event of t0: two retries of 10 s.
    fn next_after(
        answers: &AnswersPlan,
        outcome: AttemptOutcome,
        asked: Option<u64>,
        tried: u32,
    ) -> Result<u64, GiveUp> {
        let schedule = RetrySchedule { delays: vec![s(10), s(10)], jitter: 0.0, backoff: Backoff::Plain };
        let at = Time::ZERO + s(100);
        let retry_after = asked.map(s);
        let ending = Ending { retry_after, ..outcome.into() };
        let failure = Failure { seq: 1, since: Some(Time::ZERO), tried, ending, at };
        next(answers, &schedule, &failure, Draws::new(1), 0).map(|due| due.since(at).0 / 1_000_000_000)
    }

    #[test]
    fn only_what_is_tried_again_is_and_the_schedule_ends_all() {
        let retry_on = Some(vec![Ends::Class(5), Ends::Connection]);
        let picky = AnswersPlan { retry_on, ..AnswersPlan::default() };
        let after = |outcome| next_after(&picky, outcome, None, 1);
        assert_eq!([Status(503), Refused, Reset].map(after), [Ok(10); 3]);
        assert_eq!([Status(429), Status(302), Timeout].map(after), [Err(GiveUp::NotRetried); 3]);
        let all = AnswersPlan::default();
        assert_eq!([Status(429), Status(302), Timeout].map(|outcome| next_after(&all, outcome, None, 2)), [Ok(10); 3]);
        assert_eq!(next_after(&all, Status(500), None, 3), Err(GiveUp::Exhausted));
    }

    #[test]
    fn retry_after_counts_for_what_its_provider_makes_of_it() {
        let with = |retry_after| AnswersPlan { retry_after, ..AnswersPlan::default() };
        let asked = |retry_after| [1, 15, 900].map(|asked| next_after(&with(retry_after), Status(503), Some(asked), 1));
        assert_eq!(asked(RetryAfter::Clamp), [Ok(10), Ok(15), Ok(20)]);
        assert_eq!(asked(RetryAfter::Respect { at_most: s(600) }), [Ok(10), Ok(15), Ok(600)]);
        assert_eq!(asked(RetryAfter::Ignore), [Ok(10); 3]);
    }

    #[test]
    fn some_ends_are_followed_by_a_longer_wait() {
        let least_delay = Some(LeastDelay { on: vec![Ends::Timeout, Ends::Status(429)], delay: s(60) });
        let patient = AnswersPlan { least_delay, ..AnswersPlan::default() };
        let after = |outcome| next_after(&patient, outcome, Some(15), 1);
        assert_eq!([Timeout, Status(429), Status(500)].map(after), [Ok(60), Ok(60), Ok(15)]);
    }

    #[test]
    fn an_old_event_is_given_up_unless_somebody_sends_it_again() {
        let of = |secs| AnswersPlan { give_up_after: Some(s(secs)), ..AnswersPlan::default() };
        assert_eq!(next_after(&of(110), Timeout, None, 1), Ok(10), "the last instant is still in time");
        assert_eq!(next_after(&of(109), Timeout, None, 1), Err(GiveUp::TooOld));
        assert!(is_too_old(&of(5), Some(Time::ZERO), Time::ZERO + s(6)) && !is_too_old(&of(5), None, Time::MAX));
    }

    #[test]
    fn a_410_is_the_end_where_its_provider_listens() {
        let deaf = AnswersPlan { on_410: On410::Retry, ..AnswersPlan::default() };
        assert!(is_gone(&AnswersPlan::default(), Status(410)) && !is_gone(&deaf, Status(410)));
        assert!(!is_gone(&AnswersPlan::default(), Status(404)));
        assert_eq!(next_after(&deaf, Status(410), None, 1), Ok(10));
    }
}
