//! What is said of threads that wait: logs of a real program, memory over millions of objects, large logs.

pub mod judge;
mod lives;
mod memory;
mod real;
mod size;

use super::{Program, Room, Shown};

pub struct Asked {
    /// Runs of the real program, and as many in which it forgets a call.
    pub runs: u64,
    /// Objects of the long log; of the short one it is a tenth.
    pub objects: u64,
    /// Bytes of the large logs.
    pub size: u64,
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
