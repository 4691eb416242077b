//! `git-gate/record/1`.

use serde::Serialize;

use crate::render::recording::Recording;

use super::object;

/// A run of the recorder.
pub(in crate::render) fn recording(recording: &Recording) -> String {
    object(&RecordingJson {
        schema: "git-gate/record/1",
        dry_run: recording.dry_run,
        recorded: recording
            .recorded
            .iter()
            .map(|branch| RecordedJson {
                branch: &branch.branch,
                tip: branch.tip.to_string(),
                content: branch.content,
                commit: branch.commit.map(|commit| commit.to_string()),
                pushed: branch.pushed,
            })
            .collect(),
        left: recording.left.iter().map(|(branch, reason)| LeftJson { branch, reason }).collect(),
        failed: recording
            .failed
            .iter()
            .map(|(branch, code, message)| FailedJson { branch, code, message })
            .collect(),
    })
}

#[derive(Serialize)]
struct RecordingJson<'a> {
    schema: &'static str,
    dry_run: bool,
    recorded: Vec<RecordedJson<'a>>,
    left: Vec<LeftJson<'a>>,
    failed: Vec<FailedJson<'a>>,
}

#[derive(Serialize)]
struct RecordedJson<'a> {
    branch: &'a str,
    tip: String,
    content: bool,
    commit: Option<String>,
    pushed: bool,
}

#[derive(Serialize)]
struct LeftJson<'a> {
    branch: &'a str,
    reason: &'a str,
}

#[derive(Serialize)]
struct FailedJson<'a> {
    branch: &'a str,
    code: &'a str,
    message: &'a str,
}
