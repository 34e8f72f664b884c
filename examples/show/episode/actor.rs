//! What is recorded where no machine is: a process that computes and asks for memory, and a benchmark.

use std::io::Write;
use std::str::FromStr;
use std::time::{Duration, Instant};

use forkpoint::episode::{Episode, Fields};

use crate::show::Hindered;

/// Steps of the benchmark's middle phase.
const STEPS: u32 = 200;
/// How long one takes if nothing is slow.
const STEP: Duration = Duration::from_millis(5);

#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Compute for ever, and say each tenth of a second how often.
    Spin,
    /// Warm up, load, drain; the load takes so many percent longer.
    Bench(u32),
}

impl FromStr for Act {
    type Err = String;

    fn from_str(text: &str) -> Result<Act, String> {
        match text.split_once(':') {
            None if text == "spin" => Ok(Act::Spin),
            Some(("bench", slower)) => slower.parse().map(Act::Bench).map_err(|error| error.to_string()),
            _ => Err("spin, or bench:PERCENT".to_owned()),
        }
    }
}

pub fn act(act: Act) -> Result<(), Hindered> {
    match act {
        Act::Spin => spin(),
        Act::Bench(slower) => bench(slower),
    }
}

fn spin() -> Result<(), Hindered> {
    let mut out = std::io::stdout();
    loop {
        let (start, mut times) = (Instant::now(), 0);
        while start.elapsed() < Duration::from_millis(100) {
            compute(20_000);
            // Its map of memory changes: whoever reads that has to wait for it, and it for the reader.
            std::hint::black_box(vec![1_u8; 1 << 20]);
            times += 1;
        }
        writeln!(out, "{times} {}", start.elapsed().as_nanos())?;
    }
}

fn compute(times: u64) {
    let sum = (0..times).fold(0_u64, |sum, number| std::hint::black_box(sum.wrapping_mul(31).wrapping_add(number)));
    std::hint::black_box(sum);
}

/// Steps are paced by the clock, so that a busy host slows neither side.
fn bench(slower: u32) -> Result<(), Hindered> {
    let mut episode = Episode::from_env()?;
    let mut file = tempfile::tempfile()?;
    let step = STEP + STEP * slower / 100;
    let mut steps = |count: u32, step: Duration| -> Result<(), Hindered> {
        let start = Instant::now();
        for done in 1..=count {
            compute(20_000);
            file.write_all(&[0; 4096])?;
            std::thread::sleep((step * done).saturating_sub(start.elapsed()));
        }
        Ok(())
    };
    for (event, count, step) in [("warmed", STEPS / 2, STEP), ("loaded", STEPS, step), ("drained", STEPS / 2, STEP)] {
        steps(count, step)?;
        episode.emit(event, Fields::new())?;
    }
    Ok(())
}
