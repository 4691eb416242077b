//! `git-gate/audit-signatures/1`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::insight::{Origin, SignatureCheck, Unverified};
use crate::model::Principal;

use super::super::signatures::left_out;
use super::object;
use super::verdict::{NoticeJson, notices};

/// Every signature.
pub(in crate::render) fn signatures(check: &SignatureCheck, origin: &Origin) -> String {
    object(&SignaturesJson {
        schema: "git-gate/audit-signatures/1",
        mainline: origin.mainline.to_string(),
        root: origin.root.to_string(),
        time: origin.time.to_string(),
        verified: check.verified,
        unsigned: check.unsigned,
        before_root: check.before_root,
        codes: check.codes.iter().map(|(code, count)| (code.as_str(), *count)).collect(),
        do_not_count: check.told.iter().map(unverified).collect(),
        left_out: left_out(check),
        notices: notices(&[], origin),
        relaxations: &origin.relaxations,
    })
}

fn unverified(one: &Unverified) -> UnverifiedJson<'_> {
    UnverifiedJson {
        commit: one.commit.to_string(),
        code: one.code.as_str(),
        reason: &one.reason,
        principal: one.principal.as_ref().map(Principal::as_str),
        key: one.key.as_deref(),
        signed_at: one.date.to_string(),
    }
}

#[derive(Serialize)]
struct SignaturesJson<'a> {
    schema: &'static str,
    mainline: String,
    root: String,
    time: String,
    verified: u64,
    unsigned: u64,
    before_root: u64,
    codes: BTreeMap<&'static str, u64>,
    do_not_count: Vec<UnverifiedJson<'a>>,
    left_out: u64,
    notices: Vec<NoticeJson<'a>>,
    relaxations: &'a [String],
}

#[derive(Serialize)]
struct UnverifiedJson<'a> {
    commit: String,
    code: &'static str,
    reason: &'a str,
    principal: Option<&'a str>,
    key: Option<&'a str>,
    signed_at: String,
}
