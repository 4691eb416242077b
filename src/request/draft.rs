//! A new `exception.toml`: all that is known filled in, the rest as comments that say what belongs there.
//!
//! What is filled in whole reads back as the same exception; what is not is no exception yet, and reading it says what is
//! missing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::write::{head, line, list, moment, quoted};
use super::{Exception, FollowUp};
use crate::model::{GateName, Name, Principal, Time, escape};

/// An exception while it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionDraft {
    /// For which gate.
    pub gate: GateName,
    /// Where.
    pub environments: BTreeSet<Name>,
    /// What it waives: ids of requirements, each with what was found, for whoever reads the file.
    pub waives: BTreeMap<String, String>,
    /// What it might waive besides: written as comments.
    pub offered: BTreeMap<String, String>,
    /// Why.
    pub reason: Option<String>,
    /// What may happen.
    pub risk: Option<String>,
    /// Who answers for it.
    pub owner: Option<Principal>,
    /// What limits the risk meanwhile.
    pub controls: Vec<String>,
    /// What will be done.
    pub follow_ups: Vec<FollowUp>,
    /// Until when.
    pub expires: Option<Time>,
    /// The latest that the policy lets it expire.
    pub latest: Option<Time>,
    /// Whether it is a cover, which need not expire.
    pub is_cover: bool,
}

impl ExceptionDraft {
    /// What still must be said, by key.
    pub fn missing(&self) -> Vec<&'static str> {
        let all = [
            ("environments", self.environments.is_empty()),
            ("waives", self.waives.is_empty()),
            ("reason", self.reason.is_none()),
            ("risk", self.risk.is_none()),
            ("owner", self.owner.is_none()),
            ("follow_ups", self.follow_ups.is_empty()),
            ("expires", self.expires.is_none() && !self.is_cover),
        ];
        all.into_iter().filter_map(|(key, missing)| missing.then_some(key)).collect()
    }

    /// Takes over what an exception that stands there says.
    pub fn take_over(&mut self, exception: Exception) {
        let Exception { environments, waives, reason, risk, owner, controls, follow_ups, expires, gate: _ } =
            exception;
        self.environments = environments;
        self.waives = waives
            .into_iter()
            .map(|id| {
                let note =
                    self.waives.get(&id).or_else(|| self.offered.get(&id)).cloned().unwrap_or_default();
                (id, note)
            })
            .collect();
        self.reason = Some(reason);
        self.risk = Some(risk);
        self.owner = Some(owner);
        self.controls = controls;
        self.follow_ups = follow_ups;
        self.expires = expires;
    }
}

/// The file.
pub fn render_exception_draft(draft: &ExceptionDraft) -> String {
    let mut text = head(&draft.gate);
    line(&mut text, "environments", &list(draft.environments.iter().map(Name::as_str)));
    text.push_str("waives = [\n");
    for (id, note) in &draft.waives {
        let _ = writeln!(text, "  {},{}", quoted(id), comment(note));
    }
    for (id, note) in draft.offered.iter().filter(|(id, _)| !draft.waives.contains_key(*id)) {
        let _ = writeln!(text, "  # {},{}", quoted(id), comment(note));
    }
    text.push_str("]\n");
    said(&mut text, "reason", "why it is to go all the same", draft.reason.as_deref());
    said(&mut text, "risk", "what may happen", draft.risk.as_deref());
    said(&mut text, "owner", "who answers for it", draft.owner.as_ref().map(Principal::as_str));
    if draft.controls.is_empty() {
        text.push_str("# controls = [\"\"]   # what limits the risk meanwhile\n");
    } else {
        line(&mut text, "controls", &list(draft.controls.iter().map(String::as_str)));
    }
    follow_ups(&mut text, &draft.follow_ups);
    match (draft.expires, draft.latest) {
        (Some(expires), _) => moment(&mut text, "expires", Some(expires)),
        (None, Some(latest)) => {
            let _ = writeln!(text, "# expires = {latest}   # the latest that the policy allows");
        }
        (None, None) => text.push_str("# expires = 2027-01-31   # until when it holds\n"),
    }
    text
}

fn said(text: &mut String, key: &str, what: &str, value: Option<&str>) {
    match value {
        Some(value) => line(text, key, &quoted(value)),
        None => {
            let _ = writeln!(text, "# {key} = \"\"   # {what}");
        }
    }
}

fn follow_ups(text: &mut String, follow_ups: &[FollowUp]) {
    if follow_ups.is_empty() {
        text.push_str("# follow_ups = [   # what will be done, by whom, until when: at least one\n");
        text.push_str("#   { what = \"\", who = \"\", due = 2027-01-31 },\n# ]\n");
        return;
    }
    text.push_str("follow_ups = [\n");
    for follow_up in follow_ups {
        let (what, who) = (quoted(&follow_up.what), quoted(follow_up.who.as_str()));
        let _ = writeln!(text, "  {{ what = {what}, who = {who}, due = {} }},", follow_up.due);
    }
    text.push_str("]\n");
}

fn comment(note: &str) -> String {
    if note.is_empty() { String::new() } else { format!("   # {}", escape(note)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::ExceptionKind;

    fn draft() -> ExceptionDraft {
        ExceptionDraft {
            gate: "summarizer/v1.4".parse().unwrap(),
            environments: BTreeSet::from(["production".parse().unwrap()]),
            waives: BTreeMap::from([("criterion:a \"b\"".into(), "0.9,\nat most \u{1b}0.05".into())]),
            offered: BTreeMap::from([("approval:ml-lead".into(), "0".into())]),
            reason: None,
            risk: None,
            owner: None,
            controls: vec![],
            follow_ups: vec![],
            expires: None,
            latest: None,
            is_cover: false,
        }
    }

    #[test]
    fn what_is_not_said_is_a_comment_and_what_is_said_whole_reads_back() {
        let mut draft = draft();
        assert_eq!(draft.missing(), ["reason", "risk", "owner", "follow_ups", "expires"]);
        let text = render_exception_draft(&draft);
        let parse = |text: &str| Exception::parse("x", text.as_bytes(), &draft.gate, ExceptionKind::Main);
        let problems = parse(&text).unwrap_err().0;
        assert!(
            problems.iter().all(|problem| problem.code == "exception-missing-key"),
            "{problems:?}\n{text}"
        );
        draft.reason = Some("two\nlines".into());
        draft.risk = Some("r".into());
        draft.owner = Some("s.chen@example.com".parse().unwrap());
        draft.expires = Some("2026-12-05T00:00:00Z".parse().unwrap());
        draft.follow_ups = vec![FollowUp {
            what: "Label".into(),
            who: "j.rivera@example.com".parse().unwrap(),
            due: "2026-12-05T00:00:00Z".parse().unwrap(),
        }];
        assert!(draft.missing().is_empty());
        let text = render_exception_draft(&draft);
        let read = Exception::parse("x", text.as_bytes(), &draft.gate, ExceptionKind::Main);
        let read = read.unwrap_or_else(|why| panic!("{why}\n{text}"));
        assert_eq!(read.waives, BTreeSet::from(["criterion:a \"b\"".to_owned()]));
        let mut again = self::draft();
        again.take_over(read);
        assert_eq!(again, draft);
    }
}
