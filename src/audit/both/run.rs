//! Two logs on their way side by side.

use super::paired::{Paired, PairedBy, ThreadPair};
use super::trails::Trails;
use super::waiting::{OneSided, waiting};
use crate::audit::log::reading::Reader;
use crate::audit::log::run::{Run, sweep};
use crate::audit::log::{Audit, Name};
use crate::profile::Profile;
use crate::scan::{Opener, Start};
use crate::source::{Log, Side, SourceError};

/// What was found in two logs.
pub struct BothAudit {
    /// What was found in each.
    pub logs: [Audit; 2],
    pub pairs: Vec<ThreadPair>,
    /// Objects whose trails part, the first first.
    pub parted: Vec<Paired>,
    /// How many there are beside them.
    pub parted_more: u64,
    /// All objects, one and its partner counted once.
    pub objects: u64,
    /// Threads that wait when one log ends, and whose partners do not wait for the same.
    pub waiting: Vec<OneSided>,
    /// How many wait for the same on both sides.
    pub waiting_alike: u64,
    pub paired_by: PairedBy,
    /// Of objects with names most have the same on both sides: where not, they are better paired by order.
    pub names_tell: bool,
}

/// Follows all objects through two logs, whose headers have been read and whose threads are paired. The log of which fewer events
/// were read is read next, so that memory follows how far the two are apart. `progress` is told the bytes, lines and events of each
/// window.
///
/// # Errors
/// A log cannot be read.
pub fn audit_both(
    [reference, candidate]: [&mut Log; 2],
    starts: [Start; 2],
    profile: &Profile,
    (pairs, paired_by): (Vec<ThreadPair>, PairedBy),
    focus: &[Name],
    mut progress: impl FnMut(Side, u64, u64, u64),
) -> Result<BothAudit, SourceError> {
    let opener = Opener::new(profile, false);
    let reader = Reader::new(profile);
    let [first, second] = starts;
    let mut sweeps = [sweep(reference, &opener, first), sweep(candidate, &opener, second)];
    let mut runs = [Run::new(profile, focus.to_vec()), Run::new(profile, focus.to_vec())];
    runs.iter_mut().for_each(|run| run.world.keep_journal());
    let mut trails = Trails::new(&pairs, paired_by);
    let mut open = [true; 2];
    while open != [false; 2] {
        let behind = if runs[0].seen.events <= runs[1].seen.events { Side::Reference } else { Side::Candidate };
        let side = if open[behind.index()] { behind } else { behind.other() };
        let run = &mut runs[side.index()];
        let told = |bytes, lines, events| progress(side, bytes, lines, events);
        let ends = run.some(&mut sweeps[side.index()], &reader, told)?.is_break();
        for step in run.world.take_journal() {
            trails.take(side, step, &run.world);
        }
        if ends {
            open[side.index()] = false;
            trails.end(side);
        }
    }
    for side in Side::BOTH {
        trails.know_all(side, &runs[side.index()].world);
    }
    let finished = trails.finish();
    let logs = runs.map(Run::end);
    let (waiting, waiting_alike) = waiting(&logs, &pairs, &finished);
    let (parted, parted_more, objects) = (finished.parted, finished.more, finished.objects);
    let names_tell = finished.names_tell;
    Ok(BothAudit { logs, pairs, parted, parted_more, objects, waiting, waiting_alike, paired_by, names_tell })
}
