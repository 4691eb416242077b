//! The highest mainline commit seen, kept in the repository's `.git`, so that a rewound mainline is noticed.
//!
//! It must be on the first-parent chain of the next one (design, section 9). Where nothing can be written the mark stays
//! where it is: reading never needs to write.

use std::fs;
use std::path::PathBuf;

use crate::git::Repository;
use crate::model::ObjectId;

use super::{Ledger, Undecided, View};

/// Refuses a mainline that does not follow the one seen before, and remembers it.
pub fn follow(
    repository: &Repository,
    ledger: &Ledger,
    view: View,
    mainline_ref: &str,
) -> Result<(), Undecided> {
    let tip = ledger.mainline(view);
    let path = file(repository, mainline_ref);
    if let Some(seen) = read(&path)? {
        if seen == tip {
            return Ok(());
        }
        if !ledger.is_on_chain(seen, view) {
            return Err(rewound(ledger, seen, tip, mainline_ref));
        }
    }
    remember(&path, tip);
    Ok(())
}

/// Accepts the mainline as it stands, whatever was seen before.
pub fn accept(repository: &Repository, mainline_ref: &str, tip: ObjectId) -> Result<(), Undecided> {
    let path = file(repository, mainline_ref);
    remember(&path, tip);
    match read(&path)? {
        Some(seen) if seen == tip => Ok(()),
        Some(_) | None => Err(Undecided::new(
            "unreadable-file",
            format!("`{}` cannot be written", path.display()),
            "check the permissions of the git directory",
        )),
    }
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

fn file(repository: &Repository, mainline_ref: &str) -> PathBuf {
    repository.common_directory().join("gate").join("seen").join(mainline_ref.replace('/', "."))
}

#[expect(clippy::disallowed_methods, reason = "the mark is the ledger's own file in `.git`")]
fn read(path: &std::path::Path) -> Result<Option<ObjectId>, Undecided> {
    let Ok(bytes) = fs::read(path) else { return Ok(None) };
    let text = String::from_utf8_lossy(&bytes);
    match text.trim_end().parse() {
        Ok(id) => Ok(Some(id)),
        Err(_malformed) => Err(Undecided::new(
            "unreadable-file",
            format!("`{}` holds no commit id", path.display()),
            "look at the mainline, then accept it: `git gate trust --accept-rewind`",
        )),
    }
}

/// Writes beside and renames, so that readers see the old mark or the new one.
fn remember(path: &std::path::Path, tip: ObjectId) {
    let Some(directory) = path.parent() else { return };
    if fs::create_dir_all(directory).is_err() {
        return;
    }
    if let Ok(mut file) = tempfile::NamedTempFile::new_in(directory) {
        use std::io::Write as _;
        if writeln!(file, "{tip}").is_ok() {
            // Nothing is lost where it cannot be kept: the next reader compares with the older mark.
            let _kept = file.persist(path);
        }
    }
}
