//! Unpacks zstd: frames one behind the other, skippable ones among them.

use std::io;
use std::path::{Path, PathBuf};

use zstd::stream::raw::{DParameter, Decoder, Operation};

use super::feed::Feed;
use super::origin::Origin;
use super::{Damage, DamageKind, Format};

/// A frame's first call gets fewer bytes than any frame header has. Given a whole small frame at once, zstd takes a
/// short cut that gives nothing of a damaged frame; given less, it goes block by block.
const FIRST_BYTES: usize = 5;
/// Bytes of a block's header. The decoder asks for a block and the next one's header together.
const BLOCK_HEADER: usize = 3;

/// A zstd archive being unpacked.
///
/// The decoder is driven by hand, a block at a time: what comes out of a damaged frame then does not depend on how
/// its bytes came in, so that a pipe and a file give the same.
pub(super) struct Unzstd {
    path: PathBuf,
    feed: Feed,
    decoder: Decoder<'static>,
    window_log_max: u32,
    /// Bytes that the decoder's current step still wants; 0 between frames.
    wanted: usize,
    /// Bytes of the archive before that step: those that turned out sound.
    sound: u64,
    /// The current step is a frame's first.
    is_first: bool,
    /// The output was filled: there may be more without further input.
    is_full: bool,
    unpacked: u64,
}

impl Unzstd {
    pub(super) fn new(path: &Path, feed: Feed, window_log_max: u32) -> io::Result<Unzstd> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(window_log_max))?;
        let path = path.to_owned();
        Ok(Unzstd {
            path,
            feed,
            decoder,
            window_log_max,
            wanted: 0,
            sound: 0,
            is_first: false,
            is_full: false,
            unpacked: 0,
        })
    }

    fn damage(&self, kind: DamageKind) -> io::Error {
        let packed = if kind == DamageKind::Truncated { self.feed.taken } else { self.sound };
        let unpacked = self.unpacked;
        io::Error::other(Damage { path: self.path.clone(), format: Format::Zstd, kind, packed, unpacked })
    }

    fn fault(&self, error: &io::Error) -> io::Error {
        let reason = error.to_string();
        if reason.contains("not enough memory") {
            return io::Error::new(io::ErrorKind::OutOfMemory, "there is not enough memory to unpack it");
        }
        match reason.contains("too much memory") {
            true => self.damage(DamageKind::Window(self.window_log_max)),
            false => self.damage(DamageKind::Corrupt(reason)),
        }
    }
}

impl Origin for Unzstd {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            // A block comes out of the decoder only as a whole, also one that is not packed, and the header behind it
            // is not waited for.
            let step = match self.wanted {
                0 => 1,
                wanted @ ..=BLOCK_HEADER => wanted,
                wanted => wanted - BLOCK_HEADER,
            };
            let input = match self.is_full {
                true => &[],
                false => self.feed.look(step)?,
            };
            if input.is_empty() && !self.is_full {
                return if self.wanted == 0 { Ok(0) } else { Err(self.damage(DamageKind::Truncated)) };
            }
            let at_frame = self.wanted == 0 && !input.is_empty();
            let wanted = if at_frame { FIRST_BYTES } else { self.wanted };
            let input = &input[..input.len().min(if at_frame { wanted } else { step })];
            let len = input.len();
            let done = match self.decoder.run_on_buffers(input, into) {
                Ok(done) => done,
                Err(error) => return Err(self.fault(&error)),
            };
            if at_frame {
                (self.wanted, self.sound, self.is_first) = (wanted, self.feed.taken, true);
            }
            self.feed.take(done.bytes_read);
            self.unpacked += done.bytes_written as u64;
            self.is_full = done.bytes_written == into.len() && done.remaining > 0;
            if done.bytes_read + done.bytes_written == 0 && len > 0 {
                return Err(self.damage(DamageKind::Corrupt("the decoder is stuck".to_owned())));
            }
            self.wanted = self.wanted.saturating_sub(done.bytes_read);
            if self.wanted == 0 || done.remaining == 0 {
                self.wanted = done.remaining;
                // A frame is sound, or not, from its beginning.
                if !std::mem::take(&mut self.is_first) {
                    self.sound = self.feed.taken;
                }
            }
            if done.bytes_written > 0 {
                return Ok(done.bytes_written);
            }
        }
    }

    // Packed bytes that wait may give nothing, and the next ones be waited for: more is known only of a file.
    fn never_waits(&self) -> bool {
        self.feed.never_waits()
    }
}
