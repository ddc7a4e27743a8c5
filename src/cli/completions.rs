//! `pushpull completions`.

use clap::{Args, CommandFactory};

use super::{Cli, Exit, print};

/// Arguments of `pushpull completions`.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell.
    shell: clap_complete::Shell,
}

pub(super) fn run(args: &CompletionsArgs) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "pushpull", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Good)
}
