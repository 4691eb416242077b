//! The words of the product as types that cannot be wrong: names, digests, times, durations.
//!
//! No input or output, no serde: whoever reads a file or a commit parses its text into these at the edge, once.
//! Each type says which section of the design its rule comes from.

mod by_id;
mod code;
mod digest;
mod escape;
pub mod matching;
mod name;
mod time;

pub use by_id::{ById, IdHasher, IdMap};
pub use code::Code;
pub use digest::{ArtifactDigest, ContentDigest, ObjectId, content_digest};
pub use escape::escape;
pub(crate) use name::is_path_component;
pub use name::{ArtifactName, GateName, Glob, IncidentId, Label, Name, Principal};
pub use time::{Duration, Time};

/// Why a text is not one of the words of this module: what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

/// Limits on what a governed directory may hold (design, section 4).
pub mod limits {
    /// Deepest path below a governed directory, in components.
    pub const DIRECTORY_DEPTH: usize = 8;
    /// Most files in one governed directory.
    pub const DIRECTORY_FILES: usize = 256;
    /// Largest file, in bytes.
    pub const FILE_BYTES: u64 = 8 * 1024 * 1024;
    /// Largest governed directory, in bytes over all its files.
    pub const DIRECTORY_BYTES: u64 = 32 * 1024 * 1024;
    /// Largest commit object that is read, in bytes. No honest decision comes near it.
    pub const COMMIT_BYTES: usize = 1024 * 1024;
    /// How far in the future a date may lie before it is not believed, in seconds (design, sections 9.3 and 10).
    pub const CLOCK_SKEW_SECONDS: i64 = 15 * 60;
    /// Smallest RSA key that counts, in bits (design, section 8).
    pub const RSA_BITS: usize = 3072;
}
