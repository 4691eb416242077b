//! The remote `origin`: whether it answers, and whether this clone has what it has.

use std::collections::BTreeMap;

use crate::render::{About, Finding};

use super::Patient;

pub(super) fn look(patient: &Patient<'_>) -> Option<Finding> {
    let repository = patient.repository.as_ref().ok()?;
    let name = "origin";
    let Some(url) = repository.config("remote.origin.url") else {
        return Some(Finding::ok(About::Remote, name, "none: this repository is the record"));
    };
    let url = without_password(url);
    let ran = match patient.git.attempt_within(&["ls-remote", "--heads", "origin"], patient.wait) {
        Err(why) => return Some(Finding::broken(About::Remote, name, why.message)),
        Ok(None) => {
            let found = format!("`{url}` did not answer within {} s", patient.wait.as_secs());
            return Some(
                Finding::broken(About::Remote, name, found)
                    .help("see what it waits for: `git ls-remote origin`"),
            );
        }
        Ok(Some(ran)) => ran,
    };
    if !ran.success {
        let said = ran.stderr.lines().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        let found = format!("`{url}` cannot be reached: {said}");
        return Some(
            Finding::broken(About::Remote, name, found)
                .help("try it: `git ls-remote origin`; its address: `git remote -v`"),
        );
    }
    let there = heads(&String::from_utf8_lossy(&ran.stdout));
    let here = repository.refs_under("refs/remotes/origin/").unwrap_or_default();
    let behind = there.iter().filter(|(branch, tip)| {
        let known = here.get(&format!("refs/remotes/origin/{branch}"));
        known.is_none_or(|known| known.to_string() != **tip)
    });
    let behind = behind.count();
    if behind == 0 || here.is_empty() {
        return Some(Finding::ok(About::Remote, name, format!("`{url}` answers")));
    }
    let found = format!("`{url}` answers; {behind} of its branches have moved on since they were fetched");
    Some(Finding::warning(About::Remote, name, found).mend("git fetch origin"))
}

/// Branches and their tips, as `ls-remote` lists them.
fn heads(text: &str) -> BTreeMap<String, String> {
    let line = |line: &str| {
        let (tip, name) = line.split_once('\t')?;
        Some((name.strip_prefix("refs/heads/")?.to_owned(), tip.to_owned()))
    };
    text.lines().filter_map(line).collect()
}

/// An address as it may be shown: what stands before the host may be a secret.
fn without_password(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) =
                rest.split_once('/').map_or((rest, String::new()), |(host, path)| (host, format!("/{path}")));
            let host = host.rsplit_once('@').map_or(host, |(_user, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        for (url, expected) in [
            ("https://me:secret@example.com/x.git", "https://example.com/x.git"),
            ("https://example.com/a@b", "https://example.com/a@b"),
            ("git@example.com:x.git", "git@example.com:x.git"),
            ("/srv/x.git", "/srv/x.git"),
            ("ssh://host", "ssh://host"),
        ] {
            assert_eq!(without_password(url), expected);
        }
    }
}
