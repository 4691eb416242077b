//! Format `inspect`: logs of Inspect, as JSON or zipped.

pub(crate) mod archive;

use super::Reading;
use super::content::Content;
use super::json::Json;
use super::names::Native;

/// What is read of a file.
pub(crate) const KEEPS: &[&str] = &[];

/// Whether it has the parts of a log.
pub(crate) fn is_log(log: &Json) -> bool {
    let eval = |key: &str| log.get("eval").is_some_and(|eval| eval.get(key).is_some());
    log.get("version").is_some()
        && log.get("status").is_some()
        && log.get("plan").is_some()
        && eval("task")
        && eval("model")
}

/// Whether the file has the parts of one.
pub(crate) fn recognizes(_content: &Content<'_>) -> bool {
    false
}

/// What a file that is declared and not recognized lacks.
pub(crate) fn hint(_content: &Content<'_>) -> String {
    "this version does not read it yet".to_owned()
}

/// Its metrics.
pub(crate) fn read(content: &Content<'_>, _reading: &Reading<'_>) -> Result<Native, String> {
    Err(hint(content))
}
