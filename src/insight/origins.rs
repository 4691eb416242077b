//! Which criteria came from an incident, and which incidents changed nothing.
//!
//! A criterion says so itself: `origin = "INC-7"` (`docs/policy.md`). The text is for people, and names every incident
//! whose id stands in it as a word of its own; what it says besides is not read.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{IncidentId, Label};
use crate::policy::Policy;

/// Where the criteria of a policy came from, and what became of the incidents.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origins {
    /// Each criterion of the policy once, by name.
    pub criteria: BTreeMap<Label, CriterionOrigin>,
    /// Incidents that no criterion names as its origin: as far as the policy says, they changed nothing.
    pub unanswered: BTreeSet<IncidentId>,
}

/// Where one criterion came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CriterionOrigin {
    /// What the policy says; nothing: it does not say.
    pub text: Option<String>,
    /// The incidents that are named there and are known.
    pub incidents: BTreeSet<IncidentId>,
}

impl Origins {
    /// Criteria that do not say where they came from.
    pub fn without_origin(&self) -> impl Iterator<Item = &Label> {
        self.criteria.iter().filter(|(_, origin)| origin.text.is_none()).map(|(name, _)| name)
    }

    /// Criteria whose origin names no incident that is known: a slip of the pen, or another tool's number.
    pub fn of_unknown_incidents(&self) -> impl Iterator<Item = (&Label, &str)> {
        self.criteria
            .iter()
            .filter(|(_, origin)| origin.incidents.is_empty())
            .filter_map(|(name, origin)| Some((name, origin.text.as_deref()?)))
    }
}

/// Holds the origins that `policy` names against the incidents that there are, open or resolved.
pub fn origins<'a>(policy: &Policy, incidents: impl IntoIterator<Item = &'a IncidentId>) -> Origins {
    let known: BTreeSet<&IncidentId> = incidents.into_iter().collect();
    let mut found = Origins::default();
    for criterion in policy.rules.iter().flat_map(|rule| &rule.criteria) {
        let named = criterion.origin.as_deref().map(words).unwrap_or_default();
        let incidents =
            known.iter().filter(|id| named.contains(id.as_str())).map(|id| (*id).clone()).collect();
        let origin = CriterionOrigin { text: criterion.origin.clone(), incidents };
        found.criteria.insert(criterion.name.clone(), origin);
    }
    let answered: BTreeSet<&IncidentId> =
        found.criteria.values().flat_map(|origin| &origin.incidents).collect();
    found.unanswered = known.into_iter().filter(|id| !answered.contains(id)).cloned().collect();
    found
}

/// The words of a text that could be ids: a full stop behind one ends a sentence.
fn words(text: &str) -> BTreeSet<&str> {
    let outside = |c: char| !(c.is_ascii_alphanumeric() || "._+-".contains(c));
    text.split(outside).map(|word| word.trim_end_matches('.')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::AllowedSigners;

    fn policy(criteria: &str) -> Policy {
        let text = format!(
            "schema = 1\nid = \"x\"\nserial = 1\n[governance]\napprovals = [{{ role = \"r\" }}]\n[roles]\nr = {{ members = \
             [\"a@x\"] }}\n[changes]\nkinds = [\"model\"]\nrisks = [\"low\"]\n[[rule]]\nname = \"one\"\n{criteria}\n[[rule]]\n\
             name = \"two\"\n{criteria}\n"
        );
        Policy::parse_with(text.as_bytes(), AllowedSigners::parse("").unwrap()).unwrap()
    }

    fn criterion(name: &str, origin: &str) -> String {
        let origin = if origin.is_empty() { String::new() } else { format!(", origin = {origin:?}") };
        format!("{{ name = {name:?}, evidence = \"e\", metric = \"m\", max = 1{origin} }}")
    }

    fn found(criteria: &[(&str, &str)], incidents: &[&str]) -> Origins {
        let criteria: Vec<String> = criteria.iter().map(|(name, origin)| criterion(name, origin)).collect();
        let incidents: Vec<IncidentId> = incidents.iter().map(|id| id.parse().unwrap()).collect();
        origins(&policy(&format!("criteria = [{}]", criteria.join(", "))), &incidents)
    }

    #[test]
    fn a_criterion_answers_the_incidents_that_its_origin_names_as_words() {
        for (origin, answered) in [
            ("INC-7", &["INC-7"][..]),
            ("see INC-7, and (INC-8).", &["INC-7", "INC-8"]),
            ("INC-71", &[]),
            ("inc-7", &[]),
            ("INC-7b", &[]),
            ("a customer's letter", &[]),
        ] {
            let found = found(&[("c", origin)], &["INC-7", "INC-8"]);
            let names: Vec<&str> = found
                .criteria
                .values()
                .flat_map(|origin| &origin.incidents)
                .map(IncidentId::as_str)
                .collect();
            assert_eq!(names, answered, "{origin}");
            assert_eq!(found.unanswered.len(), 2 - answered.len(), "{origin}");
            assert_eq!(found.of_unknown_incidents().count(), usize::from(answered.is_empty()), "{origin}");
        }
    }

    #[test]
    fn a_criterion_of_two_rules_is_listed_once_and_one_without_origin_says_nothing() {
        let found = found(&[("a", ""), ("b", "INC-7")], &["INC-7"]);
        assert_eq!(found.criteria.len(), 2);
        assert_eq!(found.without_origin().map(Label::as_str).collect::<Vec<_>>(), ["a"]);
        assert_eq!(found.of_unknown_incidents().count(), 0);
        assert!(found.unanswered.is_empty());
    }
}
