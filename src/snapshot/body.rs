//! What a state file holds behind its header.
//!
//! A little bitcode, and then plain sections whose lengths it tells. Bitcode packs numbers up to 64-fold and bytes eightfold, and cannot be told how much it may unpack:
//! so whatever there may be many of is a section, and the bitcode has a fixed number of fields and texts, which it stores as they are.

use std::collections::BTreeMap;

use super::dirty::DirtyPages;
use super::error::SnapshotError;
use super::header::{BODY_MAX, Header};
use super::machine::{DeviceStates, GicState, MicrovmState, MmdsState, VmInfo};
use super::plain::text;
use super::position::Position;
use super::processors::{read_devices, read_processors, write_devices, write_processors};
use super::sums::Sums;

/// The state that a snapshot keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    /// That of a virtual machine.
    Machine(Box<MicrovmState>),
    /// Any JSON document, as text.
    Document(String),
}

impl From<MicrovmState> for Contents {
    fn from(state: MicrovmState) -> Contents {
        Contents::Machine(Box::new(state))
    }
}

/// What a state file holds, but for what its header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The state.
    pub contents: Contents,
    /// The address of the first byte of memory.
    pub ram_start: u64,
    /// The memory file, as seen from the state file's folder.
    pub memory_name: String,
    /// Where in the run this is.
    pub position: Option<Position>,
    /// What its maker wrote beside it.
    pub metadata: BTreeMap<String, String>,
    /// A checksum for each MiB of the memory file.
    pub sums: Sums,
    /// For a diff, which pages its memory file holds.
    pub dirty: Option<DirtyPages>,
}

/// The sections, in their order.
const SECTIONS: usize = 7;

/// The bitcode of version 1. Its fields and their order never change: a file of theirs is among the tests' golden ones.
#[derive(bitcode::Encode, bitcode::Decode)]
struct Fixed {
    machine: bool,
    mem_size_mib: u64,
    smt: bool,
    cpu_template: String,
    kernel_image_path: String,
    initrd_path: Option<String>,
    boot_args: String,
    track_dirty_pages: bool,
    gic_len: u64,
    mmds: bool,
    mmds_ttl_seconds: Option<u32>,
    ram_start: u64,
    memory_name: String,
    position: Option<String>,
    metadata: String,
    dirty: bool,
    sections: [u64; SECTIONS],
}

impl Body {
    /// The body's bytes, and how many of them are bitcode.
    ///
    /// # Errors
    /// There would be more than [`BODY_MAX`].
    pub fn write(&self) -> Result<(Vec<u8>, u32), SnapshotError> {
        let nothing = VmInfo::default();
        let machine = match &self.contents {
            Contents::Machine(state) => Some(&**state),
            Contents::Document(_) => None,
        };
        let vm = machine.map_or(&nothing, |state| &state.vm_info);
        let mmds = machine.and_then(|state| state.mmds_state.as_ref());
        let processors = machine.map_or(Vec::new(), |state| write_processors(&state.vcpu_states));
        let devices = machine.map_or(Vec::new(), |state| write_devices(&state.device_states.devices));
        let document = match &self.contents {
            Contents::Document(text) => text.as_bytes(),
            Contents::Machine(_) => &[],
        };
        let sections: [&[u8]; SECTIONS] = [
            &processors,
            &devices,
            machine.map_or(&[], |state| &state.gic_state.bytes),
            mmds.map_or(&[], |mmds| mmds.data_json.as_bytes()),
            document,
            self.sums.bytes(),
            self.dirty.as_ref().map_or(&[], DirtyPages::bytes),
        ];
        let fixed = Fixed {
            machine: machine.is_some(),
            mem_size_mib: vm.mem_size_mib,
            smt: vm.smt,
            cpu_template: vm.cpu_template.clone(),
            kernel_image_path: vm.kernel_image_path.clone(),
            initrd_path: vm.initrd_path.clone(),
            boot_args: vm.boot_args.clone(),
            track_dirty_pages: vm.track_dirty_pages,
            gic_len: machine.map_or(0, |state| state.gic_state.len),
            mmds: mmds.is_some(),
            mmds_ttl_seconds: mmds.and_then(|mmds| mmds.token_ttl_seconds),
            ram_start: self.ram_start,
            memory_name: self.memory_name.clone(),
            position: self.position.as_ref().map(Position::write),
            metadata: serde_json::to_string(&self.metadata).expect("texts by texts are JSON"),
            dirty: self.dirty.is_some(),
            sections: sections.map(|section| section.len() as u64),
        };
        let mut bytes = bitcode::encode(&fixed);
        let length = bytes.len() as u64 + fixed.sections.iter().sum::<u64>();
        if length > BODY_MAX {
            return Err(SnapshotError::SizeLimitExceeded(BODY_MAX));
        }
        let bitcode_length = bytes.len() as u32;
        bytes.reserve_exact((length - bytes.len() as u64) as usize);
        sections.iter().for_each(|section| bytes.extend_from_slice(section));
        Ok((bytes, bitcode_length))
    }

    /// The body that [`Body::write`] wrote; `header` is its own, and its checksum was right.
    ///
    /// # Errors
    /// It does not hold what it should.
    pub fn read(bytes: &[u8], header: &Header) -> Result<Body, SnapshotError> {
        let wrong = |what: &str| SnapshotError::Bitcode(what.to_owned());
        let length = header.bitcode_length as usize;
        let (bitcode, mut rest) = bytes.split_at_checked(length).ok_or_else(|| wrong("the body ends too early"))?;
        let fixed: Fixed = bitcode::decode(bitcode).map_err(|error| SnapshotError::Bitcode(error.to_string()))?;
        let mut sections: [&[u8]; SECTIONS] = [&[]; SECTIONS];
        for (section, length) in sections.iter_mut().zip(fixed.sections) {
            let length = usize::try_from(length).map_err(|_| wrong("a section is too long"))?;
            (*section, rest) = rest.split_at_checked(length).ok_or_else(|| wrong("a section ends too early"))?;
        }
        if !rest.is_empty() {
            return Err(SnapshotError::Bitcode(format!("{} bytes are left behind the last section", rest.len())));
        }
        let [processors, devices, gic, mmds, document, sums, dirty] = sections;
        let contents = if fixed.machine {
            Contents::from(MicrovmState {
                vm_info: VmInfo {
                    mem_size_mib: fixed.mem_size_mib,
                    smt: fixed.smt,
                    cpu_template: fixed.cpu_template,
                    kernel_image_path: fixed.kernel_image_path,
                    initrd_path: fixed.initrd_path,
                    boot_args: fixed.boot_args,
                    track_dirty_pages: fixed.track_dirty_pages,
                },
                vcpu_states: read_processors(processors)?,
                device_states: DeviceStates { devices: read_devices(devices)? },
                gic_state: GicState { len: fixed.gic_len, bytes: gic.to_owned() },
                mmds_state: if fixed.mmds {
                    let data_json = text(mmds, "metadata service")?.to_owned();
                    Some(MmdsState { data_json, token_ttl_seconds: fixed.mmds_ttl_seconds })
                } else {
                    None
                },
            })
        } else {
            Contents::Document(text(document, "document")?.to_owned())
        };
        Ok(Body {
            contents,
            ram_start: fixed.ram_start,
            memory_name: fixed.memory_name,
            position: fixed.position.as_deref().map(Position::read).transpose()?,
            metadata: serde_json::from_str(&fixed.metadata).map_err(|_| wrong("the metadata are no texts by texts"))?,
            sums: Sums::read(sums, header.memory_length)?,
            dirty: if fixed.dirty {
                Some(DirtyPages::read(dirty, header.memory_length, header.page_size)?)
            } else {
                None
            },
        })
    }
}
