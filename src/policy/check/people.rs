//! Roles, approvals, revoked keys: who may do what.

use std::collections::BTreeSet;

use crate::model::{Name, ObjectId};
use crate::policy::{Approval, KeyRequirement, Revocation, Role, Since};
use crate::problem::document::Value;
use crate::problem::section::Reader;

pub(super) fn role<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<Role> {
    let section = reader.section(value)?;
    let title = section.optional("title", Reader::prose);
    let members = section.required("members", Reader::set);
    let keys = section.optional("keys", |reader, value| {
        let choices = [
            ("any", KeyRequirement::Any),
            ("hardware", KeyRequirement::Hardware),
            ("hardware-verified", KeyRequirement::HardwareVerified),
        ];
        reader.choice(value, &choices)
    });
    section.finish();
    Some(Role { title, members: members?, keys: keys.unwrap_or_default() })
}

/// A list of approvals, no role twice: two entries could be read as a sum or as the higher of them.
pub(in crate::policy) fn approvals<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<Vec<Approval>> {
    let seen = std::cell::RefCell::new(BTreeSet::new());
    reader.list(value, |reader, value| {
        let section = reader.section(value)?;
        let role: Option<Name> = section.required("role", Reader::word);
        let count = section.defaulted("count", 1, Reader::count);
        let span = section.span_of("role");
        section.finish();
        let role = role?;
        if !seen.borrow_mut().insert(role.clone()) {
            let help = "name it once, with the `count` that is meant";
            reader.problem(reader.codes().repeated, span, format!("role `{role}` is asked twice"), help);
        }
        Some(Approval { role, count: count? })
    })
}

pub(super) fn governance<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<Vec<Approval>> {
    let section = reader.section(value)?;
    let list = section.optional("approvals", approvals);
    section.finish();
    list
}

pub(super) fn mainline<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<BTreeSet<Name>> {
    let section = reader.section(value)?;
    let roles = section.required("signed_by", Reader::set);
    section.finish();
    roles
}

pub(super) fn rejection_reasons<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<BTreeSet<Name>> {
    let section = reader.section(value)?;
    let reasons = section.required("reasons", Reader::set);
    section.finish();
    reasons
}

pub(super) fn revocation<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<Revocation> {
    let section = reader.section(value)?;
    let key = section.required("key", fingerprint);
    let since = section.required("since", since);
    let reason = section.optional("reason", Reader::prose).unwrap_or_default();
    section.finish();
    Some(Revocation { key: key?, since: since?, reason })
}

/// `SHA256:` and 43 base64 digits; the last one carries four bits only, so that one key has one spelling.
fn fingerprint<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<String> {
    let text = reader.text(value)?;
    let digits = text.strip_prefix("SHA256:").unwrap_or_default();
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let last = digits.bytes().last().unwrap_or_default();
    if digits.len() == 43 && digits.bytes().all(base64) && b"AEIMQUYcgkosw048".contains(&last) {
        return Some(text.to_owned());
    }
    let help = "`SHA256:` and 43 characters, as `ssh-keygen -l -f <key>` prints it";
    reader.bad(&value.span, format!("`{text}` is no key fingerprint"), help)
}

fn since<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<Since> {
    let text = reader.text(value)?;
    if text == "never-trusted" {
        return Some(Since::NeverTrusted);
    }
    if let Ok(commit) = text.parse::<ObjectId>() {
        return Some(Since::Commit(commit));
    }
    let help = "a mainline commit in full, 40 digits of `0-9a-f`, or `never-trusted`";
    reader.bad(&value.span, format!("`{text}` is no moment of revocation"), help)
}
