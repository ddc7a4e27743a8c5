//! Advice for the terminal: the sentence, the table, where it flips, and what every number comes from.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

use super::{
    format::{count, digits, money, percent, plural, seconds},
    text::{Options, wrap},
};
use crate::advise::{Advice, Flip, Row, Window};

/// The whole answer.
#[must_use]
pub fn render(advice: &Advice, options: Options) -> String {
    let mut out = String::new();
    let width = usize::from(options.width).max(40);
    paragraph(&mut out, width, &recommendation(advice));
    let _ = writeln!(out, "\n{}", table(advice).trim_fmt());
    section(&mut out, width, "Where the answer flips", &flips(advice));
    section(&mut out, width, "Where the numbers come from", &sources(advice));
    out
}

fn paragraph(out: &mut String, width: usize, text: &str) {
    for line in wrap(text, width, 0, 0) {
        let _ = writeln!(out, "{line}");
    }
}

fn section(out: &mut String, width: usize, title: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for item in items {
        for (i, line) in wrap(item, width, 4, 4).iter().enumerate() {
            let _ = writeln!(out, "  {} {line}", if i == 0 { "-" } else { " " });
        }
    }
}

/// What to do, in words.
fn manner(advice: &Advice, strategy: &str) -> String {
    match strategy {
        "poll" => format!("poll every {}", seconds(advice.poll_every_s)),
        "long-poll" => "poll with requests that are held until there is something".to_owned(),
        "webhook" => "take webhooks".to_owned(),
        _ => "take webhooks, and reconcile with a poll now and then".to_owned(),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn recommendation(advice: &Advice) -> String {
    let Some(best) = advice.rows.iter().find(|row| Some(&row.strategy) == advice.recommended.as_ref()) else {
        let why = |row: &Row| format!("{}: {}", row.strategy, row.misses.join(", "));
        let all: Vec<String> = advice.rows.iter().map(why).collect();
        return format!("Nothing here meets what is wanted ({}). Something has to give.", all.join("; "));
    };
    let paid = |row: &Row| money(row.consumer_per_month, &advice.currency);
    let fresh = best.age_p99_s.map_or_else(|| "later than the run".to_owned(), seconds);
    let mut said = format!(
        "{}: 99 % of the events are in effect within {fresh} (wanted: {}), for {} a month.",
        capital(&manner(advice, &best.strategy)),
        seconds(advice.fresh_s),
        paid(best),
    );
    // The best of the other kind: what the choice is about.
    let other = |row: &&Row| row.only_asks != best.only_asks;
    match advice.rows.iter().filter(other).find(|row| row.misses.is_empty()) {
        Some(next) => {
            let _ = write!(said, " To {} would cost {}", manner(advice, &next.strategy), paid(next));
            if next.consumer_per_month > 0.0 && best.consumer_per_month > 0.0 {
                let _ = write!(said, ", {} times as much", digits(next.consumer_per_month / best.consumer_per_month));
            }
            said.push('.');
        }
        None => {
            if let Some(next) = advice.rows.iter().find(other) {
                let _ =
                    write!(said, " To {} would not do: {}.", manner(advice, &next.strategy), next.misses.join(", "));
            }
        }
    }
    if best.only_asks {
        said += " Polling wins here.";
    }
    said += &after_the_outage(advice);
    said
}

/// Who is up to date first once the consumer is back, and who last.
fn after_the_outage(advice: &Advice) -> String {
    let back = advice.rows.iter().filter_map(|row| Some((row, row.caught_up_s?)));
    let Some((first, first_s)) = back.clone().min_by(|a, b| a.1.total_cmp(&b.1)) else { return String::new() };
    let Some((last, last_s)) = back.max_by(|a, b| a.1.total_cmp(&b.1)) else { return String::new() };
    let outage = seconds(advice.outage_s.unwrap_or_default());
    format!(
        " After {outage} away {} has caught up within {}, {} within {}.",
        first.strategy,
        seconds(first_s),
        last.strategy,
        seconds(last_s)
    )
}

fn table(advice: &Advice) -> Table {
    let outage = advice.outage_s.is_some();
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    let mut head = vec!["strategy", "age, p99", "requests\na day", "consumer\npays a month", "provider\npays a month"];
    if outage {
        head.extend(["lost in\nthe outage", "caught up\nafter it"]);
    }
    head.push("goal");
    table.set_header(head);
    for row in &advice.rows {
        let mut cells = vec![
            row.strategy.clone(),
            row.age_p99_s.map_or_else(|| "> run".to_owned(), seconds),
            count(row.requests_per_day.round() as u64),
            money(row.consumer_per_month, &advice.currency),
            money(row.provider_per_month, &advice.currency),
        ];
        if outage {
            cells.push(row.lost.map_or_else(|| "-".to_owned(), count));
            cells.push(row.caught_up_s.map_or_else(|| "never".to_owned(), seconds));
        }
        cells.push(if row.misses.is_empty() { "met".to_owned() } else { row.misses.join(",\n") });
        table.add_row(cells);
    }
    let last = table.column_count().saturating_sub(1);
    for (i, column) in table.column_iter_mut().enumerate() {
        if i > 0 && i < last {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn flips(advice: &Advice) -> Vec<String> {
    let mut said: Vec<String> = advice.flips.iter().map(|flip| told(advice, flip)).collect();
    if advice.flips.iter().all(|flip| flip.what != "events a day") {
        said.push("the consumer's bill has no break-even: one of the two is cheaper at any rate".to_owned());
    }
    if let Some(freshest) = advice.freshest_poll_s {
        said.push(format!(
            "the API's limit allows a poll of each client every {}: events that must be fresher have to be pushed",
            seconds(freshest)
        ));
    }
    said
}

fn told(advice: &Advice, flip: &Flip) -> String {
    let (polling, webhooks) = (|| format!("polling every {}", seconds(advice.poll_every_s)), "webhooks");
    match flip.what {
        "events a day" => format!(
            "at {} events a day (asked: {}): above, {} is cheaper for the consumer, below, {webhooks} are",
            digits(flip.at),
            digits(flip.asked),
            polling(),
        ),
        "freshness in seconds" => format!(
            "at a freshness of {} (asked: {}): polls further apart are cheaper than {webhooks}, closer ones dearer",
            seconds(flip.at),
            seconds(flip.asked),
        ),
        _ => format!(
            "at a poll that costs {} times a webhook (priced: {}): a poll brings {} events on average, and polling is \
             cheaper while it costs less than they do",
            digits(flip.at),
            digits(flip.asked),
            digits(flip.at),
        ),
    }
}

fn sources(advice: &Advice) -> Vec<String> {
    let size = &advice.size;
    let sample =
        if size.one_of > 1.0 { format!(", a sample of one in {}", digits(size.one_of)) } else { String::new() };
    let stretch = match size.window {
        Window::Whole => "",
        Window::Peak => " as busy as the peak",
    };
    let run =
        format!("a virtual run of {}{stretch} with {}{sample}", seconds(size.window_s), plural(advice.events, "event"));
    let mut said = vec![match size.window {
        Window::Whole => format!("ages, requests and bills: {run}"),
        Window::Peak => format!("ages: {run}; requests and bills: closed forms at the day's mean rate"),
    }];
    if let Some(outage) = advice.outage_s {
        said.push(format!(
            "the outage: the same run once more with the consumer away for {}, webhooks refused meanwhile and retried by \
             the provider's schedule",
            seconds(outage)
        ));
    }
    if size.window == Window::Whole {
        let off = |row: &Row| (row.requests_per_day / row.requests_per_day_predicted - 1.0).abs();
        let most = advice.rows.iter().max_by(|a, b| off(a).total_cmp(&off(b)));
        if let Some(most) = most {
            said.push(format!(
                "the flips: closed forms, whose requests lie within {} of the run's ({})",
                percent(off(most)),
                most.strategy
            ));
        }
    } else {
        said.push("the flips: closed forms".to_owned());
    }
    let [list, dated] = &advice.prices;
    said.push(format!("prices: {list}, {dated}; a month is 30 days"));
    for row in advice.rows.iter().filter(|row| row.rate_limited > 0) {
        said.push(format!("the API's limit turned {} of {} away", plural(row.rate_limited, "request"), row.strategy));
    }
    said.push("left out: TLS, cold starts, the work of keeping a public endpoint or a scheduler alive".to_owned());
    said
}
