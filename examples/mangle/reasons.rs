//! What `forkpoint check` calls each offence, as its documentation and users have it.

pub const NO_OBJECT: &str = "no JSON object begins here";
pub const NO_END: &str = "the line's object does not end";
pub const UTF_16: &str = "UTF-16 text (mend it with: iconv -f UTF-16 -t UTF-8)";
pub const BYTE_ORDER_MARK: &str =
    "a byte order mark in the middle of the log (mend it with: sed 's/^\\xEF\\xBB\\xBF//')";
pub const ARRAY: &str = "an array, not an object: a log holds one object a line (mend it with: jq -c '.[]')";
pub const COMMA_BEHIND: &str = "a comma after the object: a log holds one object a line (mend it with: jq -c '.[]')";
pub const SECOND_RUN: &str = "a second run starts here";

pub const VALUE_MISSING: &str = "a value is missing";
pub const KEY_MISSING: &str = "a key is missing";
pub const COLON_MISSING: &str = "a colon is missing after a key";
pub const COMMA_MISSING: &str = "a comma or closing bracket is missing";
pub const ENDS_EARLY: &str = "the text ends inside a value";
pub const STRING_OPEN: &str = "a string does not end";
pub const CONTROL_CHARACTER: &str = "a control character stands in a string";
pub const BAD_ESCAPE: &str = "a backslash escape is invalid";
pub const BAD_NUMBER: &str = "a number is malformed";
pub const BAD_LITERAL: &str = "no JSON value begins like this";
pub const INVALID_UTF8: &str = "invalid UTF-8";
pub const TOO_DEEP: &str = "nesting deeper than 1024";
pub const TRAILING: &str = "something follows the value";

pub const ODD_KIND: &str = "the kind is an object or array";

/// A role's key that stands twice.
pub fn twice(key: &str) -> String {
    format!("the key {key:?} is given twice")
}

/// An ordinal that does not grow.
pub fn not_growing(before: u64, found: u64) -> String {
    format!("the ordinal {found} does not grow: the event before has {before}")
}

/// A line that is too long, its line feed counted.
pub fn too_long(bytes: usize) -> String {
    format!("a line of {bytes} bytes is over the limit (--max-line)")
}
