//! Where what happened parts: events and labels of each candidate against the reference's.

use std::path::PathBuf;

use super::super::doc::Doc;
use super::super::json::divergence;
use super::super::markdown::code;
use super::super::story::kind_word;
use super::super::style::{Page, Style};
use super::super::visible::{clip, columns, counted, visible, wrapped};
use super::super::{ReportContext, quote};
use super::show::event;
use crate::diverge::{Divergence, EventCopy, Pairing};
use crate::episode::difference::{Difference, LogDifference, PROFILE};
use crate::episode::measure::Measurement;
use crate::episode::read::Happening;
use crate::episode::{EVENTS, LABELS};

/// In which order they are told.
const FILES: [&str; 2] = [EVENTS, LABELS];

/// One log of a candidate against the reference's, told.
pub(super) struct LogPart<'a> {
    found: &'a LogDifference,
    paths: [PathBuf; 2],
    /// The command that tells all of it.
    command: String,
    /// What it is called among others.
    name: String,
}

/// All logs, in the order of the candidates.
pub(super) fn parts<'a>(
    sides: [&'a [Measurement]; 2],
    difference: &'a Difference,
    flags: &[String],
) -> Vec<LogPart<'a>> {
    let part = |found: &'a LogDifference| {
        let path = |side: usize, at: usize| sides[side][at].kept.path().join(found.file);
        let paths = [path(0, 0), path(1, found.candidate)];
        let words = ["--profile", PROFILE].map(str::to_owned).into_iter().chain(flags.iter().cloned());
        let words: Vec<String> = words.map(|word| quote::word(word.as_bytes())).collect();
        let [reference, candidate] = paths.each_ref().map(|path| quote::path(path));
        let command = format!("forkpoint diff {} {reference} {candidate}", words.join(" "));
        let name = match sides[1].len() {
            1 => found.file.to_owned(),
            _ => format!("{} of candidate {}", found.file, found.candidate + 1),
        };
        LogPart { found, paths, command, name }
    };
    difference.logs.iter().map(part).collect()
}

/// What is said of them in the answer.
pub(super) fn sentence(parts: &[LogPart]) -> Option<String> {
    let differing: Vec<&str> = parts.iter().filter(|part| part.found.differs()).map(|part| part.found.file).collect();
    let count = |file: &str| differing.iter().filter(|name| **name == file).count() as u64;
    let mut files: Vec<&str> = Vec::new();
    parts.iter().for_each(|part| {
        if !files.contains(&part.found.file) {
            files.push(part.found.file)
        }
    });
    if files.is_empty() {
        return None;
    }
    if differing.is_empty() {
        let names = files.iter().map(|file| file.trim_end_matches(".jsonl")).collect::<Vec<_>>().join(" and ");
        return Some(format!("{names} are the same"));
    }
    let several = parts.iter().any(|part| part.found.candidate > 0);
    let told = files.into_iter().filter(|file| count(file) > 0).map(|file| match (count(file), several) {
        (_, false) => format!("{file} differs"),
        (number, true) => format!("{file} differs in {}", counted(number, "run", "runs")),
    });
    Some(told.collect::<Vec<_>>().join(", "))
}

impl LogPart<'_> {
    /// The pairing in which they part; there is one lane.
    fn parting(&self) -> Option<(&Pairing, Option<&Divergence>)> {
        let pairing = self.found.outcome.pairings.first()?;
        Some((pairing, pairing.divergence.as_ref()))
    }

    /// "they part behind 4 equal rows (missing)".
    fn told(&self) -> String {
        let Some((pairing, found)) = self.parting() else { return "nothing was compared".to_owned() };
        let equal = match pairing.compared {
            0 => "they part at the first row".to_owned(),
            some => format!("they part behind {}", counted(some, "equal row", "equal rows")),
        };
        match found {
            Some(found) => format!("{equal} ({})", kind_word(found.kind)),
            None => format!("{equal}, which is damaged"),
        }
    }

    fn event(&self, copy: &EventCopy) -> String {
        let Ok(text) = self.found.keep.get(copy.text) else { return "?".to_owned() };
        match Happening::read(&text) {
            Some(happening) => event(&happening),
            None => visible(&String::from_utf8_lossy(&text)),
        }
    }

    /// The two rows at which they part, each with its place, and the differing fields.
    fn lines(&self) -> Vec<(Style, String)> {
        let Some((_, Some(found))) = self.parting() else { return Vec::new() };
        let mut lines = Vec::new();
        for (style, sign, copy) in
            [(Style::Reference, "-", &found.reference), (Style::Candidate, "+", &found.candidate)]
        {
            if let Some(copy) = copy {
                lines.push((style, format!("{sign} line {}: {}", copy.line, self.event(copy))));
            }
        }
        for field in &found.differences {
            let [reference, candidate] = [&field.reference, &field.candidate].map(|token| match token {
                Some(token) => visible(&String::from_utf8_lossy(token)),
                None => "—".to_owned(),
            });
            lines.push((Style::Dim, format!("  {}: {reference} → {candidate}", visible(&field.path.dotted()))));
        }
        lines
    }
}

/// Paints where they part, and what does not.
pub(super) fn paint(parts: &[LogPart], page: &mut Page, width: usize) {
    for part in parts.iter().filter(|part| part.found.differs()) {
        page.gap();
        for (at, line) in wrapped(&format!("{}: {}", part.name, part.told()), width).iter().enumerate() {
            page.line(if at == 0 { Style::Bold } else { Style::Plain }, line);
        }
        for (style, line) in part.lines() {
            page.line(style, &format!("  {}", clip(&line, width.saturating_sub(2))));
        }
        let lead = "  all of it: ";
        if columns(lead) + columns(&part.command) > width {
            page.line(Style::Dim, lead);
            page.line(Style::Command, &format!("  {}", part.command));
        } else {
            page.put(Style::Dim, lead).put(Style::Command, &part.command).end();
        }
    }
    let same = same(parts);
    if !same.is_empty() {
        page.gap();
    }
    same.iter().for_each(|text| page.line(Style::Dim, &format!("  {}", clip(text, width.saturating_sub(2)))));
}

/// What is the same, a line a file.
fn same(parts: &[LogPart]) -> Vec<String> {
    let candidates = parts.iter().map(|part| part.found.candidate + 1).max().unwrap_or(0);
    let of = |file: &'static str| {
        let same: Vec<&LogPart> =
            parts.iter().filter(|part| part.found.file == file && !part.found.differs()).collect();
        let others = same.iter().filter(|part| part.found.same_as.is_some()).count() as u64;
        let also = match others {
            0 => String::new(),
            some => format!(", {} as in another run of the reference", counted(some, "candidate", "candidates")),
        };
        match same.as_slice() {
            [] => None,
            [only] if candidates == 1 => {
                let rows = counted(only.found.outcome.candidate.events, "row", "rows");
                Some(format!("{file}: {rows}, the same{also}"))
            }
            some => Some(format!("{file}: the same in {} of {candidates} candidates{also}", some.len())),
        }
    };
    FILES.into_iter().filter_map(of).collect()
}

/// The same as Markdown.
pub(super) fn markdown(parts: &[LogPart]) -> String {
    let mut out = String::new();
    for part in parts.iter().filter(|part| part.found.differs()) {
        out.push_str(&format!("\n## {}\n\n{}\n\n", part.name, part.told()));
        for (_, line) in part.lines() {
            out.push_str(&format!("- {}\n", code(line.trim())));
        }
        out.push_str(&format!("\nAll of it:\n\n```sh\n{}\n```\n", part.command));
    }
    let same = same(parts);
    if !same.is_empty() {
        out.push('\n');
    }
    same.iter().for_each(|text| out.push_str(&format!("- {text}\n")));
    out
}

/// The same for programs.
pub(super) fn doc(part: &LogPart) -> Doc {
    let pairing = part.parting();
    let context = ReportContext::default();
    let parts = pairing.and_then(|(_, found)| found).filter(|_| part.found.differs());
    let parts = parts.and_then(|found| divergence(&part.found.keep, found, &context).ok());
    let [reference, candidate] = part.paths.each_ref().map(|path| Doc::text(&path.to_string_lossy()));
    Doc::object([
        ("file", Doc::text(part.found.file)),
        ("reference", reference),
        ("candidate", candidate),
        ("same", Doc::boolean(!part.found.differs())),
        ("same_as_reference", Doc::or_null(part.found.same_as.map(|place| Doc::number(place + 1)))),
        ("compared", Doc::number(pairing.map_or(0, |(pairing, _)| pairing.compared))),
        ("divergence", Doc::or_null(parts)),
        ("command", Doc::text(&part.command)),
    ])
}
