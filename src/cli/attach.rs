//! `git gate attach`: copy a report into a gate, or replace it, and show what it says.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value as Json, json};

use crate::evidence::{self, Format, Reading, Report, RunStatus, Value};
use crate::git::FileChange;
use crate::model::{ArtifactName, GateName, Name, escape, is_path_component, limits::FILE_BYTES};
use crate::policy::EvidenceKind;
use crate::render::{self, AttachShown, Style};
use crate::verdict::{Weight, weigh};

use super::hand::SigningArgs;
use super::report_file::{ReportFile, format_of_name};
use super::requesting::{GateOnBranch, print_written};
use super::together::{self, Proposal};
use super::{Context, Exit, Failure, Format as Form};

/// The arguments of `attach`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The gate, `<system>/<version>`.
    pub gate: GateName,
    /// The kind of evidence, as the policy names it.
    pub kind: Name,
    /// The report; of more than 8 MiB only with `--external`.
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
    /// Leave the report where it lies, at this place, and record its size, digest and metrics in a file of format `metrics`.
    #[arg(long, value_name = "URI")]
    pub external: Option<String>,
    /// How to sign.
    #[command(flatten)]
    pub signing: SigningArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let mut file = ReportFile::open(context, &args.file)?;
    let place = place(args)?;
    let mut shown = false;
    let (signed, attached) = together::write(context, &args.signing, |_before| {
        let (proposal, attached) = attach(context, args, &place, &mut file)?;
        // Once, however often somebody else is faster.
        if !std::mem::replace(&mut shown, true) {
            show_before(context, args, &place, &attached)?;
        }
        Ok((proposal, attached))
    })?;
    let Attached { report, weight, replaced, others } = attached;
    let more = json!({
        "file": place, "kind": args.kind.as_str(), "replaced": replaced,
        "report": report_json(&report), "criteria": criteria_json(&weight),
    });
    print_written(context, "attach", if replaced { "replaced" } else { "attached" }, &signed.written, &more)?;
    if !others.is_empty() {
        context.say(&format!("note: the kind `{}` has other reports too: {}", args.kind, others.join(", ")));
    }
    Ok(Exit::Done)
}

/// What is attached.
struct Attached {
    report: Report,
    weight: Weight,
    replaced: bool,
    /// Other reports of that kind, in backticks.
    others: Vec<String>,
}

fn attach(
    context: &Context,
    args: &Args,
    place: &str,
    file: &mut ReportFile,
) -> anyhow::Result<(Proposal, Attached)> {
    let mut gate = GateOnBranch::find(context, &args.gate)?;
    refuse_unknown_artifact(&gate, args)?;
    let kind = gate.in_force.policy.evidence_kind(&args.kind);
    let (bytes, format) = match &args.external {
        None => (file.bytes(FILE_BYTES)?, args.format),
        Some(uri) => (recorded(file, uri, args, kind)?, Some(Format::Metrics)),
    };
    let report = understand(context, &gate, args, (file, format, &bytes), place)?;
    let weight = weigh(&gate.in_force.policy, &gate.request, &args.kind, &report);
    let entries = gate.request.evidence.iter();
    let others = entries.filter(|entry| entry.kind == args.kind && entry.file != place);
    let others = others.map(|entry| format!("`{}`", entry.file)).collect();
    gate.edit.set_evidence(&args.kind, place, format, args.artifact.as_ref());
    let replaced = gate.files.get(place).is_some();
    let verb = if replaced { "Replace" } else { "Attach" };
    let subject = format!("{verb} {} of {}: {place}", args.kind, args.gate);
    let changes = BTreeMap::from([(gate.path(place), FileChange::Put(bytes))]);
    let replaces = gate.standing(place);
    let proposal = gate.proposal(context, &args.signing, changes, &subject, replaces)?;
    Ok((proposal, Attached { report, weight, replaced, others }))
}

/// What was read, for people, before anything is written.
fn show_before(context: &Context, args: &Args, place: &str, attached: &Attached) -> anyhow::Result<()> {
    if context.format == Form::Json {
        return Ok(());
    }
    let style = if context.color { Style::Coloured } else { Style::Plain };
    let Attached { report, weight, replaced: _, others: _ } = attached;
    let shown = AttachShown { kind: args.kind.as_str(), place, report, weight };
    context.print(&render::render_attach(&shown, style))
}

fn refuse_unknown_artifact(gate: &GateOnBranch, args: &Args) -> Result<(), Failure> {
    let Some(artifact) = &args.artifact else { return Ok(()) };
    if gate.request.artifacts.contains_key(artifact) {
        return Ok(());
    }
    let help = format!("record it first: `git gate artifact {} {artifact} <path>`", args.gate);
    let message = format!("`{}` lists no artifact `{artifact}`", args.gate);
    Err(Failure::new("artifact-unknown", message).help(help))
}

/// What the report says; one that nobody could count on is refused.
fn understand(
    context: &Context,
    gate: &GateOnBranch,
    args: &Args,
    (file, format, bytes): (&ReportFile, Option<Format>, &[u8]),
    place: &str,
) -> Result<Report, Failure> {
    let policy = &gate.in_force.policy;
    if !policy.names_evidence(&args.kind) {
        context.warn(&format!("the policy in force asks for no evidence of the kind `{}`", args.kind));
    }
    let kind = policy.evidence_kind(&args.kind);
    let beside = gate.request.evidence.iter().filter(|entry| {
        let about = entry.artifact.is_none() || entry.artifact == args.artifact;
        entry.kind == args.kind && entry.file != place && about
    });
    let companions: Vec<&[u8]> = beside.filter_map(|entry| gate.files.get(&entry.file)).collect();
    let reading = Reading {
        declared: format,
        allowed: kind.formats.as_deref(),
        unfinished_allowed: kind.unfinished_allowed,
        external_allowed: kind.external_allowed,
        in_source_ignored: kind.in_source_ignored,
        companions: &companions,
        mappings: Some(&kind.metrics),
    };
    let report = evidence::read(bytes, &reading).map_err(|unreadable| file.refused(&unreadable))?;
    if let RunStatus::Unfinished(how) = &report.status {
        context.warn(&format!("the run did not finish well, so its metrics may not count: {how}"));
    }
    Ok(report)
}

/// What is attached of a report that lies elsewhere.
fn recorded(file: &mut ReportFile, uri: &str, args: &Args, kind: &EvidenceKind) -> Result<Vec<u8>, Failure> {
    if !kind.external_allowed {
        let message =
            format!("the policy in force does not let reports of the kind `{}` lie elsewhere", args.kind);
        return Err(Failure::new("report-unreadable", message)
            .help("its owner can: `external = \"allow\"` in the table of the kind; nothing was written"));
    }
    let reading = Reading {
        declared: args.format,
        allowed: kind.formats.as_deref(),
        // What was read is recorded; whether it counts is the policy's to say, now and later.
        unfinished_allowed: true,
        external_allowed: false,
        in_source_ignored: kind.in_source_ignored,
        companions: &[],
        mappings: Some(&kind.metrics),
    };
    let report = file.read(&reading)?;
    let external = file.external(uri, report.format)?;
    Ok(external.write(&report).into_bytes())
}

/// Where the report goes, below the gate directory.
fn place(args: &Args) -> Result<String, Failure> {
    let place = if let Some(name) = &args.name {
        name.clone()
    } else {
        let extension = args.file.extension().and_then(|extension| extension.to_str());
        let extension = extension.filter(|text| is_path_component(text)).unwrap_or("txt");
        let extension = if args.external.is_some() { "json" } else { extension };
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

/// The report for programs.
fn report_json(report: &Report) -> Json {
    let read = report.mapped.iter().filter_map(|(name, reading)| Some((name, reading.as_ref().ok()?)));
    let own = report.metrics.iter().filter(|(name, _)| !report.mapped.contains_key(*name));
    let metrics: serde_json::Map<String, Json> = own
        .chain(read)
        .map(|(name, metric)| {
            let value = match &metric.value {
                Value::Number(number) => json!(number),
                Value::Bool(flag) => json!(flag),
                Value::Text(text) | Value::NonFinite(text) => json!(text),
            };
            (name.to_owned(), json!({ "value": value, "samples": metric.samples, "stderr": metric.stderr }))
        })
        .collect();
    let unfinished = match &report.status {
        RunStatus::Finished => None,
        RunStatus::Unfinished(how) => Some(how),
    };
    json!({ "format": report.format.as_str(), "metrics": metrics, "unfinished": unfinished })
}

/// What it means for the criteria, for programs.
fn criteria_json(weight: &Weight) -> Json {
    let criteria = weight.criteria.iter().map(|weighed| {
        json!({
            "criterion": weighed.criterion.as_str(), "status": weighed.status.as_str(),
            "expected": weighed.expected, "found": weighed.found,
        })
    });
    criteria.collect()
}
