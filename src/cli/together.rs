//! Writing together: bring the remote up to date, work out what to write, sign, push; and where somebody was faster, again.
//!
//! Every command that writes goes this way. What is written is always made anew on the tip that is there: a decision is
//! never rebased (design, section 8), and a change of files is made again on the files as they stand. A person signs
//! again only for what they have reviewed: if that has changed meanwhile, it is named, and nothing is signed. Whatever
//! goes wrong, and wherever the program is killed, the repository stands as it did or holds what was signed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::git::{Advance, Branch, Draft, Origin, Repository, SignedCommit, Written};
use crate::model::{ObjectId, escape};
use crate::policy::Policy;
use crate::signature::Verified;

use super::hand::{Hand, SigningArgs, counting};
use super::{Context, Failure, environment, fresh, interrupt};

/// How often others may be faster before it is given up. Each time somebody else has got through, so as many people may
/// write on one branch at once.
const ATTEMPTS: u32 = 20;

/// Says whether a signer may sign what is proposed, or why not.
pub(super) type Fits = Box<dyn Fn(&Verified) -> anyhow::Result<()>>;

/// What a command would write on what the repository holds now.
pub(super) struct Proposal {
    pub(super) repository: Repository,
    /// The policy under which the signature must count.
    pub(super) policy: Arc<Policy>,
    pub(super) branch: Branch,
    pub(super) draft: Draft,
    pub(super) hand: Hand,
    /// What the signer has before them: signed again only if it is the same.
    pub(super) reviewed: Reviewed,
    /// What the signer is asked first, where they are asked at all.
    pub(super) question: Option<String>,
    /// Whether this signer may: refused before anything is written.
    pub(super) fits: Fits,
}

/// What somebody who signs has before them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reviewed {
    /// What it is, as people call it, and what it was like: a digest, an id.
    pub(super) like: BTreeMap<String, String>,
    /// What others said against it. One more is a change; one that is gone is none.
    pub(super) objections: BTreeSet<ObjectId>,
}

/// The clone as it was before the remote was brought up to date: what its user may have looked at.
#[derive(Debug, Default)]
pub(super) struct Before {
    refs: BTreeMap<String, ObjectId>,
}

/// What was written, and whose signature it carries.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) written: Written,
    pub(super) signer: Verified,
}

/// Writes what `propose` works out, which is asked anew each time somebody was faster.
pub(super) fn write<T>(
    context: &Context,
    args: &SigningArgs,
    mut propose: impl FnMut(&Before) -> anyhow::Result<(Proposal, T)>,
) -> anyhow::Result<(Signed, T)> {
    interrupt::clean_up_first();
    if context.borrowed.is_some() && (args.offline || args.no_push) {
        return Err(Failure::usage(
            "without a clone a decision is pushed, or it is nowhere: leave out `--offline` and `--no-push`",
        )
        .into());
    }
    let (origin, mut before) = bring_up_to_date(context, args)?;
    let mut reviewed: Option<Reviewed> = None;
    for _attempt in 0..ATTEMPTS {
        let (proposal, more) = propose(&before)?;
        match &reviewed {
            None => ask(context, args, proposal.question.as_deref())?,
            Some(then) => refuse_changes(then, &proposal.reviewed)?,
        }
        let Proposal { repository, policy, branch, draft, hand, reviewed: now, fits, question: _ } = proposal;
        let commit = sign(context, draft, &hand)?;
        let signer = counting(&policy, &commit, context.now)?;
        fits(&signer)?;
        let origin = origin.as_ref().filter(|_origin| !args.no_push);
        let advanced = {
            let _busy = origin.map(|_origin| context.waiting("pushing to `origin`"));
            branch.advance(&repository, &commit, origin)?
        };
        match advanced {
            Advance::Written(written) => return Ok((Signed { written, signer }, more)),
            Advance::Outrun => context.say(&format!(
                "somebody was faster on `{}`: signing anew on what is there now",
                branch.name()
            )),
        }
        reviewed = Some(now);
        // What came in since is compared with what was reviewed, no longer with what the clone held.
        before = Before::default();
    }
    Err(Failure::new("outrun", format!("others were faster {ATTEMPTS} times; nothing was written"))
        .help("run the command again when fewer people write")
        .into())
}

impl Before {
    /// Where a branch (without `refs/heads/`) stood: at the remote, and here.
    pub(super) fn tips(&self, branch: &str) -> Vec<ObjectId> {
        let find = |prefix: &str| self.refs.get(&format!("{prefix}{branch}")).copied();
        ["refs/remotes/origin/", "refs/heads/"].into_iter().filter_map(find).collect()
    }
}

impl Reviewed {
    /// What is not as it was, in words.
    pub(super) fn changes(&self, now: &Self) -> Vec<String> {
        let names: BTreeSet<&String> = self.like.keys().chain(now.like.keys()).collect();
        let mut changes: Vec<String> = names
            .into_iter()
            .filter_map(|name| match (self.like.get(name), now.like.get(name)) {
                (then, now) if then == now => None,
                (None, _) => Some(format!("{name} is new")),
                (_, None) => Some(format!("{name} is gone")),
                (_, _) => Some(format!("{name} has changed")),
            })
            .collect();
        let said = now.objections.difference(&self.objections);
        changes.extend(said.map(|commit| format!("somebody rejected or closed it: {}", commit.short())));
        changes
    }
}

/// Fetches, where there is a remote; how the clone was before.
fn bring_up_to_date(context: &Context, args: &SigningArgs) -> anyhow::Result<(Option<Origin>, Before)> {
    if args.offline {
        return Ok((None, Before::default()));
    }
    let repository = context.repository()?;
    let refspecs = context.borrowed.as_deref().unwrap_or_default();
    let Some(origin) = Origin::of(&repository, refspecs) else { return Ok((None, Before::default())) };
    if context.borrowed.is_some() {
        // It was fetched a moment ago, and nobody has looked at it before.
        return Ok((Some(origin), Before::default()));
    }
    let before = Before { refs: repository.refs_under("refs/")? };
    let began = environment::now()?;
    {
        let _busy = context.waiting("fetching from `origin`");
        origin.fetch()?;
    }
    fresh::remember(&repository, began);
    Ok((Some(origin), before))
}

fn ask(context: &Context, args: &SigningArgs, question: Option<&str>) -> anyhow::Result<()> {
    let Some(question) = question.filter(|_question| !args.yes) else { return Ok(()) };
    if !context.asks {
        return Err(Failure::usage(
            "there is no terminal to ask on: say `--yes` to sign without being asked",
        )
        .into());
    }
    // Part of the question: `--quiet` must not hide what is signed.
    if context.confirm(question)? {
        return Ok(());
    }
    Err(Failure::new("declined", "nothing was signed").into())
}

fn sign(context: &Context, draft: Draft, hand: &Hand) -> anyhow::Result<SignedCommit> {
    let _busy = (!hand.signer.talks()).then(|| context.waiting("waiting for the signing program"));
    Ok(draft.sign(&hand.git, &hand.signer)?)
}

/// A signature is for what was reviewed, and nothing else.
fn refuse_changes(then: &Reviewed, now: &Reviewed) -> Result<(), Failure> {
    let changes = then.changes(now);
    if changes.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        "changed-meanwhile",
        format!(
            "somebody was faster, and it is no longer what you looked at: {}",
            escape(&changes.join(", "))
        ),
    )
    .help("nothing was written; look at it again, then run the command again"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reviewed(like: &[(&str, &str)], objections: &[u8]) -> Reviewed {
        Reviewed {
            like: like.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            objections: objections.iter().map(|byte| ObjectId([*byte; 20])).collect(),
        }
    }

    #[test]
    fn what_was_reviewed_is_compared_thing_by_thing() {
        let then = reviewed(&[("the policy", "7"), ("`a`", "1"), ("`b`", "1")], &[1]);
        assert!(then.changes(&then).is_empty());
        assert!(then.changes(&reviewed(&[("the policy", "7"), ("`a`", "1"), ("`b`", "1")], &[])).is_empty());
        assert_eq!(
            then.changes(&reviewed(&[("the policy", "8"), ("`a`", "1"), ("`c`", "1")], &[1, 2])),
            [
                "`b` is gone",
                "`c` is new",
                "the policy has changed",
                "somebody rejected or closed it: 0202020"
            ]
        );
        assert!(refuse_changes(&then, &then).is_ok());
        assert_eq!(refuse_changes(&then, &reviewed(&[], &[])).unwrap_err().code, "changed-meanwhile");
    }
}
