//! A real program, run as it is and with one call forgotten: what an audit of its log says is what happened.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::super::program::watched;
use super::super::table::machine;
use super::super::{Hindered, Program, Room, Run, Shown, Table};
use super::judge::{hold, hold_named, place};

/// How it went with the calls to one object.
#[derive(Default)]
struct Family {
    runs: u64,
    right: u64,
    /// The missing call's line in the log of a whole run was told.
    named: u64,
    waiting: usize,
    reasons: BTreeMap<String, u64>,
}

/// A run of the program: its log, and what truly happened.
struct Played {
    log: PathBuf,
    truth: Value,
}

pub fn show(program: &Program, room: &Room, runs: u64) -> Shown {
    println!("{runs} runs of examples/eventshim, and as many that forget a call; {}\n", machine());
    let (mut wrong, mut clean) = (Vec::new(), Family::default());
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for seed in 1..=runs {
        let whole = play(room, "whole.jsonl", seed, None)?;
        let why = judged(program, &whole, &mut clean)?;
        let again = play(room, "again.jsonl", seed, None)?;
        let why = why.into_iter().chain(clear_in_both(program, &whole, &again)?);
        wrong.extend(why.map(|why| format!("seed {seed}: {why}")));

        let less = play(room, "less.jsonl", seed, Some(seed))?;
        let left_out = &less.truth["left_out"];
        let call = format!("{} of {}", text(&left_out["function"]), object(left_out));
        let family = families.entry(call).or_default();
        let mut why = judged(program, &less, family)?;
        let unnamed = told_by_both(program, &whole, &less)?;
        family.named += u64::from(unnamed.is_empty());
        why.extend(unnamed);
        wrong.extend(why.into_iter().map(|why| format!("seed {seed}, {left_out}: {why}")));
    }
    let mut table =
        Table::new(&["forgotten", "runs", "right", "line named", "threads that wait", "said of who waits for it"]);
    for (call, family) in std::iter::once((&"nothing".to_owned(), &clean)).chain(&families) {
        let reasons: Vec<String> = family.reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        table.row([
            call.clone(),
            family.runs.to_string(),
            family.right.to_string(),
            family.named.to_string(),
            family.waiting.to_string(),
            reasons.join(", "),
        ]);
    }
    table.print();
    Ok(wrong)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// An object's name without its number.
fn object(left_out: &Value) -> String {
    let name = text(&left_out["object"]);
    let words: Vec<&str> = name.split(|c: char| c.is_ascii_digit()).filter(|word| !word.is_empty()).collect();
    words.join("#")
}

/// Runs the program to its end, which is where nobody can go on.
fn play(room: &Room, name: &str, seed: u64, without: Option<u64>) -> Result<Played, Hindered> {
    let (log, path) = (room.path(name), std::env::current_exe()?.with_file_name("eventshim"));
    let mut command = Command::new(&path);
    command.arg(&log).args(["--seed", &seed.to_string()]);
    if let Some(number) = without {
        command.args(["--without", &number.to_string()]);
    }
    let run = watched(&mut command)?;
    if run.code != Some(0) {
        return Err(format!("{}: exit {}; {}", path.display(), run.ended(), run.stderr).into());
    }
    Ok(Played { log, truth: serde_json::from_slice(&run.stdout)? })
}

/// What is not right in what is said of one log.
fn judged(program: &Program, played: &Played, family: &mut Family) -> Result<Vec<String>, Hindered> {
    let mut command = program.command(["audit", "--format", "json"]);
    let run = watched(command.arg(&played.log))?;
    let report = run.report()?;
    let wrong = hold(&played.truth, run.code, &report);
    let waiting = report["waiting"].as_array().map_or(&[][..], Vec::as_slice);
    family.runs += 1;
    family.right += u64::from(wrong.is_empty());
    family.waiting += waiting.len();
    for one in waiting.iter().filter(|one| one["names"][0] == played.truth["left_out"]["object"]) {
        *family.reasons.entry(text(&one["reason"])).or_default() += 1;
    }
    Ok(wrong)
}

/// With the log of a run that forgot nothing beside it: the line of that log on which the missing call stands is named.
fn told_by_both(program: &Program, whole: &Played, less: &Played) -> Shown {
    let log = std::fs::read_to_string(&whole.log)?;
    let line = match place(&log, &less.truth["left_out"]) {
        Ok(line) => line,
        Err(why) => return Ok(vec![why]),
    };
    let run = both(program, whole, less)?;
    Ok(hold_named(&less.truth, line, run.code, &run.report()?))
}

/// Of two runs that forgot nothing nobody waits in one only.
fn clear_in_both(program: &Program, whole: &Played, again: &Played) -> Shown {
    let report = both(program, whole, again)?.report()?;
    let waiting = &report["waiting"];
    Ok(if *waiting == serde_json::json!([]) { Vec::new() } else { vec![format!("nobody waits, told: {waiting}")] })
}

/// Which worker is which cannot be told from what they do; their numbers are the same in all runs.
fn both(program: &Program, reference: &Played, candidate: &Played) -> Result<Run, Hindered> {
    let mut command = program.command(["audit", "--format", "json", "--map", "same"]);
    watched(command.args([&reference.log, &candidate.log]))
}
