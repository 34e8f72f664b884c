//! The collector `pcap`: packets of an interface, written by `tcpdump`, and counted while they are.
//!
//! Buckets are made from what tcpdump has written so far, so that an end after hours is no later than one after seconds.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::collector::{Collector, Desk, Failure, Words};
use super::netflow::{Bucket, Netflow};
use super::program::{Program, not_started};
use crate::episode::clock::wall_ns;
use crate::episode::rows::{Fields, fields};

/// The file of packets.
pub const PACKETS: &str = "network.pcap";
/// How long tcpdump may take to listen.
const BEGIN: Duration = Duration::from_secs(3);
/// How often what it has written is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// What it says when it listens.
const LISTENS: &str = "listening on";
/// How much of a file is read at once.
const PIECE: u64 = 1 << 20;
/// How late a packet may come to where it is counted.
const LATE_NS: u64 = 10_000_000_000;
/// How long at the end may be spent on what was not counted yet.
const REST: Duration = Duration::from_millis(500);

/// Packets of an interface.
#[derive(Clone, Debug)]
pub struct Capture {
    /// `tcpdump`.
    pub program: PathBuf,
    /// Which interface.
    pub iface: String,
    /// Whose directions are told.
    pub ip: Option<IpAddr>,
    /// How much of a packet is kept.
    pub snaplen: u32,
}

/// What is made of the packets meanwhile.
#[derive(Debug)]
struct Counting {
    file: File,
    netflow: Netflow,
    error: Option<String>,
}

impl Collector for Capture {
    fn name(&self) -> &'static str {
        "pcap"
    }

    fn file(&self) -> String {
        "netflow.jsonl".to_owned()
    }

    fn words(&self) -> Words {
        Words { first_row: Some("netflow_first_row".to_owned()), finished: None, reason: "error" }
    }

    fn run(&mut self, desk: &mut Desk) -> Result<Fields, Failure> {
        desk.with_failure(fields! { "iface" => self.iface });
        let path = desk.path(PACKETS);
        let unavailable = |error: std::io::Error| Failure::Unavailable(format!("{}: {error}", path.display()));
        let file = OpenOptions::new().append(true).create_new(true).open(&path).map_err(unavailable)?;
        let started = self.start(desk, file).and_then(|program| Ok((program, File::open(&path).map_err(unavailable)?)));
        let (mut program, file) = match started {
            Ok(started) => started,
            Err(failure) => {
                // A file without a packet would look like a silent interface.
                let _ = std::fs::remove_file(&path);
                return Err(failure);
            }
        };
        let netflow = Netflow::new(self.ip, wall_ns(), desk.clock().now());
        desk.started(fields! { "iface" => self.iface, "snaplen" => self.snaplen });
        let mut counting = Counting { file, netflow, error: None };
        let listened = listen(desk, &mut program, &mut counting);
        let stopped = program.stop(&mut Vec::new());
        let pcap_bytes = length(&path);
        desk.count("pcap_bytes", pcap_bytes);
        let code = stopped.as_ref().ok().and_then(|stopped| stopped.code);
        let told = summary(&program.said());
        desk.event("pcap_stopped", told.fields(code, pcap_bytes));
        counting.finish(desk)?;
        if listened? {
            return Err(Failure::Failed(format!("tcpdump ended by itself, {}", program.end())));
        }
        match stopped {
            Err(error) => return Err(Failure::Failed(error.to_string())),
            Ok(stopped) if stopped.was_killed => desk.lacks("tcpdump had to be killed: its last packets may be lost"),
            Ok(_) => {}
        }
        // tcpdump itself says nothing of a disk that is full.
        if let Some(captured) =
            told.captured.filter(|captured| counting.error.is_none() && *captured > counting.netflow.packets())
        {
            let written = counting.netflow.packets();
            return Err(Failure::Failed(format!(
                "tcpdump saw {captured} packets and wrote {written}; is the disk full?"
            )));
        }
        if counting.error.is_none() && counting.netflow.packets() == 0 {
            desk.lacks("no packets");
        }
        if let Some(dropped @ 1..) = told.dropped {
            desk.lacks(&format!("the kernel dropped {dropped} packets"));
        }
        Ok(Fields::new())
    }
}

impl Capture {
    /// Starts tcpdump, and waits until it listens. Its packets go to a file that is open already: it changes to a user of its own, who
    /// may have no way into the episode's folder.
    fn start(&self, desk: &Desk, file: File) -> Result<Program, Failure> {
        let mut command = Command::new(&self.program);
        command.args(["-n", "-U", "--immediate-mode", "-s", &self.snaplen.to_string(), "-i", &self.iface, "-w", "-"]);
        command.env("LC_ALL", "C").stdout(Stdio::from(file));
        let mut program =
            Program::start(command).map_err(|error| Failure::Unavailable(not_started(&self.program, &error)))?;
        let until = Instant::now() + BEGIN;
        while !program.said().contains(LISTENS) {
            let ended = program.has_ended(&mut Vec::new());
            if ended.map_err(|error| Failure::Unavailable(error.to_string()))? && !program.said().contains(LISTENS) {
                return Err(Failure::Unavailable(program.end()));
            }
            if Instant::now() >= until || desk.stop().is_raised() {
                let said = program.said();
                let why = format!("tcpdump did not listen in time{}{said}", if said.is_empty() { "" } else { ": " });
                return Err(Failure::Unavailable(why));
            }
            hear(desk, &mut program)?;
        }
        Ok(program)
    }
}

/// Hears what tcpdump says for a moment.
fn hear(desk: &Desk, program: &mut Program) -> Result<(), Failure> {
    let is_open = program.listen(&mut Vec::new(), LOOK).map_err(|error| Failure::Failed(error.to_string()))?;
    if !is_open {
        desk.stop().wait(LOOK);
    }
    Ok(())
}

/// Counts packets until all is to end or tcpdump does; whether it did by itself.
fn listen(desk: &mut Desk, program: &mut Program, counting: &mut Counting) -> Result<bool, Failure> {
    while !desk.stop().is_raised() {
        if program.has_ended(&mut Vec::new()).map_err(|error| Failure::Failed(error.to_string()))? {
            return Ok(true);
        }
        counting.read(desk, Instant::now() + LOOK)?;
        hear(desk, program)?;
    }
    Ok(false)
}

impl Counting {
    /// Counts what was written since, until then at most; whether that is all. What cannot be counted is told, and stays in the file.
    fn read(&mut self, desk: &mut Desk, until: Instant) -> Result<bool, Failure> {
        let mut piece = Vec::new();
        while self.error.is_none() {
            piece.clear();
            self.netflow.set_clocks(wall_ns(), desk.clock().now());
            let read = (&self.file).take(PIECE).read_to_end(&mut piece).map_err(|error| error.to_string());
            let taken = read.and_then(|_| self.netflow.push(&piece).map_err(|error| error.to_string()));
            self.error = taken.err();
            let whole_ns = desk.clock().now().saturating_sub(LATE_NS);
            while let Some(bucket) = self.netflow.take(whole_ns) {
                self.row(desk, bucket)?;
            }
            if piece.is_empty() {
                return Ok(true);
            }
            if Instant::now() >= until {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn row(&self, desk: &mut Desk, (number, bucket): (u64, Bucket)) -> Result<(), Failure> {
        let (at, wall) = self.netflow.times(number);
        desk.row_at(at, wall, bucket.row())?;
        desk.count("netflow", desk.rows());
        Ok(())
    }

    /// All that has not been told yet. Where counting failed, nothing is no sign of silence.
    fn rest(&mut self, desk: &mut Desk) -> Result<(), Failure> {
        let now = if self.error.is_none() { desk.clock().now() } else { 0 };
        while let Some(bucket) = self.netflow.take(now).or_else(|| self.netflow.take_any()) {
            self.row(desk, bucket)?;
        }
        Ok(())
    }

    /// Counts the rest, and says what became of it.
    fn finish(&mut self, desk: &mut Desk) -> Result<(), Failure> {
        let done = self.read(desk, Instant::now() + REST).and_then(|is_all| {
            if !is_all {
                self.error = Some("there were more packets than could be counted".to_owned());
            }
            self.rest(desk)
        });
        if let Err(Failure::Failed(error) | Failure::Unavailable(error)) = &done {
            self.error = Some(error.clone());
        }
        let about = fields! { "rows" => desk.rows(), "packets" => self.netflow.packets() };
        if let Some(error) = &self.error {
            desk.lacks(&format!("netflow: {error}"));
            let mut told = fields! { "error" => error };
            told.extend(about);
            desk.event("netflow_failed", told);
            return done;
        }
        let mut told = fields! { "late" => self.netflow.late(), "torn_bytes" => self.netflow.torn() };
        told.extend(about);
        desk.event("netflow_finished", told);
        done
    }
}

/// What tcpdump says at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Summary {
    captured: Option<u64>,
    dropped: Option<u64>,
}

fn summary(said: &str) -> Summary {
    let before = |words: &str| said.split(words).next()?.rsplit(' ').find(|word| !word.is_empty())?.parse().ok();
    let of = |words: &str| said.contains(words).then(|| before(words)).flatten();
    Summary { captured: of(" packets captured"), dropped: of(" packets dropped by kernel") }
}

impl Summary {
    fn fields(self, code: Option<i32>, pcap_bytes: u64) -> Fields {
        fields! { "rc" => code, "pcap_bytes" => pcap_bytes, "captured" => self.captured, "dropped" => self.dropped }
    }
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_of_tcpdump_are_read() {
        let said =
            "tcpdump: listening on lo; 12 packets captured; 30 packets received by filter; 3 packets dropped by kernel";
        assert_eq!(summary(said), Summary { captured: Some(12), dropped: Some(3) });
        assert_eq!(summary("tcpdump: Unable to write output"), Summary::default());
    }
}
