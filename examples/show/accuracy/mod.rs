//! How often forkpoint, and what people use without it, name the event where two runs really part.
//!
//! Read in this order: [`place`] is an event in a pair of logs and what a tool says of it, [`story`] is what is true of a
//! generated pair, [`plan`] draws pairs from seeds, [`peers`] are the tools and their answers, [`forkpoint`] reads ours,
//! [`misses`] explains what it missed, [`score`] counts, [`seeded`] runs the generated pairs, [`real`] those that no code of
//! ours wrote.

pub mod forkpoint;
pub mod misses;
pub mod peers;
pub mod place;
pub mod plan;
pub mod real;
pub mod score;
pub mod seeded;
pub mod story;

pub use seeded::{Asked, show};
