//! `git-gate/review/1`: the approver's brief.

use serde::Serialize;

use crate::evidence::Value;
use crate::insight::{
    Assertion, Brief, ChangeAgainst, Deployed, EnvironmentBrief, FileChange, Line, Signing, Text,
};
use crate::model::{ArtifactDigest, Principal};
use crate::verdict::{AskedNumber, Number};

use super::verdict::CheckJson;
use super::{names, object};

/// The brief.
pub(in crate::render) fn review(brief: &Brief, signing: &Signing) -> String {
    object(&ReviewJson {
        schema: "git-gate/review/1",
        gate: brief.gate.to_string(),
        content: brief.content().map(|content| content.to_string()),
        signing: SigningJson {
            principal: signing.principal.as_ref().map(Principal::as_str),
            refused: signing.refused.as_deref(),
            reasons: names(&signing.reasons),
            assertions: signing.assertions.iter().map(assertion).collect(),
        },
        changes: brief.changes.iter().map(change).collect(),
        environments: brief.environments.iter().map(environment).collect(),
    })
}

#[derive(Serialize)]
struct ReviewJson<'a> {
    schema: &'static str,
    gate: String,
    content: Option<String>,
    signing: SigningJson<'a>,
    changes: Vec<ChangeJson<'a>>,
    environments: Vec<EnvironmentJson<'a>>,
}

#[derive(Serialize)]
struct SigningJson<'a> {
    principal: Option<&'a str>,
    refused: Option<&'a str>,
    reasons: Vec<&'a str>,
    assertions: Vec<AssertionJson<'a>>,
}

#[derive(Serialize)]
struct AssertionJson<'a> {
    role: &'a str,
    sentence: &'a str,
    approve: &'a str,
    reject: &'a str,
}

#[derive(Serialize)]
struct ChangeJson<'a> {
    deployed: Option<DeployedJson<'a>>,
    environments: Vec<&'a str>,
    fields: Vec<FieldJson<'a>>,
    artifacts: Vec<ArtifactJson<'a>>,
    files: Vec<FileJson<'a>>,
}

#[derive(Serialize)]
struct DeployedJson<'a> {
    gate: String,
    record: String,
    judged: String,
    time: String,
    principal: Option<&'a str>,
}

#[derive(Serialize)]
struct FieldJson<'a> {
    field: &'static str,
    before: &'a str,
    after: &'a str,
}

#[derive(Serialize)]
struct ArtifactJson<'a> {
    name: String,
    before: Option<&'a str>,
    after: Option<&'a str>,
    files: Vec<&'a str>,
}

#[derive(Serialize)]
struct FileJson<'a> {
    path: &'a str,
    change: &'static str,
    shown: &'static str,
    lines: Vec<LineJson<'a>>,
    more: usize,
}

#[derive(Serialize)]
struct LineJson<'a> {
    change: &'static str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<usize>,
}

#[derive(Serialize)]
struct EnvironmentJson<'a> {
    environment: &'a str,
    deployed: Option<DeployedJson<'a>>,
    criteria: Vec<AskedJson<'a>>,
    numbers: Vec<NumberJson<'a>>,
    own: Vec<NumberJson<'a>>,
    check: CheckJson<'a>,
}

#[derive(Serialize)]
struct AskedJson<'a> {
    criterion: &'a str,
    kind: &'a str,
    metric: &'a str,
    bound: &'a str,
    numbers: Vec<NumberJson<'a>>,
}

#[derive(Serialize)]
struct NumberJson<'a> {
    kind: &'a str,
    file: &'a str,
    metric: &'a str,
    value: Option<serde_json::Value>,
    reason: Option<&'a str>,
    samples: Option<u64>,
    deployed: Vec<serde_json::Value>,
    delta: Option<f64>,
}

fn assertion(assertion: &Assertion) -> AssertionJson<'_> {
    AssertionJson {
        role: assertion.role.as_str(),
        sentence: &assertion.sentence,
        approve: &assertion.approve,
        reject: &assertion.reject,
    }
}

fn change(change: &ChangeAgainst) -> ChangeJson<'_> {
    let comparison = &change.comparison;
    ChangeJson {
        deployed: change.deployed.as_ref().map(deployed),
        environments: names(&change.environments),
        fields: comparison
            .fields
            .iter()
            .map(|field| FieldJson { field: field.field, before: &field.before, after: &field.after })
            .collect(),
        artifacts: comparison
            .artifacts
            .iter()
            .map(|artifact| ArtifactJson {
                name: artifact.name.to_string(),
                before: artifact.before.as_ref().map(ArtifactDigest::as_str),
                after: artifact.after.as_ref().map(ArtifactDigest::as_str),
                files: artifact.files.iter().map(String::as_str).collect(),
            })
            .collect(),
        files: comparison.files.iter().map(file).collect(),
    }
}

fn deployed(deployed: &Deployed) -> DeployedJson<'_> {
    DeployedJson {
        gate: deployed.gate.to_string(),
        record: deployed.record.to_string(),
        judged: deployed.judged.to_string(),
        time: deployed.time.to_string(),
        principal: deployed.principal.as_ref().map(Principal::as_str),
    }
}

fn file(file: &FileChange) -> FileJson<'_> {
    let (shown, lines, more): (&'static str, &[Line], usize) = match &file.text {
        Text::Report => ("report", &[], 0),
        Text::Binary => ("binary", &[], 0),
        Text::TooLong => ("too-long", &[], 0),
        Text::Lines { lines, more } => ("lines", lines, *more),
    };
    let lines = lines.iter().map(line).collect();
    FileJson { path: &file.path, change: file.how.as_str(), shown, lines, more }
}

fn line(line: &Line) -> LineJson<'_> {
    let of = |change, text| LineJson { change, text, before: None, after: None };
    match line {
        Line::Place(before, after) => {
            LineJson { change: "place", text: "", before: Some(*before), after: Some(*after) }
        }
        Line::Same(text) => of("same", text),
        Line::Removed(text) => of("removed", text),
        Line::Added(text) => of("added", text),
    }
}

fn environment(brief: &EnvironmentBrief) -> EnvironmentJson<'_> {
    EnvironmentJson {
        environment: brief.judgement.verdict.environment.as_str(),
        deployed: brief.deployed.as_ref().map(deployed),
        criteria: brief.numbers.asked.iter().map(asked).collect(),
        numbers: brief.numbers.others.iter().map(number).collect(),
        own: brief.own.iter().map(number).collect(),
        check: CheckJson::new(&brief.judgement),
    }
}

fn asked(asked: &AskedNumber) -> AskedJson<'_> {
    AskedJson {
        criterion: asked.criterion.as_str(),
        kind: asked.kind.as_str(),
        metric: &asked.metric,
        bound: &asked.bound,
        numbers: asked.numbers.iter().map(number).collect(),
    }
}

fn number(number: &Number) -> NumberJson<'_> {
    NumberJson {
        kind: number.kind.as_str(),
        file: &number.file,
        metric: &number.metric,
        value: number.value.as_ref().ok().map(value),
        reason: number.value.as_ref().err().map(String::as_str),
        samples: number.samples,
        deployed: number.deployed.iter().map(value).collect(),
        delta: number.delta,
    }
}

fn value(value: &Value) -> serde_json::Value {
    match value {
        Value::Number(number) => serde_json::json!(number),
        Value::Bool(flag) => serde_json::json!(flag),
        Value::Text(text) | Value::NonFinite(text) => serde_json::json!(text),
    }
}
