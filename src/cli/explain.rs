//! `pushpull explain`.

use std::path::PathBuf;

use clap::Args;

use super::{Exit, judge, print};
use crate::{live::orchestrator::records_dir, model::EventId, record::read_dir, report};

/// Arguments of `pushpull explain`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  pushpull explain pushpull-out/quickstart-0123456789ab\n  \
    pushpull explain pushpull-out/quickstart-0123456789ab 17")]
pub(super) struct ExplainArgs {
    /// A run's folder.
    dir: PathBuf,
    /// An event: its sequence or its id. Default: the worst one.
    event: Option<String>,
}

pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<Exit> {
    let plan = judge::read_plan(&args.dir)?;
    let which = args.event.as_deref().map(read_event).transpose()?;
    let records = records_dir(&args.dir);
    let story = report::explain(&plan, &|each| read_dir(&records, each), which)?;
    print(&story)?;
    Ok(Exit::Good)
}

fn read_event(text: &str) -> anyhow::Result<u32> {
    if let Ok(seq) = text.parse() {
        return Ok(seq);
    }
    match text.parse::<EventId>() {
        Ok(id) => Ok(id.seq),
        Err(_) => anyhow::bail!("\"{text}\" is no event\n  fix: write its number, such as 17, or its id"),
    }
}
