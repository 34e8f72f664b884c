//! Makes a pair of schema-v1 event logs of any size, and the truth about them.
//!
//! `cargo run --release --example generate -- --out DIR --bytes 1G --diverge 2:1000:value`
//! writes `DIR/reference.jsonl`, `DIR/candidate.jsonl` and `DIR/truth.json`. The same options
//! always make the same bytes. The two logs tell the same story with other tids, clocks,
//! cycle counts, raw handles, heap addresses, waiting times and another interleaving of the
//! threads; where threads part, `truth.json` says where and how.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

#[path = "generate/mod.rs"]
mod generate;

use generate::options::parse_size;
use generate::pair::Target;
use generate::{Births, Diverge, EditKind, LineLength, Options, Pair, Size, Tids};

/// A seeded generator of schema-v1 log pairs.
#[derive(Parser)]
struct Arguments {
    /// Folder for reference.jsonl, candidate.jsonl and truth.json
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Size of each log, e.g. 500M or 1G (powers of ten)
    #[arg(long, value_parser = parse_size, conflicts_with = "events")]
    bytes: Option<u64>,
    /// Events of each log [default: 100000]
    #[arg(long)]
    events: Option<u64>,
    #[arg(long, default_value_t = 8)]
    threads: usize,
    /// Further threads that all live the same life
    #[arg(long, default_value_t = 0)]
    workers: usize,
    /// How the candidate numbers its threads
    #[arg(long, value_enum, default_value_t = TidsArgument::Offset)]
    tids: TidsArgument,
    /// Mean number of events before another thread has its turn
    #[arg(long, default_value_t = 20)]
    slice: u64,
    #[arg(long, value_enum, default_value_t = BirthsArgument::Start)]
    births: BirthsArgument,
    /// Share of pairs that differ in bytes and yet are equal, beside the allocators'
    #[arg(long, default_value_t = 0.05)]
    noise: f64,
    /// Share of events that are allocator returns
    #[arg(long, default_value_t = 0.01)]
    allocators: f64,
    /// Characters of payload added to every call
    #[arg(long, default_value_t = 0)]
    payload_bytes: usize,
    #[arg(long, value_enum, default_value_t = LineArgument::Normal)]
    line: LineArgument,
    /// Change the candidate; KIND: value nested kind ordinal missing extra ended-early type absent
    #[arg(long, value_name = "THREAD:POSITION:KIND")]
    diverge: Vec<Diverge>,
    /// So many threads part in the last 5 % of their lanes
    #[arg(long, default_value_t = 0, value_name = "K")]
    diverge_late: usize,
    /// End a thread of the candidate before this position
    #[arg(long, value_name = "THREAD:POSITION")]
    end_early: Vec<String>,
    /// Use every tid twice, one lane after the other
    #[arg(long)]
    generations: bool,
    /// Stream the reference there instead (`-`: stdout)
    #[arg(long, value_name = "PATH")]
    reference_to: Option<PathBuf>,
    /// Stream the candidate there instead (`-`: stdout)
    #[arg(long, value_name = "PATH")]
    candidate_to: Option<PathBuf>,
    /// Write only this log
    #[arg(long, value_enum)]
    only: Option<SideArgument>,
    /// Write both logs by one thread, a piece of each in turn
    #[arg(long)]
    in_turn: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum TidsArgument {
    Same,
    Offset,
    Shuffle,
}

#[derive(Clone, Copy, ValueEnum)]
enum BirthsArgument {
    Start,
    Spread,
    Reversed,
}

#[derive(Clone, Copy, ValueEnum)]
enum LineArgument {
    Short,
    Normal,
    Long,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum SideArgument {
    Reference,
    Candidate,
}

impl Arguments {
    fn options(&self) -> Result<Options, String> {
        let mut diverge = self.diverge.clone();
        for text in &self.end_early {
            diverge.push(format!("{text}:{}", EditKind::EndedEarly.name()).parse()?);
        }
        Ok(Options {
            seed: self.seed,
            size: self.bytes.map_or(Size::Events(self.events.unwrap_or(100_000)), Size::Bytes),
            threads: self.threads,
            workers: self.workers,
            tids: match self.tids {
                TidsArgument::Same => Tids::Same,
                TidsArgument::Offset => Tids::Offset,
                TidsArgument::Shuffle => Tids::Shuffle,
            },
            slice: self.slice,
            births: match self.births {
                BirthsArgument::Start => Births::Start,
                BirthsArgument::Spread => Births::Spread,
                BirthsArgument::Reversed => Births::Reversed,
            },
            noise: self.noise,
            allocators: self.allocators,
            payload_bytes: self.payload_bytes,
            line: match self.line {
                LineArgument::Short => LineLength::Short,
                LineArgument::Normal => LineLength::Normal,
                LineArgument::Long => LineLength::Long,
            },
            diverge,
            diverge_late: self.diverge_late,
            generations: self.generations,
        })
    }

    fn target(&self, side: SideArgument) -> Result<Target, String> {
        let (to, file) = match side {
            SideArgument::Reference => (&self.reference_to, "reference.jsonl"),
            SideArgument::Candidate => (&self.candidate_to, "candidate.jsonl"),
        };
        match (to, &self.out) {
            _ if self.only.is_some_and(|only| only != side) => Ok(Target::Nowhere),
            (Some(path), _) if path.as_os_str() == "-" && self.only.is_none() => {
                Err("`-` needs --only: two logs do not fit into one stream".to_owned())
            }
            (Some(path), _) if path.as_os_str() == "-" => Ok(Target::Stdout),
            (Some(path), _) => Ok(Target::File(path.clone())),
            (None, Some(folder)) => Ok(Target::File(folder.join(file))),
            (None, None) => Err("say where to: --out DIR, or --reference-to and --candidate-to".to_owned()),
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let reference = arguments.target(SideArgument::Reference)?;
    let candidate = arguments.target(SideArgument::Candidate)?;
    let pair = Pair::new(arguments.options()?)?;
    if let Some(folder) = &arguments.out {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let write = if arguments.in_turn { Pair::write_in_turn } else { Pair::write };
    let (reference, candidate) = match write(&pair, &reference, &candidate) {
        Ok(written) => written,
        // Whoever read the stream has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    if let Some(folder) = &arguments.out {
        let path = folder.join("truth.json");
        let text = format!("{:#}\n", pair.truth(&reference, &candidate));
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("generate: {error}");
            ExitCode::from(2)
        }
    }
}
