//! `git gate init`: a governance repository with a starter policy and your key, signed and pinned.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::git::{Branch, FileChange, Git, Repository, Signer};
use crate::model::Principal;
use crate::policy::Policy;
use crate::policy::starter::{starter_policy, starter_signers};
use crate::schema::DIRECTORY;

use super::hand::SigningArgs;
use super::in_force::mainline_name;
use super::requesting::{Files, Ground, message, print_written};
use super::together::{self, Reviewed};
use super::{Context, Exit, Failure, schema};

/// The arguments of `init`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where; here when not given.
    pub directory: Option<PathBuf>,
    /// Who you are in the policy; else `git config user.email`.
    #[arg(long, value_name = "EMAIL")]
    pub principal: Option<Principal>,
    /// How to sign.
    #[command(flatten)]
    pub signing: SigningArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let directory = match &args.directory {
        Some(directory) => context.directory.join(directory),
        None => context.directory.clone(),
    };
    fs::create_dir_all(&directory)
        .map_err(|error| Failure::new("failed", format!("`{}`: {error}", directory.display())))?;
    let directory = fs::canonicalize(&directory)?;
    let git = Git::at(&directory);
    // Asked before anything is made.
    let signer = Signer::of(&git, context.asks)?;
    let principal = principal(&git, args)?;
    let public_key = signer.public_key().ok_or_else(|| {
        Failure::new("signing-key", "the public half of your signing key cannot be read")
            .help("write it beside the key: `ssh-keygen -y -f <key> > <key>.pub`")
    })?;
    let policy_text = starter_policy(&repository_id(&directory), &principal);
    let signers_text = starter_signers(&principal, &public_key);
    let policy = Policy::parse(policy_text.as_bytes(), signers_text.as_bytes())?;

    let repository = empty_repository(&git, &directory)?;
    let mainline = mainline_name(&repository).to_owned();
    git.run(&["symbolic-ref", "HEAD", &format!("refs/heads/{mainline}")])?;
    let files = [
        ("policy/policy.toml", policy_text.as_str()),
        ("policy/allowed_signers", signers_text.as_str()),
        ("README.md", README),
    ];
    let changes: BTreeMap<String, FileChange> = files
        .into_iter()
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .chain(
            schema::for_editors()
                .map(|schema| (format!("{DIRECTORY}/{}.json", schema.name), schema.pretty())),
        )
        .map(|(path, text)| (path, FileChange::Put(text.into_bytes())))
        .collect();
    let files = Files { changes, message: message("Begin the governance repository", &args.signing)? };
    let policy = Arc::new(policy);
    let there = Context { directory: directory.clone(), ..context.clone() };
    let (signed, ()) = together::write(&there, &args.signing, |_before| {
        let repository = there.repository()?;
        let branch = Branch::find(&repository, &mainline)?;
        if branch.tip().is_some() {
            return Err(not_empty(&directory).into());
        }
        let ground = Ground { repository, policy: Arc::clone(&policy), branch };
        Ok((files.proposal(&there, ground, Reviewed::default())?, ()))
    })?;
    let written = signed.written;
    git.run(&["config", "gate.root", &written.commit.to_string()])?;
    let more = serde_json::json!({ "root": written.commit.to_string(), "principal": principal.as_str() });
    print_written(
        context,
        "init",
        &format!("made a governance repository in {}", directory.display()),
        &written,
        &more,
    )?;
    context.say(&format!(
        "trust root: {} (pinned here; others pin it once: git gate trust {})\n\
         next: edit policy/policy.toml on a branch policy/<slug>, then: git gate approve policy\n\
         \x20     git gate open <system>/<version> --kind prompt --summary \"…\"",
        written.commit.short(),
        written.commit
    ));
    Ok(Exit::Done)
}

fn principal(git: &Git, args: &Args) -> anyhow::Result<Principal> {
    if let Some(principal) = &args.principal {
        return Ok(principal.clone());
    }
    let email = git.config("user.email")?.ok_or_else(|| {
        Failure::new("no-identity", "git does not know your e-mail address")
            .help("git config --global user.email <email>, or say `--principal <email>`")
    })?;
    Ok(email.parse().map_err(|malformed: crate::model::Malformed| {
        Failure::new(
            "no-identity",
            format!("`user.email` is `{email}`, which names no principal: {malformed}"),
        )
        .help("say `--principal <email>`")
    })?)
}

/// The repository of exactly this directory: made, or the one that is there when it holds no commit.
fn empty_repository(git: &Git, directory: &Path) -> anyhow::Result<Repository> {
    let is_there = directory.join(".git").exists() || directory.join("HEAD").exists();
    if !is_there {
        git.run(&[
            "-c",
            "init.defaultRefFormat=files",
            "init",
            "--quiet",
            "--object-format=sha1",
            "--initial-branch=main",
        ])?;
    }
    let repository = Repository::discover(directory)?;
    if !repository.refs_under("refs/")?.is_empty() {
        return Err(not_empty(directory).into());
    }
    Ok(repository)
}

fn not_empty(directory: &Path) -> Failure {
    Failure::new("not-empty", format!("`{}` is a repository with commits", directory.display())).help(
        "begin in an empty one: `git gate init <directory>`; to trust one that is there: `git gate trust <commit>`",
    )
}

/// The directory's name and eight random digits.
fn repository_id(directory: &Path) -> String {
    let name = directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .take(32)
        .collect();
    let random = RandomState::new().build_hasher().finish();
    format!("{}-{:08x}", plain.trim_matches('-'), random & 0xffff_ffff)
}

const README: &str = "# Governance

Requests to deploy AI systems, the reports that support them, and the signed approvals. `policy/` says who may approve
what; `gates/<system>/<version>/` is one request with its reports. Read and written with `git gate`; every record is a
signed git commit that plain git can show and verify.

    git gate open <system>/<version> --kind prompt --summary \"what changes and why\"
    git gate attach <system>/<version> evaluation report.json
    git gate approve <system>/<version>
    git gate merge <system>/<version>
    git gate check <system>/<version> --env production
";
