//! Tests of the whole program.
//!
//! Each module carries `#[cfg(test)]`, although all of this is test code: it tells clippy so, and what `.clippy.toml`
//! allows in tests then holds for their helpers too.

#![expect(clippy::disallowed_methods, reason = "tests read files and the clock, and start git")]

#[cfg(test)]
mod docs;
#[cfg(test)]
#[path = "../fuzz/mod.rs"]
mod fuzz;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod markdown;
#[cfg(test)]
mod source;
