//! A real QEMU without a display: its monitor, its disk, and a serial line into a guest of one sector that writes objects for ever.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use forkpoint::episode::collect::{Guest, Monitor, MonitorError, Qmp};
use serde_json::{Value, json};

use super::harness::{Episode, HANG, Listening, installed};

/// What the guest writes.
const SAYS: &str = "{\"load\":1,\"from\":\"guest\"}\n";

/// A boot sector, byte by byte; the machine puts it at 0x7c00 and jumps there.
fn sector() -> Vec<u8> {
    let text = 0x7c00_u16 + 48;
    let [low, high] = text.to_le_bytes();
    let mut code = vec![
        0x31, 0xc0, // xor ax, ax
        0x8e, 0xd8, // mov ds, ax
        0xfc, // cld
        0xbe, low, high, // again: mov si, text
        0xac, // next: lodsb
        0x84, 0xc0, // test al, al
        0x74, 0x11, // jz wait
        0x88, 0xc4, // mov ah, al
        0xba, 0xfd, 0x03, // mov dx, 0x3fd
        0xec, // full: in al, dx
        0xa8, 0x20, // test al, 0x20
        0x74, 0xfb, // jz full
        0xb2, 0xf8, // mov dl, 0xf8
        0x88, 0xe0, // mov al, ah
        0xee, // out dx, al
        0xeb, 0xea, // jmp next
    ];
    assert_eq!(code.len(), 30);
    // wait: int 0x15 with ah 0x86, cx:dx microseconds; then again.
    code.extend([0xb4, 0x86, 0x31, 0xc9, 0xba, 0x20, 0x4e, 0xcd, 0x15]); // mov ah, 0x86; xor cx, cx; mov dx, 20000; int 0x15
    code.extend([0xeb, 0xdc]); // jmp again
    code.resize(48, 0);
    code.extend(SAYS.as_bytes());
    code.resize(510, 0);
    code.extend([0x55, 0xaa]);
    code
}

/// A machine that runs.
struct Machine {
    qemu: Listening,
    monitor: PathBuf,
    serial: PathBuf,
}

impl Machine {
    /// None where there is no QEMU.
    fn start(folder: &Path) -> Option<Machine> {
        let (qemu, image) = (installed("qemu-system-x86_64")?, installed("qemu-img")?);
        let (raw, disk) = (folder.join("boot.raw"), folder.join("disk.qcow2"));
        let mut bytes = sector();
        bytes.resize(1 << 20, 0);
        std::fs::write(&raw, bytes).unwrap();
        let converted = Command::new(image).args(["convert", "-O", "qcow2"]).args([&raw, &disk]).status().unwrap();
        assert!(converted.success());
        let (monitor, serial) = (folder.join("qmp.sock"), folder.join("serial.sock"));
        let mut command = Command::new(qemu);
        command.args(["-nodefaults", "-display", "none", "-machine", "pc,accel=tcg", "-m", "16"]);
        command.arg("-drive").arg(format!("if=ide,id=disk0,format=qcow2,file={}", disk.display()));
        command.arg("-qmp").arg(format!("unix:{},server=on,wait=off", monitor.display()));
        command.arg("-chardev").arg(format!("socket,id=line,path={},server=on,wait=off", serial.display()));
        command.args(["-device", "isa-serial,chardev=line"]);
        let qemu = Listening::start(&mut command, &[&monitor, &serial]);
        Some(Machine { qemu, monitor, serial })
    }
}

fn people(monitor: &Monitor, line: &str) -> String {
    let patience = forkpoint::episode::collect::socket::Patience::of(HANG);
    let asked = json!({ "command-line": line });
    let said = monitor.ask(patience, |client| client.execute("human-monitor-command", asked, patience)).unwrap();
    said.as_str().unwrap().to_owned()
}

#[test]
fn a_machine_is_watched_saved_and_put_back() {
    let episode = Episode::begin();
    let Some(mut machine) = Machine::start(episode.folder()) else { return };
    let monitor = Arc::new(Monitor::new(machine.monitor.clone()));
    let version = monitor.version(HANG).unwrap();
    assert!(version.split('.').all(|part| part.parse::<u32>().is_ok()), "{version}");
    let running = episode.start(Qmp { monitor: Arc::clone(&monitor), interval: Duration::from_millis(50) });
    let file = "telemetry-qmp.jsonl";
    // The firmware has read the sector.
    let read = |rows: &[Value]| rows.last().is_some_and(|row| row["blocks"]["disk0"]["rd_bytes"].as_u64() >= Some(512));
    let rows = episode.wait_until(file, read);
    assert_eq!((rows[0]["status"].as_str(), rows[0]["running"].as_bool()), (Some("running"), Some(true)));
    // Saved, and put back, on the one connection that the collector uses too.
    assert_eq!(people(&monitor, "savevm base").trim(), "");
    assert_eq!(monitor.loadvm("base", HANG).unwrap().trim(), "");
    let Err(MonitorError::Refused(why)) = monitor.loadvm("never saved", HANG) else { panic!("it loaded nothing") };
    assert!(why.contains("never saved"), "{why}");
    // What failed has left the machine as it was or stopped; it still answers.
    let seen = episode.wait_for_rows(file, 1).len();
    episode.wait_for_rows(file, seen + 2);
    machine.qemu.0.kill().unwrap();
    episode.wait_for("qmp_failed");
    let told = episode.end(running, file);
    assert!(told.lacks().starts_with("failed: "), "{}", told.lacks());
    assert_eq!(told.event("qmp_started")["version"], version);
    let events: Vec<&str> = told
        .events
        .iter()
        .filter(|event| event["event"] == "qmp_event")
        .filter_map(|event| event["name"].as_str())
        .collect();
    assert!(events.contains(&"STOP") && events.contains(&"RESUME"), "{events:?}");
}

#[test]
fn a_guest_is_heard_through_its_serial_line() {
    let episode = Episode::begin();
    let Some(mut machine) = Machine::start(episode.folder()) else { return };
    let file = "telemetry-guest.jsonl";
    let running = episode.start(Guest { socket: machine.serial.clone() });
    let rows = episode.wait_for_rows(file, 5);
    let said: Value = serde_json::from_str(SAYS).unwrap();
    assert!(rows.iter().all(|row| row["guest"] == said), "{rows:?}");
    machine.qemu.0.kill().unwrap();
    episode.wait_for("guest_failed");
    let told = episode.end(running, file);
    assert_eq!(told.lacks(), "failed: the other side closed the connection");
}
