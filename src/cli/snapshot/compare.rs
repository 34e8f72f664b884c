//! Two snapshots held against each other.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde_json::json;

use super::args::DiffArgs;
use super::needs::needs_base;
use crate::cli::output;
use crate::cli::state::deliver;
use crate::cli::terminal::Surroundings;
use crate::cli::{Exit, workers};
use crate::disk::{self, Native};
use crate::report::state::StateContext;
use crate::report::visible;
use crate::snapshot::body::Contents;
use crate::snapshot::load::{Opened, open};
use crate::state::{self, Folder, StateOptions};

/// Compares two full snapshots by the rules of state folders.
pub(super) fn run(args: DiffArgs) -> anyhow::Result<Exit> {
    let around = Surroundings::look();
    let paths: [PathBuf; 2] = args.files.try_into().map_err(|_| anyhow::anyhow!("two snapshots are compared"))?;
    let rules = state::load(&args.profile)?;
    let opened = [&paths[0], &paths[1]].map(|path| whole(path));
    let [one, other] = opened;
    let opened = [one?, other?];
    let memories = opened.each_ref().map(|one| one.memory.path.clone());
    let inputs: Vec<PathBuf> = paths.iter().chain(&memories).cloned().chain([PathBuf::from(&args.profile)]).collect();
    output::refuse_collisions(&args.report.output, &inputs)?;
    let scratch = tempfile::tempdir().context("failed to make a folder for two documents")?;
    let [one, other] = [0, 1].map(|side| folder(&scratch.path().join(side.to_string()), &opened[side]));
    let folders = [one?, other?];
    let options = StateOptions { imports: None, invariants_only: false };
    let mut outcome = workers::in_pool(args.jobs, || state::compare([&folders[0], &folders[1]], &rules, &options))??;
    outcome.inputs = inputs;
    let plain = StateContext { paths, details: args.details.0, strict: args.strict_classes, width: 100, colour: false };
    let own = StateContext { width: around.width(), colour: around.wants_color(args.color.when), ..plain.clone() };
    let (_, exit) = deliver(Some(args.report.format), &args.report.output, &outcome, &rules, [&own, &plain]);
    Ok(exit)
}

/// Opens a full snapshot.
fn whole(path: &Path) -> anyhow::Result<Opened> {
    let shown = || visible(&path.to_string_lossy());
    let opened = open(&Native, path, None).with_context(shown)?;
    opened.is_whole().map_err(|error| needs_base(error, path)).with_context(shown)?;
    Ok(opened)
}

/// A snapshot as a folder of state: what its file says of itself, the state, and the memory, which stays where it is.
fn folder(path: &Path, opened: &Opened) -> anyhow::Result<Folder> {
    let Opened { header, body, memory } = opened;
    std::fs::create_dir(path)?;
    let about = json!({
        "id": header.id.to_string(),
        "parent": header.parent.map(|parent| parent.to_string()),
        "memory_length": header.memory_length,
        "page_size": header.page_size,
        "ram_start": body.ram_start,
        "position": body.position,
        "metadata": body.metadata,
    });
    disk::write_whole(&path.join("snapshot.json"), about.to_string().as_bytes())?;
    let text = match &body.contents {
        Contents::Document(text) => text.clone(),
        Contents::Machine(state) => serde_json::to_string(state)?,
    };
    disk::write_whole(&path.join("state.json"), text.as_bytes())?;
    let mut folder = Folder::open(path)?;
    folder.lend("memory", &memory.path);
    ensure!(folder.file("memory")?.is_some(), "{}: is gone", visible(&memory.path.to_string_lossy()));
    Ok(folder)
}
