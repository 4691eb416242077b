//! `git gate backtest`: what a proposed policy would have done, gate by gate, and how that lines up with incidents.

use std::sync::Arc;

use crate::insight::backtest::{Backtest, Past};
use crate::ledger::Undecided;
use crate::model::GateName;
use crate::policy::Policy;
use crate::render::{self, BacktestShown};
use crate::verdict::PolicyInForce;

use super::period::Period;
use super::session::{Opening, Session};
use super::{Context, Exit, Failure, judging, policy_files, sharing};

/// Fewer gates than this are not worth another thread.
const FEW: usize = 50;

/// The arguments of `backtest`.
///
/// Every gate that was deployed, allowed, closed, rejected or blocked is judged once more at the moment at which that
/// happened: under the policy in force, and as if the proposed one had been in force then. Verdicts that differ are flips.
/// Gates that led to incidents say what either would have caught.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit status: 0 whatever it flips, 3 the policy or the history could not be read.")]
pub struct Args {
    /// A directory that holds the policy, a branch, `HEAD`, a tag, or a full commit id.
    #[arg(long, value_name = "PATH|BRANCH|COMMIT")]
    policy: String,
    /// Which time.
    #[command(flatten)]
    period: Period,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let files = policy_files::read(context, Some(&args.policy))?;
    let proposed = Policy::parse(&files.policy_toml, &files.allowed_signers)
        .map_err(|problems| policy_files::placed(&files, problems))?;
    let session = Session::open(context, &Opening { many: true, ..Opening::default() })?;
    let old = session.policy();
    let mut problems: Vec<String> =
        proposed.findings.iter().map(|finding| format!("{} ({})", finding.message, finding.code)).collect();
    // The policy in force itself follows nothing, and needs not.
    if files.digest() != session.origin()?.policy.digest {
        problems.extend(old.may_be_followed_by(&proposed.id, proposed.serial).err());
    }
    let origin = session.origin()?;
    let (serial, proposed_serial) = (old.serial, proposed.serial);
    let in_force =
        PolicyInForce { policy: Arc::new(proposed), digest: files.digest(), commit: origin.mainline };
    let other = session.proposing(in_force);
    let found = try_all(context, &session, &other, &args.period)?;
    let shown = BacktestShown {
        policy: &files.origin,
        serial,
        proposed_serial,
        problems: &problems,
        since: args.period.since,
        until: args.period.until,
        found: &found,
        origin: &origin,
    };
    context.print(&render::render_backtest(&shown, judging::form(context)))?;
    Ok(Exit::Done)
}

fn try_all(
    context: &Context,
    session: &Session,
    other: &Session,
    period: &Period,
) -> anyhow::Result<Backtest> {
    session.hold_logs()?;
    other.hold_logs_of(session);
    let (past, gates) = {
        let judge = session.judging();
        let past = Past::read(&judge, period.since, period.until)?;
        let gates = past.gates(&judge)?;
        (past, gates)
    };
    let several = gates.len() >= FEW;
    let busy = context.counting("trying gates under both policies", gates.len());
    let work = |[in_force, proposed]: [&Session; 2], system: &Vec<GateName>| {
        let (in_force, proposed) = (in_force.judging(), proposed.judging());
        in_force.forget_gates();
        proposed.forget_gates();
        let mut found = Backtest::default();
        for gate in system {
            found.try_gate(&past, &in_force, &proposed, gate)?;
            busy.step();
        }
        Ok(found)
    };
    let mut all = Backtest::default();
    let take = |found: Result<Backtest, Undecided>| -> Result<(), Failure> {
        all.join(found?);
        Ok(())
    };
    sharing::in_order([session, other], &sharing::systems(gates), several, work, take)?;
    Ok(all)
}
