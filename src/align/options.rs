//! What the caller of a run decides, and how it watches one.

use crate::scan::ThreadKey;
use crate::source::Side;

/// How lanes are paired (`--map`).
#[derive(Clone, Debug, Default, PartialEq)]
pub enum MapChoice {
    /// By openings, in log time (DESIGN, pairing lanes).
    #[default]
    Auto,
    /// Equal thread keys and generations.
    Same,
    /// Exactly these; other lanes are not compared.
    Given(Vec<(LaneName, LaneName)>),
}

/// A lane as `--map` names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LaneName {
    pub thread: ThreadKey,
    pub generation: u32,
}

/// What a malformed line does (`--malformed`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Malformed {
    /// Met on opening it ends the log there, met on reading its pairing.
    #[default]
    Error,
    /// It is stepped over and counted.
    Skip,
}

/// Choices of one run that are not rules of the profile.
#[derive(Clone, Debug)]
pub struct RunOptions {
    pub map: MapChoice,
    pub malformed: Malformed,
    /// Read every line strictly.
    pub strict: bool,
    /// Of events marked nondeterministic on either side compare only kind and ordinal.
    pub skip_nondeterministic: bool,
    /// Bytes of windows held before lanes that wait are sealed; 0 takes the default.
    pub hot_bytes_max: usize,
    /// Open and compare regular lines along learned layouts; without, the answers are the same.
    pub layouts: bool,
    /// Look for the first divergence only, and read no further than it takes to be certain of it.
    pub first: bool,
    /// Divergences of a pairing told behind its first, as far as both sides agree again in between (`--continue`).
    pub further: u64,
    /// Objects of one log at one time that are followed by identity rules; none given: the default.
    pub identity_limit: Option<usize>,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions {
            map: MapChoice::default(),
            malformed: Malformed::default(),
            strict: false,
            skip_nondeterministic: false,
            hot_bytes_max: 0,
            layouts: true,
            first: false,
            further: 0,
            identity_limit: None,
        }
    }
}

/// The stages whose times the porch may want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Waiting for windows.
    Read,
    /// Finding lines and roles.
    Scan,
    /// Sorting spans into lanes, pairing lanes.
    Align,
    /// Weighing pairs.
    Compare,
    /// Look-ahead and ranking.
    Judge,
}

/// Watches a run. The rooms below the porch read no clock: the observer does, if it wants to.
pub trait Observer: Sync {
    /// So many more bytes, physical lines and events of a log were taken in, so many of the events
    /// by a layout.
    fn progress(&self, _side: Side, _bytes: u64, _lines: u64, _events: u64, _by_layout: u64) {}
    /// The calling thread begins a stage; it may be inside another.
    fn enter(&self, _stage: Stage) {}
    /// The calling thread ended the stage it began last.
    fn leave(&self, _stage: Stage) {}
}

/// Watches nothing.
#[derive(Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {}
