//! The audit of the deployment logs, for the commands that show it.

use crate::insight::{
    Audit, AuditPart, AuditShare, Auditing, Origin, Scope, SignatureCheck, Violation, ViolationCode,
};
use crate::ledger::mark;
use crate::model::{Name, ObjectId};

use super::super::{Context, Failure, sharing};
use super::Session;

/// Fewer records than this are not worth another thread.
const FEW: usize = 50;

impl Session {
    /// Every logged deployment, judged again.
    pub(crate) fn audit(&self, context: &Context, scope: &Scope) -> Result<Audit, Failure> {
        let auditing = self.begin_audit(scope)?;
        let shares: Vec<AuditShare> = auditing.shares().into_values().collect();
        let records = shares.iter().map(Vec::len).sum();
        let busy = context.counting("judging deployments again", records);
        let mut parts = Vec::with_capacity(records);
        let work = |[session]: [&Self; 1], share: &AuditShare| {
            let judge = session.judging();
            judge.forget_gates();
            let parts = judge.audit_share(&auditing, share);
            busy.steps(parts.len());
            parts
        };
        let take = |some: Vec<AuditPart>| -> Result<(), Failure> {
            parts.extend(some);
            Ok(())
        };
        sharing::in_order([self], &shares, records >= FEW, work, take)?;
        self.end_audit(auditing, parts)
    }

    /// Reads the logs of an audit.
    pub(crate) fn begin_audit(&self, scope: &Scope) -> Result<Auditing, Failure> {
        self.hold_logs()?;
        Ok(self.judging().begin_audit(scope, self.view)?)
    }

    /// The audit, once its records are judged again. Where the session tells of a rewound mainline, that is a violation.
    pub(crate) fn end_audit(&self, auditing: Auditing, parts: Vec<AuditPart>) -> Result<Audit, Failure> {
        let mut audit = auditing.finish(parts)?;
        if let Some(rewound) = &self.rewound {
            audit.violations.insert(
                0,
                Violation {
                    environment: None,
                    code: ViolationCode::MainlineRewound,
                    record: None,
                    gate: None,
                    message: rewound.message.clone(),
                },
            );
        }
        let judge = self.judging();
        for environment in audit.population.keys().cloned().collect::<Vec<Name>>() {
            let holds = |commit| judge.log_holds(&environment, commit);
            if let Some(seen) = mark::lost_of_log(&self.repository, &environment, holds)? {
                audit.violations.push(Violation {
                    message: format!("the log lacks {seen}, which was seen before in this clone"),
                    environment: Some(environment),
                    code: ViolationCode::LogRewound,
                    record: Some(seen),
                    gate: None,
                });
            }
        }
        Ok(audit)
    }

    /// Every signature since the trust root, verified, and from what that was judged.
    pub(crate) fn signatures(&self, context: &Context) -> Result<(SignatureCheck, Origin), Failure> {
        let _busy = context.busy("verifying signatures");
        Ok((self.ledger.check_signatures()?, self.judging().origin(self.view, None)?))
    }

    /// `allowed_signers` as it was in force for a commit: of a log record at the commit that it judged, of a decision where it
    /// was recorded.
    pub(crate) fn signers_then(
        &self,
        commit: ObjectId,
        judged: Option<ObjectId>,
    ) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.ledger.signers_then(commit, judged)?)
    }

    /// The step whose content was judged at a mainline commit.
    pub(crate) fn step_of(&self, judged: ObjectId) -> ObjectId {
        self.ledger.at(judged, self.view.time).map_or(judged, |view| self.ledger.step(view))
    }

    /// The commits that a log is made of, oldest first.
    pub(crate) fn log_commits(&self, environment: &Name) -> Result<Vec<ObjectId>, Failure> {
        Ok(self.judging().log_commits(environment)?)
    }
}
