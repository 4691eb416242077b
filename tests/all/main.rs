//! Tests of the whole program.

mod layers;
mod markdown;
mod source;
