//! The rules for one kind of log, as the other rooms use them.
//!
//! Everything the TOML of a profile can say ends up here, checked and with its paths taken
//! apart; no rule lives in code. [`super::document`] is the stored form.

use crate::json::Pointer;

/// The rules for one kind of log.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// `schema-v1`, `generic`, or the name a profile file gives itself.
    pub name: String,
    /// One sentence for `profile list`.
    pub description: String,
    /// Where a line keeps what aligning needs.
    pub roles: Roles,
    /// The first line a log must have, if the profile demands one.
    pub header: Option<Header>,
    /// Null equals a missing key, at the payload's top level only.
    pub null_equals_missing: bool,
    /// The events of every lane's beginning that are dropped on both sides (`--skip-start`).
    pub skip_start: u64,
    /// Fields that never count, in the profile's order.
    pub ignore: Vec<IgnoreRule>,
    /// Bits that never count.
    pub mask: Vec<MaskRule>,
    /// Calls whose returned addresses may differ.
    pub allocator: Vec<AllocatorRule>,
    /// One-line summaries of events, by kind; see [`super::summary`].
    pub summaries: Vec<SummaryRule>,
}

/// Where a line keeps what aligning needs. A role that is `None` is not looked for: one lane,
/// position instead of ordinal, equal kinds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Roles {
    /// Empty: one lane. Several paths make one composite key.
    pub thread: Vec<Pointer>,
    /// The event's own number on its thread.
    pub ordinal: Option<Pointer>,
    /// What rules and summaries go by.
    pub kind: Option<Pointer>,
    /// What is compared.
    pub payload: PayloadRole,
    /// Which events are marked nondeterministic.
    pub nondeterministic: Option<NondeterministicRole>,
    /// Where the header (or, without one, the first event) names the engine that wrote the log.
    pub label: Option<Pointer>,
    /// The kind of the event that ends a thread.
    pub end: Option<String>,
    /// The group key of a lane: the value at a path of its first event of a kind.
    pub pairing: Option<PairingRole>,
}

/// What is compared of an event beside kind and ordinal.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum PayloadRole {
    /// The value at this path; anything else of the line is not compared.
    At(Pointer),
    /// The whole object less the other roles (`*`).
    #[default]
    Whole,
}

/// An event is nondeterministic where the boolean at `path` equals `equals`.
#[derive(Clone, Debug, PartialEq)]
pub struct NondeterministicRole {
    /// Where the boolean stands.
    pub path: Pointer,
    /// What it is in marked events.
    pub equals: bool,
}

/// A lane's group: the value at `path` (from the line's root) of its first event of `kind`.
#[derive(Clone, Debug, PartialEq)]
pub struct PairingRole {
    /// The kind of the event that is asked.
    pub kind: String,
    /// Where it keeps the group key.
    pub path: Pointer,
}

/// The header line: its kind, and the version number it must carry.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// The header's kind, read where the kind role says. If a flag took that role away, only the
    /// version is looked at.
    pub kind: String,
    /// Where the header keeps its version.
    pub version_path: Pointer,
    /// The version it must carry.
    pub version: u64,
}

/// A field that never counts. `path` is from the line's root and lies inside the payload.
#[derive(Clone, Debug, PartialEq)]
pub struct IgnoreRule {
    /// The rule's name, for `--without` and counters.
    pub name: String,
    /// Empty: every kind.
    pub kinds: Vec<String>,
    /// Where it holds, from the line's root.
    pub path: Pointer,
    /// Why this may differ, for people.
    pub reason: String,
}

/// Bits of an integer (0 to 2^64-1) or hex string that do not count.
#[derive(Clone, Debug, PartialEq)]
pub struct MaskRule {
    /// The rule's name, for `--without` and counters.
    pub name: String,
    /// Empty: every kind.
    pub kinds: Vec<String>,
    /// Where it holds, from the line's root.
    pub path: Pointer,
    /// The bits that do not count.
    pub bits: u64,
    /// Why this may differ, for people.
    pub reason: String,
}

/// Two successful allocations are equal whatever address they return (BEHAVIOUR 3.5).
#[derive(Clone, Debug, PartialEq)]
pub struct AllocatorRule {
    /// The rule's name, for `--without` and counters.
    pub name: String,
    /// The kind of the event that carries the returned value.
    pub kind: String,
    /// Where that event names the called function.
    pub function: Pointer,
    /// Where the returned address stands.
    pub value: Pointer,
    /// Where the same value may stand again, spelled in hex.
    pub status: Option<Pointer>,
    /// The functions and what is a failure of each.
    pub functions: Vec<AllocatorFunctions>,
    /// Why this may differ, for people.
    pub reason: String,
}

/// Functions that share one set of failures.
#[derive(Clone, Debug, PartialEq)]
pub struct AllocatorFunctions {
    /// The functions, as the event spells them.
    pub names: Vec<String>,
    /// What each of them returns when it fails.
    pub failure: Failure,
}

/// What a failed allocation returns. Integers may be written as numbers or hex strings.
/// A value that is neither integer, hex string, null nor missing is compared as it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failure {
    /// Null and missing are failures. Where false, null and missing are compared raw.
    pub null: bool,
    /// Every negative integer is a failure.
    pub negative: bool,
    /// Failing integers.
    pub values: Vec<u64>,
    /// Inclusive ranges of failing integers.
    pub ranges: Vec<FailureRange>,
}

/// `from..=to`, less the multiples of `except_multiples_of` (0: no exception).
#[derive(Clone, Debug, PartialEq)]
pub struct FailureRange {
    /// The first failing integer.
    pub from: u64,
    /// The last failing integer.
    pub to: u64,
    /// 0: no exception.
    pub except_multiples_of: u64,
}

/// How an event of these kinds is told in one line, e.g. `{name|ord}`.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryRule {
    /// Empty: every kind without a rule of its own. `handle.*` stands for all that begin so.
    pub kinds: Vec<String>,
    /// Well formed, as [`super::summary::Template`] reads it.
    pub template: String,
}

/// The name under which null standing for a missing key is counted and switched off.
pub const NULL_EQUALS_MISSING: &str = "null-equals-missing";

impl Profile {
    /// The names of all rules that can overlook a difference, in a fixed order; the position
    /// in this list is the rule's number in counters. `null-equals-missing` comes first.
    pub fn rule_names(&self) -> Vec<&str> {
        std::iter::once(NULL_EQUALS_MISSING)
            .chain(self.ignore.iter().map(|rule| rule.name.as_str()))
            .chain(self.mask.iter().map(|rule| rule.name.as_str()))
            .chain(self.allocator.iter().map(|rule| rule.name.as_str()))
            .collect()
    }
}
