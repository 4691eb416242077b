//! `git gate hook install` and `uninstall`: puts the hooks where git looks for them, and takes them away.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::git::Repository;

use super::super::{Context, Exit, Failure, Format};
use super::directory::{CLIENT, Directory, Hook, SERVER, Standing};

/// Which repository.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    /// The repository that pushes go to, for its `pre-receive`; else this clone, for its `commit-msg` and `pre-push`.
    #[arg(long, value_name = "REPOSITORY")]
    server: Option<PathBuf>,
    /// Also where `core.hooksPath` leads out of the repository, though others may share that directory.
    #[arg(long)]
    shared: bool,
}

/// The arguments of `hook install`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
    /// Keep a hook that stands there already, and have it run first.
    #[arg(long)]
    chain: bool,
}

pub(super) fn install(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let (repository, directory, hooks) = args.place.find(context)?;
    let mut standing = Vec::new();
    for hook in hooks {
        standing.push((*hook, directory.standing(*hook)?));
    }
    // All of them or none: looked at before the first is written.
    if let Some((hook, _)) = standing.iter().find(|(_, standing)| *standing == Standing::Another) {
        let path = directory.path.join(hook.name);
        if !args.chain {
            return Err(Failure::new("hook-exists", format!("`{}` stands there already", path.display()))
                .help("keep it, and have it run first: `git gate hook install --chain`; nothing is ever overwritten")
                .into());
        }
        if let Some((hook, _)) =
            standing.iter().find(|(hook, is)| *is == Standing::Another && directory.has_one_before(*hook))
        {
            let message = format!("`{}` and one that runs before it stand there already", hook.name);
            return Err(Failure::new("hook-exists", message).help("make one of the two").into());
        }
    }
    let (mut installed, mut unchanged, mut chained) = (Vec::new(), Vec::new(), Vec::new());
    for (hook, standing) in standing {
        match standing {
            Standing::Same => {
                unchanged.push(hook.name);
                continue;
            }
            Standing::Another => {
                directory.chain(hook)?;
                chained.push(hook.name);
            }
            Standing::Nothing | Standing::Older => {}
        }
        directory.put(hook)?;
        installed.push(hook.name);
    }
    let place = directory.path.display().to_string();
    if context.format == Format::Json {
        let object = serde_json::json!({
            "schema": "git-gate/hook-install/1",
            "directory": place,
            "installed": installed,
            "unchanged": unchanged,
            "chained": chained,
        });
        context.print(&format!("{object}\n"))?;
    } else {
        let mut text = String::new();
        for (names, what) in [(&installed, "installed"), (&unchanged, "installed before")] {
            if !names.is_empty() {
                let _ = writeln!(text, "{what}: {} in {place}", names.join(", "));
            }
        }
        if !chained.is_empty() {
            let _ = writeln!(text, "what stood there runs first: {}", chained.join(", "));
        }
        context.print(&text)?;
    }
    if args.place.server.is_some() && repository.config("gate.root").is_none() {
        context.warn("no trust root is pinned there: every push to the mainline is refused until one is");
        context.say(&format!(
            "pin it: git -C {} config gate.root <full commit id>",
            crate::model::escape(&repository.common_directory().display().to_string())
        ));
    }
    Ok(Exit::Done)
}

pub(super) fn uninstall(context: &Context, place: &Place) -> anyhow::Result<Exit> {
    let (_repository, directory, hooks) = place.find(context)?;
    let (mut removed, mut restored) = (Vec::new(), Vec::new());
    for hook in hooks {
        match directory.standing(*hook)? {
            Standing::Same | Standing::Older => {
                removed.push(hook.name);
                if directory.take_away(*hook)? {
                    restored.push(hook.name);
                }
            }
            Standing::Nothing | Standing::Another => {}
        }
    }
    let place = directory.path.display().to_string();
    if context.format == Format::Json {
        let object = serde_json::json!({
            "schema": "git-gate/hook-uninstall/1",
            "directory": place,
            "removed": removed,
            "restored": restored,
        });
        context.print(&format!("{object}\n"))?;
        return Ok(Exit::Done);
    }
    let mut text = match removed.as_slice() {
        [] => format!("none of git-gate's in {place}\n"),
        names => format!("removed: {} from {place}\n", names.join(", ")),
    };
    if !restored.is_empty() {
        let _ = writeln!(text, "what ran first is back: {}", restored.join(", "));
    }
    context.print(&text)?;
    Ok(Exit::Done)
}

impl Place {
    fn find(&self, context: &Context) -> anyhow::Result<(Repository, Directory, &'static [Hook])> {
        let (repository, hooks) = match &self.server {
            Some(server) => (Repository::discover(&context.directory.join(server))?, SERVER),
            None => (context.repository()?, CLIENT),
        };
        if self.server.is_none() && repository.work_tree().is_none() {
            return Err(Failure::new("no-work-tree", "this repository is bare: nobody commits in it")
                .help("for a repository that pushes go to: `git gate hook install --server .`")
                .into());
        }
        let directory = Directory::of(&repository)?;
        if directory.is_elsewhere && !self.shared {
            let message = format!(
                "`core.hooksPath` has git look for hooks in `{}`, which other repositories may share",
                directory.path.display()
            );
            return Err(Failure::new("hooks-elsewhere", message)
                .help(
                    "install there all the same: `--shared`; for this repository alone: `git config --unset core.hooksPath`; \
                     or have the hooks there call `git gate hook commit-msg`, `pre-push` or `pre-receive`",
                )
                .into());
        }
        Ok((repository, directory, hooks))
    }
}
