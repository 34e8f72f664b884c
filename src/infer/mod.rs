//! Room `infer`: what differs between runs of one program becomes proposed rules.
//!
//! Runs that ought to be the same are compared, and whatever differs is noise. In reading order: [`place`] is where a
//! difference lies; [`family`] is all that was seen to differ at one place, `apart` how far apart its values were, [`order`]
//! arrays with the same elements in another order, `tally` kinds of events that come and go, [`extra`] events that only
//! one run has; [`survey`] goes through two logs past all that differs and fills these; [`census`] counts in which events a
//! place is noisy and in which it is quiet; [`proposal`] makes the narrowest rule of that; [`rounds`] does this until
//! nothing new is seen; [`mod@draft`] writes it as a profile. [`mod@suggest`] looks at two runs once, for what differs
//! everywhere.
//!
//! A rule is as narrow as what was seen allows: a spelling before a constant offset, before a tolerance, before a mask,
//! before a field that never counts; for the kinds of events that differed alone, and under a condition where another field
//! tells noisy events from quiet ones.

mod apart;
pub mod census;
pub mod draft;
pub mod extra;
pub mod family;
pub mod order;
pub mod place;
pub mod proposal;
pub mod rounds;
pub mod suggest;
pub mod survey;
mod tally;

pub use draft::{draft, rule_text};
pub use family::Family;
pub use proposal::{Class, Proposal};
pub use rounds::{Inferred, infer};
pub use suggest::suggest;
