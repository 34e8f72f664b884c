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

fuzz_target!(|data: &[u8]| {
    let (texts, choice) = apart(data);
    let size = choice % 61 + 1;
    // As it stands: plain, or an archive that somebody else damaged.
    let once = arrived(data, usize::MAX, 1 << 20);
    assert!(arrived(data, size, 64) == once);
    // Packed by us: the second text tells what is damaged, by places and bits.
    let mut packed = match choice & 1 {
        0 => zstd::encode_all(texts[0], 1).expect("it packs"),
        _ => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(texts[0]).and_then(|()| encoder.finish()).expect("it packs")
        }
    };
    assert!(arrived(&packed, size, 1 << 20) == (texts[0].to_vec(), false));
    let cut = texts.get(1).filter(|harm| !harm.is_empty()).map(|harm| usize::from(harm[0]) % packed.len());
    if let Some(cut) = cut {
        packed.truncate(cut.max(4));
        let (bytes, _) = arrived(&packed, size, 1 << 20);
        assert!(texts[0].starts_with(&bytes), "no more than was packed");
        assert!(arrived(&packed, usize::MAX, 7).0 == bytes);
    }
});
