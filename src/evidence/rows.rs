//! Rows of an array, of JSON Lines or of CSV → one number.
//!
//! Every doubt is an error rather than a row left out: a cell that is missing, of another type, or the wanted word in
//! other letter case would make a count smaller, and a smaller count can pass a bound that the truth does not.

use std::collections::{BTreeMap, BTreeSet};

use super::csv::Table;
use super::json::Json;
use super::{Metric, Reduce, Scalar, Value, number, pointer, quote};

/// Where rows come from.
#[derive(Debug)]
pub(crate) enum Rows<'a> {
    /// Items of an array, or JSON Lines.
    Json(&'a [Json]),
    /// Rows of a CSV file.
    Csv(Table<'a>),
}

/// What to make of them: a mapping's own fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reduction<'a> {
    pub(crate) filter: &'a BTreeMap<String, Scalar>,
    pub(crate) column: Option<&'a str>,
    pub(crate) reduce: Reduce,
    pub(crate) equals: Option<&'a Scalar>,
}

/// What stands in a row's column.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cell<'a> {
    /// The row has no such key.
    Absent,
    /// An empty cell, or `null`.
    Empty,
    /// A cell of CSV: its type is what it is compared with.
    Word(&'a str),
    /// Any other JSON value.
    Json(&'a Json),
}

/// The number that the rows make.
pub(crate) fn reduce(rows: &Rows<'_>, reduction: Reduction<'_>) -> Result<Metric, String> {
    let kept = kept(rows, reduction.filter)?;
    let cells = match (reduction.column, reduction.reduce) {
        (None, Reduce::Count) => {
            let at = format!("count of {} rows", kept.len());
            return Ok(counted(kept.len(), kept.len(), at));
        }
        (column, _) => column_of(rows, column)?,
    };
    let cells: Vec<Cell<'_>> = kept.iter().filter_map(|row| cells.get(*row).copied()).collect();
    let at = describe(reduction, cells.len());
    if reduction.reduce == Reduce::Count {
        let present = cells.iter().filter(|cell| !matches!(cell, Cell::Absent | Cell::Empty)).count();
        return Ok(counted(present, present, at));
    }
    let missing = cells.iter().filter(|cell| matches!(cell, Cell::Absent | Cell::Empty)).count();
    if missing > 0 {
        return Err(format!("{missing} of {} rows have nothing in {}", cells.len(), shown(reduction.column)));
    }
    match reduction.reduce {
        Reduce::Count | Reduce::Distinct => Ok(counted(distinct(&cells)?, cells.len(), at)),
        Reduce::Share => share(&cells, reduction, at),
        Reduce::Mean | Reduce::Min | Reduce::Max => numeric(&cells, reduction, at),
    }
}

/// The indices of the rows that the filter keeps. A row of which one column is known to differ is out; else every
/// column must be known.
fn kept(rows: &Rows<'_>, filter: &BTreeMap<String, Scalar>) -> Result<Vec<usize>, String> {
    let mut columns = Vec::new();
    for (name, wanted) in filter {
        columns.push((name, wanted, column_of(rows, Some(name))?));
    }
    let mut kept = Vec::new();
    for row in 0..rows.count() {
        let mut verdicts = Vec::new();
        for (name, wanted, cells) in &columns {
            let cell = cells.get(row).copied().unwrap_or(Cell::Absent);
            verdicts.push(match cell {
                Cell::Absent => Ok(false),
                Cell::Empty => Err(format!("row {} has nothing in {}", row + 1, quote(name))),
                Cell::Word(_) | Cell::Json(_) => {
                    equals(cell, wanted).map_err(|why| format!("row {}, {}: {why}", row + 1, quote(name)))
                }
            });
        }
        if !verdicts.contains(&Ok(false)) {
            verdicts.into_iter().collect::<Result<Vec<bool>, String>>()?;
            kept.push(row);
        }
    }
    Ok(kept)
}

impl Rows<'_> {
    fn count(&self) -> usize {
        match self {
            Self::Json(items) => items.len(),
            Self::Csv(table) => table.rows.len(),
        }
    }
}

/// The cells of a column, one a row. A column that no row has is a slip, not a column of nothing.
fn column_of<'a>(rows: &'a Rows<'_>, column: Option<&str>) -> Result<Vec<Cell<'a>>, String> {
    match (rows, column) {
        (Rows::Csv(table), Some(column)) => {
            let at = table.position(column)?;
            let cell = |row: &'a Vec<_>| match row.get(at).map(AsRef::as_ref) {
                None | Some("") => Cell::Empty,
                Some(word) => Cell::Word(word),
            };
            Ok(table.rows.iter().map(cell).collect())
        }
        (Rows::Csv(_), None) => Err("name the `column` to reduce".to_owned()),
        (Rows::Json(items), column) => {
            let cells: Vec<Cell<'_>> = items.iter().map(|item| json_cell(item, column)).collect();
            if !cells.is_empty() && cells.iter().all(|cell| *cell == Cell::Absent) {
                return Err(format!("no row has {}", shown(column)));
            }
            Ok(cells)
        }
    }
}

/// The cell of a JSON row: of a key, of a pointer (it begins with `/`), or the row itself.
fn json_cell<'a>(row: &'a Json, column: Option<&str>) -> Cell<'a> {
    let found = match column {
        None => Some(row),
        Some(path) if path.starts_with('/') => pointer::resolve(row, path).ok(),
        Some(key) => row.get(key),
    };
    match found {
        None => Cell::Absent,
        Some(Json::Null) => Cell::Empty,
        Some(value) => Cell::Json(value),
    }
}

/// Whether a cell is the wanted value; an error where it is of another type, or the same word written otherwise.
fn equals(cell: Cell<'_>, wanted: &Scalar) -> Result<bool, String> {
    let differs = |found: &str| format!("it is {found}, compared with {}", scalar(wanted));
    let same_text = |text: &str, wanted: &str| {
        let alike = text.trim().to_lowercase() == wanted.trim().to_lowercase();
        match (text == wanted, alike) {
            (true, _) => Ok(true),
            (false, true) => Err(differs(&quote(text))),
            (false, false) => Ok(false),
        }
    };
    match (cell, wanted) {
        (Cell::Word(word), Scalar::Text(wanted)) => same_text(word, wanted),
        (Cell::Word(word), Scalar::Number(wanted)) => match word_number(word) {
            Some(Value::Number(number)) => Ok(same(number, *wanted)),
            _ => Err(differs(&quote(word))),
        },
        (Cell::Word(word), Scalar::Bool(wanted)) => match word.to_ascii_lowercase().as_str() {
            "true" => Ok(*wanted),
            "false" => Ok(!wanted),
            _ => Err(differs(&quote(word))),
        },
        (Cell::Json(Json::Text(text)), Scalar::Text(wanted)) => same_text(text, wanted),
        (Cell::Json(Json::Number(number)), Scalar::Number(wanted)) => Ok(same(*number, *wanted)),
        (Cell::Json(Json::Bool(bool)), Scalar::Bool(wanted)) => Ok(bool == wanted),
        (Cell::Json(other), _) => Err(differs(other.kind())),
        (Cell::Absent | Cell::Empty, _) => Err(differs("nothing")),
    }
}

#[expect(clippy::float_cmp, reason = "a cell equals a number when it is the same number, not one near to it")]
fn same(one: f64, other: f64) -> bool {
    one == other
}

/// How many different values.
fn distinct(cells: &[Cell<'_>]) -> Result<usize, String> {
    let mut seen = BTreeSet::new();
    for cell in cells {
        seen.insert(match cell {
            Cell::Word(word) => ("text", (*word).to_owned()),
            Cell::Json(Json::Text(text)) => ("text", text.to_string()),
            // The shortest text that reads back as the number: `1` and `1.0` are one value, and so are `0` and `-0`.
            Cell::Json(Json::Number(number)) => ("number", (number + 0.0).to_string()),
            Cell::Json(Json::Bool(bool)) => ("boolean", bool.to_string()),
            Cell::Json(Json::Unheld(text)) => ("unheld", text.clone()),
            Cell::Json(other @ (Json::Array(_) | Json::Object(_) | Json::Null)) => {
                return Err(format!(
                    "a row holds {}; only texts, numbers and booleans are told apart",
                    other.kind()
                ));
            }
            Cell::Absent | Cell::Empty => return Err("a row holds nothing".to_owned()),
        });
    }
    Ok(seen.len())
}

fn share(cells: &[Cell<'_>], reduction: Reduction<'_>, at: String) -> Result<Metric, String> {
    let Some(wanted) = reduction.equals else {
        return Err("`share` needs `equals`: the value that it counts".to_owned());
    };
    let mut passes = 0;
    for cell in cells {
        let equal =
            equals(*cell, wanted).map_err(|why| format!("a cell of {}: {why}", shown(reduction.column)))?;
        passes += u64::from(equal);
    }
    let total = number::from_count(length(cells)?);
    let value = Value::Number(number::from_count(passes) / total);
    Ok(Metric { samples: Some(length(cells)?), rate: true, ..Metric::plain(value, at) })
}

/// Mean, least or greatest. One cell that is not finite makes the whole not finite.
fn numeric(cells: &[Cell<'_>], reduction: Reduction<'_>, at: String) -> Result<Metric, String> {
    let samples = Some(length(cells)?);
    let (mut numbers, mut wrong, mut unheld) = (Vec::new(), 0_usize, None);
    for cell in cells {
        match cell_number(*cell) {
            Some(Value::Number(number)) => numbers.push(number),
            Some(Value::NonFinite(text)) => unheld = unheld.or(Some(text)),
            Some(Value::Bool(_) | Value::Text(_)) | None => wrong += 1,
        }
    }
    if wrong > 0 {
        return Err(format!("{wrong} of {} rows have no number in {}", cells.len(), shown(reduction.column)));
    }
    if let Some(text) = unheld {
        return Ok(Metric { samples, ..Metric::plain(Value::NonFinite(text), at) });
    }
    let value = match reduction.reduce {
        Reduce::Min => numbers.iter().copied().fold(f64::INFINITY, f64::min),
        Reduce::Max => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Reduce::Mean | Reduce::Count | Reduce::Distinct | Reduce::Share => {
            number::sum(numbers.iter().copied()) / number::from_count(length(cells)?)
        }
    };
    if !value.is_finite() {
        return Ok(Metric { samples, ..Metric::plain(Value::NonFinite(value.to_string()), at) });
    }
    Ok(Metric { samples, ..Metric::plain(Value::Number(value), at) })
}

fn cell_number(cell: Cell<'_>) -> Option<Value> {
    match cell {
        Cell::Word(word) => word_number(word),
        Cell::Json(Json::Number(number)) => Some(Value::Number(*number)),
        Cell::Json(Json::Unheld(text)) => Some(Value::NonFinite(text.clone())),
        Cell::Json(Json::Null | Json::Bool(_) | Json::Text(_) | Json::Array(_) | Json::Object(_))
        | Cell::Absent
        | Cell::Empty => None,
    }
}

/// The number that a word of CSV is: as JSON writes it, or one of the words for what is none.
fn word_number(word: &str) -> Option<Value> {
    let unsigned = word.trim_start_matches(['+', '-']);
    if ["nan", "inf", "infinity"].iter().any(|other| unsigned.eq_ignore_ascii_case(other)) {
        return Some(Value::NonFinite(word.to_owned()));
    }
    if number::json_length(word) != Some(word.len()) {
        return None;
    }
    Some(number::held(word).map_or_else(|| Value::NonFinite(word.to_owned()), Value::Number))
}

fn counted(value: usize, rows: usize, at: String) -> Metric {
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let value = Value::Number(number::from_count(count(value)));
    Metric { samples: Some(count(rows)), ..Metric::plain(value, at) }
}

/// How many cells there are: none of them give no mean and no share.
fn length(cells: &[Cell<'_>]) -> Result<u64, String> {
    match u64::try_from(cells.len()) {
        Ok(0) | Err(_) => Err("no row matches: there is nothing to reduce".to_owned()),
        Ok(length) => Ok(length),
    }
}

fn describe(reduction: Reduction<'_>, rows: usize) -> String {
    let name = match reduction.reduce {
        Reduce::Count => "count",
        Reduce::Distinct => "distinct",
        Reduce::Mean => "mean",
        Reduce::Min => "min",
        Reduce::Max => "max",
        Reduce::Share => "share",
    };
    let wanted = reduction.equals.map(|wanted| format!(" = {}", scalar(wanted))).unwrap_or_default();
    format!("{name} of {}{wanted} over {rows} rows", shown(reduction.column))
}

fn shown(column: Option<&str>) -> String {
    column.map_or_else(|| "the rows themselves".to_owned(), quote)
}

fn scalar(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Text(text) => format!("the text {}", quote(text)),
        Scalar::Number(number) => format!("the number `{number}`"),
        Scalar::Bool(bool) => format!("the boolean `{bool}`"),
    }
}

#[cfg(test)]
mod tests;
