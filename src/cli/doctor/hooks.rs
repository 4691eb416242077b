//! The hooks of this clone: which of them call git-gate, and whether git runs them at all.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;

use crate::render::{About, Finding};

use super::super::Cli;
use super::{Patient, shell};

/// Hooks in which git-gate has something to say.
const HOOKS: [&str; 3] = ["commit-msg", "pre-push", "pre-receive"];

pub(super) fn look(patient: &Patient<'_>) -> Option<Finding> {
    patient.repository.as_ref().ok()?;
    let name = "hooks";
    let directory = match patient.git.run(&["rev-parse", "--git-path", "hooks"]) {
        Ok(path) => patient.git.directory().join(path),
        Err(why) => return Some(Finding::warning(About::Repository, name, why.message)),
    };
    let ours: Vec<(&str, PathBuf)> = HOOKS
        .into_iter()
        .map(|hook| (hook, directory.join(hook)))
        .filter(|(_hook, path)| calls_us(path))
        .collect();
    let idle = ours.iter().find(|(_hook, path)| !is_executable(path));
    if let Some((hook, path)) = idle {
        let found = format!("`{hook}` calls git-gate, and is not executable: git passes it over");
        let mend = format!("chmod +x {}", shell::path(path));
        return Some(Finding::warning(About::Repository, name, found).mend(mend));
    }
    let place = directory.display();
    if !ours.is_empty() {
        let names: Vec<&str> = ours.iter().map(|(hook, _path)| *hook).collect();
        return Some(Finding::ok(About::Repository, name, format!("{} in {place}", names.join(", "))));
    }
    let found =
        format!("none of git-gate's in {place}; without them nothing is lost, mistakes are told later");
    let finding = Finding::ok(About::Repository, name, found);
    let installs = Cli::command().find_subcommand("hook").is_some();
    let bare = patient.repository.as_ref().is_ok_and(|repository| repository.work_tree().is_none());
    let command = if bare { "git gate hook install --server ." } else { "git gate hook install" };
    Some(if installs { finding.help(command) } else { finding })
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.permissions().mode() & 0o111 != 0)
}

fn calls_us(path: &Path) -> bool {
    #[expect(clippy::disallowed_methods, reason = "cli/ looks at the hooks that are installed")]
    let Ok(file) = fs::File::open(path) else { return false };
    let mut text = Vec::new();
    // A hook that cannot be read is not known to be ours.
    let _ = file.take(64 * 1024).read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text);
    text.contains("git gate") || text.contains("git-gate")
}
