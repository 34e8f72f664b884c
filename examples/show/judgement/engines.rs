//! Two 6502 emulators that no code of ours wrote. They disagree on the overflow flag of a decimal addition: once that makes
//! one of them execute an instruction more, once the flag alone differs for long.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::super::program::watched;
use super::super::{Hindered, Program, Room, Shown, Table};

/// Adds in decimal mode, and lets the overflow flag decide on an instruction.
#[rustfmt::skip]
const BRANCH: [u8; 26] = [
    0xF8,             // 0400  SED
    0x18,             // 0401  CLC
    0xA9, 0x79,       // 0402  LDA #$79
    0x69, 0x01,       // 0404  ADC #$01
    0xD8,             // 0406  CLD
    0x50, 0x01,       // 0407  BVC $040A
    0xEA,             // 0409  NOP            ; only where the addition overflows
    0xB8,             // 040A  CLV
    0xA0, 0x40,       // 040B  LDY #$40
    0xA2, 0x00,       // 040D  LDX #$00
    0xE8,             // 040F  INX
    0xD0, 0xFD,       // 0410  BNE $040F
    0x88,             // 0412  DEY
    0xD0, 0xF8,       // 0413  BNE $040D
    0xA9, 0x00,       // 0415  LDA #$00
    0x4C, 0x17, 0x04, // 0417  JMP $0417
];

/// Adds in decimal mode, and leaves the overflow flag alone for hundreds of thousands of instructions.
#[rustfmt::skip]
const FLAG: [u8; 36] = [
    0xF8,             // 0400  SED
    0x18,             // 0401  CLC
    0xA9, 0x79,       // 0402  LDA #$79
    0x69, 0x01,       // 0404  ADC #$01
    0xD8,             // 0406  CLD
    0xA9, 0x03,       // 0407  LDA #$03
    0x85, 0x10,       // 0409  STA $10
    0xA0, 0x00,       // 040B  LDY #$00
    0xA2, 0x00,       // 040D  LDX #$00
    0xE8,             // 040F  INX
    0xD0, 0xFD,       // 0410  BNE $040F
    0xC8,             // 0412  INY
    0xD0, 0xF8,       // 0413  BNE $040D
    0xC6, 0x10,       // 0415  DEC $10
    0xD0, 0xF2,       // 0417  BNE $040B
    0xB8,             // 0419  CLV            ; from here on both have it cleared
    0xA2, 0x80,       // 041A  LDX #$80
    0xCA,             // 041C  DEX
    0xD0, 0xFD,       // 041D  BNE $041C
    0xA9, 0x00,       // 041F  LDA #$00
    0x4C, 0x21, 0x04, // 0421  JMP $0421
];

pub const ENGINES: [&str; 2] = ["mos6502", "emulator_6502"];

pub struct Scene {
    pub name: &'static str,
    /// What its report is called.
    pub file: &'static str,
    program: &'static [u8],
    pub flags: &'static [&'static str],
    /// What the report must say, at these pointers into the first divergence.
    must: &'static [(&'static str, &'static str)],
}

pub const SCENES: [Scene; 2] = [
    Scene {
        name: "an instruction more, flags not compared",
        file: "an-instruction-more",
        program: &BRANCH,
        flags: &["--profile", "examples/6502.toml", "--ignore", "/payload/p"],
        must: &[
            ("/kind", "\"extra\""),
            ("/position", "6"),
            ("/resync/after_candidate", "1"),
            ("/candidate/event/payload/pc", "\"0x0409\""),
            ("/healed_after", "1"),
        ],
    },
    Scene {
        name: "a flag that differs for long",
        file: "a-flag-for-long",
        program: &FLAG,
        flags: &["--profile", "examples/6502.toml"],
        must: &[
            ("/kind", "\"value\""),
            ("/position", "3"),
            ("/differences/0/path", "\"/payload/p\""),
            ("/differences/0/bit", "6"),
            ("/resync", "null"),
            ("/healed_after", "395533"),
        ],
    },
];

/// Writes both engines' logs, if there is a tracer.
pub fn trace(room: &Room, scene: &Scene) -> Result<Option<[PathBuf; 2]>, Hindered> {
    let tracer = std::env::current_exe()?.with_file_name("trace6502");
    if !tracer.is_file() {
        return Ok(None);
    }
    let code = room.write("engines.bin", scene.program)?;
    let logs = ENGINES.map(|engine| room.path(&format!("{engine}.jsonl")));
    for (engine, log) in ENGINES.iter().zip(&logs) {
        let run = watched(Command::new(&tracer).arg(engine).arg(&code).arg(log))?;
        if run.code != Some(0) {
            return Err(format!("trace6502 {engine}: exit {}: {}", run.ended(), run.stderr).into());
        }
    }
    Ok(Some(logs))
}

pub fn show(program: &Program, room: &Room) -> Shown {
    let mut wrong = Vec::new();
    let mut table = Table::new(&["mos6502 → emulator_6502", "events", "answer"]);
    for scene in &SCENES {
        let Scene { name, flags, must, .. } = *scene;
        let Some(logs) = trace(room, scene)? else {
            println!("skipped: trace6502");
            return Ok(Vec::new());
        };
        let report = program.diff(flags, &logs[0], &logs[1])?.report()?;
        let found = &report["pairings"][0]["divergence"];
        for (pointer, value) in must {
            let said = found.pointer(pointer).unwrap_or(&Value::Null).to_string();
            if said != *value {
                wrong.push(format!("engines, {name}: {pointer} is {said}, must be {value}"));
            }
        }
        let answer = format!(
            "{} at {}, the same for good after {}",
            found["kind"].as_str().unwrap_or("nothing"),
            found["position"],
            found["healed_after"]
        );
        table.cells(vec![name.to_owned(), report["candidate"]["events"].to_string(), answer]);
    }
    table.print();
    Ok(wrong)
}
