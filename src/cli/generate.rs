//! `forkpoint generate`: files for shells, manuals and validators, all made from the same parser.

use clap::{Command, CommandFactory, ValueEnum};
use clap_mangen::Man;

use super::args::Args;
use super::{Exit, exit, output};

/// Shown below the help.
pub const EXAMPLES: &str = "\
Examples:
  forkpoint generate completions bash > ~/.local/share/bash-completion/completions/forkpoint
  forkpoint generate man > forkpoint.1
  forkpoint generate schema report";

/// One line of a schema-v1 log.
const EVENT_SCHEMA: &str = include_str!("../profile/builtin/event.schema.json");

/// Prints a generated file on standard output.
#[derive(Clone, Debug, clap::Args)]
pub struct GenerateArgs {
    /// What to print.
    #[command(subcommand)]
    pub what: What,
}

/// What can be generated.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum What {
    /// Completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// The man page, all commands in one
    Man,
    /// The JSON Schema of a format
    Schema {
        /// Which format
        #[arg(value_enum, default_value_t)]
        format: SchemaOf,
    },
}

/// The formats that have a schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// What `diff --format json` prints.
    #[default]
    Report,
    /// What `audit --format json` prints of one log.
    Audit,
    /// What it prints of two logs.
    AuditBoth,
    /// What `state --format json` prints.
    State,
    /// What `episode show --format json` prints.
    Episode,
    /// What `episode list --format json` prints.
    EpisodeList,
    /// What `episode diff --format json` prints.
    EpisodeDiff,
    /// One line of a schema-v1 event log.
    Event,
    /// A profile file, as TOML that is read as JSON.
    Profile,
    /// A profile of state folders, likewise.
    StateProfile,
    /// A file of accepted divergences, likewise.
    Accept,
}

/// Prints what was asked for.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(args: &GenerateArgs) -> anyhow::Result<Exit> {
    let text = match &args.what {
        What::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut Args::command(), "forkpoint", &mut text);
            text
        }
        What::Man => man()?,
        What::Schema { format } => {
            let schema = match format {
                SchemaOf::Audit => serde_json::from_str(&crate::report::audit::schema())?,
                SchemaOf::AuditBoth => serde_json::from_str(&crate::report::audit::schema_of_both())?,
                SchemaOf::Report => serde_json::from_str(&crate::report::schema())?,
                SchemaOf::Event => serde_json::from_str(EVENT_SCHEMA)?,
                SchemaOf::State => crate::report::state::schema(),
                SchemaOf::Episode => crate::report::episode::schema_of_episode(),
                SchemaOf::EpisodeList => crate::report::episode::schema_of_list(),
                SchemaOf::EpisodeDiff => crate::report::episode::schema_of_diff(),
                SchemaOf::StateProfile => crate::state::schema(),
                SchemaOf::Profile => crate::profile::schema(),
                SchemaOf::Accept => crate::diverge::accept_schema::schema(),
            };
            format!("{schema:#}\n").into_bytes()
        }
    };
    output::print(&text)?;
    Ok(Exit::SAME)
}

/// One page: what the tool is for, each command with its options, exit codes, environment.
fn man() -> anyhow::Result<Vec<u8>> {
    let mut command = Args::command().after_help("").after_long_help("");
    command.build();
    let page = Man::new(command.clone());
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    text.extend_from_slice(b".SH SYNOPSIS\n\\fBforkpoint\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIFILE\\fR...]\n");
    page.render_description_section(&mut text)?;
    text.extend_from_slice(b".SH COMMANDS\n");
    for sub in command.get_subcommands() {
        man_of_command(sub, &mut text)?;
    }
    for section in [exit::EXIT_CODES, exit::ENVIRONMENT, super::args::EXAMPLES] {
        let (title, lines) = section.split_once(":\n").expect("each section has a title line");
        text.extend_from_slice(format!(".SH {}\n.nf\n{}\n.fi\n", title.to_uppercase(), escaped(lines)).as_bytes());
    }
    Ok(text)
}

/// A command's part of the page. Commands with commands of their own are told one by one.
fn man_of_command(command: &Command, text: &mut Vec<u8>) -> anyhow::Result<()> {
    let inner: Vec<&Command> = command.get_subcommands().collect();
    for sub in &inner {
        man_of_command(sub, text)?;
    }
    if !inner.is_empty() {
        return Ok(());
    }
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    let page = Man::new(command.clone());
    text.extend_from_slice(format!(".SS {}\n", escaped(&name)).as_bytes());
    let mut part = Vec::new();
    page.render_description_section(&mut part)?;
    page.render_options_section(&mut part)?;
    for line in String::from_utf8(part)?.lines() {
        // Sections of the command's own page become plain parts of this one.
        if let Some(title) = line.strip_prefix(".SH ") {
            if title != "DESCRIPTION" {
                text.extend_from_slice(format!(".PP\n\\fB{}\\fR\n", title.trim_matches('"')).as_bytes());
            }
        } else if !line.starts_with(".ie") && !line.starts_with(".el") {
            text.extend_from_slice(line.as_bytes());
            text.push(b'\n');
        }
    }
    Ok(())
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}
