//! The program's library, driven in this process: the same answer as the binary's, only sooner.

use super::json::{Value, parse_report};
use super::report::object;
use forkpoint::align::{LaneName, Malformed, MapChoice, RunOptions, Unobserved};
use forkpoint::diverge::{Acceptance, Acceptances, Outcome, accept_file, run_accepting};
use forkpoint::profile::{Overrides, builtin, parse};
use forkpoint::report::{ReportContext, Validated, Verdict, json};
use forkpoint::scan::ThreadKey;
use forkpoint::source::{Log, OpenOptions};

/// What the flags of `forkpoint diff` ask of the library.
struct Asked {
    profile: String,
    overrides: Overrides,
    options: RunOptions,
    open: OpenOptions,
    context: ReportContext,
    accepted: Vec<Acceptance>,
}

/// Compares two logs in memory; `exit`, `report` and `stderr` as the binary has them.
pub fn run_library(reference: &[u8], candidate: &[u8], flags: &[&str]) -> Value {
    run_library_and(reference, candidate, flags, |_| ())
}

/// The same, with a look at the report's text.
pub fn run_library_and(reference: &[u8], candidate: &[u8], flags: &[&str], look: fn(&str)) -> Value {
    let answer = std::panic::catch_unwind(|| compare(reference, candidate, flags, look));
    let (exit, report, said) = answer.unwrap_or_else(|_| (-1, Value::Null, "it panicked".to_owned()));
    object(vec![("exit", Value::integer(exit)), ("report", report), ("stderr", Value::text(&said))])
}

fn compare(reference: &[u8], candidate: &[u8], flags: &[&str], look: fn(&str)) -> (i128, Value, String) {
    // Windows of a line or a few, and lanes sealed as soon as they wait, must not show.
    let sizes = match (reference.len() + candidate.len()) % 4 {
        1 => (Some(1), 2),
        2 => (Some(700), 2),
        3 => (Some(64), 0),
        _ => (None, 0),
    };
    match painted(reference, candidate, flags, sizes) {
        Err(error) => (2, Value::Null, error),
        Ok((exit, text, _)) => {
            look(&text);
            let report = parse_report(text.as_bytes()).unwrap_or_else(|refused| panic!("no JSON: {refused:?}\n{text}"));
            (exit.into(), report, String::new())
        }
    }
}

/// The exit code, the JSON report and what it was made of, with windows and memory of these sizes.
///
/// # Errors
/// The run has no outcome.
pub fn painted(
    reference: &[u8],
    candidate: &[u8],
    flags: &[&str],
    (window, hot): (Option<usize>, usize),
) -> Result<(u8, String, Outcome), String> {
    let mut asked = understand(flags);
    asked.open.window_bytes = window.unwrap_or(asked.open.window_bytes);
    asked.options.hot_bytes_max = hot;
    let profile = match builtin(&asked.profile) {
        Some(profile) => profile,
        None => parse(&asked.profile, "profile.toml").unwrap_or_else(|error| panic!("{error}")),
    };
    let profile = asked.overrides.apply(profile).map_err(|error| error.to_string())?;
    let log = |name: &str, bytes: &[u8]| Log::from_bytes(name, bytes.to_vec(), &asked.open);
    let mut logs = [log("reference.jsonl", reference), log("candidate.jsonl", candidate)];
    let [a, b] = &mut logs;
    let acceptances = Acceptances::new(std::mem::take(&mut asked.accepted), None);
    let run = run_accepting(a, b, &profile, &asked.options, &acceptances, &Unobserved);
    let (outcome, keep) = run.map_err(|error| error.to_string())?;
    let fault_ends = asked.options.malformed == Malformed::Error && outcome.faults_total > 0;
    asked.context.first_only = outcome.only_first.is_some();
    asked.context.trouble = fault_ends || !outcome.map_unknown.is_empty();
    let text = json(&outcome, &keep, &profile, &asked.context).expect("a report");
    Ok((Verdict::of(&outcome, &asked.context).exit_code(), text, outcome))
}

fn understand(flags: &[&str]) -> Asked {
    let mut asked = Asked {
        profile: "schema-v1".to_owned(),
        overrides: Overrides::default(),
        options: RunOptions::default(),
        open: OpenOptions::default(),
        context: ReportContext::default(),
        accepted: Vec::new(),
    };
    let mut flags = flags.iter();
    while let Some(&flag) = flags.next() {
        let mut given = || (*flags.next().expect("the flag has a value")).to_owned();
        let over = &mut asked.overrides;
        match flag {
            "--profile" => asked.profile = given(),
            "--thread" => over.thread.push(given()),
            "--ordinal" => over.ordinal = Some(given()),
            "--kind" => over.kind = Some(given()),
            "--payload" => over.payload = Some(given()),
            "--ignore" => over.ignore.push(given()),
            "--mask" => over.mask.push(given()),
            "--without" => over.without.push(given()),
            "--skip-start" => over.skip_start = given().parse().ok(),
            "--malformed" => {
                if given() == "skip" {
                    asked.options.malformed = Malformed::Skip;
                    asked.context.malformed_skip = true;
                }
            }
            "--continue" => asked.options.further = given().parse().expect("a number"),
            "--strict" => {
                asked.options.strict = true;
                asked.context.validated = Validated::Full;
            }
            "--skip-nondeterministic" => asked.options.skip_nondeterministic = true,
            "--first" => asked.options.first = true,
            "--prefix" => asked.context.prefix = true,
            "--ignore-unmatched" => asked.context.ignore_unmatched = true,
            "--accept" => {
                let path = given();
                let text = std::fs::read_to_string(&path).expect("the file is there");
                asked
                    .accepted
                    .extend(accept_file::read(&text, &path).unwrap_or_else(|fault| panic!("{fault}\n{text}")));
            }
            "--map" => asked.options.map = map(&given()),
            "--window" => asked.open.window_bytes = given().parse().expect("bytes"),
            "--jobs" => drop(given()),
            other => panic!("no flag {other}"),
        }
    }
    asked
}

fn map(text: &str) -> MapChoice {
    if text == "same" {
        return MapChoice::Same;
    }
    let lane = |name: &str| {
        let (thread, generation) = name.split_once('#').unwrap_or((name, "0"));
        let thread = match thread.strip_prefix('"') {
            Some(text) => ThreadKey::Text(text.trim_end_matches('"').as_bytes().into()),
            None => ThreadKey::Integer(thread.parse().expect("a number")),
        };
        LaneName { thread, generation: generation.parse().expect("a number") }
    };
    let pair = |pair: &str| {
        let (reference, candidate) = pair.split_once('=').expect("two lanes");
        (lane(reference), lane(candidate))
    };
    MapChoice::Given(text.split(',').map(pair).collect())
}
