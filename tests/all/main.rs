//! Tests of the whole program.

#[cfg(test)]
mod decisions;
#[cfg(test)]
mod evidence_samples;
#[cfg(test)]
mod raw_commits;
#[cfg(test)]
mod world;
mod signature_bench;
mod signature_certificates;
mod signature_differential;
mod signature_forgery;
mod signature_hardware;
