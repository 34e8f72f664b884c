//! What a log gives does not depend on how it arrives, and a damaged archive gives a beginning of what was packed.
#![no_main]

use std::io::{Cursor, Read, Write};

use forkpoint::source::{Log, OpenOptions};
use forkpoint_fuzz::apart;
use libfuzzer_sys::fuzz_target;

/// Gives its bytes so many at a time.
struct Slowly(Cursor<Vec<u8>>, usize);

impl Read for Slowly {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let len = self.1.min(into.len());
        self.0.read(&mut into[..len])
    }
}

/// The bytes of a log that arrives so many at a time, and whether it is damaged.
fn arrived(bytes: &[u8], size: usize, window_bytes: usize) -> (Vec<u8>, bool) {
    let options = OpenOptions { window_bytes, ..OpenOptions::default() };
    let source = Slowly(Cursor::new(bytes.to_vec()), size);
    let mut log = Log::open_reader("fuzz", Box::new(source), &options).expect("it opens");
    let mut all = Vec::new();
    while let Ok(Some(window)) = log.next_window() {
        all.extend_from_slice(&window.bytes);
    }
    (all, log.damage().is_some())
}

/// The text as two gzip members.
fn gzip(text: [&[u8]; 2]) -> Vec<u8> {
    let mut packed = Vec::new();
    for part in text {
        let mut encoder = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
        packed = encoder.write_all(part).and_then(|()| encoder.finish()).expect("it packs");
    }
    packed
}

/// The text as two zstd frames with checksums.
fn zstd(text: [&[u8]; 2]) -> Vec<u8> {
    let mut packed = Vec::new();
    for part in text {
        let mut encoder = zstd::Encoder::new(packed, 1).expect("an encoder");
        let done = encoder.include_checksum(true).and_then(|()| encoder.write_all(part));
        packed = done.and_then(|()| encoder.finish()).expect("it packs");
    }
    packed
}

fuzz_target!(|data: &[u8]| {
    let (texts, choice) = apart(data);
    let size = choice % 61 + 1;
    // As it stands: plain, or an archive that somebody else damaged.
    let once = arrived(data, usize::MAX, 1 << 20);
    assert!(arrived(data, size, 64) == once);
    // Packed by us; the second text tells the damage: where it is cut, or where which bit is flipped.
    let text = texts[0];
    let parts = text.split_at(text.len() / 2);
    let mut packed = if choice & 1 == 0 { zstd(parts.into()) } else { gzip(parts.into()) };
    let Some([at, how, ..]) = texts.get(1) else {
        assert!(arrived(&packed, size, 1 << 20) == (text.to_vec(), false));
        return;
    };
    // The first bytes say that it is an archive.
    let at = (usize::from(*at) * packed.len() / 256).max(4);
    match how {
        0..128 => packed.truncate(at),
        _ => packed[at] ^= 1 << (how % 8),
    }
    let (bytes, is_damaged) = arrived(&packed, size, 1 << 20);
    assert!(arrived(&packed, usize::MAX, 7) == (bytes.clone(), is_damaged), "however it arrives");
    // A broken part may give other bytes before its checksum tells.
    assert!(is_damaged && *how >= 128 || text.starts_with(&bytes), "no more than was packed");
});
