//! A sound line taken apart: its tokens, and where its roles stand.

use super::json::{Reader, parse_line};
use super::piece::Event;
use super::reasons;
use super::roles::{Role, Roles};
use super::value::Value;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Key,
    String,
    Number,
    /// `true`, `null`, `NaN` and the like.
    Word,
    Open(u8),
    Close(u8),
    Colon,
    Comma,
}

/// A token and where it lies in the physical line.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    pub shape: Shape,
    pub start: usize,
    pub end: usize,
    /// Containers around it; a bracket does not count itself.
    pub depth: usize,
    /// The innermost container around it is an object.
    pub in_object: bool,
}

/// Where a role stands in a line: numbers of tokens.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub role: Role,
    /// The first key of its path, and the last.
    pub top: usize,
    pub key: usize,
    /// The first token of its value, and the one behind its last.
    pub value: usize,
    pub behind: usize,
}

/// A sound event line.
#[derive(Clone, Debug)]
pub struct Line {
    /// The physical line, with whatever ends it.
    pub bytes: Vec<u8>,
    /// Where the object begins and ends in it.
    pub start: usize,
    pub end: usize,
    pub tokens: Vec<Token>,
    pub places: Vec<Place>,
    /// A role that is looked for begins with a key that the line does not have: `check` walks to its end.
    pub lacks_a_role: bool,
    pub event: Event,
}

/// The bytes that do not count at a line's ends.
pub fn trimmed(bytes: &[u8]) -> (usize, usize) {
    let counts = |byte: &u8| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    match bytes.iter().position(counts) {
        Some(start) => (start, bytes.iter().rposition(counts).map_or(start, |last| last + 1)),
        None => (0, 0),
    }
}

impl Line {
    /// Takes a physical line apart that is not blank.
    ///
    /// # Errors
    /// The byte at which it is not sound, and why.
    pub fn new(bytes: &[u8], roles: &Roles) -> Result<Line, (usize, String)> {
        let (start, end) = trimmed(bytes);
        let (value, twice) =
            parse_line(&bytes[start..end]).map_err(|refused| (start + refused.at, refused.why.to_owned()))?;
        if !matches!(value, Value::Object(_)) {
            return Err((start, reasons::NO_OBJECT.to_owned()));
        }
        if let Some(key) = twice
            .iter()
            .filter(|(depth, _)| *depth == 1)
            .filter_map(|(_, key)| str::from_utf8(key).ok())
            .find(|key| roles.begin_with(key))
        {
            return Err((start, reasons::twice(key)));
        }
        let tokens = tokens(bytes, start, end);
        let mut line = Line {
            bytes: bytes.to_vec(),
            start,
            end,
            places: Vec::new(),
            lacks_a_role: false,
            event: Event::default(),
            tokens,
        };
        for (role, path) in &roles.paths {
            let is_there = line.members(0).any(|(key, ..)| line.key_is(key, &path[0]));
            line.lacks_a_role |= !is_there && *role != Role::Nondeterministic;
            let place = line.find(*role, path);
            line.places.extend(place);
            line.hear(*role, path, place, roles)?;
        }
        Ok(line)
    }

    /// Takes down what a role says of the event.
    fn hear(
        &mut self,
        role: Role,
        path: &[String],
        place: Option<Place>,
        roles: &Roles,
    ) -> Result<(), (usize, String)> {
        let missing = |what: &str| (self.start, format!("no {what} stands at {}", path.join(".")));
        let found = place.map(|place| self.span(place.value, place.behind));
        let found = found.map(|span| super::json::parse(&self.bytes[span]).expect("sound lines hold sound values"));
        match (role, found) {
            (Role::Thread, Some(Value::Number(number))) if number.is_integer() => {
                self.event.thread += &format!("{number:?};");
            }
            (Role::Thread, Some(Value::Text(text))) => self.event.thread += &format!("{text:?};"),
            (Role::Thread, _) => return Err(missing("thread key")),
            (Role::Ordinal, found) => {
                let integer = found.as_ref().and_then(Value::as_integer);
                let ordinal = integer.and_then(|ordinal| u64::try_from(ordinal).ok());
                self.event.ordinal = Some(ordinal.ok_or_else(|| missing("ordinal"))?);
            }
            (Role::Kind, Some(Value::Object(_) | Value::Array(_))) => {
                return Err((self.start, reasons::ODD_KIND.to_owned()));
            }
            (Role::Kind, Some(Value::Text(kind))) => {
                let is = |named: Option<&str>| named.is_some_and(|named| named.as_bytes() == kind);
                if is(roles.header.as_ref().and_then(|header| header.kind.as_deref())) {
                    return Err((self.start, reasons::SECOND_RUN.to_owned()));
                }
                self.event.ends = is(roles.end.as_deref());
            }
            (Role::Kind | Role::Payload | Role::Nondeterministic, _) => {}
        }
        Ok(())
    }

    /// The members of the object that opens at a token: key, value, and what stands behind the value.
    pub fn members(&self, object: usize) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
        let mut at = object + 1;
        std::iter::from_fn(move || {
            if self.tokens[object].shape != Shape::Open(b'{') || self.tokens[at].shape != Shape::Key {
                return None;
            }
            let (key, value) = (at, at + 2);
            let behind = self.behind(value);
            at = if self.tokens[behind].shape == Shape::Comma { behind + 1 } else { behind };
            Some((key, value, behind))
        })
    }

    /// The token behind the value that begins at one.
    fn behind(&self, value: usize) -> usize {
        let first = self.tokens[value];
        if !matches!(first.shape, Shape::Open(_)) {
            return value + 1;
        }
        let closes = |token: &Token| matches!(token.shape, Shape::Close(_)) && token.depth == first.depth;
        value + 1 + self.tokens[value..].iter().position(closes).expect("sound lines are balanced")
    }

    /// Where a path leads to.
    pub fn find(&self, role: Role, path: &[String]) -> Option<Place> {
        let (mut object, mut top) = (0, None);
        for (at, name) in path.iter().enumerate() {
            let (key, value, behind) = self.members(object).find(|(key, ..)| self.key_is(*key, name))?;
            let top = *top.get_or_insert(key);
            if at + 1 == path.len() {
                return Some(Place { role, top, key, value, behind });
            }
            object = value;
        }
        None
    }

    /// Whether a token is this string.
    pub fn key_is(&self, token: usize, name: &str) -> bool {
        let Token { start, end, .. } = self.tokens[token];
        let mut reader = Reader { text: &self.bytes[start..end], at: 0, depth_max: 1, repeats: Vec::new() };
        reader.string().is_ok_and(|spelled| spelled == name.as_bytes())
    }

    /// Where a role stands.
    pub fn place(&self, role: Role) -> Option<Place> {
        self.places.iter().find(|place| place.role == role).copied()
    }

    /// The bytes of some tokens, one behind the other.
    pub fn span(&self, from: usize, behind: usize) -> std::ops::Range<usize> {
        self.tokens[from].start..self.tokens[behind - 1].end
    }

    /// The physical line with a part of it replaced.
    pub fn with(&self, part: std::ops::Range<usize>, text: impl AsRef<[u8]>) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes.splice(part, text.as_ref().iter().copied());
        bytes
    }

    /// The object alone.
    pub fn text(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// What ends the physical line: a line feed, perhaps with blanks before it, or nothing.
    pub fn ending(&self) -> &[u8] {
        &self.bytes[self.end..]
    }
}

/// The tokens of a text that is known to be sound.
fn tokens(bytes: &[u8], start: usize, end: usize) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut open: Vec<u8> = Vec::new();
    let mut at = start;
    while at < end {
        let byte = bytes[at];
        if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            at += 1;
            continue;
        }
        let before = tokens.last().map(|token| token.shape);
        let in_object = |open: &[u8]| open.last() == Some(&b'{');
        let (shape, stop) = match byte {
            b'{' | b'[' => (Shape::Open(byte), at + 1),
            b'}' | b']' => (Shape::Close(byte), at + 1),
            b':' => (Shape::Colon, at + 1),
            b',' => (Shape::Comma, at + 1),
            b'"' => {
                let is_key = in_object(&open) && matches!(before, Some(Shape::Open(_) | Shape::Comma));
                (if is_key { Shape::Key } else { Shape::String }, string_end(bytes, at))
            }
            _ => {
                let ends = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b',' | b'}' | b']');
                let stop = bytes[at..end].iter().position(ends).map_or(end, |found| at + found);
                let is_number = byte.is_ascii_digit() || byte == b'-' && bytes[at + 1].is_ascii_digit();
                (if is_number { Shape::Number } else { Shape::Word }, stop)
            }
        };
        if matches!(shape, Shape::Close(_)) {
            open.pop();
        }
        tokens.push(Token { shape, start: at, end: stop, depth: open.len(), in_object: in_object(&open) });
        if matches!(shape, Shape::Open(_)) {
            open.push(byte);
        }
        at = stop;
    }
    tokens
}

fn string_end(bytes: &[u8], quote: usize) -> usize {
    let mut at = quote + 1;
    while bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}
