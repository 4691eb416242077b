//! `git-gate/evidence/1`.

use serde::Serialize;
use serde_json::{Number, Value as Json};

use crate::evidence::{Metric, Value};
use crate::render::evidence::{ReportShown, metrics, status};

use super::object;

/// A report as the tool reads it.
pub(in crate::render) fn report(shown: &ReportShown<'_>) -> String {
    object(&EvidenceJson {
        schema: "git-gate/evidence/1",
        format: shown.report.format.as_str(),
        status: status(shown.report),
        metrics: metrics(shown).into_iter().map(|(name, metric)| MetricJson::new(name, metric)).collect(),
    })
}

#[derive(Serialize)]
struct EvidenceJson<'a> {
    schema: &'static str,
    format: &'static str,
    status: &'a str,
    metrics: Vec<MetricJson<'a>>,
}

#[derive(Serialize)]
struct MetricJson<'a> {
    name: &'a str,
    value: Json,
    samples: Option<u64>,
    stderr: Option<Json>,
    errors: Option<u64>,
    r#where: &'a str,
    #[serde(skip_serializing_if = "is_false")]
    limited: bool,
    #[serde(skip_serializing_if = "is_false")]
    not_finite: bool,
}

impl<'a> MetricJson<'a> {
    fn new(name: &'a str, metric: &'a Metric) -> Self {
        let (value, not_finite) = match &metric.value {
            Value::Number(value) => (number(*value), false),
            Value::Bool(bool) => (Json::Bool(*bool), false),
            Value::Text(text) => (Json::String(text.clone()), false),
            Value::NonFinite(text) => (Json::String(text.clone()), true),
        };
        Self {
            name,
            value,
            samples: metric.samples,
            stderr: metric.stderr.map(number),
            errors: metric.errors,
            r#where: &metric.at,
            limited: metric.limited,
            not_finite,
        }
    }
}

/// A number; a whole one as such, for a count reads `3` and not `3.0`.
pub(super) fn number(value: f64) -> Json {
    let whole = value.fract() == 0.0 && value.abs() < 1e15;
    let integer = if whole { format!("{value:.0}").parse::<i64>().ok() } else { None };
    match integer {
        Some(integer) => Json::Number(integer.into()),
        None => Number::from_f64(value).map_or(Json::Null, Json::Number),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this form")]
fn is_false(value: &bool) -> bool {
    !value
}
