//! A sound log, line by line.

use super::expected::Lanes;
use super::line::{Line, trimmed};
use super::piece::{Event, Says};
use super::reasons;
use super::roles::Roles;

/// A physical line of a sound log.
#[derive(Clone, Debug)]
pub enum Row {
    Blank(Vec<u8>),
    Header(Vec<u8>),
    Event(Box<Line>),
}

impl Row {
    pub fn bytes(&self) -> &[u8] {
        match self {
            Row::Blank(bytes) | Row::Header(bytes) => bytes,
            Row::Event(line) => &line.bytes,
        }
    }

    pub fn says(&self) -> Says {
        match self {
            Row::Blank(_) => Says::Blank,
            Row::Header(_) => Says::Header,
            Row::Event(line) => Says::Event(line.event.clone()),
        }
    }
}

/// A sound log.
#[derive(Clone, Debug)]
pub struct SoundLog {
    /// A byte order mark stands in front of the first line.
    pub is_marked: bool,
    pub rows: Vec<Row>,
}

/// Why a log cannot be damaged by plan: it is damaged already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsound {
    /// Physical line, from 1, and byte of the log.
    pub line: u64,
    pub offset: u64,
    pub why: String,
}

impl std::fmt::Display for Unsound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Unsound { line, offset, why } = self;
        write!(f, "{line}: byte {offset}: {why} (only a sound log can be damaged by plan)")
    }
}

pub const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

impl SoundLog {
    /// Reads a log.
    ///
    /// # Errors
    /// The first line that is not sound under these roles.
    pub fn read(bytes: &[u8], roles: &Roles) -> Result<SoundLog, Unsound> {
        let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        let mut log = SoundLog { is_marked: text.len() < bytes.len(), rows: Vec::new() };
        let mut offset = bytes.len() - text.len();
        let mut awaits_header = roles.header.is_some();
        let mut lanes = Lanes::default();
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let unsound =
                |at: usize, why: String| Unsound { line: log.rows.len() as u64 + 1, offset: (offset + at) as u64, why };
            let row = if trimmed(line) == (0, 0) {
                Row::Blank(line.to_vec())
            } else if std::mem::take(&mut awaits_header) {
                header_of(line, roles).map_err(|(at, why)| unsound(at, why))?;
                Row::Header(line.to_vec())
            } else {
                let line = Line::new(line, roles).map_err(|(at, why)| unsound(at, why))?;
                follow(&mut lanes, &line.event).map_err(|why| unsound(line.start, why))?;
                Row::Event(Box::new(line))
            };
            log.rows.push(row);
            offset += line.len();
        }
        if awaits_header {
            return Err(Unsound { line: 1, offset: 0, why: "the log has no header".to_owned() });
        }
        Ok(log)
    }

    /// The row of the header, or of the first event where none is demanded.
    pub fn first(&self) -> Option<usize> {
        self.rows.iter().position(|row| !matches!(row, Row::Blank(_)))
    }
}

fn follow(lanes: &mut Lanes, event: &Event) -> Result<(), String> {
    lanes.take(event).map_err(|before| reasons::not_growing(before, event.ordinal.unwrap_or_default()))
}

/// Whether a line is the header that the profile demands.
fn header_of(line: &[u8], roles: &Roles) -> Result<(), (usize, String)> {
    let (start, end) = trimmed(line);
    let header = roles.header.as_ref().expect("one is awaited");
    let value =
        super::json::parse(&line[start..end]).map_err(|refused| (start + refused.at, refused.why.to_owned()))?;
    let kind_path = roles.paths.iter().find(|(role, _)| *role == super::roles::Role::Kind).map(|(_, path)| path);
    let kind = kind_path.and_then(|path| value.at(path)).and_then(|kind| kind.as_str());
    let version = value.at(&header.version_path).and_then(|version| version.as_integer());
    if kind != header.kind.as_deref() || version != Some(header.version.into()) {
        return Err((start, "the log has no header".to_owned()));
    }
    Ok(())
}
