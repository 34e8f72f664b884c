//! What plays scenes of threads, from the generator of the examples.
#![allow(dead_code)] // it plays more than is asked for here

#[path = "../../examples/generate/kernel.rs"]
pub mod kernel;
#[path = "../../examples/generate/numbers.rs"]
pub mod numbers;
