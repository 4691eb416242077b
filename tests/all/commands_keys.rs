//! `key`: a policy change from the first command to a signature that counts, and what is refused on the way.

use crate::world::{Decision, KeyKind, Policy, Repo, World};

const GATE: &str = "summarizer/v1.4";

fn refs(repo: &Repo<'_>) -> String {
    repo.git(&["for-each-ref"])
}

fn pub_file(world: &World, who: &str) -> String {
    format!("{}.pub", world.key(who).display())
}

/// Approves a policy branch with two people, by the program, and merges it with plain git.
fn enact(repo: &Repo<'_>, branch: &str, approvers: [&str; 2]) {
    for who in approvers {
        repo.sign_in(who).run(&["approve", "policy", "--branch", branch, "--yes"]).expect(0);
    }
    repo.merge("l.wu", branch);
}

fn serial(repo: &Repo<'_>) -> u64 {
    repo.run(&["policy", "status", "--format", "json"]).expect(0).json()["policy"]["serial"].as_u64().unwrap()
}

fn code(repo: &Repo<'_>, gate: &str, commit: &str) -> String {
    let answer = repo.check_json(gate, "production");
    let decisions = answer["decisions"].as_array().unwrap();
    let decision = decisions.iter().find(|decision| decision["commit"] == commit).unwrap();
    decision["code"].as_str().unwrap_or("counts").to_owned()
}

#[test]
fn a_newcomer_gets_a_key_and_a_role_by_a_policy_change() {
    let world = World::new();
    let policy = Policy::small().replacing("serial = 1\n", "serial = 1   # raised with every change\n");
    let repo = world.governance_repo_with(&policy);
    let key = pub_file(&world, "n.new");
    repo.sign_in("a.ng");
    let run = repo.run(&["key", "add", "n.new@example.com", &key, "--role", "ml-lead"]).expect(0);
    let branch = "policy/key-add-n-new-example-com";
    assert!(
        run.stdout.contains("of n.new@example.com, in serial 2: ") && run.stdout.contains(branch),
        "{run}"
    );
    assert!(run.stderr.contains(&format!("next: git gate approve policy --branch {branch}")), "{run}");
    assert!(
        run.stderr.contains("2 of `governance`: a.ng@example.com, l.wu@example.com, m.okafor@example.com"),
        "{run}"
    );
    let toml = repo.git(&["show", &format!("{branch}:policy/policy.toml")]);
    let expected = policy
        .toml
        .replace("serial = 1   #", "serial = 2   #")
        .replace("\"k.berg@example.com\"] }", "\"k.berg@example.com\", \"n.new@example.com\"] }");
    assert_eq!(toml, expected.trim_end());
    let signers = repo.git(&["show", &format!("{branch}:policy/allowed_signers")]);
    let line =
        format!("n.new@example.com namespaces=\"git\" {}", World::public_key("n.new", KeyKind::Ed25519));
    assert!(signers.starts_with(policy.signers.trim_end()) && signers.contains(&line), "{signers}");
    enact(&repo, branch, ["m.okafor", "l.wu"]);
    assert_eq!(serial(&repo), 2);
    repo.open("j.doe", GATE);
    let approval = repo.approve("n.new", GATE, "ml-lead");
    repo.merge("l.wu", &format!("gate/{GATE}"));
    assert_eq!(code(&repo, GATE, &approval), "counts");
}

#[test]
fn several_changes_on_one_branch_raise_the_serial_once() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.sign_in("a.ng");
    for who in ["n.one", "n.two"] {
        let mail = format!("{who}@example.com");
        let key = World::public_key(who, KeyKind::Ed25519);
        let until = ["--valid-before", "2031-01-01T00:00:00Z"];
        repo.run(&[&["key", "add", &mail, &key, "--slug", "both"][..], &until].concat()).expect(0);
    }
    let toml = repo.git(&["show", "policy/both:policy/policy.toml"]);
    assert!(toml.contains("\nserial = 2\n"), "{toml}");
    let signers = repo.git(&["show", "policy/both:policy/allowed_signers"]);
    assert_eq!(signers.matches("valid-before=\"20310101000000Z\"").count(), 2, "{signers}");
    let again = World::public_key("n.two", KeyKind::Ed25519);
    let run = repo.run(&["key", "add", "n.two@example.com", &again, "--slug", "both"]).expect(3);
    assert!(run.stderr.contains("[nothing-changed]"), "{run}");
}

#[test]
fn a_key_is_rotated_and_the_old_one_counts_no_more() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    let before = repo.approve("j.rivera", GATE, "ml-lead");
    repo.merge("l.wu", &format!("gate/{GATE}"));
    repo.sign_in("j.rivera");
    let key = pub_file(&world, "j.rivera#SecondEd25519");
    let run = repo.run(&["key", "rotate", "j.rivera@example.com", &key]).expect(0);
    assert!(
        run.stderr.contains(&format!("once it is in force, sign with it: git gate key setup {key}")),
        "{run}"
    );
    assert_eq!(repo.git(&["config", "--local", "gpg.ssh.allowedSignersFile"]), "policy/allowed_signers");
    let branch = "policy/key-rotate-j-rivera-example-com";
    let signers = repo.git(&["show", &format!("{branch}:policy/allowed_signers")]);
    let place = |text: &str| text.lines().position(|line| line.starts_with("j.rivera@")).unwrap();
    assert_eq!(place(&signers), place(&repo.git(&["show", "main:policy/allowed_signers"])));
    assert!(!signers.contains(&World::public_key("j.rivera", KeyKind::Ed25519)));
    enact(&repo, branch, ["a.ng", "m.okafor"]);
    assert_eq!(code(&repo, GATE, &before), "counts");
    repo.open("j.doe", "summarizer/v1.5");
    let old = repo.approve("j.rivera", "summarizer/v1.5", "ml-lead");
    let new = repo.approve("j.rivera#SecondEd25519", "summarizer/v1.5", "ml-lead");
    repo.merge("l.wu", "gate/summarizer/v1.5");
    assert_eq!(code(&repo, "summarizer/v1.5", &old), "unknown-key");
    assert_eq!(code(&repo, "summarizer/v1.5", &new), "counts");
    let run = repo.sign_in("j.rivera").run(&["key", "setup", &key]).expect(0);
    assert!(run.stderr.contains("j.rivera@example.com's, in the roles ml-lead"), "{run}");
    assert_eq!(repo.git(&["config", "--local", "user.signingkey"]), key);
}

#[test]
fn a_revoked_key_takes_back_what_it_signed_since() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    let early = repo.approve("j.rivera", GATE, "ml-lead");
    let trusted = repo.merge("l.wu", &format!("gate/{GATE}"));
    repo.open("j.doe", "summarizer/v1.5");
    let late = repo.approve("j.rivera", "summarizer/v1.5", "ml-lead");
    repo.merge("l.wu", "gate/summarizer/v1.5");
    let list = repo.run(&["key", "list", "--format", "json"]).expect(0).json();
    let keys = list["keys"].as_array().unwrap();
    let hers = keys.iter().find(|key| key["principals"][0] == "j.rivera@example.com").unwrap();
    let fingerprint = hers["key"].as_str().unwrap();
    repo.sign_in("a.ng");
    let before = refs(&repo);
    let revoke =
        |more: &[&str]| repo.run(&[&["key", "revoke", fingerprint, "--slug", "lost"], more].concat());
    let stray = revoke(&["--since", &late, "--reason", "lost"]).expect(3);
    assert!(stray.stderr.contains("[not-on-mainline]"), "{stray}");
    revoke(&["--reason", "lost"]).expect(2);
    revoke(&["--since", &trusted, "--never-trusted", "--reason", "lost"]).expect(2);
    assert_eq!(refs(&repo), before);
    revoke(&["--since", &trusted, "--reason", "laptop stolen"]).expect(0);
    let again = revoke(&["--never-trusted", "--reason", "x"]).expect(3);
    assert!(
        again.stderr.contains("revokes `SHA256:") && again.stderr.contains("[nothing-changed]"),
        "{again}"
    );
    enact(&repo, "policy/lost", ["m.okafor", "l.wu"]);
    assert_eq!(code(&repo, GATE, &early), "counts");
    assert_eq!(code(&repo, "summarizer/v1.5", &late), "key-revoked");
    let text = repo.run(&["key", "list"]).expect(0).stdout;
    assert!(text.contains("revoked  j.rivera@example.com"), "{text}");
    assert!(text.contains("laptop stolen") && text.contains(&trusted), "{text}");
}

#[test]
fn whose_last_key_is_taken_out_leaves_the_roles() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.sign_in("a.ng");
    let list = repo.run(&["key", "list", "--format", "json"]).expect(0).json();
    let of = |who: &str| {
        let keys = list["keys"].as_array().unwrap();
        keys.iter().find(|key| key["principals"][0] == who).unwrap()["key"].as_str().unwrap().to_owned()
    };
    let out = ["--never-trusted", "--reason", "left", "--remove", "--slug", "left"];
    repo.run(&[&["key", "revoke", &of("k.berg@example.com")][..], &out].concat()).expect(0);
    let toml = repo.git(&["show", "policy/left:policy/policy.toml"]);
    assert!(toml.contains("ml-lead = { members = [\"j.rivera@example.com\"] }"), "{toml}");
    assert!(!repo.git(&["show", "policy/left:policy/allowed_signers"]).contains("k.berg"));
    // Without s.chen nobody could fill `product-lead`: that policy could not come into force.
    let before = refs(&repo);
    let run = repo.run(&[&["key", "revoke", &of("s.chen@example.com")][..], &out].concat()).expect(3);
    assert!(run.stderr.contains("[policy-approvals-unfillable]"), "{run}");
    assert_eq!(refs(&repo), before);
}

#[test]
fn a_key_that_could_not_count_is_refused_before_it_is_written() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.sign_in("a.ng");
    let before = refs(&repo);
    let hers = World::public_key("s.chen", KeyKind::Ed25519);
    let new = World::public_key("n.new", KeyKind::Ed25519);
    for (args, status, says) in [
        (vec!["add", "n.new@example.com", &hers], 3, "[policy-key-of-several]"),
        (vec!["add", "n.new@example.com", &new, "--role", "ml-laed"], 2, "`ml-lead`"),
        (vec!["add", "n.new@example.com", "nowhere.pub"], 3, "[key-unreadable]"),
        (vec!["add", "n.new@example.com", "ssh-ed25519 AAAA"], 3, "[key-unreadable]"),
        (vec!["rotate", "n.new@example.com", &new], 3, "[key-unknown]"),
    ] {
        let run = repo.run(&[&["key"], &args[..]].concat());
        assert_eq!(run.status, status, "{run}");
        assert!(run.stderr.contains(says), "{says}\n{run}");
    }
    let stranger = repo.sign_in("mallory").run(&["key", "add", "n.new@example.com", &new]).expect(3);
    assert!(stranger.stderr.contains("[unknown-key]"), "{stranger}");
    assert_eq!(refs(&repo), before);
    let weak = World::public_key("n.new", KeyKind::Rsa2048);
    let run = repo.sign_in("a.ng").run(&["key", "add", "n.new@example.com", &weak]).expect(0);
    assert!(run.stderr.contains("[policy-weak-key]"), "{run}");
}

#[test]
fn a_branch_from_before_the_last_change_is_brought_up_first() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.sign_in("a.ng");
    let add = |who: &str, slug: &str| {
        let key = World::public_key(who, KeyKind::Ed25519);
        repo.run(&["key", "add", &format!("{who}@example.com"), &key, "--slug", slug])
    };
    add("n.one", "one").expect(0);
    add("n.two", "two").expect(0);
    enact(&repo, "policy/two", ["m.okafor", "l.wu"]);
    repo.sign_in("a.ng");
    let run = add("n.three", "one").expect(3);
    assert!(run.stderr.contains("[policy-behind]"), "{run}");
    add("n.three", "three").expect(0);
}

#[test]
fn somebody_whom_nobody_knows_yet_sets_up_their_git() {
    let world = World::new();
    let repo = world.governance_repo();
    let run = repo.run(&["key", "setup"]).expect(3);
    assert!(run.stderr.contains("[signing-key]"), "{run}");
    let key = pub_file(&world, "n.new");
    let run = repo.run(&["key", "setup", &key]).expect(0);
    let line = World::public_key("n.new", KeyKind::Ed25519);
    assert!(run.stderr.contains("nobody's") && run.stderr.contains(&line), "{run}");
    for (setting, value) in [("gpg.format", "ssh"), ("user.signingkey", key.as_str())] {
        assert_eq!(repo.git(&["config", "--local", setting]), value);
    }
    repo.run(&["key", "setup", &line]).expect(0);
    assert_eq!(repo.git(&["config", "--local", "user.signingkey"]), format!("key::{line}"));
    repo.open("j.doe", GATE);
    repo.decide("j.rivera", &Decision::approve(GATE, "ml-lead"));
    // Plain git verifies by the policy now.
    repo.git(&["verify-commit", "HEAD"]);
}
