//! `git-gate/key-list/1`.

use serde::Serialize;

use crate::insight::Origin;
use crate::policy::{Policy, Revocation};
use crate::render::keys::{gone, is_hardware, revocation, roles};
use crate::render::policy::{key_principals, since_words};
use crate::signature::SignerEntry;

use super::object;
use super::verdict::PolicyOriginJson;

/// The keys of the policy in force.
pub(in crate::render) fn keys(policy: &Policy, origin: &Origin) -> String {
    object(&KeysJson {
        schema: "git-gate/key-list/1",
        policy: PolicyOriginJson::new(&origin.policy),
        keys: policy.signers.entries().map(|entry| key(policy, entry)).collect(),
        gone: gone(policy)
            .map(|revocation| GoneJson { key: &revocation.key, revoked: revoked(revocation) })
            .collect(),
    })
}

#[derive(Serialize)]
struct KeysJson<'a> {
    schema: &'static str,
    policy: PolicyOriginJson<'a>,
    keys: Vec<KeyJson<'a>>,
    gone: Vec<GoneJson<'a>>,
}

#[derive(Serialize)]
struct KeyJson<'a> {
    key: &'a str,
    r#type: String,
    hardware: bool,
    cert_authority: bool,
    principals: Vec<String>,
    roles: Vec<String>,
    valid_after: Option<String>,
    valid_before: Option<String>,
    comment: &'a str,
    revoked: Option<RevokedJson<'a>>,
}

#[derive(Serialize)]
struct GoneJson<'a> {
    key: &'a str,
    revoked: RevokedJson<'a>,
}

#[derive(Serialize)]
struct RevokedJson<'a> {
    since: String,
    reason: &'a str,
}

fn key<'a>(policy: &'a Policy, entry: &'a SignerEntry) -> KeyJson<'a> {
    KeyJson {
        key: entry.fingerprint().as_str(),
        r#type: entry.key_description(),
        hardware: is_hardware(entry),
        cert_authority: entry.is_authority(),
        principals: key_principals(entry),
        roles: roles(policy, entry),
        valid_after: entry.valid_after().map(|time| time.to_string()),
        valid_before: entry.valid_before().map(|time| time.to_string()),
        comment: entry.comment(),
        revoked: revocation(policy, entry).map(revoked),
    }
}

fn revoked(revocation: &Revocation) -> RevokedJson<'_> {
    RevokedJson { since: since_words(revocation.since), reason: &revocation.reason }
}
