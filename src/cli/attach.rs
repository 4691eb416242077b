//! `git gate attach`: copy a report into a gate, or replace it, and show what it says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::evidence::{self, Format, Reading, Report, RunStatus};
use crate::git::FileChange;
use crate::model::{ArtifactName, GateName, Name, escape, is_path_component, limits::FILE_BYTES};

use super::hand::SigningArgs;
use super::report_shown::{report_json, report_text};
use super::requesting::{GateOnBranch, print_written};
use super::together::{self, Proposal};
use super::{Context, Exit, Failure};

/// The arguments of `attach`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The gate, `<system>/<version>`.
    pub gate: GateName,
    /// The kind of evidence, as the policy names it.
    pub kind: Name,
    /// The report.
    pub file: PathBuf,
    /// Its format; detected when not given (`csv` never is).
    #[arg(long = "as", value_name = "FORMAT", value_parser = format_of_name)]
    pub format: Option<Format>,
    /// The artifact that it is about; else all.
    #[arg(long, value_name = "NAME")]
    pub artifact: Option<ArtifactName>,
    /// Its path in the gate; else `evidence/<kind>.<extension>`. The report that is there is replaced.
    #[arg(long, value_name = "PATH")]
    pub name: Option<String>,
    /// How to sign.
    #[command(flatten)]
    pub signing: SigningArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let bytes = read_report(&context.directory.join(&args.file))?;
    let place = place(args)?;
    let (signed, attached) =
        together::write(context, &args.signing, |_before| attach(context, args, &place, &bytes))?;
    let done = if attached.replaced { "replaced" } else { "attached" };
    let more = serde_json::json!({
        "file": place, "kind": args.kind.as_str(), "replaced": attached.replaced,
        "report": report_json(&attached.report),
    });
    print_written(context, "attach", &format!("{}{done}", attached.shown), &signed.written, &more)?;
    let others = attached.others;
    if !others.is_empty() {
        context.say(&format!("note: the kind `{}` has other reports too: {}", args.kind, others.join(", ")));
    }
    Ok(Exit::Done)
}

/// What was attached.
struct Attached {
    report: Report,
    shown: String,
    replaced: bool,
    /// Other reports of that kind.
    others: Vec<String>,
}

fn attach(context: &Context, args: &Args, place: &str, bytes: &[u8]) -> anyhow::Result<(Proposal, Attached)> {
    let mut gate = GateOnBranch::find(context, &args.gate)?;
    let report = understand(context, &gate, args, bytes)?;
    let entries = gate.request.evidence.iter();
    let others = entries.filter(|entry| entry.kind == args.kind && entry.file != place);
    let others = others.map(|entry| format!("`{}`", entry.file)).collect();
    if let Some(artifact) = &args.artifact
        && !gate.request.artifacts.contains_key(artifact)
    {
        let help = format!("record it first: `git gate artifact {} {artifact} <path>`", args.gate);
        let message = format!("`{}` lists no artifact `{artifact}`", args.gate);
        return Err(Failure::new("artifact-unknown", message).help(help).into());
    }
    gate.edit.set_evidence(&args.kind, place, args.format, args.artifact.as_ref());
    let replaced = gate.files.get(place).is_some();
    let verb = if replaced { "Replace" } else { "Attach" };
    let subject = format!("{verb} {} of {}: {place}", args.kind, args.gate);
    let shown = report_text(&args.kind, place, &report, &gate.in_force.policy);
    let changes = BTreeMap::from([(gate.path(place), FileChange::Put(bytes.to_vec()))]);
    let replaces = gate.standing(place);
    let proposal = gate.proposal(context, &args.signing, changes, &subject, replaces)?;
    Ok((proposal, Attached { report, shown, replaced, others }))
}

/// What the report says; one that nobody could count on is refused.
fn understand(context: &Context, gate: &GateOnBranch, args: &Args, bytes: &[u8]) -> Result<Report, Failure> {
    let policy = &gate.in_force.policy;
    if !policy.names_evidence(&args.kind) {
        context.warn(&format!("the policy in force asks for no evidence of the kind `{}`", args.kind));
    }
    let kind = policy.evidence_kind(&args.kind);
    let reading = Reading {
        declared: args.format,
        allowed: kind.formats.as_deref(),
        unfinished_allowed: kind.unfinished_allowed,
        external_allowed: kind.external_allowed,
        in_source_ignored: kind.in_source_ignored,
        companions: &[],
        mappings: Some(&kind.metrics),
    };
    let report = evidence::read(bytes, &reading).map_err(|unreadable| {
        let shown = args.file.display();
        Failure::new("report-unreadable", format!("`{shown}` cannot be read as a report: {unreadable}"))
            .help("name the format where it is not detected: `--as <format>`; nothing was written")
    })?;
    if let RunStatus::Unfinished(how) = &report.status {
        context.warn(&format!("the run did not finish well, so its metrics may not count: {how}"));
    }
    Ok(report)
}

/// Where the report goes, below the gate directory.
fn place(args: &Args) -> Result<String, Failure> {
    let place = if let Some(name) = &args.name {
        name.clone()
    } else {
        let extension = args.file.extension().and_then(|extension| extension.to_str());
        let extension = extension.filter(|text| is_path_component(text)).unwrap_or("txt");
        format!("evidence/{}.{extension}", args.kind)
    };
    let fits = place.split('/').all(is_path_component) && place.split('/').count() < 8;
    if !fits || place == "gate.toml" {
        let shown = escape(&place);
        return Err(Failure::usage(format!(
            "`{shown}` is no path for a report: components of `A-Z a-z 0-9 . _ + -`, as in `evidence/evaluation.json`"
        )));
    }
    Ok(place)
}

fn read_report(path: &Path) -> Result<Vec<u8>, Failure> {
    use std::io::Read as _;
    let unreadable = |reason: String| {
        Failure::new("unreadable-file", format!("`{}` cannot be read: {reason}", path.display()))
    };
    #[expect(clippy::disallowed_methods, reason = "cli/ reads what the user names")]
    let file = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(error.to_string()))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > FILE_BYTES {
        return Err(unreadable("it is larger than 8 MiB; attach its summary".to_owned()));
    }
    Ok(bytes)
}

fn format_of_name(name: &str) -> Result<Format, String> {
    Format::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Format::ALL.into_iter().map(Format::as_str).collect();
        format!("formats: {}", names.join(", "))
    })
}
