//! The effective rules as a TOML file ready to edit.

use std::fmt::Display;

use super::audit::AuditRule;
use super::document::VERSION;
use super::edges::{About, EdgeRule};
use super::identity::IdentityRule;
use super::layers::Layered;
use super::origins::Origins;
use super::pattern::Pattern;
use super::rules::*;
use crate::json::Pointer;

/// The profile as a commented file; reading it gives the same profile.
pub fn show(profile: &Profile) -> String {
    written(profile, Writer::default())
}

/// The same, which also says where each rule and role came from.
pub fn show_layered(layered: &Layered) -> String {
    written(&layered.profile, Writer { origins: Some(&layered.origins), ..Writer::default() })
}

/// The rules on values and events alone, to be added to a file.
pub fn show_rules(profile: &Profile) -> String {
    let mut out = Writer::default();
    ignores(&mut out, &profile.ignore);
    masks(&mut out, &profile.mask);
    others(&mut out, profile);
    events(&mut out, profile);
    out.text
}

fn written(profile: &Profile, mut out: Writer<'_>) -> String {
    out.comment("A forkpoint profile: the rules for one kind of log. Keep it beside the logs, edit it, and");
    out.comment("say --profile FILE. Paths are from the line's root: /payload/args/0 or payload.args[0]; in those of");
    out.comment("rules * is any one key or position: /payload/args/*/handle (a key named so: payload[\"*\"]).");
    out.layers();
    out.blank();
    out.pair("version", VERSION);
    out.pair("name", quote(&profile.name));
    out.pair("description", quote(&profile.description));
    roles(&mut out, &profile.roles);
    header(&mut out, profile.header.as_ref());
    out.table("[equality]", "What counts as equal.");
    out.noted("null_equals_missing", profile.null_equals_missing, "at the payload's top level only");
    out.table("[lanes]", "How lanes are taken.");
    out.noted("skip_start", profile.skip_start, "events dropped at the beginning of every lane");
    ignores(&mut out, &profile.ignore);
    masks(&mut out, &profile.mask);
    allocators(&mut out, &profile.allocator);
    others(&mut out, profile);
    identities(&mut out, &profile.identity);
    events(&mut out, profile);
    edges(&mut out, &profile.edge);
    audit(&mut out, &profile.audit);
    summaries(&mut out, &profile.summaries);
    out.text
}

fn roles(out: &mut Writer<'_>, roles: &Roles) {
    out.table("[roles]", "Where a line keeps what aligning needs. A role that is not named is not looked for.");
    let thread = match &roles.thread[..] {
        [] => None,
        [path] => Some(path_text(path)),
        paths => Some(list(paths.iter().map(path_text))),
    };
    out.role("thread", thread, "\"/tid\"", "none: one lane; [\"/pid\", \"/tid\"]: a composite key");
    out.role("ordinal", roles.ordinal.as_ref().map(path_text), "\"/seq\"", "none: the position in the lane");
    out.role("kind", roles.kind.as_ref().map(path_text), "\"/kind\"", "what rules and summaries go by");
    let payload = match &roles.payload {
        PayloadRole::At(path) => path_text(path),
        PayloadRole::Whole => quote("*"),
    };
    out.noted("payload", payload, "what is compared; \"*\": the whole object less the other roles");
    let nondeterministic = roles.nondeterministic.as_ref();
    let nondeterministic =
        nondeterministic.map(|role| format!("{{ path = {}, equals = {} }}", path_text(&role.path), role.equals));
    let example = "{ path = \"/deterministic\", equals = false }";
    out.role("nondeterministic", nondeterministic, example, "for --skip-nondeterministic");
    out.role("label", roles.label.as_ref().map(path_text), "\"/engine\"", "names the log in reports");
    let end = roles.end.as_ref().map(|kind| format!("{{ kind = {} }}", quote(kind)));
    out.role("end", end, "{ kind = \"thread.exit\" }", "the event that ends a thread");
    let pairing = roles.pairing.as_ref();
    let pairing = pairing.map(|role| format!("{{ kind = {}, path = {} }}", quote(&role.kind), path_text(&role.path)));
    out.role(
        "pairing",
        pairing,
        "{ kind = \"call\", path = \"/name\" }",
        "lanes whose first such event agrees may pair",
    );
    let checkpoint = roles.checkpoint.as_ref().map(|role| {
        let path = role.path.as_ref().map_or_else(String::new, |path| format!(", path = {}", path_text(path)));
        format!("{{ kind = {}{path} }}", quote(&role.kind))
    });
    out.role(
        "checkpoint",
        checkpoint,
        "{ kind = \"checkpoint\", path = \"/payload/hash\" }",
        "events that carry a hash of the state",
    );
}

fn header(out: &mut Writer<'_>, header: Option<&Header>) {
    let Some(header) = header else { return };
    out.table("[header]", "The first line a log must have; it is no event.");
    out.noted("kind", quote(&header.kind), "read where the kind role says");
    let path = path_text(&header.version_path);
    out.pair("version", format!("{{ path = {path}, equals = {} }}", decimal(header.version)));
}

fn ignores(out: &mut Writer<'_>, rules: &[IgnoreRule]) {
    for rule in rules {
        out.table("[[ignore]]", "A field that never counts.");
        out.rule(&rule.name, &rule.kinds, &rule.path, &rule.when);
        out.pair("reason", quote(&rule.reason));
    }
}

fn masks(out: &mut Writer<'_>, rules: &[MaskRule]) {
    for rule in rules {
        out.table("[[mask]]", "Bits of an integer or hex string that never count.");
        out.rule(&rule.name, &rule.kinds, &rule.path, &rule.when);
        out.pair("bits", hex(rule.bits));
        out.pair("reason", quote(&rule.reason));
    }
}

fn allocators(out: &mut Writer<'_>, rules: &[AllocatorRule]) {
    for rule in rules {
        out.table("[[allocator]]", "Two successes are equal whatever address they return; status repeats it in hex.");
        out.name(&rule.name);
        out.pair("kind", quote(&rule.kind));
        out.pair("function", pattern_text(&(&rule.function).into()));
        out.pair("value", pattern_text(&(&rule.value).into()));
        if let Some(status) = &rule.status {
            out.pair("status", pattern_text(&status.into()));
        }
        out.pair("reason", quote(&rule.reason));
        for functions in &rule.functions {
            out.table("[[allocator.functions]]", "Functions, and what each returns when it fails.");
            out.pair("names", list(functions.names.iter().map(|name| quote(name))));
            out.pair("failure", failure(&functions.failure));
        }
    }
}

fn identities(out: &mut Writer<'_>, rules: &[IdentityRule]) {
    for rule in rules {
        out.table("[[identity]]", "Values that stand for objects: equal if they mean the same object and place in it.");
        out.name(&rule.name);
        out.pair("reason", quote(&rule.reason));
        for define in &rule.define {
            out.table("[[identity.define]]", "An event that defines an object, and where its size is told.");
            out.pair("kind", quote(&define.kind));
            out.when(&define.when);
            out.pair("value", pattern_text(&(&define.value).into()));
            out.pair("except", failure(&define.except));
            if let Some(size) = &define.size {
                let same = size.same.as_ref().map(|same| format!(", same = {}", path_text(same)));
                let (kind, path) = (quote(&size.kind), path_text(&size.path));
                out.pair("size", format!("{{ kind = {kind}, path = {path}{} }}", same.unwrap_or_default()));
            }
        }
        for release in &rule.release {
            out.table("[[identity.release]]", "An event that releases an object.");
            out.pair("kind", quote(&release.kind));
            out.when(&release.when);
            out.pair("value", pattern_text(&release.value));
        }
        for uses in &rule.uses {
            out.table("[[identity.uses]]", "Where values mean objects.");
            out.kinds(&uses.kinds);
            out.when(&uses.when);
            out.pair("path", pattern_text(&uses.path));
        }
    }
}

/// The rules that take events out, or join them.
fn events(out: &mut Writer<'_>, profile: &Profile) {
    for rule in &profile.drop {
        out.table("[[drop]]", "Events that are taken out of both logs.");
        out.name(&rule.name);
        out.kinds(&rule.kinds);
        out.when(&rule.when);
        out.pair("reason", quote(&rule.reason));
    }
    for rule in &profile.fold {
        out.table(
            "[[fold]]",
            "Events whose repetitions are taken out: of a thread's run of them the first of each kind counts.",
        );
        out.name(&rule.name);
        out.kinds(&rule.kinds);
        out.when(&rule.when);
        out.paths("same", &rule.same);
        out.pair("reason", quote(&rule.reason));
    }
    for rule in &profile.join {
        out.table("[[join]]", "Events that are joined with the next of their thread: another engine logs them as one.");
        out.name(&rule.name);
        out.kinds(&rule.kinds);
        out.when(&rule.when);
        if !rule.then.is_empty() {
            out.pair("then", list(rule.then.iter().map(|kind| quote(kind))));
        }
        for (key, paths) in [("first", &rule.first), ("concat", &rule.concat), ("sum", &rule.sum)] {
            out.paths(key, paths);
        }
        out.pair("reason", quote(&rule.reason));
    }
}

/// The classes of rules that stand behind the allocators.
fn others(out: &mut Writer<'_>, profile: &Profile) {
    for rule in &profile.tolerance {
        out.table("[[tolerance]]", "Numbers that may lie a little apart: near enough by one of these is near enough.");
        out.rule(&rule.name, &rule.kinds, &rule.path, &rule.when);
        let Tolerance { absolute, relative, ulps } = &rule.tolerance;
        for (key, amount) in [("absolute", absolute), ("relative", relative)] {
            amount.iter().for_each(|amount| out.pair(key, amount));
        }
        ulps.iter().for_each(|ulps| out.pair("ulps", decimal(*ulps)));
        out.pair("reason", quote(&rule.reason));
    }
    for rule in &profile.unordered {
        out.table("[[unordered]]", "An array whose order does not count.");
        out.rule(&rule.name, &rule.kinds, &rule.path, &rule.when);
        rule.by.iter().for_each(|by| out.pair("by", path_text(by)));
        out.pair("reason", quote(&rule.reason));
    }
    for rule in &profile.spelling {
        out.table("[[spelling]]", "A value that is equal in more than one spelling.");
        out.rule(&rule.name, &rule.kinds, &rule.path, &rule.when);
        let Spelling { hex, width, case } = rule.spelling;
        for (key, _) in [("hex", hex), ("case", case)].into_iter().filter(|(_, asked)| *asked) {
            out.pair(key, true);
        }
        width.iter().for_each(|width| out.pair("width", width.bits()));
        out.pair("reason", quote(&rule.reason));
    }
    for rule in &profile.offset {
        out.table("[[offset]]", "An address that lies a constant apart: the candidate's is the reference's plus `by`.");
        out.rule(&rule.name, &rule.kinds, &rule.path, &rule.when);
        let Offset { by, from, to } = rule.offset;
        out.pair("by", signed(by));
        if (from, to) != (0, u64::MAX) {
            out.pair("from", hex(from));
            out.pair("to", hex(to));
        }
        out.pair("reason", quote(&rule.reason));
    }
}

fn condition(condition: &Condition) -> String {
    let equals = |scalar: &Scalar| match scalar {
        Scalar::Text(text) => quote(text),
        Scalar::Integer(number) => number.to_string(),
        Scalar::Boolean(value) => value.to_string(),
    };
    let equals = match &condition.equals[..] {
        [one] => equals(one),
        all => list(all.iter().map(equals)),
    };
    format!("{{ path = {}, equals = {equals} }}", pattern_text(&(&condition.path).into()))
}

fn failure(failure: &Failure) -> String {
    let mut keys = vec![format!("null = {}", failure.null), format!("negative = {}", failure.negative)];
    if !failure.values.is_empty() {
        keys.push(format!("values = {}", list(failure.values.iter().map(|value| hex(*value)))));
    }
    if !failure.ranges.is_empty() {
        keys.push(format!("ranges = [\n{}]", failure.ranges.iter().map(range).collect::<String>()));
    }
    format!("{{ {} }}", keys.join(", "))
}

fn range(range: &FailureRange) -> String {
    let FailureRange { from, to, except_multiples_of } = range;
    let except = match except_multiples_of {
        0 => String::new(),
        step => format!(", except_multiples_of = {}", hex(*step)),
    };
    format!("    {{ from = {}, to = {}{except} }},\n", hex(*from), hex(*to))
}

fn edges(out: &mut Writer<'_>, rules: &[EdgeRule]) {
    for rule in rules {
        out.table("[[edge]]", "What makes another thread go on: divergences may follow from each other so.");
        out.name(&rule.name);
        out.pair("reason", quote(&rule.reason));
        for (table, end) in rule.from.iter().map(|end| ("from", end)).chain(rule.to.iter().map(|end| ("to", end))) {
            let about = if table == "from" { "Events that do." } else { "Events that follow." };
            out.table(&format!("[[edge.{table}]]"), about);
            out.kinds(&end.kinds);
            out.when(&end.when);
            match &end.about {
                About::Object(paths) => out.paths("object", paths),
                About::Thread(paths) => out.paths("thread", paths),
            }
        }
    }
}

fn audit(out: &mut Writer<'_>, rules: &[AuditRule]) {
    for rule in rules {
        out.table("[[audit]]", "What is done to objects that threads wait for.");
        out.name(&rule.name);
        out.pair("reason", quote(&rule.reason));
        out.pair("step", quote(rule.step.name()));
        out.kinds(&rule.kinds);
        out.when(&rule.when);
        if !rule.of.is_empty() {
            out.pair("of", list(rule.of.iter().map(|of| quote(of))));
        }
        for (key, paths) in rule.places.by_key() {
            out.paths(key, paths);
        }
        for (key, conditions) in [("manual", &rule.manual), ("all", &rule.all), ("unmet", &rule.unmet)] {
            out.conditions(key, conditions);
        }
    }
}

fn summaries(out: &mut Writer<'_>, rules: &[SummaryRule]) {
    for rule in rules {
        out.table("[[summary]]", "How reports tell an event in one line.");
        out.kinds(&rule.kinds);
        out.pair("template", quote(&rule.template));
    }
}

/// Lines of TOML; a table's comment is written only the first time in a row.
#[derive(Default)]
struct Writer<'a> {
    text: String,
    told: Vec<String>,
    origins: Option<&'a Origins>,
    /// The table being written, as in a key's full name.
    table: String,
}

impl Writer<'_> {
    /// Which layers there are, and what of them does not hold.
    fn layers(&mut self) {
        let Some(origins) = self.origins else { return };
        self.comment(&format!(
            "Layers, the later on top: {}.",
            origins.layers().iter().map(|layer| visible(layer)).collect::<Vec<_>>().join(", ")
        ));
        for (what, from, by) in origins.gone() {
            self.comment(&visible(&format!("Not in force: {what} (from {from}), taken away by {by}.")));
        }
    }

    /// A rule's name, and where the rule came from.
    fn name(&mut self, name: &str) {
        match self.origins.and_then(|origins| origins.rule(name)) {
            Some(from) => self.line(&format!("{:<28}  # from {}", format!("name = {}", quote(name)), visible(&from))),
            None => self.pair("name", quote(name)),
        }
    }

    /// Where what a key says came from.
    fn from(&self, key: &str) -> String {
        let from = self.origins.and_then(|origins| origins.key(&format!("{}.{key}", self.table)));
        from.map_or_else(String::new, |from| format!("from {}; ", visible(&from)))
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn blank(&mut self) {
        self.line("");
    }

    fn comment(&mut self, text: &str) {
        self.line(&format!("# {text}"));
    }

    fn table(&mut self, head: &str, about: &str) {
        self.blank();
        head.trim_matches(['[', ']']).clone_into(&mut self.table);
        if !self.told.iter().any(|told| told == head) {
            self.told.push(head.to_owned());
            self.comment(about);
        }
        self.line(head);
    }

    fn pair(&mut self, key: &str, value: impl Display) {
        self.line(&format!("{key} = {value}"));
    }

    fn noted(&mut self, key: &str, value: impl Display, note: &str) {
        let from = self.from(key);
        self.line(&format!("{:<28}  # {from}{note}", format!("{key} = {value}")));
    }

    /// A role, or the comment that shows how it would be written.
    fn role(&mut self, key: &str, value: Option<String>, example: &str, note: &str) {
        match value {
            Some(value) => self.noted(key, value, note),
            None => self.line(&format!("{:<28}  # {note}", format!("# {key} = {example}"))),
        }
    }

    /// What rules on values have in common.
    fn rule(&mut self, name: &str, kinds: &[String], path: &Pattern, when: &[Condition]) {
        self.name(name);
        self.kinds(kinds);
        self.pair("path", pattern_text(path));
        self.when(when);
    }

    fn when(&mut self, when: &[Condition]) {
        self.conditions("when", when);
    }

    /// Nothing where there are none.
    fn conditions(&mut self, key: &str, conditions: &[Condition]) {
        match conditions {
            [] => {}
            [one] => self.pair(key, condition(one)),
            all => self.pair(key, list(all.iter().map(condition))),
        }
    }

    /// Nothing where there are none.
    fn paths(&mut self, key: &str, paths: &[Pointer]) {
        match paths {
            [] => {}
            [one] => self.pair(key, path_text(one)),
            all => self.pair(key, list(all.iter().map(path_text))),
        }
    }

    fn kinds(&mut self, kinds: &[String]) {
        if !kinds.is_empty() {
            self.pair("kinds", list(kinds.iter().map(|kind| quote(kind))));
        }
    }
}

/// Names of files may hold anything; none of it may end a comment.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

fn path_text(path: &Pointer) -> String {
    quote(&path.to_string())
}

fn pattern_text(path: &Pattern) -> String {
    quote(&path.to_string())
}

/// A TOML basic string. JSON's escapes are TOML's, but TOML wants DEL escaped too.
fn quote(text: &str) -> String {
    serde_json::to_string(text).expect("a string is always JSON").replace('\u{7f}', "\\u007F")
}

/// TOML integers have 63 bits; a larger number is written as a string.
fn hex(number: u64) -> String {
    match i64::try_from(number) {
        Ok(number @ 0..10) => number.to_string(),
        Ok(number) => format!("0x{number:X}"),
        Err(_) => format!("\"0x{number:X}\""),
    }
}

fn signed(number: i128) -> String {
    let magnitude = number.unsigned_abs();
    match i64::try_from(number) {
        Ok(number @ -9..10) => number.to_string(),
        Ok(_) if number > 0 => format!("0x{magnitude:X}"),
        // TOML has no negative hex integers.
        _ => format!("\"{}0x{magnitude:X}\"", if number < 0 { "-" } else { "" }),
    }
}

fn decimal(number: u64) -> String {
    i64::try_from(number).map_or_else(|_| hex(number), |number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::identity::{DefineRule, ReleaseRule, SizeRule, UseRule};
    use crate::profile::layers::parse_layered;
    use crate::profile::{
        Amount, AuditPlaces, AuditStep, DropRule, EdgeEnd, FoldRule, JoinRule, Segment, builtins, parse,
    };
    use proptest::prelude::*;

    #[test]
    fn built_in_profiles_survive_being_shown() {
        for profile in builtins() {
            let text = show(&profile);
            assert_eq!(parse(&text, "shown.toml").unwrap(), profile, "{text}");
        }
    }

    #[test]
    fn the_file_reads_well() {
        let text = show(&builtins()[0]);
        for line in [
            "thread = \"/tid\"               # none: one lane; [\"/pid\", \"/tid\"]: a composite key",
            "    { from = 0xC0000001, to = 0xC000FFFF, except_multiples_of = 0x1000 },",
            "template = \"{name|ord}\"",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line}\nin\n{text}");
        }
        let generic = show(&builtins()[1]);
        assert!(generic.contains("# ordinal = \"/seq\"            # none: the position in the lane"), "{generic}");
    }

    #[test]
    fn numbers_of_one_digit_are_decimal_and_others_hexadecimal() {
        let large = i128::from(u64::MAX);
        for (number, shown) in
            [(0, "0"), (9, "9"), (-9, "-9"), (10, "0xA"), (-10, "\"-0xA\""), (large, "\"0xFFFFFFFFFFFFFFFF\"")]
        {
            assert_eq!(signed(number), shown);
            if let Ok(number) = u64::try_from(number) {
                assert_eq!(hex(number), shown);
            }
        }
    }

    #[test]
    fn layers_are_told_where_they_are_known() {
        let layered = parse_layered("version = 1\nextends = 'schema-v1'\nwithout = ['wait-duration']\n", "my.toml");
        let layered = layered.unwrap();
        let told = show_layered(&layered);
        assert!(told.contains("# Layers, the later on top: "), "{told}");
        assert!(told.contains("# Not in force: "), "{told}");
        assert!(told.lines().any(|line| line.starts_with("name = ") && line.contains("# from ")), "{told}");
        assert!(
            told.lines().any(|line| line.starts_with("thread = ") && line.contains("# from built-in schema-v1; ")),
            "{told}"
        );
        assert!(!show(&layered.profile).contains("# from "));
        assert_eq!(parse(&told, "my.toml").unwrap(), layered.profile);
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["[a-z.*]{1,8}", "\\PC{1,6}x", any::<String>().prop_map(|text| text + "\u{7f}\n'\"\\x")]
    }

    fn path(root: &'static str) -> impl Strategy<Value = Pointer> {
        proptest::collection::vec(text(), 1..3)
            .prop_map(move |tokens| Pointer::new(std::iter::once(root.to_owned()).chain(tokens)))
    }

    fn pattern() -> impl Strategy<Value = Pattern> {
        let segment = || prop_oneof![Just(Segment::Any), text().prop_map(Segment::Key), Just(Segment::Key("*".into()))];
        proptest::collection::vec(segment(), 1..4)
            .prop_map(|rest| Pattern::new(std::iter::once(Segment::Key("payload".into())).chain(rest)))
    }

    fn when() -> impl Strategy<Value = Vec<Condition>> {
        let scalar = || {
            prop_oneof![
                text().prop_map(Scalar::Text),
                any::<i64>().prop_map(Scalar::Integer),
                any::<bool>().prop_map(Scalar::Boolean),
            ]
        };
        let condition = (path("c"), proptest::collection::vec(scalar(), 1..3))
            .prop_map(|(path, equals)| Condition { path, equals });
        proptest::collection::vec(condition, 0..3)
    }

    fn amount() -> impl Strategy<Value = Amount> {
        "(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?(e-?[0-9]{1,3})?".prop_map(|text| Amount::parse(&text).unwrap())
    }

    prop_compose! {
        fn some_tolerance()(
            name in text(), kinds in kinds(), path in pattern(), when in when(), reason in text(),
            (absolute, relative) in proptest::option::of(amount()).prop_flat_map(|a| (Just(a), proptest::option::of(amount()))),
            ulps in any::<u64>(),
        ) -> ToleranceRule {
            let tolerance = Tolerance { absolute, relative, ulps: Some(ulps) };
            ToleranceRule { name: format!("t:{name}"), kinds, path, when, tolerance, reason }
        }
    }

    prop_compose! {
        fn some_spelling()(
            name in text(), kinds in kinds(), path in pattern(), when in when(), reason in text(),
            hex in any::<bool>(), width in proptest::option::of(proptest::sample::select(&[Width::W32, Width::W64][..])),
        ) -> SpellingRule {
            SpellingRule { name: format!("s:{name}"), kinds, path, when, spelling: Spelling { hex, width, case: !hex }, reason }
        }
    }

    prop_compose! {
        fn some_offset()(
            name in text(), kinds in kinds(), path in pattern(), when in when(), reason in text(),
            by in 1..=u64::MAX, negative in any::<bool>(), a in any::<u64>(), b in any::<u64>(), whole in any::<bool>(),
        ) -> OffsetRule {
            let by = if negative { -i128::from(by) } else { by.into() };
            let (from, to) = if whole { (0, u64::MAX) } else { (a.min(b), a.max(b)) };
            OffsetRule { name: format!("o:{name}"), kinds, path, when, offset: Offset { by, from, to }, reason }
        }
    }

    prop_compose! {
        fn some_unordered()(
            name in text(), kinds in kinds(), rest in path("payload"), when in when(), reason in text(),
            by in proptest::option::of(path("id")),
        ) -> UnorderedRule {
            UnorderedRule { name: format!("u:{name}"), kinds, path: (&rest).into(), when, by, reason }
        }
    }

    fn kinds() -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec(text(), 0..3)
    }

    prop_compose! {
        fn some_roles()(
            thread in proptest::collection::vec(path("t"), 0..3),
            ordinal in proptest::option::of(path("o")),
            kind in path("k"),
            whole in any::<bool>(),
            nondeterministic in proptest::option::of((path("n"), any::<bool>())),
            label in proptest::option::of(path("l")),
            end in proptest::option::of(text()),
            pairing in proptest::option::of((text(), path("p"))),
            checkpoint in proptest::option::of((text(), proptest::option::of(path("c")))),
        ) -> Roles {
            Roles {
                thread,
                ordinal,
                kind: Some(kind),
                payload: if whole { PayloadRole::Whole } else { PayloadRole::At(Pointer::new(["payload"])) },
                nondeterministic: nondeterministic.map(|(path, equals)| NondeterministicRole { path, equals }),
                label,
                end,
                pairing: pairing.map(|(kind, path)| PairingRole { kind, path }),
                checkpoint: checkpoint.map(|(kind, path)| CheckpointRole { kind, path }),
            }
        }
    }

    prop_compose! {
        fn some_failure()(
            null in any::<bool>(),
            negative in any::<bool>(),
            values in proptest::collection::vec(any::<u64>(), 0..3),
            ranges in proptest::collection::vec((any::<u64>(), any::<u64>(), 0..5000u64), 0..3),
        ) -> Failure {
            let range = |(a, b, step): (u64, u64, u64)| {
                FailureRange { from: a.min(b), to: a.max(b), except_multiples_of: step }
            };
            Failure { null, negative, values, ranges: ranges.into_iter().map(range).collect() }
        }
    }

    prop_compose! {
        fn some_allocator()(
            name in text(), kind in text(), function in path("payload"), value in path("payload"),
            status in proptest::option::of(path("payload")), reason in text(),
            functions in proptest::collection::vec((proptest::collection::vec(text(), 1..3), some_failure()), 1..3),
        ) -> AllocatorRule {
            let group = |(names, failure)| AllocatorFunctions { names, failure };
            let functions = functions.into_iter().map(group).collect();
            AllocatorRule { name: format!("a:{name}"), kind, function, value, status, functions, reason }
        }
    }

    prop_compose! {
        fn some_define()(
            kind in text(), when in when(), value in path("payload"), except in some_failure(),
            size in proptest::option::of((text(), path("s"), proptest::option::of(path("n")))),
        ) -> DefineRule {
            let size = size.map(|(kind, path, same)| SizeRule { kind, path, same });
            DefineRule { kind, when, value, except, size }
        }
    }

    prop_compose! {
        fn some_identity()(
            name in text(), reason in text(), define in proptest::collection::vec(some_define(), 1..3),
            release in proptest::collection::vec((text(), when(), pattern()), 0..3),
            uses in proptest::collection::vec((kinds(), when(), pattern()), 0..3),
        ) -> IdentityRule {
            let release = release.into_iter().map(|(kind, when, value)| ReleaseRule { kind, when, value });
            let uses = uses.into_iter().map(|(kinds, when, path)| UseRule { kinds, when, path });
            IdentityRule { name: format!("id:{name}"), define, release: release.collect(), uses: uses.collect(), reason }
        }
    }

    prop_compose! {
        fn some_edge()(
            name in text(), reason in text(), kinds in kinds(), condition in when(),
            objects in proptest::collection::vec(path("object"), 1..3), makes in any::<bool>(),
        ) -> EdgeRule {
            let end = |about| EdgeEnd { kinds: kinds.clone(), when: condition.clone(), about };
            let by_object = || end(About::Object(objects.clone()));
            match makes {
                true => EdgeRule { name: format!("e:{name}"), from: vec![end(About::Thread(objects.clone()))], to: vec![], reason },
                false => EdgeRule { name: format!("e:{name}"), from: vec![by_object()], to: vec![by_object()], reason },
            }
        }
    }

    prop_compose! {
        fn some_audit()(
            name in text(), reason in text(), step in 0..AuditStep::ALL.len(), kinds in kinds(), condition in when(),
            of in proptest::collection::vec(text(), 0..3), manual in when(), all in when(), unmet in when(),
            places in proptest::collection::vec(proptest::collection::vec(path("place"), 1..3), 14),
        ) -> AuditRule {
            let mut places = places.into_iter();
            let mut next = || places.next().unwrap();
            let places = AuditPlaces {
                object: next(), becomes: next(), thread: next(), source: next(), object_type: next(), initial: next(),
                count: next(), timeout: next(), alertable: next(), previous: next(), result: next(), time: next(), lr: next(), stack: next(),
            };
            let kinds = if condition.is_empty() { vec!["k".to_owned()] } else { kinds };
            let step = AuditStep::ALL[step].0;
            AuditRule { name: format!("au:{name}"), reason, step, kinds, when: condition, of, places, manual, all, unmet }
        }
    }

    prop_compose! {
        fn some_drop()(name in text(), kinds in kinds(), condition in when(), reason in text()) -> DropRule {
            let kinds = if condition.is_empty() { vec!["k".to_owned()] } else { kinds };
            DropRule { name: format!("d:{name}"), kinds, when: condition, reason }
        }
    }

    prop_compose! {
        fn some_fold()(
            name in text(), kind in text(), when in when(), same in proptest::collection::vec(path("s"), 0..3), reason in text(),
        ) -> FoldRule {
            FoldRule { name: format!("f:{name}"), kinds: vec![kind], when, same, reason }
        }
    }

    prop_compose! {
        fn some_join()(
            name in text(), kind in text(), when in when(), then in kinds(), first in proptest::option::of(path("a")),
            concat in proptest::option::of(path("b")), sum in path("c"), reason in text(),
        ) -> JoinRule {
            let (first, concat) = (first.into_iter().collect(), concat.into_iter().collect());
            JoinRule { name: format!("j:{name}"), kinds: vec![kind], when, then, first, concat, sum: vec![sum], reason }
        }
    }

    prop_compose! {
        fn some_profile()(
            name in text(), description in any::<String>(), roles in some_roles().boxed(),
            header in proptest::option::of((text(), path("v"), any::<u64>())),
            null_equals_missing in any::<bool>(), skip_start in any::<u64>(),
            ignore in proptest::collection::vec((text(), kinds(), pattern(), when(), text()), 0..3),
            mask in proptest::collection::vec((kinds(), pattern(), 1..=u64::MAX, text()), 0..3),
            tolerance in proptest::option::of(some_tolerance().boxed()), spelling in proptest::option::of(some_spelling().boxed()),
            offset in proptest::option::of(some_offset().boxed()), unordered in proptest::option::of(some_unordered().boxed()),
            allocator in proptest::option::of(some_allocator().boxed()), identity in proptest::option::of(some_identity().boxed()),
            (drop, fold, join, edge, audit) in (
                proptest::option::of(some_drop().boxed()), proptest::option::of(some_fold().boxed()),
                proptest::option::of(some_join().boxed()), proptest::option::of(some_edge().boxed()),
                proptest::option::of(some_audit().boxed()),
            ),
            summaries in proptest::collection::vec((kinds(), text()), 0..3),
        ) -> Profile {
            let header = header.map(|(kind, version_path, version)| Header { kind, version_path, version });
            let ignore = ignore.into_iter().enumerate().map(|(at, (name, kinds, path, when, reason))| {
                IgnoreRule { name: format!("i{at}:{name}"), kinds, path, when, reason }
            });
            let mask = mask.into_iter().enumerate().map(|(at, (kinds, path, bits, reason))| {
                MaskRule { name: format!("m{at}"), kinds, path, when: vec![], bits, reason }
            });
            let summaries = summaries.into_iter().map(|(kinds, text)| {
                SummaryRule { kinds, template: text.replace('{', "{{").replace('}', "}}") }
            });
            Profile {
                name, description, roles, header, null_equals_missing, skip_start,
                ignore: ignore.collect(),
                mask: mask.collect(),
                allocator: allocator.into_iter().collect(),
                tolerance: tolerance.into_iter().collect(),
                spelling: spelling.into_iter().collect(),
                offset: offset.into_iter().collect(),
                unordered: unordered.into_iter().collect(),
                identity: identity.into_iter().collect(),
                drop: drop.into_iter().collect(),
                fold: fold.into_iter().collect(),
                join: join.into_iter().collect(),
                edge: edge.into_iter().collect(),
                audit: audit.into_iter().collect(),
                summaries: summaries.collect(),
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back_as_it_was(profile in some_profile()) {
            prop_assume!(crate::profile::reach::position_in_unordered(&profile).is_none());
            let text = show(&profile);
            let read = parse(&text, "shown.toml").map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
            prop_assert_eq!(read, profile);
        }
    }
}
