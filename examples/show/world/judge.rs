//! What became of a run: right, trouble told, ended by the signal, quiet; or wrong.

use serde_json::Value;

use super::fault::{Fault, Outside};
use super::job::Rehearsed;
use super::play::{OLD_REPORT, Played};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Became {
    /// The undisturbed run's answer, exit code and files.
    Right,
    /// Exit 2, a sentence that names the place, whatever was written whole.
    Trouble,
    /// Ended by the signal that was sent, which a shell tells as 128 and its number.
    Ended(i32),
    /// The reader of standard output went away, and nothing was said.
    Quiet,
    Wrong(String),
}

/// Whether the fault met the run; a limit met it if it shows.
pub fn was_struck(fault: &Fault<'_>, played: &Played, became: &Became) -> bool {
    match (&fault.order, fault.outside) {
        (Some(_), _) => !played.struck.is_empty(),
        (None, Outside::Limit(..) | Outside::ReaderGone { .. }) => *became != Became::Right,
        (None, _) => played.was_met,
    }
}

pub fn judge(rehearsed: &Rehearsed, fault: &Fault<'_>, played: &Played) -> Became {
    let wrong = |what: String| Became::Wrong(format!("{what}; stderr: {}", shorten(&played.stderr)));
    if played.hung {
        return wrong("it hung".to_owned());
    }
    if let Some(word) = OUTCRIES.into_iter().find(|word| played.stderr.contains(word)) {
        return wrong(format!("{word:?} (exit {:?}, signal {:?})", played.code, played.signal));
    }
    if played.struck.iter().any(|(kind, _)| kind == "failed") {
        return wrong("the shim failed".to_owned());
    }
    let (job, calm) = (&rehearsed.job, &rehearsed.calm);
    if let Some(why) = unsound_files(rehearsed, fault, played) {
        return wrong(why);
    }
    let is_calm = |output: &str| content(played, output) == content(calm, output);
    let is_right = played.code == calm.code && job.outputs().all(is_calm);
    let is_same = played.stdout == calm.stdout || fault.is_remarked && without_notes(played) == without_notes(calm);
    if is_right && is_same && !(fault.is_stdout_lost && matches!(fault.outside, Outside::Full)) {
        return Became::Right;
    }
    match (played.code, played.signal) {
        (_, Some(signal)) if fault.signals.contains(&signal) => {
            if played.stdout.is_empty() || played.stdout == calm.stdout || is_part_of_check(rehearsed, played) {
                Became::Ended(signal)
            } else {
                wrong("half a report on standard output".to_owned())
            }
        }
        (_, Some(signal)) => wrong(format!("ended by signal {signal}")),
        (code, None) if fault.is_reader_gone && is_right => {
            let is_quiet = !played.stderr.contains("forkpoint: ") && calm.stdout.starts_with(&played.stdout);
            if is_quiet { Became::Quiet } else { wrong(format!("exit {code:?}, not quiet")) }
        }
        (Some(2), None) => match unsound_trouble(rehearsed, fault, played) {
            None => Became::Trouble,
            Some(why) => wrong(why),
        },
        (code, None) => wrong(format!("exit {code:?} and not the undisturbed run's answer")),
    }
}

/// What no run may ever say.
const OUTCRIES: [&str; 4] = ["panicked", "memory allocation of", "RUST_BACKTRACE", "fatal runtime error"];

/// What is wrong with a run that ended with trouble.
fn unsound_trouble(rehearsed: &Rehearsed, fault: &Fault<'_>, played: &Played) -> Option<String> {
    let calm = &rehearsed.calm;
    if fault.names.is_empty() {
        return Some("trouble, where nothing had to fail".to_owned());
    }
    let told = played.stderr.lines().any(|line| fault.names.iter().any(|name| line.contains(name.as_str())));
    if !told {
        return Some(format!("exit 2, but no sentence names {:?}", fault.names));
    }
    let is_sound = played.stdout.is_empty()
        || played.stdout == calm.stdout
        || fault.is_stdout_lost && calm.stdout.starts_with(&played.stdout)
        || is_report_of_trouble(&played.stdout)
        || is_part_of_check(rehearsed, played);
    (!is_sound)
        .then(|| format!("exit 2, but standard output holds {}", shorten(&String::from_utf8_lossy(&played.stdout))))
}

/// Whether `check` told some of its logs as it does undisturbed, a line each.
fn is_part_of_check(rehearsed: &Rehearsed, played: &Played) -> bool {
    let is_told = |line: &[u8]| rehearsed.calm.stdout.split_inclusive(|byte| *byte == b'\n').any(|told| told == line);
    rehearsed.job.words[0] == "check" && played.stdout.split_inclusive(|byte| *byte == b'\n').all(is_told)
}

/// A JSON report but for its notes.
fn without_notes(played: &Played) -> Option<Value> {
    let mut report: Value = serde_json::from_slice(&played.stdout).ok()?;
    report.as_object_mut()?.remove("notes");
    Some(report)
}

/// What is wrong with the files: each report is the old one, the undisturbed run's, a whole one of trouble, or not
/// there; and there are no others.
fn unsound_files(rehearsed: &Rehearsed, fault: &Fault<'_>, played: &Played) -> Option<String> {
    for (name, bytes) in &played.left {
        let is_whole = Some(bytes) == content(&rehearsed.calm, name) || is_report_of_trouble(bytes);
        if !rehearsed.job.outputs().any(|output| output == name) {
            return Some(format!("{name} was left behind"));
        }
        if !(is_whole || fault.has_old_reports && bytes == OLD_REPORT) {
            return Some(format!("{name} holds neither the old report nor a whole new one, but {} bytes", bytes.len()));
        }
    }
    let lost = rehearsed.job.outputs().find(|output| fault.has_old_reports && content(played, output).is_none());
    lost.map(|output| format!("{output} is gone"))
}

fn content<'p>(played: &'p Played, name: &str) -> Option<&'p Vec<u8>> {
    played.left.iter().find(|(left, _)| left == name).map(|(_, bytes)| bytes)
}

/// Whether a report, in whatever format, tells of trouble, and is whole as far as its format shows that.
fn is_report_of_trouble(bytes: &[u8]) -> bool {
    match serde_json::from_slice::<Value>(bytes) {
        Ok(report) => report["verdict"] == "trouble",
        Err(_) => {
            let text = String::from_utf8_lossy(bytes);
            !text.starts_with('{') && text.ends_with('\n') && text.lines().take(3).any(|line| line.contains("trouble"))
        }
    }
}

fn shorten(text: &str) -> String {
    let text = text.trim().replace('\n', " | ");
    match text.char_indices().nth(300) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
