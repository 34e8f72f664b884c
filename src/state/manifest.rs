//! What a folder's manifest says of its files, and whether it is so.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::document::Shape;
use super::folder::{Folder, FolderError};
use super::image::sha256;
use super::rules::ManifestRule;
use crate::json::text;

/// The hashes that a manifest claims, by file.
pub type Claims = BTreeMap<String, String>;

/// An entry that is not so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub claimed: String,
    /// None where there is no such file.
    pub actual: Option<String>,
}

/// Reads a manifest's claims; none without a manifest. The faults are entries that are none.
///
/// # Errors
/// The manifest cannot be read, or is no document.
pub fn claims(folder: &Folder, rule: &ManifestRule) -> Result<Option<(Claims, Vec<String>)>, FolderError> {
    let Some(file) = folder.file(&rule.file)? else { return Ok(None) };
    let document = folder.document(&file, folder.text(&file)?)?;
    let mut faults = Vec::new();
    let mut claims = Claims::new();
    match document.at(&rule.files) {
        Some(files) if files.shape == Shape::Object => {
            for member in document.sorted_members(files) {
                let file = String::from_utf8_lossy(&text::unescape(document.key(member))).into_owned();
                match document.text(member.value).filter(|hash| is_hash(hash)) {
                    Some(hash) => _ = claims.insert(file, hash.to_ascii_lowercase()),
                    None => faults.push(format!("{}: {file:?} has no SHA-256 of 64 hex digits", rule.file)),
                }
            }
        }
        _ => faults.push(format!("{}: there is no object {}", rule.file, rule.files.dotted())),
    }
    Ok(Some((claims, faults)))
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The claims that are not so; what cannot be read is an error of its own.
pub fn verify(folder: &Folder, claims: &Claims) -> BTreeMap<String, Result<Wrong, FolderError>> {
    let check = |(name, claimed): (&String, &String)| {
        let actual = match folder.file(name).and_then(|file| file.map(|file| Ok(sha256(&file, &[])?)).transpose()) {
            Ok(actual) => actual,
            Err(error) => return Some((name.clone(), Err(error))),
        };
        let is_so = actual.as_ref() == Some(claimed);
        (!is_so).then(|| (name.clone(), Ok(Wrong { claimed: claimed.clone(), actual })))
    };
    claims.par_iter().filter_map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Pointer;
    use crate::state::image::sha256_of;

    #[test]
    fn claims_are_read_and_held_against_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let rule = ManifestRule { file: "manifest.json".into(), files: Pointer::parse("files").unwrap() };
        let open = Folder::open(folder.path()).unwrap();
        assert!(claims(&open, &rule).unwrap().is_none());
        write("a.json", "{}");
        write("b.json", "[]");
        let [a, other] = [sha256_of(b"{}"), sha256_of(b"x")];
        write(
            "manifest.json",
            &format!(
                r#"{{"files":{{"a.json":"{}","b.json":"{other}","c":"{other}","d":7,"../e":"{other}"}}}}"#,
                a.to_uppercase()
            ),
        );
        let (claims, faults) = super::claims(&open, &rule).unwrap().unwrap();
        assert_eq!(
            (claims.len(), faults),
            (4, vec!["manifest.json: \"d\" has no SHA-256 of 64 hex digits".to_owned()])
        );
        let wrong = verify(&open, &claims);
        assert_eq!(wrong.keys().collect::<Vec<_>>(), ["../e", "b.json", "c"]);
        assert!(wrong["../e"].is_err());
        assert_eq!(
            wrong["b.json"].as_ref().unwrap(),
            &Wrong { claimed: other.clone(), actual: Some(sha256_of(b"[]")) }
        );
        assert_eq!(wrong["c"].as_ref().unwrap().actual, None);
        write("manifest.json", "[1]");
        assert!(super::claims(&open, &rule).unwrap().unwrap().1[0].contains("no object files"));
    }
}
