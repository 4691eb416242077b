//! Whatever is done, in whatever order: after each thing that is done, every gate is asked about, all is measured, and [`World::run`]
//! compares.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

const GATES: [&str; 3] = [GATE, NEXT, OTHER];

/// One thing that somebody does to one of the gates, or to one of the last records.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Approve(usize),
    Withdraw(usize),
    Merge(usize),
    Deploy(usize, usize),
    Fail(usize, usize),
    /// By parents that no honest bot gives.
    Oddly(usize, usize),
    Record,
    RewindLog,
    RewindMainline,
    Incident(usize, bool),
    Policy(usize),
    Note,
    OldRows,
}

fn deed() -> impl Strategy<Value = Deed> {
    let gate = 0..GATES.len();
    prop_oneof![
        2 => gate.clone().prop_map(Deed::Approve),
        3 => gate.clone().prop_map(Deed::Withdraw),
        4 => gate.clone().prop_map(Deed::Merge),
        6 => (gate.clone(), 0..4usize).prop_map(|(gate, who)| Deed::Deploy(gate, who)),
        3 => (0..3usize, 0..4usize).prop_map(|(back, who)| Deed::Fail(back, who)),
        1 => (gate.clone(), 0..4usize).prop_map(|(gate, how)| Deed::Oddly(gate, how)),
        1 => Just(Deed::Record),
        1 => Just(Deed::RewindLog),
        1 => Just(Deed::RewindMainline),
        1 => (gate, any::<bool>()).prop_map(|(gate, open)| Deed::Incident(gate, open)),
        2 => (0..3usize).prop_map(Deed::Policy),
        1 => Just(Deed::Note),
        1 => Just(Deed::OldRows),
    ]
}

/// What a story needs to know of what was done so far.
struct Told {
    serial: u64,
    old: BTreeMap<String, Vec<u8>>,
}

impl Told {
    fn happen(&mut self, repo: &Repo<'_>, step: usize, deed: Deed) {
        match deed {
            Deed::Approve(gate) => drop(repo.approve("j.rivera", GATES[gate], "ml-lead")),
            Deed::Withdraw(gate) => drop(repo.decide("j.rivera", &Decision::withdraw(GATES[gate]))),
            Deed::Merge(gate) => {
                if repo
                    .world
                    .try_git(&repo.path, &["merge-base", "--is-ancestor", &branch(gate), "main"])
                    .status
                    != 0
                {
                    repo.merge("l.wu", &branch(gate));
                }
            }
            // Of a gate that the mainline does not hold nobody can say what was deployed.
            Deed::Deploy(gate, _) | Deed::Oddly(gate, _)
                if !is(repo, &format!("main:gates/{}", GATES[gate])) => {}
            Deed::Deploy(gate, who) => {
                let who = ["bot", "bot", "bot", "mallory"][who];
                repo.deploy_record(who, GATES[gate], "production", "requirements");
            }
            Deed::Fail(back, who) => {
                let record = repo
                    .world
                    .try_git(&repo.path, &["rev-parse", "-q", "--verify", &format!("{LOG}~{back}")]);
                if record.status == 0 {
                    repo.log(
                        ["bot", "bot", "bot", "l.wu"][who],
                        "production",
                        &failure(record.stdout.trim()),
                    );
                }
            }
            Deed::Oddly(gate, how) => {
                let words = words(repo, GATES[gate], "requirements");
                let parents: [&[&str]; 4] = [
                    &[LOG, &repo.root],
                    &[LOG, "main~1", "main"],
                    &["main"],
                    &[LOG, &format!("{LOG}~1"), "main"],
                ];
                if repo
                    .world
                    .try_git(&repo.path, &["rev-parse", "-q", "--verify", &format!("{LOG}~1")])
                    .status
                    == 0
                {
                    append(repo, "bot", "main", parents[how], &words, true);
                }
            }
            Deed::Record => drop(
                repo.switch("main")
                    .world
                    .try_git(&repo.path, &["merge", "-q", "--no-ff", "-m", "Record", LOG]),
            ),
            Deed::RewindLog => {
                let before =
                    repo.world.try_git(&repo.path, &["rev-parse", "-q", "--verify", &format!("{LOG}~1")]);
                let is_log = repo
                    .world
                    .try_git(&repo.path, &["merge-base", "--is-ancestor", &format!("{LOG}~1"), "main"]);
                if before.status == 0 && is_log.status != 0 {
                    repo.git(&["update-ref", &format!("refs/heads/{LOG}"), before.stdout.trim()]);
                    repo.run(&["trust", "--accept-rewind", "--yes"]);
                }
            }
            Deed::RewindMainline if !is(repo, "main~1") => {}
            Deed::RewindMainline => {
                repo.switch("main").git(&["reset", "-q", "--hard", "main~1"]);
                repo.run(&["trust", "--accept-rewind", "--yes"]);
            }
            Deed::Incident(gate, open) => {
                let resolved = (!open).then(|| repo.world.time());
                repo.incident("s.chen", "INC-1", GATES[gate], resolved.as_deref());
            }
            Deed::Policy(kind) => {
                self.serial += 1;
                let policy = [Policy::small(), strict(), revoking(repo.world)][kind].clone();
                enact(repo, &policy.serial(self.serial));
            }
            Deed::Note => {
                repo.switch("main").write("notes", format!("{step}\n")).commit("l.wu", "Note");
            }
            Deed::OldRows => {
                let newer = rows(repo);
                for (name, value) in std::mem::replace(&mut self.old, newer) {
                    damaged::put(repo, &name, &value);
                }
            }
        }
    }
}

fn is(repo: &Repo<'_>, revision: &str) -> bool {
    repo.world.try_git(&repo.path, &["rev-parse", "-q", "--verify", revision]).status == 0
}

fn branch(gate: usize) -> String {
    format!("gate/{}", GATES[gate])
}

/// Revokes an approver's key since the trust root.
fn revoking(world: &World) -> Policy {
    let key = crate::attacks_history::keys::fingerprint(world, "s.chen");
    Policy::small()
        .with(&format!("[[revoked]]\nkey = \"{key}\"\nsince = \"never-trusted\"\nreason = \"stolen\"\n"))
}

fn story(deeds: &[Deed]) {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(OTHER);
    better_requiring(&repo, GATE, OTHER);
    better(&repo, NEXT);
    for gate in GATES {
        repo.deploy_record("bot", gate, "production", "requirements");
    }
    check(&repo);
    let mut told = Told { serial: 1, old: rows(&repo) };
    for (step, deed) in deeds.iter().enumerate() {
        told.happen(&repo, step, *deed);
        for gate in GATES {
            check_of(&repo, gate, &[]);
        }
        repo.run(&["metrics", "--format", "json"]).json();
    }
    verify(&repo, "in the end");
}

/// So many stories; with `GIT_GATE_TEST_ROUNDS`, that many.
const STORIES: u32 = 4;

#[test]
fn whatever_is_done_what_is_kept_says_what_the_history_says() {
    let asked = std::env::var("GIT_GATE_TEST_ROUNDS").ok().and_then(|text| text.parse().ok());
    let config = Config {
        cases: asked.unwrap_or(STORIES),
        failure_persistence: None,
        max_shrink_iters: 40,
        ..Config::default()
    };
    let deeds = prop::collection::vec(deed(), 6..12);
    TestRunner::new(config)
        .run(&deeds, |deeds| {
            std::panic::catch_unwind(|| story(&deeds))
                .map_err(|_panicked| TestCaseError::fail("what is kept is not what the history says"))
        })
        .unwrap_or_else(|why| panic!("{why}"));
}
