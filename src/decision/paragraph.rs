//! Finds the paragraph of a message in which trailers may stand.
//!
//! Two sights of a message meet here. The grammar splits at lines that are exactly empty; a person (and git) also takes
//! a line of blanks for empty. Where both sights differ and `Gate` is in play, the message is malformed: an approval
//! never counts by a split that its reader did not see, and a rejection is never lost by one either.

/// Where in a message the `Gate` lines stand.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sighting<'a> {
    /// No line of the last paragraph begins with `Gate`, in any letter case.
    Elsewhere {
        /// A `Gate…:` line stands elsewhere, or indented.
        stray: bool,
    },
    /// The last paragraph has such lines.
    Last {
        /// The lines of the last paragraph.
        lines: Vec<&'a str>,
        /// Why it cannot hold trailers, whatever its lines say.
        defect: Option<Defect>,
        /// A `Gate…:` line stands before it.
        stray: bool,
    },
}

/// Why a last paragraph cannot hold trailers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Defect {
    /// It is the only one: trailers need a subject and an empty line before them.
    OnlyParagraph,
    /// A line of blanks stands where an empty line would be, or seems to.
    LineOfBlanks,
    /// A scissors line above it: git shows nothing of what follows.
    Scissors,
}

/// What `git commit --cleanup=scissors` cuts at, behind the comment character.
const SCISSORS: &str = "------------------------ >8 ------------------------";

/// Looks for `Gate` lines. Allocates only where it finds one.
pub(super) fn sight(message: &str) -> Sighting<'_> {
    if !message.split('\n').any(resembles_gate) {
        return Sighting::Elsewhere { stray: false };
    }
    let all: Vec<&str> = message.split('\n').collect();
    let end = all.iter().rposition(|line| !is_blank(line)).map_or(0, |last| last + 1);
    let (text, trailing) = all.split_at(end);
    let start = text.iter().rposition(|line| line.is_empty()).map_or(0, |empty| empty + 1);
    let (before, last) = text.split_at(start);
    let stray = before.iter().any(|line| is_stray(line));
    if !last.iter().any(|line| begins_with_gate(line)) {
        return Sighting::Elsewhere { stray: stray || last.iter().any(|line| is_stray(line)) };
    }
    let seen_start = text.iter().rposition(|line| is_blank(line)).map_or(0, |blank| blank + 1);
    let nothing_before = text.iter().take(seen_start).all(|line| is_blank(line));
    let blanks = trailing.iter().any(|line| !line.is_empty()) || last.iter().any(|line| is_blank(line));
    let defect = if nothing_before {
        Some(Defect::OnlyParagraph)
    } else if blanks {
        Some(Defect::LineOfBlanks)
    } else if before.iter().any(|line| is_scissors(line)) {
        Some(Defect::Scissors)
    } else {
        None
    };
    Sighting::Last { lines: last.to_vec(), defect, stray }
}

/// Whether git would cut a message at this line.
pub(super) fn is_scissors(line: &str) -> bool {
    line.trim_end().ends_with(SCISSORS)
}

/// Whether the line begins with `Gate`, in any letter case.
pub(super) fn begins_with_gate(line: &str) -> bool {
    line.as_bytes().get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"gate"))
}

/// As [`begins_with_gate`], behind blanks and what does not show.
fn resembles_gate(line: &str) -> bool {
    begins_with_gate(without_lead(line))
}

/// Whether the line looks like a `Gate…:` trailer to a person, wherever it stands.
fn is_stray(line: &str) -> bool {
    let line = without_lead(line);
    let token = line.split(':').next().unwrap_or_default().trim_end();
    begins_with_gate(line)
        && token.len() < line.len()
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn without_lead(line: &str) -> &str {
    line.trim_start_matches(|c: char| !c.is_ascii_graphic())
}

fn is_blank(line: &str) -> bool {
    line.chars().all(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn last(message: &str, expected: Option<Defect>) {
        match sight(message) {
            Sighting::Last { defect, .. } => assert_eq!(defect, expected, "{message:?}"),
            Sighting::Elsewhere { .. } => panic!("no `Gate` in the last paragraph of {message:?}"),
        }
    }

    #[track_caller]
    fn elsewhere(message: &str, expected: bool) {
        assert_eq!(sight(message), Sighting::Elsewhere { stray: expected }, "{message:?}");
    }

    #[test]
    fn the_last_paragraph_is_found_behind_exactly_empty_lines() {
        for message in [
            "s\n\nGate: x",
            "s\n\nGate: x\n\n\n",
            "s\n   \n\nGate: x\n",
            "s\n\nb\n\n\nSigned-off-by: y\ngate\n",
        ] {
            last(message, None);
        }
    }

    #[test]
    fn a_line_of_blanks_never_splits_and_never_hides() {
        for message in [
            "s\n \nGate: x\n",
            "s\n\nb\n\t\nGate: x\n",
            "s\n\nGate: x\n \nSigned-off-by: y\n",
            "s\n\nGate: x\n \n",
            "s\n\nGate: x\n\n \n",
            "s\n\n \nGate: x\n",
            "s\n\r\nGate: x\r\n",
            "s\n\u{a0}\nGate: x\n",
        ] {
            last(message, Some(Defect::LineOfBlanks));
        }
    }

    #[test]
    fn an_only_paragraph_holds_no_trailers() {
        for message in ["Gate: x", "\n\nGate: x\n", "s\nGate: x\n\n", " \n\nGate: x"] {
            last(message, Some(Defect::OnlyParagraph));
        }
    }

    #[test]
    fn nothing_counts_below_scissors() {
        last(&format!("s\n\n# {SCISSORS}\n\nGate: x\n"), Some(Defect::Scissors));
    }

    #[test]
    fn gate_lines_elsewhere_are_noticed() {
        for message in [
            "s\n\nGate: x\n\nb\n",
            "s\n\nGATE-action : x\n\nSigned-off-by: y\n",
            "s\n\n  Gate: x\n",
            "s\n\n\u{200b}Gate: x\n",
            "Gate: x\n\nb",
        ] {
            elsewhere(message, true);
        }
        for message in
            ["", "\n", "s\n", "s\n\nGates are open: yes\n\nb", "Gate the release\n\nb", "s\n\n gate\n"]
        {
            elsewhere(message, false);
        }
    }
}
