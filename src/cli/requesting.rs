//! Changes of a gate directory on its branch, one signed commit each: what `open`, `attach`, `detach` and `artifact`
//! have in common.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::decision::{Reading, parse_message};
use crate::git::{Branch, Draft, FileChange, Repository, Written};
use crate::model::{ContentDigest, GateName};
use crate::policy::Policy;
use crate::request::GateRequest;
use crate::request::edit::GateEdit;
use crate::signature::Verified;

use super::gate_files::GateFiles;
use super::hand::{Hand, SigningArgs};
use super::in_force::{InForce, policy_in_force};
use super::together::{Proposal, Reviewed};
use super::{Context, Failure, Format};

/// A gate on its branch, about to be changed.
#[derive(Debug)]
pub(super) struct GateOnBranch {
    pub(super) repository: Repository,
    pub(super) in_force: InForce,
    pub(super) gate: GateName,
    pub(super) branch: Branch,
    pub(super) files: GateFiles,
    pub(super) request: GateRequest,
    pub(super) edit: GateEdit,
}

impl GateOnBranch {
    /// Finds the gate's branch and reads its request there.
    pub(super) fn find(context: &Context, gate: &GateName) -> anyhow::Result<Self> {
        let repository = context.repository()?;
        let in_force = policy_in_force(context)?;
        let branch = Branch::find(&repository, &gate.branch())?;
        if branch.tip().is_none() {
            let there = GateFiles::read(&repository, in_force.mainline, &gate.directory())?.is_some();
            let failure = if there {
                Failure::new("gate-recorded", format!("`{gate}` is on the mainline, and its branch is gone"))
                    .help(format!(
                        "a version is not changed after its gate: `git gate open {}/<new version> --from {}`",
                        gate.system, gate.version
                    ))
            } else {
                Failure::new("gate-unknown", format!("there is no gate `{gate}`"))
                    .help(format!("open it: `git gate open {gate}`"))
            };
            return Err(failure.into());
        }
        let branch = branch.onto(&repository, in_force.mainline)?;
        let tip = branch.tip().unwrap_or(in_force.mainline);
        let files = GateFiles::read(&repository, tip, &gate.directory())?.unwrap_or_default();
        let file = format!("{}/gate.toml", gate.directory());
        let bytes = files.get("gate.toml").ok_or_else(|| {
            Failure::new("gate-unknown", format!("the branch `{}` holds no `{file}`", branch.name()))
                .help("write one and commit it, signed: docs/request.md")
        })?;
        let request = GateRequest::parse(&file, bytes, gate)?;
        let edit = GateEdit::open(&file, bytes, gate)?;
        Ok(Self { repository, in_force, gate: gate.clone(), branch, files, request, edit })
    }

    /// The path of a file of the gate, from the top of the repository.
    pub(super) fn path(&self, below: &str) -> String {
        format!("{}/{below}", self.gate.directory())
    }

    /// The commit of the changed request with these changes of files. `replaces`: what it takes the place of, which must
    /// stand as it does now.
    pub(super) fn proposal(
        self,
        context: &Context,
        args: &SigningArgs,
        mut changes: BTreeMap<String, FileChange>,
        subject: &str,
        replaces: BTreeMap<String, String>,
    ) -> anyhow::Result<Proposal> {
        let text = self.edit.text();
        GateRequest::parse("gate.toml", text.as_bytes(), &self.gate)?;
        changes.insert(self.path("gate.toml"), FileChange::Put(text.into_bytes()));
        let files = Files { changes, message: message(subject, args)? };
        let reviewed = Reviewed { like: replaces, objections: BTreeSet::new() };
        let ground =
            Ground { repository: self.repository, policy: self.in_force.policy, branch: self.branch };
        files.proposal(context, ground, reviewed)
    }

    /// A file of the gate as it stands, to be named as what is replaced.
    pub(super) fn standing(&self, below: &str) -> BTreeMap<String, String> {
        let Some(bytes) = self.files.get(below) else { return BTreeMap::new() };
        BTreeMap::from([(format!("`{below}`"), ContentDigest::of_bytes(bytes).to_string())])
    }
}

/// Where files are changed.
pub(super) struct Ground {
    pub(super) repository: Repository,
    pub(super) policy: Arc<Policy>,
    pub(super) branch: Branch,
}

/// Changes of files, to be one commit.
pub(super) struct Files {
    pub(super) changes: BTreeMap<String, FileChange>,
    pub(super) message: String,
}

impl Files {
    /// The commit on the branch's tip, by somebody whose signature counts.
    pub(super) fn proposal(
        &self,
        context: &Context,
        ground: Ground,
        reviewed: Reviewed,
    ) -> anyhow::Result<Proposal> {
        let Ground { repository, policy, branch } = ground;
        let hand = Hand::of(context, &repository, &policy)?;
        let parent = branch.tip();
        let draft = Draft::with_changes(&repository, parent, &self.changes, &self.message)?;
        if let Some(parent) = parent
            && repository.tree_of(parent)? == draft.tree()
        {
            return Err(Failure::new(
                "nothing-changed",
                "that is what stands there already; nothing was written",
            )
            .into());
        }
        let fits = Box::new(|_signer: &Verified| Ok(()));
        Ok(Proposal { repository, policy, branch, draft, hand, reviewed, question: None, fits })
    }
}

/// The commit message. What the user wants to say must not read as a decision, well-formed or not.
pub(super) fn message(subject: &str, args: &SigningArgs) -> Result<String, Failure> {
    let message = match &args.message {
        Some(text) => format!("{subject}\n\n{}\n", text.trim()),
        None => format!("{subject}\n"),
    };
    match parse_message(&message) {
        Reading::None { .. } => Ok(message),
        Reading::Decision { .. } | Reading::Malformed(_) => {
            Err(Failure::usage("`--message` ends in lines that read as a decision (`Gate…: …`)"))
        }
    }
}

/// Prints what was written: a line for people, an object for programs.
pub(super) fn print_written(
    context: &Context,
    command: &str,
    done: &str,
    written: &Written,
    more: &serde_json::Value,
) -> anyhow::Result<()> {
    if let Some(note) = &written.note {
        context.warn(note);
    }
    if context.format == Format::Json {
        let mut object = serde_json::json!({
            "schema": format!("git-gate/{command}/1"),
            "branch": written.branch,
            "commit": written.commit.to_string(),
            "pushed": written.pushed,
        });
        if let (Some(object), Some(more)) = (object.as_object_mut(), more.as_object()) {
            object.extend(more.clone());
        }
        return context.print(&format!("{object}\n"));
    }
    let pushed = if written.pushed { ", pushed" } else { "" };
    context.print(&format!("{done}: {} on {}{pushed}\n", written.commit.short(), written.branch))
}
