//! `git-gate/index/1`.

use serde::Serialize;

use crate::insight::IndexState;
use crate::render::index::{reason, standing};

use super::object;

/// The index.
pub(in crate::render) fn index(state: &IndexState) -> String {
    object(&IndexJson {
        schema: "git-gate/index/1",
        state: standing(state),
        reason: reason(state),
        commits: state.commits,
        mainline: state.mainline.map(|id| id.to_string()),
        verified: state.verified,
    })
}

#[derive(Serialize)]
struct IndexJson {
    schema: &'static str,
    state: &'static str,
    reason: Option<&'static str>,
    commits: usize,
    mainline: Option<String>,
    verified: Option<bool>,
}
