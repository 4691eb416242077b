//! Git: the only place that names the git library, and the only one that touches a repository.
//!
//! Reading starts no program and runs nothing: no hook, no filter, no configured helper. Objects come from the object
//! database alone, with their ids checked against SHA-1 with collision detection by the library; parents, trees,
//! messages and signatures are split from those bytes by our own readers ([`raw`], [`Tree`]), so that grafts, shallow
//! files and replacements change nothing (design, sections 8 and 9.2). Refs are read by full name.

mod agent;
mod branch;
mod brought;
mod checkout;
mod config;
mod draft;
mod found;
mod hook;
mod locate;
mod lock;
mod loose;
mod merge;
mod merge_base;
mod objects;
mod origin;
mod packs;
mod pages;
mod preview;
mod refs;
mod run;
mod scratch;
mod sign;
mod state;
mod tree;
mod unwritten;
mod write;

pub mod raw;

pub use agent::sign_with_agent;
pub use branch::{Advance, Branch, is_ancestor};
pub use brought::Brought;
pub use draft::{Draft, FileChange};
pub use hook::HookPlace;
pub use locate::Repository;
pub use merge::merge_trees;
pub use origin::Origin;
pub use pages::{Pages, Recalled};
pub use preview::Preview;
pub use run::{Git, Messages, REDIRECTING, Ran, Start, tell_of_programs};
pub use scratch::{Scratch, remove_all_scratch};
pub use sign::{Signed, Signer};
pub use tree::{Entry, EntryKind, Tree, TreeDefect};
pub use unwritten::{Unwritten, WRITE_CODES};
pub use write::{SignedCommit, Written};

use std::path::PathBuf;

use crate::model::ObjectId;

/// Why a repository could not be read. Each is exit status 3, with its code and mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// No repository there or above.
    #[error("`{}` is not in a git repository", .0.display())]
    NotARepository(PathBuf),
    /// History was cut off when cloning or fetching.
    #[error("this is a shallow clone: its history is cut off, so nothing can be proven from it")]
    Shallow,
    /// Somebody rewrote parents locally.
    #[error("`info/grafts` rewrites the history of this repository")]
    Grafted,
    /// Another object format.
    #[error("this repository uses the object format `{0}`; only SHA-1 is read")]
    ObjectFormat(String),
    /// Another ref format.
    #[error("this repository keeps its refs as `{0}`; only files are read")]
    RefFormat(String),
    /// A repository extension that we do not know.
    #[error("this repository uses the extension `{0}`, which this version does not know")]
    Extension(String),
    /// An object is not there.
    #[error("object {0} is not in this repository")]
    Missing(ObjectId),
    /// An object is there, and is not what its id says, or cannot be read.
    #[error("object {id} cannot be read: {reason}")]
    Corrupt {
        /// Which.
        id: ObjectId,
        /// What the library says.
        reason: String,
    },
    /// An object is of another kind than what names it says.
    #[error("object {id} is a {found}, not a {wanted}")]
    OtherKind {
        /// Which.
        id: ObjectId,
        /// What it is.
        found: &'static str,
        /// What it is said to be.
        wanted: &'static str,
    },
    /// An object is larger than any that is read.
    #[error("object {id} has {bytes} bytes, more than {limit}")]
    TooLarge {
        /// Which.
        id: ObjectId,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Trees whose directories, each counted as often as it is named, are too many to merge.
    #[error("the trees hold more than {0} entries, counted as often as they are named: too many to merge")]
    MergeTooLarge(u64),
    /// A ref does not hold an object id.
    #[error("the ref `{name}` cannot be read: {reason}")]
    Ref {
        /// Its full name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A file of the repository cannot be read.
    #[error("`{}` cannot be read: {reason}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The library failed otherwise.
    #[error("{0}")]
    Library(String),
}

/// Every code of [`GitError`], with what it means.
pub const CODES: &[(&str, &str)] = &[
    ("not-a-repository", "there is no git repository there or above"),
    ("shallow-clone", "history is cut off: `git fetch --unshallow`"),
    ("grafted-history", "`info/grafts` rewrites history: remove it"),
    ("object-format", "a SHA-256 repository: not read"),
    ("ref-format", "a reftable repository: not read"),
    ("unknown-extension", "a repository extension that this version does not know"),
    ("missing-object", "an object is not there: a partial clone or a damaged repository"),
    ("corrupt-object", "an object is not what its id says"),
    ("object-too-large", "an object is over the limit for its kind"),
    ("merge-too-large", "trees that name their own directories so often that no merge could be made"),
    ("bad-ref", "a ref does not hold an object id"),
    ("unreadable-file", "a file of the repository cannot be read"),
    ("git-library", "the git library failed"),
];

impl GitError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotARepository(_) => "not-a-repository",
            Self::Shallow => "shallow-clone",
            Self::Grafted => "grafted-history",
            Self::ObjectFormat(_) => "object-format",
            Self::RefFormat(_) => "ref-format",
            Self::Extension(_) => "unknown-extension",
            Self::Missing(_) => "missing-object",
            Self::Corrupt { .. } | Self::OtherKind { .. } => "corrupt-object",
            Self::TooLarge { .. } => "object-too-large",
            Self::MergeTooLarge(_) => "merge-too-large",
            Self::Ref { .. } => "bad-ref",
            Self::Io { .. } => "unreadable-file",
            Self::Library(_) => "git-library",
        }
    }

    /// What mends it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NotARepository(_) => {
                "go into a clone of the governance repository, or name it: `git gate -C <path> …`"
            }
            Self::Shallow => "fetch all of it: `git fetch --unshallow`",
            Self::Grafted => "move `info/grafts` out of the git directory",
            Self::ObjectFormat(_) => {
                "keep the governance repository in SHA-1: `git init --object-format=sha1`"
            }
            Self::RefFormat(_) => "migrate it: `git refs migrate --ref-format=files`",
            Self::Extension(_) => "update git-gate, or clone the repository without that extension",
            Self::Missing(_) => {
                "in a partial clone fetch everything: `git fetch --refetch --no-filter`; else check it: `git fsck`"
            }
            Self::Corrupt { .. } | Self::OtherKind { .. } => "check it: `git fsck --full`; then clone afresh",
            Self::TooLarge { .. } => "no honest object of this kind is that large: find who wrote it",
            Self::MergeTooLarge(_) => {
                "find who put the same directory in so many places, and take it off the branch"
            }
            Self::Ref { .. } => "check it: `git show-ref`",
            Self::Io { .. } => "check the permissions of the git directory",
            Self::Library(_) => "check the repository: `git fsck`",
        }
    }
}
