//! A real Linux in QEMU, whose agent writes to a port of virtio-serial: `tests/linux_guest.sh` makes it for `make test-real`.

use std::path::{Path, PathBuf};
use std::process::Command;

use forkpoint::episode::collect::Guest;
use serde_json::Value;

use super::harness::{Episode, Listening, installed};

const FILE: &str = "telemetry-guest.jsonl";
/// What the guest is told that the port is called.
const PORT: &str = "org.forkpoint.agent";

struct Machine {
    _qemu: Listening,
    socket: PathBuf,
    console: PathBuf,
}

impl Machine {
    /// None without QEMU or a guest.
    fn start(folder: &Path) -> Option<Machine> {
        let qemu = installed("qemu-system-x86_64")?;
        let Some(guest) = std::env::var_os("FORKPOINT_GUEST").map(PathBuf::from) else {
            println!("skipped: a Linux guest: make test-real makes one");
            return None;
        };
        let (socket, console) = (folder.join("port.sock"), folder.join("console"));
        let mut command = Command::new(qemu);
        command
            .args(["-nodefaults", "-no-user-config", "-display", "none", "-machine", "pc,accel=tcg", "-m", "128"])
            .arg("-kernel")
            .arg(guest.join("vmlinuz"))
            .arg("-initrd")
            .arg(guest.join("initrd"))
            .args(["-append", "console=ttyS0 quiet"])
            .arg("-chardev")
            .arg(format!("file,id=console,path={}", console.display()))
            .args(["-device", "isa-serial,chardev=console", "-device", "virtio-serial"])
            .arg("-chardev")
            .arg(format!("socket,id=port,path={},server=on,wait=off", socket.display()))
            .args(["-device", &format!("virtserialport,chardev=port,name={PORT}")]);
        Some(Machine { _qemu: Listening::start(&mut command, &[&socket]), socket, console })
    }

    /// What the agent has said so far, as the console tells it.
    fn said(&self) -> Vec<Value> {
        let text = String::from_utf8_lossy(&std::fs::read(&self.console).unwrap()).into_owned();
        text.lines().filter(|line| line.starts_with('{')).filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

fn ticks(rows: &[Value]) -> Vec<u64> {
    rows.iter().map(|row| row["guest"]["tick"].as_u64().unwrap()).collect()
}

#[test]
fn the_agent_of_a_linux_guest_is_heard_through_virtio_serial_and_heard_again() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(machine) = Machine::start(scratch.path()) else { return };
    // The first is there before the guest has a port, the second comes when the first has gone.
    let mut behind = None;
    for _ in 0..2 {
        let episode = Episode::begin();
        let running = episode.start(Guest { socket: machine.socket.clone() });
        episode.wait_for_rows(FILE, 10);
        let told = episode.end(running, FILE);
        assert_eq!(told.names(), ["episode_start", "guest_started", "guest_first_row", "guest_finished"]);
        assert_eq!((told.collected.lacks.as_deref(), &told.event("guest_finished")["bad_lines"]), (None, &0.into()));
        let said = machine.said();
        let ticks = ticks(&told.rows);
        assert!(ticks.windows(2).all(|two| two[1] == two[0] + 1), "{ticks:?}");
        assert!(behind < ticks.first().copied(), "{behind:?}, then {ticks:?}");
        for (row, tick) in told.rows.iter().zip(&ticks) {
            assert_eq!(row["guest"], said[*tick as usize]);
            assert_eq!(row["guest"]["agent"], PORT);
            assert!(row["guest"]["memory"]["free_kb"].as_u64() > Some(1000));
        }
        behind = ticks.last().copied();
    }
}
