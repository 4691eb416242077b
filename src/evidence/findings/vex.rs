//! CycloneDX VEX: statements that close findings of the scanner reports beside them.
//!
//! A statement closes a finding only where it names that vulnerability in that version of that package: by its package
//! URL, by a component of the document that has it, or by a BOM link that ends in it. A statement about a product as a
//! whole says nothing of a package in it, and where two statements differ the finding stays open.

use std::collections::BTreeMap;

use super::super::content::Content;
use super::super::json::{Json, Sieve};
use super::super::names::{Names, Native};
use super::super::{Format, Reading};

/// What is read of a file.
pub(crate) const KEEPS: &[&str] = &[
    "/bomFormat",
    "/components/**",
    "/metadata/component/**",
    "/vulnerabilities/*/affects/**",
    "/vulnerabilities/*/analysis/state",
    "/vulnerabilities/*/id",
];

/// What the VEX documents of a kind of evidence say, by vulnerability.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Statements(BTreeMap<String, About>);

/// What was said about one vulnerability. Many statements say no more than their sum: a document of a thousand equal ones
/// costs a finding no more than one.
#[derive(Debug, Default, Clone, PartialEq)]
struct About {
    /// Of each package, by its package URL: whether all statements close it.
    packages: BTreeMap<String, bool>,
    /// Whether a statement that names no package leaves it open: what it takes back it takes back from all of them.
    open: bool,
}

/// What a scanner found, as a statement must name it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'a> {
    /// The vulnerability's id.
    pub(crate) id: &'a str,
    /// Its one other name, where it has exactly one.
    pub(crate) alias: Option<&'a str>,
    /// The package URL, with its version.
    pub(crate) purl: &'a str,
}

/// Whether the file is a CycloneDX document with vulnerabilities. A bill of materials without them is plain JSON.
pub(crate) fn recognizes(content: &Content<'_>) -> bool {
    content.document().is_some_and(|document| {
        document.get("bomFormat").and_then(Json::as_text) == Some("CycloneDX")
            && document.get("vulnerabilities").is_some()
    })
}

/// What a file that is declared and not recognized lacks.
pub(crate) fn hint(_: &Content<'_>) -> String {
    "a CycloneDX VEX document is JSON with `bomFormat` `CycloneDX` and `vulnerabilities`".to_owned()
}

/// It has no metrics of its own; what it closes shows in the reports beside it.
pub(crate) fn read(content: &Content<'_>, _reading: &Reading<'_>) -> Result<Native, String> {
    let document = content.document().ok_or("it is no JSON document")?;
    Statements::default().add(document)?;
    Ok(Native::finished(Names::default()))
}

impl Statements {
    /// What the files beside a report say. One that is no VEX document, or a broken one, closes nothing: it is evidence
    /// of its own, and its own line says so.
    pub(crate) fn beside(reading: &Reading<'_>) -> Self {
        let mut all = Self::default();
        if reading.allowed.is_some_and(|allowed| !allowed.contains(&Format::CycloneDxVex)) {
            return all;
        }
        let mut sieve = Sieve::default();
        for path in KEEPS {
            sieve.keep_path(path);
        }
        let sieve = sieve.settle();
        for bytes in reading.companions {
            let Ok(content) = Content::of(bytes, &sieve) else { continue };
            let mut own = Self::default();
            if recognizes(&content) && content.document().is_some_and(|document| own.add(document).is_ok()) {
                for (id, about) in own.0 {
                    all.0.entry(id).or_default().join(about);
                }
            }
        }
        all
    }

    /// Adds what a document says.
    pub(crate) fn add(&mut self, document: &Json) -> Result<(), String> {
        let vulnerabilities = document.get("vulnerabilities").and_then(Json::as_array);
        let vulnerabilities = vulnerabilities.ok_or("`/vulnerabilities` is no array")?;
        let components = components(document);
        for (index, vulnerability) in vulnerabilities.iter().enumerate() {
            let id = vulnerability.get("id").and_then(Json::as_text);
            let id = id.ok_or_else(|| format!("`/vulnerabilities/{index}/id` is no text"))?;
            let closes = closes(vulnerability);
            let about = self.0.entry(id.to_owned()).or_default();
            let affects = vulnerability.get("affects").and_then(Json::as_array).unwrap_or_default();
            for affected in affects {
                let named =
                    affected.get("ref").and_then(Json::as_text).and_then(|name| package(name, &components));
                about.say(named, closes && every_version(affected));
            }
            about.open |= affects.is_empty();
        }
        Ok(())
    }

    /// Whether a statement closes what was found, and none says otherwise.
    pub(crate) fn close(&self, found: Found<'_>) -> bool {
        let about: Vec<&About> =
            [Some(found.id), found.alias].into_iter().flatten().filter_map(|id| self.0.get(id)).collect();
        let said = || about.iter().flat_map(|about| about.on(found.purl));
        about.iter().all(|about| !about.open) && said().next().is_some() && said().all(|closes| closes)
    }
}

impl About {
    fn say(&mut self, package: Option<String>, closes: bool) {
        match package {
            Some(purl) => *self.packages.entry(purl).or_insert(true) &= closes,
            // A product that is not affected says nothing of a package in it; one that is, does.
            None => self.open |= !closes,
        }
    }

    fn join(&mut self, other: Self) {
        self.open |= other.open;
        for (purl, closes) in other.packages {
            self.say(Some(purl), closes);
        }
    }

    /// What was said of a package: of it as it was found, and of it with qualifiers left open. One without a version is never
    /// meant: it would also close what the next version brings.
    fn on(&self, found: &str) -> impl Iterator<Item = bool> {
        let plain = found.split(['?', '#']).next().unwrap_or_default();
        let versioned = plain.rsplit('/').next().is_some_and(|name| name.contains('@'));
        let names = [Some(found), (plain != found).then_some(plain)];
        names
            .into_iter()
            .flatten()
            .filter(move |_| versioned)
            .filter_map(|name| self.packages.get(name).copied())
    }
}

/// Whether the analysis says that there is nothing left to mend.
fn closes(vulnerability: &Json) -> bool {
    let state = vulnerability.get("analysis").and_then(|analysis| analysis.get("state"));
    matches!(
        state.and_then(Json::as_text),
        Some("resolved" | "resolved_with_pedigree" | "false_positive" | "not_affected")
    )
}

/// Whether the entry is about its package as it is named. A list of versions tells others apart, in ways that differ
/// from one tool to the next.
fn every_version(affected: &Json) -> bool {
    affected.get("versions").is_none_or(|versions| versions.as_array().is_some_and(<[Json]>::is_empty))
}

/// Package URLs of the document's components, by their `bom-ref`; nothing where two components have one.
fn components(document: &Json) -> BTreeMap<&str, Option<&str>> {
    let mut found: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    let mut open: Vec<&Json> =
        document.get("components").and_then(Json::as_array).into_iter().flatten().collect();
    open.extend(document.get("metadata").and_then(|metadata| metadata.get("component")));
    while let Some(component) = open.pop() {
        open.extend(component.get("components").and_then(Json::as_array).into_iter().flatten());
        let Some(name) = component.get("bom-ref").and_then(Json::as_text) else { continue };
        let purl = component.get("purl").and_then(Json::as_text);
        found.entry(name).and_modify(|known| *known = None).or_insert(purl);
    }
    found
}

/// The package URL that a `ref` stands for.
fn package(name: &str, components: &BTreeMap<&str, Option<&str>>) -> Option<String> {
    if let Some(component) = components.get(name) {
        return component.map(str::to_owned);
    }
    let name = match name.strip_prefix("urn:cdx:") {
        Some(link) => decoded(link.split_once('#')?.1)?,
        None => name.to_owned(),
    };
    name.starts_with("pkg:").then_some(name)
}

/// Text with `%41` read as `A`; nothing where that is no text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests;
