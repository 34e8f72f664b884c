//! Ranges of differing memory, with whose they are and what stands there.

use std::ops::Range;

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

/// The ranges that differ, cut where their owners change. `bases` are the addresses of the two files' first bytes, `owners` those of
/// each side's own documents: the reference's count first.
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
        let run = bases[0].saturating_add(run.start)..bases[0].saturating_add(run.end);
        for (piece, slot) in slots.pieces(run) {
            for (part, owner) in owners[0].pieces(piece.clone()) {
                let place = part.start - bases[0];
                // What nobody owns on the reference's side may be somebody's on the other.
                let others =
                    || owners[1].pieces(bases[1].saturating_add(place)..u64::MAX).next().and_then(|(_, owner)| owner);
                let owner = slot.or(owner).or_else(others);
                let length = part.end - part.start;
                let first = [first_bytes(files[0], place, length)?, first_bytes(files[1], place, length)?];
                let owner = owner.map(|owner| owner.name.clone());
                told.push(MemoryRange {
                    file,
                    address: part.start,
                    length,
                    owner,
                    is_import_patch: slot.is_some(),
                    first,
                });
            }
        }
    }
    Ok(told)
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
    }
}
