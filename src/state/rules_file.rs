//! Rules as they are stored: TOML, version 1.
//!
//! | key | meaning |
//! |---|---|
//! | `version` | must be 1 |
//! | `name`, `description` | for `profile list` and reports; the file's name if left out |
//! | `extends` | the rules below these: a built-in name, or a file's path from this file's folder |
//! | `without` | skips and invariants of the rules below that do not hold here, by name |
//! | `files` | the JSON files of a folder; `*` stands for any characters |
//! | `skip_list` | the key under which a document itself lists what to skip |
//! | `[manifest]` | `file`, `files`: the file that tells the others' SHA-256, and where in it |
//! | `[[invariant]]` | `name`, and `between = { file, path }` (equal on both sides) or `within = [two of these]` (equal on each side); `image`: what it is the hash of |
//! | `[[image]]` | `file`, `base`, `base_at = { file, path }`: raw memory and the address of its first byte |
//! | `[[memory]]` | `what`, `file`, `list`, `base`, `size`, `label`, `dump = { file, sha256 }`: whose addresses are; paths and keys of the list's members |
//! | `[[skip]]` | `name`, `reason`, and where: what is not compared |
//! | `[[set]]` | where, `by`, `otherwise`, `ranked = { by, order }`: an array whose order does not count |
//! | `[[class]]` | `class`, `kinds`, and where: the first that fits says what a difference is |
//!
//! *Where* is `files` (default: all), `paths` (from the root; `heaps[*].base`) and `leaves` (keys at any depth; `*_sha256`).

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

use super::class::{Class, Kind};
use super::place::Selector;
use super::rules::*;
use crate::json::Pointer;
use crate::profile::{Fault, ProfileError};

/// The version of the stored form that this code reads.
const VERSION: u64 = 1;

/// As deep as rules may lie on one another.
const LAYERS_MAX: usize = 16;

/// The built-in rules: their names and files.
const BUILTINS: [(&str, &str); 2] =
    [("state-v1", include_str!("builtin/state-v1.toml")), ("snapshot-v1", include_str!("builtin/snapshot-v1.toml"))];

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "forkpoint state profile")]
struct Stored {
    /// The version of this form: 1.
    #[schemars(extend("const" = VERSION))]
    version: u64,
    name: Option<String>,
    #[serde(default)]
    description: String,
    extends: Option<String>,
    #[serde(default)]
    without: Vec<String>,
    #[serde(default)]
    files: Vec<FileName>,
    skip_list: Option<String>,
    manifest: Option<ManifestTable>,
    #[serde(default)]
    invariant: Vec<InvariantTable>,
    #[serde(default)]
    image: Vec<ImageTable>,
    #[serde(default)]
    memory: Vec<MemoryTable>,
    #[serde(default)]
    skip: Vec<SkipTable>,
    #[serde(default)]
    set: Vec<SetTable>,
    #[serde(default)]
    class: Vec<ClassTable>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ManifestTable {
    file: FileName,
    files: PathText,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SourceTable {
    file: FileName,
    path: PathText,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct InvariantTable {
    name: Filled,
    between: Option<SourceTable>,
    within: Option<[SourceTable; 2]>,
    image: Option<FileName>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ImageTable {
    file: FileName,
    #[serde(default)]
    base: u64,
    base_at: Option<SourceTable>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MemoryTable {
    what: Filled,
    file: FileName,
    list: PathText,
    base: Filled,
    size: Filled,
    label: Option<Filled>,
    dump: Option<DumpTable>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DumpTable {
    file: Filled,
    sha256: Filled,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SkipTable {
    name: Filled,
    reason: Filled,
    #[serde(default)]
    files: Vec<FileName>,
    #[serde(default)]
    paths: Vec<RulePath>,
    #[serde(default)]
    leaves: Vec<Leaf>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetTable {
    #[serde(default)]
    files: Vec<FileName>,
    #[serde(default)]
    paths: Vec<RulePath>,
    #[serde(default)]
    leaves: Vec<Leaf>,
    by: Filled,
    #[serde(default)]
    otherwise: Vec<Filled>,
    ranked: Option<RankedTable>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RankedTable {
    by: Filled,
    order: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ClassTable {
    class: ClassName,
    #[serde(default)]
    kinds: Vec<KindName>,
    #[serde(default)]
    files: Vec<FileName>,
    #[serde(default)]
    paths: Vec<RulePath>,
    #[serde(default)]
    leaves: Vec<Leaf>,
}

/// A text that is checked while it is read, so that the TOML reader tells its place.
macro_rules! checked {
    ($(#[$doc:meta])* $name:ident($of:ty), $read:expr) => {
        $(#[$doc])*
        #[derive(JsonSchema)]
        #[schemars(with = "String")]
        struct $name($of);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                let read: fn(String) -> Result<$of, String> = $read;
                read(String::deserialize(deserializer)?).map($name).map_err(de::Error::custom)
            }
        }
    };
}

checked!(
    /// A text that says something.
    Filled(String),
    |text| if text.trim().is_empty() { Err("this must not be empty".to_owned()) } else { Ok(text) }
);
checked!(
    /// The name of a file in the folder, or below it.
    FileName(String),
    |text| if is_below(&text) { Ok(text) } else { Err("this is no file in the folder; write a name, or a path below it".to_owned()) }
);
checked!(
    /// The path of one value.
    PathText(Pointer),
    |text| match Pointer::parse(&text) {
        Ok(path) if path.is_root() => Err("an empty path names the whole document; name a key".to_owned()),
        Ok(path) => Ok(path),
        Err(error) => Err(error.to_string()),
    }
);
checked!(
    /// The path of a rule.
    RulePath(Selector),
    |text| Selector::path(&text)
);
checked!(
    /// A key at any depth.
    Leaf(Selector),
    |text| Selector::leaf(&text)
);
checked!(
    /// A class.
    ClassName(Class),
    |text| Class::of_name(&text).ok_or_else(|| {
        format!("no class is called {text:?}; write one of {}", Class::ALL.map(Class::name).join(", "))
    })
);
checked!(
    /// A kind of difference.
    KindName(Kind),
    |text| Kind::of_name(&text).ok_or_else(|| {
        format!("no difference is called {text:?}; write one of {}", Kind::ALL.map(Kind::name).join(", "))
    })
);

/// Whether a name cannot lead out of the folder that it is looked for in.
pub(super) fn is_below(name: &str) -> bool {
    !name.is_empty() && Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)))
}

fn scope(files: Vec<FileName>, paths: Vec<RulePath>, leaves: Vec<Leaf>) -> Scope {
    Scope {
        files: files.into_iter().map(|file| file.0).collect(),
        paths: paths.into_iter().map(|path| path.0).collect(),
        leaves: leaves.into_iter().map(|leaf| leaf.0).collect(),
    }
}

impl SourceTable {
    fn into_source(self) -> Source {
        Source { file: self.file.0, path: self.path.0 }
    }
}

impl Stored {
    /// The rules, on top of those below.
    fn onto(self, below: StateRules, file: &str) -> Result<StateRules, String> {
        let mut rules = below;
        for name in &self.without {
            let known = rules.skips.len() + rules.invariants.len();
            rules.skips.retain(|rule| rule.name != *name);
            rules.invariants.retain(|rule| rule.name != *name);
            if rules.skips.len() + rules.invariants.len() == known {
                return Err(format!("without: no rule below is named {name:?}"));
            }
        }
        let stem = Path::new(file).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        rules.name = self.name.or(stem).unwrap_or_else(|| "unnamed".to_owned());
        rules.description = self.description;
        rules.files.extend(self.files.into_iter().map(|file| file.0));
        rules.skip_list = self.skip_list.or(rules.skip_list);
        rules.manifest = self.manifest.map(|it| ManifestRule { file: it.file.0, files: it.files.0 }).or(rules.manifest);
        for rule in self.invariant {
            let holds = match (rule.between, rule.within) {
                (Some(between), None) => Holds::Between(between.into_source()),
                (None, Some(within)) => Holds::Within(within.map(SourceTable::into_source)),
                _ => return Err(format!("invariant {:?}: say either between or within", rule.name.0)),
            };
            rules.invariants.push(InvariantRule { name: rule.name.0, holds, image: rule.image.map(|image| image.0) });
        }
        rules.images.extend(self.image.into_iter().map(|it| ImageRule {
            file: it.file.0,
            base: it.base,
            base_at: it.base_at.map(SourceTable::into_source),
        }));
        rules.memory.extend(self.memory.into_iter().map(|it| MemoryRule {
            what: it.what.0,
            file: it.file.0,
            list: it.list.0,
            base: it.base.0,
            size: it.size.0,
            label: it.label.map(|label| label.0),
            dump: it.dump.map(|dump| (dump.file.0, dump.sha256.0)),
        }));
        for rule in self.skip {
            let scope = scope(rule.files, rule.paths, rule.leaves);
            if scope.paths.is_empty() && scope.leaves.is_empty() {
                return Err(format!("skip {:?}: say what is skipped by paths or leaves", rule.name.0));
            }
            rules.skips.push(SkipRule { name: rule.name.0, scope, reason: rule.reason.0 });
        }
        // The first that fits counts: what is said here comes before what lies below.
        let sets = self.set.into_iter().map(|rule| SetRule {
            scope: scope(rule.files, rule.paths, rule.leaves),
            by: rule.by.0,
            otherwise: rule.otherwise.into_iter().map(|field| field.0).collect(),
            ranked: rule.ranked.map(|ranked| (ranked.by.0, ranked.order)),
        });
        rules.sets.splice(0..0, sets);
        let classes = self.class.into_iter().map(|rule| ClassRule {
            class: rule.class.0,
            scope: scope(rule.files, rule.paths, rule.leaves),
            kinds: rule.kinds.into_iter().map(|kind| kind.0).collect(),
        });
        rules.classes.splice(0..0, classes);
        if rules.files.is_empty() {
            return Err("no file is named; write files = [\"state.json\"]".to_owned());
        }
        Ok(rules)
    }
}

/// The JSON Schema of a file of such rules, for editors.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Stored).into()
}

/// The built-in rules of that name.
pub fn builtin(name: &str) -> Option<StateRules> {
    let (file, text) = BUILTINS.iter().find(|(known, _)| *known == name)?;
    Some(read(text, file, None, 0).expect("built-in rules are sound, which a test keeps"))
}

/// All built-in rules, in the order of `profile list`.
pub fn builtins() -> Vec<StateRules> {
    BUILTINS.iter().filter_map(|(name, _)| builtin(name)).collect()
}

/// The built-in rules of that name as a commented file, ready to edit.
pub fn builtin_text(name: &str) -> Option<&'static str> {
    BUILTINS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The built-in rules of that name, or else those of that file.
///
/// # Errors
/// Neither a built-in name nor a file, a file that cannot be read, or one that is none.
pub fn load(name_or_path: &str) -> Result<StateRules, ProfileError> {
    load_at(name_or_path, Path::new(""), 0)
}

fn load_at(name_or_path: &str, folder: &Path, depth: usize) -> Result<StateRules, ProfileError> {
    if let Some(rules) = builtin(name_or_path) {
        return Ok(rules);
    }
    let path = folder.join(name_or_path);
    if !name_or_path.contains('/') && !name_or_path.ends_with(".toml") && !path.exists() {
        let known: Vec<String> = BUILTINS.iter().map(|(name, _)| (*name).to_owned()).collect();
        let similar = crate::profile::fault::nearest(name_or_path, known.iter().map(String::as_str));
        return Err(ProfileError::Unknown { name: name_or_path.to_owned(), similar, known });
    }
    let text = std::fs::read_to_string(&path).map_err(|source| ProfileError::Read { path: path.clone(), source })?;
    read(&text, &path.to_string_lossy(), path.parent().map(Path::to_owned), depth)
}

/// The rules that a text says; `file` is for its faults, and `folder` where what it extends is looked for.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn parse(text: &str, file: &str) -> Result<StateRules, ProfileError> {
    read(text, file, None, 0)
}

fn read(text: &str, file: &str, folder: Option<PathBuf>, depth: usize) -> Result<StateRules, ProfileError> {
    let text = text.trim_start_matches('\u{feff}');
    let stored: Stored = toml::from_str(text).map_err(|error| Fault::from_toml(file, text, &error))?;
    let place = |word: &str| {
        let at = text.find(word).unwrap_or(0);
        at..at + word.len()
    };
    if stored.version != VERSION {
        let reason = format!("version {} is unknown here; this forkpoint reads version {VERSION}", stored.version);
        return Err(Fault::new(file, text, place("version"), reason).into());
    }
    let below = match &stored.extends {
        Some(_) if depth == LAYERS_MAX => {
            return Err(Fault::new(file, text, place("extends"), "rules extend each other without end").into());
        }
        Some(name) => load_at(name, folder.as_deref().unwrap_or(Path::new("")), depth + 1)?,
        None => StateRules::default(),
    };
    stored.onto(below, file).map_err(|reason| {
        let word = reason.split([':', ' ']).next().unwrap_or("").to_owned();
        Fault::new(file, text, place(&word), reason).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_rules_are_sound_and_fit_their_schema() {
        let rules = builtin("state-v1").unwrap();
        assert_eq!(rules.files.len(), 5);
        assert_eq!(rules.invariants.iter().filter(|rule| rule.image.is_some()).count(), 1);
        let schema = schema();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let value: serde_json::Value = toml::from_str(builtin_text("state-v1").unwrap()).unwrap();
        assert!(validator.is_valid(&value), "{:?}", validator.iter_errors(&value).next());
        assert!(!validator.is_valid(&serde_json::json!({ "version": 1, "colour": 2 })));
    }

    #[test]
    fn faults_are_told_with_their_place() {
        for (text, line, column, why) in [
            ("version = 2\nfiles = ['a']", 1, 1, "version 2 is unknown"),
            ("version = 1", 1, 1, "no file is named"),
            ("version = 1\nfiles = ['../a']", 2, 9, "no file in the folder"),
            ("version = 1\nfiles = ['a']\n[[class]]\nclass = 'sigma'", 4, 9, "no class is called"),
            (
                "version = 1\nfiles = ['a']\n[[class]]\nclass = 'kappa-cache'\nkinds = ['gone']",
                5,
                9,
                "no difference is called",
            ),
            ("version = 1\nfiles = ['a']\n[[skip]]\nname = 'x'\nreason = 'y'\npaths = ['']", 6, 9, "whole document"),
            ("version = 1\nfiles = ['a']\n[[skip]]\nname = 'x'\nreason = 'y'", 3, 3, "by paths or leaves"),
            ("version = 1\nfiles = ['a']\n[[invariant]]\nname = 'x'", 3, 3, "either between or within"),
            ("version = 1\nfiles = ['a']\nwithout = ['x']", 3, 1, "no rule below"),
            ("version = 1\nfiles = ['a']\nfile = 'x'", 3, 1, "unknown field"),
        ] {
            match parse(text, "my.toml") {
                Err(ProfileError::Fault(fault)) => {
                    assert_eq!((fault.line, fault.column), (line, column), "{text}: {}", fault.reason);
                    assert!(fault.reason.contains(why), "{text}: {}", fault.reason);
                }
                other => panic!("{text}: {other:?}"),
            }
        }
        assert!(load("state-v2").unwrap_err().to_string().contains("did you mean state-v1?"));
    }

    #[test]
    fn rules_extend_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        let text = "version = 1\nextends = 'state-v1'\nwithout = ['raw-handles', 'iso_sha256']\nfiles = ['gpu.json']\n\
                    [[class]]\nclass = 'kappa-cache'\nfiles = ['gpu.json']\n";
        std::fs::write(&path, text).unwrap();
        let rules = load(path.to_str().unwrap()).unwrap();
        assert_eq!((rules.name.as_str(), rules.files.len(), rules.invariants.len()), ("mine", 6, 3));
        assert!(rules.skips.iter().all(|rule| rule.name != "raw-handles"));
        assert_eq!(rules.classes[0].class, Class::Kappa);
        std::fs::write(&path, "version = 1\nextends = 'mine.toml'\nfiles = ['a']\n").unwrap();
        assert!(load(path.to_str().unwrap()).unwrap_err().to_string().contains("without end"));
    }
}
