//! Runs against runs as Markdown.

use super::super::super::markdown::{code, prose};
use super::super::super::style::Style;
use super::super::super::visible::{grouped, visible};
use super::super::grid::Grid;
use super::super::logs;
use super::super::numbers::change;
use super::story::{EpisodeDiffStory, SIDES, median, range};
use crate::episode::difference::Change;

/// Paints runs against runs as Markdown.
pub fn markdown(story: &EpisodeDiffStory) -> String {
    let mut out = String::from("# forkpoint: episodes compared\n\n");
    out.push_str(&format!("**{}**: {}\n\n", story.verdict.word(), prose(&story.headline())));
    for (word, runs) in SIDES.iter().zip(story.sides) {
        for run in runs {
            let path = code(&run.kept.path().to_string_lossy());
            out.push_str(&format!("- {word}: {path}, {}\n", EpisodeDiffStory::standing(run)));
        }
    }
    if !story.real().is_empty() {
        out.push_str("\n## Changed\n\n");
        out.push_str(&table(story, story.real()));
    }
    let others = story.others();
    if !others.is_empty() && story.context.all {
        out.push_str("\n## Not changed\n\n");
        out.push_str(&table(story, others));
    } else if !others.is_empty() && !story.real().is_empty() {
        out.push_str(&format!("\n… and {} that did not change\n", grouped(others.len() as u64)));
    }
    out.push_str(&logs::markdown(&story.logs));
    let notes: Vec<String> = story.rules().into_iter().chain(story.notes()).collect();
    let faults = story.sides.iter().flat_map(|runs| runs.iter()).flat_map(|run| run.faults().cloned());
    let notes: Vec<String> = notes.into_iter().chain(faults).collect();
    if !notes.is_empty() {
        out.push_str("\n## Remarks\n\n");
        notes.iter().for_each(|note| out.push_str(&format!("- {}\n", prose(note))));
    }
    out
}

fn table(story: &EpisodeDiffStory, changes: &[Change]) -> String {
    let mut grid =
        Grid::new(["phase", "metric", ">reference", "from, to", ">candidate", "from, to", ">change", ">runs", "by"]);
    for one in changes {
        let cells = [
            story.phase(one),
            visible(&one.metric.told()),
            median(one, &one.sides[0]),
            range(one, &one.sides[0]),
            median(one, &one.sides[1]),
            range(one, &one.sides[1]),
            change(one.part()),
            format!("{}, {}", one.sides[0].runs, one.sides[1].runs),
            one.rule.word().to_owned(),
        ];
        grid.row(cells.map(|cell| (Style::Plain, cell)));
    }
    grid.markdown()
}
