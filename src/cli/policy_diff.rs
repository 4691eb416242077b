//! `git gate policy diff`: what a policy change means, and what becomes of the gates that are there.
//!
//! Every gate on the mainline, and every one that is open on a branch, is judged twice by the one evaluator: under the
//! policy in force, and as if the other one were. What was recorded stays judged as it was.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::insight::{flips, status_changes};
use crate::model::{GateName, Name};
use crate::policy::Policy;
use crate::policy::diff::diff;
use crate::render::{Flip, PolicyDiff};
use crate::verdict::{PolicyInForce, Verdict};

use super::policy_files::PolicyFiles;
use super::session::{Opening, Session, View};
use super::{Context, judging};

/// What the change to `files` means.
pub(super) fn compare(context: &Context, files: &PolicyFiles) -> anyhow::Result<PolicyDiff> {
    let session = Session::open(context, &Opening::default())?;
    let proposed = Policy::parse(&files.policy_toml, &files.allowed_signers)?;
    let old = session.policy();
    let mut problems: Vec<String> =
        proposed.findings.iter().map(|finding| format!("{} ({})", finding.message, finding.code)).collect();
    let differences = diff(old, &proposed);
    // The policy in force itself follows nothing, and needs not.
    if !differences.is_empty() {
        problems.extend(old.may_be_followed_by(&proposed.id, proposed.serial).err());
    }
    let origin = session.origin()?;
    let (serial, proposed_serial) = (old.serial, proposed.serial);
    let in_force =
        PolicyInForce { policy: Arc::new(proposed), digest: files.digest(), commit: origin.mainline };
    let mut judged = Judged::default();
    if !differences.is_empty() {
        let _busy = context.busy("judging every gate under both policies");
        let (recorded, unmerged) = session.gates()?;
        let view =
            |view: View, proposed: Option<PolicyInForce>| Opening { view, proposed, ..Opening::default() };
        let other = Session::open(context, &view(View::Recorded, Some(in_force.clone())))?;
        for gate in &recorded {
            judged.gate(gate, &session, &other)?;
        }
        for gate in unmerged.difference(&recorded) {
            let opened = |proposed| Session::open(context, &view(View::Merged(gate.clone()), proposed));
            let (before, after) = match (opened(None), opened(Some(in_force.clone()))) {
                (Ok(before), Ok(after)) => (before, after),
                (Err(why), _) | (_, Err(why)) => {
                    judged.failed.insert(gate.to_string(), why.to_string());
                    continue;
                }
            };
            judged.gate(gate, &before, &after)?;
            before.close();
            after.close();
        }
    }
    Ok(PolicyDiff {
        policy: files.origin.clone(),
        serial,
        proposed_serial,
        problems,
        differences,
        judged: judged.count,
        flips: judged.flips,
        not_judged: judged.failed,
    })
}

/// Verdicts under both policies.
#[derive(Default)]
struct Judged {
    count: u64,
    flips: Vec<Flip>,
    /// Gates that could not be judged, and why.
    failed: BTreeMap<String, String>,
}

impl Judged {
    fn gate(&mut self, gate: &GateName, before: &Session, after: &Session) -> anyhow::Result<()> {
        let environments: Vec<Name> = before.environments(gate)?.into_iter().collect();
        if environments.is_empty() {
            self.failed.insert(gate.to_string(), "it names no environment".to_owned());
            return Ok(());
        }
        let old = judging::judge_each(before, gate, &environments)?;
        let new = judging::judge_each(after, gate, &environments)?;
        for (old, new) in old.iter().zip(&new) {
            self.count += 1;
            if flips(&old.verdict, &new.verdict) {
                self.flips.push(flip(&old.verdict, &new.verdict));
            }
        }
        Ok(())
    }
}

fn flip(old: &Verdict, new: &Verdict) -> Flip {
    Flip {
        gate: old.gate.clone(),
        environment: old.environment.clone(),
        before: old.outcome,
        after: new.outcome,
        changed: status_changes(old, new),
    }
}
