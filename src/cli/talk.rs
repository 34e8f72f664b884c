//! Speaking on standard error. If even that cannot be written, there is nobody left to tell.

use std::io::Write;

use super::Exit;

/// Writes a line on standard error.
pub fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Tells trouble on standard error.
pub fn complain(trouble: &anyhow::Error) -> Exit {
    tell(&format!("forkpoint: {trouble:#}"));
    Exit::TROUBLE
}
