//! The highest mainline commit seen, kept in the repository's `.git`, so that a rewound mainline is noticed.
//!
//! It must be on the first-parent chain of the next one (design, section 9). Where nothing can be written the mark stays
//! where it is: reading never needs to write.

use std::collections::BTreeMap;

use crate::git::Repository;
use crate::model::{Name, ObjectId};

use super::{Ledger, Undecided, View};

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
    if read(repository, mainline_ref)? == Some(tip) {
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
    let Some(seen) = read(repository, mainline_ref)? else { return Ok(None) };
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

/// Remembers where the logs ended when a rewound mainline was accepted: the next record says so (`Gate-Restart`).
pub fn accept_logs(repository: &Repository, logs: &BTreeMap<Name, ObjectId>) -> Result<(), Undecided> {
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

fn read(repository: &Repository, mainline_ref: &str) -> Result<Option<ObjectId>, Undecided> {
    let name = name(mainline_ref);
    let Some(text) = repository.state(&name)? else { return Ok(None) };
    match text.trim_end().parse() {
        Ok(id) => Ok(Some(id)),
        Err(_malformed) => Err(Undecided::new(
            "unreadable-file",
            format!("`gate/{name}` in the git directory holds no commit id"),
            "look at the mainline, then accept it: `git gate trust --accept-rewind`",
        )),
    }
}
