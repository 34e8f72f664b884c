//! A fresh clone: the README's first two commands, and how long they take.

use std::path::Path;
use std::process::Command;

use super::program::watched;
use super::table::machine;
use super::{Hindered, Room, Shown, Table};

/// The exit codes of the first command (the demo's two runs part) and of the second (all tests pass).
const CODES: [i32; 2] = [1, 0];

pub fn show(room: &Room, repository: &Path) -> Shown {
    let clone = room.path("clone");
    let mut git = Command::new("git");
    let done = watched(git.args(["clone", "--quiet"]).arg(std::fs::canonicalize(repository)?).arg(&clone))?;
    if done.code != Some(0) {
        return Err(done.stderr.into());
    }
    let commands = commands(&clone.join("README.md"))?;
    let mut table = Table::new(&["command", "must exit", "exit", "wall, s"]);
    let mut wrong = Vec::new();
    println!("{}", machine());
    for (command, code) in commands.iter().zip(CODES) {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).current_dir(&clone).env_remove("CARGO_TARGET_DIR");
        let run = watched(&mut shell)?;
        if run.code != Some(code) {
            let said = run.stderr.lines().rev().take(20).collect::<Vec<_>>();
            wrong.push(format!("{command}: exit {}, {code} expected; from the end: {}", run.ended(), said.join(" | ")));
        }
        println!("{}", String::from_utf8_lossy(&run.stdout));
        table.row([command.clone(), code.to_string(), run.ended(), format!("{:.0}", run.seconds)]);
    }
    table.print();
    println!("{}", machine());
    Ok(wrong)
}

/// The README's first two commands in fenced blocks, but for cloning and going there.
fn commands(readme: &Path) -> Result<Vec<String>, Hindered> {
    let text = std::fs::read_to_string(readme).map_err(|error| format!("{}: {error}", readme.display()))?;
    let mut inside = false;
    let mut commands = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if inside && ["cargo ", "make "].iter().any(|start| line.starts_with(start)) {
            let command = line.split("  #").next().unwrap_or(line);
            commands.push(command.trim().to_owned());
        }
    }
    if commands.len() < CODES.len() {
        return Err(format!("{}: fewer than two commands", readme.display()).into());
    }
    Ok(commands)
}
