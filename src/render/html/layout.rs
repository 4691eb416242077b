//! A sheet laid out: titles, parts, tables, facts.
//!
//! For ears and keyboards as for eyes: one title a page, parts under titles in order, tables with captions and scopes; what
//! is wider than a telephone scrolls by itself and can be reached by keyboard. A state is a word, never a colour alone.

use maud::{Markup, html};

use crate::model::Time;

use super::super::page::{Tone, Word};
use super::super::sheet::{Block, Cell, Part, Sheet, Table, moment};

use super::chart;

/// A longer word is an id or a digest.
const LONGEST_WORD: usize = 40;

/// `up` leads from the page to the report's directory; nothing: the page stands alone.
pub(super) fn sheet(sheet: &Sheet, up: Option<&str>) -> Markup {
    html! {
        div.title {
            p.kind { (sheet.kind) }
            h1 { (sheet.title) }
            @if !sheet.words.is_empty() { p.words { @for word in &sheet.words { (mark(word)) " " } } }
        }
        @if !sheet.lead.is_empty() { p.lead { (cells(&sheet.lead, up)) } }
        @for part in &sheet.parts { (self::part(part, up)) }
    }
}

fn part(part: &Part, up: Option<&str>) -> Markup {
    let id = anchor(&part.title);
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (part.title) }
            @for block in &part.blocks { (self::block(block, up)) }
        }
    }
}

/// The name by which a part can be linked to.
fn anchor(title: &str) -> String {
    let small = title.to_ascii_lowercase();
    let words: Vec<&str> =
        small.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("-")
}

fn block(block: &Block, up: Option<&str>) -> Markup {
    match block {
        Block::Words(words) => html! { p { (cells(words, up)) } },
        Block::Points(points) => html! { ul.points { @for point in points { li { (cells(point, up)) } } } },
        Block::Facts(facts) => html! {
            dl { @for (label, says) in facts { div { dt { (label) } dd { (cells(says, up)) } } } }
        },
        Block::Table(table) => self::table(table, up),
        Block::Chart(chart) => chart::figure(chart),
    }
}

fn table(table: &Table, up: Option<&str>) -> Markup {
    if table.rows.is_empty() {
        return html! { p.empty { (table.empty) } };
    }
    let columns: Vec<usize> = (0..table.columns.len()).filter(|at| *at == 0 || says(table, *at)).collect();
    html! {
        div.wide role="region" tabindex="0" aria-label=(table.caption) {
            table.narrow[columns.len() < 4] {
                caption { (prose(&table.caption)) }
                thead { tr { @for at in &columns { th scope="col" { (table.columns.get(*at).copied().unwrap_or_default()) } } } }
                tbody { @for row in &table.rows { tr {
                    @for at in &columns {
                        @let cell = row.get(*at).map(Vec::as_slice).unwrap_or_default();
                        @if *at == 0 { th scope="row" { (cells(cell, up)) } }
                        @else { td { (cells(cell, up)) } }
                    }
                } } }
            }
        }
    }
}

/// Whether a column says anything in some row: one that does not is left out.
fn says(table: &Table, at: usize) -> bool {
    let empty = |cell: &Cell| matches!(cell, Cell::Words(text) if text.is_empty());
    table.rows.iter().filter_map(|row| row.get(at)).any(|cells| !cells.iter().all(empty))
}

fn cells(all: &[Cell], up: Option<&str>) -> Markup {
    html! { @for cell in all { (self::cell(cell, up)) } }
}

fn cell(cell: &Cell, up: Option<&str>) -> Markup {
    match (cell, up) {
        (Cell::Words(text), _) => prose(text),
        (Cell::Exact(text), _) => html! { code.long[text.chars().count() > LONGEST_WORD] { (text) } },
        (Cell::Short(short, whole), Some(_)) => html! { code.short title=(whole) { (short) } },
        // On paper and in a ticket nobody can ask for the rest.
        (Cell::Short(_, whole), None) => html! { code { (whole) } },
        (Cell::Link(text, path), Some(up)) => html! { a href={ (up) (path) } { (text) } },
        (Cell::Link(text, _), None) => html! { (text) },
        (Cell::TimeLink(time, path), Some(up)) => html! { a href={ (up) (path) } { (self::time(*time)) } },
        (Cell::Mark(word), _) => mark(word),
        (Cell::Time(time), _) | (Cell::TimeLink(time, _), None) => self::time(*time),
    }
}

fn time(time: Time) -> Markup {
    html! { time datetime=(time.to_string()) { (moment(time)) } }
}

/// Words, with what stands between two backticks set apart, and what is too long to be a word.
fn prose(text: &str) -> Markup {
    let pieces: Vec<&str> = text.split('`').collect();
    // An odd one out opens nothing: then all of it is words.
    let quotes = !pieces.len().is_multiple_of(2);
    let pieces = if quotes { pieces } else { vec![text] };
    html! { @for (at, piece) in pieces.into_iter().enumerate() {
        @if at.is_multiple_of(2) { (words(piece)) } @else { code { (piece) } }
    } }
}

/// Words; one that is longer than any name may be broken anywhere.
fn words(text: &str) -> Markup {
    html! { @for (at, word) in text.split(' ').enumerate() {
        @if at > 0 { " " }
        @if word.chars().count() > LONGEST_WORD { code.long { (word) } } @else { (word) }
    } }
}

fn mark(word: &Word) -> Markup {
    let class = match word.tone {
        Tone::Good => "good",
        Tone::Open => "open",
        Tone::Bad => "bad",
        Tone::Accepted => "accepted",
        Tone::Plain => "plain",
    };
    html! { span.mark.(class) { (word.text) } }
}
