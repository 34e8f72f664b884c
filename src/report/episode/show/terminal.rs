//! One episode for a terminal.

use super::super::super::style::{Page, Style};
use super::super::super::visible::{clip, counted, pad, pad_left, visible, wrapped};
use super::super::numbers::clock;
use super::story::{EpisodeStory, event};

/// Narrower pages are not tried.
const WIDTH_MIN: usize = 40;

/// Paints an episode for a terminal.
pub fn terminal(story: &EpisodeStory) -> String {
    let mut page = Page::new(story.context.colour);
    let width = story.context.width.max(WIDTH_MIN);
    page.answer(width, story.style(), story.run.kept.standing.word(), &story.headline());
    for (word, what) in story.facts() {
        // A folder is copied, so it is never broken.
        let lines = if word == "folder" { vec![what] } else { wrapped(&what, width - 12) };
        for (at, line) in lines.iter().enumerate() {
            page.put(Style::Dim, &format!("  {}", pad(if at == 0 { word } else { "" }, 10)))
                .put(Style::Plain, line)
                .end();
        }
    }
    for note in story.notes() {
        for (at, line) in wrapped(&note, width - 4).iter().enumerate() {
            page.line(Style::Warn, &format!("  {} {line}", if at == 0 { "·" } else { " " }));
        }
    }
    page.gap();
    story.phases().paint(&mut page);
    page.gap();
    story.files().paint(&mut page);
    events(story, &mut page, width);
    for phase in &story.run.phases {
        let (mut grid, left) = story.metrics(phase);
        if grid.is_empty() {
            continue;
        }
        page.gap();
        page.line(Style::Bold, &visible(&phase.name));
        grid.fit(width, &[(0, 24)]);
        for column in [1, 3] {
            if grid.width() > width {
                grid.without(column);
            }
        }
        grid.fit(width, &[(0, 12)]);
        grid.paint(&mut page);
        if left > 0 {
            let count = counted(left, "metric that is 0 throughout", "metrics that are 0 throughout");
            page.line(Style::Dim, &format!("  … and {count} (--all)"));
        }
    }
    page.finish()
}

fn events(story: &EpisodeStory, page: &mut Page, width: usize) {
    let (told, more) = story.events();
    if told.is_empty() {
        return;
    }
    page.gap();
    let wide = told.iter().map(|one| clock(one.time).len()).max().unwrap_or(0);
    for one in told {
        let time = pad_left(&clock(one.time), wide);
        page.put(Style::Dim, &format!("  {time} s  "))
            .put(Style::Plain, &clip(&event(one), width.saturating_sub(wide + 6)))
            .end();
    }
    if more > 0 {
        page.line(Style::Dim, &format!("  … and {} (--all)", counted(more, "event", "events")));
    }
}
