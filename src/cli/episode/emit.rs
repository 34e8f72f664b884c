//! `forkpoint episode emit`: an event, handed to whoever records the episode.

use serde_json::Value;

use super::args::EmitArgs;
use crate::cli::Exit;
use crate::cli::pair::parse_pair;
use crate::episode::{Episode, Fields};

/// Hands it in.
///
/// # Errors
/// It is refused, or nobody records the episode.
pub fn run(args: EmitArgs) -> anyhow::Result<Exit> {
    let mut fields = Fields::new();
    for (key, value) in args.fields {
        anyhow::ensure!(!fields.contains_key(&key), "{key} is given twice");
        fields.insert(key, value);
    }
    let mut episode = match &args.folder {
        // Whoever is the target of an episode need not know where it is.
        folder if folder.as_os_str() == "-" => Episode::from_env()?,
        folder => Episode::at(folder)?,
    };
    episode.emit(&args.event, fields)?;
    Ok(Exit::SAME)
}

/// What stands behind the =: JSON if it is, else a string.
pub fn parse_field(text: &str) -> Result<(String, Value), String> {
    let (key, value) = parse_pair(text)?;
    Ok((key, serde_json::from_str(&value).unwrap_or(Value::String(value))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_json_is_taken_as_such_and_all_else_as_a_string() {
        let value = |text: &str| parse_field(text).unwrap().1;
        assert_eq!(value("a=5"), json!(5));
        assert_eq!(value("a=five"), json!("five"));
        assert_eq!(value("a=\"5\""), json!("5"));
        assert_eq!(value("a={\"b\":[null]}"), json!({"b": [null]}));
        assert_eq!(value("a="), json!(""));
        assert_eq!(value("a=b=c"), json!("b=c"));
        assert!(parse_field("a").is_err() && parse_field("=a").is_err());
    }
}
