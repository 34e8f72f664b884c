//! A process as `/proc` shows it, its files kept open.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::procfs::{self, Stat};

/// How many files are kept open at most; what is beyond is opened each time. Programs may open 1,024 unless told otherwise.
const KEPT: usize = 256;
/// The buffer for a text at first. All but the strangest fit.
const TEXT: usize = 4096;
/// No text is longer; `status` grows with the groups of the process.
const LONGEST: usize = 1 << 20;

/// How many more files may be kept open.
#[derive(Debug)]
pub struct Room {
    left: usize,
}

impl Default for Room {
    fn default() -> Room {
        Room { left: KEPT }
    }
}

/// A text of `/proc` that is read again and again. An open one belongs to its process, whoever gets the number next.
#[derive(Debug)]
pub struct Text {
    path: PathBuf,
    file: Option<File>,
}

impl Text {
    /// Opens it.
    ///
    /// # Errors
    /// It is not there, or must not be read.
    pub fn open(path: PathBuf, room: &mut Room) -> io::Result<Text> {
        let file = File::open(&path)?;
        let is_kept = room.left > 0;
        room.left -= usize::from(is_kept);
        Ok(Text { path, file: is_kept.then_some(file) })
    }

    /// What it says now.
    ///
    /// # Errors
    /// The process is gone, or it must not be read any more.
    pub fn read<'a>(&self, buffer: &'a mut Vec<u8>) -> io::Result<&'a [u8]> {
        let opened;
        let file = match &self.file {
            Some(file) => file,
            None => {
                opened = File::open(&self.path)?;
                &opened
            }
        };
        read_whole(file, buffer)
    }

    /// Closes it, which makes room for another.
    pub fn close(self, room: &mut Room) {
        room.left += usize::from(self.file.is_some());
    }
}

/// Such a text comes whole from its beginning, if there is room for it.
fn read_whole<'a>(file: &File, buffer: &'a mut Vec<u8>) -> io::Result<&'a [u8]> {
    buffer.resize(buffer.len().max(TEXT), 0);
    loop {
        let length = file.read_at(buffer, 0)?;
        if length < buffer.len() || length >= LONGEST {
            return Ok(&buffer[..length]);
        }
        buffer.resize(2 * length, 0);
    }
}

/// Where `/proc` shows a process.
pub fn folder(pid: u32) -> PathBuf {
    Path::new("/proc").join(pid.to_string())
}

/// Reads what a process is at this moment.
///
/// # Errors
/// There is none of this number.
pub fn look(pid: u32) -> io::Result<Stat> {
    parse(&fs::read(folder(pid).join("stat"))?)
}

/// When a process started, in clock ticks since the host did: with its number that is who it is.
///
/// # Errors
/// There is none of this number.
pub fn start_time(pid: u32) -> io::Result<u64> {
    Ok(look(pid)?.start_time)
}

/// Whether it still runs: it is there, it is the same, and it is not only waiting for its end to be noticed.
pub fn runs(pid: u32, start_time: u64) -> bool {
    look(pid).is_ok_and(|stat| stat.start_time == start_time && !is_over(&stat))
}

/// Whether nothing of it runs any more. A first thread that ended before the others looks like a zombie, too.
pub fn is_over(stat: &Stat) -> bool {
    matches!(stat.state, 'Z' | 'X' | 'x') && stat.threads <= 1
}

/// A text `stat` as figures.
///
/// # Errors
/// It has none.
pub fn parse(text: &[u8]) -> io::Result<Stat> {
    procfs::stat(text)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc shows no such process as is known"))
}

/// The names of a folder that are numbers.
///
/// # Errors
/// It is not there any more.
pub fn numbers(folder: &Path) -> io::Result<Vec<u32>> {
    let names = fs::read_dir(folder)?.filter_map(Result::ok).map(|entry| entry.file_name());
    Ok(names.filter_map(|name| name.to_str()?.parse().ok()).collect())
}
