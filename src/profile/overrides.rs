//! Flags laid on top of a profile.

use super::fault::{ProfileError, nearest};
use super::pattern::Pattern;
use super::pattern_tree::{NODES_MAX, PatternTree};
use super::reach::{below_payload, inside_payload, out_of_reach, position_in_unordered};
use super::rule_tables::TOO_MANY_STARS;
use super::rules::*;
use super::summary::find_unquoted;
use super::values::{parse_number, parse_path, parse_payload, parse_rule_path};
use crate::json::Pointer;

/// What the flags say, as it was typed; [`Overrides::apply`] gives it meaning.
///
/// Paths are JSON Pointers or dotted, from the line's root; in those of rules `*` is any one key. `none` takes a role away; a key of
/// that name is `/none`. Flags change rules, never the demand for a header.
///
/// The order does not matter: `--without` is asked of the profile's own rules, then roles are
/// set, then rules are added. Where `--payload` moves the payload away from under a rule of the
/// profile, that rule could never match and is taken out; [`Overrides::left_behind`] names it for a note.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--thread`: paths, each also a list parted by commas; `none` for one lane.
    pub thread: Vec<String>,
    /// `--ordinal`: a path or `none`.
    pub ordinal: Option<String>,
    /// `--kind`: a path or `none`.
    pub kind: Option<String>,
    /// `--payload`: a path or `*`.
    pub payload: Option<String>,
    /// `--ignore`: paths; the rule is named `ignore:/path`.
    pub ignore: Vec<String>,
    /// `--mask`: `PATH=BITS`, bits as `48`, `0x30` or `0b110000`; the rule is named `mask:/path`.
    /// Masks of the profile for the same path take the bits too.
    pub mask: Vec<String>,
    /// `--without`: names of rules, `null-equals-missing` among them.
    pub without: Vec<String>,
    /// `--skip-start`.
    pub skip_start: Option<u64>,
}

impl Overrides {
    /// The profile with these flags on top.
    ///
    /// # Errors
    /// A bad path, bits that are none, a rule outside the payload, or the name of no rule.
    pub fn apply(&self, mut profile: Profile) -> Result<Profile, ProfileError> {
        self.switch_off(&mut profile)?;
        self.set_roles(&mut profile.roles)?;
        let payload = profile.roles.payload.clone();
        let outside = out_of_reach(&profile, &payload);
        profile.retain_rules(|name| !outside.iter().any(|gone| gone == name));
        self.add_ignores(&mut profile)?;
        self.add_masks(&mut profile)?;
        profile.skip_start = self.skip_start.unwrap_or(profile.skip_start);
        Ok(profile)
    }

    /// The names of those rules of `profile` that lie outside the payload which the flags choose,
    /// and are therefore taken out.
    ///
    /// # Errors
    /// As [`Overrides::apply`].
    pub fn left_behind(&self, profile: &Profile) -> Result<Vec<String>, ProfileError> {
        let applied = self.apply(profile.clone())?;
        let kept = applied.rule_names();
        let gone = |name: &&str| !kept.contains(name) && !self.without.iter().any(|without| without == name);
        Ok(profile.rule_names().into_iter().filter(gone).map(str::to_owned).collect())
    }

    fn switch_off(&self, profile: &mut Profile) -> Result<(), ProfileError> {
        let known: Vec<String> = profile.all_names().into_iter().map(str::to_owned).collect();
        if let Some(name) = self.without.iter().find(|name| !known.contains(name)) {
            let similar = nearest(name, known.iter().map(String::as_str));
            // Those that overlook nothing are many, and not what `--without` is mostly for.
            let told = known.iter().filter(|name| !profile.audit.iter().any(|rule| rule.name == **name));
            let told = told.map(String::as_str).chain((!profile.audit.is_empty()).then_some("those of [[audit]]"));
            let known = told.map(str::to_owned).collect();
            return Err(ProfileError::NoSuchRule { name: name.clone(), similar, known });
        }
        profile.switch_off(|name| self.without.iter().any(|off| off == name));
        Ok(())
    }

    fn set_roles(&self, roles: &mut Roles) -> Result<(), ProfileError> {
        if !self.thread.is_empty() {
            roles.thread = self.thread_paths()?;
        }
        if let Some(text) = &self.ordinal {
            roles.ordinal = optional("--ordinal", text)?;
        }
        if let Some(text) = &self.kind {
            roles.kind = optional("--kind", text)?;
        }
        if let Some(text) = &self.payload {
            roles.payload = match text.as_str() {
                "none" => {
                    Err("something must be compared; write * for the whole line, /none for a key of that name".into())
                }
                text => parse_payload(text),
            }
            .map_err(|why| flag("--payload", text, why))?;
        }
        Ok(())
    }

    fn thread_paths(&self) -> Result<Vec<Pointer>, ProfileError> {
        let texts: Vec<&str> = self.thread.iter().flat_map(|list| split_list(list)).collect();
        if texts == ["none"] {
            return Ok(Vec::new());
        }
        let path = |text: &&str| match *text {
            "none" => Err(flag("--thread", text, "none stands alone; write /none for a key of that name")),
            text => parse_path(text).map_err(|why| flag("--thread", text, why)),
        };
        texts.iter().map(path).collect()
    }

    fn add_ignores(&self, profile: &mut Profile) -> Result<(), ProfileError> {
        for text in &self.ignore {
            let path = rule_path("--ignore", text, text, &profile.roles.payload)?;
            below_payload(&path, &profile.roles.payload).map_err(|why| flag("--ignore", text, why))?;
            let name = format!("ignore:{path}");
            // Given twice, or kept already by a file that `profile show` wrote.
            if profile.ignore.iter().any(|rule| rule.name == name && rule.path == path && rule.is_plain()) {
                continue;
            }
            let (kinds, when, reason) = (Vec::new(), Vec::new(), "given by --ignore".to_owned());
            refuse_taken(profile, &name, "--ignore", text)?;
            profile.ignore.push(IgnoreRule { name, kinds, path, when, reason });
            refuse_together(profile, "--ignore", text)?;
        }
        Ok(())
    }

    fn add_masks(&self, profile: &mut Profile) -> Result<(), ProfileError> {
        for text in &self.mask {
            let (path, bits) =
                text.rsplit_once('=').ok_or_else(|| flag("--mask", text, "write PATH=BITS, e.g. payload.p=0x30"))?;
            let path = rule_path("--mask", text, path, &profile.roles.payload)?;
            let bits = parse_number(bits.trim())
                .filter(|bits| *bits != 0)
                .ok_or_else(|| flag("--mask", text, "the bits are a number of 1 to 2^64-1 such as 48 or 0x30"))?;
            let name = format!("mask:{path}");
            // Bits of two masks for one path do not count together, so those that stand there
            // already take the bits too; one that always holds makes a new rule needless.
            let mut served = false;
            for rule in profile.mask.iter_mut().filter(|rule| rule.path == path) {
                rule.bits |= bits;
                served |= rule.kinds.is_empty() && rule.when.is_empty();
            }
            if served {
                continue;
            }
            refuse_taken(profile, &name, "--mask", text)?;
            let reason = "given by --mask".to_owned();
            profile.mask.push(MaskRule { name, kinds: Vec::new(), path, when: Vec::new(), bits, reason });
            refuse_together(profile, "--mask", text)?;
        }
        Ok(())
    }
}

/// Names of rules are their own; a file may have used the name of a flag's rule for another.
fn refuse_taken(profile: &Profile, name: &str, by: &'static str, value: &str) -> Result<(), ProfileError> {
    match profile.all_names().contains(&name) {
        true => {
            Err(flag(by, value, format!("another rule of the profile is named {name}; switch it off by --without")))
        }
        false => Ok(()),
    }
}

/// What rules must keep together.
fn refuse_together(profile: &Profile, by: &'static str, value: &str) -> Result<(), ProfileError> {
    if let Some((_, why)) = position_in_unordered(profile) {
        return Err(flag(by, value, why));
    }
    match PatternTree::grow(profile.value_rules().map(|(_, rule)| rule.path), NODES_MAX) {
        Some(_) => Ok(()),
        None => Err(flag(by, value, TOO_MANY_STARS)),
    }
}

fn flag(flag: &'static str, value: &str, why: impl Into<String>) -> ProfileError {
    ProfileError::Flag { flag, value: value.to_owned(), why: why.into() }
}

fn optional(name: &'static str, text: &str) -> Result<Option<Pointer>, ProfileError> {
    match text {
        "none" => Ok(None),
        text => parse_path(text).map(Some).map_err(|why| flag(name, text, why)),
    }
}

fn rule_path(name: &'static str, value: &str, text: &str, payload: &PayloadRole) -> Result<Pattern, ProfileError> {
    let path = parse_rule_path(text.trim()).map_err(|why| flag(name, value, why))?;
    inside_payload(&path, payload).map_err(|why| flag(name, value, why))?;
    Ok(path)
}

/// The places an allocator rule looks at.
pub(super) fn allocator_paths(rule: &AllocatorRule) -> impl Iterator<Item = &Pointer> {
    [&rule.function, &rule.value].into_iter().chain(&rule.status)
}

/// Parts a list at its commas, but not inside quotes, where `["a,b"]` is one key.
fn split_list(list: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let mut rest = list;
    while let Some(at) = find_unquoted(rest, ',') {
        items.push(rest[..at].trim());
        rest = &rest[at + 1..];
    }
    items.push(rest.trim());
    items
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{builtin, parse, show};
    use proptest::prelude::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn schema_v1() -> Profile {
        builtin("schema-v1").unwrap()
    }

    fn error(overrides: Overrides) -> String {
        overrides.apply(schema_v1()).unwrap_err().to_string()
    }

    #[test]
    fn no_flags_change_nothing() {
        assert_eq!(Overrides::default().apply(schema_v1()).unwrap(), schema_v1());
    }

    #[test]
    fn roles_are_set_and_taken_away() {
        let overrides = Overrides {
            thread: texts(&["pid,[\"a,b\"]", "/x/y"]),
            ordinal: Some("none".into()),
            kind: Some("op".into()),
            payload: Some("*".into()),
            skip_start: Some(3),
            ..Overrides::default()
        };
        let profile = overrides.apply(schema_v1()).unwrap();
        let pointer = |text: &str| Pointer::parse(text).unwrap();
        assert_eq!(profile.roles.thread, [pointer("/pid"), pointer("/a,b"), pointer("/x/y")]);
        assert_eq!((profile.roles.ordinal, profile.roles.kind), (None, Some(pointer("/op"))));
        assert_eq!(profile.roles.payload, PayloadRole::Whole);
        assert_eq!(profile.skip_start, 3);
        assert!(profile.header.is_some(), "the header is still demanded");
        assert_eq!(profile.ignore.len(), 2, "rules inside the whole line stay");
        let one_lane = Overrides { thread: texts(&["none"]), ..Overrides::default() };
        assert!(one_lane.apply(schema_v1()).unwrap().roles.thread.is_empty());
    }

    #[test]
    fn rules_are_added_once_under_names_of_their_own() {
        let overrides = Overrides {
            ignore: texts(&["payload.args.size", "/payload/args/size"]),
            mask: texts(&["payload.p=0x10", "/payload/p=32"]),
            ..Overrides::default()
        };
        let profile = overrides.apply(schema_v1()).unwrap();
        assert_eq!(profile.rule_names()[3..6], ["ignore:/payload/args/size", "mask:/payload/p", "allocator-returns"]);
        assert_eq!(profile.mask[0].bits, 0x30);
        assert_eq!(overrides.apply(profile.clone()).unwrap(), profile, "laid on top again, nothing changes");
    }

    #[test]
    fn stars_in_flags_are_any_key() {
        let overrides = Overrides {
            ignore: texts(&["payload.args.*.handle", "payload[\"*\"]"]),
            mask: texts(&["/payload/regs/*=1"]),
            ..Overrides::default()
        };
        let profile = overrides.apply(schema_v1()).unwrap();
        let names = profile.rule_names()[3..6].to_vec();
        assert_eq!(names, ["ignore:/payload/args/*/handle", "ignore:payload[\"*\"]", "mask:/payload/regs/*"]);
        assert_eq!(profile.ignore[2].path, Pattern::parse("payload.args[*].handle").unwrap());
        let text = error(Overrides { ignore: texts(&["payload"]), ..Overrides::default() });
        assert!(text.contains("whole payload"), "{text}");
        assert!(error(Overrides { ignore: texts(&["/*"]), ..Overrides::default() }).contains("whole payload"));
    }

    #[test]
    fn a_flag_for_a_position_in_an_array_without_order_is_refused() {
        let text = "version = 1\nunordered = [{ name = 'set', path = '/list', reason = 'r' }]";
        let profile = parse(text, "my.toml").unwrap();
        let flags = Overrides { ignore: texts(&["list[0]"]), ..Overrides::default() };
        let told = flags.apply(profile.clone()).unwrap_err().to_string();
        assert!(told.contains("whose order does not count"), "{told}");
        let flags = Overrides { ignore: texts(&["list[*].x"]), without: texts(&["set"]), ..Overrides::default() };
        assert_eq!(flags.apply(profile).unwrap().rule_names()[1..], ["ignore:/list/*/x"]);
    }

    #[test]
    fn masks_of_the_profile_take_the_bits_of_a_flag() {
        let mut profile = schema_v1();
        let path = Pattern::parse("/payload/p").unwrap();
        let rule = |kinds: &[&str]| MaskRule {
            name: "own".into(),
            kinds: texts(kinds),
            path: path.clone(),
            when: vec![],
            bits: 1,
            reason: "r".into(),
        };
        let flags = Overrides { mask: texts(&["payload.p=2"]), ..Overrides::default() };
        let masks = |profile: &Profile| -> Vec<(String, u64)> {
            let masks = flags.apply(profile.clone()).unwrap().mask;
            masks.into_iter().map(|rule| (rule.name, rule.bits)).collect()
        };
        profile.mask = vec![rule(&[])];
        assert_eq!(masks(&profile), [("own".to_owned(), 3)]);
        profile.mask = vec![rule(&["cpu"])];
        assert_eq!(masks(&profile), [("own".to_owned(), 3), ("mask:/payload/p".to_owned(), 2)]);
    }

    #[test]
    fn rules_are_switched_off_by_name() {
        let without = texts(&["raw-handle", "allocator-returns", "handles", NULL_EQUALS_MISSING]);
        let profile = Overrides { without, ..Overrides::default() }.apply(schema_v1()).unwrap();
        assert_eq!(profile.rule_names(), [NULL_EQUALS_MISSING, "wait-duration", "heap-addresses", "thread-ids"]);
        assert!(!profile.null_equals_missing);
    }

    #[test]
    fn a_moved_payload_leaves_rules_behind_and_says_which() {
        let overrides =
            Overrides { payload: Some("data".into()), without: texts(&["raw-handle"]), ..Overrides::default() };
        let profile = overrides.apply(schema_v1()).unwrap();
        assert_eq!(profile.rule_names(), [NULL_EQUALS_MISSING]);
        let left = ["wait-duration", "allocator-returns", "heap-addresses", "handles", "thread-ids"];
        assert_eq!(overrides.left_behind(&schema_v1()).unwrap(), left);
        assert!(Overrides::default().left_behind(&schema_v1()).unwrap().is_empty());
    }

    #[test]
    fn a_name_that_a_file_took_for_another_rule_is_refused() {
        let mut profile = schema_v1();
        profile.ignore[0].name = "ignore:/payload/x".into();
        let ignore = Overrides { ignore: texts(&["payload.x"]), ..Overrides::default() };
        let text = ignore.apply(profile.clone()).unwrap_err().to_string();
        assert!(text.contains("another rule of the profile is named ignore:/payload/x"), "{text}");
        let without = Overrides { without: texts(&["ignore:/payload/x"]), ..ignore };
        assert!(without.apply(profile).is_ok());
    }

    #[test]
    fn mistakes_are_answered_with_what_to_write() {
        let with = |change: fn(&mut Overrides)| {
            let mut overrides = Overrides::default();
            change(&mut overrides);
            error(overrides)
        };
        assert_eq!(
            with(|flags| flags.ignore = texts(&["args.size"])),
            "--ignore args.size: /args/size lies outside the payload /payload, where nothing is compared; \
             did you mean /payload/args/size?"
        );
        assert_eq!(
            with(|flags| flags.without = texts(&["raw-handel"])),
            "--without raw-handel: no rule has that name (did you mean raw-handle?); \
             the rules are null-equals-missing, raw-handle, wait-duration, allocator-returns, heap-addresses, handles, thread-ids, \
             signals, makes-thread, those of [[audit]]"
        );
        assert!(with(|flags| flags.ignore = texts(&["payload"])).contains("nothing to compare"));
        assert!(with(|flags| flags.mask = texts(&["payload.p"])).contains("write PATH=BITS"));
        assert!(with(|flags| flags.mask = texts(&["payload.p=0"])).contains("1 to 2^64-1"));
        assert!(with(|flags| flags.payload = Some("none".into())).contains("write *"));
        assert!(with(|flags| flags.thread = texts(&["tid,none"])).contains("stands alone"));
        assert!(with(|flags| flags.thread = texts(&["tid,"])).contains("name a key"));
        assert!(with(|flags| flags.kind = Some("a..b".into())).contains("a part is empty"));
    }

    fn some_of(pool: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec(proptest::sample::select(pool).prop_map(str::to_owned), 0..3)
    }

    proptest! {
        #[test]
        fn whatever_flags_make_can_be_shown_and_read(
            base in 0usize..2,
            thread in some_of(&["tid", "pid,tid", "/a~1b", "[\"x,y\"]"]),
            ordinal in proptest::option::of(proptest::sample::select(&["none", "seq", "/payload/n"][..])),
            kind in proptest::option::of(proptest::sample::select(&["none", "op"][..])),
            payload in proptest::option::of(proptest::sample::select(&["*", "payload", "data.in", "/payload/raw_handle_id"][..])),
            ignore in some_of(&["payload.x", "/payload/x", "data.in.y", "host_ns", "payload.*.x", "payload[\"*\"]", "/*/y"]),
            mask in some_of(&["payload.p=0x30", "/payload/p=1", "*.*.p=2", "data.in.y=0xFFFFFFFFFFFFFFFF"]),
            without in some_of(&[NULL_EQUALS_MISSING, "raw-handle", "allocator-returns"]),
            skip_start in proptest::option::of(any::<u64>()),
        ) {
            let text = |text: Option<&str>| text.map(str::to_owned);
            let (ordinal, kind, payload) = (text(ordinal), text(kind), text(payload));
            let flags = Overrides { thread, ordinal, kind, payload, ignore, mask, without, skip_start };
            if let Ok(profile) = flags.apply(crate::profile::builtins().remove(base)) {
                prop_assert_eq!(parse(&show(&profile), "shown.toml").unwrap(), profile);
            }
        }
    }
}
