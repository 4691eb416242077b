//! A small policy as text, and changes to it: `Policy::small().replacing("max = 0.05", "max = 0.01")`.

use std::fmt::Write as _;

use super::keys::KeyKind;
use super::{World, mail};

/// `policy/policy.toml` and `policy/allowed_signers`.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) toml: String,
    pub(crate) signers: String,
}

/// The cast: everyone whose key the small policy knows. `j.doe` is an engineer without a role, `mallory` is not here.
pub(crate) const CAST: [&str; 9] =
    ["a.ng", "m.okafor", "l.wu", "j.rivera", "k.berg", "s.chen", "j.doe", "bot", "eval-ci"];

const SMALL: &str = r#"schema = 1
id = "acme-models-3f9c"
serial = 1
bots = ["bot@example.com", "eval-ci@example.com"]

[governance]
approvals = [{ role = "governance", count = 2 }]

[roles]
governance = { members = ["a.ng@example.com", "m.okafor@example.com", "l.wu@example.com"] }
ml-lead = { members = ["j.rivera@example.com", "k.berg@example.com"] }
product-lead = { members = ["s.chen@example.com"] }
compliance = { members = ["m.okafor@example.com"] }
release-bot = { members = ["bot@example.com"] }
eval-ci = { members = ["eval-ci@example.com"] }

[changes]
kinds = ["model", "prompt", "config"]
risks = ["low", "medium", "high", "critical"]

[systems]
summarizer = { title = "Customer summaries", risk = "high", owner = "s.chen@example.com" }

[environments.production]
deployers = ["release-bot"]
rollback_window = "180d"

[environments.staging]
deployers = ["release-bot"]

[evidence.change-description]
about = "change"

[evidence.evaluation]
max_age = "30d"

[evidence.evaluation.metrics]
hallucination_rate = [{ format = "json", value = "/summary/hallucination_rate", samples = "/summary/n" }]

[approvals]
max_age = "90d"

[rejections]
reasons = ["quality", "safety", "bias", "security", "incomplete", "business", "other"]

[[rule]]
name = "every change"
evidence = ["change-description", "evaluation"]
approvals = [{ role = "ml-lead" }]
criteria = [{ name = "hallucination", evidence = "evaluation", metric = "hallucination_rate", max = 0.05 }]

[[rule]]
name = "business sign-off"
when = { risk = ["high", "critical"], environment = ["production"] }
approvals = [{ role = "product-lead" }]

[exceptions]
approvals = [{ role = "compliance" }]
max_duration = "14d"
break_glass_review = "72h"
"#;

impl Policy {
    /// Section 6 of the design in small. Staging needs an `ml-lead`, production a `product-lead` besides.
    pub(crate) fn small() -> Self {
        let policy = Self { toml: SMALL.into(), signers: String::new() };
        CAST.iter().fold(policy, |policy, who| policy.signer(who, KeyKind::Ed25519, "namespaces=\"git\""))
    }

    /// With `old`, which must be there, replaced by `new`.
    #[track_caller]
    pub(crate) fn replacing(mut self, old: &str, new: &str) -> Self {
        assert!(self.toml.contains(old), "`{old}` is not in the policy:\n{}", self.toml);
        self.toml = self.toml.replace(old, new);
        self
    }

    /// Under which only what a maintainer, `l.wu`, signed is a step of the mainline.
    pub(crate) fn mainline_signed(self) -> Self {
        let maintainer = "maintainer = { members = [\"l.wu@example.com\"] }";
        self.replacing(
            "[roles]\n",
            &format!("[mainline]\nsigned_by = [\"maintainer\"]\n\n[roles]\n{maintainer}\n"),
        )
    }

    /// The same, with a bot among the maintainers that records what waits on branches.
    pub(crate) fn recorder(self) -> Self {
        self.mainline_signed()
            .replacing("bots = [", "bots = [\"recorder@example.com\", ")
            .replacing("maintainer = { members = [", "maintainer = { members = [\"recorder@example.com\", ")
            .signer("recorder", KeyKind::Ed25519, "")
    }

    /// With more text at its end.
    pub(crate) fn with(mut self, text: &str) -> Self {
        self.toml.push_str(text);
        self
    }

    /// The next serial.
    #[track_caller]
    pub(crate) fn serial(self, serial: u64) -> Self {
        let old = self.toml.lines().find(|line| line.starts_with("serial = ")).unwrap().to_owned();
        self.replacing(&old, &format!("serial = {serial}"))
    }

    /// With a line of `allowed_signers`.
    pub(crate) fn signer(mut self, who: &str, kind: KeyKind, options: &str) -> Self {
        let key = World::public_key(who, kind);
        writeln!(self.signers, "{} {options} {key}", mail(who)).unwrap();
        self
    }
}
