//! Each line of the table in R6.15: what is changed in the design's example, and what that means.

use super::Meaning::{self, Different, Looser, Neutral, Tighter};
use super::diff;
use crate::policy::tests::parsed;

const EXAMPLE: &str = include_str!("../examples/design.toml");

/// What changing `from` to `to` means, part by part.
#[track_caller]
fn differences(from: &str, to: &str) -> Vec<(Meaning, String)> {
    assert!(EXAMPLE.contains(from), "{from}");
    let (old, new) = (parsed(EXAMPLE), parsed(&EXAMPLE.replacen(from, to, 1)));
    let there = diff(&old, &new);
    let back: Vec<Meaning> = diff(&new, &old).iter().map(|one| one.meaning.reversed()).collect();
    let mut forth: Vec<Meaning> = there.iter().map(|one| one.meaning).collect();
    let mut back = back;
    forth.sort();
    back.sort();
    assert_eq!(forth, back, "the way back means the reverse: {from} → {to}");
    there.into_iter().map(|one| (one.meaning, format!("{}: {}", one.part, one.words))).collect()
}

/// What is changed, to what, and what is said of it.
const CASES: &[(Meaning, &str, &str, &str)] = &[
    (Neutral, "serial = 7", "serial = 8", "serial: 7 → 8"),
    (Different, "acme-models", "other-models", "id: "),
    (Looser, "bots = [\"bot@example.com\", ", "bots = [", "bots: bot `bot@example.com` is gone"),
    (
        Looser,
        "role = \"governance\", count = 2",
        "role = \"governance\", count = 1",
        "[governance]: approvals by `governance`: 2 → 1",
    ),
    (
        Tighter,
        "\"m.okafor@example.com\", \"l.wu@example.com\"] }",
        "\"m.okafor@example.com\"] }",
        "role `governance`: member `l.wu@example.com` is gone",
    ),
    (Looser, "keys = \"hardware\"", "keys = \"any\"", "role `compliance`: keys hardware → any"),
    (Neutral, "title = \"Compliance\"", "title = \"The law\"", "role `compliance`: its title"),
    (
        Tighter,
        "\"*.onnx\", ",
        "\"*.onnx\", \"*.bin\", ",
        "[changes.infer]: artifacts named `model: *.bin` is new",
    ),
    (
        Looser,
        "risk = \"high\", tags",
        "risk = \"medium\", tags",
        "system `summarizer`: least risk high → medium",
    ),
    (
        Looser,
        "tags = [\"user-facing\"], owner",
        "tags = [], owner",
        "system `summarizer`: tag `user-facing` is gone",
    ),
    (Looser, "artifacts = \"required\"", "#", "environment `production`: `artifacts = \"required\"`"),
    (
        Tighter,
        "rollback_window = \"180d\"",
        "rollback_window = \"90d\"",
        "environment `production`: rollback window 180d → 90d",
    ),
    (Tighter, "rollback_window = \"180d\"", "#", "environment `production`: rollback window was 180d"),
    (Tighter, "max_age = \"30d\"", "max_age = \"14d\"", "evidence `evaluation`: greatest age 30d → 14d"),
    (Looser, "max_age = \"30d\"", "#", "evidence `evaluation`: greatest age was 30d"),
    (
        Looser,
        "attested_by = [\"eval-ci\"]",
        "attested_by = [\"eval-ci\", \"ml-lead\"]",
        "evidence `evaluation`: signer `ml-lead` is new",
    ),
    (
        Looser,
        "formats = [\"lm-eval\", \"promptfoo\", \"json\"]",
        "#",
        "evidence `evaluation`: only some formats were taken",
    ),
    (
        Different,
        "/summary/hallucination_rate",
        "/summary/other",
        "evidence `evaluation`: metric `hallucination_rate`",
    ),
    (
        Tighter,
        "[evidence.rollback]\nabout = \"change\"",
        "[evidence.rollback]",
        "evidence `rollback`: `about = \"change\"`",
    ),
    (Tighter, "max_age = \"90d\"", "max_age = \"60d\"", "[approvals]: greatest age 90d → 60d"),
    (Neutral, "\"business\", ", "", "[rejections]: reason `business`"),
    (
        Tighter,
        "approvals = [{ role = \"ml-lead\" }]",
        "approvals = [{ role = \"ml-lead\" }, { role = \"governance\" }]",
        "rule `every change`: approvals by `governance`: is 1 now",
    ),
    (
        Looser,
        "\"evaluation\", \"adversarial\", \"rollback\"]",
        "\"evaluation\", \"rollback\"]",
        "rule `every change`: evidence `adversarial` is gone",
    ),
    (
        Tighter,
        "max = 0.05",
        "max = 0.03",
        "rule `every change`, criterion `hallucination`: at most 0.05 → 0.03",
    ),
    (
        Looser,
        "min_samples = 50",
        "min_samples = 20",
        "rule `every change`, criterion `hallucination`: samples at least 50 → 20",
    ),
    (Tighter, "min_samples = 50", "min_samples = 50, confidence = 0.95", "confidence is 0.95 now"),
    (
        Looser,
        "metric = \"findings.open.critical\", max = 0",
        "metric = \"findings.open.critical\", max = 0, unrated = \"allow\"",
        "`unrated = \"allow\"` is set",
    ),
    (
        Different,
        "metric = \"findings.open.critical\"",
        "metric = \"findings.open.high\"",
        "it bounds something else",
    ),
    (
        Tighter,
        "when = { risk = [\"critical\"] }",
        "when = { risk = [\"critical\", \"high\"] }",
        "rule `compliance`: it is about more changes",
    ),
    (Tighter, "when = { risk = [\"critical\"] }", "#", "rule `compliance`: it is about more changes"),
    (
        Different,
        "when = { risk = [\"critical\"] }",
        "when = { kind = [\"model\"] }",
        "rule `compliance`: it is about other changes",
    ),
    (Neutral, "name = \"fairness\"", "name = \"fair\"", "rule `fair`: it was called `fairness`"),
    (Tighter, "max_duration = \"14d\"", "max_duration = \"7d\"", "[exceptions]: longest 14d → 7d"),
    (
        Looser,
        "break_glass_review = \"72h\"",
        "break_glass_review = \"96h\"",
        "[exceptions]: break-glass review",
    ),
    (Tighter, "break_glass_review = \"72h\"", "#", "[exceptions]: break-glass review was"),
    (
        Tighter,
        "approvals = [{ role = \"compliance\" }, { role = \"product-lead\" }]",
        "#",
        "[exceptions]: the list is empty now",
    ),
    (Looser, "from = 2026-12-20T00:00:00Z", "from = 2026-12-22T00:00:00Z", "freeze `year end`: from"),
    (Tighter, "until = 2027-01-03T00:00:00Z", "until = 2027-01-05T00:00:00Z", "freeze `year end`: until"),
    (
        Looser,
        "name = \"year end\"\nenvironment = [\"production\"]",
        "name = \"year end\"\nenvironment = [\"production\"]\nkind = [\"model\"]",
        "freeze `year end`: it holds for fewer changes",
    ),
];

#[test]
fn every_change_has_the_meaning_that_the_table_says() {
    let mut wrong = Vec::new();
    for (meaning, from, to, says) in CASES {
        let found = differences(from, to);
        let fits = matches!(found.as_slice(), [(one, words)] if one == meaning && words.contains(says));
        if !fits {
            wrong.push(format!("{from} → {to}: {meaning:?} {says}, and not {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_policy_does_not_differ_from_itself() {
    assert_eq!(diff(&parsed(EXAMPLE), &parsed(EXAMPLE)), []);
    let reordered = EXAMPLE.replace("# always", "");
    assert_eq!(diff(&parsed(EXAMPLE), &parsed(&format!("# a comment\n{reordered}"))), []);
}

#[test]
fn whole_parts_come_and_go() {
    let rule =
        "\n[[rule]]\nname = \"more\"\nevidence = [\"bias\"]\napprovals = [{ role = \"compliance\" }]\n";
    let with = parsed(&format!("{EXAMPLE}{rule}"));
    let without = parsed(EXAMPLE);
    let only = |old, new| match diff(old, new).as_slice() {
        [one] => (one.meaning, one.words.clone()),
        many => panic!("{many:?}"),
    };
    assert_eq!(
        only(&without, &with),
        (Tighter, "the rule is new: it asks for evidence `bias`, 1 of `compliance`".into())
    );
    assert_eq!(only(&with, &without).0, Looser);
    let system = parsed(&EXAMPLE.replace("[systems]", "[systems]\nother = { risk = \"critical\" }"));
    assert_eq!(only(&without, &system), (Looser, "it is listed now: it had every tag".into()));
    let mut keys = without.clone();
    keys.signers = crate::signature::AllowedSigners::parse("").unwrap();
    assert!(diff(&without, &keys).iter().all(|one| one.meaning == Tighter && one.part.starts_with("key `")));
    assert!(diff(&keys, &without).iter().all(|one| one.meaning == Looser));
}
