//! What is said of threads that wait: logs of a real program, memory over millions of objects, large logs.

pub mod judge;
mod lives;
mod memory;
mod real;
mod size;

use super::{Program, Room, Shown};
use crate::generate::options::parse_size;

#[derive(clap::Args)]
pub struct Asked {
    /// Runs of the real program, and as many in which it forgets a call; 0: none
    #[arg(long, default_value_t = 50)]
    pub runs: u64,
    /// Objects that come and go, after a tenth of them; 0: none
    #[arg(long, default_value_t = 10_000_000)]
    pub objects: u64,
    /// Bytes of each large log; 0: none
    #[arg(long, default_value = "1G", value_parser = parse_size)]
    pub size: u64,
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
}

pub fn show(program: &Program, room: &Room, asked: &Asked) -> Shown {
    let mut wrong = Vec::new();
    if asked.runs > 0 {
        wrong.extend(real::show(program, room, asked.runs)?);
    }
    if asked.objects > 0 {
        wrong.extend(memory::show(program, room, asked.objects)?);
    }
    if asked.size > 0 {
        wrong.extend(size::show(program, room, asked.size, asked.rounds)?);
    }
    Ok(wrong)
}
