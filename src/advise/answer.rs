//! The answer: a row per strategy, who is recommended and why, and where that flips.

use serde::Serialize;

use super::{
    Flip, Question, Size, Unanswerable, Window,
    flip::flips,
    run, scenario,
    size::size,
    volume::{Strategy, usage},
};
use crate::{
    cost::{MONTH_S, Side, Usage, bill},
    measure::{ConsumerResult, RunResult},
    model::RunId,
    record::ReadError,
    scenario::{LoadOptions, Mode, Plan, ScenarioError, load_cases},
};

/// What is answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Advice {
    /// The recommended strategy; `None` where nothing meets what is wanted.
    pub recommended: Option<String>,
    /// All strategies, cheapest for the consumer first.
    pub rows: Vec<Row>,
    /// Where a poller and a webhook cost the consumer the same.
    pub flips: Vec<Flip>,
    /// Seconds between two polls of a client.
    pub poll_every_s: f64,
    /// The freshest that the API's limit lets polling be; `None` without a limit.
    pub freshest_poll_s: Option<f64>,
    /// The wanted freshness in seconds.
    pub fresh_s: f64,
    /// The outage that is to be survived, in seconds.
    pub outage_s: Option<f64>,
    /// How much of it was run.
    pub size: Size,
    /// Events of the ordinary run.
    pub events: u64,
    /// The currency of all costs.
    pub currency: String,
    /// The price list and its date.
    pub prices: [String; 2],
    /// The scenario that was run.
    pub scenario: String,
}

/// One strategy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Its name in the scenario.
    pub strategy: String,
    /// Whether it needs no address that a provider can reach.
    pub only_asks: bool,
    /// 99th percentile of the age on an ordinary day; `None` where more than 1 % had no effect.
    pub age_p99_s: Option<f64>,
    /// Requests a day.
    pub requests_per_day: f64,
    /// The same by closed forms.
    pub requests_per_day_predicted: f64,
    /// Requests that the API's limit turned away in the run.
    pub rate_limited: u64,
    /// What the consumer pays a month.
    pub consumer_per_month: f64,
    /// What the provider pays a month.
    pub provider_per_month: f64,
    /// What decides the consumer's bill.
    pub mostly: Option<String>,
    /// Events of the outage that never took effect; `None` without an outage.
    pub lost: Option<u64>,
    /// From the outage's end to the last effect of what came due in it.
    pub caught_up_s: Option<f64>,
    /// What is not as wanted; empty where the goal is met.
    pub misses: Vec<String>,
}

/// Why there is no advice.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The question cannot be asked.
    #[error(transparent)]
    Question(#[from] Unanswerable),
    /// The scenario that it became is none.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The run cannot be judged.
    #[error(transparent)]
    Run(#[from] ReadError),
}

/// Answers it.
pub fn advise(question: &Question) -> Result<Advice, Failure> {
    question.check()?;
    let size = size(question);
    let text = scenario::text(question, &size);
    let options =
        LoadOptions { mode: Some(Mode::Virtual), ..LoadOptions::new("advice", RunId::from_bits(question.seed)) };
    let plans = load_cases(&text, &options)?.into_iter().map(|plan| Plan { cost: Some(question.cost.clone()), ..plan });
    let plans: Vec<Plan> = plans.collect();
    let runs = run::run(&plans)?;
    let mut rows: Vec<Row> = (0..Strategy::TABLE.len()).map(|no| row(question, &size, &runs, no)).collect();
    rows.sort_by(|a, b| a.consumer_per_month.total_cmp(&b.consumer_per_month));
    let list = &question.cost.prices;
    Ok(Advice {
        recommended: rows.iter().find(|row| row.misses.is_empty()).map(|row| row.strategy.clone()),
        rows,
        flips: flips(question),
        poll_every_s: question.poll_every_s(question.fresh.as_secs_f64()),
        freshest_poll_s: question.limit_per_s().map(|_| question.poll_every_s(0.0)),
        fresh_s: question.fresh.as_secs_f64(),
        outage_s: question.outage.map(|outage| outage.as_secs_f64()),
        size,
        events: runs.first().map_or(0, |run| run.provider.emitted),
        currency: list.currency.clone(),
        prices: [list.name.clone(), list.dated.clone()],
        scenario: text,
    })
}

fn row(question: &Question, size: &Size, runs: &[RunResult], no: usize) -> Row {
    let (name, strategy) = Strategy::TABLE[no];
    let consumer = |run: usize| runs.get(run).and_then(|run| run.consumers.get(no));
    let (ordinary, away) = (consumer(0), consumer(1));
    let predicted = usage(question, strategy, question.rate(), question.poll_every_s(question.fresh.as_secs_f64()));
    let measured = ordinary.and_then(|consumer| consumer.cost.as_ref()).map(|cost| cost.usage);
    let month = match (size.window, measured) {
        (Window::Whole, Some(measured)) => times(measured, size.one_of),
        _ => predicted,
    };
    let paid = |side| bill(&question.cost.prices, side, &month, question.cost.free_tier);
    let (consumer_bill, provider_bill) = (paid(Side::Consumer), paid(Side::Provider));
    let per_day = |usage: &Usage| (usage.polls + usage.webhooks_sent) / (MONTH_S / 86_400.0);
    let age_p99_s = ordinary.and_then(|consumer| consumer.age_s.as_ref()?.p99);
    let lost = away.map(never);
    let mut misses = Vec::new();
    if age_p99_s.is_none_or(|age| age >= question.fresh.as_secs_f64()) {
        misses.push("not fresh enough".to_owned());
    }
    if let Some(lost) = lost.filter(|lost| *lost > 0) {
        misses.push(format!("{lost} events lost"));
    }
    Row {
        strategy: name.to_owned(),
        only_asks: strategy.only_asks(),
        age_p99_s,
        requests_per_day: per_day(&month),
        requests_per_day_predicted: per_day(&predicted),
        rate_limited: ordinary.map_or(0, |consumer| consumer.rate_limited),
        consumer_per_month: consumer_bill.per_month,
        provider_per_month: provider_bill.per_month,
        mostly: consumer_bill.decides().map(|(term, _)| term.what.clone()),
        lost,
        caught_up_s: away.and_then(|consumer| consumer.recovery.as_ref()?.lag_max_s),
        misses,
    }
}

/// What never took effect.
fn never(consumer: &ConsumerResult) -> u64 {
    let classes = [consumer.lost, consumer.undelivered, consumer.dead_lettered, consumer.pending];
    classes.into_iter().flatten().sum()
}

/// So many times a month's usage; what one request takes stays the same.
fn times(usage: Usage, n: f64) -> Usage {
    Usage {
        polls: usage.polls * n,
        webhooks_sent: usage.webhooks_sent * n,
        webhooks_arrived: usage.webhooks_arrived * n,
        remembered: usage.remembered * n,
        ..usage
    }
}
