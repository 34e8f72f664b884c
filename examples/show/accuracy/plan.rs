//! Pairs drawn from seeds: every kind of divergence with every number of threads in turn, all else by chance.

use crate::generate::numbers::Random;
use crate::generate::{Births, Diverge, EditKind, LineLength, Options, Pair, Shape, Size, Skew, Tids};

/// From two threads to two hundred.
const THREADS: [usize; 14] = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 200];
/// Lanes are paired by so many of their first events.
const OPENING: u64 = 64;

/// A pair to be made.
pub struct Planned {
    pub options: Options,
    /// From this thread on all live the very same life.
    pub alike_from: Option<usize>,
}

/// The pair of a seed; with `shifted`, arguments carry heap addresses and handles too.
pub fn plan(seed: u64, shifted: bool) -> Result<Planned, String> {
    let mut random = Random::new(seed, "accuracy", 0);
    let turn = seed % (EditKind::ALL.len() as u64 + 1);
    // Nothing differs in one turn.
    let kind = turn.checked_sub(1).map(|at| EditKind::ALL[at as usize].1);
    let all = THREADS[(seed / (EditKind::ALL.len() as u64 + 1)) as usize % THREADS.len()];
    let workers = if random.chance(0.2) { all / 2 } else { 0 };
    let births = pick(&mut random, &[Births::Start, Births::Spread, Births::Reversed, Births::Churn]);
    let is_of_one_side = kind.is_some_and(EditKind::is_of_one_side);
    let share = 30 + random.below(30);
    let options = Options {
        seed,
        size: Size::Events(all as u64 * share + 1_000 + random.below(4_000)),
        shape: if shifted { Shape::Schema } else { shape(&mut random) },
        skew: pick(&mut random, &[Skew::None, Skew::None, Skew::None, Skew::Reference, Skew::Candidate]),
        threads: all - workers,
        workers,
        alike: random.chance(0.5).then(|| random.below(share / 2)),
        tids: pick(&mut random, &[Tids::Same, Tids::Offset, Tids::Shuffle, Tids::Shuffle]),
        slice: pick(&mut random, &[1, 5, 20, 100]),
        births,
        noise: pick(&mut random, &[0.0, 0.05, 0.25, 0.6]),
        allocators: pick(&mut random, &[0.0, 0.01, 0.1, 0.25]),
        line: pick(&mut random, &[LineLength::Normal, LineLength::Normal, LineLength::Short, LineLength::Long]),
        generations: random.chance(0.1) && births != Births::Churn && !is_of_one_side,
        shifted,
        ..Options::default()
    };
    let alike_from = (workers > 0 && options.alike.is_none()).then_some(options.threads);
    let diverge = match kind {
        Some(kind) => edits(&mut random, &options, alike_from, kind)?,
        None => Vec::new(),
    };
    Ok(Planned { options: Options { diverge, ..options }, alike_from })
}

fn pick<T: Copy>(random: &mut Random, from: &[T]) -> T {
    from[random.below(from.len() as u64) as usize]
}

fn shape(random: &mut Random) -> Shape {
    pick(random, &[Shape::Schema, Shape::Schema, Shape::Schema, Shape::Schema, Shape::Sorted, Shape::Reordered])
}

/// A divergence of this kind, and in some pairs others in further threads. What comes first where lanes only end or lack
/// their partner is a matter of taste, so those stand alone.
fn edits(random: &mut Random, options: &Options, alike: Option<usize>, kind: EditKind) -> Result<Vec<Diverge>, String> {
    let lengths = Pair::new(options.clone())?.lengths();
    let is_event = |kind: EditKind| !matches!(kind.reported(), "ended-early" | "started-late" | "unmatched");
    let mut lanes: Vec<usize> = (0..lengths.len()).collect();
    let mut edits = Vec::new();
    let mut kind = Some(kind);
    while let Some(now) = kind.take().filter(|_| !lanes.is_empty()) {
        let thread = lanes.swap_remove(random.below(lanes.len() as u64) as usize);
        edits.push(Diverge { thread, position: position(random, now, lengths[thread], options.shifted), kind: now });
        // Which of several like workers parts on the earliest line would be open.
        let is_worker = alike.is_some_and(|from| thread % options.lanes() >= from);
        if is_event(now) && !is_worker && edits.len() < 4 && random.chance(0.4) {
            lanes.retain(|lane| alike.is_none_or(|from| lane % options.lanes() < from));
            kind = Some(pick(random, &EditKind::ALL).1).filter(|kind| is_event(*kind));
        }
    }
    Ok(edits)
}

/// At the very beginning, in the opening, at the very end, anywhere.
fn position(random: &mut Random, kind: EditKind, length: u64, is_shifted: bool) -> u64 {
    if kind.is_of_one_side() {
        return 0;
    }
    if kind == EditKind::Late {
        // More, and its opening is another thread's as much as its own.
        let lost = 1 + random.below(6.min(length / 8 + 1));
        // What was lost may have made an object, and then nobody can tell what its later uses mean.
        return if is_shifted { 1 } else { lost };
    }
    // Of a thread that dies after its first event, and whose tid is used again, nobody can tell where it ended.
    let least = if matches!(kind, EditKind::EndedEarly | EditKind::Overlong) { 2 } else { 0 };
    let position = match random.below(10) {
        0 => 0,
        1 => length - 1 - random.below(6.min(length)),
        2 | 3 => random.below(OPENING.min(length)),
        _ => random.below(length),
    };
    position.max(least)
}
