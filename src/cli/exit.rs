//! Exit codes: what a script may rely on.

use std::process::ExitCode;

/// What the process tells its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(pub u8);

impl Exit {
    /// Compared, and the same; `check`: every line is valid.
    pub const SAME: Exit = Exit(0);
    /// Compared, and they differ.
    pub const DIFFERENT: Exit = Exit(1);
    /// Trouble: wrong usage, unreadable or malformed input, a report that could not be written.
    pub const TROUBLE: Exit = Exit(2);
    /// Nothing certain can be said, for example because no two threads could be compared.
    pub const INCONCLUSIVE: Exit = Exit(3);
    /// What a shell tells of a process that Ctrl-C ended: the signal's number and 128.
    pub const INTERRUPTED: Exit = Exit(130);
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.0)
    }
}

/// The table of exit codes for help and man page.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  compared, and the same (check: every line is valid; snapshot verify: sound; record: complete; audit: no thread waits when the log ends)
  1  compared, and they differ (snapshot verify: damaged; audit: a thread waits, and nothing in the log wakes it)
  2  trouble: wrong usage, unreadable or malformed input, a report that could not be written
  3  inconclusive: no two threads could be compared, lines were stepped over, or states that must be equal are not (record: not all was observed; audit: whether a thread waits for ever, the log does not say)
  130  ended by Ctrl-C (143: by SIGTERM): report files are there whole or not at all";

/// The environment variables that count, for help and man page.
pub const ENVIRONMENT: &str = "\
Environment:
  NO_COLOR         if set and not empty, no colour unless --color asks for it
  CLICOLOR_FORCE   if set and neither empty nor 0, colour even where stdout is no terminal
  COLUMNS          width of the terminal report
  TMPDIR           where streams are spooled when one log runs far ahead of the other";
