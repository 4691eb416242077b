//! `metrics`: figures of a repository whose own record says what they must be; and the grammar of what Prometheus reads.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::world::{Decision, Repo, Run, World};

/// What happened in [`told`], by the one who made it happen.
#[derive(Default)]
struct Record {
    evidence: Vec<i64>,
    lead: Vec<i64>,
    product: Vec<i64>,
    decided: Vec<i64>,
    deployed: Vec<i64>,
}

const HOUR: i64 = 3600;

/// Four days of a team: seven gates, deployments, an incident, a break-glass.
fn told(world: &World) -> (Repo<'_>, Record) {
    let repo = world.governance_repo();
    let mut record = Record::default();
    let clock = || world.time().parse::<git_gate::model::Time>().unwrap().unix();
    // Two that pass at once; the second waits longer for everybody.
    for (gate, hours) in [("summarizer/v1", 1), ("summarizer/v2", 5)] {
        let opened = clock();
        repo.open("j.doe", gate);
        world.later(hours * HOUR);
        let complete = clock();
        repo.write(&format!("gates/{gate}/CHANGE.md"), "Again.\n").commit("j.doe", "Say more");
        world.later(hours * HOUR);
        record.lead.push(clock() - complete);
        repo.approve("j.rivera", gate, "ml-lead");
        record.product.push(clock() - complete);
        repo.approve("s.chen", gate, "product-lead");
        world.later(HOUR);
        record.decided.push(clock() - opened);
        repo.merge("l.wu", &format!("gate/{gate}"));
        record.evidence.push(complete - opened);
        let decided = clock() - 60;
        world.later(HOUR);
        record.deployed.push(clock() - decided);
        repo.deploy_record("bot", gate, "production", "requirements");
    }
    // Approved on the second pass: its files changed after an approval.
    let gate = "summarizer/v3";
    repo.open("j.doe", gate);
    repo.approve("j.rivera", gate, "ml-lead");
    repo.write(&format!("gates/{gate}/CHANGE.md"), "Once more.\n").commit("j.doe", "Say more");
    repo.approve("j.rivera", gate, "ml-lead");
    repo.approve("s.chen", gate, "product-lead");
    repo.merge("l.wu", &format!("gate/{gate}"));
    // Rejected, closed by a stranger to it, withdrawn by its author, pending, removed.
    repo.open("j.doe", "router/v1");
    repo.decide("k.berg", &Decision::reject("router/v1", "ml-lead", "safety"));
    repo.merge("l.wu", "gate/router/v1");
    for (gate, who) in [("router/v2", "a.ng"), ("router/v3", "j.doe")] {
        repo.open("j.doe", gate);
        repo.decide(who, &Decision::close(gate));
        repo.merge("l.wu", &format!("gate/{gate}"));
    }
    repo.open("j.doe", "router/v4");
    repo.merge("l.wu", "gate/router/v4");
    repo.open("j.doe", "router/v5");
    repo.merge("l.wu", "gate/router/v5");
    repo.git(&["rm", "-rq", "gates/router/v5"]);
    repo.commit("l.wu", "Take it away");
    // One on a branch alone.
    repo.open("j.doe", "router/v6");
    // The second deployment went wrong for two hours; and one went out that was not allowed.
    let shatter = Decision::deploy("router/v4", "production", "break-glass", &repo.root);
    repo.log("bot", "production", &shatter.line("Gate-Reason", "Down"));
    repo.incident("l.wu", "INC-1", "summarizer/v2", None);
    let until = world.later(2 * HOUR - 60).time();
    let from = repo.git(&["show", "main:incidents/INC-1.toml"]);
    let from = from.lines().find(|line| line.starts_with("detected")).unwrap();
    repo.switch("main").write(
        "incidents/INC-1.toml",
        format!(
            "schema = 1\nsystem = \"summarizer\"\nversion = \"v2\"\nenvironment = \"production\"\n\
             severity = \"high\"\n{from}\nresolved = {until}\nsummary = \"Wrong summaries\"\n"
        ),
    );
    repo.commit("l.wu", "It is over");
    (repo, record)
}

#[track_caller]
fn metrics(repo: &Repo<'_>, args: &[&str]) -> Run {
    repo.run(&[&["metrics"], args].concat()).expect(0)
}

#[track_caller]
fn json(repo: &Repo<'_>, args: &[&str]) -> Value {
    metrics(repo, &[args, &["--format", "json"]].concat()).json()
}

fn numbers(of: &[(&str, u64)]) -> BTreeMap<String, u64> {
    of.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect()
}

#[track_caller]
fn counted(value: &Value) -> BTreeMap<String, u64> {
    value.as_object().unwrap().iter().map(|(name, number)| (name.clone(), number.as_u64().unwrap())).collect()
}

#[test]
fn figures_are_what_happened() {
    let world = World::new();
    let (repo, record) = told(&world);
    let metrics = json(&repo, &["--env", "production"]);
    let total = &metrics["total"];
    assert_eq!(total["gates"], 8);
    assert_eq!(
        counted(&total["cycles"]),
        numbers(&[
            ("approved", 3),
            ("rejected", 1),
            ("closed", 1),
            ("withdrawn", 2),
            // Its break-glass is not covered after three days.
            ("blocked", 1),
            ("pending", 0)
        ])
    );
    assert!((total["approval_ratio"].as_f64().unwrap() - 3.0 / 7.0).abs() < 1e-9);
    assert!((total["first_pass_ratio"].as_f64().unwrap() - 2.0 / 7.0).abs() < 1e-9);
    assert_eq!(counted(&total["rejections"]), numbers(&[("safety", 1)]));
    assert_eq!(counted(&total["approvals"]), numbers(&[("counted", 6), ("stale", 1), ("taken-back", 0)]));
    assert_eq!(counted(&total["stale_approvals"]), numbers(&[("stale-content", 1)]));
    let sum = |numbers: &[i64]| numbers.iter().sum::<i64>();
    let spans = &total["span_seconds"];
    // The third was opened, completed, approved and merged a minute after each other.
    assert_eq!(spans["evidence"]["sum"], sum(&record.evidence) + 120);
    assert_eq!(spans["evidence"]["p90"], record.evidence[1]);
    assert_eq!(total["role_wait_seconds"]["ml-lead"]["sum"], sum(&record.lead) + 60);
    assert_eq!(total["role_wait_seconds"]["product-lead"]["sum"], sum(&record.product) + 120);
    assert_eq!(spans["record"]["sum"], 2 * (HOUR + 60) + 60);
    assert_eq!(spans["decided-to-deployed"]["sum"], sum(&record.deployed));
    assert_eq!(spans["restore"]["p50"], 2 * HOUR);
    assert_eq!(spans["opened-to-decided"]["count"], 7);
    assert_eq!(spans["opened-to-decided"]["max"], record.decided[1]);
    assert_eq!(counted(&total["deployments"]), numbers(&[("ran", 3), ("failed", 0), ("void", 0)]));
    assert_eq!(counted(&total["break_glass"]), numbers(&[("all", 1), ("uncovered", 1)]));
    assert_eq!(counted(&total["changes"]), numbers(&[("all", 3), ("failed", 1)]));
    assert_eq!(counted(&total["incidents"]), numbers(&[("all", 1), ("open", 0), ("unlinked", 0)]));
    assert_eq!(metrics["unrecorded"], serde_json::json!(["router/v6"]));
    let reviewer = &total["reviewer_decisions"]["ml-lead"];
    assert_eq!(counted(&reviewer["j.rivera@example.com"]), numbers(&[("approve", 4), ("reject", 0)]));
    assert_eq!(counted(&reviewer["k.berg@example.com"]), numbers(&[("approve", 0), ("reject", 1)]));
    assert_eq!(total["reviewer_quick_approvals"]["ml-lead"]["j.rivera@example.com"], 2);
}

#[test]
fn groups_add_up_and_time_cuts_by_when_it_happened() {
    let world = World::new();
    let (repo, _) = told(&world);
    for by in ["system", "risk", "kind", "environment", "month"] {
        let metrics = json(&repo, &["--by", by]);
        let groups = metrics["groups"].as_object().unwrap();
        let sum: u64 = groups.values().map(|group| group["cycles_opened"].as_u64().unwrap()).sum();
        assert_eq!(Some(sum), metrics["total"]["cycles_opened"].as_u64(), "{by}");
    }
    let roles = json(&repo, &["--by", "role"]);
    assert_eq!(roles["groups"]["ml-lead"]["approvals"]["counted"], 3);
    assert_eq!(roles["groups"]["ml-lead"]["rejections"]["safety"], 1);
    let none = json(&repo, &["--until", "2020-01-01"]);
    assert_eq!(none["total"]["gates"], 0);
    assert_eq!(none["total"]["deployments"]["ran"], 0);
    let all = json(&repo, &["--since", "30d"]);
    assert_eq!(all["total"], json(&repo, &[])["total"]);
    let one = json(&repo, &["--system", "router"]);
    assert_eq!(one["total"]["gates"], 5);
    repo.run(&["metrics", "--since", "2026-01-02", "--until", "2026-01-01"]).expect(2);
    repo.run(&["metrics", "--since", "soon"]).expect(2);
}

#[test]
fn every_form_has_every_number() {
    let world = World::new();
    let (repo, _) = told(&world);
    for format in ["text", "markdown"] {
        let shown = metrics(&repo, &["--by", "system", "--format", format]).stdout;
        for word in [
            "approved",
            "withdrawn",
            "safety",
            "for ml-lead",
            "break-glass",
            "summarizer",
            "router/v6",
            "nearest-rank",
        ] {
            assert!(shown.contains(word), "{format}: {word}\n{shown}");
        }
    }
    let csv = metrics(&repo, &["--by", "system", "--format", "csv"]).stdout;
    let prometheus = metrics(&repo, &["--by", "system", "--format", "openmetrics"]).stdout;
    let leaves = leaves(&json(&repo, &["--by", "system"])["total"]);
    assert_eq!(csv.lines().filter(|line| line.starts_with(",,")).count(), leaves);
    let of_groups = prometheus.lines().filter(|line| line.contains("by=\"system\"")).count();
    let others = prometheus.lines().filter(|line| !line.starts_with('#')).count() - of_groups;
    // Besides: what was left out, what is unrecorded, and the time.
    assert_eq!(others, leaves + 3);
    for (format, args) in [("csv", ["list"]), ("openmetrics", ["status"])] {
        let refused = repo.run(&[&args[..], &["--format", format]].concat()).expect(2);
        assert!(refused.stderr.contains("metrics"), "{}", refused.stderr);
    }
}

fn leaves(value: &Value) -> usize {
    value.as_object().map_or(1, |below| below.values().map(leaves).sum())
}

#[test]
fn a_file_is_written_whole_and_anybody_reads_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let (repo, _) = told(&world);
    let printed = metrics(&repo, &["--format", "openmetrics"]).stdout;
    let run = metrics(&repo, &["--format", "openmetrics", "--out", "gate.prom"]);
    assert_eq!(run.stdout, "");
    let file = repo.path.join("gate.prom");
    let without_time = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.contains("timestamp")).map(str::to_owned).collect()
    };
    assert_eq!(without_time(&std::fs::read_to_string(&file).unwrap()), without_time(&printed));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    let left: Vec<_> =
        std::fs::read_dir(&repo.path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".git-gate-")), "{left:?}");
    repo.run(&["metrics", "--out", "nowhere/gate.prom"]).expect(3);
}

#[test]
fn openmetrics_keeps_the_grammar() {
    let world = World::new();
    let (repo, _) = told(&world);
    for args in [&["--format", "openmetrics"][..], &["--format", "openmetrics", "--by", "month"]] {
        hold_openmetrics(&metrics(&repo, args).stdout).unwrap();
    }
    for broken in [
        "# TYPE a gauge\na 1\n",
        "a 1\n# EOF\n",
        "# TYPE a gauge\na{b=c} 1\n# EOF\n",
        "# TYPE a gauge\na{b=\"\\c\"} 1\n# EOF\n",
        "# TYPE a gauge\na 1\na 2\n# EOF\n",
        "# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n",
        "# TYPE a gauge\na one\n# EOF\n",
        "# TYPE a gauge\n\na 1\n# EOF\n",
        "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\na{c=\"d\"} 1\n# EOF\n",
    ] {
        assert!(hold_openmetrics(broken).is_err(), "{broken}");
    }
}

/// Whether a text is OpenMetrics 1.0, as far as gauges go: written from its ABNF, not from the program.
fn hold_openmetrics(text: &str) -> Result<(), String> {
    let body = text.strip_suffix("# EOF\n").ok_or("it does not end in `# EOF`")?;
    let mut family = None;
    let mut families = BTreeSet::new();
    let mut samples = BTreeSet::new();
    for line in body.split_terminator('\n') {
        let wrong = |why: &str| Err(format!("{why}: {line}"));
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            let (Some(keyword), Some(name), Some(said)) = (words.next(), words.next(), words.next()) else {
                return wrong("metadata has three parts");
            };
            if !is_name(name, true) {
                return wrong("no name of a metric");
            }
            match keyword {
                "TYPE" if said == "gauge" && families.insert(name.to_owned()) => {
                    family = Some(name.to_owned());
                }
                "UNIT" if Some(name) == family.as_deref() && name.ends_with(&format!("_{said}")) => {}
                "HELP" if Some(name) == family.as_deref() => {}
                _ => return wrong("metadata that cannot stand here"),
            }
            continue;
        }
        let name_end =
            line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).unwrap_or(line.len());
        let (name, mut rest) = line.split_at(name_end);
        if Some(name) != family.as_deref() {
            return wrong("a sample outside its family");
        }
        let mut labels = BTreeSet::new();
        if let Some(mut inside) = rest.strip_prefix('{') {
            loop {
                let Some((label, value)) = inside.split_once("=\"") else { return wrong("labels") };
                if !is_name(label, false) || !labels.insert(label.to_owned()) {
                    return wrong("no name of a label, or twice");
                }
                let Some(end) = end_of_value(value) else { return wrong("the value of a label") };
                inside = value.get(end + 1..).unwrap_or_default();
                match inside.chars().next() {
                    Some(',') => inside = inside.get(1..).unwrap_or_default(),
                    Some('}') => break,
                    _ => return wrong("after a label"),
                }
            }
            rest = inside.get(1..).unwrap_or_default();
        }
        if !samples.insert(line.rsplit_once(' ').map(|(series, _)| series.to_owned())) {
            return wrong("a series twice");
        }
        let number = rest.strip_prefix(' ').unwrap_or_default();
        if number.is_empty() || number.contains(' ') || number.parse::<f64>().is_err() {
            return wrong("no number");
        }
    }
    Ok(())
}

fn is_name(text: &str, colon: bool) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colon && c == ':');
    text.chars().all(fits) && text.starts_with(|c: char| !c.is_ascii_digit() && fits(c))
}

/// Where the closing quote stands; nothing where an escape is none.
fn end_of_value(text: &str) -> Option<usize> {
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some(at),
            '\\' if !matches!(chars.next()?.1, '\\' | '"' | 'n') => return None,
            _ => {}
        }
    }
    None
}
