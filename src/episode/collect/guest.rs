//! The collector `guest`: what an agent inside the guest writes to a socket, an object a line.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use super::collector::{Collector, Desk, Failure};
use super::lines::{Line, Lines};
use super::socket::{self, Came, Patience};
use crate::episode::rows::{Fields, fields};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(3);
/// A longer line is no row.
const LINE: usize = 1 << 20;
/// So much of a line that is no object is shown.
const SHOWN: usize = 200;

/// Rows as an agent gives them.
#[derive(Clone, Debug)]
pub struct Guest {
    /// The host's side of the line into the guest.
    pub socket: PathBuf,
}

impl Collector for Guest {
    fn name(&self) -> &'static str {
        "guest"
    }

    fn run(&mut self, desk: &mut Desk) -> Result<Fields, Failure> {
        let place = self.socket.display().to_string();
        desk.with_failure(fields! { "socket" => place });
        let connected = socket::open(&self.socket, Patience::with(CONNECT, desk.stop()));
        let mut stream = connected.map_err(|error| Failure::Unavailable(format!("{place}: {error}")))?;
        desk.started(fields! { "socket" => place });
        let (mut lines, mut buffer, mut bad) = (Lines::of_at_most(LINE), vec![0; 64 * 1024], 0_u64);
        while !desk.stop().is_raised() {
            let came = socket::read(&mut stream, &mut buffer).map_err(|error| Failure::Failed(error.to_string()))?;
            match came {
                Came::Bytes(bytes) => lines.push(bytes),
                Came::Nothing => continue,
                Came::End if desk.ends_now() => break,
                Came::End => return Err(Failure::Failed("the other side closed the connection".to_owned())),
            }
            while let Some(line) = lines.take() {
                bad += u64::from(!keep(desk, &line, bad == 0)?);
            }
        }
        Ok(fields! { "bad_lines" => bad })
    }
}

/// Makes a row of a line; whether it is one. The first that is none is told.
fn keep(desk: &mut Desk, line: &Line, is_told: bool) -> Result<bool, Failure> {
    let (why, shown) = match line {
        Line::Whole(text) => match serde_json::from_slice::<Map<String, Value>>(text) {
            Ok(object) => {
                desk.row(fields! { "guest" => object })?;
                return Ok(true);
            }
            Err(error) => (error.to_string(), String::from_utf8_lossy(text).chars().take(SHOWN).collect()),
        },
        Line::TooLong => (format!("it is longer than {LINE} bytes"), String::new()),
    };
    if is_told {
        desk.event("guest_bad_line", fields! { "error" => why, "line" => shown });
    }
    Ok(false)
}
