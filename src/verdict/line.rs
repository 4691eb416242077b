//! Building one line of the checklist.

use super::{By, Next, Requirement, RequirementId, Status};
use crate::model::{Label, Principal};

impl Requirement {
    /// A line without rules, people and next step.
    pub(super) fn new(
        id: RequirementId,
        status: Status,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self {
            id,
            status,
            rules: Vec::new(),
            expected: expected.into(),
            found: found.into(),
            by: Vec::new(),
            next: None,
        }
    }

    /// The same line, from these rules.
    pub(super) fn rules(mut self, rules: Vec<Label>) -> Self {
        self.rules = rules;
        self
    }

    /// The same line, with the commits and people behind it, each once.
    pub(super) fn by(mut self, mut by: Vec<By>) -> Self {
        by.sort();
        by.dedup();
        self.by = by;
        self
    }

    /// The same line; where it is open, with what to do next.
    pub(super) fn next(mut self, who: Vec<Principal>, command: impl Into<String>) -> Self {
        if self.status != Status::Met {
            self.next = Some(Next { who, command: command.into() });
        }
        self
    }
}
