//! Records, and tells what was kept.

use std::io::Write;
use std::sync::Arc;

use super::args::RecordArgs;
use super::plan::plan;
use crate::cli::{Exit, interrupt, tell};
use crate::episode::{Recorded, Stop, record};
use crate::report::visible;

/// Records.
///
/// # Errors
/// Nothing was kept, or not to its end.
pub fn run(args: RecordArgs) -> anyhow::Result<Exit> {
    let stop = Arc::new(Stop::default());
    let raised = Arc::clone(&stop);
    interrupt::hand_to(move |signal| raised.raise(signal));
    let passes_exit = args.pass_exit;
    let plan = plan(args, &stop)?;
    let kept = record(&plan, &stop)?;
    tell_of(&kept);
    // A reader that went away has read enough.
    let _ = writeln!(std::io::stdout(), "{}", kept.folder.display());
    let own = if kept.reasons.is_empty() { Exit::SAME } else { Exit::INCONCLUSIVE };
    Ok(match &kept.target {
        Some(ended) if passes_exit => Exit(ended.code()),
        _ => own,
    })
}

fn tell_of(kept: &Recorded) {
    let rows: Vec<String> = kept
        .rows
        .iter()
        .map(|(name, rows)| format!("{rows} {} of {name}", if *rows == 1 { "row" } else { "rows" }))
        .collect();
    let phases = visible(&kept.phases.join(", "));
    let by = match kept.ended_by.as_str() {
        "schedule" => String::new(),
        "target" => ", until the command ended".to_owned(),
        signal => format!(", until {signal} came"),
    };
    let rows = if rows.is_empty() { String::new() } else { format!("; {}", rows.join(", ")) };
    tell(&format!("recorded {phases}: {:.1} s{by}{rows}", kept.observed.as_secs_f64()));
    if let Some(ended) = &kept.target
        && ended.by_us.is_none()
        && !ended.status.success()
    {
        tell(&format!("the command failed: {}", ended.status));
    }
    for reason in &kept.reasons {
        tell(&format!("degraded: {}", visible(reason)));
    }
}
