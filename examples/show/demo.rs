//! The pair of logs in `corpus/demo`, as the README's first command shows it.

use std::path::Path;

use super::program::watched;
use super::{Program, Shown, Table};

pub fn show(program: &Program, folder: &Path) -> Shown {
    let logs = ["reference.jsonl", "candidate.jsonl"].map(|name| folder.join(name));
    let mut command = program.command(["diff"]);
    let terminal = watched(command.args(&logs))?;
    let text = String::from_utf8_lossy(&terminal.stdout);
    print!("{text}");
    let json = program.diff(&[], &logs[0], &logs[1])?;
    let report = json.report()?;
    let none = Vec::new();
    let pairings = report["pairings"].as_array().unwrap_or(&none);
    let of = |status: &str| pairings.iter().filter(|pairing| pairing["status"] == status).count();
    let (diverged, identical) = (of("diverged"), of("identical"));
    // A command is printed as it runs, however long.
    let prose = text.lines().filter(|line| !line.trim_start().starts_with("forkpoint "));
    let widest = prose.map(unicode_width::UnicodeWidthStr::width).max().unwrap_or(0);
    let mut table = Table::new(&["", "must be", "is"]);
    let mut wrong = Vec::new();
    let rows = [
        ("exit", "1".to_owned(), terminal.ended(), terminal.code == Some(1)),
        ("exit with --format json", "1".to_owned(), json.ended(), json.code == Some(1)),
        ("threads that diverge", "2 or more".to_owned(), diverged.to_string(), diverged >= 2),
        ("identical threads", "1 or more".to_owned(), identical.to_string(), identical >= 1),
        ("columns", "80 or fewer".to_owned(), widest.to_string(), widest <= 80),
        ("stderr", "empty".to_owned(), format!("{} bytes", terminal.stderr.len()), true),
    ];
    println!();
    for (what, must, is, right) in rows {
        if !right {
            wrong.push(format!("{what}: {must} expected, {is} found"));
        }
        table.row([what.to_owned(), must, is]);
    }
    table.print();
    Ok(wrong)
}
