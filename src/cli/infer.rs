//! `forkpoint profile infer`: rules from what differs between runs of one program.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail};

use super::args::{LogPath, ReadArgs, RuleArgs, ThreadRoleArg};
use super::decide::{self, Named, Rules};
use super::lanes::parse_map;
use super::progress::Watch;
use super::size::show_count;
use super::terminal::Surroundings;
use super::{Exit, begin, labels, output, tell, workers};
use crate::align::{MapChoice, RunOptions};
use crate::diverge::{self, RunError};
use crate::infer::{self, Inferred, draft};
use crate::profile::Profile;
use crate::report::{self, LogName, ReportContext, Story, Verdict};
use crate::source::{Log, OpenOptions, Side};

/// Which runs, and where the profile goes.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct InferArgs {
    /// Logs of runs that ought to be the same, two at least; each other one is compared with the first
    #[arg(value_name = "LOG", required = true, num_args = 2..)]
    pub logs: Vec<LogPath>,
    /// Write the profile to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Which threads belong together: auto, same (equal keys), or 6=1,7=2, as in diff
    ///
    /// Threads are known by their first events; where those are noisy and numbers are not, same is the better choice.
    #[arg(long, value_name = "MAP", value_parser = parse_map)]
    pub map: Option<MapChoice>,
    /// The thread role.
    #[command(flatten)]
    pub thread: ThreadRoleArg,
    /// The rules to begin with.
    #[command(flatten)]
    pub rules: RuleArgs,
    /// How to read.
    #[command(flatten)]
    pub read: ReadArgs,
    /// Write the profile and say nothing
    #[arg(long, short)]
    pub quiet: bool,
}

/// Compares the runs and writes the profile.
///
/// # Errors
/// Wrong usage, or logs that cannot be read or are malformed.
pub fn run(args: InferArgs) -> anyhow::Result<Exit> {
    let around = Surroundings::look();
    for path in &args.logs {
        decide::refuse_missing(path)?;
        if !decide::reopenable(path) {
            bail!("{} is no regular file, and each log is read several times", shown(path));
        }
    }
    if let Some(path) = &args.output {
        refuse_collisions(path, &args.logs)?;
    }
    let Rules { layered, named, notes } = decide::rules(&args.rules, &args.thread.thread, &around)?;
    if !args.quiet {
        notes.iter().for_each(|note| tell(note));
    }
    let open = decide::open_options(&args.read);
    let base = layered.profile;
    let options = RunOptions { map: args.map.clone().unwrap_or_default(), ..RunOptions::default() };
    let job = Job { logs: &args.logs, open: &open, options };
    let (inferred, verdicts) = workers::in_pool(args.read.jobs, || job.learn(&base))??;
    let extends = named.map(|named| extended(&named, args.output.as_deref())).transpose()?;
    let about = about(&args.logs, &inferred);
    let text = draft(&inferred.proposals, &base, extends.as_deref(), &about);
    match &args.output {
        Some(path) => output::write_file(path, text.as_bytes())?,
        None => output::print(text.as_bytes())?,
    }
    if !args.quiet {
        about.iter().chain(&verdicts.told).for_each(|line| tell(line));
    }
    Ok(if verdicts.all_identical { Exit::SAME } else { Exit::DIFFERENT })
}

fn shown(path: &Path) -> String {
    report::visible(&path.to_string_lossy())
}

fn refuse_collisions(path: &Path, logs: &[PathBuf]) -> anyhow::Result<()> {
    if path.is_dir() {
        bail!("-o {}: is a folder", path.display());
    }
    if let Some(log) = logs.iter().find(|log| crate::disk::same_target(log, path)) {
        bail!("-o {}: is also an input ({})", path.display(), log.display());
    }
    Ok(())
}

/// What was done, for the file's head and the terminal.
fn about(logs: &[PathBuf], inferred: &Inferred) -> Vec<String> {
    let counted =
        |count: usize, noun: &str| format!("{} {noun}{}", show_count(count as u64), if count == 1 { "" } else { "s" });
    let rules = counted(inferred.proposals.len(), "rule");
    let names: Vec<String> = logs.iter().map(|path| shown(path)).collect();
    vec![format!("{rules} after {} of comparing {}.", counted(inferred.rounds, "round"), names.join(", "))]
}

/// What came of each run under the rules.
struct Verdicts {
    told: Vec<String>,
    all_identical: bool,
}

struct Job<'a> {
    logs: &'a [PathBuf],
    open: &'a OpenOptions,
    options: RunOptions,
}

impl Job<'_> {
    fn learn(&self, base: &Profile) -> anyhow::Result<(Inferred, Verdicts)> {
        let watch = Watch::new(0, false);
        let mut open = |at: usize| Log::open(&self.logs[at], self.open).map_err(RunError::Source);
        let mut inferred = infer::infer(self.logs.len(), &mut open, base, &self.options, &watch)
            .map_err(|error| self.located(error, base))?;
        let mut counts = BTreeMap::new();
        let mut verdicts = Verdicts { told: Vec::new(), all_identical: true };
        for run in 1..self.logs.len() {
            let (line, verdict) = self.verdict(run, &inferred.profile, &mut counts)?;
            verdicts.all_identical &= verdict == Verdict::Identical;
            verdicts.told.push(line);
        }
        // Not every pair was looked at to learn a rule; here all were compared.
        for rule in &mut inferred.proposals {
            rule.pairs = counts.get(&rule.name).copied().unwrap_or(rule.pairs);
        }
        Ok((inferred, verdicts))
    }

    /// What a run says under the rules; adds in how many pairs each overlooked something.
    fn verdict(
        &self,
        run: usize,
        profile: &Profile,
        counts: &mut BTreeMap<String, u64>,
    ) -> anyhow::Result<(String, Verdict)> {
        let paths = [&self.logs[0], &self.logs[run]].map(PathBuf::as_path);
        let mut logs = [Log::open(paths[0], self.open)?, Log::open(paths[1], self.open)?];
        let [reference, candidate] = &mut logs;
        let watch = Watch::new(0, false);
        let (outcome, keep) = diverge::run(reference, candidate, profile, &self.options, &watch)
            .map_err(|error| self.located(error, profile))?;
        for (rule, count) in &outcome.coverage.overlooked {
            *counts.entry(rule.clone()).or_default() += count;
        }
        let [left, right] = labels::choose(None, [None, None], paths);
        let name = |path: &Path, label: String| LogName { path: path.to_owned(), label, reopenable: true };
        let context = ReportContext {
            reference: name(paths[0], left),
            candidate: name(paths[1], right),
            messages: logs.iter().filter_map(|log| log.damage()).map(ToString::to_string).collect(),
            ..ReportContext::default()
        };
        let story = Story::new(&outcome, &keep, profile, &context);
        if story.verdict == Verdict::Trouble || !context.messages.is_empty() {
            let why = report::fault_lines(&story).into_iter().chain(context.messages.clone()).next();
            bail!("{}; rules are learned from sound logs only", report::visible(&why.unwrap_or_default()));
        }
        Ok((format!("{}: {}", shown(paths[1]), story.verdict_line()), story.verdict))
    }

    fn located(&self, error: RunError, base: &Profile) -> anyhow::Error {
        let RunError::Header { side, line, offset, reason, .. } = &error else { return error.into() };
        // Which of the runs it was is not told.
        let lacks = |path: &&PathBuf| !begin::has_header(path, base);
        let path = if *side == Side::Reference { Some(&self.logs[0]) } else { self.logs.iter().find(lacks) };
        let path = path.map_or_else(String::new, |path| shown(path));
        anyhow::anyhow!("{path}:{line}: byte {offset}: {reason}")
    }
}

/// How a profile in the output's folder names the one it extends.
fn extended(named: &Named, out: Option<&Path>) -> anyhow::Result<String> {
    let file = match named {
        Named::Builtin(name) => return Ok(name.clone()),
        Named::File(file) => file,
    };
    let folder = out.and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let whole = |path: &Path| path.canonicalize().with_context(|| format!("cannot find {}", path.display()));
    Ok(seen_from(&whole(folder)?, &whole(file)?))
}

/// A path from a folder; both are whole.
fn seen_from(folder: &Path, path: &Path) -> String {
    let (from, to): (Vec<Component<'_>>, Vec<Component<'_>>) =
        (folder.components().collect(), path.components().collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from[common..].iter().map(|_| Component::ParentDir);
    let relative: PathBuf = up.chain(to[common..].iter().copied()).collect();
    let text = relative.to_string_lossy().into_owned();
    // A built-in profile's name is no file.
    if text.contains('/') || text.ends_with(".toml") { text } else { format!("./{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_from_where_the_profile_stands() {
        for (folder, path, seen) in [
            ("/a/b", "/a/b/forkpoint.toml", "forkpoint.toml"),
            ("/a/b/c", "/a/b/forkpoint.toml", "../forkpoint.toml"),
            ("/a/b/c", "/a/x/rules", "../../x/rules"),
            ("/a", "/a/generic", "./generic"),
        ] {
            assert_eq!(seen_from(Path::new(folder), Path::new(path)), seen);
        }
    }
}
