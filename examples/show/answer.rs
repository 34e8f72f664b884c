//! A large pair with known truth: every divergence at its place; time, memory, ratio to `cmp`.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use super::pairs::{Made, given, make, parting};
use super::table::{machine, median};
use super::{Hindered, Program, Room, Shown, Table};

/// Seconds that `cmp` takes for two identical files.
fn cmp(one: &Path, other: &Path) -> Result<f64, Hindered> {
    let start = Instant::now();
    let status = Command::new("cmp").args([one, other]).status().map_err(|error| format!("cmp: {error}"))?;
    if !status.success() {
        return Err(format!("cmp says that {} and its copy differ", one.display()).into());
    }
    Ok(start.elapsed().as_secs_f64())
}

fn megabytes(path: &Path) -> Result<f64, Hindered> {
    Ok(std::fs::metadata(path)?.len() as f64 / 1e6)
}

pub fn show(program: &Program, room: &Room, size: u64, pair: Option<&Path>, rounds: usize) -> Shown {
    let made = match pair {
        Some(folder) => {
            room.demand(std::fs::metadata(given(folder)?.reference)?.len())?;
            given(folder)?
        }
        None => {
            room.demand(size * 3)?;
            make(room, "pair", parting(size))?
        }
    };
    let copy = room.path("copy.jsonl");
    std::fs::copy(&made.reference, &copy)?;
    println!(
        "{:.0} MB + {:.0} MB, {} threads, {} events; {}",
        megabytes(&made.reference)?,
        megabytes(&made.candidate)?,
        made.truth.threads(),
        made.truth.events(),
        machine()
    );
    let mut wrong = Vec::new();
    // The first run of each only warms the page cache.
    let warm = program.diff(&[], &made.reference, &made.candidate)?;
    wrong.extend(held(&made, &warm)?);
    made.truth.print(&warm.report()?);
    cmp(&made.reference, &copy)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (mut resident, mut anonymous) = (0.0_f64, 0.0_f64);
    for _ in 0..rounds.max(1) {
        theirs.push(cmp(&made.reference, &copy)?);
        let run = program.diff(&[], &made.reference, &made.candidate)?;
        if run.stdout != warm.stdout || run.code != warm.code {
            wrong.push("two runs on one pair report differently".to_owned());
        }
        ours.push(run.seconds);
        resident = resident.max(run.resident);
        anonymous = anonymous.max(run.anonymous);
    }
    let (wall, floor) = (median(&ours), median(&theirs));
    let mut table = Table::new(&["", "forkpoint diff", "cmp, identical", "ratio"]);
    let seconds = |times: &[f64]| times.iter().map(|time| format!("{time:.2}")).collect::<Vec<_>>().join(" ");
    table.row(["rounds, s".to_owned(), seconds(&ours), seconds(&theirs), String::new()]);
    table.row([
        "median, s".to_owned(),
        format!("{wall:.2}"),
        format!("{floor:.2}"),
        format!("{:.1} ×", wall / floor.max(1e-9)),
    ]);
    table.row(["resident at most, MB".to_owned(), format!("{resident:.0}"), String::new(), String::new()]);
    table.row(["of it no file's, MB".to_owned(), format!("{anonymous:.0}"), String::new(), String::new()]);
    table.print();
    println!("{}", machine());
    Ok(wrong)
}

/// The exit code and the report against the truth.
fn held(made: &Made, run: &super::Run) -> Result<Vec<String>, Hindered> {
    let mut wrong = made.truth.hold(&run.report()?);
    if run.code != Some(1) {
        wrong.push(format!("exit {}, must be 1; {}", run.ended(), run.stderr.trim()));
    }
    Ok(wrong)
}
