//! Holds every JSON output that a test looks at to its published schema.
//!
//! Published, a schema leaves room for fields that later versions add. Here it does not: a field that stands in an output
//! and in no schema is found.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};

use git_gate::schema::{Kind, Schema};
use jsonschema::Validator;
use serde_json::Value;

/// Validators of what was looked at before.
static CLOSED: OnceLock<Mutex<BTreeMap<&str, Validator>>> = OnceLock::new();

/// Whether an output is as the schema says that it names. What names none is none of ours.
pub(crate) fn hold(output: &Value) -> Result<(), String> {
    let Some(named) = output.get("schema").and_then(Value::as_str) else { return Ok(()) };
    let Some(name) = named.strip_prefix("git-gate/").and_then(|rest| rest.strip_suffix("/1")) else {
        return Ok(());
    };
    let schema = Schema::find(name).filter(|schema| schema.kind == Kind::Output);
    let schema = schema.ok_or_else(|| {
        format!(
            "there is no schema of `{named}`: write src/schema/{name}.json and its line in src/schema/mod.rs"
        )
    })?;
    let mut closed =
        CLOSED.get_or_init(Mutex::default).lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let validator = closed.entry(schema.name).or_insert_with(|| {
        let mut document = schema.document();
        close(&mut document);
        validator(&document)
    });
    let wrong: Vec<String> = validator
        .iter_errors(output)
        .map(|error| format!("{} at `{}`", error, error.instance_path()))
        .collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!("not as src/schema/{name}.json says: {}", wrong.join("; ")))
    }
}

/// A validator of a schema.
#[track_caller]
pub(crate) fn validator(document: &Value) -> Validator {
    jsonschema::draft202012::new(document).unwrap_or_else(|why| panic!("{why}\n{document:#}"))
}

/// Lets no object have a property that is not listed.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.contains_key("properties") && !fields.contains_key("additionalProperties") {
                fields.insert("additionalProperties".into(), false.into());
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn a_field_that_no_schema_has_is_found() {
    let error =
        serde_json::json!({ "schema": "git-gate/error/1", "code": "x", "message": "y", "help": null });
    assert_eq!(hold(&error), Ok(()));
    for (field, value) in
        [("extra", Value::from(1)), ("help", Value::from(1)), ("schema", "git-gate/x/1".into())]
    {
        let mut wrong = error.clone();
        wrong[field] = value;
        assert!(hold(&wrong).is_err(), "{wrong}");
    }
    let mut wrong = error;
    wrong.as_object_mut().unwrap().remove("code");
    assert!(hold(&wrong).is_err(), "{wrong}");
}
