//! What can be wrong with a profile, told so that it can be mended: file, line, caret.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The text of a profile is wrong at one place.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Neither a built-in name nor a file.
    #[error("there is no profile {name:?}{}; built in are {}; a file is given by its path", did_you_mean(.similar), .known.join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
        /// A built-in name spelled nearly so.
        similar: Option<String>,
        /// The names of all built-in profiles.
        known: Vec<String>,
    },
    /// A profile file cannot be read.
    #[error("cannot read the profile {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A flag laid on top of a profile makes no sense.
    #[error("{flag} {value}: {why}")]
    Flag {
        /// The flag, with its dashes.
        flag: &'static str,
        /// What was given to it.
        value: String,
        /// What is wrong with that, and what to write instead.
        why: String,
    },
    /// `--without` names no rule.
    #[error("--without {name}: no rule has that name{}; the rules are {}", did_you_mean(.similar), .known.join(", "))]
    NoSuchRule {
        /// What was asked for.
        name: String,
        /// A rule's name spelled nearly so.
        similar: Option<String>,
        /// The names of all rules.
        known: Vec<String>,
    },
}

fn did_you_mean(similar: &Option<String>) -> String {
    similar.as_ref().map(|name| format!(" (did you mean {name}?)")).unwrap_or_default()
}

/// One wrong place in a profile's text. Its `Display` is several lines: place and reason, then
/// the line with a caret under what is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The name of the file, as given.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
    /// What is wrong.
    pub reason: String,
    text: String,
    carets: usize,
}

impl std::error::Error for Fault {}

impl Fault {
    /// The fault at the bytes `span` of `text`.
    pub(crate) fn new(file: &str, text: &str, span: Range<usize>, reason: impl Into<String>) -> Fault {
        let start = floor_boundary(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let end = floor_boundary(text, span.end).clamp(start, line_end);
        Fault {
            file: file.to_owned(),
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            reason: reason.into(),
            text: text[line_start..line_end].trim_end_matches('\r').to_owned(),
            carets: text[start..end].trim_end().chars().count().max(1),
        }
    }

    /// The fault that the TOML reader found.
    pub(crate) fn from_toml(file: &str, text: &str, error: &toml::de::Error) -> Fault {
        let reason = error.message().lines().collect::<Vec<_>>().join(", ");
        Fault::new(file, text, error.span().unwrap_or(0..0), reason)
    }
}

/// Text from a profile may hold anything; none of it may steer a terminal.
fn visible(text: &str) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escape).collect()
}

/// Tabs in the line are shown as one blank, so that the caret stands where it should.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gutter = " ".repeat(self.line.to_string().len());
        let shown: String = self.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let [file, reason] = [&self.file, &self.reason].map(|text| visible(text));
        writeln!(f, "{file}:{}:{}: {reason}", self.line, self.column)?;
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{} | {shown}", self.line)?;
        write!(f, "{gutter} | {}{}", " ".repeat(self.column - 1), "^".repeat(self.carets))
    }
}

fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// The name among `known` that is spelled most like `name`, if one is near enough to be a slip.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let allowed = name.chars().count() / 3 + 1;
    known
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(steps, _)| *steps <= allowed)
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, candidate)| candidate.to_owned())
}

/// How many characters must be put in, taken out or exchanged to make `left` of `right`.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (done, from) in left.to_lowercase().chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], done + 1);
        for (at, to) in right.iter().enumerate() {
            let exchanged = diagonal + usize::from(from != *to);
            diagonal = row[at + 1];
            row[at + 1] = exchanged.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_place_also_behind_wide_characters_and_tabs() {
        let text = "a = 1\n\té = 'x'\r\n";
        let at = text.find("'x'").unwrap();
        let fault = Fault::new("my.toml", text, at..at + 3, "no");
        assert_eq!(fault.to_string(), "my.toml:2:6: no\n  |\n2 |  é = 'x'\n  |      ^^^");
    }

    #[test]
    fn a_place_past_the_end_is_the_end() {
        let fault = Fault::new("f", "", 7..9, "empty");
        assert_eq!(fault.to_string(), "f:1:1: empty\n  |\n1 | \n  | ^");
    }

    #[test]
    fn slips_are_near_and_strangers_are_not() {
        assert_eq!(nearest("shema-v1", ["schema-v1", "generic"]).as_deref(), Some("schema-v1"));
        assert_eq!(nearest("Generc", ["schema-v1", "generic"]).as_deref(), Some("generic"));
        assert_eq!(nearest("quite-different", ["schema-v1", "generic"]), None);
    }
}
