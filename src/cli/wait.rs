//! Waiting while a verdict is pending: fetch, ask again, until it is decided or the time is over.
//!
//! Nothing is decided here. Each time the one evaluator answers anew; *pending* alone is waited for, and the last answer
//! is the one that is given. A fetch that fails on the way is tried again; where the last one fails nobody knows how it
//! stands, and that is the answer.

use std::time::{Duration as Span, Instant};

use crate::insight::Judgement;
use crate::model::{Duration, escape};
use crate::verdict::{Outcome, Requirement, RequirementId, Status};

use super::fresh::{self, FreshArgs};
use super::{Context, Failure, environment, interrupt};

/// The first pause; each is twice the one before, up to the longest.
const FIRST_PAUSE: Span = Span::from_secs(1);
const LONGEST_PAUSE: Span = Span::from_secs(30);
/// How long a fetch may take, where less time is left.
const SHORTEST_FETCH: Span = Span::from_secs(30);

/// An answer, and whether it was waited for.
pub(super) struct Answer {
    pub(super) judgement: Judgement,
    pub(super) waited: bool,
    /// As it was asked: at that time.
    pub(super) context: Context,
}

/// Asks until the verdict is not pending any more, for `limit` at most.
pub(super) fn until_decided(
    context: &Context,
    fresh: &FreshArgs,
    limit: Duration,
    ask: impl Fn(&Context) -> anyhow::Result<Judgement>,
) -> anyhow::Result<Answer> {
    interrupt::clean_up_first();
    let repository = context.repository()?;
    let origin = fresh::origin(&repository)?;
    let until = context.now.plus(limit);
    let (began, limit) = (Instant::now(), Span::from_secs(limit.seconds().unsigned_abs()));
    let left = || limit.saturating_sub(began.elapsed());
    let mut pause = FIRST_PAUSE;
    let mut told = String::new();
    let mut waited = false;
    loop {
        let fetched = match &origin {
            Some(origin) => fresh::fetch(context, &repository, origin, Some(left().max(SHORTEST_FETCH))),
            None => Ok(()),
        };
        match fetched {
            Err(failure) if !waited || left().is_zero() => return Err(failure),
            Err(failure) => context.say(&format!("{}; it is tried again", escape(&failure.to_string()))),
            Ok(()) => {
                let context = Context { now: environment::now()?.max(context.now), ..context.clone() };
                fresh.refuse_stale(&context)?;
                let judgement = ask(&context)?;
                if judgement.verdict.outcome != Outcome::Pending || left().is_zero() {
                    return Ok(Answer { judgement, waited, context });
                }
                if let Some(missing) = only_the_caller_can(&judgement.verdict.requirements) {
                    context.say(&format!("waiting does not help: `{}` is to be given", escape(&missing)));
                    return Ok(Answer { judgement, waited, context });
                }
                let waits = format!("pending until {until}: waits for {}", awaited(&judgement));
                if waits != told {
                    context.say(&waits);
                    told = waits;
                }
            }
        }
        std::thread::sleep(pause.min(left()));
        pause = (pause * 2).min(LONGEST_PAUSE);
        waited = true;
    }
}

/// An open requirement that nobody but the caller can meet, by other arguments.
fn only_the_caller_can(requirements: &[Requirement]) -> Option<String> {
    let is_it = |requirement: &&Requirement| {
        matches!(requirement.id, RequirementId::Artifact(_)) && is_awaited(requirement.status)
    };
    requirements.iter().find(is_it).map(|requirement| requirement.id.to_string())
}

/// What is open, and who can do something about it.
fn awaited(judgement: &Judgement) -> String {
    let open = judgement.verdict.requirements.iter().filter(|requirement| is_awaited(requirement.status));
    let each: Vec<String> = open
        .map(|requirement| {
            let who: Vec<String> = requirement
                .next
                .iter()
                .flat_map(|next| &next.who)
                .map(|who| escape(&who.to_string()))
                .collect();
            let id = escape(&requirement.id.to_string());
            if who.is_empty() { id } else { format!("{id} ({})", who.join(", ")) }
        })
        .collect();
    each.join("; ")
}

fn is_awaited(status: Status) -> bool {
    match status {
        Status::Missing | Status::Stale => true,
        Status::Met | Status::Waived | Status::Failed => false,
    }
}

/// Refuses what would be waited for in vain: an answer about the past never changes.
pub(super) fn refuse_the_past(replays: bool) -> Result<(), Failure> {
    if replays {
        return Err(Failure::usage(
            "`--wait` does not go with `--at`, `--time` or `--log`: the past does not change",
        ));
    }
    Ok(())
}
