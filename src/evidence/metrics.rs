//! Format `metrics`: what this program extracted from a report that lies elsewhere.

use super::content::Content;
use super::names::Native;
use super::{Reading, Unreadable};

/// What is read of a file.
pub(crate) const KEEPS: &[&str] = &[];

/// The metrics.
pub(crate) fn read(_content: &Content<'_>, _reading: &Reading<'_>) -> Result<Native, Unreadable> {
    Err(Unreadable::Invalid("this version does not read it yet".to_owned()))
}
