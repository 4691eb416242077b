//! `git gate evidence inspect`: what the tool sees in a report, for people who write policies.
//!
//! No policy is asked: formats are not narrowed and names not mapped. What it shows is what criteria can name.

use std::path::PathBuf;

use crate::evidence::{Format, Reading, Report, RunStatus};
use crate::render::{self, ReportShown};

use super::report_file::{ReportFile, format_of_name};
use super::{Context, Exit, Failure, judging};

/// The arguments of `evidence`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show what the tool sees in a report: its format, how the run ended, every metric and where it was read.
    #[command(after_help = "Exit status: 0 it reads, 3 it does not, 2 wrong arguments.")]
    Inspect(InspectArgs),
}

#[derive(Debug, clap::Args)]
struct InspectArgs {
    /// The report; of any size where it is JSON, JSON Lines or an archive.
    file: PathBuf,
    /// Its format; detected when not given (`csv` and `metrics` never are).
    #[arg(long = "as", value_name = "FORMAT", value_parser = format_of_name)]
    format: Option<Format>,
    /// Show only this metric (repeatable).
    #[arg(long = "metric", value_name = "NAME")]
    names: Vec<String>,
    /// A CycloneDX VEX document that closes findings of the report (repeatable).
    #[arg(long = "vex", value_name = "FILE")]
    vex: Vec<PathBuf>,
    /// Show the metrics of a run that did not finish well too, as a policy with `unfinished = "allow"` reads them.
    #[arg(long)]
    unfinished: bool,
    /// Keep findings open that only the source suppresses, as a policy with `in_source = "ignore"` reads them.
    #[arg(long)]
    ignore_in_source: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    match &args.command {
        Command::Inspect(args) => inspect(context, args),
    }
}

fn inspect(context: &Context, args: &InspectArgs) -> anyhow::Result<Exit> {
    let mut companions = Vec::new();
    for path in &args.vex {
        companions.push(ReportFile::open(context, path)?.bytes(crate::model::limits::FILE_BYTES)?);
    }
    let companions: Vec<&[u8]> = companions.iter().map(Vec::as_slice).collect();
    let mut file = ReportFile::open(context, &args.file)?;
    let reading = Reading {
        declared: args.format,
        // Of several formats that a file has, the one named is read.
        allowed: args.format.as_ref().map(std::slice::from_ref),
        unfinished_allowed: args.unfinished,
        external_allowed: true,
        in_source_ignored: args.ignore_in_source,
        companions: &companions,
        mappings: None,
    };
    let report = file.read(&reading)?;
    for name in &args.names {
        known(&report, name)?;
    }
    let shown = ReportShown { file: &file.shown, report: &report, names: &args.names };
    context.print(&render::render_report(&shown, judging::form(context)))?;
    Ok(Exit::Done)
}

/// Refuses a name that the report does not have, with the nearest that it has.
fn known(report: &Report, name: &str) -> Result<(), Failure> {
    let Err(lookup) = report.lookup(name) else { return Ok(()) };
    let help = match &report.status {
        RunStatus::Finished => "all names: leave out `--metric`",
        RunStatus::Unfinished(_) => "to see them all the same: `--unfinished`",
    };
    Err(Failure::new("metric-unknown", format!("no metric `{name}`: {lookup}")).help(help))
}
