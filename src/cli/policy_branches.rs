//! Policy changes that are on their branches still: whether they could come into force, and who is awaited.

use std::collections::BTreeSet;

use crate::git::Repository;
use crate::model::Principal;
use crate::policy::Policy;
use crate::problem::Problems;
use crate::render::PolicyBranch;
use crate::verdict::DecisionShown;

use super::gate_files::GateFiles;
use super::session::{Opening, Session, View};
use super::{Context, Failure};

/// Every branch `policy/<slug>` that the mainline does not hold whole.
pub(super) fn open_changes(context: &Context, session: &Session) -> anyhow::Result<Vec<PolicyBranch>> {
    let repository = context.repository()?;
    let mut open = Vec::new();
    for name in names(&repository)? {
        let Some(tip) = session.branch_tip(&name)? else { continue };
        let view = View::MergedPolicy(name.clone());
        let merged = Session::open(context, &Opening { view, ..Opening::default() });
        if merged.as_ref().is_ok_and(|merged| !merged.is_as_if_merged()) {
            continue;
        }
        let files = GateFiles::read(&repository, tip, "policy")?.unwrap_or_default();
        let mut shown = PolicyBranch {
            branch: name.clone(),
            commit: tip,
            serial: None,
            problems: Vec::new(),
            approvals: 0,
            needed: session.policy().governance.iter().map(|asked| asked.count).sum(),
            complete: false,
            decisions: Vec::new(),
            awaited: Vec::new(),
        };
        let file = |name| files.get(name).unwrap_or_default();
        match Policy::parse(file("policy.toml"), file("allowed_signers")) {
            Ok(policy) => {
                shown.serial = Some(policy.serial);
                shown.problems = why_not(session.policy(), &policy);
            }
            Err(Problems(problems)) => {
                shown.problems = problems
                    .iter()
                    .map(|problem| format!("{} ({})", problem.message, problem.code))
                    .collect();
            }
        }
        if let Err(why) = merged.and_then(|merged| look(session, merged, &mut shown)) {
            shown.problems.push(why.to_string());
        }
        open.push(shown);
    }
    Ok(open)
}

/// Why one policy could not follow the other.
pub(super) fn why_not(in_force: &Policy, proposed: &Policy) -> Vec<String> {
    let findings = proposed.findings.iter().map(|finding| format!("{} ({})", finding.message, finding.code));
    findings.chain(in_force.may_be_followed_by(&proposed.id, proposed.serial).err()).collect()
}

/// What merging the branch now would do, by the reader of any history.
fn look(session: &Session, merged: Session, shown: &mut PolicyBranch) -> Result<(), Failure> {
    let (now, then) = (session.origin()?.policy, merged.origin()?.policy);
    shown.complete = then.digest != now.digest;
    if shown.complete {
        shown.approvals = shown.needed;
    } else if let Some(pending) = then.pending {
        shown.approvals = pending.approvals;
        shown.decisions = merged.policy_decisions()?;
        shown.awaited = awaited(session.policy(), &shown.decisions);
    } else {
        shown.problems.push("it changes nothing of the policy".to_owned());
    }
    merged.close();
    Ok(())
}

/// Who could still approve: the holders of the roles of `[governance]` without an approval that counts.
fn awaited(policy: &Policy, decisions: &[DecisionShown]) -> Vec<Principal> {
    let counted: BTreeSet<&Principal> = decisions
        .iter()
        .filter(|decision| decision.code.is_none())
        .filter_map(|decision| decision.fact.principal.as_ref())
        .collect();
    let holders = policy.governance.iter().flat_map(|asked| policy.role_holders(&asked.role));
    let left: BTreeSet<&Principal> = holders.filter(|person| !counted.contains(person)).collect();
    left.into_iter().cloned().collect()
}

fn names(repository: &Repository) -> anyhow::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for prefix in ["refs/heads/", "refs/remotes/origin/"] {
        let refs = repository.refs_under(&format!("{prefix}policy/"))?;
        names.extend(refs.into_keys().filter_map(|name| name.strip_prefix(prefix).map(str::to_owned)));
    }
    Ok(names)
}
