//! `forkpoint state`: two state folders.
// Doc comments of arguments are help texts: their brackets are no links.
#![allow(rustdoc::broken_intra_doc_links)]

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use super::args::{ColorArg, ReportArgs};
use super::output::{self, Format, Output, To};
use super::size::{Limit, parse_limit};
use super::terminal::Surroundings;
use super::{Exit, tell, workers};
use crate::disk::PlainFile;
use crate::report::state::{StateContext, StateGate, StateStory, json, markdown, terminal};
use crate::report::{Verdict, visible};
use crate::state::{self, Document, Folder, Imports, StateOptions, StateOutcome, StateRules};

/// Shown below the help.
pub const EXAMPLES: &str = "\
Examples:
  forkpoint state reference/ candidate/
  forkpoint state --xex-json xex.json -o report.md reference/ candidate/
  forkpoint state --profile my-state.toml tick-0041/ tick-0041-again/";

/// Longer files of import slots are refused.
const IMPORTS_BYTES_MAX: u64 = 64 << 20;

/// Compares two folders of state, each written by one engine at the same moment. First what must be equal before
/// anything else can be compared, then every difference with its class, and where memory differs, down to the bytes and
/// whose they are.
#[derive(Clone, Debug, clap::Args)]
pub struct StateArgs {
    /// The folder of the right engine, and of the engine in question
    #[arg(value_names = ["REFERENCE_DIR", "CANDIDATE_DIR"], num_args = 0..=2)]
    pub folders: Vec<PathBuf>,

    /// What the folders hold: a name or a TOML file [default: state-v1]
    #[arg(
        long,
        value_name = "NAME|FILE",
        default_value = "state-v1",
        hide_default_value = true,
        help_heading = "Rules"
    )]
    pub profile: String,
    /// The imports of the loaded image: their slots are masked where images must be equal
    ///
    /// JSON: image_base, and import_libraries[].imports[] with address and record_type (0: 4 bytes, 1: 16).
    #[arg(long, value_name = "FILE", help_heading = "Rules")]
    pub xex_json: Option<PathBuf>,
    /// Differences of the host's allocator and clock count too
    #[arg(long, help_heading = "Rules")]
    pub strict_classes: bool,

    /// Where reports go.
    #[command(flatten)]
    pub report: ReportArgs,
    /// Tell so many differences of each class, or all
    #[arg(long, value_name = "N|all", default_value = "200", value_parser = parse_limit, help_heading = "Report")]
    pub details: Limit,
    /// Print nothing if the same, else one line on stderr
    #[arg(long, help_heading = "Report")]
    pub validate_identical: bool,

    /// Worker threads [default: one for each processor]
    #[arg(long, short = 'j', value_name = "N", value_parser = super::args::parse_jobs, help_heading = "Reading")]
    pub jobs: Option<usize>,
    /// In which colours.
    #[command(flatten)]
    pub color: ColorArg,

    /// The reference, for old scripts.
    #[arg(long, hide = true, value_name = "DIR")]
    pub canary: Option<PathBuf>,
    /// The candidate, for old scripts.
    #[arg(long, hide = true, value_name = "DIR")]
    pub ours: Option<PathBuf>,
    /// A Markdown report, for old scripts.
    #[arg(long, hide = true, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Compares two folders and writes the reports.
///
/// # Errors
/// Wrong usage, or folders that cannot be read.
pub fn run(args: StateArgs) -> anyhow::Result<Exit> {
    let around = Surroundings::look();
    let paths = folders(&args)?;
    let mut files = args.report.output.clone();
    files.extend(args.out.clone().map(|path| Output { format: Format::Markdown, path }));
    let rules = state::load(&args.profile)?;
    let imports = args.xex_json.as_deref().map(imports).transpose()?;
    let options = StateOptions { imports, invariants_only: false };
    let outcome = compare(&paths, &rules, &options, args.jobs)?;
    refuse_inputs(&files, &outcome, args.xex_json.as_deref(), &args.profile)?;
    let plain = StateContext { paths, details: args.details.0, strict: args.strict_classes, width: 100, colour: false };
    let own = StateContext { width: around.width(), colour: around.wants_color(args.color.when), ..plain.clone() };
    let stdout = (!args.validate_identical).then_some(args.report.format);
    let (verdict, exit) = deliver(stdout, &files, &outcome, &rules, [&own, &plain]);
    if args.validate_identical && verdict != Verdict::Identical {
        tell(&format!("forkpoint: {}: the states are not identical", verdict.word()));
    }
    Ok(exit)
}

/// Writes the reports, told for standard output and for files, and says what could not be read.
pub(super) fn deliver(
    stdout: Option<Format>,
    files: &[Output],
    outcome: &StateOutcome,
    rules: &StateRules,
    [own, plain]: [&StateContext; 2],
) -> (Verdict, Exit) {
    let unwritten = output::deliver(stdout, files, |format, to| {
        let story = StateStory::new(outcome, rules, if to == To::Stdout { own } else { plain });
        Ok(match format {
            Format::Terminal => terminal(&story),
            Format::Markdown => markdown(&story),
            Format::Json => json(&story),
        })
    });
    let verdict = StateStory::new(outcome, rules, plain).verdict;
    outcome.faults.iter().for_each(|fault| tell(&format!("forkpoint: {}", visible(fault))));
    (verdict, unwritten.unwrap_or(Exit(verdict.exit_code())))
}

/// Both folders, however they were named.
fn folders(args: &StateArgs) -> anyhow::Result<[PathBuf; 2]> {
    let named: Vec<PathBuf> = args.canary.iter().chain(&args.ours).chain(&args.folders).cloned().collect();
    let given = named.len();
    named.try_into().map_err(|_| {
        anyhow::anyhow!("two folders are compared, and {given} given: forkpoint state REFERENCE_DIR CANDIDATE_DIR")
    })
}

/// Reports may not be written over what was read.
fn refuse_inputs(
    files: &[Output],
    outcome: &StateOutcome,
    imports: Option<&Path>,
    profile: &str,
) -> anyhow::Result<()> {
    let others = imports.into_iter().chain([Path::new(profile)]).map(Path::to_owned);
    let inputs: Vec<PathBuf> = outcome.inputs.iter().cloned().chain(others).collect();
    output::refuse_collisions(files, &inputs)
}

/// Reads a file of import slots.
fn imports(path: &Path) -> anyhow::Result<Imports> {
    let shown = || visible(&path.to_string_lossy());
    let file = PlainFile::open(path)?;
    ensure!(
        file.len() <= IMPORTS_BYTES_MAX,
        "{}: more than {} MiB are no list of imports",
        shown(),
        IMPORTS_BYTES_MAX >> 20
    );
    let document = Document::parse(file.read_whole()?).with_context(shown)?;
    Imports::read(&document).with_context(shown)
}

/// What must hold of the states in which two runs began; none without folders.
///
/// # Errors
/// Folders that cannot be read, or what of them must be; a report that would be written over one of their files.
pub(super) fn gate(
    folders: &[PathBuf],
    profile: Option<&str>,
    imports_of: Option<&Path>,
    jobs: Option<usize>,
    files: &[Output],
) -> anyhow::Result<Option<StateGate>> {
    let [reference, candidate] = folders else {
        ensure!(
            profile.is_none() && imports_of.is_none(),
            "--state-profile and --xex-json are about the folders of --state"
        );
        return Ok(None);
    };
    let paths = [reference.clone(), candidate.clone()];
    let options = StateOptions { imports: imports_of.map(imports).transpose()?, invariants_only: true };
    let profile = profile.unwrap_or("state-v1");
    let outcome = compare(&paths, &state::load(profile)?, &options, jobs)?;
    refuse_inputs(files, &outcome, imports_of, profile)?;
    if let Some(fault) = outcome.faults.first() {
        bail!("{}", visible(fault));
    }
    Ok(Some(StateGate { paths, invariants: outcome.invariants }))
}

/// Compares two folders on so many workers.
///
/// # Errors
/// A folder cannot be read.
pub(super) fn compare(
    paths: &[PathBuf; 2],
    rules: &StateRules,
    options: &StateOptions,
    jobs: Option<usize>,
) -> anyhow::Result<StateOutcome> {
    let [reference, candidate] = [Folder::open(&paths[0])?, Folder::open(&paths[1])?];
    Ok(workers::in_pool(jobs, || state::compare([&reference, &candidate], rules, options))??)
}
