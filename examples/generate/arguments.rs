//! The generator's command line.

use std::path::PathBuf;

use clap::Parser;

use super::lane::Side;
use super::options::{Births, Diverge, EditKind, LineLength, Noisy, Options, Shape, Size, Skew, Tids, parse_size};
use super::pair::Target;

/// A seeded generator of pairs of event logs.
#[derive(Parser)]
#[command(name = "generate")]
pub struct Arguments {
    /// Folder for reference.jsonl, candidate.jsonl and truth.json
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Size of each log, e.g. 500M or 1G (powers of ten)
    #[arg(long, value_parser = parse_size, conflicts_with = "events")]
    bytes: Option<u64>,
    /// Events of each log [default: 100000]
    #[arg(long)]
    events: Option<u64>,
    #[arg(long, value_enum, default_value_t = Shape::Schema)]
    shape: Shape,
    /// Which column differs in every line of the shape flat
    #[arg(long, value_enum, default_value_t = Noisy::Cycles)]
    noisy: Noisy,
    /// Sort one log by thread
    #[arg(long, value_enum, default_value_t = Skew::None)]
    skew: Skew,
    /// Threads with a life of their own [default: 8; shape flat: 1]
    #[arg(long)]
    threads: Option<usize>,
    /// Further threads that all live the same life
    #[arg(long, default_value_t = 0)]
    workers: usize,
    /// The workers live alike for so many events only, then each a life of its own
    #[arg(long, value_name = "EVENTS")]
    alike: Option<u64>,
    /// How the candidate numbers its threads
    #[arg(long, value_enum, default_value_t = Tids::Offset)]
    tids: Tids,
    /// Mean number of events before another thread has its turn
    #[arg(long, default_value_t = 20)]
    slice: u64,
    #[arg(long, value_enum, default_value_t = Births::Start)]
    births: Births,
    /// Share of pairs that differ in bytes and yet are equal, beside the allocators'
    #[arg(long, default_value_t = 0.05)]
    noise: f64,
    /// Share of events that are allocator returns
    #[arg(long, default_value_t = 0.01)]
    allocators: f64,
    /// Characters of payload added to every call
    #[arg(long, default_value_t = 0)]
    payload_bytes: usize,
    #[arg(long, value_enum, default_value_t = LineLength::Normal)]
    line: LineLength,
    /// Change the candidate; KIND: value nested kind ordinal missing extra ended-early type absent overlong unmatched stranger
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
    /// Arguments carry each side's own heap addresses and handles
    #[arg(long)]
    shifted: bool,
    /// Stream the reference there instead (`-`: stdout)
    #[arg(long, value_name = "PATH")]
    reference_to: Option<PathBuf>,
    /// Stream the candidate there instead (`-`: stdout)
    #[arg(long, value_name = "PATH")]
    candidate_to: Option<PathBuf>,
    /// With --only and without --out: say there what was written
    #[arg(long, value_name = "FILE", requires = "only", conflicts_with = "out")]
    pub written: Option<PathBuf>,
    /// Write only this log
    #[arg(long, value_enum)]
    pub only: Option<Side>,
    /// Write both logs by one thread, a piece of each in turn
    #[arg(long)]
    pub in_turn: bool,
}

impl Arguments {
    pub fn options(&self) -> Result<Options, String> {
        let mut diverge = self.diverge.clone();
        for text in &self.end_early {
            diverge.push(format!("{text}:{}", EditKind::EndedEarly.name()).parse()?);
        }
        // An instruction trace is one processor's, as a rule.
        let threads = match (self.threads, self.shape) {
            (Some(threads), _) => threads,
            (None, Shape::Flat) if self.workers == 0 => 1,
            (None, Shape::Flat) => 0,
            (None, _) => 8,
        };
        Ok(Options {
            seed: self.seed,
            size: self.bytes.map_or(Size::Events(self.events.unwrap_or(100_000)), Size::Bytes),
            shape: self.shape,
            noisy: self.noisy,
            skew: self.skew,
            threads,
            workers: self.workers,
            alike: self.alike,
            tids: self.tids,
            slice: self.slice,
            births: self.births,
            noise: self.noise,
            allocators: self.allocators,
            payload_bytes: self.payload_bytes,
            line: self.line,
            diverge,
            diverge_late: self.diverge_late,
            generations: self.generations,
            shifted: self.shifted,
        })
    }

    pub fn target(&self, side: Side) -> Result<Target, String> {
        let (to, file) = match side {
            Side::Reference => (&self.reference_to, "reference.jsonl"),
            Side::Candidate => (&self.candidate_to, "candidate.jsonl"),
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
