//! Attestations: what is stated, who signs it, and that others than we can verify it.

#![expect(clippy::disallowed_methods, reason = "the tests start agents and read what was written")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base64ct::{Base64, Encoding as _};
use serde_json::Value;

use crate::world::{Decision, KeyKind, Policy, Repo, Run, World, hex_sha256};

const GATE: &str = "summarizer/v1.4";

/// A real agent; gone when it is dropped.
struct Agent {
    child: Child,
    socket: PathBuf,
}

impl Agent {
    fn with(world: &World, keys: &[&str]) -> Self {
        let socket = world.dir().join("agent");
        let mut command = Command::new("ssh-agent");
        command.args(["-D", "-a"]).arg(&socket).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        // It is there before it listens.
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let agent = Self { child, socket };
        for key in keys {
            let mut add = Command::new("ssh-add");
            add.arg("-q").arg(world.key(key)).env("SSH_AUTH_SOCK", &agent.socket);
            assert!(add.stderr(Stdio::null()).status().unwrap().success());
        }
        agent
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn artifact() -> String {
    format!("prompts/summarize.txt=sha256:{}", hex_sha256(b"v1.4"))
}

/// `attest` in a clone, by somebody, with an agent or none.
fn attest_as(who: &str, repo: &Repo<'_>, agent: Option<&Agent>, more: &[&str]) -> Run {
    let artifact = artifact();
    let args = [&["attest", GATE, "--env", "production", "--digest", &artifact], more].concat();
    let mut command = repo.world.program_of(who, &repo.path, &args);
    if let Some(agent) = agent {
        command.env("SSH_AUTH_SOCK", &agent.socket);
    }
    Run::of(command, b"")
}

fn attest(repo: &Repo<'_>, agent: &Agent, more: &[&str]) -> Run {
    attest_as("bot", repo, Some(agent), more)
}

#[track_caller]
fn payload(envelope: &str) -> Vec<u8> {
    let envelope: Value = serde_json::from_str(envelope).unwrap();
    Base64::decode_vec(envelope["payload"].as_str().unwrap()).unwrap()
}

#[track_caller]
fn statement(run: &Run) -> Value {
    serde_json::from_slice(&payload(&run.stdout)).unwrap()
}

#[track_caller]
fn signatures(envelope: &str) -> Vec<Value> {
    let envelope: Value = serde_json::from_str(envelope).unwrap();
    envelope["signatures"].as_array().unwrap().clone()
}

fn fingerprint(world: &World, who: &str) -> String {
    let public = format!("{}.pub", world.key(who).display());
    let listed = world.ssh_keygen(&["-l", "-f", &public], b"").expect(0).stdout;
    listed.split(' ').nth(1).unwrap().to_owned()
}

/// The digest of an input, by the end of its URI.
#[track_caller]
fn input<'s>(statement: &'s Value, end: &str) -> &'s Value {
    let inputs = statement["predicate"]["inputAttestations"].as_array().unwrap();
    let found: Vec<&Value> =
        inputs.iter().filter(|input| input["uri"].as_str().unwrap().ends_with(end)).collect();
    let [one] = found[..] else { panic!("{end}: {statement:#}") };
    &one["digest"]
}

#[test]
fn what_is_allowed_is_stated_with_all_that_it_rests_on_and_signed() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    let lead = repo.approve("j.rivera", GATE, "ml-lead");
    let product = repo.approve("s.chen", GATE, "product-lead");
    repo.merge("l.wu", &format!("gate/{GATE}"));
    let agent = Agent::with(&world, &["j.rivera", "bot"]);
    let run = attest(&repo, &agent, &["--signed"]).expect(0);
    assert_eq!(run.stderr, "");
    let stated = statement(&run);
    let predicate = &stated["predicate"];
    assert_eq!(stated["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(stated["predicateType"], "https://slsa.dev/verification_summary/v1");
    assert_eq!(
        stated["subject"],
        serde_json::json!([{ "name": "prompts/summarize.txt", "digest": { "sha256": hex_sha256(b"v1.4") } }])
    );
    assert_eq!(predicate["verificationResult"], "PASSED");
    assert_eq!(predicate["verifiedLevels"], serde_json::json!(["GIT_GATE_ALLOWED_ON_REQUIREMENTS"]));
    assert_eq!(predicate["resourceUri"], "git-gate:acme-models-3f9c/environments/production");
    assert_eq!(predicate["verifier"]["id"], "git-gate:acme-models-3f9c");
    assert_eq!(predicate["verifier"]["version"]["git-gate"], env!("CARGO_PKG_VERSION"));
    assert_eq!(predicate["policy"]["uri"], "git-gate:acme-models-3f9c/policy/1");
    let dir = |directory: &str| repo.content("main", directory).replace("sha256:", "");
    assert_eq!(predicate["policy"]["digest"]["dirHash"], dir("policy"));
    for (end, algorithm, digest) in [
        ("/mainline/main", "gitCommit", repo.rev("main")),
        ("/root?from=gate.root", "gitCommit", repo.root.clone()),
        ("/gates/summarizer/v1.4", "dirHash", dir("gates/summarizer/v1.4")),
        ("/v1.4/CHANGE.md", "sha256", hex_sha256(b"Cut hallucinations in long documents.\n")),
        (
            "/v1.4/evidence/evaluation.json",
            "sha256",
            hex_sha256(&repo.object("blob", "main:gates/summarizer/v1.4/evidence/evaluation.json")),
        ),
        ("/v1.4#approve/ml-lead/j.rivera@example.com", "gitCommit", lead),
        ("/v1.4#approve/product-lead/s.chen@example.com", "gitCommit", product),
    ] {
        assert_eq!(input(&stated, end), &serde_json::json!({ algorithm: digest }), "{end}");
    }
    assert_eq!(predicate["inputAttestations"].as_array().unwrap().len(), 7);
    // The signature is Ed25519's over DSSE's encoding, put together here from its specification.
    let [signature] = signatures(&run.stdout).try_into().unwrap();
    assert_eq!(signature["keyid"], fingerprint(&world, "bot"));
    let body = payload(&run.stdout);
    let mut signed = format!("DSSEv1 28 application/vnd.in-toto+json {} ", body.len()).into_bytes();
    signed.extend(&body);
    let public = World::public_key("bot", KeyKind::Ed25519);
    let blob = Base64::decode_vec(public.split(' ').nth(1).unwrap()).unwrap();
    let key = ed25519_dalek::VerifyingKey::from_bytes(blob[19..].try_into().unwrap()).unwrap();
    let raw = Base64::decode_vec(signature["sig"].as_str().unwrap()).unwrap();
    let raw = ed25519_dalek::Signature::from_slice(&raw).unwrap();
    key.verify_strict(&signed, &raw).unwrap();
    assert!(key.verify_strict(&body, &raw).is_err());
}

/// Where `.ci/run` has put the implementations of others, or `GIT_GATE_ATTEST_PYTHON` says that they are.
fn others() -> Option<PathBuf> {
    let named = std::env::var_os("GIT_GATE_ATTEST_PYTHON").map(PathBuf::from);
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/ci/attest/bin/python");
    named.or_else(|| built.is_file().then_some(built))
}

#[test]
fn others_verify_the_envelope_and_read_the_statement() {
    let Some(python) = others() else {
        // `.ci/run` names it among what was not run.
        eprintln!("not run: securesystemslib and in-toto-attestation are not here");
        return;
    };
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    let agent = Agent::with(&world, &["bot"]);
    let verify = |envelope: &str, who: &str| {
        let file = world.dir().join("envelope.json");
        std::fs::write(&file, envelope).unwrap();
        let mut command = Command::new(&python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/attest/verify.py")).arg(&file);
        command.args([&World::public_key(who, KeyKind::Ed25519), &fingerprint(&world, who)]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Run::of(command, b"")
    };
    for more in [&[][..], &["--failed"]] {
        if !more.is_empty() {
            repo.switch(&format!("gate/{GATE}"));
            repo.decide("s.chen", &Decision::reject(GATE, "product-lead", "quality"));
            repo.merge("l.wu", &format!("gate/{GATE}"));
        }
        let run = attest(&repo, &agent, more);
        let read = verify(&run.stdout, "bot").expect(0);
        assert_eq!(read.stdout.trim_end().as_bytes(), payload(&run.stdout));
        // Another key, another statement, another type.
        verify(&run.stdout, "j.rivera").expect(1);
        let mut other: Value = serde_json::from_str(&run.stdout).unwrap();
        let words = String::from_utf8(payload(&run.stdout)).unwrap().replace("production", "staging");
        other["payload"] = Base64::encode_string(words.as_bytes()).into();
        verify(&other.to_string(), "bot").expect(1);
        let typed = run.stdout.replace("vnd.in-toto+json", "vnd.in-toto+jsom");
        verify(&typed, "bot").expect(1);
    }
}

#[test]
fn what_is_not_allowed_is_stated_only_where_that_is_asked_for() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.merge("l.wu", &format!("gate/{GATE}"));
    let agent = Agent::with(&world, &["bot"]);
    let refused = |status: i32, named: &str| {
        let run = attest(&repo, &agent, &[]).expect(status);
        assert_eq!(run.stdout, "");
        assert!(run.stderr.contains("[not-attested]") && run.stderr.contains(named), "{run}");
        // The status stays that of the verdict: no flag makes it a success.
        let run = attest(&repo, &agent, &["--failed", "--signed"]).expect(status);
        let predicate = &statement(&run)["predicate"];
        assert_eq!(predicate["verificationResult"], "FAILED");
        assert_eq!(predicate["verifiedLevels"], serde_json::json!(["FAILED"]));
        assert_eq!(signatures(&run.stdout).len(), 1);
    };
    refused(11, "`approval:product-lead`");
    repo.decide("s.chen", &Decision::reject(GATE, "product-lead", "quality"));
    repo.merge("l.wu", &format!("gate/{GATE}"));
    refused(10, "`rejection:s.chen@example.com`");
    let answer = attest(&repo, &agent, &["--format", "json"]).expect(10).json();
    assert_eq!(answer["code"], "not-attested");
    // Another artifact than the approved one is another statement altogether, and a failed one.
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let agent = Agent::with(&world, &["bot"]);
    attest(&repo, &agent, &[]).expect(0);
    let other = format!("prompts/summarize.txt=sha256:{}", hex_sha256(b"evil"));
    let args = ["attest", GATE, "--env", "production", "--digest", &other];
    let run = world.run_as("bot", &repo.path, &args).expect(10);
    assert_eq!(run.stdout, "");
    drop(agent);
}

#[test]
fn a_rejection_that_nobody_recorded_yet_stops_an_attestation() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    origin.decide("s.chen", &Decision::reject(GATE, "product-lead", "quality"));
    let clone = origin.switch("main").clone_to("runner", false);
    let agent = Agent::with(&world, &["bot"]);
    for more in [&[][..], &["--failed"]] {
        let run = attest(&clone, &agent, more).expect(10);
        assert!(run.stdout.is_empty() && run.stderr.contains("rejection"), "{run}");
    }
}

#[test]
fn nothing_that_replays_or_narrows_is_attested() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let agent = Agent::with(&world, &["bot"]);
    let tip = repo.rev("main");
    for flag in ["--at", "--log", "--root"] {
        let run = attest(&repo, &agent, &[flag, &tip]).expect(2);
        assert_eq!(run.stdout, "", "{flag}");
    }
    attest(&repo, &agent, &["--time", &world.day(0)]).expect(2);
    // The pinned root is no other root.
    attest(&repo, &agent, &["--root", &repo.root]).expect(0);
    // A statement is about something.
    repo.world.run_as("bot", &repo.path, &["attest", GATE, "--env", "production"]).expect(2);
}

#[test]
fn where_the_agent_cannot_sign_the_statement_is_unsigned_and_the_mend_is_said() {
    let world = World::new();
    let policy = Policy::small().signer("bot", KeyKind::Rsa3072, "").signer(
        "bot",
        KeyKind::SecondEd25519,
        "valid-before=\"20200101Z\"",
    );
    let repo = world.governance_repo_with(&policy);
    repo.allowed_gate(GATE);
    let agent = Agent::with(&world, &["bot#Rsa3072", "bot#SecondEd25519", "mallory"]);
    for (who, agent, named) in [
        ("bot", None, "`SSH_AUTH_SOCK` is not set"),
        ("bot", Some(&agent), "ssh-add <private key>"),
        ("bot#Rsa3072", Some(&agent), "only an Ed25519 key"),
        ("bot#SecondEd25519", Some(&agent), "is not valid now"),
        ("mallory", Some(&agent), "is nobody's"),
    ] {
        let run = attest_as(who, &repo, agent, &[]).expect(0);
        assert!(run.stderr.contains("not signed") && run.stderr.contains(named), "{who}\n{run}");
        assert_eq!(signatures(&run.stdout), [Value::Null; 0], "{who}");
        let run = attest_as(who, &repo, agent, &["--signed"]).expect(3);
        assert!(run.stdout.is_empty() && run.stderr.contains(named), "{who}\n{run}");
    }
    // A key that was revoked signs nothing.
    let key = fingerprint(&world, "bot");
    let revoked = policy
        .clone()
        .serial(2)
        .with(&format!("\n[[revoked]]\nkey = \"{key}\"\nsince = \"never-trusted\"\nreason = \"stolen\"\n"));
    repo.switch("policy/revoke").write_policy(&revoked).commit("a.ng", "Revoke");
    for who in ["a.ng", "m.okafor"] {
        repo.decide(who, &Decision::approve("policy", "governance"));
    }
    repo.merge("l.wu", "policy/revoke");
    let holder = Agent::with(&world, &["bot"]);
    let run = attest(&repo, &holder, &[]);
    assert!(run.stderr.contains("is revoked"), "{run}");
}

#[test]
fn a_file_holds_the_whole_envelope_or_stays_as_it_was() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let agent = Agent::with(&world, &["bot"]);
    let file = world.dir().join("vsa.json");
    std::fs::write(&file, "before").unwrap();
    let out = file.to_str().unwrap();
    let answer = attest(&repo, &agent, &["--out", out, "--format", "json"]).expect(0).json();
    assert_eq!((&answer["result"], &answer["keyid"]), (&"PASSED".into(), &fingerprint(&world, "bot").into()));
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!(signatures(&written).len(), 1);
    let run = attest(&repo, &agent, &["--out", out]).expect(0);
    assert!(run.stdout.starts_with("PASSED  summarizer/v1.4 → production, signed by SHA256:"), "{run}");
    let run = attest(&repo, &agent, &["--out", "/nonexistent/vsa.json"]).expect(3);
    assert!(run.stderr.contains("[file-unwritten]"), "{run}");
    // What is not attested leaves the file alone.
    repo.switch(&format!("gate/{GATE}"));
    repo.decide("s.chen", &Decision::reject(GATE, "product-lead", "quality"));
    repo.merge("l.wu", &format!("gate/{GATE}"));
    let before = std::fs::read_to_string(&file).unwrap();
    attest(&repo, &agent, &["--out", out]).expect(10);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
}

#[test]
fn the_same_question_at_the_same_time_is_the_same_statement() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    origin.switch("main");
    let agent = Agent::with(&world, &["bot"]);
    let clones = ["one", "two"].map(|name| origin.clone_to(name, false));
    for _ in 0..20 {
        let [one, two] = clones.each_ref().map(|clone| attest(clone, &agent, &[]).expect(0));
        if statement(&one)["predicate"]["timeVerified"] == statement(&two)["predicate"]["timeVerified"] {
            // Ed25519 signs the same bytes the same way: the envelopes are equal too.
            assert_eq!(one.stdout, two.stdout);
            return;
        }
    }
    panic!("never within one second");
}

#[test]
fn an_exception_in_force_is_named_with_those_who_accepted_it() {
    let world = World::new();
    let policy = Policy::small().replacing("max = 0.05", "max = 0.01");
    let repo = world.governance_repo_with(&policy);
    repo.open("j.doe", GATE);
    repo.except("j.doe", GATE, "criterion:hallucination", &world.day(5));
    let accepted = repo.decide("m.okafor", &Decision::accept_risk(GATE, "compliance"));
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    repo.merge("l.wu", &format!("gate/{GATE}"));
    let agent = Agent::with(&world, &["bot"]);
    let run = attest(&repo, &agent, &[]).expect(0);
    let stated = statement(&run);
    assert_eq!(stated["predicate"]["verifiedLevels"], serde_json::json!(["GIT_GATE_ALLOWED_ON_EXCEPTION"]));
    let content = repo.content("main", "exceptions/summarizer/v1.4").replace("sha256:", "");
    assert_eq!(input(&stated, "/exceptions/summarizer/v1.4")["dirHash"], content);
    assert_eq!(input(&stated, "#accept-risk/compliance/m.okafor@example.com")["gitCommit"], accepted);
}
