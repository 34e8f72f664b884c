//! Choosing by the seed what is damaged, and how.

use std::collections::BTreeMap;

use super::expected::{Expected, Mangled, Marked};
use super::kinds::{KINDS, Kind};
use super::line::Line;
use super::log::{BYTE_ORDER_MARK, Row, SoundLog};
use super::numbers::Random;
use super::piece::{Piece, Planted};
use super::roles::Roles;
use super::spot::{Spot, pick};
use super::whole::{FIRST_TOO_LONG, PlantWhole, Site, WHOLE, Whole};

/// What is asked for: equal wishes make equal bytes.
#[derive(Clone, Debug)]
pub struct Asked {
    pub seed: u64,
    /// So many damages, if the log has room for them.
    pub faults: usize,
    /// Longer lines are faults.
    pub max_line: u64,
    /// Only these kinds; empty: all.
    pub only: Vec<String>,
}

/// One log in so many is damaged as a whole.
const WHOLE_ONE_IN: u64 = 8;
/// Longer lines than this are made only where they are asked for by name.
const LONG_BYTES: u64 = 1 << 20;
/// Places tried for each damage.
const TRIES: usize = 60;

/// Damages a log that is sound under these roles.
pub fn mangle(log: &SoundLog, roles: &Roles, asked: &Asked) -> Mangled {
    let mut random = Random::new(asked.seed, "mangle", 0);
    let site = Site { log, roles, max_line: asked.max_line };
    let wholes: Vec<_> = WHOLE.iter().filter(|(name, _)| is_wanted(name, asked)).collect();
    let kinds: Vec<&Kind> = KINDS.iter().filter(|kind| is_wanted(kind.name, asked)).collect();
    if asked.faults > 0 && !wholes.is_empty() && (kinds.is_empty() || random.below(WHOLE_ONE_IN) == 0) {
        for _ in 0..TRIES {
            let (name, plant): (&'static str, PlantWhole) = *pick(&mut random, &wholes);
            if let Some(whole) = plant(&site, &mut random) {
                return as_a_whole(&site, name, whole);
            }
        }
    }
    let plans = plan(&site, &kinds, asked.faults, &mut random);
    let planted = plans.values().map(|(kind, _)| *kind).collect();
    let mark: &[u8] = if log.is_marked { BYTE_ORDER_MARK } else { b"" };
    Mangled { planted, ..Mangled::of(mark, carried_out(log, plans), asked.max_line) }
}

/// Whether a kind may be planted.
fn is_wanted(name: &str, asked: &Asked) -> bool {
    if asked.only.is_empty() {
        return asked.max_line <= LONG_BYTES || !["long", "overlong", "header-overlong"].contains(&name);
    }
    asked.only.iter().any(|only| only == name)
}

/// Damages by the row at which they stand.
type Plans = BTreeMap<usize, (&'static str, Planted)>;

fn plan(site: &Site<'_>, kinds: &[&Kind], faults: usize, random: &mut Random) -> Plans {
    let rows = &site.log.rows;
    let event = |row: usize| match rows.get(row) {
        Some(Row::Event(line)) => Some(&**line),
        _ => None,
    };
    let events: Vec<usize> = (0..rows.len()).filter(|row| event(*row).is_some()).collect();
    let header = site.log.first().and_then(|row| match &rows[row] {
        Row::Header(bytes) => Some(&bytes[..]),
        _ => None,
    });
    let mut plans = Plans::new();
    let mut taken = vec![false; rows.len() + 1];
    for _ in 0..faults * TRIES {
        if plans.len() == faults || events.is_empty() || kinds.is_empty() {
            break;
        }
        let kind = pick(random, kinds);
        let row = match kind.at_end || random.chance(0.05) {
            true => events[events.len() - 1],
            false => pick(random, &events),
        };
        let next: Option<&Line> = event(row + 1).filter(|_| !taken[row + 1]);
        let spot = Spot {
            line: event(row).expect("an event"),
            next,
            roles: site.roles,
            header,
            is_first: row == 0,
            is_last: row + 1 == rows.len(),
            max_line: site.max_line,
        };
        if taken[row] {
            continue;
        }
        let Some(planted) = (kind.plant)(&spot, random) else { continue };
        taken[row..row + planted.takes].fill(true);
        plans.insert(row, (kind.name, planted));
    }
    plans
}

/// The lines of the damaged log.
fn carried_out(log: &SoundLog, mut plans: Plans) -> Vec<Marked> {
    let mut lines = Vec::new();
    // What a lost line has changed is told with the line behind it.
    let mut touched: Vec<(&'static str, String)> = Vec::new();
    let mut row = 0;
    while row < log.rows.len() {
        let Some((kind, planted)) = plans.remove(&row) else {
            let piece = Piece { bytes: log.rows[row].bytes().to_vec(), says: log.rows[row].says() };
            lines.push(Marked { piece, kind: None, touches: std::mem::take(&mut touched) });
            row += 1;
            continue;
        };
        for gone in &log.rows[row..row + planted.takes] {
            if let Row::Event(line) = gone {
                touched.push((kind, line.event.thread.clone()));
            }
        }
        for piece in planted.gives {
            if let super::piece::Says::Event(event) = &piece.says {
                touched.push((kind, event.thread.clone()));
            }
            // An event of the log that only stands beside the damage is not damaged.
            let is_itself = log.rows[row].bytes() == piece.bytes && log.rows[row].says() == piece.says;
            let beside = is_itself && !matches!(kind, "line-twice");
            let kind = (!beside).then_some(kind);
            lines.push(Marked { piece, kind, touches: std::mem::take(&mut touched) });
        }
        row += planted.takes;
    }
    lines
}

/// A log that was damaged as a whole.
fn as_a_whole(site: &Site<'_>, kind: &'static str, whole: Whole) -> Mangled {
    match whole {
        Whole::Pieces(pieces) => {
            let lines =
                pieces.into_iter().map(|piece| Marked { piece, kind: Some(kind), touches: Vec::new() }).collect();
            Mangled { planted: vec![kind], ..Mangled::of(b"", lines, site.max_line) }
        }
        Whole::NoLog { bytes, line, offset, reason } => {
            let mut starts = 0;
            let physical = bytes.split_inclusive(|byte| *byte == b'\n').nth(line as usize - 1).unwrap_or_default();
            for before in bytes.split_inclusive(|byte| *byte == b'\n').take(line as usize - 1) {
                starts += before.len() as u64;
            }
            let is_overlong = physical.len() as u64 > site.max_line;
            let (offset, reason) = if is_overlong { (starts, FIRST_TOO_LONG.to_owned()) } else { (offset, reason) };
            Mangled {
                bytes,
                faults: vec![Expected { line, offset, reason: Some(reason), kind }],
                planted: vec![kind],
                no_log_of: Some(site.roles.profile.clone()),
                ..Mangled::default()
            }
        }
    }
}
