use super::*;

const EXAMPLE: &str = include_str!("examples/design.toml");

const SIGNERS: &str = include_str!("examples/allowed_signers");

#[track_caller]
pub(super) fn parsed(text: &str) -> Policy {
    Policy::parse(text.as_bytes(), SIGNERS.as_bytes()).unwrap_or_else(|why| panic!("{why}"))
}

#[test]
fn the_designs_example_parses_and_could_come_into_force() {
    let policy = parsed(EXAMPLE);
    assert_eq!(policy.rules.len(), 4);
    assert_eq!(policy.serial, 7);
    let found: Vec<String> = policy.findings.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[track_caller]
fn changed(from: &str, to: &str) -> String {
    assert!(EXAMPLE.contains(from), "{from}");
    EXAMPLE.replacen(from, to, 1)
}

#[track_caller]
fn note(shown: &mut String, seen: &mut BTreeSet<&'static str>, code: &str, problems: &[Problem]) {
    let all = Problems(problems.to_vec());
    assert!(problems.iter().any(|problem| problem.code == code), "{code}:\n{all}");
    seen.extend(problems.iter().map(|problem| problem.code));
    shown.push_str(&all.to_string());
    shown.push_str("\n\n");
}

fn listed_codes(codes: &[(&'static str, &str)]) -> BTreeSet<&'static str> {
    codes.iter().map(|(code, _)| *code).collect()
}

const CRITERION: &str = "metric = \"findings.open.critical\", max = 0";

#[test]
fn each_mistake_has_its_code_and_place() {
    let cases = [
        ("policy-unknown-key", "max_age = \"30d\"", "maxage = \"30d\""),
        ("policy-unknown-key", "[approvals]", "[approval]"),
        ("policy-missing-key", "serial = 7", ""),
        ("policy-missing-key", "name = \"every change\"", ""),
        ("policy-wrong-type", "max = 0.05", "max = \"0.05\""),
        ("policy-wrong-type", "kinds = [\"model\", \"prompt\", \"config\"]", "kinds = \"model\""),
        ("policy-bad-value", "max_age = \"90d\"", "max_age = \"90 days\""),
        ("policy-bad-value", "max = 0.05", "max = inf"),
        ("policy-bad-value", "max = 900", "max = 9007199254740993"),
        ("policy-bad-value", "serial = 7", "serial = -7"),
        ("policy-bad-value", "ml-lead      =", "\"ml lead\"      ="),
        ("policy-bad-value", "\"hardware\"", "\"hardwear\""),
        ("policy-bad-value", "until = 2027-01-03T00:00:00Z", "until = 2026-12-20"),
        ("policy-bad-value", "SHA256:AAAA", "SHA256:AAA"),
        ("policy-bad-value", "3f2a3f2a", "3f2a"),
        ("policy-bad-value", "artifacts = \"required\"", "artifacts = \"optional\""),
        ("policy-bad-value", "metric = \"rollback.seconds\"", "metric = \"\""),
        ("policy-bad-value", "min_samples = 50", "confidence = 1.0"),
        ("policy-repeated", "[\"low\", \"medium\"", "[\"low\", \"low\""),
        ("policy-repeated", "{ role = \"product-lead\" }]\nmax", "{ role = \"compliance\" }]\nmax"),
        (
            "policy-repeated",
            "[[revoked]]",
            "[[freeze]]\nname = \"year end\"\nfrom = 2026-01-01\nuntil = 2026-01-02\n[[revoked]]",
        ),
        ("policy-schema", "schema = 1", "schema = 2"),
        ("policy-criterion", CRITERION, "metric = \"findings.open.critical\", min_samples = 1"),
        ("policy-criterion", CRITERION, "max = 0"),
        ("policy-criterion", CRITERION, "metric = \"a\", spread = { metrics = [\"a*\"] }, max = 0"),
        ("policy-criterion", CRITERION, "spread = { metrics = [] }, max = 0"),
        ("policy-criterion", CRITERION, "ratio = { metrics = [\"a*\"] }, min = 0.8, confidence = 0.95"),
        ("policy-criterion", CRITERION, "metric = \"a\", equals = true, max = 1"),
        ("policy-criterion", CRITERION, "metric = \"a\", equals = 1, confidence = 0.95"),
        ("policy-criterion", CRITERION, "metric = \"a\", min = 2, max = 1"),
        ("policy-criterion", CRITERION, "metric = \"a\", compare = \"deployed\""),
        ("policy-criterion", CRITERION, "metric = \"a\", max = 1, max_drop = 0.1"),
        ("policy-criterion", CRITERION, "metric = \"a\", max = 1, unrated = \"allow\""),
        ("policy-criterion-differs", "name = \"rollback under 15 minutes\"", "name = \"hallucination\""),
        ("policy-mapping", "value = \"named/Hallucination\" }", "value = \"a\", column = \"b\" }"),
        ("policy-mapping", "value = \"/summary/hallucination_rate\"", "value = \"summary\""),
        ("policy-mapping", "\"promptfoo\", value = \"named/Hallucination\"", "\"text\", reduce = \"count\""),
        ("policy-mapping", "samples = \"/summary/n\"", "rate = true"),
        ("policy-mapping", "{ format = \"promptfoo\", value", "{ format = \"json\", value"),
        (
            "policy-mapping",
            "\"promptfoo\", value = \"named/Hallucination\"",
            "\"csv\", column = \"a\", reduce = \"share\"",
        ),
        ("policy-mapping", "\"promptfoo\", value = \"named/Hallucination\"", "\"csv\", reduce = \"mean\""),
        (
            "policy-mapping",
            "\"promptfoo\", value = \"named/Hallucination\"",
            "\"csv\", reduce = \"count\", rate = true",
        ),
        ("policy-unknown-format", "format = \"promptfoo\"", "format = \"promptfu\""),
    ];
    let mut shown = String::new();
    let mut seen = BTreeSet::new();
    for (code, from, to) in cases {
        let text = changed(from, to);
        let problems = Policy::parse(text.as_bytes(), SIGNERS.as_bytes()).map(|_| (from, to)).unwrap_err();
        note(&mut shown, &mut seen, code, &problems.0);
    }
    insta::assert_snapshot!("mistakes", shown);
    assert_eq!(seen, listed_codes(codes::CODES));
}

#[test]
fn what_is_bounded_is_taken_up_to_its_bound() {
    let takes = |from: &str, to: &str, expected: bool| {
        let found = Policy::parse(changed(from, to).as_bytes(), SIGNERS.as_bytes());
        assert_eq!(found.is_ok(), expected, "{to}");
    };
    let long = |count| "x".repeat(count);
    for (id, fine) in [
        (String::new(), false),
        ("a b".into(), false),
        ("\u{e4}".into(), false),
        (long(128), true),
        (long(129), false),
    ] {
        takes("acme-models-3f9c", &id, fine);
    }
    for (glob, fine) in [(String::new(), false), (long(256), true), (long(257), false), ("*".into(), true)] {
        takes("*.safetensors", &glob, fine);
    }
    for (bounds, fine) in [
        ("max = 1, confidence = 0.5", false),
        ("max = 1, confidence = 0.51", true),
        ("max = 1, confidence = 1.0", false),
        ("min = 1, max = 1", true),
        ("min = 1.1, max = 1", false),
        ("compare = \"deployed\", max_drop = 0", true),
        ("compare = \"deployed\", max_rise = 0", true),
        ("compare = \"deployed\", max_rise = -0.1", false),
    ] {
        takes(CRITERION, &format!("metric = \"a\", {bounds}"), fine);
    }
    let rows = "column = \"a\", reduce = \"mean\"";
    for (mapping, fine) in [
        (format!("{{ format = \"csv\", {rows} }}"), true),
        (format!("{{ format = \"csv\", {rows}, delimiter = \";\" }}"), true),
        (format!("{{ format = \"csv\", {rows}, delimiter = \"\\t\" }}"), true),
        (format!("{{ format = \"csv\", {rows}, delimiter = \" \" }}"), true),
        (format!("{{ format = \"csv\", {rows}, delimiter = \"\" }}"), false),
        (format!("{{ format = \"csv\", {rows}, delimiter = \";;\" }}"), false),
        (format!("{{ format = \"csv\", {rows}, delimiter = '\"' }}"), false),
        (format!("{{ format = \"csv\", {rows}, delimiter = \"a\" }}"), false),
        (format!("{{ format = \"csv\", {rows}, delimiter = \"\\n\" }}"), false),
        (format!("{{ format = \"csv\", {rows}, select = \"/a\" }}"), false),
        (format!("{{ format = \"json\", {rows}, select = \"/a\" }}"), true),
        (format!("{{ format = \"json\", {rows}, select = \"\" }}"), true),
        (format!("{{ format = \"json\", {rows}, select = \"a\" }}"), false),
        (format!("{{ format = \"json\", {rows}, select = \"/a~2\" }}"), false),
        (format!("{{ format = \"json\", {rows}, select = \"/{}\" }}", long(511)), true),
        (format!("{{ format = \"json\", {rows}, select = \"/{}\" }}", long(512)), false),
        (format!("{{ format = \"json\", {rows}, delimiter = \";\" }}"), false),
        ("{ value = \"/a\" }".to_owned(), false),
    ] {
        let other = mapping.contains("\"json\"");
        let kept = "{ format = \"json\", value = \"/summary/hallucination_rate\", samples = \"/summary/n\", stderr = \"/summary/se\" },";
        let from = if other { kept } else { "{ format = \"promptfoo\", value = \"named/Hallucination\" }," };
        takes(from, &format!("{mapping},"), fine);
    }
    let list = |text: &str| {
        let from = EXAMPLE.find("hallucination_rate = [").unwrap();
        let end = from + EXAMPLE[from..].find("\n]").unwrap() + 2;
        let text = format!("{}hallucination_rate = {text}{}", &EXAMPLE[..from], &EXAMPLE[end..]);
        Policy::parse(text.as_bytes(), SIGNERS.as_bytes()).is_ok()
    };
    assert!(list("[{ value = \"/a\" }]") && list("{ value = \"/a\" }") && list("\"/a\""));
    assert!(!list("[]"), "no mapping at all");
    assert!(!list("[{ value = \"/a\" }, { format = \"json\", value = \"/b\" }]"), "both could hold");
}

#[test]
fn the_closed_list_is_found_and_nothing_else_is() {
    let cases = [
        ("policy-no-governance", "approvals = [{ role = \"governance\", count = 2 }]", ""),
        ("policy-no-governance", "approvals = [{ role = \"governance\", count = 2 }]", "approvals = []"),
        ("policy-approvals-unfillable", "count = 2", "count = 4"),
        ("policy-approvals-unfillable", "count = 2", "count = 9223372036854775807"),
        (
            "policy-approvals-unfillable",
            "when = { risk = [\"critical\"] }\napprovals = [{ role = \"compliance\" }]",
            "approvals = [{ role = \"compliance\" }, { role = \"governance\", count = 3 }]",
        ),
        (
            "policy-approvals-unfillable",
            "approvals = [{ role = \"ml-lead\" }]",
            "approvals = [{ role = \"eval-ci\" }]",
        ),
        ("policy-count-zero", "count = 2", "count = 0"),
        ("policy-unknown-role", "[{ role = \"ml-lead\" }]", "[{ role = \"ml-laed\" }]"),
        ("policy-unknown-role", "signed_by = [\"maintainer\"]", "signed_by = [\"nobody\"]"),
        ("policy-unknown-role", "attested_by = [\"eval-ci\"]", "attested_by = [\"eval\"]"),
        ("policy-unknown-role", "deployers = [\"release-bot\"]", "deployers = [\"release-bots\"]"),
        ("policy-unknown-kind", "model = [\"*.s", "modell = [\"*.s"),
        ("policy-unknown-kind", "when = { tag = ", "when = { kind = [\"promt\"], tag = "),
        ("policy-unknown-risk", "risk = [\"high\", \"critical\"]", "risk = [\"hgih\", \"critical\"]"),
        ("policy-unknown-risk", "risk = \"high\"", "risk = \"extreme\""),
        ("policy-unknown-environment", "environment = [\"production\"] }", "environment = [\"prod\"] }"),
        (
            "policy-unknown-member",
            "members = [\"j.rivera@example.com\"]",
            "members = [\"j.riviera@example.com\"]",
        ),
    ];
    let mut shown = String::new();
    let mut seen = BTreeSet::new();
    for (code, from, to) in cases {
        note(&mut shown, &mut seen, code, &parsed(&changed(from, to)).findings);
    }
    let twice = SIGNERS.replacen("l.wu@example.com", "l.wu@example.com,x@example.com", 1);
    let policy = Policy::parse(EXAMPLE.as_bytes(), twice.as_bytes());
    match policy {
        Ok(policy) => note(&mut shown, &mut seen, "policy-key-of-several", &policy.findings),
        Err(why) => panic!("{why}"),
    }
    insta::assert_snapshot!("findings", shown);
    assert_eq!(seen, listed_codes(codes::FINDING_CODES));
}

#[test]
fn what_is_most_likely_a_mistake_is_a_warning() {
    let extra = "\n[[rule]]\nname = \"extra\"\n";
    let rule = |text: &str| format!("{EXAMPLE}{extra}{text}");
    let cases = [
        ("policy-role-empty", EXAMPLE.replace("[\"bot@example.com\"] }", "[] }")),
        ("policy-rule-name-twice", EXAMPLE.replace("name = \"fairness\"", "name = \"compliance\"")),
        ("policy-rule-unreachable", rule("when = { tag = [] }")),
        ("policy-rule-unreachable", rule("when = { risk = [\"low\"], system = [\"summarizer\"] }")),
        ("policy-rule-unreachable", rule("when = { risk = [\"low\"], system = [\"other*\"] }")),
        (
            "policy-criterion-without-evidence",
            rule("criteria = [{ name = \"x\", evidence = \"speed\", metric = \"p99\", max = 1 }]"),
        ),
        ("policy-mainline-nobody", EXAMPLE.replace("signed_by = [\"maintainer\"]", "signed_by = []")),
        ("policy-governance-lockout", EXAMPLE.replace("count = 2 }]", "count = 3 }]")),
        ("policy-change-unapproved", EXAMPLE.replace("approvals = [{ role = \"ml-lead\" }]", "")),
        (
            "policy-places-shared",
            EXAMPLE.replace("members = [\"s.chen@example.com\"]", "members = [\"j.rivera@example.com\"]"),
        ),
    ];
    let mut shown = String::new();
    let mut seen = BTreeSet::new();
    for (code, text) in &cases {
        note(&mut shown, &mut seen, code, &lint(&parsed(text)));
    }
    let wild = SIGNERS.replacen("l.wu@example.com", "*@example.com", 1);
    let policy = Policy::parse(EXAMPLE.as_bytes(), wild.as_bytes()).unwrap();
    note(&mut shown, &mut seen, "policy-wildcard-principal", &lint(&policy));
    let several = SIGNERS.replacen("l.wu@example.com", "l.wu@example.com,x@example.com", 1);
    let policy = Policy::parse(EXAMPLE.as_bytes(), several.as_bytes()).unwrap();
    note(&mut shown, &mut seen, "policy-cannot-sign", &lint(&policy));
    let weak = format!("{SIGNERS}old@example.com {}", include_str!("examples/weak.pub"));
    let policy = Policy::parse(EXAMPLE.as_bytes(), weak.as_bytes()).unwrap();
    note(&mut shown, &mut seen, "policy-weak-key", &lint(&policy));
    insta::assert_snapshot!("warnings", shown);
    assert_eq!(seen, listed_codes(codes::LINT_CODES));
    let quiet: Vec<Problem> = lint(&parsed(EXAMPLE));
    assert!(quiet.is_empty(), "{}", Problems(quiet));
}

#[test]
fn a_rule_is_unreachable_where_any_of_its_lists_matches_nothing() {
    let found = |when: &str| {
        let text = format!("{EXAMPLE}\n[[rule]]\nname = \"extra\"\nwhen = {{ {when} }}\n");
        lint(&parsed(&text)).iter().map(|problem| problem.code).collect::<Vec<_>>()
    };
    for none in [
        "kind = []",
        "environment = []",
        "tag = []",
        "risk = []",
        "system = []",
        "risk = [\"low\"], system = [\"summarizer\"]",
        "risk = [\"low\"], system = [\"other\"]",
    ] {
        assert_eq!(found(none), ["policy-rule-unreachable"], "{none}");
    }
    for some in [
        "kind = [\"model\"]",
        "environment = [\"staging\"]",
        "tag = [\"x\"]",
        "risk = [\"high\"], system = [\"summarizer\"]",
        "risk = [\"critical\"], system = [\"summarizer\"]",
        "risk = [\"critical\"], system = [\"other\"]",
        "risk = [\"critical\"], system = [\"other*\"]",
        "risk = [\"high\"], system = [\"sum*\"]",
    ] {
        assert!(found(some).is_empty(), "{some}: {:?}", found(some));
    }
}

#[test]
fn governance_that_can_lose_any_one_person_is_no_lockout() {
    let text = changed("role = \"governance\", count = 2", "role = \"ml-lead\" }, { role = \"product-lead\"");
    let two = |text: &str, one: &str, other: &str| {
        text.replace(
            &format!("members = [\"{one}@example.com\"]"),
            &format!("members = [\"{one}@example.com\", \"{other}@example.com\"]"),
        )
    };
    let one_spare = two(&text, "j.rivera", "a.ng");
    let codes = |text: &str| lint(&parsed(text)).iter().map(|problem| problem.code).collect::<Vec<_>>();
    assert_eq!(codes(&one_spare), ["policy-governance-lockout"]);
    let both_spare = two(&one_spare, "s.chen", "m.okafor");
    assert!(codes(&both_spare).is_empty(), "{:?}", codes(&both_spare));
}

#[test]
fn problems_of_both_files_are_told_at_once() {
    let problems = Policy::parse(changed("serial = 7", "").as_bytes(), b"nonsense\n").unwrap_err();
    assert_eq!(problems.0.len(), 2, "{problems}");
    let problems = Policy::parse(EXAMPLE.as_bytes(), b"\xff").unwrap_err();
    assert_eq!(problems.0[0].code, "signers-not-utf8");
    let problems = Policy::parse(EXAMPLE.as_bytes(), b"# a\n# b\n\xff").unwrap_err();
    assert!(problems.0[0].message.ends_with("on line 3"), "{problems}");
}

#[test]
fn the_identity_reads_where_the_rest_does_not() {
    let newer = changed("schema = 1", "schema = 2\nwhatever = { a = 1 }");
    assert!(Policy::parse(newer.as_bytes(), b"").is_err());
    assert_eq!(read_identity(newer.as_bytes()), Some(("acme-models-3f9c".to_owned(), 7)));
    for bad in
        ["", "id = 1\nserial = 1", "id = \"a\"", "id = \"a\"\nserial = \"1\"", "id = \"a\"\nserial = 1\n["]
    {
        assert_eq!(read_identity(bad.as_bytes()), None, "{bad}");
    }
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

#[track_caller]
fn rules_on(policy: &Policy, system: &str, risk: &str, artifact: &str, environment: &str) -> Vec<String> {
    let artifact = artifact.parse().unwrap();
    let (system, risk) = (name(system), name(risk));
    let asked = Asked {
        system: &system,
        kinds: &[name("prompt")].into(),
        risk: &risk,
        tags: &BTreeSet::new(),
        artifacts: vec![&artifact],
    };
    let change = policy.change(&asked, &name(environment));
    policy.rules_on(&change).map(|rule| rule.name.to_string()).collect()
}

#[test]
fn a_request_cannot_talk_down_what_the_policy_says() {
    let model = "\n[[rule]]\nname = \"models\"\nwhen = { kind = [\"model\"] }\n";
    let policy = parsed(&format!("{EXAMPLE}{model}"));
    // Listed as high and user-facing, whatever the request claims.
    let listed = ["every change", "business sign-off", "fairness"];
    assert_eq!(rules_on(&policy, "summarizer", "low", "a.txt", "production"), listed);
    assert_eq!(rules_on(&policy, "summarizer", "low", "a.txt", "staging"), ["every change", "fairness"]);
    // Not listed: the highest risk and every tag that is named.
    let unlisted = ["every change", "business sign-off", "compliance", "fairness"];
    assert_eq!(rules_on(&policy, "other", "low", "a.txt", "production"), unlisted);
    // A risk that the policy does not name is no way down.
    assert_eq!(rules_on(&policy, "summarizer", "none", "a.txt", "production"), unlisted);
    // The kind is inferred from the last path component, in any letter case.
    let inferred = ["every change", "fairness", "models"];
    assert_eq!(rules_on(&policy, "summarizer", "low", "x/W.SafeTensors", "staging"), inferred);
    assert_eq!(
        rules_on(&policy, "summarizer", "low", "w.onnx/readme.md", "staging"),
        ["every change", "fairness"]
    );
}

#[test]
fn a_policy_is_followed_by_that_of_its_id_and_the_next_serial_alone() {
    let policy = parsed(EXAMPLE);
    let follows = |id: &str, serial: u64| policy.may_be_followed_by(id, serial);
    assert_eq!(follows("acme-models-3f9c", 8), Ok(()));
    assert_eq!(follows("other", 8), Err("its `id` is `other`, not `acme-models-3f9c`".into()));
    for serial in [0, 6, 7, 9, u64::MAX] {
        assert_eq!(
            follows("acme-models-3f9c", serial),
            Err(format!("its `serial` is {serial}; the next one is 8"))
        );
    }
    let mut last = policy.clone();
    last.serial = u64::MAX;
    for serial in [0, 8, u64::MAX] {
        assert!(last.may_be_followed_by("acme-models-3f9c", serial).is_err());
    }
}

#[test]
fn a_rule_on_an_unknown_risk_matches_nothing_and_an_unknown_risk_of_a_system_is_the_highest() {
    let policy = parsed(&changed("when = { risk = [\"critical\"] }", "when = { risk = [\"hgih\"] }"));
    assert_eq!(rules_on(&policy, "other", "critical", "a", "staging"), ["every change", "fairness"]);
    let policy = parsed(&changed("risk = \"high\"", "risk = \"hgih\""));
    assert_eq!(policy.least_risk(&name("summarizer")), policy.highest_risk());
}

#[test]
fn bots_hold_no_place() {
    let policy = parsed(EXAMPLE);
    assert_eq!(policy.role_holders(&name("release-bot")).count(), 0);
    let bot: Principal = "bot@example.com".parse().unwrap();
    assert!(policy.is_bot(&bot) && policy.holds(&bot, &name("release-bot")));
    assert!(!policy.holds(&bot, &name("governance")) && !policy.holds(&bot, &name("nobody")));
    assert_eq!(policy.roles_of(&bot).map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["release-bot"]);
    assert_eq!(policy.role_holders(&name("governance")).count(), 3);
    assert_eq!(policy.fillable_places(&[]), None);
    assert!(policy.names_evidence(&name("bias")) && !policy.names_evidence(&name("speed")));
    assert_eq!(policy.evidence_kind(&name("bias")), &EvidenceKind::default());
}

mod fuzz {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Policy::parse(&bytes, &bytes);
            let _ = read_identity(&bytes);
        }

        #[test]
        fn no_changed_policy_panics(at in 0usize..7000, cut in 0usize..80, put in ".{0,12}") {
            let whole = |from: usize| {
                (from.min(EXAMPLE.len())..=EXAMPLE.len()).find(|at| EXAMPLE.is_char_boundary(*at)).unwrap()
            };
            let text = [&EXAMPLE[..whole(at)], &put, &EXAMPLE[whole(whole(at) + cut)..]].concat();
            match Policy::parse(text.as_bytes(), SIGNERS.as_bytes()) {
                Ok(policy) => for problem in policy.findings.iter().chain(&lint(&policy)) { let _ = problem.to_string(); },
                Err(why) => prop_assert!(!why.0.is_empty() && !why.to_string().is_empty()),
            }
        }

        /// Words in each other's place: what parses is still judged without a panic.
        #[test]
        fn no_shuffled_policy_panics(one in 0usize..400, other in 0usize..400) {
            let mut lines: Vec<&str> = EXAMPLE.lines().collect();
            let count = lines.len();
            lines.swap(one % count, other % count);
            if let Ok(policy) = Policy::parse(lines.join("\n").as_bytes(), SIGNERS.as_bytes()) {
                let _ = lint(&policy);
            }
        }
    }
}

/// As large as files may be, in the shapes that cost most. It is enough that this ends.
#[test]
fn a_policy_at_the_limit_is_judged_in_time() {
    use std::fmt::Write as _;
    let mut members = String::new();
    for at in 0..15_000 {
        write!(members, "\"p{at}@x\", ").unwrap();
    }
    let mut text = format!("{EXAMPLE}\n")
        .replace("[roles]\n", &format!("[roles]\ncrowd = {{ members = [{members}] }}\n"));
    for at in 0..7_000 {
        write!(text, "[[rule]]\nname = \"r{at}\"\nwhen = {{ risk = [\"x\"], kind = [\"y{at}\"] }}\n")
            .unwrap();
        text.push_str("approvals = [{ role = \"crowd\", count = 250 }]\n");
    }
    assert!(text.len() < crate::problem::document::TOML_BYTES, "{}", text.len());
    let policy = parsed(&text);
    assert!(!policy.findings.is_empty() && policy.findings.len() <= 200);
    assert!(!lint(&policy).is_empty());
    let broken = text.replace("count", "cuont");
    assert_eq!(Policy::parse(broken.as_bytes(), b"").unwrap_err().0.len(), 100);
}
