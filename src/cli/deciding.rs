//! Signing a decision: what `approve`, `reject`, `withdraw` and `close` have in common.
//!
//! Where it is signed (the branch's tip, or the mainline's where the branch is gone), what the signature will assert,
//! the question, and the checks that refuse now what would count for nothing later (design, section 8).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use crate::decision::{Action, Decision, Reading, Seen, Target, parse_message, render_message};
use crate::git::{Branch, Draft, Repository, is_ancestor};
use crate::model::{ContentDigest, Name, ObjectId, escape};
use crate::policy::{Asked, Policy};
use crate::request::GateRequest;
use crate::signature::Verified;

use super::borrowed::{Address, Borrowed};
use super::decided_on::{policy_branch, refuse_moved, standing, unseen};
use super::gate_files::GateFiles;
use super::hand::{Hand, SigningArgs, refuse_not_in_role, refuse_out_of_role};
use super::in_force::{InForce, mainline_name, policy_in_force, policy_then};
use super::requesting::print_written;
use super::subject::Subject;
use super::together::{self, Before, Proposal, Reviewed, Signed};
use super::{Context, Exit, Failure};

/// What commands that decide take.
#[derive(Debug, Clone, clap::Args)]
#[command(allow_missing_positional = true)]
pub struct DecidingArgs {
    /// The address of a repository that you have no clone of: it is fetched for this one decision.
    #[arg(value_name = "URL")]
    pub address: Option<Address>,
    /// The gate, `<system>/<version>`, or `policy`.
    #[arg(value_name = "GATE|policy", required = true)]
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
    subject: Subject,
    branch: Branch,
    base: ObjectId,
    files: GateFiles,
    /// What is not as this clone had it before it fetched just now.
    unseen: Vec<String>,
}

/// What somebody makes of what stands there.
#[derive(Debug)]
pub(super) struct Choice {
    /// What is decided.
    pub(super) action: Action,
    /// What is shown above the question.
    pub(super) brief: String,
    /// What was shown besides the gate's content, the policy and objections, thing by thing, as far as a signature rests on
    /// it: it is signed again only while that is the same.
    pub(super) showed: BTreeMap<String, String>,
}

/// Signs the decision that `choose` makes, in a clone that is borrowed where an address is given.
pub(super) fn decide(
    context: &Context,
    args: &DecidingArgs,
    command: &str,
    choose: impl Fn(&Deciding) -> anyhow::Result<Action>,
) -> anyhow::Result<Exit> {
    decide_on(context, args, command, Subject::Target, |deciding| Ok((choose(deciding)?, String::new())))
}

/// The same about a part of the target; `choose` also says what is shown above the question.
pub(super) fn decide_on(
    context: &Context,
    args: &DecidingArgs,
    command: &str,
    subject: Subject,
    choose: impl Fn(&Deciding) -> anyhow::Result<(Action, String)>,
) -> anyhow::Result<Exit> {
    if args.branch.is_some() && args.target != Target::Policy {
        return Err(Failure::usage("`--branch` is for `policy`: a gate has its own branch").into());
    }
    let borrow = |address| Borrowed::fetch(context, address, &args.target);
    let borrowed = args.address.as_ref().map(borrow).transpose()?;
    let there = borrowed.as_ref().map_or(context, Borrowed::context);
    decide_in(there, args, command, subject, |deciding| {
        let (action, shown) = choose(deciding)?;
        let brief = borrowed.as_ref().map(|borrowed| borrowed.brief(&args.target, &action)).transpose()?;
        let brief = format!("{}{shown}", brief.unwrap_or_default());
        Ok(Choice { action, brief, showed: BTreeMap::new() })
    })
}

/// Signs the decision that `choose` makes on what stands in this clone, and has it made again where somebody was faster.
fn decide_in(
    context: &Context,
    args: &DecidingArgs,
    command: &str,
    subject: Subject,
    choose: impl Fn(&Deciding) -> anyhow::Result<Choice>,
) -> anyhow::Result<Exit> {
    let (signed, message) = together::write(context, &args.signing, |before| {
        let deciding = Deciding::begin(context, args, subject, before)?;
        let choice = choose(&deciding)?;
        deciding.proposal(&args.signing, choice)
    })?;
    tell(context, command, args, &message, &signed)
}

impl Deciding {
    /// Finds where the decision belongs, and what stands there.
    pub(super) fn begin(
        context: &Context,
        args: &DecidingArgs,
        subject: Subject,
        before: &Before,
    ) -> anyhow::Result<Self> {
        let repository = context.repository()?;
        let in_force = policy_in_force(context)?;
        let branch = match &args.target {
            Target::Gate(gate) => Branch::find(&repository, &gate.branch())?,
            Target::Policy => policy_branch(&repository, args.branch.as_deref())?,
        };
        let read = |commit| subject.read(&repository, commit, &args.target);
        let (branch, files) = standing(&repository, branch, in_force.mainline, read)?;
        let (Some(base), Some(files)) = (branch.tip(), files) else {
            return Err(subject.not_there(&args.target).into());
        };
        refuse_moved(args, files.digest(), in_force.digest)?;
        let hand = Hand::of(context, &repository, &in_force.policy)?;
        let target = args.target.clone();
        let mut deciding =
            Self { repository, in_force, target, hand, subject, branch, base, files, unseen: Vec::new() };
        deciding.unseen = deciding.changes_since(context, before)?;
        Ok(deciding)
    }

    /// What the signer has before them.
    pub(super) fn seen(&self) -> Seen {
        Seen { content: self.files.digest(), policy: self.in_force.digest }
    }

    /// What a signature is for, thing by thing.
    fn reviewed(&self) -> anyhow::Result<Reviewed> {
        let objections = match &self.target {
            Target::Gate(gate) => self.in_force.objections(gate, self.base)?,
            Target::Policy => BTreeSet::new(),
        };
        let mut like = self.subject.named(&self.repository, self.base, &self.target, &self.files)?;
        like.insert(POLICY_IN_FORCE.to_owned(), self.in_force.digest.to_string());
        Ok(Reviewed { like, objections })
    }

    /// What is not as it was in this clone before it fetched just now; nothing where it had nothing to look at.
    fn changes_since(&self, context: &Context, before: &Before) -> anyhow::Result<Vec<String>> {
        let tips = before.tips(self.branch.name());
        if tips.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.reviewed()?;
        let mainlines = before.tips(mainline_name(&self.repository));
        let policy = match mainlines.first() {
            Some(_) if mainlines.contains(&self.in_force.mainline) => None,
            Some(tip) => policy_then(context, *tip)?,
            None => None,
        };
        let policy = policy.unwrap_or(self.in_force.digest).to_string();
        // Its user may have looked at the branch here or at the remote's: the one that is nearer.
        let mut nearest: Option<Vec<String>> = None;
        for tip in tips {
            let Some(files) = self.subject.read(&self.repository, tip, &self.target)? else { continue };
            let like = self.subject.named(&self.repository, tip, &self.target, &files)?;
            let mut then = Reviewed { like, ..Reviewed::default() };
            then.like.insert(POLICY_IN_FORCE.to_owned(), policy.clone());
            for objection in &now.objections {
                let mut known = false;
                for old in mainlines.iter().chain([&tip]) {
                    known = known || is_ancestor(&self.hand.git, *objection, *old)?;
                }
                if known {
                    then.objections.insert(*objection);
                }
            }
            let changes = then.changes(&now);
            if nearest.as_ref().is_none_or(|least| changes.len() < least.len()) {
                nearest = Some(changes);
            }
        }
        Ok(nearest.unwrap_or_default())
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

    /// The directory that is decided on.
    pub(super) fn directory(&self) -> String {
        self.subject.directory(&self.target)
    }

    /// A file of what is decided on.
    pub(super) fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name)
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

    /// The signed decision that is to be written, and its message.
    fn proposal(self, args: &SigningArgs, choice: Choice) -> anyhow::Result<(Proposal, String)> {
        let Choice { action, brief, showed } = choice;
        let rests_on_what_was_read = match &action {
            Action::Approve { .. } | Action::Reject { .. } | Action::AcceptRisk { .. } => true,
            Action::Withdraw | Action::Close | Action::Deploy(_) | Action::DeployFailed { .. } => false,
        };
        if rests_on_what_was_read && args.yes && !self.unseen.is_empty() {
            return Err(unseen(&self.target, &self.unseen).into());
        }
        let decision = Decision { target: self.target.clone(), action };
        let message = render_message(&decision, "", args.message.as_deref().unwrap_or_default());
        let reads =
            matches!(parse_message(&message), Reading::Decision { decision: read, .. } if read == decision);
        if !reads {
            return Err(Failure::usage("this decision cannot be written: it would not read back").into());
        }
        let mut reviewed = if rests_on_what_was_read { self.reviewed()? } else { Reviewed::default() };
        reviewed.like.extend(showed);
        let question = Some(format!("{brief}{}", self.question(&message)));
        let draft = Draft::without_changes(&self.repository, self.base, &message)?;
        let policy = Arc::clone(&self.in_force.policy);
        let fits = Box::new(move |signer: &Verified| Ok(refuse_unfit(&policy, &decision, signer)?));
        let Self { repository, in_force, hand, branch, .. } = self;
        let proposal =
            Proposal { repository, policy: in_force.policy, branch, draft, hand, reviewed, question, fits };
        Ok((proposal, message))
    }

    fn question(&self, message: &str) -> String {
        let quoted: Vec<String> =
            message.trim_end().split('\n').map(|line| format!("  {}", escape(line))).collect();
        let mut question = String::new();
        if !self.unseen.is_empty() {
            let unseen: Vec<String> =
                self.unseen.iter().map(|change| format!("  {}\n", escape(change))).collect();
            question = format!("Since this clone last fetched:\n\n{}\n", unseen.concat());
        }
        // Writing to a string cannot fail.
        let _ = write!(
            question,
            "You are about to sign, on `{}` at {}:\n\n{}\n\nSign it?",
            self.branch.name(),
            self.base.short(),
            quoted.join("\n")
        );
        question
    }
}

/// Names in backticks.
pub(super) fn listed<T: std::fmt::Display>(names: &[T]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What a policy in force is called among the things that are reviewed.
const POLICY_IN_FORCE: &str = "the policy in force";

fn tell(
    context: &Context,
    command: &str,
    args: &DecidingArgs,
    message: &str,
    signed: &Signed,
) -> anyhow::Result<Exit> {
    let signer = &signed.signer;
    let subject = escape(message.lines().next().unwrap_or_default());
    let more = serde_json::json!({
        "gate": args.target.to_string(),
        "key": signer.key().as_str(),
        "principal": signer.principal().as_str(),
    });
    let done = format!("{subject}\nsigned by {}", signer.principal());
    print_written(context, command, &done, &signed.written, &more)?;
    Ok(Exit::Done)
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
