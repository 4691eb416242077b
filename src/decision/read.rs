//! A message → the decision in it.
//!
//! One grammar, read to the letter: whatever is unknown, repeated, missing, misplaced or misspelt makes the decision
//! malformed, so that what counts is exactly what a person who reads the trailers sees. Runs on every commit of a
//! history; nearly all have no `Gate` line and cost one pass without allocation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::str::FromStr;

use crate::model::{ArtifactDigest, ArtifactName, Name};

use super::malformed::{salvage, salvage_whole};
use super::paragraph::{Defect, Sighting, sight};
use super::trailer::{Occurrence, Token, Trailer};
use super::{Action, ClaimedBasis, Decision, Deploy, Reading, Seen, Target, Verb};

/// How many characters of a line are quoted in a reason.
const MOST_QUOTED: usize = 200;

/// Reads a commit message. Allocates nothing where no line begins with `Gate`.
pub fn parse_message(message: &str) -> Reading {
    let (lines, defect, stray) = match sight(message) {
        Sighting::Elsewhere { stray } => return Reading::None { stray },
        Sighting::Last { lines, defect, stray } => (lines, defect, stray),
    };
    let reason = match defect {
        Some(Defect::OnlyParagraph) => return read_only_paragraph(&lines),
        Some(Defect::LineOfBlanks) => {
            "a line of blanks stands among or around the trailers; make it empty or remove it".into()
        }
        Some(Defect::Scissors) => {
            "a scissors line stands above the trailers, where git cuts the message; remove it".into()
        }
        None => match parse_lines(&lines) {
            Ok(decision) => return Reading::Decision { decision, stray },
            Err(reason) => reason,
        },
    };
    Reading::Malformed(salvage(&lines, reason))
}

/// A subject that begins with `Gate` is nothing; what is plainly meant as a decision must not vanish.
fn read_only_paragraph(lines: &[&str]) -> Reading {
    let reason = "trailers need a subject and an empty line before them".to_owned();
    match salvage_whole(lines, reason) {
        Some(malformed) => Reading::Malformed(malformed),
        None => Reading::None {
            stray: lines.iter().any(|line| Trailer::parse(line).is_some_and(Trailer::is_gate)),
        },
    }
}

fn parse_lines(lines: &[&str]) -> Result<Decision, String> {
    let mut found: Vec<(Token, &str)> = Vec::with_capacity(lines.len());
    for line in lines {
        let trailer = Trailer::parse(line).ok_or_else(|| {
            format!(
                "`{}` in the last paragraph is not `Name: value`; trailers stand alone, one a line, unfolded",
                shortened(line)
            )
        })?;
        if trailer.is_gate() {
            let token = Token::parse(trailer.token).ok_or_else(|| unknown_token(trailer.token))?;
            found.push((token, trailer.value));
        }
    }
    Fields::sorted(found).decision()
}

fn unknown_token(text: &str) -> String {
    if let Some(token) = Token::resembling(text) {
        return format!("`{text}` is written `{}`", token.as_str());
    }
    let known: Vec<String> = Token::ALL.iter().map(|token| format!("`{}`", token.as_str())).collect();
    format!("unknown trailer `{}`; known are {}", shortened(text), known.join(", "))
}

/// A reason is for people: of a long line, its beginning.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_QUOTED) {
        Some((end, _char)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The values of the `Gate` trailers by token; those of one token in the order written.
struct Fields<'a> {
    tokens: Vec<Token>,
    values: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    fn sorted(mut found: Vec<(Token, &'a str)>) -> Self {
        found.sort_by_key(|(token, _value)| *token);
        let (tokens, values) = found.into_iter().unzip();
        Self { tokens, values }
    }
}

impl Fields<'_> {
    fn decision(&self) -> Result<Decision, String> {
        self.check_count(Token::Gate, Occurrence::Once, "a decision")?;
        self.check_count(Token::Action, Occurrence::Once, "a decision")?;
        let target: Target = self.one(Token::Gate)?;
        let verb: Verb = self.one(Token::Action)?;
        let of = format!("`{verb}`");
        for token in Token::ALL {
            self.check_count(token, token.occurrence(verb), &of)?;
        }
        if target == Target::Policy {
            self.check_policy_target(verb)?;
        }
        Ok(Decision { target, action: self.action(verb)? })
    }

    fn action(&self, verb: Verb) -> Result<Action, String> {
        Ok(match verb {
            Verb::Approve => Action::Approve {
                role: self.one(Token::Role)?,
                environments: self.environments()?,
                seen: self.seen()?,
            },
            Verb::Reject => Action::Reject {
                role: self.one(Token::Role)?,
                reason: self.one(Token::Reason)?,
                seen: self.seen()?,
            },
            Verb::Withdraw => Action::Withdraw,
            Verb::Close => Action::Close,
            Verb::AcceptRisk => Action::AcceptRisk {
                role: self.one(Token::Role)?,
                record: self.optional(Token::Record)?,
                seen: self.seen()?,
            },
            Verb::Deploy => Action::Deploy(self.deploy()?),
            Verb::DeployFailed => Action::DeployFailed {
                environment: self.one(Token::Environment)?,
                record: self.one(Token::Record)?,
            },
        })
    }

    fn deploy(&self) -> Result<Deploy, String> {
        let basis: ClaimedBasis = self.one(Token::Basis)?;
        let reason = self.of(Token::Reason).first().map(|text| (*text).to_owned());
        match (basis, &reason) {
            (ClaimedBasis::BreakGlass, Some(_))
            | (ClaimedBasis::Requirements | ClaimedBasis::Exception | ClaimedBasis::Rollback, None) => {}
            (ClaimedBasis::BreakGlass, None) => return Err("a break-glass needs `Gate-Reason`".into()),
            (ClaimedBasis::Requirements | ClaimedBasis::Exception | ClaimedBasis::Rollback, Some(_)) => {
                return Err(format!("`Gate-Reason` does not belong to `deploy` on basis `{basis}`"));
            }
        }
        Ok(Deploy {
            seen: self.seen()?,
            environment: self.one(Token::Environment)?,
            basis,
            artifacts: self.artifacts()?.into(),
            reason,
            root: self.one(Token::Root)?,
            restart: self.optional(Token::Restart)?,
        })
    }

    fn artifacts(&self) -> Result<BTreeMap<ArtifactName, ArtifactDigest>, String> {
        let mut artifacts = BTreeMap::new();
        for value in self.of(Token::Artifact) {
            let (name, digest) = value
                .split_once('=')
                .ok_or_else(|| malformed(Token::Artifact, value, "an artifact is `<name>=<digest>`"))?;
            let name: ArtifactName =
                name.parse().map_err(|right| malformed(Token::Artifact, value, right))?;
            let digest: ArtifactDigest =
                digest.parse().map_err(|right| malformed(Token::Artifact, value, right))?;
            if artifacts.insert(name, digest).is_some() {
                return Err(format!(
                    "`Gate-Artifact: {}` names an artifact for the second time",
                    shortened(value)
                ));
            }
        }
        Ok(artifacts)
    }

    fn environments(&self) -> Result<BTreeSet<Name>, String> {
        let mut environments = BTreeSet::new();
        for value in self.of(Token::Environment) {
            if !environments.insert(parse_value(Token::Environment, value)?) {
                return Err(format!("`Gate-Environment: {value}` stands twice"));
            }
        }
        Ok(environments)
    }

    fn seen(&self) -> Result<Seen, String> {
        Ok(Seen { content: self.one(Token::Content)?, policy: self.one(Token::Policy)? })
    }

    fn check_policy_target(&self, verb: Verb) -> Result<(), String> {
        match verb {
            Verb::Approve | Verb::Reject | Verb::Withdraw => {}
            Verb::Close | Verb::AcceptRisk | Verb::Deploy | Verb::DeployFailed => {
                return Err(format!(
                    "`{verb}` is about gates; `Gate: policy` takes `approve`, `reject` and `withdraw`"
                ));
            }
        }
        if self.of(Token::Environment).is_empty() {
            return Ok(());
        }
        Err("`Gate-Environment` does not belong to `Gate: policy`: a policy holds in every environment"
            .into())
    }

    fn check_count(&self, token: Token, expected: Occurrence, whose: &str) -> Result<(), String> {
        let name = token.as_str();
        match (expected, self.of(token).len()) {
            (Occurrence::AnyNumber, _)
            | (Occurrence::Once | Occurrence::AtMostOnce, 1)
            | (Occurrence::Never | Occurrence::AtMostOnce, 0) => Ok(()),
            (Occurrence::Once, 0) => Err(format!("{whose} needs `{name}`")),
            (Occurrence::Once | Occurrence::AtMostOnce, _) => {
                Err(format!("`{name}` stands several times; {whose} takes one"))
            }
            (Occurrence::Never, _) => Err(format!("`{name}` does not belong to {whose}")),
        }
    }

    /// The value of a token whose count was checked.
    fn one<T: FromStr<Err: Display>>(&self, token: Token) -> Result<T, String> {
        match self.of(token) {
            [value] => parse_value(token, value),
            _ => Err(format!("`{}` must stand once", token.as_str())),
        }
    }

    fn optional<T: FromStr<Err: Display>>(&self, token: Token) -> Result<Option<T>, String> {
        if self.of(token).is_empty() { Ok(None) } else { self.one(token).map(Some) }
    }

    fn of(&self, token: Token) -> &[&str] {
        let from = self.tokens.partition_point(|other| *other < token);
        let end = self.tokens.partition_point(|other| *other <= token);
        self.values.get(from..end).unwrap_or_default()
    }
}

fn parse_value<T: FromStr<Err: Display>>(token: Token, value: &str) -> Result<T, String> {
    value.parse().map_err(|right| malformed(token, value, right))
}

fn malformed(token: Token, value: &str, right: impl Display) -> String {
    format!("`{}: {}`: {right}", token.as_str(), shortened(value))
}
