//! The two files of a policy, from a directory or a commit, for `policy lint`.
//!
//! Only this command reads a policy from a directory: whoever edits one wants to know before it is committed. What is in
//! force never comes from here.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::git::{EntryKind, GitError, Repository, Tree, raw};
use crate::model::{ContentDigest, ObjectId, content_digest, limits};

use crate::problem::Problems;

use super::{Context, Failure};

/// A policy as written, and where it was found.
#[derive(Debug)]
pub(super) struct PolicyFiles {
    /// Where it was found, for people: a directory, or `policy@<commit>`.
    pub(super) origin: String,
    /// `policy.toml`.
    pub(super) policy_toml: Vec<u8>,
    /// `allowed_signers`.
    pub(super) allowed_signers: Vec<u8>,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Directory(PathBuf),
    Commit(ObjectId),
    Index,
}

impl PolicyFiles {
    /// A file named below `policy/` as the user knows it.
    pub(super) fn shown(&self, file: &str) -> String {
        match &self.place {
            Place::Directory(directory) => {
                let name = file.rsplit('/').next().unwrap_or(file);
                directory.join(name).display().to_string()
            }
            Place::Commit(commit) => format!("{file}@{}", commit.short()),
            Place::Index => format!("{file}@index"),
        }
    }

    /// The content digest that `policy/` has with these files alone.
    pub(super) fn digest(&self) -> ContentDigest {
        let of = |bytes: &[u8]| ContentDigest::of_bytes(bytes).0;
        let files = [("allowed_signers", of(&self.allowed_signers)), ("policy.toml", of(&self.policy_toml))];
        content_digest(files)
    }
}

/// The problems of a policy, with the places of its files as the user knows them.
pub(super) fn placed(files: &PolicyFiles, mut problems: Problems) -> Problems {
    for place in problems.0.iter_mut().filter_map(|problem| problem.place.as_mut()) {
        place.file = files.shown(&place.file);
    }
    problems
}

/// The policy as it is staged: what the next `git commit` would hold.
pub(super) fn from_index(context: &Context) -> anyhow::Result<PolicyFiles> {
    let repository = context.repository()?;
    let read = |name: &str| -> anyhow::Result<Vec<u8>> {
        let path = format!("policy/{name}");
        let Some(id) = repository.staged(&path)? else {
            let message = format!("`{path}` is not in the index, or in conflict there");
            return Err(Failure::new("policy-not-found", message).help("stage it: `git add policy`").into());
        };
        if repository.blob_size(id)? > limits::FILE_BYTES {
            return Err(too_large(&path).into());
        }
        Ok(repository.read_blob(id)?)
    };
    Ok(PolicyFiles {
        origin: "policy@index".to_owned(),
        policy_toml: read("policy.toml")?,
        allowed_signers: read("allowed_signers")?,
        place: Place::Index,
    })
}

/// The policy that was named; without a name that of the work tree, else that of the mainline.
pub(super) fn read(context: &Context, named: Option<&str>) -> anyhow::Result<PolicyFiles> {
    let Some(named) = named else {
        return default_policy(context);
    };
    if let Ok(commit) = named.parse::<ObjectId>() {
        return from_commit(&context.repository()?, commit);
    }
    let path = from_here(context, Path::new(named));
    if path.is_dir() {
        return from_directory(path);
    }
    let repository = context.repository()?;
    match find_branch(&repository, named)? {
        Some(commit) => from_commit(&repository, commit),
        None => Err(Failure::new(
            "policy-not-found",
            format!("`{named}` is no directory, branch, tag of a commit or full commit id"),
        )
        .help("name the directory that holds `policy.toml`, or a branch")
        .into()),
    }
}

fn default_policy(context: &Context) -> anyhow::Result<PolicyFiles> {
    let repository = context.repository()?;
    if let Some(work_tree) = repository.work_tree() {
        return from_directory(above(context, work_tree).join("policy"));
    }
    let mainline = format!("refs/heads/{}", repository.config("gate.mainline").unwrap_or("main"));
    match repository.resolve(&mainline)? {
        Some(commit) => from_commit(&repository, commit),
        None => {
            Err(Failure::new("policy-not-found", format!("there is no `{mainline}` to read a policy from"))
                .help("name the directory that holds `policy.toml`, or a branch")
                .into())
        }
    }
}

/// A path as the user would write it, who knows only where the command was started.
fn from_here(context: &Context, path: &Path) -> PathBuf {
    if context.directory == Path::new(".") { path.to_owned() } else { context.directory.join(path) }
}

/// The directory `above`, which the one of the command lies in, as the user would write it.
fn above(context: &Context, above: &Path) -> PathBuf {
    let here = std::fs::canonicalize(&context.directory).ok();
    match here.as_deref().and_then(|here| here.strip_prefix(above).ok()) {
        Some(below) => from_here(context, &below.iter().map(|_| "..").collect::<PathBuf>()),
        None => above.to_owned(),
    }
}

/// A ref by its full name, a local branch, or one of a remote.
fn find_branch(repository: &Repository, named: &str) -> Result<Option<ObjectId>, GitError> {
    if named.starts_with("refs/") {
        return repository.resolve(named);
    }
    if named == "HEAD" {
        return repository.head();
    }
    for prefix in ["refs/heads/", "refs/remotes/", "refs/remotes/origin/", "refs/tags/"] {
        if let Some(commit) = repository.resolve(&format!("{prefix}{named}"))? {
            return Ok(Some(commit));
        }
    }
    Ok(None)
}

/// `directory` itself, or the `policy/` in it.
fn from_directory(directory: PathBuf) -> anyhow::Result<PolicyFiles> {
    let inner = directory.join("policy");
    let directory = if inner.join("policy.toml").is_file() { inner } else { directory };
    Ok(PolicyFiles {
        origin: directory.display().to_string(),
        policy_toml: read_file(&directory.join("policy.toml"))?,
        allowed_signers: read_file(&directory.join("allowed_signers"))?,
        place: Place::Directory(directory),
    })
}

pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |error: &std::io::Error| {
        Failure::new("policy-not-found", format!("`{}` cannot be read: {error}", path.display()))
            .help("name the directory that holds `policy.toml` and `allowed_signers`")
    };
    #[expect(clippy::disallowed_methods, reason = "cli/ reads the files that the user names")]
    let file = std::fs::File::open(path).map_err(|error| unreadable(&error))?;
    let mut bytes = Vec::new();
    file.take(limits::FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if u64::try_from(bytes.len()).map_or(true, |size| size > limits::FILE_BYTES) {
        return Err(too_large(&path.display().to_string()));
    }
    Ok(bytes)
}

fn from_commit(repository: &Repository, commit: ObjectId) -> anyhow::Result<PolicyFiles> {
    let bytes = repository.read_commit(commit)?;
    let parsed = raw::parse(&bytes).map_err(|error| {
        Failure::new("malformed-commit", format!("commit {commit} cannot be read: {error}"))
    })?;
    let top = read_tree(repository, parsed.tree())?;
    let policy = match top.get("policy") {
        Some(entry) if entry.kind == EntryKind::Directory => read_tree(repository, entry.id)?,
        Some(_) | None => return Err(missing("policy", commit).into()),
    };
    Ok(PolicyFiles {
        origin: format!("policy@{}", commit.short()),
        policy_toml: read_entry(repository, &policy, "policy.toml", commit)?,
        allowed_signers: read_entry(repository, &policy, "allowed_signers", commit)?,
        place: Place::Commit(commit),
    })
}

fn read_tree(repository: &Repository, id: ObjectId) -> anyhow::Result<Tree> {
    let tree = repository.read_tree(id)?;
    tree.map_err(|defect| Failure::new("tree-not-canonical", format!("tree {id}: {defect}")).into())
}

fn read_entry(
    repository: &Repository,
    policy: &Tree,
    name: &str,
    commit: ObjectId,
) -> anyhow::Result<Vec<u8>> {
    let path = format!("policy/{name}");
    let id = match policy.get(name) {
        Some(entry) if entry.kind == EntryKind::File => entry.id,
        Some(_) | None => return Err(missing(&path, commit).into()),
    };
    if repository.blob_size(id)? > limits::FILE_BYTES {
        return Err(too_large(&path).into());
    }
    Ok(repository.read_blob(id)?)
}

fn missing(path: &str, commit: ObjectId) -> Failure {
    Failure::new("policy-not-found", format!("commit {commit} holds no `{path}`"))
        .help("name a commit of a governance repository")
}

fn too_large(path: &str) -> Failure {
    Failure::new("policy-too-large", format!("`{path}` has more than {} bytes", limits::FILE_BYTES))
}
