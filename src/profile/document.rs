//! A profile as it is stored: TOML, version 1.
//!
//! | key | meaning |
//! |---|---|
//! | `version` | must be 1 |
//! | `name`, `description` | for `profile list` and reports; the file's name if left out |
//! | `extends` | the profile below this one: a built-in name, or a file's path from this file's folder (see [`super::layers`]) |
//! | `without` | rules of the profile below that do not hold here |
//! | `[roles] thread` | the thread's key: a path, or several for one composite key |
//! | `[roles] ordinal`, `kind`, `label` | paths |
//! | `[roles] payload` | the path of what is compared, or `"*"` (default): the whole object less the other roles |
//! | `[roles] nondeterministic` | `{ path, equals }`: where the boolean at `path` is `equals` |
//! | `[roles] end` | `{ kind }`: the event that ends a thread |
//! | `[roles] pairing` | `{ kind, path }`: a lane's group is the value at `path` of its first event of `kind` |
//! | `[roles] checkpoint` | `{ kind, path }`: events of `kind` carry a hash of the state, that of the whole at `path` (may be left out) |
//! | `[roles] without` | roles of the profile below that are not looked for here |
//! | `[header]` | `kind`, `version = { path, equals }`: the first line a log must have |
//! | `[equality] null_equals_missing` | at the payload's top level |
//! | `[lanes] skip_start` | events dropped at the beginning of every lane |
//! | `[[ignore]]` | `name`, `kinds` (default: all), `path`, `when` (default: always), `reason` |
//! | `[[mask]]` | the same, and `bits` that do not count |
//! | `[[allocator]]` | `name`, `kind`, `function`, `value`, `status`, `reason` |
//! | `[[allocator.functions]]` | `names`, `failure = { null, negative, values, ranges = [{ from, to, except_multiples_of }] }` |
//! | `[[tolerance]]` | as `[[ignore]]`, and `absolute`, `relative`, `ulps`: how far numbers may lie apart |
//! | `[[unordered]]` | as `[[ignore]]`, and `by`: where an element keeps the key it is matched by |
//! | `[[spelling]]` | as `[[ignore]]`, and `hex`, `width`, `case`: which spellings are equal |
//! | `[[offset]]` | as `[[ignore]]`, and `by`, `from`, `to`: the candidate's value is the reference's plus `by` |
//! | `[[drop]]` | `name`, `kinds`, `when`, `reason`: events that are taken out of both logs |
//! | `[[fold]]` | the same, and `same` (paths): events whose repetitions are taken out |
//! | `[[join]]` | the same, `then` (kinds), `first`, `concat`, `sum` (paths): events that are joined with the next of their thread |
//! | `[[edge]]` | `name`, `reason`: one way in which what a thread does makes another go on |
//! | `[[edge.from]]` | `kinds`, `when`, and `object` (paths) or `thread` (a path): which events do, and what they name |
//! | `[[edge.to]]` | `kinds`, `when`, `object` (paths): which events follow |
//! | `[[audit]]` | `name`, `reason`, `step`, `kinds`, `when`, `of`: events that do something to an object that threads wait for, and where they tell it (`object`, `becomes`, `thread`, `source`, `type`, `initial`, `count`, `timeout`, `alertable`, `previous`, `result`, `time`, `lr`, `stack`: paths; `manual`, `all`, `unmet`: conditions) |
//! | `when` | `{ path, equals }`, or a list of them that must all hold: a value, or one of several, on both sides |
//! | `[[summary]]` | `kinds` (`handle.*` stands for all that begin so), `template` |
//!
//! Paths are from the line's root, as JSON Pointers (`/payload/args/0`) or dotted (`payload.args[0]`). In the
//! `path` of a rule `*` stands for any one key or position; a key that is named so is quoted (`payload["*"]`). Numbers
//! are TOML integers (`48`, `0x30`) or hex strings (`"0xFFFFFFFFFFFFFFFF"`), 64 bits at most. A key that is not
//! listed here is an error. The tables of rules stand in `rule_tables`.

use std::ops::Range;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::audit_tables::AuditTable;
use super::edge_tables::EdgeTable;
use super::event_tables::{DropTable, FoldTable, JoinTable};
use super::fault::Fault;
use super::identity_tables::IdentityTable;
use super::layers::{Below, RolesBelow};
use super::rule_tables::*;
use super::rules::*;
use super::values::{Filled, Number, Path, Paths, PayloadPath, TemplateText};

/// The version of the stored form that this code reads.
pub const VERSION: u64 = 1;

/// Reads a profile's text, on top of the profile that it extends.
pub(super) fn read(text: &str, file: &str, below: Option<&Profile>) -> Result<Profile, Fault> {
    extends(text, file)?;
    let document: Document = toml::from_str(text).map_err(|error| Fault::from_toml(file, text, &error))?;
    document.into_profile(file, below).map_err(|(span, reason)| Fault::new(file, text, span, reason))
}

/// What a profile's text says it extends, and where; its version is looked at first.
pub(super) fn extends(text: &str, file: &str) -> Result<Option<(String, Range<usize>)>, Fault> {
    // A newer file's unknown keys are not the reader's concern.
    let peek: Peek = toml::from_str(text).map_err(|error| Fault::from_toml(file, text, &error))?;
    let fault = |span, reason| Fault::new(file, text, span, reason);
    match peek.version {
        None => return Err(fault(0..0, format!("the key `version` is missing; write `version = {VERSION}`"))),
        Some(version) if version.get_ref().as_integer() != Some(VERSION as i64) => {
            let reason =
                format!("version {} is unknown here; this forkpoint reads version {VERSION}", version.get_ref());
            return Err(fault(version.span(), reason));
        }
        Some(_) => {}
    }
    // What is no text is told with its place when all is read.
    Ok(peek.extends.and_then(|named| Some((named.get_ref().as_str()?.to_owned(), named.span()))))
}

/// The JSON Schema of a profile file, for editors.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Document).into()
}

/// A place in the text and what is wrong there.
pub(super) type Wrong = (Range<usize>, String);

#[derive(Deserialize)]
struct Peek {
    version: Option<Spanned<toml::Value>>,
    extends: Option<Spanned<toml::Value>>,
}

/// The rules for one kind of log.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "forkpoint profile")]
struct Document {
    /// The version of this form: 1.
    #[allow(dead_code, reason = "looked at before all else, by `Peek`")]
    #[schemars(extend("const" = VERSION))]
    version: u64,
    /// The profile's name; its file's name if left out.
    #[schemars(with = "Option<String>")]
    name: Option<Spanned<Filled>>,
    /// One sentence for `profile list`.
    #[serde(default)]
    description: String,
    /// The profile below this one: a built-in name, or a file's path from this file's folder.
    #[schemars(with = "Option<String>")]
    extends: Option<Spanned<Filled>>,
    /// Rules of the profile below that do not hold here.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    without: Vec<Spanned<String>>,
    #[serde(default)]
    roles: RolesTable,
    header: Option<HeaderTable>,
    #[serde(default)]
    equality: EqualityTable,
    #[serde(default)]
    lanes: LanesTable,
    #[serde(default)]
    ignore: Vec<IgnoreTable>,
    #[serde(default)]
    mask: Vec<MaskTable>,
    #[serde(default)]
    allocator: Vec<AllocatorTable>,
    #[serde(default)]
    tolerance: Vec<ToleranceTable>,
    #[serde(default)]
    unordered: Vec<UnorderedTable>,
    #[serde(default)]
    spelling: Vec<SpellingTable>,
    #[serde(default)]
    offset: Vec<OffsetTable>,
    #[serde(default)]
    identity: Vec<IdentityTable>,
    #[serde(default)]
    drop: Vec<DropTable>,
    #[serde(default)]
    fold: Vec<FoldTable>,
    #[serde(default)]
    join: Vec<JoinTable>,
    #[serde(default)]
    edge: Vec<EdgeTable>,
    #[serde(default)]
    audit: Vec<AuditTable>,
    #[serde(default)]
    summary: Vec<SummaryTable>,
}

/// Where a line keeps what aligning needs.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct RolesTable {
    /// The thread's key: a path, or several for one composite key.
    thread: Option<Paths>,
    /// The event's own number on its thread.
    ordinal: Option<Path>,
    /// What rules and summaries go by.
    kind: Option<Path>,
    /// What is compared: a path, or `*` for the whole object less the other roles.
    #[schemars(with = "Option<PayloadPath>")]
    payload: Option<Spanned<PayloadPath>>,
    /// Which events are marked nondeterministic.
    nondeterministic: Option<FlagTable>,
    /// Where the header, or else the first event, names the engine.
    label: Option<Path>,
    /// The event that ends a thread.
    end: Option<EndTable>,
    /// The group key of a lane.
    pairing: Option<PairingTable>,
    /// The events that carry a hash of the state.
    checkpoint: Option<CheckpointTable>,
    /// Roles of the profile below that are not looked for here.
    #[schemars(with = "Vec<String>")]
    without: Vec<Spanned<String>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FlagTable {
    path: Path,
    equals: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EndTable {
    kind: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PairingTable {
    kind: String,
    path: Path,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CheckpointTable {
    kind: String,
    /// Where the hash of the whole state stands, if what stands beside it tells of parts.
    path: Option<Path>,
}

/// The first line a log must have.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HeaderTable {
    kind: String,
    version: HeaderVersionTable,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HeaderVersionTable {
    path: Path,
    equals: Number,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct EqualityTable {
    /// Null equals a missing key, at the payload's top level only.
    null_equals_missing: Option<bool>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct LanesTable {
    /// The events dropped at the beginning of every lane.
    skip_start: Option<Number>,
}

/// How an event of these kinds is told in one line.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SummaryTable {
    /// Left out: every kind without a template of its own. `handle.*` stands for all that begin so.
    #[serde(default)]
    kinds: Vec<String>,
    template: TemplateText,
}

impl Document {
    fn into_profile(self, file: &str, below: Option<&Profile>) -> Result<Profile, Wrong> {
        let below = Below::new(below, self.extends.is_some(), self.without)?;
        let roles = self.roles.into_roles(&below)?;
        let mut check = RuleCheck::new(&roles.payload, below.names());
        let profile = Profile {
            name: self.name.map_or_else(|| file_stem(file), |name| name.into_inner().0),
            description: self.description,
            header: self.header.map(HeaderTable::into_header),
            null_equals_missing: self.equality.null_equals_missing.unwrap_or(below.profile.null_equals_missing),
            skip_start: self.lanes.skip_start.map_or(below.profile.skip_start, |number| number.0),
            ignore: self.ignore.into_iter().map(|rule| rule.into_rule(&mut check)).collect::<Result<_, _>>()?,
            mask: self.mask.into_iter().map(|rule| rule.into_rule(&mut check)).collect::<Result<_, _>>()?,
            allocator: self.allocator.into_iter().map(|rule| rule.into_rule(&mut check)).collect::<Result<_, _>>()?,
            tolerance: self.tolerance.into_iter().map(|rule| rule.into_rule(&mut check)).collect::<Result<_, _>>()?,
            unordered: self.unordered.into_iter().map(|rule| rule.into_rule(&mut check)).collect::<Result<_, _>>()?,
            spelling: self.spelling.into_iter().map(|rule| rule.into_rule(&mut check)).collect::<Result<_, _>>()?,
            offset: self.offset.into_iter().map(|rule| rule.into_rule(&mut check)).collect::<Result<_, _>>()?,
            identity: self.identity.into_iter().map(|rule| rule.into_rule(&mut check)).collect::<Result<_, _>>()?,
            drop: self.drop.into_iter().map(|rule| rule.into_rule(&mut check)).collect::<Result<_, _>>()?,
            fold: self.fold.into_iter().map(|rule| rule.into_rule(&mut check)).collect::<Result<_, _>>()?,
            join: self.join.into_iter().map(|rule| rule.into_rule(&mut check)).collect::<Result<_, _>>()?,
            edge: self.edge.into_iter().map(|rule| rule.into_rule(&mut check)).collect::<Result<_, _>>()?,
            audit: self.audit.into_iter().map(|rule| rule.into_rule(&mut check)).collect::<Result<_, _>>()?,
            summaries: self.summary.into_iter().map(SummaryTable::into_rule).collect(),
            roles,
        };
        let profile = below.under(profile);
        check.together(&profile)?;
        Ok(profile)
    }
}

fn file_stem(file: &str) -> String {
    let stem = std::path::Path::new(file).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    stem.filter(|stem| !stem.is_empty()).unwrap_or_else(|| "unnamed".to_owned())
}

impl RolesTable {
    fn into_roles(self, below: &Below) -> Result<Roles, Wrong> {
        let RolesBelow(roles) = below.roles(self.without)?;
        let payload = match self.payload {
            Some(payload) => below.check_payload(payload.span(), payload.into_inner().0)?,
            None => roles.payload,
        };
        let flag = |flag: FlagTable| NondeterministicRole { path: flag.path.0, equals: flag.equals };
        let pairing = |pairing: PairingTable| PairingRole { kind: pairing.kind, path: pairing.path.0 };
        let checkpoint = |role: CheckpointTable| CheckpointRole { kind: role.kind, path: role.path.map(|path| path.0) };
        Ok(Roles {
            thread: self.thread.map_or(roles.thread, |paths| paths.0),
            ordinal: self.ordinal.map(|path| path.0).or(roles.ordinal),
            kind: self.kind.map(|path| path.0).or(roles.kind),
            payload,
            nondeterministic: self.nondeterministic.map(flag).or(roles.nondeterministic),
            label: self.label.map(|path| path.0).or(roles.label),
            end: self.end.map(|end| end.kind).or(roles.end),
            pairing: self.pairing.map(pairing).or(roles.pairing),
            checkpoint: self.checkpoint.map(checkpoint).or(roles.checkpoint),
        })
    }
}

impl HeaderTable {
    fn into_header(self) -> Header {
        let HeaderVersionTable { path, equals } = self.version;
        Header { kind: self.kind, version_path: path.0, version: equals.0 }
    }
}

impl SummaryTable {
    fn into_rule(self) -> SummaryRule {
        SummaryRule { kinds: self.kinds, template: self.template.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_calls_what_stands_in_many_places_by_name() {
        let schema = schema();
        let named = schema["$defs"].as_object().unwrap();
        for name in ["Bits", "Distance", "Filled", "Number", "Paths", "Scalars", "SignedNumber", "Step", "When"] {
            assert!(named.contains_key(name), "{name} is not among {:?}", named.keys());
        }
    }

    /// The whole error of a text, which gets `version = 1` as its first line.
    fn picture(text: &str) -> String {
        read(&format!("version = 1\n{text}"), "my.toml", None).unwrap_err().to_string()
    }

    /// Line, column, width of the caret and reason.
    fn fault(text: &str) -> (usize, usize, usize, String) {
        let fault = read(&format!("version = 1\n{text}"), "my.toml", None).unwrap_err();
        let carets = fault.to_string().lines().last().unwrap().matches('^').count();
        (fault.line, fault.column, carets, fault.reason)
    }

    #[test]
    fn an_unknown_key_is_shown_with_its_caret() {
        assert_eq!(
            picture("[roles]\nthread = \"/tid\"\nknd = \"/kind\"\n"),
            "my.toml:4:1: unknown field `knd`, expected one of `thread`, `ordinal`, `kind`, `payload`, \
             `nondeterministic`, `label`, `end`, `pairing`, `checkpoint`, `without`\n  |\n4 | knd = \"/kind\"\n  | ^^^"
        );
    }

    #[test]
    fn a_rule_outside_the_payload_is_shown_with_the_likely_path() {
        assert_eq!(
            picture("roles.payload = \"/payload\"\n[[ignore]]\nname = \"a\"\npath = \"/size\"\nreason = \"noise\"\n"),
            "my.toml:5:8: /size lies outside the payload /payload, where nothing is compared; \
             did you mean /payload/size?\n  |\n5 | path = \"/size\"\n  |        ^^^^^^^"
        );
    }

    #[test]
    fn unknown_keys_are_faults_at_every_depth() {
        for (text, line, column) in [
            ("colour = 1", 2, 1),
            ("[header]\nkind = 'a'\nversion = { path = '/v', equals = 1, or = 2 }\n[roles]\nkind = '/k'", 4, 38),
            ("[equality]\nnan = true", 3, 1),
            ("[[mask]]\nname = 'a'\npath = '/a'\nbits = 1\nreason = 'r'\nbit = 2", 7, 1),
            ("roles.end = { kind = 'x', kinds = [] }", 2, 27),
        ] {
            let (at_line, at_column, _, reason) = fault(text);
            assert_eq!((at_line, at_column), (line, column), "{text}: {reason}");
            assert!(reason.contains("unknown field"), "{reason}");
        }
    }

    #[test]
    fn wrong_values_are_faults_at_their_own_place() {
        let mask = |path: &str, bits: &str| format!("[[mask]]\nname='m'\npath={path}\nbits={bits}\nreason='r'");
        let failing = |failure: &str| {
            format!(
                "[[allocator]]\nname='a'\nkind='k'\nfunction='/f'\nvalue='/v'\nreason='r'\n\
                 [[allocator.functions]]\nnames=['f']\nfailure={failure}"
            )
        };
        for (text, line, column, width, why) in [
            ("roles.thread = '/a~2'".to_owned(), 2, 16, 6, "no path"),
            ("roles.thread = ['/a', 7]".to_owned(), 2, 23, 1, "invalid type"),
            ("roles.thread = 7".to_owned(), 2, 16, 1, "a path or a list of paths"),
            ("roles.payload = ''".to_owned(), 2, 17, 2, "write \"*\""),
            ("roles.kind = ''".to_owned(), 2, 14, 2, "names the whole line"),
            ("name = ' '".to_owned(), 2, 8, 3, "must not be empty"),
            (mask("'/a'", "0"), 5, 6, 1, "no bits"),
            (mask("'/a'", "-1"), 5, 6, 2, "0 to 2^64-1"),
            (mask("'/a'", "'48'"), 5, 6, 4, "hex string"),
            (mask("'/a'", "0x1FFFFFFFFFFFFFFFF"), 5, 6, 19, "64 bits"),
            (mask("'/a'", &format!("0x{}", "F".repeat(32))), 5, 6, 34, "64 bits"),
            (mask("'a..b'", "1"), 4, 6, 6, "a part is empty"),
            (failing("{ ranges = [{ from = 9, to = 8 }] }"), 10, 30, 1, "behind its end"),
            (failing("{ values = ['x'] }"), 10, 21, 3, "hex string"),
            ("[[summary]]\ntemplate = '{a'".to_owned(), 3, 12, 4, "a { has no }"),
            (
                "roles.payload = '/p'\n[[ignore]]\nname='i'\npath='/p'\nreason='r'".to_owned(),
                5,
                6,
                4,
                "nothing to compare",
            ),
            ("a = ".to_owned(), 2, 5, 1, "must be quoted"),
        ] {
            let (at_line, at_column, at_width, reason) = fault(&text);
            assert_eq!((at_line, at_column, at_width), (line, column, width), "{text}: {reason}");
            assert!(reason.contains(why), "{text}: {reason}");
        }
    }

    #[test]
    fn names_of_rules_are_their_own() {
        let ignore = |name: &str| format!("[[ignore]]\nname='{name}'\npath='/{name}'\nreason='r'\n");
        let (line, column, _, reason) = fault(&(ignore("a") + &ignore("a")));
        assert_eq!((line, column), (7, 6));
        assert!(reason.contains("named \"a\" already"), "{reason}");
        assert!(fault(&ignore(NULL_EQUALS_MISSING)).3.contains("is taken"));
        let (line, _, _, reason) = fault("[[ignore]]\nname='i'\npath='/i'");
        assert!(line == 2 && reason.contains("missing field `reason`"), "{line} {reason}");
    }

    #[test]
    fn the_version_is_looked_at_before_all_else() {
        let fault = |text: &str| read(text, "my.toml", None).unwrap_err();
        let newer = fault("unheard_of = 1\nversion = 2\n");
        assert_eq!((newer.line, newer.column), (2, 11));
        assert_eq!(newer.reason, "version 2 is unknown here; this forkpoint reads version 1");
        assert_eq!(fault("name = 'a'").reason, "the key `version` is missing; write `version = 1`");
        assert!(fault("version = '1'").reason.contains("unknown here"));
    }

    #[test]
    fn the_json_schema_takes_the_built_in_profiles_and_refuses_unknown_keys() {
        let schema = schema();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let values = include_str!("../../corpus/profile/valid/values.toml");
        for text in [include_str!("builtin/schema-v1.toml"), include_str!("builtin/generic.toml"), values] {
            let value: serde_json::Value = toml::from_str(text).unwrap();
            assert!(validator.is_valid(&value), "{:?}", validator.iter_errors(&value).next());
        }
        assert!(!validator.is_valid(&serde_json::json!({"version": 1, "colour": 2})));
        assert!(!validator.is_valid(&serde_json::json!({"version": 2})));
        for rule in [
            serde_json::json!({ "spelling": [{ "name": "a", "path": "/a", "width": 16, "reason": "r" }] }),
            serde_json::json!({ "offset": [{ "name": "a", "path": "/a", "by": "ten", "reason": "r" }] }),
            serde_json::json!({ "tolerance": [{ "name": "a", "path": "/a", "absolute": "-1", "reason": "r" }] }),
            serde_json::json!({ "ignore": [{ "name": "a", "path": "/a", "when": { "path": "/b" }, "reason": "r" }] }),
        ] {
            let mut profile = rule;
            profile["version"] = 1.into();
            assert!(!validator.is_valid(&profile), "{profile}");
        }
    }

    proptest::proptest! {
        #[test]
        fn damaged_profiles_are_refused_or_read_and_every_fault_can_be_shown(
            from in 0usize..5000, length in 0usize..40, put in "[\\PC\n]{0,6}",
        ) {
            let mut text = include_str!("builtin/schema-v1.toml").to_owned();
            let from = from.min(text.len());
            let to = (from + length).min(text.len());
            if text.is_char_boundary(from) && text.is_char_boundary(to) {
                text.replace_range(from..to, &put);
            }
            if let Err(fault) = read(&text, "my.toml", None) {
                proptest::prop_assert_eq!(fault.to_string().lines().count(), 4, "{}", fault);
            }
        }
    }
}
