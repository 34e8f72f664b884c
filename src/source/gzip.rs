//! Unpacks gzip: members one behind the other, and what stands behind the last.

use std::io;
use std::path::PathBuf;

use flate2::{Decompress, FlushDecompress, Status};

use super::feed::Feed;
use super::origin::Origin;
use super::{Damage, DamageKind, Format};

/// The window every gzip decoder has.
const WINDOW_BITS: u8 = 15;

/// A gzip archive being unpacked.
///
/// The decoder is driven by hand: `MultiGzDecoder` takes anything behind the last member for an error, and its
/// buffers would decide how much of a damaged member comes out, so that a pipe and a file would differ.
pub(super) struct Gunzip {
    path: PathBuf,
    feed: Feed,
    /// The member being unpacked.
    member: Option<Decompress>,
    /// Members begun so far.
    members: u64,
    unpacked: u64,
    /// Told once what was unpacked before has been given.
    fault: Option<String>,
    remark: Option<String>,
    at_end: bool,
}

impl Gunzip {
    pub(super) fn new(path: PathBuf, feed: Feed) -> Gunzip {
        let (fault, remark) = (None, None);
        Gunzip { path, feed, member: None, members: 0, unpacked: 0, fault, remark, at_end: false }
    }

    fn damage(&self, kind: DamageKind) -> io::Error {
        let (packed, unpacked) = (self.feed.taken, self.unpacked);
        io::Error::other(Damage { path: self.path.clone(), format: Format::Gzip, kind, packed, unpacked })
    }

    /// Begins the next member; at the end, or before what is none, there is none to begin.
    fn next_member(&mut self) -> io::Result<()> {
        // The first one was known by its first bytes.
        if self.members == 0 || self.feed.look(2)?.starts_with(&[0x1F, 0x8B]) {
            self.members += 1;
            self.member = Some(Decompress::new_gzip(WINDOW_BITS));
            return Ok(());
        }
        self.at_end = true;
        let (mut zeros, mut count) = (true, 0_u64);
        loop {
            let rest = self.feed.look(1)?;
            if rest.is_empty() {
                break;
            }
            zeros &= rest.iter().all(|byte| *byte == 0);
            let len = rest.len();
            count += len as u64;
            self.feed.take(len);
        }
        let (what, path) = (if zeros { "zero bytes" } else { "bytes that are none of it" }, self.path.display());
        self.remark = (count > 0).then(|| format!("{path}: {count} {what} behind the gzip archive are left out"));
        Ok(())
    }
}

impl Origin for Gunzip {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(reason) = self.fault.take() {
                return Err(self.damage(DamageKind::Corrupt(reason)));
            }
            if self.at_end || into.is_empty() {
                return Ok(0);
            }
            let Some(member) = &mut self.member else {
                self.next_member()?;
                continue;
            };
            let input = self.feed.look(1)?;
            if input.is_empty() {
                return Err(self.damage(DamageKind::Truncated));
            }
            let before = (member.total_in(), member.total_out());
            let done = member.decompress(input, into, FlushDecompress::None);
            let taken = (member.total_in() - before.0) as usize;
            let given = (member.total_out() - before.1) as usize;
            self.feed.take(taken);
            self.unpacked += given as u64;
            match done {
                Ok(Status::StreamEnd) => self.member = None,
                // The decoder always takes or gives something, or it could go on for ever.
                Ok(_) if taken + given == 0 => self.fault = Some("the decoder is stuck".to_owned()),
                Ok(_) => {}
                // The decoder's own words depend on how its input came in.
                Err(_) => self.fault = Some("its data contradict themselves or their checksum".to_owned()),
            }
            if given > 0 {
                return Ok(given);
            }
        }
    }

    // Packed bytes that wait may give nothing, and the next ones be waited for: more is known only of a file.
    fn never_waits(&self) -> bool {
        self.feed.never_waits()
    }

    fn remark(&mut self) -> Option<String> {
        self.remark.take()
    }
}
