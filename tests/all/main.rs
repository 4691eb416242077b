//! Tests of the whole program.

#[cfg(test)]
mod evidence_samples;
