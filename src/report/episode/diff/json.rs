//! Runs against runs as JSON: `forkpoint.episode-diff/1`.

use super::super::super::doc::Doc;
use super::super::logs;
use super::story::{EpisodeDiffStory, SIDES};
use crate::episode::difference::{Change, SideValues, Values};
use crate::episode::measure::{Measurement, Metric};

/// The form's name and version.
pub(crate) const SCHEMA_NAME: &str = "forkpoint.episode-diff/1";

/// Paints runs against runs as JSON: one document, two-space indent, a newline at its end.
pub fn json(story: &EpisodeDiffStory) -> String {
    let difference = story.difference;
    let runs = |side: usize| Doc::Array(story.sides[side].iter().map(run).collect());
    let phases = difference.phases.iter().map(|phase| {
        Doc::object([
            ("phase", Doc::text(&phase.name)),
            ("reference_runs", Doc::number(phase.runs[0])),
            ("candidate_runs", Doc::number(phase.runs[1])),
        ])
    });
    let texts = |texts: Vec<String>| Doc::Array(texts.iter().map(|text| Doc::text(text)).collect());
    let faults = story.sides.iter().flat_map(|runs| runs.iter()).flat_map(Measurement::faults);
    let one_sided = difference.one_sided.iter().map(|(phase, metric, side)| {
        let mut doc = Doc::object([("phase", Doc::text(&difference.phases[*phase].name))]);
        name(metric, &mut doc);
        doc.add("only", Doc::text(SIDES[*side]));
        doc
    });
    let doc = Doc::object([
        ("schema", Doc::text(SCHEMA_NAME)),
        ("verdict", Doc::text(story.verdict.word())),
        ("threshold", Doc::number(story.context.threshold)),
        ("reference", runs(0)),
        ("candidate", runs(1)),
        ("phases", Doc::Array(phases.collect())),
        ("changed", Doc::number(difference.real())),
        ("metrics", Doc::Array(difference.changes.iter().map(|one| change(story, one)).collect())),
        ("one_sided", Doc::Array(one_sided.collect())),
        ("logs", Doc::Array(story.logs.iter().map(logs::doc).collect())),
        ("notes", texts(story.notes())),
        ("faults", texts(faults.cloned().collect())),
        ("message", Doc::text(&format!("{}: {}", story.verdict.word(), story.headline()))),
    ]);
    let mut out = String::new();
    doc.write_pretty(&mut out, 0);
    out.push('\n');
    out
}

fn run(run: &Measurement) -> Doc {
    Doc::object([
        ("path", Doc::text(&run.kept.path().to_string_lossy())),
        ("id", Doc::text(&run.kept.id())),
        ("standing", Doc::text(run.kept.standing.word())),
        ("duration_s", Doc::number(run.seconds())),
    ])
}

fn name(metric: &Metric, doc: &mut Doc) {
    doc.add("source", Doc::text(metric.source.word()));
    doc.add("metric", Doc::text(&metric.name));
    doc.add("unit", Doc::text(&metric.unit.word()));
}

fn change(story: &EpisodeDiffStory, change: &Change) -> Doc {
    let mut doc = Doc::object([("phase", Doc::text(&story.difference.phases[change.phase].name))]);
    name(&change.metric, &mut doc);
    for (word, side) in SIDES.iter().zip(&change.sides) {
        doc.add(word, values(side));
    }
    doc.add("change", Doc::or_null(change.part().map(Doc::number)));
    doc.add("changed", Doc::boolean(change.is_real));
    doc.add("rule", Doc::text(change.rule.word()));
    doc
}

fn values(side: &SideValues) -> Doc {
    let (of, summary) = match &side.values {
        Values::Parts(summary) => ("parts", summary),
        Values::Runs(summary) => ("runs", summary),
    };
    let mut doc = Doc::object([("runs", Doc::number(side.runs)), ("of", Doc::text(of))]);
    super::super::show::summary(summary, &mut doc);
    doc
}
