//! Where git looks for hooks, and the scripts that go there.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::git::{Git, Repository};

use super::super::{Failure, environment};

/// The hooks of a clone.
pub(super) const CLIENT: &[Hook] = &[
    Hook { name: "commit-msg", script: include_str!("../../../hooks/commit-msg") },
    Hook { name: "pre-push", script: include_str!("../../../hooks/pre-push") },
];

/// The hooks of a repository that pushes go to.
pub(super) const SERVER: &[Hook] =
    &[Hook { name: "pre-receive", script: include_str!("../../../hooks/pre-receive") }];

/// What tells our scripts from others.
const OURS: &str = "# git-gate hook: ";

/// The line of a script that names this program.
const PROGRAM: &str = "git_gate=git-gate\n";

/// What is added to the name of a hook that runs first.
const BEFORE: &str = ".before-git-gate";

/// One hook.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hook {
    pub(super) name: &'static str,
    script: &'static str,
}

/// What stands in a hook's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Nothing,
    /// Ours, as it would be written now.
    Same,
    /// Ours, as another version or place of this program wrote it.
    Older,
    Another,
}

/// The directory in which git looks for the hooks of a repository.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) path: PathBuf,
    /// Whether `core.hooksPath` leads out of the repository: then others may share it.
    pub(super) is_elsewhere: bool,
}

impl Directory {
    pub(super) fn of(repository: &Repository) -> anyhow::Result<Self> {
        let git = Git::of(repository);
        let path = git.directory().join(git.run(&["rev-parse", "--git-path", "hooks"])?);
        let inside = |directory: &Path| {
            let [path, directory] = [path.as_path(), directory].map(real);
            path.starts_with(directory)
        };
        let is_elsewhere = !inside(repository.common_directory()) && !inside(repository.git_directory());
        Ok(Self { path, is_elsewhere })
    }

    pub(super) fn standing(&self, hook: Hook) -> Result<Standing, Failure> {
        let path = self.path.join(hook.name);
        if path.symlink_metadata().is_err() {
            return Ok(Standing::Nothing);
        }
        let text = read(&path)?;
        Ok(if text == hook.text() && is_executable(&path) {
            Standing::Same
        } else if text.lines().any(|line| line.starts_with(OURS)) {
            Standing::Older
        } else {
            Standing::Another
        })
    }

    /// Whether a hook stands beside that runs first.
    pub(super) fn has_one_before(&self, hook: Hook) -> bool {
        self.before(hook).symlink_metadata().is_ok()
    }

    pub(super) fn put(&self, hook: Hook) -> Result<(), Failure> {
        let failed = |error: std::io::Error| unwritten(&self.path, &error);
        fs::create_dir_all(&self.path).map_err(failed)?;
        // Whole or not at all: git may run it while it is written.
        let mut file = tempfile::NamedTempFile::new_in(&self.path).map_err(failed)?;
        file.write_all(hook.text().as_bytes()).map_err(failed)?;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o755)).map_err(failed)?;
        file.persist(self.path.join(hook.name)).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Moves what stands in the hook's place aside, to run first.
    pub(super) fn chain(&self, hook: Hook) -> Result<(), Failure> {
        let (from, to) = (self.path.join(hook.name), self.before(hook));
        fs::rename(from, &to).map_err(|error| unwritten(&to, &error))
    }

    /// Removes the hook, and puts back what ran first; whether there was such a one.
    pub(super) fn take_away(&self, hook: Hook) -> Result<bool, Failure> {
        let path = self.path.join(hook.name);
        let failed = |error: std::io::Error| unwritten(&path, &error);
        if self.has_one_before(hook) {
            fs::rename(self.before(hook), &path).map_err(failed)?;
            return Ok(true);
        }
        fs::remove_file(&path).map_err(failed)?;
        Ok(false)
    }

    fn before(&self, hook: Hook) -> PathBuf {
        self.path.join(format!("{}{BEFORE}", hook.name))
    }
}

impl Hook {
    /// The script, which names this very program where it is not the one that a shell would find.
    fn text(self) -> String {
        let found = environment::has_program("git-gate".as_ref());
        match environment::program().filter(|_program| !found) {
            None => self.script.to_owned(),
            Some(program) => {
                let quoted = program.to_string_lossy().replace('\'', r"'\''");
                self.script.replacen(PROGRAM, &format!("git_gate='{quoted}'\n"), 1)
            }
        }
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new("file-unreadable", format!("`{}` cannot be read: {error}", path.display()))
    };
    let about = fs::metadata(path).map_err(failed)?;
    if !about.is_file() {
        return Ok(String::new());
    }
    #[expect(clippy::disallowed_methods, reason = "cli/ looks at the hooks that are installed")]
    let file = fs::File::open(path).map_err(failed)?;
    let mut text = Vec::new();
    file.take(1024 * 1024).read_to_end(&mut text).map_err(failed)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.permissions().mode() & 0o111 != 0)
}

/// A path without links; of what is not there yet, as far as it is.
fn real(path: &Path) -> PathBuf {
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Ok(real), _, _) => real,
        (Err(_missing), Some(parent), Some(name)) => real(parent).join(name),
        (Err(_missing), _, _) => path.to_owned(),
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new("file-unwritten", format!("`{}` cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_script_says_whose_it_is_and_names_the_program_in_one_place() {
        for hook in CLIENT.iter().chain(SERVER) {
            assert!(hook.script.starts_with("#!/bin/sh\n# git-gate hook: "), "{}", hook.name);
            assert_eq!(hook.script.matches(PROGRAM).count(), 1, "{}", hook.name);
            assert!(hook.script.contains(&format!("hook {}", hook.name)), "{}", hook.name);
            assert!(hook.script.contains(BEFORE), "{}", hook.name);
        }
    }
}
