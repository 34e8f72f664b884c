//! The surroundings: the terminal's width, whether colour is wanted, where the user stands.

use std::io::IsTerminal;
use std::path::PathBuf;

use super::args::When;

/// Width of text where there is no terminal.
pub const WIDTH_DEFAULT: usize = 80;

/// Narrower terminals are written to as if they had this width.
const WIDTH_MIN: usize = 40;

/// What the environment says about terminals and folders; a value of its own, so that tests can make one up.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Standard output is a terminal.
    pub stdout_terminal: bool,
    /// Standard error is a terminal.
    pub stderr_terminal: bool,
    /// Columns of the terminal on standard output.
    pub columns: Option<usize>,
    /// `NO_COLOR`.
    pub no_color: Option<String>,
    /// `CLICOLOR_FORCE`.
    pub clicolor_force: Option<String>,
    /// `TERM`.
    pub term: Option<String>,
    /// `COLUMNS`.
    pub columns_variable: Option<String>,
    /// The current folder: project files are looked for from here upward.
    pub folder: Option<PathBuf>,
    /// `HOME`: no further than here.
    pub home: Option<PathBuf>,
}

impl Surroundings {
    /// Looks around.
    pub fn look() -> Surroundings {
        let variable = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        Surroundings {
            stdout_terminal: std::io::stdout().is_terminal(),
            stderr_terminal: std::io::stderr().is_terminal(),
            columns: terminal_columns(),
            no_color: variable("NO_COLOR"),
            clicolor_force: variable("CLICOLOR_FORCE"),
            term: variable("TERM"),
            columns_variable: variable("COLUMNS"),
            folder: std::env::current_dir().ok(),
            home: std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from),
        }
    }

    /// Colour on standard output: the flag beats the environment, `NO_COLOR` beats `CLICOLOR_FORCE`.
    pub fn wants_color(&self, flag: When) -> bool {
        let set = |value: &Option<String>| value.as_deref().is_some_and(|value| !value.is_empty());
        match flag {
            When::Always => true,
            When::Never => false,
            When::Auto if set(&self.no_color) => false,
            When::Auto if set(&self.clicolor_force) && self.clicolor_force.as_deref() != Some("0") => true,
            When::Auto => self.stdout_terminal && self.term.as_deref() != Some("dumb"),
        }
    }

    /// Columns to fill on standard output.
    pub fn width(&self) -> usize {
        let variable =
            self.columns_variable.as_deref().and_then(|value| value.parse().ok()).filter(|&columns| columns > 0);
        variable.or(self.columns).unwrap_or(WIDTH_DEFAULT).max(WIDTH_MIN)
    }

    /// Whether progress may be drawn on standard error.
    pub fn wants_progress(&self, flag: When, quiet: bool) -> bool {
        match flag {
            _ if quiet => false,
            When::Always => true,
            When::Never => false,
            When::Auto => self.stderr_terminal && self.term.as_deref() != Some("dumb"),
        }
    }
}

#[cfg(unix)]
fn terminal_columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

#[cfg(not(unix))]
fn terminal_columns() -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal() -> Surroundings {
        Surroundings { stdout_terminal: true, term: Some("xterm".into()), ..Surroundings::default() }
    }

    #[test]
    fn the_flag_beats_the_environment() {
        let forbids = Surroundings { no_color: Some("1".into()), ..terminal() };
        assert!(forbids.wants_color(When::Always));
        let forces = Surroundings { clicolor_force: Some("1".into()), ..Surroundings::default() };
        assert!(!forces.wants_color(When::Never));
    }

    #[test]
    fn no_color_beats_clicolor_force_unless_empty() {
        let mut both =
            Surroundings { no_color: Some("1".into()), clicolor_force: Some("1".into()), ..Surroundings::default() };
        assert!(!both.wants_color(When::Auto));
        both.no_color = Some(String::new());
        assert!(both.wants_color(When::Auto));
        both.clicolor_force = Some("0".into());
        assert!(!both.wants_color(When::Auto));
    }

    #[test]
    fn by_itself_colour_needs_a_terminal_that_knows_it() {
        assert!(terminal().wants_color(When::Auto));
        assert!(!Surroundings::default().wants_color(When::Auto));
        assert!(!Surroundings { term: Some("dumb".into()), ..terminal() }.wants_color(When::Auto));
    }

    #[test]
    fn width_is_columns_then_the_terminal_then_eighty() {
        let around = |variable: Option<&str>, columns| Surroundings {
            columns_variable: variable.map(str::to_owned),
            columns,
            ..Surroundings::default()
        };
        assert_eq!(around(Some("120"), Some(99)).width(), 120);
        assert_eq!(around(Some("x"), Some(99)).width(), 99);
        assert_eq!(around(Some("0"), None).width(), 80);
        assert_eq!(around(None, Some(3)).width(), 40);
    }

    #[test]
    fn progress_needs_a_terminal_or_an_order() {
        let shown = Surroundings { stderr_terminal: true, ..Surroundings::default() };
        assert!(shown.wants_progress(When::Auto, false));
        assert!(!shown.wants_progress(When::Always, true));
        assert!(!Surroundings::default().wants_progress(When::Auto, false));
        assert!(Surroundings::default().wants_progress(When::Always, false));
    }
}
