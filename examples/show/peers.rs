//! Other programs at the same task: how long, how much memory, and whether the answer was right.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::pairs::{Made, make};
use super::record::says;
use super::rounds::Timed;
use super::table::{machine, median};
use super::tree::timed_tree;
use super::{Hindered, Program, Room, Shown, Table};
use crate::generate::Size;
use crate::generate::catalogue::plain as options;

/// Whoever takes longer runs once.
const LONG: f64 = 60.0;

/// Whether an answer is right: none if it is, else why not.
type Judge<'a> = Box<dyn Fn(&Timed) -> Option<String> + 'a>;

/// A program that is given the pair.
struct Peer<'a> {
    name: &'static str,
    command: Box<dyn Fn() -> Command + 'a>,
    judge: Judge<'a>,
    /// Its wrong answer is our fault.
    ours: bool,
}

/// What came of it.
struct Figures {
    name: &'static str,
    wall: f64,
    cpu: f64,
    /// MiB of the whole tree of processes.
    memory: f64,
    rounds: usize,
    why: Option<String>,
}

/// Where the scripts of the peers lie, and what runs them.
pub struct Asked {
    pub size: u64,
    pub rounds: usize,
    pub scripts: PathBuf,
    pub python: String,
    /// The original `diff_events.py`, if it is at hand.
    pub original: Option<PathBuf>,
}

/// The pair, a copy of its reference, and the mapping of its threads.
struct Task<'a> {
    made: &'a Made,
    copy: PathBuf,
    map: String,
    scratch: PathBuf,
}

/// `wc -l` of both, `cmp` of two identical files, `diff`: none of them does the task; what they say is looked at.
fn simple<'a>(task: &'a Task<'a>) -> Vec<Peer<'a>> {
    let made = task.made;
    let tool = |name: &'static str, words: &'static [&'static str], logs: [&'a Path; 2]| {
        move || {
            let mut command = Command::new(name);
            command.args(words).args(logs);
            command
        }
    };
    let (reference, candidate) = (made.reference.as_path(), made.candidate.as_path());
    let lines = move |run: &Timed| {
        let text = String::from_utf8_lossy(&run.stdout).into_owned();
        let counted: Option<u64> = text.lines().next().and_then(|line| line.split_whitespace().next()?.parse().ok());
        let must = made.truth.events() + 1;
        (counted != Some(must)).then(|| format!("{must} lines, {counted:?} told"))
    };
    // The first line that `diff` names, against the line where the first thread parts.
    let place = move |run: &Timed| {
        let text = String::from_utf8_lossy(&run.stdout[..run.stdout.len().min(64)]).into_owned();
        let named: String = text.chars().take_while(char::is_ascii_digit).collect();
        let must = made.truth.first_line();
        (named.parse().ok() != must).then(|| format!("no: says line {named}, truth is {}", must.unwrap_or(0)))
    };
    vec![
        Peer {
            name: "cmp, identical pair",
            command: Box::new(tool("cmp", &[], [reference, &task.copy])),
            judge: Box::new(|run| (run.code != Some(0)).then(|| "differs".to_owned())),
            ours: false,
        },
        Peer {
            name: "wc -l",
            command: Box::new(tool("wc", &["-l"], [reference, candidate])),
            judge: Box::new(lines),
            ours: false,
        },
        Peer {
            name: "diff",
            command: Box::new(tool("diff", &[], [reference, candidate])),
            judge: Box::new(place),
            ours: false,
        },
    ]
}

/// A script that prints `TID POSITION` for each thread, or why it cannot run.
fn script<'a>(
    asked: &'a Asked,
    task: &'a Task<'a>,
    name: &'static str,
    file: &'static str,
) -> Result<Peer<'a>, String> {
    let python = file.ends_with(".py");
    let (tool, probe): (&str, Vec<&str>) = match name {
        "DuckDB" => (&asked.python, vec!["-c", "import duckdb; print(duckdb.__version__)"]),
        "Polars" => (&asked.python, vec!["-c", "import polars; print(polars.__version__)"]),
        "jq, sort, comm" => ("jq", vec!["--version"]),
        _ => (&asked.python, vec!["--version"]),
    };
    let version = says(tool, &probe);
    if version.is_empty() || version.ends_with("is missing") {
        return Err("not installed".to_owned());
    }
    println!("{name}: {version}");
    let runs = if python { asked.python.clone() } else { "sh".to_owned() };
    let command = move || {
        let mut command = Command::new(&runs);
        command.arg(asked.scripts.join(file)).args([&task.made.reference, &task.made.candidate]);
        command.arg(&task.map).arg(&task.scratch);
        command
    };
    let judge = |run: &Timed| task.made.truth.hold_positions(&String::from_utf8_lossy(&run.stdout));
    Ok(Peer { name, command: Box::new(command), judge: Box::new(judge), ours: false })
}

fn forkpoint<'a>(program: &'a Program, task: &'a Task<'a>) -> Peer<'a> {
    let made = task.made;
    Peer {
        name: "forkpoint diff",
        command: Box::new(move || program.diff_command(&made.flags, &made.reference, &made.candidate)),
        judge: Box::new(move |run| made.judge(run.code, &run.stdout, &run.stderr).into_iter().next()),
        ours: true,
    }
}

/// All in turn; who is slow, once.
fn run(peers: &[Peer<'_>], rounds: usize) -> Result<Vec<Figures>, Hindered> {
    let mut runs: Vec<Vec<(Timed, f64)>> = peers.iter().map(|_| Vec::new()).collect();
    let mut whys: Vec<Option<String>> = peers.iter().map(|_| None).collect();
    // The first run only warms the page cache, unless it is the only one.
    for round in 0..=rounds.max(1) {
        for ((peer, runs), why) in peers.iter().zip(&mut runs).zip(&mut whys) {
            if round > 0 && runs[0].0.wall > LONG {
                continue;
            }
            let (mut timed, memory) = timed_tree(&mut (peer.command)())?;
            *why = why.take().or_else(|| (peer.judge)(&timed));
            timed.stdout.clear();
            runs.push((timed, memory));
        }
    }
    let mut all = Vec::new();
    for ((peer, runs), why) in peers.iter().zip(runs).zip(whys) {
        let counted = if runs.len() > 1 { &runs[1..] } else { &runs[..] };
        let of = |pick: fn(&(Timed, f64)) -> f64| counted.iter().map(pick).collect::<Vec<_>>();
        all.push(Figures {
            name: peer.name,
            wall: median(&of(|run| run.0.wall)),
            cpu: median(&of(|run| run.0.cpu)),
            memory: of(|run| run.1).into_iter().fold(0.0, f64::max),
            rounds: counted.len(),
            why,
        });
    }
    Ok(all)
}

fn print(all: &[Figures], skipped: &[(&str, String)]) {
    let cmp = all.iter().find(|figures| figures.name.starts_with("cmp")).map(|figures| figures.wall);
    let mut table = Table::new(&["", "wall, s", "CPU, s", "memory, MiB", "× cmp", "rounds", "answer"]);
    for figures in all {
        table.row([
            figures.name.to_owned(),
            format!("{:.2}", figures.wall),
            format!("{:.2}", figures.cpu),
            format!("{:.0}", figures.memory),
            cmp.map_or(String::new(), |cmp| format!("{:.1}", figures.wall / cmp.max(1e-9))),
            figures.rounds.to_string(),
            figures.why.clone().map_or("right".to_owned(), |why| why.chars().take(40).collect()),
        ]);
    }
    for (name, why) in skipped {
        let cells = [*name, "", "", "", "", "", &format!("skipped: {why}")];
        table.row(cells.map(str::to_owned));
    }
    println!();
    table.print();
}

/// Whatever of ours was wrong.
fn ours_wrong(peers: &[Peer<'_>], all: &[Figures]) -> Vec<String> {
    let ours = peers.iter().zip(all).filter(|(peer, _)| peer.ours);
    ours.filter_map(|(peer, figures)| Some(format!("{}: {}", peer.name, figures.why.as_ref()?))).collect()
}

fn task<'a>(room: &Room, made: &'a Made) -> Result<Task<'a>, Hindered> {
    let copy = room.path("copy.jsonl");
    std::fs::copy(&made.reference, &copy)?;
    Ok(Task { made, copy, map: made.truth.map(), scratch: room.folder("peers")? })
}

fn said(made: &Made) -> Result<(), Hindered> {
    println!(
        "{:.0} MB + {:.0} MB, {} events a side; {}",
        std::fs::metadata(&made.reference)?.len() as f64 / 1e6,
        std::fs::metadata(&made.candidate)?.len() as f64 / 1e6,
        made.truth.events(),
        machine()
    );
    Ok(())
}

/// `make bench-peers`: everyone who is there.
pub fn all(program: &Program, room: &Room, asked: &Asked) -> Shown {
    room.demand(asked.size * 8)?;
    let made = make(room, "pair", options(Size::Bytes(asked.size)))?;
    said(&made)?;
    let task = task(room, &made)?;
    let mut peers = vec![forkpoint(program, &task)];
    peers.extend(simple(&task));
    let mut skipped = Vec::new();
    for (name, file) in [
        ("jq, sort, comm", "jq_diff.sh"),
        ("DuckDB", "duckdb_diff.py"),
        ("Polars", "polars_diff.py"),
        ("plain Python", "plain_diff.py"),
    ] {
        match script(asked, &task, name, file) {
            Ok(peer) => peers.push(peer),
            Err(why) => skipped.push((name, why)),
        }
    }
    let figures = run(&peers, asked.rounds)?;
    print(&figures, &skipped);
    println!("{}", machine());
    Ok(ours_wrong(&peers, &figures))
}

/// Budgets against a peer: so many times faster, with so small a part of its memory.
fn budgets(all: &[Figures], faster: f64, part: f64) {
    let [ours, theirs] = [&all[0], &all[1]];
    let mut table = Table::new(&[&format!("forkpoint against {}", theirs.name), "must", "is", ""]);
    let (speed, memory) = (theirs.wall / ours.wall, theirs.memory / ours.memory.max(0.1));
    for (what, must, is) in [("times faster", faster, speed), ("times less memory", part, memory)] {
        let word = if is >= must { "met" } else { "over" };
        table.row([what.to_owned(), format!("≥ {must}"), format!("{is:.1}"), word.to_owned()]);
    }
    table.print();
}

/// `make show-peers`: DuckDB on the pair, the original on one of 100 MB.
pub fn show(program: &Program, room: &Room, asked: &Asked) -> Shown {
    room.demand(asked.size * 8)?;
    let mut wrong = Vec::new();
    let made = make(room, "pair", options(Size::Bytes(asked.size)))?;
    said(&made)?;
    let with_duckdb = task(room, &made)?;
    match script(asked, &with_duckdb, "DuckDB", "duckdb_diff.py") {
        Err(why) => println!("skipped: DuckDB {why}\n"),
        Ok(duckdb) => {
            let peers = [forkpoint(program, &with_duckdb), duckdb];
            let figures = run(&peers, asked.rounds)?;
            print(&figures, &[]);
            budgets(&figures, 6.0, 5.0);
            wrong.extend(ours_wrong(&peers, &figures));
        }
    }
    made.remove()?;
    let Some(original) = &asked.original else {
        println!("skipped: the original, no ORIGINAL=\n");
        return Ok(wrong);
    };
    let made = make(room, "small", options(Size::Bytes(asked.size.min(100_000_000))))?;
    said(&made)?;
    let with_original = task(room, &made)?;
    let (task, truth) = (&with_original, &made.truth);
    let original = Peer {
        name: "the original",
        command: Box::new(|| {
            let mut command = Command::new(&asked.python);
            command.arg(original).arg("--canary").arg(&task.made.reference).arg("--ours").arg(&task.made.candidate);
            command.args(["--tid-map", &task.map]);
            command
        }),
        judge: Box::new(|run| truth.hold_positions(&positions(&String::from_utf8_lossy(&run.stdout)))),
        ours: false,
    };
    let peers = [forkpoint(program, task), original];
    let figures = run(&peers, asked.rounds)?;
    print(&figures, &[]);
    budgets(&figures, 200.0, 20.0);
    wrong.extend(ours_wrong(&peers, &figures));
    println!("{}", machine());
    Ok(wrong)
}

/// `TID POSITION` lines from the original's table `| tid | tid | matched | total | total | at |`.
fn positions(report: &str) -> String {
    let rows = report.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
        let [tid, _, _, _, _, at] = <[&str; 6]>::try_from(cells).ok()?;
        tid.parse::<u64>().ok()?;
        Some(format!("{tid} {}\n", if at.parse::<u64>().is_ok() { at } else { "-" }))
    });
    rows.collect()
}
