//! All runs of the show: kinds of faults in turn, jobs at random, and the table of what became of them.

use std::process::Command;

use super::super::table::machine;
use super::super::{Hindered, Program, Room, Shown, Table};
use super::fault::{Deck, Fault, KINDS};
use super::job::{Rehearsed, rehearse};
use super::judge::{Became, judge, was_struck};
use super::play::{Played, play};
use super::shim::Shim;
use super::stage::Stage;
use crate::generate::numbers::Random;

/// What became of the runs with one kind of fault.
#[derive(Clone, Default)]
struct Tally {
    runs: u64,
    struck: u64,
    right: u64,
    trouble: u64,
    ended: u64,
    quiet: u64,
    wrong: u64,
}

impl Tally {
    fn count(&mut self, became: &Became, was_struck: bool) {
        self.runs += 1;
        self.struck += u64::from(was_struck);
        *match became {
            Became::Right => &mut self.right,
            Became::Trouble => &mut self.trouble,
            Became::Ended(_) => &mut self.ended,
            Became::Quiet => &mut self.quiet,
            Became::Wrong(_) => &mut self.wrong,
        } += 1;
    }

    fn row(&self, name: &str) -> [String; 8] {
        let Tally { runs, struck, right, trouble, ended, quiet, wrong } = *self;
        let cell = |count: u64| if count == 0 { "-".to_owned() } else { count.to_string() };
        [name.to_owned(), cell(runs), cell(struck), cell(right), cell(trouble), cell(ended), cell(quiet), cell(wrong)]
    }

    fn add(&mut self, other: &Tally) {
        self.runs += other.runs;
        self.struck += other.struck;
        self.right += other.right;
        self.trouble += other.trouble;
        self.ended += other.ended;
        self.quiet += other.quiet;
        self.wrong += other.wrong;
    }
}

pub fn show(program: &Program, room: &Room, runs: u64, seed: u64) -> Shown {
    let shim = match Shim::build(room)? {
        Ok(shim) => shim,
        Err(why) => {
            println!("skipped: cc: {}", why.lines().next().unwrap_or_default());
            return Ok(Vec::new());
        }
    };
    let stage = Stage::set(room)?;
    let (rehearsed, mut wrong) = rehearse(program, &stage, &shim)?;
    if !wrong.is_empty() {
        return Ok(wrong);
    }
    let least = [least_limit(program, "-v")?, least_limit(program, "-d")?];
    println!("{} jobs, seed {seed}; {}", rehearsed.len(), machine());
    println!("the program speaks from {} KiB of address space, {} KiB of data on\n", least[0], least[1]);
    let mut tallies = vec![Tally::default(); KINDS.len()];
    let mut random = Random::new(seed, "world", 0);
    for run in 0..runs {
        let at = (run % KINDS.len() as u64) as usize;
        let (job, fault) = draw(at, &rehearsed, &shim, &stage, least, &mut random)?;
        let played = play(program, &stage, &job.job, &fault)?;
        let became = judge(job, &fault, &played);
        tallies[at].count(&became, was_struck(&fault, &played, &became));
        if let Became::Wrong(why) = became {
            wrong.push(told(run, KINDS[at].0, job, &fault, &played, &why));
        }
    }
    print(&tallies);
    Ok(wrong)
}

/// A job that can meet a fault of this kind, and the fault.
fn draw<'a>(
    at: usize,
    rehearsed: &'a [Rehearsed],
    shim: &'a Shim,
    stage: &'a Stage,
    least: [u64; 2],
    random: &mut Random,
) -> Result<(&'a Rehearsed, Fault<'a>), Hindered> {
    let (name, drawn) = KINDS[at];
    for _ in 0..1000 {
        let job = &rehearsed[random.below(rehearsed.len() as u64) as usize];
        if let Some(fault) = drawn(&Deck { shim, stage, rehearsed: job, least }, random) {
            return Ok((job, fault));
        }
    }
    Err(format!("no job can meet this: {name}").into())
}

/// The least limit, in KiB, under which the program itself speaks; below, the system cannot even start it.
fn least_limit(program: &Program, flag: &str) -> Result<u64, Hindered> {
    for kib in (1..1024).map(|mib| mib * 512) {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit {flag} {kib} && exec \"$0\" --version")]).arg(&program.path);
        if matches!(shell.output()?.status.code(), Some(0 | 2)) {
            return Ok(kib);
        }
    }
    Err(format!("the program does not start under ulimit {flag}").into())
}

/// All that is needed to look at a run again.
fn told(run: u64, kind: &str, job: &Rehearsed, fault: &Fault<'_>, played: &Played, why: &str) -> String {
    let order = fault.order.as_ref().map(|(_, order)| format!(" {order:?}")).unwrap_or_default();
    let struck = played.struck.iter().take(3).map(|(kind, path)| format!("{kind} {path}")).collect::<Vec<_>>();
    format!("run {run}, {kind}, {} ({}){order}, struck {struck:?}: {why}", job.job.name, job.job.words.join(" "))
}

fn print(tallies: &[Tally]) {
    let mut table = Table::new(&["fault", "runs", "struck", "right", "trouble told", "ended by it", "quiet", "WRONG"]);
    let mut all = Tally::default();
    for ((name, _), tally) in KINDS.iter().zip(tallies) {
        table.row(tally.row(name));
        all.add(tally);
    }
    table.row(all.row("all"));
    table.print();
    println!(
        "right: answer, exit code and files of the undisturbed run. trouble told: exit 2 and a sentence that names the"
    );
    println!(
        "place. ended by it: by the signal sent, reports whole or not there, nothing left behind. quiet: a closed pipe."
    );
}
