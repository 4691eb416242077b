//! `git gate hook pre-receive`: judges a push where it is received, its objects in quarantine.

use std::rc::Rc;

use crate::git::Repository;
use crate::insight::{Push, Receiver, receive};
use crate::model::ObjectId;

use super::super::{Context, Exit, Failure, environment};
use super::{pushed, tell};

pub(super) fn run(context: &Context) -> anyhow::Result<Exit> {
    let repository =
        Repository::open_in_hook(&environment::hook_place(), &context.directory)?.without_index();
    let push = Push::of_pre_receive(&pushed()?)
        .map_err(|malformed| Failure::new("push-unreadable", malformed.to_string()))?;
    let receiver = Receiver {
        mainline: repository.config("gate.mainline").unwrap_or("main").to_owned(),
        root: pinned(context, &repository)?,
        before: repository.refs_under("refs/heads/")?,
        time: context.now,
        repository: Rc::new(repository),
    };
    tell(context, "pre-receive", &receive(&receiver, &push)?)
}

/// The trust root that is given or pinned, if one is.
pub(super) fn pinned(context: &Context, repository: &Repository) -> Result<Option<ObjectId>, Failure> {
    if let Some(root) = context.root {
        return Ok(Some(root));
    }
    let Some(text) = repository.config("gate.root") else { return Ok(None) };
    let root = text.parse().map_err(|wrong| {
        Failure::new("no-trust-root", format!("`gate.root` is `{text}`: {wrong}"))
            .help("pin it: `git config gate.root <full commit id>`")
    })?;
    Ok(Some(root))
}
