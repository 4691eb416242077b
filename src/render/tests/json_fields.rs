//! Programs depend on the fields of JSON: they stand in the documentation, and in its order.

use std::collections::BTreeSet;

use super::super::sample::{origin, rich};
use super::super::*;
use super::policy::design_policy;

/// The design's own example of `check` JSON: these fields, in this order.
#[test]
fn json_has_the_fields_of_the_documentation_in_its_order() {
    let json: serde_json::Value = serde_json::from_str(&render_check(&rich(), Form::Json)).unwrap();
    let fields = |value: &serde_json::Value| -> String {
        value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        fields(&json),
        "schema gate environment verdict basis mainline log root time policy content change requirements decisions \
         exceptions notices relaxations"
    );
    assert_eq!(fields(&json["mainline"]), "ref commit step");
    assert_eq!(fields(&json["root"]), "commit from");
    assert_eq!(fields(&json["policy"]), "digest serial commit pending");
    assert_eq!(fields(&json["policy"]["pending"]), "digest serial commit approvals needed defect");
    assert_eq!(fields(&json["change"]), "kinds risk tags summary");
    assert_eq!(fields(&json["requirements"][7]), "id status rules expected found by next");
    assert_eq!(fields(&json["requirements"][7]["next"]), "who command");
    assert_eq!(
        fields(&json["decisions"][3]),
        "commit action principal role key signed_at recorded_at counts code reason mend"
    );
    assert_eq!(fields(&json["exceptions"][0]), "commit content waives expires in_force reason");
    assert_eq!(fields(&json["notices"][0]), "code message");
}

/// Every name of a field below `value`; names that the policy gives are no fields.
fn field_names(value: &serde_json::Value, names: &mut BTreeSet<String>) {
    value.as_array().into_iter().flatten().for_each(|item| field_names(item, names));
    for (name, inner) in value.as_object().into_iter().flatten() {
        let by_name = ["roles", "systems", "environments", "evidence"].contains(&name.as_str());
        names.insert(name.clone());
        match inner.as_object().filter(|_| by_name) {
            Some(entries) => entries.values().for_each(|entry| field_names(entry, names)),
            None => field_names(inner, names),
        }
    }
}

#[test]
fn every_json_field_stands_in_the_documentation() {
    let gate = "summarizer/v1.4".parse().unwrap();
    let mut names = BTreeSet::new();
    for text in [
        render_show(&gate, &[rich()], Form::Json),
        render_policy(&design_policy(), &origin(), Form::Json),
        render_policy_status(&origin(), &[], &[], Form::Json),
        render_lint(&LintShown { policy: String::new(), violations: vec![], warnings: vec![] }, Form::Json),
    ] {
        field_names(&serde_json::from_str(&text).unwrap(), &mut names);
    }
    let documentation = include_str!("../../../docs/output.md");
    let missing: Vec<&String> =
        names.iter().filter(|name| !documentation.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
