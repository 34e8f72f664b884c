//! Two files of raw memory, byte for byte, on as many workers as there are.

use std::ops::Range;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::disk::{PlainFile, ReadError};

/// Bytes that one worker looks at before their runs are joined with the others'.
const CHUNK: u64 = 4 << 20;
/// Bytes read at a time.
const BLOCK: usize = 256 << 10;
/// Chunks looked at before their runs are joined: what is held is bounded by that.
const CHUNKS_AT_ONCE: usize = 16;
/// Runs that are kept; the others are counted.
const RUNS_MAX: usize = 100_000;
/// So many equal bytes between two differing ones make two runs of them: fewer are part of what changed.
pub const GAP: u64 = 8;

/// What differs between two images.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ImageDiff {
    /// Differing bytes, by their places from the image's first; what only the longer one has is the last of them.
    pub runs: Vec<Range<u64>>,
    /// How many there are beside them.
    pub more: u64,
    /// All bytes that differ.
    pub bytes: u64,
}

/// Compares two images. Holes of both are not read.
///
/// # Errors
/// One of them cannot be read.
pub fn compare(files: [&PlainFile; 2]) -> Result<ImageDiff, ReadError> {
    let [one, other] = files.map(PlainFile::len);
    let common = one.min(other);
    let mut diff = ImageDiff::default();
    let chunks: Vec<Range<u64>> = chunks(files, common);
    for some in chunks.chunks(CHUNKS_AT_ONCE) {
        let found: Vec<(Vec<Range<u64>>, u64)> = some
            .par_iter()
            .map_init(Blocks::new, |blocks, chunk| in_chunk(files, chunk.clone(), blocks))
            .collect::<Result<_, _>>()?;
        for (runs, bytes) in found {
            diff.bytes += bytes;
            runs.into_iter().for_each(|run| diff.add(run));
        }
    }
    if one != other {
        diff.bytes += one.abs_diff(other);
        diff.add(common..one.max(other));
    }
    Ok(diff)
}

impl ImageDiff {
    /// Adds a run behind all others, or to the last of them.
    fn add(&mut self, run: Range<u64>) {
        let kept = self.runs.len();
        match self.runs.last_mut() {
            Some(last) if self.more == 0 && run.start < last.end + GAP => last.end = run.end,
            _ if kept < RUNS_MAX => self.runs.push(run),
            _ => self.more += 1,
        }
    }
}

/// The chunks that hold data on either side.
fn chunks(files: [&PlainFile; 2], common: u64) -> Vec<Range<u64>> {
    let mut extents: Vec<Range<u64>> = files.iter().flat_map(|file| file.extents()).collect();
    extents.sort_by_key(|extent| extent.start);
    let mut chunks: Vec<Range<u64>> = Vec::new();
    let mut behind = 0;
    for extent in extents {
        // Chunks lie on a grid, so that two sides' extents share them.
        let mut at = (extent.start / CHUNK * CHUNK).max(behind);
        while at < extent.end.min(common) {
            chunks.push(at..(at + CHUNK).min(common));
            at += CHUNK;
        }
        behind = at.max(behind);
    }
    chunks
}

/// A worker's own room for the bytes of both sides.
struct Blocks([Vec<u8>; 2]);

impl Blocks {
    fn new() -> Blocks {
        Blocks([vec![0; BLOCK], vec![0; BLOCK]])
    }
}

/// The runs of differing bytes of a chunk, and how many bytes differ.
fn in_chunk(
    files: [&PlainFile; 2],
    chunk: Range<u64>,
    blocks: &mut Blocks,
) -> Result<(Vec<Range<u64>>, u64), ReadError> {
    let (mut runs, mut bytes) = (Vec::new(), 0);
    let mut at = chunk.start;
    while at < chunk.end {
        let len = (chunk.end - at).min(BLOCK as u64) as usize;
        let [one, other] = &mut blocks.0;
        files[0].read_at(&mut one[..len], at)?;
        files[1].read_at(&mut other[..len], at)?;
        if one[..len] != other[..len] {
            bytes += differing(&one[..len], &other[..len], at, &mut runs);
        }
        at += len as u64;
    }
    Ok((runs, bytes))
}

/// Adds the runs of two blocks of one length, the first byte of which stands at `base`; how many bytes differ.
fn differing(one: &[u8], other: &[u8], base: u64, runs: &mut Vec<Range<u64>>) -> u64 {
    const WORD: usize = 64;
    let mut bytes = 0;
    for (at, (left, right)) in one.chunks(WORD).zip(other.chunks(WORD)).enumerate() {
        if left == right {
            continue;
        }
        for (within, _) in left.iter().zip(right).enumerate().filter(|(_, (x, y))| x != y) {
            let place = base + (at * WORD + within) as u64;
            bytes += 1;
            match runs.last_mut() {
                Some(last) if place < last.end + GAP => last.end = place + 1,
                _ => runs.push(place..place + 1),
            }
        }
    }
    bytes
}

/// The SHA-256 of a file in which all bytes of some ranges (sorted, apart from each other) are 0xCD.
///
/// # Errors
/// It cannot be read.
pub fn sha256(file: &PlainFile, masked: &[Range<u64>]) -> Result<String, ReadError> {
    let mut hasher = Sha256::new();
    let mut block = vec![0; BLOCK];
    let (mut at, mut next) = (0, 0);
    while at < file.len() {
        let len = (file.len() - at).min(BLOCK as u64);
        let bytes = &mut block[..len as usize];
        file.read_at(bytes, at)?;
        while let Some(slot) = masked.get(next).filter(|slot| slot.start < at + len) {
            let from = slot.start.max(at) - at;
            bytes[from as usize..(slot.end.min(at + len) - at) as usize].fill(0xCD);
            // One that goes on in the next block is looked at again there.
            if slot.end > at + len {
                break;
            }
            next += 1;
        }
        hasher.update(&*bytes);
        at += len;
    }
    Ok(hex(&hasher.finalize()))
}

/// The SHA-256 of bytes.
pub fn sha256_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in hex, two digits each.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(bytes: &[u8]) -> (tempfile::NamedTempFile, PlainFile) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let plain = PlainFile::open(file.path()).unwrap();
        (file, plain)
    }

    /// The same the obvious way.
    fn slowly(one: &[u8], other: &[u8]) -> ImageDiff {
        let mut diff = ImageDiff::default();
        for at in 0..one.len().max(other.len()) {
            if one.get(at) != other.get(at) {
                diff.bytes += 1;
                let at = at as u64;
                match diff.runs.last_mut() {
                    Some(last) if at < last.end + GAP => last.end = at + 1,
                    _ => diff.runs.push(at..at + 1),
                }
            }
        }
        diff
    }

    #[test]
    fn runs_go_on_over_blocks_and_chunks_and_what_is_longer_is_the_last() {
        let one = vec![1u8; (2 * CHUNK + 100) as usize];
        let mut other = one.clone();
        for at in [0, BLOCK - 1, BLOCK, CHUNK as usize - 2, CHUNK as usize + 1, CHUNK as usize + 20] {
            other[at] = 2;
        }
        other.extend([9; 50]);
        let (files, expected) = ([file(&one), file(&other)], slowly(&one, &other));
        assert_eq!(compare([&files[0].1, &files[1].1]).unwrap(), expected);
        assert_eq!(compare([&files[1].1, &files[0].1]).unwrap(), expected);
        assert_eq!(expected.runs.len(), 5);
        assert_eq!(compare([&files[0].1, &files[0].1]).unwrap(), ImageDiff::default());
    }

    #[test]
    fn a_hole_is_zeros() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sparse");
        std::fs::File::create(&path).unwrap().set_len(3 * CHUNK).unwrap();
        let sparse = PlainFile::open(&path).unwrap();
        let mut bytes = vec![0; 3 * CHUNK as usize];
        let (_zeros, zeros) = file(&bytes);
        assert_eq!(compare([&sparse, &zeros]).unwrap(), ImageDiff::default());
        bytes[CHUNK as usize + 5] = 1;
        let (_one, one) = file(&bytes);
        let runs = compare([&sparse, &one]).unwrap().runs;
        assert_eq!((runs.len(), runs[0].clone()), (1, CHUNK + 5..CHUNK + 6));
    }

    #[test]
    fn hashes_are_those_of_the_masked_bytes() {
        let bytes: Vec<u8> = (0..BLOCK + 1000).map(|at| (at % 251) as u8).collect();
        let (_file, plain) = file(&bytes);
        assert_eq!(sha256(&plain, &[]).unwrap(), sha256_of(&bytes));
        let slots = [0..4, 100..101, BLOCK as u64 - 3..BLOCK as u64 + 13, BLOCK as u64 + 990..BLOCK as u64 + 1000];
        let mut masked = bytes.clone();
        slots.iter().for_each(|slot| masked[slot.start as usize..slot.end as usize].fill(0xCD));
        assert_eq!(sha256(&plain, &slots).unwrap(), sha256_of(&masked));
        assert_eq!(sha256_of(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    proptest! {
        #[test]
        fn blocks_are_compared_as_byte_by_byte(one in prop::collection::vec(0u8..3, 0..300), edits in prop::collection::vec((0usize..300, 0u8..3), 0..10)) {
            let mut other = one.clone();
            edits.iter().for_each(|(at, byte)| if let Some(old) = other.get_mut(*at) { *old = *byte });
            let mut runs = Vec::new();
            let bytes = differing(&one, &other, 1000, &mut runs);
            let expected = slowly(&one, &other);
            prop_assert_eq!(bytes, expected.bytes);
            let shifted: Vec<_> = expected.runs.iter().map(|run| run.start + 1000..run.end + 1000).collect();
            prop_assert_eq!(runs, shifted);
        }
    }
}
