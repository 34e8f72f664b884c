//! Sockets of this host, connected to and read without ever waiting for long.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use crate::episode::stop::Stop;

/// How long one call waits at most before it is looked whether all is to end.
const LOOK: Duration = Duration::from_millis(50);
/// How long a full listener is left alone.
const AGAIN: Duration = Duration::from_millis(20);

/// How long something may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience<'a> {
    until: Instant,
    stop: Option<&'a Stop>,
}

impl<'a> Patience<'a> {
    /// So long.
    pub fn of(time: Duration) -> Patience<'static> {
        Patience { until: Instant::now() + time, stop: None }
    }

    /// So long, and not longer than until all is to end.
    pub fn with(time: Duration, stop: &'a Stop) -> Patience<'a> {
        Patience { until: Instant::now() + time, stop: Some(stop) }
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.until || self.stop.is_some_and(Stop::is_raised)
    }
}

/// Connects to a socket; reads and writes end after a moment.
///
/// # Errors
/// Nobody listens, or whoever does accepts no more.
pub fn open(path: &Path, patience: Patience<'_>) -> io::Result<UnixStream> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    let address = SocketAddrUnix::new(path)?;
    // A listener whose queue is full would let a waiting call wait for ever.
    while let Err(error) = connect(&socket, &address) {
        match error {
            Errno::AGAIN if !patience.is_over() => std::thread::sleep(AGAIN),
            Errno::AGAIN => return Err(io::Error::new(io::ErrorKind::TimedOut, "it accepts no more connections")),
            // A machine that was only just started makes its sockets a moment later.
            Errno::NOENT | Errno::CONNREFUSED if !patience.is_over() => std::thread::sleep(AGAIN),
            Errno::INTR => {}
            _ => return Err(error.into()),
        }
    }
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(LOOK))?;
    stream.set_write_timeout(Some(LOOK))?;
    Ok(stream)
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub enum Came<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// Nothing for a moment.
    Nothing,
    /// The other side has closed.
    End,
}

/// Reads what there is, waiting a moment for it.
///
/// # Errors
/// As the system tells.
pub fn read<'a>(stream: &mut UnixStream, buffer: &'a mut [u8]) -> io::Result<Came<'a>> {
    match stream.read(buffer) {
        Ok(0) => Ok(Came::End),
        Ok(length) => Ok(Came::Bytes(&buffer[..length])),
        Err(error) => match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted => Ok(Came::Nothing),
            io::ErrorKind::ConnectionReset => Ok(Came::End),
            _ => Err(error),
        },
    }
}
