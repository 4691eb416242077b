//! `git gate key setup`: your own git, in this clone alone, set to sign with a key and to verify by the policy.

use crate::git::Git;
use crate::model::{Name, Principal};
use crate::signature::SignerEntry;

use super::in_force::policy_in_force;
use super::key::{KeyLine, read_key};
use super::{Context, Exit, Failure, Format};

/// The arguments of `key setup`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The key to sign with: its file, its `.pub` file, or the line of one that an agent holds. Else the one that git has.
    key: Option<String>,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let repository = context.repository()?;
    let git = Git::of(&repository);
    let setting = match &args.key {
        Some(key) => signing_key(context, key)?,
        None => git.config("user.signingkey")?.ok_or_else(|| {
            Failure::new("signing-key", "git has no key to sign with: `user.signingkey` is not set").help(
                "name it: `git gate key setup ~/.ssh/id_ed25519.pub`; make one: `ssh-keygen -t ed25519`",
            )
        })?,
    };
    let KeyLine { text, fingerprint } = read_key(context, &expanded(&git, &setting, args)?)?;
    git.run(&["config", "--local", "gpg.format", "ssh"])?;
    if args.key.is_some() {
        git.run(&["config", "--local", "user.signingkey", &setting])?;
    }
    verify_by_policy(&git)?;
    // Whose it is can be told where a trust root is pinned; what git signs with is set up all the same.
    let policy = policy_in_force(context).map(|in_force| in_force.policy).ok();
    let owner: Option<Principal> = policy.as_ref().and_then(|policy| {
        let mut theirs = policy.signers.entries().filter(|entry| *entry.fingerprint() == fingerprint);
        theirs.next().map(SignerEntry::principals).and_then(|all| all.first()).cloned()
    });
    let roles: Vec<&Name> = match (&policy, &owner) {
        (Some(policy), Some(owner)) => policy.roles_of(owner).map(|(name, _role)| name).collect(),
        _ => Vec::new(),
    };
    let names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    if context.format == Format::Json {
        let object = serde_json::json!({
            "schema": "git-gate/key-setup/1",
            "key": fingerprint.as_str(),
            "signing_key": setting,
            "principal": owner.as_ref().map(Principal::as_str),
            "roles": names,
        });
        context.print(&format!("{object}\n"))?;
        return Ok(Exit::Done);
    }
    context.print(&format!(
        "git signs with {fingerprint} in this clone, and verifies by policy/allowed_signers\n"
    ))?;
    match owner {
        Some(owner) if names.is_empty() => context.say(&format!("the key is {owner}'s, who holds no role")),
        Some(owner) => context.say(&format!("the key is {owner}'s, in the roles {}", names.join(", "))),
        None => context.say(&format!(
            "the key is nobody's in the policy yet; whoever keeps the policy adds it:\n  git gate key add <your e-mail> '{text}'"
        )),
    }
    Ok(Exit::Done)
}

/// Lets plain git verify by the policy of the work tree.
pub(super) fn verify_by_policy(git: &Git) -> anyhow::Result<()> {
    if git.run(&["rev-parse", "--is-bare-repository"])? == "true" {
        return Ok(());
    }
    // Relative: git takes it from the top of each work tree.
    git.run(&["config", "--local", "gpg.ssh.allowedSignersFile", "policy/allowed_signers"])?;
    Ok(())
}

/// The value of `user.signingkey`: a path that holds wherever git runs, or the key itself.
fn signing_key(context: &Context, key: &str) -> Result<String, Failure> {
    if key.contains(' ') {
        let line = read_key(context, key)?;
        let words: Vec<&str> = line.text.split_whitespace().take(2).collect();
        return Ok(format!("key::{}", words.join(" ")));
    }
    read_key(context, key)?;
    let path = context.directory.join(key);
    let path = path.canonicalize().unwrap_or(path);
    Ok(path.to_string_lossy().into_owned())
}

fn expanded(git: &Git, setting: &str, args: &Args) -> anyhow::Result<String> {
    let path = if args.key.is_none() { git.config_path("user.signingkey")? } else { None };
    Ok(path.unwrap_or_else(|| setting.to_owned()))
}
