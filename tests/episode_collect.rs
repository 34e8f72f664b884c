//! Collectors, each against the real thing where it is present, and against fakes that fail in every way.
//!
//! What is not installed, or not allowed here, prints `skipped: NAME: why` and passes. No test is about how long something takes, but that
//! nothing hangs.

#![cfg(feature = "episode")]

mod collecting;
