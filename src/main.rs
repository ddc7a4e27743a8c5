//! The command: see `pushpull --help`.

fn main() -> std::process::ExitCode {
    pushpull::cli::main()
}
