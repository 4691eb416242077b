//! What the pages show at a prompt is run, as it stands there, by people with real keys in real repositories.
//!
//! `console <person>` says who types a block. The blocks of a page run one after the other, in one world that [`stage`]
//! sets: each person goes on where they were, in the directory of their last block. Output that is shown is compared
//! line by line: ids and times may be others, but one id is one id over the whole page; a line `…` stands for any lines,
//! and `(exit status n)` at the end says how the command ended, where that is not 0.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Parser as _;

use super::{nothing, page, pages};
use crate::markdown::{blocks, quoted};
use crate::world::{Decision, Policy, World};

const GATE: &str = "summarizer/v1.4";

/// Everybody who types, and whose key they sign with: nobody's, where they sign nothing.
const PEOPLE: &[(&str, Option<&str>)] = &[
    ("owner", Some("a.ng")),
    ("engineer", Some("j.doe")),
    ("approver", Some("j.rivera")),
    ("product-lead", Some("s.chen")),
    ("bot", Some("bot")),
    // Brings its key along, as a secret.
    ("pipeline", None),
    ("auditor", None),
    // Keeps the repository that others push to.
    ("server", None),
    // Whose git is not set up yet.
    ("newcomer", None),
];

/// One command of a page, as a person types it.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    person: String,
    /// Its line in the page, from 1.
    line: usize,
    /// The command, without `$ `; continued lines are joined.
    command: String,
    /// What stands below it as its output; empty where the page shows none.
    output: Vec<String>,
    /// How it ends.
    status: i32,
}

/// The commands of all console blocks of a page, in their order.
fn sessions(text: &str) -> Result<Vec<Step>, String> {
    let mut steps: Vec<Step> = Vec::new();
    for block in
        blocks(text)?.into_iter().filter(|block| block.words.first().is_some_and(|word| word == "console"))
    {
        let [_console, person] = block.words.as_slice() else {
            return Err(format!("line {}: a console block names who types", block.line));
        };
        let first = steps.len();
        let mut continued = false;
        for (line, text) in (block.line + 1..).zip(block.text.lines()) {
            match (steps.get_mut(first..).and_then(<[Step]>::last_mut), text.strip_prefix("$ ")) {
                (Some(step), _) if continued => step.command.extend([" ", text.trim()]),
                (_, Some(command)) => {
                    let (person, command) = (person.clone(), command.to_owned());
                    steps.push(Step { person, line, command, output: Vec::new(), status: 0 });
                }
                (Some(step), None) => {
                    step.output.push(text.to_owned());
                    continue;
                }
                (None, None) => return Err(format!("line {line}: a console block begins with `$ `")),
            }
            if let Some(step) = steps.last_mut() {
                continued = step.command.ends_with('\\');
                step.command.truncate(step.command.trim_end_matches('\\').trim_end().len());
            }
        }
    }
    for step in &mut steps {
        let ended = |line: &String| line.strip_prefix("(exit status ")?.strip_suffix(')')?.parse().ok();
        if let Some(status) = step.output.last().and_then(ended) {
            step.status = status;
            step.output.pop();
        }
    }
    Ok(steps)
}

/// What a page begins with: where each person is, and what their shell knows.
struct Stage<'w> {
    world: &'w World,
    people: BTreeMap<&'static str, (PathBuf, PathBuf)>,
    variables: Vec<(String, String)>,
}

/// Sets the world of a page. `$REPOSITORY` is the server's, `$ROOT` its trust root; everybody is in a directory of their
/// own, with `reports/`, and `prompts/summarize.txt`, the artifact.
fn stage<'w>(world: &'w World, name: &str) -> Stage<'w> {
    let mut variables = Vec::new();
    if name != "docs/guide-policy-owner.md" {
        let attested = name == "docs/guide-evaluation-pipeline.md";
        let policy = if attested {
            let table = "[evidence.evaluation]\n";
            Policy::small().replacing(table, &format!("{table}attested_by = [\"eval-ci\"]\n"))
        } else {
            Policy::small()
        };
        let repo = world.governance_repo_with(&policy);
        let mut say = |name: &str, value: &str| variables.push((name.to_owned(), value.to_owned()));
        say("ROOT", &repo.root);
        match name {
            "docs/guide-approver.md" => drop(repo.open("j.doe", GATE)),
            "docs/guide-evaluation-pipeline.md" => {
                repo.open("j.doe", GATE);
                // Measured by hand, before the pipeline ran.
                let report = format!("gates/{GATE}/evidence/evaluation.json");
                repo.write(&report, "{\"summary\": {\"hallucination_rate\": 0.03, \"n\": 12}}\n");
                repo.commit("j.doe", "A first look");
                say("EVAL_CI_KEY", std::fs::read_to_string(world.key("eval-ci")).unwrap().trim_end());
            }
            "docs/guide-release-bot.md" => drop(repo.allowed_gate(GATE)),
            // What was deployed yesterday is closed today.
            "docs/guide-auditor.md" => {
                repo.allowed_gate("summarizer/v1.3");
                say("LOG", &repo.deploy_record("bot", "summarizer/v1.3", "production", "requirements"));
                say("TIP", &repo.allowed_gate(GATE));
                say("TIME", &world.time());
                repo.deploy_record("bot", GATE, "production", "requirements");
                let approval = repo.git(&["log", "-1", "--format=%H", "--grep=Gate-Role: ml-lead", "main"]);
                say("APPROVAL", &approval);
                repo.decide("j.rivera", &Decision::close(GATE));
                repo.merge("l.wu", &format!("gate/{GATE}"));
            }
            // One version led to an incident, the next one runs nowhere yet.
            "docs/metrics.md" | "docs/report.md" | "docs/refinement.md" => {
                repo.allowed_gate("summarizer/v1.3");
                repo.deploy_record("bot", "summarizer/v1.3", "production", "requirements");
                repo.incident("s.chen", "INC-7", "summarizer/v1.3", None);
                repo.allowed_gate(GATE);
                repo.open("j.doe", "summarizer/v1.5");
                repo.switch("main");
            }
            _ => {}
        }
        let server = repo.clone_to("server.git", true);
        say("REPOSITORY", server.path.to_str().unwrap());
    }
    let mut people = BTreeMap::new();
    for (person, key) in PEOPLE {
        let home = match key {
            Some(who) => world.home_of(who),
            None => world.dir().join("homes").join(person),
        };
        let here = world.dir().join("desks").join(person);
        for (path, text) in FILES {
            let path = here.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        // What a pipeline has copied.
        if name == "docs/guide-release-bot.md" {
            let script = here.join("hooks/ci/gate.sh");
            std::fs::create_dir_all(script.parent().unwrap()).unwrap();
            std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/hooks/ci/gate.sh"), script).unwrap();
        }
        std::fs::create_dir_all(&home).unwrap();
        people.insert(*person, (home, here));
    }
    if name == "docs/guide-engineer.md" {
        // Who approves has a clone already: docs/guide-approver.md.
        let clone = "git clone -q $REPOSITORY governance && git -C governance config gate.root $ROOT";
        for person in ["approver", "product-lead"] {
            let (home, here) = people.get_mut(person).unwrap();
            world.shell(here, home, &variables, clone).expect(0);
            here.push("governance");
        }
    }
    Stage { world, people, variables }
}

/// What lies on everybody's desk. The artifact is the one of the harness's own requests.
const FILES: [(&str, &str); 3] = [
    ("prompts/summarize.txt", "v1.4"),
    ("reports/CHANGE.md", "Answer with facts of the document only.\n"),
    ("reports/evaluation.json", "{\"summary\": {\"hallucination_rate\": 0.021, \"n\": 400}}\n"),
];

/// Runs every command of a page.
#[track_caller]
fn run(name: &str, text: &str) {
    let world = World::new();
    let mut stage = stage(&world, name);
    let mut ids = Ids::default();
    for step in sessions(text).unwrap() {
        let place = format!("{name}:{}: $ {}", step.line, step.command);
        let (home, here) =
            stage.people.get_mut(step.person.as_str()).unwrap_or_else(|| panic!("{place}: who is that?"));
        let there = world.dir().join("there");
        let script = format!("{}\nended=$?; pwd > '{}'; exit $ended", step.command, there.display());
        let ran = stage.world.shell(here, home, &stage.variables, &script);
        assert_eq!(ran.status, step.status, "{place}\n{ran}");
        *here = std::fs::read_to_string(there).unwrap().trim_end().into();
        let printed: Vec<&str> = ran.stdout.lines().collect();
        let shown: Vec<&str> = step.output.iter().map(String::as_str).collect();
        if shown.is_empty() {
            continue;
        }
        ids = same(&shown, &printed, &ids)
            .unwrap_or_else(|| panic!("{place}\nprints otherwise:\n{}", ran.stdout));
    }
}

#[test]
fn the_guide_for_engineers_works() {
    run("docs/guide-engineer.md", &page("guide-engineer.md"));
}

#[test]
fn the_guide_for_approvers_works() {
    run("docs/guide-approver.md", &page("guide-approver.md"));
}

#[test]
fn the_guide_for_release_bots_works() {
    run("docs/guide-release-bot.md", &page("guide-release-bot.md"));
}

#[test]
fn the_guide_for_evaluation_pipelines_works() {
    run("docs/guide-evaluation-pipeline.md", &page("guide-evaluation-pipeline.md"));
}

#[test]
fn the_guide_for_policy_owners_works() {
    run("docs/guide-policy-owner.md", &page("guide-policy-owner.md"));
}

#[test]
fn the_guide_for_auditors_works() {
    run("docs/guide-auditor.md", &page("guide-auditor.md"));
}

#[test]
fn the_guide_for_who_keeps_the_repository_works() {
    run("docs/guide-server.md", &page("guide-server.md"));
}

#[test]
fn what_the_page_on_editors_and_shells_shows_happens() {
    run("docs/editors-and-shells.md", &page("editors-and-shells.md"));
}

#[test]
fn what_the_page_on_metrics_shows_happens() {
    run("docs/metrics.md", &page("metrics.md"));
}

#[test]
fn what_the_page_on_reports_shows_happens() {
    run("docs/report.md", &page("report.md"));
}

#[test]
fn what_the_page_on_refinement_shows_happens() {
    run("docs/refinement.md", &page("refinement.md"));
}

#[test]
fn no_other_page_shows_a_session() {
    let others = ["docs/editors-and-shells.md", "docs/metrics.md", "docs/report.md", "docs/refinement.md"];
    for (name, text) in pages() {
        let guide = name.starts_with("docs/guide-") || others.contains(&name.as_str());
        assert_eq!(!sessions(&text).unwrap().is_empty(), guide, "{name}: add a test that runs it");
    }
}

#[test]
fn the_transcript_is_what_the_demo_prints() {
    let readme = &pages()["README.md"];
    let transcript =
        blocks(readme).unwrap().into_iter().find(|block| block.words == ["text", "transcript"]).unwrap();
    let shown: Vec<&str> = transcript.text.lines().collect();
    let world = World::new();
    let printed = world.run(&world.dir(), &["demo"]).expect(0).stdout;
    let printed: Vec<&str> = printed.lines().collect();
    // Line by line, so that what is no longer there is named.
    let mut rest = printed.as_slice();
    let mut ids = Ids::default();
    for line in shown.iter().filter(|line| !["…", ""].contains(line)) {
        let found = rest.iter().enumerate().find_map(|(at, real)| Some((at, same_line(line, real, &ids)?)));
        let (at, now) =
            found.unwrap_or_else(|| panic!("the demo no longer prints, after what stands before: `{line}`"));
        (rest, ids) = (&rest[at + 1..], now);
    }
    let whole = [&["…"], shown.as_slice(), &["…"]].concat();
    assert!(same(&whole, &printed, &Ids::default()).is_some(), "a line is left out without `…`");
}

/// Commands that stand in a sentence or a table are well-formed, with an example for each `<word>` in them.
#[test]
fn every_command_in_a_sentence_is_one() {
    let words = [
        ("<commit>", "3f2a91c04b7d5e8f6a1b2c3d4e5f60718293a4b5"),
        ("<gate>", GATE),
        ("<system>/<version>", GATE),
        ("<kind>", "evaluation"),
        ("<file>", "report.json"),
        ("<name>", "prompt.txt"),
        ("<path>", "prompt.txt"),
        ("<role>", "ml-lead"),
        ("<code>", "quality"),
        ("<version>", "v1.3"),
        ("<environment>", "production"),
        ("<branch>", "policy/fresher"),
        ("<principal>", "n.new@example.com"),
        ("<key>", "new.pub"),
        ("<fingerprint>", "SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIDTMczCvj3tD2s"),
        ("<schema>", "policy"),
    ];
    let mut wrong = Vec::new();
    for (name, text) in pages() {
        for command in quoted(&text).iter().filter_map(|code| code.strip_prefix("git gate ")) {
            let filled = words
                .iter()
                .fold(command.to_owned(), |filled, (word, example)| filled.replace(word, example));
            let arguments: Vec<&str> = filled.split_whitespace().filter(|word| *word != "…").collect();
            let parsed = git_gate::cli::Cli::try_parse_from(
                std::iter::once("git-gate").chain(arguments.iter().copied()),
            );
            if arguments.is_empty() {
                continue;
            }
            let missing = clap::error::ErrorKind::MissingRequiredArgument;
            match parsed {
                Ok(_) => {}
                Err(error) if error.kind() == clap::error::ErrorKind::DisplayHelp => {}
                // Only its name, or `…` for the rest.
                Err(error) if error.kind() == missing && (arguments.len() == 1 || command.contains('…')) => {
                }
                Err(error) => wrong.push(format!("{name}: `git gate {command}`: {error}")),
            }
        }
    }
    nothing(&wrong);
}

/// Which id of a page is which of the run, both ways.
#[derive(Debug, Clone, Default)]
struct Ids(BTreeMap<String, String>, BTreeMap<String, String>);

impl Ids {
    /// Whether they can be one and the same; from now on they are.
    fn agree(&mut self, shown: &str, real: &str) -> bool {
        let there = self.0.entry(shown.to_owned()).or_insert_with(|| real.to_owned()) == real;
        let back = self.1.entry(real.to_owned()).or_insert_with(|| shown.to_owned()) == shown;
        there && back && shown.len() == real.len()
    }
}

/// Whether a page shows what was printed.
fn same(shown: &[&str], printed: &[&str], ids: &Ids) -> Option<Ids> {
    match (shown, printed) {
        ([], []) => Some(ids.clone()),
        (["…", rest @ ..], _) => {
            (0..=printed.len()).find_map(|left_out| same(rest, &printed[left_out..], ids))
        }
        ([first, rest @ ..], [real, others @ ..]) => same(rest, others, &same_line(first, real, ids)?),
        ([], _) | (_, []) => None,
    }
}

fn same_line(shown: &str, real: &str, ids: &Ids) -> Option<Ids> {
    let (shown, real) = (words(shown), words(real));
    let mut ids = ids.clone();
    let mut same = |(shown, real): (&Word<'_>, &Word<'_>)| match (shown, real) {
        (Word::Plain(shown), Word::Plain(real)) => shown == real,
        (Word::Id(shown), Word::Id(real)) => ids.agree(shown, real),
        (Word::Time, Word::Time) => true,
        _ => false,
    };
    (shown.len() == real.len() && shown.iter().zip(&real).all(&mut same)).then_some(ids)
}

/// A part of a line.
#[derive(Debug, PartialEq, Eq)]
enum Word<'a> {
    Plain(&'a str),
    /// A commit, a digest or a key.
    Id(&'a str),
    Time,
}

fn words(line: &str) -> Vec<Word<'_>> {
    let line = line.trim_end();
    let (mut words, mut rest) = (Vec::new(), line);
    while let Some(first) = rest.chars().next() {
        let run = |of: &dyn Fn(char) -> bool| rest.find(|c| !of(c)).unwrap_or(rest.len());
        let alphanumeric = run(&|c| c.is_ascii_alphanumeric());
        let (end, word) = if let Some(key) = rest.strip_prefix("SHA256:") {
            let end =
                key.find(|c: char| !(c.is_ascii_alphanumeric() || "+/".contains(c))).unwrap_or(key.len());
            (7 + end, Word::Id(&rest[..7 + end]))
        } else if let Some(end) = time_at(rest) {
            (end, Word::Time)
        } else if alphanumeric == 0 {
            (first.len_utf8(), Word::Plain(&rest[..first.len_utf8()]))
        } else {
            let text = &rest[..alphanumeric];
            let is_hex = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
            let is_id = is_hex && [7, 40, 64].contains(&text.len());
            (alphanumeric, if is_id { Word::Id(text) } else { Word::Plain(text) })
        };
        words.push(word);
        rest = &rest[end..];
    }
    words
}

/// Where the time at the beginning of `text` ends, if there is one.
fn time_at(text: &str) -> Option<usize> {
    let moment = text.get(..19)?;
    let fits = moment.bytes().zip("dddd-dd-ddTdd:dd:dd".bytes()).all(|(b, form)| match form {
        b'd' => b.is_ascii_digit(),
        other => b == other,
    });
    let zone = if text[19..].starts_with('Z') { 1 } else { 6 };
    fits.then_some((19 + zone).min(text.len()))
}

#[test]
fn console_blocks_give_their_commands_in_order() {
    let text = "```console bot\n$ a \\\n    b\nout\n(exit status 11)\n$ c\n```\nx\n```console bot\n$ d\n```\n```text\nno\n```\n";
    let steps = sessions(text).unwrap();
    let told: Vec<_> = steps
        .iter()
        .map(|step| (step.line, step.command.as_str(), step.output.join("\n"), step.status))
        .collect();
    assert_eq!(told, [(2, "a b", "out".into(), 11), (6, "c", String::new(), 0), (10, "d", String::new(), 0)]);
    assert!(sessions("```console bot\nno\n```\n").is_err());
    assert!(sessions("```console\n$ a\n```\n").is_err());
}

#[test]
fn outputs_are_the_same_but_for_ids_and_times() {
    let none = Ids::default();
    let check = |shown: &str, real: &str| {
        let lines = |text: &'static str| text.lines().collect::<Vec<_>>();
        let (shown, real): (&'static str, &'static str) = (shown.to_owned().leak(), real.to_owned().leak());
        same(&lines(shown), &lines(real), &none).is_some()
    };
    assert!(check("a 1234567 b 1234567", "a abcdef0 b abcdef0"));
    assert!(!check("a 1234567 b 1234567", "a abcdef0 b abcdef1"));
    assert!(!check("a 1234567 b 1234568", "a abcdef0 b abcdef0"));
    assert!(check("at 2026-11-22T16:00:00Z.", "at 2031-01-02T03:04:05Z."));
    assert!(check("x\n…\ny", "x\n1\n2\ny"));
    assert!(!check("x\n…\ny", "x\n1\n2"));
    assert!(!check("x", "x\ny"));
    assert!(check("…", ""));
}
