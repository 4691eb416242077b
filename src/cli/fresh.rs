//! How fresh a clone is: fetching before an answer, and refusing to answer from what was fetched too long ago.
//!
//! A frozen server or a job that never fetches shows an old state as if it were the present. The time of the last
//! successful fetch is kept in `.git/gate/fetched`, as text. The dates of git's own files do not tell it: a fetch that
//! fails empties `FETCH_HEAD` all the same, a clone writes none, and a copied clone dates all of them anew.

use std::time::Duration as Span;

use crate::git::{Origin, Repository};
use crate::model::{Duration, Time, escape};

use super::{Context, Failure, environment};

/// Where the time of the last successful fetch is kept.
const MARK: &str = "fetched";
/// How far the clock may have gone back since, in seconds.
const MOST_AHEAD: i64 = 900;

/// What commands take that answer from a clone of what others write.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct FreshArgs {
    /// Fetch from `origin` before judging, with your own git.
    #[arg(long)]
    fetch: bool,
    /// Fail unless `origin` was fetched no longer ago than this, such as `15m`.
    #[arg(long, value_name = "DURATION")]
    max_staleness: Option<Duration>,
}

impl FreshArgs {
    /// Fetches where that was asked for, and refuses a clone that is staler than was said.
    pub(super) fn bring_up_to_date(&self, context: &Context) -> anyhow::Result<()> {
        if self.fetch {
            let repository = context.repository()?;
            let origin = origin(&repository)?.ok_or_else(no_origin)?;
            fetch(context, &repository, &origin, None)?;
        }
        self.refuse_stale(context)
    }

    /// Refuses a clone that is staler than was said.
    pub(super) fn refuse_stale(&self, context: &Context) -> anyhow::Result<()> {
        let Some(most) = self.max_staleness else { return Ok(()) };
        let repository = context.repository()?;
        origin(&repository)?.ok_or_else(no_origin)?;
        let mark = repository.state(MARK)?;
        // The clock of the machine, whatever time is asked about.
        let now = environment::now()?.max(context.now);
        judge_staleness(mark.as_deref(), now, most)
            .map_err(|stale| Failure::new("stale-fetch", stale).help("fetch first: `--fetch`").into())
    }
}

/// The remote that this clone follows; nothing where there is none. One whose branches are not kept whole is refused.
pub(super) fn origin(repository: &Repository) -> Result<Option<Origin>, Failure> {
    let Some(origin) = Origin::of(repository, &[]) else { return Ok(None) };
    if !Origin::is_whole(repository) {
        let message = "a fetch does not bring all branches of `origin` to where they are read";
        return Err(Failure::new("branches-not-fetched", message).help(
            "fetch all: `git config --replace-all remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*'; git fetch \
             origin`",
        ));
    }
    Ok(Some(origin))
}

/// Fetches from `origin`, and remembers when. `limit`: for how long.
pub(super) fn fetch(
    context: &Context,
    repository: &Repository,
    origin: &Origin,
    limit: Option<Span>,
) -> anyhow::Result<()> {
    // What is pushed while it is fetched may be missed: it is as fresh as its beginning.
    let began = environment::now()?;
    let _busy = context.waiting("fetching from `origin`");
    let fetched = match limit {
        Some(limit) => origin.fetch_within(limit),
        None => origin.fetch(),
    };
    fetched.map_err(|unwritten| match unwritten.code {
        "fetch-failed" => unwritten.help("nothing was decided; see what is wrong: `git fetch origin`"),
        _ => unwritten,
    })?;
    remember(repository, began);
    Ok(())
}

/// Remembers that `origin` was fetched at that time, where a fetch brings all of it.
pub(super) fn remember(repository: &Repository, time: Time) {
    if Origin::is_whole(repository) {
        // Where it cannot be kept, the next who asks finds the clone older than it is.
        let _ = repository.keep_state(MARK, &format!("{time}\n"));
    }
}

/// Whether a clone with this mark is fresh enough; why not.
fn judge_staleness(mark: Option<&str>, now: Time, most: Duration) -> Result<(), String> {
    let Some(mark) = mark else {
        return Err("nobody knows when this clone was last fetched".to_owned());
    };
    let mark = mark.trim_end();
    let Ok(fetched) = mark.parse::<Time>() else {
        return Err(format!("`gate/{MARK}` in the git directory holds no time: `{}`", escape(mark)));
    };
    let age = now.seconds_since(fetched);
    if age < -MOST_AHEAD {
        return Err(format!("this clone was last fetched at {fetched}, after this clock: it is {now}"));
    }
    if age > most.seconds() {
        return Err(format!("this clone was last fetched at {fetched}, longer ago than {most}: it is {now}"));
    }
    Ok(())
}

fn no_origin() -> Failure {
    Failure::new("fetch-failed", "there is no remote `origin` to fetch from")
        .help("name it: `git remote add origin <url>`; or leave out `--fetch` and `--max-staleness`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_is_as_fresh_as_its_last_successful_fetch() {
        let now = "2026-11-28T12:00:00Z".parse::<Time>().unwrap();
        for (mark, most, said) in [
            (Some("2026-11-28T12:00:00Z\n"), "0s", ""),
            (Some("2026-11-28T11:45:00Z\n"), "15m", ""),
            (Some("2026-11-28T11:44:59Z\n"), "15m", "longer ago than 15m"),
            (Some("2026-11-28T11:59:59Z\n"), "0s", "longer ago than 0s"),
            // A clock that was set back a little is no reason, one that was far ahead is.
            (Some("2026-11-28T12:15:00Z\n"), "0s", ""),
            (Some("2026-11-28T12:15:01Z\n"), "100d", "after this clock"),
            (None, "36500d", "nobody knows"),
            (Some(""), "36500d", "holds no time"),
            (Some("soon\u{202e}"), "36500d", "holds no time"),
        ] {
            let found = judge_staleness(mark, now, most.parse().unwrap());
            match said {
                "" => assert_eq!(found, Ok(()), "{mark:?} {most}"),
                said => {
                    assert!(found.as_ref().is_err_and(|why| why.contains(said)), "{mark:?} {most} {found:?}");
                }
            }
        }
    }
}
