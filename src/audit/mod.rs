//! The life of every handle.

pub mod log;
