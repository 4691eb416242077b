//! Tests of the whole program.

mod docs;
mod layers;
mod markdown;
mod source;
