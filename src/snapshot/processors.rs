//! Processors and devices as plain bytes.

use std::collections::BTreeMap;

use super::error::SnapshotError;
use super::machine::{CoreRegs, DeviceState, FpRegs, PsciVcpuState, VcpuState};
use super::plain::{PlainReader, PlainWriter};

/// Bytes of a processor without system registers.
const PROCESSOR: usize = 8 * (1 + 34 + 66 + 1) + 4;
/// Bytes of a system register.
const SYSTEM_REGISTER: usize = 16;
/// Bytes of a device without names and blob.
const DEVICE: usize = 3 * 8 + 4;

/// Processors, in their order.
pub fn write_processors(processors: &[VcpuState]) -> Vec<u8> {
    let mut to = PlainWriter::default();
    to.u64(processors.len() as u64);
    for one in processors {
        to.u64(one.mpidr);
        one.regs.x.iter().for_each(|x| to.u64(*x));
        [one.regs.sp, one.regs.pc, one.regs.pstate].into_iter().for_each(|value| to.u64(value));
        one.fp_regs.v.iter().flatten().for_each(|half| to.u64(*half));
        [one.fp_regs.fpsr, one.fp_regs.fpcr].into_iter().for_each(|value| to.u64(value));
        to.u32(match one.psci_state {
            PsciVcpuState::On => 0,
            PsciVcpuState::Off => 1,
            PsciVcpuState::OnPending => 2,
        });
        to.u64(one.sys_regs.len() as u64);
        one.sys_regs.iter().for_each(|(key, value)| {
            to.u64(*key);
            to.u64(*value);
        });
    }
    to.0
}

/// The processors that [`write_processors`] wrote.
///
/// # Errors
/// Too few or too many bytes, a state that is none, registers that are not in their order.
pub fn read_processors(bytes: &[u8]) -> Result<Vec<VcpuState>, SnapshotError> {
    let mut from = PlainReader::new(bytes, "processors");
    let count = from.count(PROCESSOR)?;
    let processors = (0..count).map(|_| read_processor(&mut from)).collect::<Result<_, _>>()?;
    from.end().map(|()| processors)
}

fn read_processor(from: &mut PlainReader) -> Result<VcpuState, SnapshotError> {
    let mpidr = from.u64()?;
    let mut regs = CoreRegs::default();
    let CoreRegs { x, sp, pc, pstate } = &mut regs;
    for place in x.iter_mut().chain([sp, pc, pstate]) {
        *place = from.u64()?;
    }
    let mut fp_regs = FpRegs::default();
    let FpRegs { v, fpsr, fpcr } = &mut fp_regs;
    for place in v.as_flattened_mut().iter_mut().chain([fpsr, fpcr]) {
        *place = from.u64()?;
    }
    let psci_state = match from.u32()? {
        0 => PsciVcpuState::On,
        1 => PsciVcpuState::Off,
        2 => PsciVcpuState::OnPending,
        other => return Err(SnapshotError::Bitcode(format!("{other} is no state of a processor"))),
    };
    let mut pairs = Vec::new();
    let count = from.count(SYSTEM_REGISTER)?;
    pairs.reserve_exact(count);
    for _ in 0..count {
        pairs.push((from.u64()?, from.u64()?));
    }
    if !pairs.is_sorted_by(|(one, _), (other, _)| one < other) {
        return Err(SnapshotError::Bitcode("system registers are not in their order".to_owned()));
    }
    Ok(VcpuState { mpidr, regs, fp_regs, sys_regs: BTreeMap::from_iter(pairs), psci_state })
}

/// Devices, in their order.
pub fn write_devices(devices: &[DeviceState]) -> Vec<u8> {
    let mut to = PlainWriter::default();
    to.u64(devices.len() as u64);
    for one in devices {
        to.bytes(one.kind.as_bytes());
        to.bytes(one.id.as_bytes());
        to.u32(one.mmio_slot);
        to.bytes(&one.blob);
    }
    to.0
}

/// The devices that [`write_devices`] wrote.
///
/// # Errors
/// Too few or too many bytes, names that are no UTF-8.
pub fn read_devices(bytes: &[u8]) -> Result<Vec<DeviceState>, SnapshotError> {
    let mut from = PlainReader::new(bytes, "devices");
    let count = from.count(DEVICE)?;
    let mut devices = Vec::with_capacity(count);
    for _ in 0..count {
        devices.push(DeviceState {
            kind: from.text()?.to_owned(),
            id: from.text()?.to_owned(),
            mmio_slot: from.u32()?,
            blob: from.bytes()?.to_owned(),
        });
    }
    from.end().map(|()| devices)
}
