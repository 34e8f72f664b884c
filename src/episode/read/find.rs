//! Where episodes lie: `OUT/episodes/ID`.

use std::io;
use std::path::{Path, PathBuf};

use super::kept::Kept;

/// Ids that are told where a beginning fits several.
const TOLD_MAX: usize = 5;

/// Why an episode was not found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// Neither a folder nor the beginning of an id.
    #[error("there is no folder {word}, and no episode in {} whose id begins so", folder.display())]
    Nothing {
        /// What was asked for.
        word: String,
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// The beginning of several ids.
    #[error("{word} is the beginning of {count} episodes: {}", told.join(", "))]
    Several {
        /// What was asked for.
        word: String,
        /// How many fit.
        count: usize,
        /// The first of them.
        told: Vec<String>,
    },
    /// The folder of episodes.
    #[error("failed to read {}: {error}", path.display())]
    Folder {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// The folder of an episode that is named by its path, or by the beginning of its id, in any case, among those of `out`.
///
/// # Errors
/// There is none, or more than one.
pub fn find(word: &Path, out: &Path) -> Result<PathBuf, FindError> {
    if word.exists() {
        return Ok(word.to_owned());
    }
    let folder = above(out);
    let shown = word.to_string_lossy().into_owned();
    let is_name = word.components().count() == 1;
    let names = if is_name { names(&folder).unwrap_or_default() } else { Vec::new() };
    let wanted = shown.to_ascii_uppercase();
    let found: Vec<&String> = names.iter().filter(|name| name.to_ascii_uppercase().starts_with(&wanted)).collect();
    match found.as_slice() {
        [] => Err(FindError::Nothing { word: shown, folder }),
        [one] => Ok(folder.join(one)),
        // A whole id counts, whatever else begins so.
        _ if names.contains(&shown) => Ok(folder.join(shown)),
        several => {
            let told = several.iter().take(TOLD_MAX).map(|name| (*name).clone()).collect();
            Err(FindError::Several { word: shown, count: several.len(), told })
        }
    }
}

/// The episodes of a folder, in the order of their names, and what lies beside them and is none.
///
/// # Errors
/// There is no such folder, or it cannot be read.
pub fn episodes(out: &Path) -> Result<(Vec<Kept>, Vec<String>), FindError> {
    let folder = above(out);
    let names = names(&folder).map_err(|error| FindError::Folder { path: folder.clone(), error })?;
    let (mut found, mut others) = (Vec::new(), Vec::new());
    for name in names {
        match Kept::open(&folder.join(&name)) {
            Ok(kept) => found.push(kept),
            Err(_) => others.push(name),
        }
    }
    Ok((found, others))
}

/// The folder right above the episodes: what a recorder makes in `out`, unless `out` is that folder.
fn above(out: &Path) -> PathBuf {
    let made = if out == Path::new(".") { PathBuf::from("episodes") } else { out.join("episodes") };
    let is_that = out.file_name().is_some_and(|name| name == "episodes") && !made.is_dir();
    if is_that { out.to_owned() } else { made }
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // No recorder gives a name that is not text.
        if let Ok(name) = entry.file_name().into_string()
            && entry.path().is_dir()
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
