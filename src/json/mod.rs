//! Room `json`: exact JSON.

pub mod pointer;

pub use pointer::{Pointer, PointerError};
