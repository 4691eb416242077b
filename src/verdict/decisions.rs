//! Which decisions count on this checklist, and why the others do not.
//!
//! Recording found what is wrong with a decision by itself; here comes what only this checklist can find: it is about
//! other content or environments, too old, from before an incident, taken back or replaced. Every decision is listed,
//! with the first code that applies (design, sections 8 and 9). A defect never makes a rejection, close or withdrawal
//! disappear whose signature is good: those count in spite of it, and say so.

use std::collections::BTreeMap;

use super::ancestry::{Ancestry, covers, takes_effect};
use super::clock::Clock;
use super::rejections::lifted;
use super::text::Words;
use super::{Content, DecisionFact, DecisionShown, ExceptionFact, Facts};
use crate::decision::Verb;
use crate::model::{Code, ContentDigest};

/// One decision with all that keeps it from counting.
#[derive(Debug, Clone)]
pub(super) struct Judged<'a> {
    pub(super) fact: &'a DecisionFact,
    /// All that keeps it from counting.
    pub(super) defects: BTreeMap<Code, String>,
    /// What a reader should know of one that counts.
    remark: Option<String>,
}

impl Judged<'_> {
    /// Whether it counts. What permits must also have been recorded by a step.
    pub(super) fn counts(&self) -> bool {
        self.defects.is_empty() && !awaits_recording(self.fact)
    }

    /// Whether it would count but for these codes, and they are at work.
    pub(super) fn would_count_but_for(&self, codes: &[Code]) -> bool {
        !self.defects.is_empty()
            && self.defects.keys().all(|code| codes.contains(code))
            && !awaits_recording(self.fact)
    }

    /// The decision as it is shown.
    pub(super) fn shown(&self) -> DecisionShown {
        let first = self.defects.first_key_value();
        DecisionShown {
            fact: self.fact.clone(),
            code: first.map(|(code, _)| *code),
            reason: first.map(|(_, reason)| reason.clone()).or_else(|| self.remark.clone()),
        }
    }
}

impl DecisionShown {
    /// Whether it counts: it has no code, and an approval or acceptance was also recorded by a step.
    pub fn counts(&self) -> bool {
        self.code.is_none() && !awaits_recording(&self.fact)
    }
}

/// Judges every decision of `facts`, in their order.
pub(super) fn judge_decisions<'a>(
    facts: &'a Facts,
    content: Option<&Content>,
    clock: &Clock,
) -> Vec<Judged<'a>> {
    let ancestry = Ancestry::of(&facts.decisions);
    let standing = content.and_then(|content| content.digest);
    let mut judged: Vec<Judged<'a>> = facts
        .decisions
        .iter()
        .enumerate()
        .map(|(place, fact)| {
            let mut defects = fact.defects.clone();
            readable(fact, &mut defects);
            match fact.verb {
                Some(Verb::Approve) => {
                    permitted(facts, content, fact, &mut defects);
                    approval_defects((facts, clock), standing, fact, &mut defects);
                    superseded(&ancestry, place, facts, &mut defects);
                }
                Some(Verb::AcceptRisk) => {
                    permitted(facts, content, fact, &mut defects);
                    acceptance_defects(facts, standing, fact, &mut defects);
                    superseded(&ancestry, place, facts, &mut defects);
                }
                Some(Verb::Reject | Verb::Close | Verb::Withdraw) if takes_effect(fact) => defects.clear(),
                Some(Verb::Reject | Verb::Close | Verb::Withdraw | Verb::Deploy | Verb::DeployFailed)
                | None => {}
            }
            Judged { fact, defects, remark: remark(fact) }
        })
        .collect();
    for (place, defects) in rejections_at_rest(&judged, &ancestry, standing, facts) {
        if let Some(rejection) = judged.get_mut(place) {
            rejection.defects.extend(defects);
        }
    }
    judged
}

/// What permits waits for a step to record it; what restricts does not (design, section 9.3).
fn awaits_recording(fact: &DecisionFact) -> bool {
    match fact.verb {
        Some(Verb::Approve | Verb::AcceptRisk) => fact.recorded_at.is_none(),
        Some(Verb::Reject | Verb::Withdraw | Verb::Close | Verb::Deploy | Verb::DeployFailed) | None => false,
    }
}

/// A decision that says nothing, is by nobody, or names no role counts for nothing, whatever recording found.
fn readable(fact: &DecisionFact, defects: &mut BTreeMap<Code, String>) {
    if !defects.is_empty() {
        return;
    }
    let needs_role = matches!(fact.verb, Some(Verb::Approve | Verb::AcceptRisk));
    if fact.verb.is_none() || (needs_role && fact.role.is_none()) {
        defects.insert(Code::Malformed, "what it decides cannot be read".into());
    }
    if fact.principal.is_none() {
        defects.insert(Code::UnknownKey, "its signer is not known".into());
    }
}

/// What keeps a person from permitting: being a bot, or an author.
fn permitted(
    facts: &Facts,
    content: Option<&Content>,
    fact: &DecisionFact,
    defects: &mut BTreeMap<Code, String>,
) {
    let Some(signer) = &fact.principal else { return };
    if facts.policy.policy.bots.contains(signer) {
        add(defects, Code::BotInRole, format!("{} is a bot now: no bot fills a place", signer.quoted()));
    }
    if content.is_some_and(|content| content.authors.contains(signer)) {
        add(defects, Code::SelfApproval, format!("{} is an author of this gate", signer.quoted()));
    }
}

fn approval_defects(
    (facts, clock): (&Facts, &Clock),
    standing: Option<ContentDigest>,
    fact: &DecisionFact,
    defects: &mut BTreeMap<Code, String>,
) {
    if standing.is_none() || fact.content != standing {
        add(defects, Code::StaleContent, stale_content("it approves", fact.content, standing));
    }
    if !covers(fact, &facts.environment) {
        let scope = super::text::quoted_list(&fact.environments);
        add(defects, Code::OutOfScope, format!("it is limited to {scope}"));
    }
    if let Some(most) = facts.policy.policy.approvals_max_age
        && clock.is_longer_ago(fact.since, most)
    {
        add(defects, Code::Expired, format!("it is {} old, at most {most} counts", clock.ago(fact.since)));
    }
    before_incident(facts, fact, defects);
}

fn acceptance_defects(
    facts: &Facts,
    standing: Option<ContentDigest>,
    fact: &DecisionFact,
    defects: &mut BTreeMap<Code, String>,
) {
    let Some(record) = fact.record else {
        before_incident(facts, fact, defects);
        let exception = facts.exception.as_ref();
        by_its_author(exception, fact, defects);
        let accepted = exception.map(|exception| exception.content);
        if accepted.is_none() || fact.content != accepted {
            add(defects, Code::StaleContent, stale_content("it accepts", fact.content, accepted));
        } else if standing.is_none() || fact.gate_content != standing {
            let words = stale_content("it was made where the gate was", fact.gate_content, standing);
            add(defects, Code::StaleContent, words);
        }
        return;
    };
    let Some(record) = facts.records.iter().find(|candidate| candidate.commit == record) else {
        let words = format!("record {} is not in the log of {}", record.short(), facts.environment.quoted());
        add(defects, Code::OutOfScope, words);
        return;
    };
    let moment = record.covers.iter().find(|moment| {
        Some(moment.exception.content) == fact.content && moment.gate_content == fact.gate_content
    });
    match moment {
        Some(moment) => by_its_author(Some(&moment.exception), fact, defects),
        None => add(
            defects,
            Code::StaleContent,
            format!("no cover of record {} stood so, with the gate as it was", record.commit.short()),
        ),
    }
}

fn by_its_author(
    exception: Option<&ExceptionFact>,
    fact: &DecisionFact,
    defects: &mut BTreeMap<Code, String>,
) {
    let Some(signer) = &fact.principal else { return };
    if exception.is_some_and(|exception| exception.authors.contains(signer)) {
        add(defects, Code::SelfApproval, format!("{} is an author of this exception", signer.quoted()));
    }
}

fn before_incident(facts: &Facts, fact: &DecisionFact, defects: &mut BTreeMap<Code, String>) {
    let unseen = facts.incidents.iter().filter(|incident| !fact.after_incidents.contains(&incident.id));
    if let Some(incident) = unseen.min_by_key(|incident| &incident.id) {
        let words = format!(
            "it does not descend from {}, which opened incident {}: merge the mainline into the branch, then decide anew",
            incident.opened.short(),
            incident.id.quoted()
        );
        add(defects, Code::BeforeIncident, words);
    }
}

fn superseded(ancestry: &Ancestry<'_>, place: usize, facts: &Facts, defects: &mut BTreeMap<Code, String>) {
    if let Some(words) = ancestry.taken_back(place, &facts.environment) {
        add(defects, Code::Superseded, words);
    }
}

/// Rejections that take effect and yet block nothing now: about other content, or ended by their signer.
fn rejections_at_rest(
    judged: &[Judged<'_>],
    ancestry: &Ancestry<'_>,
    standing: Option<ContentDigest>,
    facts: &Facts,
) -> Vec<(usize, BTreeMap<Code, String>)> {
    let rejections = judged
        .iter()
        .enumerate()
        .filter(|(_, decision)| decision.fact.verb == Some(Verb::Reject) && decision.defects.is_empty());
    rejections
        .map(|(place, rejection)| {
            let mut defects = BTreeMap::new();
            if standing.is_none() || rejection.fact.content != standing {
                let words = stale_content("it rejects", rejection.fact.content, standing);
                defects.insert(Code::StaleContent, words);
            }
            if let Some(words) = lifted(judged, ancestry, place, &facts.environment) {
                defects.insert(Code::Superseded, words);
            }
            (place, defects)
        })
        .collect()
}

fn stale_content(verb: &str, then: Option<ContentDigest>, now: Option<ContentDigest>) -> String {
    let name = |digest: Option<ContentDigest>| digest.map_or("nothing".to_owned(), |digest| digest.quoted());
    format!("{verb} {}, what stands is {}", name(then), name(now))
}

fn remark(fact: &DecisionFact) -> Option<String> {
    if awaits_recording(fact) {
        return Some("no step has recorded it yet: until then it does not count".into());
    }
    let (code, reason) = fact.defects.first_key_value()?;
    Some(format!("counts in spite of {code}: {reason}"))
}

fn add(defects: &mut BTreeMap<Code, String>, code: Code, reason: String) {
    defects.entry(code).or_insert(reason);
}
