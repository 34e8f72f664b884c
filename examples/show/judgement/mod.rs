//! Judgement: what kind of divergence it is, how far it reaches, whose fault it is.

mod loops;

use super::{Program, Room, Shown};

pub struct Asked {
    /// Traces full of loops.
    pub traces: u64,
}

pub fn show(program: &Program, room: &Room, asked: &Asked) -> Shown {
    loops::show(program, room, asked.traces)
}
