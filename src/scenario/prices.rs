//! Price files, and `[cost]`: which one a scenario's bills are made from.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{
    ScenarioError,
    error::{At, Problem},
    load::LoadOptions,
    locate::{File, locate, syntax_error},
    names::{Choice, choose, suggest},
    raw::RawCost,
    units::parse_span,
};
use crate::cost::{Price, PriceList, Tier, Unit, Use, Uses};

/// The price list in the binary, and the name that it goes by.
pub const EMBEDDED_PRICES: (&str, &str) = ("aws-us-east-1", include_str!("../../prices/aws-us-east-1.toml"));

/// What makes no bill at all.
const NONE: &str = "none";

/// What a run's bills are made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CostPlan {
    /// The prices.
    pub prices: PriceList,
    /// Whether what is free each month is not paid for.
    pub free_tier: bool,
}

/// A price file as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPriceList {
    name: String,
    currency: String,
    dated: String,
    #[serde(default)]
    price: Vec<RawPrice>,
    #[serde(default)]
    consumer: RawUses,
    #[serde(default)]
    provider: RawUses,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrice {
    name: String,
    unit: String,
    amount: f64,
    per: Option<f64>,
    #[serde(default)]
    beyond: Vec<RawTier>,
    free: Option<f64>,
    source: String,
    dated: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTier {
    from: f64,
    amount: f64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawUses {
    #[serde(default)]
    webhook: Vec<RawUse>,
    #[serde(default)]
    poll: Vec<RawUse>,
    #[serde(default)]
    month: Vec<RawUse>,
    #[serde(default)]
    ledger: Vec<RawUse>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawUse {
    price: String,
    times: Option<f64>,
    memory_gb: Option<f64>,
    duration: Option<String>,
    bytes: Option<f64>,
}

/// Reads `[cost]`, and the price list that it or the command line names.
pub(super) fn read_cost(
    raw: &RawCost,
    scenario: &File<'_>,
    options: &LoadOptions,
) -> Result<Option<CostPlan>, ScenarioError> {
    let free_tier = raw.free_tier.unwrap_or(false);
    let with = |prices| Some(CostPlan { prices, free_tier });
    if let Some(path) = &options.prices {
        return named(&path.to_string_lossy(), Path::new(""), |problem, fix| ScenarioError {
            file: "--prices".to_owned(),
            line: None,
            key: path.to_string_lossy().into_owned(),
            problem,
            fix,
        })
        .map(|list| list.and_then(with));
    }
    let name = raw.prices.as_deref().unwrap_or(EMBEDDED_PRICES.0);
    let at = At::default().key("cost").key("prices");
    named(name, &options.dir, |problem, fix| locate(at.problem(problem, fix), scenario)).map(|list| list.and_then(with))
}

/// The list of this name: the embedded one, a file, or none.
fn named(
    name: &str,
    dir: &Path,
    complain: impl Fn(String, String) -> ScenarioError,
) -> Result<Option<PriceList>, ScenarioError> {
    if name == NONE {
        return Ok(None);
    }
    if name == EMBEDDED_PRICES.0 {
        return price_list(EMBEDDED_PRICES.1, name).map(Some);
    }
    if !name.ends_with(".toml") {
        let fix = format!("write a file such as \"mine.toml\", \"{}\" or \"{NONE}\"", EMBEDDED_PRICES.0);
        return Err(complain(format!("\"{name}\" is no price list"), fix));
    }
    let path = dir.join(name);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        let fix = "name a price file; `pushpull prices` prints one to start from".to_owned();
        complain(format!("cannot read {}: {error}", path.display()), fix)
    })?;
    price_list(&text, &path.to_string_lossy()).map(Some)
}

/// Reads a price file. `file` is what errors call it.
pub fn price_list(text: &str, file: &str) -> Result<PriceList, ScenarioError> {
    let file = File { source: text, name: file, exact: true, help: "`pushpull prices` prints one to start from" };
    let raw: RawPriceList = toml::from_str(text).map_err(|error| syntax_error(&error, &file))?;
    build(&raw).map_err(|problem| locate(problem, &file))
}

fn build(raw: &RawPriceList) -> Result<PriceList, Problem> {
    let top = At::default();
    let mut prices: Vec<Price> = Vec::new();
    for (index, one) in raw.price.iter().enumerate() {
        let at = top.key("price").index(index);
        if prices.iter().any(|earlier| earlier.name == one.name) {
            return Err(at
                .key("name")
                .problem(format!("\"{}\" is there twice", one.name), "give each price its own name"));
        }
        prices.push(read_price(&at, one)?);
    }
    let uses = |side: &str, raw: &RawUses| read_uses(&top.key(side), raw, &prices);
    Ok(PriceList {
        name: raw.name.clone(),
        currency: raw.currency.clone(),
        dated: raw.dated.clone(),
        consumer: uses("consumer", &raw.consumer)?,
        provider: uses("provider", &raw.provider)?,
        prices,
    })
}

fn read_price(at: &At, raw: &RawPrice) -> Result<Price, Problem> {
    let per = raw.per.unwrap_or(1.0);
    if !(per.is_finite() && per > 0.0) {
        return Err(at
            .key("per")
            .problem(format!("{per} units"), "write for how many units the amount is, such as 1_000_000"));
    }
    let mut tiers = vec![Tier { from: 0.0, amount: amount(&at.key("amount"), raw.amount)? / per }];
    for (index, tier) in raw.beyond.iter().enumerate() {
        let at = at.key("beyond").index(index);
        if !(tier.from.is_finite() && tiers.last().is_some_and(|last| tier.from > last.from)) {
            return Err(at.key("from").problem(
                format!("{} units do not lie above the tier before", tier.from),
                "write the tiers in ascending order, each from a number of units a month",
            ));
        }
        tiers.push(Tier { from: tier.from, amount: amount(&at.key("amount"), tier.amount)? / per });
    }
    let units = Unit::TABLE.map(|(name, unit)| (name, Choice::Here(unit)));
    Ok(Price {
        name: raw.name.clone(),
        unit: choose(&at.key("unit"), &raw.unit, &units)?,
        tiers,
        free: amount(&at.key("free"), raw.free.unwrap_or(0.0))?,
        source: raw.source.clone(),
        dated: raw.dated.clone(),
    })
}

/// A number that is not below nothing.
fn amount(at: &At, value: f64) -> Result<f64, Problem> {
    if value.is_finite() && value >= 0.0 {
        return Ok(value);
    }
    Err(at.problem(format!("{value} is no amount"), "write a number from 0"))
}

fn read_uses(at: &At, raw: &RawUses, prices: &[Price]) -> Result<Uses, Problem> {
    let list = |key: &str, raw: &[RawUse], allowed: &[Unit]| {
        let at = at.key(key);
        let read = |(index, one): (usize, &RawUse)| read_use(&at.index(index), one, prices, (key, allowed));
        raw.iter().enumerate().map(read).collect::<Result<Vec<Use>, Problem>>()
    };
    const OF_REQUESTS: [Unit; 3] = [Unit::Request, Unit::GbSecond, Unit::Gb];
    Ok(Uses {
        webhook: list("webhook", &raw.webhook, &OF_REQUESTS)?,
        poll: list("poll", &raw.poll, &OF_REQUESTS)?,
        month: list("month", &raw.month, &[Unit::Month, Unit::Request])?,
        ledger: list("ledger", &raw.ledger, &[Unit::GbMonth])?,
    })
}

fn read_use(at: &At, raw: &RawUse, prices: &[Price], (list, allowed): (&str, &[Unit])) -> Result<Use, Problem> {
    let Some(index) = prices.iter().position(|price| price.name == raw.price) else {
        let known: Vec<&str> = prices.iter().map(|price| price.name.as_str()).collect();
        return Err(at
            .key("price")
            .problem(format!("there is no price \"{}\"", raw.price), suggest(&raw.price, &known)));
    };
    let unit = prices[index].unit;
    let unit_name = Unit::TABLE.iter().find(|(_, known)| *known == unit).map_or("", |(name, _)| name);
    if !allowed.contains(&unit) {
        let fits: Vec<&str> =
            Unit::TABLE.iter().filter(|(_, unit)| allowed.contains(unit)).map(|(name, _)| *name).collect();
        return Err(at.key("price").problem(
            format!("a price per {unit_name} does not fit under {list}"),
            format!("use a price whose unit is {}", fits.join(" or ")),
        ));
    }
    // What a unit needs to be counted, and nothing else.
    let (memory, bytes) = (unit == Unit::GbSecond, matches!(unit, Unit::Gb | Unit::GbMonth));
    let given = [
        ("memory_gb", raw.memory_gb.is_some(), memory),
        ("duration", raw.duration.is_some(), memory),
        ("bytes", raw.bytes.is_some(), bytes),
    ];
    if let Some((key, given, _)) = given.iter().find(|(_, given, needed)| given != needed) {
        let needs = if memory { "memory_gb and duration" } else { "bytes" };
        return Err(match given {
            true => at.key(key).problem(format!("a price per {unit_name} has no use for it"), "remove it"),
            false => at.key(key).problem("is missing", format!("a price per {unit_name} needs {needs}")),
        });
    }
    let duration_at = at.key("duration");
    let duration = raw.duration.as_deref().map(|text| {
        parse_span(text).map(|span| span.as_secs_f64()).map_err(|error| duration_at.problem(error.problem, error.fix))
    });
    Ok(Use {
        price: index as u16,
        times: amount(&at.key("times"), raw.times.unwrap_or(1.0))?,
        memory_gb: amount(&at.key("memory_gb"), raw.memory_gb.unwrap_or(0.0))?,
        duration_s: duration.transpose()?.unwrap_or(0.0),
        bytes: amount(&at.key("bytes"), raw.bytes.unwrap_or(0.0))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::{Side, Usage, bill, per_poll, per_webhook};

    fn embedded() -> PriceList {
        price_list(EMBEDDED_PRICES.1, EMBEDDED_PRICES.0).unwrap()
    }

    /// models.md 2.18, in dollars per million.
    #[test]
    fn a_million_polls_and_webhooks_cost_what_was_published() {
        let (list, none) = (embedded(), Usage::default());
        let per_million = |of: fn(&PriceList, Side, &Usage) -> f64, side| of(&list, side, &none) * 1e6;
        for (of, side, published) in [
            (per_webhook as fn(&PriceList, Side, &Usage) -> f64, Side::Consumer, 2.504),
            (per_poll, Side::Consumer, 0.617),
            (per_poll, Side::Provider, 1.287),
            (per_webhook, Side::Provider, 1.38),
        ] {
            assert!((per_million(of, side) - published).abs() < 5e-4, "{side:?}: {}", per_million(of, side));
        }
        let ratio = |side| per_poll(&list, side, &none) / per_webhook(&list, side, &none);
        assert!((ratio(Side::Consumer) - 0.246).abs() < 5e-4 && (ratio(Side::Provider) - 0.93).abs() < 5e-3);
    }

    #[test]
    fn every_price_says_when_and_by_whom() {
        let list = embedded();
        assert!(list.prices.iter().all(|price| !price.source.is_empty() && !price.dated.is_empty()));
        assert!(!list.dated.is_empty());
        let used = |one: &Use| usize::from(one.price);
        for (i, price) in list.prices.iter().enumerate() {
            let uses = [&list.consumer, &list.provider].map(|u| [&u.webhook, &u.poll, &u.month, &u.ledger]);
            assert!(uses.iter().flatten().flat_map(|uses| uses.iter()).any(|one| used(one) == i), "{}", price.name);
        }
    }

    #[test]
    fn a_bill_names_what_decides_it_and_a_measured_duration_replaces_the_assumed_one() {
        let list = embedded();
        let month = Usage { polls: 1e6, remembered: 1e7, ..Usage::default() };
        let assumed = bill(&list, Side::Consumer, &month, false);
        let (term, share) = assumed.decides().unwrap();
        // 0.417 of 0.867: a gigabyte of ten million ids costs 0.25.
        assert_eq!(term.what, "Lambda, GB-seconds");
        assert!((assumed.per_month - 0.8667).abs() < 1e-3 && (share - 0.481).abs() < 1e-3, "{assumed:?}");
        let measured = bill(&list, Side::Consumer, &Usage { poll_s: Some(0.02), ..month }, false);
        assert!((measured.per_month - (0.2 + 0.0417 + 0.25)).abs() < 1e-3, "{measured:?}");
        let held = bill(&list, Side::Consumer, &Usage { held_s: 29.8, ..month }, false);
        assert!((held.per_month - (0.2 + 62.5 + 0.25)).abs() < 1e-2, "{held:?}");
        // All of it is within what is free.
        assert_eq!(bill(&list, Side::Consumer, &month, true).per_month, 0.0);
    }
}
