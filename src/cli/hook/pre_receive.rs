//! `git gate hook pre-receive`: judges a push where it is received, its objects in quarantine.

use crate::insight::Push;
use crate::ledger;

use super::super::{Context, Exit, Failure};
use super::{judged, pinned, pushed, receiver, repository, tell};

pub(super) fn run(context: &Context) -> anyhow::Result<Exit> {
    let repository = repository(context)?;
    let push = Push::of_pre_receive(&pushed()?)
        .map_err(|malformed| Failure::new("push-unreadable", malformed.to_string()))?;
    let root = pinned(context, &repository)?;
    let before = repository.refs_under("refs/heads/")?;
    let mainline = repository.config("gate.mainline").unwrap_or("main");
    if let (Some(root), Some(taken)) = (root, before.get(&format!("refs/heads/{mainline}"))) {
        // Nothing is lost where it cannot be kept: then it is read.
        let _kept = ledger::remember(self::repository(context)?, root, *taken, context.now);
    }
    let receiver = receiver(context, repository, root, before);
    tell(context, "pre-receive", &judged(context, &receiver, &push)?)
}
