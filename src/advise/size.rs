//! How much of a question is run: a whole day, its busiest stretch, or a sample of that.

use serde::Serialize;

use super::Question;

/// Things that happen in a run at most, roughly: an answer is to come within a second.
const BUDGET: f64 = 1_000_000.0;
/// What an event costs of it: it is polled for, held for and sent, and each is judged.
const PER_EVENT: f64 = 12.0;
/// A share of it for each uneventful poll.
const PER_POLL: f64 = 0.2;
/// Events that make a good 99th percentile.
const EVENTS: f64 = 10_000.0;
/// No more days than this are run for their sake.
const DAYS_MAX: f64 = 14.0;
const DAY_S: f64 = 86_400.0;
/// The strategies' own time limits, in seconds.
pub(super) const HOLD_S: f64 = 30.0;

/// What of a day is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Window {
    /// So much time that goes like the question says, whole days where it has a course.
    Whole,
    /// A stretch as busy as the peak.
    Peak,
}

/// How much is run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Size {
    /// Which part of a day.
    pub window: Window,
    /// Its length in seconds.
    pub window_s: f64,
    /// One client, or where there are fewer one event, of so many is run.
    pub one_of: f64,
}

/// Decides it.
pub(super) fn size(question: &Question) -> Size {
    let every_s = question.poll_every_s(question.fresh.as_secs_f64());
    let outage_s = question.outage.map_or(0.0, |outage| outage.as_secs_f64());
    let per_second = |rate: f64| {
        let clients = f64::from(question.clients);
        PER_EVENT * rate + clients * (1.0 / HOLD_S + PER_POLL / every_s)
    };
    let least = (20.0 * every_s).max(3.0 * outage_s + 10.0 * every_s);
    let wanted = (EVENTS / question.rate()).min(DAYS_MAX * DAY_S).max(least);
    let whole = match question.peak {
        Some(_) => (wanted / DAY_S).ceil().max(1.0) * DAY_S,
        None => wanted,
    };
    let affordable = BUDGET / per_second(question.rate());
    if question.peak.is_some() && affordable >= DAY_S {
        let days = (affordable / DAY_S).floor();
        let needed = ((outage_s + DAY_S) / DAY_S).ceil();
        if days >= needed {
            return Size { window: Window::Whole, window_s: whole.min(days * DAY_S), one_of: 1.0 };
        }
    }
    if question.peak.is_none() && affordable >= least {
        return Size { window: Window::Whole, window_s: whole.min(affordable), one_of: 1.0 };
    }
    let rate = question.peak_rate();
    let affordable = BUDGET / per_second(rate);
    let wanted = (EVENTS / rate).max(least);
    let window = if question.peak.is_some() { Window::Peak } else { Window::Whole };
    Size { window, window_s: wanted.min(affordable).max(least), one_of: (least / affordable).max(1.0) }
}
