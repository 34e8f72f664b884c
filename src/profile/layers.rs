//! Profiles in layers: built-in < project file < `--profile` < flags.
//!
//! A profile file may say `extends = "schema-v1"`, or `extends = "../base.toml"` (from its own folder): then it is
//! laid on top of that one. What it says counts, for the rest the one below is asked:
//!
//! - a role, the header, `null_equals_missing`, `skip_start` are replaced by what the upper file says; `[roles]
//!   without = ["ordinal"]` takes a role away;
//! - rules are added, and `without = ["raw-handle"]` switches rules below off. Where two rules are for one place, the
//!   upper one counts. A name is given once in all layers, so whoever wants another rule under a name switches the
//!   one below off;
//! - the payload cannot be moved away from under a rule below that still holds.
//!
//! A *project file* is the `forkpoint.toml` found from the current folder upward. Without `--profile` it is the
//! profile. With `--profile`, it is laid between the chosen profile and the one it extends, where the chosen one is,
//! or extends, that very one; any other choice leaves it out: its rules were not made for those logs.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::document::{self, Wrong};
use super::fault::{Fault, ProfileError, nearest};
use super::load::{BUILTINS, no_such_profile};
use super::origins::{Layer, Origins};
use super::overrides::Overrides;
use super::reach::out_of_reach;
use super::rules::*;

/// The name of a project file.
pub const PROJECT_FILE: &str = "forkpoint.toml";

/// A profile, and where each part of it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Layered {
    /// The effective rules.
    pub profile: Profile,
    /// Who said what.
    pub origins: Origins,
}

/// What became of the project file.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// The rules.
    pub layered: Layered,
    /// Whether the project file is among the layers.
    pub uses_project: bool,
}

/// The project file that holds in a folder: the nearest [`PROJECT_FILE`] in it or above, up to the home folder (or
/// the file system's root, for a folder outside it).
pub fn find_project(folder: &Path, home: Option<&Path>) -> Option<PathBuf> {
    // The current folder is told without links; the home folder's name may lead through one.
    let home = home.map(identity);
    for above in folder.ancestors() {
        let path = above.join(PROJECT_FILE);
        if path.is_file() {
            return Some(path);
        }
        if home.as_deref().is_some_and(|home| home == above || identity(above) == home) {
            return None;
        }
    }
    None
}

/// The rules to go by: a profile's name or file if one is given, else the project file, else the default.
///
/// # Errors
/// An unknown profile, a file that cannot be read or is unsound, or files that extend each other in a circle.
pub fn choose(given: Option<&str>, default: &str, project: Option<&Path>) -> Result<Chosen, ProfileError> {
    let project = project.map(|path| stack(read_file(path, path.to_string_lossy().into_owned())?)).transpose()?;
    let (stack, uses_project) = match (given, project) {
        (None, None) => (stack_named(default)?, false),
        (None, Some(project)) => (project, true),
        (Some(name), None) => (stack_named(name)?, false),
        (Some(name), Some(project)) => joined(stack_named(name)?, project),
    };
    Ok(Chosen { layered: laid(stack)?, uses_project })
}

/// The profile of a name or file, with its layers.
///
/// # Errors
/// As [`choose`].
pub fn load_layered(name_or_path: &str) -> Result<Layered, ProfileError> {
    laid(stack_named(name_or_path)?)
}

/// The same of a profile's text; `file` is its name, and says from where the files are looked for that it extends.
pub(super) fn parse_layered(text: &str, file: &str) -> Result<Layered, ProfileError> {
    let text = Cow::Owned(without_mark(text).to_owned());
    laid(stack(Source { ground: Ground::File(identity(Path::new(file))), file: file.to_owned(), text, given: false })?)
}

/// What two layers are the same by.
#[derive(Clone, Debug, PartialEq)]
enum Ground {
    Builtin(&'static str),
    File(PathBuf),
}

/// One layer's text.
#[derive(Clone, Debug)]
struct Source {
    ground: Ground,
    /// How its file is called.
    file: String,
    text: Cow<'static, str>,
    /// Named by `--profile`.
    given: bool,
}

/// Project files among the layers, between what they extend and what extends that.
fn joined(mut chosen: Vec<Source>, project: Vec<Source>) -> (Vec<Source>, bool) {
    let place = |source: &Source| chosen.iter().position(|layer| layer.ground == source.ground);
    let Some((top, below)) = project.split_last() else { return (chosen, false) };
    if place(top).is_some() {
        return (chosen, true);
    }
    let Some(base) = below.last().and_then(place) else { return (chosen, false) };
    chosen.insert(base + 1, top.clone());
    (chosen, true)
}

fn stack_named(name: &str) -> Result<Vec<Source>, ProfileError> {
    if let Some(builtin) = builtin_source(name) {
        return stack(builtin);
    }
    let path = Path::new(name);
    if no_such_profile(name, path) {
        return Err(unknown(name));
    }
    stack(Source { given: true, ..read_file(path, name.to_owned())? })
}

fn builtin_source(name: &str) -> Option<Source> {
    let (known, text) = BUILTINS.iter().find(|(known, _)| *known == name)?;
    let file = (*known).to_owned();
    Some(Source { ground: Ground::Builtin(known), file, text: Cow::Borrowed(text), given: false })
}

fn unknown(name: &str) -> ProfileError {
    let known: Vec<String> = BUILTINS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let similar = nearest(name, known.iter().map(String::as_str));
    ProfileError::Unknown { name: name.to_owned(), similar, known }
}

fn read_file(path: &Path, file: String) -> Result<Source, ProfileError> {
    let text = std::fs::read_to_string(path).map_err(|source| ProfileError::Read { path: path.to_owned(), source })?;
    let text = Cow::Owned(without_mark(&text).to_owned());
    Ok(Source { ground: Ground::File(identity(path)), file, text, given: false })
}

/// Editors on Windows put a byte order mark first, which TOML does not know.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn identity(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// A layer and all that it rests on, the lowest first.
fn stack(top: Source) -> Result<Vec<Source>, ProfileError> {
    let mut layers = vec![top];
    loop {
        let layer = layers.last().expect("one at least");
        let Some((name, span)) = document::extends(&layer.text, &layer.file)? else { break };
        let fault = |why: String| Fault::new(&layer.file, &layer.text, span.clone(), why);
        let base = base_of(layer, &name).map_err(fault)?;
        if let Some(at) = layers.iter().position(|layer| layer.ground == base.ground) {
            let circle: Vec<&str> = layers[at..].iter().map(|layer| layer.file.as_str()).collect();
            return Err(
                fault(format!("a profile cannot rest on itself: {} → {}", circle.join(" → "), base.file)).into()
            );
        }
        layers.push(base);
    }
    layers.reverse();
    Ok(layers)
}

/// The profile that a layer extends.
fn base_of(layer: &Source, name: &str) -> Result<Source, String> {
    if let Some(builtin) = builtin_source(name) {
        return Ok(builtin);
    }
    let folder = Path::new(&layer.file).parent().unwrap_or(Path::new(""));
    let path = folder.join(name);
    if no_such_profile(name, &path) {
        return Err(unknown(name).to_string());
    }
    // A device or a pipe would be waited for.
    if path.metadata().is_ok_and(|about| !about.is_file()) {
        return Err(format!("{} is no regular file", path.display()));
    }
    read_file(&path, path.to_string_lossy().into_owned()).map_err(|error| error.to_string())
}

/// Reads the layers, each on top of those below it.
fn laid(layers: Vec<Source>) -> Result<Layered, ProfileError> {
    let mut below: Option<Profile> = None;
    let mut origins = Origins::default();
    for Source { ground, file, text, given } in layers {
        let mut profile = document::read(&text, &file, below.as_ref())?;
        let layer = match ground {
            Ground::Builtin(name) => Layer::Builtin(name.to_owned()),
            Ground::File(_) => Layer::File { path: file.clone(), given },
        };
        let is_named = origins.lay(&layer, &text);
        if !is_named && !given && Path::new(&file).file_name().is_some_and(|name| name == PROJECT_FILE) {
            PROJECT_FILE.clone_into(&mut profile.name);
        }
        below = Some(profile);
    }
    Ok(Layered { profile: below.expect("a stack has a layer at least"), origins })
}

impl Layered {
    /// The same with flags on top.
    ///
    /// # Errors
    /// As [`Overrides::apply`].
    pub fn with_flags(self, flags: &Overrides) -> Result<Layered, ProfileError> {
        let profile = flags.apply(self.profile.clone())?;
        let mut origins = self.origins;
        origins.lay_flags(flags, &self.profile, &profile);
        Ok(Layered { profile, origins })
    }
}

/// The profile under a layer that is being read, less the rules that the layer switches off.
pub(super) struct Below {
    pub profile: Profile,
    extends: bool,
}

/// The roles under a layer.
pub(super) struct RolesBelow(pub Roles);

impl Below {
    /// # Errors
    /// A rule that is switched off although nothing below has it.
    pub fn new(below: Option<&Profile>, extends: bool, without: Vec<Spanned<String>>) -> Result<Below, Wrong> {
        // Laid between two others, a layer may rest on something it does not name.
        let extends = extends && below.is_some();
        let mut profile = below.filter(|_| extends).cloned().unwrap_or_else(Profile::empty);
        let known: Vec<String> = profile.all_names().into_iter().map(str::to_owned).collect();
        for name in &without {
            if !extends {
                return Err((name.span(), NOTHING_BELOW.to_owned()));
            }
            if !known.contains(name.get_ref()) {
                let reason = format!("no rule below is named {:?}", name.get_ref());
                return Err((name.span(), with_known(reason, name.get_ref(), &known)));
            }
        }
        profile.switch_off(|name| without.iter().any(|off| off.get_ref() == name));
        Ok(Below { profile, extends })
    }

    /// The names that are taken.
    pub fn names(&self) -> BTreeSet<String> {
        self.profile.all_names().into_iter().skip(1).map(str::to_owned).collect()
    }

    /// The roles, less those that the layer takes away.
    pub fn roles(&self, without: Vec<Spanned<String>>) -> Result<RolesBelow, Wrong> {
        let mut roles = self.profile.roles.clone();
        for name in without {
            if !self.extends {
                return Err((name.span(), NOTHING_BELOW.to_owned()));
            }
            match name.get_ref().as_str() {
                "thread" => roles.thread.clear(),
                "ordinal" => roles.ordinal = None,
                "kind" => roles.kind = None,
                "nondeterministic" => roles.nondeterministic = None,
                "label" => roles.label = None,
                "end" => roles.end = None,
                "pairing" => roles.pairing = None,
                "checkpoint" => roles.checkpoint = None,
                "payload" => {
                    let why = "something must be compared; for the whole line write payload = \"*\"";
                    return Err((name.span(), why.to_owned()));
                }
                other => {
                    let known = ROLES.map(str::to_owned);
                    return Err((name.span(), with_known(format!("there is no role {other:?}"), other, &known)));
                }
            }
        }
        Ok(RolesBelow(roles))
    }

    /// Rules below would never match once the payload lies elsewhere, and nobody would know.
    pub fn check_payload(&self, span: Range<usize>, payload: PayloadRole) -> Result<PayloadRole, Wrong> {
        let left = out_of_reach(&self.profile, &payload);
        if left.is_empty() {
            return Ok(payload);
        }
        let names: Vec<String> = left.iter().map(|name| format!("{name:?}")).collect();
        let what = "this moves the payload away from under rules of the profile below; switch them off";
        Err((span, format!("{what}: without = [{}]", names.join(", "))))
    }

    /// A layer's own profile with what is below it. Of rules for one place the first counts: the layer's own.
    pub fn under(self, own: Profile) -> Profile {
        let below = self.profile;
        Profile {
            description: if own.description.is_empty() { below.description.clone() } else { own.description.clone() },
            header: own.header.clone().or_else(|| below.header.clone()),
            summaries: own.summaries.iter().chain(&below.summaries).cloned().collect(),
            // Whatever else the layer leaves out was taken from below when it was read.
            ..own.above(below)
        }
    }
}

const NOTHING_BELOW: &str = "there is no profile below; say which by `extends`";
const ROLES: [&str; 8] = ["thread", "ordinal", "kind", "nondeterministic", "label", "end", "pairing", "checkpoint"];

fn with_known(mut reason: String, name: &str, known: &[String]) -> String {
    if let Some(similar) = nearest(name, known.iter().map(String::as_str)) {
        reason += &format!(" (did you mean {similar}?)");
    }
    format!("{reason}; there are {}", known.join(", "))
}

impl Profile {
    /// Names no role, overlooks nothing.
    fn empty() -> Profile {
        Profile {
            name: String::new(),
            description: String::new(),
            roles: Roles::default(),
            header: None,
            null_equals_missing: false,
            skip_start: 0,
            ignore: Vec::new(),
            mask: Vec::new(),
            allocator: Vec::new(),
            tolerance: Vec::new(),
            unordered: Vec::new(),
            spelling: Vec::new(),
            offset: Vec::new(),
            identity: Vec::new(),
            drop: Vec::new(),
            fold: Vec::new(),
            join: Vec::new(),
            edge: Vec::new(),
            audit: Vec::new(),
            summaries: Vec::new(),
        }
    }

    /// This profile with the rules of another one behind its own.
    #[must_use]
    pub fn above(self, below: Profile) -> Profile {
        Profile {
            ignore: self.ignore.into_iter().chain(below.ignore).collect(),
            mask: self.mask.into_iter().chain(below.mask).collect(),
            allocator: self.allocator.into_iter().chain(below.allocator).collect(),
            tolerance: self.tolerance.into_iter().chain(below.tolerance).collect(),
            unordered: self.unordered.into_iter().chain(below.unordered).collect(),
            spelling: self.spelling.into_iter().chain(below.spelling).collect(),
            offset: self.offset.into_iter().chain(below.offset).collect(),
            identity: self.identity.into_iter().chain(below.identity).collect(),
            drop: self.drop.into_iter().chain(below.drop).collect(),
            fold: self.fold.into_iter().chain(below.fold).collect(),
            join: self.join.into_iter().chain(below.join).collect(),
            edge: self.edge.into_iter().chain(below.edge).collect(),
            audit: self.audit.into_iter().chain(below.audit).collect(),
            ..self
        }
    }

    /// This profile without its rules.
    #[must_use]
    pub fn without_rules(&self) -> Profile {
        let mut bare = self.clone();
        bare.retain_rules(|_| false);
        bare
    }

    /// Takes rules out by name.
    pub(super) fn switch_off(&mut self, is_off: impl Fn(&str) -> bool) {
        self.retain_rules(|name| !is_off(name));
        self.null_equals_missing &= !is_off(NULL_EQUALS_MISSING);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Pointer;
    use crate::profile::{builtin, parse};

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Folder {
            Folder(tempfile::tempdir().unwrap())
        }

        fn file(&self, name: &str, said: &str) -> PathBuf {
            let path = self.0.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, format!("version = 1\n{said}")).unwrap();
            path
        }
    }

    fn ignore(name: &str, path: &str) -> String {
        format!("[[ignore]]\nname = '{name}'\npath = '{path}'\nreason = 'r'\n")
    }

    fn rules(profile: &Profile) -> Vec<&str> {
        profile.rule_names().into_iter().skip(1).collect()
    }

    fn on_schema(said: &str) -> Result<Profile, String> {
        parse(&format!("version = 1\nextends = 'schema-v1'\n{said}"), "my.toml").map_err(|error| error.to_string())
    }

    #[test]
    fn a_layer_that_says_nothing_is_the_one_below() {
        let profile = on_schema("").unwrap();
        let below = builtin("schema-v1").unwrap();
        assert_eq!(profile, Profile { name: "my".into(), ..below });
    }

    #[test]
    fn a_layer_beats_the_one_below_and_keeps_the_rest() {
        let said = "without = ['wait-duration', 'null-equals-missing']\nlanes.skip_start = 4\n\
            [roles]\nordinal = '/seq'\nwithout = ['end', 'pairing']\n"
            .to_owned()
            + &ignore("x", "/payload/x");
        let profile = on_schema(&said).unwrap();
        let mut wanted = builtin("schema-v1").unwrap();
        let pointer = |text: &str| Pointer::parse(text).unwrap();
        wanted.ignore.remove(1);
        let own = IgnoreRule {
            name: "x".into(),
            kinds: Vec::new(),
            path: (&pointer("/payload/x")).into(),
            when: Vec::new(),
            reason: "r".into(),
        };
        wanted.ignore.insert(0, own);
        (wanted.null_equals_missing, wanted.skip_start) = (false, 4);
        (wanted.roles.ordinal, wanted.roles.end, wanted.roles.pairing) = (Some(pointer("/seq")), None, None);
        assert_eq!(profile, Profile { name: "my".into(), ..wanted });
    }

    #[test]
    fn rules_of_every_kind_come_from_both_layers_the_upper_ones_first() {
        let text = include_str!("../../examples/profile/lantern.toml");
        let lower = parse(text, "lower.toml").unwrap();
        let upper = parse(&text.replace("\nname = \"", "\nname = \"upper-"), "upper.toml").unwrap();
        let both = upper.clone().above(lower.clone());
        macro_rules! held {
            ($($kind:ident)*) => {$(
                let names = |profile: &Profile| profile.$kind.iter().map(|rule| rule.name.clone()).collect::<Vec<_>>();
                assert!(!lower.$kind.is_empty());
                assert_eq!(names(&both), [names(&upper), names(&lower)].concat());
            )*};
        }
        held!(ignore mask allocator tolerance unordered spelling offset identity drop fold join edge audit);
    }

    #[test]
    fn of_two_rules_for_one_place_the_upper_one_counts() {
        let folder = Folder::new();
        let mask =
            |name: &str, bits: u8| format!("[[mask]]\nname = '{name}'\npath = '/p'\nbits = {bits}\nreason = 'r'\n");
        folder.file("base.toml", &mask("base", 1));
        let top = folder.file("deep/top.toml", &("extends = '../base.toml'\n".to_owned() + &mask("top", 2)));
        let layered = load_layered(top.to_str().unwrap()).unwrap();
        assert_eq!(rules(&layered.profile), ["top", "base"]);
        let origin = layered.origins.rule("base").unwrap();
        assert!(origin.ends_with("deep/../base.toml:3"), "{origin}");
        assert_eq!(layered.origins.own_rules().len(), 2);
    }

    #[test]
    fn mistakes_are_told_at_their_place() {
        let error = |said: &str| on_schema(said).unwrap_err();
        for (said, place, why) in [
            (
                "without = ['wait-durations']",
                "3:12",
                "(did you mean wait-duration?); there are null-equals-missing, raw",
            ),
            ("roles.without = ['ordinals']", "3:18", "(did you mean ordinal?); there are thread, ordinal"),
            ("roles.without = ['payload']", "3:18", "something must be compared"),
            (
                "roles.payload = '/data'",
                "3:17",
                "without = [\"raw-handle\", \"wait-duration\", \"allocator-returns\", \"heap-addresses\", \"handles\", \"thread-ids\"]",
            ),
            ("roles.payload = '/payload/raw_handle_id'", "3:17", "without = [\"raw-handle\""),
            (&ignore("raw-handle", "/payload/x"), "4:8", "named \"raw-handle\" already"),
            (&ignore("x", "/x"), "5:8", "did you mean /payload/x?"),
        ] {
            let text = error(said);
            assert!(text.starts_with(&format!("my.toml:{place}: ")) && text.contains(why), "{said}: {text}");
        }
        let alone = |said: &str| parse(&format!("version = 1\n{said}"), "my.toml").unwrap_err().to_string();
        assert!(alone("without = ['x']").starts_with("my.toml:2:12: there is no profile below"));
        assert!(alone("roles.without = ['end']").starts_with("my.toml:2:18: there is no profile below"));
        assert!(alone("extends = 'shema-v1'").contains("my.toml:2:11: there is no profile \"shema-v1\" (did you mean"));
        assert!(alone("extends = './no/such.toml'").contains("2:11: cannot read the profile ./no/such.toml"));
        assert!(alone("extends = '/dev/null'").contains("2:11: /dev/null is no regular file"));
        assert!(alone("extends = 7").starts_with("my.toml:2:11: invalid type"));
    }

    #[test]
    fn a_name_that_is_switched_off_may_be_given_anew() {
        let said = "without = ['raw-handle']\n".to_owned() + &ignore("raw-handle", "/payload/x");
        assert_eq!(
            rules(&on_schema(&said).unwrap()),
            ["raw-handle", "wait-duration", "allocator-returns", "heap-addresses", "handles", "thread-ids"]
        );
    }

    #[test]
    fn circles_are_told_where_they_close() {
        let folder = Folder::new();
        let one = folder.file("one.toml", "extends = 'two.toml'\n");
        folder.file("two.toml", "name = 'two'\nextends = './one.toml'\n");
        let text = load_layered(one.to_str().unwrap()).unwrap_err().to_string();
        assert!(text.contains("two.toml:3:11: a profile cannot rest on itself: "), "{text}");
        let own = folder.file("own.toml", "extends = 'own.toml'\n");
        assert!(load_layered(own.to_str().unwrap()).unwrap_err().to_string().contains("own.toml:2:11: "));
    }

    #[test]
    fn a_fault_below_is_told_in_its_own_file() {
        let folder = Folder::new();
        folder.file("base.toml", "rolls = 3\n");
        let top = folder.file("top.toml", "extends = 'base.toml'\n");
        let text = load_layered(top.to_str().unwrap()).unwrap_err().to_string();
        assert!(text.contains("base.toml:2:1: unknown field `rolls`"), "{text}");
    }

    #[test]
    fn a_project_is_looked_for_upward_as_far_as_home() {
        let folder = Folder::new();
        let outer = folder.file("forkpoint.toml", "");
        let (home, deep) = (folder.0.path().join("home"), folder.0.path().join("home/a/b"));
        std::fs::create_dir_all(deep.join("forkpoint.toml")).unwrap();
        assert_eq!(find_project(&deep, None), Some(outer.clone()), "a folder of that name is none");
        assert_eq!(find_project(&deep, Some(&home)), None);
        assert_eq!(find_project(&deep, Some(Path::new("/elsewhere"))), Some(outer));
        let inner = folder.file("home/forkpoint.toml", "");
        assert_eq!(find_project(&deep, Some(&home)), Some(inner.clone()));
        std::fs::remove_file(inner).unwrap();
        let link = folder.0.path().join("link");
        std::os::unix::fs::symlink(&home, &link).unwrap();
        assert_eq!(find_project(&deep, Some(&link)), None);
    }

    fn chosen(given: Option<&str>, project: &Path) -> (Vec<String>, bool) {
        let chosen = choose(given, "schema-v1", Some(project)).unwrap();
        (rules(&chosen.layered.profile).into_iter().map(str::to_owned).collect(), chosen.uses_project)
    }

    #[test]
    fn a_project_lies_between_the_chosen_profile_and_what_both_rest_on() {
        let folder = Folder::new();
        let built_in = ["raw-handle", "wait-duration", "allocator-returns", "heap-addresses", "handles", "thread-ids"];
        let with = |own: &[&str]| -> Vec<String> { own.iter().chain(&built_in).map(|&rule| rule.to_owned()).collect() };
        let project =
            folder.file("forkpoint.toml", &("extends = 'schema-v1'\n".to_owned() + &ignore("ours", "/payload/o")));
        assert_eq!(chosen(None, &project), (with(&["ours"]), true));
        assert_eq!(chosen(Some("schema-v1"), &project), (with(&["ours"]), true));
        assert_eq!(chosen(Some("generic"), &project), (Vec::new(), false));
        let on_schema = "extends = 'schema-v1'\n".to_owned() + &ignore("mine", "/payload/m");
        let mine = folder.file("mine.toml", &on_schema);
        assert_eq!(chosen(mine.to_str(), &project), (with(&["mine", "ours"]), true));
        let on_project = "extends = 'forkpoint.toml'\nwithout = ['ours']\n".to_owned() + &ignore("mine", "/payload/m");
        let mine = folder.file("mine.toml", &on_project);
        assert_eq!(chosen(mine.to_str(), &project), (with(&["mine"]), true));
        let lone = folder.file("lone.toml", &ignore("lone", "/l"));
        assert_eq!(chosen(lone.to_str(), &project), (vec!["lone".to_owned()], false));
        // A project that rests on nothing is the profile, or it is none.
        std::fs::write(&project, format!("version = 1\n{}", ignore("ours", "/o"))).unwrap();
        assert_eq!(chosen(None, &project), (vec!["ours".to_owned()], true));
        assert_eq!(chosen(Some("schema-v1"), &project), (with(&[]), false));
    }

    #[test]
    fn a_project_without_a_name_is_called_by_its_file() {
        let folder = Folder::new();
        let project = folder.file("forkpoint.toml", "extends = 'schema-v1'\n");
        let name = |project: &Path| choose(None, "schema-v1", Some(project)).unwrap().layered.profile.name;
        assert_eq!(name(&project), "forkpoint.toml");
        let project = folder.file("forkpoint.toml", "extends = 'schema-v1'\nname = 'ours'\n");
        assert_eq!(name(&project), "ours");
    }

    #[test]
    fn flags_lie_on_top_of_all() {
        let folder = Folder::new();
        let mask = "[[mask]]\nname = 'flags'\npath = '/p'\nbits = 1\nreason = 'r'\n";
        let file = folder.file("my.toml", mask);
        let flags = Overrides {
            mask: vec!["p=2".into(), "q=1".into()],
            ignore: vec!["x".into()],
            kind: Some("op".into()),
            without: vec![NULL_EQUALS_MISSING.into()],
            ..Overrides::default()
        };
        let Layered { profile, origins } = load_layered(file.to_str().unwrap()).unwrap().with_flags(&flags).unwrap();
        assert_eq!(profile.mask[0].bits, 3);
        assert_eq!(origins.rule("flags").unwrap(), format!("--profile {}:3 and flag --mask", file.display()));
        assert_eq!(origins.rule("mask:/q").as_deref(), Some("flag --mask"));
        assert_eq!(origins.rule("ignore:/x").as_deref(), Some("flag --ignore"));
        assert_eq!(origins.key("roles.kind").as_deref(), Some("flag --kind"));
        assert_eq!(origins.key("equality.null_equals_missing").as_deref(), Some("flag --without"));
        let own: Vec<String> = origins.own_rules().into_iter().collect();
        assert_eq!(own, ["flags", "ignore:/x", "mask:/q"]);
    }
}
