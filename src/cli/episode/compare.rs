//! Runs against runs.

use anyhow::{bail, ensure};

use super::args::DiffArgs;
use super::show::{open, tell_faults};
use crate::cli::output::{self, Format, To};
use crate::cli::terminal::Surroundings;
use crate::cli::{Exit, tell, workers};
use crate::episode::difference::{self, Judge, PROFILE, THRESHOLD_DEFAULT};
use crate::episode::measure::Measurement;
use crate::episode::read::Kept;
use crate::profile::{self, Overrides};
use crate::report::episode::{EpisodeDiffContext, EpisodeDiffStory, diff};
use crate::report::visible;

/// What is said where there is nothing to compare.
const NOT_TWO: &str =
    "a reference and a candidate at least are compared: forkpoint episode diff REFERENCE CANDIDATE...";

/// Compares runs.
pub(super) fn run(args: &DiffArgs) -> anyhow::Result<Exit> {
    let around = Surroundings::look();
    let [first, candidates @ ..] = args.episodes.as_slice() else { bail!(NOT_TWO) };
    ensure!(!candidates.is_empty(), NOT_TWO);
    let references: Vec<_> = std::iter::once(first).chain(&args.reference).collect();
    let found = |word: &&std::path::PathBuf| open(word, &args.out.out);
    let references: Vec<Kept> = references.iter().map(found).collect::<Result<_, _>>()?;
    let candidates: Vec<Kept> = candidates.iter().collect::<Vec<_>>().iter().map(found).collect::<Result<_, _>>()?;
    let all = || references.iter().chain(&candidates);
    output::refuse_collisions(&args.report.output, &all().flat_map(Kept::inputs).collect::<Vec<_>>())?;
    tell_twice(&all().collect::<Vec<_>>());
    let flags = Overrides { ignore: args.ignore.clone(), without: args.without.clone(), ..Overrides::default() };
    let profile = profile::builtin(PROFILE).ok_or_else(|| anyhow::anyhow!("there is no profile {PROFILE}"))?;
    let profile = flags.apply(profile)?;
    let judge = Judge { threshold: args.threshold.map_or(THRESHOLD_DEFAULT, |percent| percent / 100.0) };
    let (sides, found) = workers::in_pool(args.jobs, || {
        let sides = [references, candidates].map(measured);
        let found = difference::compare([&sides[0], &sides[1]], &judge, &profile);
        (sides, found)
    })?;
    let found = found.map_err(anyhow::Error::msg)?;
    let flags = [("--ignore", &args.ignore), ("--without", &args.without)];
    let flags = flags.iter().flat_map(|(flag, values)| values.iter().map(move |value| format!("{flag}={value}")));
    let plain = EpisodeDiffContext {
        flags: flags.collect(),
        threshold: judge.threshold,
        all: args.all,
        width: 100,
        colour: false,
    };
    let own =
        EpisodeDiffContext { width: around.width(), colour: around.wants_color(args.color.when), ..plain.clone() };
    let story = |context| EpisodeDiffStory::new([&sides[0], &sides[1]], &found, context);
    let unwritten = output::deliver(Some(args.report.format), &args.report.output, |format, to| {
        let story = story(if to == To::Stdout { &own } else { &plain });
        Ok(match format {
            Format::Terminal => diff::terminal(&story),
            Format::Markdown => diff::markdown(&story),
            Format::Json => diff::json(&story),
        })
    });
    sides.iter().flatten().for_each(tell_faults);
    Ok(unwritten.unwrap_or(Exit(story(&plain).verdict.exit_code())))
}

/// One after the other: each may take much memory while it is read, and little afterwards.
fn measured(kept: Vec<Kept>) -> Vec<Measurement> {
    kept.into_iter().map(|kept| Measurement::of(kept, false)).collect()
}

/// Says where one run is given twice.
fn tell_twice(all: &[&Kept]) {
    for (at, kept) in all.iter().enumerate() {
        let same = |other: &&&Kept| other.path().canonicalize().ok() == kept.path().canonicalize().ok();
        if all[..at].iter().any(|other| same(&other)) {
            tell(&format!("note: {} is given twice", visible(&kept.path().to_string_lossy())));
        }
    }
}
