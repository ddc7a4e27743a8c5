//! `pushpull scenarios`.

use anyhow::bail;
use clap::{Args, Subcommand};

use super::{Exit, load, print};
use crate::scenario::{EMBEDDED, embedded};

/// Arguments of `pushpull scenarios`.
#[derive(Debug, Args)]
pub(super) struct ScenariosArgs {
    /// Print the names alone, one per line, for scripts.
    #[arg(long)]
    names: bool,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print one scenario's file: a start for your own.
    Show {
        /// The scenario's name.
        name: String,
    },
}

pub(super) fn run(args: &ScenariosArgs) -> anyhow::Result<Exit> {
    match &args.what {
        None if args.names => {
            print(&EMBEDDED.iter().map(|scenario| format!("{}\n", scenario.name)).collect::<String>())?
        }
        None => print(&list()?)?,
        Some(What::Show { name }) => match embedded(name) {
            Some(scenario) => print(scenario.text)?,
            None => bail!("{}", load::unknown_name(name)),
        },
    }
    Ok(Exit::Good)
}

/// Each name with the question it answers.
fn list() -> anyhow::Result<String> {
    let width = EMBEDDED.iter().map(|scenario| scenario.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for scenario in EMBEDDED {
        let plan = load::plan(scenario.name, &load::Overrides::default(), &[])?;
        out.push_str(&format!("{:width$}  {}\n", scenario.name, plan.question));
    }
    out.push_str("\nRun one:  pushpull run quickstart\nRead one: pushpull scenarios show quickstart\n");
    Ok(out)
}
