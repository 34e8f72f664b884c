//! Files of rows: a JSON object a line, each written whole by one call.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Map, Value};

/// The members of a row or of an event.
pub type Fields = Map<String, Value>;

/// The members of a row: `fields! { "rows" => 5, "why" => text }`.
#[macro_export]
#[doc(hidden)]
macro_rules! episode_fields {
    ($($key:expr => $value:expr),* $(,)?) => {{
        #[allow(unused_mut)]
        let mut fields = $crate::episode::Fields::new();
        $(fields.insert($key.to_owned(), ::serde_json::json!($value));)*
        fields
    }};
}
pub(crate) use crate::episode_fields as fields;

/// A file that only grows, by whole rows.
#[derive(Debug)]
pub struct RowFile {
    file: File,
    /// Bytes of whole rows.
    length: u64,
    rows: u64,
}

impl RowFile {
    /// A new file.
    ///
    /// # Errors
    /// It is there already, or cannot be made.
    pub fn create(path: &Path) -> io::Result<RowFile> {
        let file = OpenOptions::new().append(true).create_new(true).open(path)?;
        Ok(RowFile { file, length: 0, rows: 0 })
    }

    /// Writes a row, its members in the order of their keys.
    ///
    /// # Errors
    /// It could not be written; what arrived of it is taken back, as far as the system lets us.
    pub fn append(&mut self, row: &Fields) -> io::Result<()> {
        let mut line = serde_json::to_vec(row)?;
        line.push(b'\n');
        match self.file.write_all(&line) {
            Ok(()) => {
                self.length += line.len() as u64;
                self.rows += 1;
                Ok(())
            }
            Err(error) => {
                // Half a row would be read as the end of a killed recording.
                let _ = self.file.set_len(self.length);
                Err(error)
            }
        }
    }

    /// How many rows it has.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Waits until it is on the disk.
    ///
    /// # Errors
    /// As the system tells.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }
}
