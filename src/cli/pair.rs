//! `KEY=VALUE`, as it is typed.

/// A key, and all that stands behind the first `=`.
///
/// # Errors
/// There is no `=`, or nothing before it.
pub fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        None => Err("write KEY=VALUE".to_owned()),
        Some(("", _)) => Err("a key is missing before the =".to_owned()),
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_be_empty_and_hold_more_of_the_kind_but_a_key_must_be_there() {
        let pair = |key: &str, value: &str| Ok((key.to_owned(), value.to_owned()));
        assert_eq!(parse_pair("a=b"), pair("a", "b"));
        assert_eq!(parse_pair("a="), pair("a", ""));
        assert_eq!(parse_pair("a=b=c"), pair("a", "b=c"));
        assert!(parse_pair("a").unwrap_err().contains("KEY=VALUE"));
        assert!(parse_pair("=a").unwrap_err().contains("a key is missing"));
    }
}
