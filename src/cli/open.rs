//! `git gate open`: the gate's branch and its request.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::git::{Branch, FileChange, Repository};
use crate::model::{GateName, Name, Principal};
use crate::policy::Policy;
use crate::request::GateRequest;
use crate::request::write::{NewGate, render_gate_toml};

use super::gate_files::GateFiles;
use super::hand::SigningArgs;
use super::in_force::{InForce, policy_in_force};
use super::requesting::{Files, Ground, message, print_written};
use super::together::{self, Proposal, Reviewed};
use super::{Context, Exit, Failure, schema};

/// The arguments of `open`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The gate, `<system>/<version>`.
    pub gate: GateName,
    /// Ask for the same as this version did; its reports are made anew.
    #[arg(long, value_name = "VERSION")]
    pub from: Option<Name>,
    /// What changes: a kind of the policy, such as `model`, `prompt` or `config`.
    #[arg(long, value_name = "KIND")]
    pub kind: Vec<Name>,
    /// The risk; the policy may know of a higher one.
    #[arg(long, value_name = "RISK")]
    pub risk: Option<Name>,
    /// Where it may go; all environments of the policy when not given.
    #[arg(long, value_name = "ENVIRONMENT")]
    pub env: Vec<Name>,
    /// A tag.
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<Name>,
    /// What changes and why, in a line.
    #[arg(long, value_name = "TEXT")]
    pub summary: Option<String>,
    /// A gate that it builds on.
    #[arg(long, value_name = "GATE")]
    pub requires: Vec<GateName>,
    /// Who asked for it; they cannot approve it.
    #[arg(long = "for", value_name = "PRINCIPAL")]
    pub requested_by: Vec<Principal>,
    /// How to sign.
    #[command(flatten)]
    pub signing: SigningArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let gate = &args.gate;
    let (signed, ()) = together::write(context, &args.signing, |_before| Ok((proposal(context, args)?, ())))?;
    let more = serde_json::json!({ "gate": gate.to_string() });
    print_written(context, "open", &format!("opened {gate}"), &signed.written, &more)?;
    context
        .say(&format!("next: git gate artifact {gate} <name> <path>, git gate attach {gate} <kind> <file>"));
    Ok(Exit::Done)
}

fn proposal(context: &Context, args: &Args) -> anyhow::Result<Proposal> {
    let repository = context.repository()?;
    let in_force = policy_in_force(context)?;
    let gate = &args.gate;
    let branch = Branch::find(&repository, &gate.branch())?;
    if branch.tip().is_some() {
        let message = format!("the gate `{gate}` is open already, on the branch `{}`", branch.name());
        return Err(Failure::new("gate-exists", message).help(format!("git gate show {gate}")).into());
    }
    if GateFiles::read(&repository, in_force.mainline, &gate.directory())?.is_some() {
        return Err(Failure::new("gate-exists", format!("`{gate}` is on the mainline already"))
            .help("a version is judged once: open a new one")
            .into());
    }
    let before = match &args.from {
        Some(version) => Some(read_request(&repository, &in_force, gate, version)?),
        None => None,
    };
    let mut text = schema::line(&repository, in_force.mainline, "gate", &gate.directory());
    text.push_str(&render_gate_toml(&new_gate(&in_force.policy, args, before.as_ref())?));
    if let Some(before) = &before {
        for entry in &before.evidence {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "# as in {}: git gate attach {gate} {} <file>",
                before.gate.version, entry.kind
            );
        }
    }
    let file = format!("{}/gate.toml", gate.directory());
    GateRequest::parse(&file, text.as_bytes(), gate)?;
    let changes = BTreeMap::from([(file, FileChange::Put(text.into_bytes()))]);
    let files = Files { changes, message: message(&format!("Open {gate}"), &args.signing)? };
    let branch = branch.onto(&repository, in_force.mainline)?;
    let ground = Ground { repository, policy: in_force.policy, branch };
    files.proposal(context, ground, Reviewed::default())
}

/// The request of an earlier version: from the mainline, else from its branch.
fn read_request(
    repository: &Repository,
    in_force: &InForce,
    gate: &GateName,
    version: &Name,
) -> anyhow::Result<GateRequest> {
    let earlier = GateName { system: gate.system.clone(), version: version.clone() };
    let mut files = GateFiles::read(repository, in_force.mainline, &earlier.directory())?;
    if files.is_none()
        && let Some(tip) = Branch::find(repository, &earlier.branch())?.tip()
    {
        files = GateFiles::read(repository, tip, &earlier.directory())?;
    }
    let file = format!("{}/gate.toml", earlier.directory());
    let files = files.unwrap_or_default();
    let bytes = files
        .get("gate.toml")
        .ok_or_else(|| Failure::new("gate-unknown", format!("there is no gate `{earlier}`")))?;
    Ok(GateRequest::parse(&file, bytes, &earlier)?)
}

fn new_gate(policy: &Policy, args: &Args, before: Option<&GateRequest>) -> Result<NewGate, Failure> {
    let given = |list: &[Name]| -> Option<BTreeSet<Name>> {
        (!list.is_empty()).then(|| list.iter().cloned().collect())
    };
    let only_kind = || match policy.kinds.as_slice() {
        [one] => Some(BTreeSet::from([one.clone()])),
        _ => None,
    };
    let kinds = given(&args.kind)
        .or_else(|| before.map(|before| before.kinds.clone()))
        .or_else(only_kind)
        .ok_or_else(|| Failure::usage(format!("say what changes: `--kind` {}", one_of(&policy.kinds))))?;
    let environments = given(&args.env)
        .or_else(|| before.map(|before| before.environments.clone()))
        .unwrap_or_else(|| policy.environments.keys().cloned().collect());
    let risk = args.risk.clone().or_else(|| before.map(|before| before.risk.clone()));
    let least = policy.risk_name(policy.least_risk(&args.gate.system));
    let risk = risk.or_else(|| least.cloned()).ok_or_else(|| Failure::usage("say the risk: `--risk`"))?;
    refuse_unknown("kind", &kinds, &policy.kinds)?;
    refuse_unknown("risk", &BTreeSet::from([risk.clone()]), &policy.risks)?;
    let known: Vec<Name> = policy.environments.keys().cloned().collect();
    refuse_unknown("env", &environments, &known)?;
    let summary = args
        .summary
        .clone()
        .ok_or_else(|| Failure::usage("say in a line what changes and why: `--summary \"…\"`"))?;
    let tags = given(&args.tag).or_else(|| before.map(|before| before.tags.clone())).unwrap_or_default();
    let requires = if args.requires.is_empty() {
        before.map(|before| before.requires.clone()).unwrap_or_default()
    } else {
        args.requires.iter().cloned().collect()
    };
    let requested_by = args.requested_by.iter().cloned().collect();
    Ok(NewGate { gate: args.gate.clone(), kinds, risk, environments, tags, summary, requires, requested_by })
}

fn refuse_unknown(flag: &str, names: &BTreeSet<Name>, known: &[Name]) -> Result<(), Failure> {
    match names.iter().find(|name| !known.contains(name)) {
        Some(unknown) => {
            Err(Failure::usage(format!("`--{flag}` `{unknown}` is not in the policy: {}", one_of(known))))
        }
        None => Ok(()),
    }
}

fn one_of(names: &[Name]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
