//! The harness tested: what it makes is what plain git and `sha256sum` say it is.

use git_gate::decision::{Reading, parse_message};
use git_gate::git::raw;

use super::{Decision, KeyKind, Policy, Repo, Run, World};

const GATE: &str = "summarizer/v1.4";

#[test]
fn git_verifies_what_people_sign() {
    let world = World::new();
    let policy = Policy::small()
        .signer("j.rivera", KeyKind::Rsa3072, "namespaces=\"git\"")
        .signer("j.rivera", KeyKind::Ecdsa256, "")
        .serial(3);
    let repo = world.governance_repo_with(&policy);
    repo.allowed_gate(GATE);
    let made = repo.git(&["rev-list", "HEAD"]);
    assert_eq!(made.lines().count(), 5);
    for commit in made.lines() {
        repo.git_verifies(commit).expect(0);
    }
    for who in ["j.rivera#Rsa3072", "j.rivera#Ecdsa256", "j.rivera"] {
        let signed = repo.approve(who, GATE, "ml-lead");
        let verified = repo.git_verifies(&signed).expect(0);
        assert!(verified.stderr.contains("j.rivera@example.com"), "{verified}");
    }
    for who in ["mallory", "j.rivera#SecondEd25519", "j.rivera#Rsa2048"] {
        let signed = repo.approve(who, GATE, "ml-lead");
        assert_ne!(repo.git_verifies(&signed).status, 0, "{who}");
    }
    let unsigned = repo.write("note.txt", "x").commit_unsigned("j.doe", "Note");
    assert_ne!(repo.git_verifies(&unsigned).status, 0);
}

#[test]
fn the_content_digest_is_that_of_the_pipeline() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    let directory = repo.path.join("gates").join(GATE);
    let pipeline = "find . -type f -printf '%P\\n' | LC_ALL=C sort | xargs sha256sum | sha256sum";
    let output = world.command("sh", &directory).args(["-c", pipeline]).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        repo.content("HEAD", &format!("gates/{GATE}")),
        format!("sha256:{}", printed.split(' ').next().unwrap())
    );
}

#[test]
fn decisions_are_what_the_library_reads() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    let expires = world.day(7);
    repo.except("j.doe", GATE, "criterion:hallucination", &expires);
    repo.remove(&format!("gates/{GATE}/CHANGE.md")).commit("j.doe", "Change");
    for decision in [
        Decision::approve(GATE, "ml-lead").line("Gate-Environment", "staging"),
        Decision::reject(GATE, "ml-lead", "quality"),
        Decision::withdraw(GATE),
        Decision::accept_risk(GATE, "compliance"),
        Decision::close(GATE),
        Decision::approve("policy", "governance"),
    ] {
        let commit = repo.decide("j.rivera", &decision);
        let object = repo.object("commit", &commit);
        let read = raw::parse(&object).unwrap();
        assert!(read.same_author_and_committer());
        let parent = repo.rev(&format!("{commit}^{{tree}}"));
        assert_eq!(read.tree().to_string(), parent);
        assert!(matches!(parse_message(read.message()), Reading::Decision { .. }), "{}", read.message());
    }
    for broken in [
        Decision::approve(GATE, "ml-lead").without("Gate-Role"),
        Decision::approve(GATE, "ml-lead").setting("Gate-Content", "sha256:0"),
    ] {
        assert!(matches!(parse_message(&repo.message(&broken)), Reading::Malformed(_)));
    }
}

#[test]
fn logs_and_incidents_stand_where_they_belong() {
    let world = World::new();
    let repo =
        world.governance_repo_with(&Policy::small().replacing("max = 0.05", "max = 0.01").with("# end\n"));
    let merged = repo.allowed_gate(GATE);
    let first = repo.deploy_record("bot", GATE, "production", "requirements");
    let second = repo.deploy_record("bot", GATE, "production", "requirements");
    assert_eq!(repo.git(&["log", "-1", "--format=%P", &second]), format!("{first} {merged}"));
    assert_eq!(repo.rev(&format!("{second}^{{tree}}")), repo.rev("main^{tree}"));
    assert_eq!(repo.rev("deployments/production"), second);
    repo.incident("s.chen", "2026-01", GATE, None);
    let resolved = repo.incident("s.chen", "2026-01", GATE, Some(&world.time()));
    assert_eq!(repo.rev("main"), resolved);
    let bare = repo.clone_to("server.git", true);
    assert_eq!(bare.rev("main"), resolved);
    assert_eq!(bare.git(&["config", "gate.root"]), repo.root);
}

#[test]
fn dates_are_those_of_the_test() {
    let world = World::new();
    let repo = world.governance_repo();
    let date = |commit: &str| repo.git(&["log", "-1", "--format=%cd", "--date=format-local:%FT%TZ", commit]);
    world.at("2026-11-20T10:00:00Z");
    let first = repo.write("a", "1").commit("j.doe", "one");
    world.later(60);
    let second = repo.write("a", "2").commit("j.doe", "two");
    assert_eq!((date(&first), date(&second)), ("2026-11-20T10:00:00Z".into(), "2026-11-20T10:02:00Z".into()));
    let expected = world.days(-3).time();
    assert_eq!(
        (&world.day(-3), date(&repo.write("a", "3").commit("j.doe", "three"))),
        (&expected, expected.clone())
    );
    world.time_zone("Asia/Kathmandu").at("2026-11-20T10:00:00Z");
    let fourth = repo.write("a", "4").commit("j.doe", "four");
    let object = repo.object("commit", &fourth);
    assert_eq!(raw::parse(&object).unwrap().committer_time().to_string(), "2026-11-20T10:00:00Z");
}

#[test]
fn the_program_runs_in_the_world() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.sign_in("j.rivera");
    assert_eq!(repo.git(&["config", "user.email"]), "j.rivera@example.com");
    let mut echo = world.command("echo", &repo.path);
    echo.arg("{\"verdict\": \"allowed\"}");
    assert_eq!(Run::of(echo, b"").json()["verdict"], "allowed");
    std::hint::black_box(Repo::check_json); // For stories about `check`; none is told here.
    let run = repo.run(&["--version"]).expect(0);
    assert_eq!(run.stdout, world.run_with(&repo.path, &["--version"], &[("NO_COLOR", "1")]).stdout);
}
