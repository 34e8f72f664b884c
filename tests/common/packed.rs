//! Logs packed in every way that archives are made.
#![allow(dead_code)]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// One gzip member.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// One zstd frame with a checksum, as the program `zstd` makes it.
pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A zstd frame that asks for a window of 2 to this power bytes, as `zstd --long` makes it.
pub fn zstd_long(bytes: &[u8], window_log: u32) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(window_log).unwrap();
    encoder.long_distance_matching(true).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A frame that decoders step over.
pub fn skippable(len: u32) -> Vec<u8> {
    let mut frame = vec![0x5A, 0x2A, 0x4D, 0x18];
    frame.extend_from_slice(&len.to_le_bytes());
    frame.extend((0..len).map(|at| at as u8));
    frame
}

/// Bytes in so many parts, none of which ends with its line.
pub fn parts(bytes: &[u8], count: usize) -> Vec<&[u8]> {
    bytes.chunks(bytes.len().div_ceil(count).max(1)).collect()
}

/// Sound archives of the same bytes, by name.
pub fn all(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let three = |pack: fn(&[u8]) -> Vec<u8>| parts(bytes, 3).into_iter().map(pack).collect::<Vec<_>>();
    let frames = three(zstd);
    vec![
        ("one gzip member", gzip(bytes)),
        ("three gzip members", three(gzip).concat()),
        ("gzip members, empty ones among them", [gzip(b""), gzip(bytes), gzip(b"")].concat()),
        ("one zstd frame", zstd(bytes)),
        ("three zstd frames", frames.concat()),
        ("a skippable frame first", [skippable(9), zstd(bytes)].concat()),
        ("skippable frames between and behind", {
            let [first, middle, last] = [0, 1, 2].map(|at| frames.get(at).cloned().unwrap_or_default());
            [first, skippable(300), skippable(0), middle, last, skippable(5)].concat()
        }),
        ("a window of 2^27", zstd_long(bytes, 27)),
    ]
}
