//! The stage of the demo: a directory, people with fresh keys, and commands run and shown as they would type them.
//!
//! Everybody has a home of their own, so that nothing of the user's git configuration, keys or agent plays a part.

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::{Context, Failure, Format, interrupt};
use crate::git::{Messages, Ran, Scratch, Start};

/// The people of the example; `mallory` is none of the policy's.
const PEOPLE: [&str; 7] = ["a.ng", "m.okafor", "j.rivera", "s.chen", "j.doe", "bot", "mallory"];
/// Where lines are broken.
const WIDTH: usize = 80;

/// The stage.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    context: &'a Context,
    program: PathBuf,
    directory: PathBuf,
    temporary: Option<Scratch>,
    /// Whether what was printed last ends in an empty line.
    after_blank: Cell<bool>,
}

impl<'a> Stage<'a> {
    /// Makes the directory, the people with their keys, and an empty repository.
    pub(super) fn build(context: &'a Context, directory: Option<&Path>) -> anyhow::Result<Self> {
        if context.format != Format::Text {
            return Err(Failure::usage("`demo` is for people: it has no other format than text").into());
        }
        let program = std::env::current_exe()?;
        let (directory, temporary) = if let Some(directory) = directory {
            let directory = context.directory.join(directory);
            fs::create_dir_all(&directory)?;
            if fs::read_dir(&directory)?.next().is_some() {
                let message = format!("`{}` is not empty", directory.display());
                return Err(Failure::new("not-empty", message).into());
            }
            (fs::canonicalize(directory)?, None)
        } else {
            interrupt::clean_up_first();
            let temporary = Scratch::new("git-gate-demo-")?;
            (fs::canonicalize(temporary.path())?, Some(temporary))
        };
        let stage = Self { context, program, directory, temporary, after_blank: Cell::new(true) };
        fs::create_dir_all(stage.directory.join("governance"))?;
        fs::create_dir_all(stage.directory.join("work"))?;
        for person in PEOPLE {
            stage.bring_on(person)?;
        }
        stage.ask(
            "a.ng",
            &["git", "-c", "init.defaultRefFormat=files", "init", "-q", "--object-format=sha1", "-b", "main"],
        )?;
        Ok(stage)
    }

    fn bring_on(&self, person: &str) -> anyhow::Result<()> {
        let home = self.directory.join("people").join(person);
        fs::create_dir_all(&home)?;
        let key = home.join("id_ed25519");
        self.start(
            person,
            "ssh-keygen",
            vec![
                "-q".into(),
                "-t".into(),
                "ed25519".into(),
                "-N".into(),
                "".into(),
                "-C".into(),
                person.into(),
                "-f".into(),
                key.clone().into(),
            ],
        )?;
        let key = key.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
        let config = format!(
            "[user]\n\tname = {person}\n\temail = {person}@example.com\n\tsigningkey = \"{key}\"\n\
             [gpg]\n\tformat = ssh\n[advice]\n\tdetachedHead = false\n[safe]\n\tdirectory = *\n"
        );
        self.write(&format!("people/{person}/.gitconfig"), &config)?;
        Ok(())
    }

    /// Everybody's key but mallory's, as `policy/allowed_signers` takes it.
    pub(super) fn allowed_signers(&self) -> Result<String, Failure> {
        let mut text = String::new();
        for person in PEOPLE.into_iter().filter(|person| *person != "mallory") {
            let file = self.directory.join("people").join(person).join("id_ed25519.pub");
            let key = fs::read_to_string(&file).map_err(|error| failed(&file, &error))?;
            let words: Vec<&str> = key.split_whitespace().take(2).collect();
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{person}@example.com namespaces=\"git\" {}", words.join(" "));
        }
        Ok(text)
    }

    /// Writes a file of the demo.
    pub(super) fn write(&self, path: &str, text: &str) -> Result<(), Failure> {
        let path = self.directory.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| failed(&path, &error))?;
        }
        #[expect(clippy::disallowed_methods, reason = "the demo makes files of its own")]
        fs::write(&path, text).map_err(|error| failed(&path, &error))
    }

    /// A new part.
    pub(super) fn heading(&self, text: &str) -> Result<(), Failure> {
        self.after_blank.set(true);
        self.print(&format!("\n{}\n\n", self.styled("1", &format!("== {text}"))))
    }

    /// A few words between commands.
    pub(super) fn tell(&self, text: &str) -> Result<(), Failure> {
        let lines = wrap(text, WIDTH, "");
        let before = if self.after_blank.replace(true) { "" } else { "\n" };
        self.print(&format!("{before}{}\n\n", lines.join("\n")))
    }

    /// Shows the command as that person types it, runs it, and shows what it says.
    pub(super) fn run(&self, person: &str, command: &str) -> Result<(), Failure> {
        let ran = self.perform(person, command)?;
        self.print(&String::from_utf8_lossy(&ran.stdout))?;
        self.print(&ran.stderr)?;
        if ran.success {
            return Ok(());
        }
        Err(Failure::new("failed", format!("the demo's own command failed: `{command}`")))
    }

    /// As [`Stage::run`] for a verdict, whatever it is: its first lines, and the parts of its output that begin so. That
    /// something was left out is said.
    pub(super) fn show(&self, person: &str, command: &str, parts: &[&str]) -> Result<(), Failure> {
        let ran = self.perform(person, command)?;
        let printed = String::from_utf8_lossy(&ran.stdout);
        let mut left_out = Vec::new();
        for (index, part) in printed.trim_end().split("\n\n").enumerate() {
            let heading = plain(part.lines().next().unwrap_or_default());
            if index == 0 {
                self.print(&format!("{part}\n"))?;
            } else if parts.iter().any(|wanted| heading.starts_with(wanted)) {
                self.print(&format!("\n{part}\n"))?;
            } else {
                left_out.push(heading);
            }
        }
        self.print(&ran.stderr)?;
        let status = ran.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        let also = match left_out.as_slice() {
            [] => String::new(),
            headings => format!("; left out here: {}", headings.join(", ")),
        };
        self.print(&self.styled("2", &format!("\n(exit status {status}{also})\n")))
    }

    fn perform(&self, person: &str, command: &str) -> Result<Ran, Failure> {
        self.after_blank.set(false);
        let prompt = format!("{person} $ ");
        let shown = wrap(command, WIDTH.saturating_sub(prompt.len() + 2), " \\").join("\n    ");
        self.print(&format!("{}{}\n", self.styled("2", &prompt), self.styled("1", &shown)))?;
        let mut words = split(command).into_iter();
        let program = words.next().unwrap_or_default();
        let mut arguments: Vec<OsString> = words.map(OsString::from).collect();
        if arguments.first().is_none_or(|word| word != "gate") {
            return self.start(person, &program, arguments);
        }
        let color = if self.context.color { "always" } else { "never" };
        arguments.remove(0);
        arguments.extend(["--quiet".into(), "--color".into(), color.into()]);
        self.start_path(person, self.program.as_os_str(), arguments)
    }

    /// Runs a command without showing it; what it printed.
    pub(super) fn ask(&self, person: &str, command: &[&str]) -> Result<String, Failure> {
        let (program, arguments) = command.split_first().unwrap_or((&"git", &[]));
        let ran = self.start(person, program, arguments.iter().map(OsString::from).collect())?;
        if !ran.success {
            let message = format!("the demo's own command failed: {}", ran.stderr.trim_end());
            return Err(Failure::new("failed", message));
        }
        Ok(String::from_utf8_lossy(&ran.stdout).trim_end_matches('\n').to_owned())
    }

    /// Removes what was made, or says where it is.
    pub(super) fn close(&mut self, keep: bool) -> Result<(), Failure> {
        match self.temporary.take() {
            Some(temporary) if keep => {
                let path = temporary.keep();
                self.print(&format!("It is all in {}\n", path.display()))
            }
            Some(temporary) => temporary.close().map_err(|error| failed(&self.directory, &error)),
            None => self.print(&format!("It is all in {}\n", self.directory.display())),
        }
    }

    fn start(&self, person: &str, program: &str, arguments: Vec<OsString>) -> Result<Ran, Failure> {
        self.start_path(person, OsStr::new(program), arguments)
    }

    fn start_path(&self, person: &str, program: &OsStr, arguments: Vec<OsString>) -> Result<Ran, Failure> {
        let home = self.directory.join("people").join(person);
        let plain = [
            ("GIT_CONFIG_SYSTEM", "/dev/null"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_COUNT", "0"),
            ("GIT_CONFIG_PARAMETERS", ""),
            ("GIT_AUTHOR_DATE", ""),
            ("GIT_COMMITTER_DATE", ""),
            ("GIT_EDITOR", "false"),
            ("SSH_AUTH_SOCK", ""),
        ];
        let mut variables: Vec<(OsString, OsString)> =
            plain.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        variables.push(("HOME".into(), home.clone().into()));
        variables.push(("XDG_CONFIG_HOME".into(), home.join(".config").into()));
        variables.push(("GIT_CONFIG_GLOBAL".into(), home.join(".gitconfig").into()));
        let directory = self.directory.join("governance");
        let start = Start {
            program,
            arguments,
            directory: &directory,
            variables,
            input: Some(b""),
            messages: Messages::Caught,
        };
        start
            .run()
            .map_err(|error| Failure { help: error.help.clone(), ..Failure::new(error.code, error.message) })
    }

    fn print(&self, text: &str) -> Result<(), Failure> {
        self.context.print(text).map_err(|error| Failure::new("output", error.to_string()))
    }

    fn styled(&self, style: &str, text: &str) -> String {
        if self.context.color { format!("\u{1b}[{style}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new("failed", format!("`{}`: {error}", path.display()))
}

/// Lines of at most `width`, broken at blanks; each but the last with `end`.
fn wrap(text: &str, width: usize, end: &str) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let Some(line) = lines.last_mut() else { break };
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            line.push_str(end);
            lines.push(word.to_owned());
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines
}

/// A line without what colours it.
fn plain(line: &str) -> String {
    let mut text = String::new();
    for (index, part) in line.split('\u{1b}').enumerate() {
        let rest = if index == 0 { Some(part) } else { part.split_once('m').map(|(_style, rest)| rest) };
        text.push_str(rest.unwrap_or_default());
    }
    text
}

/// The words of a command, double quotes taken off.
fn split(command: &str) -> Vec<String> {
    let mut words = vec![];
    for (index, part) in command.split('"').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_split_at_blanks_outside_of_quotes() {
        assert_eq!(split("git commit -m \"a b\" -q"), ["git", "commit", "-m", "a b", "-q"]);
    }

    #[test]
    fn lines_are_broken_at_blanks() {
        assert_eq!(wrap("aa bb  cc", 5, " \\"), ["aa bb \\", "cc"]);
        assert_eq!(wrap("aaaaaaaa b", 5, ""), ["aaaaaaaa", "b"]);
    }
}
