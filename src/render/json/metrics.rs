//! `git-gate/metrics/1`: each figure below its name, one level for each of its labels.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::insight::Origin;
use crate::insight::metrics::{By, Figure, METHOD, Metrics, Value, figures};

use super::object;

/// The figures, in total and by group.
pub(in crate::render) fn metrics(metrics: &Metrics, origin: &Origin) -> String {
    let asked = &metrics.asked;
    object(&MetricsJson {
        schema: "git-gate/metrics/1",
        mainline: origin.mainline.to_string(),
        root: origin.root.to_string(),
        time: origin.time.to_string(),
        since: asked.since.map(|since| since.to_string()),
        until: asked.until.map(|until| until.to_string()),
        environment: asked.environment.as_ref().map(ToString::to_string),
        by: asked.by.map(By::as_str),
        percentiles: METHOD,
        total: nested(&figures(&metrics.total)),
        groups: metrics
            .groups
            .iter()
            .map(|(group, tally)| (group.as_str(), nested(&figures(tally))))
            .collect(),
        left_out: metrics
            .left_out
            .iter()
            .map(|(why, gates)| (why.as_str(), gates.iter().map(String::as_str).collect()))
            .collect(),
        unrecorded: metrics.unrecorded.iter().map(ToString::to_string).collect(),
        notices: origin
            .notices
            .iter()
            .map(|notice| NoticeJson { code: notice.code, message: &notice.message })
            .collect(),
    })
}

#[derive(Serialize)]
struct MetricsJson<'a> {
    schema: &'static str,
    mainline: String,
    root: String,
    time: String,
    since: Option<String>,
    until: Option<String>,
    environment: Option<String>,
    by: Option<&'static str>,
    percentiles: &'static str,
    total: BTreeMap<String, Node>,
    groups: BTreeMap<&'a str, BTreeMap<String, Node>>,
    left_out: BTreeMap<&'a str, Vec<&'a str>>,
    unrecorded: Vec<String>,
    notices: Vec<NoticeJson<'a>>,
}

#[derive(Serialize)]
struct NoticeJson<'a> {
    code: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Node {
    Whole(i64),
    Real(f64),
    Below(BTreeMap<String, Node>),
}

fn nested(figures: &[Figure]) -> BTreeMap<String, Node> {
    let mut top = BTreeMap::new();
    for figure in figures {
        let leaf = match figure.value {
            Value::Whole(whole) => Node::Whole(whole),
            Value::Real(real) => Node::Real(real),
        };
        put(&mut top, figure.meaning.name, &figure.labels, leaf);
    }
    top
}

fn put(at: &mut BTreeMap<String, Node>, name: &str, labels: &[String], leaf: Node) {
    let Some((first, rest)) = labels.split_first() else {
        at.insert(name.to_owned(), leaf);
        return;
    };
    let below = at.entry(name.to_owned()).or_insert_with(|| Node::Below(BTreeMap::new()));
    if let Node::Below(below) = below {
        put(below, first, rest, leaf);
    }
}
