//! Holds the documentation to the program: examples parse, commands exist, codes and tests that it names are there.
//!
//! Fenced blocks carry words behind their language. `toml <kind>` names the file it is an example of, and
//! [`TOML_KINDS`] how to read that. `console <world>` names the repository in which its commands run, one after the
//! other over the whole page; [`sessions`] gives them in that order, for a test that has these repositories.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::markdown::{self, blocks, quoted, section, table};

/// Reads one example; an error says what is wrong with it.
type Check = fn(&str) -> Result<(), String>;

/// Every kind of TOML example, and how it is read.
const TOML_KINDS: &[(&str, Check)] = &[
    ("policy", is_policy),
    ("gate", is_gate),
    ("exception", is_exception),
    ("incident", is_incident),
    ("rollback", is_rollback),
    // A part of one of these files.
    ("part", is_toml),
];

/// Every repository in which a console block may run, named after who works there. `origin` is a bare repository
/// beside it; the policy of all but the first has the roles of docs/policy.md, with a software key for each person.
const WORLDS: &[&str] = &[
    // An empty directory, a new SSH key as `user.signingkey`, a name and an e-mail address.
    "owner",
    // j.doe@example.com, who holds no role: nothing of summarizer/v1.4 is there yet; `prompts/summarize.txt` and
    // `reports/{CHANGE.md,evaluation.json,injection.json,bias.csv,rollback.toml}` are.
    "engineer",
    // j.rivera@example.com, ml-lead: summarizer/v1.4 is on its branch, whole, without approvals.
    "approver",
    // No key, no policy of its own: summarizer/v1.4 is on the mainline of `origin`, approved; `$ROOT` is the trust
    // root; `release/summarize.txt` is the artifact.
    "bot",
    // The same. `$TIP` is the mainline's tip, `$TIME` its time, `$APPROVAL` an approval.
    "auditor",
];

/// The commands of this version.
const COMMANDS: &[&str] = &[
    "approve", "artifact", "attach", "check", "close", "demo", "detach", "init", "merge", "open", "policy",
    "ready", "reject", "show", "trust", "withdraw",
];

fn is_toml(text: &str) -> Result<(), String> {
    text.parse::<toml::Table>().map(drop).map_err(|error| error.to_string())
}

/// Without keys there are findings, such as members without one; what the policy says must read whole.
fn is_policy(text: &str) -> Result<(), String> {
    git_gate::policy::Policy::parse(text.as_bytes(), b"").map(drop).map_err(|problems| problems.to_string())
}

fn summarizer() -> git_gate::model::GateName {
    "summarizer/v1.4".parse().unwrap()
}

fn is_gate(text: &str) -> Result<(), String> {
    git_gate::request::GateRequest::parse("gate.toml", text.as_bytes(), &summarizer())
        .map(drop)
        .map_err(|problems| problems.to_string())
}

fn is_exception(text: &str) -> Result<(), String> {
    let kind = git_gate::request::ExceptionKind::Main;
    git_gate::request::Exception::parse("exception.toml", text.as_bytes(), &summarizer(), kind)
        .map(drop)
        .map_err(|problems| problems.to_string())
}

fn is_incident(text: &str) -> Result<(), String> {
    git_gate::request::Incident::parse("incident.toml", text.as_bytes())
        .map(drop)
        .map_err(|problems| problems.to_string())
}

fn is_rollback(text: &str) -> Result<(), String> {
    use git_gate::evidence::{Format, Reading, read};
    let reading = Reading { declared: Some(Format::Rollback), ..Reading::default() };
    let report = read(text.as_bytes(), &reading).map_err(|unreadable| format!("{unreadable:?}"))?;
    report.metrics.contains_key("rollback.seconds").then_some(()).ok_or_else(|| "gives no `rollback.seconds`".into())
}

/// One command of a page, as a person types it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The world it runs in.
    pub(crate) world: String,
    /// Its line in the page, from 1.
    pub(crate) line: usize,
    /// The command, without `$ `; continued lines are joined.
    pub(crate) command: String,
    /// What stands below it as its output; empty where the page shows none.
    pub(crate) output: String,
}

/// The commands of all console blocks of a page, in their order.
pub(crate) fn sessions(text: &str) -> Result<Vec<Step>, String> {
    let mut steps: Vec<Step> = Vec::new();
    for block in blocks(text)? {
        let [language, world] = block.words.as_slice() else { continue };
        if language != "console" {
            continue;
        }
        let first = steps.len();
        let mut continued = false;
        for (index, line) in block.text.lines().enumerate() {
            if let (true, Some(step)) = (continued, steps.last_mut()) {
                step.command.push(' ');
                step.command.push_str(line.trim());
            } else if let Some(command) = line.strip_prefix("$ ") {
                let line = block.line + 1 + index;
                let command = command.to_owned();
                steps.push(Step { world: world.clone(), line, command, output: String::new() });
            } else if steps.len() > first {
                steps.last_mut().into_iter().for_each(|step| step.output.extend([line, "\n"]));
                continue;
            } else {
                return Err(format!("line {}: a console block begins with `$ `", block.line));
            }
            continued = steps.last_mut().is_some_and(|step| match step.command.strip_suffix('\\') {
                Some(command) => {
                    step.command = command.trim_end().to_owned();
                    true
                }
                None => false,
            });
        }
    }
    Ok(steps)
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|other| other == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// README.md and every page of `docs/`, by name.
fn pages() -> BTreeMap<String, String> {
    let mut paths = files(&root().join("docs"), "md");
    paths.push(root().join("README.md"));
    let name = |path: &Path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    paths.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// All Rust text of `src/` and `tests/`.
fn code() -> String {
    let paths = [files(&root().join("src"), "rs"), files(&root().join("tests"), "rs")].concat();
    paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[track_caller]
fn nothing(found: &[String]) {
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// The first cell of each row of the tables below `heading` whose first column is named `first`.
fn listed(page: &str, heading: &str, header: &[&str]) -> Vec<String> {
    let part = section(page, heading).unwrap_or_else(|| panic!("no heading `{heading}`"));
    table(part, header).unwrap().iter().flat_map(|row| quoted(&row.cells[0])).collect()
}

#[test]
fn every_toml_example_reads_as_the_file_that_it_shows() {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, text) in pages() {
        for block in blocks(&text).unwrap() {
            if block.words.first().is_none_or(|language| language != "toml") {
                continue;
            }
            let kind = block.words.get(1).map_or("", String::as_str);
            match TOML_KINDS.iter().find(|(known, _)| *known == kind) {
                None => wrong.push(format!("{name}:{}: `toml {kind}` is no kind of example", block.line)),
                Some((known, check)) => {
                    seen.insert(*known);
                    wrong.extend(check(&block.text).err().map(|why| format!("{name}:{}: {why}", block.line)));
                }
            }
        }
    }
    nothing(&wrong);
    assert_eq!(seen.len(), TOML_KINDS.len(), "only {seen:?} have an example");
}

#[test]
fn every_command_shown_exists_and_knows_its_world() {
    let mut wrong = Vec::new();
    for (name, text) in pages() {
        for block in blocks(&text).unwrap() {
            if block.words.first().is_some_and(|word| word == "console") && block.words.len() != 2 {
                wrong.push(format!("{name}:{}: a console block names its world", block.line));
            }
        }
        for step in sessions(&text).unwrap() {
            if !WORLDS.contains(&step.world.as_str()) {
                wrong.push(format!("{name}:{}: no world `{}`", step.line, step.world));
            }
        }
        for command in commands_in(&text) {
            if !COMMANDS.contains(&command.as_str()) {
                wrong.push(format!("{name}: `git gate {command}` is no command of this version"));
            }
        }
    }
    nothing(&wrong);
}

/// The word behind each `git gate` that stands as code.
fn commands_in(text: &str) -> Vec<String> {
    let typed = ["`git gate ", "$ git gate "];
    let after = typed.iter().flat_map(|before| text.split(before).skip(1));
    let word =
        |rest: &str| rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect::<String>();
    after.map(word).filter(|word| !word.is_empty() && !word.starts_with('-')).collect()
}

#[test]
fn every_decision_code_is_explained_in_its_order() {
    let all: Vec<String> = git_gate::model::Code::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(listed(&page("codes.md"), "## Decision codes", &["code", "why", "what to do"]), all);
}

#[test]
fn every_error_code_is_explained_once() {
    // Each module with errors of its own has one such list; add it here.
    let lists = [git_gate::git::CODES];
    let explained = listed(&page("codes.md"), "## Error codes", &["code", "meaning"]);
    let once: BTreeSet<&String> = explained.iter().collect();
    assert_eq!(once.len(), explained.len(), "a code stands twice");
    for (code, _) in lists.into_iter().flatten() {
        assert!(once.contains(&(*code).to_owned()), "`{code}` is not in docs/codes.md");
    }
}

#[test]
fn every_problem_code_is_explained() {
    let explained: BTreeSet<String> = quoted(&page("codes.md")).into_iter().collect();
    let mut wrong = BTreeSet::new();
    for folder in ["policy", "request", "signature"] {
        for path in files(&root().join("src").join(folder), "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for literal in code.split('"').filter(|literal| is_problem_code(literal)) {
                if !explained.contains(literal) {
                    wrong.insert(format!("`{literal}` ({}) is not in docs/codes.md", path.display()));
                }
            }
        }
    }
    nothing(&wrong.into_iter().collect::<Vec<_>>());
}

fn is_problem_code(literal: &str) -> bool {
    let prefixes = ["policy-", "signers-", "gate-", "exception-", "incident-", "cover-"];
    prefixes.iter().any(|prefix| literal.starts_with(prefix))
        && literal.chars().all(|c| c.is_ascii_lowercase() || c == '-')
        && !literal.ends_with('-')
}

#[test]
fn every_format_action_and_status_is_explained() {
    let evidence = page("evidence.md");
    let formats: Vec<&str> = git_gate::evidence::Format::ALL.iter().map(|format| format.as_str()).collect();
    assert_eq!(listed(&evidence, "## Formats", &["format", "detected by", "gives"]), formats);
    for format in formats {
        assert!(section(&evidence, &format!("### `{format}`")).is_some(), "{format}");
    }
    let rules = quoted(&page("rules.md"));
    for verb in git_gate::decision::Verb::ALL {
        assert!(rules.contains(&verb.as_str().to_owned()), "{}", verb.as_str());
    }
}

#[test]
fn every_threat_names_a_test_that_is_there() {
    let page = page("threats.md");
    let code = code();
    let mut wrong = Vec::new();
    let rows = table(&page, &["the attacker", "the reader", "test"]).unwrap();
    assert!(rows.len() > 50);
    for row in &rows {
        let cell = row.cells.get(2).map_or("", String::as_str);
        let names = quoted(cell);
        if names.is_empty() && cell != "not in this version" {
            wrong.push(row.wrong("a test, or `not in this version`"));
        }
        for name in names {
            match (code.contains(&format!("fn {name}(")), cell.starts_with("planned ")) {
                (false, false) => wrong.push(format!("docs/threats.md:{}: no test `{name}`", row.line)),
                (true, true) => {
                    wrong.push(format!("docs/threats.md:{}: `{name}` is there: not planned", row.line));
                }
                (true, false) | (false, true) => {}
            }
        }
    }
    nothing(&wrong);
}

#[test]
fn rules_are_numbered_without_gaps_and_cited_as_they_stand() {
    let rules = page("rules.md");
    let numbers: Vec<(u32, u32)> = rules
        .lines()
        .filter_map(|line| line.strip_prefix("**R")?.split_once("**"))
        .map(|(n, _)| number(n))
        .collect();
    for pair in numbers.windows(2) {
        let ((section, rule), next) = (pair[0], pair[1]);
        assert!(
            next == (section, rule + 1) || next == (section + 1, 1),
            "R{section}.{rule} is followed by {next:?}"
        );
    }
    let known: BTreeSet<(u32, u32)> = numbers.into_iter().collect();
    assert!(known.len() > 100);
    let texts = pages().into_values().chain([code()]);
    for cited in texts.flat_map(|text| citations(&text)) {
        assert!(known.contains(&cited), "R{}.{} is cited and not in docs/rules.md", cited.0, cited.1);
    }
}

fn number(text: &str) -> (u32, u32) {
    let (section, rule) = text.split_once('.').unwrap();
    (section.parse().unwrap(), rule.parse().unwrap())
}

/// Every `R<section>.<rule>` in `text`.
fn citations(text: &str) -> Vec<(u32, u32)> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
    let digits = |part: &str| !part.is_empty() && part.len() < 4 && part.bytes().all(|b| b.is_ascii_digit());
    words
        .filter_map(|word| word.strip_prefix('R')?.trim_end_matches('.').split_once('.'))
        .filter(|(section, rule)| digits(section) && digits(rule))
        .map(|(section, rule)| number(&format!("{section}.{rule}")))
        .collect()
}

#[test]
fn every_link_leads_to_a_file() {
    for (name, text) in pages() {
        let folder = root().join(&name).parent().unwrap().to_owned();
        for target in markdown::links(&text) {
            assert!(folder.join(&target).exists(), "{name}: `{target}` is not there");
        }
    }
}

#[test]
fn limits_are_told_as_they_are() {
    use git_gate::model::limits;
    let rules = page("rules.md");
    let mib = |bytes: u64| format!("{} MiB", bytes / (1024 * 1024));
    for told in [
        format!("{} levels", limits::DIRECTORY_DEPTH),
        format!("{} files", limits::DIRECTORY_FILES),
        format!("{} a file", mib(limits::FILE_BYTES)),
        format!("{} a directory", mib(limits::DIRECTORY_BYTES)),
        format!("{} minutes", limits::CLOCK_SKEW_SECONDS / 60),
        format!("{} bits", limits::RSA_BITS),
    ] {
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat(&rules).contains(&flat(&told)), "docs/rules.md does not say `{told}`");
    }
}

#[test]
fn console_blocks_give_their_commands_in_order() {
    let text = "```console fresh\n$ a \\\n    b\nout\n$ c\n```\nx\n```console fresh\n$ d\n```\n```console\nno\n```\n";
    let steps = sessions(text).unwrap();
    let told: Vec<_> =
        steps.iter().map(|step| (step.line, step.command.as_str(), step.output.as_str())).collect();
    assert_eq!(told, [(2, "a b", "out\n"), (5, "c", ""), (9, "d", "")]);
    assert!(sessions("```console fresh\nno\n```\n").is_err());
}

#[test]
fn commands_are_found_in_text_and_sessions() {
    assert_eq!(commands_in("`git gate check x` and\n$ git gate show\n`git gate --help`"), ["check", "show"]);
    assert_eq!(citations("R9.1, (R10.12). XR1.2 R1 R.2 R1.2.3"), [(9, 1), (10, 12)]);
}
