//! `report` says what `metrics`, `audit`, `tune` and `backtest` say: the same numbers, the same codes, nothing else (R14.1,
//! R14.4 to R14.8).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::report::{eventful, texts, written};
use crate::world::{Decision, Policy, Repo, World};

const GATE: &str = "summarizer/v1.4";

fn json(repo: &Repo<'_>, args: &[&str]) -> Value {
    repo.run(&[args, &["--format", "json"]].concat()).json()
}

/// The rows of every table of a page, as a reader sees them.
fn rows(page: &str) -> Vec<Vec<String>> {
    let rows = page.split("<tr>").skip(1).map(|row| row.split("</tr>").next().unwrap());
    rows.map(|row| row.replace("<th", "<td").split("<td").skip(1).map(said).collect()).collect()
}

fn said(cell: &str) -> String {
    let mut text = String::new();
    let mut inside = true;
    for c in cell.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => inside = false,
            c if !inside => text.push(c),
            _ => {}
        }
    }
    texts(&text).trim().to_owned()
}

/// Every number of an object of JSON, with the names above it.
fn leaves(value: &Value, above: &[&str], found: &mut Vec<(Vec<String>, String)>) {
    if let Value::Object(fields) = value {
        for (name, value) in fields {
            leaves(value, &[above, &[name]].concat(), found);
        }
    } else {
        found.push((above.iter().map(|name| (*name).to_owned()).collect(), value.to_string()));
    }
}

/// The control's findings by id: how far each is shown, and what is said of it.
fn control(report: &Value) -> BTreeMap<String, (String, String)> {
    let found = report["control"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    found
        .map(|one| {
            let said = format!("{} | {}", one["records"], one["missing"]);
            (text(&one["id"]), (text(&one["shown"]), said))
        })
        .collect()
}

#[test]
fn the_metrics_page_shows_every_number_that_metrics_prints() {
    let world = World::new();
    let repo = eventful(&world);
    let (_, pages) = written(&repo);
    let metrics = json(&repo, &["metrics", "--by", "month"]);
    let rows = rows(&pages["metrics.html"]);
    let mut numbers = Vec::new();
    leaves(&metrics["total"], &[], &mut numbers);
    assert!(numbers.len() > 40, "{numbers:?}");
    for (names, number) in &numbers {
        let (figure, labels) = names.split_first().unwrap();
        let shown =
            rows.iter().find(|row| row.len() == 4 && row[0] == *figure && row[1] == labels.join(" · "));
        let shown = shown.unwrap_or_else(|| panic!("{names:?} is not on the page"));
        let numbers = [shown[2].trim_end_matches(" s"), number].map(|number| number.parse::<f64>().unwrap());
        assert!((numbers[0] - numbers[1]).abs() < f64::EPSILON, "{names:?}: {numbers:?}");
    }
    let whole = json(&repo, &["report"]);
    for part in ["total", "groups", "left_out", "unrecorded", "by", "percentiles"] {
        assert_eq!(whole["metrics"][part], metrics[part], "{part}");
    }
    for words in ["First-pass rate", "Waiting, by role", "Signs of rubber-stamping", "Change failure rate"] {
        assert!(pages["metrics.html"].contains(words), "{words}");
    }
}

#[test]
fn what_the_audit_finds_stands_on_the_overview_the_audit_and_the_deployment() {
    let world = World::new();
    let repo = eventful(&world);
    told_everywhere(&repo, 3);
    // What no longer runs is told before the end of its log is read.
    repo.allowed_gate("summarizer/v1.6");
    repo.deploy_record("bot", "summarizer/v1.6", "production", "requirements");
    repo.switch("main");
    told_everywhere(&repo, 3);
}

#[track_caller]
fn told_everywhere(repo: &Repo<'_>, violations_expected: usize) {
    let audit = json(repo, &["audit"]);
    let whole = json(repo, &["report"]);
    for part in ["population", "violations", "debts", "not_audited"] {
        assert_eq!(whole["audit"][part], audit[part], "{part}");
    }
    let violations = audit["violations"].as_array().unwrap();
    assert_eq!(violations.len(), violations_expected, "{audit}");
    let (_, pages) = written(repo);
    for violation in violations {
        let [code, record] = ["code", "record"].map(|field| violation[field].as_str().unwrap());
        for page in ["index.html", "audit.html", &format!("deployments/production/{record}.html")] {
            assert!(rows(&pages[page]).iter().any(|row| row[0] == code), "{code} on {page}");
        }
    }
    // Nothing is wrong with the other one, and its page says so.
    let clean =
        audit["deployments"].as_array().unwrap().iter().find(|one| one["violations"] == Value::Array(vec![]));
    let clean = clean.unwrap()["record"].as_str().unwrap();
    let page = &pages[&format!("deployments/production/{clean}.html")];
    assert!(page.contains("The audit finds nothing."), "{page}");
    // Who signed off, on which reports, under which policy.
    let then =
        &audit["deployments"].as_array().unwrap().iter().find(|one| one["record"] == clean).unwrap()["then"];
    for report in then["evidence"].as_array().unwrap() {
        assert!(page.contains(report["digest"].as_str().unwrap()), "{report}");
    }
    for decision in then["decisions"].as_array().unwrap() {
        assert!(page.contains(decision["key"].as_str().unwrap()), "{decision}");
    }
    assert!(page.contains(then["policy"]["digest"].as_str().unwrap()));
    let due = audit["debts"][0]["due"]
        .as_str()
        .map_or("at once".to_owned(), |due| due.replace('T', " ").replace('Z', " UTC"));
    let debts = rows(&pages["index.html"]);
    assert!(debts.iter().any(|row| row.len() == 6 && row[4] == due), "{due}");
}

#[test]
fn a_log_that_was_rewound_makes_no_report() {
    let world = World::new();
    let repo = eventful(&world);
    repo.merge("l.wu", "deployments/production");
    repo.git(&["update-ref", "refs/heads/deployments/production", "deployments/production~1"]);
    let out = world.dir().join("public");
    let run = repo.run(&["report", "--out", out.to_str().unwrap()]).expect(3);
    assert!(run.stderr.contains("[log-rewound]"), "{run}");
    assert!(!out.exists());
}

#[test]
fn criteria_incidents_and_bounds_are_those_of_tune_and_backtest() {
    let world = World::new();
    let policy = Policy::small().replacing("max = 0.05", "max = 0.05, origin = \"INC-7\"");
    let repo = world.governance_repo_with(&policy);
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    repo.incident("s.chen", "INC-7", GATE, None);
    repo.incident("s.chen", "INC-8", GATE, None);
    let (_, pages) = written(&repo);
    let page = &pages["criteria.html"];
    let rows = rows(page);
    let origin = rows.iter().find(|row| row[0] == "hallucination" && row[1] == "came from incidents");
    assert_eq!(origin.unwrap()[2], "INC-7");
    let unanswered =
        page.split("Incidents that changed nothing").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(unanswered.contains("INC-8") && !unanswered.contains("INC-7"), "{unanswered}");
    assert!(pages["incidents/INC-7.html"].contains("It is the origin of: hallucination."));
    assert!(pages["incidents/INC-8.html"].contains("no criterion in force names it"));

    let whole = json(&repo, &["report"]);
    let tune = json(&repo, &["tune"]);
    for part in ["ran", "led", "criteria", "origins"] {
        assert_eq!(whole["criteria"][part], tune[part], "{part}");
    }
    let backtest = json(&repo, &["backtest", "--policy", "main"]);
    assert_eq!(whole["in_force"]["score"], backtest["in_force"]);
    for part in ["judged", "undecided", "left_out"] {
        assert_eq!(whole["in_force"][part], backtest[part], "{part}");
    }
    let all = rows.iter().find(|row| row[0] == "the policy as a whole").unwrap();
    assert_eq!(all[1..], ["0", "0", "1", "0", "0", "0"], "one that ran, led to incidents and would pass");
    let (shown, said) = &control(&whole)["level-5"];
    assert_eq!(shown, "in-part");
    for words in ["`hallucination` came from INC-7", "stopped 0 of 1", "as its origin: INC-8"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn the_control_is_shown_by_records_and_says_what_is_missing() {
    let ids: Vec<String> = (1..=5).flat_map(|at| [format!("evidence-{at}"), format!("level-{at}")]).collect();
    let shown = |repo: &Repo<'_>| {
        let found = control(&json(repo, &["report"]));
        assert_eq!(found.len(), 10);
        ids.iter().map(|id| (id.clone(), found[id].clone())).collect::<BTreeMap<_, _>>()
    };
    let words = |found: &BTreeMap<String, (String, String)>| -> String {
        found.values().map(|(shown, _)| shown.chars().next().unwrap()).collect()
    };
    // evidence-1 to 5, then level-1 to 5: whole, in part, not.
    let world = World::new();
    let empty = shown(&world.governance_repo());
    assert_eq!(words(&empty), "nnnwnnwinn", "{empty:#?}");

    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    let clean = shown(&repo);
    assert_eq!(words(&clean), "wwwwwwwwwn", "{clean:#?}");
    assert!(clean["evidence-3"].1.contains("with the approvals that counted then, 2 in all"), "{clean:#?}");
    for figure in ["approval rate: 2 of 2", "rejection reasons", "cycle time: half decided within"] {
        assert!(clean["level-4"].1.contains(figure), "{figure}: {clean:#?}");
    }

    let world = World::new();
    let repo = eventful(&world);
    let debts = shown(&repo);
    for id in ["evidence-1", "evidence-4", "level-1", "level-3"] {
        assert_eq!(debts[id].0, "in-part", "{id}: {debts:#?}");
    }
    assert!(debts["evidence-1"].1.contains("`not-allowed`"), "{debts:#?}");

    // A record that is no deployer's is no deployment.
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("mallory", GATE, "production", "requirements");
    let forged = shown(&repo);
    assert!(forged["evidence-5"].1.contains("`record-unsigned`"), "{forged:#?}");
    assert_ne!(forged["evidence-5"].0, "whole");
}

#[test]
fn what_stands_on_a_branch_alone_is_told_apart_and_counts_as_nothing() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.open("j.doe", "summarizer/v1.5");
    // A gate of the mainline whose branch holds more.
    repo.switch(&format!("gate/{GATE}"));
    repo.decide("k.berg", &Decision::reject(GATE, "ml-lead", "quality"));
    repo.switch("main");
    let (_, pages) = written(&repo);
    let branches = pages["gates.html"].split("On branches, not merged").nth(1).unwrap();
    assert!(
        branches.contains("gate/summarizer/v1.5") && branches.contains("gate/summarizer/v1.4"),
        "{branches}"
    );
    let own = &pages["gates/summarizer/v1.5.html"];
    assert!(own.contains("It stands on its branch alone") && own.contains("approval:ml-lead"), "{own}");
    assert!(pages["index.html"].contains("1 gate on the mainline, 1 on branches alone"));
    assert!(pages["metrics.html"].contains("on a branch alone, not recorded yet"));
    // As the mainline has it, it is allowed; as if the branch were merged, it is rejected.
    let system = rows(&pages["systems/summarizer.html"]);
    let row = system.iter().find(|row| row[0] == GATE).unwrap();
    assert!(row.iter().any(|cell| cell.contains("allowed") && cell.contains("blocked")), "{row:?}");
    let whole = json(&repo, &["report"]);
    assert_eq!(whole["unmerged"].as_array().unwrap().len(), 2);
    assert_eq!(whole["gates"].as_array().unwrap().len(), 1);
    assert_eq!(whole["metrics"]["total"]["gates"], 1);
    assert_eq!(whole["metrics"]["unrecorded"], serde_json::json!(["summarizer/v1.5"]));
}

#[test]
fn a_gate_that_was_removed_is_told_of_where_a_log_names_it() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    let record = repo.deploy_record("bot", GATE, "production", "requirements");
    repo.incident("s.chen", "INC-7", GATE, None);
    repo.switch("main").git(&["rm", "-rq", &format!("gates/{GATE}")]);
    repo.commit("l.wu", "Tidy up");
    repo.git(&["branch", "-D", &format!("gate/{GATE}")]);
    let (_, pages) = written(&repo);
    let page = &pages["gates/summarizer/v1.4.html"];
    assert!(page.contains("it does not stand on the mainline"), "{page}");
    assert!(
        page.contains(&format!("deployments/production/{record}.html")) && page.contains("INC-7"),
        "{page}"
    );
    assert!(pages.contains_key("systems/summarizer.html"));
}
