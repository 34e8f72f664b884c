//! Large documents: what is said of them, and how much memory that takes for each byte of a file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::Value;

use super::super::program::watched;
use super::super::{Hindered, Program, Room, Shown, Table};
use super::write_documents;

/// Memory may be so many times a file's size.
const TIMES_MAX: f64 = 6.0;

/// A kind of document: how one begins, its how many-th part on the reference's and the candidate's side, and how it ends.
struct Kind {
    name: &'static str,
    begin: &'static str,
    part: fn(u64, bool) -> String,
    end: &'static str,
    /// How many differences there are, given how many parts.
    differences: fn(u64) -> u64,
}

const KINDS: [Kind; 6] = [
    Kind {
        name: "numbers, one differs",
        begin: "{\"all\":[",
        part: |at, other| if at == 7 && other { "2".into() } else { "1".into() },
        end: "]}",
        differences: |_| 1,
    },
    Kind {
        name: "numbers, all differ",
        begin: "{\"all\":[",
        part: |at, other| ((at + u64::from(other)) % 10).to_string(),
        end: "]}",
        differences: |parts| parts,
    },
    Kind {
        name: "an object of short keys",
        begin: "{",
        part: |at, other| format!("\"{at:x}\":{}", u64::from(at == 7 && other)),
        end: "}",
        differences: |_| 1,
    },
    Kind {
        name: "a set of small members",
        begin: "{\"objects\":[",
        part: |at, other| format!("{{\"handle_semantic_id\":{}}}", if at == 7 && other { u64::MAX } else { at * 7 }),
        end: "]}",
        differences: |_| 2,
    },
    Kind {
        name: "a set as engines write",
        begin: "{\"objects\":[",
        part: |at, other| {
            format!(
                "{{\"handle_semantic_id\":\"event:{at:x}\",\"type\":\"Event\",\"raw_handle_id\":{},\
                 \"details\":{{\"manual_reset\":true,\"signalled\":{},\"waiters\":[]}}}}\n",
                at * 4 + u64::from(other),
                at % 1000 == 7 && other
            )
        },
        end: "]}",
        differences: |parts| (parts + 992) / 1000,
    },
    Kind {
        name: "one text, which differs",
        begin: "{\"all\":\"",
        part: |at, other| (if at == 7 && other { "b" } else { "aaaaaaaaaaaaaaaa" }).into(),
        end: "\"}",
        differences: |_| 1,
    },
];

pub fn show(program: &Program, room: &Room, size: u64) -> Shown {
    room.demand(size * 2)?;
    println!("documents of {} MB; at most {TIMES_MAX} times the size of one of the two\n", size / 1_000_000);
    let mut table = Table::new(&["kernel.json", "parts", "state, s", "resident, MB", "times its size", "answer"]);
    let mut wrong = Vec::new();
    for kind in &KINDS {
        let [reference, candidate] = [room.folder("large")?, room.folder("large-too")?];
        write_documents(&reference, "{}")?;
        write_documents(&candidate, "{}")?;
        let (parts, bytes) = write(&reference.join("kernel.json"), kind, size, None)?;
        write(&candidate.join("kernel.json"), kind, size, Some(parts))?;
        let mut command = program.command(["state", "--format", "json"]);
        let run = watched(command.args([&reference, &candidate]))?;
        let times = run.resident * 1e6 / bytes as f64;
        let mut faults = Vec::new();
        let counted: u64 = match &run.report()?["files"][2]["counts"] {
            Value::Object(counts) => counts.values().filter_map(Value::as_u64).sum(),
            _ => 0,
        };
        if (run.code, counted) != (Some(1), (kind.differences)(parts)) {
            let truly = (kind.differences)(parts);
            faults.push(format!("exit {}, {counted} differences; must be 1, {truly}", run.ended()));
        }
        if times > TIMES_MAX {
            faults.push(format!("{times:.2} times its size"));
        }
        table.row([
            kind.name.to_owned(),
            parts.to_string(),
            format!("{:.2}", run.seconds),
            format!("{:.0}", run.resident),
            format!("{times:.2}"),
            if faults.is_empty() { "right" } else { "WRONG" }.to_owned(),
        ]);
        wrong.extend(faults.into_iter().map(|fault| format!("{}: {fault}", kind.name)));
    }
    table.print();
    Ok(wrong)
}

/// Writes a document of so many bytes, or parts; how many of both it has.
fn write(path: &Path, kind: &Kind, size: u64, parts: Option<u64>) -> Result<(u64, u64), Hindered> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let is_text = kind.begin.ends_with('"');
    let mut bytes = (kind.begin.len() + kind.end.len()) as u64;
    out.write_all(kind.begin.as_bytes())?;
    let mut at = 0;
    loop {
        let mut part = (kind.part)(at, parts.is_some());
        if at > 0 && !is_text {
            part.insert(0, ',');
        }
        let is_over = match parts {
            Some(parts) => at == parts,
            None => bytes + part.len() as u64 > size,
        };
        if is_over {
            break;
        }
        out.write_all(part.as_bytes())?;
        bytes += part.len() as u64;
        at += 1;
    }
    out.write_all(kind.end.as_bytes())?;
    out.flush()?;
    Ok((at, bytes))
}
