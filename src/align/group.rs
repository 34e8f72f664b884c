//! The group of a lane: only lanes of one group are paired by their openings.

use std::hash::{BuildHasher, Hasher};

use crate::compare::Event;
use crate::json::tape::fixed_state;
use crate::json::{self, Tape};
use crate::profile::Profile;

/// What an opening says of its lane's group.
#[derive(Clone, Copy, Debug, Default)]
pub struct GroupKeys {
    /// The pairing role's value, from the first event of its kind; `Some(None)` if that has none.
    called: Option<Option<u64>>,
    first_kind: Option<u64>,
}

impl GroupKeys {
    /// Looks at the next event of the opening.
    pub fn look(&mut self, profile: &Profile, event: &Event<'_>) {
        let state = fixed_state();
        self.first_kind.get_or_insert_with(|| {
            let mut hasher = state.build_hasher();
            hasher.write(b"kind");
            if event.kind.first() == Some(&b'"') {
                hasher.write(&json::text::unescape(event.kind));
            } else {
                json::number::hash(event.scalar_kind(), &mut hasher);
            }
            hasher.finish()
        });
        let Some(role) = profile.roles.pairing.as_ref().filter(|_| self.called.is_none()) else { return };
        if event.kind.first() != Some(&b'"') || *json::text::unescape(event.kind) != *role.kind.as_bytes() {
            return;
        }
        let mut tape = Tape::default();
        let value = tape.parse(event.line, 0).ok().and_then(|()| tape.at(event.line, Tape::ROOT, &role.path));
        let value = value.filter(|node| tape.kind(*node) != json::Kind::Null);
        self.called = Some(value.map(|node| json::tape::digest(&tape, event.line, node)));
    }

    /// Adds what later events of the same opening say.
    pub fn join(&mut self, later: GroupKeys) {
        self.called = self.called.or(later.called);
        self.first_kind = self.first_kind.or(later.first_kind);
    }

    /// The group as one number.
    pub fn digest(&self) -> u64 {
        match (self.called.flatten(), self.first_kind) {
            (Some(called), _) => called,
            (None, Some(kind)) => kind,
            (None, None) => 0,
        }
    }
}
