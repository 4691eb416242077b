//! Text as words of a shell: a mend is pasted as it stands, whatever a path or a name holds.

use std::path::Path;

use crate::git::Git;

/// One word, in quotes where it needs them.
pub(super) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-/@:=,%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A path as one word.
pub(super) fn path(path: &Path) -> String {
    word(&path.display().to_string())
}

/// `git config` for where `key` is set now, so that what is written there is what counts; else for the user.
pub(super) fn config(git: &Git, key: &str) -> &'static str {
    // Where git cannot say it, the user's own file is where such things belong.
    let scope = git.run(&["config", "--show-scope", "--get", key]).unwrap_or_default();
    match scope.split_whitespace().next() {
        Some("local") => "git config",
        Some("worktree") => "git config --worktree",
        Some(_) | None => "git config --global",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_one_word_to_a_shell() {
        for (text, expected) in [
            ("~/.ssh/id", "'~/.ssh/id'"),
            ("/home/a/.ssh/id_ed25519.pub", "/home/a/.ssh/id_ed25519.pub"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("$(x)", "'$(x)'"),
            ("", "''"),
        ] {
            assert_eq!(word(text), expected);
        }
    }
}
