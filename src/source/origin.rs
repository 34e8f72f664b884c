//! Where the bytes of a stream come from: descriptors, other readers, parts of a file; and its first bytes.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use super::format::{Sniffed, sniff};

/// What the first reads ask for, in bytes.
const FIRST_BYTES: usize = 16 << 10;

/// Something that is read from front to end on a reader thread.
pub(super) trait Origin: Send {
    /// As `Read::read`. What an archive has to tell of its damage comes as an error that holds a
    /// [`Damage`](super::Damage).
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize>;

    /// Whether no read ever waits for another program.
    fn never_waits(&self) -> bool {
        false
    }

    /// Whether the next read surely gives something (or the end) without waiting for another program.
    fn has_more(&self) -> bool {
        self.never_waits()
    }

    /// At the end: something worth saying that changes no answer.
    fn remark(&mut self) -> Option<String> {
        None
    }
}

impl Origin for Box<dyn Origin> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        (**self).read(into)
    }
    fn never_waits(&self) -> bool {
        (**self).never_waits()
    }
    fn has_more(&self) -> bool {
        (**self).has_more()
    }
    fn remark(&mut self) -> Option<String> {
        (**self).remark()
    }
}

/// A pipe, FIFO, socket, device, or file of the kernel's.
pub(super) struct Descriptor(pub(super) File);

impl Origin for Descriptor {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
    fn has_more(&self) -> bool {
        rustix::io::ioctl_fionread(&self.0).is_ok_and(|waiting| waiting > 0)
    }
}

/// Any reader; whether it would wait is not known.
pub(super) struct Anything(pub(super) Box<dyn Read + Send>);

impl Origin for Anything {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

/// A regular file up to the length it had at open.
pub(super) struct Part {
    file: File,
    at: u64,
    end: u64,
}

impl Part {
    pub(super) fn new(file: File, at: u64, end: u64) -> Part {
        Part { file, at, end }
    }
}

impl Origin for Part {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = into.len().min(usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX));
        let read = self.file.read_at(&mut into[..len], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
    fn never_waits(&self) -> bool {
        true
    }
}

/// An origin whose first bytes were taken already.
pub(super) struct Begun<O> {
    first: Vec<u8>,
    at: usize,
    rest: O,
}

impl<O: Origin> Begun<O> {
    pub(super) fn new(first: Vec<u8>, rest: O) -> Begun<O> {
        Begun { first, at: 0, rest }
    }
}

impl<O: Origin> Origin for Begun<O> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = &self.first[self.at..];
        if left.is_empty() {
            return self.rest.read(into);
        }
        let len = left.len().min(into.len());
        into[..len].copy_from_slice(&left[..len]);
        self.at += len;
        Ok(len)
    }
    fn never_waits(&self) -> bool {
        self.rest.never_waits()
    }
    fn has_more(&self) -> bool {
        self.at < self.first.len() || self.rest.has_more()
    }
    fn remark(&mut self) -> Option<String> {
        self.rest.remark()
    }
}

/// Reads until it can be told whether an archive begins here, and no longer; what was read then stands in front
/// again.
pub(super) fn begun<O: Origin>(mut origin: O) -> io::Result<(Sniffed, Begun<O>)> {
    let mut first = Vec::new();
    let mut bytes = vec![0; FIRST_BYTES];
    let mut at_end = false;
    let found = loop {
        match sniff(&first, at_end) {
            Sniffed::More => {}
            found => break found,
        }
        let read = super::reader::read_waiting(&mut origin, &mut bytes)?;
        first.extend_from_slice(&bytes[..read]);
        at_end = read == 0;
    };
    Ok((found, Begun::new(first, origin)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_stand_in_front_again_and_no_more_are_waited_for() {
        let (reader, writer) = io::pipe().unwrap();
        io::Write::write_all(&mut &writer, b"{").unwrap();
        // The pipe stays open: to wait for a second byte would be to wait for ever.
        let (found, mut origin) = begun(Anything(Box::new(reader))).unwrap();
        assert_eq!(found, Sniffed::Plain);
        let mut bytes = [0; 9];
        assert_eq!((origin.read(&mut bytes).unwrap(), bytes[0]), (1, b'{'));
        drop(writer);
        assert_eq!(origin.read(&mut bytes).unwrap(), 0);
    }

    #[test]
    fn a_part_of_a_file_ends_where_it_ended_at_open() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"grown since").unwrap();
        let mut part = Part::new(File::open(file.path()).unwrap(), 0, 5);
        let mut bytes = [0; 9];
        assert_eq!(part.read(&mut bytes).unwrap(), 5);
        assert_eq!(&bytes[..5], b"grown");
        assert_eq!(part.read(&mut bytes).unwrap(), 0);
    }
}
