//! A pair far larger than another: memory must stay, time must grow with the size; and a run under a hard limit.

use super::limit::{Limit, uncache};
use super::pairs::{Made, make};
use super::program::{Run, watched};
use super::rounds::{Entrant, race};
use super::table::machine;
use super::{Hindered, Program, Room, Shown, Table};
use crate::generate::Size;
use crate::generate::catalogue::plain as options;

const MIB: f64 = 1024.0 * 1024.0;
const LIMIT: u64 = 128 << 20;

/// Seconds and MiB of one size.
struct Figures {
    bytes: u64,
    wall: f64,
    cpu: f64,
    anonymous: f64,
    resident: f64,
}

pub fn show(program: &Program, room: &Room, size: u64, rounds: usize) -> Shown {
    room.demand(size * 2 + size / 5 * 2)?;
    println!("{} MB a side and a fifth of it; medians of {rounds} rounds; {}\n", size / 1_000_000, machine());
    let mut wrong = Vec::new();
    let mut table = Table::new(&["", "wall, s", "CPU, s", "MB/s", "anon MiB", "all MiB"]);
    let small_pair = make(room, "fifth", options(Size::Bytes(size / 5)))?;
    let small = measure(program, &small_pair, rounds, &mut wrong)?;
    small_pair.remove()?;
    let made = make(room, "whole", options(Size::Bytes(size)))?;
    let large = measure(program, &made, rounds, &mut wrong)?;
    for figures in [&small, &large] {
        table.row([
            format!("{:.0} MB in two logs", figures.bytes as f64 / 1e6),
            format!("{:.2}", figures.wall),
            format!("{:.2}", figures.cpu),
            format!("{:.0}", figures.bytes as f64 / 1e6 / figures.wall),
            format!("{:.1}", figures.anonymous),
            format!("{:.1}", figures.resident),
        ]);
    }
    table.print();
    let mut budgets = Table::new(&["", "must", "is", ""]);
    // Both sizes are what came out, not what was asked for.
    let times = large.bytes as f64 / small.bytes as f64 / 5.0;
    for (what, must, is) in [
        ("time, five times the size", 5.3, large.wall / small.wall / times),
        ("memory of no file", 1.1, large.anonymous / small.anonymous),
        ("memory in all", 1.1, large.resident / small.resident),
    ] {
        let word = if is <= must { "met" } else { "over" };
        budgets.row([what.to_owned(), format!("≤ {must} ×"), format!("{is:.2} ×"), word.to_owned()]);
    }
    budgets.print();
    wrong.extend(limited(program, &made)?);
    println!("\n{}", machine());
    Ok(wrong)
}

fn measure(program: &Program, made: &Made, rounds: usize, wrong: &mut Vec<String>) -> Result<Figures, Hindered> {
    let diff = || program.diff_command(&made.flags, &made.reference, &made.candidate);
    let timed = race(&[Entrant::new("diff", 1, diff)], rounds)?.remove(0);
    // How much of a wave is weighed when the next is scanned is chance: the median of three runs.
    let mut sampled = (0..3).map(|_| watched(&mut diff())).collect::<Result<Vec<_>, _>>()?;
    let mut median = |of: fn(&Run) -> f64| {
        sampled.sort_by(|a, b| of(a).total_cmp(&of(b)));
        of(&sampled[1]) * 1e6 / MIB
    };
    let (anonymous, resident) = (median(|run| run.anonymous), median(|run| run.resident));
    wrong.extend(made.judge(timed.first.code, &timed.first.stdout, &timed.first.stderr));
    wrong.extend(timed.wrong.iter().cloned());
    Ok(Figures {
        bytes: std::fs::metadata(&made.reference)?.len() + std::fs::metadata(&made.candidate)?.len(),
        wall: timed.wall(),
        cpu: timed.cpu(),
        anonymous,
        resident,
    })
}

/// One run with no more memory than the limit, the logs read from the disk.
fn limited(program: &Program, made: &Made) -> Shown {
    let limit = Limit::find(LIMIT);
    for log in [&made.reference, &made.candidate] {
        uncache(log)?;
    }
    let command = program.diff_command(&made.flags, &made.reference, &made.candidate);
    let run = watched(&mut limit.wrap(&command, LIMIT))?;
    let wrong = made.judge(run.code, &run.stdout, &run.stderr);
    let peak = limit.peak().map_or(String::new(), |peak| format!(", {:.1} MiB counted at most", peak as f64 / MIB));
    println!("under a hard limit of 128 MiB, logs from the disk: {}", limit.name());
    println!(
        "  exit {}, {}, {:.2} s, {:.1} MiB of no file{peak}",
        run.ended(),
        if wrong.is_empty() { "right" } else { "WRONG" },
        run.seconds,
        run.anonymous * 1e6 / MIB
    );
    Ok(wrong.into_iter().map(|why| format!("under 128 MiB: {why}")).collect())
}
