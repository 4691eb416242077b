//! What `except` and `accept-risk` have in common: what an exception must be before anybody writes or signs it.
//!
//! The same rules by which the verdict judges it later; here they save a file and signatures that would count for nothing.

use std::collections::BTreeSet;
use std::str::FromStr;

use crate::model::{Duration, GateName, Name, ObjectId, Principal, Time};
use crate::policy::Policy;
use crate::request::{Exception, FollowUp};
use crate::verdict;

use super::Failure;

/// Until when: a date, a moment, or so long from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// At that moment.
    At(Time),
    /// So long from now.
    In(Duration),
}

/// `<who> by <date>: <what>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUpArg(pub FollowUp);

impl Until {
    pub(super) fn after(self, now: Time) -> Time {
        match self {
            Self::At(time) => time,
            Self::In(duration) => now.plus(duration),
        }
    }
}

impl FromStr for Until {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(duration) = text.parse() {
            return Ok(Self::In(duration));
        }
        moment(text).map(Self::At).ok_or_else(|| {
            "a date (`2026-12-05`), a moment (`2026-12-05T12:00:00Z`) or how long from now (`7d`)".into()
        })
    }
}

impl FromStr for FollowUpArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (head, what) = text.split_once(": ")?;
            let (who, due) = head.split_once(" by ")?;
            let who: Principal = who.trim().parse().ok()?;
            Some(FollowUp { what: what.trim().to_owned(), who, due: moment(due.trim())? })
        };
        read().map(Self).ok_or_else(|| {
            "`<who> by <date>: <what>`, as in `j.rivera@example.com by 2026-12-05: Label the set`".into()
        })
    }
}

/// A moment, or the beginning of a day.
pub(super) fn moment(text: &str) -> Option<Time> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    whole.parse().ok()
}

/// Refuses where nobody could ever accept a risk.
pub(super) fn refuse_unacceptable(policy: &Policy) -> Result<(), Failure> {
    if policy.can_fill(&policy.exceptions.approvals) {
        return Ok(());
    }
    Err(Failure::new(
        "exception-nobody",
        "the policy in force says nobody who may accept a risk: no exception is ever in force",
    )
    .help("`[exceptions] approvals = [{ role = \"…\" }]`, by a policy change"))
}

/// Refuses an exception, made at `since`, that cannot hold.
pub(super) fn refuse_unfit(
    policy: &Policy,
    exception: &Exception,
    since: Time,
    now: Time,
) -> Result<(), Failure> {
    let Some(expires) = exception.expires else { return Ok(()) };
    let longest = policy.exceptions.max_duration;
    verdict::not_expired(since, expires, longest, expires <= now).map_err(|why| {
        let failure = Failure::new("exception-expiry", format!("this exception cannot hold: {why}"));
        match longest {
            Some(longest) => {
                failure.help(format!("at the latest {}; nothing was written", since.plus(longest)))
            }
            None => failure.help("a later moment; nothing was written"),
        }
    })
}

/// The roles in which a risk is accepted.
pub(super) fn accepting_roles(policy: &Policy) -> BTreeSet<Name> {
    policy.exceptions.approvals.iter().map(|approval| approval.role.clone()).collect()
}

/// Who may accept it, besides `not`, and with which command.
pub(super) fn next_step(
    policy: &Policy,
    gate: &GateName,
    record: Option<ObjectId>,
    not: &BTreeSet<Principal>,
) -> (Vec<Principal>, String) {
    let roles = accepting_roles(policy);
    let who: BTreeSet<&Principal> = roles
        .iter()
        .flat_map(|role| policy.role_holders(role))
        .filter(|person| !not.contains(person))
        .collect();
    let record = record.map(|record| format!(" --record {record}")).unwrap_or_default();
    (who.into_iter().cloned().collect(), format!("git gate accept-risk {gate}{record}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_dates_moments_or_durations() {
        let now: Time = "2026-11-22T16:00:00Z".parse().unwrap();
        for (text, at) in [
            ("2026-12-05", "2026-12-05T00:00:00Z"),
            ("2026-12-05T12:00:00+01:00", "2026-12-05T11:00:00Z"),
            ("7d", "2026-11-29T16:00:00Z"),
        ] {
            assert_eq!(text.parse::<Until>().unwrap().after(now).to_string(), at, "{text}");
        }
        for text in ["", "tomorrow", "2026-13-05", "2026-12-05T12:00:00", "-1d"] {
            assert!(text.parse::<Until>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_follow_up_says_who_when_and_what() {
        let FollowUpArg(read) = "j.rivera@example.com by 2026-12-05: Label: all".parse().unwrap();
        assert_eq!((read.what.as_str(), read.who.as_str()), ("Label: all", "j.rivera@example.com"));
        assert_eq!(read.due.to_string(), "2026-12-05T00:00:00Z");
        for text in
            ["Label", "j.rivera@example.com: Label", "j.rivera by then: Label", "a@b by 2026-12-05:Label"]
        {
            assert!(text.parse::<FollowUpArg>().is_err(), "{text}");
        }
    }
}
