//! Two emulators of the NMOS 6502 behind one face.

use emulator_6502::{Interface6502, MOS6502};
use mos6502::cpu::CPU;
use mos6502::instruction::Nmos6502;
use mos6502::memory::Bus;
use mos6502::registers::{StackPointer, Status};

/// Where built-in and foreign programs are loaded and started.
pub const ORIGIN: u16 = 0x0400;

/// Which emulator runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Engine {
    Mos6502,
    Emulator6502,
}

impl Engine {
    pub const ALL: [Self; 2] = [Self::Mos6502, Self::Emulator6502];

    pub fn name(self) -> &'static str {
        match self {
            Self::Mos6502 => "mos6502",
            Self::Emulator6502 => "emulator_6502",
        }
    }
}

/// One executed instruction: where it stood, and the registers after it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    pub pc: u16,
    pub opcode: u8,
    pub a: u8,
    pub x: u8,
    pub y: u8,
    pub sp: u8,
    pub p: u8,
    /// Cycles since the start, after this instruction.
    pub cycles: u64,
}

/// 64 KiB of RAM and nothing else.
pub struct Ram(Box<[u8]>);

impl Ram {
    fn with(program: &[u8]) -> Self {
        let mut bytes = vec![0; 0x1_0000].into_boxed_slice();
        let from = usize::from(ORIGIN);
        let length = program.len().min(bytes.len() - from);
        bytes[from..from + length].copy_from_slice(&program[..length]);
        Self(bytes)
    }
}

impl Bus for Ram {
    fn get_byte(&mut self, address: u16) -> u8 {
        self.0[usize::from(address)]
    }

    fn set_byte(&mut self, address: u16, value: u8) {
        self.0[usize::from(address)] = value;
    }
}

impl Interface6502 for Ram {
    fn read(&mut self, address: u16) -> u8 {
        self.0[usize::from(address)]
    }

    fn write(&mut self, address: u16, data: u8) {
        self.0[usize::from(address)] = data;
    }
}

enum Processor {
    // Boxed: it carries its memory with it.
    Mos6502(Box<CPU<Ram, Nmos6502>>),
    Emulator6502 { cpu: MOS6502, ram: Ram, cycles: u64 },
}

/// An emulator with a program in its memory, both started alike: registers 0, the stack
/// pointer at 0xFD, interrupts disabled.
pub struct Machine {
    processor: Processor,
    ended: bool,
}

impl Machine {
    pub fn new(engine: Engine, program: &[u8]) -> Self {
        let ram = Ram::with(program);
        let processor = match engine {
            Engine::Mos6502 => {
                let mut cpu = CPU::new(ram, Nmos6502);
                cpu.registers.program_counter = ORIGIN;
                cpu.registers.stack_pointer = StackPointer(0xFD);
                cpu.registers.status = Status::from_bits_truncate(0x24);
                Processor::Mos6502(Box::new(cpu))
            }
            Engine::Emulator6502 => Processor::Emulator6502 { cpu: MOS6502::new_start(ORIGIN), ram, cycles: 0 },
        };
        Self { processor, ended: false }
    }

    fn pc(&self) -> u16 {
        match &self.processor {
            Processor::Mos6502(cpu) => cpu.registers.program_counter,
            Processor::Emulator6502 { cpu, .. } => cpu.get_program_counter(),
        }
    }

    /// Executes one instruction. The machine ends after an instruction that jumps to itself,
    /// the way 6502 programs stop, and where the engine does not know the opcode.
    pub fn step(&mut self) -> Option<Record> {
        if self.ended {
            return None;
        }
        let pc = self.pc();
        let record = match &mut self.processor {
            Processor::Mos6502(cpu) => {
                let opcode = cpu.memory.get_byte(pc);
                if !cpu.single_step() {
                    self.ended = true;
                    return None;
                }
                let now = &cpu.registers;
                Record {
                    pc,
                    opcode,
                    a: now.accumulator,
                    x: now.index_x,
                    y: now.index_y,
                    sp: now.stack_pointer.0,
                    p: now.status.bits(),
                    cycles: cpu.cycles,
                }
            }
            Processor::Emulator6502 { cpu, ram, cycles } => {
                let opcode = ram.read(pc);
                // This engine does an instruction's whole work in its first cycle and then
                // waits out the rest, which is how long it takes.
                cpu.cycle(ram);
                *cycles += 1 + u64::from(cpu.get_remaining_cycles());
                while cpu.get_remaining_cycles() > 0 {
                    cpu.cycle(ram);
                }
                Record {
                    pc,
                    opcode,
                    a: cpu.get_accumulator(),
                    x: cpu.get_x_register(),
                    y: cpu.get_y_register(),
                    sp: cpu.get_stack_pointer(),
                    p: cpu.get_status_register(),
                    cycles: *cycles,
                }
            }
        };
        self.ended = self.pc() == pc;
        Some(record)
    }
}

impl Iterator for Machine {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        self.step()
    }
}
