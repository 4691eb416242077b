//! `git gate hook pre-push`: tells before a push what the other side would refuse, as far as this clone knows.

use crate::insight::{Push, Received, Refs};

use super::super::{Context, Exit, Failure};
use super::{judged, pinned, pushed, receiver, repository, tell};

/// The arguments of `hook pre-push`, as git gives them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The remote's name, or its address where it has none.
    remote: String,
    /// Where the remote is.
    url: String,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let repository = repository(context)?;
    let push = Push::of_pre_push(&pushed()?)
        .map_err(|malformed| Failure::new("push-unreadable", malformed.to_string()))?;
    let Some(root) = pinned(context, &repository)? else {
        context.detail(&format!("no trust root is pinned here: the push to {} was not looked at", args.url));
        return tell(context, "pre-push", &Received::default());
    };
    let mut before = Refs::new();
    let tracked = format!("refs/remotes/{}/", args.remote);
    for (name, tip) in repository.refs_under(&tracked).unwrap_or_default() {
        if let Some(branch) = name.strip_prefix(&tracked) {
            before.insert(format!("refs/heads/{branch}"), tip);
        }
    }
    let mut warnings = Vec::new();
    let mut known = Push::default();
    for update in push.updates {
        match update.old {
            Some(old) if repository.read_commit(old).is_err() => {
                warnings.push(format!(
                    "`{}` stands at {old} there, which was not fetched: what is pushed to it was not looked at",
                    update.name
                ));
                continue;
            }
            Some(old) => drop(before.insert(update.name.clone(), old)),
            None => drop(before.remove(&update.name)),
        }
        known.updates.push(update);
    }
    let receiver = receiver(context, repository, Some(root), before);
    // What cannot be told here the other side judges: only what is known against a push stops it.
    let mut received = match judged(context, &receiver, &known) {
        Ok(received) => received,
        Err(undecided) => {
            warnings
                .push(format!("the push cannot be judged here: {} [{}]", undecided.message, undecided.code));
            Received::default()
        }
    };
    for refusal in received.refusals.extract_if(.., |refusal| !refusal.certain) {
        warnings.push(format!(
            "{} cannot be judged here: {} [{}]",
            refusal.reference, refusal.message, refusal.code
        ));
    }
    received.warnings.splice(..0, warnings);
    tell(context, "pre-push", &received)
}
