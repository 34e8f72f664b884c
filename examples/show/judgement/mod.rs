//! Judgement: what kind of divergence it is, how far it reaches, whose fault it is.

mod cause;
pub mod engines;
mod loops;
mod pool;
mod spawn;

use super::{Program, Room, Shown};

pub struct Asked {
    /// Traces full of loops.
    pub traces: u64,
    /// Threads that wake each other, one of which does one thing wrong.
    pub plays: u64,
    /// Pairs of runs of each kind of threads.
    pub pools: u64,
}

pub fn show(program: &Program, room: &Room, asked: &Asked) -> Shown {
    let mut wrong = loops::show(program, room, asked.traces)?;
    wrong.extend(cause::show(program, room, asked.plays)?);
    wrong.extend(pool::show(program, room, asked.pools)?);
    wrong.extend(spawn::show(program, room, asked.pools)?);
    wrong.extend(engines::show(program, room)?);
    Ok(wrong)
}
