//! JSON Schemas (draft 2020-12) of the files that people write and of what commands print.
//!
//! Each is a data file beside this one, written by hand: a schema tells editors and programs what a key means, in fewer
//! words than code does, and a schema derived from types would miss what only the parsers know. Tests hold them to the
//! program: every key that a parser knows, every example of the docs, every JSON output of every test.
//!
//! To add one: a file `<name>.json`, and its line in [`ALL`]. A file refers to another as `shared.json#/$defs/<name>` or
//! `<name>.json`; what is printed has all of that in itself ([`Schema::document`]), so that no reader needs a network.

mod bundle;

use serde_json::Value;

/// The directory of a governance repository in which editors find the schemas of its files.
pub const DIRECTORY: &str = ".schema";

/// One schema.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// Its name, such as `policy` or `check`.
    pub name: &'static str,
    /// What it is about.
    pub kind: Kind,
    text: &'static str,
}

/// What a schema is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file that people write.
    File,
    /// What a command prints: `git-gate/<name>/1`.
    Output,
}

/// Every schema: files first, then outputs by name.
pub const ALL: &[Schema] = &[
    file("policy", include_str!("policy.json")),
    file("gate", include_str!("gate.json")),
    file("exception", include_str!("exception.json")),
    file("cover", include_str!("cover.json")),
    file("incident", include_str!("incident.json")),
    file("rollback", include_str!("rollback.json")),
    output("accept-risk", include_str!("accept-risk.json")),
    output("approve", include_str!("approve.json")),
    output("artifact", include_str!("artifact.json")),
    output("attach", include_str!("attach.json")),
    output("attest", include_str!("attest.json")),
    output("audit", include_str!("audit.json")),
    output("audit-signatures", include_str!("audit-signatures.json")),
    output("backtest", include_str!("backtest.json")),
    output("check", include_str!("check.json")),
    output("close", include_str!("close.json")),
    output("deploy", include_str!("deploy.json")),
    output("deploy-failed", include_str!("deploy-failed.json")),
    output("detach", include_str!("detach.json")),
    output("doctor", include_str!("doctor.json")),
    output("error", include_str!("error.json")),
    output("evidence", include_str!("evidence.json")),
    output("except", include_str!("except.json")),
    output("history", include_str!("history.json")),
    output("hook", include_str!("hook.json")),
    output("hook-install", include_str!("hook-install.json")),
    output("hook-uninstall", include_str!("hook-uninstall.json")),
    output("incident-list", include_str!("incident-list.json")),
    output("incident-open", include_str!("incident-open.json")),
    output("incident-resolve", include_str!("incident-resolve.json")),
    output("index", include_str!("index.json")),
    output("init", include_str!("init.json")),
    output("key-add", include_str!("key-add.json")),
    output("key-list", include_str!("key-list.json")),
    output("key-revoke", include_str!("key-revoke.json")),
    output("key-rotate", include_str!("key-rotate.json")),
    output("key-setup", include_str!("key-setup.json")),
    output("list", include_str!("list.json")),
    output("log", include_str!("log.json")),
    output("merge", include_str!("merge.json")),
    output("metrics", include_str!("metrics.json")),
    output("open", include_str!("open.json")),
    output("pending", include_str!("pending.json")),
    output("policy-diff", include_str!("policy-diff.json")),
    output("policy-lint", include_str!("policy-lint.json")),
    output("policy-show", include_str!("policy-show.json")),
    output("policy-status", include_str!("policy-status.json")),
    output("ready", include_str!("ready.json")),
    output("record", include_str!("record.json")),
    output("reject", include_str!("reject.json")),
    output("report", include_str!("report.json")),
    output("review", include_str!("review.json")),
    output("schema", include_str!("schema.json")),
    output("show", include_str!("show.json")),
    output("status", include_str!("status.json")),
    output("trust", include_str!("trust.json")),
    output("tune", include_str!("tune.json")),
    output("withdraw", include_str!("withdraw.json")),
];

/// What several schemas have in common.
const SHARED: &str = include_str!("shared.json");

impl Schema {
    /// The schema of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|schema| schema.name == name)
    }

    /// What it describes, in a few words.
    pub fn title(&self) -> String {
        let document = bundle::parsed(self.text);
        document.get("title").and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// The whole of it, with everything that it refers to.
    pub fn document(&self) -> Value {
        bundle::bundled(self.text)
    }

    /// As it is written to a file.
    pub fn pretty(&self) -> String {
        format!("{:#}\n", self.document())
    }
}

impl Kind {
    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Output => "output",
        }
    }
}

/// The first line of a file in `directory`, by which editors find its schema (Taplo, Even Better TOML): a path relative to
/// the file, since it must work in every clone and without a network.
pub fn directive(name: &str, directory: &str) -> String {
    let up = "../".repeat(directory.split('/').count());
    format!("#:schema {up}{DIRECTORY}/{name}.json\n")
}

const fn file(name: &'static str, text: &'static str) -> Schema {
    Schema { name, kind: Kind::File, text }
}

const fn output(name: &'static str, text: &'static str) -> Schema {
    Schema { name, kind: Kind::Output, text }
}

fn text_of(name: &str) -> Option<&'static str> {
    if name == "shared" { Some(SHARED) } else { Schema::find(name).map(|schema| schema.text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_editor_finds_the_schema_from_where_the_file_stands() {
        assert_eq!(directive("policy", "policy"), "#:schema ../.schema/policy.json\n");
        assert_eq!(directive("gate", "gates/summarizer/v1.4"), "#:schema ../../../.schema/gate.json\n");
    }

    #[test]
    fn every_schema_has_a_name_of_its_own_and_a_title() {
        let mut names: Vec<&str> = ALL.iter().map(|schema| schema.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        assert!(ALL.iter().all(|schema| !schema.title().is_empty()));
    }
}
