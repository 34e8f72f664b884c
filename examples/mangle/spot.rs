//! A line to be damaged, and how what comes of it is said.

use super::line::{Line, Shape, Token};
use super::numbers::Random;
use super::piece::{Event, Piece, Planted};
use super::roles::{Role, Roles};

/// A sound event line in its log.
pub struct Spot<'l> {
    pub line: &'l Line,
    /// The line behind it, if that is an event too and whole.
    pub next: Option<&'l Line>,
    pub roles: &'l Roles,
    /// A header line, where the profile demands one.
    pub header: Option<&'l [u8]>,
    /// It is the first line of the log.
    pub is_first: bool,
    /// It is the last line of the log.
    pub is_last: bool,
    /// Longer lines are faults.
    pub max_line: u64,
}

/// A member that no log has.
pub const FOREIGN: &str = "\"mangled\":";

/// One of some things.
pub fn pick<T: Copy>(random: &mut Random, from: &[T]) -> T {
    from[random.below(from.len() as u64) as usize]
}

/// One of some things, if there are any.
pub fn any_of<T>(random: &mut Random, from: impl Iterator<Item = T>) -> Option<T> {
    let mut found: Vec<T> = from.collect();
    if found.is_empty() {
        return None;
    }
    let at = random.below(found.len() as u64) as usize;
    Some(found.swap_remove(at))
}

/// A foreign member with a value: the damaged line, and where the value stands.
pub struct Inserted {
    pub bytes: Vec<u8>,
    pub value_at: usize,
    /// Containers around the value.
    pub depth: usize,
}

impl Spot<'_> {
    /// `check` must name the damaged line.
    pub fn fault(&self, bytes: Vec<u8>, at: usize, reason: impl Into<String>) -> Option<Planted> {
        Some(Planted { takes: 1, gives: vec![Piece::fault(bytes, at, reason)] })
    }

    /// The line still says what it said.
    pub fn harmless(&self, bytes: Vec<u8>) -> Option<Planted> {
        self.says(bytes, self.line.event.clone())
    }

    /// The line says something else now.
    pub fn says(&self, bytes: Vec<u8>, event: Event) -> Option<Planted> {
        Some(Planted { takes: 1, gives: vec![Piece::event(bytes, event)] })
    }

    /// A line of its own in front of the sound one.
    pub fn in_front(&self, piece: Piece) -> Option<Planted> {
        Some(Planted { takes: 1, gives: vec![piece, self.itself()] })
    }

    /// The sound line.
    pub fn itself(&self) -> Piece {
        Piece::event(self.line.bytes.clone(), self.line.event.clone())
    }

    /// Tokens by number that a test allows.
    pub fn tokens(&self, allows: impl Fn(usize, &Token) -> bool) -> impl Iterator<Item = usize> {
        self.line.tokens.iter().enumerate().filter(move |(at, token)| allows(*at, token)).map(|(at, _)| at)
    }

    /// Any of the line's objects or, with `arrays`, arrays: the token that opens it.
    pub fn container(&self, random: &mut Random, byte: u8) -> Option<usize> {
        any_of(random, self.tokens(|_, token| token.shape == Shape::Open(byte)))
    }

    /// Any scalar that is a value.
    pub fn scalar(&self, random: &mut Random) -> Option<usize> {
        let is_scalar = |token: &Token| matches!(token.shape, Shape::String | Shape::Number | Shape::Word);
        any_of(random, self.tokens(|_, token| is_scalar(token)))
    }

    /// Whether a token belongs to the value of a role whose value is looked at.
    pub fn is_role(&self, token: usize) -> bool {
        let counts = |role| matches!(role, Role::Thread | Role::Ordinal | Role::Kind);
        self.line.places.iter().any(|place| counts(place.role) && (place.value..place.behind).contains(&token))
    }

    /// Whether a token is a key that leads to a role.
    pub fn leads_to_a_role(&self, token: usize) -> bool {
        // A path's first and last key are known; what lies between is only told by what it encloses.
        let encloses = |value: usize| self.line.places.iter().any(|place| place.key > value && place.top < value);
        self.line.places.iter().any(|place| place.top == token || place.key == token)
            || self.line.tokens.get(token + 2).is_some_and(|value| matches!(value.shape, Shape::Open(_)))
                && encloses(token + 2)
    }

    /// The line with a foreign member in front of some object's others.
    pub fn insert(&self, random: &mut Random, value: impl AsRef<[u8]>) -> Option<Inserted> {
        let object = self.container(random, b'{')?;
        self.insert_into(object, value)
    }

    /// The same in the object that opens at a token.
    pub fn insert_into(&self, object: usize, value: impl AsRef<[u8]>) -> Option<Inserted> {
        if self.line.bytes.windows(FOREIGN.len()).any(|window| window == FOREIGN.as_bytes()) {
            return None;
        }
        let token = self.line.tokens[object];
        let comma: &[u8] = if self.is_empty(object) { b"" } else { b"," };
        let member = [FOREIGN.as_bytes(), value.as_ref(), comma].concat();
        let bytes = self.line.with(token.end..token.end, member);
        Some(Inserted { bytes, value_at: token.end + FOREIGN.len(), depth: token.depth + 1 })
    }

    /// The line with a foreign member behind all others; where the value stands.
    pub fn append(&self, value: impl AsRef<[u8]>) -> (Vec<u8>, usize) {
        let comma = if self.is_empty(0) { "" } else { "," };
        let member = [comma.as_bytes(), FOREIGN.as_bytes(), value.as_ref()].concat();
        let brace = self.line.end - 1;
        (self.line.with(brace..brace, member), brace + comma.len() + FOREIGN.len())
    }

    /// Whether the container that opens at a token holds nothing.
    pub fn is_empty(&self, container: usize) -> bool {
        matches!(self.line.tokens[container + 1].shape, Shape::Close(_))
    }
}
