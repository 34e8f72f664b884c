//! Two folders of state compared.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use super::class::Kind;
use super::difference::Difference;
use super::document::{Document, Shape};
use super::folder::{Folder, FolderError};
use super::imports::Imports;
use super::invariant::Values;
use super::manifest::{self, Claims, Wrong};
use super::outcome::{FileOutcome, StateOutcome, Status};
use super::owners::Owner;
use super::place::Place;
use super::rules::StateRules;
use super::walk::Walk;
use crate::disk::PlainFile;
use crate::json::{Pointer, text};

/// The stack of the thread that walks: documents are nested 1,024 deep at most.
const STACK: usize = 64 << 20;

/// What the caller decides.
#[derive(Clone, Debug, Default)]
pub struct StateOptions {
    /// The import slots of the image that both engines loaded.
    pub imports: Option<Imports>,
    /// Only the invariants: files are read for these alone.
    pub invariants_only: bool,
}

/// Compares two folders. What is wrong with single files is told in the outcome.
///
/// # Errors
/// A folder cannot be listed.
pub fn compare(folders: [&Folder; 2], rules: &StateRules, options: &StateOptions) -> Result<StateOutcome, FolderError> {
    let mut run = Run::new(folders, rules, options);
    if !options.invariants_only {
        run.claims();
    }
    for name in run.names()? {
        run.file(&name);
    }
    if run.outcome.files.iter().all(|file| file.status == Status::Absent) {
        let [reference, candidate] = folders.map(|folder| folder.path().display());
        let fault = format!("neither {reference} nor {candidate} has a file that profile {} knows", rules.name);
        run.outcome.faults.push(fault);
    }
    run.invariants();
    if !options.invariants_only {
        run.images();
        run.dumps();
    }
    run.outcome.inputs = folders.iter().flat_map(|folder| folder.opened()).collect();
    Ok(run.outcome)
}

/// A comparison on its way. What it does with raw memory stands in `raw`.
pub(super) struct Run<'a> {
    pub(super) folders: [&'a Folder; 2],
    pub(super) rules: &'a StateRules,
    pub(super) options: &'a StateOptions,
    pub(super) outcome: StateOutcome,
    claims: [Claims; 2],
    /// What differs from its claim, by file.
    pub(super) wrong: BTreeMap<String, [Option<Wrong>; 2]>,
    pub(super) values: Values,
    /// Whose addresses are, on each side.
    pub(super) owners: [Vec<Owner>; 2],
    /// Files of memory that documents name, by side: the address of the first byte and the hash that is named.
    pub(super) dumps: [BTreeMap<String, (u64, Option<String>)>; 2],
    /// The hashes of images whose import slots are masked.
    pub(super) canonical: BTreeMap<String, [String; 2]>,
}

impl<'a> Run<'a> {
    fn new(folders: [&'a Folder; 2], rules: &'a StateRules, options: &'a StateOptions) -> Run<'a> {
        Run {
            folders,
            rules,
            options,
            outcome: StateOutcome::default(),
            claims: [Claims::new(), Claims::new()],
            wrong: BTreeMap::new(),
            values: Values::default(),
            owners: [Vec::new(), Vec::new()],
            dumps: [BTreeMap::new(), BTreeMap::new()],
            canonical: BTreeMap::new(),
        }
    }

    /// What both sides gave; nothing, and its faults told, where one of them failed.
    pub(super) fn both_of<T, E: Into<FolderError>>(&mut self, results: [Result<T, E>; 2]) -> Option<[T; 2]> {
        match results {
            [Ok(one), Ok(other)] => Some([one, other]),
            faulty => {
                let faults = faulty.into_iter().filter_map(Result::err).map(|error| error.into().to_string());
                self.outcome.faults.extend(faults);
                None
            }
        }
    }

    /// Adds a file to the outcome, and what work finds of it to its counts.
    pub(super) fn counted(&mut self, name: &str, work: impl FnOnce(&mut Self, usize) -> Status) {
        let index = self.outcome.files.len();
        let file = FileOutcome { name: name.to_owned(), status: Status::Absent, counts: [0; 7], skipped: Vec::new() };
        self.outcome.files.push(file);
        let before = self.outcome.differences.counts;
        let status = work(self, index);
        let after = self.outcome.differences.counts;
        let file = &mut self.outcome.files[index];
        file.counts = std::array::from_fn(|class| after[class] - before[class]);
        // A file that is not what its manifest says differs, however alike the two are.
        let differs = after != before && matches!(status, Status::Identical | Status::Equal);
        file.status = if differs { Status::Diverged } else { status };
    }

    /// Reads both manifests and holds every claim against its file.
    fn claims(&mut self) {
        let Some(rule) = self.rules.manifest.as_ref() else { return };
        let mut has = [false; 2];
        for (side, has) in has.iter_mut().enumerate() {
            match manifest::claims(self.folders[side], rule) {
                Ok(None) => {}
                Ok(Some((claims, faults))) => {
                    *has = true;
                    let shown = self.folders[side].path().display();
                    self.outcome.faults.extend(faults.into_iter().map(|fault| format!("{shown}/{fault}")));
                    self.verify(side, &claims);
                    self.claims[side] = claims;
                }
                Err(error) => self.outcome.faults.push(error.to_string()),
            }
        }
        if has[0] != has[1] {
            let (with, without) = if has[0] { ("reference", "candidate") } else { ("candidate", "reference") };
            let remark =
                format!("only the {with} has {}: what the {without}'s files should be, nobody says", rule.file);
            self.outcome.remarks.push(remark);
        } else if has[0] && self.claims[0].keys().ne(self.claims[1].keys()) {
            self.counted(&rule.file, |run, index| {
                run.entries(index, &rule.file, &rule.files);
                Status::Equal
            });
        }
    }

    /// Holds claims against the files of a side.
    pub(super) fn verify(&mut self, side: usize, claims: &Claims) {
        for (name, found) in manifest::verify(self.folders[side], claims) {
            match found {
                Ok(wrong) => self.wrong.entry(name).or_default()[side] = Some(wrong),
                Err(error) => self.outcome.faults.push(error.to_string()),
            }
        }
    }

    /// Entries that only one manifest has.
    fn entries(&mut self, index: usize, file: &str, path: &Pointer) {
        let names: BTreeSet<String> = self.claims.iter().flat_map(Claims::keys).cloned().collect();
        for name in names {
            let claimed = [0, 1].map(|side| self.claims[side].get(&name).map(|hash| text::quoted(hash).into_bytes()));
            let kind = match &claimed {
                [Some(_), None] => Kind::MissingInCandidate,
                [None, Some(_)] => Kind::ExtraInCandidate,
                _ => continue,
            };
            let path = format!("{}[{}]", path.dotted(), text::quoted(&name));
            self.tell(index, file, path, kind, claimed);
        }
    }

    /// Tells a difference that stands at no place of two documents.
    pub(super) fn tell(&mut self, file: usize, name: &str, path: String, kind: Kind, values: [Option<Vec<u8>>; 2]) {
        let class = self.rules.class(name, &Place::default(), kind);
        self.outcome.differences.push(class, || Difference {
            file,
            path,
            kind,
            class,
            values,
            rank: u8::MAX,
            is_informational: false,
        });
    }

    /// Tells where a file is not what a manifest, or who else names its hash, says.
    pub(super) fn hashes(&mut self, index: usize, name: &str) {
        let Some(wrong) = self.wrong.remove(name) else { return };
        let told = wrong.map(|wrong| {
            let wrong = wrong?;
            let actual = wrong.actual.map_or_else(|| "null".to_owned(), |actual| text::quoted(&actual));
            Some(format!("{{\"claimed\": {}, \"actual\": {actual}}}", text::quoted(&wrong.claimed)).into_bytes())
        });
        self.tell(index, name, String::new(), Kind::ManifestHashMismatch, told);
    }

    /// Tells that only one side has a file.
    pub(super) fn missing(&mut self, index: usize, name: &str, has: [bool; 2]) {
        let there = |is: bool| Some(text::quoted(if is { "present" } else { "absent" }).into_bytes());
        self.tell(index, name, String::new(), Kind::MissingFile, has.map(there));
    }

    /// The files of both folders that the rules name, or the invariants need.
    fn names(&self) -> Result<Vec<String>, FolderError> {
        let mut names: Vec<String> = Vec::new();
        for pattern in &self.rules.files {
            let found: BTreeSet<String> = match pattern.contains('*') {
                true => self.folders[0].names(pattern)?.into_iter().chain(self.folders[1].names(pattern)?).collect(),
                false => BTreeSet::from([pattern.clone()]),
            };
            let is_wanted = |name: &String| !self.options.invariants_only || self.rules.sources(name).next().is_some();
            for name in found.into_iter().filter(is_wanted) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        Ok(names)
    }

    fn file(&mut self, name: &str) {
        self.counted(name, |run, index| {
            run.hashes(index, name);
            let files = [0, 1].map(|side| run.folders[side].file(name));
            match run.both_of(files) {
                None => Status::Faulty,
                Some([None, None]) => Status::Absent,
                Some([Some(one), Some(other)]) => run.both(index, name, [&one, &other]),
                Some([one, other]) => {
                    let has = [one.is_some(), other.is_some()];
                    let side = usize::from(has[1]);
                    one.or(other).iter().for_each(|file| run.alone(name, side, file));
                    run.missing(index, name, has);
                    if has[0] { Status::MissingInCandidate } else { Status::MissingInReference }
                }
            }
        });
    }

    /// A file that one side has.
    fn alone(&mut self, name: &str, side: usize, file: &PlainFile) {
        let folder = self.folders[side];
        match folder.text(file).and_then(|text| folder.document(file, text)) {
            Ok(document) => self.keep(name, side, &document),
            Err(error) => self.outcome.faults.push(error.to_string()),
        }
    }

    /// A file that both sides have.
    fn both(&mut self, index: usize, name: &str, files: [&PlainFile; 2]) -> Status {
        let texts = [0, 1].map(|side| self.folders[side].text(files[side]));
        let Some([one, other]) = self.both_of(texts) else { return Status::Faulty };
        let is_identical = one == other;
        let documents = [self.folders[0].document(files[0], one), self.folders[1].document(files[1], other)];
        let Some([one, other]) = self.both_of(documents) else { return Status::Faulty };
        self.keep(name, 0, &one);
        self.keep(name, 1, &other);
        match is_identical || self.options.invariants_only {
            true => Status::Identical,
            false => self.walk(index, name, [&one, &other]),
        }
    }

    fn walk(&mut self, index: usize, name: &str, documents: [&Document; 2]) -> Status {
        let (rules, differences) = (self.rules, &mut self.outcome.differences);
        // On a thread of its own: how deep documents are nested is theirs to say, up to the limit.
        let walked = thread::scope(|scope| {
            let builder = thread::Builder::new().name("walk".to_owned()).stack_size(STACK);
            let walk = builder.spawn_scoped(scope, || {
                let mut walk = Walk::new(rules, (index, name), documents, differences);
                walk.run();
                (walk.skipping.entries, walk.remarks, walk.faults)
            });
            walk.map(|walk| walk.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        match walked {
            Ok((entries, remarks, faults)) => {
                let is_whole = faults.is_empty();
                self.outcome.remarks.extend(remarks.into_iter().map(|remark| format!("{name}: {remark}")));
                self.outcome.faults.extend(faults.into_iter().map(|fault| format!("{name}: {fault}")));
                self.outcome.files[index].skipped = entries;
                if is_whole { Status::Equal } else { Status::Faulty }
            }
            Err(error) => {
                self.outcome.faults.push(format!("{name}: no thread could be started to compare it: {error}"));
                Status::Faulty
            }
        }
    }

    /// Keeps what of a document is needed once it is gone.
    fn keep(&mut self, name: &str, side: usize, document: &Document) {
        self.values.keep(self.rules, name, side, document);
        for rule in self.rules.memory.iter().filter(|rule| rule.file == name) {
            let list = document.at(&rule.list).filter(|list| list.shape == Shape::Array);
            for member in list.into_iter().flat_map(|list| document.elements(list)) {
                let number = |key: &str| document.get(member, key).and_then(|value| document.address(value));
                let word = |key: &String| document.get(member, key).and_then(|value| document.text(value));
                let (Some(base), Some(size)) = (number(&rule.base), number(&rule.size)) else { continue };
                let what = &rule.what;
                let name = match rule.label.as_ref().and_then(word) {
                    Some(label) => format!("{what} {label}"),
                    None => format!("{what} at 0x{base:X}"),
                };
                self.owners[side].push(Owner { range: base..base.saturating_add(size), name });
                if let Some((file, sha256)) = &rule.dump
                    && let Some(file) = word(file)
                {
                    self.dumps[side].insert(file, (base, word(sha256)));
                }
            }
        }
    }
}
