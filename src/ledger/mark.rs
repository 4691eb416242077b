//! The highest mainline commit seen, and the last word of each deployment log, kept in the repository's `.git`, so that
//! a mainline or a log that was rewound is noticed.
//!
//! The one must be on the first-parent chain of the next (design, section 9), the other in the log. Where nothing can be
//! written the mark stays where it is: reading never needs to write.

use std::collections::BTreeMap;

use crate::git::Repository;
use crate::model::{Name, ObjectId};

use super::{Ledger, Undecided, View};

/// Where the last words of the logs are kept.
const LOGS: &str = "logs";

/// Refuses a mainline that does not follow the one seen before, and remembers it.
pub fn follow(
    repository: &Repository,
    ledger: &Ledger,
    view: View,
    mainline_ref: &str,
) -> Result<(), Undecided> {
    if let Some(rewound) = look(repository, ledger, view, mainline_ref)? {
        return Err(rewound);
    }
    let tip = ledger.mainline(view);
    if read(repository, &name(mainline_ref))? == Some(tip) {
        return Ok(());
    }
    // Nothing is lost where it cannot be kept: the next reader compares with the older mark.
    let _kept = repository.keep_state(&name(mainline_ref), &format!("{tip}\n"));
    Ok(())
}

/// Why a mainline does not follow the one seen before, if it does not; nothing is written.
pub fn look(
    repository: &Repository,
    ledger: &Ledger,
    view: View,
    mainline_ref: &str,
) -> Result<Option<Undecided>, Undecided> {
    let tip = ledger.mainline(view);
    let Some(seen) = read(repository, &name(mainline_ref))? else { return Ok(None) };
    let before_root =
        || ledger.history.find(seen).is_some_and(|at| ledger.history.is_first_parent_of_root(at));
    if seen == tip || ledger.is_on_chain(seen, view) || before_root() {
        return Ok(None);
    }
    Ok(Some(rewound(ledger, seen, tip, mainline_ref)))
}

/// Accepts the mainline as it stands, whatever was seen before.
pub fn accept(repository: &Repository, mainline_ref: &str, tip: ObjectId) -> Result<(), Undecided> {
    Ok(repository.keep_state(&name(mainline_ref), &format!("{tip}\n"))?)
}

/// Refuses a log that lacks the last word seen of it before, and remembers the last one now. `holds`: whether a commit is in
/// the log.
pub fn follow_log(
    repository: &Repository,
    environment: &Name,
    last: Option<ObjectId>,
    holds: impl Fn(ObjectId) -> Result<bool, Undecided>,
) -> Result<(), Undecided> {
    if let Some(seen) = lost_of_log(repository, environment, holds)? {
        return Err(Undecided::new(
            "log-rewound",
            format!("the log of `{environment}` lacks {seen}, which was seen before"),
            "find out who rewound it, and push that commit back to `deployments/<environment>`; if it was on purpose: \
             `git gate trust --accept-rewind`",
        ));
    }
    let name = format!("{LOGS}/{environment}");
    let seen = read(repository, &name)?;
    if let Some(last) = last.filter(|last| seen != Some(*last)) {
        // As above.
        let _kept = repository.keep_state(&name, &format!("{last}\n"));
    }
    Ok(())
}

/// The last word seen of a log, where the log lacks it; nothing is written.
pub fn lost_of_log(
    repository: &Repository,
    environment: &Name,
    holds: impl Fn(ObjectId) -> Result<bool, Undecided>,
) -> Result<Option<ObjectId>, Undecided> {
    let Some(seen) = read(repository, &format!("{LOGS}/{environment}"))? else { return Ok(None) };
    Ok(if holds(seen)? { None } else { Some(seen) })
}

/// Remembers where the logs ended when a rewound mainline was accepted: the next record says so (`Gate-Restart`).
pub fn accept_logs(repository: &Repository, logs: &BTreeMap<Name, ObjectId>) -> Result<(), Undecided> {
    repository.forget_states(LOGS)?;
    for (environment, tip) in logs {
        repository.keep_state(&restart_name(environment), &format!("{tip}\n"))?;
    }
    Ok(())
}

/// Where the log of `environment` ended when a rewound mainline was accepted here, if one was.
pub fn accepted_log(repository: &Repository, environment: &Name) -> Result<Option<ObjectId>, Undecided> {
    let text = repository.state(&restart_name(environment))?;
    // What does not read accepts nothing.
    Ok(text.and_then(|text| text.trim_end().parse().ok()))
}

fn restart_name(environment: &Name) -> String {
    format!("restart/{environment}")
}

fn rewound(ledger: &Ledger, seen: ObjectId, tip: ObjectId, mainline_ref: &str) -> Undecided {
    let branch = mainline_ref.rsplit('/').next().unwrap_or(mainline_ref);
    let merged_backwards = ledger.history.find(seen).is_some();
    let message = if merged_backwards {
        format!(
            "the mainline {tip} holds {seen}, which was seen before, only as a second parent: a merge was made the \
             wrong way round, and rewrites the order of everything"
        )
    } else {
        format!("the mainline {tip} does not descend from {seen}, which was seen before")
    };
    let help = if merged_backwards {
        format!(
            "no force is needed: `git checkout {seen}; git merge --no-ff {tip}; git push origin HEAD:{branch}`; or accept \
             it as it is: `git gate trust --accept-rewind`"
        )
    } else {
        "find out who rewound it; if it was on purpose: `git gate trust --accept-rewind`".to_owned()
    };
    Undecided { code: "mainline-rewound", message, help }
}

/// Where the mark of a mainline is kept.
fn name(mainline_ref: &str) -> String {
    format!("seen/{}", mainline_ref.replace('/', "."))
}

fn read(repository: &Repository, name: &str) -> Result<Option<ObjectId>, Undecided> {
    let Some(text) = repository.state(name)? else { return Ok(None) };
    match text.trim_end().parse() {
        Ok(id) => Ok(Some(id)),
        Err(_malformed) => Err(Undecided::new(
            "unreadable-file",
            format!("`gate/{name}` in the git directory holds no commit id"),
            "look at the mainline and the logs, then accept them: `git gate trust --accept-rewind`",
        )),
    }
}
