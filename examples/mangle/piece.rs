//! Physical lines as they come out, and what each says to whoever reads the log.

/// An event as far as its thread's succession goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Equal for equal thread keys.
    pub thread: String,
    pub ordinal: Option<u64>,
    /// It ends its thread.
    pub ends: bool,
}

/// What `check` must say of a line: at which byte of the physical line, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub at: usize,
    pub reason: String,
}

/// What a physical line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    Blank,
    Header,
    Event(Event),
    Fault(Fault),
}

/// A physical line, with whatever ends it.
#[derive(Clone, Debug)]
pub struct Piece {
    pub bytes: Vec<u8>,
    pub says: Says,
}

/// One damage: the sound lines it takes, and what stands there instead.
#[derive(Clone, Debug)]
pub struct Planted {
    /// One, or two with the line behind.
    pub takes: usize,
    pub gives: Vec<Piece>,
}

impl Piece {
    /// A line at which `check` must say this.
    pub fn fault(bytes: Vec<u8>, at: usize, reason: impl Into<String>) -> Piece {
        Piece { bytes, says: Says::Fault(Fault { at, reason: reason.into() }) }
    }

    /// A line that is an event.
    pub fn event(bytes: Vec<u8>, event: Event) -> Piece {
        Piece { bytes, says: Says::Event(event) }
    }
}

impl Planted {
    /// The same with every fault so many bytes further on.
    pub fn later(mut self, bytes: usize) -> Planted {
        for piece in &mut self.gives {
            if let Says::Fault(fault) = &mut piece.says {
                fault.at += bytes;
            }
        }
        self
    }
}
