//! Tests of the whole program.

#[cfg(test)]
mod decisions;
#[cfg(test)]
mod evidence_samples;
#[cfg(test)]
mod raw_commits;
#[cfg(test)]
mod signature_bench;
#[cfg(test)]
mod signature_differential;
#[cfg(test)]
mod signature_forgery;
#[cfg(test)]
mod signature_hardware;
#[cfg(test)]
mod signature_rsa;
#[cfg(test)]
mod world;
