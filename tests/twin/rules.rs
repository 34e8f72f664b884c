//! What counts in a log: the part of a profile that decides.

use super::json::{Number, Value};
use super::objects::Identity;

pub type Path = Vec<String>;

/// `/a/b` taken apart (no escapes needed in tests).
pub fn path(text: &str) -> Path {
    text.split('/').skip(1).map(str::to_owned).collect()
}

/// A step of a rule's path; `None` is any key or position.
pub type Pattern = Vec<Option<String>>;

/// `/a/*/b` taken apart.
pub fn pattern(text: &str) -> Pattern {
    path(text).into_iter().map(|step| Some(step).filter(|step| step != "*")).collect()
}

/// A step down to a place, and whether it is to an element of an array whose order does not count: no
/// rule names such a one.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub name: String,
    pub free: bool,
}

/// What a rule of the newer classes does at its place.
#[derive(Clone, Debug)]
pub enum Class {
    Tolerance { absolute: Option<Number>, relative: Option<Number>, ulps: Option<u64> },
    Unordered { by: Option<Path> },
    Spelling { hex: bool, width: Option<u32>, case: bool },
    Offset { by: i128, from: i128, to: i128 },
}

/// One of these values must stand there, on both sides.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: Path,
    pub equals: Vec<Value>,
}

#[derive(Clone, Debug)]
pub struct Rules {
    pub header: Option<(String, Path, u64)>,
    pub thread: Vec<Path>,
    pub ordinal: Option<Path>,
    pub kind: Option<Path>,
    /// `None`: the whole object less the other roles.
    pub payload: Option<Path>,
    pub nondeterministic: Option<(Path, bool)>,
    pub end: Option<String>,
    pub pairing: Option<(String, Path)>,
    pub null_equals_missing: bool,
    pub skip_start: usize,
    pub ignore: Vec<Field>,
    pub mask: Vec<(Field, u64)>,
    pub allocator: Option<Allocator>,
    /// The other classes: tolerances, arrays without order, spellings, offsets.
    pub others: Vec<(Field, Class)>,
    /// Values that stand for objects.
    pub identity: Vec<Identity>,
    /// Events that are taken out.
    pub events: Vec<super::events::EventRule>,
}

/// A field that never counts; no kinds: in every kind.
#[derive(Clone, Debug)]
pub struct Field {
    pub kinds: Vec<String>,
    pub path: Pattern,
    pub when: Vec<Asked>,
}

/// BEHAVIOUR 3.5.
#[derive(Clone, Debug)]
pub struct Allocator {
    pub kind: String,
    pub function: Path,
    pub value: Path,
    pub status: Path,
    /// Return an address: 0, null and missing are failures.
    pub addresses: Vec<String>,
    /// Return a status: errors are failures.
    pub statuses: Vec<String>,
}

impl Field {
    pub fn new(kinds: &[&str], place: &str) -> Field {
        Field { kinds: kinds.iter().map(|&kind| kind.to_owned()).collect(), path: pattern(place), when: Vec::new() }
    }

    /// Whether this is for a place.
    pub fn reaches(&self, place: &[Step]) -> bool {
        let fits = |(rule, step): (&Option<String>, &Step)| match rule {
            None => true,
            Some(name) => !step.free && *name == step.name,
        };
        self.path.len() == place.len() && self.path.iter().zip(place).all(fits)
    }

    pub fn applies(&self, kind: &Value) -> bool {
        self.kinds.is_empty() || kind.as_str().is_some_and(|kind| self.kinds.iter().any(|name| name == kind))
    }
}

impl Rules {
    pub fn schema_v1() -> Rules {
        let own = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Rules {
            header: Some(("schema_version".into(), path("/schema_version"), 1)),
            thread: vec![path("/tid")],
            ordinal: Some(path("/tid_event_idx")),
            kind: Some(path("/kind")),
            payload: Some(path("/payload")),
            nondeterministic: Some((path("/deterministic"), false)),
            end: Some("thread.exit".into()),
            pairing: Some(("kernel.call".into(), path("/payload/name"))),
            null_equals_missing: true,
            skip_start: 0,
            ignore: vec![
                Field::new(&["handle.create", "handle.destroy"], "/payload/raw_handle_id"),
                Field::new(&["wait.end"], "/payload/wait_duration_cycles"),
            ],
            mask: Vec::new(),
            allocator: Some(Allocator {
                kind: "kernel.return".into(),
                function: path("/payload/name"),
                value: path("/payload/return_value"),
                status: path("/payload/status"),
                addresses: own(&[
                    "MmAllocatePhysicalMemoryEx",
                    "MmAllocatePhysicalMemory",
                    "RtlAllocateHeap",
                    "MmCreateKernelStack",
                ]),
                statuses: own(&["NtAllocateVirtualMemory"]),
            }),
            others: Vec::new(),
            identity: super::objects::schema_v1(),
            events: Vec::new(),
        }
    }

    /// Nothing named, nothing overlooked.
    pub fn generic() -> Rules {
        Rules {
            header: None,
            thread: Vec::new(),
            ordinal: None,
            kind: None,
            payload: None,
            nondeterministic: None,
            end: None,
            pairing: None,
            null_equals_missing: false,
            skip_start: 0,
            ignore: Vec::new(),
            mask: Vec::new(),
            allocator: None,
            others: Vec::new(),
            identity: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Takes out the rules that lie outside the payload, where nothing is compared.
    pub fn leave_behind(&mut self) {
        let Some(payload) = self.payload.clone() else { return };
        let inside = |rule: &Field| {
            rule.path.len() >= payload.len()
                && rule.path.iter().zip(&payload).all(|(step, name)| step.as_ref().is_none_or(|step| step == name))
        };
        self.ignore.retain(inside);
        self.ignore.retain(|rule| rule.path.len() > payload.len());
        self.mask.retain(|(rule, _)| inside(rule));
        self.others.retain(|(rule, _)| inside(rule));
        let holds = |path: &Path| path.starts_with(&payload);
        self.identity
            .retain(|rule| rule.uses.iter().all(inside) && rule.define.iter().all(|define| holds(&define.value)));
    }

    /// The roles that a line is walked for, in no special order.
    pub fn walked(&self, nondeterministic_too: bool) -> Vec<(Role, Path)> {
        let mut roles: Vec<(Role, Path)> =
            self.thread.iter().enumerate().map(|(at, path)| (Role::Thread(at), path.clone())).collect();
        roles.extend(self.ordinal.clone().map(|path| (Role::Ordinal, path)));
        roles.extend(self.kind.clone().map(|path| (Role::Kind, path)));
        roles.extend(self.payload.clone().map(|path| (Role::Payload, path)));
        if nondeterministic_too {
            roles.extend(self.nondeterministic.clone().map(|(path, _)| (Role::Nondeterministic, path)));
        }
        roles
    }

    /// The keys of the line's own object under which roles stand.
    pub fn role_keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.walked(true).into_iter().map(|(_, path)| path[0].clone()).collect();
        keys.dedup();
        keys
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Thread(usize),
    Ordinal,
    Kind,
    Payload,
    Nondeterministic,
}

/// Choices of one run that are no rules.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    pub skip_malformed: bool,
    /// Divergences of a pairing told behind its first.
    pub further: usize,
    pub strict: bool,
    pub skip_nondeterministic: bool,
    pub prefix: bool,
    pub ignore_unmatched: bool,
    pub map: Map,
    pub accept: Vec<super::accept::Entry>,
}

#[derive(Clone, Debug, Default)]
pub enum Map {
    #[default]
    Auto,
    Same,
    /// Lanes by thread key and generation.
    Given(Vec<[(Value, usize); 2]>),
}

/// The numbers of pairing in log time (DESIGN).
#[derive(Clone, Copy, Debug)]
pub struct Times {
    pub opening: usize,
    pub patience: usize,
    pub late: usize,
    pub crowd: usize,
}

pub const TIMES: Times = Times { opening: 64, patience: 65_536, late: 131_072, crowd: 1_000 };
