//! Both logs through FIFOs.

use super::pairs::{make, parting};
use super::program::watched_while;
use super::table::machine;
use super::windows::pour;
use super::{Hindered, Program, Room, Run, Shown, Table, Truth};
use crate::generate::Pair;
use crate::generate::pair::Target;

pub fn show(program: &Program, room: &Room, size: u64) -> Shown {
    room.demand(size * 2)?;
    println!("{} MB + {} MB through FIFOs; {}", size / 1_000_000, size / 1_000_000, machine());
    let mut wrong = Vec::new();
    let mut table = Table::new(&["written by", "exit", "wall, s", "resident, MB", "answer"]);
    for (name, run, truth) in [in_turn(program, room, size)?, by_two(program, room, size)?] {
        let mut why = run.report().map_or_else(|error| vec![error.to_string()], |report| truth.hold(&report));
        if run.code != Some(1) {
            why.push(format!("exit {}, must be 1; {}", run.ended(), run.stderr.trim()));
        }
        table.row([
            name.to_owned(),
            run.ended(),
            format!("{:.2}", run.seconds),
            format!("{:.0}", run.resident),
            if why.is_empty() { "right" } else { "WRONG" }.to_owned(),
        ]);
        wrong.extend(why.into_iter().map(|why| format!("{name}: {why}")));
    }
    table.print();
    Ok(wrong)
}

type Answer = (&'static str, Run, Truth);

/// One program gives each log a piece in turn: whoever reads one log to its end before the other waits forever.
fn in_turn(program: &Program, room: &Room, size: u64) -> Result<Answer, Hindered> {
    let fifos = [room.fifo("reference.fifo")?, room.fifo("candidate.fifo")?];
    let pair = Pair::new(parting(size))?;
    let targets = fifos.clone().map(Target::File);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| pair.write_in_turn(&targets[0], &targets[1]));
        let run = watched_while(&mut program.diff_command(&[], &fifos[0], &fifos[1]), |_| {})?;
        if run.hung {
            return Err("one program writing both FIFOs in turn: the run hung".into());
        }
        let written = writer.join().map_err(|_| "the writer panicked")??;
        Ok(("one program, in turn", run, Truth::generated(&pair.truth(&written.0, &written.1))?))
    })
}

fn by_two(program: &Program, room: &Room, size: u64) -> Result<Answer, Hindered> {
    let made = make(room, "pair", parting(size))?;
    let fifos = [room.fifo("reference.fifo")?, room.fifo("candidate.fifo")?];
    let mut writers = Vec::new();
    let run = watched_while(&mut program.diff_command(&[], &fifos[0], &fifos[1]), |_| {
        writers = vec![pour(&made.reference, &fifos[0]), pour(&made.candidate, &fifos[1])];
    })?;
    for writer in writers {
        writer?.wait()?;
    }
    Ok(("two processes", run, made.truth))
}
