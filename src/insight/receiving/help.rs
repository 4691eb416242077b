//! What mends a push that is refused: the words.

use crate::model::{Code, ObjectId};

/// How many defects of one directory are told.
pub(super) const MOST_TOLD: usize = 5;

pub(super) const PIN: &str = "whoever keeps that repository pins it: `git config gate.root <full commit id>`, in the repository \
                              itself; the id is that of the mainline commit whose policy is trusted as it stands";

pub(super) const SIGNED_FILES: &str = "bring the commits themselves, signed, by a merge with a merge commit (no squash, no rebase, \
                                       no changes in the merge): `git gate merge <gate>`; a stray change is taken back by a signed \
                                       commit";

/// The way on from a mainline that was rewound or merged the wrong way round; it needs no force.
pub(super) fn merge_the_right_way(old: ObjectId, new: ObjectId, mainline: &str) -> String {
    format!(
        "fetch, and bring yours on top of what is there: `git fetch origin; git checkout {old}; git merge --no-ff {new}; \
         git push origin HEAD:{mainline}`"
    )
}

/// How a decision that cannot count is made to count.
pub(super) fn of_decision(code: Code, commit: ObjectId) -> String {
    let off = format!(
        "take it off the branch (`git reset --hard {}^` where it is the last commit)",
        commit.short()
    );
    let then = match code {
        Code::Duplicate => return format!("it is recorded already: {off}"),
        Code::SelfApproval => return format!("{off}; somebody who wrote none of it must decide"),
        Code::PolicyInvalid => "mend the policy; what is wrong with it: `git gate policy lint`",
        Code::StalePolicy => {
            "decide anew under the policy in force, once the mainline is fetched: `git fetch origin`"
        }
        Code::UnknownKey | Code::KeyNotValid => {
            "sign with a key that the policy has for you, or have yours added on a policy branch: `git gate key add`"
        }
        Code::KeyRevoked => "sign with another key: `git gate key rotate`",
        Code::KeyNotHardware | Code::NoTouch | Code::NoVerification => {
            "sign with the hardware key that the role asks for, and touch it"
        }
        Code::NotInRole | Code::BotInRole => "decide in a role that you hold: `git gate policy show`",
        Code::Unsigned
        | Code::UnsupportedSignature
        | Code::BadSignature
        | Code::WrongNamespace
        | Code::WeakKey => "decide anew, signed with your SSH key; what stands in its way: `git gate doctor`",
        Code::MalformedCommit
        | Code::Malformed
        | Code::ChangesFiles
        | Code::Resigned
        | Code::ContentMismatch
        | Code::StaleContent
        | Code::OutOfScope
        | Code::Expired
        | Code::BeforeIncident
        | Code::Superseded => {
            "decide anew with `git gate approve`, `reject`, `withdraw`, `close` or `accept-risk`"
        }
    };
    format!("{off}; then {then}")
}
