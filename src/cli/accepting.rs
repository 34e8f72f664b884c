//! `--accept` and `--write-accept`: files of divergences that are tolerated.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use toml::value::Date;

use super::output::{self, Output};
use super::size::show_count;
use crate::diverge::{Acceptances, Outcome, accept_draft, accept_file};
use crate::report::{self, Verdict};

/// Reads the files of accepted divergences, as of today.
///
/// # Errors
/// A file that cannot be read, is unsound, or gives no reason for something.
pub fn read(files: &[PathBuf], day: Option<Date>) -> anyhow::Result<Acceptances> {
    let mut entries = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the accepted divergences {}", path.display()))?;
        entries.extend(accept_file::read(&text, &path.to_string_lossy())?);
    }
    // The day is the same all over the world, and for every machine that runs the same job.
    Ok(Acceptances::new(entries, day.or_else(today)))
}

fn today() -> Option<Date> {
    let date = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    Some(Date {
        year: u16::try_from(date.year()).ok()?,
        month: u8::try_from(date.month()).ok()?,
        day: u8::try_from(date.day()).ok()?,
    })
}

/// Reads a day such as `2027-01-31`.
///
/// # Errors
/// It is none.
pub fn parse_day(text: &str) -> Result<Date, String> {
    match text.parse() {
        Ok(toml::value::Datetime { date: Some(date), time: None, offset: None }) => Ok(date),
        _ => Err("write a day, as in 2027-01-31".to_owned()),
    }
}

/// Refuses to write over an input or a report.
///
/// # Errors
/// A sentence naming both.
pub fn refuse_collisions(path: &Path, reports: &[Output], inputs: &[PathBuf]) -> anyhow::Result<()> {
    if path.is_dir() {
        bail!("--write-accept {}: is a folder", path.display());
    }
    if let Some(report) = reports.iter().find(|report| crate::disk::same_target(&report.path, path)) {
        bail!("--write-accept {} and -o {} are one file", path.display(), report.path.display());
    }
    if let Some(input) = inputs.iter().find(|input| crate::disk::same_target(input, path)) {
        bail!("--write-accept {}: is also an input ({})", path.display(), input.display());
    }
    Ok(())
}

/// Adds the divergences of a run to a file; says in a note what became of that.
///
/// # Errors
/// The file cannot be read or written, or what it holds is unsound.
pub fn write(path: &Path, outcome: &Outcome, verdict: Verdict) -> anyhow::Result<String> {
    let shown = report::visible(&path.to_string_lossy());
    if verdict == Verdict::Trouble {
        return Ok(format!("note: nothing is written to {shown}: the comparison was not finished"));
    }
    let old = match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("cannot read the accepted divergences {shown}")),
    };
    let draft = accept_draft::draft(old.as_deref(), &path.to_string_lossy(), outcome)?;
    if draft.added == 0 {
        return Ok(format!("note: there is nothing to add to {shown}"));
    }
    output::write_file(path, draft.text.as_bytes())?;
    let (entries, each) = if draft.added == 1 { ("entry", "it") } else { ("entries", "each") };
    let count = show_count(draft.added as u64);
    Ok(format!("note: {count} {entries} added to {shown}; say in {each} why it is tolerated"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_and_times_are_not() {
        assert_eq!(parse_day("2027-01-31"), Ok(Date { year: 2027, month: 1, day: 31 }));
        assert!(
            parse_day("2027-02-31").is_err() && parse_day("2027-01-31T00:00:00").is_err() && parse_day("x").is_err()
        );
    }

    #[test]
    fn today_is_a_day() {
        let today = today().unwrap();
        assert!(today > Date { year: 2026, month: 1, day: 1 }, "{today}");
    }
}
