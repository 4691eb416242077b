//! The shape of a decision commit: one parent and its tree, one identity, trailers that parse.
//!
//! The same for decisions on a gate and on the policy. What follows from a defect is not decided here.

use std::collections::BTreeMap;

use crate::decision::{self, Action, Decision, Seen, Target, Verb};
use crate::model::{Code, Name, ObjectId};

use super::history::History;
use super::signing::Signed;

/// What a decision commit's own bytes say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shape {
    /// The decision, where it parses whole.
    pub(crate) decision: Option<Decision>,
    /// `Gate`, where it can be read.
    pub(crate) target: Option<Target>,
    /// `Gate-Action`, where it can be read.
    pub(crate) verb: Option<Verb>,
    /// `Gate-Role`, where it can be read.
    pub(crate) role: Option<Name>,
    /// What is wrong with the message and the shape.
    pub(crate) defects: BTreeMap<Code, String>,
}

impl Shape {
    /// Reads the shape of a decision that is no log record.
    pub(crate) fn read(history: &History, signed: &Signed) -> Self {
        let mut shape = Self::of_message(&signed.message);
        match signed.parents.as_slice() {
            [parent] => {
                let parents_tree = history.find(*parent).map(|at| history.commit(at).tree);
                if parents_tree.is_some_and(|tree| tree != signed.tree) {
                    shape.defect(
                        Code::ChangesFiles,
                        "it changes files: a decision has its parent's tree".into(),
                    );
                }
            }
            parents => shape.defect(
                Code::ChangesFiles,
                format!("it has {} parents: a decision has exactly one", parents.len()),
            ),
        }
        if !signed.one_identity && signed.malformed.is_none() {
            shape.defect(
                Code::Resigned,
                "its author and committer lines differ, as after a rebase: decisions are made anew, never rebased".into(),
            );
        }
        shape
    }

    /// What the message alone says.
    pub(crate) fn of_message(message: &str) -> Self {
        match decision::parse_message(message) {
            decision::Reading::None { .. } => Self::default(),
            decision::Reading::Decision { decision, .. } => Self {
                target: Some(decision.target.clone()),
                verb: Some(decision.verb()),
                role: role_of(&decision.action).cloned(),
                decision: Some(decision),
                defects: BTreeMap::new(),
            },
            decision::Reading::Malformed(malformed) => {
                let mut shape = Self {
                    target: malformed.target,
                    verb: malformed.verb,
                    role: malformed.role,
                    ..Self::default()
                };
                shape.defect(Code::Malformed, malformed.reason);
                shape
            }
        }
    }

    /// `Gate-Content` and `Gate-Policy`, of a decision that has them.
    pub(crate) fn seen(&self) -> Option<Seen> {
        match &self.decision.as_ref()?.action {
            Action::Approve { seen, .. } | Action::Reject { seen, .. } | Action::AcceptRisk { seen, .. } => {
                Some(*seen)
            }
            Action::Deploy(deploy) => Some(deploy.seen),
            Action::Withdraw | Action::Close | Action::DeployFailed { .. } => None,
        }
    }

    /// `Gate-Record`.
    pub(crate) fn record(&self) -> Option<ObjectId> {
        match &self.decision.as_ref()?.action {
            Action::AcceptRisk { record, .. } => *record,
            Action::DeployFailed { record, .. } => Some(*record),
            Action::Approve { .. }
            | Action::Reject { .. }
            | Action::Withdraw
            | Action::Close
            | Action::Deploy(_) => None,
        }
    }

    fn defect(&mut self, code: Code, reason: String) {
        self.defects.entry(code).or_insert(reason);
    }
}

fn role_of(action: &Action) -> Option<&Name> {
    match action {
        Action::Approve { role, .. } | Action::Reject { role, .. } | Action::AcceptRisk { role, .. } => {
            Some(role)
        }
        Action::Withdraw | Action::Close | Action::Deploy(_) | Action::DeployFailed { .. } => None,
    }
}

/// The words of a message between its subject and its trailers, for people.
pub(crate) fn words(message: &str) -> String {
    let mut paragraphs: Vec<&str> =
        message.trim_end_matches('\n').split("\n\n").map(|paragraph| paragraph.trim_matches('\n')).collect();
    if paragraphs.len() < 3 {
        return String::new();
    }
    paragraphs.pop();
    paragraphs.remove(0);
    paragraphs.join("\n\n")
}
