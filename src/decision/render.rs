//! A decision → its commit message.
//!
//! What is written here parses back to the same decision, whatever subject and body say. A caller must not count on
//! it for a [`Decision`] that the grammar does not know, such as closing the policy: parse what was rendered before
//! signing it.

use super::paragraph::is_scissors;
use super::trailer::Token;
use super::{Action, Decision, Seen};

/// The message: subject, body, trailers. Of the subject only the first line is used; an empty one is replaced by
/// [`default_subject`]. Carriage returns and NUL bytes are dropped: no commit with them counts.
pub fn render_message(decision: &Decision, subject: &str, body: &str) -> String {
    let body = plain_lines(body);
    let subject = plain_lines(subject);
    let mut message = match subject.trim().lines().next() {
        Some(line) => line.trim_end().to_owned(),
        None => default_subject(decision),
    };
    if !body.trim().is_empty() {
        message.push_str("\n\n");
        message.push_str(body.trim_matches('\n').trim_end());
    }
    message.push('\n');
    for (token, value) in trailers(decision) {
        message.push('\n');
        message.push_str(token.as_str());
        message.push_str(": ");
        message.push_str(&value);
    }
    message.push('\n');
    message
}

/// What the decision says, in a line.
pub fn default_subject(decision: &Decision) -> String {
    let target = &decision.target;
    match &decision.action {
        Action::Approve { role, .. } => format!("Approve {target} as {role}"),
        Action::Reject { role, reason, .. } => format!("Reject {target} as {role}: {reason}"),
        Action::Withdraw => format!("Withdraw from {target}"),
        Action::Close => format!("Close {target}"),
        Action::AcceptRisk { role, record: None, .. } => {
            format!("Accept the risk of the exception for {target} as {role}")
        }
        Action::AcceptRisk { role, record: Some(record), .. } => {
            format!("Accept the risk of {} of {target} as {role}", record.short())
        }
        Action::Deploy(deploy) => format!("Deploy {target} to {}", deploy.environment),
        Action::DeployFailed { environment, .. } => format!("Deploying {target} to {environment} failed"),
    }
}

/// Plain line ends, no NUL, and scissors that do not cut.
fn plain_lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "");
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| if is_scissors(line) { line.replace(">8", "> 8") } else { line.trim_end().to_owned() })
        .collect();
    lines.join("\n")
}

fn trailers(decision: &Decision) -> Vec<(Token, String)> {
    let mut lines =
        vec![(Token::Gate, decision.target.to_string()), (Token::Action, decision.verb().to_string())];
    let mut add = |token: Token, value: String| lines.push((token, value));
    match &decision.action {
        Action::Approve { role, environments, seen } => {
            add(Token::Role, role.to_string());
            add_seen(&mut add, seen);
            for environment in environments {
                add(Token::Environment, environment.to_string());
            }
        }
        Action::Reject { role, reason, seen } => {
            add(Token::Role, role.to_string());
            add_seen(&mut add, seen);
            add(Token::Reason, reason.to_string());
        }
        Action::Withdraw | Action::Close => {}
        Action::AcceptRisk { role, record, seen } => {
            add(Token::Role, role.to_string());
            add_seen(&mut add, seen);
            if let Some(record) = record {
                add(Token::Record, record.to_string());
            }
        }
        Action::Deploy(deploy) => {
            add_seen(&mut add, &deploy.seen);
            if let Some(reason) = &deploy.reason {
                add(Token::Reason, one_line(reason));
            }
            add(Token::Environment, deploy.environment.to_string());
            add(Token::Basis, deploy.basis.to_string());
            for (name, digest) in deploy.artifacts.iter() {
                add(Token::Artifact, format!("{name}={digest}"));
            }
            add(Token::Root, deploy.root.to_string());
            if let Some(restart) = &deploy.restart {
                add(Token::Restart, restart.to_string());
            }
        }
        Action::DeployFailed { environment, record } => {
            add(Token::Environment, environment.to_string());
            add(Token::Record, record.to_string());
        }
    }
    lines
}

fn add_seen(add: &mut impl FnMut(Token, String), seen: &Seen) {
    add(Token::Content, seen.content.to_string());
    add(Token::Policy, seen.policy.to_string());
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r', '\0'], " ").trim().to_owned()
}
