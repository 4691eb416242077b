//! Bytes → report: which format a file has, whether it may have it, and what it then says.
//!
//! Detection is by content and never by name. A request may only say what detection cannot see (`csv`), or call plain
//! what no specific format recognizes: else it could have a report read by another mapping than the one that the policy
//! made for it (design, section 7).

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use super::content::{Content, HELD, HELD_TEXT, broken};
use super::json::Sieve;
use super::names::{Names, Native};
use super::{
    External, Format, Mapping, Metric, Reading, Report, RunStatus, Shape, Source, Unreadable, csv, deepeval,
    findings, garak, inspect, junit, lm_eval, mapping, metrics, promptfoo, quote_all, rollback, sarif,
};

/// A format that recognizes its files by their content.
struct Specific {
    format: Format,
    /// What of a JSON file its reader looks at: paths, `*` for any key or item, `**` at the end for all below. What no
    /// path names is checked for being JSON and then dropped, so that a report of any size is read in little memory. A
    /// path keeps the value there; of an object or array only what other paths name below it. A reader must therefore
    /// look at nothing that it does not name here, in small files as in large ones. Rows of JSON Lines are named as if
    /// each were the document.
    keeps: &'static [&'static str],
    recognizes: fn(&Content<'_>) -> bool,
    read: fn(&Content<'_>, &Reading<'_>) -> Result<Native, String>,
    /// What a file that it does not recognize lacks, or is instead.
    hint: fn(&Content<'_>) -> String,
}

/// The formats that recognize their files. A new one is its file and its line here.
const SPECIFIC: [Specific; 11] = [
    Specific {
        format: Format::Rollback,
        keeps: &[],
        recognizes: rollback::recognizes,
        read: rollback::read,
        hint: rollback::hint,
    },
    Specific {
        format: Format::Deepeval,
        keeps: deepeval::KEEPS,
        recognizes: deepeval::recognizes,
        read: deepeval::read,
        hint: deepeval::hint,
    },
    Specific {
        format: Format::Garak,
        keeps: garak::KEEPS,
        recognizes: garak::recognizes,
        read: garak::read,
        hint: garak::hint,
    },
    Specific {
        format: Format::Inspect,
        keeps: inspect::KEEPS,
        recognizes: inspect::recognizes,
        read: inspect::read,
        hint: inspect::hint,
    },
    Specific {
        format: Format::Junit,
        keeps: &[],
        recognizes: junit::recognizes,
        read: junit::read,
        hint: junit::hint,
    },
    Specific {
        format: Format::LmEval,
        keeps: lm_eval::KEEPS,
        recognizes: lm_eval::recognizes,
        read: lm_eval::read,
        hint: lm_eval::hint,
    },
    Specific {
        format: Format::Promptfoo,
        keeps: promptfoo::KEEPS,
        recognizes: promptfoo::recognizes,
        read: promptfoo::read,
        hint: promptfoo::hint,
    },
    Specific {
        format: Format::Sarif,
        keeps: sarif::KEEPS,
        recognizes: sarif::recognizes,
        read: sarif::read,
        hint: sarif::hint,
    },
    Specific {
        format: Format::Trivy,
        keeps: findings::trivy::KEEPS,
        recognizes: findings::trivy::recognizes,
        read: findings::trivy::read,
        hint: findings::trivy::hint,
    },
    Specific {
        format: Format::Grype,
        keeps: findings::grype::KEEPS,
        recognizes: findings::grype::recognizes,
        read: findings::grype::read,
        hint: findings::grype::hint,
    },
    Specific {
        format: Format::CycloneDxVex,
        keeps: findings::vex::KEEPS,
        recognizes: findings::vex::recognizes,
        read: findings::vex::read,
        hint: findings::vex::hint,
    },
];

/// The format that a file's content shows.
pub fn detect(bytes: &[u8]) -> Result<Format, Unreadable> {
    detected(&Content::of(bytes, &sieve([]))?)
}

/// Whether a file is one that reports of its kind are read with: a VEX document, or a report or hit log of garak.
pub fn is_companion(bytes: &[u8]) -> bool {
    matches!(detect(bytes), Ok(Format::CycloneDxVex | Format::Garak))
}

/// What the file says, under the rules of `reading`.
pub fn read(bytes: &[u8], reading: &Reading<'_>) -> Result<Report, Unreadable> {
    let content = Content::of(bytes, &sieve(mappings(reading)))?;
    understood(&content, reading)
}

/// What is kept of JSON files that are read with the same mappings: worked out once, for who reads many.
#[derive(Debug, Clone)]
pub struct Keeping {
    mappings: BTreeMap<String, Vec<Mapping>>,
    sieve: Sieve,
}

impl Keeping {
    /// What is kept where the policy makes these mappings.
    pub fn of(mappings: &BTreeMap<String, Vec<Mapping>>) -> Self {
        Self { mappings: mappings.clone(), sieve: sieve(mappings.values().flatten()) }
    }

    /// Whether it is for these mappings.
    pub fn is_of(&self, mappings: &BTreeMap<String, Vec<Mapping>>) -> bool {
        self.mappings == *mappings
    }

    /// What the file says, as [`read`] does, under the rules of `reading`; its mappings are those that this is for.
    pub fn read(&self, bytes: &[u8], reading: &Reading<'_>) -> Result<Report, Unreadable> {
        let reading = Reading { mappings: Some(&self.mappings), ..reading.clone() };
        let content = Content::of(bytes, &self.sieve)?;
        understood(&content, &reading)
    }
}

/// What a file of any size says, as [`read`] does. JSON of more than 8 MiB is read through a small window: only what its format's
/// reader and the policy's mappings look at is kept (`keeps` of each format). Other text is held, up to 64 MiB.
pub fn read_from(mut file: impl Read + Seek, reading: &Reading<'_>) -> Result<Report, Unreadable> {
    let size = file.seek(SeekFrom::End(0)).map_err(|error| broken(&error))?;
    file.seek(SeekFrom::Start(0)).map_err(|error| broken(&error))?;
    if size > HELD {
        if let Some(content) = Content::streamed(&mut file, &sieve(mappings(reading))) {
            return understood(&content?, reading);
        }
        file.seek(SeekFrom::Start(0)).map_err(|error| broken(&error))?;
    }
    if size > HELD_TEXT {
        return Err(Unreadable::Invalid(format!(
            "it is larger than {} MiB and does not begin like JSON; of that size only JSON and archives are read",
            HELD_TEXT / (1024 * 1024)
        )));
    }
    let mut bytes = Vec::new();
    file.take(HELD_TEXT).read_to_end(&mut bytes).map_err(|error| broken(&error))?;
    read(&bytes, reading)
}

fn understood(content: &Content<'_>, reading: &Reading<'_>) -> Result<Report, Unreadable> {
    let format = settled(content, reading)?;
    if format != Format::Metrics {
        allowed(format, format, reading)?;
    }
    let native = native(content, format, reading)?;
    if let Some(external) = &native.external {
        allowed(format, external.format, reading)?;
    }
    Ok(report(content, format, native, reading))
}

/// What one mapping reads from a file: for the metrics that a request maps itself, which are shown and never judged.
pub fn map_one(bytes: &[u8], format: Format, mapping: &Mapping) -> Result<Metric, String> {
    let content = Content::of(bytes, &sieve([mapping])).map_err(|unreadable| unreadable.to_string())?;
    let reading = Reading { external_allowed: true, ..Reading::default() };
    let native = native(&content, format, &reading).map_err(|unreadable| unreadable.to_string())?;
    mapping::evaluate(&content, format, &native.names, mapping)
}

fn mappings<'a>(reading: &Reading<'a>) -> impl Iterator<Item = &'a Mapping> {
    reading.mappings.into_iter().flat_map(BTreeMap::values).flatten()
}

/// What is kept of a JSON file: all that any format or one of the mappings looks at.
fn sieve<'a>(mappings: impl IntoIterator<Item = &'a Mapping>) -> Sieve {
    let mut sieve = Sieve::default();
    for path in SPECIFIC.iter().flat_map(|specific| specific.keeps).chain(metrics::KEEPS) {
        sieve.keep_path(path);
    }
    for path in mappings.into_iter().flat_map(mapping::keeps) {
        sieve.keep(path);
    }
    sieve.settle()
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::Invalid(why) | Self::FormatRefused(why) => f.write_str(why),
        }
    }
}

fn detected(content: &Content<'_>) -> Result<Format, Unreadable> {
    if let Some(packed) = &content.packed {
        let log = packed.as_ref().map_err(|why| Unreadable::Invalid(why.clone()))?;
        return inspect::is_log(log).then_some(Format::Inspect).ok_or_else(|| {
            Unreadable::Invalid("it is an archive, and what it packs is no log of `inspect`".to_owned())
        });
    }
    let found: Vec<Format> = SPECIFIC
        .iter()
        .filter(|specific| (specific.recognizes)(content))
        .map(|specific| specific.format)
        .collect();
    match (found.as_slice(), &content.json) {
        ([one], _) => Ok(*one),
        ([], Ok(_)) => Ok(Format::Json),
        ([], Err(error)) if content.begins_like_json() => Err(Unreadable::Invalid(format!(
            "it begins like JSON and is none: {error}; if it is meant as text, declare `format = \"text\"`"
        ))),
        ([], Err(_)) => Ok(Format::Text),
        (several, _) => Err(Unreadable::Invalid(format!(
            "it reads as several formats: {}; a report has one",
            quote_all(several.iter().map(|format| format.as_str()))
        ))),
    }
}

/// The format to read in: the declared one where detection leaves it open, else the detected one.
fn settled(content: &Content<'_>, reading: &Reading<'_>) -> Result<Format, Unreadable> {
    let Some(declared) = reading.declared else { return detected(content) };
    if is_pinned(content, declared, reading.allowed) {
        return Ok(declared);
    }
    let recognized = match detected(content) {
        Ok(format) => SPECIFIC.iter().any(|specific| specific.format == format).then_some(format),
        // JSON that is broken may be text; a file of two formats is none, nor is an archive.
        Err(_) if content.json.is_err() && content.packed.is_none() => None,
        Err(unreadable) => return Err(unreadable),
    };
    match (recognized, SPECIFIC.iter().find(|specific| specific.format == declared)) {
        (Some(found), _) if found == declared => Ok(declared),
        (Some(found), Some(_)) => Err(Unreadable::Invalid(format!(
            "it is declared as `{}` and is `{}`; leave `format` out",
            declared.as_str(),
            found.as_str()
        ))),
        (Some(found), None) => Err(Unreadable::FormatRefused(format!(
            "`{}` may not be declared for a file that is `{}`; leave `format` out",
            declared.as_str(),
            found.as_str()
        ))),
        (None, Some(specific)) => Err(Unreadable::Invalid(format!(
            "it is no `{}` report: {}",
            declared.as_str(),
            (specific.hint)(content)
        ))),
        (None, None) => Ok(declared),
    }
}

/// Whether a file that several formats recognize is declared as the only one of them that the policy allows: then the policy
/// says what it is, and nobody else can have it read otherwise.
fn is_pinned(content: &Content<'_>, declared: Format, allowed: Option<&[Format]>) -> bool {
    let Some(allowed) = allowed else { return false };
    let recognizing = SPECIFIC.iter().filter(|specific| (specific.recognizes)(content));
    let mut possible = recognizing.map(|specific| specific.format).filter(|format| allowed.contains(format));
    possible.next() == Some(declared) && possible.next().is_none()
}

/// Whether the policy takes the format, or that of the report that a file stands for.
fn allowed(own: Format, format: Format, reading: &Reading<'_>) -> Result<(), Unreadable> {
    let Some(allowed) = reading.allowed else { return Ok(()) };
    if allowed.contains(&format) || allowed.contains(&own) {
        return Ok(());
    }
    let undetected = reading.declared.is_none() && allowed.contains(&Format::Csv);
    Err(Unreadable::FormatRefused(format!(
        "it is `{}`; the policy allows {} for this kind{}",
        format.as_str(),
        quote_all(allowed.iter().map(|format| format.as_str())),
        if undetected { " (declare `format = \"csv\"` if it is that: it is never detected)" } else { "" }
    )))
}

fn native(content: &Content<'_>, format: Format, reading: &Reading<'_>) -> Result<Native, Unreadable> {
    if let Some(specific) = SPECIFIC.iter().find(|specific| specific.format == format) {
        return (specific.read)(content, reading).map_err(Unreadable::Invalid);
    }
    if format == Format::Metrics {
        return metrics::read(content, reading);
    }
    if content.streamed && format != Format::Json {
        let why = format!("it is too large to be read as `{}`", format.as_str());
        return Err(Unreadable::Invalid(why));
    }
    match (format.shape(), &content.json) {
        (Shape::Json, Err(error)) => return Err(Unreadable::Invalid(format!("it is no JSON: {error}"))),
        (Shape::Delimited, _) => csv::check(content.text, reading.mappings).map_err(Unreadable::Invalid)?,
        (Shape::Json, Ok(_)) | (Shape::NamedJson | Shape::Opaque, _) => {}
    }
    Ok(Native::finished(Names::default()))
}

/// The report: the format's own metrics and the policy's, none of either for a run that did not finish well and may not
/// count.
fn report(content: &Content<'_>, format: Format, native: Native, reading: &Reading<'_>) -> Report {
    let withheld = match &native.status {
        RunStatus::Unfinished(status) if !reading.unfinished_allowed => Some(status.clone()),
        RunStatus::Unfinished(_) | RunStatus::Finished => None,
    };
    let mut mapped = BTreeMap::new();
    for (name, mappings) in reading.mappings.into_iter().flatten() {
        let here = mappings_here(mappings, format, native.external.as_ref());
        let value = match (here.as_slice(), &withheld) {
            ([], _) => continue,
            (_, Some(status)) => Err(format!("the run did not finish well: {}", super::quote(status))),
            ([one], None) => mapping::evaluate(content, format, &native.names, one),
            (_, None) => Err(format!("the policy maps it more than once for format `{}`", format.as_str())),
        };
        mapped.insert(name.clone(), value);
    }
    let names = if withheld.is_some() { Names::default() } else { native.names };
    Report {
        format,
        status: native.status,
        metrics: names.metrics,
        ambiguous: names.ambiguous,
        mapped,
        tested: native.tested,
        external: native.external,
    }
}

/// The mappings that are for the file's format. Of a report that lies elsewhere also those for its own format that read one of
/// its metrics by name: the policy's word goes before what was extracted.
fn mappings_here(mappings: &[Mapping], format: Format, external: Option<&External>) -> Vec<Mapping> {
    let own = |mapping: &&Mapping| mapping.format.is_none_or(|own| own == format);
    let here: Vec<Mapping> = mappings.iter().filter(own).cloned().collect();
    let Some(external) = external.filter(|_| here.is_empty()) else { return here };
    let by_name = |mapping: &&Mapping| match &mapping.source {
        Source::Value { value, .. } => mapping.format == Some(external.format) && !value.starts_with('/'),
        Source::Rows { .. } => false,
    };
    let any_format = |mapping: &Mapping| Mapping { format: None, ..mapping.clone() };
    mappings.iter().filter(by_name).map(any_format).collect()
}

#[cfg(test)]
mod tests;
