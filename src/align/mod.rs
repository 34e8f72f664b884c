//! Room `align`: spans to lanes to pairs.

pub mod options;

pub use options::*;
