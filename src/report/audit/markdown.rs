//! An audit as Markdown.

use super::super::markdown::{code, prose};
use super::super::visible::{counted, grouped};
use super::story::AuditStory;
use super::words;
use crate::audit::log::Object;

/// Paints an audit as Markdown.
pub fn markdown(story: &AuditStory) -> String {
    let mut out = String::from("# forkpoint: the life of handles\n\n");
    out.push_str(&format!("**{}**: {}\n\n", story.outlook.word(), prose(&words::headline(story))));
    out.push_str(&format!("- {}\n\n", prose(&words::log(story))));
    if !story.waiting.is_empty() {
        out.push_str("## Waiting\n\n");
    }
    for verdict in &story.waiting {
        let possible = if verdict.doubts.is_empty() { "" } else { " (possible)" };
        out.push_str(&format!("- **{}**{possible}: {}\n", prose(&words::waits(story, verdict)), verdict.reason.word()));
        out.push_str(&format!("  - {}\n", prose(&story.since(verdict))));
        out.push_str(&format!("  - {}\n", prose(&story.why(verdict))));
        for doubt in &verdict.doubts {
            out.push_str(&format!("  - only possible, for {}\n", prose(&story.doubt(*doubt))));
        }
    }
    if !story.waiting.is_empty() {
        out.push('\n');
    }
    let told = story.objects.iter().take(story.context.limit);
    if !story.objects.is_empty() {
        out.push_str("## Objects\n\n| object | type | signals | waits | wakes | state |\n|---|---|--:|--:|--:|---|\n");
    }
    for object in told {
        let cells = [
            prose(&story.name(object)),
            prose(words::kind(object)),
            grouped(object.signalled),
            grouped(object.waits.total),
            grouped(object.wakes.total),
            prose(&words::state(story, object)),
        ];
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    if story.objects.len() > story.context.limit {
        let left = (story.objects.len() - story.context.limit) as u64;
        out.push_str(&format!("\n… and {}\n", counted(left, "other object", "other objects")));
    }
    if !story.context.wanted.handles.is_empty() {
        story.objects.iter().for_each(|object| out.push_str(&timeline(story, object, &story.titled(object))));
    }
    let (seen, never) = words::paths(story);
    out.push_str(&format!("\n## Coverage\n\n- seen: {}\n", prose(&seen)));
    if !never.is_empty() {
        out.push_str(&format!("- never seen: {}\n", prose(&never)));
    }
    out
}

/// The steps of an object as a table.
pub(super) fn timeline(story: &AuditStory, object: &Object, title: &str) -> String {
    let mut out = format!("\n## {}\n\n| step | where | who |\n|---|---|---|\n", prose(title));
    for entry in object.timeline() {
        let place = code(&story.file_line(entry.at.line));
        out.push_str(&format!("| {} | {place} | {} |\n", entry.step.name(), prose(&story.step(entry))));
    }
    out
}
