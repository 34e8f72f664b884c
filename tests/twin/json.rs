//! A plain recursive JSON parser by BEHAVIOUR 3.2 and 3.3.

pub use super::value::{Number, Value, member};

/// Where and why a text is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub at: usize,
    pub why: &'static str,
}

pub const DEPTH_MAX: usize = 1024;

/// Reads a report, in which the deepest line stands a few levels further down.
pub fn parse_report(text: &[u8]) -> Result<Value, Refused> {
    parse_within(text, DEPTH_MAX + 16).map(|(value, _)| value)
}

/// Reads one value that fills the whole text but for white space.
pub fn parse(text: &[u8]) -> Result<Value, Refused> {
    parse_line(text).map(|(value, _)| value)
}

/// As [`parse`], and the keys that stand in one object more than once.
pub fn parse_line(text: &[u8]) -> Result<(Value, Vec<Repeat>), Refused> {
    parse_within(text, DEPTH_MAX)
}

fn parse_within(text: &[u8], depth_max: usize) -> Result<(Value, Vec<Repeat>), Refused> {
    if let Err(error) = std::str::from_utf8(text) {
        return Err(Refused { at: error.valid_up_to(), why: "invalid UTF-8" });
    }
    let mut reader = Reader { text, at: 0, depth_max, repeats: Vec::new() };
    let value = reader.value(1)?;
    reader.blanks();
    if reader.at < text.len() {
        return Err(reader.refuse("more text after the value"));
    }
    Ok((value, reader.repeats))
}

/// A key given twice, and how deep its object lies.
pub type Repeat = (usize, Vec<u8>);

/// A place in a text; also used by the opening of lines for what is read strictly there.
pub struct Reader<'a> {
    pub text: &'a [u8],
    pub at: usize,
    pub depth_max: usize,
    /// Keys given twice, and how deep; the outermost object is 1.
    pub repeats: Vec<Repeat>,
}

impl Reader<'_> {
    pub fn refuse(&self, why: &'static str) -> Refused {
        Refused { at: self.at, why }
    }

    pub fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    pub fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub fn value(&mut self, depth: usize) -> Result<Value, Refused> {
        self.blanks();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(Value::Text(self.string()?)),
            _ => self.scalar(),
        }
    }

    fn open(&mut self, depth: usize) -> Result<(), Refused> {
        if depth > self.depth_max {
            return Err(self.refuse("nested too deeply"));
        }
        self.at += 1;
        self.blanks();
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<Value, Refused> {
        self.open(depth)?;
        let mut members: Vec<(Vec<u8>, Value)> = Vec::new();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.blanks();
            let key = self.string()?;
            self.blanks();
            if !self.take(b':') {
                return Err(self.refuse("a colon is missing"));
            }
            let value = self.value(depth + 1)?;
            match members.iter_mut().find(|(name, _)| *name == key) {
                Some(old) => {
                    old.1 = value;
                    self.repeats.push((depth, key));
                }
                None => members.push((key, value)),
            }
            self.blanks();
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.take(b',') {
                return Err(self.refuse("a comma or brace is missing"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, Refused> {
        self.open(depth)?;
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.blanks();
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            if !self.take(b',') {
                return Err(self.refuse("a comma or bracket is missing"));
            }
        }
    }

    /// A number or literal.
    pub fn scalar(&mut self) -> Result<Value, Refused> {
        for (word, value) in [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("NaN", Value::Token("NaN")),
            ("Infinity", Value::Token("Infinity")),
            ("-Infinity", Value::Token("-Infinity")),
        ] {
            if self.text[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return self.ended(value, b"");
            }
        }
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') && self.digits() == 0 {
            return Err(self.refuse("no value"));
        }
        if self.take(b'.') && self.digits() == 0 {
            return Err(self.refuse("a digit is missing after the point"));
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.refuse("a digit is missing in the exponent"));
            }
        }
        let token = std::str::from_utf8(&self.text[start..self.at]).expect("only ASCII was taken");
        self.ended(Value::Number(Number::parse(token)), b".+-")
    }

    /// A token ends where no letter or digit goes on, nor any of these: opening may look no further.
    fn ended(&self, value: Value, others: &[u8]) -> Result<Value, Refused> {
        match self.peek() {
            Some(byte) if byte.is_ascii_alphanumeric() || others.contains(&byte) => {
                Err(self.refuse("a number or literal goes on"))
            }
            _ => Ok(value),
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    /// A string, unescaped.
    pub fn string(&mut self) -> Result<Vec<u8>, Refused> {
        if !self.take(b'"') {
            return Err(self.refuse("a string is missing"));
        }
        let mut units = Units::default();
        loop {
            match self.peek() {
                None => return Err(self.refuse("a string does not end")),
                Some(0..0x20) => return Err(self.refuse("a control character in a string")),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(units.done());
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape(&mut units)?;
                }
                Some(byte) => {
                    self.at += 1;
                    units.byte(byte);
                }
            }
        }
    }

    fn escape(&mut self, units: &mut Units) -> Result<(), Refused> {
        let byte = self.peek();
        self.at += 1;
        match byte {
            Some(b @ (b'"' | b'\\' | b'/')) => units.byte(b),
            Some(b'b') => units.byte(8),
            Some(b'f') => units.byte(12),
            Some(b'n') => units.byte(b'\n'),
            Some(b'r') => units.byte(b'\r'),
            Some(b't') => units.byte(b'\t'),
            Some(b'u') => {
                let hex = self.text.get(self.at..self.at + 4).filter(|hex| hex.iter().all(u8::is_ascii_hexdigit));
                let hex = hex.ok_or_else(|| self.refuse("four hex digits are missing"))?;
                units.unit(u32::from_str_radix(std::str::from_utf8(hex).expect("ASCII"), 16).expect("hex"));
                self.at += 4;
            }
            _ => return Err(self.refuse("an unknown escape")),
        }
        Ok(())
    }
}

/// Collects bytes and UTF-16 units; a high surrogate followed by a low one is one code point.
#[derive(Default)]
struct Units {
    out: Vec<u8>,
    high: Option<u32>,
}

impl Units {
    fn byte(&mut self, byte: u8) {
        self.high = None;
        self.out.push(byte);
    }

    fn unit(&mut self, unit: u32) {
        let code = match (self.high.take(), unit) {
            (Some(high), 0xDC00..0xE000) => {
                self.out.truncate(self.out.len() - 3);
                0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00)
            }
            _ => unit,
        };
        if let 0xD800..0xDC00 = code {
            self.high = Some(code);
        }
        match char::from_u32(code) {
            Some(c) => self.out.extend(c.to_string().bytes()),
            None => {
                self.out.extend([0xE0 | (code >> 12) as u8, 0x80 | (code >> 6 & 63) as u8, 0x80 | (code & 63) as u8])
            }
        }
    }

    fn done(self) -> Vec<u8> {
        self.out
    }
}
