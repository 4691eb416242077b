//! The clock and the environment: read here, nowhere else.
//!
//! Variables that would make git look at other objects, refs or configuration are not honoured: a verdict comes from
//! the repository it names (design, section 9.2). They are named, so that nobody wonders.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::git::{HookPlace, REDIRECTING};
use crate::model::Time;

use super::{Context, Failure};

/// The time now.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub(super) fn now() -> Result<Time, Failure> {
    let seconds = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_secs()).ok());
    seconds
        .and_then(Time::from_unix)
        .ok_or_else(|| Failure::new("clock", "the clock of this machine is set before 1970 or after 9999"))
}

/// Whether `NO_COLOR` is set.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(super) fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Whether the terminal can do no more than show letters.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(super) fn dumb_terminal() -> bool {
    std::env::var_os("TERM").is_some_and(|value| value == "dumb")
}

/// Where this user's configuration is: `$XDG_CONFIG_HOME`, else `~/.config`.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(super) fn configuration() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")))
}

/// Where this user's home is.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(super) fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").map(PathBuf::from).filter(|path| path.is_absolute())
}

/// Where this program is.
pub(super) fn program() -> Option<PathBuf> {
    std::env::current_exe().ok()
}

/// The socket of this user's SSH agent.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(super) fn agent_socket() -> Option<PathBuf> {
    std::env::var_os("SSH_AUTH_SOCK").filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The directory that this program was started from.
pub(super) fn program_directory() -> Option<PathBuf> {
    program()?.parent().map(Path::to_owned)
}

/// What git tells a hook of the repository: honoured there, and nowhere else.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(super) fn hook_place() -> HookPlace {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    HookPlace {
        git_directory: set("GIT_DIR").map(PathBuf::from),
        // Git names the quarantine twice; what is pushed lies there.
        objects: set("GIT_OBJECT_DIRECTORY").or_else(|| set("GIT_QUARANTINE_PATH")).map(PathBuf::from),
        alternates: set("GIT_ALTERNATE_OBJECT_DIRECTORIES"),
    }
}

/// Whether git says to its hook that the message was typed in no editor.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(super) fn has_no_editor() -> bool {
    std::env::var_os("GIT_EDITOR").is_some_and(|editor| editor == ":")
}

/// Whether a program of that name, or at that path, is there to be run.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(super) fn has_program(program: &OsStr) -> bool {
    if Path::new(program).components().count() > 1 {
        return Path::new(program).is_file();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

/// Names the variables that are not honoured.
pub(super) fn warn_of_redirection(context: &Context) {
    let ignored = ignored_variables();
    if !ignored.is_empty() {
        context.warn(&format!(
            "not honoured: {}; use `-C <path>` and the repository's own configuration",
            ignored.join(", ")
        ));
    }
}

/// How wide a table may be: as the terminal, else 80 columns.
pub(super) fn terminal_width() -> usize {
    const WIDTH: usize = 80;
    terminal_size::terminal_size_of(std::io::stdout())
        .map_or(WIDTH, |(width, _height)| usize::from(width.0).max(WIDTH / 2))
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn ignored_variables() -> Vec<String> {
    let text = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let mut ignored: Vec<String> = REDIRECTING
        .iter()
        .filter(|name| text(name).is_some_and(|value| !value.is_empty()))
        .map(|name| (*name).to_owned())
        .collect();
    // `git -c gate.root=… gate check` looks as if it pinned something.
    if text("GIT_CONFIG_PARAMETERS").is_some_and(|value| value.to_ascii_lowercase().contains("'gate.")) {
        ignored.push("`gate.…` in GIT_CONFIG_PARAMETERS (`git -c`)".to_owned());
    }
    let count = text("GIT_CONFIG_COUNT").and_then(|value| value.parse::<u16>().ok()).unwrap_or(0);
    for index in 0..count {
        let name = format!("GIT_CONFIG_KEY_{index}");
        if text(&name).is_some_and(|key| key.to_ascii_lowercase().starts_with("gate.")) {
            ignored.push(name);
        }
    }
    ignored
}
