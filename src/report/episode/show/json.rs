//! One episode as JSON: `forkpoint.episode/1`.

use super::super::super::doc::Doc;
use super::super::super::tree;
use super::story::EpisodeStory;
use crate::episode::measure::{Measured, Metric, PhaseMeasured, Summary};
use crate::episode::read::{FileAccount, Happening};

/// The form's name and version.
pub(crate) const SCHEMA_NAME: &str = "forkpoint.episode/1";

/// Paints an episode as JSON: one document, two-space indent, a newline at its end.
pub fn json(story: &EpisodeStory) -> String {
    let run = story.run;
    let told = &run.timeline.events;
    let meta = tree::loose(run.kept.meta.value().to_string().as_bytes());
    let doc = Doc::object([
        ("schema", Doc::text(SCHEMA_NAME)),
        ("standing", Doc::text(run.kept.standing.word())),
        ("path", Doc::text(&run.kept.path().to_string_lossy())),
        ("id", Doc::text(&run.kept.id())),
        ("duration_s", Doc::number(run.seconds())),
        ("meta", Doc::or_null(meta)),
        ("phases", Doc::Array(run.phases.iter().map(phase).collect())),
        ("files", Doc::Array(run.files.iter().map(file).collect())),
        ("events", Doc::Array(told.iter().map(event).collect())),
        ("events_total", Doc::number(run.timeline.total)),
        ("notes", Doc::Array(story.notes().iter().map(|note| Doc::text(note)).collect())),
        ("faults", Doc::Array(run.faults().map(|fault| Doc::text(fault)).collect())),
        ("faults_total", Doc::number(run.faults_total())),
        ("message", Doc::text(&format!("{}: {}", run.kept.standing.word(), story.headline()))),
    ]);
    let mut out = String::new();
    doc.write_pretty(&mut out, 0);
    out.push('\n');
    out
}

fn phase(phase: &PhaseMeasured) -> Doc {
    Doc::object([
        ("phase", Doc::text(&phase.name)),
        ("start_ns", Doc::number(phase.start)),
        ("seconds", Doc::number(phase.seconds)),
        ("times", Doc::number(phase.times)),
        ("cut", Doc::boolean(phase.is_cut)),
        ("metrics", Doc::Array(phase.metrics.iter().map(metric).collect())),
    ])
}

fn metric((metric, measured): &(Metric, Measured)) -> Doc {
    let mut doc = Doc::object([
        ("source", Doc::text(metric.source.word())),
        ("metric", Doc::text(&metric.name)),
        ("unit", Doc::text(&metric.unit.word())),
    ]);
    summary(&measured.values, &mut doc);
    doc.add("whole", Doc::number(measured.whole));
    doc
}

/// What values are, as members of an object.
pub(in super::super) fn summary(summary: &Summary, doc: &mut Doc) {
    doc.add("count", Doc::number(summary.count));
    for (key, value) in [
        ("min", summary.min),
        ("lower_quarter", summary.lower),
        ("median", summary.median),
        ("upper_quarter", summary.upper),
        ("max", summary.max),
    ] {
        doc.add(key, Doc::number(value));
    }
}

fn file(file: &FileAccount) -> Doc {
    Doc::object([
        ("file", Doc::text(&file.name)),
        ("exists", Doc::boolean(file.exists)),
        ("rows", Doc::number(file.rows)),
        ("torn", Doc::boolean(file.is_torn)),
        ("damaged", Doc::number(file.faults_total)),
    ])
}

fn event(one: &Happening) -> Doc {
    let fields = one.fields.iter().map(|(key, value)| (super::super::super::doc::quoted(key), Doc::text(value)));
    Doc::object([
        ("t_mono_ns", Doc::number(one.time)),
        ("event", Doc::text(&one.event)),
        ("fields", Doc::Object(fields.collect())),
    ])
}
