//! An audit as JSON: `forkpoint.audit/1`.

use super::super::doc::Doc;
use super::super::json::thread as thread_doc;
use super::story::AuditStory;
use crate::audit::log::{Entry, Moment, Name, Object, Reason, Verdict};

/// The form's name and version.
pub(super) const SCHEMA_NAME: &str = "forkpoint.audit/1";

/// Paints an audit as JSON: one document, two-space indent, a newline at its end.
pub fn json(story: &AuditStory) -> String {
    let (audit, world) = (story.audit, &story.audit.world);
    let seen = &audit.seen;
    let paths = story.paths().map(|(rule, step, count, sources)| {
        let functions =
            sources.iter().map(|(name, count)| Doc::object([("name", Doc::text(name)), ("count", Doc::number(count))]));
        Doc::object([
            ("rule", Doc::text(rule)),
            ("step", Doc::text(step.name())),
            ("count", Doc::number(count)),
            ("functions", Doc::Array(functions.collect())),
        ])
    });
    let unexplained = world.unexplained.iter().map(|(family, (count, first))| {
        Doc::object([("type", Doc::text(family)), ("count", Doc::number(count)), ("first", moment(story, first))])
    });
    let log = Doc::object([
        ("path", Doc::text(&story.context.path.to_string_lossy())),
        ("events", Doc::number(seen.events)),
        ("lines", Doc::number(seen.lines)),
        ("threads", Doc::number(world.threads.len())),
        ("lines_skipped", Doc::number(audit.lines_skipped)),
        ("torn", Doc::boolean(audit.is_torn)),
    ]);
    let objects = story.objects.iter().take(story.context.limit);
    let doc = Doc::object([
        ("schema", Doc::text(SCHEMA_NAME)),
        ("verdict", Doc::text(story.outlook.word())),
        ("profile", Doc::text(&story.profile.name)),
        ("log", log),
        ("waiting", Doc::Array(story.waiting.iter().map(|verdict| waiting(story, verdict)).collect())),
        ("seen", Doc::Array(paths.collect())),
        ("unexplained", Doc::Array(unexplained.collect())),
        ("created", Doc::number(world.created)),
        ("destroyed", Doc::number(world.destroyed)),
        ("objects", Doc::Array(objects.map(|one| object(story, one)).collect())),
        ("objects_total", Doc::number(story.objects.len())),
        ("message", Doc::text(&format!("{}: {}", story.outlook.word(), super::words::headline(story)))),
    ]);
    let mut out = String::new();
    doc.write_pretty(&mut out, 0);
    out.push('\n');
    out
}

fn thread(story: &AuditStory, thread: u32) -> Doc {
    let thread = &story.audit.world.threads[thread as usize];
    Doc::object([("tid", thread_doc(&thread.key)), ("generation", Doc::number(thread.generation))])
}

pub(super) fn moment(story: &AuditStory, at: &Moment) -> Doc {
    Doc::object([
        ("line", Doc::number(at.line)),
        ("offset", Doc::number(at.offset)),
        ("thread", thread(story, at.thread)),
        ("position", Doc::number(at.position)),
        ("source", Doc::text(story.source(at))),
        ("time", Doc::or_null(at.time.map(Doc::number))),
    ])
}

pub(super) fn waiting(story: &AuditStory, verdict: &Verdict) -> Doc {
    let one = |at: &Moment| moment(story, at);
    let (signal, by, cycle) = match &verdict.reason {
        Reason::Lost(lost) => (lost.signal, lost.event(), None),
        Reason::NotWoken { signal } => (*signal, None, None),
        Reason::ParkedAgain { woken } => (None, Some(*woken), None),
        Reason::Destroyed { by } | Reason::Held { by } => (None, Some(*by), None),
        Reason::Deadlock { cycle } => (None, None, Some(cycle)),
        Reason::NeverSignalled | Reason::NeverCreated => (None, None, None),
    };
    let cycle = cycle.map(|cycle| Doc::Array(cycle.iter().map(|one| thread(story, *one)).collect()));
    let names =
        verdict.objects.iter().filter_map(|number| story.object(*number)).map(|object| Doc::text(&story.name(object)));
    Doc::object([
        ("thread", thread(story, verdict.thread)),
        ("since", one(&verdict.since)),
        ("lines_since", Doc::number(verdict.lines_since)),
        ("objects", Doc::Array(verdict.objects.iter().map(Doc::number).collect())),
        ("names", Doc::Array(names.collect())),
        ("all", Doc::boolean(verdict.is_for_all)),
        ("reason", Doc::text(verdict.reason.word())),
        ("certain", Doc::boolean(verdict.doubts.is_empty())),
        ("doubts", Doc::Array(verdict.doubts.iter().map(|doubt| Doc::text(&story.doubt(*doubt))).collect())),
        ("signal", Doc::or_null(signal.as_ref().map(one))),
        ("by", Doc::or_null(by.as_ref().map(one))),
        ("cycle", Doc::or_null(cycle)),
        ("message", Doc::text(&story.why(verdict))),
    ])
}

pub(super) fn object(story: &AuditStory, object: &Object) -> Doc {
    let name = |name: &Name| Doc::text(&name.to_string());
    let step = |entry: &Entry| {
        let mut doc = Doc::object([("step", Doc::text(entry.step.name())), ("at", moment(story, &entry.at))]);
        let Some(aux) = &entry.aux else { return doc };
        let mut add = |key: &str, value: Option<i64>| {
            if let Some(value) = value {
                doc.add(key, Doc::number(value));
            }
        };
        add("previous", aux.previous);
        add("count", aux.count);
        add("timeout", aux.timeout);
        add("alertable", aux.alertable.map(i64::from));
        add("result", aux.result);
        add("lr", aux.lr);
        if let Some(stack) = &aux.stack {
            doc.add("stack", Doc::text(stack));
        }
        doc
    };
    let owner = object.owner.map(|(owner, _)| thread(story, owner.thread));
    Doc::object([
        ("number", Doc::number(object.number)),
        ("names", Doc::Array(object.names.iter().map(name).collect())),
        ("type", Doc::text(object.kind.label())),
        ("created", Doc::or_null(object.created.as_ref().map(|entry| moment(story, &entry.at)))),
        ("destroyed", Doc::or_null(object.destroyed.as_ref().map(|entry| moment(story, &entry.at)))),
        ("signals", Doc::number(object.signalled)),
        ("waits", Doc::number(object.waits.total)),
        ("wakes", Doc::number(object.wakes.total)),
        ("dropped", Doc::number(object.signals.dropped() + object.waits.dropped() + object.wakes.dropped())),
        ("signalled", Doc::boolean(object.available > 0)),
        ("owner", Doc::or_null(owner)),
        ("waiting", Doc::Array(object.waiters.iter().map(|one| thread(story, *one)).collect())),
        ("steps", Doc::Array(object.timeline().into_iter().map(step).collect())),
    ])
}
