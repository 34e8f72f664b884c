//! An audit for a terminal.

use super::super::style::{Page, Style};
use super::super::visible::{clip, columns, counted, grouped, pad, visible, wrapped};
use super::story::{AuditStory, Outlook};
use super::words;
use crate::audit::log::{Object, Verdict};

/// Narrower pages are not tried.
pub(super) const WIDTH_MIN: usize = 40;
/// Waiting threads told one by one; the others are counted.
const WAITING_MAX: usize = 20;

/// Paints an audit for a terminal.
pub fn terminal(story: &AuditStory) -> String {
    let mut page = Page::new(story.context.colour);
    let width = story.context.width.max(WIDTH_MIN);
    let style = match story.outlook {
        Outlook::Clear => Style::Good,
        Outlook::Possible => Style::Warn,
        Outlook::Certain => Style::Bad,
    };
    page.answer(width, style, story.outlook.word(), &words::headline(story));
    page.line(Style::Dim, &format!("  {}", words::log(story)));
    for verdict in story.waiting.iter().take(WAITING_MAX) {
        page.gap();
        waiting(story, verdict, &mut page, width);
    }
    if story.waiting.len() > WAITING_MAX {
        page.gap();
        let left = counted((story.waiting.len() - WAITING_MAX) as u64, "other thread waits", "other threads wait");
        page.line(Style::Plain, &format!("… and {left}; --format json tells all."));
    }
    objects(story, &mut page);
    if !story.context.wanted.handles.is_empty() {
        story.objects.iter().for_each(|object| timeline(story, object, &mut page));
    }
    paths(story, &mut page, width);
    page.finish()
}

fn waiting(story: &AuditStory, verdict: &Verdict, page: &mut Page, width: usize) {
    let certain = if verdict.doubts.is_empty() { "" } else { "possible: " };
    page.put(Style::Warn, certain).put(Style::Bold, &words::waits(story, verdict)).end();
    let mut say =
        |text: &str| wrapped(text, width - 2).iter().for_each(|line| page.line(Style::Plain, &format!("  {line}")));
    say(&story.since(verdict));
    say(&format!("{}: {}", verdict.reason.word(), story.why(verdict)));
    for doubt in &verdict.doubts {
        say(&format!("only possible, for {}", story.doubt(*doubt)));
    }
}

fn objects(story: &AuditStory, page: &mut Page) {
    if story.objects.is_empty() {
        return;
    }
    page.gap();
    let told: Vec<&&Object> = story.objects.iter().take(story.context.limit).collect();
    let names: Vec<String> = told.iter().map(|object| story.name(object)).collect();
    let wide = names.iter().map(|name| columns(name)).max().unwrap_or(0).max("object".len());
    let head = format!("  {}  {}  signals    waits    wakes  state", pad("object", wide), pad("type", 12));
    page.line(Style::Dim, &head);
    for (object, name) in told.iter().zip(&names) {
        let number = |ring: u64| format!("{:>7}", grouped(ring));
        let mark = if object.waiters.is_empty() { " " } else { ">" };
        page.put(Style::Bad, mark)
            .put(Style::Plain, &format!(" {}  {}", pad(name, wide), pad(words::kind(object), 12)))
            .put(
                Style::Plain,
                &format!(
                    "  {}  {}  {}",
                    number(object.signalled),
                    number(object.waits.total),
                    number(object.wakes.total)
                ),
            )
            .put(Style::Plain, &format!("  {}", words::state(story, object)))
            .end();
    }
    if story.objects.len() > told.len() {
        let left = counted((story.objects.len() - told.len()) as u64, "other object", "other objects");
        page.line(Style::Dim, &format!("  … and {left} (--limit all)"));
    }
}

pub(super) fn timeline(story: &AuditStory, object: &Object, page: &mut Page) {
    page.gap();
    page.line(Style::Bold, &story.titled(object));
    for entry in object.timeline() {
        let place = story.file_line(entry.at.line);
        page.put(Style::Plain, &format!("  {}  ", pad(entry.step.name(), 8)))
            .put(Style::Dim, &place)
            .put(Style::Plain, &format!("  {}", story.step(entry)))
            .end();
    }
    let dropped = object.signals.dropped() + object.waits.dropped() + object.wakes.dropped();
    if dropped > 0 {
        page.line(Style::Dim, &format!("  {} more are not kept", counted(dropped, "older step", "older steps")));
    }
}

fn paths(story: &AuditStory, page: &mut Page, width: usize) {
    page.gap();
    let (seen, never) = words::paths(story);
    for line in wrapped(&format!("seen: {}", clip(&visible(&seen), 2000)), width) {
        page.line(Style::Dim, &line);
    }
    if !never.is_empty() {
        for line in wrapped(&format!("never seen: {never}"), width) {
            page.line(Style::Dim, &line);
        }
    }
}
