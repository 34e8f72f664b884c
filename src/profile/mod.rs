//! Room `profile`: the rules for one kind of log.
//!
//! A profile says where a line keeps its thread, ordinal, kind and payload, and which differences
//! do not count. All of it is TOML; no rule lives in code. To write one, begin with
//! `forkpoint profile show generic > my.toml`, which prints every key with its meaning.
//!
//! Its files, in reading order:
//! - [`rules`]: what a profile is to the other rooms, [`roles`]: where a line keeps what aligning needs, [`identity`]: its rules on values that stand for objects,
//! - [`events`]: its rules that take events out, [`edges`]: what follows from what, [`audit`]: what happens to objects,
//! - [`pattern`]: the paths of rules, [`pattern_tree`]: many of them as one tree,
//! - [`amount`]: exact amounts,
//! - [`document`]: its stored form, with the reference of all keys,
//! - `rule_tables`, `identity_tables`, `event_tables`, `edge_tables`, `audit_tables`: the tables of that which hold rules, `reach`: where those may reach,
//! - `values`: its single values, `conditions`: those of `when`,
//! - [`fault`]: what can be wrong with a profile, told with line and caret,
//! - [`mod@load`]: by name or from a file,
//! - [`overrides`]: flags laid on top,
//! - [`layers`]: profiles that extend others, project files,
//! - [`origins`]: which layer said what,
//! - [`reading`]: reading a line strictly under a profile's roles,
//! - [`mod@show`]: the effective rules as a file ready to edit,
//! - [`mod@remarks`]: what is allowed but surely not meant,
//! - [`summary`]: events told in one line,
//! - [`suggest`]: roles guessed from a log's first lines, for hints only.

pub mod amount;
pub mod audit;
mod audit_tables;
mod conditions;
pub mod document;
mod edge_tables;
pub mod edges;
mod event_tables;
pub mod events;
pub mod fault;
mod glance;
pub mod identity;
mod identity_tables;
pub mod layers;
pub mod load;
pub mod origins;
pub mod overrides;
pub mod pattern;
pub mod pattern_tree;
mod reach;
pub mod reading;
pub mod remarks;
pub mod roles;
mod rule_tables;
pub mod rules;
pub mod show;
pub mod suggest;
pub mod summary;
mod values;

pub use amount::Amount;
pub use audit::{AuditPlaces, AuditRule, AuditStep};
pub use document::schema;
pub use edges::{About, EdgeEnd, EdgeRule};
pub use events::{DropRule, EventDoes, EventRule, FoldRule, JoinRule};
pub use fault::{Fault, ProfileError};
pub use glance::Glance;
pub use identity::{DefineRule, IdentityRule, ReleaseRule, SizeRule, UseRule};
pub use layers::{Chosen, Layered, PROJECT_FILE, choose, find_project, load_layered};
pub use load::{builtin, builtins, load, parse};
pub use origins::{Layer, Origin, Origins};
pub use overrides::Overrides;
pub use pattern::{Pattern, Segment};
pub use reading::{ReadFault, ReadReason, Reading, StrictReader};
pub use remarks::{check, remarks};
pub use rules::*;
pub use show::{show, show_layered, show_rules};
pub use suggest::{RoleGuess, suggest_roles};
pub use summary::{Template, TemplateError, Templates};
