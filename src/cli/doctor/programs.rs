//! The programs that git-gate runs: git, and what signs.

use std::ffi::OsStr;

use crate::git::{Messages, Start};
use crate::render::{About, Finding};

use super::super::environment;
use super::Patient;

/// SSH signatures came with git 2.34: before it, `git commit -S` and `git verify-commit` know none.
const GIT: (u32, u32) = (2, 34);
/// `ssh-keygen -Y find-principals`, by which git verifies, and hardware keys came with OpenSSH 8.2.
const OPENSSH: (u32, u32) = (8, 2);

pub(super) fn look(patient: &Patient<'_>) -> Vec<Finding> {
    vec![git(patient), openssh(patient)]
}

fn git(patient: &Patient<'_>) -> Finding {
    let about = About::Programs;
    let said = match patient.git.run(&["version"]) {
        Ok(said) => said,
        Err(why) => return Finding::broken(about, "git", why.message).help("install git 2.34 or later"),
    };
    match version(&said) {
        Some(found) if found >= GIT => Finding::ok(about, "git", said),
        Some(_) => Finding::broken(about, "git", said)
            .help("git signs with SSH keys, and verifies them, from 2.34 on: install that or a later one"),
        None => Finding::warning(about, "git", format!("`{said}` is no version that can be compared"))
            .help("git signs with SSH keys, and verifies them, from 2.34 on"),
    }
}

fn openssh(patient: &Patient<'_>) -> Finding {
    let about = About::Programs;
    let start = Start {
        program: OsStr::new("ssh"),
        arguments: vec!["-V".into()],
        directory: patient.git.directory(),
        variables: Vec::new(),
        input: Some(b""),
        messages: Messages::Caught,
    };
    let help = "ssh-keygen of OpenSSH 8.2 or later signs and verifies as git asks for: install it";
    if !environment::has_program(OsStr::new("ssh-keygen")) {
        return Finding::broken(about, "openssh", "the program `ssh-keygen` is not installed").help(help);
    }
    let said = match start.run() {
        Ok(ran) => ran.stderr.lines().next().unwrap_or_default().to_owned(),
        Err(why) => {
            return Finding::warning(about, "openssh", why.message)
                .help("only `ssh-keygen` was found; its version is unknown");
        }
    };
    match version(said.strip_prefix("OpenSSH_").unwrap_or(&said)) {
        Some(found) if found >= OPENSSH => Finding::ok(about, "openssh", said),
        Some(_) => Finding::broken(about, "openssh", said).help(help),
        None => Finding::warning(about, "openssh", format!("`{said}` is no version that can be compared"))
            .help(help),
    }
}

/// The first two numbers that stand together: `git version 2.47.3` is 2.47, `9.2p1` is 9.2.
fn version(said: &str) -> Option<(u32, u32)> {
    said.split_whitespace().find_map(|word| {
        let (major, rest) = word.split_once('.')?;
        let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some((major.parse().ok()?, minor.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_programs_print_them() {
        for (said, expected) in [
            ("git version 2.47.3", Some((2, 47))),
            ("git version 2.39.5 (Apple Git-154)", Some((2, 39))),
            ("git version 2.34.1.windows.1", Some((2, 34))),
            ("9.2p1 Debian-2+deb12u6, OpenSSL 3.0.19 27 Jan 2026", Some((9, 2))),
            ("10.0p2, LibreSSL 3.3.6", Some((10, 0))),
            ("hello", None),
        ] {
            assert_eq!(version(said), expected, "{said}");
        }
    }
}
