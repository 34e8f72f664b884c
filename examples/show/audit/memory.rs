//! Millions of objects that come and go: memory is that of those alive, and of the last that were.

use std::fs::OpenOptions;
use std::io::{self, BufWriter};

use super::super::program::watched_while;
use super::super::table::machine;
use super::super::{Hindered, Program, Room, Run, Shown, Table};
use super::lives::{Lives, Written, hold};

/// Ten times the objects may need so much of the memory, and so many MB.
const TIMES: f64 = 1.15;
const MORE: f64 = 8.0;
/// The last objects that are gone are kept, up to some 65,000: with fewer memory does grow.
const FEW: u64 = 200_000;

pub fn show(program: &Program, room: &Room, objects: u64) -> Shown {
    println!("objects made, signalled, closed, 300 alive at a time, through a FIFO; {}\n", machine());
    let mut wrong = Vec::new();
    let mut table =
        Table::new(&["objects", "lines", "GB", "seconds", "MB/s", "of no file, MB", "resident, MB", "answer"]);
    let mut memory = Vec::new();
    for objects in [objects.div_ceil(10), objects] {
        let (run, written) = streamed(program, room, objects)?;
        let why = match run.report() {
            Ok(report) => hold(&written, run.code, &report),
            Err(error) => vec![error.to_string()],
        };
        table.row([
            written.destroyed.to_string(),
            written.lines.to_string(),
            format!("{:.2}", written.bytes as f64 / 1e9),
            format!("{:.1}", run.seconds),
            format!("{:.0}", written.bytes as f64 / 1e6 / run.seconds),
            format!("{:.1}", run.anonymous),
            format!("{:.1}", run.resident),
            if why.is_empty() { "right" } else { "WRONG" }.to_owned(),
        ]);
        wrong.extend(why.into_iter().map(|why| format!("{objects} objects: {why}")));
        memory.push([run.anonymous, run.resident]);
    }
    table.print();
    if objects < FEW * 10 {
        println!("memory is not held against that of a tenth of the objects: fewer than {}\n", FEW * 10);
        return Ok(wrong);
    }
    for (at, what) in ["of no file", "resident"].iter().enumerate() {
        let (short, long) = (memory[0][at], memory[1][at]);
        if long > short * TIMES + MORE {
            wrong.push(format!("memory {what} grows with the objects: {short:.1} MB, then {long:.1} MB"));
        }
    }
    Ok(wrong)
}

/// The log is never stored.
fn streamed(program: &Program, room: &Room, objects: u64) -> Result<(Run, Written), Hindered> {
    let fifo = room.fifo("lives.fifo")?;
    let mut command = program.command(["audit", "--format", "json"]);
    let mut written: Option<io::Result<Written>> = None;
    let run = watched_while(command.arg(&fifo), |_| {
        let open = OpenOptions::new().write(true).open(&fifo);
        written = Some(open.and_then(|pipe| Lives::write(BufWriter::with_capacity(1 << 16, pipe), objects, u64::MAX)));
    })?;
    let written = written.ok_or("nothing was written")?.map_err(|error| format!("{error}; {}", run.stderr))?;
    Ok((run, written))
}
