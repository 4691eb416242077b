//! A governance repository, and what people do in it, by plain git.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use super::{Decision, Policy, Run, World};

/// A clone of a governance repository. What people do leaves it on the branch that they did it on.
pub(crate) struct Repo<'w> {
    pub(crate) world: &'w World,
    pub(crate) path: PathBuf,
    /// The signed root commit, which holds `policy/`, pinned as trust root.
    pub(crate) root: String,
}

impl World {
    /// A governance repository under the small policy, its root signed by `a.ng`.
    pub(crate) fn governance_repo(&self) -> Repo<'_> {
        self.governance_repo_with(&Policy::small())
    }

    /// A governance repository under a policy.
    pub(crate) fn governance_repo_with(&self, policy: &Policy) -> Repo<'_> {
        let path = self.dir().join("governance");
        self.git(&self.dir(), &["init", "-q", "-b", "main", "governance"]);
        let mut repo = Repo { world: self, path, root: String::new() };
        repo.write_policy(policy);
        repo.root = repo.commit("a.ng", "Begin");
        repo.pin(&repo.root);
        repo
    }
}

impl<'w> Repo<'w> {
    /// Plain git here, which must succeed.
    #[track_caller]
    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.world.git(&self.path, args)
    }

    /// Plain git here by someone, with their key for `-S`.
    #[track_caller]
    pub(crate) fn git_as(&self, who: &str, args: &[&str]) -> String {
        self.world.git_as(&self.path, who, args)
    }

    /// The id of a revision.
    #[track_caller]
    pub(crate) fn rev(&self, revision: &str) -> String {
        self.git(&["rev-parse", "--verify", revision])
    }

    /// Pins the trust root.
    pub(crate) fn pin(&self, root: &str) {
        self.git(&["config", "gate.root", root]);
    }

    /// Writes a file of the working tree.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.path.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Removes a file of the working tree.
    pub(crate) fn remove(&self, path: &str) -> &Self {
        std::fs::remove_file(self.path.join(path)).unwrap();
        self
    }

    /// Writes `policy/`.
    pub(crate) fn write_policy(&self, policy: &Policy) -> &Self {
        self.write("policy/policy.toml", &policy.toml).write("policy/allowed_signers", &policy.signers)
    }

    /// Commits all of the working tree, signed.
    #[track_caller]
    pub(crate) fn commit(&self, who: &str, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git_as(who, &["commit", "-q", "-S", "-m", message]);
        self.rev("HEAD")
    }

    /// Commits all of the working tree, unsigned.
    #[track_caller]
    pub(crate) fn commit_unsigned(&self, who: &str, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git_as(who, &["commit", "-q", "-m", message]);
        self.rev("HEAD")
    }

    /// Switches to a branch, made from the mainline where it is not there.
    #[track_caller]
    pub(crate) fn switch(&self, branch: &str) -> &Self {
        let there =
            self.world.try_git(&self.path, &["rev-parse", "-q", "--verify", &format!("refs/heads/{branch}")]);
        if there.status == 0 {
            self.git(&["switch", "-q", branch]);
        } else {
            self.git(&["switch", "-q", "-c", branch, "main"]);
        }
        self
    }

    /// Opens a gate with everything that the small policy asks for: its branch, gate.toml and reports, signed by `who`.
    #[track_caller]
    pub(crate) fn open(&self, who: &str, gate: &str) -> String {
        let (system, version) = gate.split_once('/').unwrap();
        self.switch(&format!("gate/{gate}"));
        self.write(&format!("gates/{gate}/gate.toml"), gate_toml(system, version))
            .write(&format!("gates/{gate}/CHANGE.md"), "Cut hallucinations in long documents.\n")
            .write(
                &format!("gates/{gate}/evidence/evaluation.json"),
                "{\"summary\": {\"hallucination_rate\": 0.021, \"n\": 400}}\n",
            );
        self.commit(who, &format!("Open {gate}"))
    }

    /// Signs a decision on the branch where it belongs: the gate's, or the current one for `policy`.
    #[track_caller]
    pub(crate) fn decide(&self, who: &str, decision: &Decision) -> String {
        if let Some(gate) = decision.value("Gate").filter(|gate| *gate != "policy") {
            self.switch(&format!("gate/{gate}"));
        }
        let message = self.message(decision);
        self.git_as(who, &["commit", "-q", "-S", "--allow-empty", "--cleanup=verbatim", "-m", &message]);
        self.rev("HEAD")
    }

    /// The message of a decision made on what is checked out, under the mainline's policy.
    #[track_caller]
    pub(crate) fn message(&self, decision: &Decision) -> String {
        let gate = decision.value("Gate").unwrap_or_default();
        let directory = match (gate, decision.value("Gate-Action"), decision.value("Gate-Record")) {
            ("policy", _, _) => "policy".to_owned(),
            (gate, Some("accept-risk"), Some(record)) => format!("exceptions/{gate}/covers/{record}"),
            (gate, Some("accept-risk"), None) => format!("exceptions/{gate}"),
            (gate, _, _) => format!("gates/{gate}"),
        };
        decision.message(|| self.content("HEAD", &directory), || self.content("main", "policy"))
    }

    /// Approves, on the gate's branch.
    #[track_caller]
    pub(crate) fn approve(&self, who: &str, gate: &str, role: &str) -> String {
        self.decide(who, &Decision::approve(gate, role))
    }

    /// Merges a branch into the mainline, signed, with a merge commit.
    #[track_caller]
    pub(crate) fn merge(&self, who: &str, branch: &str) -> String {
        self.switch("main");
        self.git_as(who, &["merge", "-q", "-S", "--no-ff", "-m", &format!("Merge {branch}"), branch]);
        self.rev("HEAD")
    }

    /// Merges a branch into the mainline without a signature; the mainline then.
    #[track_caller]
    pub(crate) fn merge_unsigned(&self, branch: &str) -> String {
        self.switch("main").git(&["merge", "-q", "--no-ff", "-m", "Merge", branch]);
        self.rev("main")
    }

    /// A gate that `production` allows: opened by `j.doe`, approved by `j.rivera` and `s.chen`, merged by `l.wu`.
    #[track_caller]
    pub(crate) fn allowed_gate(&self, gate: &str) -> String {
        self.open("j.doe", gate);
        self.approve("j.rivera", gate, "ml-lead");
        self.approve("s.chen", gate, "product-lead");
        self.merge("l.wu", &format!("gate/{gate}"))
    }

    /// Writes an incident file on the mainline, signed; with `resolved` it is over.
    #[track_caller]
    pub(crate) fn incident(&self, who: &str, id: &str, gate: &str, resolved: Option<&str>) -> String {
        let (system, version) = gate.split_once('/').unwrap();
        let resolved = resolved.map(|time| format!("resolved = {time}\n")).unwrap_or_default();
        let detected = self.world.time();
        self.switch("main").write(
            &format!("incidents/{id}.toml"),
            format!(
                "schema = 1\nsystem = \"{system}\"\nversion = \"{version}\"\nenvironment = \"production\"\n\
                 severity = \"high\"\ndetected = {detected}\n{resolved}summary = \"Wrong summaries\"\n"
            ),
        );
        self.commit(who, &format!("Incident {id}"))
    }

    /// Writes an exception on the gate's branch, signed.
    #[track_caller]
    pub(crate) fn except(&self, who: &str, gate: &str, waives: &str, expires: &str) -> String {
        let (system, version) = gate.split_once('/').unwrap();
        self.switch(&format!("gate/{gate}")).write(
            &format!("exceptions/{gate}/exception.toml"),
            format!(
                "schema = 1\nsystem = \"{system}\"\nversion = \"{version}\"\nenvironments = [\"production\"]\n\
                 waives = [\"{waives}\"]\nreason = \"Reviewed by people\"\nrisk = \"A reviewer sees it\"\n\
                 owner = \"s.chen@example.com\"\ncontrols = [\"review\"]\n\
                 follow_ups = [{{ what = \"Label the set\", who = \"j.rivera@example.com\", due = {expires} }}]\n\
                 expires = {expires}\n"
            ),
        );
        self.commit(who, &format!("Except {waives}"))
    }

    /// Logs a deployment of what the mainline's tip holds, as a bot does.
    #[track_caller]
    pub(crate) fn deploy_record(&self, who: &str, gate: &str, environment: &str, basis: &str) -> String {
        self.log(who, environment, &Decision::deploy(gate, environment, basis, &self.root))
    }

    /// Appends any decision to a deployment log: parents are the log's tip, then the mainline's.
    #[track_caller]
    pub(crate) fn log(&self, who: &str, environment: &str, decision: &Decision) -> String {
        self.switch("main");
        let branch = format!("refs/heads/deployments/{environment}");
        let before = self.world.try_git(&self.path, &["rev-parse", "-q", "--verify", &branch]).stdout;
        let mut args = vec!["commit-tree", "-S", "main^{tree}"];
        if !before.is_empty() {
            args.extend(["-p", before.trim()]);
        }
        let message = self.message(decision);
        args.extend(["-p", "main", "-m", &message]);
        let record = self.git_as(who, &args);
        self.git(&["update-ref", &branch, &record]);
        record
    }

    /// The content digest of a directory in a commit, computed from what `git` prints (design, section 5).
    #[track_caller]
    pub(crate) fn content(&self, revision: &str, directory: &str) -> String {
        let listed = self.git(&["ls-tree", "-r", "--name-only", &format!("{revision}:{directory}")]);
        let lines: BTreeMap<&str, String> = listed
            .lines()
            .map(|path| (path, hex_sha256(&self.blob(&format!("{revision}:{directory}/{path}")))))
            .collect();
        let lines: Vec<String> = lines.iter().map(|(path, digest)| format!("{digest}  {path}\n")).collect();
        format!("sha256:{}", hex_sha256(lines.concat().as_bytes()))
    }

    /// A raw object as git stores it.
    #[track_caller]
    pub(crate) fn object(&self, kind: &str, revision: &str) -> Vec<u8> {
        let mut command = self.world.command("git", &self.path);
        let output = command.args(["cat-file", kind, revision]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Stores a commit object as it is given, however odd.
    #[track_caller]
    pub(crate) fn store_commit(&self, object: impl AsRef<[u8]>) -> String {
        let args = ["hash-object", "-t", "commit", "-w", "--literally", "--stdin"];
        self.world.git_with_input(&self.path, &args, object)
    }

    /// Stores a copy of a signed commit: the same payload, the same signature, its armor broken elsewhere.
    #[track_caller]
    pub(crate) fn rewrapped(&self, commit: &str) -> String {
        let text = String::from_utf8(self.object("commit", commit)).unwrap();
        let mut lines: Vec<String> = text.split('\n').map(ToOwned::to_owned).collect();
        let first = lines.iter().position(|line| line.starts_with("gpgsig ")).unwrap() + 1;
        let second = lines.remove(first + 1);
        lines[first].push_str(second.trim_start());
        self.store_commit(lines.join("\n"))
    }

    /// A clone of this repository with its own trust root pinned; `bare` as servers and bots have it.
    pub(crate) fn clone_to(&self, name: &str, bare: bool) -> Repo<'w> {
        let from = self.path.to_str().unwrap();
        let args: &[&str] =
            if bare { &["clone", "-q", "--bare", from, name] } else { &["clone", "-q", from, name] };
        self.world.git(&self.world.dir(), args);
        let clone = Repo { world: self.world, path: self.world.dir().join(name), root: self.root.clone() };
        clone.pin(&clone.root);
        clone
    }

    /// Whether plain git takes the signature of a commit, by the mainline's `allowed_signers`.
    pub(crate) fn git_verifies(&self, revision: &str) -> Run {
        let signers = self.world.dir().join("allowed_signers");
        std::fs::write(&signers, self.blob("main:policy/allowed_signers")).unwrap();
        let setting = format!("gpg.ssh.allowedSignersFile={}", signers.display());
        self.world.try_git(&self.path, &["-c", &setting, "verify-commit", revision])
    }

    /// Makes `who` the one who signs in this clone, as `git config` does.
    pub(crate) fn sign_in(&self, who: &str) -> &Self {
        let key = self.world.key(who);
        for (setting, value) in [
            ("user.name", who),
            ("user.email", &super::mail(who)),
            ("gpg.format", "ssh"),
            ("user.signingkey", key.to_str().unwrap()),
        ] {
            self.git(&["config", setting, value]);
        }
        self
    }

    /// Runs the program here.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.world.run(&self.path, args)
    }

    /// As [`Repo::run`], and nothing else is run to compare.
    pub(crate) fn run_once(&self, args: &[&str]) -> Run {
        self.world.run_once(&self.path, args)
    }

    /// `git gate check` for an environment, as JSON, whatever the verdict.
    #[track_caller]
    pub(crate) fn check_json(&self, gate: &str, environment: &str) -> serde_json::Value {
        self.run(&["check", gate, "--env", environment, "--format", "json"]).json()
    }

    fn blob(&self, revision: &str) -> Vec<u8> {
        self.object("blob", revision)
    }
}

/// The request that [`Repo::open`] writes.
pub(crate) fn gate_toml(system: &str, version: &str) -> String {
    format!(
        r#"schema = 1
system = "{system}"
version = "{version}"
kinds = ["prompt"]
risk = "medium"
environments = ["staging", "production"]
summary = "Cut hallucinations in long-document summaries"

[[artifact]]
name = "prompts/summarize.txt"
digest = "sha256:{}"

[[evidence]]
kind = "change-description"
file = "CHANGE.md"

[[evidence]]
kind = "evaluation"
file = "evidence/evaluation.json"
"#,
        hex_sha256(version.as_bytes())
    )
}

/// The SHA-256 of bytes, in hex.
pub(crate) fn hex_sha256(bytes: &[u8]) -> String {
    let pairs: Vec<String> = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.concat()
}
