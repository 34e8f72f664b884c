//! Pairs that no code of ours wrote: real engines and real programs, traced by short scripts. What is true of each is found
//! by another script that knows its log, and nothing of forkpoint.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::super::program::watched;
use super::super::{Hindered, Program, Room, Shown, Table};
use super::forkpoint;
use super::peers::{Scripts, Task, Toolbox, found};
use super::place::{First, Said};
use super::score::{Marks, marks};
use super::seeded::Asked;

/// A 6502 program that counts by sevens in decimal mode, two hundred times.
#[rustfmt::skip]
const BCD: [u8; 22] = [
    0xD8,             // 0400  CLD
    0xA9, 0x00,       // 0401  LDA #$00
    0x85, 0x10,       // 0403  STA $10
    0xA2, 0xC8,       // 0405  LDX #$C8
    0xF8,             // 0407  SED
    0x18,             // 0408  CLC
    0xA5, 0x10,       // 0409  LDA $10
    0x69, 0x07,       // 040B  ADC #$07
    0x85, 0x10,       // 040D  STA $10
    0xD8,             // 040F  CLD
    0xCA,             // 0410  DEX
    0xD0, 0xF4,       // 0411  BNE $0407
    0x4C, 0x13, 0x04, // 0413  JMP $0413
];

pub struct Case {
    pub name: &'static str,
    /// A tool, and what it must answer to.
    needs: Vec<(String, Vec<&'static str>)>,
    /// What writes each side's log: words, with the log's path last or where it says LOG.
    pub traces: [Vec<String>; 2],
    truth: &'static str,
    pub flags: Vec<String>,
    /// Not in schema-v1: scripts that know nothing else are not asked.
    is_foreign: bool,
    /// Why the kind is another than the story says.
    kind_missed: &'static str,
}

impl Case {
    /// What it needs and is not to be had.
    pub fn missing(&self) -> Option<String> {
        self.needs.iter().find_map(|(tool, probe)| found(tool, probe).err().map(|why| format!("{tool}: {why}")))
    }
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

pub fn cases(room: &Room, scripts: &Path, python: &str) -> Result<Vec<Case>, Hindered> {
    let interpreter = python.to_owned();
    let script = |name: &str| scripts.join("real").join(name).display().to_string();
    let python = |name: &str, rest: &[&str]| [vec![interpreter.clone(), script(name)], words(rest)].concat();
    let text = |path: PathBuf| path.display().to_string();
    let tracer = text(std::env::current_exe()?.with_file_name("trace6502"));
    let bcd = text(room.write("bcd.bin", &BCD)?);
    let lines: String = (0..700).map(|at| format!("{} a line to be sorted\n", at * 7919 % 1000)).collect();
    let unsorted = text(room.write("unsorted.txt", lines.as_bytes())?);
    let sorted = text(room.path("sorted.txt"));
    let lua = |engine: &str| python("lua_trace.py", &[engine, &script("program.lua"), "LOG"]);
    let needs_lua = || {
        vec![(interpreter.clone(), vec!["-c", "import lupa.lua54, lupa.lua51, lupa.luajit21; print(lupa.__version__)"])]
    };
    let sort = |with: &[&str]| {
        python("strace_trace.py", &[&["LOG"], with, &["--", "sort", &unsorted, "-o", &sorted]].concat())
    };
    let case = |name, needs, traces, truth| Case {
        name,
        needs,
        traces,
        truth,
        flags: Vec::new(),
        is_foreign: false,
        kind_missed: "",
    };
    let strace = vec![
        ("sh".to_owned(), vec!["-c", "strace -o /dev/null true && echo yes"]),
        (interpreter.clone(), vec!["--version"]),
    ];
    Ok(vec![
        Case {
            flags: words(&["--profile", "examples/6502.toml"]),
            is_foreign: true,
            ..case(
                "mos6502 → py65, decimal mode",
                vec![(interpreter.clone(), vec!["-c", "import py65; print('py65')"])],
                [vec![tracer, "mos6502".into(), bcd.clone(), "LOG".into()], python("py65_trace.py", &[&bcd, "LOG"])],
                "py65_truth.py",
            )
        },
        case("Lua 5.4 → LuaJIT, three coroutines", needs_lua(), [lua("lua54"), lua("luajit21")], "lua_truth.py"),
        case("Lua 5.4 → Lua 5.1, three coroutines", needs_lua(), [lua("lua54"), lua("lua51")], "lua_truth.py"),
        Case {
            kind_missed: "more calls are missing right behind: the two never agree for four events in a row",
            ..case(
                "nine threads, with a bug",
                vec![(interpreter.clone(), vec!["--version"])],
                [python("pipeline_trace.py", &["LOG"]), python("pipeline_trace.py", &["LOG", "bug"])],
                "pipeline_truth.py",
            )
        },
        case(
            "sort, with a failing read by strace",
            strace,
            [sort(&[]), sort(&["-e", "inject=read:error=EIO:when=4"])],
            "strace_truth.py",
        ),
    ])
}

pub fn show(program: &Program, room: &Room, asked: &Asked) -> Shown {
    let mut toolbox = Toolbox::open(&Scripts { folder: &asked.scripts.join("peers"), python: &asked.python });
    let head =
        ["pair", "events", "parts at", "forkpoint"].into_iter().chain(toolbox.tools.iter().map(|tool| tool.name));
    let mut table = Table::new(&head.collect::<Vec<_>>());
    let (mut wrong, mut remarks) = (Vec::new(), Vec::new());
    for case in cases(room, &asked.scripts, &asked.python)? {
        if let Some(why) = case.missing() {
            remarks.push(format!("skipped: {} ({why})", case.name));
            continue;
        }
        let (cells, mut missed) = one(program, room, asked, &case, &mut toolbox, &mut remarks)?;
        table.cells(cells);
        wrong.append(&mut missed);
    }
    table.print();
    remarks.iter().for_each(|remark| println!("{remark}"));
    Ok(wrong)
}

/// What is true of a pair, as its script found it.
struct Truth {
    first: First,
    shown: String,
    map: String,
}

fn truth(asked: &Asked, case: &Case, logs: &[PathBuf; 2]) -> Result<Truth, Hindered> {
    let script = asked.scripts.join("real").join(case.truth);
    let run = watched(Command::new(&asked.python).arg(script).args(logs))?;
    let text = String::from_utf8_lossy(&run.stdout);
    let told: Value =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}: {}", case.truth, run.stderr.trim()))?;
    let lines = ["reference", "candidate"].map(|side| told[side].as_u64());
    let kind = told["kind"].as_str().ok_or("no kind is told")?.to_owned();
    let shown = format!("line {} ({kind})", lines[0].or(lines[1]).ok_or("no line is told")?);
    let map = told["map"].as_str().ok_or("no map is told")?.to_owned();
    Ok(Truth { first: First { lines: lines.map(|line| line.into_iter().collect()), kind }, shown, map })
}

pub fn write_log(words: &[String], log: &Path) -> Result<(), Hindered> {
    let words: Vec<_> = words.iter().map(|word| if word == "LOG" { log.as_os_str() } else { word.as_ref() }).collect();
    let run = watched(Command::new(words[0]).args(&words[1..]))?;
    if run.code != Some(0) {
        return Err(format!("{words:?}: exit {}: {}", run.ended(), run.stderr.trim()).into());
    }
    Ok(())
}

fn one(
    program: &Program,
    room: &Room,
    asked: &Asked,
    case: &Case,
    toolbox: &mut Toolbox,
    remarks: &mut Vec<String>,
) -> Result<(Vec<String>, Vec<String>), Hindered> {
    let logs = ["reference.jsonl", "candidate.jsonl"].map(|name| room.path(name));
    for (trace, log) in case.traces.iter().zip(&logs) {
        write_log(trace, log)?;
    }
    let truth = truth(asked, case, &logs)?;
    let flags: Vec<&str> = case.flags.iter().map(String::as_str).collect();
    let report = program.diff(&flags, &logs[0], &logs[1])?.report()?;
    let judged = |said: &Said| marks(said, Some(&truth.first), |_| false);
    let ours = judged(&forkpoint::said(&report));
    let mut wrong = Vec::new();
    if !ours.event {
        wrong.push(format!("{}: the two part at {}, not at {:?}", case.name, truth.shown, forkpoint::said(&report)));
    } else if !ours.kind && case.kind_missed.is_empty() {
        wrong.push(format!("{}: {} is true, {:?}", case.name, truth.shown, forkpoint::said(&report)));
    } else if !ours.kind {
        remarks.push(format!("{}, kind: {}", case.name, case.kind_missed));
    }
    wrong.extend(wrongly_paired(&truth, &report).map(|pair| format!("{}: paired wrongly: {pair}", case.name)));
    let events = ["reference", "candidate"].map(|side| report[side]["events"].to_string()).join(" + ");
    let mut cells = vec![case.name.to_owned(), events, truth.shown.clone(), word(ours)];
    let scratch = room.folder("peers")?;
    let task = Task { reference: &logs[0], candidate: &logs[1], map: &truth.map, scratch: &scratch };
    for tool in &mut toolbox.tools {
        cells.push(match case.is_foreign && tool.is_of_schema_v1() {
            true => "not asked".to_owned(),
            false => word(judged(&tool.ask(&task)?)),
        });
    }
    Ok((cells, wrong))
}

fn word(marks: Marks) -> String {
    match marks {
        Marks { kind: true, .. } => "event, kind",
        Marks { event: true, .. } => "event",
        _ => "no",
    }
    .to_owned()
}

/// Pairings of a report that the truth does not have.
fn wrongly_paired<'a>(truth: &'a Truth, report: &'a Value) -> impl Iterator<Item = String> + 'a {
    let pairings = report["pairings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let pairs =
        pairings.iter().map(|pairing| format!("{}={}", pairing["reference"]["tid"], pairing["candidate"]["tid"]));
    pairs.filter(|pair| !truth.map.split(',').any(|right| right == pair))
}
