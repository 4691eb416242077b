//! `git-gate`: a deployment gate for AI systems that lives in git.
//!
//! Read everything, then decide, then print. Only the first part touches git, files, processes and clocks; only the
//! second has policy logic; it and the third are pure.
//!
//! ```text
//! argv ─ cli ─▶ ledger (git → facts) ─▶ verdict (pure) ─▶ render (pure) ─▶ stdout, exit status
//! ```
//!
//! The modules in reading order. `docs/architecture.md` says what may import what, and a test holds it.

pub mod model;
pub mod problem;

pub mod evidence;
pub mod signature;

pub mod policy;

pub mod schema;

pub mod decision;
pub mod request;

pub mod verdict;

pub mod git;
pub mod ledger;

pub mod insight;

pub mod render;

pub mod cli;
