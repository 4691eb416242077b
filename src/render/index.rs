//! The index: what it knows, and whether the history says the same.

use crate::insight::{IndexStanding, IndexState};

use super::page::{Fact, Page, Section, Text, Tone, Word, counted};

/// How an index stands, in a word.
pub(super) fn standing(state: &IndexState) -> &'static str {
    match state.standing {
        IndexStanding::None => "none",
        IndexStanding::Unfit(_) => "unfit",
        IndexStanding::Current => "current",
        IndexStanding::Behind => "behind",
        IndexStanding::Elsewhere => "elsewhere",
    }
}

/// Why it is not used as a whole, if so.
pub(super) fn reason(state: &IndexState) -> Option<&'static str> {
    match state.standing {
        IndexStanding::Unfit(reason) => Some(reason),
        IndexStanding::Elsewhere => Some("it knows a mainline that goes on beyond this one, or another way"),
        IndexStanding::None | IndexStanding::Current | IndexStanding::Behind => None,
    }
}

/// The index.
pub(super) fn index_page(state: &IndexState) -> Page {
    let fact = |label, text| Fact { label, text };
    let mut facts = Vec::new();
    facts.extend(reason(state).map(|reason| fact("because", Text::Prose(reason.to_owned()))));
    if let Some(mainline) = state.mainline {
        let commits = counted(u64::try_from(state.commits).unwrap_or(u64::MAX), "commit");
        facts.push(fact("knows", Text::Prose(commits)));
        facts.push(fact("up to", Text::Exact(mainline.to_string())));
    }
    let compared =
        state.verified.map(|same| if same { "it says the same" } else { "it says something else" });
    facts.extend(compared.map(|words| fact("history", Text::Prose(words.to_owned()))));
    let bad = state.verified == Some(false) || matches!(state.standing, IndexStanding::Unfit(_));
    Page {
        word: Word::new(standing(state), if bad { Tone::Bad } else { Tone::Plain }),
        about: "index".to_owned(),
        lead: Vec::new(),
        sections: Section::facts("Index", facts).into_iter().collect(),
    }
}
