//! One run of a job under a fault.

use std::fs::File;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::super::{Hindered, Program};
use super::fault::{Fault, Outside};
use super::job::Job;
use super::shim::Call;
use super::stage::Stage;

/// No run of this size takes so long, whatever else the machine does: it hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a paused process is let stand.
const PAUSE: Duration = Duration::from_millis(20);
/// The room of a pipe whose reader goes away: a page, so that its writer has to wait.
const PIPE_BYTES: usize = 4096;
/// What stood in a report file before.
pub const OLD_REPORT: &[u8] = b"an older report\n";

/// What came of a run.
pub struct Played {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub hung: bool,
    pub stdout: Vec<u8>,
    pub stderr: String,
    /// Reports and temporary files that stood there afterwards.
    pub left: Vec<(String, Vec<u8>)>,
    /// What the shim struck.
    pub struck: Vec<Call>,
    /// What came from outside met the process alive.
    pub was_met: bool,
    pub seconds: f64,
}

pub fn play(program: &Program, stage: &Stage, job: &Job, fault: &Fault<'_>) -> Result<Played, Hindered> {
    if fault.has_old_reports {
        job.outputs().try_for_each(|output| std::fs::write(stage.path(output), OLD_REPORT))?;
    }
    let mut command = command(program, stage, job, fault)?;
    let start = Instant::now();
    let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
    let mut feeders = if job.fed { stage.feed()? } else { Vec::new() };
    let (stdout, mut stderr) = (child.stdout.take(), child.stderr.take().expect("piped"));
    let (id, outside) = (Pid::from_child(&child), fault.outside);
    let (ended, stdout, stderr, was_met) = std::thread::scope(|scope| {
        let stdout = scope.spawn(move || stdout.map_or(Ok(Vec::new()), |stdout| take(stdout, outside)));
        let stderr = scope.spawn(move || {
            let mut bytes = Vec::new();
            stderr.read_to_end(&mut bytes).map(|_| String::from_utf8_lossy(&bytes).into_owned())
        });
        let met = scope.spawn(move || meet(id, outside));
        let ended = wait(&mut child);
        // Otherwise a pause could find another process under the number.
        let was_met = met.join().expect("signals do not panic");
        let ended = ended.and_then(|hung| Ok((child.wait()?, hung)));
        (ended, stdout.join().expect("reading does not panic"), stderr.join().expect("reading does not panic"), was_met)
    });
    for feeder in &mut feeders {
        // Its reader may have gone before it came.
        feeder.kill()?;
        feeder.wait()?;
    }
    let (status, hung): (ExitStatus, bool) = ended?;
    let seconds = start.elapsed().as_secs_f64();
    let struck = match &fault.order {
        Some((shim, order)) => {
            if !order.target.is_empty() {
                stage.restore(&order.target)?;
            }
            shim.struck()?
        }
        None => Vec::new(),
    };
    let (code, signal) = (status.code(), status.signal());
    let left = stage.sweep()?;
    Ok(Played { code, signal, hung, stdout: stdout?, stderr: stderr?, left, struck, was_met, seconds })
}

fn command(program: &Program, stage: &Stage, job: &Job, fault: &Fault<'_>) -> Result<Command, Hindered> {
    let mut command = match fault.outside {
        Outside::Limit(flag, value) => {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("ulimit {flag} {value} && exec \"$0\" \"$@\"")]).arg(&program.path);
            shell
        }
        Outside::Deaf { signal, .. } => {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("trap '' {signal} && exec \"$0\" \"$@\"")]).arg(&program.path);
            shell
        }
        _ => Command::new(&program.path),
    };
    command.args(&job.words).current_dir(&stage.folder).env("TMPDIR", stage.path("tmp"));
    for variable in ["NO_COLOR", "CLICOLOR_FORCE", "COLUMNS", "RUST_BACKTRACE"] {
        command.env_remove(variable);
    }
    if let Some((shim, order)) = &fault.order {
        shim.command(&mut command, &stage.folder, order);
    }
    command.stdin(match job.stdin {
        Some(log) => File::open(stage.path(log))?.into(),
        None => Stdio::null(),
    });
    command.stdout(match fault.outside {
        Outside::Full => File::options().write(true).open("/dev/full")?.into(),
        _ => Stdio::piped(),
    });
    command.stderr(Stdio::piped());
    Ok(command)
}

/// Reads standard output, to its end or as far as it is wanted.
fn take(mut stdout: ChildStdout, outside: Outside) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match outside {
        Outside::ReaderGone { bytes: wanted } => {
            // Refused once more than that is in it: then the fault comes too late.
            let _ = rustix::pipe::fcntl_setpipe_size(&stdout, PIPE_BYTES);
            stdout.take(wanted as u64).read_to_end(&mut bytes)?;
        }
        _ => drop(stdout.read_to_end(&mut bytes)?),
    }
    Ok(bytes)
}

/// Does what comes from outside; whether the process was still there.
fn meet(id: Pid, outside: Outside) -> bool {
    let send = |number: i32| {
        let signal = Signal::from_named_raw(number).expect("a signal with a name");
        is_alive(id) && kill_process(id, signal).is_ok()
    };
    let sleep = |seconds| std::thread::sleep(Duration::from_secs_f64(seconds));
    match outside {
        Outside::Signal { signal, after, twice } => {
            sleep(after);
            let is_met = send(signal);
            if twice {
                send(signal);
            }
            is_met
        }
        Outside::Deaf { signal, after } => {
            // The shell that has the signal ignored becomes the program.
            while is_alive(id) && !is_forkpoint(id) {
                sleep(0.000_2);
            }
            sleep(after);
            send(signal)
        }
        Outside::Pause { after } => {
            sleep(after);
            let is_met = send(libc::SIGSTOP);
            std::thread::sleep(PAUSE);
            send(libc::SIGCONT);
            is_met
        }
        _ => true,
    }
}

fn is_forkpoint(id: Pid) -> bool {
    std::fs::read_to_string(format!("/proc/{}/comm", id.as_raw_nonzero()))
        .is_ok_and(|name| name.starts_with("forkpoint"))
}

/// Whether a process is there and has not ended.
fn is_alive(id: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", id.as_raw_nonzero())).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Waits until the process has ended, and leaves it to be asked how; true if it had to be ended because it hung.
fn wait(child: &mut Child) -> std::io::Result<bool> {
    let (start, id) = (Instant::now(), Pid::from_child(child));
    while is_alive(id) {
        if start.elapsed() > PATIENCE {
            child.kill()?;
            return Ok(true);
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    Ok(false)
}
