//! Says what a state file is, as far as it can be read.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::body::{Body, Contents};
use super::error::SnapshotError;
use super::foreign;
use super::header::{Header, LENGTH, SnapshotKind, VERSION};
use super::load::{guessed_memory, memory_place, read_state};
use super::machine::MicrovmState;
use super::pair::previous;
use super::position::Position;
use crate::disk::{Native, Volume};

/// What a state file is; what could not be read of it is `None`, and [`Description::trouble`] says why.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Description {
    /// The file, as it was named.
    pub snapshot: PathBuf,
    /// What it begins with; of another tool's file, the magic number that it holds.
    pub magic: Option<u64>,
    /// The version of its body.
    pub version: Option<String>,
    /// The version that is written here.
    pub expected: String,
    /// Of a machine, how many processors it has.
    pub vcpu_count: Option<usize>,
    /// Of a machine, its memory in MiB, as it was configured.
    pub mem_size_mib: Option<u64>,
    /// Of a machine, whether its pages are tracked.
    pub track_dirty_pages: Option<bool>,
    /// Of a machine, its devices.
    pub devices: Option<Vec<DeviceDescription>>,
    /// Of a machine, whether it had a metadata service.
    pub mmds_present: Option<bool>,
    /// Where its memory is, or should be.
    pub memory_file: Option<PathBuf>,
    /// Bytes of the memory file, if it is there.
    pub memory_bytes: Option<u64>,
    /// Whether the bytes are those that were written.
    pub crc_ok: bool,
    /// Full or diff.
    pub kind: Option<&'static str>,
    /// Which snapshot it is.
    pub id: Option<String>,
    /// Which one it goes onto.
    pub parent: Option<String>,
    /// Bytes of RAM.
    pub memory_length: Option<u64>,
    /// Bytes of a page.
    pub page_size: Option<u64>,
    /// The address of memory's first byte.
    pub ram_start: Option<u64>,
    /// Of a diff, how many pages it holds.
    pub dirty_pages: Option<u64>,
    /// Bytes of the state, if it is a document and no machine's.
    pub document_bytes: Option<usize>,
    /// Where in the run it was taken.
    pub position: Option<Position>,
    /// What its maker wrote beside it.
    pub metadata: BTreeMap<String, String>,
    /// The tool that wrote it, if that is another.
    pub foreign: Option<&'static str>,
    /// What is wrong with it.
    pub trouble: Vec<String>,
}

/// One device of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceDescription {
    /// What it is.
    pub kind: String,
    /// Which one.
    pub id: String,
    /// Its place.
    pub slot: u32,
}

/// Says what a state file is: also a damaged one, one of a newer version, and one of another tool.
///
/// # Errors
/// It cannot be read at all, or is too large to be one.
pub fn describe(path: &Path) -> Result<Description, SnapshotError> {
    describe_on(&Native, path)
}

/// The same, on any file system.
///
/// # Errors
/// As [`describe`].
pub fn describe_on(volume: &dyn Volume, path: &Path) -> Result<Description, SnapshotError> {
    let bytes = read_state(volume, path)?;
    let mut told = Description {
        snapshot: path.to_owned(),
        magic: bytes.first_chunk().map(|magic| u64::from_le_bytes(*magic)),
        expected: VERSION.to_string(),
        memory_file: guessed_memory(path),
        ..Description::default()
    };
    match Header::read(&bytes) {
        Ok(header) => {
            told.add_header(&header, &bytes);
            // Damaged or not, as much as can be read is told; an unknown version's body is not guessed at.
            if header.version == VERSION {
                match Body::read(&bytes[LENGTH..], &header) {
                    Ok(body) => told.add_body(volume, path, &header, body),
                    Err(error) => told.trouble.push(error.to_string()),
                }
            }
        }
        Err(error) => match foreign::magic(&bytes) {
            Some(magic) => {
                (told.magic, told.foreign, told.crc_ok) = (Some(magic), Some("squib"), true);
                told.trouble.push(foreign::mismatch(magic).to_string());
            }
            None => told.trouble.push(error.to_string()),
        },
    }
    // What is none at all has no memory.
    if told.kind.is_some() || told.foreign.is_some() {
        told.add_memory(volume);
    } else {
        told.memory_file = None;
    }
    Ok(told)
}

impl Description {
    fn add_header(&mut self, header: &Header, file: &[u8]) {
        self.version = Some(header.version.to_string());
        self.kind = Some(header.kind.word());
        self.id = Some(header.id.to_string());
        self.parent = header.parent.map(|parent| parent.to_string());
        self.memory_length = Some(header.memory_length);
        self.page_size = Some(header.page_size);
        self.crc_ok = header.is_whole(file);
        if let Err(error) = header.check(file) {
            self.trouble.push(error.to_string());
        }
    }

    fn add_body(&mut self, volume: &dyn Volume, path: &Path, header: &Header, body: Body) {
        let place = memory_place(volume, path, &body.memory_name);
        let own = previous(&place, header.id);
        self.memory_file = Some(if volume.device(&own).is_ok() { own } else { place });
        self.ram_start = Some(body.ram_start);
        self.dirty_pages = (header.kind == SnapshotKind::Diff).then(|| body.dirty.map_or(0, |pages| pages.count()));
        self.position = body.position;
        self.metadata = body.metadata;
        match body.contents {
            Contents::Machine(state) => self.add_machine(&state),
            Contents::Document(text) => {
                self.document_bytes = Some(text.len());
                if let Ok(state) = serde_json::from_str::<MicrovmState>(&text) {
                    self.add_machine(&state);
                }
            }
        }
    }

    fn add_machine(&mut self, state: &MicrovmState) {
        self.vcpu_count = Some(state.vcpu_states.len());
        self.mem_size_mib = Some(state.vm_info.mem_size_mib);
        self.track_dirty_pages = Some(state.vm_info.track_dirty_pages);
        let devices = state.device_states.devices.iter();
        let told =
            devices.map(|one| DeviceDescription { kind: one.kind.clone(), id: one.id.clone(), slot: one.mmio_slot });
        self.devices = Some(told.collect());
        self.mmds_present = Some(state.mmds_state.is_some());
    }

    fn add_memory(&mut self, volume: &dyn Volume) {
        let Some(path) = &self.memory_file else { return };
        match volume.open(path).and_then(|file| file.length()) {
            Ok(length) => {
                self.memory_bytes = Some(length);
                if let Some(wanted) = self.memory_length.filter(|wanted| *wanted != length) {
                    let why = format!("{length} bytes; the memory of this state has {wanted}");
                    self.trouble.push(SnapshotError::Memory { path: path.clone(), why }.to_string());
                }
            }
            Err(error) => {
                let why = error.to_string();
                self.trouble.push(SnapshotError::Memory { path: path.clone(), why }.to_string());
            }
        }
    }

    /// For people: one line a field, its value from column 24.
    pub fn human(&self) -> String {
        let mut text = format!("snapshot: {}\n", self.snapshot.display());
        let mut line = |label: &str, value: &str| {
            let _ = writeln!(text, "  {:<20} {value}", format!("{label}:"));
        };
        if let Some(magic) = self.magic {
            line("magic", &format!("{magic:#018x}"));
        }
        if let Some(tool) = self.foreign {
            line("written by", tool);
        }
        if let Some(version) = &self.version {
            line("version", version);
            if *version != self.expected {
                line("expected (forkpoint)", &self.expected);
            }
        }
        let mut some = |label: &str, value: Option<String>| value.into_iter().for_each(|value| line(label, &value));
        some("vcpu_count", self.vcpu_count.map(|count| count.to_string()));
        some("mem_size_mib", self.mem_size_mib.map(|size| size.to_string()));
        some("track_dirty_pages", self.track_dirty_pages.map(|tracked| tracked.to_string()));
        some(
            "devices",
            self.devices.as_ref().map(|devices| {
                let each = devices.iter().map(|one| format!("\n    - {}: {} (slot {})", one.kind, one.id, one.slot));
                devices.len().to_string() + &each.collect::<String>()
            }),
        );
        some("mmds_present", self.mmds_present.map(|present| present.to_string()));
        some(
            "memory file",
            self.memory_file.as_ref().map(|path| match self.memory_bytes {
                Some(bytes) => format!("{} ({bytes} bytes)", path.display()),
                None => format!("{} (MISSING)", path.display()),
            }),
        );
        some("crc_ok", Some(if self.crc_ok { "yes" } else { "NO" }.to_owned()));
        some("kind", self.kind.map(str::to_owned));
        some("id", self.id.clone());
        some("parent", self.parent.clone());
        some("memory_length", self.memory_length.map(|length| length.to_string()));
        some("page_size", self.page_size.map(|size| size.to_string()));
        some("ram_start", self.ram_start.map(|start| format!("{start:#x}")));
        some("dirty_pages", self.dirty_pages.map(|pages| pages.to_string()));
        some("document_bytes", self.document_bytes.map(|bytes| bytes.to_string()));
        some("position", self.position.as_ref().map(Position::told));
        for (key, value) in &self.metadata {
            some("metadata", Some(format!("{key}={value}")));
        }
        for trouble in &self.trouble {
            some("trouble", Some(trouble.clone()));
        }
        text
    }
}
