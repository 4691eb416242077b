//! The pack of an audit: the history, the keys, the report, and a script that checks them without this program.
//!
//! What the script reads are tables of what was found; it proves them from the history, whose objects name themselves.
//! Whoever changes a table, the history or a key makes it fail; who writes the whole pack anew has another digest of
//! `SHA256SUMS`, which is printed here to be told by another way.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use crate::git::{Git, Scratch};
use crate::insight::{Attested, Audit, Deployment};
use crate::model::{ContentDigest, ObjectId};
use crate::render::{self, Form, Style};

use super::super::session::Session;
use super::super::{Context, Failure};

const SCRIPT: &str = include_str!("verify.sh");
const README: &str = include_str!("pack.txt");

/// Files of the pack, by path.
type Files = BTreeMap<String, Vec<u8>>;

/// Writes the pack into a directory that is not there, or empty.
pub(super) fn write(
    context: &Context,
    session: &Session,
    audit: &Audit,
    directory: &Path,
) -> anyhow::Result<()> {
    let target = context.directory.join(directory);
    let unwritten = |error: std::io::Error| {
        Failure::new("file-unwritten", format!("`{}` cannot be written: {error}", directory.display()))
    };
    std::fs::create_dir_all(&target).map_err(unwritten)?;
    if std::fs::read_dir(&target).map_err(unwritten)?.next().is_some() {
        let message = format!("`{}` is not empty", directory.display());
        return Err(Failure::new("not-empty", message).help("name a new directory").into());
    }
    let mut files = tables(session, audit)?;
    for (path, form) in [("report.txt", Form::Text(Style::Plain)), ("report.json", Form::Json)] {
        let mut report = Vec::new();
        render::render_audit(audit, form, &mut |text| report.write_all(text.as_bytes()))
            .map_err(unwritten)?;
        files.insert(path.into(), report);
    }
    files.insert("verify.sh".into(), SCRIPT.as_bytes().to_vec());
    files.insert("README.txt".into(), README.as_bytes().to_vec());
    files.insert("history.bundle".into(), bundle(session, audit)?);
    let mut sums = String::new();
    for (path, bytes) in &files {
        let whole = target.join(path);
        if let Some(parent) = whole.parent() {
            std::fs::create_dir_all(parent).map_err(unwritten)?;
        }
        #[expect(clippy::disallowed_methods, reason = "cli/ writes what the user names")]
        std::fs::write(whole, bytes).map_err(unwritten)?;
        // Writing to a string cannot fail.
        let _ = writeln!(sums, "{}  {path}", hex(ContentDigest::of_bytes(bytes)));
    }
    #[expect(clippy::disallowed_methods, reason = "cli/ writes what the user names")]
    std::fs::write(target.join("SHA256SUMS"), &sums).map_err(unwritten)?;
    let digest = hex(ContentDigest::of_bytes(sums.as_bytes()));
    context.say(&format!(
        "the pack is in `{}`; tell its readers by another way: SHA256SUMS {digest}",
        directory.display()
    ));
    Ok(())
}

/// The `allowed_signers` of each policy under which something was signed, with their names in the pack.
#[derive(Default)]
struct Keys(BTreeMap<Vec<u8>, String>);

impl Keys {
    fn name(&mut self, signers: Vec<u8>) -> &str {
        let next = self.0.len() + 1;
        self.0.entry(signers).or_insert_with(|| format!("{next:04}.allowed_signers"))
    }
}

/// What the script checks.
fn tables(session: &Session, audit: &Audit) -> Result<Files, Failure> {
    let mut files = Files::new();
    let mut keys = Keys::default();
    let mut signatures = BTreeSet::new();
    let mut records = BTreeSet::new();
    let mut contents = BTreeSet::new();
    let mut evidence = BTreeSet::new();
    for deployment in audit.deployments.iter().filter(|deployment| !deployment.before_root) {
        for (commit, who) in signed(deployment) {
            let judged = (commit == deployment.record.commit).then_some(deployment.record.judged);
            let Some(signers) = session.signers_then(commit, judged)? else { continue };
            signatures.insert(format!("{commit}\t{who}\t{}\n", keys.name(signers)));
        }
        records.extend(lines(deployment));
        let Some(then) = &deployment.then else { continue };
        let (judged, directory) =
            (session.step_of(deployment.record.judged), deployment.record.gate.directory());
        if let Some(content) = then.content {
            contents.insert(format!("{judged}\t{directory}\t{content}\n"));
        }
        for report in &then.evidence {
            let Some(digest) = report.digest else { continue };
            let by = match &report.attested {
                None => "-\t-\t-".to_owned(),
                Some(Attested { by: None, .. }) => "unattested\t-\t-".to_owned(),
                Some(Attested { by: Some((commit, who)), .. }) => {
                    let Some(signers) = session.signers_then(*commit, None)? else { continue };
                    format!("{commit}\t{who}\t{}", keys.name(signers))
                }
            };
            evidence.insert(format!("{judged}\t{directory}/{}\t{digest}\t{by}\n", report.file));
        }
    }
    for (name, lines) in [
        ("signatures.tsv", signatures),
        ("records.tsv", records),
        ("contents.tsv", contents),
        ("evidence.tsv", evidence),
    ] {
        files.insert(name.into(), lines.into_iter().collect::<String>().into_bytes());
    }
    files.extend(keys.0.into_iter().map(|(bytes, name)| (format!("keys/{name}"), bytes)));
    for environment in audit.population.keys() {
        let mut log = session.log_commits(environment)?;
        log.reverse();
        let lines: Vec<String> = log.iter().map(|commit| format!("{commit}\n")).collect();
        files.insert(format!("logs/{environment}"), lines.concat().into_bytes());
    }
    let history =
        format!("mainline\t{}\t{}\nroot\t-\t{}\n", mainline(audit), audit.origin.mainline, audit.origin.root);
    files.insert("history.tsv".into(), history.into_bytes());
    Ok(files)
}

/// The commits whose signature counts, and whose it is.
fn signed(deployment: &Deployment) -> Vec<(ObjectId, String)> {
    let mut signed = Vec::new();
    if let (true, Some(who)) = (deployment.signed, &deployment.record.principal) {
        signed.push((deployment.record.commit, who.to_string()));
    }
    let approvals = deployment.then.iter().flat_map(crate::insight::Then::approvals);
    signed.extend(
        approvals.filter_map(|approval| Some((approval.commit, approval.principal.as_ref()?.to_string()))),
    );
    signed
}

/// What a record says, line by line, as its commit holds it.
fn lines(deployment: &Deployment) -> Vec<String> {
    let record = &deployment.record;
    let mut lines = vec![
        format!("parent {}", record.judged),
        format!("Gate: {}", record.gate),
        "Gate-Action: deploy".to_owned(),
        format!("Gate-Environment: {}", deployment.environment),
        format!("Gate-Content: {}", record.content),
        format!("Gate-Basis: {}", record.claimed),
    ];
    lines.extend(record.artifacts.iter().map(|(name, digest)| format!("Gate-Artifact: {name}={digest}")));
    lines.iter().map(|line| format!("{}\t{line}\n", record.commit)).collect()
}

/// The mainline's branch.
fn mainline(audit: &Audit) -> &str {
    let name = audit.origin.mainline_ref.as_str();
    name.strip_prefix("refs/remotes/origin/").or(name.strip_prefix("refs/heads/")).unwrap_or(name)
}

/// The history as one file from which git clones: the mainline, and the logs.
fn bundle(session: &Session, audit: &Audit) -> anyhow::Result<Vec<u8>> {
    let scratch = Scratch::new("git-gate-pack-")?;
    let there = scratch.path().join("history.git");
    let there = there.to_string_lossy();
    let git = Git::at(scratch.path());
    git.run(&["init", "-q", "--bare", "--template=", &there])?;
    let main = format!("refs/heads/{}", mainline(audit));
    let mut refs = vec![format!("{}:{main}", audit.origin.mainline)];
    for (environment, population) in &audit.population {
        refs.extend(population.tip.map(|tip| format!("{tip}:refs/heads/deployments/{environment}")));
    }
    let mut push = vec!["-c", "core.hooksPath=/dev/null", "push", "-q", "--no-verify", "--no-signed", &there];
    push.extend(refs.iter().map(String::as_str));
    Git::of(session.repository()).run(&push)?;
    let git = Git::at(&scratch.path().join("history.git"));
    git.run(&["symbolic-ref", "HEAD", &main])?;
    let file = scratch.path().join("history.bundle");
    git.run(&["bundle", "create", "-q", &file.to_string_lossy(), "HEAD", "--branches"])?;
    #[expect(clippy::disallowed_methods, reason = "cli/ reads what it had git write")]
    Ok(std::fs::read(file)?)
}

fn hex(digest: ContentDigest) -> String {
    digest.to_string().trim_start_matches("sha256:").to_owned()
}
