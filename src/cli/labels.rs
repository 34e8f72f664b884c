//! What the two sides are called in reports.

use std::path::Path;

/// Reads `REF,CAND`.
///
/// # Errors
/// A sentence naming what is missing.
pub fn parse_labels(text: &str) -> Result<[String; 2], String> {
    match text.split(',').map(str::trim).collect::<Vec<_>>()[..] {
        [reference, candidate] if !reference.is_empty() && !candidate.is_empty() => {
            Ok([reference.to_owned(), candidate.to_owned()])
        }
        _ => Err("write two names, as in canary,ours".to_owned()),
    }
}

/// The given labels; else the logs' engines if they differ; else the file names if they differ; else
/// reference and candidate.
pub fn choose(given: Option<&[String; 2]>, engines: [Option<&str>; 2], paths: [&Path; 2]) -> [String; 2] {
    if let Some(given) = given {
        return given.clone();
    }
    if let [Some(reference), Some(candidate)] = engines
        && reference != candidate
        && !reference.is_empty()
        && !candidate.is_empty()
    {
        return [reference.to_owned(), candidate.to_owned()];
    }
    let [reference, candidate] = paths.map(file_name);
    if reference != candidate {
        return [reference, candidate];
    }
    ["reference".to_owned(), "candidate".to_owned()]
}

fn file_name(path: &Path) -> String {
    if path == Path::new("-") {
        return "stdin".to_owned();
    }
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_fall_back_step_by_step() {
        let given = ["a".to_owned(), "b".to_owned()];
        let paths = [Path::new("x/run.jsonl"), Path::new("y/new.jsonl")];
        let twins = [Path::new("x/run.jsonl"), Path::new("y/run.jsonl")];
        let engines = [Some("canary"), Some("ours")];
        assert_eq!(choose(Some(&given), engines, paths), ["a", "b"]);
        assert_eq!(choose(None, engines, paths), ["canary", "ours"]);
        assert_eq!(choose(None, [Some("ours"), Some("ours")], paths), ["run.jsonl", "new.jsonl"]);
        assert_eq!(choose(None, [Some("ours"), None], twins), ["reference", "candidate"]);
        assert_eq!(choose(None, [None, None], [Path::new("-"), paths[1]]), ["stdin", "new.jsonl"]);
    }

    #[test]
    fn two_labels_are_two_words() {
        assert_eq!(parse_labels("old, new").unwrap(), ["old", "new"]);
        for text in ["old", "old,", "a,b,c", ""] {
            assert!(parse_labels(text).is_err(), "{text}");
        }
    }
}
