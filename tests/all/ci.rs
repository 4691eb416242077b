//! The CI steps of `hooks/ci`, run as their services run them, as far as that goes without the service: the shell is taken
//! from the YAML or Groovy, given the environment that the file says, and asks a real server.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use saphyr::{LoadableYamlNode as _, Yaml};

use crate::world::{Decision, Policy, Repo, Run, World, hex_sha256};

const GATE: &str = "summarizer/v1.4";
const BRANCH: &str = "gate/summarizer/v1.4";

type Environment = BTreeMap<String, String>;

fn hooks(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks/ci").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml(path: &str) -> Yaml<'static> {
    let text: &'static str = hooks(path).leak();
    Yaml::load_from_str(text).unwrap_or_else(|error| panic!("{path}: {error}")).remove(0)
}

/// A runner: a directory of its own with what a pipeline has checked out, and what is set there.
struct Runner<'w> {
    world: &'w World,
    bare: Repo<'w>,
    here: PathBuf,
    environment: Environment,
}

/// A runner that asks about what `origin` holds.
fn runner<'w>(origin: &Repo<'w>) -> Runner<'w> {
    origin.switch("main");
    let bare = origin.clone_to("server.git", true);
    let world = origin.world;
    let here = world.dir().join("runner");
    std::fs::create_dir_all(here.join("prompts")).unwrap();
    std::fs::create_dir_all(here.join("hooks/ci")).unwrap();
    std::fs::write(here.join("prompts/summarize.txt"), "v1.4").unwrap();
    std::fs::write(here.join("hooks/ci/gate.sh"), hooks("gate.sh")).unwrap();
    let program = env!("CARGO_BIN_EXE_git-gate");
    let environment = [
        ("GATE_REPOSITORY", bare.path.to_str().unwrap()),
        ("GATE_ROOT", &bare.root),
        ("GATE_NAME", GATE),
        ("GATE_ENVIRONMENT", "production"),
        ("GATE_ARTIFACTS", "prompts/summarize.txt=prompts/summarize.txt"),
        ("GATE_URL", &format!("file://{program}")),
        ("GATE_SHA256", &sum(program)),
        ("GATE_VERSION", env!("CARGO_PKG_VERSION")),
        ("GATE_OUTPUT", "outputs"),
        ("GATE_SUMMARY", "summary.md"),
        ("TMPDIR", here.to_str().unwrap()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    Runner { world, bare, here, environment: environment.into() }
}

/// The SHA-256 of a file, as everybody computes it.
fn sum(path: &str) -> String {
    hex_sha256(&std::fs::read(path).unwrap())
}

impl Runner<'_> {
    fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Runs a script as a service does; what earlier runs left in the output files is gone.
    fn script(&self, script: &str) -> Run {
        for file in ["outputs", "summary.md"] {
            let _ = std::fs::remove_file(self.here.join(file));
        }
        let variables: Vec<(String, String)> = self.environment.clone().into_iter().collect();
        let home = self.world.dir().join("home");
        self.world.shell(&self.here, &home, &variables, script)
    }

    fn step(&self) -> Run {
        self.script("sh hooks/ci/gate.sh")
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.here.join(name)).unwrap_or_default()
    }

    /// The step ends so, and says so wherever it says something.
    #[track_caller]
    fn ends(&self, status: i32, verdict: &str) -> Run {
        let run = self.step().expect(status);
        assert_eq!(self.file("outputs"), format!("verdict={verdict}\nexit={status}\n"), "{run}");
        let left: Vec<_> =
            std::fs::read_dir(&self.here).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("tmp.")), "{left:?}");
        run
    }
}

fn key(world: &World, who: &str) -> String {
    std::fs::read_to_string(world.key(who)).unwrap().trim_end().to_owned()
}

#[test]
fn a_step_gives_the_exit_status_and_says_it_in_outputs_and_summary() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    let mut runner = runner(&origin);
    runner.ends(0, "allowed");
    assert!(runner.file("summary.md").contains("allowed"), "{}", runner.file("summary.md"));
    // Both at once, as on GitHub; and lines for GitLab.
    runner.set("GITHUB_OUTPUT", "github").set("GITHUB_STEP_SUMMARY", "github.md").set("GATE_DOTENV", "env");
    runner.ends(0, "allowed");
    assert_eq!(runner.file("github"), runner.file("outputs"));
    assert_eq!(runner.file("github.md"), runner.file("summary.md"));
    assert_eq!(runner.file("env"), "GATE_VERDICT=allowed\nGATE_EXIT=0\n");
    std::fs::write(runner.here.join("prompts/summarize.txt"), "another").unwrap();
    runner.ends(10, "blocked");
    assert!(runner.file("summary.md").contains("artifact:prompts/summarize.txt"));
    std::fs::write(runner.here.join("prompts/summarize.txt"), "v1.4").unwrap();
    // An answer that nobody can read is none.
    runner.set("GATE_SUMMARY", "no/such/place");
    let run = runner.step();
    assert_eq!(run.status, 3, "{run}");
    runner.set("GATE_SUMMARY", "summary.md").set("GATE_OUTPUT", "no/such/place");
    assert_eq!(runner.step().status, 3);
}

#[test]
fn whatever_is_wrong_is_no_success() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.open("j.doe", GATE);
    origin.merge("l.wu", BRANCH);
    let mut runner = runner(&origin);
    runner.ends(11, "pending");
    let good = runner.environment.clone();
    let marker = world.dir().join("marker");
    let evil = format!("$(touch {0})`touch {0}`\"'; touch {0}", marker.display());
    let other = "f".repeat(40);
    for (name, value, status) in [
        ("GATE_ROOT", "", 2),
        ("GATE_ROOT", "main", 2),
        ("GATE_ROOT", other.as_str(), 3),
        ("GATE_NAME", "", 2),
        // What asks for help ends in 0.
        ("GATE_NAME", "--help", 2),
        ("GATE_NAME", "-h", 2),
        ("GATE_NAME", evil.as_str(), 2),
        ("GATE_ENVIRONMENT", "--help", 2),
        ("GATE_ENVIRONMENT", "", 2),
        ("GATE_ENVIRONMENT", "nowhere", 10),
        ("GATE_WAIT", "--help", 2),
        ("GATE_SEEN", "--help", 2),
        ("GATE_SEEN", other.as_str(), 3),
        ("GATE_ARTIFACTS", "--help", 2),
        ("GATE_ARTIFACTS", "--help=--help", 3),
        ("GATE_ARTIFACTS", "a=b=c\nd", 2),
        ("GATE_ARTIFACTS", "prompts/summarize.txt=no such file", 3),
        ("GATE_DIGESTS", evil.as_str(), 2),
        ("GATE_EVIDENCE_FILES", "x", 2),
        ("GATE_ACTION", "--version", 2),
        ("GATE_ACTION", "trust", 2),
        ("GATE_REPOSITORY", "", 2),
        ("GATE_REPOSITORY", "/no/such/place", 3),
        ("GATE_REPOSITORY", "ext::sh -c touch% marker", 3),
        ("GATE_MAINLINE", "trunk", 3),
        ("GATE_PROGRAM", "no-such-program", 3),
        ("GATE_PROGRAM", "true", 3),
        ("TMPDIR", "/no/such/place", 3),
    ] {
        runner.environment.clone_from(&good);
        runner.set(name, value);
        let run = runner.step();
        assert_eq!(run.status, status, "{name}={value}\n{run}");
        let verdict = match status {
            10 => "blocked",
            _ => "undecided",
        };
        assert_eq!(
            runner.file("outputs"),
            format!("verdict={verdict}\nexit={status}\n"),
            "{name}={value}\n{run}"
        );
        assert!(!marker.exists() && !runner.here.join("marker").exists(), "{name}={value}");
    }
    // Why, for who reads the summary alone.
    runner.environment = good;
    runner.set("GATE_ROOT", &other).ends(3, "undecided");
    let summary = runner.file("summary.md");
    assert!(summary.contains("**undecided**") && summary.contains("[root-not-on-mainline]"), "{summary}");
}

#[test]
fn a_program_that_nobody_pinned_is_not_run() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    let mut runner = runner(&origin);
    let marker = world.dir().join("marker");
    let other = world.dir().join("other");
    std::fs::write(&other, format!("#!/bin/sh\ntouch {}\n", marker.display())).unwrap();
    let (url, sum_of_it) = (format!("file://{}", other.display()), sum(other.to_str().unwrap()));
    runner.set("GATE_URL", &url).ends(3, "undecided");
    assert!(!marker.exists());
    // The right sum of a program that is no git-gate of that version.
    runner.set("GATE_SHA256", &sum_of_it).ends(3, "undecided");
    assert!(marker.exists());
    for (name, value) in [("GATE_SHA256", ""), ("GATE_VERSION", ""), ("GATE_URL", "")] {
        let before = runner.environment.clone();
        runner.set(name, value).ends(2, "undecided");
        runner.environment = before;
    }
    // One that is here already is held to a sum as well, where one is given.
    let before = runner.environment.clone();
    std::fs::remove_file(&marker).unwrap();
    runner
        .set("GATE_PROGRAM", other.to_str().unwrap())
        .set("GATE_SHA256", &sum(env!("CARGO_BIN_EXE_git-gate")));
    std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o755)).unwrap();
    runner.ends(3, "undecided");
    assert!(!marker.exists());
    runner.set("GATE_PROGRAM", env!("CARGO_BIN_EXE_git-gate")).ends(0, "allowed");
    runner.environment = before;
    runner.set("GATE_URL", "http://127.0.0.1:1/git-gate").ends(2, "undecided");
    runner.set("GATE_URL", "file:///no/such/place").ends(3, "undecided");
}

#[test]
fn a_cache_saves_objects_and_notices_a_mainline_that_went_back() {
    let world = World::new();
    let origin = world.governance_repo();
    let old = origin.allowed_gate(GATE);
    let new = origin.write("notes.txt", "x").commit("l.wu", "Note");
    let mut runner = runner(&origin);
    runner.set("GATE_CACHE", "cache");
    runner.ends(0, "allowed");
    assert_eq!(runner.file("cache/seen").trim(), new);
    let bundle = std::fs::read(runner.here.join("cache/objects.bundle")).unwrap();
    let names = |dir: &str| std::fs::read_dir(runner.here.join(dir)).unwrap().count();
    assert_eq!(names("cache"), 2);
    runner.ends(0, "allowed");
    // Nothing of the cache is configuration, and what does not read costs time only.
    std::fs::write(runner.here.join("cache/objects.bundle"), "rubbish").unwrap();
    let run = runner.ends(0, "allowed");
    assert!(run.stdout.contains("the cache cannot be read"), "{run}");
    std::fs::write(runner.here.join("cache/objects.bundle"), bundle).unwrap();
    runner.bare.git(&["update-ref", "refs/heads/main", &old]);
    let run = runner.ends(3, "undecided");
    assert!(run.stdout.contains("[not-on-mainline]"), "{run}");
    assert_eq!(runner.file("cache/seen").trim(), new, "what was seen stays seen");
    std::fs::write(runner.here.join("cache/seen"), "main").unwrap();
    runner.ends(3, "undecided");
    std::fs::remove_file(runner.here.join("cache/seen")).unwrap();
    runner.ends(0, "allowed");
}

#[test]
fn a_step_waits_and_then_logs_what_it_deploys() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.open("j.doe", GATE);
    origin.approve("j.rivera", GATE, "ml-lead");
    origin.merge("l.wu", BRANCH);
    let mut runner = runner(&origin);
    origin.git(&["remote", "add", "origin", runner.bare.path.to_str().unwrap()]);
    runner
        .set("GATE_ACTION", "deploy")
        .set("GATE_SIGNING_KEY", &key(&world, "bot"))
        .set("GATE_SIGNER_NAME", "bot")
        .set("GATE_SIGNER_EMAIL", "bot@example.com");
    runner.ends(11, "pending");
    runner.set("GATE_WAIT", "1s").ends(11, "pending");
    runner.set("GATE_WAIT", "2m");
    // In the background, while somebody decides.
    runner.script("sh -c 'sh hooks/ci/gate.sh; echo $? >ended' >said 2>&1 &").expect(0);
    while !runner.file("said").contains("waits for approval:product-lead") {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    origin.approve("s.chen", GATE, "product-lead");
    origin.merge("l.wu", BRANCH);
    origin.git(&["push", "-q", "origin", "main", BRANCH]);
    while runner.file("ended").is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(runner.file("ended"), "0\n", "{}", runner.file("said"));
    assert_eq!(runner.file("outputs"), "verdict=allowed\nexit=0\n");
    let log = "deployments/production";
    assert_eq!(runner.bare.git(&["log", "-1", "--format=%s", log]), format!("Deploy {GATE} to production"));
    let record = runner.bare.rev(log);
    // Again, as a job that is retried: nothing is logged twice.
    runner.ends(0, "allowed");
    assert_eq!(runner.bare.rev(log), record);
    // Whoever is no deployer logs nothing.
    runner.set("GATE_SIGNING_KEY", &key(&world, "j.doe")).ends(3, "undecided");
    runner.set("GATE_SIGNING_KEY", "no key").ends(3, "undecided");
    runner.set("GATE_SIGNING_KEY", "").ends(2, "undecided");
    assert_eq!(runner.bare.rev(log), record);
}

/// `${{ inputs.x }}` and its like, as GitHub fills them in; each name must be known.
fn filled(text: &str, known: &dyn Fn(&str) -> String) -> String {
    let mut text = text.to_owned();
    while let Some((before, rest)) = text.split_once("${{") {
        let (name, behind) = rest.split_once("}}").unwrap();
        text = format!("{before}{}{behind}", known(name.trim()));
    }
    text
}

fn text<'a>(yaml: &'a Yaml<'_>) -> &'a str {
    yaml.as_str().unwrap_or_else(|| panic!("no text: {yaml:?}"))
}

/// The pairs of a mapping whose values are texts.
fn pairs(yaml: &Yaml<'_>) -> Vec<(String, String)> {
    let pairs = yaml.as_mapping().unwrap().iter();
    pairs.map(|(name, value)| (text(name).to_owned(), text(value).to_owned())).collect()
}

/// Every variable that the head of the script lists.
fn variables() -> Vec<String> {
    let script = hooks("gate.sh");
    let head: String = script.lines().take_while(|line| line.starts_with('#')).collect::<Vec<_>>().join("\n");
    let words = head.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let mut names: Vec<String> = words.filter(|word| word.starts_with("GATE_")).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn the_github_action_asks_what_its_inputs_say() {
    let action = yaml("github/action.yml");
    let step = &action["runs"]["steps"][0];
    let declared: Vec<String> =
        action["inputs"].as_mapping().unwrap().iter().map(|(name, _)| text(name).to_owned()).collect();
    let env = pairs(&step["env"]);
    // Every input goes into one variable, and the script knows it.
    let known = variables();
    for (name, value) in &env {
        assert!(known.contains(name), "{name}");
        let input = value.strip_prefix("${{ inputs.").and_then(|rest| rest.strip_suffix(" }}")).unwrap();
        assert!(declared.iter().any(|declared| declared == input), "{input}");
    }
    assert_eq!(env.len(), declared.len());
    // Nothing that others write stands in the script itself.
    let script = text(&step["run"]);
    assert!(!script.contains("${{"), "{script}");
    for (name, output) in [("verdict", "verdict"), ("exit", "exit")] {
        let value = text(&action["outputs"][name]["value"]);
        assert_eq!(value, format!("${{{{ steps.{}.outputs.{output} }}}}", text(&step["id"])));
    }
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    let mut runner = runner(&origin);
    let given: Environment = [
        ("repository", "GATE_REPOSITORY"),
        ("root", "GATE_ROOT"),
        ("gate", "GATE_NAME"),
        ("environment", "GATE_ENVIRONMENT"),
        ("artifacts", "GATE_ARTIFACTS"),
        ("url", "GATE_URL"),
        ("sha256", "GATE_SHA256"),
        ("version", "GATE_VERSION"),
    ]
    .map(|(input, variable)| (input.to_owned(), runner.environment.remove(variable).unwrap()))
    .into();
    runner.environment.remove("GATE_OUTPUT");
    runner.environment.remove("GATE_SUMMARY");
    let value = |name: &str| {
        let input = name.strip_prefix("inputs.").unwrap();
        let default = || action["inputs"][input]["default"].as_str().unwrap_or_default().to_owned();
        given.get(input).cloned().unwrap_or_else(default)
    };
    for (name, expression) in env {
        runner.set(&name, &filled(&expression, &value));
    }
    let action_path = Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks/ci/github");
    runner
        .set("GITHUB_ACTION_PATH", action_path.to_str().unwrap())
        .set("GITHUB_OUTPUT", "outputs")
        .set("GITHUB_STEP_SUMMARY", "summary.md");
    let run = runner.script(script).expect(0);
    assert_eq!(runner.file("outputs"), "verdict=allowed\nexit=0\n", "{run}");
    assert!(runner.file("summary.md").contains("allowed"));
    runner.set("GATE_NAME", "summarizer/v9");
    runner.script(script).expect(10);
}

#[test]
fn the_gitlab_jobs_ask_and_record() {
    let world = World::new();
    let origin = world.governance_repo_with(&Policy::small().recorder());
    origin.allowed_gate(GATE);
    let rejection = origin.decide("k.berg", &Decision::reject(GATE, "ml-lead", "safety"));
    let mut runner = runner(&origin);
    let jobs = yaml("gitlab.yml");
    let job = &jobs[".git-gate"];
    assert_eq!(text(&job["image"]), "$GATE_IMAGE");
    let script = job["script"].as_vec().unwrap().iter().map(text).collect::<Vec<_>>().join("\n");
    let before = runner.environment.clone();
    for (name, value) in pairs(&job["variables"]) {
        runner.set(&name, &value);
    }
    runner.environment.remove("GATE_OUTPUT");
    for image in [None, Some("alpine/git"), Some("alpine/git:latest")] {
        runner.environment.remove("GATE_IMAGE");
        if let Some(image) = image {
            runner.set("GATE_IMAGE", image);
        }
        let run = runner.script(&script).expect(2);
        assert!(run.stdout.contains("by its digest"), "{run}");
    }
    let image = format!("alpine/git@sha256:{}", "0".repeat(64));
    runner.set("GATE_IMAGE", &image);
    runner.script(&script).expect(0);
    assert_eq!(
        runner.file(text(&job["artifacts"]["reports"]["dotenv"])),
        "GATE_VERDICT=allowed\nGATE_EXIT=0\n"
    );
    assert!(runner.file(text(&job["artifacts"]["paths"][0])).contains("allowed"));
    assert!(runner.here.join(text(&job["cache"]["paths"][0])).join("seen").exists());
    // The recorder.
    let recorder = &jobs[".git-gate-recorder"];
    assert_eq!(text(&recorder["extends"]), ".git-gate");
    runner.environment = before;
    for (name, value) in pairs(&job["variables"]).into_iter().chain(pairs(&recorder["variables"])) {
        let value = value.replace("$CI_PROJECT_URL", runner.bare.path.to_str().unwrap());
        runner.set(&name, &value);
    }
    let file = world.key("recorder");
    runner
        .set("GATE_IMAGE", &image)
        .set("GATE_SIGNING_KEY_FILE", file.to_str().unwrap())
        .set("GATE_SIGNER_EMAIL", "recorder@example.com");
    runner.script(&script).expect(0);
    runner.bare.git(&["merge-base", "--is-ancestor", &rejection, "main"]);
}

#[test]
fn the_github_recorder_records() {
    let world = World::new();
    let origin = world.governance_repo_with(&Policy::small().recorder());
    origin.allowed_gate(GATE);
    let rejection = origin.decide("k.berg", &Decision::reject(GATE, "ml-lead", "safety"));
    let mut runner = runner(&origin);
    let workflow = yaml("github/recorder.yml");
    // No branch that anybody may push decides what runs with the key.
    let events: Vec<&str> = workflow["on"].as_mapping().unwrap().iter().map(|(name, _)| text(name)).collect();
    assert_eq!(events, ["schedule", "workflow_dispatch"]);
    let job = &workflow["jobs"]["record"];
    assert_eq!(text(&job["environment"]), "recorder");
    // What others wrote is named by a commit id.
    for step in job["steps"].as_vec().unwrap() {
        let Some(used) = step.as_mapping_get("uses") else { continue };
        let (_, commit) = text(used).split_once('@').unwrap();
        assert!(commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{commit}");
    }
    let step =
        job["steps"].as_vec().unwrap().iter().find(|step| step.as_mapping_get("run").is_some()).unwrap();
    let server = runner.bare.path.parent().unwrap().to_str().unwrap().to_owned();
    let secret = key(&world, "recorder");
    let mut given = runner.environment.clone();
    given.insert("GATE_RECORDER_EMAIL".into(), "recorder@example.com".into());
    let value = |name: &str| match name {
        "github.server_url" => server.clone(),
        "github.repository" => "server.git".to_owned(),
        "secrets.GATE_RECORDER_KEY" => secret.clone(),
        "secrets.GATE_RECORDER_TOKEN" => "a token".to_owned(),
        other => given[other.strip_prefix("vars.").unwrap()].clone(),
    };
    for (name, expression) in pairs(&step["env"]) {
        runner.set(&name, &filled(&expression, &value));
    }
    assert!(!text(&step["run"]).contains("${{"));
    runner.script(text(&step["run"])).expect(0);
    assert_eq!(runner.file("outputs"), "verdict=allowed\nexit=0\n");
    runner.bare.git(&["merge-base", "--is-ancestor", &rejection, "main"]);
}

#[test]
fn the_jenkins_stage_asks() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    let mut runner = runner(&origin);
    let stage = hooks("Jenkinsfile");
    let block = |name: &str| {
        let (_, rest) = stage.split_once(&format!("    {name} {{\n")).unwrap();
        rest.split_once("\n    }").unwrap().0.to_owned()
    };
    let quoted = |text: &str| text.split('\'').nth(1).unwrap().to_owned();
    let known = variables();
    for line in block("environment").lines() {
        let (name, value) = line.trim().split_once(" = ").unwrap();
        assert!(known.iter().any(|known| known == name), "{name}");
        // Where the test's own server and program are is said by the test, as the credentials are.
        let own = ["GATE_REPOSITORY", "GATE_VERSION"].contains(&name);
        if !value.starts_with("credentials(") && !own {
            runner.set(name, &quoted(value));
        }
    }
    runner.script(&quoted(block("steps").trim())).expect(0);
    assert!(runner.file("git-gate.md").contains("allowed"));
    assert_eq!(quoted(&block("post").lines().nth(1).unwrap().replace("artifacts: ", "")), "git-gate.md");
}

#[test]
fn the_argo_cd_job_asks_before_a_sync() {
    let world = World::new();
    let origin = world.governance_repo();
    origin.allowed_gate(GATE);
    let mut runner = runner(&origin);
    let job = yaml("argocd.yml");
    assert_eq!(text(&job["metadata"]["annotations"]["argocd.argoproj.io/hook"]), "PreSync");
    assert_eq!(job["spec"]["backoffLimit"].as_integer(), Some(0));
    let pod = &job["spec"]["template"]["spec"];
    assert_eq!(text(&pod["restartPolicy"]), "Never");
    let container = &pod["containers"][0];
    assert!(text(&container["image"]).contains("@sha256:"), "named by its digest");
    for name in ["GATE_ARTIFACTS", "GATE_URL", "GATE_SHA256", "GATE_VERSION"] {
        runner.environment.remove(name);
    }
    let known = variables();
    for variable in container["env"].as_vec().unwrap() {
        let name = text(&variable["name"]);
        assert!(name == "HOME" || known.iter().any(|known| known == name), "{name}");
        if !["GATE_REPOSITORY", "HOME"].contains(&name)
            && let Some(value) = variable.as_mapping_get("value")
        {
            runner.set(name, text(value));
        }
    }
    let command: Vec<&str> = container["command"].as_vec().unwrap().iter().map(text).collect();
    assert_eq!(command, ["sh", "/usr/local/lib/git-gate/gate.sh"]);
    assert!(hooks("Dockerfile").contains(" hooks/ci/gate.sh /usr/local/lib/git-gate/gate.sh\n"));
    runner.script("sh hooks/ci/gate.sh").expect(0);
    runner.set("GATE_DIGESTS", &format!("prompts/summarize.txt=sha256:{}", "0".repeat(64)));
    runner.script("sh hooks/ci/gate.sh").expect(10);
}

#[test]
fn the_image_holds_a_program_that_was_pinned_and_runs_as_nobody() {
    let text = hooks("Dockerfile").replace("\\\n", " ");
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    let of = |word: &str| lines.iter().filter(|line| line.starts_with(word)).copied().collect::<Vec<_>>();
    assert_eq!(of("FROM"), ["FROM ${BASE}"]);
    // No base is taken that is not named by its digest.
    assert_eq!(of("ARG BASE"), ["ARG BASE", "ARG BASE"]);
    let refuses = of("RUN")[0].trim_start_matches("RUN ");
    let world = World::new();
    for (base, status) in [("", 1), ("alpine:3.22", 1), ("alpine:3.22@sha256:00", 0)] {
        let variables = [("BASE".to_owned(), base.to_owned())];
        world.shell(&world.dir(), &world.dir(), &variables, refuses).expect(status);
    }
    assert_eq!(of("USER"), ["USER 65534:65534"]);
    let copied = of("COPY");
    assert_eq!(copied.len(), 2, "{copied:?}");
    assert!(of("RUN").iter().any(|line| line.contains("sha256sum -c -")), "{lines:?}");
    for line in &copied {
        let [_copy, _mode, from, _to] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let there = Path::new(env!("CARGO_MANIFEST_DIR")).join(from).exists();
        assert!(from == "${PROGRAM}" || there, "{line}");
    }
    for word in lines.iter().map(|line| line.split(' ').next().unwrap()) {
        assert!(["ARG", "FROM", "RUN", "COPY", "ENV", "USER", "WORKDIR", "CMD"].contains(&word), "{word}");
    }
}

/// A release built by a `cargo` and a `rustc` that only pretend: what the script itself does.
#[test]
fn a_release_has_a_sum_for_each_program_and_names_what_it_did_not_build() {
    let world = World::new();
    let here = world.dir().join("source");
    for directory in [".ci", "bin", "sysroot/lib/rustlib/x86_64-unknown-linux-gnu/lib"] {
        std::fs::create_dir_all(here.join(directory)).unwrap();
    }
    let write = |path: &str, text: &str| {
        std::fs::write(here.join(path), text).unwrap();
        std::fs::set_permissions(here.join(path), std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/release");
    write(".ci/release", &std::fs::read_to_string(script).unwrap());
    write("program", "#!/bin/sh\necho git-gate 7.8.9\n");
    write(
        "bin/cargo",
        "#!/bin/sh\nif [ $1 = metadata ]; then echo '{\"packages\":[{\"name\":\"git-gate\",\"version\":\"7.8.9\"}]}'; exit; fi\n\
         for target; do :; done\nmkdir -p target/$target/release && cp program target/$target/release/git-gate\n",
    );
    write(
        "bin/rustc",
        "#!/bin/sh\nif [ $1 = -vV ]; then echo host: x86_64-unknown-linux-gnu; else echo \"$PWD/sysroot\"; fi\n",
    );
    let path = format!("{}:{}", here.join("bin").display(), std::env::var("PATH").unwrap());
    let release = |more: &str| {
        let script = format!("PATH='{path}' .ci/release {more}");
        world.shell(&here, &world.dir().join("home"), &[], &script)
    };
    let run = release("").expect(0);
    let name = "git-gate-7.8.9-x86_64-unknown-linux-gnu";
    let sums = std::fs::read_to_string(here.join("target/release-files/SHA256SUMS")).unwrap();
    let expected = hex_sha256(&std::fs::read(here.join("target/release-files").join(name)).unwrap());
    assert_eq!(sums, format!("{expected}  {name}\n"), "{run}");
    for target in ["x86_64-unknown-linux-musl", "aarch64-apple-darwin"] {
        assert!(run.stdout.contains(&format!("NOT BUILT {target}: ")), "{run}");
    }
    // Asked for by name, it must be built.
    assert_eq!(release("x86_64-unknown-linux-musl").status, 1);
    // A program that is not static, or says another version, is no release.
    write("program", "#!/bin/sh\necho git-gate 1.0.0\n");
    assert_ne!(release("").status, 0);
    std::fs::copy(which("git"), here.join("program")).unwrap();
    let run = release("");
    assert!(run.status != 0 && run.stdout.contains("is not static"), "{run}");
}

fn which(program: &str) -> PathBuf {
    let path = std::env::var("PATH").unwrap();
    std::env::split_paths(&path).map(|directory| directory.join(program)).find(|file| file.is_file()).unwrap()
}
