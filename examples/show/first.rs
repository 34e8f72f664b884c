//! `--first` beside the full run: the same divergence, and how much sooner.

use serde_json::Value;

use super::pairs::{Made, diverge, make};
use super::program::watched;
use super::rounds::{Entrant, race};
use super::table::machine;
use super::{Hindered, Program, Room, Shown, Table};
use crate::generate::catalogue::plain;
use crate::generate::{EditKind, Options, Size};

/// Threads of a pair.
const THREADS: u64 = 8;

/// Where the first divergence stands, in events of the log.
const PLACES: [u64; 3] = [1_000, 40_000, 95_000];

pub fn show(program: &Program, room: &Room, size: u64, rounds: usize) -> Shown {
    room.demand(size * 2)?;
    println!("{} MB a side, {THREADS} threads; medians of {rounds} rounds; {}\n", size / 1_000_000, machine());
    let mut wrong = Vec::new();
    let mut table =
        Table::new(&["first divergence at event", "--first, ms", "MB read", "all, ms", "MB read", "answer"]);
    for place in PLACES {
        let thread = 2;
        let early = diverge(thread, place / THREADS, EditKind::Value);
        let options = Options { diverge: vec![early], ..plain(Size::Bytes(size)) };
        let made = make(room, "early", options)?;
        let first: Vec<&str> = made.flags.iter().copied().chain(["--first"]).collect();
        let of = |flags: Vec<&'static str>| {
            let (reference, candidate) = (&made.reference, &made.candidate);
            move || program.diff_command(&flags, reference, candidate)
        };
        let figures = race(
            &[Entrant::new("--first", 1, of(first.clone())), Entrant::new("all", 1, of(made.flags.clone()))],
            rounds,
        )?;
        let why = held(&made, [&figures[0].first.stdout, &figures[1].first.stdout], &figures[1].first.stderr)?;
        let read = [read(program, &made, &first)?, read(program, &made, &made.flags)?];
        table.row([
            place.to_string(),
            format!("{:.1}", figures[0].wall() * 1e3),
            format!("{:.1}", read[0]),
            format!("{:.0}", figures[1].wall() * 1e3),
            format!("{:.0}", read[1]),
            if why.is_empty() { "right" } else { "WRONG" }.to_owned(),
        ]);
        wrong.extend(why.into_iter().chain(figures.into_iter().flat_map(|figures| figures.wrong)));
        made.remove()?;
    }
    table.print();
    println!("budget: below 50 ms, whatever the size; forkpoint diff --format json --first REFERENCE CANDIDATE");
    Ok(wrong)
}

/// The full report against the truth, and that of `--first` against the full one.
fn held(made: &Made, [first, whole]: [&[u8]; 2], stderr: &str) -> Shown {
    let mut wrong = made.judge(Some(1), whole, stderr);
    let [mut first, whole]: [Value; 2] = [serde_json::from_slice(first)?, serde_json::from_slice(whole)?];
    let at = whole["first"].as_u64().and_then(|at| usize::try_from(at).ok()).ok_or("the full run has no first")?;
    let mut must = whole["pairings"][at].clone();
    for side in ["reference", "candidate"] {
        must[side]["events"] = Value::Null;
    }
    // Nobody looks behind the first.
    must["divergence"]["healed_after"] = Value::Null;
    let pairings = first["pairings"].take();
    if pairings != Value::Array(vec![must]) || first["first"] != 0 || !first["coverage"].is_null() {
        wrong.push("--first: another divergence than the full run puts first".to_owned());
    }
    Ok(wrong)
}

/// Megabytes of both logs that a run took in, as it says itself.
fn read(program: &Program, made: &Made, flags: &[&str]) -> Result<f64, Hindered> {
    let run = watched(program.diff_command(flags, &made.reference, &made.candidate).arg("-v"))?;
    let bytes = run.stderr.lines().filter_map(|line| {
        let (number, unit) = line.split_once(": ")?.1.split_once(" lines")?.0.split_once(',')?.0.split_once(' ')?;
        let factor = match unit {
            "GB" => 1e3,
            "MB" => 1.0,
            "kB" => 1e-3,
            _ => 1e-6,
        };
        Some(number.parse::<f64>().ok()? * factor)
    });
    Ok(bytes.sum())
}
