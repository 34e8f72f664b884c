//! Every way a run can end: exit codes, and what stands on stdout and stderr.

use serde_json::Value;

use super::program::watched;
use super::{Hindered, Program, Room, Run, Shown, Table};

const HEADER: &str = "{\"kind\":\"schema_version\",\"schema_version\":1,\"engine\":\"test\"}\n";

/// One event line.
fn event(tid: u64, ordinal: u64, name: &str, argument: u64) -> String {
    format!(
        "{{\"kind\":\"kernel.call\",\"tid\":{tid},\"tid_event_idx\":{ordinal},\
         \"payload\":{{\"name\":\"{name}\",\"args\":{{\"n\":{argument}}}}}}}\n"
    )
}

/// A log of threads that each call one function over and over; `change` may alter a line.
fn log(threads: &[(u64, &str)], events: u64, change: impl Fn(u64, u64) -> Option<String>) -> String {
    let mut text = HEADER.to_owned();
    for ordinal in 0..events {
        for (tid, name) in threads {
            text += &change(*tid, ordinal).unwrap_or_else(|| event(*tid, ordinal, name, ordinal));
        }
    }
    text
}

const TWO: [(u64, &str); 2] = [(6, "NtOpenFile"), (7, "KeWait")];

/// The logs, by name.
fn logs(room: &Room) -> Result<(), Hindered> {
    let plain = log(&TWO, 40, |_, _| None);
    let changed = |tid, ordinal| ((tid, ordinal) == (6, 20)).then(|| event(6, 20, "NtOpenFile", 999));
    let parted = log(&TWO, 40, changed);
    let garbage = format!("{}not json\n{}", log(&TWO, 30, changed), event(6, 30, "NtOpenFile", 30));
    let short = log(&TWO, 40, |tid, ordinal| (tid == 7 && ordinal >= 30).then(String::new));
    let lines = [
        ("a.jsonl", plain.clone()),
        ("same.jsonl", plain.clone()),
        ("parted.jsonl", parted),
        ("strangers.jsonl", log(&[(1, "XAudioInit"), (2, "VdSwap")], 40, |_, _| None)),
        ("garbage-behind.jsonl", garbage),
        ("garbage-first.jsonl", plain.replacen(&event(6, 5, "NtOpenFile", 5), "not json\n", 1)),
        ("empty.jsonl", String::new()),
        ("header.jsonl", HEADER.to_owned()),
        ("headless.jsonl", plain.replacen(HEADER, "", 1)),
        ("short.jsonl", short),
        ("more.jsonl", log(&[TWO[0], TWO[1], (8, "VdSwap")], 40, |_, _| None)),
        ("torn.jsonl", plain[..plain.len() - 20].to_owned()),
        ("no-newline.jsonl", plain.trim_end().to_owned()),
        ("crlf.jsonl", plain.replace('\n', "\r\n")),
        ("two-runs.jsonl", format!("{plain}{plain}")),
    ];
    for (name, text) in lines {
        room.write(name, text.as_bytes())?;
    }
    room.folder("folder.jsonl")?;
    Ok(())
}

/// What a run must leave on stdout.
#[derive(Clone, Copy)]
enum Stdout {
    Empty,
    Verdict(&'static str),
    /// The verdict, and the divergence of thread 6 at 20.
    Parted(&'static str),
    /// The verdict, and a fault.
    Faulty(&'static str),
    /// Both.
    PartedAndFaulty(&'static str),
}

/// What it is, arguments, exit code, stdout, and a word that stderr must hold.
type Case = (&'static str, &'static str, i32, Stdout, &'static str);

#[rustfmt::skip]
const CASES: [Case; 27] = [
    ("a log and itself", "a.jsonl a.jsonl", 0, Stdout::Verdict("identical"), "one file"),
    ("a log and its copy", "a.jsonl same.jsonl", 0, Stdout::Verdict("identical"), ""),
    ("a value differs", "a.jsonl parted.jsonl", 1, Stdout::Parted("diverged"), ""),
    ("and is ignored", "--ignore payload.args.n a.jsonl parted.jsonl", 0, Stdout::Verdict("identical"), ""),
    ("only a line if they differ", "--validate-identical a.jsonl parted.jsonl", 1, Stdout::Empty, "20"),
    ("and none if not", "--validate-identical a.jsonl same.jsonl", 0, Stdout::Empty, ""),
    ("no common thread", "a.jsonl strangers.jsonl", 3, Stdout::Verdict("inconclusive"), ""),
    ("no thread of one name", "--map same a.jsonl strangers.jsonl", 3, Stdout::Verdict("inconclusive"), ""),
    ("a missing file", "a.jsonl nowhere.jsonl", 2, Stdout::Empty, "nowhere.jsonl"),
    ("a folder", "a.jsonl folder.jsonl", 2, Stdout::Empty, "folder.jsonl"),
    ("only one log", "a.jsonl", 2, Stdout::Empty, "second log"),
    ("an unknown flag", "--nonsense a.jsonl a.jsonl", 2, Stdout::Empty, "--nonsense"),
    ("a fault behind a divergence", "a.jsonl garbage-behind.jsonl", 2, Stdout::PartedAndFaulty("trouble"), "garbage-behind.jsonl:62"),
    ("and stepped over", "--malformed skip a.jsonl garbage-behind.jsonl", 1, Stdout::Parted("diverged"), ""),
    ("a fault before anything", "a.jsonl garbage-first.jsonl", 2, Stdout::Faulty("trouble"), "garbage-first.jsonl:12"),
    ("and stepped over", "--malformed skip a.jsonl garbage-first.jsonl", 3, Stdout::Verdict("inconclusive"), ""),
    ("an empty file", "a.jsonl empty.jsonl", 2, Stdout::Faulty("trouble"), "empty.jsonl"),
    ("headers alone", "header.jsonl header.jsonl", 3, Stdout::Verdict("inconclusive"), ""),
    ("no header", "headless.jsonl headless.jsonl", 2, Stdout::Faulty("trouble"), "forkpoint diff --profile generic --thread tid"),
    ("a second run", "a.jsonl two-runs.jsonl", 2, Stdout::Faulty("trouble"), "second run"),
    ("a thread ends early", "a.jsonl short.jsonl", 1, Stdout::Verdict("diverged"), ""),
    ("and may", "--prefix a.jsonl short.jsonl", 0, Stdout::Verdict("identical"), ""),
    ("a thread alone", "a.jsonl more.jsonl", 1, Stdout::Verdict("diverged"), ""),
    ("and may be", "--ignore-unmatched a.jsonl more.jsonl", 0, Stdout::Verdict("identical"), ""),
    ("a torn last line", "a.jsonl torn.jsonl", 1, Stdout::Verdict("diverged"), ""),
    ("no last newline", "a.jsonl no-newline.jsonl", 0, Stdout::Verdict("identical"), ""),
    ("CRLF on one side", "a.jsonl crlf.jsonl", 0, Stdout::Verdict("identical"), ""),
];

pub fn show(program: &Program, room: &Room) -> Shown {
    logs(room)?;
    let mut wrong = Vec::new();
    let mut table = Table::new(&["", "forkpoint diff", "must be", "is", "right"]);
    for case in CASES {
        let (what, arguments, code, ..) = case;
        let mut command = program.command(["diff", "--format", "json"]);
        command.args(arguments.split(' ')).current_dir(room.path("."));
        let run = watched(&mut command)?;
        let why = judge(&run, case);
        table.row([
            what.to_owned(),
            arguments.to_owned(),
            code.to_string(),
            run.ended(),
            if why.is_empty() { "yes" } else { "NO" }.to_owned(),
        ]);
        wrong.extend(why.into_iter().map(|why| format!("{what} (diff {arguments}): {why}")));
    }
    outputs(program, room, &mut table, &mut wrong)?;
    table.print();
    Ok(wrong)
}

fn judge(run: &Run, (_, _, code, stdout, word): Case) -> Vec<String> {
    let mut wrong = Vec::new();
    if run.code != Some(code) {
        wrong.push(format!("exit {}; {}", run.ended(), run.stderr.trim()));
    }
    if !run.stderr.contains(word) {
        wrong.push(format!("stderr does not say {word:?}: {}", run.stderr.trim()));
    }
    let (verdict, parted, faulty) = match stdout {
        Stdout::Empty => {
            if !run.stdout.is_empty() {
                wrong.push("stdout is not empty".to_owned());
            }
            return wrong;
        }
        Stdout::Verdict(verdict) => (verdict, false, false),
        Stdout::Parted(verdict) => (verdict, true, false),
        Stdout::Faulty(verdict) => (verdict, false, true),
        Stdout::PartedAndFaulty(verdict) => (verdict, true, true),
    };
    let report = match run.report() {
        Ok(report) => report,
        Err(error) => return vec![error.to_string()],
    };
    if report["verdict"] != verdict {
        wrong.push(format!("verdict {}, must be {verdict}", report["verdict"]));
    }
    if parted && !parts_at_20(&report) {
        wrong.push("the divergence of thread 6 at 20 is not in the report".to_owned());
    }
    if faulty && report["faults"].as_array().is_none_or(Vec::is_empty) {
        wrong.push("no fault is in the report".to_owned());
    }
    wrong
}

fn parts_at_20(report: &Value) -> bool {
    let first = report["first"].as_u64().and_then(|at| usize::try_from(at).ok());
    first.is_some_and(|at| {
        let pairing = &report["pairings"][at];
        pairing["reference"]["tid"] == 6 && pairing["divergence"]["position"] == 20
    })
}

/// Outputs that cannot or must not be written.
fn outputs(program: &Program, room: &Room, table: &mut Table, wrong: &mut Vec<String>) -> Result<(), Hindered> {
    let before = std::fs::read(room.path("a.jsonl"))?;
    let scripts: [(&str, &str, &str); 4] = [
        ("a full disk", "2", "\"$0\" diff --format json a.jsonl same.jsonl > /dev/full"),
        ("a full disk behind -o", "2", "\"$0\" diff -o json:/dev/full a.jsonl same.jsonl > /dev/null"),
        ("an output that is an input", "2", "\"$0\" diff -o json:a.jsonl a.jsonl same.jsonl > /dev/null"),
        (
            "a closed pipe",
            "quiet",
            "(\"$0\" diff --format json a.jsonl parted.jsonl 2>&3) 3>said | head -1 > /dev/null; test -s said || echo quiet >&2; exit 0",
        ),
    ];
    for (what, must, script) in scripts {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", script]).arg(&program.path).current_dir(room.path("."));
        let run = watched(&mut command)?;
        let is = if must == "quiet" { run.stderr.trim().to_owned() } else { run.ended() };
        let right = is == must && (must == "quiet" || !run.stderr.is_empty());
        if !right {
            wrong.push(format!("{what}: {is}, must be {must}; {}", run.stderr.trim()));
        }
        let shown = shorten(script);
        table.row([what.to_owned(), shown, must.to_owned(), is, if right { "yes" } else { "NO" }.to_owned()]);
    }
    if std::fs::read(room.path("a.jsonl"))? != before {
        wrong.push("an input was written over".to_owned());
    }
    Ok(())
}

/// What stands between `diff` and the first that is not forkpoint's.
fn shorten(script: &str) -> String {
    let from = script.find("diff ").map_or(0, |at| at + 5);
    script[from..].split([')', ';']).next().unwrap_or_default().trim().to_owned()
}
