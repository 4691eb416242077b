//! Format `rollback`: a rollback drill, in TOML, written by hand.
//!
//! `schema = 1`, `plan`, `tested` (a date, or a date-time with an offset), `duration` → `rollback.seconds`.

use serde::Deserialize;

use super::content::Content;
use super::names::{Names, Native};
use super::{Metric, Reading, Value, number, quote};
use crate::model::{Duration, Time};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RollbackWire {
    schema: i64,
    plan: String,
    tested: toml::value::Datetime,
    duration: String,
}

/// Whether the file is TOML with the keys that make a drill. Others may be missing or wrong: then it is unreadable,
/// not plain text.
pub(crate) fn recognizes(content: &Content<'_>) -> bool {
    let names_both = content.text.contains("tested") && content.text.contains("duration");
    if content.json.is_ok() || !names_both {
        return false;
    }
    toml::from_str::<toml::Table>(content.text)
        .is_ok_and(|table| table.contains_key("tested") && table.contains_key("duration"))
}

/// What a file that is declared and not recognized lacks.
pub(crate) fn hint(content: &Content<'_>) -> String {
    read(content, &Reading::default()).err().unwrap_or_default()
}

/// The drill.
pub(crate) fn read(content: &Content<'_>, _reading: &Reading<'_>) -> Result<Native, String> {
    let wire: RollbackWire = toml::from_str(content.text).map_err(|error| explain(content.text, &error))?;
    if wire.schema != 1 {
        return Err(format!("`schema` is {}; `schema = 1` is known here", wire.schema));
    }
    if wire.plan.trim().is_empty() {
        return Err("`plan` is empty; say how to roll back, or name the document that does".to_owned());
    }
    let tested = moment(&wire.tested)?;
    let duration: Duration =
        wire.duration.parse().map_err(|wrong| format!("`duration` is {}: {wrong}", quote(&wire.duration)))?;
    let seconds =
        u64::try_from(duration.seconds()).map_err(|_negative| "`duration` is negative".to_owned())?;
    let mut names = Names::default();
    let metric = Metric::plain(Value::Number(number::from_count(seconds)), "duration");
    names.add("rollback.seconds".to_owned(), metric);
    Ok(Native { tested: Some(tested), ..Native::finished(names) })
}

/// A date alone is 00:00 UTC; a date-time needs an offset (design, section 6).
fn moment(written: &toml::value::Datetime) -> Result<Time, String> {
    let text = written.to_string();
    let whole = match (&written.date, &written.time) {
        (Some(_), None) => format!("{text}T00:00:00Z"),
        _ => text.clone(),
    };
    whole.parse().map_err(|_wrong| {
        format!(
            "`tested` is {}; write a date, or a date-time with an offset: 2026-10-01T16:00:00Z",
            quote(&text)
        )
    })
}

/// The error of the TOML library in one line, with the line it is about.
fn explain(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let what = error.message().lines().next().unwrap_or_default();
    format!("line {}: {what}", before.matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::super::{Format, Reading, Unreadable, detect, read};

    fn reading() -> Reading<'static> {
        Reading { declared: Some(Format::Rollback), ..Reading::default() }
    }

    const GOOD: &str = "schema = 1\nplan = \"docs/rollback.md\"\ntested = 2026-10-01\nduration = \"4m30s\"\n";

    #[test]
    fn a_drill_gives_its_seconds_and_when_it_was_made() {
        for (tested, expected) in [
            ("2026-10-01", "2026-10-01T00:00:00Z"),
            ("2026-10-01T12:00:00Z", "2026-10-01T12:00:00Z"),
            ("2026-10-01 12:00:00.25+02:00", "2026-10-01T10:00:00Z"),
        ] {
            let text = GOOD.replace("2026-10-01", tested);
            let report = read(text.as_bytes(), &reading()).unwrap();
            assert_eq!(report.tested.unwrap().to_string(), expected);
            let metric = report.lookup("rollback.seconds").unwrap();
            assert_eq!((&metric.value, metric.at.as_str()), (&super::Value::Number(270.0), "duration"));
        }
        assert_eq!(detect(GOOD.as_bytes()), Ok(Format::Rollback));
    }

    #[test]
    fn a_drill_that_is_not_whole_gives_nothing() {
        for (from, to, expected) in [
            ("schema = 1", "schema = 2", "`schema = 1` is known here"),
            ("schema = 1\n", "", "missing field `schema`"),
            ("plan = \"docs/rollback.md\"", "plan = \" \"", "`plan` is empty"),
            ("tested = 2026-10-01", "tested = 2026-10-01T12:00:00", "with an offset"),
            ("tested = 2026-10-01", "tested = 12:00:00", "with an offset"),
            ("tested = 2026-10-01", "tested = \"2026-10-01\"", "line 3"),
            ("\"4m30s\"", "270", "line 4"),
            ("\"4m30s\"", "\"4.5m\"", "a duration is"),
            ("duration", "tested = 2026-10-02\nduration", "line 4"),
            ("duration", "took", "unknown field `took`"),
            ("\"4m30s\"", "\"4m30s\"\nmax = 1", "unknown field `max`"),
        ] {
            let text = GOOD.replace(from, to);
            match read(text.as_bytes(), &reading()) {
                Err(Unreadable::Invalid(why)) => {
                    assert!(why.contains(expected), "{why} should say {expected}");
                }
                other => panic!("{text} gave {other:?}"),
            }
        }
    }

    #[test]
    fn a_drill_is_known_by_both_its_keys_and_is_no_json() {
        for (text, expected) in [
            ("tested = 2026-10-01\nduration = 1\n", Format::Rollback),
            ("tested = 2026-10-01\nnote = \"duration\"\n", Format::Text),
            ("duration = \"5m\"\nnote = \"tested\"\n", Format::Text),
            // Tables to TOML, and rows to JSON Lines.
            ("[\"tested\"]\n[\"duration\"]\n", Format::Json),
        ] {
            assert_eq!(detect(text.as_bytes()), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_drill_cannot_pass_as_text() {
        let reading = Reading { declared: Some(Format::Text), ..Reading::default() };
        assert!(matches!(read(GOOD.as_bytes(), &reading), Err(Unreadable::FormatRefused(_))));
    }
}
