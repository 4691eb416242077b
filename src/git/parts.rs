//! The index's bytes, kept in the repository's git directory: numbered parts in a database, shared by all work
//! trees.
//!
//! Each part has a digest over itself and all before it, from the key on (version, trust root). All are compared before
//! any byte is handed out: what was flipped, edited, cut off in the middle or copied in is no index of ours. What the
//! parts mean is not known here. Nothing here ever fails a command: what cannot be read is not there, what cannot be
//! written is not kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, params};
use sha2::{Digest as _, Sha256};

use super::Repository;

/// Its file, below `gate/`.
const FILE: &str = "index-v1.sqlite";

/// Largest file that is read: far more than ten million commits need.
const MOST_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// How long a reader waits for a writer, and a writer for another: both can do without.
const WAIT: Duration = Duration::from_millis(500);

const TABLE: &str =
    "CREATE TABLE parts (number INTEGER PRIMARY KEY, digest BLOB NOT NULL, bytes BLOB NOT NULL) STRICT";

/// Parts as they were read, whole.
#[derive(Debug, Default)]
pub struct Parts {
    /// What they hold, in order.
    pub bytes: Vec<Vec<u8>>,
    digests: Vec<[u8; 32]>,
}

/// What stands where the index is kept.
#[derive(Debug)]
pub enum Recalled {
    /// Nothing, or nothing that can be read now.
    Nothing,
    /// What is no index of this repository, trust root and version: why.
    Unfit(&'static str),
    /// An index.
    Parts(Parts),
}

impl Repository {
    /// Where the index is kept.
    pub fn index_path(&self) -> PathBuf {
        self.common_directory.join("gate").join(FILE)
    }

    /// Reads the index of that key.
    pub fn recall(&self, key: &[u8]) -> Recalled {
        let path = self.index_path();
        match fs::symlink_metadata(&path) {
            Err(_not_there) => return Recalled::Nothing,
            Ok(about) if !about.is_file() => return Recalled::Unfit("it is no regular file"),
            Ok(about) if about.len() > MOST_BYTES => return Recalled::Unfit("it is too large"),
            Ok(_) => {}
        }
        match open(&path).and_then(|connection| read(&connection, key)) {
            Ok(Ok(parts)) => Recalled::Parts(parts),
            Ok(Err(reason)) => Recalled::Unfit(reason),
            Err(error) if is_out_of_reach(&error) => Recalled::Nothing,
            Err(_damaged) => Recalled::Unfit(DAMAGED),
        }
    }

    /// Keeps the first `kept` of the parts that were read, and `new` behind them. Nothing is kept where somebody else has
    /// written since. Whether it was kept.
    pub fn keep_parts(&self, key: &[u8], read: Option<&Parts>, kept: usize, new: &[u8]) -> bool {
        match read {
            Some(parts) => self.replace(parts, kept, new).unwrap_or_default(),
            None => self.write_anew(key, new).is_ok(),
        }
    }

    /// Forgets the index.
    pub fn forget_index(&self) -> std::io::Result<()> {
        match fs::remove_file(self.index_path()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn replace(&self, read: &Parts, kept: usize, new: &[u8]) -> rusqlite::Result<bool> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = configured(Connection::open_with_flags(self.index_path(), flags)?)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let stored: Vec<Vec<u8>> = {
            let mut statement =
                transaction.prepare("SELECT digest FROM parts WHERE number > 0 ORDER BY number")?;
            let digests = statement.query_map([], |row| row.get(0))?;
            digests.collect::<rusqlite::Result<_>>()?
        };
        if stored != read.digests {
            return Ok(false);
        }
        let Some(before) = kept.checked_sub(1).and_then(|last| read.digests.get(last)) else {
            // Nothing is kept of it: another history of the same root.
            let first: Vec<u8> =
                transaction.query_row("SELECT digest FROM parts WHERE number = 0", [], |row| row.get(0))?;
            let Ok(first) = <[u8; 32]>::try_from(first) else { return Ok(false) };
            transaction.execute("DELETE FROM parts WHERE number > 0", [])?;
            insert(&transaction, 1, &chained(&first, new), new)?;
            transaction.commit()?;
            return Ok(true);
        };
        let number = i64::try_from(kept).unwrap_or(i64::MAX).saturating_add(1);
        transaction.execute("DELETE FROM parts WHERE number >= ?1", params![number])?;
        insert(&transaction, number, &chained(before, new), new)?;
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
        {
            let connection = configured(Connection::open(file.path()).map_err(failed)?).map_err(failed)?;
            connection
                .execute_batch("PRAGMA page_size = 32768; PRAGMA journal_mode = OFF; BEGIN")
                .map_err(failed)?;
            connection.execute_batch(TABLE).map_err(failed)?;
            let first = Sha256::digest(key).into();
            insert(&connection, 0, &first, key).map_err(failed)?;
            insert(&connection, 1, &chained(&first, new), new).map_err(failed)?;
            connection.execute_batch("COMMIT").map_err(failed)?;
        }
        // What a writer that was killed left of the file before would be taken for the new one's.
        let mut journal = path.clone().into_os_string();
        journal.push("-journal");
        let _ = fs::remove_file(journal);
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    }
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
fn configured(connection: Connection) -> rusqlite::Result<Connection> {
    connection.busy_timeout(WAIT)?;
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA synchronous = OFF",
    )?;
    Ok(connection)
}

fn read(connection: &Connection, key: &[u8]) -> rusqlite::Result<Result<Parts, &'static str>> {
    let tables: Vec<(String, Option<String>)> = {
        let mut statement = connection.prepare("SELECT type, sql FROM sqlite_schema LIMIT 2")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    if tables != [("table".to_owned(), Some(TABLE.to_owned()))] {
        return Ok(Err("it is no index of this version"));
    }
    let mut statement = connection.prepare("SELECT number, digest, bytes FROM parts ORDER BY number")?;
    let mut rows = statement.query([])?;
    let mut parts = Parts::default();
    let mut before: Option<[u8; 32]> = None;
    for number in 0i64.. {
        let Some(row) = rows.next()? else { break };
        let digest: Vec<u8> = row.get(1)?;
        let bytes: Vec<u8> = row.get(2)?;
        let expected = match &before {
            None if bytes != key => return Ok(Err("it is of another trust root or version")),
            None => Sha256::digest(key).into(),
            Some(before) => chained(before, &bytes),
        };
        if row.get::<_, i64>(0)? != number || digest != expected {
            return Ok(Err(DAMAGED));
        }
        if before.replace(expected).is_some() {
            parts.digests.push(expected);
            parts.bytes.push(bytes);
        }
    }
    if before.is_none() { Ok(Err(DAMAGED)) } else { Ok(Ok(parts)) }
}

fn insert(connection: &Connection, number: i64, digest: &[u8; 32], bytes: &[u8]) -> rusqlite::Result<()> {
    connection.execute("INSERT INTO parts VALUES (?1, ?2, ?3)", params![number, digest.as_slice(), bytes])?;
    Ok(())
}

/// The digest of a part behind the one with the digest `before`.
fn chained(before: &[u8; 32], bytes: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(before).chain_update(bytes).finalize().into()
}
