//! Finding and opening a repository: a work tree, a linked work tree, or a bare one, whoever owns it.
//!
//! Nothing in the repository is run and the work tree is never read to judge, so one owned by another user is read
//! like any other. What would make reading unsound (shallow, grafted, another format) is refused when judging starts.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::GitError;
use super::config::Config;
use super::loose::ObjectDirectories;
use super::packs::Packs;

/// Largest file that is read beside objects: `packed-refs` of a repository with half a million refs.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// An open repository.
pub struct Repository {
    pub(super) odb: git2::Odb<'static>,
    pub(super) directories: ObjectDirectories,
    /// The packs, of who reads many objects of them.
    pub(super) packs: OnceLock<Packs>,
    pub(super) git_directory: PathBuf,
    pub(super) common_directory: PathBuf,
    pub(super) config: Config,
    pub(super) work_tree: Option<PathBuf>,
    /// A layer in memory holds objects that the directory does not.
    pub(super) layered: bool,
    /// How what is kept of the history beside the objects is used.
    pub(super) remembers: Remembers,
}

/// How an index is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remembers {
    /// Not at all (`--no-index`).
    Nothing,
    /// It is read whole, and what is new is kept.
    All,
    /// No more of it is read than an answer needs.
    Glance,
    /// The same, and nothing is kept: what is read may never be taken.
    GlanceOnly,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository").field("git_directory", &self.git_directory).finish_non_exhaustive()
    }
}

impl Repository {
    /// Finds the repository that `start` is in, as git does: there, else in the directories above.
    pub fn discover(start: &Path) -> Result<Self, GitError> {
        let absolute = fs::canonicalize(start)
            .map_err(|error| GitError::Io { path: start.to_owned(), reason: error.to_string() })?;
        for directory in absolute.ancestors() {
            let dot_git = directory.join(".git");
            if is_git_directory(&dot_git) {
                return Self::open(dot_git, Some(directory.to_owned()));
            }
            if dot_git.is_file() {
                return Self::open(follow_git_file(&dot_git)?, Some(directory.to_owned()));
            }
            if is_git_directory(directory) {
                return Self::open(directory.to_owned(), None);
            }
        }
        Err(GitError::NotARepository(start.to_owned()))
    }

    pub(super) fn open(git_directory: PathBuf, work_tree: Option<PathBuf>) -> Result<Self, GitError> {
        let common_directory = common_directory(&git_directory)?;
        let config = Config::read(&common_directory.join("config"))?;
        refuse_other_formats(&config)?;
        let directories = ObjectDirectories::of(&common_directory.join("objects"))?;
        let odb = open_packs(directories.iter())?;
        Ok(Self {
            odb,
            directories,
            packs: OnceLock::new(),
            git_directory,
            common_directory,
            config,
            work_tree,
            layered: false,
            remembers: Remembers::All,
        })
    }

    /// Another reader of the same objects, the `number`th, for another thread: one object database reads one object at a
    /// time. With a layer in memory there is none.
    pub fn twin(&self, number: usize) -> Result<Option<Self>, GitError> {
        if self.layered {
            return Ok(None);
        }
        Ok(Some(Self {
            odb: self.open_packs_apart(number)?,
            directories: self.directories.clone(),
            packs: self.twin_packs(),
            git_directory: self.git_directory.clone(),
            common_directory: self.common_directory.clone(),
            config: self.config.clone(),
            work_tree: self.work_tree.clone(),
            layered: false,
            remembers: self.remembers,
        }))
    }

    /// The object database under a name of its own. The library shares a pack, what it maps of it and a lock on it among all that
    /// name it alike: two threads would read no faster than one.
    pub(super) fn open_packs_apart(&self, number: usize) -> Result<git2::Odb<'static>, GitError> {
        let dots = "/.".repeat(number);
        let apart: Vec<PathBuf> = self
            .directories
            .iter()
            .map(|directory| {
                let mut path = directory.as_os_str().to_owned();
                path.push(&dots);
                PathBuf::from(path)
            })
            .collect();
        open_packs(apart.iter().map(PathBuf::as_path))
    }

    /// Another reader of the packs, where this one reads many objects of them.
    pub(super) fn twin_packs(&self) -> OnceLock<Packs> {
        self.packs.get().map(Packs::twin).map_or_else(OnceLock::new, OnceLock::from)
    }

    /// Says that many objects will be read: worth having the tables of all packs in memory.
    pub fn expect_many(&self) {
        self.packs.get_or_init(|| Packs::open(self.directories.iter()));
    }

    /// Reads packs without what is loose beside them. The library takes both from a directory, so it is shown one in which
    /// there are packs only.
    pub(super) fn with_packs_alone<T>(
        &self,
        read: impl FnOnce(&git2::Odb<'static>) -> Result<T, GitError>,
    ) -> Result<T, GitError> {
        let scratch = |error: std::io::Error| GitError::Library(error.to_string());
        let shown = tempfile::tempdir().map_err(scratch)?;
        let mut directories = Vec::new();
        for (number, directory) in self.directories.iter().enumerate() {
            let Ok(packs) = fs::canonicalize(directory.join("pack")) else { continue };
            let beside = shown.path().join(number.to_string());
            fs::create_dir(&beside).map_err(scratch)?;
            std::os::unix::fs::symlink(packs, beside.join("pack")).map_err(scratch)?;
            directories.push(beside);
        }
        read(&open_packs(directories.iter().map(PathBuf::as_path))?)
    }

    /// Reads the history itself, whatever is kept of it beside the objects (`--no-index`).
    #[must_use]
    pub fn without_index(self) -> Self {
        Self { remembers: Remembers::Nothing, ..self }
    }

    /// Reads no more of the index than an answer needs. Who asks for this looks afterwards whether it was lost.
    #[must_use]
    pub fn glancing(self) -> Self {
        Self { remembers: Remembers::Glance, ..self }
    }

    /// The same, and keeps nothing in the index of what is read: what is pushed may be refused.
    #[must_use]
    pub fn glancing_only(self) -> Self {
        Self { remembers: Remembers::GlanceOnly, ..self }
    }

    /// Whether what is read may be kept in the index.
    pub fn keeps(&self) -> bool {
        matches!(self.remembers, Remembers::All | Remembers::Glance) && !self.layered
    }

    /// Whether no more of the index is read than an answer needs.
    pub fn glances(&self) -> bool {
        matches!(self.remembers, Remembers::Glance | Remembers::GlanceOnly)
    }

    /// Whether the index is used.
    pub fn remembers(&self) -> bool {
        self.remembers != Remembers::Nothing
    }

    /// The directory of this work tree's own state (`.git`, or `.git/worktrees/<name>`).
    pub fn git_directory(&self) -> &Path {
        &self.git_directory
    }

    /// The directory that all work trees share: objects, refs, configuration.
    pub fn common_directory(&self) -> &Path {
        &self.common_directory
    }

    /// The work tree, if it is not bare.
    pub fn work_tree(&self) -> Option<&Path> {
        self.work_tree.as_deref()
    }

    /// A value of the repository's own configuration file; `key` in lower case, such as `gate.root`.
    pub fn config(&self, key: &str) -> Option<&str> {
        self.config.get(key)
    }

    /// All values of a key of the repository's own configuration file.
    pub fn config_all(&self, key: &str) -> &[String] {
        self.config.all(key)
    }

    /// Refuses what makes history unsound to read: a shallow clone, grafts.
    pub fn refuse_cut_history(&self) -> Result<(), GitError> {
        let holds_lines = |name: &str| {
            let path = self.common_directory.join(name);
            path.metadata().is_ok_and(|file| file.len() > 0)
        };
        if holds_lines("shallow") {
            return Err(GitError::Shallow);
        }
        if holds_lines("info/grafts") {
            return Err(GitError::Grafted);
        }
        Ok(())
    }
}

/// Opens the object database alone. What is loose in it is read before, by [`super::loose`].
pub(super) fn open_packs<'a>(
    directories: impl Iterator<Item = &'a Path>,
) -> Result<git2::Odb<'static>, GitError> {
    let library = |error: git2::Error| GitError::Library(error.message().to_owned());
    // Full-history work reads each object about once: what is worth keeping, the ledger keeps.
    git2::opts::enable_caching(false);
    // What is read is hashed in `objects.rs`, three times as fast.
    git2::opts::strict_hash_verification(false);
    let odb = git2::Odb::new().map_err(library)?;
    for directory in directories {
        let path = directory.to_str().ok_or_else(|| GitError::Io {
            path: directory.to_owned(),
            reason: "the path is not UTF-8".into(),
        })?;
        odb.add_disk_alternate(path).map_err(library)?;
    }
    Ok(odb)
}

pub(super) fn is_git_directory(path: &Path) -> bool {
    path.join("HEAD").symlink_metadata().is_ok()
        && (path.join("commondir").is_file() || (path.join("objects").is_dir() && path.join("refs").is_dir()))
}

fn follow_git_file(file: &Path) -> Result<PathBuf, GitError> {
    let text = read_small(file)?;
    let target = text.strip_prefix("gitdir:").map(str::trim).filter(|target| !target.is_empty());
    let Some(target) = target else {
        return Err(GitError::NotARepository(file.to_owned()));
    };
    let directory = file.parent().unwrap_or(Path::new("/")).join(target);
    if is_git_directory(&directory) { Ok(directory) } else { Err(GitError::NotARepository(file.to_owned())) }
}

fn common_directory(git_directory: &Path) -> Result<PathBuf, GitError> {
    let file = git_directory.join("commondir");
    if !file.is_file() {
        return Ok(git_directory.to_owned());
    }
    let text = read_small(&file)?;
    let directory = git_directory.join(text.trim_end_matches(['\n', '\r']));
    fs::canonicalize(&directory).map_err(|error| GitError::Io { path: directory, reason: error.to_string() })
}

fn refuse_other_formats(config: &Config) -> Result<(), GitError> {
    let version = config.get("core.repositoryformatversion").unwrap_or("0");
    if !matches!(version, "0" | "1") {
        return Err(GitError::Extension(format!("repositoryFormatVersion = {version}")));
    }
    for (key, value) in config.with_prefix("extensions.") {
        let extension = key.trim_start_matches("extensions.");
        match extension {
            "objectformat" if value != "sha1" => return Err(GitError::ObjectFormat(value.to_owned())),
            "refstorage" if value != "files" => return Err(GitError::RefFormat(value.to_owned())),
            "objectformat" | "refstorage" | "noop" | "noop-v1" | "partialclone" | "worktreeconfig"
            | "preciousobjects" | "relativeworktrees" => {}
            unknown => return Err(GitError::Extension(unknown.to_owned())),
        }
    }
    Ok(())
}

/// Reads one of the repository's small files; bytes that are not UTF-8 are replaced. What is no file is not opened, since a
/// FIFO would be waited for, and a file over the limit is not read in part.
pub(super) fn read_small(path: &Path) -> Result<String, GitError> {
    use std::io::Read as _;
    let unreadable = |reason: String| GitError::Io { path: path.to_owned(), reason };
    let about = fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if !about.is_file() {
        return Err(unreadable("it is no regular file".into()));
    }
    let size = about.len();
    if size > MOST_BYTES {
        return Err(unreadable(format!("it has {size} bytes, more than {MOST_BYTES}")));
    }
    #[expect(clippy::disallowed_methods, reason = "git/ owns the repository's files")]
    let file = fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(|error| unreadable(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
