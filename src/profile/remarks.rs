//! What a profile may say but surely does not mean (`profile check`).

use super::amount::Amount;
use super::fault::ProfileError;
use super::overrides::allocator_paths;
use super::pattern::Pattern;
use super::rules::*;
use crate::json::Pointer;

/// Reads a profile's text and remarks on it.
///
/// # Errors
/// The first thing that is wrong with the text.
pub fn check(text: &str, file_name: &str) -> Result<(Profile, Vec<String>), ProfileError> {
    let profile = super::load::parse(text, file_name)?;
    let remarks = remarks(&profile);
    Ok((profile, remarks))
}

/// Sentences on what is allowed but useless: rules that can never match, or that another one covers.
pub fn remarks(profile: &Profile) -> Vec<String> {
    let rules = overlooking(profile);
    let mut remarks = Vec::new();
    remarks_on_kinds(profile, &rules, &mut remarks);
    remarks_on_reach(profile, &rules, &mut remarks);
    remarks_on_cover(&rules, &mut remarks);
    remarks_on_masks(profile, &mut remarks);
    remarks_on_tolerances(profile, &mut remarks);
    remarks_on_roles(&profile.roles, &mut remarks);
    remarks_on_functions(profile, &mut remarks);
    remarks_on_objects(profile, &mut remarks);
    remarks_on_events(profile, &mut remarks);
    remarks_on_joins(profile, &mut remarks);
    remarks_on_summaries(profile, &mut remarks);
    remarks
}

/// One place where a rule overlooks differences.
struct Overlooking<'a> {
    name: &'a str,
    kinds: &'a [String],
    path: Pattern,
    ignores: bool,
    /// Holds only where something else is so.
    conditional: bool,
}

impl Overlooking<'_> {
    fn shares_a_kind_with(&self, other: &Overlooking<'_>) -> bool {
        self.kinds.is_empty() || other.kinds.is_empty() || self.kinds.iter().any(|kind| other.kinds.contains(kind))
    }

    /// Whether `other` can find nothing to overlook that this rule has not ignored already.
    fn covers(&self, other: &Overlooking<'_>) -> bool {
        self.ignores
            && !self.conditional
            && self.path != other.path
            && self.path.holds_all_of(&other.path)
            && self.serves_all_kinds_of(other)
    }

    fn serves_all_kinds_of(&self, other: &Overlooking<'_>) -> bool {
        self.kinds.is_empty() || (!other.kinds.is_empty() && other.kinds.iter().all(|kind| self.kinds.contains(kind)))
    }
}

/// All rules in the order of their numbers.
fn overlooking(profile: &Profile) -> Vec<Overlooking<'_>> {
    let values = profile.value_rules().map(|(number, rule)| {
        let ignores = matches!(rule.does, Does::Ignore);
        let (path, conditional) = (rule.path.clone(), !rule.when.is_empty());
        (number, Overlooking { name: rule.name, kinds: rule.kinds, path, ignores, conditional })
    });
    let allocators = (profile.allocator_base()..).zip(&profile.allocator).map(|(number, rule)| {
        let (kinds, path) = (std::slice::from_ref(&rule.kind), Pattern::from(&rule.value));
        (number, Overlooking { name: &rule.name, kinds, path, ignores: false, conditional: false })
    });
    let mut all: Vec<_> = values.chain(allocators).collect();
    all.sort_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, rule)| rule).collect()
}

fn remarks_on_kinds(profile: &Profile, rules: &[Overlooking<'_>], out: &mut Vec<String>) {
    if profile.roles.kind.is_some() {
        return;
    }
    let bound = rules.iter().filter(|rule| !rule.kinds.is_empty());
    out.extend(bound.map(|rule| {
        format!("the rule {} is for certain kinds, but [roles] names no kind: it can never match", rule.name)
    }));
    if profile.header.is_some() {
        out.push("a header is known by its kind, but [roles] names no kind: only its version is looked at".to_owned());
    }
    let Roles { end, pairing, checkpoint, .. } = &profile.roles;
    for (role, named) in [("end", end.is_some()), ("pairing", pairing.is_some()), ("checkpoint", checkpoint.is_some())]
    {
        if named {
            out.push(format!("the role {role} goes by a kind, but [roles] names no kind: it can never match"));
        }
    }
}

/// With the payload `*` the other roles' fields are not in the payload.
fn remarks_on_reach(profile: &Profile, rules: &[Overlooking<'_>], out: &mut Vec<String>) {
    if profile.roles.payload != PayloadRole::Whole {
        return;
    }
    for rule in rules {
        if let Some((role, _)) =
            named_paths(&profile.roles).find(|(_, path)| Pattern::from(*path).holds_all_of(&rule.path))
        {
            out.push(format!(
                "the rule {} is for {}, which the role {role} takes out of the payload: it can never match",
                rule.name, rule.path
            ));
        }
    }
}

fn remarks_on_cover(rules: &[Overlooking<'_>], out: &mut Vec<String>) {
    let covering = |rule: &Overlooking<'_>| rules.iter().find(|other| other.covers(rule));
    for (at, rule) in rules.iter().enumerate() {
        if let Some(other) = covering(rule) {
            out.push(format!("the rule {} never matters: {} ignores all of {}", rule.name, other.name, other.path));
            continue;
        }
        let always = |other: &&Overlooking<'_>| !other.conditional && !rule.conditional;
        let rivals = rules[at + 1..].iter().filter(|other| other.path == rule.path && rule.shares_a_kind_with(other));
        for other in rivals.filter(always) {
            out.push(format!(
                "the rules {} and {} are for the same path {}; each is tried by itself, in this order",
                rule.name, other.name, rule.path
            ));
        }
    }
}

fn remarks_on_masks(profile: &Profile, out: &mut Vec<String>) {
    for rule in profile.mask.iter().filter(|rule| rule.bits == u64::MAX) {
        out.push(format!("the mask {} leaves no bit to compare; an [[ignore]] rule says so plainly", rule.name));
    }
}

/// A part of the larger of two magnitudes: by the whole of it, every two numbers of one sign are near.
fn remarks_on_tolerances(profile: &Profile, out: &mut Vec<String>) {
    for rule in &profile.tolerance {
        if rule.tolerance.relative.as_ref().is_some_and(Amount::is_one_or_more) {
            out.push(format!(
                "the relative tolerance {} takes all numbers of one sign for equal; it is a part of the larger",
                rule.name
            ));
        }
    }
}

fn remarks_on_roles(roles: &Roles, out: &mut Vec<String>) {
    let named: Vec<(&str, &Pointer)> = named_paths(roles).collect();
    for (at, (role, path)) in named.iter().enumerate() {
        if let Some((other, _)) = named[..at].iter().find(|(_, other)| other == path) {
            out.push(format!("the roles {other} and {role} both read {path}"));
        }
        if let PayloadRole::At(payload) = &roles.payload
            && payload.below(path).is_some()
        {
            out.push(format!("the payload {payload} is, or lies in, what the role {role} reads"));
        }
    }
}

fn remarks_on_objects(profile: &Profile, out: &mut Vec<String>) {
    for rule in &profile.identity {
        let name = &rule.name;
        if rule.uses.is_empty() {
            out.push(format!(
                "the rule {name} says of no place that values there mean its objects: it overlooks nothing"
            ));
        }
        if profile.roles.kind.is_none() {
            out.push(format!("the rule {name} goes by kinds, but [roles] names no kind: it can never match"));
        }
    }
}

fn remarks_on_events(profile: &Profile, out: &mut Vec<String>) {
    let rules: Vec<_> = profile.event_rules().collect();
    let names = profile.rule_names();
    let names = &names[usize::from(profile.event_base())..];
    for (at, rule) in rules.iter().enumerate() {
        let name = names[at];
        if profile.roles.kind.is_none() && !rule.kinds.is_empty() {
            out.push(format!("the rule {name} is for certain kinds, but [roles] names no kind: it can never match"));
        }
        // Of a condition on which both go nothing is known without reading events.
        let covers = |other: &super::EventRule<'_>| {
            other.when.is_empty()
                && (other.kinds.is_empty()
                    || !rule.kinds.is_empty() && rule.kinds.iter().all(|kind| other.kinds.contains(kind)))
        };
        if let Some(other) = rules[..at].iter().position(covers) {
            out.push(format!("the rule {} meets all events of the rule {name}, which can never match", names[other]));
        }
    }
}

fn named_paths(roles: &Roles) -> impl Iterator<Item = (&'static str, &Pointer)> {
    let thread = roles.thread.iter().map(|path| ("thread", path));
    let flag = roles.nondeterministic.iter().map(|role| ("nondeterministic", &role.path));
    thread
        .chain(roles.ordinal.iter().map(|path| ("ordinal", path)))
        .chain(roles.kind.iter().map(|path| ("kind", path)))
        .chain(flag)
        .chain(roles.label.iter().map(|path| ("label", path)))
}

fn remarks_on_functions(profile: &Profile, out: &mut Vec<String>) {
    for rule in &profile.allocator {
        let mut seen = Vec::new();
        for name in rule.functions.iter().flat_map(|functions| &functions.names) {
            match seen.contains(&name) {
                true => out.push(format!("the rule {} names {name} twice; the first counts", rule.name)),
                false => seen.push(name),
            }
        }
        let paths: Vec<&Pointer> = allocator_paths(rule).collect();
        if paths.iter().enumerate().any(|(at, path)| paths[..at].contains(path)) {
            out.push(format!("the rule {} reads two of function, value and status at one path", rule.name));
        }
    }
}

fn remarks_on_joins(profile: &Profile, out: &mut Vec<String>) {
    for rule in &profile.join {
        for path in rule.paths() {
            if let Some(role) = profile.head_role_at(path) {
                let name = &rule.name;
                out.push(format!(
                    "the rule {name} cannot join {path}, where the role {role} is read: the last part's counts"
                ));
            }
        }
    }
}

fn remarks_on_summaries(profile: &Profile, out: &mut Vec<String>) {
    let mut seen: Vec<&str> = Vec::new();
    for rule in &profile.summaries {
        let kinds: Vec<&str> = match rule.kinds.is_empty() {
            true => vec![""],
            false => rule.kinds.iter().map(String::as_str).collect(),
        };
        for kind in kinds {
            if seen.contains(&kind) {
                let whose =
                    if kind.is_empty() { "all other kinds have".to_owned() } else { format!("the kind {kind} has") };
                out.push(format!("{whose} two summaries; the first counts"));
            }
            seen.push(kind);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remarks_of(text: &str) -> Vec<String> {
        check(&format!("version = 1\n{text}"), "my.toml").unwrap().1
    }

    #[test]
    fn built_in_profiles_need_no_remark() {
        for profile in crate::profile::builtins() {
            assert_eq!(remarks(&profile), Vec::<String>::new());
        }
    }

    #[test]
    fn rules_on_objects_and_events_that_do_nothing_are_told() {
        let remarks = remarks_of(
            r#"
            [[identity]]
            name = "b"
            reason = "r"
            define = [{ kind = "k", value = "/v" }]
            [[drop]]
            name = "c"
            kinds = ["x", "y"]
            reason = "r"
            [[fold]]
            name = "d"
            kinds = ["y"]
            when = { path = "/n", equals = 1 }
            reason = "r"
            [[fold]]
            name = "e"
            kinds = ["y", "z"]
            reason = "r"
            "#,
        );
        let told = [
            "the rule b says of no place that values there mean its objects: it overlooks nothing",
            "the rule b goes by kinds, but [roles] names no kind: it can never match",
            "the rule c is for certain kinds, but [roles] names no kind: it can never match",
            "the rule d is for certain kinds, but [roles] names no kind: it can never match",
            "the rule c meets all events of the rule d, which can never match",
            "the rule e is for certain kinds, but [roles] names no kind: it can never match",
        ];
        assert_eq!(remarks, told);
    }

    #[test]
    fn joins_of_what_names_an_event_are_told() {
        let join = |paths: &str| {
            remarks_of(&format!(
                "[roles]\nthread = ['/t', '/meta/cpu']\nordinal = '/n'\nkind = '/k'\n[[join]]\nname = 'j'\nkinds = ['x']\nreason = 'r'\n{paths}\n"
            ))
        };
        assert_eq!(join("sum = ['/size', '/meta/other', '/nn']"), Vec::<String>::new());
        let told = |path: &str, role: &str| {
            format!("the rule j cannot join {path}, where the role {role} is read: the last part's counts")
        };
        assert_eq!(
            join("first = '/meta'\nsum = ['/n', '/size']\nconcat = '/k'"),
            [told("/meta", "thread"), told("/k", "kind"), told("/n", "ordinal")]
        );
        assert_eq!(join("first = '/t/x'"), [told("/t/x", "thread")]);
    }

    #[test]
    fn rules_that_can_never_match_are_told() {
        let remarks = remarks_of(
            r#"
            [roles]
            thread = "/tid"
            end = { kind = "exit" }
            [[ignore]]
            name = "a"
            kinds = ["x"]
            path = "/tid/low"
            reason = "noise"
            "#,
        );
        assert_eq!(
            remarks,
            [
                "the rule a is for certain kinds, but [roles] names no kind: it can never match",
                "the role end goes by a kind, but [roles] names no kind: it can never match",
                "the rule a is for /tid/low, which the role thread takes out of the payload: it can never match",
            ]
        );
    }

    #[test]
    fn rules_that_another_covers_are_told() {
        let remarks = remarks_of(
            r#"
            roles = { kind = "/op", label = "/op" }
            ignore = [
                { name = "all", path = "/regs", reason = "noise" },
                { name = "one", path = "/regs/p", kinds = ["x"], reason = "noise" },
            ]
            mask = [
                { name = "bits", path = "/regs/p", kinds = ["y"], bits = 1, reason = "noise" },
                { name = "more", path = "/regs/p", bits = "0xFFFFFFFFFFFFFFFF", reason = "noise" },
            ]
            summary = [{ template = "a" }, { kinds = ["x"], template = "b" }, { template = "c" }]
            "#,
        );
        assert_eq!(
            remarks,
            [
                "the rule one never matters: all ignores all of /regs",
                "the rule bits never matters: all ignores all of /regs",
                "the rule more never matters: all ignores all of /regs",
                "the mask more leaves no bit to compare; an [[ignore]] rule says so plainly",
                "the roles kind and label both read /op",
                "all other kinds have two summaries; the first counts",
            ]
        );
    }

    #[test]
    fn two_rules_of_one_path_are_told_unless_their_kinds_differ() {
        let remarks = remarks_of(
            r#"
            roles = { kind = "/op" }
            ignore = [
                { name = "a", path = "/x", kinds = ["k"], reason = "noise" },
                { name = "b", path = "/x", kinds = ["k", "l"], reason = "noise" },
                { name = "c", path = "/x", kinds = ["m"], reason = "noise" },
            ]
            "#,
        );
        assert_eq!(remarks, ["the rules a and b are for the same path /x; each is tried by itself, in this order"]);
    }
}
