//! The rows of a file, one by one: a JSON object a line, with a time.
//!
//! One line is held at a time, so the file may be of any length. A recorder that was killed leaves a torn last line, which is no damage; whatever else is
//! no row is told with its place, and stepped over.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use crate::disk::PlainFile;
use crate::json::{Kind, Tape, number, text};

/// Longer lines are no rows; they are stepped over without being held.
const LINE_BYTES_MAX: u64 = 16 << 20;
/// Rows that are damaged are told up to so many of each file, and then counted.
const FAULTS_TOLD_MAX: usize = 20;
/// Bytes that are read at a time.
const BLOCK_BYTES: usize = 256 << 10;

/// What a file of rows is like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileAccount {
    /// Its name in the episode's folder.
    pub name: String,
    /// Whether there is one.
    pub exists: bool,
    /// Rows that could be read.
    pub rows: u64,
    /// The time of the last of them.
    pub last: u64,
    /// The last line ends in the middle.
    pub is_torn: bool,
    /// What is damaged, each as `PATH:LINE: byte OFFSET: reason`, the first so many.
    pub faults: Vec<String>,
    /// How many there are in all.
    pub faults_total: u64,
}

impl FileAccount {
    fn fault(&mut self, fault: String) {
        self.faults_total += 1;
        if self.faults.len() < FAULTS_TOLD_MAX {
            self.faults.push(fault);
        }
    }
}

/// One row.
#[derive(Debug)]
pub struct Row<'r> {
    /// The row's value, taken apart.
    pub tape: &'r Tape,
    /// The row as it stands in the file.
    pub text: &'r [u8],
    /// Nanoseconds of the episode's clock.
    pub time: u64,
}

impl Row<'_> {
    /// A member that is a string.
    pub fn string(&self, key: &str) -> Option<String> {
        let node = self.tape.get(self.text, Tape::ROOT, key.as_bytes())?;
        (self.tape.kind(node) == Kind::String).then(|| unescaped(self.tape.bytes(self.text, node)))
    }

    /// The members, each key as it is meant and each value's place on the tape.
    pub fn members(&self) -> impl Iterator<Item = (String, usize)> + '_ {
        let members = self.tape.distinct_members(self.text, Tape::ROOT);
        members.into_iter().map(|(key, value)| (unescaped(self.tape.bytes(self.text, key)), value))
    }
}

/// What a string's token means.
pub(crate) fn unescaped(token: &[u8]) -> String {
    String::from_utf8_lossy(&text::unescape(token)).into_owned()
}

/// Hands on each row of a file of an episode; what `take` refuses, with its reason, is damaged too.
pub fn each_row(folder: &Path, name: &str, mut take: impl FnMut(&Row<'_>) -> Result<(), String>) -> FileAccount {
    let mut account = FileAccount { name: name.to_owned(), ..FileAccount::default() };
    let path = folder.join(name);
    let file = match PlainFile::open(&path) {
        Ok(file) => file,
        Err(error) if error.error.kind() == io::ErrorKind::NotFound => return account,
        Err(error) => {
            account.exists = true;
            account.fault(error.to_string());
            return account;
        }
    };
    account.exists = true;
    let mut lines = Lines::new(&file);
    let mut tape = Tape::default();
    loop {
        let line = match lines.next() {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(error) => {
                account.fault(error.to_string());
                break;
            }
        };
        let (number, offset, is_whole) = (line.number, line.offset, line.is_whole);
        let taken = match line.text {
            None => Err((0, format!("a line of more than {} MiB is no row", LINE_BYTES_MAX >> 20))),
            Some(text) if text.trim_ascii().is_empty() => continue,
            Some(text) => row(&mut tape, text).and_then(|time| {
                take(&Row { tape: &tape, text, time }).map_err(|why| (0, why))?;
                Ok(time)
            }),
        };
        match taken {
            Ok(time) => {
                account.rows += 1;
                account.last = account.last.max(time);
            }
            // Nothing follows it: whoever wrote it was killed.
            Err(_) if !is_whole => account.is_torn = true,
            Err((at, why)) => account.fault(format!("{}:{number}: byte {}: {why}", path.display(), offset + at)),
        }
    }
    account
}

/// Takes a line apart: the row's time, or what is wrong with it at which byte.
fn row(tape: &mut Tape, text: &[u8]) -> Result<u64, (u64, String)> {
    tape.parse(text, 0).map_err(|fault| (fault.at as u64, fault.reason.to_string()))?;
    if tape.kind(Tape::ROOT) != Kind::ObjectStart {
        return Err((0, "a row is an object".to_owned()));
    }
    let time = tape.get(text, Tape::ROOT, b"t_mono_ns").ok_or((0, "a row without t_mono_ns".to_owned()))?;
    let token = (tape.kind(time) == Kind::Number).then(|| tape.bytes(text, time));
    let nanoseconds = token.and_then(number::to_u64);
    nanoseconds.ok_or_else(|| (tape.start(time) as u64, "t_mono_ns is no number of nanoseconds".to_owned()))
}

/// One line of a file.
struct Line<'l> {
    /// From 1.
    number: u64,
    /// Where it begins.
    offset: u64,
    /// It ends with a line feed.
    is_whole: bool,
    /// Without its line feed; none where it is too long to be held.
    text: Option<&'l [u8]>,
}

/// The lines of a file, one held at a time.
struct Lines<'f> {
    reader: BufReader<Walk<'f>>,
    line: Vec<u8>,
    number: u64,
    offset: u64,
}

impl<'f> Lines<'f> {
    fn new(file: &'f PlainFile) -> Lines<'f> {
        let reader = BufReader::with_capacity(BLOCK_BYTES, Walk { file, at: 0 });
        Lines { reader, line: Vec::new(), number: 0, offset: 0 }
    }

    fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let mut length = (&mut self.reader).take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut self.line)? as u64;
        if length == 0 {
            return Ok(None);
        }
        let mut is_whole = self.line.last() == Some(&b'\n');
        let is_held = is_whole || length <= LINE_BYTES_MAX;
        if !is_held {
            let (rest, ended) = self.step_over()?;
            (length, is_whole) = (length + rest, ended);
        }
        let offset = self.offset;
        (self.number, self.offset) = (self.number + 1, offset + length);
        let text = is_held.then(|| self.line.strip_suffix(b"\n").unwrap_or(&self.line));
        Ok(Some(Line { number: self.number, offset, is_whole, text }))
    }

    /// Goes to the line's end: how many bytes that took, and whether there was a line feed.
    fn step_over(&mut self) -> io::Result<(u64, bool)> {
        let mut length = 0;
        loop {
            let block = self.reader.fill_buf()?;
            let (found, used) = match memchr::memchr(b'\n', block) {
                Some(at) => (true, at + 1),
                None => (false, block.len()),
            };
            self.reader.consume(used);
            length += used as u64;
            if found || used == 0 {
                return Ok((length, found));
            }
        }
    }
}

/// A file from its beginning to where it ended when it was opened: what a recorder adds meanwhile is not waited for.
struct Walk<'f> {
    file: &'f PlainFile,
    at: u64,
}

impl Read for Walk<'_> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let left = self.file.len() - self.at;
        let length = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.file.read_at(&mut block[..length], self.at).map_err(io::Error::other)?;
        self.at += length as u64;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> (Vec<u64>, FileAccount) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rows.jsonl"), text).unwrap();
        let mut times = Vec::new();
        let mut account = each_row(folder.path(), "rows.jsonl", |row| {
            times.push(row.time);
            Ok(())
        });
        let above = format!("{}/", folder.path().display());
        account.faults.iter_mut().for_each(|fault| *fault = fault.replace(&above, ""));
        (times, account)
    }

    #[test]
    fn only_the_last_line_may_be_torn() {
        for (text, times, is_torn, faults) in [
            (&b""[..], &[][..], false, &[][..]),
            (b"{\"t_mono_ns\":1}\n\n{\"t_mono_ns\":2}\n", &[1, 2], false, &[]),
            (b"{\"t_mono_ns\":1}\n{\"t_mono_ns\":2}", &[1, 2], false, &[]),
            (b"{\"t_mono_ns\":1}\n{\"t_mono_ns\":2", &[1], true, &[]),
            (b"{\"t_mono_ns\":1}\n\0\0\0", &[1], true, &[]),
            (b"{\"t_mono_ns\":1\n{\"t_mono_ns\":2}\n", &[2], false, &["rows.jsonl:1: byte 14: "]),
            (b"{\"t_mono_ns\":1}\n[]\n", &[1], false, &["rows.jsonl:2: byte 16: a row is an object"]),
            (b"{\"t_wall_ns\":1}\n", &[], false, &["rows.jsonl:1: byte 0: a row without t_mono_ns"]),
            (b"{\"t_mono_ns\":-1}\n", &[], false, &["rows.jsonl:1: byte 13: t_mono_ns is no number"]),
            (b"{\"t_mono_ns\":\"1\"}\n{}\n", &[], false, &["rows.jsonl:1: byte 13: ", "rows.jsonl:2: byte 18: "]),
        ] {
            let (found, account) = read(text);
            let told = String::from_utf8_lossy(text);
            assert_eq!((found.as_slice(), account.is_torn), (times, is_torn), "{told}");
            assert_eq!(account.faults.len(), faults.len(), "{told}: {:?}", account.faults);
            for (fault, wanted) in account.faults.iter().zip(faults) {
                assert!(fault.starts_with(wanted), "{told}: {fault}");
            }
            assert_eq!((account.rows, account.last), (times.len() as u64, times.last().copied().unwrap_or(0)));
        }
    }

    #[test]
    fn what_is_no_file_of_rows_is_told_and_what_is_not_there_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let nothing = each_row(folder.path(), "none.jsonl", |_| Ok(()));
        assert_eq!((nothing.exists, nothing.faults_total), (false, 0));
        std::fs::create_dir(folder.path().join("rows.jsonl")).unwrap();
        let account = each_row(folder.path(), "rows.jsonl", |_| Ok(()));
        assert!(account.exists && account.faults[0].contains("is a directory"), "{:?}", account.faults);
    }

    #[test]
    fn damage_is_counted_when_it_is_told_no_more() {
        let (_, account) = read("x\n".repeat(100).as_bytes());
        assert_eq!((account.faults.len(), account.faults_total), (FAULTS_TOLD_MAX, 100));
    }

    #[test]
    fn a_line_too_long_to_hold_is_stepped_over() {
        let mut text = vec![b' '; LINE_BYTES_MAX as usize + 5000];
        text.extend_from_slice(b"\n{\"t_mono_ns\":7}\n");
        let (times, account) = read(&text);
        assert_eq!((times.as_slice(), account.faults_total), (&[7][..], 1));
        assert!(account.faults[0].contains("rows.jsonl:1: byte 0: a line of more than 16 MiB"), "{:?}", account.faults);
    }
}
