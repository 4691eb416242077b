//! Making a signed commit: who and when, the bytes, the signature, and a last look before anything is stored.
//!
//! Author and committer are one line, time included: a decision whose lines differ counts for nothing (design, section
//! 8). Objects go in first, then one ref is moved: whatever fails before leaves no trace that anything reads.

use std::fmt::Write as _;

use git2::ObjectType;

use crate::model::{ObjectId, Time};
use crate::signature::Signature;

use super::draft::{NewObject, hash};
use super::{Draft, Git, Signer, Unwritten, raw};

/// A signed commit that is not stored yet.
#[derive(Debug)]
pub struct SignedCommit {
    id: ObjectId,
    time: Time,
    signature: Signature,
    parents: usize,
    objects: Vec<NewObject>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The commit.
    pub commit: ObjectId,
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// Whether the remote has it.
    pub pushed: bool,
    /// What is to be done here all the same, where the remote has it and this clone did not follow.
    pub note: Option<String>,
}

impl Draft {
    /// Signs the commit, as the user, now.
    pub fn sign(mut self, git: &Git, signer: &Signer) -> Result<SignedCommit, Unwritten> {
        let identity = identity(git, self.date)?;
        let payload = self.payload(&identity);
        // Checked before the person is asked for a touch.
        check(&payload, None)?;
        let signature = signer.sign(payload.as_bytes())?;
        let bytes = with_signature(&payload, &signature.armored);
        let time = check(&bytes, Some((&payload, &signature.armored)))?;
        let id = hash(ObjectType::Commit, bytes.as_bytes())?;
        self.objects.push(NewObject { kind: ObjectType::Commit, bytes: bytes.into_bytes() });
        Ok(SignedCommit {
            id,
            time,
            signature: signature.signature,
            parents: self.parents.len(),
            objects: self.objects,
        })
    }

    fn payload(&self, identity: &str) -> String {
        // Writing to a string cannot fail.
        let mut text = format!("tree {}\n", self.tree);
        for parent in &self.parents {
            let _ = writeln!(text, "parent {parent}");
        }
        let _ = write!(text, "author {identity}\ncommitter {identity}\n\n{}", self.message);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text
    }
}

impl SignedCommit {
    /// The id that it will have.
    pub fn id(&self) -> ObjectId {
        self.id
    }

    /// The signature, verified.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Its date.
    pub fn time(&self) -> Time {
        self.time
    }

    /// Whether it has several parents.
    pub(super) fn is_merge(&self) -> bool {
        self.parents > 1
    }

    /// Stores its objects, the commit last. Nothing points at them yet.
    pub(super) fn store(&self, git: &Git) -> Result<(), Unwritten> {
        for NewObject { kind, bytes } in &self.objects {
            let expected = hash(*kind, bytes)?;
            let stored = git.run_with(&["hash-object", "-w", "-t", kind.str(), "--stdin"], bytes)?;
            if stored != expected.to_string() {
                let message = format!("git stored object {expected} as `{stored}`");
                return Err(Unwritten::new("git-failed", message));
            }
        }
        Ok(())
    }
}

/// `name <email> seconds +hhmm`, as git would write it now; or of that date.
fn identity(git: &Git, date: Option<Time>) -> Result<String, Unwritten> {
    let now = git.run(&["var", "GIT_COMMITTER_IDENT"]).map_err(|error| {
        if error.code != "git-failed" {
            return error;
        }
        Unwritten::new("no-identity", "git does not know who you are")
            .help("git config --global user.name \"<name>\" and git config --global user.email <email>")
    })?;
    match (date, now.rsplitn(3, ' ').nth(2)) {
        (Some(date), Some(name)) => Ok(format!("{name} {} +0000", date.unix())),
        (Some(_) | None, _) => Ok(now),
    }
}

/// The commit with its signature, where git itself puts it: behind the other headers.
fn with_signature(payload: &str, armored: &str) -> String {
    let (headers, message) = payload.split_once("\n\n").unwrap_or((payload, ""));
    let folded = armored.trim_end_matches('\n').replace('\n', "\n ");
    format!("{headers}\ngpgsig {folded}\n\n{message}")
}

/// Reads the commit as every reader will: what does not read strictly, or signs something else, is not written.
fn check(bytes: &str, signed: Option<(&str, &str)>) -> Result<Time, Unwritten> {
    let commit = raw::parse(bytes.as_bytes()).map_err(|error| {
        Unwritten::new("unwritable-commit", format!("this commit would count for nothing: {error}"))
            .help("check the message, `git config user.name` and `git config user.email`")
    })?;
    if let Some((payload, armored)) = signed {
        let reads = commit.signature().map(|read| read.trim_end_matches('\n').to_owned());
        let same = reads.as_deref() == Some(armored.trim_end_matches('\n'))
            && commit.payload() == payload.as_bytes();
        if !same {
            return Err(Unwritten::new("signing-bad", "the signature does not fit into a commit"));
        }
    }
    Ok(commit.committer_time())
}
