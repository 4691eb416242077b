//! What is shown, before it has a form: words, lines and facts, in the order in which people read them.
//!
//! A finding becomes part of a [`Page`] once, in [`super::judgement`] and its siblings; each form for people lays the same
//! page out. So the forms cannot say different things, and text is made safe at one place in each of them: everything
//! here is raw, as the repository holds it.

/// One thing that is shown: its verdict, the reasons, then all the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    /// The word that says it all, such as `blocked`.
    pub(super) word: Word,
    /// About what, such as `summarizer/v1.4 → production`.
    pub(super) about: String,
    /// The reasons, for who reads no further.
    pub(super) lead: Vec<Entry>,
    /// The rest.
    pub(super) sections: Vec<Section>,
}

/// A word that stands for how something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// The word.
    pub(super) text: String,
    /// Its colour, where there are colours.
    pub(super) tone: Tone,
}

/// How a word is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// As it should be.
    Good,
    /// Something is awaited.
    Open,
    /// Something is wrong.
    Bad,
    /// Not as it should be, and accepted.
    Accepted,
    /// Neither.
    Plain,
}

/// A part of a page under a title of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// Its title.
    pub(super) title: &'static str,
    /// What stands in it.
    pub(super) body: Body,
}

/// What stands in a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    /// One line for each thing, and what is known of it below.
    Entries(Vec<Entry>),
    /// Labels, each with what it says.
    Facts(Vec<Fact>),
    /// Files that differ, line by line.
    Diffs(Vec<Diff>),
}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Diff {
    /// The file, how it differs, and what is known besides.
    pub(super) entry: Entry,
    /// Its lines, each with the mark that stands before it: `+`, `-`, a blank, or `@` for where a stretch begins.
    pub(super) lines: Vec<(char, String)>,
}

/// One thing in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// How it is.
    pub(super) word: Option<Word>,
    /// Its name, to be found again by; empty: it has none.
    pub(super) name: String,
    /// What is said of it on its own line.
    pub(super) text: String,
    /// What is known besides.
    pub(super) facts: Vec<Fact>,
}

/// A label and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    /// The label: a word or two.
    pub(super) label: &'static str,
    /// What it says.
    pub(super) text: Text,
}

/// What a fact says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Text {
    /// Words to read.
    Prose(String),
    /// A place in a file: broken over lines wherever one is full.
    Place(String),
    /// To be copied as it stands: a command, an id, a digest. Never broken over lines.
    Exact(String),
}

impl Word {
    pub(super) fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }
}

impl Entry {
    /// A sentence without a name.
    pub(super) fn sentence(text: impl Into<String>) -> Self {
        Self { word: None, name: String::new(), text: text.into(), facts: Vec::new() }
    }

    /// A name and what is said of it.
    pub(super) fn named(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { word: None, name: name.into(), text: text.into(), facts: Vec::new() }
    }

    /// The same, with how it is.
    pub(super) fn word(mut self, text: impl Into<String>, tone: Tone) -> Self {
        self.word = Some(Word::new(text, tone));
        self
    }

    /// The same, with one fact more; none where there is nothing to say.
    pub(super) fn prose(mut self, label: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.facts.push(Fact::prose(label, text));
        }
        self
    }

    /// The same, with the place where it was found.
    pub(super) fn place(mut self, label: &'static str, text: impl Into<String>) -> Self {
        self.facts.push(Fact { label, text: Text::Place(text.into()) });
        self
    }

    /// The same, with one fact more that is to be copied.
    pub(super) fn exact(mut self, label: &'static str, text: impl Into<String>) -> Self {
        self.facts.push(Fact::exact(label, text));
        self
    }
}

impl Fact {
    pub(super) fn prose(label: &'static str, text: impl Into<String>) -> Self {
        Self { label, text: Text::Prose(text.into()) }
    }

    pub(super) fn exact(label: &'static str, text: impl Into<String>) -> Self {
        Self { label, text: Text::Exact(text.into()) }
    }
}

impl Section {
    /// A list; nothing where it is empty.
    pub(super) fn entries(title: &'static str, entries: Vec<Entry>) -> Option<Self> {
        (!entries.is_empty()).then_some(Self { title, body: Body::Entries(entries) })
    }

    /// Differences; nothing where there are none.
    pub(super) fn diffs(title: &'static str, diffs: Vec<Diff>) -> Option<Self> {
        (!diffs.is_empty()).then_some(Self { title, body: Body::Diffs(diffs) })
    }

    /// Facts; nothing where there are none.
    pub(super) fn facts(title: &'static str, facts: Vec<Fact>) -> Option<Self> {
        (!facts.is_empty()).then_some(Self { title, body: Body::Facts(facts) })
    }
}

/// `1 approval`, `2 approvals`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The items in a row, with commas.
pub(super) fn list<T: std::fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}
