//! `git gate incident`: what went wrong with a deployed version, and when it was over.
//!
//! An incident stands from the first signed commit on the mainline that adds its file (design, section 11): so that is where
//! it is written, at once. Where the mainline takes pull requests alone, `--branch` writes it to `incident/<id>`, to be
//! merged as a merge.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;

use crate::git::{Branch, EntryKind, FileChange};
use crate::model::{ContentDigest, GateName, IncidentId, Name, ObjectId, Time};
use crate::policy::Policy;
use crate::render;
use crate::request::Incident;
use crate::request::incident_draft::{IncidentDraft, render_incident_draft, resolved_incident};
use crate::signature::Verified;

use super::deciding::listed;
use super::gate_files::GateFiles;
use super::hand::SigningArgs;
use super::in_force::{InForce, mainline_name, policy_in_force};
use super::requesting::{Files, Ground, message, print_written};
use super::session::{Opening, Session, View};
use super::together::{self, Proposal, Reviewed};
use super::{Context, Exit, Failure, editor, judging};

const DIRECTORY: &str = "incidents";

/// The arguments of `incident`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Report an incident: from then on that version is blocked there, and what was approved before is stale.
    Open(Box<Open>),
    /// Say that it is over.
    Resolve(Resolve),
    /// Incidents, and the deployments that they hit.
    List(List),
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without a terminal all must be said by flags; on one, an editor asks for what is not."
)]
struct Open {
    /// Its id, such as `INC-1042`: the file is `incidents/<ID>.toml`.
    id: IncidentId,
    /// The version, `<system>/<version>`.
    gate: GateName,
    /// Where; else the one environment that there is.
    #[arg(long, value_name = "ENVIRONMENT")]
    env: Option<Name>,
    /// How bad: one of the policy's risks.
    #[arg(long, value_name = "RISK")]
    severity: Option<Name>,
    /// When it was noticed, RFC 3339; else now.
    #[arg(long, value_name = "TIME")]
    detected: Option<Time>,
    /// What happened, in a line.
    #[arg(long, value_name = "TEXT")]
    summary: Option<String>,
    /// Why, where that is known.
    #[arg(long, value_name = "TEXT")]
    cause: Option<String>,
    /// What production showed: `<name>=<number>`; repeatable.
    #[arg(long, value_name = "METRIC")]
    metric: Vec<Shown>,
    /// Open the editor although all is said.
    #[arg(long)]
    edit: bool,
    #[command(flatten)]
    writing: Writing,
}

#[derive(Debug, clap::Args)]
struct Resolve {
    /// Its id.
    id: IncidentId,
    /// When it was over, RFC 3339; else now.
    #[arg(long, value_name = "TIME")]
    at: Option<Time>,
    /// Why it happened, once known.
    #[arg(long, value_name = "TEXT")]
    cause: Option<String>,
    #[command(flatten)]
    writing: Writing,
}

/// Where and how it is written.
#[derive(Debug, clap::Args)]
struct Writing {
    /// Write it to the branch `incident/<ID>`, to be merged, and not to the mainline.
    #[arg(long)]
    branch: bool,
    /// How to sign.
    #[command(flatten)]
    signing: SigningArgs,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only of this system.
    #[arg(long, value_name = "SYSTEM")]
    system: Option<Name>,
    /// Only in this environment.
    #[arg(long = "env", value_name = "ENVIRONMENT")]
    environment: Option<Name>,
    /// Only of this severity.
    #[arg(long, value_name = "RISK")]
    severity: Option<Name>,
    /// Only open ones.
    #[arg(long)]
    open: bool,
}

/// `<name>=<number>`.
#[derive(Debug, Clone, PartialEq)]
struct Shown(String, f64);

impl FromStr for Shown {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = text.rsplit_once('=').and_then(|(name, number)| {
            let number: f64 = number.parse().ok()?;
            (number.is_finite() && !name.is_empty()).then(|| Self(name.to_owned(), number))
        });
        read.ok_or_else(|| "`<name>=<number>`, as in `hallucination_rate=0.09`".into())
    }
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    match &args.command {
        Command::Open(open) => self::open(context, open),
        Command::Resolve(resolve) => self::resolve(context, resolve),
        Command::List(list) => self::list(context, list),
    }
}

fn list(context: &Context, args: &List) -> anyhow::Result<Exit> {
    let session = Session::open(context, &Opening { view: View::Local, ..Opening::default() })?;
    let mut lines = session.incidents()?;
    lines.retain(|line| {
        let incident = &line.fact.incident;
        args.system.as_ref().is_none_or(|system| incident.gate.system == *system)
            && args.environment.as_ref().is_none_or(|environment| incident.environment == *environment)
            && args.severity.as_ref().is_none_or(|severity| incident.severity == *severity)
            && (line.hit.open || !args.open)
    });
    context.print(&render::render_incidents(&lines, &session.origin()?, judging::form(context)))?;
    Ok(Exit::Done)
}

fn open(context: &Context, args: &Open) -> anyhow::Result<Exit> {
    // What a person typed is kept when somebody else was faster.
    let mut typed: Option<String> = None;
    let (signed, incident) = together::write(context, &args.writing.signing, |_before| {
        let at = Place::find(context, &args.id, &args.writing)?;
        if at.standing.is_some() {
            return Err(Failure::new("incident-exists", format!("`{}` is there already", at.file))
                .help("take another id; what was resolved and happens again is another incident")
                .into());
        }
        let text = match &typed {
            Some(text) => text.clone(),
            None => typed.insert(at.text(context, args)?).clone(),
        };
        let incident = at.check(&text)?;
        at.warn_of_strangers(context, &incident)?;
        let subject = format!("Open incident {} on {}", args.id, incident.gate);
        Ok((at.proposal(context, &args.writing, text, &subject, Box::new(|_signer| Ok(())))?, incident))
    })?;
    written(context, "open", &args.id, &args.writing, &signed.written, &incident)
}

fn resolve(context: &Context, args: &Resolve) -> anyhow::Result<Exit> {
    let (signed, incident) = together::write(context, &args.writing.signing, |_before| {
        let at = Place::find(context, &args.id, &args.writing)?;
        let Some(standing) = &at.standing else {
            return Err(Failure::new("incident-unknown", format!("there is no `{}`", at.file))
                .help("which are there: `git gate incident list`")
                .into());
        };
        if let Some(resolved) = Incident::parse(&at.file, standing)?.resolved {
            return Err(Failure::new("nothing-changed", format!("it was resolved at {resolved}")).into());
        }
        let resolved = args.at.unwrap_or(context.now);
        let text = resolved_incident(&at.file, standing, resolved, args.cause.as_deref())?;
        let incident = at.check(&text)?;
        let policy = Arc::clone(&at.in_force.policy);
        let fits = Box::new(move |signer: &Verified| Ok(may_resolve(&policy, signer)?));
        let subject = format!("Resolve incident {} on {}", args.id, incident.gate);
        Ok((at.proposal(context, &args.writing, text, &subject, fits)?, incident))
    })?;
    written(context, "resolve", &args.id, &args.writing, &signed.written, &incident)
}

/// Only a person in a role resolves an incident (rules, R11.4): another signature would change nothing.
fn may_resolve(policy: &Policy, signer: &Verified) -> Result<(), Failure> {
    let who = signer.principal();
    if !policy.is_bot(who) && policy.roles.keys().any(|role| policy.holds(who, role)) {
        return Ok(());
    }
    Err(Failure::new(
        "not-in-role",
        format!("`{who}` may not resolve an incident: that takes a person in a role"),
    )
    .help("have somebody who holds a role run this command"))
}

fn written(
    context: &Context,
    command: &str,
    id: &IncidentId,
    writing: &Writing,
    written: &crate::git::Written,
    incident: &Incident,
) -> anyhow::Result<Exit> {
    let more = serde_json::json!({
        "id": id.to_string(),
        "gate": incident.gate.to_string(),
        "environment": incident.environment.to_string(),
        "severity": incident.severity.to_string(),
        "detected": incident.detected.to_string(),
        "resolved": incident.resolved.map(|resolved| resolved.to_string()),
    });
    let done = match command {
        "open" => format!("opened {id} on {} in {}", incident.gate, incident.environment),
        _ => format!("resolved {id}"),
    };
    print_written(context, &format!("incident-{command}"), &done, written, &more)?;
    if writing.branch {
        context.say(&format!(
            "next: merge `{}` into the mainline, as a merge (no squash, no rebase): until then nothing changes",
            written.branch
        ));
    } else if !written.pushed && !writing.signing.no_push && !writing.signing.offline {
        context.say("there is no remote: it stands in this clone alone");
    }
    Ok(Exit::Done)
}

/// Where an incident is written.
struct Place {
    repository: crate::git::Repository,
    in_force: InForce,
    branch: Branch,
    /// From the top of the repository.
    file: String,
    /// What stands there.
    standing: Option<Vec<u8>>,
}

impl Place {
    fn find(context: &Context, id: &IncidentId, writing: &Writing) -> anyhow::Result<Self> {
        let repository = context.repository()?;
        let in_force = policy_in_force(context)?;
        let branch = if writing.branch {
            Branch::find(&repository, &format!("incident/{id}"))?.onto(&repository, in_force.mainline)?
        } else {
            Branch::find(&repository, mainline_name(&repository))?
        };
        let tip = branch.tip().unwrap_or(in_force.mainline);
        let standing = standing(&repository, tip, &format!("{id}.toml"))?;
        Ok(Self { repository, in_force, branch, file: format!("{DIRECTORY}/{id}.toml"), standing })
    }

    /// The file to be: by flags where they say all, else as its writer leaves it in the editor.
    fn text(&self, context: &Context, args: &Open) -> anyhow::Result<String> {
        let policy = &self.in_force.policy;
        let mut environments = policy.environments.keys();
        let only = environments.next().filter(|_| environments.next().is_none());
        let draft = IncidentDraft {
            gate: Some(args.gate.clone()),
            environment: args.env.clone().or_else(|| only.cloned()),
            severity: args.severity.clone(),
            severities: policy.risks.clone(),
            detected: Some(args.detected.unwrap_or(context.now)),
            summary: args.summary.clone(),
            cause: args.cause.clone(),
            metrics: args.metric.iter().map(|Shown(name, number)| (name.clone(), *number)).collect(),
        };
        let line = super::schema::line(&self.repository, self.in_force.mainline, "incident", DIRECTORY);
        let text = format!("{line}{}", render_incident_draft(&draft));
        let missing = draft.missing();
        if missing.is_empty() && !args.edit {
            return Ok(text);
        }
        if context.asks {
            let check = |text: &str| self.check(text).map(drop);
            return editor::edit(context, &self.repository, "INCIDENT.toml", &text, check);
        }
        if missing.is_empty() {
            return Err(Failure::usage("`--edit` needs a terminal").into());
        }
        let flags = missing
            .iter()
            .map(|key| if *key == "environment" { "`--env`".into() } else { format!("`--{key}`") });
        let flags: Vec<String> = flags.collect();
        Err(Failure::usage(format!("without a terminal, say it all by flags: {} missing", flags.join(", ")))
            .into())
    }

    /// The incident that the text is, if the policy knows what it names.
    fn check(&self, text: &str) -> anyhow::Result<Incident> {
        let incident = Incident::parse(&self.file, text.as_bytes())?;
        let policy = &self.in_force.policy;
        if !policy.environments.contains_key(&incident.environment) {
            let known: Vec<&Name> = policy.environments.keys().collect();
            let message =
                format!("the policy has no environment `{}`: {}", incident.environment, listed(&known));
            return Err(Failure::usage(message).into());
        }
        if !policy.risks.contains(&incident.severity) {
            let known: Vec<&Name> = policy.risks.iter().collect();
            let message = format!("the policy has no risk `{}`: {}", incident.severity, listed(&known));
            return Err(Failure::usage(message).into());
        }
        Ok(incident)
    }

    /// An incident on a version that nobody knows blocks nothing: most often it is a slip.
    fn warn_of_strangers(&self, context: &Context, incident: &Incident) -> anyhow::Result<()> {
        let tip: ObjectId = self.in_force.mainline;
        if GateFiles::read(&self.repository, tip, &incident.gate.directory())?.is_none() {
            context.warn(&format!("the mainline holds no gate `{}`", incident.gate));
        }
        Ok(())
    }

    fn proposal(
        self,
        context: &Context,
        writing: &Writing,
        text: String,
        subject: &str,
        fits: together::Fits,
    ) -> anyhow::Result<Proposal> {
        let standing = self.standing.as_deref();
        let like =
            standing.map(|bytes| (format!("`{}`", self.file), ContentDigest::of_bytes(bytes).to_string()));
        let reviewed = Reviewed { like: like.into_iter().collect(), objections: BTreeSet::new() };
        let files = Files {
            changes: BTreeMap::from([(self.file, FileChange::Put(text.into_bytes()))]),
            message: message(subject, &writing.signing)?,
        };
        let policy = Arc::clone(&self.in_force.policy);
        let ground = Ground { repository: self.repository, policy, branch: self.branch };
        Ok(Proposal { fits, ..files.proposal(context, ground, reviewed)? })
    }
}

/// A file of `incidents/` as it stands in a commit. There may be any number of them: only this one is read.
fn standing(
    repository: &crate::git::Repository,
    commit: ObjectId,
    name: &str,
) -> anyhow::Result<Option<Vec<u8>>> {
    let mut tree = repository.tree_of(commit)?;
    for (component, kind) in [(DIRECTORY, EntryKind::Directory), (name, EntryKind::File)] {
        let Ok(entries) = repository.read_tree(tree)? else { return Ok(None) };
        match entries.get(component) {
            Some(entry) if entry.kind == kind => tree = entry.id,
            Some(_) | None => return Ok(None),
        }
    }
    Ok(Some(repository.read_blob(tree)?))
}
