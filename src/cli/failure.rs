//! What is said when a command could not do what it was asked: a code, what is wrong, and the mend.

use std::fmt;
use std::io::Write as _;

use crate::git::{GitError, Unwritten};
use crate::ledger::Undecided;
use crate::model::escape;
use crate::problem::Problems;

use super::context::{label, write_stdout};
use super::{Exit, Format};

/// Why a command ended without doing what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit status.
    pub exit: Exit,
    /// A stable code.
    pub code: &'static str,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What mends it.
    pub help: Option<String>,
}

/// Every code that the command line itself gives, with what it means.
pub const CODES: &[(&str, &str)] = &[
    ("usage", "the arguments are wrong"),
    ("panic", "a defect of git-gate: nothing was decided"),
    ("output", "the output could not be written in full"),
    ("failed", "another failure of the system"),
    ("clock", "the clock of this machine is out of range"),
    ("clock-behind", "a deployer's record, or the mainline's last commit, is dated long after this clock"),
    ("stale-fetch", "the clone was fetched longer ago than was said, or nobody knows when"),
    ("content-moved", "another content or policy stands there than the one that was shown"),
    ("declined", "the question was answered with no"),
    ("outrun", "others were faster again and again"),
    ("changed-meanwhile", "what was to be signed changed before it was signed"),
    ("unseen-changes", "what was fetched now differs from what this clone showed before"),
    ("roots-unreadable", "the file of remembered trust roots cannot be read or written"),
    ("nothing-changed", "what was to be written stands there already"),
    ("not-empty", "the directory or repository is not empty"),
    ("gate-unknown", "there is no such gate here"),
    ("gate-exists", "the gate is open or recorded already"),
    ("gate-recorded", "the gate is on the mainline and its branch is gone"),
    ("gate-unrecorded", "the gate does not stand on the mainline"),
    ("branch-unpushed", "the branch or the mainline holds commits here that the remote lacks"),
    ("log-unpushed", "the log here holds records that the remote lacks"),
    ("not-attested", "the verdict is not one that is attested"),
    ("not-the-last-record", "only the last record can be said to have failed"),
    ("content-invalid", "the directory breaks the limits of a governed directory"),
    ("exception-unknown", "there is no exception, or no cover, to accept"),
    ("exception-nobody", "the policy says nobody who may accept a risk"),
    ("exception-expiry", "the exception has expired, or lasts longer than the policy allows"),
    ("incident-exists", "an incident of that name is there already"),
    ("incident-unknown", "there is no such incident"),
    ("nothing-to-waive", "nothing is open that an exception could pass over"),
    ("record-unknown", "no deployment log holds that record"),
    ("no-break-glass", "the record needs no cover"),
    ("key-unknown", "the principal has no key in the policy"),
    ("key-unreadable", "there is no public key to be read"),
    ("no-branch", "there is no branch with a policy change"),
    ("no-environment", "neither the request nor the policy names an environment"),
    ("artifact-unknown", "the gate lists no such artifact"),
    ("artifact-unreadable", "the artifact cannot be read"),
    ("artifact-invalid", "the artifact holds what a digest cannot name"),
    ("metric-unknown", "the report has no metric of that name, or several"),
    ("report-unknown", "the gate lists no such report"),
    ("report-not-external", "the file is the report itself, and stands for none elsewhere"),
    ("report-unreadable", "the file cannot be read as a report"),
    ("policy-unauthorized", "a policy change would not come into force by being merged"),
    ("policy-behind", "the mainline's policy has changed since the branch of a policy change began"),
    ("metric-unknown", "no criterion of the policy in force bounds what was named"),
    ("policy-not-found", "there is no policy where one was named"),
    ("no-work-tree", "the repository is bare, and a file was to be written into its work tree"),
    ("push-unreadable", "what git says of a push cannot be read"),
    ("file-unreadable", "a file that was named cannot be read"),
    ("hook-exists", "another hook stands where one was to be installed"),
    ("hooks-elsewhere", "git looks for hooks in a directory that other repositories may share"),
    ("running-unreadable", "the file that says what runs cannot be read"),
    ("file-unwritten", "a file that was asked for cannot be written"),
    ("not-a-report", "the directory that a report was to be written into holds something else"),
    ("policy-too-large", "a file of the policy is over its limit"),
];

impl Failure {
    /// It could not be done (status 3).
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, code, message: message.into(), help: None }
    }

    /// The arguments are wrong (status 2).
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, code: "usage", message: message.into(), help: None }
    }

    /// With what mends it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn panicked() -> Self {
        Self::new("panic", "git-gate met a defect of its own: nothing was decided")
            .help("please report it, with the lines above")
    }

    pub(super) fn output(error: &std::io::Error) -> Self {
        Self::new("output", format!("the output could not be written in full: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<GitError> for Failure {
    fn from(error: GitError) -> Self {
        Self::new(error.code(), error.to_string()).help(error.help())
    }
}

impl From<Undecided> for Failure {
    fn from(undecided: Undecided) -> Self {
        Self::new(undecided.code, undecided.message).help(undecided.help)
    }
}

/// Says what went wrong, on stderr, or as an object on stdout where JSON was asked for; with which status to end.
pub(super) fn report(error: &anyhow::Error, format: Format, color: bool) -> Exit {
    let failure = meaning(error);
    match format {
        Format::Json => {
            let object = serde_json::json!({
                "schema": "git-gate/error/1",
                "code": failure.code,
                "message": failure.message,
                "help": failure.help,
            });
            // Where stdout is gone there is nobody to tell; the status says it.
            let _ = write_stdout(&format!("{object}\n"));
        }
        Format::Text | Format::Markdown | Format::Csv | Format::Openmetrics => {
            let _ = writeln!(std::io::stderr(), "{}", text(&failure, error.downcast_ref(), color));
        }
    }
    failure.exit
}

fn text(failure: &Failure, problems: Option<&Problems>, color: bool) -> String {
    let error = label("error:", color);
    if let Some(problems) = problems {
        let each: Vec<String> = problems.0.iter().map(|problem| format!("{error} {problem}")).collect();
        return each.join("\n");
    }
    if failure.exit == Exit::Usage {
        return format!("{error} {}", lines(&failure.message));
    }
    let mut text = format!("{error} {} [{}]", lines(&failure.message), failure.code);
    if let Some(help) = &failure.help {
        text.push('\n');
        text.push_str(&label("help:", color));
        text.push(' ');
        text.push_str(&lines(help));
    }
    text
}

/// Escapes each line; our own messages may have several.
fn lines(text: &str) -> String {
    text.split('\n').map(escape).collect::<Vec<_>>().join("\n")
}

/// The failure that an error is.
pub(super) fn meaning(error: &anyhow::Error) -> Failure {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return failure.clone();
    }
    if let Some(git) = error.downcast_ref::<GitError>() {
        return git.clone().into();
    }
    if let Some(undecided) = error.downcast_ref::<Undecided>() {
        return undecided.clone().into();
    }
    if let Some(unwritten) = error.downcast_ref::<Unwritten>() {
        let failure = Failure::new(unwritten.code, &unwritten.message);
        return Failure { help: unwritten.help.clone(), ..failure };
    }
    if let Some(Problems(problems)) = error.downcast_ref::<Problems>()
        && let Some(first) = problems.first()
    {
        let message = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        return Failure { help: first.help.clone(), ..Failure::new(first.code, message) };
    }
    Failure::new("failed", format!("{error:#}"))
}
