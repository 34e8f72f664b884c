//! What an episode's telemetry says of each of its phases.
//!
//! [`metric`] names what is measured and in what, [`statistics`] sums up many values; `series` keeps the values of each metric and phase while rows
//! go by, [`telemetry`] knows what the rows of each collector mean, and [`run`] takes all of an episode together.

pub mod metric;
pub mod run;
mod series;
pub mod statistics;
pub mod telemetry;

pub use metric::{Metric, Source, Unit};
pub use run::{Measured, Measurement, PhaseMeasured};
pub use statistics::{Summary, summary};
