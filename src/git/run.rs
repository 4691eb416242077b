//! Running `git` and the signing program: the only place that starts programs.
//!
//! Only commands that write come here, `check` and `audit` where they are to fetch, and `doctor`; reading starts nothing. What runs is the user's own `git` with the user's own
//! configuration, as if they had typed it, but always on the repository that was named: variables that would point it at
//! other objects, refs or work trees are taken out of its environment.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::{Repository, Unwritten, lock};

/// Variables that point git at another repository, other objects, other refs or another configuration file. Nothing
/// honours them, and the programs that are started do not see them.
pub const REDIRECTING: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_QUARANTINE_PATH",
    "GIT_NAMESPACE",
    "GIT_SHALLOW_FILE",
    "GIT_GRAFT_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_CONFIG",
];

/// What git says is read: it says it in its own words, whatever language its user reads.
const UNTRANSLATED: &[(&str, &str)] = &[("LANGUAGE", "C")];

/// How long to wait before looking again whether a program has ended.
const PAUSE: Duration = Duration::from_millis(20);

/// Who is told of each program that is started (`--verbose`).
static TOLD: OnceLock<fn(&str)> = OnceLock::new();

/// From now on `tell` hears of each program that is started, with its arguments.
pub fn tell_of_programs(tell: fn(&str)) {
    // The first who asks is told; there is one command line in a process.
    let _ = TOLD.set(tell);
}

/// Git, in one directory.
#[derive(Debug, Clone)]
pub struct Git {
    directory: PathBuf,
}

/// What a program left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Whether it ended with status 0.
    pub success: bool,
    /// Its status; nothing where a signal ended it.
    pub status: Option<i32>,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it said.
    pub stderr: String,
}

/// Where a program's messages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Messages {
    /// To us.
    Caught,
    /// To the user's terminal, as the program prints them.
    Shown,
    /// The program has the terminal to itself: what it prints goes there too.
    Terminal,
}

/// A program to start.
#[derive(Debug)]
pub struct Start<'a> {
    /// Name or path.
    pub program: &'a OsStr,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Where it runs.
    pub directory: &'a Path,
    /// Variables that it sees besides ours.
    pub variables: Vec<(OsString, OsString)>,
    /// What it reads; nothing: our own standard input.
    pub input: Option<&'a [u8]>,
    /// Where its messages go.
    pub messages: Messages,
}

impl Git {
    /// Git in the work tree of `repository`, or in its git directory where it is bare.
    pub fn of(repository: &Repository) -> Self {
        Self::at(repository.work_tree().unwrap_or(repository.git_directory()))
    }

    /// Git in a directory.
    pub fn at(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    /// The directory it runs in.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Runs it, whatever becomes of it.
    pub fn attempt(&self, arguments: &[&str], input: &[u8]) -> Result<Ran, Unwritten> {
        self.start(arguments, Some(input), &[("GIT_NO_REPLACE_OBJECTS", "1")]).run()
    }

    /// As [`Git::attempt`], for no longer than that; it reads nothing. Nothing: it was still at work then.
    pub fn attempt_in_time(&self, arguments: &[&str], limit: Duration) -> Result<Option<Ran>, Unwritten> {
        self.start(arguments, None, &[("GIT_NO_REPLACE_OBJECTS", "1")]).run_within(limit)
    }

    fn start<'a>(
        &'a self,
        arguments: &[&str],
        input: Option<&'a [u8]>,
        variables: &[(&str, &str)],
    ) -> Start<'a> {
        Start {
            program: OsStr::new("git"),
            arguments: arguments.iter().map(OsString::from).collect(),
            directory: &self.directory,
            variables: variables
                .iter()
                .chain(UNTRANSLATED)
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            input,
            messages: Messages::Caught,
        }
    }

    /// Runs it for no longer than that, asking nobody for a password. Nothing: it was still at work then.
    pub fn attempt_within(&self, arguments: &[&str], limit: Duration) -> Result<Option<Ran>, Unwritten> {
        let silent = [
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_ASKPASS", "false"),
            ("SSH_ASKPASS", "false"),
            ("SSH_ASKPASS_REQUIRE", "force"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
        ];
        self.start(arguments, None, &silent).run_within(limit)
    }

    /// Runs it; it must succeed. What it printed, without the last line end.
    pub fn run(&self, arguments: &[&str]) -> Result<String, Unwritten> {
        self.run_with(arguments, b"")
    }

    /// As [`Git::run`], with standard input.
    pub fn run_with(&self, arguments: &[&str], input: &[u8]) -> Result<String, Unwritten> {
        let ran = self.attempt(arguments, input)?;
        if !ran.success {
            let message = format!("`git {}` failed: {}", shown(arguments), ran.stderr.trim_end());
            return Err(lock::failure("git-failed", message));
        }
        Ok(String::from_utf8_lossy(&ran.stdout).trim_end_matches('\n').to_owned())
    }

    /// A value of the user's configuration, as git itself sees it here; nothing where it is not set or empty.
    pub fn config(&self, key: &str) -> Result<Option<String>, Unwritten> {
        self.config_as(&["config", "--get", key])
    }

    /// As [`Git::config`], of a value that is a path: `~` stands for the home directory.
    pub fn config_path(&self, key: &str) -> Result<Option<String>, Unwritten> {
        self.config_as(&["config", "--type=path", "--get", key])
    }

    /// Opens the user's editor on a file, as git would, and waits until it is closed.
    pub fn edit(&self, file: &Path) -> Result<(), Unwritten> {
        let editor = self.run(&["var", "GIT_EDITOR"])?;
        // As git does: the shell reads the editor's words, the file is one argument whatever its name.
        let script = format!("{editor} \"$@\"");
        let arguments = [OsStr::new("-c"), OsStr::new(&script), OsStr::new(&editor), file.as_os_str()];
        let ran = Start {
            program: OsStr::new("sh"),
            arguments: arguments.map(OsStr::to_owned).to_vec(),
            directory: &self.directory,
            variables: vec![],
            input: None,
            messages: Messages::Terminal,
        }
        .run()?;
        if ran.success {
            return Ok(());
        }
        Err(Unwritten::new(
            "editor-failed",
            format!("the editor `{editor}` ended badly; nothing was written"),
        )
        .help("name one: `git config --global core.editor <editor>`, or say all by flags"))
    }

    fn config_as(&self, arguments: &[&str]) -> Result<Option<String>, Unwritten> {
        let ran = self.attempt(arguments, b"")?;
        match ran.status {
            Some(0) => {
                let value = String::from_utf8_lossy(&ran.stdout).trim_end_matches('\n').to_owned();
                Ok((!value.is_empty()).then_some(value))
            }
            // Not set.
            Some(1) => Ok(None),
            Some(_) | None => Err(Unwritten::new(
                "git-failed",
                format!("`git {}` failed: {}", shown(arguments), ran.stderr.trim_end()),
            )),
        }
    }
}

impl Start<'_> {
    /// Starts the program and waits for it.
    pub fn run(self) -> Result<Ran, Unwritten> {
        let name = self.program.to_string_lossy().into_owned();
        let failed = |error: std::io::Error| cannot_run(&name, &error);
        let mut command = self.command();
        command
            .stdin(if self.input.is_some() { Stdio::piped() } else { Stdio::inherit() })
            .stdout(match self.messages {
                Messages::Caught | Messages::Shown => Stdio::piped(),
                Messages::Terminal => Stdio::inherit(),
            })
            .stderr(match self.messages {
                Messages::Caught => Stdio::piped(),
                Messages::Shown | Messages::Terminal => Stdio::inherit(),
            });
        let mut child = command.spawn().map_err(failed)?;
        let stdin = child.stdin.take();
        let output = std::thread::scope(|scope| {
            // Apart, so that neither side waits for the other with a full pipe.
            scope.spawn(move || {
                if let (Some(mut pipe), Some(bytes)) = (stdin, self.input) {
                    // A program that reads no input closes it; how it ended says the rest.
                    let _ = pipe.write_all(bytes);
                }
            });
            child.wait_with_output()
        })
        .map_err(failed)?;
        Ok(Ran {
            success: output.status.success(),
            status: output.status.code(),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

impl Start<'_> {
    /// As [`Start::run`], for no longer than that; it reads nothing. Nothing: it was still at work then, and was ended.
    pub fn run_within(self, limit: Duration) -> Result<Option<Ran>, Unwritten> {
        let name = self.program.to_string_lossy().into_owned();
        let failed = |error: std::io::Error| cannot_run(&name, &error);
        let mut command = self.command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let (stdout, stderr) = (gathered(child.stdout.take()), gathered(child.stderr.take()));
        let mut waited = Duration::ZERO;
        let status = loop {
            if let Some(status) = child.try_wait().map_err(failed)? {
                break status;
            }
            if waited >= limit {
                // It may have ended meanwhile: then there is nothing to end.
                let _ = child.kill();
                let _ = child.wait();
                return Ok(None);
            }
            std::thread::sleep(PAUSE);
            waited += PAUSE;
        };
        // What it started may hold its pipes open for longer than it lived itself.
        let all = |pipe: Receiver<Vec<u8>>| pipe.recv_timeout(limit).unwrap_or_default();
        let (stdout, stderr) = (all(stdout), String::from_utf8_lossy(&all(stderr)).into_owned());
        Ok(Some(Ran { success: status.success(), status: status.code(), stdout, stderr }))
    }

    /// The program, told of; what it reads and where its output goes is still open.
    #[expect(clippy::disallowed_methods, reason = "the one place that starts programs")]
    fn command(&self) -> Command {
        if let Some(tell) = TOLD.get() {
            let words: Vec<_> = self.arguments.iter().map(|word| word.to_string_lossy()).collect();
            tell(&format!("{} {}", self.program.to_string_lossy(), words.join(" ")));
        }
        let mut command = Command::new(self.program);
        let variables = self.variables.iter().map(|(name, value)| (name, value));
        command.args(&self.arguments).current_dir(self.directory).envs(variables);
        for variable in REDIRECTING {
            command.env_remove(variable);
        }
        command
    }
}

/// All that comes out of a pipe, once it is closed.
fn gathered(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (give, take) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read up to an error is all there is.
            let _ = pipe.read_to_end(&mut bytes);
        }
        // Nobody waits for it any more, where the program took too long.
        let _ = give.send(bytes);
    });
    take
}

fn cannot_run(program: &str, error: &std::io::Error) -> Unwritten {
    if error.kind() == std::io::ErrorKind::NotFound {
        let help = match program {
            "git" => "install git",
            "ssh-keygen" => {
                "install OpenSSH, or name the program: `git config --global gpg.ssh.program <path>`"
            }
            _ => "check the name",
        };
        return Unwritten::new("program-not-found", format!("the program `{program}` is not installed"))
            .help(help);
    }
    Unwritten::new("program-failed", format!("the program `{program}` cannot be run: {error}"))
}

fn shown(arguments: &[&str]) -> String {
    arguments.join(" ")
}
