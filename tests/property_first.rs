//! `--first` against the full run: the same divergence, the same malformed lines before it, nothing else, however
//! the logs are read.
//!
//! `FORKPOINT_CASES` and `FORKPOINT_SEED` as in `property_diff`.

mod twin;

use forkpoint::diverge::{Divergence, Outcome};
use forkpoint::source::Side;
use twin::accepting::accepting;
use twin::check::told;
use twin::library::painted;
use twin::pairs::{Case, Family, case, tear};
use twin::shapes::Rng;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The pairings of a JSON report as they stand there, without what only the whole run knows: lanes' totals, whether both
/// agree for good behind the divergence, and what that may follow from.
fn pairings(report: &str) -> Vec<String> {
    let (_, behind) = report.split_once("\n  \"pairings\": [").expect("a report has pairings");
    let mut found = vec![String::new()];
    let mut is_inside = false;
    for line in behind.lines().skip(1).take_while(|line| *line != "  ],") {
        let line = line.strip_suffix(',').unwrap_or(line);
        let totals = ["        \"events\": ", "        \"healed_after\": ", "        \"follows\": "];
        let total = totals.iter().find(|total| line.starts_with(**total));
        if is_inside {
            is_inside = line != "        }";
            continue;
        }
        is_inside = total.is_some() && line.ends_with('{');
        let line = total.map_or_else(|| line.to_owned(), |total| format!("{total}null"));
        let last = found.last_mut().expect("never empty");
        last.push_str(&line);
        last.push('\n');
        if line == "    }" {
            found.push(String::new());
        }
    }
    found.pop();
    found
}

/// Whether the full run's pairing is the one shown. Only the whole run knows pools, which make their pairings ambiguous.
fn is_shown(shown: &[String], full: &str) -> bool {
    let [shown] = shown else { return false };
    let Some((before, pool)) = full.split_once("      \"pool\": {") else { return shown == full };
    let (_, behind) = pool.split_once("      }\n").expect("a pool ends");
    let ambiguous = "      \"ambiguous\": true\n";
    assert!(before.contains(ambiguous), "a pool's pairing is ambiguous");
    let apart = format!("{before}      \"pool\": null\n{behind}");
    *shown == apart || *shown == apart.replace(ambiguous, "      \"ambiguous\": false\n")
}

/// The line at which a log parts; none where its lane has ended.
fn line(found: &Divergence, side: Side) -> Option<u64> {
    let (event, after) = match side {
        Side::Reference => (&found.reference, &found.after_reference),
        Side::Candidate => (&found.candidate, &found.after_candidate),
    };
    let next = after.first().filter(|_| found.resync.is_some());
    event.as_ref().or(next).map(|event| event.line)
}

/// What is wrong with the report under `--first`, and whether the run stopped before the ends.
fn compared(case: &Case, jobs: usize, sizes: (Option<usize>, usize)) -> Result<bool, String> {
    let bytes = [case.bytes(0), case.bytes(1)];
    let flags: Vec<&str> = case.flags.iter().map(String::as_str).collect();
    let with: Vec<&str> = flags.iter().copied().chain(["--first"]).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().expect("workers");
    let full = painted(&bytes[0], &bytes[1], &flags, (None, 0));
    let first = pool.install(|| painted(&bytes[0], &bytes[1], &with, sizes));
    let (full, first) = match (full, first) {
        (Ok(full), Ok(first)) => (full, first),
        (Err(full), Err(first)) if full == first => return Ok(false),
        (full, first) => return Err(format!("{:?} against {:?}", full.err(), first.err())),
    };
    let Some(at) = full.2.first else {
        return if full.1 == first.1 && full.0 == first.0 {
            Ok(false)
        } else {
            let differ = first.1.lines().zip(full.1.lines()).find(|(one, other)| one != other);
            Err(format!("exits {} and {}, not the full report: {differ:?} in {}", first.0, full.0, first.1))
        };
    };
    let shown = pairings(&first.1);
    if !is_shown(&shown, &pairings(&full.1)[at]) {
        return Err(format!("another pairing:\n{}\nmust be\n{}", shown.join("\n"), pairings(&full.1)[at]));
    }
    for part in ["\"first\": 0,", "\"coverage\": null,", "\"bytes\": null,", "\"threads\": null,", "\"cut\": null\n"] {
        if !first.1.contains(part) {
            return Err(format!("no {part}: {}", first.1));
        }
    }
    faults_and_exit(&full.2, &first.2, full.0, first.0)?;
    Ok(first.2.reference.bytes < full.2.reference.bytes || first.2.candidate.bytes < full.2.candidate.bytes)
}

fn faults_and_exit(full: &Outcome, first: &Outcome, full_exit: u8, exit: u8) -> Result<(), String> {
    let at = full.first.expect("something parts");
    let found = full.pairings[at].divergence.as_ref().expect("the first diverges");
    let before = |side: Side, fault: u64| line(found, side).is_none_or(|line| fault <= line);
    let wanted: Vec<_> = full.faults.iter().filter(|fault| before(fault.side, fault.line)).cloned().collect();
    if wanted != first.faults || wanted.len() as u64 != first.faults_total {
        return Err(format!("faults {:?}, must be {wanted:?}", first.faults));
    }
    let right = match full_exit {
        2 if !wanted.is_empty() || !full.map_unknown.is_empty() => exit == 2,
        2 => exit != 2,
        other => exit == other,
    };
    if right { Ok(()) } else { Err(format!("exit {exit}, the full run's is {full_exit}")) }
}

/// Runs cases; returns how many stopped before the ends.
fn hold(name: &str, cases: u64, make: impl Fn(u64) -> Case) -> u64 {
    let (first, mut stopped) = (number("FORKPOINT_SEED", 1), 0);
    for seed in first..first + cases {
        let case = make(seed);
        let lines = case.lines[0].len() + case.lines[1].len();
        // Windows of one line are slow where there are very many.
        let small = if lines > 20_000 { 100_000 } else { 1 };
        for (jobs, sizes) in [(1, (Some(small), 2)), (2, (Some(700.max(small)), 2)), (2, (None, 0))] {
            match compared(&case, jobs, sizes) {
                Ok(early) => stopped += u64::from(early),
                Err(why) => panic!("{name} {seed}, {jobs} jobs, {sizes:?}: {why}\n{}", told(&case)),
            }
        }
    }
    stopped
}

#[test]
fn small_logs_of_every_family() {
    let cases = number("FORKPOINT_CASES", 75);
    for family in [Family::Sound, Family::Damaged, Family::Generic] {
        hold(&format!("{family:?}"), cases, |seed| case(family, seed));
    }
}

#[test]
fn long_lived_threads_stop_early_and_rightly() {
    let cases = number("FORKPOINT_CASES", 75);
    let stopped = hold("threads", cases, |seed| twin::threads::case(&mut Rng::new(seed)));
    assert!(stopped >= cases / 2, "{stopped} of {cases} cases, three runs each, stopped before the ends");
}

#[test]
fn workers_of_one_queue() {
    let cases = number("FORKPOINT_CASES", 75);
    hold("workers", cases, |seed| twin::workers::case(&mut Rng::new(seed)));
}

#[test]
fn the_first_that_is_not_accepted_is_found_early_and_rightly() {
    let cases = number("FORKPOINT_CASES", 15);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("accepted.toml");
    for family in [Family::Sound, Family::Damaged, Family::Generic] {
        hold(&format!("{family:?}"), cases, |seed| accepting(case(family, seed), &mut Rng::new(seed), &file, 75));
    }
    let stopped = hold("threads", cases, |seed| {
        let mut rng = Rng::new(seed);
        let case = twin::threads::case(&mut rng);
        accepting(case, &mut rng, &file, 25)
    });
    assert!(stopped >= cases / 4, "{stopped} of {cases} cases, three runs each, stopped before the ends");
}

#[test]
fn logs_longer_than_pairing_waits() {
    let cases = number("FORKPOINT_CASES", 75).div_ceil(50);
    hold("long", cases, |seed| {
        let mut case = case(Family::Long, seed);
        if seed % 2 == 0 {
            tear(&mut case.lines[0], &mut Rng::new(seed));
        }
        case
    });
}
