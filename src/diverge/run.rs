//! A whole run: two logs in, the outcome out.

use super::acceptance::Acceptances;
use super::causes::{self, Causes};
use super::certain::Certainty;
use super::judge::{Judgement, Verdict};
use super::outcome::{
    AcceptanceUse, CauseFacts, Coverage, Divergence, DivergenceKind, EventCopy, FAULTS_LISTED_MAX, Follows, LaneFacts,
    LineFault, LogFacts, Note, ObjectName, Outcome, Pairing, Reordered, Resync, Status, ValueMeaning,
};
use super::pool::{Looks, pools};
use super::rank;
use super::told::{Told, healed_after};
use crate::align::{
    Aligner, ContextLine, HeaderFault, Intake, Judge, LaneName, MapChoice, Observer, PairState, Phase, RunOptions,
};
use crate::compare::{Comparer, Difference};
use crate::identity::Meant;
use crate::profile::Profile;
use crate::source::{Bytes, Keep, Log, Side, SourceError};

/// Why a run has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The log lacks the header its profile demands.
    #[error("{reason}")]
    Header {
        side: Side,
        line: u64,
        offset: u64,
        reason: String,
        /// The beginning of the log, for advice.
        seen: Bytes,
    },
    /// `--map` names a lane twice.
    #[error("{0}")]
    Map(String),
}

/// Finds the first divergence of every thread of two logs, none being accepted.
///
/// # Errors
/// As [`run_accepting`].
pub fn run(
    reference: &mut Log,
    candidate: &mut Log,
    profile: &Profile,
    options: &RunOptions,
    observer: &dyn Observer,
) -> Result<(Outcome, Keep), RunError> {
    run_accepting(reference, candidate, profile, options, &Acceptances::default(), observer)
}

/// Finds the first divergence of every thread of two logs that is not accepted. Works in the current rayon pool.
///
/// The outcome is the same for any pool, window size or kind of source. Texts the report may
/// show are in the `Keep`.
///
/// # Errors
/// See [`RunError`]; malformed lines are no error but part of the outcome.
pub fn run_accepting(
    reference: &mut Log,
    candidate: &mut Log,
    profile: &Profile,
    options: &RunOptions,
    acceptances: &Acceptances,
    observer: &dyn Observer,
) -> Result<(Outcome, Keep), RunError> {
    let comparer = comparer(profile, options);
    let judge = Judgement {
        comparer: &comparer,
        acceptances,
        first: options.first,
        further: options.further,
        looks: Looks::default(),
    };
    let mut aligner = begin([reference, candidate], profile, &comparer, options, observer, &judge)?;
    let mut certainty = Certainty::default();
    let ends = aligner.run(|aligner| Ok(options.first && certainty.is_reached(aligner, profile)?))?;
    // Whether a log changed is looked at before anything found in it is told.
    let remarks = leave(&mut aligner, ends)?;
    assemble(aligner, profile, acceptances, options.first, remarks)
}

/// What weighs the pairs of a run.
pub fn comparer<'p>(profile: &'p Profile, options: &RunOptions) -> Comparer<'p> {
    let comparer = Comparer::new(profile, options.skip_nondeterministic).with_layouts(options.layouts);
    match options.identity_limit {
        Some(limit) => comparer.with_identity_limit(limit),
        None => comparer,
    }
}

/// Begins a run under any judge.
///
/// # Errors
/// A log cannot be read or lacks its header, or the map names a lane twice.
pub fn begin<'r, J: Judge>(
    logs: [&'r mut Log; 2],
    profile: &'r Profile,
    comparer: &'r Comparer<'r>,
    options: &'r RunOptions,
    observer: &'r dyn Observer,
    judge: &'r J,
) -> Result<Aligner<'r, J>, RunError> {
    check_map(&options.map)?;
    Aligner::begin(logs, profile, comparer, options, observer, judge).map_err(|(side, fault)| match fault {
        HeaderFault::Source(error) => RunError::Source(error),
        HeaderFault::Unfit { line, offset, reason, seen } => RunError::Header { side, line, offset, reason, seen },
    })
}

/// Leaves both logs, whose `ends` were reached or not; says what there is to remark on each.
///
/// # Errors
/// A log changed while it was read.
pub fn leave<J: Judge>(aligner: &mut Aligner<'_, J>, ends: bool) -> Result<[Option<String>; 2], SourceError> {
    let mut remarks = [None, None];
    for side in Side::BOTH {
        let intake = &mut aligner.sides[side.index()];
        match ends {
            true if intake.ended_at.is_some() => intake.log.leave()?,
            true => {}
            false => intake.log.stop(),
        }
        intake.ended_by_damage |= intake.log.damage().is_some();
        remarks[side.index()] = intake.log.finish()?;
    }
    Ok(remarks)
}

fn check_map(map: &MapChoice) -> Result<(), RunError> {
    let MapChoice::Given(entries) = map else { return Ok(()) };
    for (at, (reference, candidate)) in entries.iter().enumerate() {
        let twice = |name: &LaneName, label: &str| {
            RunError::Map(format!("the map names {label} thread {}#{} twice", name.thread, name.generation))
        };
        for (other_reference, other_candidate) in &entries[..at] {
            if other_reference == reference {
                return Err(twice(reference, "reference"));
            }
            if other_candidate == candidate {
                return Err(twice(candidate, "candidate"));
            }
        }
    }
    Ok(())
}

fn assemble(
    mut aligner: Aligner<'_, Judgement<'_>>,
    profile: &Profile,
    acceptances: &Acceptances,
    first_only: bool,
    remarks: [Option<String>; 2],
) -> Result<(Outcome, Keep), RunError> {
    let mut keep = Keep::default();
    let told = Told::of(&mut aligner);
    let mut order: Vec<usize> = (0..aligner.pairings.len()).collect();
    order.sort_by_key(|pairing| listing_key(&aligner, &aligner.pairings[*pairing]));
    let ranks = rank::ranks(&aligner, &told.verdicts, profile);
    let pools = pools(&aligner, &told.verdicts, &order);
    let names = profile.rule_names();
    let best = ranks.iter().position(|(rank, _)| *rank == 1).filter(|_| first_only);
    let best = best.map(|best| &told.verdicts[best]);
    let only_first = best.map(|(_, verdict)| verdict.lines);
    let decides = best.is_some_and(|(pairing, verdict)| {
        rank::is_of_the_best_class(&aligner, &aligner.pairings[*pairing], verdict, profile)
    });
    let found = if first_only { None } else { Some(causes::causes(&aligner, &told.verdicts, profile)?) };
    let rank_of = ranks_of_pairings(&aligner, &told, &ranks);
    let mut divergences: Vec<Vec<Divergence>> = order.iter().map(|_| Vec::new()).collect();
    for ((index, verdict), rank) in told.verdicts.into_iter().zip(ranks) {
        let meanings = meanings(&aligner, profile, &verdict);
        let healed_after = told.healing[index].and_then(|to| healed_after(&verdict, to));
        let mut found = divergence(verdict, meanings, rank, &names, &mut keep)?;
        found.healed_after = healed_after;
        divergences[index].push(found);
    }
    let mut pairings = Vec::with_capacity(order.len());
    for index in &order {
        let mut told_here = std::mem::take(&mut divergences[*index]).into_iter();
        let mut pairing = pairing(&aligner, &aligner.pairings[*index], told_here.next());
        (pairing.late_start, pairing.further) = (told.late_starts[*index], told_here.collect());
        pairing.pool = pools[*index];
        pairing.ambiguous |= pairing.pool.is_some();
        pairings.push(pairing);
    }
    let lead = found.and_then(|found| led(found, &rank_of, &order, profile, &mut pairings));
    let mut first = pairings.iter().position(|p: &Pairing| p.divergence.as_ref().is_some_and(|d| d.rank == 1));
    let (faults, faults_total) = faults(&aligner, only_first);
    let mut untold = Vec::new();
    if let Some(at) = first.filter(|_| only_first.is_some()) {
        let shown = pairings.swap_remove(at);
        // A malformed line that ended another pairing may stand behind the two lines.
        untold = pairings;
        untold.retain(|other| !decides && other.status != Status::Faulty);
        (pairings, first) = (vec![shown], Some(0));
    }
    let mut outcome = Outcome {
        reference: facts(&aligner.sides[0]),
        candidate: facts(&aligner.sides[1]),
        first,
        lead: lead.map(|(lead, _)| lead),
        causes: lead.and_then(|(_, facts)| facts),
        pairings,
        coverage: coverage(&aligner, &names, usize::from(profile.event_base())),
        faults,
        faults_total,
        notes: notes(&mut aligner, only_first, remarks),
        map_unknown: std::mem::take(&mut aligner.map_unknown),
        accepted: aligner.pairings.iter().map(|pairing| pairing.accepted).sum(),
        acceptances: uses(acceptances, &aligner.accepted_by),
        only_first,
        untold,
    };
    rank::mark_cut(&mut outcome);
    Ok((outcome, keep))
}

/// The rank of each pairing's first divergence, from 1; 0 without one.
fn ranks_of_pairings(aligner: &Aligner<'_, Judgement<'_>>, told: &Told, ranks: &[(u64, bool)]) -> Vec<u64> {
    let mut of_pairing = vec![0; aligner.pairings.len()];
    for ((pairing, _), (rank, _)) in told.verdicts.iter().zip(ranks) {
        if of_pairing[*pairing] == 0 {
            of_pairing[*pairing] = *rank;
        }
    }
    of_pairing
}

/// Says of each divergence what it may follow from; returns which to look at first, and how far causes were looked for.
/// `order` holds the pairings' numbers as they are listed.
fn led(
    found: Causes,
    rank_of: &[u64],
    order: &[usize],
    profile: &Profile,
    pairings: &mut [Pairing],
) -> Option<(usize, Option<CauseFacts>)> {
    let first = rank_of.iter().position(|rank| *rank == 1)?;
    let lead = found.lead(first, |pairing| rank_of[pairing]);
    let mut listed = vec![0; order.len()];
    order.iter().enumerate().for_each(|(at, pairing)| listed[*pairing] = at);
    for (pairing, follow) in found.told(lead).into_iter().enumerate() {
        let Some(divergence) = pairings[listed[pairing]].divergence.as_mut() else { continue };
        divergence.follows = follow.map(|follow| Follows {
            pairing: listed[follow.from],
            edge: profile.edge[follow.rule].name.clone(),
            side: follow.side,
            cause_line: follow.cause,
            effect_line: follow.effect,
            about: follow.about,
        });
    }
    let has_several = rank_of.iter().filter(|rank| **rank > 0).count() > 1;
    let facts =
        CauseFacts { has_rules: !profile.edge.is_empty(), looked: found.looked, met: found.met, is_cut: found.is_cut };
    Some((listed[lead], has_several.then_some(facts)))
}

/// Whether a line is told of: under `first` nothing that stands behind the divergence is.
fn is_told(only_first: Option<[Option<u64>; 2]>, side: Side, line: u64) -> bool {
    only_first.and_then(|lines| lines[side.index()]).is_none_or(|last| line <= last)
}

/// Says where objects were not followed any more.
fn stopped(aligner: &Aligner<'_, Judgement<'_>>) -> Vec<Note> {
    let Some(identities) = aligner.comparer().identities() else { return Vec::new() };
    let identities = identities.read().unwrap_or_else(std::sync::PoisonError::into_inner);
    let note = |side: Side| {
        let line = identities.stopped_at(side.index())?;
        let text = format!(
            "line {line}: more objects at one time than --identity-limit allows: from here on, whatever identity rules \
             are for is not told apart"
        );
        Some(Note { side, text })
    };
    Side::BOTH.into_iter().filter_map(note).collect()
}

/// The remarks on each log, those on the log as a whole last.
fn notes(
    aligner: &mut Aligner<'_, Judgement<'_>>,
    only_first: Option<[Option<u64>; 2]>,
    remarks: [Option<String>; 2],
) -> Vec<Note> {
    let mut notes = stopped(aligner);
    for (side, remark) in Side::BOTH.into_iter().zip(remarks) {
        let intake = &mut aligner.sides[side.index()];
        // A window tells its threads' notes one thread after the other.
        intake.notes.sort_by_key(|(line, _)| *line);
        let told = intake.notes.drain(..).filter(|(line, _)| is_told(only_first, side, *line));
        notes.extend(told.map(|(_, text)| Note { side, text }));
        // Of a stream it tells what stands at its end; of a file, that it changed.
        let remark = remark.filter(|_| is_told(only_first, side, u64::MAX) || !intake.log.is_stream());
        notes.extend(remark.map(|text| Note { side, text }));
    }
    notes
}

/// In order of the reference lane's first line, then lanes only the candidate has.
fn listing_key(aligner: &Aligner<'_, Judgement<'_>>, pairing: &PairState) -> (bool, u64) {
    let line = |side: Side| pairing.lanes[side.index()].map(|lane| aligner.sides[side.index()].lanes[lane].first_line);
    match line(Side::Reference) {
        Some(line) => (false, line),
        None => (true, line(Side::Candidate).unwrap_or(0)),
    }
}

fn pairing(aligner: &Aligner<'_, Judgement<'_>>, state: &PairState, divergence: Option<Divergence>) -> Pairing {
    let lane = |side: Side| {
        let lane = &aligner.sides[side.index()].lanes[state.lanes[side.index()]?];
        Some(LaneFacts {
            thread: lane.thread.clone(),
            generation: lane.generation,
            events: lane.events,
            first_line: lane.first_line,
        })
    };
    let status = match (state.phase, divergence.as_ref().map(|divergence| divergence.kind)) {
        (Phase::NotCompared, _) => Status::NotCompared,
        (Phase::Faulty, None) => Status::Faulty,
        (_, Some(DivergenceKind::Unmatched)) => Status::Unmatched,
        (_, Some(_)) => Status::Diverged,
        _ => Status::Identical,
    };
    Pairing {
        reference: lane(Side::Reference),
        candidate: lane(Side::Candidate),
        matched_by: state.decision.matched_by,
        ambiguous: state.decision.ambiguous,
        evidence: state.decision.evidence,
        status,
        compared: state.compared_before.unwrap_or(state.compared),
        divergence,
        accepted: state.accepted,
        late_start: None,
        further: Vec::new(),
        pool: None,
    }
}

/// The objects that the values of a divergence mean, by name.
fn meanings(aligner: &Aligner<'_, Judgement<'_>>, profile: &Profile, verdict: &Verdict) -> Vec<ValueMeaning> {
    let named = |side: Side, meant: Option<Meant>| {
        let Meant { object, offset } = meant?;
        let lane = &aligner.sides[side.index()].lanes[object.lane as usize];
        Some(ObjectName {
            rule: profile.identity[usize::from(object.rule)].name.clone(),
            thread: lane.thread.clone(),
            generation: lane.generation,
            number: object.number,
            offset,
        })
    };
    let meaning = |difference: &Difference| {
        let [reference, candidate] = **difference.meant.as_ref()?;
        let objects = [named(Side::Reference, reference), named(Side::Candidate, candidate)];
        Some(ValueMeaning { path: difference.path.clone(), objects })
    };
    verdict.differences.iter().filter_map(meaning).collect()
}

fn divergence(
    verdict: Verdict,
    meanings: Vec<ValueMeaning>,
    (rank, after_fault): (u64, bool),
    names: &[&str],
    keep: &mut Keep,
) -> Result<Divergence, SourceError> {
    let [reference, candidate] = verdict.events;
    let mut copy = |line: ContextLine| copy(line, keep);
    let mut copies = |lines: Vec<ContextLine>| lines.into_iter().map(&mut copy).collect::<Result<Vec<_>, _>>();
    let [after_reference, after_candidate] = verdict.after;
    let (after_reference, after_candidate) = (copies(after_reference)?, copies(after_candidate)?);
    let reordered = match verdict.reordered {
        Some((order, [reference, candidate])) => {
            Some(Reordered { order, reference: copies(reference)?, candidate: copies(candidate)? })
        }
        None => None,
    };
    let mut before = Vec::with_capacity(verdict.before.len());
    for [left, right] in verdict.before {
        before.push((copy(left)?, copy(right)?));
    }
    Ok(Divergence {
        position: verdict.position,
        event_kind: verdict.event_kind,
        kind: verdict.kind,
        rank,
        after_fault,
        reference: reference.map(&mut copy).transpose()?,
        candidate: candidate.map(&mut copy).transpose()?,
        differences: verdict.differences,
        differences_total: verdict.differences_total,
        meanings,
        resync: verdict.resync.map(|(shift, ordinal_shift)| Resync {
            after_reference: shift.reference as u64,
            after_candidate: shift.candidate as u64,
            equal_run: shift.equal_run as u64,
            ordinal_shift,
        }),
        reordered,
        healed_after: None,
        follows: None,
        before,
        after_reference,
        after_candidate,
        overlooked: verdict.overlooked.iter().map(|rule| names[*rule as usize].to_owned()).collect(),
    })
}

fn copy(line: ContextLine, keep: &mut Keep) -> Result<EventCopy, SourceError> {
    Ok(EventCopy {
        line: line.place.line,
        offset: line.place.offset,
        ordinal: line.place.ordinal,
        position: line.place.position,
        parts: line.place.parts,
        text: keep.put(&line.text)?,
        cut_bytes: line.cut_bytes,
    })
}

fn facts(intake: &Intake<'_>) -> LogFacts {
    LogFacts {
        bytes: intake.ended_at.unwrap_or_else(|| intake.log.bytes_read()),
        events: intake.time,
        threads: intake.threads(),
        lines_skipped: intake.lines_skipped,
        cut: false,
        last_line: intake.last_line,
        ended_by_damage: intake.ended_by_damage,
        header: intake.header.clone(),
        engine: intake.engine.clone(),
    }
}

fn faults(aligner: &Aligner<'_, Judgement<'_>>, only_first: Option<[Option<u64>; 2]>) -> (Vec<LineFault>, u64) {
    let mut listed = Vec::new();
    let mut total = 0;
    for side in Side::BOTH {
        let faults = aligner.sides[side.index()].faults.iter();
        let mut faults: Vec<_> = faults.filter(|fault| is_told(only_first, side, fault.line)).collect();
        total += faults.len() as u64;
        faults.sort_by_key(|fault| fault.offset);
        listed.extend(faults.into_iter().map(|fault| LineFault {
            side,
            line: fault.line,
            offset: fault.offset,
            reason: fault.reason.clone(),
        }));
    }
    listed.truncate(FAULTS_LISTED_MAX);
    (listed, total)
}

fn coverage(aligner: &Aligner<'_, Judgement<'_>>, names: &[&str], event_base: usize) -> Coverage {
    let counters = &aligner.counters;
    let taken_out = |at: usize| aligner.sides.each_ref().map(|side| side.taken_out[at]);
    Coverage {
        events_compared: counters.events_compared,
        equal_by_bytes: counters.equal_by_bytes,
        read: counters.read,
        unverified: counters.unverified,
        skipped_nondeterministic: counters.skipped_nondeterministic,
        differed_in_bytes: counters.differed_in_bytes,
        overlooked: (names.iter().zip(&counters.overlooked))
            .filter(|(_, count)| **count > 0)
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect(),
        taken_out: (names[event_base..].iter().enumerate())
            .map(|(at, name)| ((*name).to_owned(), taken_out(at)))
            .filter(|(_, counts)| *counts != [0, 0])
            .collect(),
    }
}

fn uses(acceptances: &Acceptances, accepted: &[u64]) -> Vec<AcceptanceUse> {
    let entries = acceptances.entries().iter().enumerate();
    entries
        .map(|(at, entry)| AcceptanceUse {
            place: entry.place.clone(),
            divergence: entry.what.divergence,
            reason: entry.reason.clone(),
            link: entry.link.clone(),
            expires: entry.expires.map(|date| date.to_string()),
            has_expired: acceptances.has_expired(entry),
            accepted: accepted.get(at).copied().unwrap_or(0),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::ThreadKey;

    #[test]
    fn a_map_names_each_lane_once() {
        let lane = |thread: i64| LaneName { thread: ThreadKey::Integer(thread), generation: 0 };
        let checked = |pairs: &[(i64, i64)]| {
            let entries = pairs.iter().map(|(reference, candidate)| (lane(*reference), lane(*candidate))).collect();
            check_map(&MapChoice::Given(entries)).map_err(|error| error.to_string())
        };
        assert_eq!(checked(&[(6, 1), (7, 2), (1, 6)]), Ok(()));
        assert!(checked(&[(6, 1), (7, 2), (6, 3)]).unwrap_err().contains("reference thread 6#0 twice"));
        assert!(checked(&[(6, 1), (7, 2), (8, 1)]).unwrap_err().contains("candidate thread 1#0 twice"));
        assert!(check_map(&MapChoice::Auto).is_ok());
    }

    #[test]
    fn under_first_nothing_behind_the_divergence_is_told() {
        let lines = Some([Some(7), None]);
        assert!(is_told(lines, Side::Reference, 7) && !is_told(lines, Side::Reference, 8));
        assert!(is_told(lines, Side::Candidate, u64::MAX) && is_told(None, Side::Reference, u64::MAX));
    }
}
