//! The hooks: real pushes to a real bare repository that has them, and the same pushed where nobody looks.
//!
//! Every attack is made with plain git. Where the hook refuses, nothing of the push is taken; where there is no hook, the
//! reader is not fooled.

mod both;
mod client;
mod decisions;
mod files;
mod history;
mod honest;
mod index;
mod install;
mod logs;
mod policy;
mod steps;

use serde_json::Value;

use super::attacks_history::{propose, status, strict};
use super::world::{Decision, Policy, Repo, Run, World};

/// The gate that the stories are about.
const GATE: &str = "summarizer/v1.4";
const BRANCH: &str = "gate/summarizer/v1.4";

/// A clone whose pushes go to a bare repository with the hook installed, and another one without.
struct Served<'w> {
    repo: Repo<'w>,
    guarded: Repo<'w>,
    open: Repo<'w>,
}

impl<'w> Served<'w> {
    fn new(world: &'w World) -> Self {
        Self::under(world, &Policy::small())
    }

    fn under(world: &'w World, policy: &Policy) -> Self {
        Self::of(world.governance_repo_with(policy))
    }

    fn of(repo: Repo<'w>) -> Self {
        let guarded = repo.clone_to("guarded.git", true);
        let open = repo.clone_to("open.git", true);
        repo.world.run(&guarded.path, &["hook", "install", "--server", "."]).expect(0);
        Self { repo, guarded, open }
    }

    fn push(&self, refs: &[&str]) -> Run {
        let to = self.guarded.path.to_str().unwrap();
        self.repo.world.try_git(&self.repo.path, &[&["push", to], refs].concat())
    }

    /// The push is taken, and every ref stands where it was pushed.
    #[track_caller]
    fn taken(&self, refs: &[&str]) -> Run {
        let run = self.push(refs);
        assert_eq!(run.status, 0, "{run}");
        run
    }

    /// The push is refused for these reasons and no others, in this order, and nothing of it is taken.
    #[track_caller]
    fn refused(&self, refs: &[&str], codes: &[&str]) -> Run {
        let all = || self.guarded.git(&["for-each-ref"]);
        let before = all();
        let run = self.push(refs);
        assert_ne!(run.status, 0, "{run}");
        assert_eq!(all(), before, "{run}");
        assert_eq!(told(&run), codes, "{run}");
        run
    }

    /// Whoever looks where nobody guards has seen nothing yet.
    fn forget(&self) {
        std::fs::remove_dir_all(self.open.path.join("gate")).unwrap();
    }

    /// What `check` for production says where the same was pushed and nobody looked.
    #[track_caller]
    fn unguarded(&self, refs: &[&str]) -> Value {
        let to = self.open.path.to_str().unwrap();
        self.repo.world.try_git(&self.repo.path, &[&["push", "-q", "--force", to], refs].concat()).expect(0);
        self.open.check_json(GATE, "production")
    }
}

/// The codes of the refusals that a push met, in order.
fn told(run: &Run) -> Vec<String> {
    let lines = run.stderr.lines().map(|line| line.trim_start_matches("remote: ").trim_end());
    let refusals = lines.filter(|line| line.starts_with("error: refs/"));
    let code = |line: &str| Some(line.strip_suffix(']')?.rsplit_once('[')?.1.to_owned());
    refusals.filter_map(code).collect()
}

/// Approves what `policy/next` holds.
fn ballot(repo: &Repo<'_>, who: &str) -> String {
    crate::attacks_history::ballot(repo.switch("policy/next"), who)
}
