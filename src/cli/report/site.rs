//! The files of a site: made beside the directory, then moved into place, so that nobody sees half of one (R14.10).
//!
//! A page that says the same as the one that is there is taken over from it as it stands, time of writing and all: what
//! publishes the directory sends only what changed. A directory that holds something else is refused.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::git::Scratch;

use super::super::{Failure, interrupt};

/// By this file a directory is known as one that a report may replace.
const MARK: &str = ".git-gate-report";
const MARK_TEXT: &str = "git-gate/report/1\n";

/// A site that is being written, by whoever makes a page of it.
#[derive(Debug)]
pub(super) struct Site {
    place: PathBuf,
    beside: Scratch,
    is_there: bool,
    made: Mutex<Made>,
}

/// What was put there so far.
#[derive(Debug, Default)]
struct Made {
    pages: BTreeSet<String>,
    directories: BTreeSet<PathBuf>,
    kept: u64,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    /// Pages and other files.
    pub(super) pages: u64,
    /// Those that were new or different.
    pub(super) new: u64,
    /// Those that said the same.
    pub(super) kept: u64,
    /// Those that stood there before and do no longer.
    pub(super) gone: u64,
}

impl Site {
    /// Begins a site that will stand at `place`.
    pub(super) fn begin(place: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| unwritten(place, &error);
        let place = absolute(place).map_err(failed)?;
        let is_there = match fs::read_dir(&place) {
            Ok(mut entries) => {
                let empty = entries.next().is_none();
                if !empty && !place.join(MARK).is_file() {
                    return Err(Failure::new(
                        "not-a-report",
                        format!("`{}` holds something that is no report", place.display()),
                    )
                    .help("name a directory that is new, empty, or a report: `--out <directory>`"));
                }
                true
            }
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(failed(error)),
        };
        let parent = place.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(parent).map_err(failed)?;
        interrupt::clean_up_first();
        let beside = Scratch::new_in(parent, ".git-gate-report-")
            .map_err(|error| failed(io::Error::other(error.to_string())))?;
        let site = Self { place, beside, is_there, made: Mutex::default() };
        site.put(MARK, MARK_TEXT)?;
        Ok(site)
    }

    /// Puts one file.
    pub(super) fn put(&self, path: &str, text: &str) -> Result<(), Failure> {
        let to = self.beside.path().join(path);
        let from = self.place.join(path);
        let failed = |error: io::Error| unwritten(&from, &error);
        let mut made = self.made();
        if !made.pages.insert(path.to_owned()) {
            return Err(Failure::new("file-unwritten", format!("two pages would stand at `{path}`")));
        }
        if let Some(directory) = to.parent()
            && made.directories.insert(directory.to_owned())
        {
            fs::create_dir_all(directory).map_err(failed)?;
        }
        drop(made);
        #[expect(clippy::disallowed_methods, reason = "cli/ reads what it wrote before")]
        let before = if self.is_there { fs::read(&from).ok() } else { None };
        // A second name of the same file; where the file system has none, it is written anew.
        if before.is_some_and(|before| before == text.as_bytes()) && fs::hard_link(&from, &to).is_ok() {
            self.made().kept += 1;
            return Ok(());
        }
        #[expect(clippy::disallowed_methods, reason = "cli/ writes what the user asks for")]
        fs::write(&to, text).map_err(failed)
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the site into place.
    pub(super) fn finish(self) -> Result<Written, Failure> {
        let failed = |error: io::Error| unwritten(&self.place, &error);
        let made = self.made();
        let gone = if self.is_there { gone(&made.pages, &self.place, "").map_err(failed)? } else { 0 };
        make_readable(self.beside.path()).map_err(failed)?;
        let pages = u64::try_from(made.pages.len()).unwrap_or(u64::MAX);
        let written = Written { pages, new: pages - made.kept, kept: made.kept, gone };
        let moved = if self.is_there {
            exchange(self.beside.path(), &self.place)
        } else {
            fs::rename(self.beside.path(), &self.place)
        };
        moved.map_err(failed)?;
        Ok(written)
    }
}

/// How many files below a directory will no longer be there.
fn gone(pages: &BTreeSet<String>, directory: &Path, prefix: &str) -> io::Result<u64> {
    let mut many = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            many += gone(pages, &entry.path(), &format!("{name}/"))?;
        } else if !pages.contains(&name) {
            many += 1;
        }
    }
    Ok(many)
}

/// Puts the new directory where the old one stands, and the old one where the new one stood: at once, where the file system
/// can, so that there is no moment without either.
fn exchange(new: &Path, old: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    if renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE).is_ok() {
        return Ok(());
    }
    let mut aside = new.as_os_str().to_owned();
    aside.push("-old");
    fs::rename(old, &aside)?;
    match fs::rename(new, old) {
        Ok(()) => fs::rename(&aside, new),
        Err(error) => fs::rename(&aside, old).and(Err(error)),
    }
}

/// The path whole, without asking that it is there.
fn absolute(path: &Path) -> io::Result<PathBuf> {
    let whole = std::path::absolute(path)?;
    // A link is followed once, here: what it names is replaced, never the link.
    match fs::canonicalize(&whole) {
        Ok(there) => Ok(there),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(whole),
        Err(error) => Err(error),
    }
}

/// A temporary directory is its maker's alone; a site is for whoever serves it.
#[cfg(unix)]
fn make_readable(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_readable(_directory: &Path) -> io::Result<()> {
    Ok(())
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    Failure::new("file-unwritten", format!("`{}` cannot be written: {error}", path.display()))
        .help("name a directory that can be written: `--out <directory>`")
}
