//! Deciding without a clone: one is borrowed for a single command, and gone with it.
//!
//! For people who sign off now and then and keep no clone: the address of the repository stands where they would be in
//! one. What is fetched is what a decision rests on, with its whole history: the mainline, the gates of that system, the
//! policy changes, the deployment logs. The trust root is given once with `--root`, and remembered for that address
//! ([`super::roots`]).

use std::fmt::Write as _;
use std::path::Path;
use std::str::FromStr;

use crate::decision::{Action, Target};
use crate::git::{Git, Origin, Scratch};
use crate::model::{GateName, escape};
use crate::render::{self, Form, Style};

use super::in_force::policy_in_force;
use super::roots::Roots;
use super::session::{Opening, Session, View};
use super::{Context, Failure, Format, interrupt, judging};

/// The address of a repository, as `git fetch` takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

/// A clone for one command.
#[derive(Debug)]
pub(super) struct Borrowed {
    context: Context,
    // Gone when this is dropped.
    _scratch: Scratch,
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // As git would take it for a flag, or it for what it does not look like on a terminal.
        if text.starts_with('-') || text.chars().any(char::is_control) {
            return Err("the address of a repository, such as `https://host/path` or `git@host:path`".into());
        }
        Ok(Self(text.to_owned()))
    }
}

impl Address {
    /// As git is given it: a path holds wherever git runs.
    fn for_git(&self, directory: &Path) -> String {
        let path = directory.join(&self.0);
        match path.canonicalize() {
            Ok(path) => path.to_string_lossy().into_owned(),
            Err(_no_such_path) => self.0.clone(),
        }
    }
}

impl Borrowed {
    /// Fetches what a decision on `target` rests on.
    pub(super) fn fetch(context: &Context, address: &Address, target: &Target) -> anyhow::Result<Self> {
        interrupt::clean_up_first();
        let url = address.for_git(&context.directory);
        let roots = Roots::read()?;
        let known = roots.of(&url);
        if known.is_none() && context.root.is_none() {
            return Err(Failure::new(
                "no-trust-root",
                format!("no trust root is known for `{}`", escape(&address.0)),
            )
            .help(
                "ask the policy owners for its full id, and say it once: `--root <commit>`; it is remembered",
            )
            .into());
        }
        let scratch = Scratch::new("git-gate-borrowed-")?;
        let git = Git::at(scratch.path());
        git.run(&[
            "-c",
            "init.defaultRefFormat=files",
            "init",
            "--quiet",
            "--bare",
            "--template=",
            "--object-format=sha1",
        ])?;
        git.run(&["config", "remote.origin.url", &url])?;
        git.run(&["config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"])?;
        let mainline = known.and_then(|known| known.mainline.as_deref()).unwrap_or("main");
        git.run(&["config", "gate.mainline", mainline])?;
        if let Some(known) = known {
            git.run(&["config", "gate.root", &known.root.to_string()])?;
            match context.root.filter(|root| *root != known.root) {
                Some(root) => context.warn(&format!(
                    "trust root {root}, of `--root`, and not {}, which {} remembers",
                    known.root,
                    roots.place()
                )),
                None => {
                    context.say(&format!(
                        "trust root {}, as {} remembers it",
                        known.root.short(),
                        roots.place()
                    ));
                }
            }
        }
        let context = Context {
            directory: scratch.path().to_owned(),
            borrowed: Some(refspecs(mainline, target)),
            ..context.clone()
        };
        {
            let _busy = context.waiting("fetching what the decision rests on");
            let origin = Origin::of(&context.repository()?, context.borrowed.as_deref().unwrap_or_default());
            origin.map(|origin| origin.fetch()).transpose()?;
        }
        let borrowed = Self { context, _scratch: scratch };
        if let (None, Some(root)) = (known, borrowed.context.root) {
            // Whether it is on the mainline shows when the history is read from it.
            policy_in_force(&borrowed.context)?;
            roots.remember(&url, root)?;
        }
        Ok(borrowed)
    }

    /// Where commands run in it.
    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// What somebody who has no clone must see before they sign.
    pub(super) fn brief(&self, target: &Target, action: &Action) -> anyhow::Result<String> {
        let shown = match target {
            Target::Gate(gate) => self.checklist(gate),
            Target::Policy => self.policy_change(),
        };
        match (shown, action) {
            (Ok(text), _) => {
                if !self.context.asks && self.context.format == Format::Text {
                    self.context.say(text.trim_end());
                }
                Ok(format!("{text}\n"))
            }
            (Err(error), Action::Approve { .. } | Action::AcceptRisk { .. }) => Err(error),
            // What restricts needs less than what permits.
            (
                Err(error),
                Action::Reject { .. }
                | Action::Withdraw
                | Action::Close
                | Action::Deploy(_)
                | Action::DeployFailed { .. },
            ) => {
                self.context.warn(&format!("it cannot be shown: {error}"));
                Ok(String::new())
            }
        }
    }

    /// The checklist as if the branch were merged now.
    pub(super) fn checklist(&self, gate: &GateName) -> anyhow::Result<String> {
        let view = View::Merged(gate.clone());
        let session = Session::open(&self.context, &Opening { view, ..Opening::default() })?;
        let judgements = judging::judge_each(&session, gate, &[])?;
        let style = if self.context.color { Style::Coloured } else { Style::Plain };
        Ok(render::render_show(gate, &judgements, Form::Text(style)))
    }

    /// What the branches of policy changes would change, as a diff.
    fn policy_change(&self) -> anyhow::Result<String> {
        let repository = self.context.repository()?;
        let git = Git::of(&repository);
        let mainline = format!("refs/remotes/origin/{}", super::in_force::mainline_name(&repository));
        let mut text = String::new();
        for branch in repository.refs_under("refs/remotes/origin/policy/")?.into_keys() {
            let range = format!("{mainline}...{branch}");
            let plain = ["diff", "--no-color", "--no-ext-diff", "--no-textconv", &range, "--", "policy/"];
            let lines = git.run(&plain)?.lines().map(escape).collect::<Vec<_>>().join("\n");
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}\n{lines}", escape(&branch));
        }
        Ok(text)
    }
}

/// The branches that a decision rests on.
fn refspecs(mainline: &str, target: &Target) -> Vec<String> {
    let mut branches = vec![mainline.to_owned(), "deployments/*".to_owned()];
    branches.push(match target {
        Target::Gate(gate) => format!("gate/{}/*", gate.system),
        Target::Policy => "policy/*".to_owned(),
    });
    branches.iter().map(|branch| format!("+refs/heads/{branch}:refs/remotes/origin/{branch}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_nothing_that_git_would_take_for_a_flag() {
        for text in ["https://host/path.git", "git@host:path", "../here", "file:///x y"] {
            assert!(text.parse::<Address>().is_ok(), "{text}");
        }
        for text in ["-u", "--upload-pack=touch x", "a\nb", "a\x1b[2Jb"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
