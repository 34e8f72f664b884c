//! What was typed behind `forkpoint record`.
// Doc comments of arguments are help texts: their brackets are no links.
#![allow(rustdoc::broken_intra_doc_links)]

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::cli::pair::parse_pair;
use crate::episode::collect::CapturePlan;
use crate::episode::{Phase, parse_time};

/// Shown below the help.
pub const EXAMPLES: &str = "\
Examples:
  forkpoint record -- make bench
  forkpoint record --phase idle:5s --phase load:20s --on-phase './load.sh' -- ./server
  forkpoint record --pid 4711 --duration 30s --interval 10ms
  forkpoint record --phase boot:until=session_open,max=60s --phase load:10s -- ./vm.sh
  forkpoint episode list";

/// Runs a command, or watches a process that runs, and keeps what was observed as a folder: DIR/episodes/ID.
///
/// The folder's path is printed on standard output. An episode lasts until its phases are over, the command ends, or INT or TERM comes.
/// Exit codes: 0 all that was asked for was observed, 3 something was not (standard error and meta.json say what), 2 nothing was kept.
#[derive(Clone, Debug, clap::Args)]
pub struct RecordArgs {
    /// The command, with its arguments
    #[arg(value_name = "COMMAND", trailing_var_arg = true, required_unless_present = "pid")]
    pub command: Vec<OsString>,
    /// Watch this process instead of a command, and leave it running
    #[arg(long, value_name = "PID", conflicts_with = "command", allow_negative_numbers = true)]
    pub pid: Option<i64>,
    /// The folder in which episodes/ is, or is made
    #[arg(long, short = 'o', value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// Return the command's own exit code, if anything was kept
    #[arg(long, conflicts_with = "pid")]
    pub pass_exit: bool,
    /// How long a command may take to end once it was asked to, by TERM; then it is killed
    #[arg(long, value_name = "TIME", value_parser = parse_time, default_value = "3s", hide_short_help = true)]
    pub grace: Duration,
    /// Phases.
    #[command(flatten)]
    pub phases: PhaseArgs,
    /// Collectors.
    #[command(flatten)]
    pub collect: CollectArgs,
    /// What it is of.
    #[command(flatten)]
    pub about: AboutArgs,
}

/// Which phases there are.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Phases")]
pub struct PhaseArgs {
    /// One phase, clean, of so long [default: until the command ends]
    #[arg(long, value_name = "TIME", value_parser = parse_time, conflicts_with_all = ["phase", "schedule"])]
    pub duration: Option<Duration>,
    /// A phase: NAME:5s, or NAME:until=EVENT,max=30s (repeatable)
    #[arg(long, value_name = "NAME:TIME", value_parser = |text: &str| text.parse::<Phase>())]
    pub phase: Vec<Phase>,
    /// Phases from a JSON file, as [["clean", 5], ["load", 10]]
    #[arg(long, value_name = "FILE", conflicts_with = "phase")]
    pub schedule: Option<PathBuf>,
    /// A shell command at each phase's begin, with its name in FORKPOINT_PHASE; no phase waits for it
    #[arg(long, value_name = "COMMAND")]
    pub on_phase: Option<String>,
}

/// What is collected.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Collectors")]
pub struct CollectArgs {
    /// How often /proc is read
    #[arg(long, value_name = "TIME", value_parser = parse_interval, default_value = "100ms")]
    pub interval: Duration,
    /// Do not read /proc
    #[arg(long)]
    pub no_proc: bool,
    /// Counters of the processor, by perf stat [default TIME: 100ms]
    #[arg(long, value_name = "TIME", value_parser = parse_interval, num_args = 0..=1, require_equals = true, default_missing_value = "100ms")]
    pub perf: Option<Duration>,
    /// QEMU's monitor: status and blocks, every second, or as ms says
    #[arg(long, value_name = "SOCKET[,ms=N]", value_parser = parse_qmp)]
    pub qmp: Option<(PathBuf, Duration)>,
    /// A socket on which a guest tells of itself, a JSON object a line
    #[arg(long, value_name = "SOCKET")]
    pub guest: Option<PathBuf>,
    /// A network interface, by tcpdump, as in br0,ip=10.0.0.1,snaplen=256
    #[arg(long, value_name = "IFACE[,ip=ADDRESS,snaplen=N]", value_parser = parse_capture)]
    pub iface: Option<CapturePlan>,
}

/// What an episode is of.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "About the run")]
pub struct AboutArgs {
    /// The machine's snapshot that the run begins from
    #[arg(long, value_name = "NAME")]
    pub snapshot: Option<String>,
    /// Put the machine back to its snapshot: start, end, or both, as in start,end
    #[arg(long, value_name = "WHEN", value_delimiter = ',', requires_all = ["snapshot", "qmp"])]
    pub revert: Vec<When>,
    /// Something to be kept in meta.json (repeatable)
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_pair)]
    pub meta: Vec<(String, String)>,
    /// The same from a JSON file; its vm, exploit and sample have places of their own
    #[arg(long, value_name = "FILE")]
    pub meta_file: Option<PathBuf>,
    /// The folder of the code whose version is kept
    #[arg(long, value_name = "DIR", default_value = ".", hide_short_help = true)]
    pub code: PathBuf,
}

/// When a machine is put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum When {
    /// Before the first phase
    Start,
    /// Behind the last
    End,
}

fn parse_interval(text: &str) -> Result<Duration, String> {
    let time = parse_time(text)?;
    if time < Duration::from_millis(1) { Err("at least 1ms".to_owned()) } else { Ok(time) }
}

/// A name and what stands behind it, `key=value` by `key=value`.
fn parse_named(
    text: &str,
    known: &[&str],
    mut take: impl FnMut(&str, &str) -> Result<(), String>,
) -> Result<String, String> {
    let mut parts = text.split(',');
    let name = parts.next().filter(|name| !name.is_empty()).ok_or("a name is missing")?;
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        if !known.contains(&key) {
            return Err(format!("{key:?} is not known here; {} is", known.join(", ")));
        }
        take(key, value).map_err(|why| format!("{key}: {why}"))?;
    }
    Ok(name.to_owned())
}

fn parse_qmp(text: &str) -> Result<(PathBuf, Duration), String> {
    let mut interval = Duration::from_secs(1);
    let socket = parse_named(text, &["ms"], |_, value| {
        let ms = value.parse().ok().filter(|ms| *ms > 0).ok_or(format!("{value:?} are no milliseconds"))?;
        interval = Duration::from_millis(ms);
        Ok(())
    })?;
    Ok((PathBuf::from(socket), interval))
}

fn parse_capture(text: &str) -> Result<CapturePlan, String> {
    let (mut ip, mut snaplen) = (None, 256);
    let iface = parse_named(text, &["ip", "snaplen"], |key, value| {
        if key == "ip" {
            ip = Some(value.parse::<IpAddr>().map_err(|_| format!("{value:?} is no address"))?);
        } else {
            snaplen = value.parse().ok().filter(|bytes| *bytes > 0).ok_or(format!("{value:?} are no bytes"))?;
        }
        Ok(())
    })?;
    if iface.starts_with('-') {
        return Err(format!("{iface:?} is no interface"));
    }
    Ok(CapturePlan { iface, ip, snaplen })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_a_socket_or_an_interface_is_read() {
        assert_eq!(parse_qmp("/a b.sock,ms=250"), Ok((PathBuf::from("/a b.sock"), Duration::from_millis(250))));
        assert_eq!(parse_qmp("q").unwrap().1, Duration::from_secs(1));
        let capture = parse_capture("br0,ip=10.0.0.1,snaplen=96").unwrap();
        assert_eq!((capture.iface.as_str(), capture.ip, capture.snaplen), ("br0", "10.0.0.1".parse().ok(), 96));
        assert_eq!(parse_capture("br0").unwrap().snaplen, 256);
        for (told, why) in [
            (parse_qmp(",ms=1").map(drop), "a name is missing"),
            (parse_qmp("q,ms=0").map(drop), "ms: \"0\" are no milliseconds"),
            (parse_qmp("q,s=1").map(drop), "\"s\" is not known here; ms is"),
            (parse_capture("br0,ip=x").map(drop), "ip: \"x\" is no address"),
            (parse_capture("br0,snaplen=").map(drop), "snaplen: \"\" are no bytes"),
            (parse_capture("-w").map(drop), "is no interface"),
            (parse_interval("0s").map(drop), "at least 1ms"),
        ] {
            assert!(told.as_ref().unwrap_err().contains(why), "{told:?}");
        }
    }
}
