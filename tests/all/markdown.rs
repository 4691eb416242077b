//! The parts of the docs that tests read: tables, fenced blocks, links, headings.

/// One row of a table.
pub(crate) struct Row {
    /// Its line, from 1.
    pub(crate) line: usize,
    /// Its cells, without blanks around them.
    pub(crate) cells: Vec<String>,
}

impl Row {
    /// What is wrong with this row, for an assertion.
    pub(crate) fn wrong(&self, right: &str) -> String {
        format!("line {}: `{}` wants {right}", self.line, self.cells.join(" | "))
    }
}

/// A fenced block.
#[derive(Debug)]
pub(crate) struct Block {
    /// The line of its fence, from 1.
    pub(crate) line: usize,
    /// The words behind the fence: the language first.
    pub(crate) words: Vec<String>,
    /// Its text.
    pub(crate) text: String,
}

/// The rows of all tables in `text` whose header is exactly `header`; an error where there is none.
pub(crate) fn table(text: &str, header: &[&str]) -> Result<Vec<Row>, String> {
    let (mut rows, mut inside, mut seen) = (Vec::new(), false, false);
    for (index, line) in text.lines().enumerate() {
        let Some(cells) = cells(line) else {
            inside = false;
            continue;
        };
        if cells == header {
            (inside, seen) = (true, true);
        } else if inside && !cells.iter().all(|cell| cell.chars().all(|c| matches!(c, '-' | ':'))) {
            rows.push(Row { line: index + 1, cells });
        }
    }
    if seen { Ok(rows) } else { Err(format!("no table `{}`", header.join(" | "))) }
}

/// The cells of a table row; `\|` and a `|` in backticks belong to their cell.
fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let (mut cells, mut cell, mut quoted, mut escaped) = (Vec::new(), String::new(), false, false);
    for c in inner.chars() {
        match c {
            '|' if !quoted && !escaped => cells.push(std::mem::take(&mut cell).trim().to_owned()),
            '`' => {
                quoted = !quoted;
                cell.push(c);
            }
            _ => cell.push(c),
        }
        escaped = c == '\\';
    }
    cells.push(cell.trim().to_owned());
    Some(cells)
}

/// What stands in backticks.
pub(crate) fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Every fenced block; a fence that is never closed is an error.
pub(crate) fn blocks(text: &str) -> Result<Vec<Block>, String> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => {
                let words = info.split_whitespace().map(str::to_owned).collect();
                open = Some(Block { line: index + 1, words, text: String::new() });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    match open {
        Some(block) => Err(format!("line {}: a fence that is never closed", block.line)),
        None => Ok(blocks),
    }
}

/// The part of `text` below the heading `heading` (with its `#`), to the next heading of that level or higher.
pub(crate) fn section<'a>(text: &'a str, heading: &str) -> Option<&'a str> {
    let level = heading.chars().take_while(|c| *c == '#').count();
    let start =
        if text.starts_with(&format!("{heading}\n")) { 0 } else { text.find(&format!("\n{heading}\n"))? + 1 };
    let body = &text[start + heading.len()..];
    let ends = (1..=level).filter_map(|n| body.find(&format!("\n{} ", "#".repeat(n))));
    Some(&body[..ends.min().unwrap_or(body.len())])
}

/// The targets of relative links, without their `#…`.
pub(crate) fn links(text: &str) -> Vec<String> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
        .map(|target| target.split('#').next().unwrap_or(target).to_owned())
        .collect()
}

#[test]
fn tables_are_read_by_their_header() {
    let text = "| a | b |\n|---|:-:|\n| `x|y` | 2 |\n\n| c |\n|---|\n| 3 |\n";
    let rows = table(text, &["a", "b"]).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].cells, ["`x|y`", "2"]);
    assert!(table(text, &["a"]).is_err());
}

#[test]
fn blocks_keep_their_words_and_must_be_closed() {
    let found = blocks("x\n```toml policy\na = 1\n```\ny\n").unwrap();
    assert_eq!(
        (found[0].line, found[0].words.join(" "), found[0].text.as_str()),
        (2, "toml policy".into(), "a = 1\n")
    );
    assert!(blocks("```toml\n").is_err());
}

#[test]
fn sections_end_at_the_next_heading_of_their_level() {
    let text = "# A\none\n## B\ntwo\n### C\nthree\n## D\nfour\n";
    assert_eq!(section(text, "## B").unwrap().trim(), "two\n### C\nthree");
    assert_eq!(section(text, "## E"), None);
}
