//! The library that lets chosen system calls of one process fail, built when it is needed.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::{Hindered, Room};

pub struct Shim {
    library: PathBuf,
    /// Where it says what it struck.
    pub told: PathBuf,
}

/// A system call that was struck (or listed): its kind, and the path it was about.
pub type Call = (String, String);

/// What the shim is to do; see `shim.c`.
#[derive(Clone, Debug, Default)]
pub struct Order {
    pub deed: &'static str,
    pub calls: &'static str,
    pub path: String,
    pub nth: u64,
    /// 0: all that follow.
    pub times: u64,
    pub value: u64,
    pub target: String,
    pub spare: PathBuf,
    pub seed: u64,
}

impl Shim {
    /// Builds the library with the system's C compiler; the reason, if it cannot be built.
    pub fn build(room: &Room) -> Result<Result<Shim, String>, Hindered> {
        let source = room.write("shim.c", include_bytes!("shim.c"))?;
        let library = room.path("shim.so");
        let mut cc = Command::new("cc");
        cc.args(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-o"])
            .arg(&library)
            .arg(source)
            .arg("-ldl");
        Ok(match cc.output() {
            Err(error) => Err(format!("cc: {error}")),
            Ok(output) if !output.status.success() => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Ok(_) => Ok(Shim { library, told: room.path("struck") }),
        })
    }

    /// Gives the order to a command; paths are those of its folder.
    pub fn command(&self, command: &mut Command, folder: &Path, order: &Order) {
        let words = [("DO", order.deed), ("CALLS", order.calls), ("PATH", &order.path)];
        let numbers = [("NTH", order.nth), ("TIMES", order.times), ("VALUE", order.value), ("SEED", order.seed)];
        let target = if order.target.is_empty() { PathBuf::new() } else { folder.join(&order.target) };
        let paths = [("TARGET", &target), ("SPARE", &order.spare), ("TOLD", &self.told)];
        let key = |name: &str| format!("WORLD_{name}");
        command.envs(words.map(|(name, value)| (key(name), value)));
        command.envs(numbers.map(|(name, value)| (key(name), value.to_string())));
        command.envs(paths.map(|(name, value)| (key(name), value)));
        command.env("LD_PRELOAD", &self.library);
    }

    /// What was struck since the last time this was asked.
    pub fn struck(&self) -> Result<Vec<Call>, Hindered> {
        let text = match std::fs::read(&self.told) {
            Ok(text) => text,
            Err(_) => return Ok(Vec::new()),
        };
        std::fs::remove_file(&self.told)?;
        let text = String::from_utf8_lossy(&text);
        let calls = text.lines().filter_map(|line| line.split_once(' '));
        Ok(calls.map(|(kind, path)| (kind.to_owned(), path.to_owned())).collect())
    }
}
