//! Exceptions: signed, expiring, about the content that stands; the one way past a requirement besides a rollback.
//!
//! In force when acceptances of its content fill `[exceptions].approvals`, none by an author of it or of the gate, each
//! made where the gate had the content that stands now (design, section 10). What guards the record itself cannot be
//! waived: an exception that names such a requirement is invalid as a whole.

use std::collections::BTreeSet;

use super::case::{Case, notice};
use super::fill::{Asked, People, asked, fill, open};
use super::text::{Words, counted, list};
use super::{ExceptionFact, ExceptionShown, Notice, Requirement, Status};
use crate::decision::Verb;
use crate::model::{Duration, Time};
use crate::policy::Policy;
use crate::request::Exception;

/// Kinds of requirement that an exception may waive; all others guard the record itself, or are not known.
const WAIVABLE: [&str; 4] = ["evidence:", "criterion:", "approval:", "requires:"];

/// Whether the gate's exception is in force: who accepted it, or why it is not.
#[derive(Debug)]
pub(super) struct Standing<'a> {
    fact: &'a ExceptionFact,
    in_force: Result<(&'a Exception, String), String>,
}

/// Judges the gate's exception, if there is one.
pub(super) fn judge<'a>(case: &Case<'a>) -> Option<Standing<'a>> {
    let fact = case.facts.exception.as_ref()?;
    Some(Standing { fact, in_force: in_force(case, fact) })
}

impl Standing<'_> {
    /// Marks what it waives. Nothing that is met is waived, and nothing while it is not in force.
    pub(super) fn waive(&self, requirements: &mut [Requirement]) {
        let Ok((exception, _)) = &self.in_force else { return };
        for requirement in requirements {
            let id = requirement.id.to_string();
            if requirement.status != Status::Met && waivable(&id) && exception.waives.contains(&id) {
                requirement.status = Status::Waived;
                requirement.next = None;
            }
        }
    }

    /// A notice for each id that it names and that is not on the checklist.
    pub(super) fn notices(&self, requirements: &[Requirement]) -> Vec<Notice> {
        let Ok(exception) = &self.fact.exception else { return Vec::new() };
        let listed: BTreeSet<String> =
            requirements.iter().map(|requirement| requirement.id.to_string()).collect();
        exception
            .waives
            .difference(&listed)
            .map(|id| {
                let words = format!("the exception names {}, which is not on the checklist", id.quoted());
                notice("exception-waives-nothing", words)
            })
            .collect()
    }

    /// The exception as it is shown.
    pub(super) fn shown(&self) -> ExceptionShown {
        let exception = self.fact.exception.as_ref().ok();
        ExceptionShown {
            commit: self.fact.commit,
            content: self.fact.content,
            waives: exception.map(|exception| exception.waives.clone()).unwrap_or_default(),
            expires: exception.and_then(|exception| exception.expires),
            in_force: self.in_force.is_ok(),
            reason: match &self.in_force {
                Ok((_, who)) => who.clone(),
                Err(why) => why.clone(),
            },
        }
    }
}

fn in_force<'a>(case: &Case<'a>, fact: &'a ExceptionFact) -> Result<(&'a Exception, String), String> {
    let exception = fit(case, fact)?;
    let who = accepted(case.policy, &acceptors(case))?;
    Ok((exception, who))
}

/// The exception, where it would be in force once it is accepted; else why not.
pub(super) fn fit<'a>(case: &Case<'a>, fact: &'a ExceptionFact) -> Result<&'a Exception, String> {
    let exception = readable(fact)?;
    if exception.gate != case.facts.gate {
        return Err(format!("it names gate {}", exception.gate.quoted()));
    }
    if !exception.environments.contains(&case.facts.environment) {
        return Err(format!("it is not for {}", case.facts.environment.quoted()));
    }
    if exception.waives.is_empty() {
        return Err("it waives nothing".into());
    }
    if let Some(id) = exception.waives.iter().find(|id| !waivable(id)) {
        return Err(format!("it names {}, which cannot be waived: it is invalid", id.quoted()));
    }
    let Some(expires) = exception.expires else { return Err("it does not say when it expires".into()) };
    not_expired(fact.since, expires, case.policy.exceptions.max_duration, case.clock.has_come(expires))?;
    Ok(exception)
}

/// What the exception says, where it is to be seen and reads.
pub(super) fn readable(fact: &ExceptionFact) -> Result<&Exception, String> {
    if let Some(defect) = &fact.defect {
        return Err(defect.clone());
    }
    fact.exception.as_ref().map_err(|reason| format!("it does not read: {reason}"))
}

/// Whether an exception from `since` that expires at `expires` may still hold; `expired`: that moment has come.
pub fn not_expired(
    since: Time,
    expires: Time,
    longest: Option<Duration>,
    expired: bool,
) -> Result<(), String> {
    if let Some(longest) = longest
        && expires.seconds_since(since) > longest.seconds()
    {
        return Err(format!("it expires more than {longest} after {since}, when it was made: it is invalid"));
    }
    if expired {
        return Err(format!("it expired at {expires}"));
    }
    Ok(())
}

/// Who accepted, once `[exceptions].approvals` is filled by `people`; what it awaits, before.
pub(super) fn accepted(policy: &Policy, people: &People) -> Result<String, String> {
    let asked: Asked = asked(&policy.exceptions.approvals);
    if asked.is_empty() {
        return Err("the policy says nobody who may accept a risk".into());
    }
    let filled = fill(&asked, people);
    let open = open(&asked, &filled);
    if open.is_empty() {
        let who: BTreeSet<_> = filled.values().flatten().collect();
        return Ok(format!("accepted by {}", list(who)));
    }
    let awaited = open.into_iter().map(|(role, count)| match count {
        1 => role.to_string(),
        more => format!("{role} ({})", counted(more, "person").replace("persons", "people")),
    });
    Err(format!("awaits accept-risk by {}", list(awaited)))
}

/// Those whose acceptance of the exception counts, by role.
pub(super) fn acceptors(case: &Case<'_>) -> People {
    let mut people = People::new();
    for decision in &case.decisions {
        let fact = decision.fact;
        if fact.verb == Some(Verb::AcceptRisk)
            && fact.record.is_none()
            && decision.counts()
            && let (Some(role), Some(person)) = (&fact.role, &fact.principal)
        {
            people.entry(role.clone()).or_default().insert(person.clone());
        }
    }
    people
}

/// Whether an exception may waive the requirement of that id.
pub fn waivable(id: &str) -> bool {
    WAIVABLE.iter().any(|kind| id.starts_with(kind))
}
