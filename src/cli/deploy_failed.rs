//! `git gate deploy --failed`: log that the deployment of a record failed.
//!
//! It says so of the last record of that system alone: what ran before it is what runs again (design, section 10).

use crate::decision::{Action, Decision, Target, render_message};
use crate::git::Draft;
use crate::model::ObjectId;

use super::deploy::{Args, checked, log_branch, open, proposal, refuse_relaxations, refuse_to_keep_it_here};
use super::{Context, Exit, Failure, requesting, together};

/// Logs that the deployment of a record failed.
pub(super) fn run(context: &Context, args: &Args, failed: ObjectId) -> anyhow::Result<Exit> {
    refuse_to_keep_it_here(context, args)?;
    let (signed, ()) = together::write(context, &args.signing, |_before| {
        let (session, context) = open(context, &args.env)?;
        let origin = session.origin()?;
        refuse_relaxations("deploy", &origin.relaxations)?;
        let log = log_branch(&session, &args.env, session.log_tip(&args.env)?)?;
        let last = session.last_record(&args.env, Some(&args.gate.system))?;
        match last {
            Some(last) if last.commit == failed && last.gate == args.gate && last.failed => {
                let message = format!("the log says already that {} failed", failed.short());
                return Err(Failure::new("nothing-changed", message).into());
            }
            Some(last) if last.commit == failed && last.gate == args.gate => {}
            Some(_) | None => {
                let message = format!("{failed} is not the last record of `{}` in `{}`", args.gate, args.env);
                return Err(Failure::new("not-the-last-record", message)
                    .help(format!(
                        "only what was deployed last can be said to have failed: `git gate log {} --env {}`",
                        args.gate.system, args.env
                    ))
                    .into());
            }
        }
        let action = Action::DeployFailed { environment: args.env.clone(), record: failed };
        let decision = Decision { target: Target::Gate(args.gate.clone()), action };
        let body = args.signing.message.as_deref().unwrap_or_default();
        let message = checked(&decision, render_message(&decision, "", body))?;
        let draft = Draft::record(session.repository(), log.tip(), origin.mainline, origin.time, &message)?;
        Ok((proposal(&context, args, &session, log, draft, None)?, ()))
    })?;
    let more = serde_json::json!({
        "gate": args.gate.to_string(), "environment": args.env.as_str(), "failed": failed.to_string(),
    });
    let done = format!("logged that {} failed", failed.short());
    requesting::print_written(context, "deploy-failed", &done, &signed.written, &more)?;
    Ok(Exit::Done)
}
