//! Judgement: what kind of divergence it is, how far it reaches, whose fault it is.

mod loops;
mod pool;
mod spawn;

use super::{Program, Room, Shown};

pub struct Asked {
    /// Traces full of loops.
    pub traces: u64,
    /// Pairs of runs of each kind of threads.
    pub pools: u64,
}

pub fn show(program: &Program, room: &Room, asked: &Asked) -> Shown {
    let mut wrong = loops::show(program, room, asked.traces)?;
    wrong.extend(pool::show(program, room, asked.pools)?);
    wrong.extend(spawn::show(program, room, asked.pools)?);
    Ok(wrong)
}
