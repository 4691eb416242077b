//! The options of one line of `allowed_signers`: `cert-authority`, `namespaces`, `valid-after`, `valid-before`.
//!
//! Names in any letter case, as in OpenSSH; each once; one that is not known makes the file unreadable, since it could
//! restrict the key. Times are UTC, with `Z` or without: OpenSSH reads those without in the local zone, and a verdict
//! must not depend on where it is reached.

use std::ops::Range;

use chrono::NaiveDate;

use super::line::Line;
use super::pattern::PatternList;
use crate::model::Time;
use crate::problem::Problem;

/// What the options say.
#[derive(Debug, Clone, Default)]
pub(super) struct Options {
    pub(super) authority: bool,
    pub(super) namespaces: Option<PatternList>,
    pub(super) valid_after: Option<Time>,
    pub(super) valid_before: Option<Time>,
}

impl Options {
    /// Why the line is not valid at `time`, if it is not. The end is exclusive, as the word says, and as it is for
    /// certificates; OpenSSH takes that one second in.
    pub(super) fn invalid_at(&self, time: Time) -> Option<String> {
        if let Some(after) = self.valid_after
            && time < after
        {
            return Some(format!("the key was not yet valid at {time}: it is from {after}"));
        }
        if let Some(before) = self.valid_before
            && time >= before
        {
            return Some(format!("the key was no longer valid at {time}: it was until {before}"));
        }
        (time.unix() < 0).then(|| format!("the key was not yet valid at {time}"))
    }
}

/// Reads the options at `at`, all problems collected.
pub(super) fn parse(line: Line<'_>, at: Range<usize>) -> Result<Options, Vec<Problem>> {
    let mut options = Options::default();
    let mut problems = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for option in split(line.text(&at), at.start) {
        let text = line.text(&option);
        let name = text.split('=').next().unwrap_or(text).to_ascii_lowercase();
        if seen.contains(&name) {
            problems.push(*line.problem(
                "signers-option-twice",
                &option,
                format!("`{name}` stands here twice"),
                "each option once",
            ));
            continue;
        }
        if let Err(problem) = options.set(line, &option, &name) {
            problems.push(*problem);
        }
        seen.push(name);
    }
    if let (Some(after), Some(before)) = (options.valid_after, options.valid_before)
        && before <= after
    {
        problems.push(*line.problem(
            "signers-window",
            &at,
            "the key would never be valid".to_owned(),
            "`valid-before` is later than `valid-after`",
        ));
    }
    if problems.is_empty() { Ok(options) } else { Err(problems) }
}

impl Options {
    fn set(&mut self, line: Line<'_>, at: &Range<usize>, name: &str) -> Result<(), Box<Problem>> {
        match name {
            "cert-authority" if line.text(at).len() == name.len() => self.authority = true,
            "namespaces" => {
                let list = PatternList::parse(value(line, at)?).ok_or_else(|| {
                    let help = "name one at least, separated by commas, such as `namespaces=\"git\"`";
                    line.problem(
                        "signers-option-value",
                        at,
                        "a list of namespaces that cannot be matched".to_owned(),
                        help,
                    )
                })?;
                self.namespaces = Some(list);
            }
            "valid-after" => self.valid_after = Some(moment(line, at)?),
            "valid-before" => self.valid_before = Some(moment(line, at)?),
            _ => {
                return Err(line.problem(
                    "signers-option-unknown",
                    at,
                    format!("unknown option `{}`", line.text(at)),
                    "`cert-authority`, `namespaces=\"…\"`, `valid-after=\"…\"` and `valid-before=\"…\"` are known",
                ));
            }
        }
        Ok(())
    }
}

/// Where each option stands: commas inside quotes separate nothing.
fn split(text: &str, start: usize) -> Vec<Range<usize>> {
    let mut quoted = false;
    let mut begin = start;
    let mut options = Vec::new();
    for (at, c) in text.char_indices() {
        quoted ^= c == '"';
        if c == ',' && !quoted {
            options.push(begin..start + at);
            begin = start + at + 1;
        }
    }
    options.push(begin..start + text.len());
    options
}

/// The text between the quotes of an option's value.
fn value<'a>(line: Line<'a>, at: &Range<usize>) -> Result<&'a str, Box<Problem>> {
    line.text(at)
        .split_once('=')
        .and_then(|(_, value)| value.strip_prefix('"')?.strip_suffix('"'))
        .filter(|value| !value.contains(['"', '\\']))
        .ok_or_else(|| {
            let message = format!("`{}` has no value that can be read", line.text(at));
            line.problem(
                "signers-option-value",
                at,
                message,
                "a value stands in quotes, as in `name=\"value\"`",
            )
        })
}

fn moment(line: Line<'_>, at: &Range<usize>) -> Result<Time, Box<Problem>> {
    let text = value(line, at)?;
    parse_time(text).ok_or_else(|| {
        line.problem(
            "signers-time",
            at,
            format!("`{text}` is no time"),
            "a time is `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, with `Z` or without, in UTC",
        )
    })
}

/// A time as OpenSSH writes it, later than 1970.
fn parse_time(text: &str) -> Option<Time> {
    let digits = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    if !matches!(digits.len(), 8 | 12 | 14) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number =
        |at: Range<usize>| -> Option<u32> { digits.get(at).map_or(Some(0), |part| part.parse().ok()) };
    let year = i32::try_from(number(0..4)?).ok()?;
    NaiveDate::from_ymd_opt(year, number(4..6)?, number(6..8)?)?
        .and_hms_opt(number(8..10)?, number(10..12)?, number(12..14)?)
        .and_then(|moment| Time::from_unix(moment.and_utc().timestamp()))
        .filter(|time| time.unix() > 0)
}
