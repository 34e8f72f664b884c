//! The porch's doorstep: arguments in, an exit code out.

use std::process::ExitCode;

use forkpoint::cli;

fn main() -> ExitCode {
    let outcome = cli::Args::read().and_then(cli::run);
    outcome.unwrap_or_else(|trouble| cli::complain(&trouble)).into()
}
