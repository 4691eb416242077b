//! `report`: what a site holds, that it is safe to publish, and how it comes into place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::world::{Decision, Policy, Repo, World};

const GATE: &str = "summarizer/v1.4";
/// Would run, break out of an attribute, or show something else than it is.
const HOSTILE: &str =
    "<script>alert(1)</script>\" onload='x' <img src=x onerror=alert(1)> &amp; ]]> --> {{7*7}}";

/// A site by path.
pub(crate) fn site(directory: &Path) -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    let mut open = vec![(directory.to_owned(), String::new())];
    while let Some((directory, prefix)) = open.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                open.push((entry.path(), format!("{name}/")));
            } else {
                pages.insert(name, fs::read_to_string(entry.path()).unwrap());
            }
        }
    }
    pages
}

fn html(pages: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    let is_page = |name: &&String| Path::new(name).extension().is_some_and(|ending| ending == "html");
    pages.iter().filter(move |(name, _)| is_page(name)).map(|(name, text)| (name.as_str(), text.as_str()))
}

pub(crate) fn written(repo: &Repo<'_>) -> (PathBuf, BTreeMap<String, String>) {
    let out = repo.world.dir().join("public");
    repo.run(&["report", "--out", out.to_str().unwrap()]).expect(0);
    let pages = site(&out);
    (out, pages)
}

/// In three days.
fn soon() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    git_gate::model::Time::from_unix(i64::try_from(now).unwrap() + 3 * 86_400).unwrap().to_string()
}

/// A version that runs, one past the gate, one on an exception, an incident.
pub(crate) fn eventful(world: &World) -> Repo<'_> {
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    repo.incident("s.chen", "INC-7", GATE, None);
    repo.open("j.doe", "summarizer/v1.5");
    repo.except("j.doe", "summarizer/v1.5", "approval:product-lead", &soon());
    repo.approve("j.rivera", "summarizer/v1.5", "ml-lead");
    repo.merge("l.wu", "gate/summarizer/v1.5");
    repo.deploy_record("bot", "summarizer/v1.5", "production", "requirements");
    repo.switch("main");
    repo
}

#[test]
fn a_site_tells_of_every_gate_deployment_exception_and_incident() {
    let world = World::new();
    let repo = eventful(&world);
    let (_, pages) = written(&repo);
    for name in [
        "index.html",
        "gates.html",
        "deployments.html",
        "exceptions.html",
        "incidents.html",
        "metrics.html",
        "policy.html",
        "control.html",
        "audit.html",
        "criteria.html",
        "systems/summarizer.html",
        "gates/summarizer/v1.4.html",
        "gates/summarizer/v1.5.html",
        "exceptions/summarizer/v1.5.html",
        "incidents/INC-7.html",
        "deployments/production.html",
        "style.css",
    ] {
        assert!(pages.contains_key(name), "{name} among {:?}", pages.keys());
    }
    assert_eq!(pages.keys().filter(|name| name.starts_with("deployments/production/")).count(), 2);
    let gate = &pages["gates/summarizer/v1.4.html"];
    for words in
        ["Required artifacts", "Approvals required", "Sign-off date", "Blocking criteria", "Log entries"]
    {
        assert!(gate.contains(words), "{words}");
    }
    for words in ["j.rivera@example.com", "s.chen@example.com", "bot@example.com", "before-incident", "INC-7"]
    {
        assert!(gate.contains(words), "{words}");
    }
    let overview = &pages["index.html"];
    assert!(overview.contains("1 open debt") && overview.contains("INC-7"), "{overview}");
    let control = &pages["control.html"];
    assert!(
        control.contains("CHM-002") && control.contains("not allowed and not covered: 1 deployment"),
        "{control}"
    );
}

#[test]
fn every_link_of_a_site_leads_to_a_page_and_a_part_of_it() {
    let world = World::new();
    let repo = eventful(&world);
    let (_, pages) = written(&repo);
    let mut seen = 0;
    for (name, text) in html(&pages) {
        for target in text.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            let (file, part) = target.split_once('#').unwrap_or((target, ""));
            let mut path: Vec<&str> = name.split('/').collect();
            path.pop();
            for step in file.split('/') {
                match step {
                    ".." => drop(path.pop().unwrap()),
                    _ => path.push(step),
                }
            }
            let path = if file.is_empty() { name.to_owned() } else { path.join("/") };
            let page = pages.get(&path).unwrap_or_else(|| panic!("{name} leads to {target}"));
            assert!(part.is_empty() || page.contains(&format!("id=\"{part}\"")), "{name} leads to {target}");
            seen += 1;
        }
    }
    assert!(seen > 100);
}

#[test]
fn a_page_has_no_script_no_form_and_a_policy_that_allows_none() {
    let world = World::new();
    let repo = eventful(&world);
    let (_, pages) = written(&repo);
    for (name, text) in html(&pages) {
        assert!(
            text.contains(
                "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'self';"
            ),
            "{name}"
        );
        for element in
            ["<script", "<iframe", "<form", "<img", "<object", " style=\"", " on", "http://", "https://"]
        {
            let found = text.match_indices(element).map(|(at, _)| &text[at..(at + 60).min(text.len())]);
            let found: Vec<&str> = found
                .filter(|found| {
                    element != " on"
                        || found
                            .split(['=', ' '])
                            .nth(1)
                            .is_some_and(|word| word.len() > 4 && found.contains("=\""))
                })
                .collect();
            assert!(found.is_empty() || element == " on", "{name}: {found:?}");
        }
        assert_eq!(text.matches("<h1>").count(), 1, "{name}");
        assert!(
            text.contains("<main id=\"main\"") && text.contains("class=\"skip\" href=\"#main\""),
            "{name}"
        );
    }
}

/// Every place that a person or a tool fills with text of their own.
fn hostile(world: &World) -> Repo<'_> {
    let quoted = format!("{:?}", format!("{HOSTILE} \u{202e}x\u{200b}\u{1b}"));
    let quoted = quoted
        .replace("\\u{202e}", "\\u202e")
        .replace("\\u{200b}", "\\u200b")
        .replace("\\u{1b}", "\\u001b")
        .replace("\\'", "'");
    let name = "\"<img src=x onerror=alert(2)>\"";
    let policy = Policy::small()
        .replacing("id = \"acme-models-3f9c\"", "id = \"<b>acme</b>\"")
        .replacing("title = \"Customer summaries\"", &format!("title = {quoted}"))
        .replacing("product-lead = { members", &format!("product-lead = {{ title = {quoted}, members"))
        .replacing("about = \"change\"", &format!("about = \"change\"\ntitle = {quoted}"))
        .replacing("name = \"hallucination\"", &format!("name = {name}"))
        .replacing("max = 0.05", &format!("max = 0.05, origin = {quoted}"))
        .replacing("name = \"every change\"", "name = \"<i>every</i> change\"");
    let repo = world.governance_repo_with(&policy);
    repo.open("j.doe", GATE);
    let file = repo.path.join("gates/summarizer/v1.4/gate.toml");
    let toml = fs::read_to_string(&file).unwrap();
    let toml = toml.replace(
        "summary = \"Cut hallucinations in long-document summaries\"",
        &format!("summary = {quoted}"),
    );
    let toml = toml.replace(
        "name = \"prompts/summarize.txt\"",
        &format!("name = \"prompts/summarize.txt\"\nuri = {quoted}"),
    );
    repo.write("gates/summarizer/v1.4/gate.toml", toml);
    repo.commit("j.doe", "Text of all kinds");
    repo.decide("k.berg", &Decision::reject(GATE, "ml-lead", "quality").words(HOSTILE));
    repo.decide("j.rivera", &Decision::approve(GATE, "ml-lead").words(HOSTILE));
    repo.except("j.doe", GATE, "approval:product-lead", &soon());
    let file = repo.path.join("exceptions/summarizer/v1.4/exception.toml");
    let toml = fs::read_to_string(&file).unwrap();
    let toml = ["Reviewed by people", "A reviewer sees it", "review", "Label the set"]
        .iter()
        .fold(toml, |toml, text| toml.replace(&format!("\"{text}\""), &quoted));
    repo.write("exceptions/summarizer/v1.4/exception.toml", toml);
    repo.commit("j.doe", "Exception of all kinds");
    repo.merge("l.wu", "gate/summarizer/v1.4");
    repo.deploy_record("bot", GATE, "production", "requirements");
    repo.incident("s.chen", "INC-7", GATE, None);
    let file = repo.path.join("incidents/INC-7.toml");
    let toml = fs::read_to_string(&file).unwrap().replace("\"Wrong summaries\"", &quoted);
    repo.write("incidents/INC-7.toml", format!("{toml}cause = {quoted}\n[metrics]\n{name} = 0.5\n"));
    repo.commit("s.chen", "Incident of all kinds");
    repo
}

/// The texts of a page as a reader sees them: what stands outside of tags, and in attributes.
pub(crate) fn texts(page: &str) -> String {
    page.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[test]
fn hostile_text_in_every_field_shows_as_text() {
    let world = World::new();
    let repo = hostile(&world);
    let (_, pages) = written(&repo);
    let mut shown = BTreeSet::new();
    for (name, text) in html(&pages) {
        for markup in ["<script", "<img", "<b>", "<i>", " onerror=alert(1)>", "onload='x' <"] {
            assert!(!text.contains(markup), "{name} holds {markup}");
        }
        let hidden =
            text.chars().find(|c| (c.is_control() && *c != '\n') || ['\u{202e}', '\u{200b}'].contains(c));
        assert_eq!(hidden, None, "{name}");
        if texts(text).contains("<script>alert(1)</script>") {
            shown.insert(name.to_owned());
        }
    }
    for name in [
        "gates/summarizer/v1.4.html",
        "exceptions/summarizer/v1.4.html",
        "incidents/INC-7.html",
        "policy.html",
        "gates.html",
        "incidents.html",
        "criteria.html",
    ] {
        assert!(shown.contains(name), "{name} among {shown:?}");
    }
    let exception = texts(&pages["exceptions/summarizer/v1.4.html"]);
    assert_eq!(exception.matches("<script>alert(1)</script>").count(), 4, "reason, risk, control, follow-up");
}

#[test]
fn a_page_that_says_the_same_is_not_written_again() {
    let world = World::new();
    let repo = eventful(&world);
    let (out, before) = written(&repo);
    let inode = |name: &str| fs::metadata(out.join(name)).unwrap().ino();
    let inodes: BTreeMap<&str, u64> = before.keys().map(|name| (name.as_str(), inode(name))).collect();
    repo.approve("s.chen", "summarizer/v1.5", "product-lead");
    repo.merge("l.wu", "gate/summarizer/v1.5");
    let (_, after) = written(&repo);
    let changed: Vec<&str> =
        inodes.iter().filter(|(name, known)| inode(name) != **known).map(|(name, _)| *name).collect();
    let different: Vec<&str> = before
        .iter()
        .filter(|(name, text)| after.get(*name) != Some(*text))
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(changed, different);
    assert!(different.contains(&"gates/summarizer/v1.5.html"), "{different:?}");
    assert!(!different.contains(&"gates/summarizer/v1.4.html"), "{different:?}");
    assert!(!different.iter().any(|name| name.starts_with("deployments/")), "{different:?}");
}

#[test]
fn what_is_no_report_is_not_replaced() {
    let world = World::new();
    let repo = eventful(&world);
    let out = world.dir().join("public");
    fs::create_dir_all(&out).unwrap();
    fs::write(out.join("thesis.txt"), "years of work").unwrap();
    let run = repo.run(&["report", "--out", out.to_str().unwrap()]).expect(3);
    assert!(run.stderr.contains("holds something that is no report [not-a-report]"), "{run}");
    assert_eq!(fs::read_to_string(out.join("thesis.txt")).unwrap(), "years of work");
    let beside: Vec<_> = fs::read_dir(world.dir()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!beside.iter().any(|name| name.to_str().unwrap().contains("git-gate-report")), "{beside:?}");
}

#[test]
fn one_gate_is_told_in_one_file_in_markdown_and_html() {
    let world = World::new();
    let repo = hostile(&world);
    let answer = repo.check_json(GATE, "production");
    let markdown = repo.run(&["report", "--gate", GATE]).expect(0).stdout;
    let page = repo.run(&["report", "--gate", GATE, "--as", "html"]).expect(0).stdout;
    for line in answer["requirements"].as_array().unwrap() {
        for id in [&line["id"], &line["status"]] {
            let id = id.as_str().unwrap();
            let word = if id == "failed" { "FAILED" } else { id };
            assert!(texts(&page).contains(word), "{word} in the page");
            assert!(markdown.contains(word), "{word} in the markdown");
        }
    }
    for decision in answer["decisions"].as_array().unwrap() {
        let commit = decision["commit"].as_str().unwrap();
        assert!(page.contains(commit) && markdown.contains(commit), "{commit}");
        if let Some(code) = decision["code"].as_str() {
            assert!(page.contains(code) && markdown.contains(code), "{code}");
        }
    }
    assert!(page.contains("style-src 'sha256-") && !page.contains(" href=\"../"), "{page}");
    assert!(!page.contains("<script") && !markdown.contains("\n<script"), "{markdown}");
    assert!(markdown.contains(&repo.root), "{markdown}");
}

#[test]
fn a_report_says_where_to_when_nothing_was_said() {
    let world = World::new();
    let repo = eventful(&world);
    let run = repo.run(&["report"]).expect(2);
    assert!(run.stderr.contains("`--out <directory>`"), "{run}");
}

#[test]
fn everything_is_told_as_one_object_with_a_schema() {
    let world = World::new();
    let repo = eventful(&world);
    let answer = repo.run(&["report", "--format", "json"]).expect(0).json();
    assert_eq!(answer["schema"], "git-gate/report/1");
    assert_eq!(answer["gates"].as_array().unwrap().len(), 2);
    assert_eq!(answer["log"]["records"].as_array().unwrap().len(), 2);
    assert_eq!(answer["incidents"][0]["id"], "INC-7");
    assert_eq!(answer["control"].as_array().unwrap().len(), 10);
    let own = repo.run(&["show", GATE, "--format", "json"]).json();
    assert_eq!(answer["gates"][0]["environments"][0]["requirements"], own["environments"][0]["requirements"]);
}

/// The two files of OSCAL, of one report.
fn oscal(repo: &Repo<'_>) -> (Value, Value) {
    let out = repo.world.dir().join("public");
    repo.run(&["report", "--out", out.to_str().unwrap(), "--oscal"]).expect(0);
    let read = |name: &str| -> Value {
        serde_json::from_str(&fs::read_to_string(out.join("oscal").join(name)).unwrap()).unwrap()
    };
    (read("assessment-results.json"), read("plan-of-action.json"))
}

#[test]
fn oscal_has_a_finding_for_each_requirement_and_an_item_for_each_risk_and_the_same_ids_again() {
    let world = World::new();
    let repo = eventful(&world);
    let (results, plan) = oscal(&repo);
    let ids = |value: &Value, list: &str| -> Vec<String> {
        let all = value[list].as_array().unwrap().iter();
        all.map(|one| one["uuid"].as_str().unwrap().to_owned()).collect()
    };
    let result = &results["assessment-results"]["results"][0];
    let findings = ids(result, "findings");
    assert_eq!(findings.len(), 10);
    let items = ids(&plan["plan-of-action-and-milestones"], "poam-items");
    assert_eq!(items.len(), 2, "an exception and a debt");
    let (again, plan_again) = oscal(&repo);
    assert_eq!(ids(&again["assessment-results"]["results"][0], "findings"), findings);
    assert_eq!(ids(&plan_again["plan-of-action-and-milestones"], "poam-items"), items);
}

/// `.ci/run` names NIST's schema in `OSCAL_SCHEMA`, where it can be had, and says so where it cannot.
#[test]
fn oscal_is_valid_against_the_schema_of_nist_where_that_is_given() {
    let Some(path) = std::env::var_os("OSCAL_SCHEMA") else { return };
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let world = World::new();
    for repo in [hostile(&world)] {
        let (results, plan) = oscal(&repo);
        for document in [results, plan] {
            let wrong: Vec<String> = validator
                .iter_errors(&document)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(wrong.is_empty(), "{wrong:#?}");
        }
    }
}
