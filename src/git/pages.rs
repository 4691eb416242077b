//! The index's bytes, kept in the repository's git directory: numbered segments of pages in a database, shared by all work
//! trees.
//!
//! Each segment has a digest over the digests of its pages and over all segments before it, from the key on (version, trust
//! root). That chain is compared before any page is handed out, and each page before any byte of it is: what was flipped,
//! edited, cut off or copied in is no index of ours. Pages are read when they are asked for; a page that is not what it
//! should be makes the whole *lost*, for good, and who has asked must not use what was answered ([`Pages::is_lost`]). What
//! the bytes mean is not known here. Nothing here ever fails a command: what cannot be read is not there, what cannot be
//! written is not kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior, params,
};
use sha2::{Digest as _, Sha256};

use super::{Repository, found};

/// Its file, below `gate/`.
const FILE: &str = "index-v1.sqlite";

/// Largest file that is read: far more than ten million commits need.
const MOST_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// How long a reader waits for a writer, and a writer for another: both can do without.
const WAIT: Duration = Duration::from_millis(500);

/// How many bytes one page holds; the last of a segment holds fewer.
const PAGE: usize = 8 * 1024;

/// The number of a page: that of its segment times this, and its place in it.
const MOST_PAGES: i64 = 1 << 24;

const TABLES: [&str; 3] = [
    "CREATE TABLE segments (number INTEGER PRIMARY KEY, digest BLOB NOT NULL, length INTEGER NOT NULL, pages BLOB NOT NULL) \
     STRICT",
    "CREATE TABLE pages (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT",
    found::TABLE,
];

/// An index that is open.
#[derive(Debug)]
pub struct Pages {
    pub(super) connection: Mutex<Connection>,
    segments: Vec<Segment>,
    lost: AtomicBool,
}

#[derive(Debug)]
struct Segment {
    digest: [u8; 32],
    length: usize,
    digests: Vec<[u8; 32]>,
    pages: Vec<OnceLock<Box<[u8]>>>,
}

/// What stands where the index is kept.
#[derive(Debug)]
pub enum Recalled {
    /// Nothing, or nothing that can be read now.
    Nothing,
    /// What is no index of this repository, trust root and version: why.
    Unfit(&'static str),
    /// An index.
    Pages(Pages),
}

impl Pages {
    /// How many segments there are.
    pub fn segments(&self) -> usize {
        self.segments.len()
    }

    /// How many bytes a segment holds.
    pub fn length(&self, segment: usize) -> usize {
        self.segments.get(segment).map_or(0, |segment| segment.length)
    }

    /// Whether something of it was not what it should be: then nothing that it said may be used.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Says that what was read makes no sense.
    pub fn lose(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }

    /// Reads the bytes of a segment from a place on, as many as `into` takes; else it is lost, and they are left alone.
    pub fn read(&self, segment: usize, from: usize, into: &mut [u8]) -> bool {
        let mut from = from;
        let mut rest = into;
        while !rest.is_empty() {
            let Some(page) = self.page(segment, from / PAGE).and_then(|page| page.get(from % PAGE..)) else {
                self.lose();
                return false;
            };
            let length = rest.len().min(page.len());
            let (Some(page), true) = (page.get(..length), length > 0) else {
                self.lose();
                return false;
            };
            let (now, later) = rest.split_at_mut(length);
            now.copy_from_slice(page);
            rest = later;
            from += length;
        }
        true
    }

    /// Reads and compares every page, so that nothing is lost later; whether all are what they should be.
    pub fn read_all(&self) -> bool {
        let all = (0..)
            .zip(&self.segments)
            .all(|(at, segment)| (0..segment.digests.len()).all(|number| self.page(at, number).is_some()));
        all && !self.is_lost()
    }

    fn page(&self, segment: usize, number: usize) -> Option<&[u8]> {
        let known = self.segments.get(segment)?;
        let slot = known.pages.get(number)?;
        if let Some(page) = slot.get() {
            return Some(page);
        }
        let bytes = self.fetch(page_number(segment + 1, number)?)?;
        let length = known.length.checked_sub(number * PAGE)?.min(PAGE);
        if bytes.len() != length || Sha256::digest(&bytes).as_slice() != known.digests.get(number)? {
            return None;
        }
        Some(slot.get_or_init(|| bytes.into_boxed_slice()))
    }

    fn fetch(&self, number: i64) -> Option<Vec<u8>> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = connection.prepare_cached("SELECT bytes FROM pages WHERE number = ?1").ok()?;
        statement.query_row([number], |row| row.get(0)).ok()
    }
}

fn page_number(segment: usize, page: usize) -> Option<i64> {
    let page = i64::try_from(page).ok().filter(|page| *page < MOST_PAGES)?;
    i64::try_from(segment).ok()?.checked_mul(MOST_PAGES)?.checked_add(page)
}

impl Repository {
    /// Where the index is kept.
    pub fn index_path(&self) -> PathBuf {
        self.common_directory.join("gate").join(FILE)
    }

    /// Opens the index of that key.
    pub fn recall(&self, key: &[u8]) -> Recalled {
        let path = self.index_path();
        match fs::symlink_metadata(&path) {
            Err(_not_there) => return Recalled::Nothing,
            Ok(about) if !about.is_file() => return Recalled::Unfit("it is no regular file"),
            Ok(about) if about.len() > MOST_BYTES => return Recalled::Unfit("it is too large"),
            Ok(_) => {}
        }
        match open(&path).and_then(|connection| read(connection, key)) {
            Ok(Ok(pages)) => Recalled::Pages(pages),
            Ok(Err(reason)) => Recalled::Unfit(reason),
            Err(error) if is_out_of_reach(&error) => Recalled::Nothing,
            Err(_damaged) => Recalled::Unfit(DAMAGED),
        }
    }

    /// Keeps the first `kept` of the segments that were read, and `new` behind them. Nothing is kept where somebody else
    /// has written since. Whether it was kept.
    pub fn keep_segment(&self, key: &[u8], read: Option<&Pages>, kept: usize, new: &[u8]) -> bool {
        match read {
            Some(pages) => self.replace(pages, kept, new).unwrap_or_default(),
            None => self.write_anew(key, new).is_ok(),
        }
    }

    /// Whether an index can be written where it is kept, as far as that can be told.
    pub fn can_keep(&self) -> bool {
        let directory = self.common_directory.join("gate");
        fs::create_dir_all(&directory).is_ok() && tempfile::tempfile_in(&directory).is_ok()
    }

    /// Forgets the index.
    pub fn forget_index(&self) -> std::io::Result<()> {
        match fs::remove_file(self.index_path()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn replace(&self, read: &Pages, kept: usize, new: &[u8]) -> rusqlite::Result<bool> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = configured(Connection::open_with_flags(self.index_path(), flags)?)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let stored: Vec<Vec<u8>> = {
            let mut statement = transaction.prepare("SELECT digest FROM segments ORDER BY number")?;
            let digests = statement.query_map([], |row| row.get(0))?;
            digests.collect::<rusqlite::Result<_>>()?
        };
        let Some((first, stored)) = stored.split_first() else { return Ok(false) };
        let Ok(first) = <[u8; 32]>::try_from(first.as_slice()) else { return Ok(false) };
        if !stored.iter().eq(read.segments.iter().map(|segment| &segment.digest)) {
            return Ok(false);
        }
        let before = kept.checked_sub(1).and_then(|last| read.segments.get(last));
        let before = before.map_or(first, |segment| segment.digest);
        let (Ok(number), Some(page)) = (i64::try_from(kept + 1), page_number(kept + 1, 0)) else {
            return Ok(false);
        };
        transaction.execute("DELETE FROM segments WHERE number >= ?1", params![number])?;
        transaction.execute("DELETE FROM pages WHERE number >= ?1", params![page])?;
        insert(&transaction, kept + 1, &before, new)?;
        transaction.commit()?;
        Ok(true)
    }

    /// Writes a new file beside and renames it: a reader sees the old one or the new one.
    fn write_anew(&self, key: &[u8], new: &[u8]) -> std::io::Result<()> {
        let failed = |error: rusqlite::Error| std::io::Error::other(error.to_string());
        let path = self.index_path();
        let directory = self.common_directory.join("gate");
        fs::create_dir_all(&directory)?;
        let file = tempfile::Builder::new().prefix(".index-").tempfile_in(&directory)?;
        write_file(file.path(), key, new).map_err(failed)?;
        // What a writer that was killed left of the file before would be taken for the new one's.
        let mut journal = path.clone().into_os_string();
        journal.push("-journal");
        let _ = fs::remove_file(journal);
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    }
}

fn write_file(path: &Path, key: &[u8], new: &[u8]) -> rusqlite::Result<()> {
    let mut connection = configured(Connection::open(path)?)?;
    connection.execute_batch("PRAGMA page_size = 8192; PRAGMA journal_mode = OFF")?;
    let transaction = connection.transaction()?;
    for table in TABLES {
        transaction.execute_batch(table)?;
    }
    let first: [u8; 32] = Sha256::digest(key).into();
    transaction.execute("INSERT INTO segments VALUES (0, ?1, 0, ?2)", params![first.as_slice(), key])?;
    insert(&transaction, 1, &first, new)?;
    transaction.commit()
}

const DAMAGED: &str = "it is damaged, or was changed by hand";

/// Whether it may be read another time, or by somebody else.
fn is_out_of_reach(error: &rusqlite::Error) -> bool {
    use ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseLocked, OutOfMemory, PermissionDenied, ReadOnly, SystemIoFailure,
    };
    matches!(
        error.sqlite_error_code(),
        Some(
            DatabaseBusy
                | DatabaseLocked
                | ReadOnly
                | CannotOpen
                | PermissionDenied
                | SystemIoFailure
                | OutOfMemory
        )
    )
}

/// Opened to be read; so that what a writer left that was killed is taken back, to be written where it can be.
fn open(path: &Path) -> rusqlite::Result<Connection> {
    let with = |mode| Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    let connection =
        with(OpenFlags::SQLITE_OPEN_READ_WRITE).or_else(|_error| with(OpenFlags::SQLITE_OPEN_READ_ONLY))?;
    configured(connection)
}

/// Nothing that stands in the file is run; and since all is compared before it is used, what a crash of the machine spoils
/// is noticed, and nobody waits for the disk.
pub(super) fn configured(connection: Connection) -> rusqlite::Result<Connection> {
    connection.busy_timeout(WAIT)?;
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA synchronous = OFF",
    )?;
    Ok(connection)
}

/// Whether what stands there is the index of that key.
pub(super) fn has_key(connection: &Connection, key: &[u8]) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare("SELECT pages FROM segments WHERE number = 0")?;
    let stored: Option<Vec<u8>> = statement.query_row([], |row| row.get(0)).optional()?;
    Ok(stored.as_deref() == Some(key))
}

fn read(connection: Connection, key: &[u8]) -> rusqlite::Result<Result<Pages, &'static str>> {
    let tables: Vec<(String, Option<String>)> = {
        let mut statement = connection.prepare("SELECT type, sql FROM sqlite_schema LIMIT 4")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    if !tables.into_iter().eq(TABLES.map(|table| ("table".to_owned(), Some(table.to_owned())))) {
        return Ok(Err("it is no index of this version"));
    }
    let segments = match read_segments(&connection, key)? {
        Ok(segments) => segments,
        Err(reason) => return Ok(Err(reason)),
    };
    Ok(Ok(Pages { connection: Mutex::new(connection), segments, lost: AtomicBool::new(false) }))
}

fn read_segments(
    connection: &Connection,
    key: &[u8],
) -> rusqlite::Result<Result<Vec<Segment>, &'static str>> {
    let mut statement =
        connection.prepare("SELECT number, digest, length, pages FROM segments ORDER BY number")?;
    let mut rows = statement.query([])?;
    let mut segments = Vec::new();
    let mut before: Option<[u8; 32]> = None;
    for number in 0i64.. {
        let Some(row) = rows.next()? else { break };
        let (digest, pages): (Vec<u8>, Vec<u8>) = (row.get(1)?, row.get(3)?);
        let Ok(length) = usize::try_from(row.get::<_, i64>(2)?) else { return Ok(Err(DAMAGED)) };
        let (digests, rest) = pages.as_chunks::<32>();
        let whole = rest.is_empty() && digests.len() == length.div_ceil(PAGE);
        let expected = match &before {
            None if pages != key => return Ok(Err("it is of another trust root or version")),
            None => Sha256::digest(key).into(),
            Some(_) if !whole => return Ok(Err(DAMAGED)),
            Some(before) => chained(before, length, &pages),
        };
        if row.get::<_, i64>(0)? != number || digest != expected {
            return Ok(Err(DAMAGED));
        }
        if before.replace(expected).is_some() {
            let pages = std::iter::repeat_with(OnceLock::new).take(digests.len()).collect();
            segments.push(Segment { digest: expected, length, digests: digests.to_vec(), pages });
        }
    }
    Ok(before.map(|_key| segments).ok_or(DAMAGED))
}

fn insert(
    transaction: &Transaction<'_>,
    segment: usize,
    before: &[u8; 32],
    bytes: &[u8],
) -> rusqlite::Result<()> {
    let mut digests = Vec::with_capacity(bytes.len().div_ceil(PAGE) * 32);
    let mut statement = transaction.prepare("INSERT INTO pages VALUES (?1, ?2)")?;
    for (page, bytes) in bytes.chunks(PAGE).enumerate() {
        digests.extend_from_slice(&Sha256::digest(bytes));
        statement.execute(params![page_number(segment, page), bytes])?;
    }
    let digest = chained(before, bytes.len(), &digests);
    let number = i64::try_from(segment).unwrap_or(i64::MAX);
    let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    transaction.execute(
        "INSERT INTO segments VALUES (?1, ?2, ?3, ?4)",
        params![number, digest.as_slice(), length, digests],
    )?;
    Ok(())
}

/// The digest of a segment behind the one with the digest `before`.
fn chained(before: &[u8; 32], length: usize, pages: &[u8]) -> [u8; 32] {
    let length = u64::try_from(length).unwrap_or(u64::MAX).to_le_bytes();
    Sha256::new().chain_update(before).chain_update(length).chain_update(pages).finalize().into()
}
