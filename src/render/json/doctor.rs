//! `git-gate/doctor/1`.

use serde::Serialize;

use crate::render::doctor::{Examined, Finding};

use super::object;

/// Why signing or verifying does not work here.
pub(in crate::render) fn doctor(examined: &Examined) -> String {
    object(&DoctorJson {
        schema: "git-gate/doctor/1",
        state: examined.state().as_str(),
        findings: examined.findings.iter().map(FindingJson::new).collect(),
    })
}

#[derive(Serialize)]
struct DoctorJson<'a> {
    schema: &'static str,
    state: &'static str,
    findings: Vec<FindingJson<'a>>,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    about: &'static str,
    name: &'static str,
    state: &'static str,
    found: &'a str,
    help: Option<&'a str>,
    mend: Option<&'a str>,
}

impl<'a> FindingJson<'a> {
    fn new(finding: &'a Finding) -> Self {
        Self {
            about: finding.about.as_str(),
            name: finding.name,
            state: finding.state.as_str(),
            found: &finding.found,
            help: finding.help.as_deref(),
            mend: finding.mend.as_deref(),
        }
    }
}
