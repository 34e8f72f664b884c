//! Room `scan`: windows to spans.

mod key;

pub use key::ThreadKey;
