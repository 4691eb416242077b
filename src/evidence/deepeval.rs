//! Format `deepeval`: test runs of `DeepEval`.

use super::Reading;
use super::content::Content;
use super::names::Native;

/// What is read of a file.
pub(crate) const KEEPS: &[&str] = &[];

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
