//! Where each part of a profile came from, for `profile show` and for remarks on rules of the user's own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use toml::de::{DeTable, DeValue};

use super::overrides::Overrides;
use super::rules::{NULL_EQUALS_MISSING, Profile};

/// One layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layer {
    /// A profile that forkpoint brings along.
    Builtin(String),
    /// A file; `given` if `--profile` named it.
    File {
        /// As it is to be shown.
        path: String,
        /// Named by `--profile`.
        given: bool,
    },
}

/// Who said something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A profile that forkpoint brings along.
    Builtin(String),
    /// A line of a file, from 1.
    File(Layer, usize),
    /// A flag, with its dashes.
    Flag(&'static str),
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Layer::Builtin(name) => write!(f, "built-in {name}"),
            Layer::File { path, given: false } => f.write_str(path),
            Layer::File { path, given: true } => write!(f, "--profile {path}"),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Builtin(name) => write!(f, "built-in {name}"),
            Origin::File(layer, line) => write!(f, "{layer}:{line}"),
            Origin::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// Where the parts of one profile came from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origins {
    /// The layers, the lowest first.
    layers: Vec<String>,
    /// Those who said something of a rule, by its name.
    rules: BTreeMap<String, Vec<Origin>>,
    /// The same of a key, as `roles.thread`.
    keys: BTreeMap<String, Vec<Origin>>,
    /// Rules and roles that a layer took away: what, where it came from, and by whom it was taken.
    gone: Vec<(String, Vec<Origin>, Origin)>,
}

impl Origins {
    /// The layers, the lowest first.
    pub fn layers(&self) -> &[String] {
        &self.layers
    }

    /// Where a rule came from.
    pub fn rule(&self, name: &str) -> Option<String> {
        self.rules.get(name).map(|origins| told(origins))
    }

    /// Where what a key says came from, as in `roles.thread`.
    pub fn key(&self, key: &str) -> Option<String> {
        self.keys.get(key).map(|origins| told(origins))
    }

    /// What layers took away: each with where it came from, and by whom it was taken.
    pub fn gone(&self) -> impl Iterator<Item = (&str, String, String)> {
        self.gone.iter().map(|(name, from, by)| (name.as_str(), told(from), by.to_string()))
    }

    /// The rules that the user can mend: those that a file or flag said something of.
    pub fn own_rules(&self) -> BTreeSet<String> {
        let is_own = |origins: &[Origin]| origins.iter().any(|origin| !matches!(origin, Origin::Builtin(_)));
        self.rules.iter().filter(|(_, origins)| is_own(origins)).map(|(name, _)| name.clone()).collect()
    }

    /// Lays a profile's text on top; it was read without a fault. Says whether it names itself.
    pub(super) fn lay(&mut self, layer: &Layer, text: &str) -> bool {
        self.layers.push(layer.to_string());
        let Ok(document) = DeTable::parse(text) else { return false };
        let from = |at: usize| match layer {
            Layer::Builtin(name) => Origin::Builtin(name.clone()),
            file => Origin::File(file.clone(), text[..at.min(text.len())].matches('\n').count() + 1),
        };
        let document = document.get_ref();
        for off in names_in(document.get("without").map(|without| without.get_ref())) {
            self.take_rule(off.0, from(off.1));
        }
        for (key, value) in document {
            match value.get_ref() {
                // Rules of every class stand in arrays of tables, each with its name.
                DeValue::Array(rules) => {
                    for rule in rules.iter().filter_map(|rule| rule.get_ref().as_table()) {
                        if let Some((place, name)) = rule.get_key_value("name")
                            && let Some(name) = name.get_ref().as_str()
                        {
                            self.rules.insert(name.to_owned(), vec![from(place.span().start)]);
                        }
                    }
                }
                DeValue::Table(table) => self.lay_table(key.get_ref(), table, &from),
                _ => {}
            }
        }
        document.contains_key("name")
    }

    fn lay_table(&mut self, name: &str, table: &DeTable<'_>, from: &dyn Fn(usize) -> Origin) {
        for off in names_in(table.get("without").map(|without| without.get_ref())) {
            let key = format!("{name}.{}", off.0);
            if let Some(was) = self.keys.remove(&key) {
                self.gone.push((format!("the role {}", off.0), was, from(off.1)));
            }
        }
        for key in table.keys().filter(|key| *key.get_ref() != "without") {
            let origin = from(key.span().start);
            if (name, &**key.get_ref()) == ("equality", "null_equals_missing") {
                self.rules.insert(NULL_EQUALS_MISSING.to_owned(), vec![origin.clone()]);
            }
            self.keys.insert(format!("{name}.{}", key.get_ref()), vec![origin]);
        }
    }

    fn take_rule(&mut self, name: &str, by: Origin) {
        if name == NULL_EQUALS_MISSING {
            self.keys.insert("equality.null_equals_missing".to_owned(), vec![by.clone()]);
        }
        if let Some(was) = self.rules.remove(name) {
            self.gone.push((format!("the rule {name}"), was, by));
        }
    }

    /// Lays flags on top: `before` is the profile without, `after` with them.
    pub(super) fn lay_flags(&mut self, flags: &Overrides, before: &Profile, after: &Profile) {
        let was_said = *flags != Overrides::default();
        self.layers.extend(was_said.then(|| "flags".to_owned()));
        for name in &flags.without {
            self.take_rule(name, Origin::Flag("--without"));
        }
        let roles = [
            ("roles.thread", "--thread", !flags.thread.is_empty()),
            ("roles.ordinal", "--ordinal", flags.ordinal.is_some()),
            ("roles.kind", "--kind", flags.kind.is_some()),
            ("roles.payload", "--payload", flags.payload.is_some()),
            ("lanes.skip_start", "--skip-start", flags.skip_start.is_some()),
        ];
        for (key, flag, _) in roles.into_iter().filter(|(_, _, is_said)| *is_said) {
            self.keys.insert(key.to_owned(), vec![Origin::Flag(flag)]);
        }
        let (known, kept) = (before.rule_names(), after.rule_names());
        for name in known.iter().filter(|name| !kept.contains(*name)) {
            self.take_rule(name, Origin::Flag("--payload"));
        }
        for rule in after.ignore.iter().filter(|rule| !known.contains(&rule.name.as_str())) {
            self.rules.insert(rule.name.clone(), vec![Origin::Flag("--ignore")]);
        }
        for rule in &after.mask {
            // A mask of a layer below may have taken the flag's bits.
            let as_before = before.mask.iter().any(|old| old.name == rule.name && old.bits == rule.bits);
            if !as_before {
                self.rules.entry(rule.name.clone()).or_default().push(Origin::Flag("--mask"));
            }
        }
    }
}

/// The texts of an array, each with its place.
fn names_in<'a>(value: Option<&'a DeValue<'_>>) -> Vec<(&'a str, usize)> {
    let items = value.and_then(DeValue::as_array).into_iter().flat_map(|items| items.iter());
    items.filter_map(|item| Some((item.get_ref().as_str()?, item.span().start))).collect()
}

fn told(origins: &[Origin]) -> String {
    origins.iter().map(Origin::to_string).collect::<Vec<_>>().join(" and ")
}
