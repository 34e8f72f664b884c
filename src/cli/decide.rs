//! What was typed, decided: every complaint comes from here, before work begins.

use std::path::{Path, PathBuf};

use anyhow::bail;

use super::accepting;
use super::args::{LogPath, ReadArgs, RuleArgs};
use super::diff::DiffArgs;
use super::output::{Format, Output, refuse_collisions};
use super::tell;
use super::terminal::{Surroundings, WIDTH_DEFAULT};
use crate::align::{Malformed, MapChoice, RunOptions};
use crate::diverge::Acceptances;
use crate::profile::{self, Layered, Origins, Overrides, Profile};
use crate::report::{self, Details, LogName, ReportContext, Validated};
use crate::source::{Log, OpenOptions};

/// All that a `diff` needs to know.
#[derive(Debug)]
pub struct DiffPlan {
    /// Reference and candidate.
    pub inputs: [PathBuf; 2],
    /// How they are read.
    pub open: OpenOptions,
    /// The rules, flags laid on top.
    pub profile: Profile,
    /// Who said what of them.
    pub origins: Origins,
    /// Choices that are no rules.
    pub options: RunOptions,
    /// The divergences that are tolerated.
    pub acceptances: Acceptances,
    /// The file to which those found are added.
    pub write_accept: Option<PathBuf>,
    /// The report on standard output; `None`: one line, and only if they differ.
    pub stdout: Option<Format>,
    /// The report files.
    pub files: Vec<Output>,
    /// Given by `--label`.
    pub labels: Option<[String; 2]>,
    /// What reports need to know, but for the labels.
    pub context: ReportContext,
    /// Width and colour of the report on standard output; files have neither.
    pub width: usize,
    /// See `width`.
    pub color: bool,
    /// Workers.
    pub jobs: Option<usize>,
    /// Draw a progress bar.
    pub progress: bool,
    /// No notes and hints.
    pub quiet: bool,
    /// Times and rates.
    pub verbose: bool,
    /// Bytes of each log that are searched for where the first differing value came from.
    pub origin_limit: u64,
    /// Propose rules for what differs nearly everywhere.
    pub suggest: bool,
    /// Remarks to make before work begins.
    pub notes: Vec<String>,
}

/// Decides what a `diff` command line means.
///
/// # Errors
/// Whatever is wrong with it, in one sentence.
pub fn diff(args: DiffArgs, around: &Surroundings) -> anyhow::Result<DiffPlan> {
    let inputs = inputs(&args)?;
    refuse_two_stdins(&inputs)?;
    inputs.iter().try_for_each(|path| refuse_missing(path))?;
    let mut files = args.report.output.clone();
    files.extend(args.out.iter().map(|path| Output { format: Format::Markdown, path: path.clone() }));
    refuse_collisions(&files, &inputs)?;
    let Rules { layered: Layered { profile, origins }, mut notes, .. } =
        rules(&args.rules, &args.thread.thread, around)?;
    if crate::disk::same_target(&inputs[0], &inputs[1]) {
        notes.push(format!("note: {} and {} are one file", inputs[0].display(), inputs[1].display()));
    }
    let options = RunOptions {
        map: args.map.clone().unwrap_or(MapChoice::Auto),
        malformed: args.malformed.into(),
        strict: args.strict,
        skip_nondeterministic: args.skip_nondeterministic,
        layouts: !args.no_layouts,
        first: args.first,
        further: args.further,
        identity_limit: args.identity_limit,
        ..RunOptions::default()
    };
    let acceptances = accepting::read(&args.accept, args.today)?;
    if let Some(path) = &args.write_accept {
        accepting::refuse_collisions(path, &files, &inputs)?;
    }
    Ok(DiffPlan {
        acceptances,
        write_accept: args.write_accept.clone(),
        open: open_options(&args.read),
        context: context(&args, &inputs),
        stdout: (!args.validate_identical).then_some(args.report.format),
        files,
        labels: args.label.clone(),
        profile,
        origins,
        options,
        width: around.width(),
        color: around.wants_color(args.talk.color.when),
        jobs: args.read.jobs,
        progress: around.wants_progress(args.talk.progress, args.talk.quiet),
        quiet: args.talk.quiet,
        verbose: args.talk.verbose,
        origin_limit: args.origin_limit.unwrap_or(super::origin::LIMIT_DEFAULT),
        suggest: args.suggest && !args.talk.quiet,
        notes,
        inputs,
    })
}

/// The two logs: as places on the line, or by the flags of old scripts.
fn inputs(args: &DiffArgs) -> anyhow::Result<[PathBuf; 2]> {
    let old = (args.canary.clone(), args.ours.clone());
    let given = match (&args.inputs[..], old) {
        ([reference, candidate], (None, None)) => [reference.clone(), candidate.clone()],
        ([], (Some(reference), Some(candidate))) => [reference, candidate],
        ([], (None, None)) => bail!("two logs are needed: forkpoint diff REFERENCE CANDIDATE"),
        ([only], (None, None)) => {
            bail!("a second log is needed: forkpoint diff {} CANDIDATE", crate::report::quote::path(only))
        }
        ([_, ..], _) => bail!("--canary and --ours name the two logs; no others can be given"),
        ([], _) => bail!("--canary and --ours belong together"),
    };
    Ok(given)
}

fn context(args: &DiffArgs, inputs: &[PathBuf; 2]) -> ReportContext {
    // Every command that opens the logs again needs this one.
    let mut opening = Words(role_flags(&args.rules, &args.thread.thread));
    opening.add("--zstd-window-log-max", args.read.zstd_window_log_max.iter());
    let name = |path: &PathBuf| LogName { path: path.clone(), label: String::new(), reopenable: reopenable(path) };
    ReportContext {
        reference: name(&inputs[0]),
        candidate: name(&inputs[1]),
        validated: if args.strict { Validated::Full } else { Validated::Opened },
        details: args.details.unwrap_or(Details::Count(1)),
        width: WIDTH_DEFAULT,
        prefix: args.prefix,
        ignore_unmatched: args.ignore_unmatched,
        malformed_skip: Malformed::from(args.malformed) == Malformed::Skip,
        role_flags: opening.0,
        diff_flags: diff_flags(args),
        ..ReportContext::default()
    }
}

/// Flags that say how a log is to be read, for commands printed in reports. The thread role is spelled
/// `--thread-role`, which every command understands.
pub(super) fn role_flags(rules: &RuleArgs, thread: &[String]) -> Vec<String> {
    let mut words = Words::default();
    words.add("--profile", rules.profile.iter());
    words.0.extend(rules.no_project.then(|| "--no-project".to_owned()));
    words.add("--thread-role", thread.iter());
    words.add("--ordinal", rules.ordinal.iter());
    words.add("--kind", rules.kind.iter());
    words.add("--payload", rules.payload.iter());
    words.0
}

/// Flags that change what a comparison finds.
fn diff_flags(args: &DiffArgs) -> Vec<String> {
    let mut words = Words::default();
    words.add("--ignore", args.rules.ignore.iter());
    words.add("--mask", args.rules.mask.iter());
    words.add("--without", without(&args.rules).iter());
    words.add("--skip-start", args.rules.skip_start.iter());
    words.add("--map", args.map.iter().filter(|map| **map != MapChoice::Auto).map(super::lanes::map_argument));
    if Malformed::from(args.malformed) == Malformed::Skip {
        words.add("--malformed", ["skip"].iter());
    }
    let switches = [
        ("--strict", args.strict),
        ("--skip-nondeterministic", args.skip_nondeterministic),
        ("--first", args.first),
        ("--prefix", args.prefix),
        ("--ignore-unmatched", args.ignore_unmatched),
    ];
    words.0.extend(switches.iter().filter(|switch| switch.1).map(|switch| switch.0.to_owned()));
    words.add("--continue", Some(args.further).filter(|further| *further > 0).iter());
    words.add("--accept", args.accept.iter().map(|path| path.display()));
    words.add("--label", args.label.iter().map(|labels| labels.join(",")));
    words.add("--origin-limit", args.origin_limit.iter());
    words.add("--identity-limit", args.identity_limit.iter());
    words.add("--max-line", args.read.max_line.iter());
    words.0
}

#[derive(Default)]
struct Words(Vec<String>);

impl Words {
    fn add<T: ToString>(&mut self, flag: &str, values: impl Iterator<Item = T>) {
        for value in values {
            let value = value.to_string();
            // A value that begins with a dash would be taken for a flag.
            if value.starts_with('-') {
                self.0.push(format!("{flag}={value}"));
            } else {
                self.0.extend([flag.to_owned(), value]);
            }
        }
    }
}

fn without(rules: &RuleArgs) -> Vec<String> {
    let mut without = rules.without.clone();
    let allocators = ALLOCATOR_RULE.to_owned();
    if rules.no_canonicalize_allocators && !without.contains(&allocators) {
        without.push(allocators);
    }
    without
}

/// The rule that `--no-canonicalize-allocators` switches off.
const ALLOCATOR_RULE: &str = "allocator-returns";

/// The profile used where none is named.
pub const PROFILE_DEFAULT: &str = "schema-v1";

fn overrides(rules: &RuleArgs, thread: &[String]) -> Overrides {
    Overrides {
        thread: thread.to_vec(),
        ordinal: rules.ordinal.clone(),
        kind: rules.kind.clone(),
        payload: rules.payload.clone(),
        ignore: rules.ignore.clone(),
        mask: rules.mask.clone(),
        without: without(rules),
        skip_start: rules.skip_start,
    }
}

/// The rules to go by, and what there is to remark on them before work begins.
#[derive(Debug)]
pub struct Rules {
    /// The rules, flags laid on top.
    pub layered: Layered,
    /// The profile's name or file that says them all, unless flags say some.
    pub named: Option<Named>,
    /// One sentence each.
    pub notes: Vec<String>,
}

/// A profile as another one can extend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// By its name.
    Builtin(String),
    /// By its file.
    File(PathBuf),
}

/// The rules to go by.
///
/// # Errors
/// An unknown profile, unsound files, or flags that make no sense.
pub fn rules(rules: &RuleArgs, thread: &[String], around: &Surroundings) -> anyhow::Result<Rules> {
    let folder = around.folder.as_deref().filter(|_| !rules.no_project);
    let project = folder.and_then(|folder| profile::find_project(folder, around.home.as_deref()));
    let chosen = profile::choose(rules.profile.as_deref(), PROFILE_DEFAULT, project.as_deref())?;
    let mut notes = Vec::new();
    if let Some(project) = &project {
        let path = report::visible(&project.to_string_lossy());
        notes.push(match (chosen.uses_project, &rules.profile) {
            (false, Some(name)) => format!(
                "note: {path} is left out: --profile {} is neither it nor built on what it extends",
                report::visible(name)
            ),
            _ => format!("note: the rules of {path} are used (--no-project leaves them out)"),
        });
    }
    let flags = overrides(rules, thread);
    let gone = flags.left_behind(&chosen.layered.profile)?;
    if !gone.is_empty() {
        notes.push(format!("note: --payload moves the payload away from under these rules: {}", gone.join(", ")));
    }
    let named = match (&rules.profile, project) {
        _ if flags != Overrides::default() => None,
        (None, Some(project)) => Some(Named::File(project)),
        (given, _) => {
            let name = given.as_deref().unwrap_or(PROFILE_DEFAULT);
            let is_builtin = profile::builtin(name).is_some();
            Some(if is_builtin { Named::Builtin(name.to_owned()) } else { Named::File(name.into()) })
        }
    };
    Ok(Rules { layered: chosen.layered.with_flags(&flags)?, named, notes })
}

/// The rules to go by where work begins at once: what there is to remark on them is told, unless all is to be quiet.
///
/// # Errors
/// As [`rules`].
pub fn told_rules(args: &RuleArgs, thread: &[String], around: &Surroundings, quiet: bool) -> anyhow::Result<Profile> {
    let Rules { layered, notes, .. } = rules(args, thread, around)?;
    if !quiet {
        notes.iter().for_each(|note| tell(note));
    }
    Ok(layered.profile)
}

/// How logs are read.
pub fn open_options(args: &ReadArgs) -> OpenOptions {
    let default = OpenOptions::default();
    let window = args
        .window
        .map_or(default.window_bytes, |window| usize::try_from(window.min(WINDOW_MAX)).unwrap_or(usize::MAX));
    OpenOptions {
        window_bytes: window,
        mapped: !args.no_mmap,
        max_line_bytes: args.max_line.unwrap_or(default.max_line_bytes).min(LINE_MAX),
        spool_limit: args.spool_limit.unwrap_or(default.spool_limit),
        zstd_window_log_max: args.zstd_window_log_max.unwrap_or(default.zstd_window_log_max),
        alone: default.alone,
    }
}

/// Larger windows gain nothing; places in a window are 32 bits wide.
const WINDOW_MAX: u64 = 1 << 30;
/// Places in a line are 32 bits wide.
const LINE_MAX: u64 = 2 << 30;

/// Standard input can be read once.
///
/// # Errors
/// Two inputs are `-`.
pub fn refuse_two_stdins(inputs: &[LogPath]) -> anyhow::Result<()> {
    if inputs.iter().filter(|path| *path == Path::new("-")).count() > 1 {
        bail!("only one input can be standard input (-)");
    }
    Ok(())
}

/// A missing log is told before a pipe is waited for.
pub fn refuse_missing(path: &Path) -> anyhow::Result<()> {
    if path == Path::new("-") {
        return Ok(());
    }
    let about =
        std::fs::metadata(path).map_err(|error| crate::source::SourceError::Open { path: path.into(), error })?;
    if about.is_dir() {
        bail!("failed to open {}: is a directory", path.display());
    }
    Ok(())
}

/// Whether a command printed in a report can open this input again.
pub fn reopenable(path: &Path) -> bool {
    file_size(path).is_some()
}

/// The size of a regular file; anything else has none to speak of.
pub fn file_size(path: &Path) -> Option<u64> {
    let about = std::fs::metadata(path).ok()?;
    (path != Path::new("-") && about.is_file()).then_some(about.len())
}

/// Lines looked at before other rules are proposed.
const LINES_LOOKED_AT: usize = 100;

/// The flags of rules that may fit a log, from its first lines; a stream cannot be looked at again.
pub fn suggested_flags(path: &Path) -> Option<String> {
    file_size(path)?;
    let mut log = Log::open(path, &OpenOptions::default()).ok()?;
    suggested_from(&log.next_window().ok()??.bytes)
}

/// The flags of rules that may fit a log that begins like this.
pub fn suggested_from(bytes: &[u8]) -> Option<String> {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').take(LINES_LOOKED_AT).collect();
    Some(profile::suggest_roles(&lines)?.flags())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::{Args, Command};
    use clap::Parser;

    fn decided(words: &str) -> Result<DiffPlan, String> {
        let words = ["forkpoint", "diff"].into_iter().chain(words.split_whitespace());
        let Command::Diff(args) = Args::try_parse_from(words).map_err(|error| error.to_string())?.command else {
            unreachable!("the command is diff")
        };
        diff(*args, &Surroundings::default()).map_err(|error| format!("{error:#}"))
    }

    fn plan(words: &str) -> DiffPlan {
        decided(&format!("/dev/null - {words}")).unwrap()
    }

    #[test]
    fn nothing_said_means_the_defaults() {
        let plan = plan("");
        assert_eq!(plan.profile.name, PROFILE_DEFAULT);
        assert_eq!((plan.stdout, plan.width, plan.color), (Some(Format::Terminal), 80, false));
        assert_eq!((plan.options.map, plan.options.malformed), (MapChoice::Auto, Malformed::Error));
        assert_eq!(plan.open.window_bytes, OpenOptions::default().window_bytes);
        assert!(plan.open.mapped && plan.context.role_flags.is_empty() && plan.context.diff_flags.is_empty());
    }

    #[test]
    fn flags_reach_rules_options_and_the_commands_printed() {
        let plan = plan(
            "--profile generic --thread pid,tid --ordinal seq --ignore /a --without null-equals-missing \
             --map 6=1,x=\"7\" --malformed skip --strict --prefix --details all --window 4K --no-mmap --max-line 1MiB",
        );
        assert_eq!(plan.profile.roles.thread.len(), 2);
        assert_eq!(plan.options.malformed, Malformed::Skip);
        assert!(plan.options.strict && plan.context.prefix && !plan.open.mapped);
        assert_eq!((plan.open.window_bytes, plan.open.max_line_bytes), (4096, 1 << 20));
        assert_eq!(plan.context.details, Details::All);
        assert_eq!(plan.context.role_flags.join(" "), "--profile generic --thread-role pid,tid --ordinal seq");
        assert_eq!(
            plan.context.diff_flags.join(" "),
            "--ignore /a --without null-equals-missing --map 6=1,x=\"7\" --malformed skip --strict --prefix --max-line 1048576"
        );
    }

    #[test]
    fn what_opening_an_archive_needs_is_in_every_command_printed() {
        assert_eq!(plan("--zstd-window-log-max 30").context.role_flags.join(" "), "--zstd-window-log-max 30");
    }

    #[test]
    fn what_comes_later_beats_what_came_before() {
        let plan = plan(
            "--ordinal seq --malformed skip --map 1=2 --ordinal none --malformed error --map same --ignore payload.a --ignore payload.b",
        );
        assert_eq!(plan.profile.roles.ordinal, None);
        assert_eq!((plan.options.malformed, plan.options.map), (Malformed::Error, MapChoice::Same));
        let names = plan.profile.rule_names().join(" ");
        assert!(names.contains("ignore:/payload/a") && names.contains("ignore:/payload/b"), "{names}");
    }

    #[test]
    fn the_words_of_old_scripts_mean_the_new_ones() {
        let old = decided("--canary /dev/null --ours - --out /tmp/none.md --tid-map 6=1 --no-canonicalize-allocators")
            .unwrap();
        let new = plan("-o markdown:/tmp/none.md --map 6=1 --without allocator-returns");
        assert_eq!((old.inputs, old.files, old.options.map), (new.inputs, new.files, new.options.map));
        assert_eq!(old.profile, new.profile);
        assert_eq!(old.context.diff_flags, new.context.diff_flags);
    }

    #[test]
    fn complaints_come_before_work() {
        for (words, reason) in [
            ("", "two logs are needed"),
            ("/dev/null", "second log is needed: forkpoint diff /dev/null CANDIDATE"),
            ("- -", "only one input can be standard input"),
            ("/nowhere/a /dev/null", "failed to open /nowhere/a"),
            ("/tmp /dev/null", "is a directory"),
            ("--canary a", "belong together"),
            ("a --canary a --ours b", "no others"),
            ("/dev/null - --profile nonesuch", "there is no profile"),
            ("/dev/null - --without nonesuch", "no rule has that name"),
            ("/dev/null - --map 6", "no pair of threads"),
            ("/dev/null - --jobs 0", "at least one worker"),
            ("/dev/null - --window 0", "more than 0"),
            ("/dev/null - -o report", "does not tell the format"),
            ("/dev/null - --details x", "a number, or all"),
            ("/dev/null - -q -v", "cannot be used with"),
        ] {
            let error = decided(words).unwrap_err();
            assert!(error.contains(reason), "{words}: {error}");
        }
    }
}
