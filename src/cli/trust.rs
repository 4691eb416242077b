//! `git gate trust`: pin or move the trust root.

use std::collections::BTreeSet;

use crate::git::{EntryKind, Git, Repository, raw};
use crate::ledger::{Branches, mark, snapshot};
use crate::model::{ObjectId, escape};

use super::in_force::mainline_name;
use super::{Context, Exit, Failure, Format};

/// The arguments of `trust`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The mainline commit whose policy you trust as it stands, by its full id; with `--accept-rewind`, else the pinned one.
    #[arg(required_unless_present = "accept_rewind")]
    pub commit: Option<ObjectId>,
    /// Accept that the mainline was rewound: begin anew from where it is now.
    #[arg(long)]
    pub accept_rewind: bool,
    /// Do not ask before moving a root that is pinned already.
    #[arg(long, short = 'y')]
    pub yes: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let repository = context.repository()?;
    repository.refuse_cut_history()?;
    let snapshot = snapshot(&repository, args.commit, Branches::Shared)?;
    let commit = snapshot.root;
    refuse_off_chain(&repository, commit, snapshot.tip)?;
    let pinned = repository.config("gate.root").map(str::to_owned);
    let wanted = commit.to_string();
    if let Some(before) = pinned.as_deref().filter(|before| **before != wanted) {
        agree_to_move(context, args.yes, &repository, before, commit)?;
    }
    if args.accept_rewind {
        mark::accept(&repository, &snapshot.mainline_ref, snapshot.tip)?;
        mark::accept_logs(&repository, &snapshot.logs(&repository)?)?;
    }
    Git::of(&repository).run(&["config", "gate.root", &wanted])?;
    if context.format == Format::Json {
        let object = serde_json::json!({ "schema": "git-gate/trust/1", "root": wanted, "before": pinned });
        context.print(&format!("{object}\n"))?;
    } else {
        context.print(&format!("trust root: {wanted}\n"))?;
    }
    Ok(Exit::Done)
}

/// The root must be a first parent of the mainline's tip, or the tip.
fn refuse_off_chain(repository: &Repository, wanted: ObjectId, tip: ObjectId) -> anyhow::Result<()> {
    let mut next = Some(tip);
    while let Some(id) = next {
        if id == wanted {
            return Ok(());
        }
        let bytes = repository.read_commit(id)?;
        next = raw::parse_links(&bytes).and_then(|links| links.parents.first().copied());
    }
    let name = mainline_name(repository);
    let message = format!("{wanted} is not on the first-parent chain of `{name}`");
    Err(Failure::new("root-not-on-mainline", message)
        .help(format!("choose one of `git log --first-parent --format='%H %s' {name}`"))
        .into())
}

fn agree_to_move(
    context: &Context,
    yes: bool,
    repository: &Repository,
    before: &str,
    commit: ObjectId,
) -> anyhow::Result<()> {
    let mut known = BTreeSet::new();
    if let Ok(before) = before.parse()
        && repository.read_commit(before).is_ok()
    {
        known = gates(repository, before)?;
    }
    let lost: Vec<String> = gates(repository, commit)?.difference(&known).cloned().collect();
    let mut what = format!("the trust root moves from {before}\n                     to {commit}\n");
    if !lost.is_empty() {
        let lost = escape(&lost.join(", "));
        what.push_str("opened before it, and so no longer judged: ");
        what.push_str(&lost);
        what.push('\n');
    }
    if yes {
        context.say(what.trim_end());
        return Ok(());
    }
    if context.confirm(&format!("{what}Move it?"))? {
        return Ok(());
    }
    if !context.asks {
        context.say(what.trim_end());
    }
    Err(Failure::new("declined", "the trust root was not moved")
        .help("say `--yes` to move it without being asked")
        .into())
}

/// The gates whose directories stand in a commit.
pub(super) fn gates(repository: &Repository, commit: ObjectId) -> anyhow::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let Some(systems) = directory(repository, repository.tree_of(commit)?, "gates")? else {
        return Ok(found);
    };
    for (system, id) in directories(repository, systems)? {
        for (version, _id) in directories(repository, id)? {
            found.insert(format!("{system}/{version}"));
        }
    }
    Ok(found)
}

fn directory(repository: &Repository, tree: ObjectId, name: &str) -> anyhow::Result<Option<ObjectId>> {
    Ok(directories(repository, tree)?.into_iter().find(|(found, _id)| found == name).map(|(_name, id)| id))
}

fn directories(repository: &Repository, tree: ObjectId) -> anyhow::Result<Vec<(String, ObjectId)>> {
    // A tree that is not canonical holds no gate that is judged.
    let Ok(tree) = repository.read_tree(tree)? else { return Ok(vec![]) };
    let directories = tree.entries().filter(|entry| entry.kind == EntryKind::Directory);
    Ok(directories.map(|entry| (String::from_utf8_lossy(entry.name).into_owned(), entry.id)).collect())
}
