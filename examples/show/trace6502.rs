//! Two real instruction traces: where two 6502 emulators part.

use std::path::Path;
use std::process::Command;

use super::table::machine;
use super::{Hindered, Program, Room, Shown, Table};

/// Told by `tests/trace6502.rs`, which compares the machines themselves, without forkpoint.
const PART_AT: u64 = 1_303_261;
const ENGINES: [&str; 2] = ["mos6502", "emulator_6502"];

pub fn show(program: &Program, room: &Room, profile: &Path) -> Shown {
    let traces = ENGINES.map(|engine| room.path(&format!("{engine}.jsonl")));
    let tracer = std::env::current_exe()?.with_file_name("trace6502");
    for (engine, trace) in ENGINES.iter().zip(&traces) {
        let mut command = Command::new(&tracer);
        command.args([engine, "odometer"]).arg(trace);
        let status = command.status().map_err(|error| format!("{}: {error}", tracer.display()))?;
        if !status.success() {
            return Err(format!("{command:?} failed").into());
        }
    }
    let profile = profile.to_str().ok_or("a profile's path must be text")?;
    let run = program.diff(&["--profile", profile], &traces[0], &traces[1])?;
    let report = run.report()?;
    let (pairing, divergence) = (&report["pairings"][0], &report["pairings"][0]["divergence"]);
    let mut table = Table::new(&["", "must be", "reported"]);
    let mut wrong = Vec::new();
    let payload = |side: &str, key: &str| divergence[side]["event"]["payload"][key].to_string();
    let rows = [
        ("exit", "1".to_owned(), run.ended()),
        ("pairings", "1".to_owned(), report["pairings"].as_array().map_or(0, Vec::len).to_string()),
        ("equal instructions", PART_AT.to_string(), pairing["compared"].to_string()),
        ("position", PART_AT.to_string(), divergence["position"].to_string()),
        ("kind", "\"value\"".to_owned(), divergence["kind"].to_string()),
        ("line", (PART_AT + 1).to_string(), divergence["reference"]["line"].to_string()),
        ("ordinal", PART_AT.to_string(), divergence["candidate"]["ordinal"].to_string()),
        ("differences", "1".to_owned(), divergence["differences_total"].to_string()),
        ("where", "\"/payload/p\"".to_owned(), divergence["differences"][0]["path"].to_string()),
        ("pc", "\"0x0416\"".to_owned(), payload("reference", "pc")),
        ("status, mos6502", "\"0x3f\"".to_owned(), payload("reference", "p")),
        ("status, emulator_6502", "\"0xad\"".to_owned(), payload("candidate", "p")),
    ];
    for (what, must, reported) in rows {
        if must != reported {
            wrong.push(format!("{what}: {must} is true, {reported} reported; {}", run.stderr.trim()));
        }
        table.row([what.to_owned(), must, reported]);
    }
    let events = report["reference"]["events"].as_u64().unwrap_or(0);
    if events < 1_000_000 {
        wrong.push(format!("a run of {events} instructions is no long one"));
    }
    table.print();
    sizes(&traces, run.seconds, &report)?;
    Ok(wrong)
}

fn sizes(traces: &[std::path::PathBuf; 2], seconds: f64, report: &serde_json::Value) -> Result<(), Hindered> {
    let megabytes = |trace: &Path| std::fs::metadata(trace).map(|data| data.len() as f64 / 1e6);
    println!(
        "{} + {} instructions, {:.0} MB + {:.0} MB, {:.2} s; {}",
        report["reference"]["events"],
        report["candidate"]["events"],
        megabytes(&traces[0])?,
        megabytes(&traces[1])?,
        seconds,
        machine()
    );
    Ok(())
}
