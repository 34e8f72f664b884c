//! What rules cost: a pair with and without identity rules, and beside the program as it was before.

use std::process::Command;

use super::{Asked, Done};
use crate::generate::catalogue::plain;
use crate::generate::{Options, Size};
use crate::show::pairs::make;
use crate::show::program::watched;
use crate::show::rounds::{Entrant, race};
use crate::show::table::machine;
use crate::show::{Program, Room, Shown, Table};

/// The identity rules of schema-v1.
const IDENTITY: [&str; 6] = ["--without", "heap-addresses", "--without", "handles", "--without", "thread-ids"];

pub fn show(program: &Program, room: &Room, asked: &Asked) -> Shown {
    room.demand(asked.size * 2)?;
    println!("{} MB a side; medians of {} rounds in turn; {}", asked.size / 1_000_000, asked.rounds, machine());
    let mut wrong = Vec::new();
    let mut table = Table::new(&["pair", "run", "s", "ratio", "resident, MB"]);
    let before = asked.before.clone().map(|path| Program { path });
    for (name, allocators) in [("as games log", 0.01), ("a quarter allocators", 0.25)] {
        let made = make(room, "cost", Options { allocators, ..plain(Size::Bytes(asked.size)) })?;
        let code = i32::from(made.truth.parts());
        let (reference, candidate) = (&made.reference, &made.candidate);
        let command = |program: &Program, flags: &[&str]| program.diff_command(flags, reference, candidate);
        let with = || command(program, &[]);
        let without = || command(program, &IDENTITY);
        let mut entrants = vec![
            Entrant::new("without identity rules", code, without),
            Entrant::new("with identity rules", code, with),
        ];
        if let Some(before) = &before {
            entrants.push(Entrant::new("the program before", code, move || command(before, &[])));
        }
        let figures = race(&entrants, asked.rounds)?;
        let base = figures[0].wall();
        for (entrant, figures) in entrants.iter().zip(&figures) {
            wrong.extend(figures.wrong.iter().cloned());
            table.row([
                name.to_owned(),
                entrant.name.clone(),
                format!("{:.2}", figures.wall()),
                format!("{:.2}", figures.wall() / base),
                format!("{:.0}", resident((entrant.command)())?),
            ]);
        }
        drop(entrants);
        made.remove()?;
    }
    table.print();
    println!("budget: with identity rules at most 1.5; {}", machine());
    Ok(wrong)
}

/// The most memory a run takes, in MB.
fn resident(mut command: Command) -> Done<f64> {
    Ok(watched(&mut command)?.resident)
}
