//! Two logs: which objects are one, where their trails part, who waits in one run only, and who signals that one in the other.
//!
//! [`paired`] is an object and its partner, [`mod@deed`] a step of one; [`lane`] holds all steps of a thread against its partner's and finds
//! those that one side does alone, [`trail`] holds the orders of both against each other, object by object; [`trails`] is all of them on their way.
//! [`waiting`] is who waits on one side only; [`run`] reads both logs.

pub mod deed;
pub mod lane;
pub mod paired;
pub mod run;
pub mod trail;
pub mod trails;
pub mod waiting;

pub use deed::Deed;
pub use paired::{Paired, PairedBy, ThreadPair};
pub use run::{BothAudit, BothOptions, audit_both};
pub use trail::Trail;
pub use waiting::{Missing, OneSided, Partner};
