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
            text.push_str(&format!("\n{paragraph}\n"));
        }
    }
    for part in &sheet.parts {
        text.push_str(&format!("\n## {}\n", words(&part.title)));
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
        Block::Points(points) => points.iter().map(|point| format!("- {}\n", cells(point))).collect(),
        Block::Facts(facts) => {
            facts.iter().map(|(label, says)| format!("- {label}: {}\n", cells(says))).collect()
        }
        Block::Table(table) => self::table(table),
        Block::Chart(Chart { title, .. }) => format!("{}\n", words(title)),
    }
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
        Cell::Time(time) => code(&time.to_string()),
    }
}

/// Words with the blanks that keep them apart from what stands beside them.
fn spaced(text: &str) -> String {
    let before = if text.starts_with(' ') { " " } else { "" };
    let after = if text.len() > 1 && text.ends_with(' ') { " " } else { "" };
    format!("{before}{}{after}", words(text))
}
