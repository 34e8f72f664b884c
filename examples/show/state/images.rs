//! Two large images: every planted range is found, with its owner, and none more; how long that takes beside `cmp`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::super::program::watched;
use super::super::rounds::{Entrant, race};
use super::super::table::machine;
use super::super::{Hindered, Program, Room, Shown, Table};
use super::{Asked, BASE, write_documents};
use crate::generate::numbers::Random;

const HEAD: [&str; 10] = [
    "images",
    "state, s",
    "GB/s",
    "CPU, s",
    "of no file, MB",
    "resident, MB",
    "cmp -l, s",
    "ratio",
    "cmp -l, MB",
    "answer",
];

/// Cells that are one section.
const SECTION: u64 = 10;
/// Equal bytes that two ranges have between them at least, so that they are two.
const APART: u64 = 64;
/// The longest planted range, in cells that are large enough: longer than what is read at a time.
const LONG: u64 = 300_000;

/// An address range in which the images differ, by its first address: its length, and whose it is.
type Ranges = BTreeMap<u64, (u64, String)>;

/// What was planted.
struct Planted {
    /// Where bytes differ that no engine may write.
    ranges: Ranges,
    /// What engines patch.
    slots: Ranges,
}

pub fn show(program: &Program, room: &Room, asked: &Asked) -> Shown {
    room.demand(asked.size * 4)?;
    let [reference, copy, candidate, patched] =
        ["reference", "copy", "candidate", "patched"].map(|name| room.folder(name));
    let folders = [reference?, copy?, candidate?, patched?];
    let (planted, imports) = make(room, &folders, asked)?;
    println!(
        "images of {} MB, {} ranges, {} import slots; medians of {} rounds in turn; {}\n",
        asked.size / 1_000_000,
        asked.ranges,
        asked.slots,
        asked.rounds,
        machine()
    );
    let slots: Vec<&str> = ["--xex-json"].into_iter().chain(imports.to_str()).collect();
    let none = Ranges::new();
    // Where slots are not known they are differences of the section they lie in.
    let unknown = planted.slots.iter().map(|(at, (length, _))| (*at, (*length, section(*at, asked))));
    let all: Ranges = planted.ranges.clone().into_iter().chain(unknown).collect();
    let cases = [
        Case { name: "alike", other: &folders[1], words: &[], code: 0, ranges: &none, slots: &none },
        Case { name: "planted", other: &folders[2], words: &[], code: 1, ranges: &all, slots: &none },
        Case {
            name: "planted, --xex-json",
            other: &folders[2],
            words: &slots,
            code: 3,
            ranges: &planted.ranges,
            slots: &planted.slots,
        },
        Case {
            name: "only patched, --xex-json",
            other: &folders[3],
            words: &slots,
            code: 0,
            ranges: &none,
            slots: &planted.slots,
        },
    ];
    let mut table = Table::new(&HEAD);
    let mut wrong = Vec::new();
    for case in &cases {
        wrong.extend(row(program, &folders[0], case, asked, &mut table)?);
    }
    for folder in &folders {
        std::fs::remove_dir_all(folder)?;
    }
    wrong.extend(sparse(program, room, &mut table)?);
    table.print();
    Ok(wrong)
}

/// A pair of folders, and what must be said of it.
struct Case<'a> {
    name: &'a str,
    other: &'a Path,
    words: &'a [&'a str],
    code: i32,
    ranges: &'a Ranges,
    slots: &'a Ranges,
}

fn row(program: &Program, reference: &Path, case: &Case<'_>, asked: &Asked, table: &mut Table) -> Shown {
    let state = || {
        let mut command = program.command(["state", "--format", "json"]);
        command.args(case.words).args([reference, case.other]);
        command
    };
    let cmp = || {
        let mut command = Command::new("cmp");
        command.arg("-l").args([reference, case.other].map(|folder| folder.join("image.bin")));
        command
    };
    let is_alike = case.ranges.is_empty() && case.slots.is_empty();
    let entrants = [Entrant::new("state", case.code, state), Entrant::new("cmp -l", i32::from(!is_alike), cmp)];
    let figures = race(&entrants, asked.rounds)?;
    let (run, peer) = (watched(&mut state())?, watched(&mut cmp())?);
    let mut wrong = judge(&run.report()?, case);
    wrong.extend(figures.iter().flat_map(|figures| figures.wrong.clone()));
    table.row([
        case.name.to_owned(),
        format!("{:.2}", figures[0].wall()),
        format!("{:.2}", asked.size as f64 / 1e9 / figures[0].wall()),
        format!("{:.2}", figures[0].cpu()),
        format!("{:.1}", run.anonymous),
        format!("{:.1}", run.resident),
        format!("{:.2}", figures[1].wall()),
        format!("{:.2}", figures[0].wall() / figures[1].wall()),
        format!("{:.1}", peer.resident),
        if wrong.is_empty() { "right" } else { "WRONG" }.to_owned(),
    ]);
    Ok(wrong.into_iter().map(|why| format!("{}: {why}", case.name)).collect())
}

/// Holds the ranges of a report against what was planted.
fn judge(report: &Value, case: &Case<'_>) -> Vec<String> {
    let mut said = [Ranges::new(), Ranges::new()];
    let mut wrong = Vec::new();
    for range in report["memory"].as_array().map_or(&[][..], Vec::as_slice) {
        let is_patch = range["import_patch"] == json!(true);
        let [address, length] = ["address", "length"].map(|key| range[key].as_u64().unwrap_or(u64::MAX));
        let owner = range["owner"].as_str().unwrap_or_default().to_owned();
        if said[usize::from(is_patch)].insert(address, (length, owner)).is_some() {
            wrong.push(format!("told twice: {range}"));
        }
    }
    for (what, said, truly) in [("range", &said[0], case.ranges), ("slot", &said[1], case.slots)] {
        let missing = truly.iter().filter(|(at, planted)| said.get(at) != Some(planted));
        wrong.extend(
            missing
                .take(5)
                .map(|(at, planted)| format!("{what} 0x{at:X} is {planted:?}, and this is said: {:?}", said.get(at))),
        );
        let more = said.keys().filter(|at| !truly.contains_key(at));
        wrong.extend(more.take(5).map(|at| format!("{what} 0x{at:X} is told, and was not planted")));
    }
    wrong
}

/// The name of the section that an address lies in.
fn section(address: u64, asked: &Asked) -> String {
    format!("section s{}", (address - BASE) / cell(asked) / SECTION)
}

/// Bytes in each of which one thing is planted.
fn cell(asked: &Asked) -> u64 {
    asked.size / (asked.ranges + asked.slots)
}

/// Writes four folders (two as it is; with all that is planted; only patched) and the list of slots.
fn make(room: &Room, folders: &[PathBuf; 4], asked: &Asked) -> Result<(Planted, PathBuf), Hindered> {
    let (cell, cells) = (cell(asked), asked.ranges + asked.slots);
    if cell < 16 * APART {
        return Err("so many ranges and slots need a larger image".into());
    }
    let random = &mut Random::new(1, "images", 0);
    let images = folders.each_ref().map(|folder| folder.join("image.bin"));
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&images[0])?);
    // Cells, and so sections, are alike: no range lies in two.
    let size = cell * cells;
    let mut left = size;
    while left > 0 {
        let word = random.next().to_le_bytes();
        let length = left.min(8);
        out.write_all(&word[..length as usize])?;
        left -= length;
    }
    out.flush()?;
    for image in &images[1..] {
        std::fs::copy(&images[0], image)?;
    }
    let open = |image| File::options().read(true).write(true).open(image);
    let (candidate, patched) = (open(&images[2])?, open(&images[3])?);

    let mut planted = Planted { ranges: Ranges::new(), slots: Ranges::new() };
    let mut imports = Vec::new();
    let mut slots = asked.slots;
    for at in 0..cells {
        let begin = at * cell;
        // As many slots as there must be, spread among the ranges.
        if random.below(cells - at) < slots {
            slots -= 1;
            let kind = random.below(2);
            let start = begin + APART + random.below(cell - 4 * APART);
            let length = if kind == 0 { 4 } else { 16 };
            edit(&candidate, start..start + length, random, false)?;
            edit(&patched, start..start + length, random, false)?;
            planted.slots.insert(BASE + start, (length, "import slot".to_owned()));
            let address = BASE + start;
            let address = if kind == 0 { json!(address) } else { json!(format!("0x{address:X}")) };
            imports.push(json!({"address": address, "record_type": kind}));
        } else {
            let longest = LONG.min(cell - 4 * APART);
            let length = 1 + [0, random.below(32), random.below(4096.min(longest)), random.below(longest)]
                [random.below(4) as usize];
            let start = match at {
                0 => 0,
                at if at + 1 == cells => size - length,
                _ => begin + APART + random.below(cell - 2 * APART - length),
            };
            edit(&candidate, start..start + length, random, true)?;
            planted.ranges.insert(BASE + start, (length, section(BASE + start, asked)));
        }
    }
    let wide = cell * SECTION;
    let of = |at: u64| json!({"base": BASE + at * wide, "size": wide, "name": format!("s{at}")});
    let sections: Vec<Value> = (0..cells.div_ceil(SECTION)).map(of).collect();
    let memory = json!({"sections": sections}).to_string();
    folders.iter().try_for_each(|folder| write_documents(folder, &memory))?;
    let list = json!({"image_base": BASE, "import_libraries": [{"imports": imports}]}).to_string();
    Ok((planted, room.write("imports.json", list.as_bytes())?))
}

/// Writes other bytes than stand there: everywhere, or at both ends and at least every eighth byte between.
fn edit(file: &File, range: Range<u64>, random: &mut Random, has_gaps: bool) -> Result<(), Hindered> {
    let mut bytes = vec![0; (range.end - range.start) as usize];
    file.read_exact_at(&mut bytes, range.start)?;
    let last = bytes.len() - 1;
    let mut at = 0;
    loop {
        bytes[at] ^= 1 + random.below(255) as u8;
        if at == last {
            break;
        }
        at = (at + 1 + if has_gaps { random.below(8) as usize } else { 0 }).min(last);
    }
    Ok(file.write_all_at(&bytes, range.start)?)
}

/// Images of 64 GiB that are holes but for some blocks, in which one byte differs each.
fn sparse(program: &Program, room: &Room, table: &mut Table) -> Shown {
    const BLOCKS: u64 = 100;
    let size: u64 = 64 << 30;
    let [reference, candidate] = [room.folder("sparse")?, room.folder("sparse-too")?];
    let mut ranges = Ranges::new();
    for (folder, is_candidate) in [(&reference, false), (&candidate, true)] {
        write_documents(folder, "{}")?;
        let image = File::create(folder.join("image.bin"))?;
        image.set_len(size)?;
        for at in 0..BLOCKS {
            let start = at * (size / BLOCKS);
            let mut block = [at as u8 + 1; 4096];
            block[at as usize] ^= u8::from(is_candidate);
            image.write_all_at(&block, start)?;
            ranges.insert(BASE + start + at, (1, String::new()));
        }
    }
    let mut command = program.command(["state", "--format", "json"]);
    let run = watched(command.args([&reference, &candidate]))?;
    let none = Ranges::new();
    let case = Case { name: "64 GiB of holes", other: &candidate, words: &[], code: 1, ranges: &ranges, slots: &none };
    let mut wrong = judge(&run.report()?, &case);
    if run.code != Some(case.code) {
        wrong.push(format!("exit {}, must be {}", run.ended(), case.code));
    }
    table.row([
        case.name.to_owned(),
        format!("{:.2}", run.seconds),
        "-".to_owned(),
        "-".to_owned(),
        format!("{:.1}", run.anonymous),
        format!("{:.1}", run.resident),
        "-".to_owned(),
        "-".to_owned(),
        "-".to_owned(),
        if wrong.is_empty() { "right" } else { "WRONG" }.to_owned(),
    ]);
    Ok(wrong.into_iter().map(|why| format!("{}: {why}", case.name)).collect())
}
