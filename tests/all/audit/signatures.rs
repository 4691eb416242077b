//! `audit --signatures`: every commit since the trust root, made by plain git, and what git itself says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;

use super::*;
use crate::attacks_history::keys::fingerprint;
use crate::world::KeyKind;

fn signatures(repo: &Repo<'_>, more: &[&str]) -> Value {
    repo.run(&[&["audit", "--signatures", "--format", "json"], more].concat()).expect(0).json()
}

/// Signs a commit with a certificate of `authority`, made with these arguments of `ssh-keygen`.
fn commit_certified(repo: &Repo<'_>, who: &str, arguments: &[&str]) -> String {
    let authority = repo.world.key("authority");
    let key = repo.world.key(who);
    let public = format!("{}.pub", key.display());
    let mut all = vec!["-q", "-s", authority.to_str().unwrap(), "-I", who, "-n", "certified@example.com"];
    all.extend(arguments);
    all.push(&public);
    repo.world.ssh_keygen(&all, b"").expect(0);
    let setting = format!("user.signingkey={}-cert.pub", key.display());
    repo.git_as(who, &["-c", &setting, "commit", "-q", "--allow-empty", "-S", "-m", "By certificate"]);
    repo.rev("HEAD")
}

fn commit(repo: &Repo<'_>, who: &str) -> String {
    repo.git_as(who, &["commit", "-q", "--allow-empty", "-S", "-m", "Honest words"]);
    repo.rev("HEAD")
}

/// A commit as somebody signed it, with something in it changed; the mainline goes on from it.
fn changed(repo: &Repo<'_>, change: impl Fn(String) -> String) -> String {
    let honest = commit(repo, "j.doe");
    let text = String::from_utf8(repo.object("commit", &honest)).unwrap();
    let other = repo.store_commit(change(text));
    repo.git(&["reset", "-q", "--hard", &other]);
    other
}

#[test]
fn every_signature_since_the_trust_root_is_told_as_git_tells_it_or_more_strictly() {
    let world = World::new();
    let day = |days| world.day(days)[..10].replace('-', "");
    let second = KeyKind::SecondEd25519;
    let revoked = fingerprint(&world, "j.rivera#SecondEd25519");
    let mut policy = Policy::small()
        .signer("j.rivera", second, "")
        .signer("ended", KeyKind::Ed25519, &format!("valid-before=\"{}\"", day(-20)))
        .signer("weak", KeyKind::Rsa2048, "")
        .with(&format!(
            "\n[[revoked]]\nkey = \"{revoked}\"\nsince = \"never-trusted\"\nreason = \"stolen\"\n"
        ));
    let authority = World::public_key("authority", KeyKind::Ed25519);
    writeln!(policy.signers, "certified@example.com cert-authority,namespaces=\"git\" {authority}").unwrap();
    let repo = world.governance_repo_with(&policy);
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    repo.merge("l.wu", "deployments/production");
    repo.switch("main");
    let unsigned = repo.write("README", "unsigned").commit_unsigned("j.doe", "Unsigned");
    let merged = {
        repo.switch("aside").write("aside", "aside").commit("j.doe", "Aside");
        repo.merge_unsigned("aside")
    };
    let certified = commit_certified(&repo, "holder", &[]);
    let expected: BTreeMap<String, &str> = [
        (commit(&repo, "mallory"), "unknown-key"),
        (changed(&repo, |text| text.replace("Honest", "Other")), "bad-signature"),
        (changed(&repo, |text| text.replace("SSH SIGNATURE", "PGP SIGNATURE")), "unsupported-signature"),
        (changed(&repo, |text| text.replace("\n\nHonest", "\ngpgsig x\n\nHonest")), "malformed-commit"),
        (commit(&repo, "ended"), "key-not-valid"),
        (commit(&repo, "j.rivera#SecondEd25519"), "key-revoked"),
        (commit(&repo, "weak#Rsa2048"), "weak-key"),
        (commit_certified(&repo, "holder", &["-V", "20200101000000:20210101000000"]), "key-not-valid"),
    ]
    .into();
    let answer = signatures(&repo, &[]);
    let told = answer["do_not_count"].as_array().unwrap();
    let found: BTreeMap<String, &str> = told
        .iter()
        .map(|one| (one["commit"].as_str().unwrap().to_owned(), one["code"].as_str().unwrap()))
        .collect();
    assert_eq!(found, expected);
    let order: Vec<&str> = told.iter().map(|one| one["commit"].as_str().unwrap()).collect();
    let history = repo.git(&["rev-list", "--reverse", "main"]);
    let recorded: Vec<&str> = history.lines().filter(|id| expected.contains_key(*id)).collect();
    assert_eq!(order, recorded, "in recorded order");
    assert_eq!(answer["codes"]["key-not-valid"], 2);
    assert_eq!(
        (&answer["unsigned"], &answer["left_out"], &answer["before_root"]),
        (&2.into(), &0.into(), &1.into())
    );
    // What counts here, git takes too; what git takes and does not count here is what git knows nothing of.
    let since = repo.git(&["rev-list", &format!("{}..main", repo.root)]);
    let all: BTreeSet<&str> = since.lines().collect();
    assert_eq!(answer["verified"], all.len() - expected.len() - 2);
    let stricter: Vec<&str> = all
        .iter()
        .filter_map(|id| {
            let ours = !expected.contains_key(*id) && ![&unsigned, &merged].contains(&&(*id).to_owned());
            let theirs = repo.git_verifies(id).status == 0;
            assert!(theirs || !ours, "git does not take {id}");
            (theirs != ours).then(|| expected[*id])
        })
        .collect();
    assert_eq!(
        stricter.iter().copied().collect::<BTreeSet<_>>(),
        ["key-revoked", "malformed-commit", "weak-key"].into()
    );
    assert_eq!(repo.git_verifies(&certified).status, 0);
    let owner = |code: &str| told.iter().find(|one| one["code"] == code).unwrap()["principal"].clone();
    assert_eq!(owner("key-revoked"), "j.rivera@example.com");
    assert_eq!(owner("unknown-key"), Value::Null);
    // For people the same.
    let text = repo.run(&["audit", "--signatures"]).expect(0).stdout;
    for (commit, code) in &expected {
        assert!(text.contains(commit) && text.contains(code), "{code}\n{text}");
    }
    assert!(text.starts_with("in part  "), "{text}");
}

#[test]
fn what_is_found_does_not_depend_on_how_many_look() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.switch("main");
    for who in ["mallory", "j.doe", "eve", "k.berg", "mallory", "bot", "eve", "j.doe", "l.wu", "mallory"] {
        commit(&repo, who);
    }
    let time = world.time();
    let arguments = ["audit", "--signatures", "--format", "json", "--time", &time, "--no-index"];
    let together = repo.run_once(&arguments).expect(0).stdout;
    let program = world.program_of("l.wu", &repo.path, &arguments);
    let mut alone = Command::new("taskset");
    alone
        .args(["-c", "0"])
        .arg(program.get_program())
        .args(program.get_args())
        .current_dir(&repo.path)
        .env_clear();
    for (name, value) in program.get_envs() {
        value.map(|value| alone.env(name, value));
    }
    let alone = alone.output().unwrap();
    assert!(alone.status.success(), "{}", String::from_utf8_lossy(&alone.stderr));
    assert_eq!(String::from_utf8(alone.stdout).unwrap(), together);
    let answer: Value = serde_json::from_str(&together).unwrap();
    assert_eq!(answer["codes"]["unknown-key"], 5, "{together}");
}

#[test]
fn it_judges_under_the_policy_of_then_and_goes_with_nothing_that_narrows() {
    let world = World::new();
    let repo = world.governance_repo();
    let before = repo.switch("main").write("README", "before").commit("newcomer", "Before");
    let newcomer = Policy::small().serial(2).signer("newcomer", KeyKind::Ed25519, "");
    repo.switch("policy/newcomer").write_policy(&newcomer).commit("a.ng", "Take in the newcomer");
    for who in ["a.ng", "m.okafor"] {
        repo.decide(who, &Decision::approve("policy", "governance"));
    }
    repo.merge("l.wu", "policy/newcomer");
    repo.write("README", "after").commit("newcomer", "After");
    let answer = signatures(&repo, &[]);
    let told: Vec<&Value> =
        answer["do_not_count"].as_array().unwrap().iter().map(|one| &one["commit"]).collect();
    assert_eq!(told, [&Value::from(before)], "{answer:#}");
    for other in [&["--env", "production"][..], &["--since", "90d"], &["--sample", "1", "--seed", "x"]] {
        repo.run_once(&[&["audit", "--signatures"], other].concat()).expect(2);
    }
}
