//! What a proposed policy asks of people, against the one in force: approvals, reports, and days of waiting.
//!
//! Counted over the gates that went through: deployed or allowed somewhere. An approval serves all environments of a gate, so
//! a gate asks as often as the environment that asks most. Days come from how long people of each role took until now
//! (R12.6): a model, and said to be one.

use std::collections::{BTreeMap, BTreeSet};

use crate::insight::decided::Decided;
use crate::model::Name;
use crate::verdict::RequirementId;

use super::{Side, Tried};

/// Fewest observed waits from which one is expected.
pub(super) const LEAST_WAITS: usize = 5;

/// How many people, by role.
type Asked = BTreeMap<Name, u64>;

/// What is asked, under both policies.
#[derive(Debug, Clone, Default)]
pub struct Cost {
    /// Gates that went through.
    pub gates: u64,
    /// Approvals asked for, by role: under the policy in force, and under the proposed one.
    pub approvals: BTreeMap<Name, (u64, u64)>,
    /// Reports asked for, by kind, in the same way.
    pub reports: BTreeMap<Name, (u64, u64)>,
    /// How often each pair of askings occurs: what waiting is worked out from.
    asked: BTreeMap<(Asked, Asked), u64>,
    /// Observed waits by role, in seconds.
    waits: BTreeMap<Name, Vec<i64>>,
}

/// How long gates would have waited for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Gates that would have waited longer, and shorter.
    pub longer: u64,
    /// Gates that would have waited less long.
    pub shorter: u64,
    /// Gates of which it cannot be told: too few waits were observed.
    pub unknown: u64,
    /// Seconds of waiting more (or less) over all gates.
    pub added: i64,
    /// What is expected of one person of each role that either policy asks for, in seconds, with how many waits were
    /// observed.
    pub roles: BTreeMap<Name, (Option<i64>, usize)>,
    /// Roles with too few waits of their own: those of all roles stand in.
    pub by_all_roles: BTreeSet<Name>,
}

impl Cost {
    /// Notes that an approval in a role came so many seconds after the gate was as it was approved.
    pub fn observe(&mut self, role: &Name, seconds: i64) {
        self.waits.entry(role.clone()).or_default().push(seconds.max(0));
    }

    /// Adds one gate, tried for each of its environments.
    pub(super) fn add(&mut self, gate: &[Tried]) {
        let went_through: Vec<&Tried> = gate
            .iter()
            .filter(|tried| matches!(tried.moment.how, Decided::Deployed | Decided::Allowed))
            .collect();
        if went_through.is_empty() {
            return;
        }
        self.gates += 1;
        let (in_force, proposed): (Vec<&Side>, Vec<&Side>) =
            went_through.iter().map(|tried| (&tried.in_force, &tried.proposed)).unzip();
        let (now, then) = (most(&in_force), most(&proposed));
        tally(&mut self.reports, &reports(&in_force), &reports(&proposed), 1);
        self.ask(now, then, 1);
    }

    /// Notes that so many gates ask for the first under the policy in force, and for the second under the proposed one.
    pub(super) fn ask(&mut self, now: Asked, then: Asked, gates: u64) {
        tally(&mut self.approvals, &now, &then, gates);
        *self.asked.entry((now, then)).or_default() += gates;
    }

    /// Adds what other gates ask, which come after these.
    pub(super) fn join(&mut self, other: Self) {
        self.gates += other.gates;
        for (totals, others) in [(&mut self.approvals, other.approvals), (&mut self.reports, other.reports)] {
            for (name, (now, then)) in others {
                let total = totals.entry(name).or_default();
                *total = (total.0 + now, total.1 + then);
            }
        }
        for (asked, gates) in other.asked {
            *self.asked.entry(asked).or_default() += gates;
        }
        for (role, waits) in other.waits {
            self.waits.entry(role).or_default().extend(waits);
        }
    }

    /// How long gates would have waited.
    pub fn waiting(&self) -> Waiting {
        let mut all: Vec<i64> = self.waits.values().flatten().copied().collect();
        all.sort_unstable();
        let mut found = Waiting::default();
        let mut sorted: BTreeMap<&Name, Vec<i64>> = BTreeMap::new();
        for role in self.approvals.keys() {
            let mut own = self.waits.get(role).cloned().unwrap_or_default();
            own.sort_unstable();
            let count = own.len();
            if count < LEAST_WAITS {
                found.by_all_roles.insert(role.clone());
                own.clone_from(&all);
            }
            found.roles.insert(role.clone(), (expected(&own, 1), count));
            sorted.insert(role, own);
        }
        // People decide side by side: a gate waits for the slowest.
        let wait = |asked: &Asked| -> Option<i64> {
            let waits =
                asked.iter().map(|(role, count)| sorted.get(role).and_then(|waits| expected(waits, *count)));
            waits.collect::<Option<Vec<i64>>>().map(|waits| waits.into_iter().max().unwrap_or_default())
        };
        for ((now, then), gates) in &self.asked {
            match (wait(now), wait(then)) {
                (Some(before), Some(after)) => {
                    let added = after - before;
                    found.longer += if added > 0 { *gates } else { 0 };
                    found.shorter += if added < 0 { *gates } else { 0 };
                    found.added = found
                        .added
                        .saturating_add(added.saturating_mul(i64::try_from(*gates).unwrap_or(i64::MAX)));
                }
                (_, _) if now == then => {}
                (_, _) => found.unknown += gates,
            }
        }
        found
    }
}

/// How long the slowest of `people` takes, expected from sorted waits: their n/(n+1) quantile, by nearest rank; of one
/// person the median. Nothing where too few were observed.
fn expected(waits: &[i64], people: u64) -> Option<i64> {
    let count = u64::try_from(waits.len()).unwrap_or(u64::MAX);
    if waits.len() < LEAST_WAITS || people == 0 {
        return None;
    }
    let rank = count.saturating_mul(people).div_ceil(people.saturating_add(1)).max(1);
    waits.get(usize::try_from(rank - 1).unwrap_or(usize::MAX)).copied()
}

/// The most that any environment asks, by role.
fn most(sides: &[&Side]) -> Asked {
    let mut asked = Asked::new();
    for (role, count) in sides.iter().flat_map(|side| &side.asked) {
        let most = asked.entry(role.clone()).or_default();
        *most = (*count).max(*most);
    }
    asked
}

/// The kinds of reports that any environment asks for.
fn reports(sides: &[&Side]) -> Asked {
    let lines = sides.iter().flat_map(|side| &side.verdict.requirements);
    lines
        .filter_map(
            |line| if let RequirementId::Evidence(kind) = &line.id { Some((kind.clone(), 1)) } else { None },
        )
        .collect()
}

fn tally(totals: &mut BTreeMap<Name, (u64, u64)>, now: &Asked, then: &Asked, gates: u64) {
    for (name, count) in now {
        totals.entry(name.clone()).or_default().0 += count * gates;
    }
    for (name, count) in then {
        totals.entry(name.clone()).or_default().1 += count * gates;
    }
}
