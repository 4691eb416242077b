//! What was read of a push → why it is refused.
//!
//! One function for each thing that a ref can do wrong, over what was read alone; the list in [`of_ref`] is that of section
//! R13 of `docs/rules.md`. Refused is what breaks the record, and what can never count.

use crate::ledger::Undecided;
use crate::model::ObjectId;

use super::help;
use super::{Arrived, ArrivedDirectory, ArrivedRef, Kind, Movement, Refusal};

/// The refusals of a push, ref by ref in git's order.
pub(super) fn refusals(arrived: &Arrived) -> Vec<Refusal> {
    arrived.refs.iter().flat_map(|moved| of_ref(moved, &arrived.mainline)).collect()
}

fn of_ref(moved: &ArrivedRef, mainline: &str) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    refusals.extend(replaced(moved));
    refusals.extend(deleted(moved));
    refusals.extend(moved_back(moved, mainline));
    refusals.extend(moved.unjudged.iter().map(|why| unjudged(moved, why)));
    refusals.extend(dropped(moved));
    refusals.extend(policy_changed(moved));
    refusals.extend(moved.directories.iter().flat_map(|directory| directory_refusals(moved, directory)));
    refusals.extend(uncounted_decisions(moved));
    refusals.extend(uncounted_records(moved));
    refusals
}

fn refusal(
    moved: &ArrivedRef,
    commit: Option<ObjectId>,
    code: &'static str,
    message: impl Into<String>,
    help: impl Into<String>,
) -> Refusal {
    Refusal {
        reference: moved.update.name.clone(),
        commit,
        code,
        message: message.into(),
        help: help.into(),
        certain: true,
        problems: Vec::new(),
    }
}

/// Replacement refs are read by nobody here, and mislead who looks with plain git.
fn replaced(moved: &ArrivedRef) -> Option<Refusal> {
    if moved.kind != Kind::Replacement {
        return None;
    }
    let new = moved.update.new?;
    Some(refusal(
        moved,
        Some(new),
        "replacement",
        "it would show another object in the place of one that was recorded, to whoever looks with plain git",
        "keep replacements in your own clone",
    ))
}

fn deleted(moved: &ArrivedRef) -> Option<Refusal> {
    if moved.movement != Movement::Deleted {
        return None;
    }
    match moved.kind {
        Kind::Mainline => Some(refusal(
            moved,
            moved.update.old,
            "mainline-deleted",
            "the mainline is the record: it is not deleted",
            "leave it; to name another one, whoever keeps the repository sets `gate.mainline` there",
        )),
        Kind::Log(_) => Some(refusal(
            moved,
            moved.update.old,
            "log-deleted",
            "a deployment log is the record: it is not deleted",
            "leave it: a log of an environment that is gone stays, and costs nothing",
        )),
        Kind::Gate(_) | Kind::Policy | Kind::Replacement | Kind::Other => None,
    }
}

fn moved_back(moved: &ArrivedRef, mainline: &str) -> Option<Refusal> {
    let (old, new) = (moved.update.old?, moved.update.new?);
    let again = help::merge_the_right_way(old, new, mainline);
    match (&moved.kind, moved.movement) {
        (Kind::Mainline, Movement::Back) => Some(refusal(
            moved,
            Some(new),
            "mainline-rewound",
            format!("it does not hold {old}, where the mainline stands: what was recorded would be gone"),
            again,
        )),
        (Kind::Mainline, Movement::Sideways) => Some(refusal(
            moved,
            Some(new),
            "mainline-rewound",
            format!(
                "it holds {old}, where the mainline stands, only as a second parent: a merge was made the wrong way round, \
                 and rewrites the order of everything"
            ),
            again,
        )),
        (Kind::Log(environment), Movement::Back | Movement::Sideways) => Some(refusal(
            moved,
            Some(new),
            "log-moved-back",
            format!("it does not follow {old}, where the log of `{environment}` stands, by first parents"),
            "fetch the log and log anew behind it: `git fetch origin; git gate deploy …`; a log is never merged or rebased",
        )),
        (
            Kind::Mainline | Kind::Gate(_) | Kind::Policy | Kind::Log(_) | Kind::Replacement | Kind::Other,
            _,
        ) => None,
    }
}

fn unjudged(moved: &ArrivedRef, why: &Undecided) -> Refusal {
    let help = match why.code {
        "no-trust-root" => help::PIN.to_owned(),
        _ => why.help.clone(),
    };
    let refused = refusal(moved, moved.update.new, why.code, why.message.clone(), help);
    Refusal { certain: false, ..refused }
}

fn dropped(moved: &ArrivedRef) -> impl Iterator<Item = Refusal> {
    moved.dropped.iter().map(|commit| {
        refusal(
            moved,
            Some(*commit),
            "rejection-dropped",
            "a rejection or close that nobody has recorded yet would be gone with it",
            "record it first, by merging the branch as it stands into the mainline; or go on from it: \
             merge it into what you push",
        )
    })
}

fn policy_changed(moved: &ArrivedRef) -> Option<Refusal> {
    let commit = moved.policy?;
    Some(match moved.kind {
        Kind::Mainline => refusal(
            moved,
            Some(commit),
            "policy-unapproved",
            "`policy/` becomes another than the one in force, and has not the approvals that `[governance]` asks for",
            "push the change on a branch `policy/<name>`, have it approved there (`git gate approve policy`), and merge \
             that: `git gate policy status`",
        ),
        Kind::Gate(_) | Kind::Policy | Kind::Log(_) | Kind::Replacement | Kind::Other => refusal(
            moved,
            Some(commit),
            "policy-on-gate-branch",
            "it changes `policy/`, which is never taken from here",
            "take the change out of the branch, and propose it on a branch `policy/<name>`; where it is approved, push the \
             mainline that holds it together with this",
        ),
    })
}

fn directory_refusals(moved: &ArrivedRef, directory: &ArrivedDirectory) -> Vec<Refusal> {
    let ArrivedDirectory { path, commit, defects, problems, closed, deployed, unsigned, unseen } = directory;
    let mut refusals = Vec::new();
    if let Some(close) = closed {
        refusals.push(refusal(
            moved,
            *commit,
            "gate-closed",
            format!("`{path}` was closed by {close}: its files stay as they were then"),
            "open a new version: `git gate open <system>/<version> --from <this version>`",
        ));
    }
    if let Some((environment, record)) = deployed {
        refusals.push(refusal(
            moved,
            *commit,
            "gate-deployed",
            format!("`{path}` was deployed to `{environment}` by {record}: its files stay as they were then"),
            "open a new version: `git gate open <system>/<version> --from <this version>`",
        ));
    }
    if !defects.is_empty() {
        let mut told = defects.clone();
        told.truncate(help::MOST_TOLD);
        refusals.push(refusal(
            moved,
            *commit,
            "directory-invalid",
            format!("`{path}` is invalid: {}", told.join("; ")),
            "regular files only, with plain names, within the limits of rule R4.6",
        ));
    }
    if !problems.is_empty() {
        let mut refused = refusal(
            moved,
            *commit,
            "request-invalid",
            format!("`{path}` holds a file that cannot be read"),
            "correct it in a further commit and push again",
        );
        refused.problems.clone_from(problems);
        refusals.push(refused);
    }
    if let Some((first, by, code, reason)) = unsigned.first() {
        let more = match unsigned.len() {
            1 => String::new(),
            several => format!(", and {} more", several - 1),
        };
        refusals.push(refusal(
            moved,
            Some(*by),
            "unsigned-files",
            format!(
                "`{first}`{more}: last changed by a commit whose signature does not count ({code}: {reason})"
            ),
            help::SIGNED_FILES,
        ));
    }
    if let Some(by) = unseen {
        refusals.push(refusal(
            moved,
            Some(*by),
            "incident-unseen",
            format!("the change of `{path}` is not seen: it is not signed as it must be, or does not read"),
            "to open an incident takes a signature under a key of the policy, to change one that of a person in a role",
        ));
    }
    refusals
}

fn uncounted_decisions(moved: &ArrivedRef) -> impl Iterator<Item = Refusal> {
    moved.decisions.iter().map(|decision| {
        refusal(
            moved,
            Some(decision.commit),
            decision.code.as_str(),
            format!("this decision on {} cannot count: {}", decision.what, decision.reason),
            help::of_decision(decision.code, decision.commit),
        )
    })
}

fn uncounted_records(moved: &ArrivedRef) -> impl Iterator<Item = Refusal> {
    moved.records.iter().map(|(commit, code, reason)| {
        let help = if moved.kind == Kind::Mainline {
            "push the log with it, or before it; what is in no log is not merged into the mainline"
        } else {
            "a log holds what `git gate deploy` writes, each record behind the one before: fetch it and log anew"
        };
        refusal(moved, Some(*commit), code, format!("this record cannot count: {reason}"), help)
    })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
