//! Shows that `forkpoint` does what it promises: runs the program as a user would, on inputs whose
//! true answer is known, and prints what came out.
//!
//! `cargo build --release --examples && target/release/examples/show WHAT [OPTIONS]`
//!
//! Ends with 1 on a wrong answer, never because of a time. The Makefile's `show-…` targets call it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

// Not everything the generator offers is used here.
#[allow(dead_code, unused_imports)]
#[path = "generate/mod.rs"]
mod generate;
#[path = "show/mod.rs"]
mod show;

use generate::options::parse_size;
use show::Program;
use show::speed::Asked;

/// Runs forkpoint on inputs whose true answer is known.
#[derive(Parser)]
struct Arguments {
    /// The program [default: forkpoint in the folder above this example]
    #[arg(long, global = true, value_name = "FILE")]
    forkpoint: Option<PathBuf>,
    /// Folder in which a temporary one is made and removed again
    #[arg(long, global = true, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// Write what is printed there too, under a head with date, machine and versions
    #[arg(long, global = true, value_name = "FILE")]
    record: Option<PathBuf>,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// How often forkpoint, cmp, diff, a positional script, jq + diff and DuckDB name the event where two runs really part
    Accuracy {
        #[command(flatten)]
        asked: AccuracyArguments,
    },
    /// Threads that wait: a real program that forgets a call, millions of objects, large logs
    Audit(show::audit::Asked),
    /// A large pair: every divergence at its true place; time, memory, ratio to cmp
    Answer {
        #[arg(long, default_value = "100M", value_parser = parse_size)]
        size: u64,
        /// Take this pair (reference.jsonl or canary.jsonl, and truth.json) instead of making one
        #[arg(long)]
        pair: Option<PathBuf>,
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
    /// The budgets, line by line
    Speed {
        #[arg(long, default_value = "1G", value_parser = parse_size)]
        size: u64,
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// The original generator, for its line
        #[arg(long, value_name = "gen_events.py")]
        generator: Option<PathBuf>,
    },
    /// Five times the size: the same memory, five times the time; and a hard limit of 128 MiB
    Large {
        #[arg(long, default_value = "5G", value_parser = parse_size)]
        size: u64,
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
    /// Two generators live into two FIFOs
    Stream {
        #[arg(long, default_value_t = 500_000_000)]
        events: u64,
    },
    /// Everyone who is installed at the same task: time, memory, and whether the answer was right
    Peers {
        #[command(flatten)]
        asked: PeersArguments,
        /// Only DuckDB and the original, against their budgets
        #[arg(long)]
        budgets: bool,
    },
    /// Every shape of pair by every way of reading
    Shapes {
        #[arg(long, default_value = "100M", value_parser = parse_size)]
        size: u64,
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
    /// Instructions an event of every shape, against a record
    Gate {
        #[arg(long, default_value = "benches/records/instructions.txt")]
        file: PathBuf,
        #[arg(long, default_value = "2M", value_parser = parse_size)]
        size: u64,
        /// Write the record anew
        #[arg(long)]
        accept: bool,
    },
    /// Late-born, reversed, equal and reused threads: one report, however it is read
    Windows {
        #[arg(long, default_value_t = 300_000)]
        events: u64,
    },
    /// Both logs through FIFOs: written in turn by one program, and by two
    Fifos {
        #[arg(long, default_value = "100M", value_parser = parse_size)]
        size: u64,
    },
    /// The recorder: events a second, threads at once, a slow disk, ends of a process
    Emit(show::emit::Asked),
    /// Episodes of each mode beside other readings, ticks of /proc and what they cost, a planted slowdown
    Episode(show::episode::Asked),
    /// --first: the divergence that the full run puts first, and how soon
    First {
        #[arg(long, default_value = "1G", value_parser = parse_size)]
        size: u64,
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// One pair plain, as .gz and as .zst, from files, standard input and FIFOs: one report; how fast
    Archives {
        #[arg(long, default_value = "100M", value_parser = parse_size)]
        size: u64,
    },
    /// Rules learned from runs of a real noisy program, held against further runs, some with one wrong answer
    Infer {
        #[arg(long, default_value = "python3")]
        python: String,
        /// The program
        #[arg(long, default_value = "examples/show/infer/noisy_trace.py")]
        script: PathBuf,
        /// Runs with one wrong answer
        #[arg(long, default_value_t = 20)]
        planted: usize,
    },
    /// Rules: every class, a heap that moves and is used again, and what they cost
    Rules {
        #[arg(long, default_value = "1G", value_parser = parse_size)]
        size: u64,
        /// Allocations of each side
        #[arg(long, default_value_t = 1_000_000)]
        allocations: u64,
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// The program as it was before, to be timed beside this one
        #[arg(long, value_name = "FILE")]
        before: Option<PathBuf>,
    },
    /// Judgement: no false resync in loops, kinds, how far a difference reaches, no false certainty in pools of workers
    Judgement {
        /// Traces full of loops
        #[arg(long, default_value_t = 200)]
        traces: u64,
        /// Threads that wake each other, one of which does one thing wrong
        #[arg(long, default_value_t = 200)]
        plays: u64,
        /// Pairs of runs of each kind of workers
        #[arg(long, default_value_t = 50)]
        pools: u64,
    },
    /// Reports of real divergences, as a user would paste them
    Reports {
        #[arg(long, default_value = "examples/show/accuracy")]
        scripts: PathBuf,
        #[arg(long, default_value = "python3")]
        python: String,
        /// The folder they go to
        #[arg(long, default_value = "docs/reports")]
        into: PathBuf,
    },
    /// Where a differing value came from: planted cases; a large log
    Origin {
        /// Cases with known truth
        #[arg(long, default_value_t = 100)]
        cases: u64,
        /// Bytes of each side of the large pair; 0: none
        #[arg(long, default_value = "1G", value_parser = parse_size)]
        size: u64,
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// Two state folders: large images with planted differences beside cmp -l, large documents
    State(show::state::Asked),
    /// A large memory saved whole, and what of it changed, beside cp and sync
    Snapshot(show::snapshot::Asked),
    /// Damaged logs: check names what mangle says it must
    Mangle {
        /// Logs that are made
        #[arg(long, default_value_t = 1000)]
        seeds: u64,
        /// The first seed
        #[arg(long, default_value_t = 1)]
        first: u64,
        /// Damages in each
        #[arg(long, default_value_t = 8)]
        faults: u64,
    },
    /// check on large sound logs, beside cmp
    Check {
        #[arg(long, default_value = "1G", value_parser = parse_size)]
        size: u64,
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// A mapped log is truncated while it is read
    Truncation {
        #[arg(long, default_value = "1G", value_parser = parse_size)]
        size: u64,
        #[arg(long, default_value_t = 20)]
        rounds: u64,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Runs with one fault of the world each: failing calls, limits, signals, logs that change
    World {
        #[arg(long, default_value_t = 1000)]
        runs: u64,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Every way a run can end
    Ends,
    /// The grammar of JSON, production by production: what check says of every case
    Json {
        #[arg(long, default_value = "corpus/json/grammar")]
        folder: PathBuf,
    },
    /// Two real instruction traces
    Trace6502 {
        #[arg(long, default_value = "examples/6502.toml")]
        profile: PathBuf,
    },
    /// The pair of logs in corpus/demo
    Demo {
        #[arg(long, default_value = "corpus/demo")]
        folder: PathBuf,
    },
    /// A fresh clone and the README's first two commands
    Clone {
        #[arg(default_value = ".")]
        repository: PathBuf,
    },
}

#[derive(clap::Args)]
struct AccuracyArguments {
    /// Pairs that are made
    #[arg(long, default_value_t = 1000)]
    pairs: u64,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// Arguments carry each side's own heap addresses and handles
    #[arg(long)]
    shifted: bool,
    /// Where the peers' scripts lie, and those that trace real programs
    #[arg(long, default_value = "examples/show/accuracy")]
    scripts: PathBuf,
    #[arg(long, default_value = "python3")]
    python: String,
    /// Keep the pairs in which forkpoint missed something there
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

#[derive(clap::Args)]
struct PeersArguments {
    #[arg(long, default_value = "100M", value_parser = parse_size)]
    size: u64,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Where the peers' scripts lie
    #[arg(long, default_value = "examples/show/peers")]
    scripts: PathBuf,
    #[arg(long, default_value = "python3")]
    python: String,
    /// The original tool, for its line
    #[arg(long, value_name = "diff_events.py")]
    original: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(file) = &arguments.record {
        let again = show::record::without_record(std::env::args().skip(1));
        return show::record::record(file, &again).unwrap_or_else(|error| {
            eprintln!("show: {error}");
            ExitCode::from(2)
        });
    }
    if let What::Emit(show::emit::Asked { end: Some(log), way, .. }) = &arguments.what {
        return show::emit::end(log, way).map_or(ExitCode::from(2), |()| ExitCode::SUCCESS);
    }
    if let What::Episode(show::episode::Asked { act: Some(act), .. }) = &arguments.what {
        return show::episode::act(*act).map_or(ExitCode::from(2), |()| ExitCode::SUCCESS);
    }
    let done = Program::find(arguments.forkpoint.as_deref()).and_then(|program| {
        let room = show::Room::new(arguments.scratch.as_deref())?;
        match arguments.what {
            What::Accuracy { asked: AccuracyArguments { pairs, first, shifted, scripts, python, keep } } => {
                let asked = show::accuracy::Asked { pairs, first, shifted, scripts, python, keep };
                show::accuracy::show(&program, &room, &asked)
            }
            What::Audit(asked) => show::audit::show(&program, &room, &asked),
            What::State(asked) => show::state::show(&program, &room, &asked),
            What::Snapshot(asked) => show::snapshot::show(&program, &room, &asked),
            What::Answer { size, pair, rounds } => show::answer::show(&program, &room, size, pair.as_deref(), rounds),
            What::Speed { size, rounds, generator } => {
                show::speed::show(&program, &room, &Asked { size, rounds, generator })
            }
            What::Large { size, rounds } => show::large::show(&program, &room, size, rounds),
            What::Stream { events } => show::stream::show(&program, &room, events),
            What::Peers { asked: PeersArguments { size, rounds, scripts, python, original }, budgets } => {
                let show = if budgets { show::peers::show } else { show::peers::all };
                show(&program, &room, &show::peers::Asked { size, rounds, scripts, python, original })
            }
            What::Shapes { size, rounds } => show::shapes::show(&program, &room, size, rounds),
            What::Gate { file, size, accept } => show::gate::show(&program, &room, &file, size, accept),
            What::Windows { events } => show::windows::show(&program, &room, events),
            What::Fifos { size } => show::fifos::show(&program, &room, size),
            What::First { size, rounds } => show::first::show(&program, &room, size, rounds),
            What::Archives { size } => show::archives::show(&program, &room, size),
            What::Infer { python, script, planted } => show::infer::show(&program, &room, &python, &script, planted),
            What::Rules { size, allocations, rounds, before } => {
                show::rules::show(&program, &room, &show::rules::Asked { size, allocations, rounds, before })
            }
            What::Judgement { traces, plays, pools } => {
                show::judgement::show(&program, &room, &show::judgement::Asked { traces, plays, pools })
            }
            What::Reports { scripts, python, into } => {
                show::reports::show(&program, &room, &show::reports::Asked { scripts, python, into })
            }
            What::Origin { cases, size, rounds } => {
                show::origin::show(&program, &room, &show::origin::Asked { cases, size, rounds })
            }
            What::Mangle { seeds, first, faults } => show::mangle::show(&program, &room, seeds, first, faults),
            What::Check { size, rounds } => show::check::show(&program, &room, size, rounds),
            What::Truncation { size, rounds, seed } => show::truncation::show(&program, &room, size, rounds, seed),
            What::World { runs, seed } => show::world::show(&program, &room, runs, seed),
            What::Ends => show::ends::show(&program, &room),
            What::Json { folder } => show::json::show(&program, &room, &folder),
            What::Trace6502 { profile } => show::trace6502::show(&program, &room, &profile),
            What::Emit(asked) => show::emit::show(&program, &room, &asked),
            What::Episode(asked) => show::episode::show(&program, &room, &asked),
            What::Demo { folder } => show::demo::show(&program, &folder),
            What::Clone { repository } => show::clone::show(&room, &repository),
        }
    });
    match done {
        Ok(wrong) if wrong.is_empty() => ExitCode::SUCCESS,
        Ok(wrong) => {
            wrong.iter().for_each(|line| println!("WRONG  {line}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("show: {error}");
            ExitCode::from(2)
        }
    }
}
