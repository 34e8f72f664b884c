//! A large memory saved whole, and what of it changed; looked at byte by byte, put together: how long that takes beside `cp` and `sync`, and how much
//! of a disk it takes.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::process::Command;

use super::program::watched;
use super::rounds::{Entrant, Figures, race};
use super::table::machine;
use super::{Hindered, Program, Room, Shown, Table};
use crate::generate::numbers::Random;
use crate::generate::options::parse_size;

const HEAD: [&str; 7] = ["what", "seconds", "GB/s", "CPU, s", "of no file, MB", "on disk, MB", "times cp + sync"];
/// Bytes of a page.
const PAGE: u64 = 4096;
/// One stretch of pages in so many holds nothing but zeros.
const ZERO: u64 = 4;
/// Pages of such a stretch where zeros lie together, 1 MiB.
const TOGETHER: u64 = 256;

#[derive(clap::Args)]
pub struct Asked {
    /// Bytes of memory
    #[arg(long, default_value = "4G", value_parser = parse_size)]
    pub size: u64,
    /// Of a hundred pages so many are dirty
    #[arg(long, default_value_t = 1)]
    pub dirty: u64,
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
}

pub fn show(program: &Program, room: &Room, asked: &Asked) -> Shown {
    room.demand(asked.size * 7)?;
    let state = room.write("state.json", b"{\"pc\": 1}\n")?;
    println!("medians of {} rounds in turn; {}", asked.rounds, machine());
    let mut wrong = together(program, room, asked, &state)?;
    wrong.extend(scattered(program, room, asked, &state)?);
    Ok(wrong)
}

/// A memory whose zeros lie together, saved again and again over what the round before saved.
fn together(program: &Program, room: &Room, asked: &Asked, state: &Path) -> Shown {
    let pages = asked.size / PAGE;
    let (ram, later) = (room.path("ram.bin"), room.path("later.bin"));
    let written = memory(&ram, pages, TOGETHER)?;
    let changed = change(&ram, &later, pages, asked.dirty)?;
    println!(
        "\nmemory of {} MB, {written} of {pages} pages not zero, zeros in stretches of {TOGETHER} pages; {changed} pages dirty\n",
        asked.size / 1_000_000
    );
    let [full, diff, whole, copy, holes] =
        ["full.snap", "diff.snap", "whole.snap", "copy.bin", "holes.bin"].map(|name| room.path(name));
    let save = |memory: &Path, to: &Path, more: &[&Path]| {
        let mut command = program.command(["snapshot", "save", "--state"]);
        command.arg(state).arg("--memory").arg(memory);
        more.iter().for_each(|base| {
            command.arg("--dirty-from").arg(base);
        });
        command.arg(to);
        command
    };
    let one = |words: &[&str], paths: &[&Path]| {
        let mut command = program.command(["snapshot"]);
        command.args(words).args(paths);
        command
    };
    let rebase = || {
        let mut command = one(&["rebase"], &[&full, &diff]);
        command.arg("-o").arg(&whole);
        command
    };
    // Each group stands on what the one before left, and every run of it answers the same.
    let groups: [Vec<(Entrant<'_>, Option<&Path>)>; 3] = [
        vec![
            (Entrant::new("cp + sync", 0, || cp("never", &ram, &copy)), Some(&copy)),
            (Entrant::new("cp --sparse=always + sync", 0, || cp("always", &ram, &holes)), Some(&holes)),
            (Entrant::new("save", 0, || save(&ram, &full, &[])), Some(&full)),
        ],
        vec![(Entrant::new("save, dirty pages only", 0, || save(&later, &diff, &[&full])), Some(&diff))],
        vec![
            (Entrant::new("verify", 0, || one(&["verify"], &[&full])), None),
            (Entrant::new("verify, dirty pages only", 0, || one(&["verify"], &[&diff])), None),
            (Entrant::new("rebase", 0, rebase), Some(&whole)),
        ],
    ];
    let mut wrong = race_groups(groups, asked)?;
    wrong.extend(judge(program, room, [&full, &whole], [&ram, &later])?);
    let held = on_disk(&diff.with_extension("mem"))?;
    if held > (changed + 64) * PAGE * 2 {
        wrong.push(format!("{changed} dirty pages take {held} bytes on the disk"));
    }
    for file in [&ram, &later, &copy, &holes] {
        std::fs::remove_file(file)?;
    }
    for snapshot in [&full, &diff, &whole] {
        std::fs::remove_file(snapshot.with_extension("mem"))?;
    }
    Ok(wrong)
}

/// The same where every fourth page is a hole of its own: what the file system takes for so many, to make them and to free them.
fn scattered(program: &Program, room: &Room, asked: &Asked, state: &Path) -> Shown {
    let pages = asked.size / PAGE;
    let [ram, copy, holes, full] = ["ram.bin", "copy.bin", "holes.bin", "full.snap"].map(|name| room.path(name));
    let written = memory(&ram, pages, 1)?;
    println!("\nthe same, {written} of {pages} pages not zero, zeros one page at a time\n");
    let save = || {
        let mut command = program.command(["snapshot", "save", "--state"]);
        command.arg(state).arg("--memory").args([&ram, &full]);
        command
    };
    let group = vec![
        (Entrant::new("cp + sync", 0, || cp("never", &ram, &copy)), Some(copy.as_path())),
        (Entrant::new("cp --sparse=always + sync", 0, || cp("always", &ram, &holes)), Some(&holes)),
        (Entrant::new("save", 0, save), Some(&full)),
    ];
    let mut wrong = race_groups([group], asked)?;
    wrong.extend(judge(program, room, [&full], [&ram])?);
    Ok(wrong)
}

fn cp(sparse: &str, from: &Path, to: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "cp --sparse=\"$1\" \"$2\" \"$3\" && sync \"$3\"", "sh", sparse]).args([from, to]);
    command
}

/// Groups of commands, each in turn for so many rounds, with the file that each leaves; the first of all is what the others are measured by.
fn race_groups<'g>(groups: impl IntoIterator<Item = Vec<(Entrant<'g>, Option<&'g Path>)>>, asked: &Asked) -> Shown {
    let mut table = Table::new(&HEAD);
    let mut wrong = Vec::new();
    let mut peer = None;
    for group in groups {
        let (entrants, files): (Vec<Entrant<'_>>, Vec<Option<&Path>>) = group.into_iter().unzip();
        let figures = race(&entrants, asked.rounds)?;
        for ((entrant, figures), file) in entrants.iter().zip(&figures).zip(files) {
            let peer = *peer.get_or_insert(figures.wall());
            wrong.extend(figures.wrong.iter().cloned());
            row(&mut table, entrant, figures, file, asked.size, peer)?;
        }
    }
    table.print();
    Ok(wrong)
}

fn row(
    table: &mut Table,
    entrant: &Entrant<'_>,
    figures: &Figures,
    file: Option<&Path>,
    size: u64,
    peer: f64,
) -> Result<(), Hindered> {
    let run = watched(&mut (entrant.command)())?;
    let held = match file {
        Some(file) if file.extension().is_some_and(|extension| extension == "snap") => {
            Some(on_disk(file)? + on_disk(&file.with_extension("mem"))?)
        }
        Some(file) => Some(on_disk(file)?),
        None => None,
    };
    table.row([
        entrant.name.clone(),
        format!("{:.2}", figures.wall()),
        format!("{:.2}", size as f64 / 1e9 / figures.wall()),
        format!("{:.2}", figures.cpu()),
        format!("{:.1}", run.anonymous),
        held.map_or("-".to_owned(), |held| format!("{:.1}", held as f64 / 1e6)),
        format!("{:.2}", figures.wall() / peer),
    ]);
    Ok(())
}

/// Writes a memory in which some stretches of so many pages are zero; how many pages are not.
fn memory(path: &Path, pages: u64, stretch: u64) -> Result<u64, Hindered> {
    let random = &mut Random::new(1, "memory", 0);
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut written = 0;
    let mut page = vec![0; PAGE as usize];
    let mut is_zero = false;
    for at in 0..pages {
        if at % stretch == 0 {
            is_zero = random.below(ZERO) == 0;
        }
        if is_zero {
            page.fill(0);
        } else {
            page.chunks_mut(8).for_each(|word| word.copy_from_slice(&random.next().to_le_bytes()));
            // No page is zero by chance.
            page[0] |= 1;
            written += 1;
        }
        out.write_all(&page)?;
    }
    out.flush()?;
    Ok(written)
}

/// Copies a memory and writes to some of its pages; how many.
fn change(from: &Path, to: &Path, pages: u64, percent: u64) -> Result<u64, Hindered> {
    std::fs::copy(from, to)?;
    let file = File::options().read(true).write(true).open(to)?;
    let random = &mut Random::new(2, "dirty", 0);
    let mut changed = 0;
    for page in 0..pages {
        if random.below(100) >= percent {
            continue;
        }
        let at = page * PAGE + random.below(PAGE);
        let mut byte = [0];
        file.read_exact_at(&mut byte, at)?;
        file.write_all_at(&[byte[0] ^ 1], at)?;
        changed += 1;
    }
    Ok(changed)
}

/// Whether snapshots hold the memories that they are of.
fn judge<const N: usize>(program: &Program, room: &Room, snapshots: [&Path; N], memories: [&Path; N]) -> Shown {
    let mut wrong = Vec::new();
    for (snapshot, memory) in snapshots.into_iter().zip(memories) {
        let out = room.path("out.bin");
        let mut load = program.command(["snapshot", "load"]);
        let run = watched(load.arg(snapshot).arg("--memory").arg(&out))?;
        let is_same = Command::new("cmp").args([&out, memory]).status()?.success();
        if run.code != Some(0) || !is_same {
            wrong.push(format!("{} does not hold {}: {}", snapshot.display(), memory.display(), run.ended()));
        }
        std::fs::remove_file(&out)?;
    }
    Ok(wrong)
}

fn on_disk(path: &Path) -> Result<u64, Hindered> {
    Ok(std::fs::metadata(path)?.blocks() * 512)
}
