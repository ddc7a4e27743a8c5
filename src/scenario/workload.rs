//! `[workload]`: when events happen, to what, and what they say.

use std::path::Path;

use super::{
    Distribution,
    capture::read_capture,
    error::{At, Problem},
    load::{Scale, span_or, within},
    names::{Choice, choose},
    raw::{RawArrivals, RawWorkload},
    units::parse_rate,
};
use crate::{
    model::Span,
    wire::{CaptureKeys, is_event_type},
    workload::{Arrivals, Bursty, Constant, Diurnal, OnOff, Pairs, Payload, Poisson, Replay, Workload},
};

/// How a kind is read.
#[derive(Clone, Copy)]
struct Reader {
    /// The keys that it takes beside `kind`.
    keys: &'static [&'static str],
    read: fn(&Source<'_>) -> Result<Arrivals, Problem>,
}

/// The table as written, and where it stands.
struct Source<'a> {
    at: &'a At,
    raw: &'a RawArrivals,
    scale: Scale,
    /// Where paths start.
    dir: &'a Path,
}

const KINDS: [(&str, Choice<Reader>); 7] = [
    ("constant", Choice::Here(Reader { keys: &["rate"], read: |source| Ok(source.constant()?.into()) })),
    ("poisson", Choice::Here(Reader { keys: &["rate"], read: |source| Ok(source.poisson()?.into()) })),
    (
        "bursty",
        Choice::Here(Reader {
            keys: &["rate", "burst", "gap", "distribution"],
            read: |source| Ok(source.bursty()?.into()),
        }),
    ),
    (
        "on-off",
        Choice::Here(Reader {
            keys: &["rate", "burst", "gap", "distribution"],
            read: |source| Ok(source.on_off()?.into()),
        }),
    ),
    (
        "diurnal",
        Choice::Here(Reader {
            keys: &["per_day", "peak_at", "peak_to_mean", "starts_at"],
            read: |source| Ok(source.diurnal()?.into()),
        }),
    ),
    ("pairs", Choice::Here(Reader { keys: &["rate", "gap"], read: |source| Ok(source.pairs()?.into()) })),
    (
        "replay",
        Choice::Here(Reader {
            keys: &["file", "speed", "time_key", "id_key", "subject_key"],
            read: |source| Ok(source.replay()?.into()),
        }),
    ),
];

/// `of_profile`: the type of the events where a profile says what they look like.
pub(super) fn read_workload(
    at: &At,
    raw: &RawWorkload,
    (scale, dir): (Scale, &Path),
    of_profile: Option<&str>,
) -> Result<Workload, Problem> {
    let mut arrivals = read_arrivals(&at.key("arrivals"), raw.arrivals.as_ref(), scale, dir)?;
    let event_type = match of_profile {
        Some(_) if matches!(arrivals, Arrivals::Replay(_)) => {
            let fix = "remove the provider's profile, or replay nothing";
            return Err(at.key("arrivals").problem("captured events are not what the provider's profile sends", fix));
        }
        Some(event_type) => event_type.to_owned(),
        None => read_event_type(&at.key("event_type"), raw.event_type.as_deref())?,
    };
    let bytes = within(&at.key("payload_bytes"), raw.payload_bytes, 512, (200, 262_144))?;
    let mut subjects = within(&at.key("subjects"), raw.subjects, 50, (1, 10_000_000))?;
    if let Arrivals::Replay(replay) = &arrivals {
        refuse_what_a_capture_says(at, raw, replay)?;
        subjects = replay.subjects.unwrap_or(subjects);
    }
    if let Arrivals::OnOff(on_off) = &mut arrivals {
        on_off.sources = subjects;
    }
    Ok(Workload { arrivals, subjects, payload: Payload { event_type, bytes } })
}

fn read_event_type(at: &At, text: Option<&str>) -> Result<String, Problem> {
    let event_type = text.unwrap_or("order.updated");
    if !is_event_type(event_type) {
        return Err(at.problem(
            format!("\"{event_type}\" is no event type"),
            "write letters, digits, '.', '_' and '-', such as \"order.updated\"",
        ));
    }
    Ok(event_type.to_owned())
}

/// What the captured events say themselves cannot be said of them as well.
fn refuse_what_a_capture_says(at: &At, raw: &RawWorkload, replay: &Replay) -> Result<(), Problem> {
    let said = [
        ("event_type", raw.event_type.is_some()),
        ("payload_bytes", raw.payload_bytes.is_some()),
        ("subjects", raw.subjects.is_some() && replay.subjects.is_some()),
    ];
    match said.iter().find(|(_, given)| *given) {
        Some((key, _)) => Err(at.key(key).problem("the captured events say that themselves", "remove it")),
        None => Ok(()),
    }
}

fn read_arrivals(at: &At, raw: Option<&RawArrivals>, scale: Scale, dir: &Path) -> Result<Arrivals, Problem> {
    let default = RawArrivals { kind: "poisson".to_owned(), ..RawArrivals::default() };
    let raw = raw.unwrap_or(&default);
    let reader = choose(&at.key("kind"), &raw.kind, &KINDS)?;
    refuse_foreign_keys(at, raw, reader.keys)?;
    (reader.read)(&Source { at, raw, scale, dir })
}

/// A key that means nothing for this kind would silently change nothing.
fn refuse_foreign_keys(at: &At, raw: &RawArrivals, keys: &[&str]) -> Result<(), Problem> {
    let given = [
        ("rate", raw.rate.is_some()),
        ("burst", raw.burst.is_some()),
        ("gap", raw.gap.is_some()),
        ("distribution", raw.distribution.is_some()),
        ("per_day", raw.per_day.is_some()),
        ("peak_at", raw.peak_at.is_some()),
        ("peak_to_mean", raw.peak_to_mean.is_some()),
        ("starts_at", raw.starts_at.is_some()),
        ("file", raw.file.is_some()),
        ("speed", raw.speed.is_some()),
        ("time_key", raw.time_key.is_some()),
        ("id_key", raw.id_key.is_some()),
        ("subject_key", raw.subject_key.is_some()),
    ];
    match given.iter().find(|(key, given)| *given && !keys.contains(key)) {
        Some((key, _)) => Err(at.key(key).problem(
            format!("means nothing for kind = \"{}\"", raw.kind),
            format!("remove it; \"{}\" takes {}", raw.kind, keys.join(", ")),
        )),
        None => Ok(()),
    }
}

impl Source<'_> {
    fn constant(&self) -> Result<Constant, Problem> {
        let Poisson { count, per } = self.poisson()?;
        Ok(Constant { count, per })
    }

    fn poisson(&self) -> Result<Poisson, Problem> {
        let at = self.at.key("rate");
        let text = self.raw.rate.as_deref().unwrap_or("10/s");
        let (count, per) = parse_rate(text).map_err(|error| at.problem(error.problem, error.fix))?;
        let per = self.scale.span(per);
        if per.0 < count {
            return Err(at.problem("more than an event per nanosecond", "lower the rate, or time_scale"));
        }
        Ok(Poisson { count, per })
    }

    fn bursty(&self) -> Result<Bursty, Problem> {
        const DISTRIBUTIONS: [(&str, Choice<Distribution>); 2] = [
            ("constant", Choice::Here(Distribution::Constant)),
            ("exponential", Choice::Here(Distribution::Exponential)),
        ];
        let burst = self.required_span("burst", self.raw.burst.as_deref(), "5s")?;
        if burst < Span::from_millis(1) {
            return Err(self.at.key("burst").problem(
                format!("a burst of {burst} (after time_scale) is below the timer's grain"),
                "write at least \"1ms\" of driver time",
            ));
        }
        let name = self.raw.distribution.as_deref().unwrap_or("constant");
        Ok(Bursty {
            within: self.poisson()?,
            burst,
            gap: self.required_span("gap", self.raw.gap.as_deref(), "30s")?,
            distribution: choose(&self.at.key("distribution"), name, &DISTRIBUTIONS)?,
        })
    }

    /// The same for each subject; how many there are is said elsewhere.
    fn on_off(&self) -> Result<OnOff, Problem> {
        let Bursty { within, burst, gap, distribution } = self.bursty()?;
        Ok(OnOff { within, burst, gap, distribution, sources: 1 })
    }

    fn diurnal(&self) -> Result<Diurnal, Problem> {
        let per_day_at = self.at.key("per_day");
        let per_day = self
            .raw
            .per_day
            .ok_or_else(|| per_day_at.problem("how many events has a day?", "write per_day = 40000"))?;
        let day = self.scale.span(Span::from_secs(86_400));
        // At a peak of 20 times the mean there is still a nanosecond between two candidates.
        let per_day = within(&per_day_at, Some(per_day), 1, (1, (day.0 / 20).max(1)))?;
        Ok(Diurnal {
            per_day,
            day,
            starts_at: self.time_of_day("starts_at", self.raw.starts_at.as_deref(), "00:00")?,
            peak_at: self.time_of_day("peak_at", self.raw.peak_at.as_deref(), "12:00")?,
            peak_to_mean: within(&self.at.key("peak_to_mean"), self.raw.peak_to_mean, 3.0, (1.0, 20.0))?,
        })
    }

    fn pairs(&self) -> Result<Pairs, Problem> {
        let gap = self.required_span("gap", self.raw.gap.as_deref(), "300ms")?;
        Ok(Pairs { pairs: self.poisson()?, gap })
    }

    fn replay(&self) -> Result<Replay, Problem> {
        let RawArrivals { file, speed, time_key, id_key, subject_key, .. } = self.raw;
        let file_at = self.at.key("file");
        let file = file.as_deref().ok_or_else(|| {
            file_at.problem("\"replay\" needs a file of captured events", "write file = \"captured.jsonl\"")
        })?;
        let speed = within(&self.at.key("speed"), *speed, 1.0, (1e-6, 1e9))?;
        let keys = CaptureKeys { time: time_key.clone(), id: id_key.clone(), subject: subject_key.clone() };
        read_capture(&file_at, file, &self.dir.join(file), keys, speed * self.scale.0)
    }

    /// A span of scenario time that has no sensible default.
    fn required_span(&self, key: &str, text: Option<&str>, example: &str) -> Result<Span, Problem> {
        let at = self.at.key(key);
        if text.is_none() {
            let problem = format!("\"{}\" needs a {key}", self.raw.kind);
            return Err(at.problem(problem, format!("write {key} = \"{example}\"")));
        }
        Ok(self.scale.span(span_or(&at, text, Span::ZERO)?))
    }

    /// `"HH:MM"` as the driver time since the day began.
    fn time_of_day(&self, key: &str, text: Option<&str>, default: &str) -> Result<Span, Problem> {
        let text = text.unwrap_or(default);
        let minutes = parse_time_of_day(text).ok_or_else(|| {
            self.at.key(key).problem(format!("'{text}' is no time of day"), "write hours and minutes: \"09:30\"")
        })?;
        Ok(self.scale.span(Span::from_secs(60 * minutes)))
    }
}

/// Minutes since midnight.
fn parse_time_of_day(text: &str) -> Option<u64> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str, below: u64| {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|number: &u64| digits && *number < below)
    };
    Some(60 * number(hours, 24)? + number(minutes, 60)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_read_strictly() {
        assert_eq!((parse_time_of_day("00:00"), parse_time_of_day("23:59")), (Some(0), Some(1_439)));
        for bad in ["24:00", "12:60", "9:30", "noon", "12", "12:00:00", "+1:00", ""] {
            assert_eq!(parse_time_of_day(bad), None, "{bad}");
        }
    }
}
