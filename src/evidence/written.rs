//! Mappings of a report's values to metric names, as policies and requests write them (design, section 6).

use std::collections::BTreeMap;

use super::{Format, Mapping, Reduce, Scalar, Source};
use crate::problem::document::{Kind, Value};
use crate::problem::section::{Reader, Section, listed};

/// Longest name of a metric, or pointer to one, in bytes.
const METRIC_BYTES: usize = 512;

/// The codes for what can be wrong with a mapping.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MappingCodes {
    /// A format that this program does not know.
    pub(crate) format: &'static str,
    /// Keys that do not go together.
    pub(crate) mapping: &'static str,
}

/// Those of policies.
pub(crate) const MAPPING_CODES: MappingCodes =
    MappingCodes { format: "policy-unknown-format", mapping: "policy-mapping" };

/// A table of metric names, each with one mapping or a list of them, one a format.
pub(crate) fn mappings<'r>(
    reader: &'r Reader<'r>,
    value: &'r Value,
    codes: MappingCodes,
) -> Option<BTreeMap<String, Vec<Mapping>>> {
    metrics(reader, value, |reader, value| match &value.kind {
        Kind::Array(values) if values.is_empty() => {
            reader.bad(&value.span, "an empty list", "give at least one mapping")
        }
        Kind::Array(_) => {
            let list = reader.list(value, |reader, value| mapping(reader, value, codes))?;
            one_a_format(reader, value, &list, codes);
            Some(list)
        }
        Kind::Text(_)
        | Kind::Integer(_)
        | Kind::Float(_)
        | Kind::Boolean(_)
        | Kind::Moment(_)
        | Kind::Table(_) => Some(vec![mapping(reader, value, codes)?]),
    })
}

/// A table whose keys are metric names.
pub(crate) fn metrics<'r, T>(
    reader: &'r Reader<'r>,
    value: &'r Value,
    read: impl Fn(&'r Reader<'r>, &'r Value) -> Option<T>,
) -> Option<BTreeMap<String, T>> {
    let Kind::Table(table) = &value.kind else { return reader.wrong_type(value, "a table") };
    let mut metrics = BTreeMap::new();
    for (name, entry) in table {
        if !is_metric_name(name) {
            let help = "1 to 512 bytes of printable text, as the report writes it";
            reader.problem(
                reader.codes().bad_value,
                entry.key.clone(),
                "this cannot be a metric's name",
                help,
            );
        }
        if let Some(read) = read(reader, &entry.value) {
            metrics.insert(name.clone(), read);
        }
    }
    Some(metrics)
}

/// The value as a metric's name.
pub(crate) fn metric_name<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<String> {
    let text = reader.text(value)?;
    if is_metric_name(text) {
        return Some(text.to_owned());
    }
    reader.bad(&value.span, "this cannot be a metric's name", "1 to 512 bytes of printable text")
}

fn is_metric_name(text: &str) -> bool {
    (1..=METRIC_BYTES).contains(&text.len()) && crate::model::escape(text) == text
}

/// The value as a format.
pub(crate) fn format<'r>(reader: &'r Reader<'r>, value: &'r Value, codes: MappingCodes) -> Option<Format> {
    let text = reader.text(value)?;
    let format = Format::from_name(text);
    if format.is_none() {
        let help = format!("formats: {}", listed(Format::ALL.iter().map(|format| format.as_str())));
        reader.problem(codes.format, value.span.clone(), format!("unknown format `{text}`"), help);
    }
    format
}

/// One mapping: a table, or the short form, a string that is its `value`.
pub(crate) fn mapping<'r>(reader: &'r Reader<'r>, value: &'r Value, codes: MappingCodes) -> Option<Mapping> {
    if matches!(value.kind, Kind::Text(_)) {
        let source =
            Source::Value { value: metric_name(reader, value)?, samples: None, stderr: None, errors: None };
        return Some(Mapping { format: None, source, rate: false });
    }
    let section = reader.section(value)?;
    let format_there = section.has("format");
    let format = section.optional("format", |reader, value| format(reader, value, codes));
    let rate = section.defaulted("rate", false, Reader::flag);
    let rows = ["select", "where", "column", "reduce", "equals", "delimiter"];
    let source = match (section.has("value"), rows.iter().any(|key| section.has(key))) {
        (true, false) => one_value(&section, format, rate?, codes),
        (false, true) => some_rows(&section, format, rate?, codes),
        (true, true) => {
            let help = "one of `value` and `select where column reduce equals delimiter`";
            reader.problem(codes.mapping, section.span(), "a mapping reads one value or reduces rows", help);
            ask_all(&section);
            None
        }
        (false, false) => {
            let help = "add `value`, or `column` and `reduce`";
            reader.problem(codes.mapping, section.span(), "a mapping that reads nothing", help);
            ask_all(&section);
            None
        }
    };
    section.finish();
    if format_there && format.is_none() {
        return None;
    }
    Some(Mapping { format, source: source?, rate: rate? })
}

/// Marks every key of a mapping as known, where the mapping as a whole is refused already.
fn ask_all(section: &Section<'_>) {
    for key in
        ["value", "samples", "stderr", "errors", "select", "where", "column", "reduce", "equals", "delimiter"]
    {
        let _seen: Option<()> = section.optional(key, |_, _| None);
    }
}

fn one_value(
    section: &Section<'_>,
    format: Option<Format>,
    rate: bool,
    codes: MappingCodes,
) -> Option<Source> {
    let reader = section.reader();
    let refuse = |key: &str, message: &str, help: &str| {
        reader.problem(codes.mapping, section.span_of(key), message, help);
    };
    let value = section.required("value", metric_name);
    let samples = section.optional("samples", metric_name);
    let stderr = section.optional("stderr", metric_name);
    let errors = section.optional("errors", metric_name);
    match format {
        Some(Format::Csv) => refuse("format", "rows have no single value", "use `column` and `reduce`"),
        Some(Format::Text) => refuse("format", "text has no metrics", "use another format"),
        Some(Format::Json) => {
            if rate && samples.is_none() {
                refuse("rate", "a rate is out of a number of samples", "add `samples`");
            }
            for (key, pointer) in
                [("value", &value), ("samples", &samples), ("stderr", &stderr), ("errors", &errors)]
            {
                if pointer.as_ref().is_some_and(|pointer| !is_pointer(pointer)) {
                    refuse(key, "not a JSON pointer", "a pointer begins with `/`, such as `/summary/n`");
                }
            }
        }
        None | Some(_) => {}
    }
    Some(Source::Value { value: value?, samples, stderr, errors })
}

fn some_rows(
    section: &Section<'_>,
    format: Option<Format>,
    rate: bool,
    codes: MappingCodes,
) -> Option<Source> {
    let reader = section.reader();
    let refuse = |key: &str, message: &str, help: &str| {
        reader.problem(codes.mapping, section.span_of(key), message, help);
    };
    let select = section.optional("select", pointer);
    let filter =
        section.optional("where", |reader, value| metrics(reader, value, scalar)).unwrap_or_default();
    let column = section.optional("column", metric_name);
    let reduce = section.required("reduce", |reader, value| reader.choice(value, &REDUCES));
    let equals = section.optional("equals", scalar);
    let delimiter = section.defaulted("delimiter", b',', delimiter);
    match format {
        Some(Format::Csv) if section.has("select") => {
            refuse("select", "a CSV file is rows from the start", "leave `select` out");
        }
        Some(Format::Csv) | None => {}
        Some(_) if section.has("delimiter") => refuse("delimiter", "only CSV has one", "leave it out"),
        Some(Format::Text) => refuse("format", "text has no rows", "use another format"),
        // Whether a report of another format has rows is its reader's to say: without them there is no metric.
        Some(_) => {}
    }
    let reduce = reduce?;
    if reduce != Reduce::Count && !section.has("column") {
        refuse("reduce", "this reduces a column", "add `column`");
    }
    if (reduce == Reduce::Share) != section.has("equals") {
        refuse("equals", "`equals` is what `share` counts", "use both or neither");
    }
    if rate && reduce != Reduce::Share {
        refuse("rate", "only a share is a rate", "leave `rate` out, or use `reduce = \"share\"`");
    }
    Some(Source::Rows { select, filter, column, reduce, equals, delimiter: delimiter? })
}

const REDUCES: [(&str, Reduce); 6] = [
    ("count", Reduce::Count),
    ("distinct", Reduce::Distinct),
    ("mean", Reduce::Mean),
    ("min", Reduce::Min),
    ("max", Reduce::Max),
    ("share", Reduce::Share),
];

fn is_pointer(text: &str) -> bool {
    let escapes_well = text.split('~').skip(1).all(|behind| behind.starts_with(['0', '1']));
    (text.is_empty() || text.starts_with('/')) && escapes_well
}

fn pointer<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<String> {
    let text = reader.text(value)?;
    if is_pointer(text) && text.len() <= METRIC_BYTES {
        return Some(text.to_owned());
    }
    let help = "empty for the whole, or beginning with `/`, such as `/results/rows`";
    reader.bad(&value.span, format!("`{text}` is no JSON pointer"), help)
}

fn delimiter<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<u8> {
    let text = reader.text(value)?;
    match text.as_bytes() {
        [byte] if (byte.is_ascii_punctuation() || matches!(byte, b'\t' | b' ')) && *byte != b'"' => {
            Some(*byte)
        }
        _ => reader.bad(&value.span, format!("`{text}` cannot delimit"), "one of `,` `;` `|` or a tab"),
    }
}

/// A text, a finite number, or a boolean.
pub(crate) fn scalar<'r>(reader: &'r Reader<'r>, value: &'r Value) -> Option<Scalar> {
    match &value.kind {
        Kind::Text(text) => Some(Scalar::Text(text.clone())),
        Kind::Boolean(flag) => Some(Scalar::Bool(*flag)),
        Kind::Integer(_) | Kind::Float(_) => reader.number(value).map(Scalar::Number),
        Kind::Moment(_) | Kind::Array(_) | Kind::Table(_) => {
            reader.wrong_type(value, "a string, a number or a boolean")
        }
    }
}

/// Of several mappings of one metric, each is for a format of its own: nobody has to guess which one holds.
fn one_a_format<'r>(reader: &'r Reader<'r>, value: &'r Value, list: &[Mapping], codes: MappingCodes) {
    let mut formats: Vec<Option<Format>> = list.iter().map(|mapping| mapping.format).collect();
    formats.sort_unstable();
    let twice = formats.windows(2).any(|pair| pair.first() == pair.last());
    if twice || (list.len() > 1 && formats.contains(&None)) {
        let help = "give each mapping of a list a `format` of its own";
        reader.problem(codes.mapping, value.span.clone(), "mappings that could both hold", help);
    }
}
