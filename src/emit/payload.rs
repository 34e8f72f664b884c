//! What an event tells: members of an object, elements of an array, written straight into the line.
//!
//! Nothing here fails, so that recording costs an engine no decisions; only what serde serializes may, and then leaves no
//! trace. Commas and brackets are the writers' concern: whatever is called in whatever order, JSON comes out.

use serde::Serialize;

use super::text::{self, Number};

/// What a value of serde's cannot be written for.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// It cannot be JSON.
    #[error("failed to serialize: {0}")]
    Json(#[from] serde_json::Error),
    /// A payload is an object, and this is none.
    #[error("a payload must be an object")]
    NoObject,
}

/// The members of a JSON object that is being written. Give no key twice.
#[derive(Debug)]
pub struct Members<'a> {
    line: &'a mut Vec<u8>,
    is_first: bool,
}

/// The elements of a JSON array that is being written.
#[derive(Debug)]
pub struct Elements<'a> {
    line: &'a mut Vec<u8>,
    is_first: bool,
}

/// Writes an object.
#[inline]
pub(super) fn object(line: &mut Vec<u8>, write: impl FnOnce(&mut Members<'_>)) {
    line.push(b'{');
    write(&mut Members { line, is_first: true });
    line.push(b'}');
}

fn array(line: &mut Vec<u8>, write: impl FnOnce(&mut Elements<'_>)) {
    line.push(b'[');
    write(&mut Elements { line, is_first: true });
    line.push(b']');
}

/// Writes what serde makes of a value.
pub(super) fn serialized(line: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) -> Result<(), PayloadError> {
    Ok(serde_json::to_writer(line, value)?)
}

fn boolean(line: &mut Vec<u8>, value: bool) {
    line.extend_from_slice(if value { b"true" } else { b"false" });
}

impl Members<'_> {
    #[inline]
    fn key(&mut self, key: &str) -> &mut Vec<u8> {
        if !self.is_first {
            self.line.push(b',');
        }
        self.is_first = false;
        text::string(self.line, key);
        self.line.push(b':');
        self.line
    }

    /// A string.
    #[inline]
    pub fn text(&mut self, key: &str, value: &str) -> &mut Self {
        text::string(self.key(key), value);
        self
    }

    /// A number, with all its digits. What is not finite becomes `NaN`, `Infinity` or `-Infinity`, which forkpoint reads and
    /// strict JSON does not know.
    #[inline]
    pub fn number(&mut self, key: &str, value: impl Number) -> &mut Self {
        text::number(self.key(key), value);
        self
    }

    /// A string of eight hexadecimal digits behind `0x`: `"0x40105000"`.
    pub fn hex32(&mut self, key: &str, value: u32) -> &mut Self {
        text::hex(self.key(key), u64::from(value), 8);
        self
    }

    /// The same with sixteen digits.
    pub fn hex64(&mut self, key: &str, value: u64) -> &mut Self {
        text::hex(self.key(key), value, 16);
        self
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, key: &str, value: bool) -> &mut Self {
        boolean(self.key(key), value);
        self
    }

    /// `null`.
    pub fn null(&mut self, key: &str) -> &mut Self {
        self.key(key).extend_from_slice(b"null");
        self
    }

    /// An object, whose members the closure writes.
    #[inline]
    pub fn object(&mut self, key: &str, write: impl FnOnce(&mut Members<'_>)) -> &mut Self {
        object(self.key(key), write);
        self
    }

    /// An array, whose elements the closure writes.
    pub fn array(&mut self, key: &str, write: impl FnOnce(&mut Elements<'_>)) -> &mut Self {
        array(self.key(key), write);
        self
    }

    /// Whatever serde serializes.
    ///
    /// # Errors
    /// It cannot be JSON. Then the member is not there.
    pub fn serialize(&mut self, key: &str, value: &(impl Serialize + ?Sized)) -> Result<&mut Self, PayloadError> {
        let (before, was_first) = (self.line.len(), self.is_first);
        if let Err(error) = serialized(self.key(key), value) {
            self.line.truncate(before);
            self.is_first = was_first;
            return Err(error);
        }
        Ok(self)
    }
}

impl Elements<'_> {
    fn next(&mut self) -> &mut Vec<u8> {
        if !self.is_first {
            self.line.push(b',');
        }
        self.is_first = false;
        self.line
    }

    /// A string.
    pub fn text(&mut self, value: &str) -> &mut Self {
        text::string(self.next(), value);
        self
    }

    /// A number: see [`Members::number`].
    pub fn number(&mut self, value: impl Number) -> &mut Self {
        text::number(self.next(), value);
        self
    }

    /// A string like `"0x40105000"`.
    pub fn hex32(&mut self, value: u32) -> &mut Self {
        text::hex(self.next(), u64::from(value), 8);
        self
    }

    /// The same with sixteen digits.
    pub fn hex64(&mut self, value: u64) -> &mut Self {
        text::hex(self.next(), value, 16);
        self
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, value: bool) -> &mut Self {
        boolean(self.next(), value);
        self
    }

    /// `null`.
    pub fn null(&mut self) -> &mut Self {
        self.next().extend_from_slice(b"null");
        self
    }

    /// An object, whose members the closure writes.
    pub fn object(&mut self, write: impl FnOnce(&mut Members<'_>)) -> &mut Self {
        object(self.next(), write);
        self
    }

    /// An array, whose elements the closure writes.
    pub fn array(&mut self, write: impl FnOnce(&mut Elements<'_>)) -> &mut Self {
        array(self.next(), write);
        self
    }

    /// Whatever serde serializes.
    ///
    /// # Errors
    /// It cannot be JSON. Then the element is not there.
    pub fn serialize(&mut self, value: &(impl Serialize + ?Sized)) -> Result<&mut Self, PayloadError> {
        let (before, was_first) = (self.line.len(), self.is_first);
        if let Err(error) = serialized(self.next(), value) {
            self.line.truncate(before);
            self.is_first = was_first;
            return Err(error);
        }
        Ok(self)
    }
}
