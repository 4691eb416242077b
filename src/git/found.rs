//! What was worked out with an index at hand, kept in its file: rows by name.
//!
//! Each row has the digest of its name and its value. One that is not there, or not what it should be, says nothing: what it
//! said is worked out again. What rows mean is not known here. Nothing here ever fails a command.

use std::sync::PoisonError;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior, params};
use sha2::{Digest as _, Sha256};

use super::Repository;
use super::pages::{Pages, configured, has_key};

/// The largest value that is read.
const MOST_BYTES: i64 = 64 * 1024 * 1024;

/// Its table, beside those of the pages.
pub(super) const TABLE: &str = "CREATE TABLE found (name TEXT PRIMARY KEY, digest BLOB NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID";

impl Pages {
    /// What was kept under a name.
    pub fn found(&self, name: &str) -> Option<Vec<u8>> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        read(&connection, name).ok().flatten()
    }
}

impl Repository {
    /// Keeps rows in the index of that key: all, or none where the row `first` is no longer what it was when it was read
    /// (`as_read`): then somebody else was faster. Whether they were kept.
    pub fn keep_found(
        &self,
        key: &[u8],
        first: &str,
        as_read: Option<&[u8]>,
        rows: &[(String, Vec<u8>)],
    ) -> bool {
        self.write_found(key, first, as_read, rows).unwrap_or_default()
    }

    fn write_found(
        &self,
        key: &[u8],
        first: &str,
        as_read: Option<&[u8]>,
        rows: &[(String, Vec<u8>)],
    ) -> rusqlite::Result<bool> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = configured(Connection::open_with_flags(self.index_path(), flags)?)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if !has_key(&transaction, key)? || read(&transaction, first)?.as_deref() != as_read {
            return Ok(false);
        }
        {
            let mut statement = transaction.prepare("INSERT OR REPLACE INTO found VALUES (?1, ?2, ?3)")?;
            for (name, value) in rows {
                statement.execute(params![name, digest(name, value).as_slice(), value])?;
            }
        }
        transaction.commit()?;
        Ok(true)
    }
}

fn read(connection: &Connection, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut statement = connection
        .prepare_cached("SELECT digest, value FROM found WHERE name = ?1 AND length(value) <= ?2")?;
    let row: Option<(Vec<u8>, Vec<u8>)> =
        statement.query_row(params![name, MOST_BYTES], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(row.filter(|(stored, value)| *stored == digest(name, value)).map(|(_, value)| value))
}

fn digest(name: &str, value: &[u8]) -> [u8; 32] {
    let length = u64::try_from(name.len()).unwrap_or(u64::MAX).to_le_bytes();
    Sha256::new().chain_update(length).chain_update(name).chain_update(value).finalize().into()
}
