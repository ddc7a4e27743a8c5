//! A sweep as text.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

use super::sentence;
use crate::{
    measure::{PointConsumer, Sweep, quantity},
    report::format::{in_unit, mode, plural},
};

/// What the table shows of each consumer.
pub(super) const SHOWN: [(&str, &str); 6] = [
    ("requests", "requests"),
    ("wasted_share", "wasted"),
    ("age_s.mean", "age, mean"),
    ("lost", "lost"),
    ("cost_per_month.consumer", "cost, consumer"),
    ("cost_per_month.provider", "cost, provider"),
];

/// The whole report as text.
#[must_use]
pub fn text(sweep: &Sweep) -> String {
    let plan = &sweep.plan;
    let mut out = format!("{}\n", plan.title);
    let keys: Vec<&str> = plan.axes.iter().map(|axis| axis.key.as_str()).collect();
    let _ = writeln!(
        out,
        "{} over {}: {} of {} from {} on, {} time\n",
        plan.scenario,
        keys.join(" and "),
        plural(sweep.points.len() as u64, "point"),
        plural(plan.seeds.into(), "seed"),
        plan.seed,
        mode(plan.mode)
    );
    let void: u32 = sweep.points.iter().map(|point| point.void).sum();
    if void > 0 {
        let _ = writeln!(out, "VOID: do not believe the figures of {}\n", plural(void.into(), "run"));
    }
    let _ = writeln!(out, "{}", table(sweep).trim_fmt());
    out.push_str(if sweep.break_evens.is_empty() { "\nNo two consumers change places.\n" } else { "\nBreak-even\n" });
    for even in &sweep.break_evens {
        let _ = writeln!(out, "  {}", sentence(even));
    }
    let _ = writeln!(out, "\nReproduce: {}", plan.reproduce);
    out
}

/// The heads of the table: what varies, the consumer, the quantities that anybody has.
pub(super) fn heads(sweep: &Sweep) -> (Vec<String>, Vec<&'static str>) {
    let had = |name: &str| sweep.points.iter().flat_map(|point| &point.consumers).any(|c| c.figures.contains_key(name));
    let shown: Vec<(&str, &str)> = SHOWN.into_iter().filter(|(name, _)| had(name)).collect();
    let keys = sweep.plan.axes.iter().map(|axis| axis.key.clone());
    let heads = keys.chain(["consumer".to_owned()]).chain(shown.iter().map(|(_, head)| (*head).to_owned()));
    let heads = heads.chain(["age, p99".to_owned(), "expectations".to_owned()]).collect();
    (heads, shown.into_iter().map(|(name, _)| name).collect())
}

/// The rows: for each point each consumer. The 99th percentile is that of all seeds' ages together.
pub(super) fn rows(sweep: &Sweep, names: &[&str]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for point in &sweep.points {
        for (no, consumer) in point.consumers.iter().enumerate() {
            let held = match (no, point.void) {
                (0, 0) => format!("{} of {}", point.passing, sweep.plan.seeds),
                (0, void) => format!("{void} void"),
                _ => String::new(),
            };
            let values = point.values.iter().map(|value| if no == 0 { value.clone() } else { String::new() });
            let figures = names.iter().map(|name| figure(consumer, name));
            let p99 = consumer.ages.as_ref().and_then(|age| age.p99);
            let p99 = p99.map_or_else(|| "-".to_owned(), crate::report::format::seconds);
            rows.push(values.chain([consumer.name.clone()]).chain(figures).chain([p99, held]).collect());
        }
    }
    rows
}

fn figure(consumer: &PointConsumer, name: &str) -> String {
    let found = consumer.figures.get(name).zip(quantity(name));
    found.map_or_else(|| "-".to_owned(), |(estimate, quantity)| in_unit(estimate.mean, quantity.unit))
}

fn table(sweep: &Sweep) -> Table {
    let (heads, names) = heads(sweep);
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled).set_header(heads);
    for row in rows(sweep, &names) {
        table.add_row(row);
    }
    let texts = sweep.plan.axes.len() + 1;
    table.column_iter_mut().skip(texts).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}
