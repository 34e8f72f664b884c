//! A QEMU without a display, with two monitors: one for the recorder, the other for whoever does not believe it.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::installed;
use crate::show::Hindered;

pub struct Machine {
    pub command: Vec<String>,
    pub monitor: PathBuf,
    second: PathBuf,
}

impl Machine {
    /// How one is started in a folder; none where there is no QEMU.
    pub fn within(folder: &Path) -> Result<Option<Machine>, Hindered> {
        let (Some(qemu), Some(image)) = (installed("qemu-system-x86_64"), installed("qemu-img")) else {
            return Ok(None);
        };
        let disk = folder.join("disk.qcow2");
        let raw = folder.join("boot.raw");
        std::fs::write(&raw, boot_disk())?;
        let made = Command::new(image).args(["convert", "-O", "qcow2"]).args([&raw, &disk]).status()?;
        if !made.success() {
            return Err(format!("qemu-img: {made}").into());
        }
        let (monitor, second) = (folder.join("qmp.sock"), folder.join("second.sock"));
        let mut command = vec![qemu.display().to_string()];
        command.extend("-nodefaults -display none -machine pc,accel=tcg -m 16".split(' ').map(str::to_owned));
        command.extend(["-drive".to_owned(), format!("if=ide,id=disk0,format=qcow2,file={}", disk.display())]);
        for socket in [&monitor, &second] {
            command.extend(["-qmp".to_owned(), format!("unix:{},server=on,wait=off", socket.display())]);
        }
        Ok(Some(Machine { command, monitor, second }))
    }

    /// A talk through the second monitor, as soon as it listens.
    pub fn talk(&self) -> Result<Talk, Hindered> {
        let until = Instant::now() + Duration::from_secs(60);
        let stream = loop {
            match UnixStream::connect(&self.second) {
                Ok(stream) => break stream,
                Err(error) if Instant::now() > until => return Err(format!("QEMU does not listen: {error}").into()),
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let mut talk = Talk { lines: BufReader::new(stream) };
        talk.hear("QMP")?;
        talk.ask("qmp_capabilities", json!({}))?;
        Ok(talk)
    }
}

/// A guest of one instruction: it jumps to itself.
fn boot_disk() -> Vec<u8> {
    let mut bytes = vec![0; 1 << 20];
    bytes[..2].copy_from_slice(&[0xeb, 0xfe]);
    bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
    bytes
}

pub struct Talk {
    lines: BufReader<UnixStream>,
}

impl Talk {
    pub fn ask(&mut self, what: &str, how: Value) -> Result<Value, Hindered> {
        writeln!(self.lines.get_mut(), "{}", json!({ "execute": what, "arguments": how }))?;
        self.hear("return")
    }

    fn hear(&mut self, key: &str) -> Result<Value, Hindered> {
        let mut line = String::new();
        while self.lines.read_line(&mut line)? > 0 {
            let mut said: Value = serde_json::from_str(&line)?;
            if let Some(found) = said.get_mut(key) {
                return Ok(found.take());
            }
            if said.get("error").is_some() {
                return Err(line.into());
            }
            // An event, of which nobody asked.
            line.clear();
        }
        Err("QEMU is gone".into())
    }

    /// Reads a little of the disk, and what has been read of it in all.
    pub fn read_disk(&mut self) -> Result<u64, Hindered> {
        self.ask("human-monitor-command", json!({ "command-line": "qemu-io disk0 \"aio_read -q 0 64k\"" }))?;
        self.read_bytes()
    }

    pub fn read_bytes(&mut self) -> Result<u64, Hindered> {
        let said = self.ask("query-blockstats", json!({}))?;
        said[0]["stats"]["rd_bytes"].as_u64().ok_or_else(|| format!("no rd_bytes: {said}").into())
    }
}
