//! The codes of this module, each with what it means: for the docs, and for the tests that look for each.

/// What keeps a policy from being read.
pub const CODES: &[(&str, &str)] = &[
    ("policy-unknown-key", "a key that nothing there has"),
    ("policy-missing-key", "a key that must be there is not"),
    ("policy-wrong-type", "a value of another type than belongs there"),
    ("policy-bad-value", "a value that cannot stand there"),
    ("policy-repeated", "one thing is named twice where once is meant"),
    ("policy-schema", "a `schema` that this program does not know"),
    ("policy-criterion", "operators of a criterion that do not go together"),
    ("policy-criterion-differs", "two criteria of one name that say different things"),
    ("policy-mapping", "a mapping whose keys do not go together"),
    ("policy-unknown-format", "a format that this program does not know"),
];

/// What keeps a policy that reads from coming into force: a closed list (design, section 6).
pub const FINDING_CODES: &[(&str, &str)] = &[
    ("policy-no-governance", "no `[governance].approvals`: nobody could change the policy"),
    ("policy-approvals-unfillable", "an approvals list that its roles cannot fill with different people"),
    ("policy-count-zero", "an approval `count` of 0"),
    ("policy-key-of-several", "a key under two principals"),
    ("policy-unknown-role", "a name of a role that is not there"),
    ("policy-unknown-kind", "a name of a change type that is not there"),
    ("policy-unknown-risk", "a name of a risk that is not there"),
    ("policy-unknown-environment", "a name of an environment that is not there"),
    ("policy-unknown-member", "a member of a role without a line in `policy/allowed_signers`"),
];

/// Warnings.
pub const LINT_CODES: &[(&str, &str)] = &[
    ("policy-role-empty", "a role that nobody holds"),
    ("policy-cannot-sign", "a member of a role none of whose keys counts"),
    ("policy-rule-name-twice", "two rules of one name"),
    ("policy-rule-unreachable", "a rule that no gate can match"),
    ("policy-criterion-without-evidence", "a criterion on evidence that no rule requires"),
    ("policy-mainline-nobody", "a `[mainline].signed_by` that nobody can fill"),
    ("policy-governance-lockout", "the loss of one person would leave nobody to change the policy"),
    (
        "policy-change-unapproved",
        "a combination of kind, risk and environment of which no rule asks an approval",
    ),
    ("policy-places-shared", "rules that hold together and that the same few people cannot fill"),
    ("policy-wildcard-principal", "a key under a pattern that is no `cert-authority`"),
    ("policy-weak-key", "a key too weak to count"),
];
