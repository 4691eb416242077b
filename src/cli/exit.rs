//! The exit statuses, and what each means to a script (design, section 12).

use std::process::ExitCode;

/// How the program ended. 1 is never used: git itself exits 1 when `git gate` is not installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done; `check`: allowed, and the output was written in full.
    Done,
    /// The arguments are wrong.
    Usage,
    /// It could not be decided, or could not be done.
    Failed,
    /// Blocked; violations were found.
    Blocked,
    /// Pending.
    Pending,
}

impl Exit {
    /// The number.
    pub fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Usage => 2,
            Self::Failed => 3,
            Self::Blocked => 10,
            Self::Pending => 11,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.status())
    }
}
