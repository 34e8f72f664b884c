//! Speaking on standard error. If even that cannot be written, there is nobody left to tell.

use std::io::Write;

use super::Exit;

/// Writes a line on standard error.
pub fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// What is told where not even the beginning has enough memory.
pub fn no_memory() -> anyhow::Error {
    anyhow::Error::msg("there is not enough memory to start (is there a limit, as by ulimit -v?)")
}

/// Tells trouble on standard error.
pub fn complain(trouble: &anyhow::Error) -> Exit {
    tell(&format!("forkpoint: {trouble:#}"));
    Exit::TROUBLE
}
