//! `git gate detach`: take a report out of a gate.

use std::collections::BTreeMap;

use crate::git::FileChange;
use crate::model::{GateName, Name};

use super::hand::SigningArgs;
use super::requesting::{GateOnBranch, print_written};
use super::together::{self, Proposal};
use super::{Context, Exit, Failure};

/// The arguments of `detach`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The gate, `<system>/<version>`.
    pub gate: GateName,
    /// The kind of the report.
    pub kind: Name,
    /// Its path in the gate; needed where several reports are of that kind.
    pub file: Option<String>,
    /// How to sign.
    #[command(flatten)]
    pub signing: SigningArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let (signed, file) = together::write(context, &args.signing, |_before| detach(context, args))?;
    let more = serde_json::json!({ "kind": args.kind.as_str(), "file": file });
    print_written(context, "detach", &format!("detached {file}"), &signed.written, &more)?;
    Ok(Exit::Done)
}

fn detach(context: &Context, args: &Args) -> anyhow::Result<(Proposal, String)> {
    let mut gate = GateOnBranch::find(context, &args.gate)?;
    let file = which(&gate, args)?;
    gate.edit.remove_evidence(&args.kind, &file);
    let mut changes = BTreeMap::new();
    let still_listed =
        gate.request.evidence.iter().any(|entry| entry.file == file && entry.kind != args.kind);
    if !still_listed && gate.files.get(&file).is_some() {
        changes.insert(gate.path(&file), FileChange::Remove);
    }
    let subject = format!("Detach {} from {}: {file}", args.kind, args.gate);
    let replaces = gate.standing(&file);
    Ok((gate.proposal(context, &args.signing, changes, &subject, replaces)?, file))
}

fn which(gate: &GateOnBranch, args: &Args) -> Result<String, Failure> {
    let files: Vec<&str> = gate
        .request
        .evidence
        .iter()
        .filter(|entry| entry.kind == args.kind)
        .map(|entry| entry.file.as_str())
        .collect();
    let listed = files.iter().map(|file| format!("`{file}`")).collect::<Vec<_>>().join(", ");
    match (&args.file, files.as_slice()) {
        (Some(file), files) if files.contains(&file.as_str()) => Ok(file.clone()),
        (None, [one]) => Ok((*one).to_owned()),
        (None | Some(_), []) => Err(Failure::new(
            "report-unknown",
            format!("`{}` lists no report of the kind `{}`", args.gate, args.kind),
        )),
        (Some(file), _) => {
            Err(Failure::new("report-unknown", format!("`{file}` is no report of the kind `{}`", args.kind))
                .help(format!("reports of that kind: {listed}")))
        }
        (None, _) => Err(Failure::usage(format!("several reports are of that kind; name one: {listed}"))),
    }
}
