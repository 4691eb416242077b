//! Trust roots of repositories that are named by their address: `~/.config/git-gate/roots.toml`.
//!
//! A trust root is pinned in a clone's own configuration; who has no clone keeps it here, once given. Git's global
//! configuration must not say it: there `gate.root` would hold for every repository (design, section 9.1).

use std::fmt::Write as _;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::PathBuf;

use serde::Deserialize;

use crate::model::{ObjectId, escape};

use super::{Failure, environment};

/// Largest file that is read.
const LARGEST: u64 = 1024 * 1024;
const HEAD: &str =
    "# The trust root of each repository that was named by its address, as it was given with `--root`.\n";

/// What is remembered.
#[derive(Debug)]
pub(super) struct Roots {
    path: PathBuf,
    text: String,
    known: Vec<Known>,
}

/// One repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    url: String,
    pub(super) root: ObjectId,
    /// The mainline's name, where it is not `main`.
    pub(super) mainline: Option<String>,
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RootsWire {
    #[serde(default)]
    repository: Vec<KnownWire>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownWire {
    url: String,
    root: String,
    mainline: Option<String>,
}

impl Roots {
    /// Reads the file of this user; one that is not there remembers nothing.
    pub(super) fn read() -> Result<Self, Failure> {
        let directory = environment::configuration().ok_or_else(|| {
            Failure::new("roots-unreadable", "there is no place for a configuration: `HOME` is not set")
        })?;
        let path = directory.join("git-gate").join("roots.toml");
        let mut text = String::new();
        #[expect(clippy::disallowed_methods, reason = "cli/ reads the user's configuration")]
        match std::fs::File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(unreadable(&path, &error.to_string())),
            Ok(file) => {
                let read = file.take(LARGEST).read_to_string(&mut text);
                read.map_err(|error| unreadable(&path, &error.to_string()))?;
            }
        }
        let known = parse(&text).map_err(|reason| unreadable(&path, &reason))?;
        Ok(Self { path, text, known })
    }

    /// Where it is, as people are told of it.
    pub(super) fn place(&self) -> String {
        format!("`{}`", escape(&self.path.display().to_string()))
    }

    /// What is known of an address.
    pub(super) fn of(&self, url: &str) -> Option<&Known> {
        let url = plain(url);
        self.known.iter().find(|known| known.url == url)
    }

    /// Remembers the trust root of an address.
    pub(super) fn remember(&self, url: &str, root: ObjectId) -> Result<(), Failure> {
        let failed = |error: std::io::Error| {
            Failure::new("roots-unreadable", format!("{} cannot be written: {error}", self.place()))
        };
        let mut text = if self.text.is_empty() { HEAD.to_owned() } else { self.text.clone() };
        let url = toml_edit::value(plain(url));
        // Writing to a string cannot fail.
        let _ = write!(text, "\n[[repository]]\nurl = {}\nroot = \"{root}\"\n", url.to_string().trim());
        let directory = self.path.parent().unwrap_or(&self.path);
        std::fs::create_dir_all(directory).map_err(failed)?;
        let mut file = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        file.persist(&self.path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}

fn parse(text: &str) -> Result<Vec<Known>, String> {
    let wire: RootsWire = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    let known = |wire: KnownWire| -> Result<Known, String> {
        let root =
            wire.root.parse().map_err(|wrong| format!("`root = \"{}\"`: {wrong}", escape(&wire.root)))?;
        Ok(Known { url: plain(&wire.url), root, mainline: wire.mainline })
    };
    let known: Vec<Known> = wire.repository.into_iter().map(known).collect::<Result<_, _>>()?;
    let twice =
        known.iter().enumerate().find(|(at, one)| known.iter().take(*at).any(|other| other.url == one.url));
    match twice {
        Some((_, one)) => Err(format!("`{}` stands there twice", escape(&one.url))),
        None => Ok(known),
    }
}

/// An address as it is kept and compared: nobody's password, and no slash at its end.
fn plain(url: &str) -> String {
    let url = url.trim_end_matches('/');
    match url.split_once("://") {
        Some((scheme, rest)) if scheme.starts_with("http") => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = host.rsplit_once('@').map_or(host, |(_user, host)| host);
            format!("{scheme}://{host}/{path}").trim_end_matches('/').to_owned()
        }
        Some(_) | None => url.to_owned(),
    }
}

fn unreadable(path: &std::path::Path, reason: &str) -> Failure {
    Failure::new(
        "roots-unreadable",
        format!("`{}` cannot be read: {reason}", escape(&path.display().to_string())),
    )
    .help("it holds `[[repository]]` tables with `url`, `root` and perhaps `mainline`: mend it, or move it away")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_reads_back() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("git-gate/roots.toml");
        let root: ObjectId = "3f".repeat(20).parse().unwrap();
        let roots = Roots { path: path.clone(), text: String::new(), known: vec![] };
        roots.remember("https://me:secret@host/a \"b\".git/", root).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("secret"), "{text}");
        let roots = Roots { path: path.clone(), known: parse(&text).unwrap(), text };
        assert_eq!(roots.of("https://host/a \"b\".git").unwrap().root, root);
        assert_eq!(roots.of("https://host/other"), None);
        roots.remember("git@host:c", root).unwrap();
        let known = parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(
            known.iter().map(|known| known.url.as_str()).collect::<Vec<_>>(),
            ["https://host/a \"b\".git", "git@host:c"]
        );
    }

    #[test]
    fn what_is_wrong_in_it_is_said() {
        let entry = |rest: &str| format!("[[repository]]\nurl = \"a\"\n{rest}\n");
        let root = format!("root = \"{}\"", "3f".repeat(20));
        assert_eq!(parse(&entry(&root)).unwrap().len(), 1);
        for text in ["x = 1".to_owned(), entry("root = \"main\""), entry(""), entry(&root) + &entry(&root)] {
            assert!(parse(&text).is_err(), "{text}");
        }
    }
}
