//! Where reports go: formats, `-o`, and what may not be written over.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::ValueEnum;

use super::{Exit, complain};
use crate::disk;

/// The formats of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people at a terminal.
    #[default]
    Terminal,
    /// For issues and pull requests.
    Markdown,
    /// For programs; `forkpoint generate schema` describes it.
    Json,
}

/// One `-o`: a file and the format of what is written there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// What is written.
    pub format: Format,
    /// Where it is written.
    pub path: PathBuf,
}

/// Reads `FORMAT:FILE`, or a file whose extension names the format.
///
/// # Errors
/// A sentence naming what is missing.
pub fn parse_output(text: &str) -> Result<Output, String> {
    if let Some((word, path)) = text.split_once(':')
        && let Ok(format) = Format::from_str(word, false)
    {
        return to_file(format, path);
    }
    let extension = Path::new(text).extension().and_then(|extension| extension.to_str());
    match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("md" | "markdown") => to_file(Format::Markdown, text),
        Some("json") => to_file(Format::Json, text),
        Some("txt") => to_file(Format::Terminal, text),
        _ if text == "-" => to_file(Format::Terminal, text),
        _ => Err(format!("the name does not tell the format; write markdown:{text}, json:{text} or terminal:{text}")),
    }
}

fn to_file(format: Format, path: &str) -> Result<Output, String> {
    match path {
        "" => Err("a file is missing after the format".to_owned()),
        "-" => Err("standard output has a flag of its own: --format".to_owned()),
        path => Ok(Output { format, path: path.into() }),
    }
}

/// Refuses outputs that are one file, and outputs that are also an input.
///
/// # Errors
/// A sentence naming both.
pub fn refuse_collisions(outputs: &[Output], inputs: &[PathBuf]) -> anyhow::Result<()> {
    for (at, output) in outputs.iter().enumerate() {
        let path = &output.path;
        if path.is_dir() {
            bail!("-o {}: is a folder", path.display());
        }
        if let Some(twin) = outputs[..at].iter().find(|other| disk::same_target(&other.path, path)) {
            bail!("-o {} and -o {} are one file", twin.path.display(), path.display());
        }
        if let Some(input) = inputs.iter().find(|input| same_file(input, path)) {
            bail!("-o {}: is also an input ({})", path.display(), shown(input));
        }
    }
    let stdout = Path::new("/dev/stdout");
    if let Some(input) = inputs.iter().find(|input| same_file(input, stdout)) {
        bail!("standard output is also an input ({})", shown(input));
    }
    Ok(())
}

fn shown(input: &Path) -> String {
    if input == Path::new("-") { "standard input".to_owned() } else { input.display().to_string() }
}

/// Whether writing `target` would change what is read from `input`. Terminals and `/dev/null` are no trouble.
fn same_file(input: &Path, target: &Path) -> bool {
    let input = if input == Path::new("-") { Path::new("/dev/stdin") } else { input };
    let harmless = std::fs::metadata(target).is_ok_and(|about| !about.is_file() && !is_pipe(&about));
    !harmless && disk::same_target(input, target)
}

#[cfg(unix)]
fn is_pipe(about: &std::fs::Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&about.file_type())
}

#[cfg(not(unix))]
fn is_pipe(_about: &std::fs::Metadata) -> bool {
    false
}

/// Held while standard output is written to.
static WRITING: Mutex<()> = Mutex::new(());

/// How long the rest of a report may take once the process is asked to end.
const LAST_WORDS: Duration = Duration::from_millis(200);
const LAST_WORDS_STEP: Duration = Duration::from_millis(2);

/// Waits until standard output holds a whole report or none, and lets nothing be written any more. A reader that takes
/// nothing is not waited for long.
pub fn silence() {
    let begun = Instant::now();
    let free = || match WRITING.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    };
    let guard: Option<MutexGuard<'_, ()>> = loop {
        match free() {
            None if begun.elapsed() < LAST_WORDS => std::thread::sleep(LAST_WORDS_STEP),
            found => break found,
        }
    };
    std::mem::forget(guard);
}

/// Writes to standard output; a reader that has gone away is no trouble.
///
/// # Errors
/// Standard output cannot be written, for example because its disk is full.
pub fn print(text: &[u8]) -> anyhow::Result<()> {
    let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut stdout = io::stdout().lock();
    quietly(stdout.write_all(text).and_then(|()| stdout.flush())).context("failed to write to standard output")
}

/// Writes one report file, whole or not at all; a reader of a pipe that has gone away is no trouble.
///
/// # Errors
/// The file cannot be written.
pub fn write_file(path: &Path, text: &[u8]) -> anyhow::Result<()> {
    match disk::write_whole(path, text) {
        Err(disk::DiskError { error, .. }) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Where a report is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// Here, by whoever runs the program.
    Stdout,
    /// Elsewhere, at another time.
    File,
}

/// Paints and writes all reports, to standard output if it gets one, and to each file. What cannot be painted or written is told,
/// and the rest is written; then this is the exit code.
pub fn deliver(
    stdout: Option<Format>,
    files: &[Output],
    paint: impl Fn(Format, To) -> anyhow::Result<String>,
) -> Option<Exit> {
    let here = stdout.map(|format| paint(format, To::Stdout).and_then(|text| print(text.as_bytes())));
    let elsewhere = files.iter().map(|file| write_file(&file.path, paint(file.format, To::File)?.as_bytes()));
    here.into_iter().chain(elsewhere).filter_map(Result::err).map(|trouble| complain(&trouble)).last()
}

/// Turns the closed pipe of a reader that has seen enough into success.
fn quietly(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_comes_from_the_word_or_the_extension() {
        for (text, format, path) in [
            ("report.md", Format::Markdown, "report.md"),
            ("a/b.MARKDOWN", Format::Markdown, "a/b.MARKDOWN"),
            ("report.json", Format::Json, "report.json"),
            ("report.txt", Format::Terminal, "report.txt"),
            ("json:report.md", Format::Json, "report.md"),
            ("markdown:/dev/stderr", Format::Markdown, "/dev/stderr"),
            ("terminal:x:y", Format::Terminal, "x:y"),
        ] {
            assert_eq!(parse_output(text), Ok(Output { format, path: path.into() }), "{text}");
        }
    }

    #[test]
    fn an_unknown_format_names_the_way_out() {
        assert!(parse_output("report").unwrap_err().contains("markdown:report"));
        assert!(parse_output("html:report").unwrap_err().contains("markdown:html:report"));
        assert!(parse_output("-").unwrap_err().contains("--format"));
        assert!(parse_output("json:-").unwrap_err().contains("--format"));
        assert!(parse_output("json:").unwrap_err().contains("missing"));
    }

    #[test]
    fn an_output_that_is_an_input_or_another_output_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (log, link) = (folder.path().join("a.jsonl"), folder.path().join("link.md"));
        std::fs::write(&log, "").unwrap();
        std::os::unix::fs::symlink(&log, &link).unwrap();
        let output = |path: &Path| Output { format: Format::Markdown, path: path.into() };
        let inputs = [log.clone()];
        assert!(refuse_collisions(&[output(&link)], &inputs).unwrap_err().to_string().contains("also an input"));
        assert!(refuse_collisions(&[output(&log)], &inputs).is_err());
        let fresh = folder.path().join("new.md");
        let crooked = folder.path().join(".").join("new.md");
        assert!(
            refuse_collisions(&[output(&fresh), output(&crooked)], &inputs)
                .unwrap_err()
                .to_string()
                .contains("one file")
        );
        assert!(refuse_collisions(&[output(&fresh)], &inputs).is_ok());
        assert!(refuse_collisions(&[output(folder.path())], &inputs).is_err());
    }
}
