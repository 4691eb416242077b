//! A report file on this machine: opened once, read in little memory, refused with the mend.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use crate::evidence::{self, External, Format, NotTheReport, Reading, Report, Unreadable};
use crate::model::limits::FILE_BYTES;

use super::{Context, Failure};

/// A file that is open.
#[derive(Debug)]
pub(super) struct ReportFile {
    /// As the user named it.
    pub(super) shown: String,
    file: File,
}

impl ReportFile {
    /// Opens a file below the directory that the command runs in.
    pub(super) fn open(context: &Context, path: &Path) -> Result<Self, Failure> {
        let shown = path.display().to_string();
        let unreadable =
            |reason: String| Failure::new("unreadable-file", format!("`{shown}` cannot be read: {reason}"));
        let whole: PathBuf = context.directory.join(path);
        #[expect(clippy::disallowed_methods, reason = "cli/ reads what the user names")]
        let file = File::open(whole).map_err(|error| unreadable(error.to_string()))?;
        let known = file.metadata().map_err(|error| unreadable(error.to_string()))?;
        if known.is_dir() {
            return Err(unreadable("it is a directory".to_owned()));
        }
        let file = if known.is_file() { Ok(file) } else { held(file) };
        Ok(Self { file: file.map_err(|error| unreadable(error.to_string()))?, shown })
    }

    /// What it says.
    pub(super) fn read(&mut self, reading: &Reading<'_>) -> Result<Report, Failure> {
        self.try_read(reading).map_err(|unreadable| self.refused(&unreadable))
    }

    /// What it says, or why it does not read.
    pub(super) fn try_read(&mut self, reading: &Reading<'_>) -> Result<Report, Unreadable> {
        evidence::read_from(&mut self.file, reading)
    }

    /// What is recorded of a report that lies elsewhere.
    pub(super) fn external(&mut self, uri: &str, format: Format) -> Result<External, Failure> {
        let begin = self.file.seek(SeekFrom::Start(0));
        let external = begin.and_then(|_| External::of(uri.to_owned(), format, &mut self.file));
        external.map_err(|error| {
            Failure::new("unreadable-file", format!("`{}` cannot be read: {error}", self.shown))
        })
    }

    /// Whether it is the report of which that was recorded.
    pub(super) fn verify(&mut self, external: &External) -> Result<(), NotTheReport> {
        self.file.seek(SeekFrom::Start(0))?;
        external.verify(&mut self.file)
    }

    /// All of its bytes; it must have at most `limit`.
    pub(super) fn bytes(&mut self, limit: u64) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        self.file
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.file.by_ref().take(limit + 1).read_to_end(&mut bytes))
            .map_err(|error| {
                Failure::new("unreadable-file", format!("`{}` cannot be read: {error}", self.shown))
            })?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
            let message = format!("`{}` cannot be read: it is larger than {} MiB", self.shown, limit >> 20);
            return Err(Failure::new("unreadable-file", message).help(
                "record where it lies, with its digest and metrics: `git gate attach --external <uri> …`",
            ));
        }
        Ok(bytes)
    }

    /// Why it is refused as a report, with the mend.
    pub(super) fn refused(&self, unreadable: &Unreadable) -> Failure {
        let message = format!("`{}` cannot be read as a report: {unreadable}", self.shown);
        let help = match unreadable {
            Unreadable::Invalid(why) if why.contains("Git LFS pointer") => format!(
                "fetch the report itself: `git lfs pull --include '{}'`; above 8 MiB record where it lies: `git gate attach --external <uri> …`",
                self.shown
            ),
            Unreadable::Empty => "run again what was to write it".to_owned(),
            Unreadable::Invalid(_) | Unreadable::FormatRefused(_) => {
                "run again what wrote it; where its format is not the one detected: `--as <format>`"
                    .to_owned()
            }
        };
        Failure::new("report-unreadable", message).help(help)
    }
}

/// What comes out of a pipe, in a file that can be read twice; what is too large to be a report beside a gate is cut where that
/// shows.
fn held(pipe: File) -> std::io::Result<File> {
    let mut file = tempfile::tempfile()?;
    std::io::copy(&mut pipe.take(FILE_BYTES + 1), &mut file)?;
    Ok(file)
}

/// A format by its name, for arguments.
pub(super) fn format_of_name(name: &str) -> Result<Format, String> {
    Format::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Format::ALL.into_iter().map(Format::as_str).collect();
        format!("formats: {}", names.join(", "))
    })
}
