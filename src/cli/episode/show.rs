//! One episode.

use std::path::Path;

use anyhow::Context;

use super::args::ShowArgs;
use crate::cli::output::{self, Format, To};
use crate::cli::terminal::Surroundings;
use crate::cli::{Exit, tell};
use crate::episode::measure::Measurement;
use crate::episode::read::{Kept, find};
use crate::report::episode::{EpisodeContext, EpisodeStory, show};
use crate::report::{quote, visible};

/// Damaged places that are told beside the report, which tells more of them.
const FAULTS_TOLD: usize = 10;

/// Tells an episode.
pub(super) fn run(args: &ShowArgs) -> anyhow::Result<Exit> {
    let around = Surroundings::look();
    let kept = open(&args.episode, &args.out.out)?;
    output::refuse_collisions(&args.report.output, &kept.inputs())?;
    let run = Measurement::of(kept, args.all);
    let plain = EpisodeContext { width: 100, colour: false, all: args.all };
    let own = EpisodeContext { width: around.width(), colour: around.wants_color(args.color.when), ..plain.clone() };
    let unwritten = output::deliver(Some(args.report.format), &args.report.output, |format, to| {
        let story = EpisodeStory::new(&run, if to == To::Stdout { &own } else { &plain });
        Ok(match format {
            Format::Terminal => show::terminal(&story),
            Format::Markdown => show::markdown(&story),
            Format::Json => show::json(&story),
        })
    });
    tell_faults(&run);
    Ok(unwritten.unwrap_or(Exit(EpisodeStory::new(&run, &plain).verdict.exit_code())))
}

/// Finds an episode and opens it.
///
/// # Errors
/// There is none.
pub(super) fn open(word: &Path, out: &Path) -> anyhow::Result<Kept> {
    let path = find(word, out)?;
    // Whoever names the folder above means one of those in it.
    let above = path.join("episodes").is_dir();
    Kept::open(&path).with_context(|| match above {
        true => format!(
            "{} holds episodes: forkpoint episode list {}",
            visible(&path.to_string_lossy()),
            quote::path(&path)
        ),
        false => "failed to open an episode".to_owned(),
    })
}

/// Says on standard error what of an episode is damaged.
pub(super) fn tell_faults(run: &Measurement) {
    let total = run.faults_total();
    run.faults().take(FAULTS_TOLD).for_each(|fault| tell(&format!("forkpoint: {}", visible(fault))));
    if total > FAULTS_TOLD as u64 {
        tell(&format!("forkpoint: … and {} more", total - FAULTS_TOLD as u64));
    }
}
