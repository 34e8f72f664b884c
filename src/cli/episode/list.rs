//! The episodes of a folder.

use super::args::ListArgs;
use crate::cli::output::{self, Format, To};
use crate::cli::terminal::Surroundings;
use crate::cli::{Exit, tell};
use crate::episode::read::{Brief, episodes};
use crate::report::episode::{EpisodeContext, EpisodeListStory, list};
use crate::report::visible;

/// Lists episodes.
pub(super) fn run(args: &ListArgs) -> anyhow::Result<Exit> {
    let around = Surroundings::look();
    let (found, others) = episodes(&args.out)?;
    let inputs: Vec<_> = found.iter().flat_map(|kept| kept.inputs()).collect();
    output::refuse_collisions(&args.report.output, &inputs)?;
    let mut briefs: Vec<Brief> = found.into_iter().map(Brief::of).collect();
    briefs.sort_by_cached_key(Brief::order);
    let plain = EpisodeContext { width: 120, colour: false, all: true };
    let own = EpisodeContext { width: around.width(), colour: around.wants_color(args.color.when), ..plain.clone() };
    let story = |context| EpisodeListStory { folder: &args.out, episodes: &briefs, others: &others, context };
    let unwritten = output::deliver(Some(args.report.format), &args.report.output, |format, to| {
        let story = story(if to == To::Stdout { &own } else { &plain });
        Ok(match format {
            Format::Terminal => list::terminal(&story),
            Format::Markdown => list::markdown(&story),
            Format::Json => list::json(&story),
        })
    });
    let faults: Vec<&String> = briefs.iter().flat_map(|one| &one.kept.faults).collect();
    faults.iter().for_each(|fault| tell(&format!("forkpoint: {}", visible(fault))));
    if let Some(note) = story(&plain).note() {
        tell(&format!("note: {note}"));
    }
    Ok(unwritten.unwrap_or(if faults.is_empty() { Exit::SAME } else { Exit::TROUBLE }))
}
