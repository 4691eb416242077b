//! The only place that names the git library: raw commits, trees, refs, writing, running git.

pub mod raw;
