//! The budgets of the design, line by line: what was measured beside what must be.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::pairs::{Made, diverge, given, make};
use super::program::{Program, watched};
use super::rounds::{Entrant, Figures, race};
use super::table::machine;
use super::{Hindered, Room, Shown, Table};
use crate::generate::catalogue::{flat, plain as options};
use crate::generate::{EditKind, Noisy, Options, Shape, Size, Skew};

const MIB: f64 = 1024.0 * 1024.0;

/// What is asked for on the command line.
pub struct Asked {
    pub size: u64,
    pub rounds: usize,
    /// The original generator, if it is at hand.
    pub generator: Option<PathBuf>,
}

/// The measuring so far.
struct Bench<'a> {
    program: &'a Program,
    room: &'a Room,
    rounds: usize,
    /// Two identical files.
    twins: [PathBuf; 2],
    table: Table,
    commands: Vec<String>,
    wrong: Vec<String>,
    /// The most memory of any run without skew, MiB: of no file, and in all.
    memory: (f64, f64),
}

/// One diff measured beside `cmp`, and beside the diff of another pair if one was given.
struct Measured {
    wall: f64,
    rival_wall: f64,
    cpu: f64,
    cmp_wall: f64,
    cmp_cpu: f64,
    /// MiB.
    anonymous: f64,
    resident: f64,
}

/// What a line must hold to and what it came to.
struct Verdict {
    must: String,
    is: String,
    met: bool,
}

fn at_most(what: &str, limit: f64, is: f64) -> Verdict {
    Verdict { must: format!("≤ {limit} {what}"), is: format!("{is:.2}"), met: is <= limit }
}

impl Bench<'_> {
    /// Runs `diff` on a pair, `cmp` on the twins and perhaps `diff` on another pair in turn, then once more to
    /// sample the memory.
    fn measure(&mut self, name: &str, made: &Made, rival: Option<&Made>) -> Result<Measured, Hindered> {
        let flags = &made.flags;
        let figures = {
            let program = self.program;
            let diff = |made: &'_ Made| program.diff_command(&made.flags, &made.reference, &made.candidate);
            let [one, other] = &self.twins;
            let mut entrants = vec![Entrant::cmp(one, other), Entrant::new("diff", 1, move || diff(made))];
            entrants.extend(rival.map(|rival| Entrant::new("diff of the plain pair", 1, move || diff(rival))));
            race(&entrants, self.rounds)?
        };
        let (cmp, diff): (&Figures, &Figures) = (&figures[0], &figures[1]);
        let sampled = self.program.diff(flags, &made.reference, &made.candidate)?;
        let mut wrong = made.judge(diff.first.code, &diff.first.stdout, &diff.first.stderr);
        wrong.extend(figures.iter().flat_map(|figures| figures.wrong.clone()));
        if sampled.stdout != diff.first.stdout {
            wrong.push("another report while its memory was sampled".to_owned());
        }
        self.wrong.extend(wrong.into_iter().map(|why| format!("{name}: {why}")));
        self.commands.push(format!(
            "{name}: forkpoint diff --format json {}REFERENCE CANDIDATE",
            flags.iter().map(|flag| format!("{flag} ")).collect::<String>()
        ));
        Ok(Measured {
            wall: diff.wall(),
            rival_wall: figures.get(2).map_or(f64::NAN, Figures::wall),
            cpu: diff.cpu(),
            cmp_wall: cmp.wall(),
            cmp_cpu: cmp.cpu(),
            anonymous: sampled.anonymous * 1e6 / MIB,
            resident: sampled.resident * 1e6 / MIB,
        })
    }

    fn row(&mut self, name: &str, verdict: &Verdict, of: Option<&Measured>) {
        let figure = |pick: fn(&Measured) -> f64, digits: usize| {
            of.map_or(String::new(), |measured| format!("{:.digits$}", pick(measured)))
        };
        self.table.row([
            name.to_owned(),
            verdict.must.clone(),
            verdict.is.clone(),
            if verdict.met { "met" } else { "over" }.to_owned(),
            figure(|m| m.wall, 3),
            figure(|m| m.cpu, 2),
            figure(|m| m.cpu / m.cmp_cpu.max(0.01), 2),
            figure(|m| m.anonymous, 0),
            figure(|m| m.resident, 0),
        ]);
    }

    fn skipped(&mut self, name: &str, why: &str) {
        let cells = [name, why, "", "skipped", "", "", "", "", ""];
        self.table.row(cells.map(str::to_owned));
    }

    /// Measures a pair against `cmp`; the pair is ordinary, so its memory counts.
    fn against_cmp(&mut self, name: &str, made: &Made, limit: f64) -> Result<Measured, Hindered> {
        let measured = self.measure(name, made, None)?;
        self.memory = (self.memory.0.max(measured.anonymous), self.memory.1.max(measured.resident));
        self.row(name, &at_most("× cmp", limit, measured.wall / measured.cmp_wall.max(1e-9)), Some(&measured));
        Ok(measured)
    }
}

pub fn show(program: &Program, room: &Room, asked: &Asked) -> Shown {
    room.demand(asked.size * 6)?;
    let size = Size::Bytes(asked.size);
    let made = make(room, "plain", options(size))?;
    let copy = room.path("copy.jsonl");
    std::fs::copy(&made.reference, &copy)?;
    println!(
        "{:.0} MB + {:.0} MB, {} events a side; medians of {} rounds in turn with cmp; {}\n",
        std::fs::metadata(&made.reference)?.len() as f64 / 1e6,
        std::fs::metadata(&made.candidate)?.len() as f64 / 1e6,
        made.truth.events(),
        asked.rounds,
        machine()
    );
    let head = ["", "must", "is", "", "wall, s", "CPU, s", "× cmp's", "anon MiB", "all MiB"];
    let mut bench = Bench {
        program,
        room,
        rounds: asked.rounds,
        twins: [made.reference.clone(), copy],
        table: Table::new(&head),
        commands: Vec::new(),
        wrong: Vec::new(),
        memory: (0.0, 0.0),
    };
    let measured = bench.against_cmp("(a) plain", &made, 0.8)?;
    noisy(&mut bench, asked)?;
    columns(&mut bench, size)?;
    against_plain(&mut bench, size, &made, &measured)?;
    growth(&mut bench, &made)?;
    first(&mut bench, size)?;
    start_up(&mut bench)?;
    one_lane(&mut bench, size)?;
    memory(&mut bench);
    println!("cmp of two identical files: {:.3} s wall, {:.2} s CPU\n", measured.cmp_wall, measured.cmp_cpu);
    bench.table.print();
    bench.commands.iter().for_each(|command| println!("{command}"));
    println!("\n{}", machine());
    Ok(bench.wrong)
}

/// (b): a tenth of the pairs differ in bytes and yet are equal.
fn noisy(bench: &mut Bench<'_>, asked: &Asked) -> Result<(), Hindered> {
    let options = Options { noise: 0.1, allocators: 0.01, ..options(Size::Bytes(asked.size)) };
    let made = make(bench.room, "noise", options)?;
    bench.against_cmp("(b) 11 % noise, ours", &made, 1.0)?;
    made.remove()?;
    let name = "(b) gen_events.py";
    let Some(generator) = &asked.generator else {
        bench.skipped(name, "no GENERATOR=");
        return Ok(());
    };
    let made = theirs(bench.room, generator, asked.size)?;
    bench.against_cmp(name, &made, 1.0)?;
    made.remove()
}

/// A pair of the original generator, three threads of which part in the last twentieth of their lanes. It is made
/// twice, because only its own truth tells how long the lanes are.
pub fn theirs(room: &Room, generator: &Path, size: u64) -> Result<Made, Hindered> {
    let folder = room.folder("theirs")?;
    let mut edits: Vec<String> = Vec::new();
    for _ in 0..2 {
        let mut command = Command::new("python3");
        command.arg(generator).arg("--out").arg(&folder).args(["--bytes", &(size * 2).to_string()]);
        command.args(["--tids", "shuffle"]).args(edits.iter().flat_map(|edit| ["--diverge", edit]));
        let run = watched(&mut command)?;
        if run.code != Some(0) {
            return Err(format!("{}: {}", generator.display(), run.stderr.trim()).into());
        }
        let truth: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.join("truth.json"))?)?;
        let late = |thread: usize| truth["threads"][thread]["canary_events"].as_u64().unwrap_or(0) * 97 / 100;
        edits = [(1, "payload"), (4, "drop"), (6, "kind")]
            .iter()
            .map(|(thread, how)| format!("{thread}:{}:{how}", late(*thread)))
            .collect();
    }
    given(&folder)
}

/// (c): one column of an instruction trace differs in every line and is overlooked.
fn columns(bench: &mut Bench<'_>, size: Size) -> Result<(), Hindered> {
    for (name, noisy) in [("(c) ignored column", Noisy::Cycles), ("(c) masked column", Noisy::Flags)] {
        let made = make(bench.room, "flat", flat(size, noisy))?;
        bench.against_cmp(name, &made, 2.0)?;
        made.remove()?;
    }
    Ok(())
}

/// (d) and (f): measured against the plain case.
fn against_plain(bench: &mut Bench<'_>, size: Size, plain: &Made, usual: &Measured) -> Result<(), Hindered> {
    let made = make(bench.room, "sorted", Options { shape: Shape::Sorted, ..options(size) })?;
    let name = "(d) payload not last";
    let sorted = bench.measure(name, &made, Some(plain))?;
    bench.row(name, &at_most("× plain", 1.5, sorted.wall / sorted.rival_wall), Some(&sorted));
    made.remove()?;
    let made = make(bench.room, "skew", Options { skew: Skew::Candidate, ..options(size) })?;
    let name = "(f) one log by thread";
    let skewed = bench.measure(name, &made, Some(plain))?;
    bench.row(name, &at_most("× plain", 2.0, skewed.wall / skewed.rival_wall), Some(&skewed));
    let extra = (skewed.anonymous - usual.anonymous) * MIB / made.truth.events() as f64;
    bench.row("    bytes an event more", &at_most("bytes", 5.0, extra), None);
    made.remove()
}

/// (g): a tenth of the events.
fn growth(bench: &mut Bench<'_>, plain: &Made) -> Result<(), Hindered> {
    let events = plain.truth.events();
    let made = make(bench.room, "tenth", options(Size::Events(events / 10)))?;
    let name = "(g) a tenth of the events";
    let small = bench.measure(name, &made, Some(plain))?;
    let grown = small.rival_wall / small.wall * (made.truth.events() as f64 * 10.0 / events as f64);
    let verdict = Verdict { must: "10 × in ≤ 10.5 ×".to_owned(), is: format!("{grown:.2}"), met: grown <= 10.5 };
    bench.row(name, &verdict, Some(&small));
    made.remove()
}

/// (h): a divergence near the beginning, and nothing else asked for.
fn first(bench: &mut Bench<'_>, size: Size) -> Result<(), Hindered> {
    let name = "(h) --first";
    if !bench.program.knows("--first")? {
        bench.skipped(name, "no --first yet");
        return Ok(());
    }
    let early = vec![diverge(2, 2_000, EditKind::Value)];
    let made = make(bench.room, "early", Options { diverge: early, diverge_late: 0, ..options(size) })?;
    let whole = bench.program.diff(&made.flags, &made.reference, &made.candidate)?;
    bench.wrong.extend(made.judge(whole.code, &whole.stdout, &whole.stderr).iter().map(|why| format!("{name}: {why}")));
    let diff = || bench.program.diff_command(&["--first"], &made.reference, &made.candidate);
    let mut figures = race(&[Entrant::new(name, 1, diff)], bench.rounds)?;
    let figures = figures.remove(0);
    let report: serde_json::Value = serde_json::from_slice(&figures.first.stdout)?;
    let whole = whole.report()?;
    let at = whole["first"].as_u64().and_then(|at| usize::try_from(at).ok()).ok_or("the whole run has no first")?;
    if report["pairings"][0]["divergence"] != whole["pairings"][at]["divergence"] || report["first"] != 0 {
        bench.wrong.push(format!("{name}: another divergence than the whole run puts first"));
    }
    bench.wrong.extend(figures.wrong.iter().cloned());
    bench.commands.push(format!("{name}: forkpoint diff --format json --first REFERENCE CANDIDATE"));
    let milliseconds = figures.wall() * 1e3;
    let verdict = Verdict { must: "< 50 ms".to_owned(), is: format!("{milliseconds:.1}"), met: milliseconds < 50.0 };
    bench.row(name, &verdict, None);
    made.remove()
}

/// (i)
fn start_up(bench: &mut Bench<'_>) -> Result<(), Hindered> {
    let version = || bench.program.command(["--version"]);
    let figures = race(&[Entrant::new("--version", 0, version)], 20)?.remove(0);
    bench.wrong.extend(figures.wrong.iter().cloned());
    let milliseconds = figures.wall() * 1e3;
    let verdict = Verdict { must: "< 10 ms".to_owned(), is: format!("{milliseconds:.1}"), met: milliseconds < 10.0 };
    bench.row("(i) --version", &verdict, None);
    Ok(())
}

/// (j): two workers against one, where there is but one lane.
fn one_lane(bench: &mut Bench<'_>, size: Size) -> Result<(), Hindered> {
    let schema = Options { threads: 1, diverge_late: 1, ..options(size) };
    for (name, options) in [("(j) one lane, 2 jobs", schema), ("    the same, flat", flat(size, Noisy::Cycles))] {
        let made = make(bench.room, "lane", options)?;
        let command = |jobs: &'static str| {
            let flags: Vec<&str> = made.flags.iter().copied().chain(["--jobs", jobs]).collect();
            let (program, reference, candidate) = (bench.program, &made.reference, &made.candidate);
            Entrant::new(name, 1, move || program.diff_command(&flags, reference, candidate))
        };
        let figures = race(&[command("1"), command("2")], bench.rounds)?;
        for figures in &figures {
            let first = &figures.first;
            bench.wrong.extend(made.judge(first.code, &first.stdout, &first.stderr));
            bench.wrong.extend(figures.wrong.iter().cloned());
        }
        let faster = figures[0].wall() / figures[1].wall();
        let verdict = Verdict { must: "≥ 1.6 × 1 job".to_owned(), is: format!("{faster:.2}"), met: faster >= 1.6 };
        bench.row(name, &verdict, None);
        made.remove()?;
    }
    Ok(())
}

/// (e): of all runs but the skewed one.
fn memory(bench: &mut Bench<'_>) {
    let (anonymous, resident) = bench.memory;
    bench.row("(e) memory of no file", &at_most("MiB", 64.0, anonymous), None);
    bench.row("    memory in all", &at_most("MiB", 128.0, resident), None);
}
