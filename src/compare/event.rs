//! An event as the comparer sees it.

/// One event: its trimmed line and where its roles lie in it.
#[derive(Clone, Copy, Debug)]
pub struct Event<'w> {
    pub line: &'w [u8],
    /// The kind's token; empty where absent.
    pub kind: &'w [u8],
    pub ordinal: Option<u64>,
    /// What is compared byte by byte first.
    pub tail: &'w [u8],
    pub payload_missing: bool,
    pub nondeterministic: bool,
    /// Everything of the line before the tail's first byte is strictly valid, and no role key
    /// stands twice in it; where the tail goes up to the line's closing brace, nothing but the
    /// brace follows. False where that is not known.
    pub head_is_strict: bool,
    /// Read strictly whatever the partner holds.
    pub must_read: bool,
    /// Physical line in its log, from 1.
    pub number: u64,
}

impl<'w> Event<'w> {
    /// The kind's token, empty where absent or null: the two are the same kind.
    pub fn scalar_kind(&self) -> &'w [u8] {
        if self.kind == b"null" { b"" } else { self.kind }
    }
}
