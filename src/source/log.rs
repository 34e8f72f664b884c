//! A log being read: chosen by what the path leads to, then windows from front to end.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::file::FileLog;
use super::reader::{Opener, WhenFull};
use super::stream::StreamLog;
use super::walk::Walk;
use super::watch::Watch;
use super::{Bytes, Change, OpenOptions, SourceError, Window};

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
    Memory { bytes: Bytes, walk: Walk },
}

impl Log {
    /// Opens a path; `-` is standard input.
    ///
    /// What it leads to decides how it is read, nothing is tried: a regular file by ranges (mapped
    /// or plain), all else as a stream on a thread of its own. A FIFO's writer is not waited for.
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

    /// A log read from anywhere, as a stream; `name` stands for it in messages.
    ///
    /// # Errors
    /// The reader thread cannot be started.
    pub fn open_reader(name: &str, reader: Box<dyn Read + Send>, options: &OpenOptions) -> Result<Log, SourceError> {
        Log::stream(Path::new(name), None, Box::new(move || Ok(reader)), WhenFull::Spill, options)
    }

    /// A log that stands in memory; `name` stands for it in messages.
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
        let name = if path == Path::new("-") { Path::new("standard input") } else { path };
        let stream = StreamLog::start(name, open, when_full, options)?;
        Ok(Log { path: path.to_owned(), identity, body: Body::Stream(Box::new(stream)) })
    }

    /// The next window in file order, `None` at the end. Blocks on a stream.
    ///
    /// # Errors
    /// The log cannot be read, or changed while it was read.
    pub fn next_window(&mut self) -> Result<Option<Window>, SourceError> {
        match &mut self.body {
            Body::File(file) => file.next_window(),
            Body::Stream(stream) => stream.next_window(),
            Body::Memory { bytes, walk } => walk.next(|offset, len| Ok(part(bytes, offset, len))),
        }
    }

    /// Makes sure that the window's bytes can be read again once nobody holds them.
    ///
    /// # Errors
    /// The spool cannot be written.
    pub fn retain(&mut self, window: &Window) -> Result<(), SourceError> {
        match &mut self.body {
            Body::Stream(stream) => stream.retain(window),
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
            Body::Stream(stream) => stream.reread(offset, len),
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
            Body::Stream(_) | Body::Memory { .. } => Ok(()),
        }
    }

    /// The error of a log whose bytes, read again, are not what they were.
    pub fn changed(&self) -> SourceError {
        let rewritten = || SourceError::Changed { path: self.path.clone(), change: Change::Rewritten };
        self.check_unchanged().err().unwrap_or_else(rewritten)
    }

    /// The last look at the log, before anything that was found in it is reported: a note (or
    /// several, one a line) if the file grew or lost its name.
    ///
    /// # Errors
    /// [`SourceError::Changed`] if it shrank or was rewritten.
    pub fn finish(&mut self) -> Result<Option<String>, SourceError> {
        match &self.body {
            Body::File(file) => file.finish(),
            Body::Stream(_) | Body::Memory { .. } => Ok(None),
        }
    }

    /// The name for people.
    pub fn name(&self) -> String {
        match self.path == Path::new("-") {
            true => "standard input".to_owned(),
            false => self.path.display().to_string(),
        }
    }

    /// The path or name it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it can be read once only (but for what is retained).
    pub fn is_stream(&self) -> bool {
        matches!(self.body, Body::Stream(_))
    }

    /// Device and inode, where it has them: two logs with the same are one file.
    pub fn identity(&self) -> Option<(u64, u64)> {
        self.identity
    }

    /// Bytes handed out so far, lines stepped over included.
    pub fn bytes_read(&self) -> u64 {
        match &self.body {
            Body::File(file) => file.position(),
            Body::Stream(stream) => stream.position,
            Body::Memory { walk, .. } => walk.position,
        }
    }

    /// Its length when it was opened; a stream has none.
    pub fn len_at_open(&self) -> Option<u64> {
        match &self.body {
            Body::File(file) => Some(file.watch.len()),
            Body::Stream(_) => None,
            Body::Memory { walk, .. } => Some(walk.end()),
        }
    }

    /// Bytes that lie in the spool now.
    pub fn spooled_bytes(&self) -> u64 {
        match &self.body {
            Body::Stream(stream) => stream.spooled(),
            Body::File(_) | Body::Memory { .. } => 0,
        }
    }
}

fn part(bytes: &Bytes, offset: u64, len: usize) -> Bytes {
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    bytes.slice(start..start.saturating_add(len))
}

/// A regular file that says it is empty may be one of the kernel's: what it gives decides.
fn open_regular(
    path: &Path,
    mut file: File,
    found: std::fs::Metadata,
    options: &OpenOptions,
) -> Result<Log, SourceError> {
    let identity = Some((found.dev(), found.ino()));
    if found.len() == 0 {
        let mut first = Vec::new();
        let read = (&mut file).take(1).read_to_end(&mut first);
        read.map_err(|error| SourceError::Read { path: path.to_owned(), error })?;
        if !first.is_empty() {
            let source = Cursor::new(first).chain(file);
            return Log::stream(path, identity, Box::new(move || Ok(Box::new(source))), WhenFull::Wait, options);
        }
    }
    let watch = Watch::new(path, &file, found)?;
    let file = FileLog::new(file, watch, options);
    Ok(Log { path: path.to_owned(), identity, body: Body::File(Box::new(file)) })
}

/// A pipe with more room than the usual 64 KiB: fewer turns between its writer and us.
fn widened<Source: Read + AsFd + Send + 'static>(source: Source) -> Box<dyn Read + Send> {
    // Refused for what is no pipe, and where the system's limit is lower: no harm.
    #[cfg(target_os = "linux")]
    let _ = rustix::pipe::fcntl_setpipe_size(&source, PIPE_BYTES);
    Box::new(source)
}

fn open_stdin(options: &OpenOptions) -> Result<Log, SourceError> {
    let path = Path::new("-");
    let stdin = io::stdin();
    let found =
        rustix::fs::fstat(&stdin).map_err(|error| SourceError::Open { path: path.into(), error: error.into() })?;
    let kind = rustix::fs::FileType::from_raw_mode(found.st_mode);
    let is_fed = matches!(kind, rustix::fs::FileType::Fifo | rustix::fs::FileType::Socket);
    let when_full = if is_fed { WhenFull::Spill } else { WhenFull::Wait };
    #[allow(clippy::unnecessary_cast)] // Other widths elsewhere.
    let identity = Some((found.st_dev as u64, found.st_ino as u64));
    Log::stream(path, identity, Box::new(move || Ok(widened(stdin))), when_full, options)
}
