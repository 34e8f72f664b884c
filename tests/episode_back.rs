//! Episodes read back: whoever wrote them, however they ended, and whatever became of their files since; and what changed between runs.

mod episodes;

use std::fs;
use std::path::Path;

use episodes::{Dice, Plan, Standing as Written, original, write};
use forkpoint::episode::difference::{Change, Difference, Judge, PROFILE, Rule, THRESHOLD_DEFAULT, compare};
use forkpoint::episode::measure::{Measurement, Metric, Source, Unit, summary};
use forkpoint::episode::read::{Kept, NoEpisode, Standing, episodes as all_episodes, find};
use proptest::prelude::*;
use rustix::fs::{FlockOperation, flock};

fn read(folder: &Path) -> Measurement {
    Measurement::of(Kept::open(folder).unwrap(), true)
}

fn runs(out: &Path, plans: impl Iterator<Item = Plan>) -> Vec<Measurement> {
    plans.map(|plan| read(&write(out, &plan))).collect()
}

fn compared(references: &[Measurement], candidates: &[Measurement]) -> Difference {
    let profile = forkpoint::profile::builtin(PROFILE).unwrap();
    compare([references, candidates], &Judge { threshold: THRESHOLD_DEFAULT }, &profile).unwrap()
}

/// What changed, as `PHASE METRIC`.
fn changed(difference: &Difference) -> Vec<String> {
    let real = difference.changes.iter().filter(|change| change.is_real);
    real.map(|change| format!("{} {}", difference.phases[change.phase].name, change.metric.name)).collect()
}

fn of<'d>(difference: &'d Difference, phase: &str, metric: &str) -> &'d Change {
    let found = |change: &&Change| difference.phases[change.phase].name == phase && change.metric.name == metric;
    difference.changes.iter().find(found).unwrap_or_else(|| panic!("{phase} {metric}"))
}

#[test]
fn every_folder_tells_how_far_it_came() {
    let out = tempfile::tempdir().unwrap();
    for (seed, written, standing) in [
        (1, Written::Complete, Standing::Complete),
        (2, Written::Degraded, Standing::Degraded),
        (3, Written::Killed, Standing::Unfinished),
    ] {
        let folder = write(out.path(), &Plan { standing: written, ..Plan::new(seed) });
        let run = read(&folder);
        assert_eq!((run.kept.standing, run.faults_total()), (standing, 0), "{:?}", run.faults().collect::<Vec<_>>());
        let torn: Vec<&str> = run.files.iter().filter(|file| file.is_torn).map(|file| file.name.as_str()).collect();
        let is_killed = written == Written::Killed;
        let cut = ["events.jsonl", "telemetry-proc.jsonl", "telemetry-perf.jsonl"];
        assert_eq!(torn, if is_killed { &cut[..] } else { &[] });
        assert_eq!(run.phases.last().unwrap().is_cut, is_killed);
        assert_eq!(run.notes, [""; 0]);
    }
    // Whoever holds the events is recording; it need not be another process.
    let folder = write(out.path(), &Plan { standing: Written::Killed, ..Plan::new(4) });
    let events = fs::File::open(folder.join("events.jsonl")).unwrap();
    flock(&events, FlockOperation::LockExclusive).unwrap();
    assert_eq!(Kept::open(&folder).unwrap().standing, Standing::Running);
    drop(events);
    assert_eq!(Kept::open(&folder).unwrap().standing, Standing::Unfinished);
}

#[test]
fn episodes_of_the_first_recorder_are_read() {
    let out = tempfile::tempdir().unwrap();
    let run = read(&original(out.path(), "01HXORIGINAL"));
    assert_eq!(
        (run.kept.standing, run.faults_total()),
        (Standing::Complete, 0),
        "{:?}",
        run.faults().collect::<Vec<_>>()
    );
    assert_eq!(run.notes, [""; 0]);
    let [phase] = run.phases.as_slice() else { panic!("{:?}", run.phases) };
    assert_eq!((phase.name.as_str(), phase.seconds, phase.is_cut), ("clean", 0.4123, false));
    let value = |source: Source, name: &str| {
        let found = phase.metrics.iter().find(|(metric, _)| metric.source == source && metric.name == name);
        let (metric, measured) = found.unwrap_or_else(|| panic!("{name}: {:?}", phase.metrics));
        (metric.unit.clone(), measured.values.median, measured.values.count)
    };
    assert_eq!(value(Source::Proc, "cpu_user_ns"), (Unit::SecondsPerSecond, 0.5, 3));
    assert_eq!(value(Source::Proc, "rss_bytes"), (Unit::Bytes, 1_048_576.0, 4));
    assert_eq!(value(Source::Qmp, "virtio0.rd_bytes"), (Unit::BytesPerSecond, 1_000_000.0, 1));
    assert_eq!(value(Source::Guest, "load.0"), (Unit::Number, 0.5, 1));
    assert_eq!(value(Source::Guest, "mem.free_kb"), (Unit::Number, 1234.0, 1));
    // Rows of packets are about a tenth of a second each.
    assert_eq!(value(Source::Netflow, "bytes"), (Unit::BytesPerSecond, 3300.0, 2));
    assert!(!phase.metrics.iter().any(|(metric, _)| metric.name.contains("t_mono") || metric.name == "load.1"));
}

#[test]
fn damage_is_told_with_its_place_and_the_rest_is_read() {
    let out = tempfile::tempdir().unwrap();
    let folder = write(out.path(), &Plan::new(1));
    let whole = read(&folder);
    let path = folder.join("telemetry-proc.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let second = text.lines().next().unwrap().len() + 1;
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1] = "{\"t_mono_ns\": 5, ";
    lines[7] = "[1]";
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    let run = read(&folder);
    let faults: Vec<&String> = run.faults().collect();
    assert_eq!((faults.len(), run.faults_total()), (2, 2));
    assert!(faults[0].starts_with(&format!("{}:2: byte {}: ", path.display(), second + 17)), "{faults:?}");
    assert!(
        faults[1].contains("telemetry-proc.jsonl:8: byte ") && faults[1].ends_with("a row is an object"),
        "{faults:?}"
    );
    assert_eq!(run.rows(Source::Proc).unwrap() + 2, whole.rows(Source::Proc).unwrap());
    assert_eq!(run.notes, [""; 0]);
    // A copy that was cut between two rows has none that is damaged, and yet not all.
    fs::write(&path, text.lines().take(20).map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    let cut = read(&folder);
    assert_eq!(cut.faults_total(), 0);
    assert!(cut.notes[0].starts_with("telemetry-proc.jsonl: 20 rows, and meta.json tells of "), "{:?}", cut.notes);
}

#[test]
fn files_that_are_gone_or_something_else_are_no_end() {
    let out = tempfile::tempdir().unwrap();
    let names = ["meta.json", "events.jsonl", "labels.jsonl", "telemetry-proc.jsonl", "done.marker"];
    for (seed, gone) in names.into_iter().enumerate() {
        let folder = write(out.path(), &Plan::new(seed as u64));
        fs::remove_file(folder.join(gone)).unwrap();
        let run = read(&folder);
        let standing =
            if ["meta.json", "done.marker"].contains(&gone) { Standing::Unfinished } else { Standing::Complete };
        assert_eq!(run.kept.standing, standing, "{gone}");
        // A marker without what was marked is damage.
        assert_eq!(
            run.faults_total(),
            u64::from(gone == "meta.json"),
            "{gone}: {:?}",
            run.faults().collect::<Vec<_>>()
        );
        fs::create_dir(folder.join(gone)).unwrap();
        let run = read(&folder);
        assert_eq!(run.faults_total() > 0, gone != "done.marker", "{gone} is a folder");
    }
    let folder = write(out.path(), &Plan::new(99));
    for name in ["meta.json", "events.jsonl"] {
        fs::remove_file(folder.join(name)).unwrap();
    }
    assert!(matches!(Kept::open(&folder), Err(NoEpisode::Other(_))));
    assert!(matches!(Kept::open(&folder.join("labels.jsonl")), Err(NoEpisode::NoFolder(_))));
    assert!(matches!(Kept::open(&folder.join("none")), Err(NoEpisode::Nothing(_))));
}

#[test]
fn an_episode_is_found_by_the_beginning_of_its_id() {
    let out = tempfile::tempdir().unwrap();
    let folders: Vec<_> = [10, 11, 20].map(|seed| write(out.path(), &Plan::new(seed))).into();
    fs::create_dir(out.path().join("episodes/notes")).unwrap();
    let found = |word: &str| find(Path::new(word), out.path()).map_err(|error| error.to_string());
    assert_eq!(found("01kaq0002").as_ref(), Ok(&folders[2]));
    assert_eq!(found(folders[0].to_str().unwrap()).as_ref(), Ok(&folders[0]));
    let error = found("01KAQ").unwrap_err();
    assert!(error.starts_with("01KAQ is the beginning of 3 episodes: 01KAQ00010XYZ"), "{error}");
    assert!(found("x").unwrap_err().contains("no episode in"));
    let (all, others) = all_episodes(out.path()).unwrap();
    assert_eq!((all.len(), others), (3, vec!["notes".to_owned()]));
    assert_eq!(all_episodes(&out.path().join("episodes")).unwrap().0.len(), 3);
    assert!(all_episodes(&out.path().join("none")).is_err());
}

#[test]
fn a_run_against_itself_has_not_changed() {
    let out = tempfile::tempdir().unwrap();
    let run = [read(&write(out.path(), &Plan::new(5)))];
    let difference = compared(&run, &run);
    assert!(changed(&difference).is_empty() && difference.changes.len() > 30, "{}", difference.changes.len());
    assert!(difference.logs.iter().all(|log| !log.differs()) && difference.logs.len() == 2);
    assert!(difference.one_sided.is_empty() && difference.notes.is_empty());
}

/// A benchmark that takes a fifth longer in one phase, and for that does everything in it more slowly.
#[test]
fn a_planted_slowdown_is_found_and_nothing_else_over_many_seeds() {
    let (mut seen, mut rules) = (0, std::collections::BTreeSet::new());
    for seed in 0..60u64 {
        let out = tempfile::tempdir().unwrap();
        let per_side = [1, 3, 5][seed as usize % 3];
        // One run a side cannot tell its own noise: what is more than the threshold is called a change, so there must not be so much.
        let run_noise = if per_side == 1 { 0.006 } else { 0.01 };
        let plan = |at: u64| Plan { run_noise, ..Plan::new(seed * 100 + at) };
        let before = runs(out.path(), (0..per_side).map(plan));
        let after = runs(out.path(), (50..50 + per_side).map(|at| Plan { slower: Some(("load", 1.2)), ..plan(at) }));
        let again = runs(out.path(), (70..70 + per_side).map(plan));
        assert_eq!(changed(&compared(&before, &again)), [""; 0], "seed {seed}, {per_side} runs a side");
        let difference = compared(&before, &after);
        let found = changed(&difference);
        assert!(found.contains(&"load duration_s".to_owned()), "seed {seed}: {found:?}");
        assert!(found.iter().all(|found| found.starts_with("load ")), "seed {seed}: {found:?}");
        let duration = of(&difference, "load", "duration_s");
        let part = duration.part().unwrap();
        assert!((0.15..0.25).contains(&part), "seed {seed}: {part}");
        // What took longer did as much in all: its rates are less by a sixth.
        let rate = of(&difference, "load", "minor_faults");
        assert!(rate.is_real && (-0.22..-0.11).contains(&rate.part().unwrap()), "seed {seed}: {rate:?}");
        // A rate that is what it was is not among them.
        assert!(!found.contains(&"load task-clock".to_owned()), "{found:?}");
        rules.extend(difference.changes.iter().map(|change| change.rule.word()));
        seen += found.len();
    }
    assert!(seen > 300, "{seen}");
    assert_eq!(rules.into_iter().collect::<Vec<_>>(), ["parts", "runs", "threshold"]);
}

/// One rate alone, in one phase alone.
#[test]
fn one_planted_rate_is_the_only_change() {
    for seed in 0..30u64 {
        let out = tempfile::tempdir().unwrap();
        let per_side = 1 + seed % 4;
        let plan = |at: u64| Plan::new(seed * 100 + at);
        let before = runs(out.path(), (0..per_side).map(plan));
        let more = Some(("drain", "write_bytes", if seed % 2 == 0 { 1.2 } else { 0.8 }));
        let after = runs(out.path(), (50..50 + per_side).map(|at| Plan { more, ..plan(at) }));
        assert_eq!(changed(&compared(&before, &after)), ["drain write_bytes"], "seed {seed}, {per_side} runs a side");
    }
}

/// Where runs differ among themselves by as much as the threshold, what is called a change is mostly none; few runs must not be believed.
#[test]
fn noise_is_seldom_called_a_change_and_the_more_runs_the_less() {
    let mut share = [0.0; 2];
    for (at, per_side) in [3, 6].into_iter().enumerate() {
        let (mut called, mut of) = (0, 0);
        for seed in 0..15u64 {
            let out = tempfile::tempdir().unwrap();
            let plan = |at: u64| Plan { run_noise: 0.06, ..Plan::new(seed * 1000 + at) };
            let before = runs(out.path(), (0..per_side).map(plan));
            let after = runs(out.path(), (500..500 + per_side).map(plan));
            let difference = compared(&before, &after);
            called += changed(&difference).len();
            of += difference.changes.len();
        }
        share[at] = called as f64 / of as f64;
    }
    assert!(share[0] < 0.03 && share[1] < 0.02, "{share:?}");
}

#[test]
fn what_happened_is_compared_and_not_when() {
    let out = tempfile::tempdir().unwrap();
    let before = read(&write(out.path(), &Plan::new(1)));
    let same = read(&write(out.path(), &Plan { run_noise: 0.1, ..Plan::new(2) }));
    let degraded = read(&write(out.path(), &Plan { standing: Written::Degraded, ..Plan::new(3) }));
    let other = read(&write(out.path(), &Plan { phases: vec![("clean", 1.0), ("drain", 1.0)], ..Plan::new(4) }));
    let parts = |candidate: &Measurement| {
        let difference = compared(std::slice::from_ref(&before), std::slice::from_ref(candidate));
        difference.logs.iter().filter(|log| log.differs()).map(|log| log.file).collect::<Vec<_>>()
    };
    assert_eq!(parts(&same), [""; 0]);
    assert_eq!(parts(&degraded), ["events.jsonl"]);
    assert_eq!(parts(&other), ["events.jsonl", "labels.jsonl"]);
    // What any of the references did is no change.
    let difference = compared(&[before, other.clone()], &[other]);
    assert!(difference.logs.iter().all(|log| !log.differs() && log.same_as == Some(1)));
    let alone: Vec<&str> =
        difference.phases.iter().filter(|phase| phase.runs == [1, 0]).map(|phase| phase.name.as_str()).collect();
    assert_eq!(alone, ["load"]);
}

#[test]
fn a_phase_that_was_cut_short_has_no_duration_to_compare() {
    let out = tempfile::tempdir().unwrap();
    let whole = [read(&write(out.path(), &Plan::new(1)))];
    let killed = [read(&write(out.path(), &Plan { standing: Written::Killed, ..Plan::new(2) }))];
    let difference = compared(&whole, &killed);
    let last = difference.phases.iter().position(|phase| phase.name == "drain").unwrap();
    assert!(difference.one_sided.contains(&(last, Metric::duration(), 0)));
    assert!(of(&difference, "clean", "duration_s").rule == Rule::Threshold && !difference.changes.is_empty());
}

#[test]
fn a_phase_that_comes_several_times_is_one() {
    let out = tempfile::tempdir().unwrap();
    let phases = vec![("warm", 0.2), ("step", 0.1), ("rest", 0.1), ("step", 0.1), ("rest", 0.1), ("step", 0.1)];
    let run = read(&write(out.path(), &Plan { phases, run_noise: 0.0, ..Plan::new(1) }));
    let told: Vec<(&str, u64)> = run.phases.iter().map(|phase| (phase.name.as_str(), phase.times)).collect();
    assert_eq!(told, [("warm", 1), ("step", 3), ("rest", 2)]);
    let step = run.phase("step").unwrap();
    let duration = step.metric(&Metric::duration()).unwrap();
    assert_eq!(duration.values.count, 3);
    assert!((step.seconds - 0.3).abs() < 0.01 && (duration.values.median - 0.1).abs() < 0.01);
    // No interval that lies in two phases counts, and none behind the last row.
    let rate = step.metrics.iter().find(|(metric, _)| metric.name == "minor_faults").unwrap();
    assert_eq!(rate.1.values.count, 14);
}

/// The obvious way.
fn naive(values: &[f64]) -> [f64; 5] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    std::array::from_fn(|quarters| {
        let place = (sorted.len() - 1) * quarters;
        let (below, part) = (sorted[place / 4], (place % 4) as f64 / 4.0);
        let above = sorted[(place / 4 + 1).min(sorted.len() - 1)];
        if part == 0.0 || below == above { below } else { below * (1.0 - part) + above * part }
    })
}

proptest! {
    #[test]
    fn values_are_summed_up_as_by_sorting(values in prop::collection::vec(
        prop_oneof![any::<i16>().prop_map(f64::from), -1e300..1e300f64, Just(0.0), Just(-0.0)], 1..200)
    ) {
        let found = summary(&mut values.clone()).unwrap();
        prop_assert_eq!([found.min, found.lower, found.median, found.upper, found.max], naive(&values));
        prop_assert_eq!(found.count, values.len() as u64);
    }

    #[test]
    fn no_bytes_of_a_folder_are_an_end(seed in 0u64..1000, hits in prop::collection::vec((0usize..5, any::<u32>(), any::<u8>(), 0u8..4), 1..12)) {
        let out = tempfile::tempdir().unwrap();
        let plan = Plan { phases: vec![("a", 0.1), ("b", 0.1)], standing: if seed % 3 == 0 { Written::Killed } else { Written::Complete }, ..Plan::new(seed) };
        let folder = if seed % 5 == 0 { original(out.path(), "x") } else { write(out.path(), &plan) };
        let names = ["meta.json", "events.jsonl", "labels.jsonl", "telemetry-proc.jsonl", "telemetry-perf.jsonl"];
        for (file, place, byte, how) in hits {
            let path = folder.join(names[file]);
            let mut text = fs::read(&path).unwrap_or_default();
            let at = place as usize % (text.len() + 1);
            match how {
                0 => text.truncate(at),
                1 => text.insert(at, byte),
                2 => text.splice(at..at, b"1e999".iter().copied()).for_each(drop),
                _ => if let Some(hit) = text.get_mut(at) { *hit = byte },
            }
            fs::write(&path, text).unwrap();
        }
        if let Ok(kept) = Kept::open(&folder) {
            let run = Measurement::of(kept, false);
            for (_, measured) in run.phases.iter().flat_map(|phase| &phase.metrics) {
                let values = measured.values;
                prop_assert!(measured.parts.min.is_finite() && measured.parts.max.is_finite());
                prop_assert!(values.min <= values.lower && values.lower <= values.median && values.upper <= values.max);
                prop_assert!(values.min.is_finite() && values.max.is_finite() && measured.whole.is_finite());
            }
            let other = [read(&write(out.path(), &Plan { phases: vec![("a", 0.1), ("b", 0.1)], ..Plan::new(5000) }))];
            let _ = compared(&other, &[run]);
        }
    }
}

#[test]
fn dice_are_fair_enough() {
    let mut dice = Dice::new(7);
    let mean = (0..10_000).map(|_| dice.around(0.1)).sum::<f64>() / 10_000.0;
    assert!((0.99..1.01).contains(&mean), "{mean}");
}
