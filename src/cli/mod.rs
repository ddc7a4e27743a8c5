//! The command line: arguments, one file per command, and the exit code. The only room that prints
//! or reads the environment.

mod advise;
mod carry_out;
mod completions;
mod estimate;
mod explain;
mod folder;
mod gallery;
mod grid;
mod job;
mod judge;
mod load;
mod many;
mod merge;
mod prices;
mod profiles;
mod progress;
mod request;
mod roles;
mod run;
mod scenarios;
mod schema;
mod send;
mod several;
mod shard;
mod sign;
mod summary;
mod sweep;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::live::orchestrator::RunError;

/// Measures what polling and webhooks each cost, and whether each stays correct when acks get lost.
#[derive(Debug, Parser)]
#[command(
    name = "pushpull",
    version,
    about,
    after_help = "Examples:\n  pushpull run quickstart                 polling and webhooks side by side, in 30 s\n  \
        pushpull advise --events 40000/day      which of the two, and what each would cost\n  \
        pushpull scenarios                      what else there is to run\n  \
        pushpull explain OUT                    the story of the worst event of a run\n\n\
        Exit codes: 0 all good; 1 an expectation failed, or a request was refused or not acked; 2 bad input; 3 the run is void."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios, print the verdict, write the report.
    Run(run::RunArgs),
    /// Say whether to poll or to take webhooks, from plain numbers.
    Advise(advise::AdviseArgs),
    /// Run a scenario at many values of a key or two; find where its consumers break even.
    Sweep(sweep::SweepArgs),
    /// Put the shards of a sweep together.
    Merge(merge::MergeArgs),
    /// List the embedded scenarios, or show one.
    Scenarios(scenarios::ScenariosArgs),
    /// Tell one event's story from a run's folder.
    Explain(explain::ExplainArgs),
    /// Judge a saved run again and write its report anew.
    Judge(judge::JudgeArgs),
    /// Run the embedded scenarios and write a gallery of what they show.
    Gallery(gallery::GalleryArgs),
    /// Run the provider alone: pull API and webhook sender.
    Provider(roles::ProviderArgs),
    /// Run a polling consumer alone.
    Poller(roles::PollerArgs),
    /// Run a webhook receiver alone.
    Receiver(roles::ReceiverArgs),
    /// Check a captured request's signature, as its receiver would.
    Verify(verify::VerifyArgs),
    /// Sign a body as a provider would, and print the headers.
    Sign(sign::SignArgs),
    /// Send a signed request as a provider would, once or many times, and say whether it was acked.
    Send(send::SendArgs),
    /// List the providers whose ways are known, or show one.
    Profiles(profiles::ProfilesArgs),
    /// Print the price list that bills are made from, to start one of your own.
    Prices,
    /// Print the JSON Schema of scenario files, or of profiles.
    Schema(schema::SchemaArgs),
    /// Print a shell's completion script.
    Completions(completions::CompletionsArgs),
}

/// What a command comes to. The order is that of severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// All good.
    Good = 0,
    /// An expectation failed.
    ExpectationFailed = 1,
    /// The run is void.
    Void = 3,
    /// Bad input.
    BadInput = 2,
}

/// Parses the arguments, does what they say, and gives the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Advise(args) => advise::run(&args),
        Command::Sweep(args) => sweep::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Scenarios(args) => scenarios::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Judge(args) => judge::run(&args),
        Command::Gallery(args) => gallery::run(&args),
        Command::Provider(args) => roles::provider(&args),
        Command::Poller(args) => roles::poller(&args),
        Command::Receiver(args) => roles::receiver(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Sign(args) => sign::run(&args),
        Command::Send(args) => send::run(&args),
        Command::Profiles(args) => profiles::run(&args),
        Command::Prices => prices::run(),
        Command::Schema(args) => schema::run(&args),
        Command::Completions(args) => completions::run(&args),
    };
    let exit = result.unwrap_or_else(|error| {
        if is_broken_pipe(&error) {
            return Exit::Good;
        }
        eprintln!("pushpull: {error:#}");
        exit_of(&error)
    });
    ExitCode::from(exit as u8)
}

/// A role that cannot start is a matter of input: a port, a folder. What fails later voids the run.
fn exit_of(error: &anyhow::Error) -> Exit {
    match error.downcast_ref::<RunError>() {
        None | Some(RunError::Start { .. }) => Exit::BadInput,
        Some(RunError::Role(_) | RunError::Aborted) => Exit::Void,
    }
}

/// `pushpull scenarios | head` closes our stdout: no error of anybody's.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Writes to stdout; a reader that is gone is an error, not a panic.
fn print(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// The runtime of the live driver.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    use anyhow::Context;
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")
}
