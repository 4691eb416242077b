//! `[evidence.<kind>]`: what reports of a kind must be, and the metrics that the policy maps.

use crate::evidence::Format;
use crate::evidence::written::{self as mapping, MAPPING_CODES};
use crate::policy::EvidenceKind;
use crate::problem::document::Value;
use crate::problem::section::{Reader, listed};

pub(super) fn kind<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<EvidenceKind> {
    let section = reader.section(value)?;
    let allow = |reader: &'r Reader<'r>, value: &'r Value| reader.choice(value, &[("allow", true)]);
    let read = EvidenceKind {
        title: section.optional("title", Reader::prose),
        about_change: section
            .optional("about", |reader, value| {
                reader.choice(value, &[("change", true), ("artifacts", false)])
            })
            .unwrap_or(false),
        max_age: section.optional("max_age", Reader::word),
        attested_by: section.optional("attested_by", Reader::set),
        formats: section.optional("formats", formats),
        unfinished_allowed: section.optional("unfinished", allow).unwrap_or(false),
        external_allowed: section.optional("external", allow).unwrap_or(false),
        in_source_ignored: section
            .optional("in_source", |reader, value| reader.choice(value, &[("ignore", true)]))
            .unwrap_or(false),
        min_passed: section.optional("min_passed", Reader::count),
        metrics: section
            .optional("metrics", |reader, value| mapping::mappings(reader, value, MAPPING_CODES))
            .unwrap_or_default(),
    };
    section.finish();
    Some(read)
}

/// A list of formats, none twice.
fn formats<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<Vec<Format>> {
    let seen = std::cell::RefCell::new(Vec::new());
    reader.list(value, |reader, value| {
        let format = mapping::format(reader, value, MAPPING_CODES)?;
        if seen.borrow().contains(&format) {
            let known = listed([format.as_str()]);
            reader.problem(
                reader.codes().repeated,
                value.span.clone(),
                format!("{known} is listed twice"),
                "once",
            );
        }
        seen.borrow_mut().push(format);
        Some(format)
    })
}
