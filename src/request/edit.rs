//! Changes a `gate.toml` that stands there already, and keeps its comments, order and all that is not asked about.

use toml_edit::{ArrayOfTables, DocumentMut, ImDocument, InlineTable, Item, Table, TableLike, Value};

use super::{Artifact, GateRequest};
use crate::evidence::Format;
use crate::model::{ArtifactName, GateName, Name};
use crate::problem::{Problem, Problems};

/// A `gate.toml` while it is changed.
#[derive(Debug, Clone)]
pub struct GateEdit {
    document: DocumentMut,
}

impl GateEdit {
    /// Opens a `gate.toml` that reads as a request for `gate`: one that does not is mended by hand first.
    pub fn open(file: &str, bytes: &[u8], gate: &GateName) -> Result<Self, Problems> {
        GateRequest::parse(file, bytes, gate)?;
        // It was read by the same parser just now.
        let document = std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| ImDocument::parse(text).ok())
            .ok_or_else(|| {
                let message = format!("`{file}` could not be read again");
                Problems(vec![Problem { code: "gate-bad-value", place: None, message, help: None }])
            })?;
        Ok(Self { document: document.into_mut() })
    }

    /// The file as it stands now.
    pub fn text(&self) -> String {
        self.document.to_string()
    }

    /// Lists the report, or changes the entry of the same kind and file: its format and artifact become what is given,
    /// its metrics stay.
    pub fn set_evidence(
        &mut self,
        kind: &Name,
        file: &str,
        format: Option<Format>,
        artifact: Option<&ArtifactName>,
    ) {
        let identity = [("kind", kind.as_str()), ("file", file)];
        let rest = [("format", format.map(Format::as_str)), ("artifact", artifact.map(ArtifactName::as_str))];
        self.set("evidence", &identity, &rest);
    }

    /// Takes the report off the list. Says whether it was there.
    pub fn remove_evidence(&mut self, kind: &Name, file: &str) -> bool {
        self.remove("evidence", &[("kind", kind.as_str()), ("file", file)])
    }

    /// Lists the artifact, or changes the entry of that name.
    pub fn set_artifact(&mut self, name: &ArtifactName, artifact: &Artifact) {
        let rest = [("digest", Some(artifact.digest.as_str())), ("uri", artifact.uri.as_deref())];
        self.set("artifact", &[("name", name.as_str())], &rest);
    }

    /// Takes the artifact off the list. Says whether it was there.
    pub fn remove_artifact(&mut self, name: &ArtifactName) -> bool {
        self.remove("artifact", &[("name", name.as_str())])
    }

    /// Makes it the request for another version, for `open --from`.
    pub fn set_version(&mut self, version: &Name) {
        set_text(self.document.as_table_mut(), "version", Some(version.as_str()));
    }

    /// Gives it another summary.
    pub fn set_summary(&mut self, summary: &str) {
        set_text(self.document.as_table_mut(), "summary", Some(summary));
    }

    fn set(&mut self, list: &str, identity: &[(&str, &str)], rest: &[(&str, Option<&str>)]) {
        let root = self.document.as_table_mut();
        if root.get(list).is_none() {
            root.insert(list, Item::ArrayOfTables(ArrayOfTables::new()));
        }
        let Some(item) = root.get_mut(list) else { return };
        if !entries(item).any(|entry| is(entry, identity)) {
            push(item, identity);
        }
        for entry in entries(item).filter(|entry| is(*entry, identity)) {
            for (key, text) in rest {
                set_text(entry, key, *text);
            }
        }
    }

    fn remove(&mut self, list: &str, identity: &[(&str, &str)]) -> bool {
        let root = self.document.as_table_mut();
        let Some(item) = root.get_mut(list) else { return false };
        let before = entries(item).count();
        if let Some(tables) = item.as_array_of_tables_mut() {
            tables.retain(|table| !is(table, identity));
        } else if let Some(array) = item.as_array_mut() {
            array.retain(|value| !value.as_inline_table().is_some_and(|table| is(table, identity)));
        }
        let after = entries(item).count();
        if after == 0 {
            root.remove(list);
        }
        after < before
    }
}

/// The tables of a list, however it is written.
fn entries(item: &mut Item) -> Box<dyn Iterator<Item = &mut dyn TableLike> + '_> {
    match item {
        Item::ArrayOfTables(tables) => {
            Box::new(tables.iter_mut().map(|table| -> &mut dyn TableLike { table }))
        }
        Item::Value(Value::Array(array)) => Box::new(
            array
                .iter_mut()
                .filter_map(Value::as_inline_table_mut)
                .map(|table| -> &mut dyn TableLike { table }),
        ),
        Item::None | Item::Value(_) | Item::Table(_) => Box::new(std::iter::empty()),
    }
}

fn is(entry: &dyn TableLike, identity: &[(&str, &str)]) -> bool {
    identity.iter().all(|(key, text)| entry.get(key).and_then(Item::as_str) == Some(text))
}

fn push(item: &mut Item, identity: &[(&str, &str)]) {
    if let Some(tables) = item.as_array_of_tables_mut() {
        let mut table = Table::new();
        for (key, text) in identity {
            set_text(&mut table, key, Some(text));
        }
        tables.push(table);
    } else if let Some(array) = item.as_array_mut() {
        let mut table = InlineTable::new();
        for (key, text) in identity {
            set_text(&mut table, key, Some(text));
        }
        array.push(table);
    }
}

/// Sets or removes a text, and keeps the blanks and the comment behind it.
fn set_text(table: &mut dyn TableLike, key: &str, text: Option<&str>) {
    let Some(text) = text else {
        table.remove(key);
        return;
    };
    // One that says the same stays in its own spelling.
    if table.get(key).and_then(Item::as_str) == Some(text) {
        return;
    }
    let mut value = Value::from(text);
    // In place: what is inserted anew loses the comment above it.
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(before) => {
            *value.decor_mut() = before.decor().clone();
            *before = value;
        }
        None => drop(table.insert(key, Item::Value(value))),
    }
}
