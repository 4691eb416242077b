//! The policy that `init` writes: for one person to begin with, every line said why.
//!
//! It comes into force as printed, so it must have no finding; a test says so. One person governs alone until others
//! join (`governance-of-one`), which every output says.

use crate::model::Principal;
use crate::schema::directive;

/// The text of `policy/policy.toml` for one person. `id` is what is signed for this repository and no other: made by
/// the caller of printable ASCII without blanks, quotes and backslashes.
pub fn starter_policy(id: &str, principal: &Principal) -> String {
    let quoted_id: String = id.chars().filter(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\')).collect();
    format!("{}{TEXT}", directive("policy", "policy"))
        .replace("{id}", &quoted_id)
        .replace("{principal}", principal.as_str())
}

/// The text of `policy/allowed_signers` for one person; `public_key` is the line of their `.pub` file.
pub fn starter_signers(principal: &Principal, public_key: &str) -> String {
    let mut words = public_key.split_ascii_whitespace();
    let kind = words.next().unwrap_or_default();
    let key = words.next().unwrap_or_default();
    format!(
        "# Who signs with which key. One line a key: principal namespaces=\"git\" key-type key\n{principal} namespaces=\"git\" {kind} {key}\n"
    )
}

const TEXT: &str = r#"# Who may deploy what, on whose word. Check a change with `git gate policy lint`.
schema = 1
id = "{id}"             # what is signed for this repository is not for another; never changes
serial = 1              # one more with every change

bots = []               # principals that are no people: they may open, attach, reject and deploy, never approve

[governance]            # who may change this directory
approvals = [{ role = "governance", count = 1 }]   # raise the count as soon as two hold the role

[roles]                 # members are principals of `allowed_signers`
governance   = { title = "AI governance", members = ["{principal}"] }
ml-lead      = { title = "ML lead (technical sign-off)", members = ["{principal}"] }
release      = { title = "Releases", members = ["{principal}"] }

[changes]
kinds = ["model", "prompt", "config"]              # the change types
risks = ["low", "medium", "high", "critical"]      # ascending
[changes.infer]         # an artifact so named makes the change of that kind too
model = ["*.safetensors", "*.gguf", "*.onnx", "*.pt"]

# [systems]             # what a requester cannot talk down; a system not listed has the highest risk
# summarizer = { title = "Customer summaries", risk = "high", tags = ["user-facing"] }

[environments.staging]
deployers = ["release"]
[environments.production]
deployers = ["release"]
artifacts = "required"  # what is deployed must match the digests of the request
rollback_window = "180d"

[evidence.evaluation]
title = "Evaluation results"
max_age = "30d"
[evidence.change-description]
about = "change"        # stays when artifacts change
[evidence.rollback]
title = "Rollback drill"
about = "change"

[approvals]
max_age = "90d"

[rejections]
reasons = ["quality", "safety", "bias", "security", "incomplete", "business", "other"]

[[rule]]                # rules only add up: no rule takes away what another asks
name = "every change"
evidence = ["change-description", "evaluation"]
approvals = [{ role = "ml-lead" }]
# criteria = [
#   { name = "hallucination", evidence = "evaluation", metric = "hallucination_rate", max = 0.05, min_samples = 50 },
# ]

[[rule]]
name = "a way back"
when = { environment = ["production"] }
evidence = ["rollback"]
criteria = [
  { name = "rollback under 15 minutes", evidence = "rollback", metric = "rollback.seconds", max = 900 },
]

[exceptions]            # who accepts the risk of a requirement that is not met, and for how long
approvals = [{ role = "governance" }]
max_duration = "14d"
break_glass_review = "72h"
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Policy, lint};

    #[test]
    fn the_starter_policy_comes_into_force_as_printed() {
        let principal: Principal = "ann@example.com".parse().unwrap();
        let key = include_str!("examples/allowed_signers").lines().next().unwrap().split_once(' ').unwrap().1;
        let policy = Policy::parse(
            starter_policy("acme-1f2e", &principal).as_bytes(),
            starter_signers(&principal, &format!("{key} ann@laptop")).as_bytes(),
        )
        .unwrap_or_else(|why| panic!("{why}"));
        assert_eq!((policy.id.as_str(), policy.serial), ("acme-1f2e", 1));
        assert!(policy.findings.is_empty(), "{:?}", policy.findings);
        assert_eq!(
            starter_policy("\"acme 1\\f\u{e4}2e\n", &principal),
            starter_policy("acme1f2e", &principal)
        );
        let codes: Vec<&str> = lint(&policy).iter().map(|problem| problem.code).collect();
        assert_eq!(codes, ["policy-governance-lockout"], "{:#?}", lint(&policy));
    }
}
