//! Reports of real divergences, written to files as a user would paste them into a bug report.

use std::path::{Path, PathBuf};

use super::accuracy::real::{self, Case};
use super::judgement::engines;
use super::program::watched;
use super::{Hindered, Program, Room, Shown, Table};

pub struct Asked {
    /// Where the scripts lie that trace real programs.
    pub scripts: PathBuf,
    pub python: String,
    /// Where the reports go.
    pub into: PathBuf,
}

/// The cases that are told, what their files are called, and what the logs are.
const REPORTS: [(&str, &str, [&str; 2]); 4] = [
    ("mos6502 → py65, decimal mode", "decimal-mode", ["mos6502", "py65"]),
    ("Lua 5.4 → LuaJIT, three coroutines", "lua-luajit", ["lua54", "luajit"]),
    ("nine threads, with a bug", "nine-threads", ["sound", "bug"]),
    ("sort, with a failing read by strace", "failing-read", ["sound", "eio"]),
];

/// Parts of every report, in their order: what to do next comes last.
const PARTS: [&str; 4] = ["# forkpoint", "## Summary", "## Coverage", "## Next"];

pub fn show(program: &Program, room: &Room, asked: &Asked) -> Shown {
    std::fs::create_dir_all(&asked.into)?;
    let mut table = Table::new(&["two runs", "report", "bytes"]);
    let (mut wrong, mut skipped) = (Vec::new(), Vec::new());
    let mut tell = |name: &str, file: &str, labels: [&str; 2], flags: &[String]| -> Result<(), Hindered> {
        let report = asked.into.join(file).with_extension("md");
        let text = write(program, room, &report, labels, flags)?;
        let mut from = 0;
        for part in PARTS {
            match text[from..].find(part) {
                Some(at) => from += at + part.len(),
                None => wrong.push(format!("{}: no {part:?} where it belongs", report.display())),
            }
        }
        table.cells(vec![name.to_owned(), report.display().to_string(), text.len().to_string()]);
        Ok(())
    };
    for case in real::cases(room, &asked.scripts, &asked.python)? {
        let Some((name, file, labels)) = REPORTS.iter().find(|(name, _, _)| *name == case.name) else { continue };
        match case.missing() {
            Some(why) => skipped.push(format!("skipped: {name} ({why})")),
            None => {
                trace(room, &case, *labels)?;
                tell(name, file, *labels, &case.flags)?;
            }
        }
    }
    for scene in &engines::SCENES {
        match engines::trace(room, scene)? {
            Some(_) => {
                let flags: Vec<String> = scene.flags.iter().map(|flag| (*flag).to_owned()).collect();
                tell(&format!("mos6502 → emulator_6502, {}", scene.name), scene.file, engines::ENGINES, &flags)?;
            }
            None => skipped.push(format!("skipped: {} (no trace6502)", scene.name)),
        }
    }
    table.print();
    skipped.iter().for_each(|line| println!("{line}"));
    Ok(wrong)
}

fn trace(room: &Room, case: &Case, labels: [&str; 2]) -> Result<(), Hindered> {
    for (trace, label) in case.traces.iter().zip(labels) {
        real::write_log(trace, &room.path(&format!("{label}.jsonl")))?;
    }
    Ok(())
}

/// Runs the program among the logs, so that the report names them as a user would.
fn write(
    program: &Program,
    room: &Room,
    report: &Path,
    labels: [&str; 2],
    flags: &[String],
) -> Result<String, Hindered> {
    let told = room.path("report.md");
    let logs = labels.map(|label| format!("{label}.jsonl"));
    let mut named = Vec::new();
    for flag in flags {
        let profile = Path::new(flag).file_name().filter(|_| flag.ends_with(".toml")).map(Path::new);
        if let Some(profile) = profile {
            std::fs::copy(flag, room.path(&profile.to_string_lossy()))?;
        }
        named.push(profile.map_or_else(|| flag.clone(), |profile| profile.display().to_string()));
    }
    let mut command = program.command(["diff"]);
    command.args(&named).args(["--label", &labels.join(","), "-o", "report.md"]).args(&logs);
    let run = watched(command.current_dir(room.path("")))?;
    if run.code != Some(1) {
        return Err(format!("{}: exit {}: {}", report.display(), run.ended(), run.stderr.trim()).into());
    }
    std::fs::copy(&told, report)?;
    Ok(std::fs::read_to_string(report)?)
}
