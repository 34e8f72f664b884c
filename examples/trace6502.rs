//! Runs a program on one of two independent 6502 emulators and writes what it did.
//!
//! `cargo run --release --example trace6502 -- ENGINE PROGRAM OUT [--instructions N]`
//! where ENGINE is `mos6502` or `emulator_6502`, PROGRAM the name of a built-in program
//! (`odometer`, `checksum`) or the path of a raw binary that is loaded and started at 0x0400,
//! and OUT a file or `-`. It stops where the program jumps to itself, at the latest after
//! 2,000,000 instructions. The log holds one object an instruction; compare two of them with
//! `forkpoint diff --profile examples/6502.toml`. `docs/tutorial.md` tells what comes out.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::time::Instant;

#[path = "trace6502/mod.rs"]
mod trace6502;

use trace6502::engine::{Engine, Machine};
use trace6502::{line, programs};

const USAGE: &str = "usage: trace6502 mos6502|emulator_6502 odometer|checksum|FILE OUT|- [--instructions N]";

struct Arguments {
    engine: Engine,
    program: Vec<u8>,
    out: String,
    instructions: u64,
}

/// Plain code instead of clap, so that the example builds without the command line's crates.
fn arguments() -> Result<Arguments, String> {
    let mut plain = Vec::new();
    let mut instructions = 2_000_000;
    let mut given = std::env::args().skip(1);
    while let Some(argument) = given.next() {
        if argument == "--instructions" {
            let number = given.next().ok_or(USAGE)?;
            instructions = number.parse().map_err(|_| format!("{number}: not a number of instructions"))?;
        } else {
            plain.push(argument);
        }
    }
    let [engine, program, out] = <[String; 3]>::try_from(plain).map_err(|_| USAGE)?;
    let engine = Engine::ALL.into_iter().find(|known| known.name() == engine).ok_or(USAGE)?;
    let program = match programs::builtin(&program) {
        Some(bytes) => bytes.to_vec(),
        None => std::fs::read(&program).map_err(|error| format!("{program}: {error}"))?,
    };
    Ok(Arguments { engine, program, out, instructions })
}

fn trace(arguments: &Arguments) -> io::Result<()> {
    let sink: Box<dyn Write> =
        if arguments.out == "-" { Box::new(io::stdout().lock()) } else { Box::new(File::create(&arguments.out)?) };
    let mut sink = BufWriter::with_capacity(1 << 20, sink);
    let start = Instant::now();
    let mut text = String::new();
    let mut machine = Machine::new(arguments.engine, &arguments.program);
    for ordinal in 0..arguments.instructions {
        let Some(record) = machine.step() else { break };
        line::line(&mut text, ordinal, start.elapsed().as_nanos(), &record);
        sink.write_all(text.as_bytes())?;
    }
    sink.flush()
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    match trace(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the pipe has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", arguments.out);
            ExitCode::from(2)
        }
    }
}
