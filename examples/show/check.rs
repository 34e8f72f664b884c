//! `check` on large sound logs: bytes a second, beside `cmp` of two files of that size.

use std::path::Path;

use super::pairs::make;
use super::rounds::{Entrant, race};
use super::table::machine;
use super::{Program, Room, Shown, Table};
use crate::generate::catalogue::plain;
use crate::generate::{Options, Shape, Size};

pub fn show(program: &Program, room: &Room, size: u64, rounds: usize) -> Shown {
    room.demand(size * 3)?;
    println!("{} MB; medians of {rounds} rounds in turn; {}\n", size / 1_000_000, machine());
    let mut wrong = Vec::new();
    let mut table = Table::new(&["log", "lines", "check, s", "GB/s", "CPU, s", "ratio to cmp", "cmp, s", "answer"]);
    for (name, shape) in [("payload last", Shape::Schema), ("keys sorted", Shape::Sorted), ("flat trace", Shape::Flat)]
    {
        let made = make(
            room,
            "sound",
            Options { shape, threads: if shape == Shape::Flat { 1 } else { 8 }, ..plain(Size::Bytes(size)) },
        )?;
        let (log, copy) = (made.reference.clone(), room.path("copy.jsonl"));
        std::fs::copy(&log, &copy)?;
        let check = || {
            let mut command = program.command(["check"]);
            command.args(&made.flags).arg(&log);
            command
        };
        let figures = race(&[Entrant::new("check", 0, check), Entrant::cmp(&log, &copy)], rounds)?;
        let lines = lines(&log)?;
        let answer = String::from_utf8_lossy(&figures[0].first.stdout).into_owned();
        let is_right = answer.replace(',', "").contains(&format!(": valid: {lines} lines"));
        if !is_right {
            wrong.push(format!("{name}: {lines} lines, and check says: {}", answer.trim()));
        }
        let bytes = std::fs::metadata(&log)?.len() as f64;
        table.row([
            name.to_owned(),
            lines.to_string(),
            format!("{:.2}", figures[0].wall()),
            format!("{:.2}", bytes / 1e9 / figures[0].wall()),
            format!("{:.2}", figures[0].cpu()),
            format!("{:.2}", figures[0].wall() / figures[1].wall()),
            format!("{:.2}", figures[1].wall()),
            if is_right { "right" } else { "WRONG" }.to_owned(),
        ]);
        wrong.extend(figures.into_iter().flat_map(|figures| figures.wrong));
        std::fs::remove_file(copy)?;
        made.remove()?;
    }
    table.print();
    println!("budget: 1 GB/s on two cores; {}", machine());
    Ok(wrong)
}

/// Line feeds of a file.
fn lines(log: &Path) -> std::io::Result<usize> {
    let mut file = std::fs::File::open(log)?;
    let (mut buffer, mut lines) = (vec![0; 1 << 20], 0);
    loop {
        match std::io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(lines),
            read => lines += memchr::memchr_iter(b'\n', &buffer[..read]).count(),
        }
    }
}
