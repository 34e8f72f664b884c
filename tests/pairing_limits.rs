//! Pairing where its limits lie, against the twin: openings that time completes, and crowds.

mod twin;

use twin::check::mismatches;
use twin::library::run_library;
use twin::pairs::Case;

/// An event of a thread, which every log numbers in its own way.
fn event(side: usize, thread: usize, ordinal: usize, payload: &str) -> Vec<u8> {
    let tid = 10 + thread * 2 + side * 100_000;
    let named = format!("\"tid\":{tid},\"tid_event_idx\":{ordinal}");
    format!("{{\"kind\":\"call\",{named},\"payload\":{payload}}}\n").into_bytes()
}

fn hold(case: &Case, what: &str) -> twin::json::Value {
    let wrong = mismatches(case, run_library);
    assert!(wrong.is_empty(), "{what}: {}", wrong.join("\n"));
    let [reference, candidate] = [0, 1].map(|side| case.bytes(side));
    run_library(&reference, &candidate, &[])
}

/// How each lane was matched, in the order of the report.
fn matched_by(answer: &twin::json::Value) -> Vec<String> {
    let pairings = answer.get("report").and_then(|report| report.get("pairings")).expect("a report").as_array();
    let name = |pairing: &twin::json::Value| pairing.get("matched_by").and_then(|by| by.as_str().map(str::to_owned));
    pairings.iter().map(|pairing| name(pairing).expect("a word")).collect()
}

#[test]
fn an_opening_is_complete_when_its_time_is_over_wherever_windows_end() {
    // Thread 1 says little, and goes on when the time of its opening is over: just before, at its end, and after it.
    // Windows are of many lines, or of a few (`run_library` takes the logs' length for a seed).
    for (again, windows) in [(65_534, 2), (65_535, 0), (65_535, 2), (65_536, 0)] {
        let mut lines = [0, 1].map(|side| {
            let mut lines = vec![b"{\"kind\":\"schema_version\",\"schema_version\":1}\n".to_vec()];
            lines.push(event(side, 1, 0, "\"one\""));
            lines.extend((0..again).map(|at| event(side, 0, at, "0")));
            // What one of them goes on with is part of its opening, or is not.
            lines.push(event(side, 1, 1, if side == 0 { "\"two\"" } else { "\"other\"" }));
            lines.extend((again..again + 500).map(|at| event(side, 0, at, "0")));
            lines
        });
        let length = lines.iter().flatten().map(Vec::len).sum::<usize>();
        let padding = (windows + 4 - length % 4) % 4;
        lines[0].last_mut().expect("a line").splice(0..0, std::iter::repeat_n(b' ', padding));
        let by = matched_by(&hold(&Case { lines, flags: Vec::new() }, &format!("{again}, {windows}")));
        let wanted = if again < 65_535 { "order" } else { "first-call" };
        assert_eq!(by, [wanted, "first-call"], "{again}, {windows}");
    }
}

#[test]
fn a_crowd_of_lanes_is_paired_in_order() {
    for (threads, by) in [(1_000, "prefix"), (1_001, "order")] {
        let lines = [0, 1].map(|side| {
            let mut lines = vec![b"{\"kind\":\"schema_version\",\"schema_version\":1}\n".to_vec()];
            for thread in 0..threads {
                lines.push(event(side, thread, 0, "\"begin\""));
                // No opening equals another, and none of this side one of the other.
                lines.push(event(side, thread, 1, &format!("[{side},{thread}]")));
            }
            lines
        });
        let answer = hold(&Case { lines, flags: Vec::new() }, "a crowd");
        let found = matched_by(&answer);
        assert_eq!((found.len(), found.iter().all(|found| found == by)), (threads, true), "{threads}");
    }
}
