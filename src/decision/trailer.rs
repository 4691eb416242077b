//! The trailers by name, and which of them belongs to which action: the table of section 8 of the design.

use super::Verb;
use super::paragraph::begins_with_gate;

/// One line `token: value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trailer<'a> {
    pub(super) token: &'a str,
    pub(super) value: &'a str,
}

/// The `Gate` tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Token {
    Gate,
    Action,
    Role,
    Content,
    Policy,
    Reason,
    Environment,
    Basis,
    Artifact,
    Root,
    Restart,
    Record,
}

/// How often a token stands with an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occurrence {
    Never,
    Once,
    AtMostOnce,
    AnyNumber,
}

impl<'a> Trailer<'a> {
    /// Reads `^[A-Za-z0-9-]+: \S(.*\S)?$`, and nothing else.
    pub(super) fn parse(line: &'a str) -> Option<Self> {
        let (token, value) = line.split_once(": ")?;
        let token_is_well =
            !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let value_is_well = !value.is_empty() && value.trim() == value;
        (token_is_well && value_is_well).then_some(Self { token, value })
    }

    /// Whether it is one of ours, or wants to be.
    pub(super) fn is_gate(self) -> bool {
        begins_with_gate(self.token)
    }
}

impl Token {
    /// Every token, in the order in which they are written.
    pub(super) const ALL: [Self; 12] = [
        Self::Gate,
        Self::Action,
        Self::Role,
        Self::Content,
        Self::Policy,
        Self::Reason,
        Self::Environment,
        Self::Basis,
        Self::Artifact,
        Self::Root,
        Self::Restart,
        Self::Record,
    ];

    /// The token as it is written.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Gate => "Gate",
            Self::Action => "Gate-Action",
            Self::Role => "Gate-Role",
            Self::Content => "Gate-Content",
            Self::Policy => "Gate-Policy",
            Self::Reason => "Gate-Reason",
            Self::Environment => "Gate-Environment",
            Self::Basis => "Gate-Basis",
            Self::Artifact => "Gate-Artifact",
            Self::Root => "Gate-Root",
            Self::Restart => "Gate-Restart",
            Self::Record => "Gate-Record",
        }
    }

    /// The token so written, to the letter.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|token| token.as_str() == text)
    }

    /// The token so written, in any letter case.
    pub(super) fn resembling(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|token| token.as_str().eq_ignore_ascii_case(text))
    }

    /// How often it stands with `verb`. `Gate-Reason` of a deploy depends on the basis besides.
    pub(super) fn occurrence(self, verb: Verb) -> Occurrence {
        use Occurrence::{AnyNumber, AtMostOnce, Never, Once};
        match (self, verb) {
            (Self::Gate | Self::Action, _)
            | (Self::Role, Verb::Approve | Verb::Reject | Verb::AcceptRisk)
            | (
                Self::Content | Self::Policy,
                Verb::Approve | Verb::Reject | Verb::AcceptRisk | Verb::Deploy,
            )
            | (Self::Reason, Verb::Reject)
            | (Self::Environment, Verb::Deploy | Verb::DeployFailed)
            | (Self::Basis | Self::Root, Verb::Deploy)
            | (Self::Record, Verb::DeployFailed) => Once,
            (Self::Reason | Self::Restart, Verb::Deploy) | (Self::Record, Verb::AcceptRisk) => AtMostOnce,
            (Self::Environment, Verb::Approve) | (Self::Artifact, Verb::Deploy) => AnyNumber,
            (
                Self::Role
                | Self::Content
                | Self::Policy
                | Self::Reason
                | Self::Environment
                | Self::Basis
                | Self::Artifact
                | Self::Root
                | Self::Restart
                | Self::Record,
                _,
            ) => Never,
        }
    }
}

/// The trailers that a decision must have, in the order in which they are written.
pub(super) fn required(verb: Verb) -> Vec<&'static str> {
    let once = Token::ALL.into_iter().filter(|token| token.occurrence(verb) == Occurrence::Once);
    once.map(Token::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailer_is_a_token_a_colon_one_blank_and_a_value() {
        let read = |line| Trailer::parse(line).map(|trailer| (trailer.token, trailer.value));
        assert_eq!(read("Gate-Role: ml-lead"), Some(("Gate-Role", "ml-lead")));
        assert_eq!(read("a: b: c  d"), Some(("a", "b: c  d")));
        for bad in [
            "",
            "Gate",
            "Gate:",
            "Gate: ",
            "Gate:x",
            "Gate:  x",
            "Gate: x ",
            "Gate: x\r",
            "Gate:\tx",
            " Gate: x",
            "Gate : x",
            "Gäte: x",
            "Gate_x: y",
            ": x",
            "Gate: \u{a0}x",
            "Gate-Role x: y",
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
