//! Whether the divergent event does something to an object that threads wait for, and the command that follows that object.

use super::hints::flags;
use super::quote;
use super::story::Story;
use crate::audit::log::Name;
use crate::audit::log::reading::Reader;
use crate::diverge::{Divergence, EventCopy};
use crate::source::Side;

/// Objects that a command names.
const NAMED_MAX: usize = 4;

/// The command that follows the objects of a divergent event through both logs; none if it is no step of one, or a log cannot be
/// opened again.
pub(crate) fn audit_command(story: &Story, found: &Divergence) -> Option<String> {
    let (context, profile) = (story.context, story.profile);
    let is_open = Side::BOTH.iter().all(|side| context.name(*side).reopenable);
    if profile.audit.is_empty() || !is_open {
        return None;
    }
    let reader = Reader::new(profile);
    let names_of = |copy: &EventCopy| {
        let text = story.keep.get(copy.text).ok()?;
        reader.names_in(&text)
    };
    let copies = found.reference.iter().chain(&found.candidate);
    let mut names: Vec<Name> = copies.filter_map(names_of).flatten().collect();
    names.dedup();
    if names.is_empty() {
        return None;
    }
    names.truncate(NAMED_MAX);
    let mut words = vec!["forkpoint".to_owned(), "audit".to_owned()];
    words.extend(Side::BOTH.map(|side| quote::path(&context.name(side).path)));
    words.extend(names.iter().flat_map(|name| ["--handle".to_owned(), quote::word(name.to_string().as_bytes())]));
    // Threads are paired as they were here.
    let map = context.diff_flags.iter().position(|word| word == "--map");
    words.extend(map.into_iter().flat_map(|at| flags(&context.diff_flags[at..(at + 2).min(context.diff_flags.len())])));
    words.extend(flags(&context.role_flags));
    Some(words.join(" "))
}
