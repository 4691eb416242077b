//! `git gate hook commit-msg`: refuses a message whose `Gate` trailers would make a malformed decision, and says what
//! would be right.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::decision::{self, MalformedDecision, Reading, Target, Verb};
use crate::git::Git;
use crate::insight::{Received, Refusal};
use crate::model::{Code, limits};

use super::super::{Context, Exit, Failure, environment};
use super::tell;

/// What git writes above what is no part of a message, behind the character of comments.
const SCISSORS: &str = " ------------------------ >8 ------------------------";

/// The arguments of `hook commit-msg`, as git gives them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file that holds the message.
    file: PathBuf,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let written = read(&context.directory.join(&args.file))?;
    let message = if environment::has_no_editor() {
        tidy(&written)
    } else {
        tidy(&without_comments(&written, &comment(context)))
    };
    let mut received = Received::default();
    match decision::parse_message(&message) {
        Reading::Malformed(malformed) => {
            received.refusals.push(refusal(&args.file, &malformed));
        }
        Reading::None { stray: true } | Reading::Decision { stray: true, .. } => received.warnings.push(
            "a `Gate` line stands outside the last paragraph, or alone: it decides nothing there".to_owned(),
        ),
        Reading::None { stray: false } | Reading::Decision { stray: false, .. } => {}
    }
    tell(context, "commit-msg", &received)
}

fn refusal(file: &Path, malformed: &MalformedDecision) -> Refusal {
    let known = malformed.verb.map(|verb| {
        let trailers: Vec<String> =
            verb.required_trailers().into_iter().map(|token| format!("`{token}`")).collect();
        let target = malformed.target.as_ref().map_or_else(|| "<gate>".to_owned(), Target::to_string);
        format!("`{verb}` has {}; {}", trailers.join(", "), command(verb, &target))
    });
    let known = known.unwrap_or_else(|| "`git gate approve <gate>` and its like write all of it".to_owned());
    Refusal {
        reference: file.display().to_string(),
        commit: None,
        code: Code::Malformed.as_str(),
        message: format!("this would be a decision that counts for nothing: {}", malformed.reason),
        help: format!(
            "trailers are the last paragraph, one a line, `Name: value`, with nothing else there: {known}; what is no \
             decision has no line that begins with `Gate` there"
        ),
        certain: true,
        problems: Vec::new(),
    }
}

fn command(verb: Verb, target: &str) -> String {
    match verb {
        Verb::Approve | Verb::Reject | Verb::AcceptRisk => {
            format!("`git gate {verb} {target} --role <role>` writes all of it")
        }
        Verb::Withdraw | Verb::Close => format!("`git gate {verb} {target}` writes all of it"),
        Verb::Deploy => format!("`git gate deploy {target} --env <environment>` writes all of it"),
        Verb::DeployFailed => format!("`git gate deploy {target} --failed <log commit>` writes all of it"),
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    let failed =
        |why: String| Failure::new("file-unreadable", format!("`{}` cannot be read: {why}", path.display()));
    #[expect(clippy::disallowed_methods, reason = "cli/ reads the file that git names")]
    let file = fs::File::open(path).map_err(|error| failed(error.to_string()))?;
    let most = u64::try_from(limits::COMMIT_BYTES).unwrap_or(u64::MAX);
    let mut text = Vec::new();
    file.take(most).read_to_end(&mut text).map_err(|error| failed(error.to_string()))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// What begins a comment in a message, as git has it here.
fn comment(context: &Context) -> String {
    let git = Git::at(&context.directory);
    // Where git cannot say it is what it is everywhere.
    let set = |key: &str| git.config(key).ok().flatten().filter(|value| value != "auto");
    set("core.commentString").or_else(|| set("core.commentChar")).unwrap_or_else(|| "#".to_owned())
}

/// The message without what git takes out behind an editor: comments, and all below the scissors.
fn without_comments(text: &str, comment: &str) -> String {
    let scissors = format!("{comment}{SCISSORS}");
    let lines = text.lines().take_while(|line| *line != scissors);
    lines.filter(|line| !line.starts_with(comment)).flat_map(|line| [line, "\n"]).collect()
}

/// The message as git tidies it: no blanks at the end of a line, no empty lines around it, never two in a row.
fn tidy(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(line);
        }
    }
    let mut tidied = lines.join("\n").trim_end().to_owned();
    tidied.push('\n');
    tidied
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_git_will_keep_it() {
        let typed = "\n\nApprove a/v1  \n\n\n# a comment\nwords\t\n\nGate: a/v1\n# Gate-Action: x\n\n\n\
                     # ------------------------ >8 ------------------------\nGate-Role: x\n";
        let kept = "Approve a/v1\n\nwords\n\nGate: a/v1\n";
        assert_eq!(tidy(&without_comments(typed, "#")), kept);
        assert_eq!(tidy("a\n# b\n"), "a\n# b\n");
        assert_eq!(tidy(&without_comments("a\n; b\n# c\n", ";")), "a\n# c\n");
        assert_eq!(tidy(""), "\n");
    }
}
