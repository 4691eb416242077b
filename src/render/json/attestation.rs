//! An in-toto statement with SLSA's verification summary, and its envelope: forms that others have published.
//!
//! See in-toto's Statement v1 and `DigestSet`, SLSA's `verification_summary/v1`, and DSSE.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::decision::Verb;
use crate::model::{ArtifactDigest, ContentDigest, Name, ObjectId};
use crate::verdict::{Basis, DecisionShown, Outcome};

use super::super::attestation::Attested;
use super::object;

/// By algorithm.
type Digest = BTreeMap<&'static str, String>;

#[derive(Serialize)]
struct Statement<'a> {
    #[serde(rename = "_type")]
    kind: &'static str,
    subject: Vec<Subject<'a>>,
    #[serde(rename = "predicateType")]
    predicate_type: &'static str,
    predicate: Summary,
}

#[derive(Serialize)]
struct Subject<'a> {
    name: &'a str,
    digest: Digest,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    verifier: Verifier,
    time_verified: String,
    resource_uri: String,
    policy: Input,
    input_attestations: Vec<Input>,
    verification_result: &'static str,
    verified_levels: [&'static str; 1],
}

#[derive(Serialize)]
struct Verifier {
    id: String,
    version: BTreeMap<&'static str, &'static str>,
}

#[derive(Serialize)]
struct Input {
    uri: String,
    digest: Digest,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    payload: &'a str,
    payload_type: &'a str,
    signatures: Vec<Signature<'a>>,
}

#[derive(Serialize)]
struct Signature<'a> {
    keyid: &'a str,
    sig: String,
}

/// The statement, without a line end.
pub(in super::super) fn statement(attested: &Attested<'_>) -> String {
    let (verdict, origin) = (&attested.judgement.verdict, &attested.judgement.origin);
    let repository = format!("git-gate:{}", segment(attested.policy_id));
    let (result, level) = match verdict.outcome {
        Outcome::Allowed(Basis::Requirements) => ("PASSED", "GIT_GATE_ALLOWED_ON_REQUIREMENTS"),
        Outcome::Allowed(Basis::Exception) => ("PASSED", "GIT_GATE_ALLOWED_ON_EXCEPTION"),
        Outcome::Allowed(Basis::Rollback) => ("PASSED", "GIT_GATE_ALLOWED_ON_ROLLBACK"),
        Outcome::Pending | Outcome::Blocked => ("FAILED", "FAILED"),
    };
    let subject = attested
        .artifacts
        .iter()
        .map(|(name, digest)| Subject { name: name.as_str(), digest: of_artifact(digest) })
        .collect();
    let policy = Input {
        uri: format!("{repository}/policy/{}", origin.policy.serial),
        digest: of_directory(origin.policy.digest),
    };
    let statement = Statement {
        kind: "https://in-toto.io/Statement/v1",
        subject,
        predicate_type: "https://slsa.dev/verification_summary/v1",
        predicate: Summary {
            verifier: Verifier {
                id: repository.clone(),
                version: BTreeMap::from([("git-gate", env!("CARGO_PKG_VERSION"))]),
            },
            time_verified: origin.time.to_string(),
            resource_uri: format!("{repository}/environments/{}", verdict.environment),
            policy,
            input_attestations: inputs(attested, &repository),
            verification_result: result,
            verified_levels: [level],
        },
    };
    object(&statement).trim_end().to_owned()
}

/// The envelope: one object on one line.
pub(in super::super) fn envelope(
    payload_type: &str,
    payload: &str,
    signature: Option<(&str, String)>,
) -> String {
    let signatures = signature.into_iter().map(|(keyid, sig)| Signature { keyid, sig }).collect();
    object(&Envelope { payload, payload_type, signatures })
}

/// All that the verdict rests on: the commits that were judged, then what they hold of the gate.
fn inputs(attested: &Attested<'_>, repository: &str) -> Vec<Input> {
    let (verdict, origin) = (&attested.judgement.verdict, &attested.judgement.origin);
    let gate = format!("{repository}/{}", verdict.gate.directory());
    let input = |uri: String, digest: Digest| Input { uri, digest };
    let branch = ["refs/heads/", "refs/remotes/origin/"]
        .iter()
        .find_map(|prefix| origin.mainline_ref.strip_prefix(prefix))
        .unwrap_or(&origin.mainline_ref);
    let mut inputs = vec![
        input(format!("{repository}/mainline/{}", path(branch)), of_commit(origin.mainline)),
        input(format!("{repository}/root?from={}", origin.root_from.as_str()), of_commit(origin.root)),
    ];
    let log = origin
        .log
        .map(|log| input(format!("{repository}/deployments/{}", verdict.environment), of_commit(log)));
    inputs.extend(log);
    inputs.extend(verdict.content.map(|content| input(gate.clone(), of_directory(content))));
    for report in attested.reports {
        let uri = format!("{gate}/{}", path(&report.file));
        let original = report.original.map(|sha256| input(format!("{uri}#original"), of_bytes(sha256)));
        inputs.push(input(uri, of_bytes(report.sha256)));
        inputs.extend(original);
    }
    let counting = verdict.decisions.iter().filter(|shown| shown.code.is_none());
    inputs.extend(counting.map(|shown| input(decision_uri(&gate, shown), of_commit(shown.fact.commit))));
    for exception in verdict.exceptions.iter().filter(|exception| exception.in_force) {
        let uri = format!("{repository}/exceptions/{}", verdict.gate);
        inputs.push(input(uri, of_directory(exception.content)));
    }
    inputs
}

/// What was decided, in which role, by whom: `…#approve/ml-lead/j.rivera@example.com`.
fn decision_uri(gate: &str, shown: &DecisionShown) -> String {
    let fact = &shown.fact;
    let verb = fact.verb.map(Verb::as_str);
    let role = fact.role.as_ref().map(Name::as_str);
    let person = fact.principal.as_ref().map(|person| segment(person.as_str()));
    let words: Vec<&str> = verb.into_iter().chain(role).chain(person.as_deref()).collect();
    format!("{gate}#{}", words.join("/"))
}

/// A content digest is in-toto's `dirHash`, letter for letter.
fn of_directory(digest: ContentDigest) -> Digest {
    BTreeMap::from([("dirHash", hex(&digest))])
}

fn of_bytes(digest: ContentDigest) -> Digest {
    BTreeMap::from([("sha256", hex(&digest))])
}

fn hex(digest: &ContentDigest) -> String {
    let text = digest.to_string();
    text.strip_prefix("sha256:").unwrap_or(&text).to_owned()
}

fn of_commit(commit: ObjectId) -> Digest {
    BTreeMap::from([("gitCommit", commit.to_string())])
}

/// What an artifact was compared by. That an id of git's is a commit's is not known here; there is no name for any object.
fn of_artifact(digest: &ArtifactDigest) -> Digest {
    let text = digest.as_str();
    let text = text.strip_prefix("oci:").unwrap_or(text);
    match text.split_once(':') {
        Some(("git", id)) => BTreeMap::from([("gitCommit", id.to_owned())]),
        Some((_sha256, hex)) => BTreeMap::from([("sha256", hex.to_owned())]),
        None => BTreeMap::from([("sha256", text.to_owned())]),
    }
}

/// A path as part of a URI.
fn path(text: &str) -> String {
    text.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// A text as one segment of a URI's path.
fn segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@+".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
