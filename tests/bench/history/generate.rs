//! A governance repository of any size, the same for the same numbers: gates that were opened, approved, merged and most
//! often deployed, one after another with a few open at a time.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use git2::{ObjectType, Oid};
use sha2::{Digest as _, Sha256};
use ssh_key::private::{Ed25519Keypair, PrivateKey};
use ssh_key::{HashAlg, LineEnding};

use super::pack::Pack;

/// A mainline begins here, and goes on by a minute a commit.
const BEGIN: i64 = 1_704_067_200;

/// So many gates are open at a time.
const OPEN: usize = 8;

/// Trees are put in as what they have otherwise than one before, all but every so many.
const WHOLE: u32 = 24;

const POLICY: &str = r#"schema = 1
id = "bench"
serial = 1
bots = ["bot@example.com"]

[governance]
approvals = [{ role = "governance", count = 1 }]

[roles]
governance = { members = ["a.ng@example.com"] }
ml-lead = { members = ["j.rivera@example.com", "k.berg@example.com"] }
product-lead = { members = ["s.chen@example.com"] }
release-bot = { members = ["bot@example.com"] }

[changes]
kinds = ["model", "prompt", "config"]
risks = ["low", "medium", "high", "critical"]

[environments.production]
deployers = ["release-bot"]
rollback_window = "180d"

[evidence.change-description]
about = "change"

[evidence.evaluation.metrics]
hallucination_rate = [{ format = "json", value = "/summary/hallucination_rate", samples = "/summary/n" }]

[[rule]]
name = "every change"
evidence = ["change-description", "evaluation"]
approvals = [{ role = "ml-lead", count = 2 }, { role = "product-lead" }]
criteria = [{ name = "hallucination", evidence = "evaluation", metric = "hallucination_rate", max = 0.05 }]
"#;

const CAST: [&str; 6] = ["a.ng", "bot", "j.doe", "j.rivera", "k.berg", "s.chen"];

/// What was made.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Made {
    pub(crate) commits: u32,
    pub(crate) gates: u32,
    pub(crate) deployments: u32,
    /// A gate in the middle of it, merged and deployed.
    pub(crate) gate: String,
    /// Its approvals.
    pub(crate) approvals: Vec<String>,
    /// `allowed_signers` of its policy.
    pub(crate) signers: String,
    /// The last mainline commits, the newest first, each with the end of the log then.
    pub(crate) mainline: Vec<(String, String)>,
}

/// A directory whose entries change one at a time.
#[derive(Default)]
struct Growing {
    entries: BTreeMap<String, Oid>,
    /// As it was put in last, and how many times since it was put in whole.
    last: Option<(Oid, Vec<u8>)>,
    since: u32,
}

impl Growing {
    fn set(&mut self, pack: &mut Pack, name: &str, tree: Oid) -> Oid {
        self.entries.insert(name.to_owned(), tree);
        let entries: Vec<_> = self.entries.iter().map(|(name, id)| ("40000", name.as_str(), *id)).collect();
        let data = tree_of(&entries);
        let id = match &self.last {
            Some((base, before)) if self.since < WHOLE => pack.put_like(&data, (*base, before)),
            Some(_) | None => {
                self.since = 0;
                pack.put(ObjectType::Tree, &data)
            }
        };
        self.since += 1;
        self.last = Some((id, data));
        id
    }
}

struct Gate {
    system: usize,
    version: String,
    name: String,
    tip: Oid,
    directory: Oid,
    content: String,
    approvals: Vec<Oid>,
}

struct Generator {
    signers: String,
    pack: Pack,
    keys: BTreeMap<&'static str, PrivateKey>,
    policy: Oid,
    policy_digest: String,
    systems: Vec<Growing>,
    gates: Growing,
    /// The tree of the mainline, and its commits.
    tree: Oid,
    mainline: Vec<(Oid, Option<Oid>)>,
    log: Option<Oid>,
    time: i64,
    commits: u32,
}

/// Makes a bare repository of about so many commits.
pub(crate) fn generate(path: &Path, commits: u32) -> Made {
    git(path.parent().unwrap(), &["init", "-q", "--bare", "-b", "main", path.to_str().unwrap()]);
    let mut made = Generator::begin(&path.join("bench.pack"), commits);
    let root = made.mainline[0].0;
    let mut open = VecDeque::new();
    let (mut gates, mut deployments) = (0, 0);
    let mut middle: (String, Vec<Oid>) = (String::new(), Vec::new());
    while made.commits < commits {
        open.push_back(made.open(gates));
        gates += 1;
        if open.len() == OPEN {
            let gate: Gate = open.pop_front().unwrap();
            made.merge(&gate);
            if gates % 3 != 0 {
                made.deploy(&gate, root);
                deployments += 1;
                if made.commits < commits / 2 {
                    middle = (gate.name, gate.approvals);
                }
            }
            if deployments % 10 == 9 {
                made.merge_log();
            }
        }
    }
    made.merge_log();
    let (count, log, signers) = (made.commits, made.log, made.signers);
    let with_log = |(commit, log): &(Oid, Option<Oid>)| Some((commit.to_string(), log.as_ref()?.to_string()));
    let mainline: Vec<(String, String)> = made.mainline.iter().rev().take(100).filter_map(with_log).collect();
    let pack = made.pack.finish();
    git(path, &["index-pack", pack.to_str().unwrap()]);
    for extension in ["pack", "idx"] {
        let from = path.join("bench").with_extension(extension);
        fs::rename(from, path.join("objects/pack/pack-bench").with_extension(extension)).unwrap();
    }
    let mut refs = format!("{} refs/heads/main\n", mainline[0].0);
    if let Some(log) = log {
        writeln!(refs, "{log} refs/heads/deployments/production").unwrap();
    }
    fs::write(path.join("packed-refs"), refs).unwrap();
    git(path, &["config", "gate.root", &root.to_string()]);
    let (gate, approvals) = middle;
    let approvals = approvals.iter().map(ToString::to_string).collect();
    Made { commits: count, gates, deployments, gate, approvals, signers, mainline }
}

impl Generator {
    fn begin(pack: &Path, commits: u32) -> Self {
        let mut pack = Pack::create(pack);
        let keys: BTreeMap<_, _> = CAST.into_iter().map(|who| (who, key(who))).collect();
        let mut signers = String::new();
        for (who, key) in &keys {
            let line = key.public_key().to_openssh().unwrap();
            writeln!(signers, "{who}@example.com namespaces=\"git\" {line}").unwrap();
        }
        let files = [("allowed_signers", signers.as_str()), ("policy.toml", POLICY)];
        let policy_digest = content_digest(&files);
        let blobs = files.map(|(name, text)| ("100644", name, pack.put(ObjectType::Blob, text.as_bytes())));
        let policy = pack.put(ObjectType::Tree, &tree_of(&blobs));
        let tree = pack.put(ObjectType::Tree, &tree_of(&[("40000", "policy", policy)]));
        // Systems and versions of each grow alike.
        let systems = (f64::from(commits) / 5.5).sqrt().ceil();
        let systems = std::iter::repeat_with(Growing::default)
            .take(format!("{systems}").parse::<usize>().unwrap().max(OPEN + 1))
            .collect();
        let mut made = Self {
            signers,
            pack,
            keys,
            policy,
            policy_digest,
            systems,
            gates: Growing::default(),
            tree,
            mainline: Vec::new(),
            log: None,
            time: BEGIN,
            commits: 0,
        };
        let root = made.commit("a.ng", tree, &[], "Begin\n");
        made.mainline.push((root, None));
        made
    }

    fn tip(&self) -> Oid {
        self.mainline.last().unwrap().0
    }

    fn open(&mut self, number: u32) -> Gate {
        let count = u32::try_from(self.systems.len()).unwrap();
        let system = usize::try_from(number % count).unwrap();
        let (system_name, version) = (format!("system-{system:04}"), format!("v1.{}", number / count));
        let name = format!("{system_name}/{version}");
        let toml = gate_toml(&system_name, &version);
        let change = format!("What {name} changes.\n");
        let report =
            format!("{{\"summary\": {{\"hallucination_rate\": 0.0{}, \"n\": 400}}}}\n", 1 + number % 4);
        let files =
            [("CHANGE.md", change.as_str()), ("evidence/evaluation.json", &report), ("gate.toml", &toml)];
        let content = content_digest(&files);
        let [change, report, toml] = files.map(|(_, text)| self.pack.put(ObjectType::Blob, text.as_bytes()));
        let evidence = self.pack.put(ObjectType::Tree, &tree_of(&[("100644", "evaluation.json", report)]));
        let directory = self.pack.put(
            ObjectType::Tree,
            &tree_of(&[
                ("100644", "CHANGE.md", change),
                ("40000", "evidence", evidence),
                ("100644", "gate.toml", toml),
            ]),
        );
        let mut gate =
            Gate { system, version, name, tip: self.tip(), directory, content, approvals: Vec::new() };
        // On its branch stands what stood on the mainline when it was opened, and its own directory.
        let tree = self.with(&gate, false);
        gate.tip = self.commit("j.doe", tree, &[gate.tip], &format!("Open {}\n", gate.name));
        for (who, role) in [("j.rivera", "ml-lead"), ("k.berg", "ml-lead"), ("s.chen", "product-lead")] {
            let message = format!(
                "Approve {0}\n\nRead the report.\n\nGate: {0}\nGate-Action: approve\nGate-Role: {role}\nGate-Content: \
                 {1}\nGate-Policy: {2}\n",
                gate.name, gate.content, self.policy_digest
            );
            gate.tip = self.commit(who, tree, &[gate.tip], &message);
            gate.approvals.push(gate.tip);
        }
        gate
    }

    /// The tree of the mainline with a gate; `keep`: from now on.
    fn with(&mut self, gate: &Gate, keep: bool) -> Oid {
        let name = format!("system-{:04}", gate.system);
        let before = self.systems[gate.system].last.as_ref().map(|(tree, _)| *tree);
        let system = self.systems[gate.system].set(&mut self.pack, &gate.version, gate.directory);
        let gates = self.gates.set(&mut self.pack, &name, system);
        let entries = [("40000", "gates", gates), ("40000", "policy", self.policy)];
        let tree = self.pack.put(ObjectType::Tree, &tree_of(&entries));
        if keep {
            self.tree = tree;
        } else {
            self.systems[gate.system].entries.remove(&gate.version);
            match before.filter(|_tree| !self.systems[gate.system].entries.is_empty()) {
                Some(before) => self.gates.entries.insert(name, before),
                None => self.gates.entries.remove(&name),
            };
        }
        tree
    }

    fn merge(&mut self, gate: &Gate) {
        let tree = self.with(gate, true);
        let parents = [self.tip(), gate.tip];
        let merge = self.commit("a.ng", tree, &parents, &format!("Merge branch 'gate/{}'\n", gate.name));
        self.mainline.push((merge, self.log));
    }

    fn deploy(&mut self, gate: &Gate, root: Oid) {
        let message = format!(
            "Deploy {0} to production\n\nGate: {0}\nGate-Action: deploy\nGate-Content: {1}\nGate-Policy: {2}\n\
             Gate-Environment: production\nGate-Basis: requirements\nGate-Root: {root}\nGate-Artifact: \
             prompts/{3}.txt=sha256:{4}\n",
            gate.name,
            gate.content,
            self.policy_digest,
            gate.version,
            hex(gate.version.as_bytes())
        );
        let tip = self.tip();
        let parents: Vec<Oid> = self.log.into_iter().chain([tip]).collect();
        let record = self.commit("bot", self.tree, &parents, &message);
        self.log = Some(record);
    }

    fn merge_log(&mut self) {
        let Some(log) = self.log else { return };
        let parents = [self.tip(), log];
        let merge = self.commit("a.ng", self.tree, &parents, "Merge branch 'deployments/production'\n");
        self.mainline.push((merge, self.log));
    }

    fn commit(&mut self, who: &str, tree: Oid, parents: &[Oid], message: &str) -> Oid {
        self.time += 60;
        self.commits += 1;
        let mut head = format!("tree {tree}\n");
        for parent in parents {
            writeln!(head, "parent {parent}").unwrap();
        }
        let person = format!("{who} <{who}@example.com> {} +0000", self.time);
        writeln!(head, "author {person}\ncommitter {person}").unwrap();
        let signature = self.keys.get(who).map(|key| {
            let payload = format!("{head}\n{message}");
            let signature = key.sign("git", HashAlg::Sha512, payload.as_bytes()).unwrap();
            let pem = signature.to_pem(LineEnding::LF).unwrap();
            format!("gpgsig {}\n", pem.trim_end().replace('\n', "\n "))
        });
        let data = format!("{head}{}\n{message}", signature.unwrap_or_default());
        self.pack.put(ObjectType::Commit, data.as_bytes())
    }
}

fn gate_toml(system: &str, version: &str) -> String {
    format!(
        r#"schema = 1
system = "{system}"
version = "{version}"
kinds = ["prompt"]
risk = "medium"
environments = ["production"]
summary = "Cut hallucinations in long-document summaries"

[[artifact]]
name = "prompts/{version}.txt"
digest = "sha256:{}"

[[evidence]]
kind = "change-description"
file = "CHANGE.md"

[[evidence]]
kind = "evaluation"
file = "evidence/evaluation.json"
"#,
        hex(version.as_bytes())
    )
}

fn key(who: &str) -> PrivateKey {
    let seed: [u8; 32] = Sha256::digest(who.as_bytes()).into();
    PrivateKey::from(Ed25519Keypair::from_seed(&seed))
}

fn tree_of(entries: &[(&str, &str, Oid)]) -> Vec<u8> {
    let mut data = Vec::new();
    for (mode, name, id) in entries {
        data.extend_from_slice(format!("{mode} {name}\0").as_bytes());
        data.extend_from_slice(id.as_bytes());
    }
    data
}

/// What `sha256sum` prints for the files, in order of their paths, and the digest of that.
fn content_digest(files: &[(&str, &str)]) -> String {
    let mut lines = String::new();
    for (path, text) in files {
        writeln!(lines, "{}  {path}", hex(text.as_bytes())).unwrap();
    }
    format!("sha256:{}", hex(lines.as_bytes()))
}

fn hex(data: &[u8]) -> String {
    Sha256::digest(data).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

pub(crate) fn git(directory: &Path, args: &[&str]) {
    let mut command = Command::new("git");
    command.arg("-C").arg(directory).args(args).stdout(Stdio::null());
    assert!(command.status().unwrap().success(), "git {args:?}");
}
