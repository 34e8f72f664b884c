//! What workers learn they share: threads that open lines with one opener and weigh pairs with one comparer say what one
//! thread says the exact way. `make races` runs it under a race detector.

use std::sync::Barrier;
use std::thread;

use forkpoint::align::event_of;
use forkpoint::compare::{Comparer, Scratch, Weighed};
use forkpoint::json::Pointer;
use forkpoint::profile::{IgnoreRule, Pattern, Profile, builtin};
use forkpoint::scan::{Opener, ScanOptions, ScannedWindow, reopen, scan_window};
use forkpoint::source::Window;

const THREADS: usize = 4;
const LINES: usize = 300;

/// A profile with a thread, a kind, and a field that is overlooked.
fn profile() -> Profile {
    let pointer = |text| Pointer::parse(text).expect("a pointer");
    let mut profile = builtin("generic").expect("it is built in");
    profile.roles.thread = vec![pointer("/t")];
    profile.roles.kind = Some(pointer("/k"));
    profile.ignore.push(IgnoreRule {
        name: "noise".into(),
        kinds: Vec::new(),
        path: Pattern::parse("/noise").expect("a path"),
        when: Vec::new(),
        reason: String::new(),
    });
    profile
}

/// A line of one of six shapes, whose leaves come in several widths; a few lines are irregular or malformed.
fn line(n: usize, noise: usize) -> String {
    let (t, k, wide) = (n % 3, ["read", "write"][n % 2], "w".repeat(n / 7 % 20));
    match (n % 41, n % 6) {
        (0, _) => format!("{{\"t\":{t},\"k\":\"{k}\",\"noise\":{noise},\"x\":0{n}}}"),
        (1, _) => format!("{{\"t\":{t},\"k\":\"{k}\",\"noise\":{noise},\"{n}\":[\"\\u0061\"]}}"),
        (_, 0) => format!("{{\"t\":{t},\"k\":\"{k}\",\"noise\":{noise}}}"),
        (_, 1) => format!("{{\"t\":{t},\"k\":\"{k}\",\"x\":\"{wide}\",\"noise\":{noise}}}"),
        (_, 2) => format!("{{\"k\":\"{k}\",\"noise\":{noise},\"t\":{t},\"y\":{{\"n\":{n}}}}}"),
        (_, 3) => format!("{{\"noise\":{noise},\"z\":[{n},\"{wide}\"],\"k\":\"{k}\",\"t\":{t}}}"),
        (_, 4) => format!("{{\"t\":{t},\"k\":\"{k}\",\"a\":true,\"b\":null,\"noise\":{noise}.5}}"),
        _ => format!("{{ \"t\" : {t}, \"k\" : \"{k}\", \"noise\" : \"{noise}\" }}"),
    }
}

/// Runs the same work on all threads, which begin together; `work` is told which of them it is.
fn together<T: Send>(work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let begin = Barrier::new(THREADS);
    thread::scope(|scope| {
        let run = |thread| {
            let (begin, work) = (&begin, &work);
            scope.spawn(move || {
                begin.wait();
                work(thread)
            })
        };
        let threads: Vec<_> = (0..THREADS).map(run).collect();
        threads.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
    })
}

#[test]
fn threads_weigh_with_one_comparer_as_one_does_alone() {
    let profile = profile();
    let opener = Opener::new(&profile, false);
    let weigh = |comparer: &Comparer, scratch: &mut Scratch, n: usize| {
        let lines = [line(n, 1000 + n), line(n, 2000 + n)];
        let [x, y] = [&lines[0], &lines[1]].map(|line| {
            let line = line.as_bytes();
            event_of(&reopen(&opener, line, 0).expect("it opens"), line, 1)
        });
        comparer.weigh(&x, &y, scratch)
    };
    let (exact, mut scratch) = (Comparer::new(&profile, false).with_layouts(false), Scratch::default());
    let wanted: Vec<Weighed> = (0..LINES).map(|n| weigh(&exact, &mut scratch, n)).collect();
    let equal = wanted.iter().filter(|weighed| matches!(weighed, Weighed::EqualRead(_))).count();
    assert!(equal > LINES * 9 / 10 && equal < LINES, "{equal} of {LINES} are equal");
    let shared = Comparer::new(&profile, false);
    let short = together(|thread| {
        let mut scratch = Scratch::default();
        // Twice, so that what was learned is used; each thread begins elsewhere.
        for n in (0..2 * LINES).map(|n| (n + thread * LINES / THREADS) % LINES) {
            assert_eq!(weigh(&shared, &mut scratch, n), wanted[n], "thread {thread}: {}", line(n, 0));
        }
        (scratch.pairs_by_layout(), scratch.pairs_by_mould())
    });
    assert!(short.iter().all(|(layout, mould)| *layout > LINES as u64 && *mould > 0), "{short:?}");
}

#[test]
fn threads_open_lines_with_one_opener_as_one_does_alone() {
    let text: String = (0..LINES).map(|n| line(n, n * n) + "\n").collect();
    let window = Window { offset: 0, bytes: text.into_bytes().into(), overlong: None };
    let options = ScanOptions { step_over_faults: true, ..ScanOptions::default() };
    let shared = Opener::new(&profile(), false);
    let exact = scan_window(&shared.clone().without_layouts(), &window, 0, options);
    let short = together(|thread| {
        let scan = || scan_window(&shared, &window, 0, options);
        let found = [scan(), scan(), scan()];
        for found in &found {
            assert_eq!(ScannedWindow { by_layout: 0, ..found.clone() }, exact, "thread {thread}");
        }
        found[2].by_layout
    });
    assert!(short.iter().all(|by_layout| *by_layout > exact.events / 2), "{short:?} of {}", exact.events);
}
