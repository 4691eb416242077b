//! Puts everything that a schema refers to into it.
//!
//! `shared.json#/$defs/commit` becomes `#/$defs/commit`, and `check.json` becomes `#/$defs/check`: one file, read alike
//! by every validator and editor. Names of definitions are therefore one space; a test looks that none is taken twice.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::text_of;
use crate::evidence::Format;

/// The schema with all that it refers to in its `$defs`.
pub(super) fn bundled(text: &str) -> Value {
    let mut document = parsed(text);
    let mut open = Vec::new();
    rewrite(&mut document, &mut open);
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    while let Some(reference) = open.pop() {
        if found.contains_key(&reference.name) {
            continue;
        }
        let Some(mut target) = reference.target() else { continue };
        rewrite(&mut target, &mut open);
        found.insert(reference.name, target);
    }
    if let Some(formats) = found.get_mut("format").and_then(Value::as_object_mut) {
        let all = Format::ALL.iter().map(|format| Value::from(format.as_str())).collect();
        formats.insert("enum".to_owned(), all);
    }
    if let Some(root) = document.as_object_mut()
        && !found.is_empty()
    {
        root.insert("$defs".to_owned(), Value::Object(found.into_iter().collect::<Map<_, _>>()));
    }
    document
}

/// The text as JSON.
pub(super) fn parsed(text: &str) -> Value {
    #[expect(clippy::expect_used, reason = "a data file of this program; a test reads every one")]
    serde_json::from_str(text).expect("a schema is JSON")
}

/// What `$ref` names.
struct Reference {
    file: String,
    definition: Option<String>,
    /// Its name among the definitions of the bundle.
    name: String,
}

impl Reference {
    fn parse(text: &str) -> Option<Self> {
        let (file, definition) = match text.split_once("#/$defs/") {
            Some((file, definition)) => (file, Some(definition.to_owned())),
            None => (text, None),
        };
        let file = file.strip_suffix(".json")?.to_owned();
        let name = definition.clone().unwrap_or_else(|| file.clone());
        Some(Self { file, definition, name })
    }

    fn target(&self) -> Option<Value> {
        let mut document = parsed(text_of(&self.file)?);
        if let Some(definition) = &self.definition {
            return document.get_mut("$defs")?.get_mut(definition).map(Value::take);
        }
        document.as_object_mut()?.shift_remove("$schema");
        Some(document)
    }
}

/// Turns each reference to a file into one to a definition, and lists what it named.
fn rewrite(value: &mut Value, open: &mut Vec<Reference>) {
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                match inner.as_str().filter(|_text| key == "$ref").and_then(Reference::parse) {
                    Some(reference) => {
                        *inner = Value::from(format!("#/$defs/{}", reference.name));
                        open.push(reference);
                    }
                    None => rewrite(inner, open),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite(item, open)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
