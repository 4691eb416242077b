//! Where a judgement comes from, as facts: all that whoever replays it needs, in full.

use crate::insight::{Origin, PendingPolicy, PolicyOrigin};
use crate::verdict::Verdict;

use super::page::{Fact, counted, list};

/// What is asked for.
pub(super) fn change_facts(verdict: &Verdict) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(change) = &verdict.change {
        facts.push(Fact::prose("summary", change.summary.as_str()));
        facts.push(Fact::prose("kinds", list(&change.kinds)));
        facts.push(Fact::prose("risk", change.risk.to_string()));
        if !change.tags.is_empty() {
            facts.push(Fact::prose("tags", list(&change.tags)));
        }
    }
    if let Some(content) = &verdict.content {
        facts.push(Fact::exact("content", content.to_string()));
    }
    facts
}

/// The inputs of a judgement: two that agree in all of these say the same.
pub(super) fn origin_facts(origin: &Origin) -> Vec<Fact> {
    let mut facts = vec![Fact::prose("mainline", format!("{} {}", origin.mainline_ref, origin.mainline))];
    if origin.step != origin.mainline {
        facts.push(Fact::prose("step", format!("{} is the last that counts", origin.step)));
    }
    facts.push(Fact::prose("root", format!("{} from `{}`", origin.root, origin.root_from.as_str())));
    facts.extend(policy_facts(&origin.policy));
    let log = origin.log.map_or("none".to_owned(), |log| log.to_string());
    facts.push(Fact::prose("log", log));
    facts.push(Fact::prose("time", origin.time.to_string()));
    if !origin.relaxations.is_empty() {
        let flags = list(origin.relaxations.iter().map(|flag| format!("`{flag}`")));
        facts.push(Fact::prose("relaxed", flags));
    }
    facts
}

/// The policy in force, and the one that waits.
pub(super) fn policy_facts(policy: &PolicyOrigin) -> Vec<Fact> {
    let mut facts = vec![
        Fact::prose("policy", format!("serial {}, in force since {}", policy.serial, policy.commit)),
        Fact::exact("digest", policy.digest.to_string()),
    ];
    if let Some(pending) = &policy.pending {
        facts.push(Fact::prose("pending", pending_words(pending)));
    }
    facts
}

fn pending_words(pending: &PendingPolicy) -> String {
    let Some(digest) = pending.digest else {
        return format!("{} at {}", pending.defect.as_deref().unwrap_or("invalid"), pending.commit);
    };
    let serial =
        pending.serial.map_or("a policy without a serial".to_owned(), |serial| format!("serial {serial}"));
    format!(
        "{serial} at {}, {} of {} needed, {digest}",
        pending.commit,
        counted(pending.approvals, "approval"),
        pending.needed,
    )
}
