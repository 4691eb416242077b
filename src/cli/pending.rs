//! `git gate pending`: what waits on me, and the command for each.
//!
//! Who I am is told by the public half of my signing key, found as for signing and looked up in the policy; nothing is
//! signed and no token is touched.

use std::collections::BTreeSet;

use crate::insight::{GateLine, PendingPolicy};
use crate::model::{Name, Principal, Time};
use crate::policy::Policy;
use crate::render::{self, Awaited};
use crate::verdict::{Acceptances, DecisionShown};

use super::gathering::{Filters, gather};
use super::hand::Hand;
use super::session::{Opening, Session, View};
use super::{Context, Exit, Failure, judging};

/// The arguments of `pending`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit status: 0 whether or not anything waits.")]
pub struct Args {
    /// Which gates.
    #[command(flatten)]
    filters: Filters,
    /// What waits on this person, in place of whom the signing key is of.
    #[arg(long, value_name = "PRINCIPAL")]
    person: Option<Principal>,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let session = Session::open(context, &Opening { view: View::Local, many: true, ..Opening::default() })?;
    let me = match &args.person {
        Some(person) => person.clone(),
        None => me(context, &session)?,
    };
    let lines = gather(context, &session, &args.filters, Some(&me))?;
    let mut awaited: Vec<Awaited> = lines.iter().flat_map(|line| of_gate(line, &me)).collect();
    awaited.extend(of_policy(&session, &me)?);
    // The longest wait first; what has no date is new.
    awaited.sort_by_key(|one| (one.since.is_none(), one.since, one.target.clone()));
    let unjudged: Vec<&GateLine> = lines.iter().filter(|line| line.problem.is_some()).collect();
    context.print(&render::render_pending(&me, &awaited, &unjudged, judging::form(context)))?;
    Ok(Exit::Done)
}

/// Whose the signing key is.
fn me(context: &Context, session: &Session) -> anyhow::Result<Principal> {
    let hand = Hand::of(context, session.repository(), session.policy())?;
    hand.principal.ok_or_else(|| {
        Failure::new("unknown-key", "whose your signing key is cannot be told from its public half")
            .help("name yourself: `git gate pending --person <principal>`")
            .into()
    })
}

fn of_gate(line: &GateLine, me: &Principal) -> Vec<Awaited> {
    let mine = line.waits.iter().filter(|wait| wait.who.contains(me));
    let waits = mine.map(|wait| Awaited {
        target: line.gate.to_string(),
        requirement: wait.requirement.to_string(),
        environments: wait.environments.clone(),
        since: line.since,
        summary: line.change.as_ref().map(|change| change.summary.clone()).unwrap_or_default(),
        command: wait.command.clone(),
    });
    let asked = line.acceptances.iter();
    waits
        .chain(asked.filter_map(|(asked, environments)| of_acceptance(line, asked, environments, me)))
        .collect()
}

/// A risk that I may accept.
fn of_acceptance(
    line: &GateLine,
    asked: &Acceptances,
    environments: &BTreeSet<Name>,
    me: &Principal,
) -> Option<Awaited> {
    let (role, _) = asked.roles.iter().find(|(_role, who)| who.contains(me))?;
    let waived: Vec<&str> = asked.waives.iter().map(String::as_str).collect();
    let record = asked.record.map(|record| format!(" --record {record}")).unwrap_or_default();
    let what = match asked.record {
        Some(record) => format!("a cover of the deployment {}", record.short()),
        None => "an exception".to_owned(),
    };
    Some(Awaited {
        target: line.gate.to_string(),
        requirement: format!("accept-risk:{role}"),
        environments: environments.clone(),
        since: Some(asked.since),
        summary: format!("{what}, which passes over {}", waived.join(", ")),
        command: format!("git gate accept-risk {}{record} --role {role}", line.gate),
    })
}

/// A policy on the mainline that waits for approvals, of which mine would be one.
fn of_policy(session: &Session, me: &Principal) -> anyhow::Result<Option<Awaited>> {
    let policy = session.policy();
    let origin = session.origin()?;
    // What is invalid or gone waits for its mend, not for approvals.
    let Some(pending) = origin.policy.pending.as_ref().filter(|pending| pending.digest.is_some()) else {
        return Ok(None);
    };
    let decisions = session.policy_decisions()?;
    if !may_govern(policy, me) || has_approved(&decisions, pending, me) {
        return Ok(None);
    }
    let serial = pending.serial.map(|serial| format!(" with serial {serial}")).unwrap_or_default();
    Ok(Some(Awaited {
        target: "policy".into(),
        requirement: "approval:governance".into(),
        environments: policy.environments.keys().cloned().collect(),
        since: None::<Time>,
        summary: format!("a policy{serial}, {} of {} approvals so far", pending.approvals, pending.needed),
        command: "git gate approve policy".into(),
    }))
}

fn may_govern(policy: &Policy, me: &Principal) -> bool {
    !policy.is_bot(me) && policy.governance.iter().any(|approval| policy.holds(me, &approval.role))
}

fn has_approved(decisions: &[DecisionShown], pending: &PendingPolicy, me: &Principal) -> bool {
    decisions.iter().any(|shown| {
        shown.code.is_none()
            && shown.fact.principal.as_ref() == Some(me)
            && shown.fact.content == pending.digest
    })
}
