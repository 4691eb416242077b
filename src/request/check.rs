//! `gate.toml` as written → [`GateRequest`] as meant, with every problem.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::{Artifact, EvidenceEntry, GateRequest, names_its_path};
use crate::evidence::Mapping;
use crate::evidence::written::{self as mapping, MappingCodes};
use crate::model::{ArtifactName, GateName, Name, limits};
use crate::problem::Problems;
use crate::problem::document::{Document, Step, Value};
use crate::problem::section::{Codes, Reader, Section};

const GENERAL: Codes = Codes {
    unknown_key: "gate-unknown-key",
    missing_key: "gate-missing-key",
    wrong_type: "gate-wrong-type",
    bad_value: "gate-bad-value",
    repeated: "gate-repeated",
    schema: "gate-schema",
};

const MAPPING: MappingCodes = MappingCodes { format: "gate-unknown-format", mapping: "gate-mapping" };

/// Reads a request that stands in the directory of `gate`.
pub(super) fn check_gate(file: &str, bytes: &[u8], gate: &GateName) -> Result<GateRequest, Problems> {
    let document = Document::parse(file, bytes)?;
    let reader = Reader::new(&document, GENERAL);
    let request = reader.root(super::SCHEMA).and_then(|root| request(root, gate));
    reader.end(request)
}

fn request(root: Section<'_>, gate: &GateName) -> Option<GateRequest> {
    let named = names_its_path(&root, gate, "gate-path");
    let kinds = root.required("kinds", Reader::some);
    let risk = root.required("risk", Reader::word);
    let environments = root.required("environments", Reader::some);
    let tags = root.optional("tags", Reader::set).unwrap_or_default();
    let summary = root.required("summary", Reader::line);
    let requires: BTreeSet<GateName> = root.optional("requires", Reader::set).unwrap_or_default();
    let requested_by = root.optional("requested_by", Reader::set).unwrap_or_default();
    let artifacts = root.optional("artifact", artifacts).unwrap_or_default();
    let evidence: Vec<EvidenceEntry> =
        root.optional("evidence", |reader, value| reader.list(value, entry)).unwrap_or_default();
    let reader = root.reader();
    if requires.contains(gate) {
        let help = "name the other gates that it builds on";
        reader.problem(
            "gate-requires-itself",
            root.span_of("requires"),
            format!("`{gate}` requires itself"),
            help,
        );
    }
    root.finish();
    if reader.is_clean() {
        entries_agree(reader, &evidence, &artifacts);
    }
    Some(GateRequest {
        gate: named?,
        kinds: kinds?,
        risk: risk?,
        environments: environments?,
        tags,
        summary: summary?,
        requires,
        requested_by,
        artifacts,
        evidence,
    })
}

fn artifacts<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<BTreeMap<ArtifactName, Artifact>> {
    let artifacts = RefCell::new(BTreeMap::new());
    reader.list(value, |reader, value| {
        let section = reader.section(value)?;
        let name: Option<ArtifactName> = section.required("name", Reader::word);
        let digest = section.required("digest", Reader::word);
        let uri = section.optional("uri", Reader::line);
        let span = section.span_of("name");
        section.finish();
        let name = name?;
        let twice =
            artifacts.borrow_mut().insert(name.clone(), digest.map(|digest| Artifact { digest, uri }));
        if twice.is_some() {
            let message = format!("artifact `{name}` is listed twice");
            reader.problem("gate-artifact-twice", span, message, "one name, one artifact");
        }
        Some(())
    })?;
    // An artifact without a good digest has its problem already.
    Some(artifacts.into_inner().into_iter().filter_map(|(name, artifact)| Some((name, artifact?))).collect())
}

fn entry<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<EvidenceEntry> {
    let section = reader.section(value)?;
    let kind: Option<Name> = section.required("kind", Reader::word);
    let file = section.required("file", evidence_path);
    let format = section.optional("format", |reader, value| mapping::format(reader, value, MAPPING));
    let artifact = section.optional("artifact", Reader::word);
    let metrics: BTreeMap<String, Mapping> = section
        .optional("metrics", |reader, value| {
            mapping::metrics(reader, value, |reader, value| mapping::mapping(reader, value, MAPPING))
        })
        .unwrap_or_default();
    section.finish();
    Some(EvidenceEntry { kind: kind?, file: file?, format, artifact, metrics })
}

/// A path below the gate directory, in the grammar of section 4: what cannot be there is told here, with its line.
fn evidence_path<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<String> {
    let text = reader.text(value)?;
    let fine = text.split('/').all(crate::model::is_path_component)
        && text.split('/').count() <= limits::DIRECTORY_DEPTH
        && text != "gate.toml";
    if fine {
        return Some(text.to_owned());
    }
    let message = format!("`{text}` cannot be a report's path");
    let help = "a path below this directory, other than `gate.toml`: at most 8 components of `A-Z a-z 0-9 . _ + -` \
                that begin with no dot, joined by `/`";
    reader.problem("gate-evidence-path", value.span.clone(), message, help);
    None
}

/// No entry stands there twice, and each is about an artifact that is listed.
fn entries_agree(
    reader: &Reader<'_>,
    evidence: &[EvidenceEntry],
    artifacts: &BTreeMap<ArtifactName, Artifact>,
) {
    let mut seen = BTreeSet::new();
    for (at, entry) in evidence.iter().enumerate() {
        let place = |key| [Step::Key("evidence"), Step::At(at), Step::Key(key)];
        if !seen.insert((&entry.kind, &entry.file)) {
            let message = format!("`{}` is listed twice as `{}`", entry.file, entry.kind);
            reader.problem_at("gate-evidence-twice", &place("file"), message, "list it once");
        }
        if let Some(artifact) = &entry.artifact
            && !artifacts.contains_key(artifact)
        {
            let names = artifacts.keys().map(ArtifactName::as_str);
            let help = format!("artifacts here: {}", crate::problem::section::listed(names));
            let message = format!("artifact `{artifact}` is not listed");
            reader.problem_at("gate-unknown-artifact", &place("artifact"), message, help);
        }
    }
}
