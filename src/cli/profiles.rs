//! `pushpull profiles`.

use clap::{Args, Subcommand};

use super::{Exit, print, request::profile};
use crate::{
    profile::{Confidence, EventPart, PROFILES, Profile, load_profile},
    scenario::units::span_to_text,
    wire::scheme::{Algorithm, Encoding, KeyForm, Scheme, Sides, TimePlace, TimeUnit, Way},
};

/// Arguments of `pushpull profiles`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct ProfilesArgs {
    /// Print the names alone, one per line, for scripts.
    #[arg(long)]
    names: bool,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Tell what one provider does, and where that is said.
    Show {
        /// The profile's name, or a TOML file.
        #[arg(value_name = "NAME|FILE.toml")]
        name: String,
        /// Print the file: a start for one of your own.
        #[arg(long)]
        toml: bool,
    },
}

pub(super) fn run(args: &ProfilesArgs) -> anyhow::Result<Exit> {
    match &args.what {
        None if args.names => print(&PROFILES.iter().map(|one| format!("{}\n", one.name)).collect::<String>())?,
        None => print(&list()?)?,
        Some(What::Show { name, toml }) => {
            let (profile, text) = profile(name)?;
            print(&if *toml { text } else { shown(&profile) })?;
        }
    }
    Ok(Exit::Good)
}

/// Each name with its title, its signature, and how far its facts can be trusted.
fn list() -> anyhow::Result<String> {
    let width = PROFILES.iter().map(|one| one.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for one in PROFILES {
        let profile = load_profile(one.text, &format!("{}.toml", one.name))?;
        let scheme = profile.scheme.as_ref().map_or_else(|| "no signature".to_owned(), summary);
        out.push_str(&format!("{:width$}  {}\n{:width$}    {scheme}\n", profile.name, profile.title, ""));
        let signature = profile.sources.first();
        let (place, confidence) = signature.map_or(("", ""), |source| (&source.r#where, source.confidence.name()));
        out.push_str(&format!("{:width$}    {confidence}: {place}\n", ""));
        let others = trust(&profile);
        out.push_str(&format!("{:width$}    {others}\n", ""));
    }
    out.push_str(
        "\nRead one: pushpull profiles show stripe\nWrite one: pushpull profiles show stripe --toml > mine.toml\n",
    );
    Ok(out)
}

/// How many sources there are of each kind, and what is assumed.
fn trust(profile: &Profile) -> String {
    let kinds = [Confidence::Documented, Confidence::ThirdParty, Confidence::Inferred];
    let count = |kind| profile.sources.iter().filter(|source| source.confidence == kind).count();
    let mut words: Vec<String> =
        kinds.iter().filter(|kind| count(**kind) > 0).map(|kind| format!("{} {}", count(*kind), kind.name())).collect();
    if !profile.assumed.is_empty() {
        words.push(format!("assumed: {}", profile.assumed.join(", ")));
    }
    format!("sources: {}", words.join("; "))
}

fn summary(scheme: &Scheme) -> String {
    let ways = scheme.ways.iter().filter(|way| way.accepted);
    let ways: Vec<String> = ways.map(|way| format!("{} in {}", algorithm(way), way.header.sent())).collect();
    let signed = scheme.ways.first().map(|way| way.signed.to_string()).filter(|signed| !signed.is_empty());
    format!("{}{}", ways.join(", or "), signed.map(|signed| format!(", of {signed}")).unwrap_or_default())
}

fn algorithm(way: &Way) -> &'static str {
    match way.algorithm {
        Algorithm::HmacSha256 => "HMAC-SHA256",
        Algorithm::HmacSha1 => "HMAC-SHA1",
        Algorithm::Ed25519 => "Ed25519",
        Algorithm::Token => "the token itself",
    }
}

/// All that a profile says, for a person.
fn shown(profile: &Profile) -> String {
    let mut out = format!("{}\n{}\n", profile.name, profile.title);
    if !profile.aliases.is_empty() {
        out.push_str(&format!("also called {}\n", profile.aliases.join(", ")));
    }
    out.push_str("\nSignature\n");
    match &profile.scheme {
        None => out.push_str("  none: nothing tells who sent a request\n"),
        Some(scheme) => show_scheme(scheme, &mut out),
    }
    out.push_str("\nEvent\n");
    for (key, part) in EventPart::TABLE {
        let places: Vec<String> = profile.places(part).map(ToString::to_string).collect();
        let place = if places.is_empty() { "not told".to_owned() } else { places.join(" or ") };
        out.push_str(&format!("  {key:<12} {place}\n"));
    }
    let dedupe = if profile.dedupe_by_id { "by id" } else { "by the body's digest" };
    out.push_str(&format!("  {:<12} {dedupe}\n", "copies"));
    for (title, name, table) in [("Delivery", "delivery", &profile.delivery), ("Pull API", "pull", &profile.pull)] {
        if table.is_empty() {
            continue;
        }
        out.push_str(&format!("\n{title}\n"));
        for (key, value) in table {
            let assumed = profile.assumed.iter().any(|known| *known == format!("{name}.{key}"));
            let mark = if assumed { "   (assumed: not published)" } else { "" };
            out.push_str(&format!("  {key:<18} {value}{mark}\n"));
        }
    }
    if let Some(handshake) = &profile.handshake {
        out.push_str(&format!("\nHandshake\n  before the first delivery; asks for {}\n", handshake.asks_for()));
    }
    if !profile.payloads.is_empty() {
        let names: Vec<&str> = profile.payloads.iter().map(|payload| payload.event.as_str()).collect();
        out.push_str(&format!("\nPayloads\n  {}\n", names.join(", ")));
    }
    out.push_str("\nSources\n");
    for source in &profile.sources {
        out.push_str(&format!("  {}: {}\n    {}\n", source.confidence.name(), source.what, source.r#where));
    }
    out
}

fn show_scheme(scheme: &Scheme, out: &mut String) {
    for way in &scheme.ways {
        let entry = format!("{}{{signature}}", way.entry);
        let many = way.separator.as_ref().map(|text| format!(", entries apart by {text:?}")).unwrap_or_default();
        let accepted = if way.accepted { "" } else { " (sent, never enough)" };
        out.push_str(&format!("  {}{accepted}: {}: {entry}{many}\n", algorithm(way), way.header));
        if way.algorithm == Algorithm::Token {
            continue;
        }
        let encoding = match way.encoding {
            Encoding::Hex => "lowercase hex",
            Encoding::HexAnyCase => "hex",
            Encoding::Base64 => "base64",
        };
        let form = match way.key.form {
            KeyForm::Text => "the whole text",
            KeyForm::Base64 => "base64",
            KeyForm::Hex => "hex",
        };
        let prefix = way.key.prefix.as_ref().map(|prefix| format!(" behind {prefix}")).unwrap_or_default();
        out.push_str(&format!("    of {}, as {encoding}; key: {form}{prefix}\n", way.signed));
    }
    if let Some(id) = &scheme.id {
        out.push_str(&format!("  id: {id}\n"));
    }
    let Some(time) = &scheme.timestamp else {
        out.push_str("  time: none, so that a replay is told by its id only\n");
        return;
    };
    let place = match &time.place {
        TimePlace::Header(names) => format!("header {names}"),
        TimePlace::Entry(entry) => format!("entry {entry}{{timestamp}}"),
        TimePlace::Body(pointer) => format!("body {}", pointer.as_str()),
    };
    let unit = TimeUnit::TABLE.iter().find(|(_, unit)| *unit == time.unit).map_or("", |(name, _)| name);
    let tolerance = match scheme.tolerance {
        None => "any age".to_owned(),
        Some(tolerance) => {
            let span = span_to_text(crate::model::Span::from_millis(tolerance.ms));
            let sides = if tolerance.sides == Sides::Past { ", in the past only" } else { ", either way" };
            format!("off by {span} at most{sides}")
        }
    };
    out.push_str(&format!("  time: {place}, in {unit}; {tolerance}\n"));
}
