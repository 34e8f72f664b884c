//! `forkpoint episode` as people run it.

mod common;
mod episodes;

use std::fs;
use std::process::Command;

use common::{Folder, forkpoint, text};
use episodes::{Plan, Standing, original, write};
use serde_json::Value;

/// A folder with episodes: 1 to 3 as they should be, 11 to 13 slower by a fifth in one phase, and one of every other kind.
fn scene() -> Folder {
    let folder = Folder::new();
    let out = folder.path("");
    for seed in 1..=3 {
        write(&out, &Plan::new(seed));
        write(&out, &Plan { slower: Some(("load", 1.2)), ..Plan::new(10 + seed) });
    }
    write(&out, &Plan { standing: Standing::Degraded, ..Plan::new(21) });
    write(&out, &Plan { standing: Standing::Killed, ..Plan::new(22) });
    write(&out, &Plan { phases: vec![("clean", 1.0), ("drain", 1.0)], ..Plan::new(23) });
    original(&out, "01HXORIGINAL");
    folder
}

fn id(seed: u64) -> String {
    Plan::new(seed).id
}

fn episode(folder: &Folder, words: &[&str]) -> (i32, String, String) {
    let output = forkpoint(["episode"]).args(words).current_dir(folder.path("")).output().unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// Both sides' runs by their numbers; the first of each must be there.
fn diff(folder: &Folder, references: &[u64], candidates: &[u64], more: &[&str]) -> (i32, String, String) {
    let mut words = vec!["diff".to_owned(), id(references[0])];
    words.extend(candidates.iter().map(|seed| id(*seed)));
    words.extend(references[1..].iter().map(|seed| format!("--reference={}", id(*seed))));
    words.extend(more.iter().map(|word| (*word).to_owned()));
    episode(folder, &words.iter().map(String::as_str).collect::<Vec<_>>())
}

fn narrow(folder: &Folder, width: &str, words: &[&str]) -> String {
    let output =
        forkpoint(["episode"]).args(words).env("COLUMNS", width).current_dir(folder.path("")).output().unwrap();
    text(&output.stdout)
}

#[test]
fn a_list_has_a_line_for_each_whatever_the_width() {
    let folder = scene();
    let (code, page, told) = episode(&folder, &["list"]);
    assert_eq!((code, told.as_str()), (0, ""));
    insta::assert_snapshot!(page, @r"
    id          started                took  standing    phases      what
    01HXORIGIN  2026-05-01 10:00:02  412 ms  complete    clean       process 4242
    01KAQ00001  2026-11-23 00:36:01  4.01 s  complete    clean loa…  ./bench --si…
    01KAQ00002  2026-11-23 00:36:02  4.00 s  complete    clean loa…  ./bench --si…
    01KAQ00003  2026-11-23 00:36:03  3.99 s  complete    clean loa…  ./bench --si…
    01KAQ00011  2026-11-23 00:36:11  4.41 s  complete    clean loa…  ./bench --si…
    01KAQ00012  2026-11-23 00:36:12  4.40 s  complete    clean loa…  ./bench --si…
    01KAQ00013  2026-11-23 00:36:13  4.35 s  complete    clean loa…  ./bench --si…
    01KAQ00021  2026-11-23 00:36:21  3.98 s  degraded    clean loa…  ./bench --si…
    01KAQ00022  2026-11-23 00:36:22  3.03 s  unfinished  clean loa…  ./bench --si…
    01KAQ00023  2026-11-23 00:36:23  2.00 s  complete    clean dra…  ./bench --si…
    ");
    insta::assert_snapshot!(narrow(&folder, "50", &["list"]), @r"
    id          started        took  standing
    01HXORIGIN  05-01 10:00  412 ms  complete
    01KAQ00001  11-23 00:36  4.01 s  complete
    01KAQ00002  11-23 00:36  4.00 s  complete
    01KAQ00003  11-23 00:36  3.99 s  complete
    01KAQ00011  11-23 00:36  4.41 s  complete
    01KAQ00012  11-23 00:36  4.40 s  complete
    01KAQ00013  11-23 00:36  4.35 s  complete
    01KAQ00021  11-23 00:36  3.98 s  degraded
    01KAQ00022  11-23 00:36  3.03 s  unfinished
    01KAQ00023  11-23 00:36  2.00 s  complete
    ");
    for width in ["40", "50", "64", "80", "100"] {
        let page = narrow(&folder, width, &["list"]);
        assert_eq!(page.lines().count(), 11, "{page}");
        let widest = page.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= width.parse::<usize>().unwrap().max(50), "{width}: {widest}: {page}");
    }
    // What is told of an id is enough to find the episode by it.
    for line in page.lines().skip(1) {
        let word = line.split_whitespace().next().unwrap();
        assert_eq!(episode(&folder, &["show", word]).0, 0, "{word}");
    }
}

#[test]
fn an_episode_is_shown() {
    let folder = scene();
    let (code, page, told) = episode(&folder, &["show", &id(1)]);
    assert_eq!((code, told.as_str()), (0, ""));
    insta::assert_snapshot!(page, @r"
    complete: an episode of 4.01 s

      folder    episodes/01KAQ00001XYZABCDEFGHJKMNP
      id        01KAQ00001XYZABCDEFGHJKMNP
      ran       ./bench --size '10 M'
      started   2026-11-23 00:36:01 UTC
      ended     2026-11-23 00:36:59 UTC, by target, exit code 0
      code      0123456789ab, main, with changes
      host      6.12.1, A processor, 2 cores, 4.29 GB
      metadata  variant=a b

      phase     from     for
      clean  0.000 s  988 ms
      load   0.987 s  2.02 s
      drain  3.009 s  1.00 s

      file                  rows
      events.jsonl             7
      labels.jsonl             3
      telemetry-proc.jsonl   201
      telemetry-perf.jsonl   201
      stdout.log                  5 bytes

      0.000 s  snapshot_load
      0.000 s  proc_started interval_ms=20 pid=4001
      0.000 s  phase_transition to=clean
      0.987 s  phase_transition prev=clean to=load
      3.009 s  phase_transition prev=load to=drain
      4.010 s  proc_finished rows=201
      4.010 s  episode_end target_pid_alive=false

    clean
      metric                          min        median           max  on the whole
      proc cpu_system_ns        0.018 s/s     0.019 s/s     0.021 s/s     0.020 s/s
      proc cpu_user_ns          0.042 s/s     0.049 s/s     0.054 s/s     0.049 s/s
      proc minor_faults               0/s          50/s         100/s        50.0/s
      proc processes                    1             1             1
      proc rss_bytes              19.8 MB       20.0 MB       20.2 MB
      proc run_ns               0.061 s/s     0.069 s/s     0.078 s/s     0.069 s/s
      proc threads                      4             4             4
      proc voluntary_switches        50/s         100/s         150/s        99.0/s
      perf instructions          1.80 G/s      1.99 G/s      2.20 G/s      1.99 G/s
      perf task-clock          982 msec/s  1,000 msec/s  1,016 msec/s  1,000 msec/s
      … and 4 metrics that are 0 throughout (--all)

    load
      metric                          min      median           max  on the whole
      proc cpu_system_ns        0.065 s/s   0.079 s/s     0.091 s/s     0.079 s/s
      proc cpu_user_ns          0.799 s/s   0.884 s/s     0.986 s/s     0.889 s/s
      proc minor_faults           3,450/s     4,050/s       4,500/s       4,032/s
      proc processes                    1           1             1
      proc read_chars           42.5 MB/s   49.3 MB/s     55.2 MB/s     49.3 MB/s
      proc rss_bytes              89.1 MB     89.9 MB       90.9 MB
      proc run_ns               0.847 s/s   0.960 s/s      1.08 s/s     0.963 s/s
      proc threads                      4           4             4
      proc voluntary_switches     1,700/s     1,950/s       2,200/s       1,967/s
      proc write_bytes          6.63 MB/s   7.98 MB/s     9.02 MB/s     7.99 MB/s
      perf instructions          1.73 G/s    1.99 G/s      2.26 G/s      1.99 G/s
      perf task-clock          979 msec/s  998 msec/s  1,020 msec/s    999 msec/s
      … and 2 metrics that are 0 throughout (--all)

    drain
      metric                          min        median           max  on the whole
      proc cpu_system_ns        0.034 s/s     0.040 s/s     0.044 s/s     0.040 s/s
      proc cpu_user_ns          0.265 s/s     0.295 s/s     0.330 s/s     0.296 s/s
      proc minor_faults               0/s           0/s          50/s        10.2/s
      proc processes                    1             1             1
      proc read_chars            877 kB/s      990 kB/s     1.09 MB/s      989 kB/s
      proc rss_bytes              59.4 MB       60.0 MB       60.9 MB
      proc run_ns               0.303 s/s     0.340 s/s     0.368 s/s     0.338 s/s
      proc threads                      4             4             4
      proc voluntary_switches       700/s         800/s         850/s         788/s
      proc write_bytes          5.00 MB/s     5.90 MB/s     6.69 MB/s     5.93 MB/s
      perf instructions          1.72 G/s      2.00 G/s      2.19 G/s      1.99 G/s
      perf task-clock          983 msec/s  1,000 msec/s  1,022 msec/s  1,001 msec/s
      … and 2 metrics that are 0 throughout (--all)
    ");
}

#[test]
fn an_episode_that_was_killed_is_shown_as_far_as_it_goes() {
    let folder = scene();
    let (code, page, told) = episode(&folder, &["show", &id(22)]);
    assert_eq!((code, told.as_str()), (0, ""));
    assert!(page.starts_with("unfinished: the recorder was killed or failed after "), "{page}");
    for sentence in ["  · events.jsonl: the last line is torn\n", "its end is not known\n"] {
        assert!(page.contains(sentence), "{page}");
    }
    let (code, page, _) = episode(&folder, &["show", &id(21)]);
    assert!(
        code == 0 && page.starts_with("degraded: ") && page.contains("  · qmp: unavailable: no such file\n"),
        "{page}"
    );
    let (code, page, _) = episode(&folder, &["show", "01HXORIGINAL"]);
    assert!(
        code == 0 && page.contains("  watched   process 4242\n") && page.contains("qmp virtio0.rd_bytes"),
        "{page}"
    );
}

#[test]
fn damage_is_trouble_and_told_with_its_place() {
    let folder = scene();
    let path = folder.path("episodes").join(id(1)).join("telemetry-proc.jsonl");
    let rows = fs::read_to_string(&path).unwrap().replacen("\"pid\"", "pid", 1);
    fs::write(&path, rows).unwrap();
    let (code, page, told) = episode(&folder, &["show", &id(1)]);
    assert!(code == 2 && page.starts_with("complete: ") && page.contains("1 place is damaged"), "{page}");
    assert!(told.contains("telemetry-proc.jsonl:1: byte ") && told.lines().count() == 1, "{told}");
    let (code, page, told) = diff(&folder, &[1], &[2], &[]);
    assert!(
        code == 2 && page.starts_with("trouble: 1 place is damaged, and what stands there is left out; none of "),
        "{page}"
    );
    assert!(told.contains("telemetry-proc.jsonl:1: byte "), "{told}");
    let (code, page, told) = episode(&folder, &["show", "nothing"]);
    assert_eq!((code, page.as_str()), (2, ""));
    assert_eq!(told, "forkpoint: there is no folder nothing, and no episode in episodes whose id begins so\n");
    let (code, _, told) = episode(&folder, &["show", "."]);
    assert!(code == 2 && told.contains("forkpoint episode list ."), "{told}");
    let (code, _, told) = episode(&folder, &["list", "nowhere"]);
    assert!(code == 2 && told.contains("nowhere/episodes: No such file"), "{told}");
}

#[test]
fn a_slowdown_is_told_first() {
    let folder = scene();
    let (code, page, told) = diff(&folder, &[1, 2, 3], &[11, 12, 13], &[]);
    assert_eq!((code, told.as_str()), (1, ""));
    insta::assert_snapshot!(page, @r"
    diverged: load took 19.0 % longer; 9 of 45 measurements in 3 phases changed;
              events and labels are the same

      reference  episodes/01KAQ00001XYZABCDEFGHJKMNP  complete, 4.01 s
      reference  episodes/01KAQ00002XYZABCDEFGHJKMNP  complete, 4.00 s
      reference  episodes/01KAQ00003XYZABCDEFGHJKMNP  complete, 3.99 s
      candidate  episodes/01KAQ00011XYZABCDEFGHJKMNP  complete, 4.41 s
      candidate  episodes/01KAQ00012XYZABCDEFGHJKMNP  complete, 4.40 s
      candidate  episodes/01KAQ00013XYZABCDEFGHJKMNP  complete, 4.35 s

      phase  runs  reference  candidate   change  changed
      clean  3, 3     988 ms     999 ms   +1.2 %  none of 15
      load   3, 3     2.01 s     2.39 s  +19.0 %  9 of 15
      drain  3, 3     1.00 s     994 ms   -0.7 %  none of 15

    changed, the most first
      load  proc minor_faults  -17.8 %  by runs
        - 4,032/s  4,002/s to 4,061/s
        + 3,314/s  3,296/s to 3,387/s
      load  proc cpu_system_ns  -17.2 %  by runs
        - 0.081 s/s  0.079 s/s to 0.081 s/s
        + 0.067 s/s  0.066 s/s to 0.067 s/s
      load  proc run_ns  -17.0 %  by runs
        - 0.981 s/s  0.963 s/s to 0.986 s/s
        + 0.815 s/s  0.809 s/s to 0.827 s/s
      load  perf instructions  -16.4 %  by runs
        - 1.99 G/s  1.99 G/s to 2.00 G/s
        + 1.66 G/s  1.66 G/s to 1.67 G/s
      load  duration_s  +19.0 %  by runs
        - 2.01 s  2.00 s to 2.02 s
        + 2.39 s  2.38 s to 2.42 s
      load  proc cpu_user_ns  -15.9 %  by runs
        - 0.896 s/s  0.889 s/s to 0.900 s/s
        + 0.754 s/s  0.731 s/s to 0.766 s/s
      load  proc write_bytes  -15.6 %  by runs
        - 7.99 MB/s  7.99 MB/s to 8.04 MB/s
        + 6.75 MB/s  6.61 MB/s to 6.78 MB/s
      load  proc read_chars  -15.1 %  by runs
        - 49.3 MB/s  49.2 MB/s to 50.5 MB/s
        + 41.9 MB/s  41.8 MB/s to 42.0 MB/s
      load  proc voluntary_switches  -15.0 %  by runs
        - 1,987/s  1,967/s to 1,992/s
        + 1,690/s  1,680/s to 1,696/s
      … and 36 that did not change (--all)

      events.jsonl: the same in 3 of 3 candidates
      labels.jsonl: the same in 3 of 3 candidates

      · by runs, a change counts if medians are more than 5 % apart and no run of
        one side lies among those of the other
    ");
    let (code, page, _) = diff(&folder, &[1, 2], &[3], &[]);
    assert_eq!(code, 0, "{page}");
    insta::assert_snapshot!(page, @r"
    identical: none of 45 measurements in 3 phases changed; events and labels are
               the same

      reference  episodes/01KAQ00001XYZABCDEFGHJKMNP  complete, 4.01 s
      reference  episodes/01KAQ00002XYZABCDEFGHJKMNP  complete, 4.00 s
      candidate  episodes/01KAQ00003XYZABCDEFGHJKMNP  complete, 3.99 s

      phase  runs  reference  candidate  change  changed
      clean  2, 1     992 ms     986 ms  -0.6 %  none of 15
      load   2, 1     2.01 s     2.00 s  -0.6 %  none of 15
      drain  2, 1     998 ms     1.00 s  +0.3 %  none of 15

      events.jsonl: 7 rows, the same
      labels.jsonl: 3 rows, the same

      · by runs, a change counts if medians are more than 5 % apart and no run of
        one side lies among those of the other
    ");
    // One run on each side, on a wide page and a narrow one.
    let words = ["diff", &id(1), &id(11)];
    for width in ["130", "50"] {
        let page = narrow(&folder, width, &words);
        assert!(
            page.starts_with("diverged: ") && page.contains("load took 19.6 % longer") && page.contains("+19.6 %"),
            "{page}"
        );
        let long =
            page.lines().find(|line| line.chars().count() > width.parse().unwrap() && !line.contains("episodes/"));
        assert_eq!(long, None, "{page}");
    }
}

#[test]
fn what_happened_is_told_where_it_parts_and_the_command_runs() {
    let folder = scene();
    let (code, page, _) = diff(&folder, &[1], &[21, 23], &["--ignore", "snapshot"]);
    assert_eq!(code, 1, "{page}");
    insta::assert_snapshot!(page.split_once("\n\nevents").unwrap().1, @r#"
    .jsonl of candidate 1: they part behind 4 equal rows (kind)
      - line 7: episode_end target_pid_alive=false
      + line 6: qmp_unavailable error="/tmp/01KAQ00021XYZABCDEFGHJKMNP/qmp.sock: no…
        event: "episode_end" → "qmp_unavailable"
      all of it:
      forkpoint diff --profile episode --ignore=snapshot episodes/01KAQ00001XYZABCDEFGHJKMNP/events.jsonl episodes/01KAQ00021XYZABCDEFGHJKMNP/events.jsonl

    events.jsonl of candidate 2: they part behind 2 equal rows (value)
      - line 4: phase_transition prev=clean to=load
      + line 4: phase_transition prev=clean to=drain
        to: "load" → "drain"
      all of it:
      forkpoint diff --profile episode --ignore=snapshot episodes/01KAQ00001XYZABCDEFGHJKMNP/events.jsonl episodes/01KAQ00023XYZABCDEFGHJKMNP/events.jsonl

    labels.jsonl of candidate 2: they part behind 1 equal row (value)
      - line 2: phase=load prev=clean reason=scheduled
      + line 2: phase=drain prev=clean reason=scheduled
        phase: "load" → "drain"
      all of it:
      forkpoint diff --profile episode --ignore=snapshot episodes/01KAQ00001XYZABCDEFGHJKMNP/labels.jsonl episodes/01KAQ00023XYZABCDEFGHJKMNP/labels.jsonl

      labels.jsonl: the same in 1 of 2 candidates

      · by runs, a change counts if medians are more than 5 % apart and no run of
        one side lies among those of the other
      · by parts, a change counts if medians are more than 5 % apart and no eighth
        of one run's phase is near those of the other; whether two runs differ by
        chance only more runs can tell
      · by threshold, a change counts if the only two values are more than 5 %
        apart; only more runs can tell more
      · episodes/01KAQ00021XYZABCDEFGHJKMNP: qmp: unavailable: no such file
      · phase load: 1 of 2 runs of the candidate have it
    "#);
    let (_, markdown, _) = diff(&folder, &[1], &[21, 23], &["--ignore", "snapshot", "--format", "markdown"]);
    let mut commands: Vec<&str> = page.lines().chain(markdown.lines()).filter_map(command).collect();
    commands.sort_unstable();
    commands.dedup();
    assert_eq!(commands.len(), 3, "{page}{markdown}");
    for command in commands {
        let output = shell(&folder, command);
        let told = text(&output.stdout);
        assert!(
            output.status.code() == Some(1) && told.starts_with("diverged: "),
            "{command}: {}",
            text(&output.stderr)
        );
    }
    // A rule that is off.
    let (code, page, _) = diff(&folder, &[1], &[2], &["--without", "wall-time"]);
    assert!(code == 1 && page.contains("events.jsonl differs"), "{page}");
    let (code, _, told) = diff(&folder, &[1], &[2], &["--without", "walltime"]);
    assert!(code == 2 && told.contains("wall-time"), "{told}");
}

/// The command that a line holds.
fn command(line: &str) -> Option<&str> {
    line.find("forkpoint diff ").map(|at| &line[at..])
}

fn shell(folder: &Folder, command: &str) -> std::process::Output {
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_forkpoint")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    Command::new("sh").args(["-c", command]).current_dir(folder.path("")).env("PATH", path).output().unwrap()
}

#[test]
fn the_profile_is_one_like_the_others() {
    let folder = scene();
    let listed = text(&forkpoint(["profile", "list"]).output().unwrap().stdout);
    assert!(listed.contains("\nepisode "), "{listed}");
    let shown = forkpoint(["profile", "show", "episode"]).output().unwrap();
    let file = folder.file("mine.toml", &shown.stdout);
    assert_eq!(forkpoint(["profile", "check"]).arg(&file).output().unwrap().status.code(), Some(0));
    for name in ["events.jsonl", "labels.jsonl"] {
        let paths = [1, 2].map(|seed| folder.path("episodes").join(id(seed)).join(name));
        for profile in ["episode", file.to_str().unwrap()] {
            let output = forkpoint(["diff", "--profile", profile]).args(&paths).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{name}: {}", text(&output.stdout));
        }
    }
}

#[test]
fn nothing_that_both_have_is_inconclusive() {
    let folder = scene();
    write(&folder.path(""), &Plan { phases: vec![("other", 0.2)], ..Plan::new(31) });
    let (code, page, _) = diff(&folder, &[1], &[31], &[]);
    assert!(code == 3 && page.starts_with("inconclusive: no phase was measured on both sides"), "{page}");
    fs::remove_file(folder.path("episodes").join(id(2)).join("labels.jsonl")).unwrap();
    let (code, page, _) = diff(&folder, &[1], &[2], &[]);
    assert!(code == 3 && page.contains("no labels.jsonl to compare"), "{page}");
    let (code, page, _) = episode(&folder, &["show", &id(2)]);
    assert!(code == 0 && page.contains("there are no labels"), "{page}");
}

#[test]
fn reports_for_programs_follow_their_schemas() {
    let folder = scene();
    let first = id(1);
    for (format, words) in [
        ("episode", vec!["show", &first]),
        ("episode", vec!["show", "01HXORIGINAL"]),
        ("episode-list", vec!["list"]),
        ("episode-diff", vec!["diff", &first, "01HXORIGINAL"]),
        ("episode-diff", vec!["diff", &first, "01KAQ00011", "01KAQ00023"]),
    ] {
        let (_, page, told) = episode(&folder, &[&words[..], &["--format", "json"]].concat());
        let report: Value = serde_json::from_str(&page).unwrap_or_else(|error| panic!("{words:?}: {error}: {told}"));
        let schema = forkpoint(["generate", "schema", format]).output().unwrap();
        let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let wrong: Vec<String> =
            validator.iter_errors(&report).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{words:?}: {wrong:?}");
    }
    let (_, page, _) = diff(&folder, &[1, 2, 3], &[11, 12, 13], &["--format", "json"]);
    let report: Value = serde_json::from_str(&page).unwrap();
    let duration = report["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["metric"] == "duration_s" && one["phase"] == "load");
    let duration = duration.unwrap();
    assert!(
        duration["changed"] == true && duration["rule"] == "runs" && duration["reference"]["runs"] == 3,
        "{duration:#}"
    );
    assert!((0.18..0.22).contains(&duration["change"].as_f64().unwrap()), "{duration:#}");
}

#[test]
fn reports_are_written_into_files_and_never_over_an_episode() {
    let folder = scene();
    let (code, page, told) =
        diff(&folder, &[1], &[11], &["-o", "report.md", "-o", "report.json", "--format", "markdown"]);
    assert_eq!((code, told.as_str()), (1, ""));
    assert_eq!(fs::read_to_string(folder.path("report.md")).unwrap(), page);
    assert!(page.starts_with("# forkpoint: episodes compared\n\n**diverged**: "), "{page}");
    for table in ["## Changed\n\n| phase | metric | reference |", "\n- events.jsonl: "] {
        assert!(page.contains(table), "{page}");
    }
    let inside = format!("episodes/{}/meta.json", id(11));
    let (code, _, told) = diff(&folder, &[1], &[11], &["-o", &inside]);
    assert!(code == 2 && told.contains("is also an input"), "{told}");
    let (code, page, _) = episode(&folder, &["show", &id(1), "--format", "markdown"]);
    assert!(
        code == 0
            && page.contains(
                "## Phase load\n\n| metric | min | median | max | on the whole |\n|---|---:|---:|---:|---:|\n"
            ),
        "{page}"
    );
    let (code, page, _) = episode(&folder, &["list", "--format", "markdown"]);
    assert!(code == 0 && page.contains("| id | started | took | standing | phases | what |"), "{page}");
}

#[test]
fn a_run_given_twice_is_noted() {
    let folder = scene();
    let (code, page, told) = diff(&folder, &[1], &[1], &[]);
    assert_eq!(code, 0, "{page}");
    assert!(told.starts_with("note: ") && told.ends_with("is given twice\n"), "{told}");
}
