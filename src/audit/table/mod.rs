//! The table that engines embed.
//!
//! In reading order: [`ring`] keeps the newest calls of one sort, [`trail`] all that is known of one handle's object,
//! [`limits`] says how much may be kept and counts what was not, [`past`] keeps trails of handles that were used again,
//! [`handles`] is the table itself.
//!
//! # From a table without these
//!
//! Code written for a table whose rings are plain `VecDeque`s, read through fields and methods, compiles as it stands, but
//! for three things. Rings can be read, not written, from outside. Literals and patterns of [`HandleAudit`], [`HandleAuditTrail`]
//! and [`GhostTrail`] need `..`. And of both signal methods [`HandleAudit::record_signal`] is enough.

pub mod handles;
pub mod limits;
pub mod past;
pub mod ring;
pub mod trail;

pub use handles::{AuditBook, HandleAudit};
pub use limits::{AuditLimits, AuditLosses};
pub use past::PastTrails;
pub use ring::{AUDIT_RING_CAPACITY, HandleAuditEntry, Ring};
pub use trail::{AUDIT_DESTROY_CAPACITY, AuditCall, GhostTrail, HandleAuditTrail, Moment, UNCREATED};
