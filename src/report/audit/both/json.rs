//! An audit of two logs as JSON: `forkpoint.audit-both/1`.

use super::super::super::doc::Doc;
use super::super::super::json::thread as thread_doc;
use super::super::json::{moment, object as object_doc, waiting as waiting_doc};
use super::story::BothStory;
use super::words;
use crate::audit::both::{Deed, Missing, OneSided, Paired, PairedBy};
use crate::source::Side;

/// The form's name and version.
pub(in crate::report::audit) const SCHEMA_NAME: &str = "forkpoint.audit-both/1";

/// Paints an audit of two logs as JSON: one document, two-space indent, a newline at its end.
pub fn json(story: &BothStory) -> String {
    let log = |side: Side| {
        let (own, audit) = (&story.sides[side.index()], &story.audit.logs[side.index()]);
        Doc::object([
            ("path", Doc::text(&own.context.path.to_string_lossy())),
            ("events", Doc::number(audit.seen.events)),
            ("lines", Doc::number(audit.seen.lines)),
            ("threads", Doc::number(audit.world.threads.len())),
            ("created", Doc::number(audit.world.created)),
            ("destroyed", Doc::number(audit.world.destroyed)),
            ("lines_skipped", Doc::number(audit.lines_skipped)),
            ("torn", Doc::boolean(audit.is_torn)),
        ])
    };
    let (paired, alone) = story.pair_counts();
    let doc = Doc::object([
        ("schema", Doc::text(SCHEMA_NAME)),
        ("verdict", Doc::text(story.outlook.word())),
        ("profile", Doc::text(&story.profile.name)),
        ("reference", log(Side::Reference)),
        ("candidate", log(Side::Candidate)),
        ("pairs", Doc::number(paired)),
        ("alone", Doc::number(alone)),
        ("waiting", Doc::Array(story.waiting.iter().map(|one| waiting(story, one)).collect())),
        ("waiting_alike", Doc::number(story.audit.waiting_alike)),
        ("objects", Doc::number(story.audit.objects)),
        ("paired_by", Doc::text(if story.audit.paired_by == PairedBy::Name { "name" } else { "order" })),
        (
            "parted",
            Doc::Array(story.parted.iter().take(story.context.limit).map(|object| parted(story, object)).collect()),
        ),
        ("parted_total", Doc::number(story.parted.len() as u64 + story.audit.parted_more)),
        ("message", Doc::text(&format!("{}: {}", story.outlook.word(), words::headline(story)))),
    ]);
    let mut out = String::new();
    doc.write_pretty(&mut out, 0);
    out.push('\n');
    out
}

fn pair(story: &BothStory, pair: u32) -> Doc {
    let lane =
        |side: Side| {
            let lane = story.pair(pair).and_then(|pair| pair.lanes[side.index()].as_ref());
            Doc::or_null(lane.map(|lane| {
                Doc::object([("tid", thread_doc(&lane.thread)), ("generation", Doc::number(lane.generation))])
            }))
        };
    Doc::object([("reference", lane(Side::Reference)), ("candidate", lane(Side::Candidate))])
}

fn deed(story: &BothStory, side: Side, deed: &Deed) -> Doc {
    Doc::object([
        ("step", Doc::text(deed.step.name())),
        ("detail", Doc::number(deed.detail)),
        ("at", moment(&story.sides[side.index()], &deed.at)),
    ])
}

fn waiting(story: &BothStory, one: &OneSided) -> Doc {
    let own = &story.sides[one.side.index()];
    let other = &story.sides[one.side.other().index()];
    let instead = one.instead.map(|at| waiting_doc(other, &story.audit.logs[one.side.other().index()].verdicts[at]));
    Doc::object([
        ("side", Doc::text(words::side_word(one.side))),
        ("threads", Doc::or_null(one.pair.map(|at| pair(story, at)))),
        ("wait", waiting_doc(own, one.verdict(&story.audit.logs))),
        ("instead", Doc::or_null(instead)),
        ("has_partner", Doc::boolean(one.has_partner)),
        ("missing", Doc::Array(one.missing.iter().map(|missing| missing_doc(story, one, missing)).collect())),
        ("message", Doc::text(&story.why(one).join("; "))),
    ])
}

fn missing_doc(story: &BothStory, one: &OneSided, missing: &Missing) -> Doc {
    let log = &story.audit.logs[one.side.index()];
    let partner = missing.partner.thread().map(|thread| {
        let thread = &log.world.threads[thread as usize];
        Doc::object([
            ("tid", thread_doc(&thread.key)),
            ("generation", Doc::number(thread.generation)),
            ("events", Doc::number(thread.events)),
            ("last_line", Doc::number(thread.last_line)),
            ("ended", Doc::boolean(thread.has_ended)),
        ])
    });
    let waits = missing.partner.waits().map(|at| waiting_doc(&story.sides[one.side.index()], &log.verdicts[at]));
    Doc::object([
        ("threads", pair(story, missing.pair)),
        ("signal", deed(story, one.side.other(), &missing.deed)),
        ("partner", Doc::or_null(partner)),
        ("does", Doc::text(missing.partner.word())),
        ("waits", Doc::or_null(waits)),
    ])
}

fn parted(story: &BothStory, object: &Paired) -> Doc {
    let trails = story.partings(object).into_iter().map(|(at, deeds)| {
        let side = |side: Side| Doc::or_null(deeds[side.index()].as_ref().map(|one| deed(story, side, one)));
        Doc::object([
            ("threads", pair(story, at)),
            ("pool", Doc::boolean(story.pair(at).is_some_and(|pair| pair.is_pool))),
            ("reference", side(Side::Reference)),
            ("candidate", side(Side::Candidate)),
        ])
    });
    let own =
        |side: Side| Doc::or_null(story.object(object, side).map(|own| object_doc(&story.sides[side.index()], own)));
    let name = |side: Side| Doc::or_null(object.names[side.index()].as_ref().map(|name| Doc::text(&name.to_string())));
    Doc::object([
        ("names", Doc::object([("reference", name(Side::Reference)), ("candidate", name(Side::Candidate))])),
        ("partings", Doc::Array(trails.collect())),
        ("reference", own(Side::Reference)),
        ("candidate", own(Side::Candidate)),
        ("message", Doc::text(&story.titled(object))),
    ])
}
