//! A sheet as markdown, for a ticket or a merge request.
//!
//! As in `markdown.rs`, every word that is not plain stands in a code span, so that no forge reads more into it.

use super::markdown::{code, words};
use super::sheet::{Block, Cell, Chart, Sheet, Table};

/// The sheet.
pub(super) fn render(sheet: &Sheet) -> String {
    let mut text = format!("# {}: {}\n", sheet.kind, words(&sheet.title));
    let marks: Vec<String> = sheet.words.iter().map(|word| format!("**{}**", words(&word.text))).collect();
    for paragraph in [marks.join(" · "), cells(&sheet.lead)] {
        if !paragraph.is_empty() {
            text.extend(["\n", &paragraph, "\n"]);
        }
    }
    for part in &sheet.parts {
        text.extend(["\n## ", &words(&part.title), "\n"]);
        for block in &part.blocks {
            text.push('\n');
            text.push_str(&self::block(block));
        }
    }
    text
}

fn block(block: &Block) -> String {
    match block {
        Block::Words(said) => format!("{}\n", cells(said)),
        Block::Points(points) => lines(points.iter().map(|point| format!("- {}", cells(point)))),
        Block::Facts(facts) => lines(facts.iter().map(|(label, says)| format!("- {label}: {}", cells(says)))),
        Block::Table(table) => self::table(table),
        Block::Chart(Chart { title, .. }) => format!("{}\n", words(title)),
    }
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.flat_map(|line| [line, "\n".to_owned()]).collect()
}

fn table(table: &Table) -> String {
    if table.rows.is_empty() {
        return format!("{}\n", table.empty);
    }
    let line = |row: Vec<String>| format!("| {} |\n", row.join(" | "));
    let mut text = line(table.columns.iter().map(|column| (*column).to_owned()).collect());
    text.push_str(&line(table.columns.iter().map(|_| "---".to_owned()).collect()));
    for row in &table.rows {
        // A bar ends a cell even within a code span.
        text.push_str(&line(row.iter().map(|cell| cells(cell).replace('|', "\\|")).collect()));
    }
    text
}

fn cells(cells: &[Cell]) -> String {
    cells.iter().map(cell).collect()
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Words(text) => spaced(text),
        Cell::Exact(text) | Cell::Short(_, text) => code(text),
        Cell::Link(text, _) => words(text),
        Cell::Mark(word) => format!("**{}**", words(&word.text)),
        Cell::Time(time) | Cell::TimeLink(time, _) => code(&time.to_string()),
    }
}

/// Words with the blanks that keep them apart from what stands beside them, and the punctuation that ends what stood before.
fn spaced(text: &str) -> String {
    let rest = text.trim_start_matches([',', ';', ':', '.']);
    let touches = rest.is_empty() || rest.starts_with(' ');
    let (lead, rest) = if touches { text.split_at(text.len() - rest.len()) } else { ("", text) };
    let before = if rest.starts_with(' ') { " " } else { "" };
    let after = if rest.len() > 1 && rest.ends_with(' ') { " " } else { "" };
    format!("{lead}{before}{}{after}", words(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_beside_others_keep_their_blanks_and_their_punctuation() {
        for (text, expected) in [
            (", ", ", "),
            (": ", ": "),
            (", and each by ", ", and each by "),
            (".", "."),
            (" a@b ", " `a@b` "),
            ("..x", "`..x`"),
            (" ", " "),
        ] {
            assert_eq!(spaced(text), expected, "{text:?}");
        }
    }
}
