//! What an artifact is compared by, digested from a file or a directory.

use std::path::Path;

use crate::model::ArtifactDigest;

use super::Failure;

/// The digest of the file or directory at `path` (design, section 5).
pub(super) fn artifact_digest(_path: &Path) -> Result<ArtifactDigest, Failure> {
    Err(Failure::new("not-built", "digesting artifacts is not built yet"))
}
