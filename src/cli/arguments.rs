//! The arguments as typed: what every command takes, and the commands.
//!
//! Each command's own arguments stand in its file. Here is also what holds for all of them: a wrong argument is status
//! 2, and so is a flag with an empty value, which is most often a variable that a script forgot to set.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use crate::model::ObjectId;

use super::context::write_stdout;
use super::first_page::first_page;
use super::{Exit, Failure};

/// A deployment gate for AI systems that lives in git.
///
/// A governance repository holds requests to deploy a version of a model, prompt or configuration, with the test reports
/// that support it. People approve by signing commits; `check` says whether a version may go to an environment, and why.
#[derive(Debug, Parser)]
#[command(
    name = "git-gate",
    bin_name = "git gate",
    version,
    max_term_width = 80,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Globals {
    /// Run as if started in this directory.
    #[arg(id = "global-directory", short = 'C', value_name = "PATH", global = true)]
    pub directory: Option<PathBuf>,
    /// The form of what is printed.
    #[arg(
        id = "global-format",
        long = "format",
        value_name = "FORMAT",
        global = true,
        default_value = "text"
    )]
    pub format: Format,
    /// The trust root, as a full commit id; else `git config gate.root` of the repository.
    #[arg(id = "global-root", long = "root", value_name = "COMMIT", global = true)]
    pub root: Option<ObjectId>,
    /// Print only data and errors, no progress and no advice.
    #[arg(
        id = "global-quiet",
        long = "quiet",
        short = 'q',
        global = true,
        conflicts_with = "global-verbose"
    )]
    pub quiet: bool,
    /// Say what is done on the way, each program that is run included.
    #[arg(id = "global-verbose", long = "verbose", short = 'v', global = true)]
    pub verbose: bool,
    /// Read the history itself, whatever the index remembers of it. What is said is the same.
    #[arg(id = "global-no-index", long = "no-index", global = true, hide = true)]
    pub no_index: bool,
    /// Colour.
    #[arg(id = "global-color", long = "color", value_name = "WHEN", global = true, default_value = "auto")]
    pub color: Color,
}

/// The form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, on a terminal.
    Text,
    /// For programs: one object, with a schema.
    Json,
    /// For merge requests and issues.
    Markdown,
    /// `metrics` alone: comma-separated values. Not offered elsewhere, where it is refused.
    #[value(hide = true)]
    Csv,
    /// `metrics` alone: what Prometheus reads.
    #[value(hide = true)]
    Openmetrics,
}

/// When to print in colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On terminals, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a governance repository, with a starter policy and your key.
    Init(super::init::Args),
    /// Pin or move the trust root.
    Trust(super::trust::Args),
    /// Open a gate: its branch and its request.
    Open(super::open::Args),
    /// Copy a report into a gate, or replace it.
    Attach(super::attach::Args),
    /// Look at reports: what the tool sees in one.
    Evidence(super::evidence::Args),
    /// Take a report out of a gate.
    Detach(super::detach::Args),
    /// Record what will be deployed, by digest.
    Artifact(super::artifact::Args),
    /// Show the checklist of a gate, or its history.
    Show(super::show::Args),
    /// List gates: how each stands, on whom it waits.
    List(super::list::Args),
    /// List what waits on you.
    Pending(super::pending::Args),
    /// Read what there is to decide on, and decide.
    Review(super::review::Args),
    /// Approve a gate, or a policy change.
    Approve(super::approve::Args),
    /// Reject a gate, or take back your approval of a policy change.
    Reject(super::reject::Args),
    /// Take back your own decisions on a gate.
    Withdraw(super::withdraw::Args),
    /// Close a gate for good.
    Close(super::close::Args),
    /// Write down what may be passed over for a while, or cover a break-glass.
    Except(super::except::Args),
    /// Accept the risk of an exception.
    AcceptRisk(super::accept_risk::Args),
    /// Judge a gate as if its branch were merged now.
    Ready(super::ready::Args),
    /// Bring a gate branch to the mainline, with its commits.
    Merge(super::merge::Args),
    /// Bring to the mainline what waits on branches: decisions, records, gates that are ready.
    Record(super::record::Args),
    /// Say whether a version may go to an environment, and why.
    Check(super::check::Args),
    /// Check, then log a deployment; or log that one failed.
    Deploy(super::deploy::Args),
    /// Say in a signed statement that a version may go to an environment.
    Attest(super::attest::Args),
    /// The deployments that were logged.
    Log(super::log::Args),
    /// Incidents: report one, resolve it, list them.
    Incident(super::incident::Args),
    /// What gates took, came to and led to.
    Metrics(super::metrics::Args),
    /// What runs where, since when, by whom, on what basis.
    Status(super::status::Args),
    /// See what is remembered of the history, or make it anew.
    Index(super::index::Args),
    /// Judge every logged deployment again, and say what is wrong.
    Audit(super::audit::Args),
    /// Write what was found of everything: a site, or one gate's checklist.
    Report(super::report::Args),
    /// Whose keys count, and changing that.
    Key(super::key::Args),
    /// The policy in force, its problems, what is pending.
    Policy(super::policy::Args),
    /// Hooks: judge a push or a message, and install what does.
    Hook(super::hook::Args),
    /// Try a policy on every gate that was decided.
    Backtest(super::backtest::Args),
    /// Say what each threshold would have caught.
    Tune(super::tune::Args),
    /// Say why signing or verifying does not work here, and what mends it.
    Doctor(super::doctor::Args),
    /// Print what makes a shell complete commands and names.
    Completions(super::completions::Args),
    /// What could stand where the cursor is.
    #[command(name = "__complete", hide = true)]
    Complete(super::complete::Args),
    /// Print a manual page, or install all of them.
    Man(super::man::Args),
    /// Print the JSON Schema of a file or an output.
    Schema(super::schema::Args),
    /// See the whole of it work, in a repository of its own.
    Demo(super::demo::Args),
}

/// What is said instead of running a command: help, the version, or what is wrong with the arguments.
#[derive(Debug)]
pub(super) struct Answer(clap::Error);

impl Answer {
    /// Says it.
    pub(super) fn give(self) -> anyhow::Result<Exit> {
        let text = self.0.render().to_string();
        if matches!(self.0.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            write_stdout(&text)?;
            return Ok(Exit::Done);
        }
        Err(Failure::usage(text.trim_start_matches("error: ").trim_end()).into())
    }
}

/// The first page, for who types no command: told on stderr, since a script that forgot one has asked for nothing.
pub(super) fn greet() -> Exit {
    let _ = write!(std::io::stderr(), "{}", first_page(&Cli::command()));
    Exit::Usage
}

/// Parses the arguments.
pub(super) fn parse(arguments: &[OsString]) -> Result<Cli, Answer> {
    let mut command = Cli::command();
    let page = first_page(&command);
    command = command.override_help(page);
    let matches = command.try_get_matches_from_mut(arguments).map_err(Answer)?;
    if let Some(name) = empty_value(&matches) {
        let message = format!("`{name}` has an empty value");
        return Err(Answer(command.error(ErrorKind::InvalidValue, message)));
    }
    Cli::from_arg_matches(&matches).map_err(Answer)
}

/// The first argument with an empty value, here or in the subcommand.
fn empty_value(matches: &ArgMatches) -> Option<String> {
    for id in matches.ids() {
        // Groups have no values of their own.
        let Ok(Some(mut values)) = matches.try_get_raw(id.as_str()) else { continue };
        if values.any(OsStr::is_empty) {
            return Some(id.as_str().trim_start_matches("global-").to_owned());
        }
    }
    // What is completed may be empty still.
    let inner = matches.subcommand().filter(|(name, _inner)| *name != "__complete");
    inner.and_then(|(_name, inner)| empty_value(inner))
}

/// A table is made of figures alone: of anything else it would leave something out.
pub(super) fn refuse_tables(context: &super::Context, command: &Command) -> Result<(), super::Failure> {
    match (context.format, command) {
        (Format::Text | Format::Json | Format::Markdown, _) | (_, Command::Metrics(_)) => Ok(()),
        (Format::Csv | Format::Openmetrics, _) => Err(super::Failure::usage(
            "`--format csv` and `--format openmetrics` are for `git gate metrics` alone",
        )),
    }
}

/// The format that was asked for, as far as can be told before the arguments are known to be right.
pub(super) fn format_as_typed(arguments: &[OsString]) -> Format {
    if is_typed(arguments, "--format", "json") { Format::Json } else { Format::Text }
}

/// When to print in colour, told in the same way.
pub(super) fn color_as_typed(arguments: &[OsString]) -> Color {
    match ["always", "never"].map(|when| is_typed(arguments, "--color", when)) {
        [_, true] => Color::Never,
        [true, false] => Color::Always,
        [false, false] => Color::Auto,
    }
}

fn is_typed(arguments: &[OsString], flag: &str, value: &str) -> bool {
    let texts: Vec<&str> = arguments.iter().filter_map(|argument| argument.to_str()).collect();
    let joined = format!("{flag}={value}");
    texts.contains(&joined.as_str()) || texts.windows(2).any(|pair| pair == [flag, value])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn parsed(line: &str) -> Result<Cli, String> {
        let arguments: Vec<OsString> =
            line.split(' ').map(|part| OsString::from(part.replace("''", ""))).collect();
        parse(&arguments).map_err(|answer| answer.0.render().to_string())
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_command_has_an_argument_that_is_taken_for_a_global_one() {
        let command = Cli::command();
        let globals: Vec<_> = command.get_arguments().map(|argument| argument.get_id().clone()).collect();
        for inner in command.get_subcommands() {
            for argument in inner.get_arguments() {
                assert!(!globals.contains(argument.get_id()), "{} {}", inner.get_name(), argument.get_id());
            }
        }
    }

    #[test]
    fn an_empty_value_is_refused_wherever_it_stands() {
        for line in [
            "git-gate -C '' demo",
            "git-gate demo --dir ''",
            "git-gate demo --dir=''",
            "git-gate --root '' demo",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
        assert!(parsed("git-gate demo").is_ok());
    }

    #[test]
    fn a_trust_root_is_a_full_commit_id() {
        assert!(parsed("git-gate --root main demo").is_err());
        assert!(parsed("git-gate --root 3f2a91c demo").is_err());
        assert!(parsed(&format!("git-gate --root {} demo", "3f".repeat(20))).is_ok());
    }
}
