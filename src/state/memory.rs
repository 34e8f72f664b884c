//! Ranges of differing memory, with whose they are and what stands there.

use std::ops::Range;

#[cfg(doc)]
use super::image::GAP;
use super::image::ImageDiff;
use super::owners::{Owner, Owners};
use crate::disk::{PlainFile, ReadError};

/// So many of a range's first bytes are told.
const FIRST_BYTES: u64 = 16;

/// Bytes that differ in a file of memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryRange {
    /// By its number among the files.
    pub file: usize,
    /// The address of the first, by the reference.
    pub address: u64,
    pub length: u64,
    /// "section .text".
    pub owner: Option<String>,
    /// They lie in a slot that engines patch.
    pub is_import_patch: bool,
    /// The first bytes of both sides; fewer where a side ends.
    pub first: [Vec<u8>; 2],
}

/// The ranges that differ, cut where their owners change; each begins and ends with bytes that differ. `bases` are the addresses of the
/// two files' first bytes, `owners` those of each side's own documents: the reference's count first.
///
/// # Errors
/// The bytes cannot be read.
pub fn tell(
    file: usize,
    files: [&PlainFile; 2],
    diff: &ImageDiff,
    bases: [u64; 2],
    slots: &[Range<u64>],
    owners: &[Vec<Owner>; 2],
) -> Result<Vec<MemoryRange>, ReadError> {
    let slots =
        Owners::new(slots.iter().map(|slot| Owner { range: slot.clone(), name: "import slot".to_owned() }).collect());
    let owners = owners.each_ref().map(|owners| Owners::new(owners.clone()));
    let mut told = Vec::new();
    for run in &diff.runs {
        for (piece, slot) in slots.pieces(shifted(run, bases[0])) {
            let is_import_patch = slot.is_some();
            let parts = if is_import_patch { vec![(piece, slot)] } else { parts(piece, bases, &owners) };
            for (part, owner) in parts {
                let place = (part.start - u128::from(bases[0])) as u64..(part.end - u128::from(bases[0])) as u64;
                let Some(place) = trimmed(files, place, run)? else { continue };
                let length = place.end - place.start;
                let first = [first_bytes(files[0], place.start, length)?, first_bytes(files[1], place.start, length)?];
                let address = bases[0].saturating_add(place.start);
                let owner = owner.map(|owner| owner.name.clone());
                told.push(MemoryRange { file, address, length, owner, is_import_patch, first });
            }
        }
    }
    Ok(told)
}

/// Addresses behind an image's first, wherever that lies.
fn shifted(range: &Range<u64>, base: u64) -> Range<u128> {
    u128::from(range.start) + u128::from(base)..u128::from(range.end) + u128::from(base)
}

/// A range of the reference's addresses cut where owners change. What nobody owns there may be somebody's on the other side.
fn parts(piece: Range<u128>, bases: [u64; 2], owners: &[Owners; 2]) -> Vec<(Range<u128>, Option<&Owner>)> {
    let [to, from] = bases.map(u128::from);
    let mut parts = Vec::new();
    for (part, owner) in owners[0].pieces(piece) {
        match owner {
            Some(_) => parts.push((part, owner)),
            None => {
                let there = part.start - to + from..part.end - to + from;
                let others = owners[1].pieces(there);
                parts.extend(others.map(|(other, owner)| (other.start - from + to..other.end - from + to, owner)));
            }
        }
    }
    parts
}

/// A part of a run without equal bytes at its ends; none if nothing else is left. A run itself has none there, and fewer than [`GAP`] in a
/// row within.
fn trimmed(files: [&PlainFile; 2], part: Range<u64>, run: &Range<u64>) -> Result<Option<Range<u64>>, ReadError> {
    let common = files[0].len().min(files[1].len());
    let differs = |at: u64| -> Result<bool, ReadError> {
        let mut bytes = [[0], [0]];
        if at < common {
            files[0].read_at(&mut bytes[0], at)?;
            files[1].read_at(&mut bytes[1], at)?;
        }
        Ok(at >= common || bytes[0] != bytes[1])
    };
    let Range { mut start, mut end } = part;
    while start < end && start != run.start && !differs(start)? {
        start += 1;
    }
    while start < end && end != run.end && !differs(end - 1)? {
        end -= 1;
    }
    Ok((start < end).then_some(start..end))
}

fn first_bytes(file: &PlainFile, at: u64, length: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = vec![0; length.min(FIRST_BYTES).min(file.len().saturating_sub(at)) as usize];
    if !bytes.is_empty() {
        file.read_at(&mut bytes, at)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::image;

    #[test]
    fn ranges_are_cut_where_owners_change() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            PlainFile::open(&path).unwrap()
        };
        let one = file("one", &[1; 60]);
        let mut bytes = vec![1; 60];
        bytes[8..36].fill(2);
        bytes.extend([7; 4]);
        let other = file("other", &bytes);
        let diff = image::compare([&one, &other]).unwrap();
        let owners = [
            vec![Owner { range: 1000..1020, name: "section a".into() }],
            vec![Owner { range: 2020..2070, name: "heap b".into() }],
        ];
        let told = tell(3, [&one, &other], &diff, [1000, 2000], &[1016..1020, 1030..1034], &owners).unwrap();
        let shown: Vec<_> = told
            .iter()
            .map(|range| (range.address, range.length, range.owner.as_deref(), range.is_import_patch))
            .collect();
        assert_eq!(
            shown,
            [
                (1008, 8, Some("section a"), false),
                (1016, 4, Some("import slot"), true),
                (1020, 10, Some("heap b"), false),
                (1030, 4, Some("import slot"), true),
                (1034, 2, Some("heap b"), false),
                (1060, 4, Some("heap b"), false),
            ]
        );
        assert_eq!((&told[0].first, &told[5].first), (&[vec![1; 8], vec![2; 8]], &[vec![], vec![7; 4]]));
        // At the end of all addresses nothing is lost.
        let told = tell(3, [&one, &other], &diff, [u64::MAX - 20, u64::MAX], &[], &[vec![], vec![]]).unwrap();
        let shown: Vec<_> = told.iter().map(|range| (range.address, range.length)).collect();
        assert_eq!(shown, [(u64::MAX - 12, 28), (u64::MAX, 4)]);
    }

    #[test]
    fn what_is_equal_in_a_run_is_no_range_of_anybody() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            PlainFile::open(&path).unwrap()
        };
        let files = [file("one", b"................"), file("other", b"..x....x...x....")];
        let files = [&files[0], &files[1]];
        let diff = image::compare(files).unwrap();
        assert_eq!((diff.runs.len(), diff.runs[0].clone()), (1, 2..12));
        // The slot lies where nothing differs; the section ends between two differing bytes.
        let owners = [vec![Owner { range: 100..110, name: "section".into() }], Vec::new()];
        let told = tell(0, files, &diff, [100, 100], &[103..107, 200..204], &owners).unwrap();
        let shown: Vec<_> = told.iter().map(|range| (range.address, range.length, range.owner.is_some())).collect();
        assert_eq!(shown, [(102, 1, true), (107, 1, true), (111, 1, false)]);
    }
}
