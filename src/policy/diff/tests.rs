//! Each line of the table in R6.15: what is changed in the design's example, and what that means.

use super::Meaning::{self, Different, Looser, Neutral, Tighter};
use super::diff;
use crate::policy::Policy;
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
        Looser,
        "signed_by = [\"maintainer\"]",
        "signed_by = [\"maintainer\", \"ml-lead\"]",
        "[mainline]: signer `ml-lead` is new",
    ),
    (
        Tighter,
        "deployers = [\"release-bot\"]",
        "deployers = []",
        "environment `production`: deployer `release-bot` is gone",
    ),
    (Tighter, "max_age = \"30d\"", "max_age = \"30d\"\nmin_passed = 3", "evaluation`: least passed is 3 now"),
    (
        Looser,
        "max_age = \"30d\"",
        "max_age = \"30d\"\nunfinished = \"allow\"",
        "`unfinished = \"allow\"` is set",
    ),
    (Looser, "max_age = \"30d\"", "max_age = \"30d\"\nexternal = \"allow\"", "`external = \"allow\"` is set"),
    (
        Tighter,
        "max_age = \"30d\"",
        "max_age = \"30d\"\nin_source = \"ignore\"",
        "`in_source = \"ignore\"` is set",
    ),
    (
        Looser,
        "\"promptfoo\", \"json\"]",
        "\"promptfoo\", \"json\", \"junit\"]",
        "evidence `evaluation`: format `junit` is new",
    ),
    (Different, "[\"low\", \"medium\"", "[\"medium\", \"low\"", "[changes]: the risks are others"),
    (Looser, "\"prompt\", \"config\"]", "\"prompt\", \"config\", \"data\"]", "[changes]: kind `data` is new"),
    (Tighter, "max = 900", "max = 900, max_errors = 0", "errors at most is 0 now"),
    (
        Tighter,
        "max = 900",
        "max = 900, compare = \"deployed\", max_rise = 60",
        "it compares with what is deployed now",
    ),
    (Different, "3f2a3f2a", "4f2a3f2a", "since another commit"),
    (
        Tighter,
        "since = \"3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a\"",
        "since = \"never-trusted\"",
        "never trusted now",
    ),
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

/// Criterion, comparison by comparison: `from` and `to` stand behind `max = 900`.
#[test]
fn each_part_of_a_comparison_has_its_meaning() {
    let with = |text: &str| parsed(&EXAMPLE.replacen("max = 900", &format!("max = 900, {text}"), 1));
    let all = "compare = \"deployed\", max_drop = 0.2, max_rise = 0.2";
    for (to, meaning, says) in [
        ("compare = \"deployed\", max_drop = 0.1, max_rise = 0.2", Tighter, "lower by at most 0.2 → 0.1"),
        ("compare = \"deployed\", max_drop = 0.2, max_rise = 0.3", Looser, "higher by at most 0.2 → 0.3"),
        ("compare = \"deployed\", max_drop = 0.2", Looser, "higher by at most was 0.2"),
        (
            "compare = \"deployed\", max_drop = 0.2, max_rise = 0.2, first = \"pass\"",
            Looser,
            "`first = \"pass\"` is set",
        ),
    ] {
        match diff(&with(all), &with(to)).as_slice() {
            [one] => assert_eq!((one.meaning, one.words.as_str()), (meaning, says)),
            many => panic!("{to}: {many:?}"),
        }
    }
}

#[test]
fn another_value_to_equal_is_different_and_a_value_more_is_tighter() {
    let equal = |value: &str| parsed(&EXAMPLE.replacen("max = 900", &format!("equals = {value}"), 1));
    let meanings = |old: &Policy, new: &Policy| {
        diff(old, new).into_iter().map(|one| (one.meaning, one.words)).collect::<Vec<_>>()
    };
    assert_eq!(
        meanings(&equal("900"), &equal("true")),
        [(Different, "it asks for another value".to_owned())]
    );
    assert_eq!(meanings(&equal("900"), &equal("900")), []);
    assert_eq!(
        meanings(&parsed(EXAMPLE), &equal("900")),
        [(Looser, "at most was 900".into()), (Tighter, "it asks for one value now".into())]
    );
}

/// Lines of `allowed_signers`: which, in place of which.
#[test]
fn a_line_of_a_key_that_changes_has_its_meaning() {
    let signers = include_str!("../examples/allowed_signers");
    let at = signers.find("ssh-ed25519 ").unwrap();
    let key = signers[at..].split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let differences = |from: &str, to: &str| {
        let with = |line: &str| {
            let mut policy = parsed(EXAMPLE);
            let text = line.replace("KEY", &key);
            policy.signers = crate::signature::AllowedSigners::parse(&text).unwrap();
            policy
        };
        let found = diff(&with(from), &with(to));
        found.into_iter().map(|one| (one.meaning, one.words)).collect::<Vec<_>>()
    };
    let june = "2026-06-01T00:00:00Z";
    let july = "2026-07-01T00:00:00Z";
    for (from, to, meaning, says) in [
        ("a@x KEY", "a@x valid-after=\"20260601\" KEY", Tighter, format!("valid from is {june} now")),
        ("a@x KEY", "a@x valid-before=\"20260601\" KEY", Tighter, format!("valid until is {june} now")),
        (
            "a@x valid-after=\"20260601\" KEY",
            "a@x valid-after=\"20260701\" KEY",
            Tighter,
            format!("valid from {june} → {july}"),
        ),
        (
            "a@x valid-before=\"20260601\" KEY",
            "a@x valid-before=\"20260701\" KEY",
            Looser,
            format!("valid until {june} → {july}"),
        ),
        ("a@x KEY", "a@x namespaces=\"git\" KEY", Different, "its options have changed".into()),
        ("a@x KEY here", "a@x KEY there", Neutral, "its comment has changed".into()),
    ] {
        assert_eq!(differences(from, to), [(meaning, says)], "{from} → {to}");
    }
    assert_eq!(differences("a@x KEY", "a@x KEY"), []);
    // Of another person, or an authority, it is another line.
    for (from, to) in [("a@x KEY", "b@x KEY"), ("a@x KEY", "*@x cert-authority KEY")] {
        let mut meanings: Vec<Meaning> = differences(from, to).into_iter().map(|(one, _)| one).collect();
        meanings.sort();
        assert_eq!(meanings, [Tighter, Looser], "{from} → {to}");
    }
}

#[test]
fn rules_of_one_name_are_held_against_each_other_in_their_order() {
    let rules = |counts: &[u64]| {
        let rule = |count: &u64| {
            format!("\n[[rule]]\nname = \"x\"\napprovals = [{{ role = \"compliance\", count = {count} }}]\n")
        };
        parsed(&format!("{EXAMPLE}{}", counts.iter().map(rule).collect::<String>()))
    };
    let meanings = |from: &[u64], to: &[u64]| {
        let found = diff(&rules(from), &rules(to));
        found.into_iter().map(|one| one.meaning).collect::<Vec<_>>()
    };
    assert_eq!(meanings(&[1, 1, 1], &[2, 1, 1]), [Tighter]);
    assert_eq!(meanings(&[1, 1, 1], &[1, 2, 1]), [Tighter]);
    assert_eq!(meanings(&[1, 1, 2], &[1, 1, 1]), [Looser]);
    assert_eq!(meanings(&[1, 1, 1], &[1, 1]), [Looser]);
}

#[test]
fn the_systems_that_a_rule_is_about_are_part_of_its_breadth() {
    let with = |systems: &str| {
        parsed(&format!(
            "{EXAMPLE}\n[[rule]]\nname = \"more\"\nevidence = [\"bias\"]\nwhen = {{ system = [{systems}] }}\n"
        ))
    };
    for (from, to, meaning) in [
        ("\"a\"", "\"a\", \"b*\"", Some(Tighter)),
        ("\"a\", \"b*\"", "\"b*\"", Some(Looser)),
        ("\"a\"", "\"b\"", Some(Different)),
        ("\"a\", \"b\"", "\"b\", \"a\"", None),
    ] {
        let found: Vec<Meaning> = diff(&with(from), &with(to)).into_iter().map(|one| one.meaning).collect();
        assert_eq!(found, Vec::from_iter(meaning), "{from} → {to}");
    }
}

#[test]
fn a_rule_that_asks_nothing_comes_and_goes_without_a_meaning() {
    let with = |text: &str| parsed(&format!("{EXAMPLE}\n[[rule]]\nname = \"more\"\n{text}\n"));
    for (text, meaning) in [
        ("", Neutral),
        ("evidence = [\"bias\"]", Tighter),
        ("approvals = [{ role = \"compliance\" }]", Tighter),
        ("criteria = [{ name = \"x\", evidence = \"bias\", metric = \"m\", max = 1 }]", Tighter),
    ] {
        for (found, meaning) in [
            (diff(&parsed(EXAMPLE), &with(text)), meaning),
            (diff(&with(text), &parsed(EXAMPLE)), meaning.reversed()),
        ] {
            assert_eq!(found.iter().map(|one| one.meaning).collect::<Vec<_>>(), [meaning], "{text}");
        }
    }
    // Under another name it says the same, unless the words that it uses say something else.
    let renamed = EXAMPLE.replace("name = \"compliance\"", "name = \"law\"");
    let swapped = renamed.replace("[\"low\", \"medium\"", "[\"medium\", \"low\"");
    let found = diff(&parsed(EXAMPLE), &parsed(&swapped));
    let words: Vec<&str> = found.iter().map(|one| one.words.as_str()).collect();
    assert!(!words.contains(&"it was called `compliance`"), "{words:?}");
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
    let mut unsigned = without.clone();
    unsigned.mainline_signed_by = None;
    assert_eq!(only(&without, &unsigned), (Looser, "a signer was asked for".into()));
    assert_eq!(only(&unsigned, &without), (Tighter, "a signer is asked for now".into()));
    let mut trusted = without.clone();
    trusted.revoked.clear();
    assert_eq!(only(&without, &trusted), (Looser, "the key was revoked".into()));
    assert_eq!(only(&trusted, &without), (Tighter, "the key is revoked now".into()));
    let mut keys = without.clone();
    keys.signers = crate::signature::AllowedSigners::parse("").unwrap();
    assert!(diff(&without, &keys).iter().all(|one| one.meaning == Tighter && one.part.starts_with("key `")));
    assert!(diff(&keys, &without).iter().all(|one| one.meaning == Looser));
}
