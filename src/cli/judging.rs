//! What `check`, `show` and `ready` have in common: asking about several environments, printing, and the exit status.

use std::collections::BTreeSet;

use crate::insight::{Judgement, Originals, Question};
use crate::model::{GateName, Name};
use crate::render::{Form, Style};
use crate::verdict::{Given, Outcome};

use super::session::Session;
use super::{Context, Exit, Failure, Format};

/// One judgement for each of `environments`; without any, for each that the gate's request names. Never none: an answer
/// about no environment would read as "nothing is wrong".
pub(super) fn judge_each(
    session: &Session,
    gate: &GateName,
    named: &[Name],
) -> Result<Vec<Judgement>, Failure> {
    let question = |environment| Question {
        gate: gate.clone(),
        environment,
        given: Given::NotAsked,
        originals: Originals::new(),
    };
    environments(session, gate, named)?
        .into_iter()
        .map(|environment| session.judge(&question(environment)))
        .collect()
}

/// The environments asked about: those that were named, else those that the gate's request names.
pub(super) fn environments(
    session: &Session,
    gate: &GateName,
    named: &[Name],
) -> Result<BTreeSet<Name>, Failure> {
    let environments: BTreeSet<Name> =
        if named.is_empty() { session.environments(gate)? } else { named.iter().cloned().collect() };
    if environments.is_empty() {
        return Err(Failure::new(
            "no-environment",
            format!("neither the request of `{gate}` nor the policy names an environment"),
        )
        .help("name one: `--env <environment>`"));
    }
    Ok(environments)
}

/// The exit status of one verdict.
pub(super) fn exit(outcome: Outcome) -> Exit {
    match outcome {
        Outcome::Allowed(_) => Exit::Done,
        Outcome::Pending => Exit::Pending,
        Outcome::Blocked => Exit::Blocked,
    }
}

/// The exit status of several verdicts: the worst of them, blocked before pending before allowed.
pub(super) fn worst(outcomes: impl IntoIterator<Item = Outcome>) -> Exit {
    let mut worst = Exit::Done;
    for outcome in outcomes {
        worst = match (exit(outcome), worst) {
            (Exit::Blocked, _) | (_, Exit::Blocked) => Exit::Blocked,
            (Exit::Pending, _) | (_, Exit::Pending) => Exit::Pending,
            (_, before) => before,
        };
    }
    worst
}

/// The form in which to print.
pub(super) fn form(context: &Context) -> Form {
    match (context.format, context.color) {
        (Format::Text, true) => Form::Text(Style::Coloured),
        // Tables are refused everywhere but where they are printed.
        (Format::Text, false) | (Format::Csv | Format::Openmetrics, _) => Form::Text(Style::Plain),
        (Format::Json, _) => Form::Json,
        (Format::Markdown, _) => Form::Markdown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Basis;

    #[test]
    fn the_worst_environment_decides_the_status() {
        use Outcome::{Allowed, Blocked, Pending};
        let fine = Allowed(Basis::Requirements);
        for (outcomes, expected) in [
            (vec![fine], Exit::Done),
            (vec![fine, Allowed(Basis::Rollback), Allowed(Basis::Exception)], Exit::Done),
            (vec![fine, Pending], Exit::Pending),
            (vec![Pending, fine], Exit::Pending),
            (vec![Pending, Blocked, fine], Exit::Blocked),
            (vec![Blocked, Pending], Exit::Blocked),
        ] {
            assert_eq!(worst(outcomes.clone()), expected, "{outcomes:?}");
        }
    }
}
