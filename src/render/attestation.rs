//! A verdict as an in-toto statement, and the envelope that it is signed in.
//!
//! The statement is a SLSA verification summary: these artifacts, by digest, were verified for this environment, under
//! this policy, with this result. What it rests on is named by digest: the commits that were judged, the gate's content,
//! each report, each decision that counts. It claims no SLSA level, for none is judged here. What is signed is DSSE's
//! encoding of its bytes (PAE), so that a signature over it is one over nothing else.

use std::collections::BTreeMap;

use base64ct::{Base64, Encoding as _};

use crate::insight::Judgement;
use crate::model::{ArtifactDigest, ArtifactName, ContentDigest};

use super::json;

/// The type of what is signed.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// What a statement is about.
#[derive(Debug, Clone)]
pub struct Attested<'a> {
    /// The verdict.
    pub judgement: &'a Judgement,
    /// The id of the policy in force.
    pub policy_id: &'a str,
    /// The artifacts that were judged.
    pub artifacts: &'a BTreeMap<ArtifactName, ArtifactDigest>,
    /// The reports that stand in the gate.
    pub reports: &'a [AttestedReport],
}

/// A report that stands in a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestedReport {
    /// Below the gate directory.
    pub file: String,
    /// Of its bytes.
    pub sha256: ContentDigest,
    /// Of the report that lies elsewhere, where this file stands for one.
    pub original: Option<ContentDigest>,
}

/// The statement, in the bytes that are signed: the same for the same verdict.
pub fn render_statement(attested: &Attested<'_>) -> String {
    json::statement(attested)
}

/// What is signed: the type and the bytes, each with its length (DSSE, "PAE").
pub fn signed_bytes(statement: &str) -> Vec<u8> {
    format!("DSSEv1 {} {PAYLOAD_TYPE} {} {statement}", PAYLOAD_TYPE.len(), statement.len()).into_bytes()
}

/// The envelope: the statement and its signature, by the key of that name; unsigned where there is none.
pub fn render_envelope(statement: &str, signature: Option<(&str, &[u8])>) -> String {
    let signature = signature.map(|(key, bytes)| (key, Base64::encode_string(bytes)));
    json::envelope(PAYLOAD_TYPE, &Base64::encode_string(statement.as_bytes()), signature)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::verdict::{Basis, Outcome};

    fn statement(outcome: Outcome) -> serde_json::Value {
        let mut judgement = sample::rich();
        judgement.verdict.outcome = outcome;
        serde_json::from_str(&text(&judgement)).unwrap()
    }

    fn text(judgement: &Judgement) -> String {
        let artifacts = [
            ("prompts/a.txt", format!("sha256:{}", "9b".repeat(32))),
            ("image", format!("oci:sha256:{}", "8c".repeat(32))),
            ("config", format!("git:{}", "7d".repeat(20))),
        ];
        let artifacts: BTreeMap<ArtifactName, ArtifactDigest> =
            artifacts.iter().map(|(name, digest)| (name.parse().unwrap(), digest.parse().unwrap())).collect();
        let reports = [
            AttestedReport { file: "CHANGE.md".into(), sha256: sample::digest(1), original: None },
            AttestedReport {
                file: "evidence/a.json".into(),
                sha256: sample::digest(2),
                original: Some(sample::digest(3)),
            },
        ];
        let policy_id = "acme models/3f9c";
        render_statement(&Attested { judgement, policy_id, artifacts: &artifacts, reports: &reports })
    }

    #[test]
    fn a_statement_names_all_that_it_rests_on() {
        insta::assert_snapshot!(format!("{:#}", statement(Outcome::Allowed(Basis::Exception))));
    }

    #[test]
    fn only_an_allowed_verdict_passed() {
        for (outcome, result, level) in [
            (Outcome::Allowed(Basis::Requirements), "PASSED", "GIT_GATE_ALLOWED_ON_REQUIREMENTS"),
            (Outcome::Allowed(Basis::Exception), "PASSED", "GIT_GATE_ALLOWED_ON_EXCEPTION"),
            (Outcome::Allowed(Basis::Rollback), "PASSED", "GIT_GATE_ALLOWED_ON_ROLLBACK"),
            (Outcome::Pending, "FAILED", "FAILED"),
            (Outcome::Blocked, "FAILED", "FAILED"),
        ] {
            let statement = statement(outcome);
            assert_eq!(statement["predicate"]["verificationResult"], result, "{outcome:?}");
            assert_eq!(statement["predicate"]["verifiedLevels"], serde_json::json!([level]), "{outcome:?}");
        }
    }

    #[test]
    fn the_same_verdict_is_the_same_bytes() {
        let judgement = sample::rich();
        assert_eq!(text(&judgement), text(&judgement.clone()));
        assert!(!text(&judgement).contains('\n'));
    }

    #[test]
    fn what_is_signed_has_the_lengths_of_the_specification() {
        assert_eq!(signed_bytes("hello"), b"DSSEv1 28 application/vnd.in-toto+json 5 hello");
        // In bytes, not characters.
        assert_eq!(signed_bytes("\u{e9}"), "DSSEv1 28 application/vnd.in-toto+json 2 \u{e9}".as_bytes());
    }

    #[test]
    fn an_envelope_without_a_signature_has_none() {
        for (signature, expected) in [
            (None, serde_json::json!([])),
            (
                Some(("SHA256:abc", &[0xfb, 0xff][..])),
                serde_json::json!([{ "keyid": "SHA256:abc", "sig": "+/8=" }]),
            ),
        ] {
            let envelope: serde_json::Value =
                serde_json::from_str(&render_envelope("{}", signature)).unwrap();
            assert_eq!(
                envelope,
                serde_json::json!({
                    "payload": "e30=", "payloadType": PAYLOAD_TYPE, "signatures": expected,
                })
            );
        }
    }
}
