//! Tests of the whole program.

#[cfg(test)]
mod commands_signing;
#[cfg(test)]
mod commands_writing;
#[cfg(test)]
mod decisions;
#[cfg(test)]
mod evidence_samples;
#[cfg(test)]
mod output_commands;
#[cfg(test)]
mod raw_commits;
#[cfg(test)]
mod signature_bench;
#[cfg(test)]
mod signature_certificates;
#[cfg(test)]
mod signature_differential;
#[cfg(test)]
mod signature_forgery;
#[cfg(test)]
mod signature_hardware;
#[cfg(test)]
mod world;
