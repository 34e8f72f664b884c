//! Saving, loading, putting together.

use std::fs::File;
use std::io::{Read, stdin};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use super::args::{LoadArgs, SaveArgs};
use super::needs::needs_base;
use crate::cli::size::show_bytes;
use crate::cli::{Exit, output, tell, workers};
use crate::disk::{self, Native, Volume, same_target};
use crate::report::visible;
use crate::snapshot::body::Contents;
use crate::snapshot::header::BODY_MAX;
use crate::snapshot::load::open;
use crate::snapshot::{
    Chain, FilePageReader, Position, RebaseRequest, SaveOptions, SaveReport, SaveRequest, SnapshotError, SnapshotKind,
    extract_memory, rebase as put_together, save_with,
};
use crate::state::Document;

/// Bytes of a page where nothing else is said.
const PAGE: u64 = 4096;

/// Saves a pair.
pub(super) fn save(args: SaveArgs) -> anyhow::Result<Exit> {
    let document = document(&args.state)?;
    let shown = |path: &Path| visible(&path.to_string_lossy());
    let source = Native.open(&args.memory).with_context(|| format!("failed to read {}", shown(&args.memory)))?;
    let ram_size = source.length().with_context(|| shown(&args.memory))?;
    ensure!(ram_size > 0, "{}: there is no memory to save", shown(&args.memory));
    let memory_path = args.memory_out.clone().map_or_else(|| memory_beside(&args.file), Ok)?;
    for (input, what) in [(&args.state, "the state"), (&args.memory, "the memory")] {
        for target in [&args.file, &memory_path] {
            ensure!(!same_target(input, target), "{} is {what} that is saved: it would be written over", shown(target));
        }
    }
    let memory = FilePageReader::new(source);
    let page = args.page_size.unwrap_or(PAGE).min(ram_size.next_power_of_two());
    let report = workers::in_pool(args.jobs, || -> anyhow::Result<SaveReport> {
        let chain = match args.dirty_from.split_first() {
            Some((base, diffs)) => Some(Chain::open(&Native, base, diffs)?),
            None => None,
        };
        if let Some(chain) = &chain {
            let length = chain.last().header.memory_length;
            ensure!(
                length == ram_size,
                "{}: {ram_size} bytes, and the memory that it is held against has {length}",
                shown(&args.memory)
            );
            if let Some(file) =
                chain.files().find(|file| same_target(file, &args.file) || same_target(file, &memory_path))
            {
                bail!("{} is what the diff goes onto: it would be written over", shown(file));
            }
        }
        let dirty = chain.as_ref().map(|chain| chain.changed(&memory, page)).transpose()?;
        let options = SaveOptions {
            parent: chain.as_ref().map(|chain| chain.last().header.id),
            position: position(&args)?,
            metadata: args.meta.iter().cloned().collect(),
            ram_start: args.ram_start.or(chain.as_ref().map(|chain| chain.last().body.ram_start)),
        };
        let request = SaveRequest {
            state_path: &args.file,
            memory_path: &memory_path,
            kind: if dirty.is_some() { SnapshotKind::Diff } else { SnapshotKind::Full },
            state: Contents::Document(document),
            memory: &memory,
            ram_size,
            memory_page_size: page.min(ram_size),
            dirty: dirty.as_ref(),
        };
        Ok(save_with(request, options)?)
    })?;
    told(&args.file, &memory_path, ram_size, page, report?);
    Ok(Exit::SAME)
}

/// Says what was saved.
fn told(file: &Path, memory: &Path, ram: u64, page: u64, report: SaveReport) {
    tell(&format!(
        "saved {} ({}) and {} ({} of {} pages, {} of memory); snapshot {}",
        visible(&file.to_string_lossy()),
        show_bytes(report.state_bytes),
        visible(&memory.to_string_lossy()),
        report.pages_written,
        ram.div_ceil(page),
        show_bytes(ram),
        report.id,
    ));
}

/// Reads a state: any JSON document.
fn document(path: &Path) -> anyhow::Result<String> {
    let shown = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
    let shown = visible(&shown);
    let mut bytes = Vec::new();
    let read = |from: &mut dyn Read, bytes: &mut Vec<u8>| from.take(BODY_MAX + 1).read_to_end(bytes);
    match path == Path::new("-") {
        true => read(&mut stdin().lock(), &mut bytes),
        false => File::open(path).and_then(|mut file| read(&mut file, &mut bytes)),
    }
    .with_context(|| format!("failed to read {shown}"))?;
    ensure!(bytes.len() as u64 <= BODY_MAX, "{shown}: {}", SnapshotError::SizeLimitExceeded(BODY_MAX));
    let text = String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("{shown}: is no UTF-8"))?;
    Document::parse(text.clone().into_bytes()).with_context(|| format!("{shown}: is no JSON document"))?;
    Ok(text)
}

/// Where in the run the snapshot was taken, as it was typed.
fn position(args: &SaveArgs) -> anyhow::Result<Option<Position>> {
    if let Some(events) = args.events {
        return Ok(Some(Position::Events { events }));
    }
    let Some(text) = &args.at else { return Ok(None) };
    let split = text.rsplit_once(':').and_then(|(thread, ordinal)| Some((thread, ordinal.parse().ok()?)));
    let Some((name, ordinal)) = split else { bail!("--at {text}: write THREAD:ORDINAL, as in 6:1234") };
    // As in --map: a bare number is a number, a text in quotes is text, and so is all else.
    let thread = serde_json::from_str(name)
        .ok()
        .filter(|value: &serde_json::Value| value.is_i64() || value.is_u64() || value.is_string());
    Ok(Some(Position::Thread { thread: thread.unwrap_or_else(|| name.into()), ordinal }))
}

/// Where the memory of a state file goes.
fn memory_beside(file: &Path) -> anyhow::Result<PathBuf> {
    let memory = file.with_extension("mem");
    ensure!(memory != file, "{}: a state file has another extension than mem", visible(&file.to_string_lossy()));
    Ok(memory)
}

/// Writes what a pair holds into files.
pub(super) fn load(args: &LoadArgs) -> anyhow::Result<Exit> {
    let shown = visible(&args.file.to_string_lossy());
    ensure!(
        args.state.is_some() || args.memory.is_some(),
        "say where the state goes (--state), the memory (--memory), or both"
    );
    let opened = open(&Native, &args.file, None).with_context(|| shown.clone())?;
    let outputs = args.state.iter().filter(|path| *path != Path::new("-")).chain(&args.memory);
    for output in outputs {
        let is_input = [&args.file, &opened.memory.path].into_iter().any(|input| same_target(input, output));
        ensure!(!is_input, "{} is also an input", visible(&output.to_string_lossy()));
    }
    if let (Some(state), Some(memory)) = (&args.state, &args.memory) {
        ensure!(!same_target(state, memory), "--state and --memory are one file");
    }
    if let Some(path) = &args.memory {
        let done = workers::in_pool(args.jobs, || extract_memory(&Native, &opened, path))?;
        done.map_err(|error| needs_base(error, &args.file)).with_context(|| shown.clone())?;
    }
    if let Some(path) = &args.state {
        let text = match &opened.body.contents {
            Contents::Document(text) => text.clone(),
            Contents::Machine(state) => serde_json::to_string_pretty(state)? + "\n",
        };
        match path == Path::new("-") {
            true => output::print(text.as_bytes())?,
            false => disk::write_whole(path, text.as_bytes())?,
        }
    }
    Ok(Exit::SAME)
}

/// Makes one snapshot of several.
pub(super) fn rebase(base: &Path, diffs: &[PathBuf], output: &Path, jobs: Option<usize>) -> anyhow::Result<Exit> {
    let memory_path = memory_beside(output)?;
    let request = RebaseRequest { base, diffs, state_path: output, memory_path: &memory_path };
    let report = workers::in_pool(jobs, || put_together(&Native, &request))??;
    let header = open(&Native, output, None)?.header;
    told(output, &memory_path, header.memory_length, header.page_size, report);
    Ok(Exit::SAME)
}
