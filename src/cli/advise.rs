//! `pushpull advise`: plain numbers in, a recommendation out.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::{Exit, judge::options, print};
use crate::{
    advise::{Peak, Question, advise},
    model::Span,
    policy::RetryRule,
    report,
    scenario::{
        CostPlan, EMBEDDED_PRICES, price_list,
        units::{UnitError, parse_rate, parse_span},
    },
};

/// Arguments of `pushpull advise`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  pushpull advise --events 40000/day --fresh 60s\n  \
    pushpull advise --events 40000/day --peak-at 12:00 --peak-to-mean 3 --fresh 60s \\\n      \
        --api-limit 2/s --outage 10min\n  \
    pushpull advise --events 200/day --fresh 5s --clients 50 --prices mine.toml --save mine-too.toml\n\n\
    It runs a scenario in virtual time and says so; --save FILE keeps it: pushpull run FILE --mode virtual.")]
pub(super) struct AdviseArgs {
    /// How many events there are, all clients together: 40000/day, 2/s.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    events: (u64, Span),
    /// When most events come, as 12:00. Default: they come evenly, by chance.
    #[arg(long, value_name = "HH:MM", value_parser = time_of_day)]
    peak_at: Option<String>,
    /// The highest rate of the day over its mean, 1 to 20. Default 3 where there is a peak.
    #[arg(long, value_name = "RATIO")]
    peak_to_mean: Option<f64>,
    /// 99 % of the events are to be in effect within this time.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = span)]
    fresh: Span,
    /// Requests that the pull API allows, all clients together. Default: any number.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    api_limit: Option<(u64, Span)>,
    /// The consumer is away for this long, and nothing may be lost. Default: it is always there.
    #[arg(long, value_name = "TIME", value_parser = span)]
    outage: Option<Span>,
    /// Polling clients or webhook endpoints, each with its own share of the events.
    #[arg(long, value_name = "N", default_value_t = 1)]
    clients: u32,
    /// How the provider repeats a failed webhook: classic, standard-webhooks or never.
    #[arg(long, value_name = "NAME", default_value = "standard-webhooks", value_parser = retry)]
    retry: String,
    /// A price file instead of the list in the binary: `pushpull prices` prints one to start from.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// Do not pay for what the price list gives for free each month.
    #[arg(long)]
    free_tier: bool,
    /// Seed of the runs.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Write the scenario that was run to this file.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &AdviseArgs) -> anyhow::Result<Exit> {
    let question = question(args)?;
    let advice = advise(&question)?;
    if let Some(path) = &args.save {
        if path.exists() {
            bail!("--save {}: the file is there already\n  fix: name a new one, or remove it first", path.display());
        }
        std::fs::write(path, &advice.scenario)
            .with_context(|| format!("--save {}: cannot be written; name another file", path.display()))?;
    }
    if args.json {
        print(&format!("{}\n", serde_json::to_string_pretty(&advice)?))?;
    } else {
        print(&report::advice::render(&advice, options()))?;
        print(&match &args.save {
            Some(path) => format!("\nScenario: {0}; again: pushpull run {0} --mode virtual\n", path.display()),
            None => "\nThe scenario that was run: add --save FILE\n".to_owned(),
        })?;
    }
    Ok(if advice.recommended.is_some() { Exit::Good } else { Exit::ExpectationFailed })
}

fn question(args: &AdviseArgs) -> anyhow::Result<Question> {
    let (count, per) = args.events;
    let peak = (args.peak_at.is_some() || args.peak_to_mean.is_some()).then(|| Peak {
        at: args.peak_at.clone().unwrap_or_else(|| "12:00".to_owned()),
        to_mean: args.peak_to_mean.unwrap_or(3.0),
    });
    let (prices_name, prices) = match &args.prices {
        None => (EMBEDDED_PRICES.0.to_owned(), price_list(EMBEDDED_PRICES.1, EMBEDDED_PRICES.0)?),
        Some(path) => own_prices(path)?,
    };
    Ok(Question {
        per_day: count as f64 * 86_400.0 / per.as_secs_f64(),
        peak,
        fresh: args.fresh,
        api_limit: args.api_limit,
        outage: args.outage,
        clients: args.clients,
        retry: args.retry.clone(),
        cost: CostPlan { prices, free_tier: args.free_tier },
        prices_name,
        seed: args.seed,
    })
}

/// The list in a file, and a name by which a saved scenario finds it from anywhere.
fn own_prices(path: &Path) -> anyhow::Result<(String, crate::cost::PriceList)> {
    let text = std::fs::read_to_string(path).with_context(|| {
        format!("--prices {}: cannot be read; `pushpull prices` prints a list to start from", path.display())
    })?;
    let list = price_list(&text, &path.to_string_lossy())?;
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    Ok((whole.to_string_lossy().into_owned(), list))
}

fn rate(text: &str) -> Result<(u64, Span), UnitError> {
    parse_rate(text)
}

fn span(text: &str) -> Result<Span, UnitError> {
    parse_span(text)
}

fn time_of_day(text: &str) -> Result<String, UnitError> {
    let read = |part: &str, below: u32| part.len() == 2 && part.parse::<u32>().is_ok_and(|n| n < below);
    match text.split_once(':') {
        Some((hours, minutes)) if read(hours, 24) && read(minutes, 60) => Ok(text.to_owned()),
        _ => Err(UnitError {
            problem: format!("'{text}' is no time of day"),
            fix: "write hours and minutes: 12:00".to_owned(),
        }),
    }
}

fn retry(text: &str) -> Result<String, UnitError> {
    let names = RetryRule::TABLE.map(|(name, _)| name);
    if names.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(UnitError {
        problem: format!("there is no schedule '{text}'"),
        fix: format!("write one of: {}", names.join(", ")),
    })
}
