//! Memory of a process and of all that it started.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Hindered;
use super::rounds::{Timed, reaped};

/// Runs a command to its end; the most resident memory of its whole tree, in MiB, is sampled meanwhile.
pub fn timed_tree(command: &mut Command) -> Result<(Timed, f64), Hindered> {
    let before = reaped()?;
    let start = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
    let (id, over) = (child.id(), AtomicBool::new(false));
    let (output, most) = std::thread::scope(|scope| {
        let sampler = scope.spawn(|| {
            let mut most = 0.0_f64;
            while !over.load(Ordering::Relaxed) {
                most = most.max(resident(id));
                std::thread::sleep(Duration::from_millis(5));
            }
            most
        });
        let output = child.wait_with_output();
        over.store(true, Ordering::Relaxed);
        (output, sampler.join().expect("sampling does not panic"))
    });
    let output = output?;
    let wall = start.elapsed().as_secs_f64();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let cpu = reaped()? - before;
    Ok((Timed { code: output.status.code(), stdout: output.stdout, stderr, wall, cpu }, most))
}

/// Resident memory of a process and its children, in MiB.
fn resident(id: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let own = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0;
    let threads = std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let children = threads.flat_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        text.split_whitespace().filter_map(|word| word.parse::<u32>().ok()).collect::<Vec<_>>()
    });
    own + children.map(resident).sum::<f64>()
}
