//! An audit of two logs as Markdown.

use super::super::super::markdown::prose;
use super::super::super::visible::counted;
use super::super::markdown::timeline;
use super::super::words as own_words;
use super::story::BothStory;
use super::words;
use crate::source::Side;

/// Paints an audit of two logs as Markdown.
pub fn markdown(story: &BothStory) -> String {
    let mut out = String::from("# forkpoint: the life of handles in two runs\n\n");
    out.push_str(&format!("**{}**: {}\n\n", story.outlook.word(), prose(&words::headline(story))));
    for side in Side::BOTH {
        let log = own_words::log(&story.sides[side.index()]);
        out.push_str(&format!("- {}: {}\n", words::side_word(side), prose(&log)));
    }
    out.push_str(&format!("- {}\n", prose(&words::pairs(story))));
    if !story.waiting.is_empty() {
        out.push_str("\n## Waiting on one side only\n\n");
    }
    for one in &story.waiting {
        let (own, verdict) = (&story.sides[one.side.index()], one.verdict(&story.audit.logs));
        out.push_str(&format!("- **{}**\n", prose(&story.waits(one))));
        out.push_str(&format!("  - {}\n", prose(&own.since(verdict))));
        for line in story.why(one) {
            out.push_str(&format!("  - {}\n", prose(&line)));
        }
        let possible = if verdict.doubts.is_empty() { "" } else { " (possible)" };
        out.push_str(&format!("  - {}{possible}: {}\n", verdict.reason.word(), prose(&own.why(verdict))));
    }
    if !story.parted.is_empty() {
        out.push_str("\n## Objects whose trails part\n");
    }
    for object in story.parted.iter().take(story.context.limit) {
        out.push_str(&format!("\n### {}\n\n", prose(&story.titled(object))));
        for (who, lines) in words::partings(story, object) {
            out.push_str(&format!("- {}\n", prose(&who)));
            lines.iter().for_each(|line| out.push_str(&format!("  - {}\n", prose(line))));
        }
        words::states(story, object).iter().for_each(|line| out.push_str(&format!("- {}\n", prose(line))));
    }
    let left = story.parted.len().saturating_sub(story.context.limit) as u64 + story.audit.parted_more;
    if left > 0 {
        out.push_str(&format!("\n… and {}\n", counted(left, "other object", "other objects")));
    }
    if !story.context.wanted.handles.is_empty() {
        for side in Side::BOTH {
            let own = &story.sides[side.index()];
            for object in &own.objects {
                let title = format!("{} of the {}", own.titled(object), words::side_word(side));
                out.push_str(&timeline(own, object, &title));
            }
        }
    }
    out
}
