//! `git gate hook pre-receive`: judges a push where it is received, its objects in quarantine.

use crate::insight::{Push, receive};

use super::super::{Context, Exit, Failure};
use super::{pinned, pushed, receiver, repository, tell};

pub(super) fn run(context: &Context) -> anyhow::Result<Exit> {
    let repository = repository(context)?;
    let push = Push::of_pre_receive(&pushed()?)
        .map_err(|malformed| Failure::new("push-unreadable", malformed.to_string()))?;
    let root = pinned(context, &repository)?;
    let before = repository.refs_under("refs/heads/")?;
    tell(context, "pre-receive", &receive(&receiver(context, repository, root, before), &push)?)
}
