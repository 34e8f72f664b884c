//! The raw memory of two folders: invariants that images decide, images, dumps.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::class::Class;
use super::image::{self, ImageDiff};
use super::invariant::{self, Invariant, Verdict};
use super::manifest::Claims;
use super::memory;
use super::outcome::Status;
use super::rules::{Holds, InvariantRule};
use super::run::Run;
use crate::disk::PlainFile;

impl Run<'_> {
    /// Judges the invariants; where images tell more than a hash of theirs, by the images.
    pub(super) fn invariants(&mut self) {
        for rule in &self.rules.invariants {
            let mut judged = invariant::judge(rule, &self.values);
            let canonical = rule.image.as_ref().and_then(|image| self.canonical_hashes(image));
            if let Some([one, other]) = canonical {
                let passes = one == other;
                let name = format!("{} (import slots masked)", rule.name);
                let verdict = if passes { Verdict::Pass } else { Verdict::Fail };
                self.outcome.invariants.push(Invariant { name, values: [Some(one), Some(other)], verdict });
                judged.name = format!("{} (raw)", rule.name);
                // What the bytes themselves say counts more than a hash of more of them than must be equal.
                if judged.verdict != Verdict::Pass {
                    judged.verdict = Verdict::Info;
                }
                if passes {
                    self.inform(rule);
                }
            }
            self.outcome.invariants.push(judged);
        }
    }

    /// The fields that an invariant reads are told, and change nothing: a better one holds.
    fn inform(&mut self, rule: &InvariantRule) {
        let Holds::Between(source) = &rule.holds else { return };
        let path = source.path.dotted();
        let differences = &mut self.outcome.differences;
        for difference in &mut differences.kept {
            let is_its = self.outcome.files[difference.file].name == source.file && difference.path == path;
            if is_its && !difference.is_informational {
                difference.is_informational = true;
                differences.informational += 1;
            }
        }
    }

    /// The hashes of both sides' images with all import slots masked, where they are known and both have the image.
    fn canonical_hashes(&mut self, name: &str) -> Option<[String; 2]> {
        let imports = self.options.imports.as_ref()?;
        if let Some(known) = self.canonical.get(name) {
            return Some(known.clone());
        }
        let files = [0, 1].map(|side| self.folders[side].file(name));
        let [Some(one), Some(other)] = self.both_of(files)? else { return None };
        let base = self.base(name);
        let slots = [&one, &other].map(|file| imports.within(base..base.saturating_add(file.len())));
        for (whose, (_, outside)) in ["reference", "candidate"].into_iter().zip(&slots) {
            let told = |count: u64, does: [&str; 2]| match count {
                0 => None,
                1 => Some(format!("{name} of the {whose}: 1 import slot {}", does[0])),
                count => Some(format!("{name} of the {whose}: {count} import slots {}", does[1])),
            };
            let straddling = [
                "reaches beyond it and is masked as far as it goes",
                "reach beyond it and are masked as far as they go",
            ];
            self.outcome.remarks.extend(told(outside.straddling, straddling));
            self.outcome.remarks.extend(told(outside.beyond, ["lies outside it", "lie outside it"]));
        }
        let (one, other) = rayon::join(|| image::sha256(&one, &slots[0].0), || image::sha256(&other, &slots[1].0));
        let hashes = self.both_of([one, other])?;
        self.canonical.insert(name.to_owned(), hashes.clone());
        Some(hashes)
    }

    /// The address of an image's first byte.
    fn base(&self, name: &str) -> u64 {
        let rule = self.rules.images.iter().find(|rule| rule.file == name);
        let told = rule.and_then(|rule| rule.base_at.as_ref()).and_then(|source| {
            let documents = [0, 1].map(|side| self.values.get(source, side));
            documents.into_iter().flatten().find_map(|document| document.address(document.root()))
        });
        let imports = self.options.imports.as_ref().and_then(|imports| imports.base);
        imports.or(told).or(rule.map(|rule| rule.base)).unwrap_or(0)
    }

    /// Compares the images that the rules name, where both sides have them.
    pub(super) fn images(&mut self) {
        for rule in &self.rules.images {
            let name = &rule.file;
            let files = [0, 1].map(|side| self.folders[side].file(name));
            let Some(files) = self.both_of(files) else { continue };
            let base = self.base(name);
            match files {
                [None, None] if !self.wrong.contains_key(name) => {}
                [one, other] => {
                    if one.is_some() != other.is_some() {
                        self.outcome.remarks.push(format!("{name} is on one side only, and is not compared"));
                    }
                    self.raw(name, [one, other], [base; 2], false);
                }
            }
        }
    }

    /// Compares the files of memory that the documents of either side name.
    pub(super) fn dumps(&mut self) {
        let names: BTreeSet<String> = self.dumps.iter().flat_map(BTreeMap::keys).cloned().collect();
        for name in names {
            let told = [0, 1].map(|side| self.dumps[side].get(&name).cloned());
            for (side, told) in told.iter().enumerate() {
                if let Some((_, Some(claimed))) = told {
                    self.verify(side, &Claims::from([(name.clone(), claimed.to_ascii_lowercase())]));
                }
            }
            let bases = told.map(|told| told.map(|(base, _)| base));
            let base = bases[0].or(bases[1]).unwrap_or(0);
            let files = [0, 1].map(|side| self.folders[side].file(&name));
            let Some(files) = self.both_of(files) else { continue };
            self.raw(&name, files, bases.map(|own| own.unwrap_or(base)), true);
        }
    }

    /// Compares a file of memory, whose first bytes stand at these addresses. Where only one side has it, that is a difference if both
    /// must.
    fn raw(&mut self, name: &str, files: [Option<PlainFile>; 2], bases: [u64; 2], is_needed: bool) {
        self.counted(name, |run, index| {
            run.hashes(index, name);
            let has = files.each_ref().map(Option::is_some);
            if is_needed && has[0] != has[1] {
                run.missing(index, name, has);
            }
            match files {
                [Some(one), Some(other)] => match image::compare([&one, &other]) {
                    Ok(diff) => run.ranges(index, [&one, &other], &diff, bases),
                    Err(error) => {
                        run.outcome.faults.push(error.to_string());
                        Status::Faulty
                    }
                },
                [Some(_), None] => Status::MissingInCandidate,
                [None, Some(_)] => Status::MissingInReference,
                [None, None] => Status::Absent,
            }
        });
    }

    /// Tells the ranges in which two files of memory differ.
    fn ranges(&mut self, index: usize, files: [&PlainFile; 2], diff: &ImageDiff, bases: [u64; 2]) -> Status {
        let slots: &[Range<u64>] = self.options.imports.as_ref().map_or(&[], |imports| imports.slots());
        let ranges = match memory::tell(index, files, diff, bases, slots, &self.owners) {
            Ok(ranges) => ranges,
            Err(error) => {
                self.outcome.faults.push(error.to_string());
                return Status::Faulty;
            }
        };
        let patches = ranges.iter().filter(|range| range.is_import_patch).count() as u64;
        // What engines patch is told, and is no difference.
        self.outcome.differences.counts[Class::Delta.index()] += ranges.len() as u64 - patches + diff.more;
        self.outcome.memory_more += diff.more;
        self.outcome.memory_bytes += diff.bytes;
        let status = if ranges.is_empty() { Status::Identical } else { Status::Equal };
        self.outcome.memory.extend(ranges);
        status
    }
}
