//! Memory images that are drawn, with slots and owners, and what a look at every byte says of them.

use std::ops::Range;
use std::path::Path;

use forkpoint::state::{Document, Folder, Imports, StateOptions, StateRules, Verdict, compare};

use super::Draw;

/// The address of every image's first byte.
pub const BASE: u64 = 0x8200_0000;
/// So many equal bytes between two that differ part them.
const GAP: usize = 8;

/// Two images, the slots that engines patch, and whose the rest is.
#[derive(Debug)]
pub struct Memory {
    pub images: [Vec<u8>; 2],
    /// Address, and the type of the record.
    pub slots: Vec<(u64, u64)>,
    pub sections: [Vec<Range<u64>>; 2],
}

/// A range as it is told: address, length, owner, whether engines patch it.
pub type Told = (u64, u64, Option<String>, bool);

pub fn drawn(draw: Draw) -> Memory {
    let length = draw(160);
    let one: Vec<u8> = (0..length).map(|at| at as u8).collect();
    let mut other = one.clone();
    for _ in 0..draw(8) {
        let (at, length, step) = (draw(160) as usize, draw(24) as usize, 1 + draw(10) as usize);
        let bytes = other.iter_mut().skip(at).take(length).step_by(step);
        bytes.for_each(|byte| *byte ^= 0x80);
    }
    match draw(6) {
        0 => other.truncate(other.len().saturating_sub(draw(20) as usize)),
        1 => (0..draw(20)).for_each(|_| other.push(7)),
        _ => {}
    }
    let slots = (0..draw(6)).map(|_| (BASE - 8 + draw(176), draw(3))).collect();
    let mut sections = || -> Vec<Range<u64>> {
        let section = |draw: Draw| {
            let start = BASE - 8 + draw(176);
            start..start + draw(80)
        };
        (0..draw(5)).map(|_| section(draw)).collect()
    };
    let sections = [sections(), sections()];
    let images = if draw(2) == 0 { [one, other] } else { [other, one] };
    Memory { images, slots, sections }
}

impl Memory {
    /// Writes both folders, and the list of slots.
    pub fn write(&self, folders: [&Path; 2], imports: &Path) {
        for (side, folder) in folders.into_iter().enumerate() {
            std::fs::create_dir_all(folder).unwrap();
            let sections: Vec<String> = (self.sections[side].iter().enumerate())
                .map(|(at, range)| {
                    format!("{{\"name\":\"{side}{at}\",\"base\":{},\"size\":{}}}", range.start, range.end - range.start)
                })
                .collect();
            std::fs::write(folder.join("memory.json"), format!("{{\"sections\":[{}]}}", sections.join(","))).unwrap();
            std::fs::write(folder.join("image.bin"), &self.images[side]).unwrap();
        }
        let slots: Vec<String> = (self.slots.iter())
            .map(|(address, kind)| format!("{{\"address\":\"0x{address:x}\",\"record_type\":{kind}}}"))
            .collect();
        let slots = format!("{{\"import_libraries\":[{{\"imports\":[{}]}}]}}", slots.join(","));
        std::fs::write(imports, slots).unwrap();
    }

    fn is_slot(&self, at: usize) -> bool {
        let address = BASE + at as u64;
        let bytes = |kind: u64| [4, 16, 0][kind as usize];
        self.slots.iter().any(|(start, kind)| (*start..start + bytes(*kind)).contains(&address))
    }

    /// The section of a side that a byte lies in, the smallest, and of equal ones the first.
    fn section(&self, side: usize, at: usize) -> Option<usize> {
        let address = BASE + at as u64;
        let all = self.sections[side].iter().enumerate().filter(|(_, range)| range.contains(&address));
        all.min_by_key(|(_, range)| range.end - range.start).map(|(at, _)| at)
    }

    /// Whose a byte is.
    fn owner(&self, at: usize) -> Option<String> {
        let name = |side: usize| self.section(side, at).map(|found| format!("section {side}{found}"));
        if self.is_slot(at) { Some("import slot".to_owned()) } else { name(0).or_else(|| name(1)) }
    }

    /// The ranges in which the images differ.
    pub fn ranges(&self) -> Vec<Told> {
        let length = self.images[0].len().max(self.images[1].len());
        let differs = |at: usize| self.images[0].get(at) != self.images[1].get(at);
        let differing: Vec<usize> = (0..length).filter(|at| differs(*at)).collect();
        let mut ranges: Vec<Told> = Vec::new();
        let mut before: Option<usize> = None;
        for at in differing {
            let owner = self.owner(at);
            // What lies between belongs to the same run if it is short, and to the same range if it has the same owner throughout.
            let goes_on = before
                .is_some_and(|before| at - before <= GAP && (before..at).all(|between| self.owner(between) == owner));
            match ranges.last_mut().filter(|_| goes_on) {
                Some(last) => last.1 = BASE + at as u64 + 1 - last.0,
                None => ranges.push((BASE + at as u64, 1, owner, self.is_slot(at))),
            }
            before = Some(at);
        }
        ranges
    }

    /// Whether the images are the same but for slots.
    pub fn are_alike(&self) -> bool {
        let masked = |side: usize| -> Vec<Option<u8>> {
            (self.images[side].iter().enumerate()).map(|(at, byte)| (!self.is_slot(at)).then_some(*byte)).collect()
        };
        masked(0) == masked(1)
    }
}

/// What is said of two images, written into a folder: the ranges, and whether they are the same but for slots.
pub fn told(memory: &Memory, within: &Path, rules: &StateRules) -> (Vec<Told>, bool) {
    let paths = ["one", "other"].map(|name| within.join(name));
    let imports = within.join("imports.json");
    memory.write(paths.each_ref().map(|path| path.as_path()), &imports);
    let imports = Document::parse(std::fs::read(imports).unwrap()).unwrap();
    let options = StateOptions { imports: Some(Imports::read(&imports).unwrap()), ..StateOptions::default() };
    let [one, other] = paths.each_ref().map(|path| Folder::open(path).unwrap());
    let outcome = compare([&one, &other], rules, &options).unwrap();
    let ranges = outcome.memory.iter().map(|range| {
        assert!(range.length > 16 || range.first[0] != range.first[1], "equal bytes are told: {range:?}");
        (range.address, range.length, range.owner.clone(), range.is_import_patch)
    });
    let canonical = outcome.invariants.iter().find(|one| one.name.contains("masked")).unwrap();
    (ranges.collect(), canonical.verdict == Verdict::Pass)
}
