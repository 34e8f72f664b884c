//! A hard limit on a process's memory, by whatever this machine offers.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Hindered;

/// A way of limiting, and how it is called.
pub enum Limit {
    /// A folder below the memory controller, and the file in it that holds the limit.
    Group {
        folder: PathBuf,
        version: u8,
    },
    Systemd,
    /// Only what no file backs counts, mapped logs do not.
    Data,
}

impl Limit {
    /// The strictest way that works here.
    pub fn find(bytes: u64) -> Limit {
        let name = format!("forkpoint-show-{}", std::process::id());
        for (parent, file, version) in
            [("/sys/fs/cgroup", "memory.max", 2), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", 1)]
        {
            let folder = Path::new(parent).join(&name);
            if std::fs::create_dir(&folder).is_ok() {
                if folder.join(file).exists() && std::fs::write(folder.join(file), bytes.to_string()).is_ok() {
                    return Limit::Group { folder, version };
                }
                // A folder without the controller is of no use; what cannot be removed goes with the machine.
                std::fs::remove_dir(&folder).unwrap_or_default();
            }
        }
        let scope = Command::new("systemd-run").args(["--scope", "--quiet", "true"]).output();
        if scope.is_ok_and(|output| output.status.success()) { Limit::Systemd } else { Limit::Data }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Limit::Group { version: 2, .. } => "cgroup v2, memory.max (the page cache it reads counts)",
            Limit::Group { .. } => "cgroup v1, memory.limit_in_bytes (the page cache it reads counts)",
            Limit::Systemd => "systemd-run, MemoryMax (the page cache it reads counts)",
            Limit::Data => "prlimit --data (memory of no file; mapped logs do not count)",
        }
    }

    /// The same command under the limit.
    pub fn wrap(&self, command: &Command, bytes: u64) -> Command {
        let words = || std::iter::once(command.get_program()).chain(command.get_args()).map(OsString::from);
        let mut wrapped = match self {
            Limit::Group { folder, .. } => {
                // The shell enters the group and becomes the program.
                let mut shell = Command::new("sh");
                shell.args(["-c", "echo $$ > \"$0\" && exec \"$@\""]).arg(folder.join("cgroup.procs"));
                shell
            }
            Limit::Systemd => {
                let mut scope = Command::new("systemd-run");
                scope.args(["--scope", "--quiet", "-p", &format!("MemoryMax={bytes}"), "-p", "MemorySwapMax=0"]);
                scope
            }
            Limit::Data => {
                let mut prlimit = Command::new("prlimit");
                prlimit.arg(format!("--data={bytes}"));
                prlimit
            }
        };
        wrapped.args(words());
        wrapped
    }

    /// What the group counted at most, in bytes, where it counts.
    pub fn peak(&self) -> Option<u64> {
        let Limit::Group { folder, version } = self else { return None };
        let file = if *version == 2 { "memory.peak" } else { "memory.max_usage_in_bytes" };
        std::fs::read_to_string(folder.join(file)).ok()?.trim().parse().ok()
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        if let Limit::Group { folder, .. } = self {
            // An empty group only; nothing depends on its being gone.
            std::fs::remove_dir(folder).unwrap_or_default();
        }
    }
}

/// Takes a file out of the page cache, so that whoever reads it next pays for it.
pub fn uncache(file: &Path) -> Result<(), Hindered> {
    let mut command = Command::new("dd");
    command.arg(format!("of={}", file.display()));
    // Nothing is written: what waits for the disk goes there, and then the pages go.
    command.args(["if=/dev/null", "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none"]);
    let status = command.status().map_err(|error| format!("dd: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} failed").into()) }
}
