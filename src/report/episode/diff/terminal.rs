//! Runs against runs for a terminal.

use super::super::super::style::{Page, Style};
use super::super::super::visible::{clip, columns, grouped, pad, visible, wrapped};
use super::super::grid::Grid;
use super::super::logs;
use super::super::numbers::change;
use super::story::{EpisodeDiffStory, SIDES, median, range};
use crate::episode::difference::Change;
use crate::episode::measure::Metric;

/// Narrower pages are not tried.
const WIDTH_MIN: usize = 40;
/// Longer names of metrics are cut.
const NAME_COLUMNS_MAX: usize = 44;

/// Paints runs against runs for a terminal.
pub fn terminal(story: &EpisodeDiffStory) -> String {
    let mut page = Page::new(story.context.colour);
    let width = story.context.width.max(WIDTH_MIN);
    page.answer(width, Style::of(story.verdict), story.verdict.word(), &story.headline());
    runs(story, &mut page, width);
    phases(story, &mut page, width);
    if !story.real().is_empty() {
        page.gap();
        page.line(Style::Bold, "changed, the most first");
        changes(story, story.real(), &mut page, width);
    }
    let others = story.others();
    if !others.is_empty() && story.context.all {
        page.gap();
        page.line(Style::Bold, "not changed");
        changes(story, others, &mut page, width);
    } else if !others.is_empty() && !story.real().is_empty() {
        page.line(Style::Dim, &format!("  … and {} that did not change (--all)", grouped(others.len() as u64)));
    }
    logs::paint(&story.logs, &mut page, width);
    remarks(story, &mut page, width);
    page.finish()
}

fn runs(story: &EpisodeDiffStory, page: &mut Page, width: usize) {
    for (word, runs) in SIDES.iter().zip(story.sides) {
        for run in runs {
            let standing = EpisodeDiffStory::standing(run);
            let path = visible(&run.kept.path().to_string_lossy());
            let left = width.saturating_sub(15 + columns(&standing));
            // A path on a line of its own can be copied.
            if columns(&path) <= left {
                page.line(Style::Dim, &format!("  {word}  {path}  {standing}"));
            } else {
                page.line(Style::Dim, &format!("  {word}  {path}"));
                page.line(Style::Dim, &format!("             {standing}"));
            }
        }
    }
}

/// How long each phase was, and how much of it changed.
fn phases(story: &EpisodeDiffStory, page: &mut Page, width: usize) {
    let mut grid = Grid::new(["phase", ">runs", ">reference", ">candidate", ">change", "changed"]);
    for (at, phase) in story.difference.phases.iter().enumerate().filter(|(_, phase)| !phase.runs.contains(&0)) {
        let of_phase = || story.difference.changes.iter().filter(|change| change.phase == at);
        let changed = of_phase().filter(|change| change.is_real).count();
        let duration = of_phase().find(|change| change.metric == Metric::duration());
        let [reference, candidate] =
            [0, 1].map(|side| duration.map_or_else(|| "—".to_owned(), |change| median(change, &change.sides[side])));
        let by = duration.map_or_else(String::new, |duration| change(duration.part()));
        let is_real = duration.is_some_and(|change| change.is_real);
        let of =
            format!("{} of {}", if changed == 0 { "none".to_owned() } else { changed.to_string() }, of_phase().count());
        grid.row([
            (Style::Plain, clip(&visible(&phase.name), 24)),
            (Style::Dim, format!("{}, {}", phase.runs[0], phase.runs[1])),
            (Style::Plain, reference),
            (Style::Plain, candidate),
            (if is_real { Style::Bad } else { Style::Dim }, by),
            (if changed > 0 { Style::Bad } else { Style::Good }, of),
        ]);
    }
    page.gap();
    grid.fit(width, &[(0, 8)]);
    // How many runs there are is told above too.
    for column in [1, 5] {
        if grid.width() > width {
            grid.without(column);
        }
    }
    grid.paint(page);
}

fn changes(story: &EpisodeDiffStory, changes: &[Change], page: &mut Page, width: usize) {
    let mut grid = Grid::new(["phase", "metric", ">reference", "", ">candidate", "", ">change", "by"]);
    for one in changes {
        let style = if one.is_real { Style::Bad } else { Style::Dim };
        grid.row([
            (Style::Plain, clip(&story.phase(one), 24)),
            (Style::Plain, name(one)),
            (Style::Reference, median(one, &one.sides[0])),
            (Style::Dim, range(one, &one.sides[0])),
            (Style::Candidate, median(one, &one.sides[1])),
            (Style::Dim, range(one, &one.sides[1])),
            (style, change(one.part())),
            (Style::Dim, one.rule.word().to_owned()),
        ]);
    }
    if grid.width() <= width {
        grid.paint(page);
        return;
    }
    for one in changes {
        let style = if one.is_real { Style::Bad } else { Style::Dim };
        let (by, change) = (format!("  by {}", one.rule.word()), change(one.part()));
        let left = width.saturating_sub(4 + columns(&change) + columns(&by));
        let what = clip(&format!("{}  {}", story.phase(one), visible(&one.metric.told())), left);
        page.put(Style::Plain, &format!("  {what}  ")).put(style, &change).put(Style::Dim, &by).end();
        let medians = one.sides.each_ref().map(|side| median(one, side));
        let wide = medians.iter().map(|text| columns(text)).max().unwrap_or(0);
        for (at, (style, sign)) in [(Style::Reference, "-"), (Style::Candidate, "+")].into_iter().enumerate() {
            page.put(style, &format!("    {sign} {}", pad(&medians[at], wide)))
                .put(Style::Dim, &format!("  {}", range(one, &one.sides[at])))
                .end();
        }
    }
}

fn name(change: &Change) -> String {
    clip(&visible(&change.metric.told()), NAME_COLUMNS_MAX)
}

fn remarks(story: &EpisodeDiffStory, page: &mut Page, width: usize) {
    let notes: Vec<String> = story.rules().into_iter().chain(story.notes()).collect();
    if !notes.is_empty() {
        page.gap();
    }
    for note in notes {
        for (at, line) in wrapped(&note, width - 4).iter().enumerate() {
            page.line(Style::Dim, &format!("  {} {line}", if at == 0 { "·" } else { " " }));
        }
    }
}
