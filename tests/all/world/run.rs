//! What a program that ran left behind.

use std::fmt;
use std::io::Write as _;
use std::process::Command;

/// Exit status and output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    command: String,
}

impl Run {
    pub(crate) fn of(mut command: Command, input: &[u8]) -> Self {
        let shown = format!("{command:?}");
        let mut child = command.spawn().unwrap();
        // A program that reads no input closes it, and may be gone before all is written.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        Self {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            command: shown,
        }
    }

    /// The run, which must have ended with this status.
    #[track_caller]
    pub(crate) fn expect(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// What it printed, as JSON, which has the schema that it names.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => {
                super::schemas::hold(&value).unwrap_or_else(|why| panic!("{why}\n{self}"));
                value
            }
            Err(error) => panic!("not JSON: {error}\n{self}"),
        }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nstatus {}\n{}\n{}", self.command, self.status, self.stdout, self.stderr)
    }
}
