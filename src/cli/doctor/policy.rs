//! The policy in force, and what it makes of the key that signs here.

use crate::git::GitError;
use crate::insight::squash_mend;
use crate::model::{ObjectId, Principal};
use crate::policy::{KeyRequirement, Policy};
use crate::render::{About, Finding};
use crate::signature::{Fingerprint, SignerEntry};

use super::super::session::Session;
use super::super::{Context, Failure};
use super::{Patient, key, shell};

/// Failures that [`super::clone`] tells of by itself.
const TOLD: [&str; 5] =
    ["shallow-clone", "grafted-history", "branches-not-fetched", "not-a-repository", "missing-object"];

pub(super) fn look(patient: &Patient<'_>, public: Option<&str>) -> Vec<Finding> {
    let Ok(repository) = &patient.repository else { return Vec::new() };
    let mut findings = vec![trust_root(patient.context, repository.config("gate.root"), |root| {
        repository.read_commit(root).map(drop)
    })];
    let session = match &patient.session {
        Ok(session) => session,
        Err(why) => {
            let of_root = ["no-trust-root", "root-not-on-mainline"].contains(&why.code);
            match findings.first_mut() {
                Some(first) if of_root => *first = unread(patient, "trust-root", why),
                Some(_) | None => findings.push(unread(patient, "history", why)),
            }
            return findings;
        }
    };
    findings.push(history(session));
    if let Some(public) = public {
        findings.extend(signer(patient, session.policy(), public));
    }
    findings.push(allowed_signers(patient, session));
    findings.extend(squashed(session));
    findings
}

/// The one principal whose key it is, under the policy in force.
pub(super) fn owner(patient: &Patient<'_>, fingerprint: &Fingerprint) -> Option<Principal> {
    let policy = patient.session.as_ref().ok()?.policy();
    match owners(policy, fingerprint).as_slice() {
        [one] => Some((*one).clone()),
        _ => None,
    }
}

fn trust_root(
    context: &Context,
    pinned: Option<&str>,
    there: impl Fn(ObjectId) -> Result<(), GitError>,
) -> Finding {
    let name = "trust-root";
    let (text, from) = match (context.root, pinned) {
        (Some(given), _) => (given.to_string(), "`--root`"),
        (None, Some(pinned)) => (pinned.to_owned(), "`gate.root`"),
        (None, None) => {
            return Finding::broken(About::Policy, name, "none is pinned here: nothing can be judged")
                .help("ask the policy owners for its full id, then: `git gate trust <commit>`");
        }
    };
    let Ok(root) = text.parse::<ObjectId>() else {
        return Finding::broken(
            About::Policy,
            name,
            format!("{from} is `{text}`, which is no full commit id"),
        )
        .help("ask the policy owners for its full id, then: `git gate trust <commit>`");
    };
    match there(root) {
        Ok(()) => Finding::ok(About::Policy, name, format!("{root}, from {from}")),
        Err(why) => Finding::broken(About::Policy, name, why.to_string())
            .help("fetch the mainline: `git fetch origin`; if it is there then, it is the root of another repository"),
    }
}

/// Why nothing can be judged here.
fn unread(patient: &Patient<'_>, name: &'static str, why: &Failure) -> Finding {
    let found = format!("{} [{}]", why.message, why.code);
    let finding = if TOLD.contains(&why.code) {
        // Mended where it was told: this only says what it leads to.
        Finding::broken(About::Policy, name, "cannot be read: see `This clone`")
    } else {
        Finding::broken(About::Policy, name, found)
    };
    if why.code == "no-mainline"
        && let Some(branch) = mainline_of_origin(patient)
    {
        return finding.mend(format!("git config gate.mainline {}", shell::word(&branch)));
    }
    match (&why.help, why.code) {
        (Some(_said), "missing-object") => finding.mend("git fetch --refetch --no-filter origin"),
        (Some(help), _) => finding.help(help.clone()),
        (None, _) => finding,
    }
}

/// The branch that the remote calls its own, where that is another one.
fn mainline_of_origin(patient: &Patient<'_>) -> Option<String> {
    let head = patient.git.run(&["symbolic-ref", "--quiet", "refs/remotes/origin/HEAD"]).ok()?;
    let branch = head.strip_prefix("refs/remotes/origin/")?.to_owned();
    let mainline = patient.repository.as_ref().ok()?.config("gate.mainline").unwrap_or("main");
    (branch != mainline).then_some(branch)
}

fn history(session: &Session) -> Finding {
    let name = "history";
    match session.origin() {
        Ok(origin) => {
            let text = format!(
                "read up to {} of `{}`; policy serial {} in force",
                origin.mainline.short(),
                origin.mainline_ref,
                origin.policy.serial
            );
            let notices: Vec<&str> = origin.notices.iter().map(|notice| notice.message.as_str()).collect();
            let finding = Finding::ok(About::Policy, name, text);
            if notices.is_empty() { finding } else { finding.help(notices.join("; ")) }
        }
        Err(why) => Finding::broken(About::Policy, name, format!("{} [{}]", why.message, why.code)),
    }
}

/// Whose the key is, in which roles, and what keeps it from counting.
fn signer(patient: &Patient<'_>, policy: &Policy, public: &str) -> Vec<Finding> {
    let Some(fingerprint) = Fingerprint::of_public_key(public) else { return Vec::new() };
    let name = "your-key";
    let owners = owners(policy, &fingerprint);
    let principal = match owners.as_slice() {
        [one] => *one,
        [] if policy.signers.entries().any(SignerEntry::is_authority) => {
            let found = format!("`{fingerprint}` is not listed itself: it counts if its certificate does");
            return vec![Finding::ok(About::Policy, name, found)];
        }
        [] => return vec![nobodys(patient, &fingerprint, public)],
        several => {
            let names: Vec<&str> = several.iter().map(|owner| owner.as_str()).collect();
            let found = format!("`{fingerprint}` stands under {}: it counts for none", names.join(" and "));
            return vec![
                Finding::broken(About::Policy, name, found)
                    .help("take it off all but one, by a policy change"),
            ];
        }
    };
    let mut findings = Vec::new();
    if policy.revoked.iter().any(|revocation| revocation.key == fingerprint.as_str()) {
        findings.push(other_key(patient, format!("the policy revokes `{fingerprint}`")));
    }
    if let Some(closed) = closed_window(patient, policy, principal, &fingerprint) {
        findings.push(other_key(patient, closed));
    }
    findings.push(roles(policy, principal, public.starts_with("sk-")));
    findings
}

fn nobodys(patient: &Patient<'_>, fingerprint: &Fingerprint, public: &str) -> Finding {
    let found = format!("`{fingerprint}` is nobody's in `policy/allowed_signers`");
    let finding = Finding::broken(About::Policy, "your-key", found);
    match key::in_policy(patient) {
        Some(mend) => finding.mend(mend),
        None => finding
            .help(format!("have this line added by a policy change: <email> namespaces=\"git\" {public}")),
    }
}

fn other_key(patient: &Patient<'_>, found: String) -> Finding {
    let finding = Finding::broken(About::Policy, "your-key", found);
    match key::in_policy(patient) {
        Some(mend) => finding.mend(mend),
        None => {
            finding.help("sign with another key that stands in the policy, or have a new one added to it")
        }
    }
}

/// Why the key is not valid now, where all of its lines have a window and none is open.
fn closed_window(
    patient: &Patient<'_>,
    policy: &Policy,
    principal: &Principal,
    fingerprint: &Fingerprint,
) -> Option<String> {
    let now = patient.context.now;
    let lines = policy.signers.keys_of(principal).filter(|entry| entry.fingerprint() == fingerprint);
    let mut why = None;
    for entry in lines {
        why = match (entry.valid_after(), entry.valid_before()) {
            (Some(after), _) if now < after => Some(format!("`{fingerprint}` is valid from {after} on")),
            (_, Some(before)) if now >= before => Some(format!("`{fingerprint}` was valid until {before}")),
            _ => return None,
        };
    }
    why
}

fn roles(policy: &Policy, principal: &Principal, is_hardware: bool) -> Finding {
    let name = "roles";
    let held: Vec<_> = policy.roles.iter().filter(|(_name, role)| role.members.contains(principal)).collect();
    let bot = if policy.bots.contains(principal) { ", a bot: it approves nothing" } else { "" };
    if held.is_empty() {
        let found =
            format!("you are `{principal}`{bot}, and hold no role: you may open gates and attach reports");
        return Finding::ok(About::Policy, name, found);
    }
    let names: Vec<&str> = held.iter().map(|(name, _role)| name.as_str()).collect();
    let found = format!("you are `{principal}`{bot}: {}", names.join(", "));
    let asking: Vec<&str> = held
        .iter()
        .filter(|(_name, role)| role.keys != KeyRequirement::Any)
        .map(|(name, _role)| name.as_str())
        .collect();
    if asking.is_empty() {
        return Finding::ok(About::Policy, name, found);
    }
    if is_hardware {
        let help = format!(
            "{}: a touch at each signature; where it verifies its user, a key made with `-O verify-required`",
            asking.join(", ")
        );
        return Finding::ok(About::Policy, name, found).help(help);
    }
    let help = format!(
        "{} ask for a hardware key, which this is not: `ssh-keygen -t ed25519-sk`",
        asking.join(", ")
    );
    if asking.len() == held.len() {
        return Finding::broken(About::Policy, name, found).help(help);
    }
    Finding::warning(About::Policy, name, found).help(help)
}

/// Whether plain git can verify what git-gate verifies.
fn allowed_signers(patient: &Patient<'_>, session: &Session) -> Finding {
    let (name, setting) = ("git-verifies", "gpg.ssh.allowedSignersFile");
    let set = shell::config(&patient.git, setting);
    let own = patient.repository.as_ref().ok().and_then(|repository| repository.work_tree());
    let own = own.map(|top| top.join("policy/allowed_signers")).filter(|file| file.is_file());
    let mended = |finding: Finding| match &own {
        Some(file) => {
            // What is right for one repository is wrong for another.
            let set = if set == "git config --global" { "git config" } else { set };
            finding.mend(format!("{set} {setting} {}", shell::path(file)))
        }
        None => finding.help(format!(
            "write `policy/allowed_signers` to a file and name it: `git config {setting} <file>`"
        )),
    };
    match patient.git.config_path(setting) {
        Ok(None) => {
            let found = format!("`git verify-commit` knows no keys: `{setting}` is not set");
            mended(Finding::warning(About::Policy, name, found))
        }
        Ok(Some(file)) if !patient.git.directory().join(&file).is_file() => mended(Finding::warning(
            About::Policy,
            name,
            format!("`{file}`, which `{setting}` names, is not there"),
        )),
        Ok(Some(file)) => match verified(patient, session) {
            Some((commit, said)) if !said.starts_with(['G', 'N']) => {
                let found =
                    format!("by `{file}` git does not trust the signature of {} ({said})", commit.short());
                mended(Finding::warning(About::Policy, name, found))
            }
            Some(_) | None => Finding::ok(About::Policy, name, format!("by `{file}`")),
        },
        Err(why) => Finding::warning(About::Policy, name, why.message),
    }
}

/// What git says of the signature of the commit at which the policy came into force.
fn verified(patient: &Patient<'_>, session: &Session) -> Option<(ObjectId, String)> {
    let commit = session.origin().ok()?.policy.commit;
    let said = patient.git.run(&["log", "-1", "--format=%G?", &commit.to_string()]).ok()?;
    Some((commit, said))
}

/// A forge that squashes or rebases takes the signatures off what it merges.
fn squashed(session: &Session) -> Vec<Finding> {
    let name = "squashed";
    let found = match session.squashed() {
        Ok(found) => found,
        Err(why) => return vec![Finding::warning(About::Policy, name, why.message)],
    };
    let finding = |(gate, squashed): &(crate::model::GateName, crate::ledger::Squashed)| {
        let found = format!(
            "the mainline holds `{gate}` without its commits, which `{}` has: {} approvals among them",
            squashed.held_by, squashed.approvals
        );
        Finding::broken(About::Policy, name, found)
            .help("allow only merge commits in the settings of the forge, neither squash nor rebase")
            .mend(squash_mend(gate, squashed))
    };
    if found.is_empty() {
        return vec![Finding::ok(About::Policy, name, "no gate on the mainline has lost its commits")];
    }
    found.iter().map(finding).collect()
}

fn owners<'a>(policy: &'a Policy, fingerprint: &Fingerprint) -> Vec<&'a Principal> {
    let mut owners: Vec<&Principal> = policy
        .signers
        .entries()
        .filter(|entry| !entry.is_authority() && entry.fingerprint() == fingerprint)
        .flat_map(SignerEntry::principals)
        .collect();
    owners.sort();
    owners.dedup();
    owners
}
