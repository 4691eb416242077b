//! `review`: what an approver is shown, and that nobody signs anything else.

use crate::world::{Decision, Repo, World, hex_sha256};

const BEFORE: &str = "summarizer/v1.4";
const GATE: &str = "summarizer/v1.5";

/// The request, with an artifact whose text stands in the gate directory.
fn gate_toml(version: &str, risk: &str, prompt: &str) -> String {
    format!(
        "schema = 1\nsystem = \"summarizer\"\nversion = \"{version}\"\nkinds = [\"prompt\"]\nrisk = \"{risk}\"\n\
         environments = [\"production\", \"staging\"]\nsummary = \"Shorter\"\n\
         [[artifact]]\nname = \"summarize.txt\"\ndigest = \"sha256:{}\"\n\
         [[evidence]]\nkind = \"change-description\"\nfile = \"CHANGE.md\"\n\
         [[evidence]]\nkind = \"evaluation\"\nfile = \"evidence/evaluation.json\"\n\
         [evidence.metrics]\ntone = \"/summary/tone\"\n",
        hex_sha256(prompt.as_bytes())
    )
}

fn open(repo: &Repo<'_>, gate: &str, risk: &str, prompt: &str, rate: &str) {
    let (_, version) = gate.split_once('/').unwrap();
    repo.switch(&format!("gate/{gate}"))
        .write(&format!("gates/{gate}/gate.toml"), gate_toml(version, risk, prompt))
        .write(&format!("gates/{gate}/prompts/summarize.txt"), prompt)
        .write(&format!("gates/{gate}/CHANGE.md"), "Why\n")
        .write(
            &format!("gates/{gate}/evidence/evaluation.json"),
            format!("{{\"summary\": {{\"hallucination_rate\": {rate}, \"n\": 400, \"tone\": \"plain\"}}}}\n"),
        );
    repo.commit("j.doe", &format!("Open {gate}"));
}

/// What runs in production, and a version that is to follow it.
fn two_versions(world: &World) -> Repo<'_> {
    let repo = world.governance_repo();
    open(&repo, BEFORE, "low", "Summarize.\nBe brief.\n", "0.03");
    repo.approve("j.rivera", BEFORE, "ml-lead");
    repo.approve("s.chen", BEFORE, "product-lead");
    repo.merge("l.wu", &format!("gate/{BEFORE}"));
    repo.deploy_record("bot", BEFORE, "production", "requirements");
    open(&repo, GATE, "high", "Summarize.\nBe very brief.\n", "0.021");
    repo.decide("k.berg", &Decision::reject(GATE, "ml-lead", "quality").words("The sample is small"));
    repo.switch("main");
    repo
}

fn json(repo: &Repo<'_>, args: &[&str]) -> serde_json::Value {
    let args = [&["review", GATE, "--format", "json"], args].concat();
    repo.world.run(&repo.path, &args).expect(0).json()
}

#[test]
fn the_brief_holds_everything_against_what_is_deployed() {
    let world = World::new();
    let repo = two_versions(&world);
    repo.sign_in("s.chen");
    let brief = json(&repo, &[]);
    assert_eq!(brief["schema"], "git-gate/review/1");
    let content = repo.content(&format!("gate/{GATE}"), &format!("gates/{GATE}"));
    let policy = repo.content("main", "policy");
    assert_eq!(brief["content"], content);

    let change = &brief["changes"][0];
    assert_eq!(change["environments"], serde_json::json!(["production"]), "{brief:#}");
    assert_eq!(change["deployed"]["gate"], BEFORE);
    assert_eq!(change["deployed"]["record"], repo.rev("deployments/production"));
    assert_eq!(change["deployed"]["principal"], "bot@example.com");
    assert_eq!(change["fields"], serde_json::json!([{ "field": "risk", "before": "low", "after": "high" }]));
    let artifact = &change["artifacts"][0];
    assert_eq!(artifact["name"], "summarize.txt");
    assert_eq!(artifact["files"], serde_json::json!(["prompts/summarize.txt"]));
    let files: Vec<&str> =
        change["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(files, ["evidence/evaluation.json", "prompts/summarize.txt"]);
    assert_eq!(change["files"][0]["shown"], "report");
    let lines: Vec<(&str, &str)> = change["files"][1]["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["change"].as_str().unwrap(), line["text"].as_str().unwrap()))
        .collect();
    let expected =
        [("place", ""), ("same", "Summarize."), ("removed", "Be brief."), ("added", "Be very brief.")];
    assert_eq!(lines, expected);
    // Nothing was deployed to staging: all is new there.
    assert_eq!(brief["changes"][1]["deployed"], serde_json::Value::Null);
    assert_eq!(brief["changes"][1]["files"].as_array().unwrap().len(), 3);

    let production = &brief["environments"][0];
    let asked = &production["criteria"][0];
    assert_eq!(
        (asked["criterion"].as_str(), asked["bound"].as_str()),
        (Some("hallucination"), Some("at most 0.05"))
    );
    let number = &asked["numbers"][0];
    assert_eq!(number["value"], 0.021);
    assert_eq!(number["samples"], 400);
    assert_eq!(number["deployed"], serde_json::json!([0.03]));
    assert_eq!(number["delta"], -0.009);
    assert_eq!(production["own"][0]["metric"], "tone");
    assert_eq!(production["own"][0]["value"], "plain");

    let assertions = brief["signing"]["assertions"].as_array().unwrap();
    assert_eq!(brief["signing"]["principal"], "s.chen@example.com");
    assert_eq!(assertions.len(), 1, "{brief:#}");
    let sentence = assertions[0]["sentence"].as_str().unwrap();
    for part in [GATE, "product-lead", "`production` and `staging`", &content, &policy] {
        assert!(sentence.contains(part), "{part}: {sentence}");
    }
    let decided = &production["check"]["decisions"][0];
    assert_eq!(
        (decided["action"].as_str(), decided["words"].as_str()),
        (Some("reject"), Some("The sample is small"))
    );
}

#[test]
fn the_forms_for_people_say_the_same() {
    let world = World::new();
    let repo = two_versions(&world);
    for format in ["text", "markdown"] {
        let shown = world.run(&repo.path, &["review", GATE, "--format", format]).expect(0).stdout;
        let plain = shown.replace('`', "").split_whitespace().collect::<Vec<_>>().join(" ");
        let content = repo.content(&format!("gate/{GATE}"), &format!("gates/{GATE}"));
        for part in [
            "low → high",
            "- Be brief.",
            "+ Be very brief.",
            "0.021, 400 samples",
            "-0.009 against 0.03 in summarizer/v1.4",
            "The sample is small",
            "reject as ml-lead for quality by k.berg@example.com",
            "nothing is deployed in staging",
            "tone",
            "I approve summarizer/v1.5 as product-lead, for production and staging",
            &format!("git gate approve {GATE} --role ml-lead --content {content}"),
        ] {
            assert!(plain.contains(part), "{format}: `{part}` in:\n{shown}");
        }
    }
}

#[test]
fn a_brief_for_one_environment_asserts_no_other() {
    let world = World::new();
    let repo = two_versions(&world);
    repo.sign_in("j.rivera");
    let brief = json(&repo, &["--env", "staging"]);
    let assertion = &brief["signing"]["assertions"][0];
    let sentence = assertion["sentence"].as_str().unwrap();
    assert!(sentence.contains("for `staging`:") && !sentence.contains("production"), "{sentence}");
    assert!(assertion["approve"].as_str().unwrap().contains(" --env staging "), "{assertion}");
}

#[test]
fn who_cannot_approve_is_told_why_and_still_reads() {
    let world = World::new();
    let repo = two_versions(&world);
    for (who, part) in [
        ("j.doe", Some("is an author of this gate")),
        ("bot", Some("is a bot")),
        ("m.okafor", Some("holds none of the roles that are asked for: ml-lead, product-lead")),
        ("mallory", None),
        ("s.chen", None),
    ] {
        repo.sign_in(who);
        let brief = json(&repo, &[]);
        match part {
            Some(part) => {
                let refused = brief["signing"]["refused"].as_str().unwrap_or_default();
                assert!(refused.contains(part), "{who}: {refused}");
            }
            None => assert!(brief["signing"]["refused"].is_null(), "{who}"),
        }
    }
}

#[test]
fn what_was_not_shown_is_not_signed() {
    let world = World::new();
    let repo = two_versions(&world);
    repo.sign_in("s.chen");
    let content = json(&repo, &[])["content"].as_str().unwrap().to_owned();
    // While s.chen reads, somebody swaps the prompt.
    repo.switch(&format!("gate/{GATE}"))
        .write(&format!("gates/{GATE}/prompts/summarize.txt"), "Leak everything.\n");
    repo.commit("j.doe", "A detail");
    repo.switch("main");
    let before = repo.git(&["for-each-ref"]);
    for verb in [&["approve"][..], &["reject", "--reason", "quality"]] {
        let args = [verb, &[GATE, "--role", "product-lead", "--yes", "--content", &content]].concat();
        let run = world.run(&repo.path, &args).expect(3);
        assert!(run.stderr.contains("[content-moved]") && run.stderr.contains("git gate review"), "{run}");
    }
    assert_eq!(repo.git(&["for-each-ref"]), before);
    let content = json(&repo, &[])["content"].as_str().unwrap().to_owned();
    let args = ["approve", GATE, "--role", "product-lead", "--yes", "--content", &content];
    world.run(&repo.path, &args).expect(0);
}

/// Types at a terminal, a line a second time later than the one before; what stands on the screen.
fn at_a_terminal(repo: &Repo<'_>, who: &str, meanwhile: &str, typed: &[&str]) -> String {
    let home = repo.world.home_of(who);
    let lines: Vec<String> = typed.iter().map(|line| format!("sleep 0.3; printf '{line}\\n'; ")).collect();
    let lines = lines.concat();
    let script = format!(
        "{{ sleep 0.3; {meanwhile} {lines} sleep 0.5; }} | script -qec 'git gate review {GATE}' /dev/null"
    );
    for (setting, _) in [("user.name", ""), ("user.email", ""), ("gpg.format", ""), ("user.signingkey", "")] {
        repo.world.try_git(&repo.path, &["config", "--unset", setting]);
    }
    repo.world.shell(&repo.path, &home, &[], &script).stdout
}

#[test]
fn at_a_terminal_the_brief_ends_in_a_signature() {
    let world = World::new();
    let repo = two_versions(&world);
    let before = repo.rev(&format!("gate/{GATE}"));
    let shown = at_a_terminal(&repo, "s.chen", "", &["approve", "The numbers hold", "y"]);
    let tip = repo.rev(&format!("gate/{GATE}"));
    assert_eq!(repo.git(&["log", "-1", "--format=%P", &tip]), before, "{shown}");
    let message = repo.git(&["log", "-1", "--format=%B", &tip]);
    assert!(message.contains("The numbers hold") && message.contains("Gate-Role: product-lead"), "{message}");
    assert!(shown.contains("You are about to sign"), "{shown}");
}

#[test]
fn at_a_terminal_one_may_reject_or_leave() {
    let world = World::new();
    let repo = two_versions(&world);
    let before = repo.git(&["for-each-ref"]);
    let shown = at_a_terminal(&repo, "s.chen", "", &[""]);
    assert!(shown.contains("nothing was signed"), "{shown}");
    assert_eq!(repo.git(&["for-each-ref"]), before);
    let shown = at_a_terminal(&repo, "s.chen", "", &["r", "safety", "It leaks", "y"]);
    let message = repo.git(&["log", "-1", "--format=%B", &format!("gate/{GATE}")]);
    assert!(message.contains("Gate-Reason: safety") && message.contains("It leaks"), "{message}\n{shown}");
}

#[test]
fn what_moves_while_somebody_reads_stops_the_signature_and_is_named() {
    let world = World::new();
    let repo = two_versions(&world);
    repo.switch(&format!("gate/{GATE}"))
        .write(&format!("gates/{GATE}/prompts/summarize.txt"), "Leak everything.\n");
    let moved = repo.commit("j.doe", "A detail");
    let branch = format!("refs/heads/gate/{GATE}");
    repo.git(&["switch", "-q", "main"]);
    repo.git(&["update-ref", &branch, &format!("{moved}^")]);
    let meanwhile = format!("git update-ref {branch} {moved};");
    let shown = at_a_terminal(&repo, "s.chen", &meanwhile, &["approve", "Fine", "y"]);
    assert!(shown.contains("[content-moved]") && shown.contains("`prompts/summarize.txt`"), "{shown}");
    assert_eq!(repo.rev(&branch), moved);
}

#[test]
fn hostile_text_stays_text_in_a_brief() {
    let world = World::new();
    let repo = world.governance_repo();
    let prompt = "a\u{1b}[2Jb \u{202e}evil\n```\n@team <img src=x>\n";
    open(&repo, GATE, "low", prompt, "0.03");
    repo.switch("main");
    for format in ["text", "markdown", "json"] {
        let shown = world.run(&repo.path, &["review", GATE, "--format", format]).expect(0).stdout;
        assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{format}: {shown}");
        if format == "markdown" {
            let block = shown.split("````diff\n").nth(1).unwrap().split("\n  ````\n").next().unwrap();
            assert!(block.contains("```") && block.contains("@team <img"), "{shown}");
        }
    }
}

#[test]
fn a_brief_for_a_pull_request_starts_no_program_of_the_configuration() {
    let world = World::new();
    let repo = two_versions(&world);
    let trace = world.dir().join("trace");
    let touch = format!("touch {}", trace.display());
    for (key, value) in [
        ("gpg.format", "ssh"),
        ("gpg.ssh.defaultKeyCommand", &touch),
        ("gpg.ssh.program", &touch),
        ("core.fsmonitor", &touch),
        ("core.sshCommand", &touch),
    ] {
        repo.git(&["config", key, value]);
    }
    let brief = json(&repo, &[]);
    assert!(brief["signing"]["principal"].is_null());
    run_list(&repo);
    assert!(!trace.exists());
}

fn run_list(repo: &Repo<'_>) {
    repo.world.run(&repo.path, &["list"]).expect(0);
}

#[test]
fn a_gate_is_reviewed_by_the_address_of_its_repository() {
    let world = World::new();
    let repo = two_versions(&world);
    let address = repo.path.to_str().unwrap();
    let args = ["review", address, GATE, "--root", &repo.root, "--format", "json"];
    let brief = world.run(&world.dir(), &args).expect(0).json();
    assert_eq!(brief["content"], json(&repo, &[])["content"]);
    assert_eq!(brief["changes"][0]["deployed"]["gate"], BEFORE);
}
