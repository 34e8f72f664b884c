//! `/proc`, read by the collector and by other means at the same moments.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use forkpoint::episode::collect::{Proc, start_time};
use serde_json::Value;

use super::harness::{Episode, inside, installed, is_inside, is_root};

const FILE: &str = "telemetry-proc.jsonl";

/// A process with threads and children that does what it is told to.
struct Actor {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Actor {
    fn start() -> Actor {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "collecting::proc::actor", "--ignored", "--nocapture"]).env("FORKPOINT_INSIDE", "1");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut actor = Actor { child, to, from };
        actor.hear("ready");
        actor
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    fn ask(&mut self, what: &str) {
        writeln!(self.to, "{what}").unwrap();
        self.hear("done");
    }

    fn hear(&mut self, word: &str) {
        let mut line = String::new();
        // Where tests run one by one, their harness begins the line.
        while !line.trim_end().ends_with(word) {
            line.clear();
            assert!(self.from.read_line(&mut line).unwrap() > 0, "the actor is gone");
        }
    }

    fn proc(&self, milliseconds: u64) -> Proc {
        let interval = Duration::from_millis(milliseconds);
        Proc { pid: self.pid(), start_time: start_time(self.pid()).unwrap(), interval }
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "it is the process that others look at"]
fn actor() {
    if !is_inside() {
        return;
    }
    let sleep = || Command::new("sleep").arg("600").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut children = vec![sleep(), sleep()];
    for _ in 0..3 {
        std::thread::spawn(|| std::thread::sleep(Duration::from_secs(600)));
    }
    let mut eaten = Vec::new();
    println!("ready");
    for line in std::io::stdin().lines() {
        match line.unwrap().as_str() {
            "eat" => eaten.push(vec![1_u8; 32 << 20]),
            "burn" => burn(),
            "burn in a thread" => std::thread::spawn(burn).join().unwrap(),
            "burn in a child" => {
                let script = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
                assert!(Command::new("sh").args(["-c", script]).status().unwrap().success());
            }
            "fork" => children.push(sleep()),
            "write" => {
                let path = std::env::temp_dir().join(format!("actor-{}", std::process::id()));
                std::fs::write(&path, [0; 4096]).unwrap();
                std::fs::remove_file(path).unwrap();
            }
            _ => break,
        }
        println!("done");
    }
    for mut child in children {
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn burn() {
    let mut sum = 0_u64;
    for number in 0..30_000_000_u64 {
        sum = std::hint::black_box(sum.wrapping_add(number));
    }
}

/// Fields of `/proc/PID/stat` behind the name, the first being field 3.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text.rsplit_once(") ")?.1.split_whitespace().map(str::to_owned).collect())
}

fn stat_figure(pid: u32, field: usize) -> u64 {
    stat(pid).unwrap()[field - 3].parse().unwrap()
}

/// A line `key: value` of a text of `/proc`.
fn figure(pid: u32, file: &str, key: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
    let line = text.lines().find(|line| line.split(':').next() == Some(key)).unwrap_or_else(|| panic!("no {key}"));
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Children and theirs, by asking everyone for its parent.
fn descendants(root: u32) -> Vec<u32> {
    let names =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let parents: Vec<(u32, u32)> =
        names.filter_map(|pid: u32| Some((pid, stat(pid)?[4 - 3].parse::<u32>().unwrap()))).collect();
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let asked = found[next];
        found.extend(parents.iter().filter(|(_, parent)| *parent == asked).map(|(pid, _)| *pid));
        next += 1;
    }
    found.split_off(1)
}

/// What a row must say of a process that does nothing at this moment.
fn expected(pid: u32) -> Vec<(&'static str, u64)> {
    let tick_ns = 1_000_000_000 / rustix::param::clock_ticks_per_second();
    let page = rustix::param::page_size() as u64;
    let mut all = descendants(pid);
    all.push(pid);
    let ticks = |pid: u32| (14..=17).map(|field| stat_figure(pid, field)).sum::<u64>();
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let threads: Vec<u32> =
        threads.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect();
    vec![
        ("pid", pid.into()),
        ("threads", threads.len() as u64),
        ("cpu_user_ns", stat_figure(pid, 14) * tick_ns),
        ("cpu_system_ns", stat_figure(pid, 15) * tick_ns),
        ("minor_faults", stat_figure(pid, 10)),
        ("major_faults", stat_figure(pid, 12)),
        ("vm_bytes", stat_figure(pid, 23)),
        ("rss_bytes", figure(pid, "status", "VmRSS") * 1024),
        ("peak_rss_bytes", figure(pid, "status", "VmHWM") * 1024),
        ("swap_bytes", figure(pid, "status", "VmSwap") * 1024),
        ("read_chars", figure(pid, "io", "rchar")),
        ("write_chars", figure(pid, "io", "wchar")),
        ("read_bytes", figure(pid, "io", "read_bytes")),
        ("write_bytes", figure(pid, "io", "write_bytes")),
        ("voluntary_switches", threads.iter().map(|id| figure(*id, "status", "voluntary_ctxt_switches")).sum()),
        ("processes", all.len() as u64),
        ("tree_cpu_ns", all.iter().map(|pid| ticks(*pid)).sum::<u64>() * tick_ns),
        ("tree_rss_bytes", all.iter().map(|pid| stat_figure(*pid, 24)).sum::<u64>() * page),
    ]
}

/// Waits for a row that says what others say, before and after it.
fn compare(episode: &Episode, pid: u32) -> Value {
    let mut last = Vec::new();
    for _ in 0..20 {
        let before = expected(pid);
        let seen = episode.wait_for_rows(FILE, 1).len();
        let rows = episode.wait_for_rows(FILE, seen + 20);
        let after = expected(pid);
        let agrees = |row: &&Value| before.iter().all(|(key, value)| row[*key].as_u64() == Some(*value));
        // The program looked at shares a processor with others, so it may come to rest late.
        if before == after
            && let Some(row) = rows[seen..].iter().find(agrees)
        {
            return row.clone();
        }
        last = rows[seen..].to_vec();
    }
    panic!("others say {:?}, rows say {:#?}", expected(pid), last.last());
}

#[test]
fn rows_say_what_others_say_at_three_moments() {
    let mut actor = Actor::start();
    let episode = Episode::begin();
    let running = episode.start(actor.proc(10));
    let first = compare(&episode, actor.pid());
    assert_eq!((first["processes"].as_u64(), first["state"].as_str()), (Some(3), Some("S")));
    assert!(first["threads"].as_u64() >= Some(5));
    for what in ["eat", "burn", "write", "fork"] {
        actor.ask(what);
    }
    let second = compare(&episode, actor.pid());
    let grown = |key: &str, from: &Value, to: &Value| to[key].as_u64().unwrap() - from[key].as_u64().unwrap();
    assert!(grown("rss_bytes", &first, &second) >= 32 << 20);
    assert!(grown("cpu_user_ns", &first, &second) > 0 && grown("minor_faults", &first, &second) > 0);
    assert!(grown("write_chars", &first, &second) >= 4096);
    assert_eq!(second["processes"], 4);
    actor.ask("burn in a thread");
    actor.ask("burn in a child");
    let third = compare(&episode, actor.pid());
    // The child is gone, and its time is not.
    let (own, tree) = (grown("cpu_user_ns", &second, &third), grown("tree_cpu_ns", &second, &third));
    assert!(tree > own + grown("cpu_system_ns", &second, &third), "{own} {tree}");
    beside_ps(&third);
    let told = episode.end(running, FILE);
    let numbers: Vec<u64> = told.rows.iter().map(|row| row["tick"].as_u64().unwrap()).collect();
    assert!(numbers.is_sorted_by(|one, other| one < other));
    let last = told.rows.last().unwrap();
    assert_eq!(last["tick"].as_u64().unwrap() + 1, told.rows.len() as u64 + last["missed"].as_u64().unwrap());
    schedules(&told.rows);
    assert_eq!((told.collected.lacks.as_deref(), told.event("proc_finished")["ended"].as_str()), (None, Some("stop")));
}

/// Time on processors is the threads' together: it agrees with the clock ticks but for one for each and their rounding.
fn schedules(rows: &[Value]) {
    let known: Vec<&Value> = rows.iter().filter(|row| row["run_ns"].is_u64()).collect();
    let Some(last) = known.last() else {
        println!("skipped: schedstat: this kernel has none");
        return;
    };
    assert!(known.is_sorted_by_key(|row| row["run_ns"].as_u64()));
    let ticks = last["cpu_user_ns"].as_u64().unwrap() + last["cpu_system_ns"].as_u64().unwrap();
    let run = last["run_ns"].as_u64().unwrap();
    assert!(run.abs_diff(ticks) < 50_000_000, "{run} {ticks}");
    assert!(rows.iter().any(|row| row["pss_bytes"].is_u64()), "no pss_bytes");
}

fn beside_ps(row: &Value) {
    let Some(ps) = installed("ps") else { return };
    let pid = row["pid"].to_string();
    let said = Command::new(ps).args(["-o", "nlwp=,rss=,vsz=", "-p", &pid]).output().unwrap();
    let said: Vec<u64> =
        String::from_utf8(said.stdout).unwrap().split_whitespace().map(|word| word.parse().unwrap()).collect();
    let figures = ["threads", "rss_bytes", "vm_bytes"].map(|key| row[key].as_u64().unwrap());
    assert_eq!([figures[0], figures[1] / 1024, figures[2] / 1024].as_slice(), said);
}

#[test]
fn a_target_that_ends_ends_the_rows_and_nothing_is_lacking() {
    for is_reaped in [true, false] {
        let mut child = Command::new("sleep").arg("600").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let episode = Episode::begin();
        let proc =
            Proc { pid: child.id(), start_time: start_time(child.id()).unwrap(), interval: Duration::from_millis(10) };
        let running = episode.start(proc);
        episode.wait_for_rows(FILE, 3);
        child.kill().unwrap();
        if is_reaped {
            child.wait().unwrap();
        }
        episode.wait_for("proc_finished");
        let told = episode.end(running, FILE);
        assert_eq!(told.event("proc_finished")["ended"], "target");
        assert_eq!(told.collected.lacks, None);
        if !is_reaped {
            assert_eq!(told.rows.last().unwrap()["state"], "Z");
        }
        let _ = child.wait();
    }
}

#[test]
fn a_number_that_is_another_process_or_none_is_unavailable() {
    let own = std::process::id();
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let interval = Duration::from_millis(100);
    for (proc, why) in [
        (Proc { pid: own, start_time: start_time(own).unwrap() + 1, interval }, "is another one"),
        (Proc { pid: gone.id(), start_time: 1, interval }, "no process"),
    ] {
        let told = Episode::begin().run_to(proc, "proc_unavailable", FILE);
        assert!(told.event("proc_unavailable")["error"].as_str().unwrap().contains(why));
        assert!(told.lacks().starts_with("unavailable: "));
    }
}

#[test]
fn what_must_not_be_read_is_null_and_told_once() {
    if is_root() {
        inside(&["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"], "collecting::proc::inside_nobody");
    } else {
        look_at_init();
    }
}

#[test]
#[ignore = "it runs as another user, started by the test above"]
fn inside_nobody() {
    if is_inside() {
        look_at_init();
    }
}

fn look_at_init() {
    if std::fs::read_to_string("/proc/1/io").is_ok() {
        println!("skipped: permission: this user may read all of process 1");
        return;
    }
    let episode = Episode::begin();
    let running =
        episode.start(Proc { pid: 1, start_time: start_time(1).unwrap(), interval: Duration::from_millis(10) });
    episode.wait_for_rows(FILE, 5);
    let told = episode.end(running, FILE);
    let lacking = &told.event("proc_partial")["lacking"];
    assert!(
        lacking.as_array().unwrap().contains(&"read_bytes".into())
            && lacking.as_array().unwrap().contains(&"pss_bytes".into())
    );
    assert!(
        told.rows
            .iter()
            .all(|row| row["read_bytes"].is_null() && row["pss_bytes"].is_null() && row["rss_bytes"].is_u64())
    );
    assert_eq!((told.names().iter().filter(|name| **name == "proc_partial").count(), told.collected.lacks), (1, None));
}
