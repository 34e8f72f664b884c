//! How the bytes of a log are packed: told by its first bytes, never by its name.

use std::fmt;

/// A way of packing that is undone while reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 1952, any number of members.
    Gzip,
    /// RFC 8878, any number of frames, skippable ones among them.
    Zstd,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Gzip => "gzip",
            Format::Zstd => "zstd",
        })
    }
}

/// Bytes that tell every format from text.
pub(super) const MAGIC_BYTES: usize = 4;

const GZIP: [u8; 3] = [0x1F, 0x8B, 8];
const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// Behind a first byte of 0x50 to 0x5F: a frame to be stepped over, with which a zstd archive may begin.
const SKIPPABLE: [u8; 3] = [0x2A, 0x4D, 0x18];

/// What the first bytes of a log tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sniffed {
    /// Nothing is to be unpacked.
    Plain,
    Archive(Format),
    /// Another byte is needed to tell.
    More,
}

/// Looks at the first bytes of a log; `at_end`: there are no more. Asks for no byte that cannot change the answer.
pub(super) fn sniff(first: &[u8], at_end: bool) -> Sniffed {
    let begins = |magic: &[u8]| first.iter().zip(magic).all(|(byte, wanted)| byte == wanted);
    let skippable = first.first().is_some_and(|byte| byte & 0xF0 == 0x50)
        && first[1..].iter().zip(SKIPPABLE).all(|(byte, wanted)| *byte == wanted);
    let (gzip, zstd) = (begins(&GZIP), begins(&ZSTD) || skippable);
    // Two bytes are enough for a gzip archive that is cut short within its magic bytes.
    if gzip && (first.len() >= GZIP.len() || at_end && first.len() == 2) {
        return Sniffed::Archive(Format::Gzip);
    }
    if zstd && first.len() >= MAGIC_BYTES {
        return Sniffed::Archive(Format::Zstd);
    }
    match at_end || !(gzip || zstd || first.is_empty()) {
        true => Sniffed::Plain,
        false => Sniffed::More,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_known_by_their_first_bytes() {
        assert_eq!(sniff(&[0x1F, 0x8B, 8], false), Sniffed::Archive(Format::Gzip));
        assert_eq!(sniff(&[0x28, 0xB5, 0x2F, 0xFD, 1], false), Sniffed::Archive(Format::Zstd));
        for first in 0x50..=0x5F {
            assert_eq!(sniff(&[first, 0x2A, 0x4D, 0x18], false), Sniffed::Archive(Format::Zstd));
        }
    }

    #[test]
    fn no_byte_is_asked_for_that_cannot_change_the_answer() {
        for text in [&b"{"[..], b"\n", b" ", b"\xEF\xBB\xBF", b"\x1F{", b"PK\x03\x04", b"(x", b"\x4F\x2A\x4D\x18"] {
            assert_eq!(sniff(text, false), Sniffed::Plain, "{text:?}");
        }
        for begun in [&b""[..], b"\x1F", b"\x1F\x8B", b"\x28\xB5\x2F", b"P", b"P\x2A\x4D"] {
            assert_eq!(sniff(begun, false), Sniffed::More, "{begun:?}");
        }
    }

    #[test]
    fn what_ends_within_its_magic_bytes_is_text_but_for_gzip() {
        for text in [&b""[..], b"\x1F", b"\x28\xB5\x2F", b"P\x2A\x4D"] {
            assert_eq!(sniff(text, true), Sniffed::Plain, "{text:?}");
        }
        assert_eq!(sniff(b"\x1F\x8B", true), Sniffed::Archive(Format::Gzip));
    }
}
