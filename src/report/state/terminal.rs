//! Two state folders for a terminal.

use super::super::style::{Page, Style};
use super::super::visible::{clip, columns, counted, grouped, pad, visible, wrapped};
use super::story::StateStory;
use super::words;
use crate::state::{Class, Difference, Invariant, Verdict as Held};

/// Narrower pages are not tried.
const WIDTH_MIN: usize = 40;
/// Ranges of memory told one by one, unless all differences are wanted.
const RANGES_MAX: usize = 20;

/// Paints both folders for a terminal.
pub fn terminal(story: &StateStory) -> String {
    let mut page = Page::new(story.context.colour);
    let width = story.context.width.max(WIDTH_MIN);
    page.answer(width, Style::of(story.verdict), story.verdict.word(), &words::headline(story));
    for (word, path) in ["reference", "candidate"].iter().zip(&story.context.paths) {
        page.line(Style::Dim, &format!("  {word}  {}", visible(&path.to_string_lossy())));
    }
    invariants(&story.outcome.invariants, &mut page, width);
    files(story, &mut page);
    memory(story, &mut page, width);
    for class in Class::ALL {
        differences(story, class, &mut page, width);
    }
    let notes: Vec<String> =
        words::skipped(story).into_iter().chain(story.outcome.remarks.iter().map(|remark| visible(remark))).collect();
    if !notes.is_empty() {
        page.gap();
    }
    for note in notes {
        for (at, line) in wrapped(&note, width - 4).iter().enumerate() {
            page.line(Style::Dim, &format!("  {} {line}", if at == 0 { "·" } else { " " }));
        }
    }
    page.finish()
}

/// What must hold, and what either side has.
pub(super) fn invariants(all: &[Invariant], page: &mut Page, width: usize) {
    if all.is_empty() {
        return;
    }
    page.gap();
    for one in all {
        let style = match one.verdict {
            Held::Pass => Style::Good,
            Held::Fail => Style::Bad,
            Held::Unknown => Style::Warn,
            Held::Info => Style::Dim,
        };
        page.put(Style::Plain, "  ")
            .put(style, &pad(one.verdict.word(), 7))
            .put(Style::Plain, &format!("  {}", visible(&one.name)))
            .end();
        let shown = one
            .values
            .each_ref()
            .map(|value| value.as_ref().map_or_else(|| "absent".to_owned(), |value| visible(value)));
        let is_told = one.verdict != Held::Pass || shown[0] != shown[1];
        if is_told {
            for (word, value) in ["reference", "candidate"].iter().zip(&shown) {
                page.line(Style::Dim, &format!("           {word}  {}", clip(value, width.saturating_sub(22))));
            }
        } else {
            page.line(Style::Dim, &format!("           {}", clip(&shown[0], width.saturating_sub(11))));
        }
    }
}

fn files(story: &StateStory, page: &mut Page) {
    if story.outcome.files.is_empty() {
        return;
    }
    page.gap();
    let names: Vec<String> = story.outcome.files.iter().map(|file| clip(&visible(&file.name), 40)).collect();
    let wide = names.iter().map(|name| columns(name)).max().unwrap_or(0).max(4);
    page.line(Style::Dim, &format!("  {}  {}  differences by class", pad("file", wide), pad("status", 20)));
    for (file, name) in story.outcome.files.iter().zip(&names) {
        let counts = words::counts(file);
        page.line(Style::Plain, &format!("  {}  {}  {counts}", pad(name, wide), pad(file.status.word(), 20)));
    }
}

fn memory(story: &StateStory, page: &mut Page, width: usize) {
    let outcome = story.outcome;
    if outcome.memory.is_empty() {
        return;
    }
    page.gap();
    let ranges = outcome.memory.len() as u64 + outcome.memory_more;
    let all = counted(ranges, "range of memory differs", "ranges of memory differ");
    page.line(Style::Bold, &format!("{all}, {} in all", counted(outcome.memory_bytes, "byte", "bytes")));
    let limit = if story.context.details == usize::MAX { usize::MAX } else { RANGES_MAX };
    // What engines patch is no difference, and told last.
    let mut told: Vec<_> = outcome.memory.iter().collect();
    told.sort_by_key(|range| range.is_import_patch);
    for range in told.iter().take(limit) {
        let style = if range.is_import_patch { Style::Dim } else { Style::Plain };
        page.line(style, &format!("  {}: {}", visible(story.file(range.file)), words::range(range)));
        for (style, word, bytes) in [(Style::Reference, "-", &range.first[0]), (Style::Candidate, "+", &range.first[1])]
        {
            page.put(style, &format!("    {word} {}", clip(&words::hex(bytes), width.saturating_sub(6)))).end();
        }
    }
    let left = ranges.saturating_sub(limit as u64);
    if left > 0 {
        page.line(Style::Dim, &format!("  … and {} (--details all)", counted(left, "other range", "other ranges")));
    }
}

fn differences(story: &StateStory, class: Class, page: &mut Page, width: usize) {
    let (all, count) = (story.of_class(class), story.count_of(class));
    if count == 0 {
        return;
    }
    page.gap();
    page.line(Style::Bold, &format!("{}: {}", words::title(class), grouped(count)));
    for difference in all.iter().take(story.context.details) {
        one(story, difference, page, width);
    }
    let left = count - all.len().min(story.context.details) as u64;
    if left > 0 {
        let how = if story.context.details < all.len() { " (--details all)" } else { " that are not kept" };
        page.line(Style::Dim, &format!("  … and {}{how}", counted(left, "other", "others")));
    }
}

fn one(story: &StateStory, difference: &Difference, page: &mut Page, width: usize) {
    let informational = if difference.is_informational { ", informational" } else { "" };
    page.put(Style::Plain, &format!("  {}", clip(&words::place(story, difference), width.saturating_sub(2))))
        .put(Style::Dim, &format!("  {}{informational}", difference.kind))
        .end();
    for (style, word, value) in
        [(Style::Reference, "-", &difference.values[0]), (Style::Candidate, "+", &difference.values[1])]
    {
        if value.is_some() {
            page.line(style, &format!("    {word} {}", clip(&words::value(value.as_ref()), width.saturating_sub(6))));
        }
    }
}
