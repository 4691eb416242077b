//! Pages as text for a terminal: 80 columns where that can be, colour only where the caller says so.
//!
//! Every piece of a page goes through [`crate::model::escape`] here, before it is measured and wrapped: line ends,
//! escape sequences and characters that hide others come out as what they are. What is to be copied is never broken.

use crate::model::escape;

use super::Style;
use super::page::{Body, Diff, Entry, Fact, Page, Section, Text, Tone, Word};

/// How wide a line may be, where its words allow it.
const WIDTH: usize = 80;
/// Names longer than this push what is said of them to the next line.
const WIDEST_NAME: usize = 32;
/// Words that say how something is, longer than this, do not widen the column of the others.
const WIDEST_WORD: usize = 16;
const INDENT: usize = 2;

/// The pages, one after the other.
pub(super) fn render_pages(pages: &[Page], style: Style) -> String {
    let mut sheet = Sheet { text: String::new(), style };
    for (index, page) in pages.iter().enumerate() {
        if index > 0 {
            sheet.text.push('\n');
        }
        sheet.page(page);
    }
    sheet.text
}

struct Sheet {
    text: String,
    style: Style,
}

/// A line that is being written: what stands on it, and how wide that is.
struct Line {
    text: String,
    width: usize,
}

impl Sheet {
    fn page(&mut self, page: &Page) {
        let mut line = Line::at(0);
        self.put_word(&mut line, &page.word);
        line.gap(INDENT);
        self.wrap(line, &page.about, INDENT);
        self.entries(&page.lead);
        for section in &page.sections {
            self.section(section);
        }
    }

    fn section(&mut self, section: &Section) {
        self.text.push('\n');
        let title = self.painted(section.title, Paint::Bold);
        self.text.push_str(&title);
        self.text.push('\n');
        match &section.body {
            Body::Entries(entries) => self.entries(entries),
            Body::Facts(facts) => self.facts(facts, 0),
            Body::Diffs(diffs) => diffs.iter().for_each(|diff| self.diff(diff)),
        }
    }

    /// A file and its lines. A line that is too long goes on in the next, behind its mark and `…`: nothing in the text
    /// itself can stand there.
    fn diff(&mut self, diff: &Diff) {
        self.entries(std::slice::from_ref(&diff.entry));
        for (mark, text) in &diff.lines {
            let paint = match mark {
                '+' => Paint::Green,
                '-' => Paint::Red,
                '@' => Paint::Dim,
                _ => Paint::None,
            };
            let safe: Vec<char> = escape(text).chars().collect();
            let mut pieces = safe.chunks(WIDTH - INDENT - INDENT - 2);
            let mut behind = ' ';
            loop {
                let piece: String = pieces.next().unwrap_or_default().iter().collect();
                let mut line = Line::at(INDENT + INDENT);
                line.put(&self.painted(format!("{mark}{behind}{piece}").trim_end(), paint), 0);
                self.end(&line);
                behind = '…';
                if pieces.len() == 0 {
                    break;
                }
            }
        }
    }

    fn entries(&mut self, entries: &[Entry]) {
        let words = entries.iter().filter_map(|entry| entry.word.as_ref()).map(|word| width(&word.text));
        let words = words.filter(|wide| *wide <= WIDEST_WORD).max();
        let names = entries.iter().map(|entry| width(&entry.name));
        let names = names.filter(|wide| *wide <= WIDEST_NAME).max().unwrap_or(0);
        for entry in entries {
            self.entry(entry, words.map_or(INDENT, |wide| INDENT + wide + 2), names);
        }
    }

    /// `names_at` is the column of the names, `names` how wide they are.
    fn entry(&mut self, entry: &Entry, names_at: usize, names: usize) {
        let mut line = Line::at(INDENT);
        if let Some(word) = &entry.word {
            self.put_word(&mut line, word);
        }
        line.pad_to(names_at);
        let mut texts_at = names_at;
        if entry.text.is_empty() && names_at + width(&entry.name) > WIDTH {
            self.cut(line, &entry.name, names_at + 2);
            return self.facts(&entry.facts, names_at + 2);
        }
        if !entry.name.is_empty() {
            let name = escape(&entry.name);
            line.put(&name, name.chars().count());
            if !entry.text.is_empty() {
                texts_at = names_at + names + 2;
                if line.width + 2 > texts_at {
                    self.end(&line);
                    texts_at = names_at + 2;
                    line = Line::at(texts_at);
                }
                line.pad_to(texts_at);
            }
        }
        self.wrap(line, &entry.text, texts_at);
        self.facts(&entry.facts, names_at + 2);
    }

    fn facts(&mut self, facts: &[Fact], indent: usize) {
        let labels = facts.iter().map(|fact| fact.label.chars().count()).max().unwrap_or(0);
        for fact in facts {
            let mut line = Line::at(indent);
            let label = self.painted(fact.label, Paint::Dim);
            line.put(&label, fact.label.chars().count());
            let at = indent + labels + 1;
            line.pad_to(at);
            match &fact.text {
                Text::Prose(text) => self.wrap(line, text, at),
                Text::Place(text) => self.cut(line, text, at),
                Text::Exact(text) => {
                    let text = escape(text);
                    line.put(&text, text.chars().count());
                    self.end(&line);
                }
            }
        }
    }

    /// Writes `text` behind what stands on `line`, broken wherever a line is full.
    fn cut(&mut self, mut line: Line, text: &str, hang: usize) {
        for c in escape(text).chars() {
            if line.width >= WIDTH {
                self.end(&line);
                line = Line::at(hang);
            }
            line.put(c.encode_utf8(&mut [0; 4]), 1);
        }
        self.end(&line);
    }

    /// Writes `text` behind what stands on `line`, further lines from column `hang` on.
    fn wrap(&mut self, mut line: Line, text: &str, hang: usize) {
        let safe = escape(text);
        let mut first = true;
        for word in safe.split(' ').filter(|word| !word.is_empty()) {
            let wide = word.chars().count();
            if !first && line.width + 1 + wide > WIDTH {
                self.end(&line);
                line = Line::at(hang);
                first = true;
            }
            if !first {
                line.gap(1);
            }
            line.put(word, wide);
            first = false;
        }
        self.end(&line);
    }

    fn end(&mut self, line: &Line) {
        self.text.push_str(line.text.trim_end_matches(' '));
        self.text.push('\n');
    }

    fn put_word(&self, line: &mut Line, word: &Word) {
        let safe = escape(&word.text);
        line.put(&self.painted(&safe, word.tone.into()), safe.chars().count());
    }

    fn painted(&self, safe: &str, paint: Paint) -> String {
        match (self.style, paint.code()) {
            (Style::Coloured, Some(code)) => format!("\u{1b}[{code}m{safe}\u{1b}[0m"),
            (Style::Coloured, None) | (Style::Plain, _) => safe.to_owned(),
        }
    }
}

impl Line {
    fn at(column: usize) -> Self {
        Self { text: " ".repeat(column), width: column }
    }

    fn put(&mut self, text: &str, width: usize) {
        self.text.push_str(text);
        self.width += width;
    }

    fn gap(&mut self, columns: usize) {
        self.put(&" ".repeat(columns), columns);
    }

    /// Blanks up to `column`; at least two where something stands beyond it already.
    fn pad_to(&mut self, column: usize) {
        match column.checked_sub(self.width) {
            Some(missing) => self.gap(missing),
            None => self.gap(2),
        }
    }
}

fn width(text: &str) -> usize {
    escape(text).chars().count()
}

/// What a piece of text is painted as.
#[derive(Debug, Clone, Copy)]
enum Paint {
    Green,
    Yellow,
    Red,
    Magenta,
    Bold,
    Dim,
    None,
}

impl Paint {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Green => Some("1;32"),
            Self::Yellow => Some("1;33"),
            Self::Red => Some("1;31"),
            Self::Magenta => Some("1;35"),
            Self::Bold => Some("1"),
            Self::Dim => Some("2"),
            Self::None => None,
        }
    }
}

impl From<Tone> for Paint {
    fn from(tone: Tone) -> Self {
        match tone {
            Tone::Good => Self::Green,
            Tone::Open => Self::Yellow,
            Tone::Bad => Self::Red,
            Tone::Accepted => Self::Magenta,
            Tone::Plain => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(entries: Vec<Entry>) -> Page {
        Page {
            word: Word::new("blocked", Tone::Bad),
            about: "a/b → c".into(),
            lead: entries,
            sections: Vec::new(),
        }
    }

    #[test]
    fn columns_are_aligned_and_long_text_hangs() {
        let text = render_pages(
            &[page(vec![
                Entry::named("evidence:bias", "x ".repeat(40)).word("met", Tone::Good),
                Entry::named("a", "short").word("FAILED", Tone::Bad).exact("run", "git ".repeat(30)),
            ])],
            Style::Plain,
        );
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "blocked  a/b → c");
        assert!(lines[1].starts_with("  met     evidence:bias  x x"), "{text}");
        assert!(lines[2].starts_with("                         x x"), "{text}");
        assert_eq!(lines[3], "  FAILED  a              short");
        assert_eq!(lines[4].trim_end(), format!("            run {}", "git ".repeat(30).trim_end()));
        assert!(lines[..4].iter().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn a_long_line_of_a_difference_goes_on_behind_its_mark() {
        let lines = vec![
            ('@', "from line 1".into()),
            ('+', "x".repeat(100)),
            ('-', "\u{1b}[2J".into()),
            (' ', String::new()),
        ];
        let entry = Entry::named("a", "").word("changed", Tone::Open);
        let mut page = page(Vec::new());
        page.sections.extend(Section::diffs("Files", vec![Diff { entry, lines }]));
        let text = render_pages(&[page], Style::Plain);
        let long = "x".repeat(74);
        assert!(text.contains(&format!("    + {long}\n    +…{}\n", "x".repeat(26))), "{text}");
        assert!(text.contains("    - \\u{1b}[2J\n"), "{text}");
    }

    #[test]
    fn colour_is_there_only_when_asked_for() {
        let page = page(vec![Entry::named("a", "b").word("met", Tone::Good)]);
        let coloured = render_pages(std::slice::from_ref(&page), Style::Coloured);
        assert!(coloured.contains("\u{1b}[1;31mblocked\u{1b}[0m"), "{coloured:?}");
        assert!(!render_pages(&[page], Style::Plain).contains('\u{1b}'));
    }
}
