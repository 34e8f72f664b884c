//! The rules for one kind of state folder, as the other files of this room use them.

use super::class::{Class, Kind};
use super::place::{Place, Selector};
use crate::json::Pointer;

/// What a folder holds, what of it does not count, and what must be equal before anything else can be compared.
#[derive(Clone, Debug, Default)]
pub struct StateRules {
    pub name: String,
    pub description: String,
    /// The JSON files, in the order of reports; `*` in a name stands for any characters.
    pub files: Vec<String>,
    /// The file that tells the others' hashes, and where in it: an object of names and SHA-256.
    pub manifest: Option<ManifestRule>,
    /// The key under which a document itself lists what to skip.
    pub skip_list: Option<String>,
    pub skips: Vec<SkipRule>,
    pub sets: Vec<SetRule>,
    /// The first that fits says a difference's class.
    pub classes: Vec<ClassRule>,
    pub invariants: Vec<InvariantRule>,
    pub images: Vec<ImageRule>,
    pub memory: Vec<MemoryRule>,
}

/// The file that tells the others' hashes.
#[derive(Clone, Debug)]
pub struct ManifestRule {
    pub file: String,
    pub files: Pointer,
}

/// The places that a rule is about; no place named: all of its files.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// None named: all.
    pub files: Vec<String>,
    /// These places and what lies below.
    pub paths: Vec<Selector>,
    /// These keys at any depth.
    pub leaves: Vec<Selector>,
}

/// A field that is not compared.
#[derive(Clone, Debug)]
pub struct SkipRule {
    pub name: String,
    pub scope: Scope,
    pub reason: String,
}

/// An array whose order does not count.
#[derive(Clone, Debug)]
pub struct SetRule {
    pub scope: Scope,
    /// The field by which members are told apart.
    pub by: String,
    /// The fields by which members are paired whose keys have no partner, and by the order of keys at last; none: they are not.
    pub otherwise: Vec<String>,
    /// The field that tells a member's type, and the types in the order in which differences in them are told.
    pub ranked: Option<(String, Vec<String>)>,
}

/// Which class a difference is of.
#[derive(Clone, Debug)]
pub struct ClassRule {
    pub class: Class,
    pub scope: Scope,
    /// None named: all.
    pub kinds: Vec<Kind>,
}

/// A value of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub file: String,
    pub path: Pointer,
}

/// What must hold before anything else can be compared.
#[derive(Clone, Debug)]
pub struct InvariantRule {
    pub name: String,
    pub holds: Holds,
    /// The image that this is the hash of: where both sides have it and its import slots are known, what counts is whether the
    /// images are equal outside these.
    pub image: Option<String>,
}

/// The two shapes of an invariant.
#[derive(Clone, Debug)]
pub enum Holds {
    /// The value is equal on both sides.
    Between(Source),
    /// On each side the two values are equal.
    Within([Source; 2]),
}

/// A file of raw memory.
#[derive(Clone, Debug)]
pub struct ImageRule {
    pub file: String,
    /// The address of its first byte, unless a document or the list of import slots says another.
    pub base: u64,
    pub base_at: Option<Source>,
}

/// A list that tells which addresses are whose, and perhaps which file holds what stands there.
#[derive(Clone, Debug)]
pub struct MemoryRule {
    /// "section", "heap".
    pub what: String,
    pub file: String,
    pub list: Pointer,
    pub base: String,
    pub size: String,
    pub label: Option<String>,
    /// The keys of a dumped file's name and its SHA-256.
    pub dump: Option<(String, String)>,
}

impl Scope {
    /// Whether it is about a place of a file.
    pub fn holds(&self, file: &str, place: &Place) -> bool {
        self.is_of(file)
            && ((self.paths.is_empty() && self.leaves.is_empty())
                || self.paths.iter().chain(&self.leaves).any(|selector| selector.holds(place)))
    }

    /// Whether it is about this very place.
    pub fn names(&self, file: &str, place: &Place) -> bool {
        self.is_of(file) && self.paths.iter().chain(&self.leaves).any(|selector| selector.names(place))
    }

    fn is_of(&self, file: &str) -> bool {
        self.files.is_empty() || self.files.iter().any(|pattern| name_fits(pattern, file))
    }
}

/// Whether a file's name fits one in which `*` stands for any characters.
pub fn name_fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, behind)) => {
            let Some(rest) = name.strip_prefix(before) else { return false };
            let starts = (0..=rest.len()).filter(|at| rest.is_char_boundary(*at));
            starts.into_iter().any(|at| name_fits(behind, &rest[at..]))
        }
    }
}

impl StateRules {
    /// The class of a difference.
    pub fn class(&self, file: &str, place: &Place, kind: Kind) -> Class {
        let fits =
            |rule: &&ClassRule| (rule.kinds.is_empty() || rule.kinds.contains(&kind)) && rule.scope.holds(file, place);
        self.classes.iter().find(fits).map_or(Class::Gamma, |rule| rule.class)
    }

    /// The rule for an array whose order does not count.
    pub fn set(&self, file: &str, place: &Place) -> Option<&SetRule> {
        self.sets.iter().find(|rule| rule.scope.names(file, place))
    }

    /// Whether a place is not compared.
    pub fn skips(&self, file: &str, place: &Place) -> bool {
        self.skips.iter().any(|rule| rule.scope.names(file, place))
    }

    /// The values of a file that invariants and images ask for.
    pub fn sources<'a>(&'a self, file: &'a str) -> impl Iterator<Item = &'a Source> {
        let of_invariants = self.invariants.iter().flat_map(|rule| match &rule.holds {
            Holds::Between(source) => std::slice::from_ref(source).iter(),
            Holds::Within(both) => both.iter(),
        });
        of_invariants
            .chain(self.images.iter().filter_map(|image| image.base_at.as_ref()))
            .filter(move |source| source.file == file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_may_have_stars() {
        assert!(name_fits("tick-*.json", "tick-0042.json") && name_fits("*", "") && name_fits("a*b*c", "a1b2bc"));
        assert!(!name_fits("tick-*.json", "tick-1.toml") && !name_fits("a*b", "ac") && !name_fits("a", "ab"));
    }
}
