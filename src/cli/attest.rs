//! `git gate attest`: the verdict as a signed in-toto statement on the artifacts' digests.
//!
//! For those who promote by attestations and do not run this program. It asks the question of `check`, of the mainline as
//! it stands now, and takes nothing that replays or narrows. It signs through the SSH agent alone: the signature is the
//! plain one of an Ed25519 key, which the program that signs commits does not give.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::git::{Git, Signer, Unwritten, sign_with_agent};
use crate::insight::{Judgement, Originals};
use crate::model::{ArtifactDigest, ArtifactName, ContentDigest, Time};
use crate::policy::Policy;
use crate::render::{self, Attested, AttestedReport};
use crate::signature::{Fingerprint, PlainKey, SignerEntry};
use crate::verdict::{Outcome, Status};

use super::deploy::{may_be_logged, refuse_relaxations};
use super::given::QuestionArgs;
use super::session::{Opening, Session, View};
use super::{Context, Exit, Failure, Format, environment, judging};

/// The arguments of `attest`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: that of `check`. Where it is not 0 nothing is attested, unless `--failed` asks for a \
    statement that says so. It signs with the Ed25519 key that git signs commits with here, through the SSH agent; \
    where it cannot, the statement is unsigned, and stderr says what mends it."
)]
pub struct Args {
    /// What is asked, and what the statement is about.
    #[command(flatten)]
    asked: QuestionArgs,
    /// State also that it is not allowed; the exit status stays that of `check`.
    #[arg(long)]
    failed: bool,
    /// Fail where it cannot be signed.
    #[arg(long)]
    signed: bool,
    /// Write the envelope to this file, in place of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let given = args.asked.given.digests(context)?;
    if given.is_empty() {
        return Err(Failure::usage("a statement is about artifacts: name one, by path or by digest")
            .help("`--artifact <name>=<path>` or `--digest <name>=<digest>`")
            .into());
    }
    let session = Session::open(context, &Opening { view: View::Recorded, ..Opening::default() })?;
    // What is stated can be judged again from the repository alone: no report is brought along.
    let judgement = session.judge(&args.asked.question(&given, Originals::new()))?;
    refuse_relaxations("attest", &judgement.origin.relaxations)?;
    refuse_to_vouch(args, &judgement)?;
    let statement = statement(&session, &judgement, &given)?;
    let signature = match signature(context, &session, judgement.origin.time, &statement) {
        Ok(signature) => Some(signature),
        Err(why) if args.signed => return Err(why.into()),
        Err(why) => {
            let help = why.help.map(|help| format!("; {help}")).unwrap_or_default();
            context.warn(&format!("the statement is not signed: {}{help}", why.message));
            None
        }
    };
    let signed = signature.as_ref().map(|(key, bytes)| (key.as_str(), bytes.as_slice()));
    let envelope = render::render_envelope(&statement, signed);
    match &args.out {
        None => context.print(&envelope)?,
        Some(file) => {
            let file = context.directory.join(file);
            write_whole(&file, &envelope).map_err(|error| {
                Failure::new("file-unwritten", format!("`{}` cannot be written: {error}", file.display()))
            })?;
            context.print(&told(context, &judgement, signed.map(|(key, _bytes)| key), &file))?;
        }
    }
    Ok(judging::exit(judgement.verdict.outcome))
}

/// Only what may be deployed is vouched for; what may not, where the caller asks for just that.
fn refuse_to_vouch(args: &Args, judgement: &Judgement) -> Result<(), Failure> {
    let verdict = &judgement.verdict;
    let asked = format!("`{}` in `{}`", args.asked.gate, args.asked.env);
    if !may_be_logged(judgement) {
        let message = format!("the branch of {asked} holds a rejection that nobody has recorded yet");
        return Err(Failure { exit: Exit::Blocked, ..Failure::new("not-attested", message) }
            .help(format!("record it: `git gate merge {}`", args.asked.gate)));
    }
    let word = match verdict.outcome {
        Outcome::Allowed(_) => return Ok(()),
        Outcome::Pending | Outcome::Blocked if args.failed => return Ok(()),
        Outcome::Pending => "pending",
        Outcome::Blocked => "blocked",
    };
    let open =
        verdict.requirements.iter().filter(|line| !matches!(line.status, Status::Met | Status::Waived));
    let open: Vec<String> = open.map(|line| format!("`{}`", line.id)).collect();
    let message = format!("{asked} is {word}, and nothing is attested: {}", open.join(", "));
    Err(Failure { exit: judging::exit(verdict.outcome), ..Failure::new("not-attested", message) }.help(
        format!(
            "what is open: `git gate check {} --env {}`; a statement that says so: `--failed`",
            args.asked.gate, args.asked.env
        ),
    ))
}

fn statement(
    session: &Session,
    judgement: &Judgement,
    artifacts: &BTreeMap<ArtifactName, ArtifactDigest>,
) -> Result<String, Failure> {
    let gate = &judgement.verdict.gate;
    let files = session.directory(gate)?.map(|directory| directory.files).unwrap_or_default();
    let mut reports = BTreeMap::new();
    for evidence in session.evidence(gate)? {
        let Some(bytes) = files.get(&evidence.file) else { continue };
        let original = match &evidence.report {
            Some(Ok(report)) => report.external.as_ref().map(|external| external.sha256),
            Some(Err(_)) | None => None,
        };
        let sha256 = ContentDigest::of_bytes(bytes);
        let report = AttestedReport { file: evidence.file.clone(), sha256, original };
        reports.insert(evidence.file, report);
    }
    let reports: Vec<AttestedReport> = reports.into_values().collect();
    let policy_id = &session.policy().id;
    Ok(render::render_statement(&Attested { judgement, policy_id, artifacts, reports: &reports }))
}

/// Has the agent sign, with the key that git signs commits with here, which must be somebody's under the policy in force.
fn signature(
    context: &Context,
    session: &Session,
    time: Time,
    statement: &str,
) -> Result<(Fingerprint, [u8; 64]), Unwritten> {
    let signer = Signer::whatever_format(&Git::of(session.repository()), context.asks)?;
    let line = signer.public_key().ok_or_else(|| {
        Unwritten::new("agent-key", "the public half of the signing key cannot be read")
            .help("name it: `git config user.signingkey <file>.pub`")
    })?;
    let key = PlainKey::of_public_key(&line).map_err(|what| {
        Unwritten::new(
            "agent-key",
            format!("only an Ed25519 key signs statements, and the signing key is {what}"),
        )
        .help("sign with one: `git -c user.signingkey=<file>.pub gate attest …`")
    })?;
    refuse_nobodys(session.policy(), key.fingerprint(), time)?;
    let _busy = context.waiting("signing");
    let bytes =
        sign_with_agent(environment::agent_socket().as_deref(), &key, &render::signed_bytes(statement))?;
    Ok((key.fingerprint().clone(), bytes))
}

/// Who reads the statement looks the key up in the policy: one that stands for nobody now proves nothing.
fn refuse_nobodys(policy: &Policy, key: &Fingerprint, time: Time) -> Result<(), Unwritten> {
    let wrong = |what: &str| {
        Err(Unwritten::new("agent-key", format!("the signing key `{key}` {what}"))
            .help("sign with a key that stands for you in `policy/allowed_signers`"))
    };
    let lines: Vec<&SignerEntry> = policy
        .signers
        .entries()
        .filter(|entry| !entry.is_authority() && entry.fingerprint() == key)
        .collect();
    let owners: Vec<_> = lines.iter().flat_map(|entry| entry.principals()).collect();
    let valid = |entry: &&SignerEntry| {
        entry.valid_after().is_none_or(|after| after <= time)
            && entry.valid_before().is_none_or(|before| time < before)
    };
    match owners.split_first() {
        None => wrong("is nobody's in the policy in force"),
        Some((first, rest)) if rest.iter().any(|other| other != first) => wrong("is several people's"),
        Some(_) if !lines.iter().any(valid) => wrong("is not valid now"),
        Some(_) if policy.revoked.iter().any(|revoked| revoked.key == key.as_str()) => {
            wrong("is revoked by the policy")
        }
        Some(_) => Ok(()),
    }
}

/// All of it or nothing: a file that is half an envelope is worse than none.
fn write_whole(file: &Path, envelope: &str) -> std::io::Result<()> {
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // As other files that the user writes: the umask says who reads it.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    let mut scratch = tempfile::Builder::new().permissions(mode).tempfile_in(directory)?;
    scratch.write_all(envelope.as_bytes())?;
    scratch.as_file().sync_all()?;
    scratch.persist(file)?;
    Ok(())
}

fn told(context: &Context, judgement: &Judgement, key: Option<&str>, file: &Path) -> String {
    let verdict = &judgement.verdict;
    let result = if matches!(verdict.outcome, Outcome::Allowed(_)) { "PASSED" } else { "FAILED" };
    if context.format == Format::Json {
        let object = serde_json::json!({
            "schema": "git-gate/attest/1",
            "gate": verdict.gate.to_string(),
            "environment": verdict.environment.as_str(),
            "result": result,
            "keyid": key,
            "file": file.display().to_string(),
        });
        return format!("{object}\n");
    }
    let key = key.map_or_else(|| "unsigned".to_owned(), |key| format!("signed by {key}"));
    format!("{result}  {} → {}, {key}\n", verdict.gate, verdict.environment)
}
