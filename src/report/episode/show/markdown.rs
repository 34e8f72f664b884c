//! One episode as Markdown.

use super::super::super::markdown::{code, prose};
use super::super::super::visible::counted;
use super::super::numbers::clock;
use super::story::{EpisodeStory, event};

/// Paints an episode as Markdown.
pub fn markdown(story: &EpisodeStory) -> String {
    let mut out = String::from("# forkpoint: an episode\n\n");
    out.push_str(&format!("**{}**: {}\n\n", story.run.kept.standing.word(), prose(&story.headline())));
    for (word, what) in story.facts() {
        out.push_str(&format!("- {word}: {}\n", code(&what)));
    }
    let faults = story.run.faults().cloned();
    let notes: Vec<String> = story.notes().into_iter().chain(faults).collect();
    if !notes.is_empty() {
        out.push_str("\n## Remarks\n\n");
        notes.iter().for_each(|note| out.push_str(&format!("- {}\n", prose(note))));
    }
    for (title, table) in [("Phases", story.phases().markdown()), ("Files", story.files().markdown())] {
        if !table.is_empty() {
            out.push_str(&format!("\n## {title}\n\n{table}"));
        }
    }
    let (told, more) = story.events();
    if !told.is_empty() {
        out.push_str("\n## Events\n\n");
    }
    for one in told {
        out.push_str(&format!("- {} s {}\n", clock(one.time), code(&event(one))));
    }
    if more > 0 {
        out.push_str(&format!("- … and {}\n", counted(more, "event", "events")));
    }
    for phase in &story.run.phases {
        let (grid, _) = story.metrics(phase);
        if !grid.is_empty() {
            out.push_str(&format!("\n## Phase {}\n\n{}", prose(&phase.name), grid.markdown()));
        }
    }
    out
}
