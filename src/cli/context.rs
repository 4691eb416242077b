//! What every command is given: where, when, and how to print.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use crate::git::Repository;
use crate::model::{ObjectId, Time, escape};

use super::busy::Busy;
use super::environment;
use super::{Color, Failure, Format, Globals};

/// Where a command runs, at what time, and how it prints.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four answers to four questions, none following from another"
)]
pub struct Context {
    /// The directory to start from.
    pub directory: PathBuf,
    /// The form of what is printed.
    pub format: Format,
    /// The trust root that was given with `--root`.
    pub root: Option<ObjectId>,
    /// How much is said besides data and errors.
    pub talk: Talk,
    /// Whether stdout is printed in colour.
    pub color: bool,
    /// Whether what is said on stderr is in colour.
    pub(super) color_of_messages: bool,
    /// Whether there is a person to ask: stdin and stderr are a terminal.
    pub asks: bool,
    /// The time, read once.
    pub now: Time,
    /// Whether the history is read whatever the index remembers of it (`--no-index`).
    pub no_index: bool,
    /// In a clone that was made for this command alone: what it fetches.
    pub(super) borrowed: Option<Vec<String>>,
}

/// How much is said besides data and errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talk {
    /// Nothing (`--quiet`).
    Nothing,
    /// Advice, and what takes long.
    Advice,
    /// What is done on the way, too (`--verbose`).
    Everything,
}

impl Context {
    pub(super) fn new(globals: &Globals) -> anyhow::Result<Self> {
        let terminal = std::io::stdout().is_terminal();
        Ok(Self {
            directory: globals.directory.clone().unwrap_or_else(|| PathBuf::from(".")),
            format: globals.format,
            root: globals.root,
            talk: match (globals.quiet, globals.verbose) {
                (true, _) => Talk::Nothing,
                (false, true) => Talk::Everything,
                (false, false) => Talk::Advice,
            },
            color: globals.format == Format::Text && colors(globals.color, terminal),
            color_of_messages: colors(globals.color, std::io::stderr().is_terminal()),
            asks: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
            now: environment::now()?,
            no_index: globals.no_index,
            borrowed: None,
        })
    }

    /// The repository that the command is about.
    pub fn repository(&self) -> anyhow::Result<Repository> {
        let repository = Repository::discover(&self.directory)?;
        Ok(if self.no_index { repository.without_index() } else { repository })
    }

    /// Prints data. What is printed is written whole, or the command fails.
    pub fn print(&self, text: &str) -> anyhow::Result<()> {
        write_stdout(text)
    }

    /// Tells the person something that is no data: on stderr, unless `--quiet`.
    pub fn say(&self, text: &str) {
        if self.talk != Talk::Nothing {
            // Advice that nobody can see is not worth failing for.
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// Says what is done on the way: on stderr, with `--verbose`.
    pub fn detail(&self, text: &str) {
        if self.talk == Talk::Everything {
            // As above.
            let _ = writeln!(std::io::stderr(), "{}", escape(text));
        }
    }

    /// Says what is going on for as long as the value lives, if that is longer than a second and somebody watches.
    #[must_use]
    pub(super) fn busy(&self, what: &'static str) -> Busy {
        self.detail(what);
        if self.talk == Talk::Nothing || !std::io::stderr().is_terminal() {
            return Busy::unseen();
        }
        Busy::seen(what, std::io::stderr())
    }

    /// The same of so many things of which each is told when it is done.
    #[must_use]
    pub(super) fn counting(&self, what: &'static str, all: usize) -> Busy {
        self.detail(what);
        if self.talk == Talk::Nothing || !std::io::stderr().is_terminal() {
            return Busy::unseen();
        }
        Busy::counted(what, all, std::io::stderr())
    }

    /// The same while a program runs that may ask on the terminal itself: said once, so that no question is drawn over.
    #[must_use]
    pub(super) fn waiting(&self, what: &'static str) -> Busy {
        self.detail(what);
        if self.talk == Talk::Nothing || !std::io::stderr().is_terminal() {
            return Busy::unseen();
        }
        Busy::once(what, std::io::stderr())
    }

    /// Warns: on stderr, always.
    pub fn warn(&self, text: &str) {
        let label = label("warning:", self.color_of_messages);
        let _ = writeln!(std::io::stderr(), "{label} {}", escape(text));
    }

    /// Asks a yes-or-no question; without a terminal nothing is asked, and the answer is no.
    pub fn confirm(&self, question: &str) -> anyhow::Result<bool> {
        if !self.asks {
            return Ok(false);
        }
        let mut stderr = std::io::stderr();
        write!(stderr, "{question} [y/N] ")?;
        stderr.flush()?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }
}

/// Whether to print in colour on a stream that is a terminal or not.
pub(super) fn colors(wanted: Color, terminal: bool) -> bool {
    match wanted {
        Color::Auto => terminal && !environment::no_color() && !environment::dumb_terminal(),
        Color::Always => true,
        Color::Never => false,
    }
}

/// `error:`, `warning:` or `help:`, as it stands before a message.
pub(super) fn label(word: &str, color: bool) -> String {
    let code = match word {
        "error:" => "1;31",
        "warning:" => "1;33",
        _ => "1",
    };
    if color { format!("\x1b[{code}m{word}\x1b[0m") } else { word.to_owned() }
}

/// Says which program is started (`--verbose`).
pub(super) fn say_program(command: &str) {
    let words: Vec<String> = command.split(' ').map(without_password).collect();
    let _ = writeln!(std::io::stderr(), "+ {}", escape(&words.join(" ")));
}

/// A word without what stands before the host of an address: output ends in logs.
fn without_password(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match host.rsplit_once('@') {
        Some((_user, host)) => format!("{scheme}://…@{host}{path}"),
        None => word.to_owned(),
    }
}

/// Writes to stdout, whole.
pub(super) fn write_stdout(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::output(&error).into())
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn passwords_are_not_shown() {
        for (word, shown) in [
            ("https://me:secret@host/a@b.git", "https://…@host/a@b.git"),
            ("https://host/a@b.git", "https://host/a@b.git"),
            ("git@host:path", "git@host:path"),
        ] {
            assert_eq!(without_password(word), shown);
        }
    }
}
