//! Pages as markdown, for merge requests and issues.
//!
//! A forge reads more into text than markdown says: mentions, references to issues, links without brackets. Escaping with
//! a backslash stops none of these; a code span stops all. So every word that is not plain letters and numbers stands
//! in a code span, and nothing but those words and our own marks stands outside of one.

use crate::model::escape;

use super::page::{Body, Diff, Entry, Fact, Page, Section, Text, Word};

/// The pages, one after the other.
pub(super) fn render_pages(pages: &[Page]) -> String {
    pages.iter().map(page).collect::<Vec<_>>().join("\n")
}

fn page(page: &Page) -> String {
    let mut text = format!("## {}: {}\n", words(&page.word.text), words(&page.about));
    if !page.lead.is_empty() {
        text.push('\n');
        text.extend(page.lead.iter().map(entry));
    }
    text.extend(page.sections.iter().map(section));
    text
}

fn section(section: &Section) -> String {
    let body: String = match &section.body {
        Body::Entries(entries) => entries.iter().map(entry).collect(),
        Body::Facts(facts) => facts.iter().map(|known| fact(known, "")).collect(),
        Body::Diffs(diffs) => diffs.iter().map(diff).collect(),
    };
    format!("\n### {}\n\n{body}", section.title)
}

fn entry(entry: &Entry) -> String {
    let word = entry.word.as_ref().map(|Word { text, tone: _ }| format!("**{}**", words(text)));
    let name = (!entry.name.is_empty()).then(|| code(&entry.name));
    let text = (!entry.text.is_empty()).then(|| words(&entry.text));
    let head = match (&name, text) {
        (Some(name), Some(text)) => format!("{name}: {text}"),
        (Some(name), None) => name.clone(),
        (None, text) => text.unwrap_or_default(),
    };
    let line = word.into_iter().chain([head]).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let facts: String = entry.facts.iter().map(|known| fact(known, "  ")).collect();
    format!("- {line}\n{facts}")
}

/// A file and its lines, in a block that nothing in them can end.
fn diff(diff: &Diff) -> String {
    let head = entry(&diff.entry);
    if diff.lines.is_empty() {
        return head;
    }
    let lines: Vec<String> =
        diff.lines.iter().map(|(mark, text)| format!("  {mark} {}\n", escape(text))).collect();
    let lines = lines.concat();
    let longest = lines.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    format!("{head}\n  {fence}diff\n{lines}  {fence}\n\n")
}

fn fact(fact: &Fact, indent: &str) -> String {
    let said = match &fact.text {
        Text::Prose(text) => words(text),
        Text::Exact(text) | Text::Place(text) => code(text),
    };
    format!("{indent}- {}: {said}\n", fact.label)
}

/// `text` with each run of words that could mean something to a forge in a code span. What our own messages put
/// between backticks is one already.
pub(super) fn words(text: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut wild: Vec<&str> = Vec::new();
    for piece in pieces(text) {
        match piece {
            Piece::Word(word) if !is_plain(word) => wild.push(word),
            Piece::Word(word) => {
                end_of_wild(&mut wild, &mut parts);
                parts.push(word.to_owned());
            }
            Piece::Quoted { lead, quoted, tail } => {
                end_of_wild(&mut wild, &mut parts);
                parts.push(format!("{lead}{}{tail}", code(quoted)));
            }
        }
    }
    end_of_wild(&mut wild, &mut parts);
    parts.join(" ")
}

fn end_of_wild(wild: &mut Vec<&str>, parts: &mut Vec<String>) {
    if !wild.is_empty() {
        let run = wild.join(" ");
        let core = run.trim_end_matches([',', ';', ':']);
        let (core, tail) = if core.is_empty() { (run.as_str(), "") } else { run.split_at(core.len()) };
        parts.push(format!("{}{tail}", code(core)));
        wild.clear();
    }
}

enum Piece<'a> {
    /// A word between blanks.
    Word(&'a str),
    /// What stood between two backticks, with the punctuation that touches them.
    Quoted { lead: &'a str, quoted: &'a str, tail: &'a str },
}

/// The words of `text`; from a word that opens a backtick to the one that closes it is one piece.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some((piece, behind)) = quoted(rest) {
            pieces.push(piece);
            rest = behind;
            continue;
        }
        let (word, behind) = rest.split_once(' ').unwrap_or((rest, ""));
        if !word.is_empty() {
            pieces.push(Piece::Word(word));
        }
        rest = behind;
    }
    pieces
}

/// A quotation at the beginning of `text`, with plain punctuation around it, and what follows the blank behind it.
fn quoted(text: &str) -> Option<(Piece<'_>, &str)> {
    let touching = |c: char| matches!(c, '(' | ')' | ',' | ';' | ':');
    let behind_lead = text.trim_start_matches(touching);
    let (quoted, behind) = behind_lead.strip_prefix('`')?.split_once('`')?;
    let rest = behind.trim_start_matches(touching);
    if quoted.is_empty() || !(rest.is_empty() || rest.starts_with(' ')) {
        return None;
    }
    let lead = text.strip_suffix(behind_lead)?;
    let tail = behind.strip_suffix(rest)?;
    Some((Piece::Quoted { lead, quoted, tail }, rest.strip_prefix(' ').unwrap_or(rest)))
}

/// Whether a word is nothing but itself wherever it is shown: letters and digits with single marks between them, and
/// punctuation that no forge reads anything into.
fn is_plain(word: &str) -> bool {
    if matches!(word, "→" | "—" | "%" | "±" | "=") {
        return true;
    }
    let core = word.trim_start_matches('(').trim_end_matches([')', ',', ';', ':', '.']);
    let letters = |part: &str| !part.is_empty() && part.chars().all(char::is_alphanumeric);
    let number = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    // A reference to an issue is also `GH-12`.
    let joined = core.split('-').all(letters) && !core.to_ascii_lowercase().starts_with("gh-");
    let decimal = core
        .split_once('.')
        .is_some_and(|(whole, part)| letters(whole) && letters(part) && number(whole) && number(part));
    joined || decimal
}

/// `text` in a code span that nothing in it can end.
pub(super) fn code(text: &str) -> String {
    let safe = escape(text);
    let longest = safe.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // Markdown takes one blank off each side; a span must not be empty.
    let pad = if safe.trim().is_empty() || safe.starts_with(['`', ' ']) || safe.ends_with(['`', ' ']) {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{safe}{pad}{fence}")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    #[test]
    fn plain_words_stay_words_and_all_else_is_code() {
        for (text, expected) in [
            ("1 approval by l.wu@example.com", "1 approval by `l.wu@example.com`"),
            ("at most 0.05, at least 50 samples", "at most 0.05, at least 50 samples"),
            ("unknown kind `a b`; the policy has `c`, `d`", "unknown kind `a b`; the policy has `c`, `d`"),
            ("see @team and #12", "see `@team` and `#12`"),
            ("<img src=x> | b", "`<img src=x> |` b"),
            ("[x](http://evil) *b*", "`[x](http://evil) *b*`"),
            ("GH-12 www.evil.com _a_ a_b", "`GH-12 www.evil.com _a_ a_b`"),
            ("a ` b", "a `` ` `` b"),
            ("`` ``", "``` `` `` ```"),
            ("x`y`", "`` x`y` ``"),
            ("a\nb \u{202e}c", "`a\\nb \\u{202e}c`"),
            ("- one", "`-` one"),
            ("sha256:9b; then a/b, c", "`sha256:9b`; then `a/b`, c"),
            ("stale (stale-content), left: 3", "stale (stale-content), left: 3"),
            ("", ""),
        ] {
            assert_eq!(words(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_block_of_lines_is_not_left_early() {
        let lines = vec![('+', "````".into()), ('-', "  ```\n@team".into())];
        let shown = diff(&Diff { entry: Entry::named("a", ""), lines });
        assert_eq!(shown, "- `a`\n\n  `````diff\n  + ````\n  -   ```\\n@team\n  `````\n\n");
    }

    #[test]
    fn a_code_span_is_not_left_early() {
        for (text, expected) in
            [("a", "`a`"), ("`", "`` ` ``"), ("a``b`c", "```a``b`c```"), ("", "`  `"), (" ", "`   `")]
        {
            assert_eq!(code(text), expected);
        }
    }

    proptest::proptest! {
        /// Take the code spans away, as `CommonMark` finds them: what is left holds letters, digits and harmless marks.
        #[test]
        fn nothing_wild_stands_outside_of_code(text in "[ a@#<>|*_`\\\\\\[\\]()!.:~$/\n\u{202e}&-]{0,24}") {
            let outside = without_code(&words(&text));
            proptest::prop_assert!(
                outside.chars().all(|c| c.is_alphanumeric() || " (),;:.-".contains(c)),
                "{text:?} gives {outside:?}"
            );
        }
    }

    /// As `CommonMark` says: a run of backticks opens a span that the next run of the same length closes.
    pub(in crate::render) fn without_code(text: &str) -> String {
        let mut outside = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('`') {
            outside.push_str(&rest[..at]);
            let run = rest[at..].chars().take_while(|c| *c == '`').count();
            let inside = &rest[at + run..];
            let mut from = 0;
            let close = loop {
                let Some(next) = inside[from..].find('`').map(|next| from + next) else { break None };
                let length = inside[next..].chars().take_while(|c| *c == '`').count();
                if length == run {
                    break Some(next + run);
                }
                from = next + length;
            };
            if let Some(end) = close {
                rest = &inside[end..];
            } else {
                outside.push_str(&rest[at..at + run]);
                rest = inside;
            }
        }
        outside.push_str(rest);
        outside
    }
}
