//! Damage of a log as a whole: of its header, or of how it is written down.

use super::line::{Line, trimmed};
use super::log::{BYTE_ORDER_MARK, Row, SoundLog};
use super::numbers::Random;
use super::piece::{Piece, Says};
use super::reasons;
use super::roles::{Header, Role, Roles};
use super::spot::pick;

/// What becomes of the log.
pub enum Whole {
    /// It is no log of its profile: `check` says so at one place (physical line from 1, byte) and reads no further.
    NoLog { bytes: Vec<u8>, line: u64, offset: u64, reason: String },
    /// Other lines.
    Pieces(Vec<Piece>),
}

/// A log as a whole, to be damaged.
pub struct Site<'l> {
    pub log: &'l SoundLog,
    pub roles: &'l Roles,
    pub max_line: u64,
}

/// Damages a log; `None` where it does not lend itself to it.
pub type PlantWhole = fn(&Site<'_>, &mut Random) -> Option<Whole>;

/// Kinds that damage a log as a whole, by name.
pub const WHOLE: &[(&str, PlantWhole)] = &[
    ("header-lost", header_lost),
    ("header-version", header_version),
    ("header-kind", header_kind),
    ("header-broken", header_broken),
    ("header-foreign", header_foreign),
    ("header-overlong", header_overlong),
    ("all-utf-16", utf_16),
    ("all-array", array),
    ("all-carriage-returns", carriage_returns),
    ("all-empty", empty),
];

impl Site<'_> {
    fn header(&self) -> Option<(&Header, &str)> {
        let header = self.roles.header.as_ref()?;
        Some((header, header.kind.as_deref()?))
    }

    /// What is said of a first line that is no header.
    fn no_header(&self) -> Option<String> {
        self.header().map(|(_, kind)| format!("the first line is no {kind:?} header"))
    }

    /// The header's line, with its row.
    fn header_line(&self) -> Option<(usize, Line)> {
        let row = self.log.first()?;
        let Row::Header(bytes) = &self.log.rows[row] else { return None };
        let bare = Roles { paths: Vec::new(), ..self.roles.clone() };
        Some((row, Line::new(bytes, &bare).ok()?))
    }

    /// The log with one row replaced, which then is refused at a byte of it.
    fn instead(&self, row: usize, bytes: &[u8], at: usize, reason: impl Into<String>) -> Option<Whole> {
        let before = self.before(row);
        let behind: Vec<u8> = self.log.rows[row + 1..].iter().flat_map(|row| row.bytes().to_vec()).collect();
        let offset = (before.len() + at) as u64;
        let bytes = [&before[..], bytes, &behind].concat();
        Some(Whole::NoLog { bytes, line: row as u64 + 1, offset, reason: reason.into() })
    }

    /// All that stands before a row.
    fn before(&self, row: usize) -> Vec<u8> {
        let mark: &[u8] = if self.log.is_marked { BYTE_ORDER_MARK } else { b"" };
        mark.iter().chain(self.log.rows[..row].iter().flat_map(Row::bytes)).copied().collect()
    }

    /// The rows, if each holds something and ends with nothing but a line feed; the last one may lack it.
    fn plain_rows(&self) -> Option<&[Row]> {
        let rows = &self.log.rows[..];
        let is_plain = |(at, row): (usize, &Row)| {
            let (start, end) = trimmed(row.bytes());
            let ending = &row.bytes()[end..];
            start == 0 && end > 0 && (ending == b"\n" || ending.is_empty() && at + 1 == rows.len())
        };
        let is_all_plain = !rows.is_empty() && rows.iter().enumerate().all(is_plain);
        (is_all_plain && !self.log.is_marked).then_some(rows)
    }
}

fn header_lost(site: &Site<'_>, _: &mut Random) -> Option<Whole> {
    let (row, _) = site.header_line()?;
    let mut rows = site.log.rows.clone();
    rows.remove(row);
    let without = SoundLog { rows, ..site.log.clone() };
    let first = without.first()?;
    let bytes = without.rows[first].bytes().to_vec();
    let start = trimmed(&bytes).0;
    Site { log: &without, ..*site }.instead(first, &bytes, start, site.no_header()?)
}

fn header_version(site: &Site<'_>, random: &mut Random) -> Option<Whole> {
    let ((row, line), (header, _)) = (site.header_line()?, site.header()?);
    let place = line.find(Role::Ordinal, &header.version_path)?;
    let said = |found: &str| format!("the header's {} is {found}, not {}", header.version_name, header.version);
    if random.chance(0.2) {
        let key = line.tokens[place.key];
        return site.instead(row, &line.with(key.start..key.end, "\"mangled\""), line.start, said("none"));
    }
    let version =
        pick(random, &["0", "2", "\"1\"", "1.5", "null", "[1]", "1e400", "-1", "18446744073709551616", "NaN"]);
    let span = line.span(place.value, place.behind);
    site.instead(row, &line.with(span.clone(), version), span.start, said(version))
}

fn header_kind(site: &Site<'_>, random: &mut Random) -> Option<Whole> {
    let (row, line) = site.header_line()?;
    let (_, path) = site.roles.paths.iter().find(|(role, _)| *role == Role::Kind)?;
    let place = line.find(Role::Kind, path)?;
    let kind = pick(random, &["\"mangled\"", "null", "1", "{}", "\"\"", "[\"schema_version\"]"]);
    site.instead(row, &line.with(line.span(place.value, place.behind), kind), line.start, site.no_header()?)
}

/// A header that is no JSON.
fn header_broken(site: &Site<'_>, random: &mut Random) -> Option<Whole> {
    let (row, line) = site.header_line()?;
    let why = |reason: &str| site.no_header().map(|told| format!("{told}: {reason}"));
    let ending = if line.ending().is_empty() { b"\n" } else { line.ending() };
    match random.below(4) {
        0 => {
            let text = pick(random, &["hello", "#!/bin/sh", "<log>", "engine=canary", "Infinit"]);
            site.instead(row, &[text.as_bytes(), ending].concat(), 0, why(reasons::BAD_LITERAL)?)
        }
        1 => {
            let bytes = line.with(line.end - 1..line.end, "");
            let end = trimmed(&bytes).1;
            site.instead(row, &bytes, end, why(reasons::ENDS_EARLY)?)
        }
        2 => site.instead(row, &line.with(line.end..line.end, ","), line.end, why(reasons::TRAILING)?),
        _ => {
            // The line feed behind it is lost.
            let Row::Event(next) = site.log.rows.get(row + 1)? else { return None };
            site.instead(row, line.bytes[..line.end].as_ref(), line.end + next.start, why(reasons::TRAILING)?)
        }
    }
}

/// A first line that is something else by name.
fn header_foreign(site: &Site<'_>, random: &mut Random) -> Option<Whole> {
    let (row, line) = site.header_line()?;
    site.header()?;
    match random.below(3) {
        0 => site.instead(row, &line.with(line.start..line.start, "["), line.start, reasons::ARRAY),
        1 => site.instead(row, &[b"\0\0\0\0", line.bytes.as_slice()].concat(), 0, reasons::UTF_16),
        _ => {
            // A second mark behind the first one that is allowed.
            let marks = if row == 0 && !site.log.is_marked { 2 } else { 1 };
            let bytes = [BYTE_ORDER_MARK.repeat(marks).as_slice(), &line.bytes].concat();
            site.instead(row, &bytes, BYTE_ORDER_MARK.len() * (marks - 1), reasons::BYTE_ORDER_MARK)
        }
    }
}

fn header_overlong(site: &Site<'_>, _: &mut Random) -> Option<Whole> {
    let (row, line) = site.header_line()?;
    site.header()?;
    let pad = "x".repeat(usize::try_from(site.max_line).ok()?);
    let brace = line.end - 1;
    let bytes = line.with(brace..brace, format!(",\"pad\":\"{pad}\""));
    // All of the line counts, a mark in front of it too.
    let mark = if row == 0 && site.log.is_marked { BYTE_ORDER_MARK.len() } else { 0 };
    let Whole::NoLog { bytes, line, offset, .. } = site.instead(row, &bytes, 0, "")? else { return None };
    Some(Whole::NoLog { bytes, line, offset: offset - mark as u64, reason: FIRST_TOO_LONG.to_owned() })
}

/// What is said of a first line over the limit.
pub const FIRST_TOO_LONG: &str = "the first line is over the limit (--max-line)";

fn utf_16(site: &Site<'_>, random: &mut Random) -> Option<Whole> {
    let rows = site.plain_rows()?;
    let text: Vec<u8> = rows.iter().flat_map(|row| row.bytes().to_vec()).collect();
    let text = String::from_utf8(text).ok().filter(|text| text.is_ascii())?;
    let is_little = random.chance(0.5);
    let mark = if random.chance(0.5) { "\u{feff}" } else { "" };
    let units: Vec<u16> = mark.encode_utf16().chain(text.encode_utf16()).collect();
    let bytes: Vec<u8> =
        units.into_iter().flat_map(|unit| if is_little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect();
    if site.roles.header.is_some() {
        return Some(Whole::NoLog { bytes, line: 1, offset: 0, reason: reasons::UTF_16.to_owned() });
    }
    let named =
        |line: &[u8]| Piece::fault(line.to_vec(), 0, if line == [0] { reasons::NO_OBJECT } else { reasons::UTF_16 });
    Some(Whole::Pieces(bytes.split_inclusive(|byte| *byte == b'\n').map(named).collect()))
}

/// One array instead of lines.
fn array(site: &Site<'_>, _: &mut Random) -> Option<Whole> {
    let rows = site.plain_rows()?;
    let mut pieces = vec![Piece::fault(b"[\n".to_vec(), 0, reasons::ARRAY)];
    for (at, row) in rows.iter().enumerate() {
        let text = row.bytes().trim_ascii_end();
        pieces.push(match at + 1 == rows.len() {
            true => Piece { bytes: [text, b"\n"].concat(), says: row.says() },
            false => Piece::fault([text, b",\n"].concat(), text.len(), reasons::COMMA_BEHIND),
        });
    }
    pieces.push(Piece::fault(b"]\n".to_vec(), 0, reasons::ARRAY));
    if site.roles.header.is_none() {
        return Some(Whole::Pieces(pieces));
    }
    let bytes = pieces.into_iter().flat_map(|piece| piece.bytes).collect();
    Some(Whole::NoLog { bytes, line: 1, offset: 0, reason: reasons::ARRAY.to_owned() })
}

/// Lines end as very old systems ended them: the log is one line.
fn carriage_returns(site: &Site<'_>, _: &mut Random) -> Option<Whole> {
    let rows = site.plain_rows().filter(|rows| rows.len() > 1)?;
    let bytes: Vec<u8> = rows.iter().flat_map(|row| row.bytes().to_vec()).collect();
    let bytes: Vec<u8> = bytes.iter().map(|byte| if *byte == b'\n' { b'\r' } else { *byte }).collect();
    let second = rows[0].bytes().len();
    if site.roles.header.is_some() {
        let reason = format!("{}: {}", site.no_header()?, reasons::TRAILING);
        return Some(Whole::NoLog { bytes, line: 1, offset: second as u64, reason });
    }
    let Row::Event(first) = &rows[0] else { return None };
    let at = if first.lacks_a_role { first.end } else { second };
    Some(Whole::Pieces(vec![Piece::fault(bytes, at, reasons::TRAILING)]))
}

fn empty(site: &Site<'_>, random: &mut Random) -> Option<Whole> {
    let text = pick(random, &["", "\n", "\n\n \t\r\n", "   ", "\u{feff}", "\u{feff}\n"]);
    if let Some((_, kind)) = site.header() {
        let reason = format!("the log is empty: it has no {kind:?} header");
        return Some(Whole::NoLog { bytes: text.as_bytes().to_vec(), line: 1, offset: 0, reason });
    }
    let blank = |line: &str| Piece { bytes: line.as_bytes().to_vec(), says: Says::Blank };
    Some(Whole::Pieces(text.split_inclusive('\n').map(blank).collect()))
}
