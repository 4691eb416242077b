//! A `.eval` file: a ZIP archive that packs a log as `header.json`, its samples beside it.
//!
//! Members are deflated or, since Inspect 0.3.206, packed with Zstandard. Only the header is unpacked, up to a limit, and its
//! checksum must hold. Two members of one name would be two readings of one archive: it is refused.

use std::io::{Read, Seek, SeekFrom};

use zip::ZipArchive;
use zip::read::{ArchiveOffset, Config};

use super::super::json::{Json, Sieve, parse_document};

/// How an archive begins.
pub(crate) const MAGIC: &[u8] = b"PK\x03\x04";

const HEADER: &str = "header.json";
/// What is written from the start of a run on, before there is a header.
const JOURNAL: &str = "_journal/start.json";
/// What the header may unpack to: it holds results and no samples, a few kilobytes.
const MOST: u64 = 64 * 1024 * 1024;
/// The bytes of a member's entry in the directory of an archive, before its name.
const ENTRY: usize = 46;

/// The log that an archive packs, as far as it is kept.
pub(crate) fn header(file: impl Read + Seek, sieve: &Sieve) -> Result<Json, String> {
    let known = Config { archive_offset: ArchiveOffset::Known(0) };
    let mut archive = ZipArchive::with_config(known, file)
        .map_err(|error| format!("it is an archive that is cut or damaged: {error}"))?;
    if archive.index_for_name(HEADER).is_none() {
        let why = if archive.index_for_name(JOURNAL).is_some() {
            "a log of `inspect` whose run has not finished: it has no `header.json`"
        } else {
            "an archive without `header.json`: no log of `inspect`"
        };
        return Err(format!("it is {why}"));
    }
    let log = unpacked(&mut archive, sieve)?;
    let (members, directory) = (archive.len(), archive.central_directory_start());
    if entries(archive.into_inner(), directory).map_err(|error| format!("it cannot be read: {error}"))?
        != members
    {
        return Err("it is an archive that has two members of one name".to_owned());
    }
    Ok(log)
}

fn unpacked(archive: &mut ZipArchive<impl Read + Seek>, sieve: &Sieve) -> Result<Json, String> {
    let member =
        archive.by_name(HEADER).map_err(|error| format!("`{HEADER}` cannot be unpacked: {error}"))?;
    let mut limited = member.take(MOST);
    match parse_document(&mut limited, sieve) {
        _ if limited.limit() == 0 => Err(format!("`{HEADER}` unpacks to more than {MOST} bytes")),
        Ok(log) => Ok(log),
        Err(error) => Err(format!("`{HEADER}`: {error}")),
    }
}

/// How many entries the directory of an archive has, whatever their names.
fn entries(mut file: impl Read + Seek, directory: u64) -> std::io::Result<usize> {
    file.seek(SeekFrom::Start(directory))?;
    let mut file = std::io::BufReader::new(file);
    let mut count = 0;
    loop {
        let mut entry = Vec::with_capacity(ENTRY);
        file.by_ref().take(46).read_to_end(&mut entry)?;
        if entry.len() < ENTRY || !entry.starts_with(b"PK\x01\x02") {
            return Ok(count);
        }
        count += 1;
        let length = |at: usize| match entry.get(at..at + 2) {
            Some(&[low, high]) => i64::from(u16::from_le_bytes([low, high])),
            Some(_) | None => 0,
        };
        file.seek_relative(length(28) + length(30) + length(32))?;
    }
}
