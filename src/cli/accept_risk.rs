//! `git gate accept-risk`: accept the risk of a gate's exception, or of a break-glass that a cover names.

use crate::decision::{Action, Target};
use crate::model::{GateName, Name, ObjectId, Principal, Time, escape};
use crate::request::{Exception, ExceptionKind, GateRequest};

use super::approve::signed_a_change;
use super::deciding::{Deciding, DecidingArgs, decide_on, listed};
use super::exceptional::{accepting_roles, refuse_unacceptable, refuse_unfit};
use super::gate_files::GateFiles;
use super::subject::Subject;
use super::{Context, Exit, Failure};

/// The arguments of `accept-risk`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What is decided on.
    #[command(flatten)]
    pub deciding: DecidingArgs,
    /// Accept the cover of this record of the deployment log.
    #[arg(long, value_name = "LOG COMMIT")]
    pub record: Option<ObjectId>,
    /// The role to accept in; needed where you hold several that are asked for.
    #[arg(long, value_name = "ROLE")]
    pub role: Option<Name>,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let Target::Gate(gate) = &args.deciding.target else {
        return Err(Failure::usage("a risk is accepted for a gate: a policy has no exceptions").into());
    };
    let subject = args.record.map_or(Subject::Exception, Subject::Cover);
    decide_on(context, &args.deciding, "accept-risk", subject, |deciding| {
        acceptance(deciding, args, gate, context.now)
    })
}

fn acceptance(
    deciding: &Deciding,
    args: &Args,
    gate: &GateName,
    now: Time,
) -> anyhow::Result<(Action, String)> {
    let policy = &deciding.in_force.policy;
    refuse_unacceptable(policy)?;
    let directory = deciding.directory();
    let file = format!("{directory}/exception.toml");
    let bytes = deciding.file("exception.toml").ok_or_else(|| {
        Failure::new("exception-unknown", format!("there is no `{file}`"))
            .help(format!("write it: `git gate except {gate}`"))
    })?;
    let kind = if args.record.is_some() { ExceptionKind::Cover } else { ExceptionKind::Main };
    let exception = Exception::parse(&file, bytes, gate, kind)?;
    let seen = deciding.seen();
    let recorded = deciding.in_force.exception(gate, args.record)?;
    let standing = recorded.as_ref().filter(|fact| fact.content == seen.content).map(|fact| fact.since);
    let since = [standing, dated(deciding, &file)?].into_iter().flatten().min().unwrap_or(now);
    refuse_unfit(policy, &exception, since, now)?;
    let asked = accepting_roles(policy);
    let role = deciding.role(args.role.as_ref(), &asked)?;
    if !asked.contains(&role) {
        let asked: Vec<&Name> = asked.iter().collect();
        let message =
            format!("`[exceptions]` asks no acceptance by `{role}`: `--role`, of {}", listed(&asked));
        return Err(Failure::usage(message).into());
    }
    if let Some(principal) = &deciding.hand.principal {
        let wrote_it = recorded.is_some_and(|fact| fact.authors.contains(principal))
            || signed_a_change(deciding, principal, &own_paths(args.record, &directory))?;
        let of = if wrote_it { Some("the exception") } else { of_gate(deciding, gate, principal)? };
        if let Some(of) = of {
            let message = format!("`{principal}` is an author of {of}: this acceptance would not count");
            let others = policy.role_holders(&role).filter(|other| *other != principal);
            let others: Vec<String> = others.map(ToString::to_string).collect();
            let help = if others.is_empty() {
                format!("nobody else holds the role `{role}`: a policy change must say who does")
            } else {
                format!("it is for somebody else in the role `{role}`: {}", others.join(", "))
            };
            return Err(Failure::new("self-approval", message).help(help).into());
        }
    }
    Ok((Action::AcceptRisk { role, record: args.record, seen }, shown(&file, bytes)))
}

/// The date of the commit on this branch that last changed the file.
fn dated(deciding: &Deciding, file: &str) -> anyhow::Result<Option<Time>> {
    let base = deciding.base().to_string();
    let seconds = deciding.hand.git.run(&["log", "-1", "--format=%ct", &base, "--", file])?;
    Ok(seconds.parse().ok().and_then(Time::from_unix))
}

/// The paths of what is accepted: covers are no part of an exception.
fn own_paths(record: Option<ObjectId>, directory: &str) -> Vec<String> {
    let mut paths = vec![directory.to_owned()];
    if record.is_none() {
        paths.push(format!(":(exclude){directory}/covers"));
    }
    paths
}

fn of_gate(
    deciding: &Deciding,
    gate: &GateName,
    principal: &Principal,
) -> anyhow::Result<Option<&'static str>> {
    let files =
        GateFiles::read(&deciding.repository, deciding.base(), &gate.directory())?.unwrap_or_default();
    // A request that does not read names nobody; who signed it is an author all the same.
    let request = files.get("gate.toml").and_then(|bytes| GateRequest::parse("gate.toml", bytes, gate).ok());
    let is_author = request.is_some_and(|request| request.requested_by.contains(principal))
        || deciding.in_force.is_author(gate, principal)?
        || signed_a_change(deciding, principal, &[gate.directory()])?;
    Ok(is_author.then_some("the gate"))
}

/// The file above the question: nobody signs what they have not been shown.
fn shown(file: &str, bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<String> = text.lines().map(|line| format!("  {}\n", escape(line))).collect();
    format!("{file}:\n\n{}\n", lines.concat())
}
