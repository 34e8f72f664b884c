//! Every kind of damage by its name.

use super::numbers::Random;
use super::piece::Planted;
use super::spot::Spot;
use super::{events, harmless, lines, strings, syntax};

/// What `check` must say of a kind of damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// The line, or its lines.
    Always,
    /// Nothing: it is allowed.
    Never,
    /// What the order of its thread's events says, of this line or of later ones.
    ByOrder,
    /// That the last line is torn, which is a note.
    AsNote,
}

/// Damages a line; `None` where this line does not lend itself to it.
pub type Plant = fn(&Spot<'_>, &mut Random) -> Option<Planted>;

/// A kind of damage.
pub struct Kind {
    pub name: &'static str,
    pub named: Named,
    pub plant: Plant,
    /// Only the log's last line lends itself to it.
    pub at_end: bool,
}

const fn kind(name: &'static str, named: Named, plant: Plant) -> Kind {
    Kind { name, named, plant, at_end: false }
}

const fn at_end(name: &'static str, named: Named, plant: Plant) -> Kind {
    Kind { name, named, plant, at_end: true }
}

/// Whether `check` must not name what is so called.
pub fn is_allowed(name: &str) -> bool {
    KINDS.iter().any(|kind| kind.name == name && kind.named == Named::Never)
}

use Named::{Always, AsNote, ByOrder, Never};

/// Kinds that damage a line. Those that damage a log as a whole are in [`super::whole`].
#[rustfmt::skip]
pub const KINDS: &[Kind] = &[
    kind("bad-number", Always, syntax::bad_number),
    kind("bad-literal", Always, syntax::bad_literal),
    kind("value-missing", Always, syntax::value_missing),
    kind("key-missing", Always, syntax::key_missing),
    kind("colon-missing", Always, syntax::colon_missing),
    kind("comma-missing", Always, syntax::comma_missing),
    kind("unclosed", Always, syntax::unclosed),
    kind("trailing", Always, syntax::trailing),
    kind("too-deep", Always, syntax::too_deep),
    kind("control-character", Always, strings::control_character),
    kind("bad-escape", Always, strings::bad_escape),
    kind("invalid-utf-8", Always, strings::invalid_utf8),
    kind("string-open", Always, strings::string_open),
    kind("thread-missing", Always, events::thread_missing),
    kind("odd-thread", Always, events::odd_thread),
    kind("ordinal-missing", Always, events::ordinal_missing),
    kind("odd-ordinal", Always, events::odd_ordinal),
    kind("odd-kind", Always, events::odd_kind),
    kind("role-twice", Always, events::role_twice),
    kind("second-header", Always, events::second_header),
    kind("foreign-object", Always, events::foreign_object),
    kind("cut", Always, lines::cut),
    kind("comma-behind", Always, lines::comma_behind),
    kind("text-behind", Always, lines::text_behind),
    kind("text-before", Always, lines::text_before),
    kind("byte-order-mark", Always, lines::byte_order_mark),
    kind("array-style", Always, lines::array_style),
    kind("garbage", Always, lines::garbage),
    kind("nul-bytes", Always, lines::nul_bytes),
    kind("utf-16", Always, lines::utf_16),
    kind("glued", Always, lines::glued),
    kind("pretty", Always, lines::pretty),
    kind("overlong", Always, lines::overlong),
    at_end("torn", AsNote, lines::torn),
    kind("line-twice", ByOrder, lines::twice),
    kind("line-swapped", ByOrder, lines::swapped),
    kind("line-lost", ByOrder, lines::lost),
    kind("ordinal-back", ByOrder, events::ordinal_back),
    kind("ordinal-ahead", ByOrder, events::ordinal_ahead),
    kind("ordinal-anew", ByOrder, events::ordinal_anew),
    kind("thread-swapped", ByOrder, events::thread_swapped),
    kind("kind-lost", ByOrder, events::kind_lost),
    kind("payload-lost", Never, events::payload_lost),
    kind("respelled", Never, events::respelled),
    kind("deep", Never, syntax::deep),
    kind("long", Never, lines::long),
    kind("odd-text", Never, strings::odd_text),
    kind("odd-number", Never, harmless::odd_number),
    kind("key-twice", Never, strings::key_twice),
    kind("member", Never, harmless::member),
    kind("spaced", Never, harmless::spaced),
    kind("indented", Never, harmless::indented),
    kind("carriage-return", Never, harmless::carriage_return),
    at_end("last-newline", Never, harmless::last_newline),
    kind("blank", Never, lines::blank),
];
