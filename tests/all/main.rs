//! Tests of the whole program.
//!
//! Each module carries `#[cfg(test)]`, although all of this is test code: it tells clippy so, and what `.clippy.toml`
//! allows in tests then holds for their helpers too.

#![expect(clippy::disallowed_methods, reason = "tests read files and the clock, and start git")]

#[cfg(test)]
mod attack_metric_names;
#[cfg(test)]
mod attacks;
#[cfg(test)]
mod attacks_history;
#[cfg(test)]
mod attest;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod backtest;
#[cfg(test)]
mod ci;
#[cfg(test)]
mod commands_exceptions;
#[cfg(test)]
mod commands_keys;
#[cfg(test)]
mod commands_policy;
#[cfg(test)]
mod commands_signing;
#[cfg(test)]
mod commands_writing;
#[cfg(test)]
mod decisions;
#[cfg(test)]
mod deploy;
#[cfg(test)]
mod deploy_faults;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod evidence_commands;
#[cfg(test)]
mod evidence_external;
#[cfg(test)]
mod evidence_findings;
#[cfg(test)]
mod evidence_runs;
#[cfg(test)]
mod evidence_samples;
#[cfg(test)]
#[path = "../fuzz/mod.rs"]
mod fuzz;
#[cfg(test)]
mod hooks;
#[cfg(test)]
mod index;
#[cfg(test)]
mod index_kept;

#[cfg(test)]
mod incidents;
#[cfg(test)]
mod interrupted;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod markdown;
#[cfg(test)]
mod measured_kept;
#[cfg(test)]
mod merging_policies;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod output_commands;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod raw_commits;
#[cfg(test)]
mod recorder;
#[cfg(test)]
mod report;
#[cfg(test)]
mod report_joined;
#[cfg(test)]
mod review;
#[cfg(test)]
mod rewound;
#[cfg(test)]
mod schemas;
#[cfg(test)]
mod sharing;
#[cfg(test)]
mod shells;
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
mod signature_rsa;
#[cfg(test)]
mod signing_keys;
#[cfg(test)]
mod source;
#[cfg(test)]
mod squashed;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod together;
#[cfg(test)]
mod waiting;
#[cfg(test)]
mod without_a_clone;
#[cfg(test)]
mod world;
