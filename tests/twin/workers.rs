//! Logs of workers that take jobs from one queue, among threads with work of their own.

use super::pairs::{Case, tear};
use super::shapes::Rng;

/// Kind and payload.
type Event = (&'static str, String);

fn call(name: &str, n: usize) -> Event {
    ("kernel.call", format!("{{\"name\":\"{name}\",\"args\":{{\"n\":{n}}}}}"))
}

/// Both logs, and how they are compared.
pub fn case(rng: &mut Rng) -> Case {
    let jobs: Vec<Vec<Event>> = (0..6 + rng.below(30)).map(|job| work(job, rng)).collect();
    let workers = 2 + rng.below(5);
    let shares = [(); 2].map(|()| share(jobs.len(), workers, rng));
    let mut shares = if rng.chance(25) { [shares[0].clone(), shares[0].clone()] } else { shares };
    if rng.chance(30) {
        // Only two of them exchange a job, or one gives one away.
        shares[1] = shares[0].clone();
        let [one, other] = [rng.below(workers), rng.below(workers)];
        if let (Some(job), at) = (shares[1][one].pop(), rng.below(3)) {
            let at = at.min(shares[1][other].len());
            shares[1][other].insert(at, job);
        }
    }
    let joined = rng.chance(80);
    let leaves = rng.chance(70);
    let alone: Vec<Vec<Event>> = (0..rng.below(4)).map(|_| own(rng)).collect();
    let mut lines = shares.map(|shares| {
        let mut jobs = jobs.clone();
        let mut alone = alone.clone();
        if rng.chance(30) {
            edit(rng.pick(&[0, 1, 2, 3]), &mut jobs, rng);
        }
        for life in &mut alone {
            if rng.chance(25) {
                edit(0, std::slice::from_mut(life), rng);
            }
        }
        let mut threads: Vec<Vec<Event>> = Vec::new();
        for share in shares {
            let begin = if joined { vec![call("ExJoinWorkerPool", 1), call("ExWait", 0)] } else { Vec::new() };
            let mut life: Vec<Event> =
                begin.into_iter().chain(share.into_iter().flat_map(|job| jobs[job].clone())).collect();
            if leaves {
                life.push(("thread.exit", "{}".into()));
            }
            threads.push(life);
        }
        threads.extend(alone);
        if rng.chance(5) {
            threads.swap_remove(rng.below(workers));
        }
        write(threads, rng)
    });
    if rng.chance(6) {
        tear(&mut lines[rng.below(2)], rng);
    }
    let mut flags: Vec<String> = Vec::new();
    for (flag, percent) in [
        ("--profile generic --thread tid --kind kind --payload payload", 10),
        ("--map same", 8),
        ("--skip-start 2", 10),
        ("--malformed skip", 30),
        ("--prefix", 10),
        ("--strict", 5),
    ] {
        if rng.chance(percent) {
            flags.extend(flag.split(' ').map(str::to_owned));
        }
    }
    Case { lines, flags }
}

/// What a job is, whoever does it: some of it is what all do, and some are loops.
fn work(job: usize, rng: &mut Rng) -> Vec<Event> {
    let events = rng.pick(&[1, 3, 5, 8, 8, 13, 40]);
    let style = rng.below(5);
    (0..events)
        .map(|at| match style {
            0 => call("NtRead", at % 3),
            1 => call("NtRead", at),
            _ if rng.chance(20) => call("KeSetEvent", 0),
            _ => call("NtWrite", 100 * job + at % 60),
        })
        .collect()
}

fn share(jobs: usize, workers: usize, rng: &mut Rng) -> Vec<Vec<usize>> {
    let mut shares = vec![Vec::new(); workers];
    (0..jobs).for_each(|job| shares[rng.below(workers)].push(job));
    shares
}

/// A thread that is none of the pool's, though it may begin as they do.
fn own(rng: &mut Rng) -> Vec<Event> {
    let first = rng.pick(&["ExJoinWorkerPool", "XexLoadImage"]);
    let most = rng.pick(&[4, 50, 3_000]);
    std::iter::once(call(first, 1)).chain((0..20 + rng.below(200)).map(|_| call("NtOpen", rng.below(most)))).collect()
}

fn edit(how: usize, lives: &mut [Vec<Event>], rng: &mut Rng) {
    let life = rng.below(lives.len());
    let life = &mut lives[life];
    let at = rng.below(life.len());
    match how {
        0 => life[at].1 = "{\"wrong\":1}".into(),
        1 => drop(life.remove(at)),
        2 => life.insert(at, call("NtExtra", at)),
        // It opens and cannot be read.
        _ => life[at].1 = "{\"n\":01}".into(),
    }
}

/// In an order that chance makes, by numbers that chance makes.
fn write(threads: Vec<Vec<Event>>, rng: &mut Rng) -> Vec<Vec<u8>> {
    let mut tids: Vec<usize> = (4..4 + threads.len()).collect();
    if rng.chance(60) {
        rng.shuffle(&mut tids);
    }
    let mut out = vec![b"{\"kind\":\"schema_version\",\"schema_version\":1}\n".to_vec()];
    let mut left: Vec<_> = threads.into_iter().map(|events| events.into_iter().enumerate().peekable()).collect();
    while left.iter_mut().any(|events| events.peek().is_some()) {
        let thread = rng.below(left.len());
        for _ in 0..1 + rng.below(6) {
            if let Some((ordinal, (kind, payload))) = left[thread].next() {
                let tid = tids[thread];
                let line = format!(
                    "{{\"kind\":\"{kind}\",\"tid\":{tid},\"tid_event_idx\":{ordinal},\"payload\":{payload}}}\n"
                );
                out.push(line.into());
            }
        }
    }
    out
}
