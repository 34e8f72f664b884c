//! Room `audit`: what became of every handle.
//!
//! [`table`] is embedded in an engine and records each handle's calls while it runs: who made it, signalled it, waited on
//! it, was woken by it and closed it. [`log`] follows objects through an event log, and says why who still waits does so; [`both`]
//! holds those of two logs side by side.
//!
//! ```
//! use forkpoint::audit::{AuditCall, HandleAudit, HandleAuditEntry};
//!
//! let call = |cycle, source| HandleAuditEntry { cycle, tid: 6, lr: 0x8245_1000, source, aux: 0 };
//! let mut audit = HandleAudit { enabled: true, ..HandleAudit::default() };
//! audit.record_create(0x10FC, "Event/Auto", call(100, "NtCreateEvent"));
//! audit.record_wait(0x10FC, call(120, "NtWaitForSingleObjectEx"));
//! audit.record_destroy(0x10FC, call(900, "NtClose"));
//!
//! let trail = &audit.trails[&0x10FC];
//! assert_eq!((trail.waits.total(), trail.signals.total()), (1, 0), "whoever waited was never signalled");
//! let order: Vec<_> = trail.timeline().into_iter().map(|moment| moment.call).collect();
//! assert_eq!(order, [AuditCall::Create, AuditCall::Wait, AuditCall::Destroy]);
//! ```

pub mod both;
pub mod log;
pub mod table;

pub use table::*;
