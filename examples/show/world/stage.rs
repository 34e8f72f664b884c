//! The folder that all runs play in: logs whose true answer is known, reports, a place for temporary files.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, SystemTime};

use flate2::write::GzEncoder;

use super::super::pairs::{Made, diverge, make};
use super::super::{Hindered, Room};
use crate::generate::{EditKind, Options, Size, Tids};

/// Bytes of a log: some windows, and more than a stream's queue and its pipe hold.
const LOG_BYTES: u64 = 8_000_000;
/// Until the second log begins to come; meanwhile the first one fills its queue and goes on in the spool.
const DELAY: &str = "0.06";

pub struct Stage {
    pub folder: PathBuf,
    pub made: Made,
}

impl Stage {
    pub fn set(room: &Room) -> Result<Stage, Hindered> {
        room.demand(LOG_BYTES * 10)?;
        let edits = [(1, EditKind::Value), (4, EditKind::Missing), (6, EditKind::Kind)];
        let late = LOG_BYTES / 2300;
        let diverge = edits.map(|(thread, kind)| diverge(thread, late - 64 * thread as u64, kind)).to_vec();
        let options =
            Options { seed: 7, size: Size::Bytes(LOG_BYTES), tids: Tids::Shuffle, diverge, ..Options::default() };
        let stage = Stage { folder: room.folder("stage")?, made: make(room, "kept", options)? };
        for name in ["in", "out", "tmp"] {
            room.folder(&format!("stage/{name}"))?;
        }
        let reference = std::fs::read(&stage.made.reference)?;
        let kept = |name: &str| room.path(&format!("kept/{name}"));
        std::fs::write(kept("same.jsonl"), &reference)?;
        std::fs::write(kept("holes.jsonl"), with_hole(&reference))?;
        let mut packed = GzEncoder::new(File::create(kept("reference.jsonl.gz"))?, flate2::Compression::fast());
        packed.write_all(&reference)?;
        packed.finish()?;
        let candidate = std::fs::read(&stage.made.candidate)?;
        std::fs::write(kept("candidate.jsonl.zst"), zstd::encode_all(&candidate[..], 1)?)?;
        for fifo in ["reference.fifo", "candidate.fifo"] {
            room.fifo(&format!("stage/in/{fifo}"))?;
        }
        for log in LOGS {
            stage.restore(log)?;
        }
        Ok(stage)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn kept(&self, log: &str) -> PathBuf {
        self.made.reference.with_file_name(log.trim_start_matches("in/"))
    }

    /// A log as it was, and old: whoever writes to it now gives it another time.
    pub fn restore(&self, log: &str) -> Result<(), Hindered> {
        std::fs::copy(self.kept(log), self.path(log))?;
        let old = SystemTime::now() - Duration::from_secs(60);
        Ok(File::options().write(true).open(self.path(log))?.set_modified(old)?)
    }

    /// Another file with other content, ready to take a log's place.
    pub fn spare(&self) -> Result<PathBuf, Hindered> {
        let path = self.path("in/spare");
        std::fs::write(&path, "{\"somebody\":\"else's\"}\n")?;
        Ok(path)
    }

    /// Takes away what runs leave behind, and says what that was: reports and temporary files.
    pub fn sweep(&self) -> Result<Vec<(String, Vec<u8>)>, Hindered> {
        let mut found = Vec::new();
        for folder in ["out", "tmp"] {
            for entry in std::fs::read_dir(self.path(folder))? {
                let entry = entry?;
                let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
                found.push((name, std::fs::read(entry.path())?));
                std::fs::remove_file(entry.path())?;
            }
        }
        found.sort();
        Ok(found)
    }

    /// Processes that write the two logs into the FIFOs, the second one somewhat later.
    pub fn feed(&self) -> Result<Vec<Child>, Hindered> {
        let feeder = |log: &Path, fifo: &str, delay: &str| {
            let script = "sleep \"$2\"; exec cat \"$0\" > \"$1\"";
            Command::new("sh").args(["-c", script]).arg(log).arg(self.path(fifo)).arg(delay).spawn()
        };
        let reference = feeder(&self.made.reference, "in/reference.fifo", "0")?;
        Ok(vec![reference, feeder(&self.made.candidate, "in/candidate.fifo", DELAY)?])
    }
}

/// All regular logs, by their names on the stage.
pub const LOGS: [&str; 6] = [
    "in/reference.jsonl",
    "in/candidate.jsonl",
    "in/same.jsonl",
    "in/holes.jsonl",
    "in/reference.jsonl.gz",
    "in/candidate.jsonl.zst",
];

/// The log with a line in its middle that is none.
fn with_hole(log: &[u8]) -> Vec<u8> {
    let mut holed = log.to_vec();
    let middle = holed.len() / 2;
    if let Some(feed) = holed[middle..].iter().position(|byte| *byte == b'\n') {
        holed[middle + feed + 1] = b'x';
    }
    holed
}
