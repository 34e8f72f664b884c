//! Opening one line (BEHAVIOUR 9): its top level is walked from the left until every role is
//! met, and no further.

use super::json::{DEPTH_MAX, Reader, Refused, Value, parse_line};
use super::rules::{Path, Role, Rules};
use std::ops::Range;

/// What opening finds in a line.
#[derive(Clone, Debug)]
pub struct Opened {
    pub thread: Vec<Value>,
    pub ordinal: Option<u64>,
    /// Null where absent.
    pub kind: Value,
    pub nondeterministic: bool,
    /// What is compared by bytes first, within the line.
    pub tail: Range<usize>,
}

/// Opens a trimmed line.
pub fn open(line: &[u8], rules: &Rules, skip_nondeterministic: bool) -> Result<Opened, Refused> {
    if line.first() != Some(&b'{') {
        return Err(Refused { at: 0, why: "no object" });
    }
    if line.last() != Some(&b'}') || line.len() < 2 {
        return Err(Refused { at: line.len() - 1, why: "the line does not end with a brace" });
    }
    let mut walk = Walk {
        reader: Reader { text: line, at: 0, depth_max: DEPTH_MAX, repeats: Vec::new() },
        missing: rules.walked(skip_nondeterministic),
        found: Vec::new(),
        tail: None,
    };
    let done = walk.missing.is_empty() || walk.object(&mut Vec::new())?;
    if !done && walk.reader.at < line.len() {
        return Err(walk.reader.refuse("more text after the object"));
    }
    let kind = walk.value(Role::Kind).unwrap_or(Value::Null);
    if let Some((header, ..)) = &rules.header
        && kind.as_str() == Some(header)
    {
        return Err(Refused { at: 0, why: "a second run starts here" });
    }
    let mut thread = Vec::new();
    for at in 0..rules.thread.len() {
        thread.push(walk.value(Role::Thread(at)).ok_or(Refused { at: 0, why: "no thread" })?);
    }
    let ordinal = match walk.value(Role::Ordinal) {
        Some(value) => value.as_integer().map(|n| n as u64),
        None if rules.ordinal.is_some() => return Err(Refused { at: 0, why: "no ordinal" }),
        None => None,
    };
    let nondeterministic = rules
        .nondeterministic
        .as_ref()
        .is_some_and(|(_, equals)| matches!(walk.value(Role::Nondeterministic), Some(Value::Bool(b)) if b == *equals));
    let tail = match &rules.payload {
        None => 0..line.len(),
        // A line without payload has an empty tail: it equals only lines without one (or an empty one).
        Some(_) => walk.tail.unwrap_or(0..0),
    };
    Ok(Opened { thread, ordinal, kind, nondeterministic, tail })
}

/// Reads a trimmed line strictly, roles given twice included.
pub fn read(line: &[u8], rules: &Rules) -> Result<Value, Refused> {
    let (value, repeats) = parse_line(line)?;
    if !matches!(value, Value::Object(_)) {
        return Err(Refused { at: 0, why: "no object" });
    }
    if rules.role_keys().iter().any(|key| repeats.iter().any(|(depth, repeat)| *depth == 1 && repeat == key.as_bytes()))
    {
        return Err(Refused { at: 0, why: "a role is given twice" });
    }
    Ok(value)
}

struct Walk<'a> {
    reader: Reader<'a>,
    /// Roles not met yet.
    missing: Vec<(Role, Path)>,
    found: Vec<(Role, Value)>,
    tail: Option<Range<usize>>,
}

impl Walk<'_> {
    fn value(&self, role: Role) -> Option<Value> {
        self.found.iter().find(|(name, _)| *name == role).map(|(_, value)| value.clone())
    }

    /// Walks one object; true once every role is met.
    fn object(&mut self, place: &mut Vec<Vec<u8>>) -> Result<bool, Refused> {
        self.reader.take(b'{');
        self.reader.blanks();
        if self.reader.take(b'}') {
            return Ok(false);
        }
        loop {
            self.reader.blanks();
            let key = self.string()?;
            self.reader.blanks();
            if !self.reader.take(b':') {
                return Err(self.reader.refuse("a colon is missing"));
            }
            self.reader.blanks();
            place.push(key);
            let done = self.member(place)?;
            place.pop();
            if done {
                return Ok(true);
            }
            self.reader.blanks();
            if self.reader.take(b'}') {
                return Ok(false);
            }
            if !self.reader.take(b',') {
                return Err(self.reader.refuse("a comma or brace is missing"));
            }
        }
    }

    /// One member's value; true once every role is met.
    fn member(&mut self, place: &mut Vec<Vec<u8>>) -> Result<bool, Refused> {
        let start = self.reader.at;
        let same = |path: &Path| path.len() == place.len() && begins(path, place);
        if let Some(at) = self.missing.iter().position(|(_, path)| same(path)) {
            let (role, _) = self.missing.remove(at);
            if role != Role::Payload {
                let value = self.role(role)?;
                self.found.push((role, value));
            } else if self.missing.is_empty() {
                self.tail = Some(start..self.reader.text.len() - 1);
            } else {
                self.skip(place.len() + 1)?;
                self.tail = Some(start..self.reader.at);
            }
            return Ok(self.missing.is_empty());
        }
        let leads = self.missing.iter().any(|(_, path)| path.len() > place.len() && begins(path, place));
        if leads && self.reader.peek() == Some(b'{') {
            return self.object(place);
        }
        self.skip(place.len() + 1)?;
        Ok(false)
    }

    /// Reads a role's value strictly, by its type.
    fn role(&mut self, role: Role) -> Result<Value, Refused> {
        let wrong = self.reader.refuse("a role of the wrong type");
        let value = match self.reader.peek() {
            Some(b'"') => Value::Text(self.string()?),
            Some(b'{' | b'[') if role == Role::Nondeterministic => {
                self.skip(2)?;
                Value::Null
            }
            Some(b'{' | b'[') => return Err(wrong),
            _ => self.reader.scalar()?,
        };
        let fits = match role {
            Role::Thread(_) => match &value {
                Value::Text(_) => true,
                Value::Number(number) => number.is_integer(),
                _ => false,
            },
            Role::Ordinal => value.as_integer().is_some_and(|n| (0..=i128::from(u64::MAX)).contains(&n)),
            _ => true,
        };
        if fits { Ok(value) } else { Err(wrong) }
    }

    /// A string read strictly, UTF-8 included.
    fn string(&mut self) -> Result<Vec<u8>, Refused> {
        let start = self.reader.at;
        let string = self.reader.string()?;
        match std::str::from_utf8(&self.reader.text[start..self.reader.at]) {
            Ok(_) => Ok(string),
            Err(_) => Err(Refused { at: start, why: "invalid UTF-8" }),
        }
    }

    /// Steps over a value whose containers would be `depth` deep.
    fn skip(&mut self, depth: usize) -> Result<(), Refused> {
        match self.reader.peek() {
            Some(b'"') => self.skip_string(),
            Some(b'{' | b'[') => {
                let mut open = depth - 1;
                loop {
                    match self.reader.peek() {
                        None => return Err(self.reader.refuse("brackets do not close")),
                        Some(b'"') => {
                            self.skip_string()?;
                            continue;
                        }
                        Some(b'{' | b'[') => open += 1,
                        Some(b'}' | b']') => open -= 1,
                        Some(_) => {}
                    }
                    if open > DEPTH_MAX {
                        return Err(self.reader.refuse("nested too deeply"));
                    }
                    self.reader.at += 1;
                    if open < depth {
                        break;
                    }
                }
                Ok(())
            }
            _ => self.reader.scalar().map(drop),
        }
    }

    fn skip_string(&mut self) -> Result<(), Refused> {
        self.reader.at += 1;
        loop {
            match self.reader.peek() {
                None => return Err(self.reader.refuse("a string does not end")),
                Some(b'"') => break,
                Some(b'\\') => self.reader.at += 2,
                Some(_) => self.reader.at += 1,
            }
        }
        self.reader.at += 1;
        Ok(())
    }
}

/// True where `place` is where `path` leads, or on the way there.
fn begins(path: &Path, place: &[Vec<u8>]) -> bool {
    path.iter().zip(place).all(|(token, key)| token.as_bytes() == key.as_slice())
}
