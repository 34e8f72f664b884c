//! A dated record of a demonstration: what it printed, and on which machine.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use super::Hindered;

/// Runs this very program again without `--record`, and writes down what it prints while it prints it.
pub fn record(file: &Path, arguments: &[String]) -> Result<ExitCode, Hindered> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut out = File::create(file).map_err(|error| format!("{}: {error}", file.display()))?;
    write!(out, "{}", head(arguments))?;
    let mut child = Command::new(std::env::current_exe()?).args(arguments).stdout(Stdio::piped()).spawn()?;
    let mut stdout = child.stdout.take().expect("piped");
    let mut buffer = [0; 4096];
    loop {
        let count = stdout.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        std::io::stdout().write_all(&buffer[..count])?;
        out.write_all(&buffer[..count])?;
    }
    let status = child.wait()?;
    writeln!(out, "exit {}", status.code().map_or("by a signal".to_owned(), |code| code.to_string()))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The arguments without `--record FILE`.
pub fn without_record(arguments: impl Iterator<Item = String>) -> Vec<String> {
    without(arguments, "--record")
}

/// The arguments without an option and its value, however the two are joined.
fn without(arguments: impl Iterator<Item = String>, option: &str) -> Vec<String> {
    let mut is_value = false;
    let keeps = |argument: &String| {
        let is_kept =
            !is_value && argument != option && argument.strip_prefix(option).is_none_or(|rest| !rest.starts_with('='));
        is_value = !is_value && argument == option;
        is_kept
    };
    arguments.filter(keeps).collect()
}

/// Date, machine, versions, commit, command.
fn head(arguments: &[String]) -> String {
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory.lines().next().unwrap_or("").split_whitespace().nth(1).unwrap_or("?").to_owned();
    let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    // Records of this day may stand there already.
    let status = ["status", "--porcelain", "--untracked-files=no", "--", ".", ":!benches/records"];
    let dirty = if says("git", &status).is_empty() { "" } else { ", changed" };
    let lines = [
        ("date", says("date", &["-u", "+%Y-%m-%d %H:%M UTC"])),
        ("machine", format!("{}, {processors} processors, {memory} kB", model.map_or("?", |(_, model)| model))),
        ("kernel", says("uname", &["-sr"])),
        ("rustc", says("rustc", &["--version"])),
        ("flags", format!("RUSTFLAGS={:?}", std::env::var("RUSTFLAGS").unwrap_or_default())),
        ("cmp", says("cmp", &["--version"])),
        ("commit", format!("{}{dirty}", says("git", &["rev-parse", "--short", "HEAD"]))),
        ("command", format!("show {}", command(arguments))),
    ];
    let lines: String = lines.iter().map(|(key, value)| format!("{key:8} {value}\n")).collect();
    lines + "\n"
}

/// The arguments as anyone would give them: without where this machine keeps its pairs, other
/// files by name only.
fn command(arguments: &[String]) -> String {
    let name = |argument: String| match Path::new(&argument).file_name().and_then(|name| name.to_str()) {
        Some(name) => name.to_owned(),
        None => argument,
    };
    without(arguments.iter().cloned(), "--scratch").into_iter().map(name).collect::<Vec<_>>().join(" ")
}

/// The first line that a tool prints, or that it is missing.
pub fn says(tool: &str, arguments: &[&str]) -> String {
    match Command::new(tool).args(arguments).stderr(Stdio::null()).output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or("").trim().to_owned(),
        Err(_) => format!("{tool} is missing"),
    }
}
