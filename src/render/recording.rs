//! What the recorder brought to the mainline, and what it left where it is.

use crate::model::ObjectId;

use super::page::{Entry, Page, Section, Tone, Word, counted};

/// A run of the recorder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// What was merged, or would be, in the order in which it was.
    pub recorded: Vec<RecordedBranch>,
    /// What is for people: the branch, and why.
    pub left: Vec<(String, String)>,
    /// What could not be done: the branch, a code, and why.
    pub failed: Vec<(String, &'static str, String)>,
}

/// A branch that was merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedBranch {
    /// Its name.
    pub branch: String,
    /// Where it stood.
    pub tip: ObjectId,
    /// Whether it brought content, too; else decisions or records alone.
    pub content: bool,
    /// The merge; nothing where none was made.
    pub commit: Option<ObjectId>,
    /// Whether the remote has it.
    pub pushed: bool,
}

/// The page of one run.
pub(super) fn page(recording: &Recording) -> Page {
    let recorded = recording.recorded.iter().map(|branch| {
        let what = if branch.content { "a gate that is ready" } else { "nothing but decisions or records" };
        let entry = Entry::named(branch.branch.as_str(), what).exact("up to", branch.tip.to_string());
        match branch.commit {
            Some(commit) => entry.exact("merge", commit.to_string()),
            None => entry,
        }
    });
    let left = recording.left.iter().map(|(branch, why)| Entry::named(branch.as_str(), why.as_str()));
    let failed = recording
        .failed
        .iter()
        .map(|(branch, code, why)| Entry::named(branch.as_str(), why.as_str()).word(*code, Tone::Bad));
    let count = u64::try_from(recording.recorded.len()).unwrap_or(u64::MAX);
    let branches = if count == 1 { "1 branch".to_owned() } else { format!("{count} branches") };
    let (word, title) = if recording.dry_run {
        (Word::new("would record", Tone::Plain), "Would be recorded")
    } else if recording.failed.is_empty() {
        (Word::new("recorded", Tone::Good), "Recorded")
    } else {
        (Word::new("failed", Tone::Bad), "Recorded")
    };
    let about = match recording.failed.len() {
        0 => branches,
        failed => format!(
            "{branches}; {} not be recorded",
            counted(u64::try_from(failed).unwrap_or(u64::MAX), "other") + " could"
        ),
    };
    let sections = [
        Section::entries("Could not be recorded", failed.collect()),
        Section::entries(title, recorded.collect()),
        Section::entries("Left to people", left.collect()),
    ];
    Page { word, about, lead: Vec::new(), sections: sections.into_iter().flatten().collect() }
}
