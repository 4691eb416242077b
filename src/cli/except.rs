//! `git gate except`: write down what may be passed over for a while, or the cover of a break-glass.
//!
//! What is open is read off the verdict and filled in; what only a person can say comes from flags, or from their editor.
//! Nothing is committed that could not come into force: it is checked as it will be judged.

use std::collections::{BTreeMap, BTreeSet};

use crate::git::{Branch, FileChange};
use crate::model::{ContentDigest, GateName, Name, ObjectId, Principal};
use crate::request::draft::{ExceptionDraft, render_exception_draft};
use crate::request::{Exception, ExceptionKind};
use crate::verdict;

use super::deciding::listed;
use super::exceptional::{FollowUpArg, Until, next_step, refuse_unacceptable, refuse_unfit};
use super::exceptional_known::{self, Known};
use super::gate_files::GateFiles;
use super::hand::SigningArgs;
use super::in_force::{InForce, policy_in_force};
use super::requesting::{Files, Ground, message, print_written};
use super::together::{self, Proposal, Reviewed};
use super::{Context, Exit, Failure, editor};

/// The arguments of `except`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without a terminal all must be said by flags; on one, an editor asks for what is not."
)]
pub struct Args {
    /// The gate, `<system>/<version>`.
    pub gate: GateName,
    /// Cover this record of the deployment log, a break-glass, in place of an exception.
    #[arg(long, value_name = "LOG COMMIT")]
    pub record: Option<ObjectId>,
    /// A requirement to pass over, as the checklist names it; repeatable. Else the open ones that can be waived, no
    /// approvals among them.
    #[arg(long, value_name = "REQUIREMENT")]
    pub waive: Vec<String>,
    /// Where; repeatable. Else where they are open.
    #[arg(long, value_name = "ENVIRONMENT")]
    pub env: Vec<Name>,
    /// Why it is to go all the same.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// What may happen.
    #[arg(long, value_name = "TEXT")]
    pub risk: Option<String>,
    /// Who answers for it; else the owner of the system.
    #[arg(long, value_name = "PRINCIPAL")]
    pub owner: Option<Principal>,
    /// What limits the risk meanwhile; repeatable.
    #[arg(long, value_name = "TEXT")]
    pub control: Vec<String>,
    /// What will be done: `<who> by <date>: <what>`; repeatable.
    #[arg(long, value_name = "FOLLOW-UP")]
    pub follow_up: Vec<FollowUpArg>,
    /// Until when: a date, a moment, or how long from now (`7d`).
    #[arg(long, value_name = "WHEN")]
    pub expires: Option<Until>,
    /// Open the editor although all is said.
    #[arg(long)]
    pub edit: bool,
    /// How to sign.
    #[command(flatten)]
    pub signing: SigningArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    // What a person typed is kept when somebody else was faster.
    let mut text: Option<String> = None;
    let (signed, told) =
        together::write(context, &args.signing, |_before| propose(context, args, &mut text))?;
    let Told { exception, who, command } = told;
    let waives: Vec<&str> = exception.waives.iter().map(String::as_str).collect();
    let more = serde_json::json!({
        "gate": args.gate.to_string(),
        "record": args.record.map(|record| record.to_string()),
        "environments": exception.environments.iter().map(Name::as_str).collect::<Vec<_>>(),
        "waives": waives,
        "expires": exception.expires.map(|expires| expires.to_string()),
        "next": { "who": who.iter().map(Principal::as_str).collect::<Vec<_>>(), "command": command },
    });
    let of = match args.record {
        Some(record) => format!("cover of {} of {}", record.short(), args.gate),
        None => format!("exception for {}", args.gate),
    };
    print_written(context, "except", &format!("{of}: {}", waives.join(", ")), &signed.written, &more)?;
    let who: Vec<String> = who.iter().map(ToString::to_string).collect();
    if who.is_empty() {
        context.warn("nobody but authors may accept it: somebody else must write it");
    } else {
        context.say(&format!("next: {command}\n      by {}", who.join(", ")));
    }
    Ok(Exit::Done)
}

/// What was written.
struct Told {
    exception: Exception,
    who: Vec<Principal>,
    command: String,
}

/// What `except` works on.
struct Writing<'a> {
    context: &'a Context,
    args: &'a Args,
    in_force: &'a InForce,
    kind: ExceptionKind,
    /// The file, from the top of the repository.
    file: String,
}

fn propose(context: &Context, args: &Args, typed: &mut Option<String>) -> anyhow::Result<(Proposal, Told)> {
    let repository = context.repository()?;
    let in_force = policy_in_force(context)?;
    let gate = &args.gate;
    refuse_unacceptable(&in_force.policy)?;
    let branch = Branch::find(&repository, &gate.branch())?.onto(&repository, in_force.mainline)?;
    let tip = branch.tip().unwrap_or(in_force.mainline);
    if args.record.is_none() && GateFiles::read(&repository, tip, &gate.directory())?.is_none() {
        return Err(Failure::new("gate-unknown", format!("there is no gate `{gate}`"))
            .help(format!("open it: `git gate open {gate}`"))
            .into());
    }
    if let (None, Some(close)) = (args.record, in_force.closed_by(gate)?) {
        context.warn(&format!("`{gate}` was closed by {}: no exception passes over that", close.short()));
    }
    let (kind, directory, skipped) = match args.record {
        None => (ExceptionKind::Main, gate.exception_directory(), Some("covers")),
        Some(record) => {
            (ExceptionKind::Cover, format!("{}/covers/{record}", gate.exception_directory()), None)
        }
    };
    let file = format!("{directory}/exception.toml");
    let standing = GateFiles::read_without(&repository, tip, &directory, skipped)?.unwrap_or_default();
    let before = standing.get("exception.toml").map(<[u8]>::to_vec);
    let writing = Writing { context, args, in_force: &in_force, kind, file };
    let text = match typed {
        Some(text) => text.clone(),
        None => typed.insert(writing.text(&repository, before.as_deref())?).clone(),
    };
    let exception = writing.check(&text)?;
    let file = writing.file;
    let like = before.iter().map(|bytes| (format!("`{file}`"), ContentDigest::of_bytes(bytes).to_string()));
    let reviewed = Reviewed { like: like.collect(), objections: BTreeSet::new() };
    let subject = match args.record {
        Some(record) => format!("Cover {} of {gate}", record.short()),
        None => format!("Except {} for {gate}", listed_plainly(&exception.waives)),
    };
    let files = Files {
        changes: BTreeMap::from([(file, FileChange::Put(text.into_bytes()))]),
        message: message(&subject, &args.signing)?,
    };
    let policy = std::sync::Arc::clone(&in_force.policy);
    let mut authors = in_force.authors(gate)?;
    let ground = Ground { repository, policy, branch };
    let proposal = files.proposal(context, ground, reviewed)?;
    authors.extend(proposal.hand.principal.clone());
    let (who, command) = next_step(&in_force.policy, gate, args.record, &authors);
    Ok((proposal, Told { exception, who, command }))
}

impl Writing<'_> {
    /// The file to be: by flags where they say all, else as its writer leaves it in the editor.
    fn text(&self, repository: &crate::git::Repository, before: Option<&[u8]>) -> anyhow::Result<String> {
        let args = self.args;
        let by_hand = |text: &str| {
            editor::edit(self.context, repository, "EXCEPTION.toml", text, |text| self.check(text).map(drop))
        };
        let standing = before.map(|bytes| Exception::parse(&self.file, bytes, &args.gate, self.kind));
        if let (Some(bytes), true) = (before, self.context.asks && !self.says_something()) {
            return by_hand(&String::from_utf8_lossy(bytes));
        }
        let known = self.known()?;
        let mut draft = self.draft(known);
        if let Some(exception) = standing.transpose()? {
            draft.take_over(exception);
        }
        self.say(&mut draft)?;
        let missing = draft.missing();
        let text = format!("{}{}", self.schema_line(repository), render_exception_draft(&draft));
        if missing.is_empty() && !args.edit {
            return Ok(text);
        }
        if self.context.asks {
            return by_hand(&text);
        }
        if missing.is_empty() {
            return Err(Failure::usage("`--edit` needs a terminal").into());
        }
        let flags: Vec<String> = missing.iter().map(|key| format!("`{}`", flag(key))).collect();
        Err(Failure::usage(format!("without a terminal, say it all by flags: {} missing", flags.join(", ")))
            .into())
    }

    /// By which editors complete the file.
    fn schema_line(&self, repository: &crate::git::Repository) -> String {
        let name = match self.kind {
            ExceptionKind::Main => "exception",
            ExceptionKind::Cover => "cover",
        };
        let directory = self.file.rsplit_once('/').map_or("", |(directory, _name)| directory);
        super::schema::line(repository, self.in_force.mainline, name, directory)
    }

    /// What the history says.
    fn known(&self) -> anyhow::Result<Known> {
        match self.args.record {
            None => exceptional_known::open_lines(self.context, &self.args.gate, &self.args.env),
            Some(record) => exceptional_known::unmet_then(self.context, &self.args.gate, record),
        }
    }

    fn draft(&self, known: Known) -> ExceptionDraft {
        let policy = &self.in_force.policy;
        let latest = policy.exceptions.max_duration.map(|longest| self.context.now.plus(longest));
        ExceptionDraft {
            gate: self.args.gate.clone(),
            environments: known.environments,
            waives: known.waives,
            offered: known.offered,
            reason: None,
            risk: None,
            owner: policy.systems.get(&self.args.gate.system).and_then(|system| system.owner.clone()),
            controls: Vec::new(),
            follow_ups: Vec::new(),
            expires: None,
            latest: latest.filter(|_latest| self.kind == ExceptionKind::Main),
            is_cover: self.kind == ExceptionKind::Cover,
        }
    }

    fn says_something(&self) -> bool {
        let Args { waive, env, reason, risk, owner, control, follow_up, expires, .. } = self.args;
        !waive.is_empty()
            || !env.is_empty()
            || !control.is_empty()
            || !follow_up.is_empty()
            || reason.is_some()
            || risk.is_some()
            || owner.is_some()
            || expires.is_some()
    }

    /// Takes over what the flags say.
    fn say(&self, draft: &mut ExceptionDraft) -> Result<(), Failure> {
        let Args { waive, env, reason, risk, owner, control, follow_up, expires, .. } = self.args;
        let is_open = |id: &&String| draft.waives.contains_key(*id) || draft.offered.contains_key(*id);
        for id in waive.iter().filter(|id| verdict::waivable(id) && !is_open(id)) {
            self.context.warn(&format!("`{id}` is not open now: waiving it passes over nothing"));
        }
        if !waive.is_empty() {
            let note = |id: &String| draft.waives.get(id).or_else(|| draft.offered.get(id)).cloned();
            let waives = waive.iter().map(|id| (id.clone(), note(id).unwrap_or_default())).collect();
            draft.waives = waives;
            draft.offered.clear();
        }
        if !env.is_empty() {
            draft.environments = env.iter().cloned().collect();
        }
        draft.reason = reason.clone().or(draft.reason.take());
        draft.risk = risk.clone().or(draft.risk.take());
        draft.owner = owner.clone().or(draft.owner.take());
        if !control.is_empty() {
            draft.controls.clone_from(control);
        }
        if !follow_up.is_empty() {
            draft.follow_ups = follow_up.iter().map(|FollowUpArg(said)| said.clone()).collect();
        }
        draft.expires = expires.map(|until| until.after(self.context.now)).or(draft.expires);
        if draft.waives.is_empty() {
            let offered: Vec<&String> = draft.offered.keys().collect();
            let failure =
                Failure::new("nothing-to-waive", "nothing is open that an exception could pass over");
            return Err(match offered.as_slice() {
                [] => failure.help(format!("what is open: `git gate show {}`", draft.gate)),
                open => failure.help(format!(
                    "approvals are open: better get them; else name them: `--waive`, of {}",
                    listed(open)
                )),
            });
        }
        Ok(())
    }

    /// The exception that the text is, if it could come into force.
    fn check(&self, text: &str) -> anyhow::Result<Exception> {
        let exception = Exception::parse(&self.file, text.as_bytes(), &self.args.gate, self.kind)?;
        let policy = &self.in_force.policy;
        if let Some(unknown) =
            exception.environments.iter().find(|name| !policy.environments.contains_key(*name))
        {
            let known: Vec<&Name> = policy.environments.keys().collect();
            let message = format!("the policy has no environment `{unknown}`: {}", listed(&known));
            return Err(Failure::usage(message).into());
        }
        refuse_unfit(policy, &exception, self.context.now, self.context.now)?;
        Ok(exception)
    }
}

fn flag(key: &str) -> &'static str {
    match key {
        "environments" => "--env",
        "waives" => "--waive",
        "reason" => "--reason",
        "risk" => "--risk",
        "owner" => "--owner",
        "follow_ups" => "--follow-up",
        _ => "--expires",
    }
}

fn listed_plainly(ids: &BTreeSet<String>) -> String {
    ids.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
