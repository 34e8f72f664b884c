//! One pair, plain and packed, from files, standard input and FIFOs: one report, how fast, and in how much memory.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;

use super::pairs::{make, parting};
use super::program::watched_while;
use super::table::machine;
use super::windows::{FILES_ONLY, pour};
use super::{Hindered, Program, Room, Run, Shown, Table};

/// The names of both logs, whatever they are packed with: that is told by their content.
const NAMES: [&str; 2] = ["reference.jsonl", "candidate.jsonl"];

/// How a log is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packed {
    Plain,
    Gz,
    Zst,
}

use Packed::{Gz, Plain, Zst};

/// How the logs come to the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Files,
    /// The candidate on standard input, fed by a process of its own.
    Stdin,
    Fifos,
}

use Way::{Fifos, Files, Stdin};

const CASES: [([Packed; 2], Way); 12] = [
    ([Plain, Plain], Files),
    ([Gz, Gz], Files),
    ([Zst, Zst], Files),
    ([Gz, Plain], Files),
    ([Plain, Zst], Files),
    ([Plain, Plain], Stdin),
    ([Plain, Gz], Stdin),
    ([Zst, Zst], Stdin),
    ([Plain, Plain], Fifos),
    ([Gz, Gz], Fifos),
    ([Zst, Zst], Fifos),
    ([Zst, Plain], Fifos),
];

fn pack(from: &Path, to: &Path, packed: Packed) -> Result<u64, Hindered> {
    let (mut source, target) = (File::open(from)?, BufWriter::new(File::create(to)?));
    match packed {
        Plain => std::io::copy(&mut source, &mut { target }).map(drop)?,
        Gz => {
            // As gzip(1) does by itself.
            let mut encoder = GzEncoder::new(target, flate2::Compression::new(6));
            std::io::copy(&mut source, &mut encoder)?;
            encoder.finish()?.flush()?;
        }
        Zst => {
            // As zstd(1) does by itself.
            let mut encoder = zstd::Encoder::new(target, 3)?;
            encoder.include_checksum(true)?;
            std::io::copy(&mut source, &mut encoder)?;
            encoder.finish()?.flush()?;
        }
    }
    Ok(std::fs::metadata(to)?.len())
}

pub fn show(program: &Program, room: &Room, size: u64) -> Shown {
    room.demand(size * 4)?;
    let made = make(room, "pair", parting(size))?;
    let plain = [made.reference, made.candidate];
    let mut bytes = 0;
    for packed in [Plain, Gz, Zst] {
        let folder = room.folder(&format!("{packed:?}"))?;
        let mut sum = 0;
        for (log, name) in plain.iter().zip(NAMES) {
            sum += pack(log, &folder.join(name), packed)?;
        }
        bytes = bytes.max(sum);
        println!("{packed:?}: {:.1} MB in two files", sum as f64 / 1e6);
    }
    println!("{}", machine());
    let mut wrong = Vec::new();
    let mut table = Table::new(&[
        "logs",
        "from",
        "exit",
        "wall, s",
        "MB/s",
        "resident, MB",
        "anonymous, MB",
        "the plain run's report",
    ]);
    let mut wanted: Option<Run> = None;
    for (packed, way) in CASES {
        let run = run(program, room, packed, way)?;
        let first = wanted.get_or_insert_with(|| Run { stdout: run.stdout.clone(), stderr: String::new(), ..run });
        // Standard input has no name.
        let report = String::from_utf8_lossy(&run.stdout).replace("\"path\": \"-\"", "\"path\": \"candidate.jsonl\"");
        let is_equal = report.as_bytes() == first.stdout && run.code == first.code;
        table.row([
            format!("{:?} {:?}", packed[0], packed[1]).to_lowercase(),
            format!("{way:?}").to_lowercase(),
            run.ended(),
            format!("{:.2}", run.seconds),
            format!("{:.0}", bytes as f64 / 1e6 / run.seconds),
            format!("{:.0}", run.resident),
            format!("{:.0}", run.anonymous),
            if is_equal { "equal" } else { "OTHER" }.to_owned(),
        ]);
        if !is_equal {
            wrong.push(format!("{packed:?} {way:?}: another report, exit {}; {}", run.ended(), run.stderr.trim()));
        }
        if wrong.is_empty() && way == Files && packed == [Plain, Plain] {
            wrong.extend(made.truth.hold(&run.report()?));
        }
    }
    table.print();
    println!("{}", machine());
    Ok(wrong)
}

/// One comparison. The logs have the same names in every folder, so that reports can be equal.
fn run(program: &Program, room: &Room, packed: [Packed; 2], way: Way) -> Result<Run, Hindered> {
    let folder = room.folder("run")?;
    let sources = [0, 1].map(|at| room.path(&format!("{:?}", packed[at])).join(NAMES[at]));
    let places = NAMES.map(|name| folder.join(name));
    for place in &places {
        let _ = std::fs::remove_file(place);
    }
    let mut inputs = NAMES.map(PathBuf::from);
    for at in 0..2 {
        match way {
            Fifos => drop(room.fifo(&format!("run/{}", NAMES[at]))?),
            Stdin if at == 1 => inputs[1] = "-".into(),
            Stdin | Files => std::os::unix::fs::symlink(&sources[at], &places[at])?,
        }
    }
    let mut command =
        program.diff_command(&[&["--label", "reference,candidate"], &FILES_ONLY[..]].concat(), &inputs[0], &inputs[1]);
    command.current_dir(&folder);
    let mut writers = Vec::new();
    if way == Stdin {
        let mut cat =
            std::process::Command::new("cat").arg(&sources[1]).stdout(std::process::Stdio::piped()).spawn()?;
        command.stdin(cat.stdout.take().expect("piped"));
        writers.push(cat);
    }
    let mut poured = Vec::new();
    let run = watched_while(&mut command, |_| {
        if way == Fifos {
            poured = sources.iter().zip(&places).map(|(source, fifo)| pour(source, fifo)).collect();
        }
    });
    // The pipe's reading end must be closed here too, or its writer would wait for ever.
    drop(command);
    for writer in poured {
        writers.push(writer?);
    }
    for mut writer in writers {
        writer.wait()?;
    }
    run
}
