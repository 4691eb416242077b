//! This clone: whether it holds the whole history, and nothing that rewrites it.

use crate::git::Repository;
use crate::render::{About, Finding};

use super::{Patient, shell};

pub(super) fn look(patient: &Patient<'_>) -> Vec<Finding> {
    let repository = match &patient.repository {
        Ok(repository) => repository,
        Err(why) => {
            return vec![Finding::broken(About::Repository, "repository", why.to_string()).help(why.help())];
        }
    };
    let place = repository.work_tree().unwrap_or(repository.git_directory());
    let bare = if repository.work_tree().is_none() { ", bare" } else { "" };
    let mut findings =
        vec![Finding::ok(About::Repository, "repository", format!("{}{bare}", place.display()))];
    findings.extend(cut_off(repository));
    findings.push(replaced(repository));
    findings.push(partial(patient, repository));
    findings.push(branches(repository));
    findings.push(reflogs(patient, repository));
    findings.extend(clock(patient));
    findings
}

/// A shallow clone, and grafts.
fn cut_off(repository: &Repository) -> Vec<Finding> {
    let common = repository.common_directory();
    let holds_lines = |name: &str| common.join(name).metadata().is_ok_and(|file| file.len() > 0);
    let mut findings = Vec::new();
    if holds_lines("shallow") {
        let found = "a shallow clone: its history is cut off, so nothing can be proven from it";
        findings.push(Finding::broken(About::Repository, "shallow", found).mend("git fetch --unshallow"));
    } else {
        findings.push(Finding::ok(About::Repository, "shallow", "the history is whole"));
    }
    if holds_lines("info/grafts") {
        let grafts = common.join("info/grafts");
        let away = common.join("info/grafts.removed");
        findings.push(
            Finding::broken(About::Repository, "grafts", "`info/grafts` rewrites the history of this clone")
                .mend(format!("mv {} {}", shell::path(&grafts), shell::path(&away))),
        );
    }
    findings
}

fn replaced(repository: &Repository) -> Finding {
    let name = "replacements";
    match repository.has_replacements() {
        Ok(false) => Finding::ok(About::Repository, name, "none"),
        Ok(true) => {
            let found = "`refs/replace` shows other objects to git than to git-gate, which ignores it";
            Finding::warning(About::Repository, name, found).mend("git replace -l | xargs git replace -d")
        }
        Err(why) => Finding::broken(About::Repository, name, why.to_string()).help(why.help()),
    }
}

/// A partial clone is sound once every object is there; nothing is fetched behind the user's back.
fn partial(patient: &Patient<'_>, repository: &Repository) -> Finding {
    let name = "partial-clone";
    let promised = repository.config("remote.origin.promisor").is_some_and(|value| value != "false")
        || repository.config("extensions.partialclone").is_some();
    if !promised {
        return Finding::ok(About::Repository, name, "every object is kept here");
    }
    let mend =
        "git config --unset-all remote.origin.partialclonefilter; git fetch --refetch --no-filter origin";
    let arguments = ["rev-list", "--objects", "--all", "--missing=print"];
    match patient.git.attempt_within(&arguments, patient.wait) {
        Ok(Some(ran)) if ran.success => {
            let missing =
                ran.stdout.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"?")).count();
            if missing == 0 {
                return Finding::ok(About::Repository, name, "a partial clone that has every object by now");
            }
            let found = format!("a partial clone: {missing} objects were left at the remote");
            Finding::broken(About::Repository, name, found).mend(mend)
        }
        Ok(Some(ran)) => {
            Finding::broken(About::Repository, name, ran.stderr.trim_end().to_owned()).mend(mend)
        }
        Ok(None) => Finding::warning(
            About::Repository,
            name,
            "a partial clone; what it lacks could not be counted in time",
        )
        .mend(mend),
        Err(why) => Finding::broken(About::Repository, name, why.message),
    }
}

/// Of a branch that is not fetched, nobody here knows whether it is there: it may hold a rejection.
fn branches(repository: &Repository) -> Finding {
    let name = "fetched-branches";
    let refspecs = repository.config_all("remote.origin.fetch");
    if repository.config("remote.origin.url").is_none() {
        return Finding::ok(About::Repository, name, "there is no remote `origin` to fetch from");
    }
    let all = |refspec: &String| refspec.trim_start_matches('+') == "refs/heads/*:refs/remotes/origin/*";
    if refspecs.iter().any(all) {
        return Finding::ok(About::Repository, name, "all branches of `origin`");
    }
    let mend = "git config --replace-all remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*'; git fetch origin";
    if refspecs.is_empty() {
        let found = "none of `origin`: only what is in this clone is read";
        return if repository.work_tree().is_none() {
            // As a server has it, and a bot that fetches by itself.
            Finding::ok(About::Repository, name, found)
        } else {
            Finding::warning(About::Repository, name, found).mend(mend)
        };
    }
    Finding::broken(
        About::Repository,
        name,
        "some branches of `origin` only: rejections and logs may be on others",
    )
    .mend(mend)
}

/// By its reflogs a clone finds again what a forge squashed or somebody rewound.
fn reflogs(patient: &Patient<'_>, repository: &Repository) -> Finding {
    let name = "reflogs";
    match patient.git.config("core.logAllRefUpdates") {
        Ok(Some(value)) if matches!(value.to_ascii_lowercase().as_str(), "false" | "no" | "off" | "0") => {
            let found = "off: what a branch held before it was rewritten cannot be found again here";
            let set = shell::config(&patient.git, "core.logAllRefUpdates");
            Finding::warning(About::Repository, name, found).mend(format!("{set} core.logAllRefUpdates true"))
        }
        Ok(None) if repository.work_tree().is_none() => {
            Finding::ok(About::Repository, name, "off, as is usual where there is no work tree")
        }
        Ok(_) => Finding::ok(About::Repository, name, "on"),
        Err(why) => Finding::warning(About::Repository, name, why.message),
    }
}

/// The mainline's tip, compared with the clock of this machine.
fn clock(patient: &Patient<'_>) -> Option<Finding> {
    let session = patient.session.as_ref().ok()?;
    let ahead = session.tip_time()?.unix() - patient.context.now.unix();
    if ahead <= crate::model::limits::CLOCK_SKEW_SECONDS {
        return Some(Finding::ok(About::Repository, "clock", "not behind the mainline's tip"));
    }
    let found = format!(
        "the mainline's tip is dated {} minutes from now: this clock is behind, or its was ahead",
        ahead / 60
    );
    Some(
        Finding::warning(About::Repository, "clock", found)
            .help("set the clock of this machine: what it signs is dated by it, and ages are counted"),
    )
}
