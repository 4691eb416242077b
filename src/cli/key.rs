//! `git gate key`: whose keys count, and changing that by a policy change.
//!
//! A key counts from when the change is in force, never before: so what your own git signs with is not switched here
//! before that, and the command that switches it is told.

use std::path::Path;

use crate::git::Git;
use crate::model::{Name, ObjectId, Principal, Time};
use crate::render;
use crate::signature::{Fingerprint, SignerEntry};

use super::deciding::listed;
use super::hand::SigningArgs;
use super::policy_change::{self, Change, Changed};
use super::requesting::print_written;
use super::session::{Opening, Session};
use super::{Context, Exit, Failure, judging, key_setup};

/// The arguments of `key`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Every key of the policy in force: whose, in which roles, until when, revoked since.
    List,
    /// Give somebody a key, and roles.
    Add(Add),
    /// Put another key in place of one.
    Rotate(Rotate),
    /// Take back what a key signs: it was lost or stolen.
    Revoke(Revoke),
    /// Set up your own git in this clone: to sign with a key, and to verify by the policy.
    Setup(key_setup::Args),
}

/// What commands that change keys take.
#[derive(Debug, clap::Args)]
struct Common {
    /// The branch is `policy/<SLUG>`; several changes may go onto one.
    #[arg(long, value_name = "SLUG")]
    slug: Option<Name>,
    /// How to sign.
    #[command(flatten)]
    signing: SigningArgs,
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Whose it is.
    principal: Principal,
    /// The public key: a `.pub` file, or its line.
    key: String,
    /// A role that they shall hold; repeatable.
    #[arg(long, value_name = "ROLE")]
    role: Vec<Name>,
    /// They are no person.
    #[arg(long)]
    bot: bool,
    /// The key is valid from then on, RFC 3339.
    #[arg(long, value_name = "TIME")]
    valid_after: Option<Time>,
    /// The key is valid until then, RFC 3339.
    #[arg(long, value_name = "TIME")]
    valid_before: Option<Time>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Rotate {
    /// Whose it is.
    principal: Principal,
    /// The new public key: a `.pub` file, or its line.
    key: String,
    /// The fingerprint of the old one, where they have several.
    #[arg(long, value_name = "FINGERPRINT")]
    old: Option<Fingerprint>,
    /// The new key is valid until then, RFC 3339.
    #[arg(long, value_name = "TIME")]
    valid_before: Option<Time>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
#[command(override_usage = "git gate key revoke --since <COMMIT> --reason <TEXT> <KEY>\n       \
                            git gate key revoke --never-trusted --reason <TEXT> <KEY>")]
#[command(group = clap::ArgGroup::new("from").required(true).args(["since", "never_trusted"]))]
struct Revoke {
    /// The key's fingerprint, as `ssh-keygen -l` prints it.
    key: Fingerprint,
    /// The last mainline commit by which it is still trusted, in full.
    #[arg(long, value_name = "COMMIT")]
    since: Option<ObjectId>,
    /// Nothing that it ever signed counts.
    #[arg(long)]
    never_trusted: bool,
    /// Why; for people.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Take its line out of `allowed_signers` too; whoever has no other key is taken out of the roles.
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    common: Common,
}

/// What a change of a key is told as.
struct Told {
    principal: Option<Principal>,
    key: Fingerprint,
    own: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    match &args.command {
        Command::List => {
            let session = Session::open(context, &Opening::default())?;
            let text = render::render_keys(session.policy(), &session.origin()?, judging::form(context));
            context.print(&text)?;
            Ok(Exit::Done)
        }
        Command::Setup(args) => key_setup::run(context, args),
        Command::Add(args) => {
            let line = read_key(context, &args.key)?;
            let slug = slug(&args.common, "add", args.principal.as_str())?;
            let changed = policy_change::write(context, &args.common.signing, &slug, |change| {
                add(change, args, &line)
            })?;
            tell(context, "key-add", &args.key, &changed)
        }
        Command::Rotate(args) => {
            let line = read_key(context, &args.key)?;
            let slug = slug(&args.common, "rotate", args.principal.as_str())?;
            let changed = policy_change::write(context, &args.common.signing, &slug, |change| {
                rotate(change, args, &line)
            })?;
            tell(context, "key-rotate", &args.key, &changed)
        }
        Command::Revoke(args) => {
            let short: String =
                args.key.as_str().chars().skip(7).filter(char::is_ascii_alphanumeric).take(8).collect();
            let slug = slug(&args.common, "revoke", &short)?;
            let changed =
                policy_change::write(context, &args.common.signing, &slug, |change| revoke(change, args))?;
            tell(context, "key-revoke", "", &changed)
        }
    }
}

fn add(change: &mut Change, args: &Add, line: &KeyLine) -> anyhow::Result<(String, Told)> {
    let roles: Vec<&Name> = change.before.roles.keys().collect();
    if let Some(unknown) = args.role.iter().find(|role| !change.before.roles.contains_key(*role)) {
        return Err(Failure::usage(format!("the policy has no role `{unknown}`: {}", listed(&roles))).into());
    }
    let principal = &args.principal;
    let there =
        change.before.signers.keys_of(principal).any(|entry| *entry.fingerprint() == line.fingerprint);
    if !there {
        let window = window(args.valid_after, args.valid_before);
        let text = format!("{principal} namespaces=\"git\"{window} {}", line.text);
        change.signers = crate::policy::edit::add_line(&change.signers, &text);
    }
    for role in &args.role {
        change.toml.add_member(role, principal);
    }
    if args.bot {
        change.toml.add_bot(principal);
    }
    let roles: Vec<&str> = args.role.iter().map(Name::as_str).collect();
    let as_roles = if roles.is_empty() { String::new() } else { format!(" as {}", roles.join(", ")) };
    Ok((format!("Add a key of {principal}{as_roles}"), told(change, principal, &line.fingerprint)))
}

fn rotate(change: &mut Change, args: &Rotate, line: &KeyLine) -> anyhow::Result<(String, Told)> {
    let principal = &args.principal;
    let theirs: Vec<&SignerEntry> = change.before.signers.keys_of(principal).collect();
    let named = |entry: &&&SignerEntry| args.old.as_ref().is_none_or(|old| entry.fingerprint() == old);
    let found: Vec<&&SignerEntry> = theirs.iter().filter(named).collect();
    let [old] = found.as_slice() else {
        let all: Vec<&Fingerprint> = theirs.iter().map(|entry| entry.fingerprint()).collect();
        return Err(if all.is_empty() {
            Failure::new("key-unknown", format!("`{principal}` has no key in `policy/allowed_signers`"))
                .help(format!("add it: `git gate key add {principal} <key>`"))
        } else {
            Failure::usage(format!("say which key is replaced: `--old`, of {}", listed(&all)))
        }
        .into());
    };
    if old.principals().len() > 1 {
        let message =
            format!("`{}` stands under several principals: edit the file by hand", old.fingerprint());
        return Err(Failure::usage(message).into());
    }
    let text = format!("{principal} namespaces=\"git\"{} {}", window(None, args.valid_before), line.text);
    change.signers = crate::policy::edit::replace_line(&change.signers, old.line(), Some(&text));
    Ok((format!("Rotate a key of {principal}"), told(change, principal, &line.fingerprint)))
}

fn revoke(change: &mut Change, args: &Revoke) -> anyhow::Result<(String, Told)> {
    let lines: Vec<SignerEntry> =
        change.before.signers.entries().filter(|entry| *entry.fingerprint() == args.key).cloned().collect();
    // A key that was taken out before may be revoked all the same.
    let owner = lines.first().and_then(|entry| entry.principals().first()).cloned();
    if let Some(since) = args.since
        && !change.in_force.is_on_mainline(since)
    {
        let message = format!("{since} is not on the mainline since the trust root");
        return Err(Failure::new("not-on-mainline", message)
            .help("its commits: `git log --first-parent`; or `--never-trusted`")
            .into());
    }
    let since = args.since.map_or_else(|| "never-trusted".to_owned(), |since| since.to_string());
    if change.before.revoked.iter().any(|known| known.key == args.key.as_str()) {
        return Err(Failure::new("nothing-changed", format!("the policy revokes `{}` already", args.key))
            .help("edit its `[[revoked]]` by hand to change since when")
            .into());
    }
    change.toml.revoke(args.key.as_str(), &since, &args.reason);
    if args.remove {
        let mut numbers: Vec<usize> = lines.iter().map(SignerEntry::line).collect();
        numbers.sort_unstable();
        for number in numbers.into_iter().rev() {
            change.signers = crate::policy::edit::replace_line(&change.signers, number, None);
        }
        for principal in lines.iter().flat_map(SignerEntry::principals) {
            let mut others = change.before.signers.keys_of(principal);
            if others.all(|entry| *entry.fingerprint() == args.key) {
                change.toml.remove_member(principal);
            }
        }
    }
    let own = owner.is_some() && owner == change.signer;
    Ok((format!("Revoke {}", args.key), Told { principal: owner, key: args.key.clone(), own }))
}

fn told(change: &Change, principal: &Principal, key: &Fingerprint) -> Told {
    Told {
        principal: Some(principal.clone()),
        key: key.clone(),
        own: change.signer.as_ref() == Some(principal),
    }
}

fn tell(context: &Context, command: &str, key: &str, changed: &Changed<Told>) -> anyhow::Result<Exit> {
    let Changed { signed, told, serial, next } = changed;
    let principal = told.principal.as_ref().map(Principal::as_str);
    let more = serde_json::json!({
        "key": told.key.as_str(), "principal": principal, "serial": serial, "next": next.json(),
    });
    let whose = principal.map(|principal| format!(" of {principal}")).unwrap_or_default();
    let done = format!("{}{whose}, in serial {serial}", told.key);
    print_written(context, command, &done, &signed.written, &more)?;
    next.say(context);
    if told.own && !key.is_empty() {
        key_setup::verify_by_policy(&Git::of(&context.repository()?))?;
        context.say(&format!("once it is in force, sign with it: git gate key setup {key}"));
    }
    Ok(Exit::Done)
}

/// A public key as `allowed_signers` takes it.
pub(super) struct KeyLine {
    /// Type, key and comment.
    pub(super) text: String,
    pub(super) fingerprint: Fingerprint,
}

/// Reads a public key: a line, a `.pub` file, or the file of a private key that one lies beside.
pub(super) fn read_key(context: &Context, given: &str) -> Result<KeyLine, Failure> {
    let unreadable = |why: String| {
        Failure::new("key-unreadable", why)
            .help("name a `.pub` file, or paste its line in quotes: `ssh-keygen -y -f <key>` prints it")
    };
    let is_line = |text: &str| ["ssh-", "ecdsa-", "sk-"].iter().any(|start| text.starts_with(start));
    let given = given.strip_prefix("key::").unwrap_or(given);
    let text = if is_line(given) && given.contains(' ') {
        given.to_owned()
    } else {
        let path = context.directory.join(given);
        let beside =
            path.with_file_name(format!("{}.pub", path.file_name().unwrap_or_default().to_string_lossy()));
        let read = |path: &Path| {
            super::policy_files::read_file(path).ok().and_then(|bytes| String::from_utf8(bytes).ok())
        };
        [path.as_path(), beside.as_path()]
            .into_iter()
            .filter_map(read)
            .find(|text| is_line(text))
            .ok_or_else(|| unreadable(format!("`{given}` holds no public key")))?
    };
    let line = text.lines().next().unwrap_or_default().trim().to_owned();
    let fingerprint = Fingerprint::of_public_key(&line)
        .ok_or_else(|| unreadable(format!("`{given}` is no public key that can be read")))?;
    Ok(KeyLine { text: line, fingerprint })
}

fn window(after: Option<Time>, before: Option<Time>) -> String {
    let stamp = |time: Time| time.to_string().replace(['-', 'T', ':'], "");
    let after = after.map(|time| format!(",valid-after=\"{}\"", stamp(time))).unwrap_or_default();
    let before = before.map(|time| format!(",valid-before=\"{}\"", stamp(time))).unwrap_or_default();
    format!("{after}{before}")
}

/// The branch's slug: the one named, else one that says what is done to whom.
fn slug(common: &Common, verb: &str, whom: &str) -> Result<Name, Failure> {
    if let Some(slug) = &common.slug {
        return Ok(slug.clone());
    }
    let plain: String =
        whom.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(48).collect();
    format!("key-{verb}-{}", plain.trim_matches('-'))
        .parse()
        .map_err(|_odd: crate::model::Malformed| Failure::usage("say how the branch is called: `--slug`"))
}
