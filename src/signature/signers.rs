//! `allowed_signers`: whose a key is.

/// `policy/allowed_signers`, parsed.
#[derive(Debug, Clone)]
pub struct AllowedSigners {}
