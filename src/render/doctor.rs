//! What `doctor` found: each thing that was looked at, how it is, and the command that mends it.

use super::page::{Entry, Page, Section, Tone, Word, counted};

/// Everything that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Examined {
    /// In the order in which it was looked at.
    pub findings: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub about: About,
    /// What was looked at; stable.
    pub name: &'static str,
    /// How it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// Why it matters, or the mend in words.
    pub help: Option<String>,
    /// A command that mends it, to be pasted into a shell.
    pub mend: Option<String>,
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// Programs that must be installed.
    Programs,
    /// The user's key and identity.
    Signing,
    /// This clone.
    Repository,
    /// The rules, and what they make of the user.
    Policy,
    /// The remote `origin`.
    Remote,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As it should be.
    Ok,
    /// It works, and may not work as expected.
    Warning,
    /// Signing or verifying does not work.
    Broken,
}

impl Examined {
    /// The worst of the findings.
    pub fn state(&self) -> State {
        self.findings.iter().map(|finding| finding.state).max().unwrap_or(State::Ok)
    }
}

impl Finding {
    /// Something that is as it should be.
    pub fn ok(about: About, name: &'static str, found: impl Into<String>) -> Self {
        Self { about, name, state: State::Ok, found: found.into(), help: None, mend: None }
    }

    /// Something that works, and may not work as expected.
    pub fn warning(about: About, name: &'static str, found: impl Into<String>) -> Self {
        Self { state: State::Warning, ..Self::ok(about, name, found) }
    }

    /// Something by which signing or verifying does not work.
    pub fn broken(about: About, name: &'static str, found: impl Into<String>) -> Self {
        Self { state: State::Broken, ..Self::ok(about, name, found) }
    }

    /// With why it matters, or the mend in words.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With the command that mends it.
    #[must_use]
    pub fn mend(mut self, command: impl Into<String>) -> Self {
        self.mend = Some(command.into());
        self
    }
}

impl About {
    /// Every one, in the order of the page.
    pub const ALL: [Self; 5] = [Self::Programs, Self::Signing, Self::Repository, Self::Policy, Self::Remote];

    /// As it is printed for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Programs => "programs",
            Self::Signing => "signing",
            Self::Repository => "repository",
            Self::Policy => "policy",
            Self::Remote => "remote",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Programs => "Programs",
            Self::Signing => "Signing",
            Self::Repository => "This clone",
            Self::Policy => "Policy",
            Self::Remote => "Remote",
        }
    }
}

impl State {
    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Broken => "broken",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Self::Ok => Tone::Good,
            Self::Warning => Tone::Open,
            Self::Broken => Tone::Bad,
        }
    }
}

/// All findings under their titles.
pub(super) fn page(examined: &Examined) -> Page {
    let state = examined.state();
    let count = |wanted: State| {
        let many = examined.findings.iter().filter(|finding| finding.state == wanted).count();
        u64::try_from(many).unwrap_or(u64::MAX)
    };
    let about = match state {
        State::Ok => "signing and verifying work here".to_owned(),
        State::Warning => {
            format!("signing and verifying work here; {}", counted(count(State::Warning), "warning"))
        }
        State::Broken => {
            format!("{} broken, {}", count(State::Broken), counted(count(State::Warning), "warning"))
        }
    };
    let sections = About::ALL.into_iter().filter_map(|about| {
        let findings = examined.findings.iter().filter(|finding| finding.about == about);
        Section::entries(about.title(), findings.map(entry).collect())
    });
    Page {
        word: Word::new(state.as_str(), state.tone()),
        about,
        lead: Vec::new(),
        sections: sections.collect(),
    }
}

fn entry(finding: &Finding) -> Entry {
    let mut entry =
        Entry::named(finding.name, &*finding.found).word(finding.state.as_str(), finding.state.tone());
    if let Some(help) = &finding.help {
        entry = entry.prose("", help);
    }
    match &finding.mend {
        Some(mend) => entry.exact("mend:", mend),
        None => entry,
    }
}
