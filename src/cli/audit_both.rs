//! `forkpoint audit` of two logs: whose trails part.

use anyhow::bail;

use super::args::LogPath;
use super::audit::{AuditArgs, leave, start, tell_faults};
use super::output::{self, Format, To};
use super::progress::Watch;
use super::size::show_count;
use super::terminal::Surroundings;
use super::{Exit, decide, paired, tell, workers};
use crate::align::Observer;
use crate::audit::both::{BothAudit, BothOptions, PairedBy, audit_both};
use crate::profile::Profile;
use crate::report;
use crate::report::audit::Wanted;
use crate::report::audit::both::{self, BothContext, BothStory, story::side_contexts};
use crate::source::Log;

/// Audits both logs and writes the reports.
///
/// # Errors
/// Wrong usage, a log that cannot be read, or a report that cannot be written.
pub(super) fn run(
    args: &AuditArgs,
    paths: [&LogPath; 2],
    profile: &Profile,
    wanted: Wanted,
    around: &Surroundings,
    draw: bool,
) -> anyhow::Result<Exit> {
    for path in paths {
        decide::refuse_missing(path)?;
        if !decide::reopenable(path) {
            let path = report::visible(&path.to_string_lossy());
            bail!("{path}: two logs are read twice, first to pair their threads; that takes files, no pipes");
        }
    }
    let audit = workers::in_pool(args.read.jobs, || read(args, paths, profile, draw))??;
    let paths = paths.map(|path| path.to_path_buf());
    let plain = BothContext { paths, wanted, limit: args.limit.0, width: 100, colour: false };
    let own = BothContext { width: around.width(), colour: around.wants_color(args.talk.color.when), ..plain.clone() };
    let [own_sides, plain_sides] = [&own, &plain].map(side_contexts);
    let unwritten = output::deliver(Some(args.report.format), &args.report.output, |format, to| {
        let (context, sides) = if to == To::Stdout { (&own, &own_sides) } else { (&plain, &plain_sides) };
        let story = BothStory::new(&audit, profile, context, sides);
        Ok(match format {
            Format::Terminal => both::terminal(&story),
            Format::Markdown => both::markdown(&story),
            Format::Json => both::json(&story),
        })
    });
    let exit = || Exit(BothStory::new(&audit, profile, &plain, &plain_sides).outlook.exit_code());
    let faulty = [0, 1].map(|side| tell_faults(&plain.paths[side], &audit.logs[side]));
    Ok(if faulty == [false; 2] { unwritten.unwrap_or_else(exit) } else { Exit::TROUBLE })
}

fn read(args: &AuditArgs, paths: [&LogPath; 2], profile: &Profile, draw: bool) -> anyhow::Result<BothAudit> {
    let options = decide::open_options(&args.read);
    let open = || -> anyhow::Result<[Log; 2]> { Ok([Log::open(paths[0], &options)?, Log::open(paths[1], &options)?]) };
    let [mut reference, mut candidate] = open()?;
    // Headers first: what is wrong with them is told as elsewhere.
    for (log, path) in [&mut reference, &mut candidate].into_iter().zip(paths) {
        start(log, path, profile, args.talk.quiet)?;
    }
    let [mut reference, mut candidate] = open()?;
    let sizes = [&reference, &candidate].map(|log| log.len_at_open().unwrap_or(0));
    let pairs = paired::threads([&mut reference, &mut candidate], profile, args.map.clone())?;
    if args.talk.verbose {
        tell(&format!("{} pairs of threads", show_count(pairs.len() as u64)));
    }
    let mut watch = Watch::new(sizes.iter().sum(), draw);
    let follow = |paired_by: PairedBy| -> anyhow::Result<BothAudit> {
        let [mut reference, mut candidate] = open()?;
        let starts = [(&mut reference, paths[0]), (&mut candidate, paths[1])];
        let [first, second] = starts.map(|(log, path)| start(log, path, profile, args.talk.quiet));
        let logs = [(&mut reference, first?), (&mut candidate, second?)];
        let options = BothOptions { paired_by, focus: &args.handle };
        let found = audit_both(logs, profile, pairs.clone(), options, |side, bytes, lines, events| {
            watch.progress(side, bytes, lines, events, 0);
        })?;
        leave(&mut reference, paths[0], args.talk.quiet)?;
        leave(&mut candidate, paths[1], args.talk.quiet)?;
        Ok(found)
    };
    let found = follow(PairedBy::Name)?;
    // Each log has its own names: they tell nothing.
    let audit = if found.names_tell { found } else { follow(PairedBy::Order)? };
    watch.finish();
    if args.talk.verbose {
        watch.account(["reference", "candidate"]).iter().for_each(|line| tell(line));
    }
    Ok(audit)
}
