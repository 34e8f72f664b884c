//! The cases of `corpus/json/grammar`, laid out in logs, and what `check` says of them.

use std::ops::Range;
use std::path::Path;

use serde::Deserialize;

/// Where a text stands when it comes to `check`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// As a member's value in a line.
    Value,
    /// As a line.
    Line,
    /// As a whole log.
    Log,
}

/// A production of the grammar; each text is a whole JSON text, or none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Production {
    pub name: String,
    pub rule: String,
    pub accepts: Vec<String>,
    pub refuses: Vec<String>,
}

/// Texts of which forkpoint thinks otherwise than the grammar, and their counterparts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    pub name: String,
    pub story: String,
    pub grammar: Says,
    pub readers: Says,
    pub check: Says,
    pub place: Place,
    /// Words for `forkpoint check`.
    #[serde(default)]
    pub flags: Vec<String>,
    pub texts: Vec<String>,
}

/// What somebody says of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Says {
    #[serde(alias = "accept")]
    Accepts,
    #[serde(alias = "refuse")]
    Refuses,
}

/// All that the folder holds.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grammar {
    #[serde(rename = "production")]
    pub productions: Vec<Production>,
    #[serde(rename = "decision")]
    pub decisions: Vec<Decision>,
}

/// One text at one place.
#[derive(Clone, Debug)]
pub struct Case {
    /// The production's or decision's name.
    pub of: String,
    /// The text as the corpus writes it.
    pub shown: String,
    pub text: Vec<u8>,
    /// Only the tests ask the grammar and the readers.
    #[allow(dead_code)]
    pub grammar: Says,
    #[allow(dead_code)]
    pub readers: Says,
    pub check: Says,
    pub place: Place,
    pub flags: Vec<String>,
}

impl Grammar {
    /// Reads the folder's files in the order of their names.
    ///
    /// # Errors
    /// A file that cannot be read, or is laid out otherwise.
    pub fn load(folder: &Path) -> Result<Grammar, String> {
        let said = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let entries = std::fs::read_dir(folder).map_err(|error| said(folder, &error))?;
        let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        let mut all = Grammar::default();
        for path in paths {
            let text = std::fs::read_to_string(&path).map_err(|error| said(&path, &error))?;
            let page: Grammar = toml::from_str(&text).map_err(|error| said(&path, &error))?;
            all.productions.extend(page.productions);
            all.decisions.extend(page.decisions);
        }
        Ok(all)
    }

    /// What a production or decision says, in words or as a rule.
    pub fn story(&self, name: &str) -> &str {
        let decision = self.decisions.iter().find(|of| of.name == name).map(|of| of.story.as_str());
        let rule = || self.productions.iter().find(|of| of.name == name).map(|of| of.rule.as_str());
        decision.or_else(rule).unwrap_or_default()
    }

    /// Every text at every place where it is to be decided.
    ///
    /// # Errors
    /// A text that is written otherwise than the corpus writes texts.
    pub fn cases(&self) -> Result<Vec<Case>, String> {
        let mut cases = Vec::new();
        for production in &self.productions {
            for (texts, says) in [(&production.accepts, Says::Accepts), (&production.refuses, Says::Refuses)] {
                for shown in texts {
                    let text = bytes_of(shown).map_err(|error| format!("{}: {error}: {shown}", production.name))?;
                    cases.extend(at_both_places(&production.name, shown, text, says));
                }
            }
        }
        for decision in &self.decisions {
            for shown in &decision.texts {
                cases.push(Case {
                    of: decision.name.clone(),
                    shown: shown.clone(),
                    text: bytes_of(shown).map_err(|error| format!("{}: {error}: {shown}", decision.name))?,
                    grammar: decision.grammar,
                    readers: decision.readers,
                    check: decision.check,
                    place: decision.place,
                    flags: decision.flags.clone(),
                });
            }
        }
        Ok(cases)
    }
}

/// A production's text as a value and as a line, which must be an object; a blank line is none.
fn at_both_places(of: &str, shown: &str, text: Vec<u8>, says: Says) -> Vec<Case> {
    let first = text.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r')).copied();
    let value = Case {
        of: of.to_owned(),
        shown: shown.to_owned(),
        text,
        grammar: says,
        readers: says,
        check: says,
        place: Place::Value,
        flags: Vec::new(),
    };
    let check = if first == Some(b'{') { says } else { Says::Refuses };
    let line = first.map(|_| Case { place: Place::Line, check, ..value.clone() });
    [value].into_iter().chain(line).collect()
}

/// A text as the corpus writes it: `<…>` holds bytes in hexadecimal, with `x` and a number behind them so many times.
fn bytes_of(shown: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = shown;
    while let Some((plain, behind)) = rest.split_once('<') {
        let (inside, behind) = behind.split_once('>').ok_or("a < without its >")?;
        bytes.extend_from_slice(plain.as_bytes());
        let (hex, times) = match inside.split_once(" x") {
            Some((hex, times)) => (hex, times.parse().map_err(|error| format!("x{times}: {error}"))?),
            None => (inside, 1),
        };
        let octet = |pair: &str| match pair.len() {
            2 => u8::from_str_radix(pair, 16).map_err(|error| format!("{pair}: {error}")),
            _ => Err(format!("{pair:?} is no pair of hexadecimal digits")),
        };
        bytes.extend(hex.split(' ').map(octet).collect::<Result<Vec<u8>, String>>()?.repeat(times));
        rest = behind;
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

/// Sound lines that stand before each case, so that whatever is learned from lines is learned.
const NEIGHBOURS: &str =
    "{\"v\":1}\n{\"v\":-1.5e3}\n{\"v\":\"a\"}\n{\"v\":null}\n{\"v\":[1,\"a\"]}\n{\"v\":{\"a\":1}}\n";

/// A log of cases among sound lines.
pub struct Laid {
    pub log: Vec<u8>,
    /// The lines of each case, from 1: more than one where a line feed is in its text.
    pub lines: Vec<Range<u64>>,
}

/// Lays out cases that can stand in one log.
pub fn lay(cases: &[&Case]) -> Laid {
    let mut laid = Laid { log: Vec::new(), lines: Vec::new() };
    let mut line = 1;
    for case in cases {
        let before = if case.place == Place::Log { "" } else { NEIGHBOURS };
        let own = match case.place {
            Place::Value => [b"{\"v\":", &case.text[..], b"}\n"].concat(),
            Place::Line => [&case.text[..], b"\n"].concat(),
            Place::Log => case.text.clone(),
        };
        let count = |bytes: &[u8]| bytes.split(|byte| *byte == b'\n').count() as u64 - 1;
        line += count(before.as_bytes());
        let end = line + count(&own).max(1) + u64::from(case.place == Place::Log);
        laid.lines.push(line..end);
        line += count(&own);
        laid.log.extend([before.as_bytes(), &own].concat());
    }
    laid
}

/// What the listing of `forkpoint check` says of each case.
///
/// # Errors
/// A fault that lies in no case.
pub fn judged(laid: &Laid, path: &str, listing: &str) -> Result<Vec<Says>, String> {
    let mut says = vec![Says::Accepts; laid.lines.len()];
    for told in listing.lines() {
        let place = told.strip_prefix(path).and_then(|rest| rest.strip_prefix(':'));
        let Some((line, reason)) = place.and_then(|rest| rest.split_once(": byte ")) else { continue };
        if reason.contains(": note: ") {
            continue;
        }
        let line: u64 = line.parse().map_err(|_| format!("a line is told otherwise: {told}"))?;
        match laid.lines.iter().position(|lines| lines.contains(&line)) {
            Some(at) => says[at] = Says::Refuses,
            None => return Err(format!("a sound line is refused: {told}")),
        }
    }
    Ok(says)
}

/// Cases that stand in one log, and each of those that need one of their own.
pub fn logs(cases: &[Case]) -> Vec<Vec<&Case>> {
    let alone = |case: &&Case| case.place == Place::Log || !case.flags.is_empty();
    let (alone, together): (Vec<&Case>, Vec<&Case>) = cases.iter().partition(alone);
    [together].into_iter().chain(alone.into_iter().map(|case| vec![case])).collect()
}
