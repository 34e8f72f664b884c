//! What a diff needs to be a whole memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::report::quote;
use crate::snapshot::{SnapshotError, describe};

/// Says what a diff needs, and where that is found, the command that puts it together.
pub(super) fn needs_base(error: SnapshotError, file: &Path) -> anyhow::Error {
    if !matches!(error, SnapshotError::NeedsBase { .. }) {
        return error.into();
    }
    match chain(file) {
        Some(chain) => {
            let words: Vec<String> = chain.iter().map(|path| quote::path(path)).collect();
            let whole = quote::path(&file.with_extension("whole.snap"));
            anyhow::anyhow!("{error}; to put them together: forkpoint snapshot rebase {} -o {whole}", words.join(" "))
        }
        None => anyhow::anyhow!("{error}, which is not among the .snap files beside it"),
    }
}

/// The full snapshot that a diff goes onto in the end, the diffs in between, and the diff itself, as far as they lie beside it.
fn chain(file: &Path) -> Option<Vec<PathBuf>> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut by_id = BTreeMap::new();
    for entry in std::fs::read_dir(folder.unwrap_or(Path::new("."))).ok()? {
        let path = file.with_file_name(entry.ok()?.file_name());
        if path.extension().is_some_and(|extension| extension == "snap")
            && let Ok(told) = describe(&path)
            && let Some(id) = &told.id
        {
            by_id.insert(id.clone(), (path, told));
        }
    }
    let mut chain = vec![file.to_owned()];
    let mut next = describe(file).ok()?.parent;
    while let Some((path, told)) = by_id.remove(&next?) {
        chain.insert(0, path);
        if told.kind == Some("full") {
            return Some(chain);
        }
        next = told.parent;
    }
    None
}
