//! Timelines as they are kept: JSON. Of gates there are many: what is said often is said once (`words`), fields stand in
//! their order without names, and times are seconds since the gate was opened.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ledger::Text;
use crate::model::{Code, GateName, ObjectId, Time};
use crate::verdict::{Basis, RequirementId, Status};

use super::{AskedFor, Cycle, Deployment, Effect, End, Fate, Hit, Ruling, Timeline};

/// Timelines, and the words that they are written with.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    words: Vec<String>,
    timelines: Vec<TimelineRow>,
}

/// The place of a word.
type Word = usize;
/// Seconds since the gate was opened.
type Since = i64;

/// The gate, what was asked for, when it was opened (since 1970), changes, rulings, cycles.
#[derive(Debug, Serialize, Deserialize)]
struct TimelineRow(Word, Option<(Vec<Word>, Word)>, i64, Vec<Since>, Vec<RulingRow>, Vec<CycleRow>);

/// Commit, verb, principal, role, environments, reason, when, after the change, effect with its code.
#[derive(Debug, Serialize, Deserialize)]
struct RulingRow(
    Text<ObjectId>,
    Option<Word>,
    Option<Word>,
    Option<Word>,
    Vec<Word>,
    Option<Word>,
    Since,
    Option<i64>,
    (Word, Option<Word>),
);

/// Environment, end, first ready, complete, roles, decided, basis, waived, open, overturned, deployments, incidents.
#[derive(Debug, Serialize, Deserialize)]
struct CycleRow(
    Word,
    Word,
    Option<Since>,
    Option<Since>,
    Vec<(Word, Since)>,
    Option<Since>,
    Option<Word>,
    Vec<Word>,
    Vec<(Word, Word)>,
    bool,
    Vec<DeploymentRow>,
    Vec<HitRow>,
);

/// Record, when, principal, fate, basis, break-glass, debt.
#[derive(Debug, Serialize, Deserialize)]
struct DeploymentRow(Text<ObjectId>, Since, Option<Word>, Word, Option<Word>, bool, bool);

/// Incident, severity, began, ended, open, record.
#[derive(Debug, Serialize, Deserialize)]
struct HitRow(Word, Word, Since, Option<Since>, bool, Option<Text<ObjectId>>);

impl Rows {
    /// The timelines as they are to be kept; nothing: one cannot be written so that it reads as what it is.
    pub fn of<'t>(timelines: impl Iterator<Item = &'t Timeline> + Clone) -> Option<Self> {
        let mut words = Words::default();
        let rows = timelines.clone().map(|timeline| words.timeline(timeline)).collect();
        let rows = Self { words: words.words, timelines: rows };
        rows.read()?.iter().eq(timelines).then_some(rows)
    }

    /// The timelines; nothing: one makes no sense.
    pub fn read(&self) -> Option<Vec<Timeline>> {
        let words = Reading { words: &self.words };
        self.timelines.iter().map(|row| words.timeline(row)).collect()
    }
}

/// What was said so far, and where.
#[derive(Default)]
struct Words {
    words: Vec<String>,
    places: HashMap<String, Word>,
}

impl Words {
    fn word(&mut self, word: &impl ToString) -> Word {
        let word = word.to_string();
        if let Some(known) = self.places.get(&word) {
            return *known;
        }
        let place = self.words.len();
        self.words.push(word.clone());
        self.places.insert(word, place);
        place
    }

    fn all<W: ToString>(&mut self, words: impl IntoIterator<Item = W>) -> Vec<Word> {
        words.into_iter().map(|word| self.word(&word)).collect()
    }

    fn timeline(&mut self, timeline: &Timeline) -> TimelineRow {
        let opened = timeline.opened;
        let asked = timeline.asked.as_ref();
        TimelineRow(
            self.word(&timeline.gate),
            asked.map(|asked| (self.all(&asked.kinds), self.word(&asked.risk))),
            opened.unix(),
            timeline.changes.iter().map(|change| change.seconds_since(opened)).collect(),
            timeline.rulings.iter().map(|ruling| self.ruling(ruling, opened)).collect(),
            timeline.cycles.iter().map(|cycle| self.cycle(cycle, opened)).collect(),
        )
    }

    fn ruling(&mut self, ruling: &Ruling, opened: Time) -> RulingRow {
        RulingRow(
            Text(ruling.commit),
            ruling.verb.map(|verb| self.word(&verb)),
            ruling.principal.as_ref().map(|principal| self.word(principal)),
            ruling.role.as_ref().map(|role| self.word(role)),
            self.all(&ruling.environments),
            ruling.reason.as_ref().map(|reason| self.word(reason)),
            ruling.at.seconds_since(opened),
            ruling.after_change,
            match ruling.effect {
                Effect::Counted => (self.word(&COUNTED), None),
                Effect::TakenBack => (self.word(&TAKEN_BACK), None),
                Effect::Stale(code) => (self.word(&STALE), Some(self.word(&code))),
                Effect::Void(code) => (self.word(&VOID), Some(self.word(&code))),
            },
        )
    }

    fn cycle(&mut self, cycle: &Cycle, opened: Time) -> CycleRow {
        let since = |time: Option<Time>| time.map(|time| time.seconds_since(opened));
        let roles = cycle.roles.iter().map(|(role, at)| (self.word(role), at.seconds_since(opened)));
        let roles = roles.collect();
        CycleRow(
            self.word(&cycle.environment),
            self.word(&cycle.end.as_str()),
            since(cycle.first_ready),
            since(cycle.complete),
            roles,
            since(cycle.decided),
            cycle.basis.map(|basis| self.word(&basis.as_str())),
            self.all(&cycle.waived),
            cycle.open.iter().map(|(id, status)| (self.word(id), self.word(&status.as_str()))).collect(),
            cycle.overturned,
            cycle.deployments.iter().map(|deployment| self.deployment(deployment, opened)).collect(),
            cycle.incidents.iter().map(|hit| self.hit(hit, opened)).collect(),
        )
    }

    fn deployment(&mut self, deployment: &Deployment, opened: Time) -> DeploymentRow {
        DeploymentRow(
            Text(deployment.record),
            deployment.at.seconds_since(opened),
            deployment.principal.as_ref().map(|principal| self.word(principal)),
            self.word(&fate(deployment.fate)),
            deployment.basis.map(|basis| self.word(&basis.as_str())),
            deployment.break_glass,
            deployment.debt,
        )
    }

    fn hit(&mut self, hit: &Hit, opened: Time) -> HitRow {
        HitRow(
            self.word(&hit.id),
            self.word(&hit.severity),
            hit.began.seconds_since(opened),
            hit.ended.map(|ended| ended.seconds_since(opened)),
            hit.open,
            hit.record.map(Text),
        )
    }
}

/// What is read, with the words that it is written with.
struct Reading<'r> {
    words: &'r [String],
}

impl Reading<'_> {
    fn word(&self, word: Word) -> Option<&str> {
        self.words.get(word).map(String::as_str)
    }

    fn get<T: FromStr>(&self, word: Word) -> Option<T> {
        self.word(word)?.parse().ok()
    }

    /// Of what is there or not: nothing where it is there and makes no sense.
    #[expect(clippy::option_option, reason = "whether it makes sense, and whether it is there")]
    fn maybe<T: FromStr>(&self, word: Option<Word>) -> Option<Option<T>> {
        word.map_or(Some(None), |word| self.get(word).map(Some))
    }

    fn one_of<T: Copy>(&self, word: Word, all: &[T], as_str: impl Fn(T) -> &'static str) -> Option<T> {
        let word = self.word(word)?;
        all.iter().copied().find(|one| as_str(*one) == word)
    }

    fn set<T: FromStr + Ord>(&self, words: &[Word]) -> Option<BTreeSet<T>> {
        words.iter().map(|word| self.get(*word)).collect()
    }

    fn timeline(&self, row: &TimelineRow) -> Option<Timeline> {
        let TimelineRow(gate, asked, opened, changes, rulings, cycles) = row;
        let opened = Time::from_unix(*opened)?;
        Some(Timeline {
            gate: self.get::<GateName>(*gate)?,
            asked: match asked {
                None => None,
                Some((kinds, risk)) => Some(AskedFor { kinds: self.set(kinds)?, risk: self.get(*risk)? }),
            },
            opened,
            changes: changes.iter().map(|change| after(opened, *change)).collect::<Option<_>>()?,
            rulings: rulings.iter().map(|row| self.ruling(row, opened)).collect::<Option<_>>()?,
            cycles: cycles.iter().map(|row| self.cycle(row, opened)).collect::<Option<_>>()?,
        })
    }

    fn ruling(&self, row: &RulingRow, opened: Time) -> Option<Ruling> {
        let RulingRow(commit, verb, principal, role, environments, reason, at, after_change, effect) = row;
        let code = |word: Option<Word>| self.one_of(word?, &Code::ALL, Code::as_str);
        Some(Ruling {
            commit: commit.0,
            verb: self.maybe(*verb)?,
            principal: self.maybe(*principal)?,
            role: self.maybe(*role)?,
            environments: self.set(environments)?,
            reason: self.maybe(*reason)?,
            at: after(opened, *at)?,
            after_change: *after_change,
            effect: match (self.word(effect.0)?, effect.1) {
                (COUNTED, None) => Effect::Counted,
                (TAKEN_BACK, None) => Effect::TakenBack,
                (STALE, word) => Effect::Stale(code(word)?),
                (VOID, word) => Effect::Void(code(word)?),
                (_, _) => return None,
            },
        })
    }

    fn cycle(&self, row: &CycleRow, opened: Time) -> Option<Cycle> {
        let CycleRow(environment, end, first_ready, complete, roles, decided, basis, waived, open, ..) = row;
        let CycleRow(.., overturned, deployments, incidents) = row;
        let id = |word: Word| RequirementId::parse(self.word(word)?);
        let line = |(line, status): &(Word, Word)| {
            Some((id(*line)?, self.one_of(*status, &STATUSES, Status::as_str)?))
        };
        let role = |(role, at): &(Word, Since)| Some((self.get(*role)?, after(opened, *at)?));
        Some(Cycle {
            environment: self.get(*environment)?,
            end: self.one_of(*end, &End::ALL, End::as_str)?,
            first_ready: maybe_after(opened, *first_ready)?,
            complete: maybe_after(opened, *complete)?,
            roles: roles.iter().map(role).collect::<Option<BTreeMap<_, _>>>()?,
            decided: maybe_after(opened, *decided)?,
            basis: self.basis(*basis)?,
            waived: waived.iter().map(|word| id(*word)).collect::<Option<_>>()?,
            open: open.iter().map(line).collect::<Option<_>>()?,
            overturned: *overturned,
            deployments: deployments.iter().map(|row| self.deployment(row, opened)).collect::<Option<_>>()?,
            incidents: incidents.iter().map(|row| self.hit(row, opened)).collect::<Option<_>>()?,
        })
    }

    #[expect(clippy::option_option, reason = "whether it makes sense, and whether it is there")]
    fn basis(&self, word: Option<Word>) -> Option<Option<Basis>> {
        word.map_or(Some(None), |word| self.one_of(word, &BASES, Basis::as_str).map(Some))
    }

    fn deployment(&self, row: &DeploymentRow, opened: Time) -> Option<Deployment> {
        let DeploymentRow(record, at, principal, of, basis, break_glass, debt) = row;
        Some(Deployment {
            record: record.0,
            at: after(opened, *at)?,
            principal: self.maybe(*principal)?,
            fate: self.one_of(*of, &[Fate::Ran, Fate::Failed, Fate::Void], fate)?,
            basis: self.basis(*basis)?,
            break_glass: *break_glass,
            debt: *debt,
        })
    }

    fn hit(&self, row: &HitRow, opened: Time) -> Option<Hit> {
        let HitRow(id, severity, began, ended, open, record) = row;
        Some(Hit {
            id: self.get(*id)?,
            severity: self.get(*severity)?,
            began: after(opened, *began)?,
            ended: maybe_after(opened, *ended)?,
            open: *open,
            record: record.as_ref().map(|record| record.0),
        })
    }
}

fn after(opened: Time, seconds: Since) -> Option<Time> {
    Time::from_unix(opened.unix().checked_add(seconds)?)
}

#[expect(clippy::option_option, reason = "whether it makes sense, and whether it is there")]
fn maybe_after(opened: Time, seconds: Option<Since>) -> Option<Option<Time>> {
    seconds.map_or(Some(None), |seconds| after(opened, seconds).map(Some))
}

/// How effects and fates are written.
const COUNTED: &str = "counted";
const TAKEN_BACK: &str = "taken-back";
const STALE: &str = "stale";
const VOID: &str = "void";

fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Ran => "ran",
        Fate::Failed => "failed",
        Fate::Void => VOID,
    }
}

const STATUSES: [Status; 5] = [Status::Met, Status::Missing, Status::Stale, Status::Failed, Status::Waived];
const BASES: [Basis; 3] = [Basis::Requirements, Basis::Exception, Basis::Rollback];

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_unix(1_795_000_000 + seconds).unwrap()
    }

    fn id(digit: u8) -> ObjectId {
        ObjectId([digit; 20])
    }

    fn ruling(number: u8, effect: Effect) -> Ruling {
        Ruling {
            commit: id(number),
            verb: Some(crate::decision::Verb::Approve),
            principal: Some("a.ng@example.com".parse().unwrap()),
            role: Some("ml-lead".parse().unwrap()),
            environments: BTreeSet::from(["production".parse().unwrap()]),
            reason: Some("safety".parse().unwrap()),
            at: at(-5),
            after_change: Some(-7),
            effect,
        }
    }

    /// One with something of everything.
    fn rich() -> Timeline {
        let empty = Ruling {
            verb: None,
            principal: None,
            role: None,
            environments: BTreeSet::new(),
            reason: None,
            after_change: None,
            ..ruling(9, Effect::Counted)
        };
        let mut rulings = vec![empty, ruling(8, Effect::TakenBack)];
        for code in Code::ALL {
            rulings.extend([ruling(1, Effect::Stale(code)), ruling(2, Effect::Void(code))]);
        }
        let cycle = |end| Cycle {
            environment: "production".parse().unwrap(),
            end,
            first_ready: Some(at(1)),
            complete: None,
            roles: BTreeMap::from([("ml-lead".parse().unwrap(), at(2))]),
            decided: Some(at(3)),
            basis: None,
            waived: BTreeSet::from([RequirementId::RulesNone]),
            open: STATUSES.iter().map(|status| (RequirementId::GateOpen, *status)).collect(),
            overturned: true,
            deployments: Vec::new(),
            incidents: Vec::new(),
        };
        let mut cycles: Vec<Cycle> = End::ALL.into_iter().map(cycle).collect();
        for (fate, basis) in [(Fate::Ran, None), (Fate::Failed, Some(BASES[0])), (Fate::Void, Some(BASES[1]))]
        {
            let deployment = Deployment {
                record: id(3),
                at: at(4),
                principal: basis.map(|_| "bot@example.com".parse().unwrap()),
                fate,
                basis,
                break_glass: basis.is_none(),
                debt: basis.is_some(),
            };
            cycles[0].deployments.push(deployment);
        }
        cycles[0].basis = Some(BASES[2]);
        for (ended, record) in [(None, None), (Some(at(6)), Some(id(4)))] {
            let (id, severity) = ("INC-1".parse().unwrap(), "high".parse().unwrap());
            cycles[0].incidents.push(Hit {
                id,
                severity,
                began: at(5),
                ended,
                open: ended.is_none(),
                record,
            });
        }
        Timeline {
            gate: "summarizer/v1.4".parse().unwrap(),
            asked: Some(AskedFor {
                kinds: BTreeSet::from(["prompt".parse().unwrap()]),
                risk: "low".parse().unwrap(),
            }),
            opened: at(0),
            changes: vec![at(0), at(7)],
            rulings,
            cycles,
        }
    }

    #[test]
    fn what_is_written_reads_as_what_it_was() {
        let plain =
            Timeline { asked: None, changes: Vec::new(), rulings: Vec::new(), cycles: Vec::new(), ..rich() };
        let all = [rich(), plain];
        let text = serde_json::to_string(&Rows::of(all.iter()).unwrap()).unwrap();
        let read = serde_json::from_str::<Rows>(&text).unwrap().read().unwrap();
        assert_eq!(read, all);
    }

    /// It would read as another requirement, or none.
    #[test]
    fn what_does_not_read_as_what_it_was_is_not_written() {
        let mut timeline = rich();
        timeline.cycles[0].open = vec![(RequirementId::Artifact(None), Status::Failed)];
        assert!(Rows::of([timeline].iter()).is_none());
    }

    #[test]
    fn what_makes_no_sense_is_not_read() {
        let text = serde_json::to_string(&Rows::of([rich()].iter()).unwrap()).unwrap();
        for (old, new) in [
            ("\"approve\"", "\"approves\""),
            ("\"a.ng@example.com\"", "\"\""),
            ("\"ml-lead\"", "\"ml lead\""),
            ("\"summarizer/v1.4\"", "\"summarizer\""),
            ("\"rules:none\"", "\"rules:some\""),
            ("\"waived\"", "\"waved\""),
            ("\"pending\"", "\"pends\""),
            ("\"ran\"", "\"runs\""),
            ("\"rollback\"", "\"roll\""),
            ("\"counted\"", "\"counts\""),
            ("\"expired\"", "\"expires\""),
            ("1795000000", "9223372036854775807"),
            ("[0,7]", "[0,9223372036854775807]"),
            ("\"words\":[", "\"words\":[\"x\","),
            ("\"timelines\"", "\"lines\""),
        ] {
            assert!(text.contains(old), "{old} in {text}");
            let bad = text.replacen(old, new, 1);
            let read = serde_json::from_str::<Rows>(&bad).ok().and_then(|rows| rows.read());
            assert!(read.is_none_or(|read| read != [rich()]), "{bad}");
        }
        let short = text.replacen("\"words\":[", "\"words\":[],\"w\":[", 1);
        assert!(serde_json::from_str::<Rows>(&short).is_err());
    }
}
