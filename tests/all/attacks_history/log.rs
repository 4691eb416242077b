//! The deployment log: whose records count, what supports a return, what a break-glass costs.

use super::*;
use crate::world::World;

const NEXT: &str = "summarizer/v1.5";

/// The small policy with a bound that the reports of [`Repo::open`] do not keep, from serial 2 on.
fn tightened(repo: &Repo<'_>) {
    enact(repo, &strict());
}

#[test]
fn a_version_that_ran_may_return_though_the_rules_changed() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let record = repo.deploy_record("bot", GATE, "production", "requirements");
    tightened(&repo);
    let answer = check(&repo);
    assert_eq!(verdict(&answer), "allowed rollback", "{answer:#}");
    assert_eq!(answer["log"], *record);
    assert_eq!(status(&answer, "criterion:hallucination"), "failed");
}

#[test]
fn only_records_by_deployers_support_a_return() {
    for (who, supports) in [("bot", true), ("mallory", false), ("l.wu", false), ("eval-ci", false)] {
        let world = World::new();
        let repo = world.governance_repo();
        repo.allowed_gate(GATE);
        repo.deploy_record(who, GATE, "production", "requirements");
        tightened(&repo);
        let expected = if supports { "allowed rollback" } else { "blocked" };
        assert_eq!(verdict(&check(&repo)), expected, "{who}");
    }
}

#[test]
fn a_record_that_writes_its_own_basis_supports_nothing() {
    for basis in ["requirements", "exception", "rollback"] {
        let world = World::new();
        let repo = world.governance_repo();
        repo.open("j.doe", GATE);
        repo.merge("l.wu", &format!("gate/{GATE}"));
        let record = repo.deploy_record("bot", GATE, "production", basis);
        let answer = check(&repo);
        assert_eq!(verdict(&answer), "blocked", "{basis}");
        let found = found(&answer, "integrity:break-glass");
        assert!(found.contains(&record[..7]), "{found}");
    }
}

#[test]
fn a_record_of_other_content_supports_nothing() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let lie = Decision::deploy(GATE, "production", "requirements", &repo.root);
    repo.log("bot", "production", &lie.setting("Gate-Content", &format!("sha256:{}", "0".repeat(64))));
    tightened(&repo);
    assert_eq!(verdict(&check(&repo)), "blocked");
}

#[test]
fn a_record_of_a_version_supports_no_changed_version() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    repo.write(&format!("gates/{GATE}/CHANGE.md"), "Other words\n").commit("j.doe", "Change");
    let answer = check(&repo);
    assert_eq!((verdict(&answer).as_str(), status(&answer, "approval:ml-lead")), ("pending", "stale"));
}

#[test]
fn a_record_with_other_artifacts_supports_nothing() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let other = format!("prompts/summarize.txt=sha256:{}", "0".repeat(64));
    let lie = Decision::deploy(GATE, "production", "requirements", &repo.root).line("Gate-Artifact", &other);
    repo.log("bot", "production", &lie);
    tightened(&repo);
    let answer = check(&repo);
    assert_eq!(verdict(&answer), "blocked");
    assert_eq!(status(&answer, "integrity:break-glass"), "failed", "{answer:#}");
}

#[test]
fn a_return_must_come_within_the_window() {
    for (day, expected) in [(-190, "blocked"), (-170, "allowed rollback")] {
        let world = World::new();
        world.days(-200);
        let repo = world.governance_repo();
        repo.allowed_gate(GATE);
        repo.deploy_record("bot", GATE, "production", "requirements");
        world.days(day);
        repo.allowed_gate(NEXT);
        repo.deploy_record("bot", NEXT, "production", "requirements");
        world.days(-5);
        tightened(&repo);
        assert_eq!(verdict(&check(&repo)), expected, "{day}");
    }
}

#[test]
fn what_runs_now_is_within_every_window() {
    let world = World::new();
    world.days(-200);
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    world.days(-5);
    tightened(&repo);
    assert_eq!(verdict(&check(&repo)), "allowed rollback");
}

#[test]
fn a_record_from_before_an_incident_supports_nothing() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    repo.incident("s.chen", "2026-01", GATE, None);
    assert_eq!(status(&check(&repo), "incident:2026-01"), "failed");
    repo.incident("s.chen", "2026-01", GATE, Some(&world.time()));
    let answer = check(&repo);
    assert_eq!((verdict(&answer).as_str(), status(&answer, "approval:ml-lead")), ("pending", "stale"));
}

#[test]
fn a_record_that_failed_supports_nothing_if_a_deployer_says_so() {
    for (who, expected) in
        [("bot", "blocked"), ("mallory", "allowed rollback"), ("j.doe", "allowed rollback")]
    {
        let world = World::new();
        let repo = world.governance_repo();
        repo.allowed_gate(GATE);
        let record = repo.deploy_record("bot", GATE, "production", "requirements");
        repo.log(who, "production", &failed(&record));
        tightened(&repo);
        assert_eq!(verdict(&check(&repo)), expected, "{who}");
    }
}

fn failed(record: &str) -> Decision {
    Decision::new("deploy-failed", GATE).line("Gate-Environment", "production").line("Gate-Record", record)
}

/// Only of the last record that counts can it be said: what came after it ran instead.
#[test]
fn a_record_that_another_one_followed_can_no_longer_be_said_to_have_failed() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let record = repo.deploy_record("bot", GATE, "production", "requirements");
    repo.allowed_gate(NEXT);
    repo.deploy_record("bot", NEXT, "production", "requirements");
    repo.log("bot", "production", &failed(&record));
    tightened(&repo);
    assert_eq!(verdict(&check(&repo)), "allowed rollback");
}

#[test]
fn a_withdrawn_approval_ends_the_support_of_a_record() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    repo.decide("j.rivera", &Decision::withdraw(GATE));
    repo.merge("l.wu", &format!("gate/{GATE}"));
    let answer = check(&repo);
    assert_eq!((verdict(&answer).as_str(), status(&answer, "approval:ml-lead")), ("pending", "missing"));
}

#[test]
fn a_return_passes_over_no_rejection() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    repo.decide("k.berg", &Decision::reject(GATE, "ml-lead", "safety"));
    repo.merge("l.wu", &format!("gate/{GATE}"));
    assert_eq!(verdict(&check(&repo)), "blocked");
}

#[test]
fn a_break_glass_blocks_when_its_review_is_overdue_until_it_is_covered() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.merge("l.wu", &format!("gate/{GATE}"));
    let shatter = Decision::deploy(GATE, "production", "break-glass", &repo.root).line("Gate-Reason", "Down");
    let record = repo.log("bot", "production", &shatter);
    repo.approve("s.chen", GATE, "product-lead");
    world.later(3600);
    repo.merge("l.wu", &format!("gate/{GATE}"));
    let answer = check(&repo);
    assert_eq!((verdict(&answer).as_str(), status(&answer, "integrity:break-glass")), ("blocked", "failed"));
    let soon = check_with(&repo, &["--time", &world.time()]);
    assert_eq!(verdict(&soon), "allowed requirements");
    assert!(notice(&soon, "break-glass-uncovered").unwrap().contains(&record[..7]));
    for (waives, expected) in
        [("evidence:evaluation", "blocked"), ("approval:product-lead", "allowed requirements")]
    {
        cover(&repo, &record, waives);
        assert_eq!(verdict(&check(&repo)), expected, "{waives}");
    }
    repo.git(&["rm", "-q", "-r", "exceptions"]);
    repo.commit("j.doe", "No longer there");
    assert_eq!(verdict(&check(&repo)), "allowed requirements", "covered once is covered");
}

/// A cover for a record, written by `j.doe`, accepted by compliance, merged.
pub(crate) fn cover(repo: &Repo<'_>, record: &str, waives: &str) {
    repo.switch(&format!("gate/{GATE}"));
    repo.write(
        &format!("exceptions/{GATE}/covers/{record}/exception.toml"),
        format!(
            "schema = 1\nsystem = \"summarizer\"\nversion = \"v1.4\"\nenvironments = [\"production\"]\n\
             waives = [\"{waives}\"]\nreason = \"The service was down\"\nrisk = \"Nobody had looked\"\n\
             owner = \"s.chen@example.com\"\ncontrols = [\"review\"]\n\
             follow_ups = [{{ what = \"Look\", who = \"j.rivera@example.com\", due = {} }}]\n",
            repo.world.day(7)
        ),
    );
    repo.commit("j.doe", "Cover");
    repo.decide("m.okafor", &Decision::accept_risk(GATE, "compliance").line("Gate-Record", record));
    repo.merge("l.wu", &format!("gate/{GATE}"));
}

#[test]
fn a_break_glass_of_one_version_blocks_the_whole_system_and_no_other() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    repo.merge("l.wu", &format!("gate/{GATE}"));
    let shatter = Decision::deploy(GATE, "production", "break-glass", &repo.root).line("Gate-Reason", "Down");
    repo.log("bot", "production", &shatter);
    repo.allowed_gate(NEXT);
    repo.allowed_gate("other/v1");
    let of = |gate: &str| repo.check_json(gate, "production");
    assert_eq!(status(&of(NEXT), "integrity:break-glass"), "failed");
    assert_eq!(status(&of("other/v1"), "integrity:break-glass"), "met");
    assert_eq!(status(&repo.check_json(NEXT, "staging"), "integrity:break-glass"), "met");
}

#[test]
fn an_exception_is_in_force_only_as_it_was_accepted() {
    let day = |world: &World, days| world.day(days);
    for (case, expected, why) in [
        ("as it should be", "allowed exception", ""),
        ("not accepted", "blocked", "accept-risk"),
        ("accepted by its author", "blocked", "accept-risk"),
        ("too long", "blocked", "expires more than 14d"),
        ("expired", "blocked", "expired"),
        ("changed after", "blocked", "accept-risk"),
        ("gate changed after", "blocked", "accept-risk"),
        ("waives integrity", "blocked", "cannot"),
        ("waives what is unknown", "blocked", "no requirement"),
    ] {
        let world = World::new();
        let repo = world.governance_repo();
        let evaluation = format!("gates/{GATE}/evidence/evaluation.json");
        repo.open("j.doe", GATE);
        repo.write(&evaluation, "{\"summary\": {\"hallucination_rate\": 0.2, \"n\": 4}}\n")
            .commit("j.doe", "Worse");
        let expires = match case {
            "too long" => day(&world, 60),
            "expired" => day(&world, -1),
            _ => day(&world, 7),
        };
        let waives = match case {
            "waives integrity" => "integrity:authors",
            "waives what is unknown" => "nonsense:hallucination",
            _ => "criterion:hallucination",
        };
        let author = if case == "accepted by its author" { "m.okafor" } else { "k.berg" };
        repo.except(author, GATE, waives, &expires);
        if case != "not accepted" {
            repo.decide("m.okafor", &Decision::accept_risk(GATE, "compliance"));
        }
        if case == "changed after" {
            repo.write(&format!("exceptions/{GATE}/note.md"), "More\n").commit("k.berg", "More");
        }
        if case == "gate changed after" {
            repo.write(&evaluation, "{\"summary\": {\"hallucination_rate\": 0.9, \"n\": 4}}\n")
                .commit("j.doe", "Swap");
        }
        repo.approve("j.rivera", GATE, "ml-lead");
        repo.approve("s.chen", GATE, "product-lead");
        repo.merge("l.wu", &format!("gate/{GATE}"));
        let answer = check(&repo);
        assert_eq!(verdict(&answer), expected, "{case}: {answer:#}");
        let reason = answer["exceptions"][0]["reason"].as_str().unwrap_or_default().to_owned();
        assert!(reason.contains(why), "{case}: {reason}");
    }
}

#[test]
fn a_failure_is_not_masked_by_what_anybody_logs_between() {
    for between in [false, true] {
        let world = World::new();
        let repo = world.governance_repo();
        repo.allowed_gate(GATE);
        let record = repo.deploy_record("bot", GATE, "production", "requirements");
        // Too old for its requirements, the version may return: it ran here.
        let later = world.day(60);
        assert_eq!(verdict(&check_with(&repo, &["--time", &later])), "allowed rollback");
        if between {
            let message = repo.message(&Decision::deploy(GATE, "production", "requirements", &repo.root));
            let log = ["-p", "deployments/production", "-p", "main", "-m", &message];
            let forged = repo.git_as("mallory", &[&["commit-tree", "main^{tree}"], &log[..]].concat());
            repo.git(&["update-ref", "refs/heads/deployments/production", &forged]);
        }
        let failed = Decision::new("deploy-failed", GATE)
            .line("Gate-Environment", "production")
            .line("Gate-Record", &record);
        repo.log("bot", "production", &failed);
        let answer = check_with(&repo, &["--time", &later]);
        assert_eq!(verdict(&answer), "pending", "{answer:#}");
        assert!(notice(&answer, "rollback-refused").is_some(), "{answer:#}");
    }
}

#[test]
fn a_bot_that_was_never_trusted_rewinds_nothing_and_hides_nothing() {
    let world = World::new();
    let public = format!("{}.pub", world.key("bot").display());
    let listed = world.ssh_keygen(&["-l", "-f", &public], b"").stdout;
    let key = listed.split(' ').nth(1).unwrap();
    let revoked = format!("[[revoked]]\nkey = \"{key}\"\nsince = \"never-trusted\"\nreason = \"stolen\"\n");
    let repo = world.governance_repo_with(&Policy::small().with(&revoked));
    repo.allowed_gate(GATE);
    let tree = repo.rev("main^{tree}");
    let elsewhere = repo.git_as("mallory", &["commit-tree", &tree, "-m", "Elsewhere"]);
    let message = repo.message(&Decision::deploy(GATE, "production", "requirements", &repo.root));
    let record = repo.git_as("bot", &["commit-tree", "-S", &tree, "-p", &elsewhere, "-m", &message]);
    repo.git(&["update-ref", "refs/heads/deployments/production", &record]);
    let answer = check(&repo);
    assert_eq!(verdict(&answer), "blocked", "{answer:#}");
    assert_eq!(status(&answer, "integrity:break-glass"), "failed");
}

#[test]
fn a_record_dated_ahead_puts_no_honest_one_out_of_chain() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    world.days(300);
    repo.deploy_record("bot", GATE, "production", "requirements");
    world.days(-2);
    repo.allowed_gate("summarizer/v1.5");
    repo.deploy_record("bot", "summarizer/v1.5", "production", "requirements");
    repo.allowed_gate("summarizer/v1.6");
    let args =
        ["check", "summarizer/v1.6", "--env", "production", "--time", &world.day(5), "--format", "json"];
    let answer = repo.run(&args).json();
    assert!(!found(&answer, "integrity:break-glass").contains("v1.5"), "{answer:#}");
}

#[test]
fn a_record_on_a_mainline_commit_dated_ahead_is_in_chain() {
    let world = World::new();
    let repo = world.governance_repo();
    let before = "summarizer/v1.3";
    repo.allowed_gate(before);
    world.days(30);
    repo.switch("main").write("note", "x").commit_unsigned("mallory", "Dated ahead");
    world.days(-3);
    repo.deploy_record("bot", before, "production", "requirements");
    repo.allowed_gate(GATE);
    let answer = check_with(&repo, &["--time", &world.day(4)]);
    assert_eq!(verdict(&answer), "allowed requirements", "{answer:#}");
    assert!(notice(&answer, "step-in-the-future").is_some(), "{answer:#}");
}

#[test]
fn a_record_dated_before_what_it_judged_is_a_break_glass() {
    for (later, expected) in [(-70, "failed"), (-60, "met")] {
        let world = World::new();
        let repo = world.governance_repo();
        repo.allowed_gate(GATE);
        world.later(later);
        repo.deploy_record("bot", GATE, "production", "requirements");
        let answer = check(&repo);
        assert_eq!(status(&answer, "integrity:break-glass"), expected, "{later}: {answer:#}");
    }
}

/// What a moment later than now may see of the log, it sees anew: what was found as of now is not what holds then.
#[test]
fn a_record_dated_ahead_is_judged_as_of_its_own_time_whatever_was_found_before() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    world.days(5);
    let first = repo.deploy_record("bot", GATE, "production", "requirements");
    // As of this moment too the first one lies ahead. Who signed it is known and deploys nothing: it is no break-glass.
    world.days(1);
    let between = repo.deploy_record("l.wu", GATE, "production", "requirements");
    // Later than the review of a break-glass: the last one is allowed where the first one is no break-glass.
    world.days(9);
    let last = repo.deploy_record("bot", GATE, "production", "requirements");
    let log = repo.run(&["log", "--format", "json"]).expect(0).json();
    for (place, record, break_glass) in [(0, first, true), (1, between, false), (2, last, true)] {
        let found = &log["records"][place];
        assert_eq!(found["record"], *record);
        assert_eq!(
            (&found["counts"], &found["break_glass"]),
            (&false.into(), &break_glass.into()),
            "{found:#}"
        );
        assert_eq!(found["replay"]["verdict"], "allowed", "{found:#}");
    }
}

/// What was logged, how, and what then holds.
type Story<'a> = (&'a str, &'a dyn Fn(&Repo<'_>), &'a str);

/// What a comparison is with: the last version whose record counts, did not fail and is allowed when judged again.
#[test]
fn a_comparison_is_with_the_last_version_that_was_rightly_deployed() {
    let compared = "max = 0.05, compare = \"deployed\", max_rise = 0.001, first = \"pass\"";
    let policy = Policy::small().replacing("max = 0.05", compared);
    let none = |_: &Repo<'_>| {};
    let by_the_bot = |repo: &Repo<'_>| drop(repo.deploy_record("bot", GATE, "production", "requirements"));
    let elsewhere = |repo: &Repo<'_>| drop(repo.deploy_record("bot", GATE, "staging", "requirements"));
    let by_nobody = |repo: &Repo<'_>| drop(repo.deploy_record("mallory", GATE, "production", "requirements"));
    let that_failed = |repo: &Repo<'_>| {
        let record = repo.deploy_record("bot", GATE, "production", "requirements");
        repo.log("bot", "production", &failed(&record));
    };
    let not_allowed = |repo: &Repo<'_>| {
        repo.open("j.doe", "summarizer/v1.3");
        repo.merge("l.wu", "gate/summarizer/v1.3");
        repo.deploy_record("bot", "summarizer/v1.3", "production", "requirements");
    };
    let before_that = |repo: &Repo<'_>| {
        by_the_bot(repo);
        not_allowed(repo);
    };
    let cases: [Story<'_>; 7] = [
        ("nothing was deployed", &none, "met"),
        ("deployed", &by_the_bot, "failed"),
        ("deployed elsewhere", &elsewhere, "met"),
        ("by nobody who deploys", &by_nobody, "met"),
        ("said to have failed", &that_failed, "met"),
        ("not allowed", &not_allowed, "met"),
        ("the one before what is not allowed", &before_that, "failed"),
    ];
    for (what, log, expected) in cases {
        let world = World::new();
        let repo = world.governance_repo_with(&policy);
        repo.allowed_gate(GATE);
        log(&repo);
        repo.open("j.doe", NEXT);
        let worse = "{\"summary\": {\"hallucination_rate\": 0.04, \"n\": 400}}\n";
        repo.write(&format!("gates/{NEXT}/evidence/evaluation.json"), worse).commit("j.doe", "Worse");
        repo.merge("l.wu", &format!("gate/{NEXT}"));
        let answer = repo.check_json(NEXT, "production");
        assert_eq!(status(&answer, "criterion:hallucination"), expected, "{what}: {answer:#}");
    }
}
