//! Signing a decision: what `approve`, `reject`, `withdraw` and `close` have in common.
//!
//! Where it is signed (the branch's tip, or the mainline's where the branch is gone), what the signature will assert,
//! the question, and the checks that refuse now what would count for nothing later (design, section 8).

use std::collections::BTreeSet;

use crate::decision::{Action, Decision, Reading, Seen, Target, parse_message, render_message};
use crate::git::{Branch, Draft, Repository, Written};
use crate::model::{ContentDigest, Name, ObjectId, escape};
use crate::policy::{Asked, Policy};
use crate::request::GateRequest;
use crate::signature::Verified;

use super::gate_files::GateFiles;
use super::hand::{Hand, SigningArgs, counting, refuse_not_in_role, refuse_out_of_role};
use super::in_force::{InForce, policy_in_force};
use super::requesting::print_written;
use super::{Context, Exit, Failure};

/// What commands that decide take.
#[derive(Debug, Clone, clap::Args)]
pub struct DecidingArgs {
    /// The gate, `<system>/<version>`, or `policy`.
    #[arg(value_name = "GATE|policy")]
    pub target: Target,
    /// For `policy`: the branch with the change, `policy/<slug>`.
    #[arg(long, value_name = "BRANCH")]
    pub branch: Option<String>,
    /// Only if it holds this content, as `review` shows it.
    #[arg(long, value_name = "DIGEST")]
    pub content: Option<ContentDigest>,
    /// Only under this policy: what `review` has shown.
    #[arg(skip)]
    pub policy: Option<ContentDigest>,
    /// How to sign.
    #[command(flatten)]
    pub signing: SigningArgs,
}

/// What is about to be decided, and by whom.
#[derive(Debug)]
pub(super) struct Deciding {
    pub(super) repository: Repository,
    pub(super) in_force: InForce,
    pub(super) target: Target,
    pub(super) hand: Hand,
    branch: Branch,
    base: ObjectId,
    files: GateFiles,
}

impl Deciding {
    /// Finds where the decision belongs, and what stands there.
    pub(super) fn begin(context: &Context, args: &DecidingArgs) -> anyhow::Result<Self> {
        if args.branch.is_some() && args.target != Target::Policy {
            return Err(Failure::usage("`--branch` is for `policy`: a gate has its own branch").into());
        }
        let repository = context.repository()?;
        let in_force = policy_in_force(context)?;
        let (branch, directory) = match &args.target {
            Target::Gate(gate) => (Branch::find(&repository, &gate.branch())?, gate.directory()),
            Target::Policy => (policy_branch(&repository, args.branch.as_deref())?, "policy".to_owned()),
        };
        let base = branch.tip().unwrap_or(in_force.mainline);
        let files = GateFiles::read(&repository, base, &directory)?.ok_or_else(|| {
            Failure::new("gate-unknown", format!("there is no `{}` to decide on", args.target))
                .help("is it fetched? `git fetch origin`, then `git branch -a --list '*gate/*'`")
        })?;
        refuse_moved(args, files.digest(), in_force.digest)?;
        let hand = Hand::of(context, &repository, &in_force.policy)?;
        Ok(Self { repository, in_force, target: args.target.clone(), hand, branch, base, files })
    }

    /// What the signer has before them.
    pub(super) fn seen(&self) -> Seen {
        Seen { content: self.files.digest(), policy: self.in_force.digest }
    }

    /// The request as it stands on the branch; nothing for the policy.
    pub(super) fn request(&self) -> anyhow::Result<Option<GateRequest>> {
        let Target::Gate(gate) = &self.target else { return Ok(None) };
        let file = format!("{}/gate.toml", gate.directory());
        let bytes = self
            .files
            .get("gate.toml")
            .ok_or_else(|| Failure::new("gate-unknown", format!("`{file}` is not there")))?;
        Ok(Some(GateRequest::parse(&file, bytes, gate)?))
    }

    /// The commit that the decision will stand on.
    pub(super) fn base(&self) -> ObjectId {
        self.base
    }

    /// The role to act in: the one that was named, else the only one of `asked` that the signer holds.
    pub(super) fn role(&self, named: Option<&Name>, asked: &BTreeSet<Name>) -> Result<Name, Failure> {
        let policy = &self.in_force.policy;
        if let Some(role) = named {
            match &self.hand.principal {
                Some(principal) => refuse_not_in_role(policy, principal, role)?,
                None if policy.roles.contains_key(role) => {}
                None => return Err(Failure::usage(format!("the policy has no role `{role}`"))),
            }
            return Ok(role.clone());
        }
        let listed =
            |roles: &[&Name]| roles.iter().map(|role| format!("`{role}`")).collect::<Vec<_>>().join(", ");
        let all: Vec<&Name> = asked.iter().collect();
        let Some(principal) = &self.hand.principal else {
            return Err(Failure::usage(format!("say in which role: `--role`, of {}", listed(&all))));
        };
        let held: Vec<&Name> = asked.iter().filter(|role| policy.holds(principal, role)).collect();
        match held.as_slice() {
            [one] => Ok((*one).clone()),
            [] => Err(Failure::new(
                "not-in-role",
                format!("`{principal}` holds none of the roles that are asked for here: {}", listed(&all)),
            )
            .help("decide in a role that you hold: `--role <role>`")),
            several => Err(Failure::usage(format!("say in which role: `--role`, of {}", listed(several)))),
        }
    }

    /// Shows what will be signed, asks, signs, checks and writes.
    pub(super) fn sign(
        &self,
        context: &Context,
        args: &SigningArgs,
        command: &str,
        action: Action,
    ) -> anyhow::Result<Exit> {
        let decision = Decision { target: self.target.clone(), action };
        let message = render_message(&decision, "", args.message.as_deref().unwrap_or_default());
        let reads =
            matches!(parse_message(&message), Reading::Decision { decision: read, .. } if read == decision);
        if !reads {
            return Err(Failure::usage("this decision cannot be written: it would not read back").into());
        }
        self.ask(context, args, &message)?;
        let draft = Draft::without_changes(&self.repository, self.base, &message)?;
        let commit = draft.sign(&self.hand.git, &self.hand.signer)?;
        let signer = counting(&self.in_force.policy, &commit, context.now)?;
        refuse_unfit(&self.in_force.policy, &decision, &signer)?;
        let written = self.branch.advance(&self.repository, &commit, !args.no_push)?;
        self.tell(context, command, &message, &signer, &written)?;
        Ok(Exit::Done)
    }

    fn ask(&self, context: &Context, args: &SigningArgs, message: &str) -> Result<(), Failure> {
        let quoted: Vec<String> =
            message.trim_end().split('\n').map(|line| format!("  {}", escape(line))).collect();
        let on = format!("on `{}` at {}", self.branch.name(), self.base.short());
        if args.yes {
            return Ok(());
        }
        if !context.asks {
            return Err(Failure::usage(
                "there is no terminal to ask on: say `--yes` to sign without being asked",
            ));
        }
        // Part of the question: `--quiet` must not hide what is signed.
        let question = format!("You are about to sign, {on}:\n\n{}\n\nSign it?", quoted.join("\n"));
        let agreed = context.confirm(&question).map_err(|error| Failure::new("failed", error.to_string()))?;
        if agreed { Ok(()) } else { Err(Failure::new("declined", "nothing was signed")) }
    }

    fn tell(
        &self,
        context: &Context,
        command: &str,
        message: &str,
        signer: &Verified,
        written: &Written,
    ) -> anyhow::Result<()> {
        let subject = escape(message.lines().next().unwrap_or_default());
        let more = serde_json::json!({
            "gate": self.target.to_string(),
            "key": signer.key().as_str(),
            "principal": signer.principal().as_str(),
        });
        print_written(
            context,
            command,
            &format!("{subject}\nsigned by {}", signer.principal()),
            written,
            &more,
        )
    }
}

/// The code of a refusal to sign what was not shown.
pub(super) const CONTENT_MOVED: &str = "content-moved";

/// Refuses to sign what the signer has not seen (design, section 12).
fn refuse_moved(args: &DecidingArgs, content: ContentDigest, policy: ContentDigest) -> Result<(), Failure> {
    let moved = |what: &str, shown: ContentDigest, now: ContentDigest| {
        Failure::new(CONTENT_MOVED, format!("{what} is not what was shown: that was {shown}, this is {now}"))
            .help(format!("read it again: `git gate review {}`; nothing was signed", args.target))
    };
    match (args.content, args.policy) {
        (Some(shown), _) if shown != content => Err(moved(&format!("`{}`", args.target), shown, content)),
        (_, Some(shown)) if shown != policy => Err(moved("the policy in force", shown, policy)),
        (_, _) => Ok(()),
    }
}

/// The roles of which the checklist asks an approval, for any environment of the request; those of `[governance]` for the
/// policy.
pub(super) fn asked_roles(policy: &Policy, request: Option<&GateRequest>) -> BTreeSet<Name> {
    let Some(request) = request else {
        return policy.governance.iter().map(|approval| approval.role.clone()).collect();
    };
    let asked = Asked {
        system: &request.gate.system,
        kinds: &request.kinds,
        risk: &request.risk,
        tags: &request.tags,
        artifacts: request.artifacts.keys().collect(),
    };
    let mut roles = BTreeSet::new();
    for environment in &request.environments {
        let change = policy.change(&asked, environment);
        let approvals = policy.rules_on(&change).flat_map(|rule| &rule.approvals);
        roles.extend(approvals.map(|approval| approval.role.clone()));
    }
    roles
}

/// Refuses what the signer may not decide.
fn refuse_unfit(policy: &Policy, decision: &Decision, signer: &Verified) -> Result<(), Failure> {
    let principal = signer.principal();
    match &decision.action {
        Action::Approve { role, .. } | Action::AcceptRisk { role, .. } => {
            if policy.is_bot(principal) {
                return Err(Failure::new(
                    "bot-in-role",
                    format!("`{principal}` is a bot: only people approve"),
                ));
            }
            refuse_out_of_role(policy, signer, role)
        }
        Action::Reject { role, .. } => refuse_not_in_role(policy, principal, role),
        // An author may close, too; who that is, the reader of the history says.
        Action::Withdraw | Action::Close | Action::Deploy(_) | Action::DeployFailed { .. } => Ok(()),
    }
}

/// The branch of a policy change: the one named, the one checked out, or the only one.
fn policy_branch(repository: &Repository, named: Option<&str>) -> anyhow::Result<Branch> {
    if let Some(name) = named {
        let name = name.trim_start_matches("refs/heads/");
        let branch = Branch::find(repository, name)?;
        if branch.tip().is_none() || !name.starts_with("policy/") {
            return Err(Failure::new(
                "no-branch",
                format!("there is no branch `{name}` with a policy change"),
            )
            .help("policy changes are on branches `policy/<slug>`")
            .into());
        }
        return Ok(branch);
    }
    let mut found: BTreeSet<String> = BTreeSet::new();
    for prefix in ["refs/heads/", "refs/remotes/origin/"] {
        let refs = repository.refs_under(&format!("{prefix}policy/"))?;
        found.extend(refs.into_keys().filter_map(|name| name.strip_prefix(prefix).map(str::to_owned)));
    }
    let checked_out = repository.checked_out()?;
    let here = checked_out.as_deref().and_then(|name| name.strip_prefix("refs/heads/"));
    let chosen = match here {
        Some(here) if found.contains(here) => Some(here.to_owned()),
        Some(_) | None if found.len() == 1 => found.first().cloned(),
        Some(_) | None => None,
    };
    match chosen {
        Some(name) => Ok(Branch::find(repository, &name)?),
        None if found.is_empty() => Err(Failure::new("no-branch", "there is no policy change to decide on")
            .help("make it on a branch `policy/<slug>`, signed")
            .into()),
        None => {
            let listed: Vec<String> = found.iter().map(|name| format!("`{name}`")).collect();
            Err(Failure::usage(format!("say which change: `--branch`, of {}", listed.join(", "))).into())
        }
    }
}
