//! `pushpull schema`.

use clap::Args;

use super::{Exit, print};
use crate::{profile::profile_schema, scenario::raw::RawScenario};

/// Arguments of `pushpull schema`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  pushpull schema --profile > profile.schema.json\n    \
    and in a profile's first line, for editors with taplo: #:schema ./profile.schema.json")]
pub(super) struct SchemaArgs {
    /// That of profiles instead (docs/profiles.md).
    #[arg(long)]
    profile: bool,
}

pub(super) fn run(args: &SchemaArgs) -> anyhow::Result<Exit> {
    let schema = if args.profile { profile_schema() } else { schemars::schema_for!(RawScenario) };
    print(&format!("{}\n", serde_json::to_string_pretty(&schema)?))?;
    Ok(Exit::Good)
}
