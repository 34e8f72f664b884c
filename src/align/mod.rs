//! Room `align`: spans to lanes to pairs.

pub mod header;
pub mod options;

pub use options::*;
