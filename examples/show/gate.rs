//! A gate on instruction counts: a slower hot path is noticed on any machine, however busy.
//!
//! Counts come from callgrind, one worker, a small pair of each shape; what starting takes is subtracted. They hardly
//! vary from run to run (under a tenth of a per cent), but they do with the compiler, so the record names it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::pairs::{Made, make};
use super::program::watched;
use super::record::says;
use super::{Hindered, Program, Room, Shown, Table};
use crate::generate::catalogue::{flat, plain, shapes};
use crate::generate::{Options, Shape, Size};

/// So much more than recorded is too much.
const MARGIN: f64 = 1.10;
/// A pair that takes nothing but starting.
const FEW: u64 = 64;

pub fn show(program: &Program, room: &Room, file: &Path, size: u64, accept: bool) -> Shown {
    let version = says("valgrind", &["--version"]);
    if !version.starts_with("valgrind-") {
        println!("skipped: valgrind");
        return Ok(Vec::new());
    }
    room.demand(size * 2)?;
    let mut wrong = Vec::new();
    let mut counted = BTreeMap::new();
    let mut order = Vec::new();
    // What starting takes depends on the rules that are read.
    let mut starts: BTreeMap<String, Counted> = BTreeMap::new();
    for (name, options) in shapes(size) {
        let few = match options.shape {
            Shape::Flat => flat(Size::Events(FEW), options.noisy),
            _ => plain(Size::Events(FEW)),
        };
        let rules = few.flags().join(" ");
        if !starts.contains_key(&rules) {
            let Some(start) = count(program, room, Options { diverge_late: 0, ..few }, &mut wrong)? else {
                return Ok(wrong);
            };
            starts.insert(rules.clone(), start);
        }
        let start = &starts[&rules];
        let Some(all) = count(program, room, options, &mut wrong)? else { return Ok(wrong) };
        let each = (all.instructions - start.instructions) / all.events;
        counted.insert(name.to_owned(), each);
        order.push(name);
    }
    if accept {
        let lines: String = order.iter().map(|name| format!("{:.0}\t{name}\n", counted[*name])).collect();
        std::fs::write(file, head(size, &version) + &lines)?;
        println!("{}: {} shapes written down", file.display(), order.len());
    }
    let recorded = read(file)?;
    let mut table = Table::new(&["shape", "instructions an event", "recorded", "ratio", ""]);
    for name in order {
        let is = counted[name];
        let Some(was) = recorded.get(name) else {
            wrong.push(format!("{name} is not in {}: make gate-accept", file.display()));
            continue;
        };
        let ratio = is / was;
        let word = if ratio > MARGIN { "OVER" } else { "" };
        table.row([name.to_owned(), format!("{is:.0}"), format!("{was:.0}"), format!("{ratio:.3}"), word.to_owned()]);
        if ratio > MARGIN {
            wrong.push(format!(
                "{name}: {is:.0} instructions an event, {was:.0} recorded: {:.0} % more",
                (ratio - 1.0) * 100.0
            ));
        }
    }
    table.print();
    println!(
        "{version}, {}, {} instructions to start; limit {MARGIN} ×",
        says("rustc", &["--version"]),
        starts.values().map(|start| format!("{:.0}", start.instructions)).collect::<Vec<_>>().join(" or ")
    );
    Ok(wrong)
}

/// What a run came to.
struct Counted {
    instructions: f64,
    /// Of both logs.
    events: f64,
}

/// One run under callgrind; none, and said so, if valgrind cannot run this build.
fn count(
    program: &Program,
    room: &Room,
    options: Options,
    wrong: &mut Vec<String>,
) -> Result<Option<Counted>, Hindered> {
    let made = make(room, "gate", options)?;
    let diff = program.diff_command(&made.flags, &made.reference, &made.candidate);
    let out = room.path("callgrind.out");
    let mut command = Command::new("valgrind");
    command.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", out.display()));
    command.arg(diff.get_program()).args(diff.get_args()).args(["--jobs", "1"]);
    let run = watched(&mut command)?;
    if ["unhandled instruction", "Illegal opcode", "SIGILL"].iter().any(|word| run.stderr.contains(word)) {
        println!("skipped: valgrind does not know an instruction of this build (RUSTFLAGS?)");
        return Ok(None);
    }
    wrong.extend(judged(&made, &run));
    let collected = run.stderr.lines().find_map(|line| line.split_once("Collected :"));
    let instructions = collected.and_then(|(_, number)| number.trim().parse().ok());
    let instructions = instructions.ok_or_else(|| format!("callgrind told no count; {}", run.stderr))?;
    let events = made.truth.events() as f64 * 2.0;
    made.remove()?;
    Ok(Some(Counted { instructions, events }))
}

/// A fast wrong answer is none.
fn judged(made: &Made, run: &super::Run) -> Vec<String> {
    // Valgrind's own words stand on the same stream; only the answer counts.
    made.judge(run.code, &run.stdout, "")
}

fn head(size: u64, version: &str) -> String {
    format!(
        "# Instructions an event (both logs' events), by shape; `make gate` fails above {MARGIN} times these.\n\
         # Written by `make gate-accept`: {}, {}, {version}, commit {}, {size} bytes a log, one worker, the start subtracted.\n",
        says("date", &["-u", "+%Y-%m-%d"]),
        says("rustc", &["--version"]),
        says("git", &["rev-parse", "--short", "HEAD"]),
    )
}

/// Lines `NUMBER TAB SHAPE`.
fn read(file: &Path) -> Result<BTreeMap<String, f64>, Hindered> {
    let text =
        std::fs::read_to_string(file).map_err(|error| format!("{}: {error}; make gate-accept", file.display()))?;
    let mut recorded = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (number, name) = line.split_once('\t').ok_or_else(|| format!("{}: {line}", file.display()))?;
        recorded.insert(name.to_owned(), number.parse()?);
    }
    Ok(recorded)
}
