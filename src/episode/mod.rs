//! Room `episode`: one run, kept as a folder that says what was observed of it and what was not; read back, and compared with others.
//!
//! `clock`, `stop`, `rows` and `events` are what all of a recording's threads share: one clock, one end, whole rows, one writer of events. `collect`
//! holds the collectors, a thread each.

pub mod clock;
pub mod collect;
pub mod events;
pub mod rows;
pub mod stop;

pub use clock::Clock;
pub use events::Events;
pub use rows::Fields;
pub use stop::Stop;
