//! Room `json`: exact JSON, decided from tokens, never from floating point.
//!
//! In reading order: [`grammar`] ends single tokens; [`leaf`] ends the regular ones faster, by
//! `simd`; [`cursor`] walks a text strictly, with an explicit stack of bits; [`number`] and
//! [`text`] compare scalars by exact value and by code points; [`tape`] takes a whole text apart
//! for comparing, looking up and digesting; [`validate`] checks texts that nobody looks into, [`regular`]
//! the usual ones of them in one walk; [`mod@pointer`] names places. It knows nothing of events.

pub mod cursor;
pub mod distance;
pub mod grammar;
pub mod leaf;
pub mod number;
pub mod pointer;
pub mod regular;
pub(crate) mod simd;
pub mod tape;
pub mod text;
pub mod validate;

pub use cursor::{Cursor, Kind, Token, check_by_cursor, check_utf8};
pub use grammar::{DEPTH_MAX, Fault, Reason};
pub use number::{Decimal, Integer};
pub use pointer::{Pointer, PointerError};
pub use simd::Width;
pub use tape::Tape;
pub use validate::Validator;
