//! Which branches the recorder may merge: those that bring nothing but decisions or records, and gates that are ready.
//!
//! A decision carries its own proof, whoever records it; content does not. So content goes to the mainline only where the
//! one evaluator would allow it there, and never a file of anything else than the gate itself.

use std::collections::BTreeSet;

use crate::model::{GateName, Name, escape};

/// What a branch is, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// `gate/<system>/<version>`
    Gate(GateName),
    /// `deployments/<environment>`
    Log(Name),
}

/// What is asked of a branch before it is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing more: it changes no file.
    Nothing,
    /// That the gate is ready.
    Ready,
}

impl Source {
    /// What the branch of that name is; nothing: it is none that the recorder merges.
    pub(super) fn of(branch: &str) -> Option<Self> {
        match branch.split_once('/')? {
            ("gate", name) => name.parse().ok().map(Self::Gate),
            ("deployments", name) => name.parse().ok().map(Self::Log),
            _ => None,
        }
    }
}

/// What is asked of a branch that brings changes of these files; or why it stays where it is.
pub(super) fn need(source: &Source, files: &BTreeSet<String>) -> Result<Need, String> {
    if files.is_empty() {
        return Ok(Need::Nothing);
    }
    let own = match source {
        Source::Gate(gate) => vec![format!("gates/{gate}/"), format!("exceptions/{gate}/")],
        Source::Log(_) => Vec::new(),
    };
    match files.iter().find(|file| !own.iter().any(|directory| file.starts_with(directory))) {
        None => Ok(Need::Ready),
        Some(other) => Err(format!(
            "it changes `{}`, which is no part of {}",
            escape(other),
            match source {
                Source::Gate(gate) => format!("the gate `{gate}`"),
                Source::Log(_) => "a deployment log".to_owned(),
            }
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_decisions_records_and_the_gates_own_files_may_be_recorded() {
        let gate = "gate/summarizer/v1.4";
        let log = "deployments/production";
        for (branch, files, expected) in [
            (gate, vec![], Ok(Need::Nothing)),
            (log, vec![], Ok(Need::Nothing)),
            (gate, vec!["gates/summarizer/v1.4/gate.toml"], Ok(Need::Ready)),
            (gate, vec!["exceptions/summarizer/v1.4/covers/x/exception.toml"], Ok(Need::Ready)),
            (gate, vec!["gates/summarizer/v1.40/gate.toml"], Err("no part of the gate")),
            (gate, vec!["gates/summarizer/v1.4"], Err("no part of the gate")),
            (gate, vec!["gates/summarizer/v1.4/a", "policy/policy.toml"], Err("`policy/policy.toml`")),
            (gate, vec!["incidents/2026-01.toml"], Err("`incidents/2026-01.toml`")),
            (gate, vec!["README.md"], Err("`README.md`")),
            (log, vec!["gates/summarizer/v1.4/gate.toml"], Err("no part of a deployment log")),
        ] {
            let files: BTreeSet<String> = files.into_iter().map(str::to_owned).collect();
            let found = need(&Source::of(branch).unwrap(), &files);
            match expected {
                Ok(need) => assert_eq!(found, Ok(need), "{branch} {files:?}"),
                Err(words) => assert!(found.as_ref().is_err_and(|why| why.contains(words)), "{found:?}"),
            }
        }
    }

    #[test]
    fn only_branches_of_gates_and_logs_are_looked_at() {
        for other in
            ["main", "policy/fresher", "gate/one", "gate/a/b/c", "gate/a/..", "deployments/a/b", "gates/a/b"]
        {
            assert_eq!(Source::of(other), None, "{other}");
        }
    }
}
