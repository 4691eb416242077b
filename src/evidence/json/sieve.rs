//! Which parts of a JSON file are kept; the rest is read as strictly, and dropped.
//!
//! A report may be a hundred times larger than what it says: transcripts, code flows, tables. Readers name the paths that they
//! look at, and so do mappings; memory then grows with these alone.

use std::collections::BTreeMap;
use std::sync::Arc;

/// What is kept of a value, and of those below it. A scalar is kept wherever a sieve stands; an object or array is kept
/// with those of its members for which a sieve stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sieve {
    all: bool,
    any: Option<Box<Sieve>>,
    keys: BTreeMap<Arc<str>, Sieve>,
    settled: bool,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The member of that key, or the item at that index.
    Key(String),
    /// Any member or item.
    Any,
    /// All that stands below.
    All,
}

impl Sieve {
    /// Keeps everything.
    #[cfg(test)]
    pub(crate) fn everything() -> Self {
        let mut sieve = Self::default();
        sieve.keep([Step::All]);
        sieve.settle()
    }

    /// Keeps also what stands at that path.
    pub(crate) fn keep(&mut self, path: impl IntoIterator<Item = Step>) {
        let mut sieve = self;
        for step in path {
            sieve = match step {
                Step::Key(key) => sieve.keys.entry(key.into()).or_default(),
                Step::Any => sieve.any.get_or_insert_default(),
                Step::All => {
                    sieve.all = true;
                    return;
                }
            };
        }
    }

    /// Keeps also what stands at a path as readers write it: `/results/*/name`, `/results/**`.
    pub(crate) fn keep_path(&mut self, path: &str) {
        self.keep(path.split('/').skip(1).map(|step| match step {
            "*" => Step::Any,
            "**" => Step::All,
            key => Step::Key(key.to_owned()),
        }));
    }

    /// Makes what is kept of any member be kept of each that is named, too. To be done once, before use.
    pub(crate) fn settle(mut self) -> Self {
        let any = self.any.take().map(|any| Box::new(any.settle()));
        let keys = std::mem::take(&mut self.keys);
        for (key, mut below) in keys {
            if let Some(any) = &any {
                below.add(any);
            }
            self.keys.insert(key, below.settle());
        }
        Self { any, settled: true, ..self }
    }

    fn add(&mut self, other: &Self) {
        self.all |= other.all;
        if let Some(any) = &other.any {
            self.any.get_or_insert_default().add(any);
        }
        for (key, below) in &other.keys {
            self.keys.entry(Arc::clone(key)).or_default().add(below);
        }
    }

    /// What is kept of the member of that key, and the key where it is named; nothing: it is dropped.
    pub(super) fn member(&self, key: &str) -> Option<(Option<Arc<str>>, &Self)> {
        debug_assert!(self.settled, "a sieve is settled before it is used");
        if self.all {
            return Some((None, self));
        }
        match self.keys.get_key_value(key) {
            Some((key, below)) => Some((Some(Arc::clone(key)), below)),
            None => Some((None, self.any.as_deref()?)),
        }
    }

    /// What is kept of the item at that index.
    pub(super) fn item(&self, index: usize) -> Option<&Self> {
        debug_assert!(self.settled, "a sieve is settled before it is used");
        if self.all {
            return Some(self);
        }
        if self.keys.is_empty() {
            return self.any.as_deref();
        }
        self.keys.get(index.to_string().as_str()).or(self.any.as_deref())
    }

    /// Whether items that are dropped leave a place, so that those behind keep their index.
    pub(super) fn places_matter(&self) -> bool {
        !self.all
            && self.any.is_none()
            && self.keys.keys().any(|key| key.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Json, parse_document};
    use super::*;

    fn kept(paths: &[&str], text: &str) -> String {
        let mut sieve = Sieve::default();
        for path in paths {
            sieve.keep_path(path);
        }
        shown(&parse_document(text.as_bytes(), &sieve.settle()).unwrap())
    }

    fn shown(value: &Json) -> String {
        match value {
            Json::Null => "null".into(),
            Json::Bool(bool) => bool.to_string(),
            Json::Number(number) => number.to_string(),
            Json::Unheld(text) => text.clone(),
            Json::Text(text) => format!("{text:?}"),
            Json::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(",")),
            Json::Object(members) => {
                let members = members.iter().map(|(key, value)| format!("{key:?}:{}", shown(value)));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
        }
    }

    #[test]
    fn what_no_path_names_is_dropped() {
        let text = r#"{"a":{"x":1,"y":[2,3]},"b":[{"x":4,"z":5},{"x":6}],"c":"t"}"#;
        for (paths, expected) in [
            (&[][..], "{}"),
            (&["/c"], r#"{"c":"t"}"#),
            (&["/a"], r#"{"a":{}}"#),
            (&["/a/**"], r#"{"a":{"x":1,"y":[2,3]}}"#),
            (&["/a/*"], r#"{"a":{"x":1,"y":[]}}"#),
            (&["/b/*/x"], r#"{"b":[{"x":4},{"x":6}]}"#),
            (&["/*/x", "/a/y/*"], r#"{"a":{"x":1,"y":[2,3]},"b":[],"c":"t"}"#),
            (&["/b/1/x"], r#"{"b":[null,{"x":6}]}"#),
            (&["/a/x", "/*/**"], text),
            (&["/b/1/x", "/b/*/z"], r#"{"b":[{"z":5},{"x":6}]}"#),
            (&["/**"], text),
        ] {
            assert_eq!(kept(paths, text), expected, "{paths:?}");
        }
    }
}
