//! Many gates at a glance: what `list` and `pending` have in common.
//!
//! The mainline is read once, and every gate on it judged with one memory. A gate whose branch holds more is judged as
//! `show` does it, as if that branch were merged: in a history of its own, let go before the next. One branch that
//! cannot be judged is named in its line, and takes no other down with it.

use std::collections::BTreeSet;

use clap::ValueEnum;

use crate::insight::{EnvironmentLine, GateLine};
use crate::model::{GateName, Name, Principal};
use crate::verdict::Outcome;

use super::session::{Opening, Session, View};
use super::{Context, Failure};

/// Which gates.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Filters {
    /// Only gates of this system.
    #[arg(long, value_name = "SYSTEM")]
    pub system: Option<Name>,
    /// Only changes of this kind.
    #[arg(long, value_name = "KIND")]
    pub kind: Option<Name>,
    /// Only changes of this risk.
    #[arg(long, value_name = "RISK")]
    pub risk: Option<Name>,
    /// Only for this environment.
    #[arg(long, value_name = "ENVIRONMENT")]
    pub environment: Option<Name>,
    /// Only gates with this verdict in some environment.
    #[arg(long, value_name = "VERDICT")]
    pub verdict: Option<Word>,
}

/// A verdict in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Word {
    /// It may go.
    Allowed,
    /// People or reports are awaited.
    Pending,
    /// Something failed.
    Blocked,
}

impl Word {
    fn is(self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Allowed(_) => self == Self::Allowed,
            Outcome::Pending => self == Self::Pending,
            Outcome::Blocked => self == Self::Blocked,
        }
    }
}

/// The gates that `filters` and `person` leave, by name; `session` reads the mainline.
pub(super) fn gather(
    context: &Context,
    session: &Session,
    filters: &Filters,
    person: Option<&Principal>,
) -> Result<Vec<GateLine>, Failure> {
    let of_system = |gate: &GateName| filters.system.as_ref().is_none_or(|system| gate.system == *system);
    let (mut standing, mut unmerged) = session.gates()?;
    standing.retain(of_system);
    unmerged.retain(of_system);
    let merged: BTreeSet<&GateName> = standing.difference(&unmerged).collect();
    let only = filters.environment.as_ref();
    let mut lines = session.overview(merged, only, false);
    for gate in &unmerged {
        let view = View::Merged(gate.clone());
        match Session::open(context, &Opening { view, ..Opening::default() }) {
            Ok(merged) => {
                lines.extend(merged.overview([gate], only, true));
                merged.close();
            }
            Err(failure) => lines.push(GateLine::unjudged(gate.clone(), failure.message)),
        }
    }
    lines.retain(|line| keeps(filters, person, line));
    lines.sort_by(|one, other| one.gate.cmp(&other.gate));
    Ok(lines)
}

/// What could not be judged is never left out: it might be anything.
fn keeps(filters: &Filters, person: Option<&Principal>, line: &GateLine) -> bool {
    if line.problem.is_some() {
        return true;
    }
    let change = line.change.as_ref();
    let kind = |kind: &Name| change.is_some_and(|change| change.kinds.contains(kind));
    let risk = |risk: &Name| change.is_some_and(|change| change.risk == *risk);
    let verdict =
        |word: &Word| line.environments.iter().any(|EnvironmentLine { outcome, .. }| word.is(*outcome));
    filters.kind.as_ref().is_none_or(kind)
        && filters.risk.as_ref().is_none_or(risk)
        && filters.verdict.as_ref().is_none_or(verdict)
        && (filters.environment.is_none() || !line.environments.is_empty())
        && person.is_none_or(|person| line.concerns(person))
}
