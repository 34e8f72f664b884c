//! What is told of an episode, in which order, and its sentences.

use serde_json::Value;

use super::super::super::quote;
use super::super::super::style::Style;
use super::super::super::verdict::Verdict;
use super::super::super::visible::{bytes, counted, grouped, visible};
use super::super::EpisodeContext;
use super::super::grid::Grid;
use super::super::numbers::{clock, seconds, value};
use crate::episode::measure::{Measured, Measurement, Metric, PhaseMeasured, Source};
use crate::episode::read::{Happening, Meta, Standing, Subject};

/// Events that are told unless all are wanted.
const EVENTS_TOLD: usize = 40;

/// One episode.
pub struct EpisodeStory<'a> {
    pub(super) run: &'a Measurement,
    pub(super) context: &'a EpisodeContext,
    /// Identical where all could be read, trouble where something is damaged.
    pub verdict: Verdict,
}

impl<'a> EpisodeStory<'a> {
    pub fn new(run: &'a Measurement, context: &'a EpisodeContext) -> EpisodeStory<'a> {
        let verdict = if run.faults_total() > 0 { Verdict::Trouble } else { Verdict::Identical };
        EpisodeStory { run, context, verdict }
    }

    /// How it stands, as a sentence.
    pub(super) fn headline(&self) -> String {
        let reasons = self.run.kept.meta.texts("/result/reasons").len() as u64;
        let after = format!("after {}", seconds(self.run.seconds()));
        let stands = match self.run.kept.standing {
            Standing::Complete => format!("an episode of {}", seconds(self.run.seconds())),
            Standing::Degraded => {
                let count = if reasons == 0 {
                    String::new()
                } else {
                    format!(", for {}", counted(reasons, "reason", "reasons"))
                };
                format!("an episode of {}, and not all that was asked for is there{count}", seconds(self.run.seconds()))
            }
            Standing::Unfinished => format!("the recorder was killed or failed {after}; what it had written is here"),
            Standing::Running => format!("it is being recorded, so far {}", seconds(self.run.seconds())),
        };
        match self.run.faults_total() {
            0 => stands,
            some => format!("{stands}; {}", counted(some, "place is damaged", "places are damaged")),
        }
    }

    pub(super) fn style(&self) -> Style {
        match (self.verdict, self.run.kept.standing) {
            (Verdict::Trouble, _) => Style::Bad,
            (_, Standing::Complete | Standing::Running) => Style::Good,
            _ => Style::Warn,
        }
    }

    /// What it says of itself: a word, and what.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let meta = &self.run.kept.meta;
        let mut facts = vec![("folder", visible(&self.run.kept.path().to_string_lossy()))];
        let mut tell = |word: &'static str, what: Option<String>| {
            facts.extend(what.filter(|what| !what.is_empty()).map(|what| (word, visible(&what))));
        };
        tell("id", Some(self.run.kept.id()));
        tell(if matches!(meta.subject(), Subject::Process(_)) { "watched" } else { "ran" }, subject(meta));
        tell("started", started(meta));
        tell("ended", ended(meta));
        tell("code", code(meta));
        tell("host", host(meta));
        tell("machine", machine(meta));
        tell("sample", meta.at("/sample").map(plain));
        tell("exploit", meta.at("/exploit").map(plain));
        tell("metadata", meta.at("/metadata").map(plain));
        facts
    }

    /// Why it is less than what was asked for, what is torn or damaged, what is worth saying.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> =
            self.run.kept.meta.texts("/result/reasons").iter().map(|reason| visible(reason)).collect();
        let torn = self.run.files.iter().filter(|file| file.is_torn);
        let why = if self.run.kept.standing == Standing::Running { "is being written" } else { "is torn" };
        notes.extend(torn.map(|file| format!("{}: the last line {why}", file.name)));
        notes.extend(self.run.notes.iter().map(|note| visible(note)));
        if self.run.phases.is_empty() {
            notes.push("there are no labels, so nothing is known of phases".to_owned());
        }
        notes
    }

    /// Its phases.
    pub(super) fn phases(&self) -> Grid<5> {
        let mut grid = Grid::new(["phase", ">from", ">for", ">times", ""]);
        for phase in &self.run.phases {
            grid.row([
                (Style::Plain, visible(&phase.name)),
                (Style::Dim, format!("{} s", clock(phase.start))),
                (Style::Plain, seconds(phase.seconds)),
                (Style::Plain, if phase.times > 1 { grouped(phase.times) } else { String::new() }),
                (Style::Warn, if phase.is_cut { "its end is not known".to_owned() } else { String::new() }),
            ]);
        }
        grid
    }

    /// Its files: rows of each, and bytes of what has none.
    pub(super) fn files(&self) -> Grid<3> {
        let mut grid = Grid::new(["file", ">rows", ""]);
        for file in self.run.files.iter().filter(|file| file.exists) {
            let damaged = match file.faults_total {
                0 => String::new(),
                some => counted(some, "is damaged", "are damaged"),
            };
            grid.row([(Style::Plain, file.name.clone()), (Style::Plain, grouped(file.rows)), (Style::Bad, damaged)]);
        }
        for name in ["network.pcap", "stdout.log", "stderr.log"] {
            if let Some(length) = self.run.kept.length(name) {
                let length = (Style::Dim, bytes(length));
                grid.row([(Style::Plain, name.to_owned()), (Style::Plain, String::new()), length]);
            }
        }
        grid
    }

    /// Its events, the first so many, and how many more there are.
    pub(super) fn events(&self) -> (&'a [Happening], u64) {
        let kept = &self.run.timeline.events;
        let told = if self.context.all { kept.len() } else { kept.len().min(EVENTS_TOLD) };
        (&kept[..told], self.run.timeline.total - told as u64)
    }

    /// What was measured in a phase; how many metrics are 0 throughout and left out.
    pub(super) fn metrics(&self, phase: &PhaseMeasured) -> (Grid<5>, u64) {
        let mut grid = Grid::new(["metric", ">min", ">median", ">max", ">on the whole"]);
        let mut left = 0;
        for (metric, measured) in phase.metrics.iter().filter(|(metric, _)| metric.source != Source::Episode) {
            if !self.context.all && is_nothing(measured) {
                left += 1;
                continue;
            }
            grid.row(row(metric, measured));
        }
        (grid, left)
    }
}

fn is_nothing(measured: &Measured) -> bool {
    measured.values.min == 0.0 && measured.values.max == 0.0
}

fn row(metric: &Metric, measured: &Measured) -> [(Style, String); 5] {
    let spelled = |amount: f64| value(&metric.unit, amount);
    let values = &measured.values;
    [
        (Style::Plain, super::super::super::visible::clip(&visible(&metric.told()), 44)),
        (Style::Dim, spelled(values.min)),
        (Style::Plain, spelled(values.median)),
        (Style::Dim, spelled(values.max)),
        // Of what is counted in few ticks only the whole says how much it was.
        (Style::Plain, if metric.unit.is_rate() { spelled(measured.whole) } else { String::new() }),
    ]
}

/// An event as one line: `phase_transition to=load prev=clean`.
pub(in super::super) fn event(happening: &Happening) -> String {
    let fields = happening.fields.iter().filter(|(_, value)| value != "null");
    let fields = fields.map(|(key, value)| {
        let is_plain = !value.is_empty() && !value.contains([' ', '"']) || value.starts_with(['{', '[']);
        if is_plain { format!(" {key}={value}") } else { format!(" {key}={value:?}") }
    });
    visible(format!("{}{}", happening.event, fields.collect::<String>()).trim_start())
}

/// The command, or the process.
pub(in super::super) fn subject(meta: &Meta) -> Option<String> {
    match meta.subject() {
        Subject::Command(words) => {
            Some(words.iter().map(|word| quote::word(word.as_bytes())).collect::<Vec<_>>().join(" "))
        }
        Subject::Process(number) => Some(format!("process {number}")),
        Subject::Unknown => None,
    }
}

/// When it began: `2026-11-23 00:36:27 UTC`, or as it says it.
pub(in super::super) fn started(meta: &Meta) -> Option<String> {
    moment(meta.text("/started_at_wall")?)
}

fn moment(text: &str) -> Option<String> {
    let (Some(day), Some(time)) = (text.get(..10), text.get(11..19)) else { return Some(text.to_owned()) };
    let is_utc = text.ends_with('Z') || text.ends_with("+00:00");
    let looks = text.as_bytes()[10] == b'T'
        && day.bytes().chain(time.bytes()).all(|byte| byte.is_ascii_digit() || b"-:".contains(&byte));
    Some(if is_utc && looks { format!("{day} {time} UTC") } else { text.to_owned() })
}

fn ended(meta: &Meta) -> Option<String> {
    let mut told: Vec<String> = meta.text("/ended_at_wall").and_then(moment).into_iter().collect();
    told.extend(meta.text("/result/ended_by").map(|by| format!("by {by}")));
    let number = |pointer| meta.at(pointer).and_then(Value::as_i64);
    told.extend(number("/target/exit_code").map(|code| format!("exit code {code}")));
    told.extend(number("/target/signal").map(|signal| format!("signal {signal}")));
    if told.len() < 2 && meta.at("/result/pid_alive_at_end").and_then(Value::as_bool) == Some(false) {
        told.push("the process was gone".to_owned());
    }
    (!told.is_empty()).then(|| told.join(", "))
}

fn code(meta: &Meta) -> Option<String> {
    let commit = meta.text("/code_version/commit").filter(|commit| *commit != "unknown")?;
    let mut told = vec![commit.chars().take(12).collect::<String>()];
    told.extend(meta.text("/code_version/branch").map(str::to_owned));
    if meta.at("/code_version/dirty").and_then(Value::as_bool) == Some(true) {
        told.push("with changes".to_owned());
    }
    Some(told.join(", "))
}

fn host(meta: &Meta) -> Option<String> {
    let text = |pointer| meta.text(pointer).map(str::to_owned);
    let number = |pointer| meta.at(pointer).and_then(Value::as_u64);
    let told = [
        text("/host_fingerprint/kernel"),
        text("/host_fingerprint/cpu"),
        number("/host_fingerprint/cores").map(|cores| counted(cores, "core", "cores")),
        number("/host_fingerprint/memory_mib").map(|mib| bytes(mib.saturating_mul(1 << 20))),
        text("/host_fingerprint/qemu_version").map(|version| format!("QEMU {version}")),
    ];
    Some(told.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

/// Names that stand for none: what the first recorder writes where there is no machine.
const STUBS: [&str; 2] = ["(stub)", "(none-stub)"];

fn machine(meta: &Meta) -> Option<String> {
    let text = |pointer| meta.text(pointer).filter(|text| !STUBS.contains(text)).map(str::to_owned);
    let number = |pointer| meta.at(pointer).and_then(Value::as_u64);
    let told = [
        text("/vm/image_name"),
        text("/vm/snapshot_name").map(|name| format!("snapshot {name}")),
        number("/vm/vcpus").map(|count| counted(count, "processor", "processors")),
        number("/vm/ram_mib").map(|mib| format!("{} MiB", grouped(mib))),
    ];
    Some(told.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

/// A value in one line; of an object its members that are not null.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(members) => {
            let told = members.iter().filter(|(_, value)| !value.is_null());
            told.map(|(key, value)| format!("{key}={}", plain(value))).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}
