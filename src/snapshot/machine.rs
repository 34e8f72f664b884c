//! The state of a virtual machine: what it is made of, and whether it can be restored at all.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::SnapshotError;

/// No machine has more processors.
pub const VCPUS_MAX: usize = 32;

/// All of a machine but its memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MicrovmState {
    /// What the machine was started with.
    pub vm_info: VmInfo,
    /// Its processors, 1 to [`VCPUS_MAX`].
    pub vcpu_states: Vec<VcpuState>,
    /// Its devices.
    pub device_states: DeviceStates,
    /// Its interrupt controller.
    pub gic_state: GicState,
    /// Its metadata service, if it had one.
    pub mmds_state: Option<MmdsState>,
}

/// What a machine was started with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VmInfo {
    /// Memory in MiB, as it was configured.
    pub mem_size_mib: u64,
    /// Two threads a core; such machines are not restored.
    pub smt: bool,
    /// The name of a set of processor features.
    pub cpu_template: String,
    /// The kernel's file.
    pub kernel_image_path: String,
    /// The initial RAM disk's file.
    pub initrd_path: Option<String>,
    /// The kernel's arguments.
    pub boot_args: String,
    /// Whether pages are followed, which a diff needs.
    pub track_dirty_pages: bool,
}

/// One processor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VcpuState {
    /// Its affinity register, which names it.
    pub mpidr: u64,
    /// Its general registers.
    pub regs: CoreRegs,
    /// Its vector registers.
    pub fp_regs: FpRegs,
    /// Its system registers, by small numbers that stay the same.
    pub sys_regs: BTreeMap<u64, u64>,
    /// Whether it is switched on.
    pub psci_state: PsciVcpuState,
}

impl VcpuState {
    /// A processor with all registers zero, switched off.
    pub fn new(mpidr: u64) -> VcpuState {
        VcpuState {
            mpidr,
            regs: CoreRegs::default(),
            fp_regs: FpRegs::default(),
            sys_regs: BTreeMap::new(),
            psci_state: PsciVcpuState::Off,
        }
    }
}

/// General registers of an AArch64 processor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoreRegs {
    /// x0 to x30.
    pub x: [u64; 31],
    /// The stack pointer.
    pub sp: u64,
    /// The program counter.
    pub pc: u64,
    /// The processor's state.
    pub pstate: u64,
}

/// Vector registers of an AArch64 processor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FpRegs {
    /// v0 to v31, the lower half first.
    pub v: [[u64; 2]; 32],
    /// The status register.
    pub fpsr: u64,
    /// The control register.
    pub fpcr: u64,
}

/// Whether a processor is switched on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PsciVcpuState {
    /// It runs.
    On,
    /// It does not.
    #[default]
    Off,
    /// It was asked to.
    OnPending,
}

/// A machine's devices, by slot and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceStates {
    /// In the order of their slots, those of one slot in that of their names.
    pub devices: Vec<DeviceState>,
}

impl DeviceStates {
    /// Puts devices into their order.
    pub fn from_devices(mut devices: Vec<DeviceState>) -> DeviceStates {
        devices.sort_by(|one, other| (one.mmio_slot, &one.id).cmp(&(other.mmio_slot, &other.id)));
        DeviceStates { devices }
    }
}

/// One device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceState {
    /// What it is: `virtio-net`.
    pub kind: String,
    /// Which one: `eth0`.
    pub id: String,
    /// Its place.
    pub mmio_slot: u32,
    /// What it told of itself, kept byte for byte.
    #[serde(with = "hex")]
    pub blob: Vec<u8>,
}

/// An interrupt controller, as its engine told it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GicState {
    /// How many bytes there are.
    pub len: u64,
    /// The bytes.
    #[serde(with = "hex")]
    pub bytes: Vec<u8>,
}

impl GicState {
    /// What an engine told.
    pub fn from_bytes(bytes: Vec<u8>) -> GicState {
        GicState { len: bytes.len() as u64, bytes }
    }
}

/// A metadata service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MmdsState {
    /// What it serves.
    pub data_json: String,
    /// How long a token lives.
    pub token_ttl_seconds: Option<u32>,
}

impl MicrovmState {
    /// Whether this can be restored.
    ///
    /// # Errors
    /// [`SnapshotError::Incompatible`]: no processor or more than [`VCPUS_MAX`], SMT, an interrupt controller that is empty or as long as it does not say.
    pub fn check(&self) -> Result<(), SnapshotError> {
        let gic = &self.gic_state;
        let sound = (1..=VCPUS_MAX).contains(&self.vcpu_states.len())
            && !self.vm_info.smt
            && !gic.bytes.is_empty()
            && gic.len == gic.bytes.len() as u64;
        if sound { Ok(()) } else { Err(SnapshotError::Incompatible) }
    }
}

/// Bytes as text of hex digits: an array of numbers takes several times as much.
mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        use std::fmt::Write;
        let mut text = String::with_capacity(bytes.len() * 2);
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        to.serialize_str(&text)
    }

    pub fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
        let pairs = text.as_bytes().chunks(2);
        let bytes: Option<Vec<u8>> = pairs
            .map(|pair| match pair {
                [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
                _ => None,
            })
            .collect();
        bytes.ok_or_else(|| de::Error::custom("an even number of hex digits is wanted"))
    }
}
