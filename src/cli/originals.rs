//! The reports that lie elsewhere, brought along: each is held against what the gate recorded of it.
//!
//! What criteria then read is the report itself, under the policy in force. That a file is another one, or says other
//! than what was recorded of it, is a finding; that it cannot be read from this disk is none.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use crate::evidence::{External, NotTheReport, Reading, Report};
use crate::insight::Originals;
use crate::model::{GateName, Malformed};
use crate::policy::EvidenceKind;

use super::report_file::ReportFile;
use super::session::Session;
use super::{Context, Failure};

/// `NAME=PATH`: a file of the gate, and the report that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GivenOriginal {
    pub(super) name: String,
    pub(super) path: PathBuf,
}

impl FromStr for GivenOriginal {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        match text.split_once('=') {
            Some((name, path)) if !name.is_empty() && !path.is_empty() => {
                Ok(Self { name: name.to_owned(), path: PathBuf::from(path) })
            }
            Some(_) | None => Err(Malformed("an evidence file is given as `NAME=PATH`".to_owned())),
        }
    }
}

/// Reads each of the reports given for a gate.
pub(super) fn originals(
    context: &Context,
    session: &Session,
    gate: &GateName,
    given: &[GivenOriginal],
) -> Result<Originals, Failure> {
    let mut originals = Originals::new();
    if given.is_empty() {
        return Ok(originals);
    }
    let evidence = session.evidence(gate)?;
    for GivenOriginal { name, path } in given {
        let mut file = ReportFile::open(context, path)?;
        let mut found = false;
        for fact in evidence.iter().filter(|fact| fact.file == *name) {
            found = true;
            // One that does not read, or that the policy refuses, is judged as that: no file mends it.
            let Some(Ok(recorded)) = &fact.report else { continue };
            let Some(external) = &recorded.external else {
                return Err(Failure::new("report-not-external", format!("`{name}` is the report itself"))
                    .help("leave out `--evidence-file` for it"));
            };
            let kind = session.policy().evidence_kind(&fact.kind);
            let original = original(&mut file, external, recorded, kind)?;
            originals.insert((fact.kind.clone(), name.clone()), original.map(Arc::new));
        }
        if !found {
            let listed: Vec<String> = evidence.iter().map(|fact| format!("`{}`", fact.file)).collect();
            let help = if listed.is_empty() {
                "it lists none on the mainline".to_owned()
            } else {
                format!("its reports on the mainline: {}", listed.join(", "))
            };
            return Err(
                Failure::new("report-unknown", format!("`{gate}` lists no report `{name}`")).help(help)
            );
        }
    }
    Ok(originals)
}

/// What a report says, or why it is not the one that was recorded.
fn original(
    file: &mut ReportFile,
    external: &External,
    recorded: &Report,
    kind: &EvidenceKind,
) -> Result<Result<Report, String>, Failure> {
    match file.verify(external) {
        Ok(()) => {}
        Err(NotTheReport::Unreadable(error)) => {
            return Err(Failure::new("unreadable-file", format!("`{}` cannot be read: {error}", file.shown)));
        }
        Err(other @ NotTheReport::Other { .. }) => {
            return Ok(Err(format!("`{}` is not the report that was recorded: {other}", file.shown)));
        }
    }
    let reading = Reading {
        declared: Some(external.format),
        allowed: kind.formats.as_deref(),
        unfinished_allowed: kind.unfinished_allowed,
        external_allowed: kind.external_allowed,
        in_source_ignored: kind.in_source_ignored,
        companions: &[],
        mappings: Some(&kind.metrics),
    };
    match file.try_read(&reading) {
        Err(unreadable) => Ok(Err(format!("`{}` does not read: {unreadable}", file.shown))),
        Ok(report) => Ok(match differing(recorded, &report) {
            Some(words) => Err(words),
            None => Ok(report),
        }),
    }
}

/// The first metric of which something else was recorded than the report says. One that nobody recorded is nobody's claim.
fn differing(recorded: &Report, report: &Report) -> Option<String> {
    report.metrics.iter().find_map(|(name, metric)| {
        let claimed = recorded.metrics.get(name)?;
        let same = claimed.value == metric.value
            && claimed.samples == metric.samples
            && claimed.stderr == metric.stderr
            && claimed.errors == metric.errors
            && claimed.unrated == metric.unrated;
        (!same).then(|| format!("of `{name}` something else was recorded than the report says"))
    })
}
