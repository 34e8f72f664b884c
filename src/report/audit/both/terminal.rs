//! An audit of two logs for a terminal.

use super::super::super::style::{Page, Style};
use super::super::super::visible::{counted, wrapped};
use super::super::terminal::{WIDTH_MIN, timeline};
use super::super::words as own_words;
use super::story::{BothOutlook, BothStory};
use super::words;
use crate::audit::both::{OneSided, Paired};
use crate::source::Side;

/// Waiting threads told one by one; the others are counted.
const WAITING_MAX: usize = 20;

/// Paints an audit of two logs for a terminal.
pub fn terminal(story: &BothStory) -> String {
    let mut page = Page::new(story.context.colour);
    let width = story.context.width.max(WIDTH_MIN);
    let style = match story.outlook {
        BothOutlook::Same => Style::Good,
        BothOutlook::Inconclusive => Style::Warn,
        BothOutlook::Differ => Style::Bad,
    };
    page.answer(width, style, story.outlook.word(), &words::headline(story));
    logs(story, &mut page);
    for one in story.waiting.iter().take(WAITING_MAX) {
        page.gap();
        waiting(story, one, &mut page, width);
    }
    if story.waiting.len() > WAITING_MAX {
        page.gap();
        let left = counted((story.waiting.len() - WAITING_MAX) as u64, "other thread waits", "other threads wait");
        page.line(Style::Plain, &format!("… and {left} on one side only; --format json tells all."));
    }
    for object in story.parted.iter().take(story.context.limit) {
        page.gap();
        parted(story, object, &mut page, width);
    }
    let left = story.parted.len().saturating_sub(story.context.limit) as u64 + story.audit.parted_more;
    if left > 0 {
        page.gap();
        let left = counted(left, "other object", "other objects");
        page.line(Style::Dim, &format!("… and {left} whose trails part (--limit all)"));
    }
    if !story.context.wanted.handles.is_empty() {
        for side in Side::BOTH {
            let own = &story.sides[side.index()];
            for object in &own.objects {
                page.gap();
                page.line(Style::Dim, &format!("{}:", words::side_word(side)));
                timeline(own, object, &mut page);
            }
        }
    }
    page.finish()
}

/// What was read.
fn logs(story: &BothStory, page: &mut Page) {
    for side in Side::BOTH {
        let log = own_words::log(&story.sides[side.index()]);
        page.line(Style::Dim, &format!("  {:9}  {log}", words::side_word(side)));
    }
    page.line(Style::Dim, &format!("  {}", words::pairs(story)));
}

fn waiting(story: &BothStory, one: &OneSided, page: &mut Page, width: usize) {
    page.line(Style::Bold, &story.waits(one));
    let own = &story.sides[one.side.index()];
    let verdict = one.verdict(&story.audit.logs);
    let mut say = |style: Style, text: &str| {
        wrapped(text, width - 2).iter().for_each(|line| page.line(style, &format!("  {line}")));
    };
    say(Style::Plain, &own.since(verdict));
    for line in story.why(one) {
        say(Style::Warn, &line);
    }
    let possible = if verdict.doubts.is_empty() { "" } else { ", as far as its log shows" };
    say(Style::Dim, &format!("{}: {}{possible}", verdict.reason.word(), own.why(verdict)));
}

fn parted(story: &BothStory, object: &Paired, page: &mut Page, width: usize) {
    page.line(Style::Bold, &story.titled(object));
    let mut say = |indent: usize, text: &str| {
        let lines = wrapped(text, width - indent);
        lines.iter().for_each(|line| page.line(Style::Plain, &format!("{}{line}", " ".repeat(indent))));
    };
    for (who, lines) in words::partings(story, object) {
        say(2, &who);
        lines.iter().for_each(|line| say(4, line));
    }
    words::states(story, object).iter().for_each(|line| say(2, line));
}
