//! What changes between the version that is deployed and the one that is asked for: request, artifacts, files.
//!
//! Pure over two gate directories. Texts are compared line by line up to a limit, and what is not shown is said to be
//! so; reports are named and not compared here, since their numbers are (`brief.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use similar::{ChangeTag, TextDiff};

use crate::ledger::GateDirectory;
use crate::model::{ArtifactDigest, ArtifactName, ContentDigest};
use crate::request::GateRequest;

/// Longest text that is compared, in bytes and in lines: beyond it nobody reads, and comparing could take forever.
const LONGEST_TEXT: usize = 256 * 1024;
const MOST_LINES: usize = 4_000;
/// Most lines of one file's difference that are shown.
const MOST_SHOWN: usize = 400;
/// Unchanged lines around a change.
const AROUND: usize = 3;

/// All that changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// What the requests say differently.
    pub fields: Vec<FieldChange>,
    /// Artifacts whose digests differ.
    pub artifacts: Vec<ArtifactChange>,
    /// Files of the gate directory that differ, `gate.toml` left out.
    pub files: Vec<FileChange>,
}

/// A key of `gate.toml` that says another thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The key.
    pub field: &'static str,
    /// What it said; empty: nothing.
    pub before: String,
    /// What it says.
    pub after: String,
}

/// An artifact that is another one, or is new or gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactChange {
    /// Its name.
    pub name: ArtifactName,
    /// What is deployed.
    pub before: Option<ArtifactDigest>,
    /// What is asked for.
    pub after: Option<ArtifactDigest>,
    /// Files of the gate directory that hold its text, before and now.
    pub files: BTreeSet<String>,
}

/// A file that differs, or is new or gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Below the gate directory.
    pub path: String,
    /// How.
    pub how: How,
    /// Its lines.
    pub text: Text,
}

/// How a file differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It holds other bytes.
    Changed,
}

impl How {
    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// The lines of a file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// It is a report: its numbers say more.
    Report,
    /// It is no text.
    Binary,
    /// It is too long to compare.
    TooLong,
    /// Changed lines with some around them; how many more there are.
    Lines {
        /// In order.
        lines: Vec<Line>,
        /// Lines that are not shown.
        more: usize,
    },
}

/// One line of a difference, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A stretch begins here: the first line of it, before and now.
    Place(usize, usize),
    /// As it was.
    Same(String),
    /// It is gone.
    Removed(String),
    /// It is new.
    Added(String),
}

/// Compares `after` with what is deployed; with nothing, everything is new. `reports` are the files whose numbers are
/// shown instead.
pub fn compare(
    before: Option<(&GateDirectory, Option<&GateRequest>)>,
    after: (&GateDirectory, Option<&GateRequest>),
    reports: &BTreeSet<String>,
) -> Comparison {
    let (now, request) = after;
    let (then, old_request) = match before {
        Some((directory, request)) => (Some(directory), request),
        None => (None, None),
    };
    Comparison {
        fields: match (old_request, request) {
            (Some(before), Some(after)) => fields(before, after),
            (_, _) => Vec::new(),
        },
        artifacts: artifacts((then, old_request), (now, request)),
        files: files(then, now, reports),
    }
}

/// The paths that differ between two directories.
pub fn changed_paths(before: &GateDirectory, after: &GateDirectory) -> Vec<String> {
    let none = BTreeSet::new();
    let mut paths: Vec<String> =
        files(Some(before), after, &none).into_iter().map(|file| file.path).collect();
    if before.files.get(REQUEST) != after.files.get(REQUEST) {
        paths.push(REQUEST.to_owned());
    }
    paths.sort();
    paths
}

const REQUEST: &str = "gate.toml";

fn fields(before: &GateRequest, after: &GateRequest) -> Vec<FieldChange> {
    let evidence = |request: &GateRequest| {
        list(request.evidence.iter().map(|entry| {
            let format = entry.format.map(|format| format!(" as {}", format.as_str())).unwrap_or_default();
            let about = entry.artifact.as_ref().map(|name| format!(" about {name}")).unwrap_or_default();
            format!("{} {}{format}{about}", entry.kind, entry.file)
        }))
    };
    let uris = |request: &GateRequest| {
        let named = request.artifacts.iter();
        list(named.filter_map(|(name, artifact)| Some(format!("{name} at {}", artifact.uri.as_ref()?))))
    };
    let all = [
        ("summary", before.summary.clone(), after.summary.clone()),
        ("kinds", list(&before.kinds), list(&after.kinds)),
        ("risk", before.risk.to_string(), after.risk.to_string()),
        ("environments", list(&before.environments), list(&after.environments)),
        ("tags", list(&before.tags), list(&after.tags)),
        ("requires", list(&before.requires), list(&after.requires)),
        ("requested_by", list(&before.requested_by), list(&after.requested_by)),
        ("evidence", evidence(before), evidence(after)),
        ("uri", uris(before), uris(after)),
    ];
    all.into_iter()
        .filter(|(_, before, after)| before != after)
        .map(|(field, before, after)| FieldChange { field, before, after })
        .collect()
}

fn artifacts(
    (then, before): (Option<&GateDirectory>, Option<&GateRequest>),
    (now, after): (&GateDirectory, Option<&GateRequest>),
) -> Vec<ArtifactChange> {
    let digests = |request: Option<&GateRequest>| -> BTreeMap<ArtifactName, ArtifactDigest> {
        let listed = request.into_iter().flat_map(|request| &request.artifacts);
        listed.map(|(name, artifact)| (name.clone(), artifact.digest.clone())).collect()
    };
    let (before, after) = (digests(before), digests(after));
    let names: BTreeSet<&ArtifactName> = before.keys().chain(after.keys()).collect();
    let mut changes = Vec::new();
    for name in names {
        let (old, new) = (before.get(name), after.get(name));
        if old == new {
            continue;
        }
        let mut files: BTreeSet<String> = BTreeSet::new();
        for (directory, digest) in [(then, old), (Some(now), new)] {
            files.extend(
                directory.zip(digest).into_iter().flat_map(|(directory, digest)| holding(directory, digest)),
            );
        }
        changes.push(ArtifactChange { name: name.clone(), before: old.cloned(), after: new.cloned(), files });
    }
    changes
}

/// The files of the directory that are the artifact, byte for byte.
fn holding(directory: &GateDirectory, digest: &ArtifactDigest) -> Vec<String> {
    let is = |bytes: &[u8]| ArtifactDigest::from(ContentDigest::of_bytes(bytes)) == *digest;
    directory.files.iter().filter(|(_, bytes)| is(bytes)).map(|(path, _)| path.clone()).collect()
}

fn files(
    before: Option<&GateDirectory>,
    after: &GateDirectory,
    reports: &BTreeSet<String>,
) -> Vec<FileChange> {
    let nothing = BTreeMap::new();
    let old = before.map_or(&nothing, |directory| &directory.files);
    let paths: BTreeSet<&String> = old.keys().chain(after.files.keys()).collect();
    let mut changes = Vec::new();
    for path in paths.into_iter().filter(|path| *path != REQUEST) {
        let (then, now) = (old.get(path), after.files.get(path));
        let how = match (then, now) {
            (Some(then), Some(now)) if then == now => continue,
            (Some(_), Some(_)) => How::Changed,
            (None, _) => How::Added,
            (Some(_), None) => How::Removed,
        };
        let bytes = |side: Option<&Vec<u8>>| side.cloned().unwrap_or_default();
        let text = if reports.contains(path) { Text::Report } else { difference(&bytes(then), &bytes(now)) };
        changes.push(FileChange { path: path.clone(), how, text });
    }
    changes
}

fn difference(before: &[u8], after: &[u8]) -> Text {
    let (Ok(before), Ok(after)) = (std::str::from_utf8(before), std::str::from_utf8(after)) else {
        return Text::Binary;
    };
    if before.contains('\0') || after.contains('\0') {
        return Text::Binary;
    }
    let long = |text: &str| text.len() > LONGEST_TEXT || text.lines().count() > MOST_LINES;
    if long(before) || long(after) {
        return Text::TooLong;
    }
    let mut lines = Vec::new();
    let diff = TextDiff::from_lines(before, after);
    for group in diff.grouped_ops(AROUND) {
        let Some(first) = group.first() else { continue };
        lines.push(Line::Place(first.old_range().start + 1, first.new_range().start + 1));
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let mut text = change.value().trim_end_matches('\n').to_owned();
            if change.missing_newline() {
                text.push_str(" (no line end)");
            }
            lines.push(match change.tag() {
                ChangeTag::Equal => Line::Same(text),
                ChangeTag::Delete => Line::Removed(text),
                ChangeTag::Insert => Line::Added(text),
            });
        }
    }
    let more = lines.len().saturating_sub(MOST_SHOWN);
    lines.truncate(MOST_SHOWN);
    Text::Lines { lines, more }
}

fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(files: &[(&str, &[u8])]) -> GateDirectory {
        let files = files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect();
        GateDirectory { digest: None, files }
    }

    fn one(before: &[u8], after: &[u8]) -> Text {
        let (before, after) = (directory(&[("a", before)]), directory(&[("a", after)]));
        compare(Some((&before, None)), (&after, None), &BTreeSet::new()).files.remove(0).text
    }

    #[test]
    fn changed_lines_stand_with_some_around_them() {
        let Text::Lines { lines, more } = one(b"1\n2\n3\n4\n5\n6\n", b"1\n2\n3\n4\nfive\n6") else {
            panic!("no lines")
        };
        assert_eq!(more, 0);
        assert_eq!(lines[0], Line::Place(2, 2));
        assert!(lines.contains(&Line::Removed("5".into())) && lines.contains(&Line::Added("five".into())));
        assert!(lines.contains(&Line::Added("6 (no line end)".into())), "{lines:?}");
        assert!(!lines.contains(&Line::Same("1".into())), "{lines:?}");
    }

    #[test]
    fn what_is_not_shown_is_said_to_be_so() {
        assert_eq!(one(b"a\0b", b"a\0c"), Text::Binary);
        assert_eq!(one(b"\xff", b"a"), Text::Binary);
        assert_eq!(one(b"", "x\n".repeat(MOST_LINES + 1).as_bytes()), Text::TooLong);
        assert_eq!(one(b"", "x".repeat(LONGEST_TEXT + 1).as_bytes()), Text::TooLong);
        let Text::Lines { lines, more } = one(b"", "x\n".repeat(MOST_SHOWN + 9).as_bytes()) else {
            panic!("no lines")
        };
        assert_eq!((lines.len(), more), (MOST_SHOWN, 10));
    }

    #[test]
    fn files_are_added_removed_and_changed_and_reports_are_named() {
        let before = directory(&[("gone", b"x\n"), ("same", b"x\n"), ("report.json", b"{}")]);
        let after = directory(&[("new", b"x\n"), ("same", b"x\n"), ("report.json", b"{ }")]);
        let reports = BTreeSet::from(["report.json".to_owned()]);
        let found = compare(Some((&before, None)), (&after, None), &reports).files;
        let shown: Vec<_> = found.iter().map(|file| (file.path.as_str(), file.how)).collect();
        assert_eq!(shown, [("gone", How::Removed), ("new", How::Added), ("report.json", How::Changed)]);
        assert_eq!(found[2].text, Text::Report);
        assert_eq!(changed_paths(&before, &after), ["gone", "new", "report.json"]);
    }
}
