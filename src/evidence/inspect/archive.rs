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

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    use super::super::super::{Format, Reading, Report, Unreadable, read};

    const LOG: &str = r#"{"version":2,"status":"success","eval":{"task":"t","model":"m"},"plan":{},"results":{
        "total_samples":9,"completed_samples":9,"scores":[{"name":"s","metrics":{"mean":{"value":0.5}}}]}}"#;

    fn packed(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in members {
            let options = SimpleFileOptions::default().compression_method(method);
            archive.start_file(*name, options).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    fn report(bytes: &[u8]) -> Result<Report, Unreadable> {
        read(bytes, &Reading::default())
    }

    #[track_caller]
    fn refused(bytes: &[u8], expected: &str) {
        match report(bytes) {
            Err(Unreadable::Invalid(why)) => assert!(why.contains(expected), "{why}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_log_reads_the_same_however_it_is_packed() {
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated, CompressionMethod::Zstd] {
            let bytes = packed(&[("samples/1.json", b"{"), ("header.json", LOG.as_bytes())], method);
            let report = report(&bytes).unwrap();
            assert_eq!(report.format, Format::Inspect);
            assert_eq!(
                report.lookup("s/mean").unwrap().at,
                "header.json/results/scores/0/metrics/mean/value"
            );
        }
    }

    #[test]
    fn an_archive_that_is_no_finished_log_is_refused() {
        let one = |name: &str, text: &[u8]| packed(&[(name, text)], CompressionMethod::Deflated);
        refused(&one("_journal/start.json", b"{}"), "has not finished");
        refused(&one("x.json", b"{}"), "without `header.json`");
        refused(&one("header.json", b"{}"), "no log of `inspect`");
        refused(&one("header.json", &LOG.as_bytes()[..90]), "`header.json`: line");
        refused(&one("header.json", br#"{"status":"success","status":"error"}"#), "twice");
        refused(&one("header.json", b"\xff"), "no JSON value");
        let whole = one("header.json", LOG.as_bytes());
        for length in [4, 30, whole.len() / 2, whole.len() - 1] {
            refused(&whole[..length], "archive that is cut or damaged");
        }
        let mut wrong = whole.clone();
        wrong[60] ^= 1;
        assert!(report(&wrong).is_err(), "a checksum");
        let declared = Reading { declared: Some(Format::Text), ..Reading::default() };
        assert!(read(&whole, &declared).is_err());
    }

    #[test]
    fn two_members_of_one_name_are_refused() {
        let other = LOG.replace("0.5", "0.9");
        let members = [("header.json", LOG.as_bytes()), ("header.jsoX", other.as_bytes())];
        let bytes = packed(&members, CompressionMethod::Stored);
        assert!(report(&bytes).is_ok());
        let mut twice = bytes.clone();
        for at in 0..bytes.len() - 11 {
            if bytes[at..].starts_with(b"header.jsoX") {
                twice[at + 10] = b'n';
            }
        }
        refused(&twice, "two members of one name");
    }

    /// The archive, with so many bytes of extra data and of a comment in each entry of its directory, and of a comment
    /// behind that.
    fn with_more(bytes: &[u8], extra: u16, comment: u16, behind: u16) -> Vec<u8> {
        let end = bytes.len() - 22;
        let at = |from: usize| {
            usize::try_from(u32::from_le_bytes(bytes[from..from + 4].try_into().unwrap())).unwrap()
        };
        let directory = at(end + 16);
        let mut more = bytes[..directory].to_vec();
        let mut entry = directory;
        while entry < end {
            let name = usize::from(u16::from_le_bytes([bytes[entry + 28], bytes[entry + 29]]));
            let mut own = bytes[entry..entry + 46 + name].to_vec();
            own[30..32].copy_from_slice(&extra.to_le_bytes());
            own[32..34].copy_from_slice(&comment.to_le_bytes());
            if extra > 0 {
                own.extend([0xfe, 0xca]);
                own.extend((extra - 4).to_le_bytes());
                own.extend(vec![0; usize::from(extra - 4)]);
            }
            own.extend(vec![b'c'; usize::from(comment)]);
            more.extend(own);
            entry += 46 + name;
        }
        let size = u32::try_from(more.len() - directory).unwrap();
        let mut last = bytes[end..].to_vec();
        last[12..16].copy_from_slice(&size.to_le_bytes());
        last[20..22].copy_from_slice(&behind.to_le_bytes());
        [more, last, vec![b'c'; usize::from(behind)]].concat()
    }

    #[test]
    fn members_are_counted_whatever_stands_beside_their_names() {
        let members = [("header.json", LOG.as_bytes()), ("samples/1.json", b"{}"), ("samples/2.json", b"{}")];
        let bytes = packed(&members, CompressionMethod::Deflated);
        for (extra, comment, behind) in
            [(0, 0, 0), (12, 0, 0), (0, 9, 0), (12, 9, 0), (0, 0, 99), (12, 9, 99)]
        {
            let report = report(&with_more(&bytes, extra, comment, behind));
            assert!(report.is_ok(), "{extra} {comment} {behind}: {report:?}");
        }
    }

    #[test]
    fn what_unpacks_to_too_much_is_refused() {
        let bomb = [b"{\"version\":\"".to_vec(), vec![b' '; 70 * 1024 * 1024]].concat();
        for method in [CompressionMethod::Deflated, CompressionMethod::Zstd] {
            let bytes = packed(&[("header.json", &bomb)], method);
            assert!(bytes.len() < 200_000, "{}", bytes.len());
            refused(&bytes, "of text");
        }
        let bomb = [b"{\"x\":\"".to_vec(), vec![b' '; 70 * 1024 * 1024]].concat();
        refused(
            &packed(&[("header.json", &bomb)], CompressionMethod::Zstd),
            "unpacks to more than 67108864 bytes",
        );
    }
}
