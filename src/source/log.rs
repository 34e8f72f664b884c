//! A log being read: chosen by what the path leads to, then windows from front to end.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::file::FileLog;
use super::format::{MAGIC_BYTES, Sniffed, sniff};
use super::headroom::has_headroom;
use super::origin::{Anything, Begun, Descriptor, Origin, Part};
use super::queue::WhenFull;
use super::reader::Opener;
use super::stream::StreamLog;
use super::walk::Walk;
use super::watch::Watch;
use super::{Bytes, Change, Damage, OpenOptions, SourceError, Window};

/// The room asked for in a pipe we read, in bytes; what anybody may have on Linux.
#[cfg(target_os = "linux")]
const PIPE_BYTES: usize = 1 << 20;

/// One log, read once from front to end.
pub struct Log {
    path: PathBuf,
    identity: Option<(u64, u64)>,
    body: Body,
}

/// Where the bytes come from.
enum Body {
    File(Box<FileLog>),
    Stream(Box<StreamLog>),
    /// A regular file that is read as a stream, because it is an archive or standard input, and watched as a file.
    Watched {
        stream: Box<StreamLog>,
        file: File,
        watch: Box<Watch>,
        is_archive: bool,
    },
    Memory {
        bytes: Bytes,
        walk: Walk,
    },
}

impl Log {
    /// Opens a path; `-` is standard input.
    ///
    /// What it leads to decides how it is read, nothing is tried: a regular file by ranges (mapped
    /// or plain), all else as a stream on a thread of its own. A FIFO's writer is not waited for.
    /// What begins as a gzip or zstd archive does, wherever it comes from and whatever its name, is unpacked on a
    /// thread of its own: offsets and lengths are then those of the unpacked log.
    ///
    /// # Errors
    /// The path cannot be opened or is a directory.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Log, SourceError> {
        let trouble = |error| SourceError::Open { path: path.to_owned(), error };
        if path == Path::new("-") {
            return open_stdin(options);
        }
        let found = std::fs::metadata(path).map_err(trouble)?;
        if found.is_dir() {
            return Err(trouble(io::Error::other("is a directory")));
        }
        if !found.is_file() {
            // Says now what opening would only say on the reader thread.
            rustix::fs::access(path, rustix::fs::Access::READ_OK).map_err(|error| trouble(error.into()))?;
            let waits = found.file_type().is_char_device() || found.file_type().is_block_device();
            let when_full = if waits { WhenFull::Wait } else { WhenFull::Spill };
            let identity = Some((found.dev(), found.ino()));
            let source = path.to_owned();
            let open: Opener = Box::new(move || match File::open(&source) {
                Ok(file) => Ok(widened(file)),
                Err(error) => Err(SourceError::Open { path: source, error }),
            });
            return Log::stream(path, identity, open, when_full, options);
        }
        let file = File::open(path).map_err(trouble)?;
        let found = file.metadata().map_err(trouble)?;
        open_regular(path, file, found, options)
    }

    /// A log read from anywhere, as a stream, and unpacked if it is packed; `name` stands for it in messages.
    ///
    /// # Errors
    /// The reader thread cannot be started.
    pub fn open_reader(name: &str, reader: Box<dyn Read + Send>, options: &OpenOptions) -> Result<Log, SourceError> {
        let open: Opener = Box::new(move || Ok(Box::new(Anything(reader))));
        Log::stream(Path::new(name), None, open, WhenFull::Spill, options)
    }

    /// A log that stands in memory, taken as it stands; `name` stands for it in messages.
    pub fn from_bytes(name: &str, bytes: Vec<u8>, options: &OpenOptions) -> Log {
        let walk = Walk::new(bytes.len() as u64, options);
        Log { path: name.into(), identity: None, body: Body::Memory { bytes: bytes.into(), walk } }
    }

    fn stream(
        path: &Path,
        identity: Option<(u64, u64)>,
        open: Opener,
        when_full: WhenFull,
        options: &OpenOptions,
    ) -> Result<Log, SourceError> {
        let stream = StreamLog::start(shown(path), open, when_full, options)?;
        Ok(Log { path: path.to_owned(), identity, body: Body::Stream(Box::new(stream)) })
    }

    /// The next window in file order, `None` at the end. Blocks on a stream.
    ///
    /// # Errors
    /// The log cannot be read, or changed while it was read.
    pub fn next_window(&mut self) -> Result<Option<Window>, SourceError> {
        match &mut self.body {
            Body::File(file) => file.next_window(),
            Body::Stream(stream) | Body::Watched { stream, .. } => stream.next_window(),
            Body::Memory { bytes, walk } => walk.next(|offset, len| Ok(part(bytes, offset, len))),
        }
    }

    /// Makes sure that what comes next of a run over this log may take so many bytes of memory.
    ///
    /// # Errors
    /// They cannot be had.
    pub fn demand_memory(&self, bytes: usize) -> Result<(), SourceError> {
        if has_headroom(bytes) {
            return Ok(());
        }
        Err(SourceError::Memory { path: shown(&self.path).to_owned(), at: self.bytes_read(), bytes })
    }

    /// Whether `next_window` would have to wait for bytes that have not arrived, or have not been unpacked, yet; never
    /// so for files and memory. Cheap. May say so too of a line over the limit.
    pub fn would_block(&self) -> bool {
        match &self.body {
            Body::Stream(stream) | Body::Watched { stream, .. } => stream.would_block(),
            Body::File(_) | Body::Memory { .. } => false,
        }
    }

    /// What is wrong with the archive that the log is: known once `next_window` has given what was unpacked before.
    pub fn damage(&self) -> Option<&Damage> {
        match &self.body {
            Body::Stream(stream) | Body::Watched { stream, .. } => stream.damage.as_ref(),
            Body::File(_) | Body::Memory { .. } => None,
        }
    }

    /// Nobody will ask for more windows, although there may be some. An archive that is a regular file is read on to
    /// its end, keeping nothing, so that [`damage`](Log::damage) explains what stopped the caller; of one that
    /// another program writes, what lies behind is not waited for and its damage not known.
    ///
    /// # Errors
    /// The archive cannot be read.
    pub fn leave(&mut self) -> Result<(), SourceError> {
        match &mut self.body {
            Body::Watched { stream, is_archive: true, .. } => while stream.next_window()?.is_some() {},
            Body::Stream(stream) | Body::Watched { stream, .. } => stream.damage = None,
            Body::File(_) | Body::Memory { .. } => {}
        }
        Ok(())
    }

    /// Whether another program may pause in the middle of it for as long as it likes.
    pub fn may_pause(&self) -> bool {
        matches!(&self.body, Body::Stream(stream) if stream.is_fed)
    }

    /// Nobody will ask for more windows: whoever writes the stream meets a closed pipe with its next write.
    /// What is wrong behind, or worth saying of it, is not told.
    pub fn stop(&mut self) {
        if let Body::Stream(stream) | Body::Watched { stream, .. } = &mut self.body {
            stream.stop();
            (stream.damage, stream.remark) = (None, None);
        }
    }

    /// Makes sure that the window's bytes can be read again once nobody holds them.
    ///
    /// # Errors
    /// The spool cannot be written.
    pub fn retain(&mut self, window: &Window) -> Result<(), SourceError> {
        match &mut self.body {
            Body::Stream(stream) | Body::Watched { stream, .. } => stream.retain(window),
            Body::File(_) | Body::Memory { .. } => Ok(()),
        }
    }

    /// Bytes of retained windows (or any part of them) again; of a file, any bytes.
    ///
    /// # Errors
    /// The file or spool cannot be read, the file changed, or the bytes were not retained.
    ///
    /// # Panics
    /// The log stands in memory and the range reaches past its end.
    pub fn reread(&self, offset: u64, len: usize) -> Result<Bytes, SourceError> {
        match &self.body {
            Body::File(file) => file.reread(offset, len),
            Body::Stream(stream) | Body::Watched { stream, .. } => stream.reread(offset, len),
            Body::Memory { bytes, .. } => Ok(part(bytes, offset, len)),
        }
    }

    /// Whether the file is still what it was at open, or more: one system call.
    ///
    /// # Errors
    /// [`SourceError::Changed`] if it shrank or was rewritten.
    pub fn check_unchanged(&self) -> Result<(), SourceError> {
        match &self.body {
            Body::File(file) => file.check(),
            Body::Watched { file, watch, .. } => watch.check(file).map(drop),
            Body::Stream(_) | Body::Memory { .. } => Ok(()),
        }
    }

    /// The error of a log whose bytes, read again, are not what they were.
    pub fn changed(&self) -> SourceError {
        let rewritten = || SourceError::Changed { path: self.path.clone(), change: Change::Rewritten };
        self.check_unchanged().err().unwrap_or_else(rewritten)
    }

    /// The last look at the log, before anything that was found in it is reported: a note (or
    /// several, one a line) if the file grew or lost its name, or if bytes stand behind an archive.
    ///
    /// # Errors
    /// [`SourceError::Changed`] if it shrank or was rewritten.
    pub fn finish(&mut self) -> Result<Option<String>, SourceError> {
        match &self.body {
            Body::File(file) => file.finish(),
            Body::Stream(stream) => Ok(stream.remark.clone()),
            Body::Watched { stream, file, watch, is_archive } => {
                let of = if *is_archive { " of the archive" } else { "" };
                let notes = [stream.remark.clone(), watch.finish(file, of)?];
                let notes: Vec<String> = notes.into_iter().flatten().collect();
                Ok((!notes.is_empty()).then(|| notes.join("\n")))
            }
            Body::Memory { .. } => Ok(None),
        }
    }

    /// The name for people.
    pub fn name(&self) -> String {
        shown(&self.path).display().to_string()
    }

    /// The path or name it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it can be read once only (but for what is retained).
    pub fn is_stream(&self) -> bool {
        matches!(self.body, Body::Stream(_) | Body::Watched { .. })
    }

    /// Device and inode, where it has them: two logs with the same are one file.
    pub fn identity(&self) -> Option<(u64, u64)> {
        self.identity
    }

    /// Bytes handed out so far, lines stepped over included.
    pub fn bytes_read(&self) -> u64 {
        match &self.body {
            Body::File(file) => file.position(),
            Body::Stream(stream) | Body::Watched { stream, .. } => stream.position,
            Body::Memory { walk, .. } => walk.position,
        }
    }

    /// Its length when it was opened; a stream has none, nor has an archive.
    pub fn len_at_open(&self) -> Option<u64> {
        match &self.body {
            Body::File(file) => Some(file.watch.len()),
            Body::Stream(_) | Body::Watched { .. } => None,
            Body::Memory { walk, .. } => Some(walk.end()),
        }
    }

    /// Bytes that lie in the spool now.
    pub fn spooled_bytes(&self) -> u64 {
        match &self.body {
            Body::Stream(stream) | Body::Watched { stream, .. } => stream.spooled(),
            Body::File(_) | Body::Memory { .. } => 0,
        }
    }
}

fn part(bytes: &Bytes, offset: u64, len: usize) -> Bytes {
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    bytes.slice(start..start.saturating_add(len))
}

/// The name of a log in messages.
pub(super) fn shown(path: &Path) -> &Path {
    if path == Path::new("-") { Path::new("standard input") } else { path }
}

/// A regular file that says it is empty may be one of the kernel's: what it gives decides. One that begins as an
/// archive does is unpacked up to the length it has now.
fn open_regular(
    path: &Path,
    mut file: File,
    found: std::fs::Metadata,
    options: &OpenOptions,
) -> Result<Log, SourceError> {
    let trouble = |error| SourceError::Read { path: path.to_owned(), at: Some(0), error };
    let identity = Some((found.dev(), found.ino()));
    if found.len() == 0 {
        let mut first = Vec::new();
        (&mut file).take(1).read_to_end(&mut first).map_err(trouble)?;
        if !first.is_empty() {
            let source = Begun::new(first, Descriptor(file));
            return Log::stream(path, identity, Box::new(move || Ok(Box::new(source))), WhenFull::Wait, options);
        }
    }
    if is_archive(&file).map_err(trouble)? {
        return watched(path, file, 0, true, options);
    }
    let watch = Watch::new(path, &file, found)?;
    let file = FileLog::new(file, watch, options);
    Ok(Log { path: path.to_owned(), identity, body: Body::File(Box::new(file)) })
}

/// Whether a regular file's first bytes are an archive's.
fn is_archive(file: &File) -> io::Result<bool> {
    let mut first = [0; MAGIC_BYTES];
    let mut have = 0;
    while have < first.len() {
        match file.read_at(&mut first[have..], have as u64) {
            Ok(0) => break,
            Ok(more) => have += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(matches!(sniff(&first[..have], true), Sniffed::Archive(_)))
}

/// A pipe with more room than the usual 64 KiB: fewer turns between its writer and us.
fn widened(source: File) -> Box<dyn Origin> {
    // Refused for what is no pipe, and where the system's limit is lower: no harm.
    #[cfg(target_os = "linux")]
    let _ = rustix::pipe::fcntl_setpipe_size(&source, PIPE_BYTES);
    Box::new(Descriptor(source))
}

fn open_stdin(options: &OpenOptions) -> Result<Log, SourceError> {
    let path = Path::new("-");
    let trouble = |error| SourceError::Open { path: path.into(), error };
    // Not through the buffer of `std::io::stdin`, which would only copy.
    let stdin = io::stdin().as_fd().try_clone_to_owned().map_err(trouble)?;
    let found = rustix::fs::fstat(&stdin).map_err(|error| trouble(error.into()))?;
    let kind = rustix::fs::FileType::from_raw_mode(found.st_mode);
    let is_fed = matches!(kind, rustix::fs::FileType::Fifo | rustix::fs::FileType::Socket);
    let when_full = if is_fed { WhenFull::Spill } else { WhenFull::Wait };
    #[allow(clippy::unnecessary_cast)] // Other widths elsewhere.
    let identity = Some((found.st_dev as u64, found.st_ino as u64));
    // A file of the kernel's says that it is empty.
    if kind != rustix::fs::FileType::RegularFile || found.st_size == 0 {
        return Log::stream(path, identity, Box::new(move || Ok(widened(stdin.into()))), when_full, options);
    }
    let mut file: File = stdin.into();
    // From where whoever gave it stopped reading.
    let start = file.stream_position().map_err(trouble)?;
    let is_archive = is_archive(&file).map_err(trouble)?;
    watched(path, file, start, is_archive, options)
}

/// A regular file read as a stream, up to the length it has now.
fn watched(path: &Path, file: File, start: u64, is_archive: bool, options: &OpenOptions) -> Result<Log, SourceError> {
    let trouble = |error| SourceError::Read { path: shown(path).to_owned(), at: Some(start), error };
    let found = file.metadata().map_err(trouble)?;
    let (identity, end) = (Some((found.dev(), found.ino())), found.len());
    let watch = Watch::new(path, &file, found)?;
    let part = Part::new(file.try_clone().map_err(trouble)?, start, end);
    let stream = StreamLog::start(shown(path), Box::new(move || Ok(Box::new(part))), WhenFull::Wait, options)?;
    let body = Body::Watched { stream: Box::new(stream), file, watch: Box::new(watch), is_archive };
    Ok(Log { path: path.to_owned(), identity, body })
}
