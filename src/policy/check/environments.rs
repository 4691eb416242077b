//! Systems and environments: what is deployed, and where.

use super::Risks;
use crate::model::Name;
use crate::policy::{Environment, Risk, System};
use crate::problem::document::Value;
use crate::problem::section::Reader;

/// A system. One whose risk the policy does not have reads as the riskiest: a slip never makes a system harmless.
pub(super) fn system<'r>(reader: &'r Reader<'r>, value: &'r Value, risks: &Risks<'_>) -> Option<System> {
    let section = reader.section(value)?;
    let title = section.optional("title", Reader::prose);
    let risk = section.optional("risk", |reader, value| {
        let name: Name = reader.word(value)?;
        let highest = Risk(risks.names.len().saturating_sub(1));
        Some(risks.find(&name, value.span.clone()).unwrap_or(highest))
    });
    let tags = section.optional("tags", Reader::set).unwrap_or_default();
    let owner = section.optional("owner", Reader::word);
    section.finish();
    Some(System { title, risk, tags, owner })
}

pub(super) fn environment<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<Environment> {
    let section = reader.section(value)?;
    let deployers = section.optional("deployers", Reader::set).unwrap_or_default();
    let artifacts =
        section.optional("artifacts", |reader, value| reader.choice(value, &[("required", true)]));
    let rollback_window = section.optional("rollback_window", Reader::word);
    section.finish();
    Some(Environment { deployers, artifacts_required: artifacts.unwrap_or(false), rollback_window })
}
