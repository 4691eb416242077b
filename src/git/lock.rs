//! What a git that was killed leaves in the way, and how to be rid of it.
//!
//! Git locks a file by making `<file>.lock` beside it. Who is killed on the way leaves it there, and everybody is refused
//! from then on. Nobody can tell it from the lock of a git which is at work, so nothing is removed here: the person is
//! told what lies in the way, how to see that nobody holds it, and the command.

use super::Unwritten;

/// The code of what a lock file keeps from being done.
const CODE: &str = "locked";

/// A failure of git, whose message holds what it said; where a lock lay in the way, with that code and the mend.
pub(super) fn failure(code: &'static str, message: String) -> Unwritten {
    match mend(&message) {
        Some(mend) => Unwritten::new(CODE, message).help(format!("{mend}; then run the command again")),
        None => Unwritten::new(code, message),
    }
}

/// What to do about the lock that git named, where it was one that lay in the way.
pub(super) fn mend(said: &str) -> Option<String> {
    said.lines().find_map(mend_of_line)
}

fn mend_of_line(line: &str) -> Option<String> {
    let (before, rest) = line.split_once("Unable to create '")?;
    // A server says what it likes: the command that is printed here removes one lock file, whatever it says.
    let (locked, _) = rest.split_once(".lock': File exists")?;
    let path = quoted(&format!("{locked}.lock"));
    // What a server says, git prints with that before it.
    let (place, then) =
        if before.contains("remote: ") { ("on the server", ", to be removed there") } else { ("here", "") };
    Some(format!(
        "where no git is at work {place} (`pgrep -a git` shows none), one that was killed has left the lock{then}: \
         `rm -- {path}`"
    ))
}

/// A path as one word of a shell.
fn quoted(path: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._+-".contains(letter);
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_that_lies_in_the_way_is_named_and_the_mend_said() {
        for (said, named) in [
            // What git 2.47 says of a ref, here and at a remote, and of an index.
            (
                "fatal: update_ref failed for ref 'refs/heads/x': cannot lock ref 'refs/heads/x': Unable to create \
                 '/r/.git/refs/heads/x.lock': File exists.\n\nAnother git process seems to be running",
                "here (`pgrep -a git` shows none), one that was killed has left the lock: `rm -- \
                 /r/.git/refs/heads/x.lock`;",
            ),
            (
                "remote: error: cannot lock ref 'refs/heads/x': Unable to create '/s.git/./refs/heads/x.lock': File \
                 exists.        ",
                "on the server (`pgrep -a git` shows none), one that was killed has left the lock, to be removed there: `rm -- \
                 /s.git/./refs/heads/x.lock`;",
            ),
            (
                "fatal: Unable to create '/a b/it's/index.lock': File exists.",
                "`rm -- '/a b/it'\\''s/index.lock'`;",
            ),
            (
                "fatal: Unable to create '/x.lock;rm -rf /.lock': File exists.",
                "`rm -- '/x.lock;rm -rf /.lock'`;",
            ),
            // No lock: a full disk, no right, no lock's name.
            ("fatal: Unable to create '/r/.git/index.lock': Permission denied", ""),
            ("fatal: Unable to create '/home/x': File exists.", ""),
            ("fatal: unable to access 'https://example.com/': Could not resolve host", ""),
            ("", ""),
        ] {
            let failure = failure("git-failed", format!("it failed: {said}"));
            let help = failure.help.unwrap_or_default();
            assert!(help.contains(named), "{said}\n{help}");
            assert_eq!(
                (failure.code, help.is_empty()),
                (if named.is_empty() { "git-failed" } else { CODE }, named.is_empty())
            );
        }
    }
}
