//! Loose objects: one file each, found and inflated with bounds.
//!
//! The git library inflates a file that was cut short forever, and opens a FIFO to wait for whoever writes to it. So
//! these files are read here, in every object directory in git's order, and the library sees packs only. What a file
//! is, how long it says it is and whether it ends where it should is checked before its content is believed; whether
//! the content is that of its id, by the caller.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::{Decompress, FlushDecompress, Status};
use git2::ObjectType;

use crate::model::ObjectId;

use super::GitError;
use super::locate::read_small;

/// How deep alternates of alternates are followed, as git follows them.
const MOST_ALTERNATES_DEPTH: usize = 5;

/// The longest header that git writes, `commit 18446744073709551615` and its NUL.
const HEADER_BYTES: usize = 28;

/// How much of a file is read for its header alone.
const HEAD_BYTES: u64 = 512;

/// The directories that hold objects: the repository's own, then its alternates.
#[derive(Debug, Clone)]
pub(super) struct ObjectDirectories(Vec<ObjectDirectory>);

#[derive(Debug, Clone)]
struct ObjectDirectory {
    path: PathBuf,
    /// The first bytes of ids of which anything was loose when it was opened: in a packed repository none, and then no
    /// file is looked for.
    loose: BTreeSet<u8>,
}

/// A loose object as its file has it; not yet compared with its id.
pub(super) struct LooseObject {
    pub(super) kind: ObjectType,
    pub(super) bytes: Vec<u8>,
}

/// What a loose object says of itself.
pub(super) struct LooseHeader {
    pub(super) kind: ObjectType,
    pub(super) bytes: u64,
    length: usize,
}

/// Why a file is no loose object.
pub(super) enum Defect {
    /// It cannot be read, or not as an object.
    Damaged(String),
    /// It says that it is larger than what may be read.
    TooLarge(u64),
}

impl ObjectDirectories {
    /// The repository's own and those that `info/alternates` names, each before those that it names itself.
    pub(super) fn of(objects: &Path) -> Result<Self, GitError> {
        let mut found = Vec::new();
        collect(objects, 0, &mut found)?;
        Ok(Self(found))
    }

    /// Those of a hook: where git stores what is pushed, then where it says that the rest is.
    pub(super) fn of_hook(objects: &Path, alternates: &[PathBuf]) -> Result<Self, GitError> {
        let mut found = Vec::new();
        for directory in std::iter::once(objects).chain(alternates.iter().map(PathBuf::as_path)) {
            collect(directory, 0, &mut found)?;
        }
        Ok(Self(found))
    }

    /// In git's order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|directory| directory.path.as_path())
    }
}

/// The files that may hold an object, in git's order: a good one will do, whatever another holds.
pub(super) fn files(directories: &ObjectDirectories, id: ObjectId) -> impl Iterator<Item = PathBuf> {
    let ObjectId([first, ..]) = id;
    let holding = directories.0.iter().filter(move |directory| directory.loose.contains(&first));
    holding.map(move |directory| {
        let id = id.to_string();
        let (first, rest) = id.split_at(2);
        directory.path.join(first).join(rest)
    })
}

/// Reads the object in a file, of at most `limit` bytes; nothing where there is no file.
pub(super) fn read(file: &Path, limit: u64) -> Result<Option<LooseObject>, Defect> {
    // What does not compress grows a little.
    let Some(deflated) = deflated(file, limit.saturating_add(limit / 512).saturating_add(HEAD_BYTES))? else {
        return Ok(None);
    };
    let mut stream = Decompress::new(true);
    let (header, mut bytes) = begin(&mut stream, &deflated)?;
    if header.bytes > limit {
        return Err(Defect::TooLarge(header.bytes));
    }
    let size = usize::try_from(header.bytes).map_err(|_too_large| Defect::TooLarge(header.bytes))?;
    bytes.drain(..header.length);
    // One more, to see what goes on behind its end.
    bytes.reserve_exact((size + 1).saturating_sub(bytes.len()));
    loop {
        let before = (stream.total_in(), stream.total_out());
        match inflate(&mut stream, &deflated, &mut bytes)? {
            Status::StreamEnd => break,
            Status::Ok | Status::BufError if before == (stream.total_in(), stream.total_out()) => {
                return Err(damaged("it was cut short, or goes on behind its end"));
            }
            Status::Ok | Status::BufError => {}
        }
    }
    if bytes.len() != size || rest(&stream, &deflated).is_some_and(|rest| !rest.is_empty()) {
        return Err(damaged("it does not end where its header says"));
    }
    Ok(Some(LooseObject { kind: header.kind, bytes }))
}

/// Reads no more than the header of the object in a file; nothing where there is no file.
pub(super) fn read_header(file: &Path) -> Result<Option<LooseHeader>, Defect> {
    let Some(deflated) = deflated_head(file)? else { return Ok(None) };
    begin(&mut Decompress::new(true), &deflated).map(|(header, _bytes)| Some(header))
}

fn collect(objects: &Path, depth: usize, found: &mut Vec<ObjectDirectory>) -> Result<(), GitError> {
    if found.iter().any(|known| known.path == objects) {
        return Ok(());
    }
    refuse_special_files(objects)?;
    let names = fs::read_dir(objects).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let two_digits =
        |name: OsString| u8::from_str_radix(name.to_str().filter(|name| name.len() == 2)?, 16).ok();
    found.push(ObjectDirectory { path: objects.to_owned(), loose: names.filter_map(two_digits).collect() });
    let list = objects.join("info/alternates");
    if depth == MOST_ALTERNATES_DEPTH || !list.is_file() {
        return Ok(());
    }
    for line in read_small(&list)?.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        // As git does, one that is not there is passed over: what it would hold is missing.
        if let Ok(directory) = fs::canonicalize(objects.join(line)) {
            collect(&directory, depth + 1, found)?;
        }
    }
    Ok(())
}

/// Refuses what the library would open and wait for: a FIFO in the place of one of the files that lead to packs.
fn refuse_special_files(objects: &Path) -> Result<(), GitError> {
    let packs = fs::read_dir(objects.join("pack")).into_iter().flatten();
    let fixed = ["info/alternates", "info/commit-graph"].map(|name| objects.join(name));
    for path in packs.flatten().map(|entry| entry.path()).chain(fixed) {
        let special = fs::metadata(&path).is_ok_and(|file| !file.is_file() && !file.is_dir());
        if special {
            return Err(GitError::Io { path, reason: "it is no regular file".into() });
        }
    }
    Ok(())
}

/// The file, unless it is larger than `limit`.
fn deflated(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Defect> {
    let Some((mut file, size)) = open(path)? else { return Ok(None) };
    if size > limit {
        return Err(Defect::TooLarge(size));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    file.by_ref().take(size).read_to_end(&mut bytes).map_err(|error| damaged(&error.to_string()))?;
    Ok(Some(bytes))
}

fn deflated_head(path: &Path) -> Result<Option<Vec<u8>>, Defect> {
    let Some((file, _size)) = open(path)? else { return Ok(None) };
    let mut bytes = Vec::new();
    file.take(HEAD_BYTES).read_to_end(&mut bytes).map_err(|error| damaged(&error.to_string()))?;
    Ok(Some(bytes))
}

/// Opens a regular file; looked at first, because opening a FIFO would wait.
fn open(path: &Path) -> Result<Option<(fs::File, u64)>, Defect> {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => return Ok(None),
        Err(error) => return Err(damaged(&error.to_string())),
    };
    if !about.is_file() {
        return Err(damaged("it is no regular file"));
    }
    #[expect(clippy::disallowed_methods, reason = "git/ owns the repository's files")]
    let file = fs::File::open(path).map_err(|error| damaged(&error.to_string()))?;
    Ok(Some((file, about.len())))
}

/// Inflates and reads the header; what was inflated begins with it.
fn begin(stream: &mut Decompress, deflated: &[u8]) -> Result<(LooseHeader, Vec<u8>), Defect> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    inflate(stream, deflated, &mut bytes)?;
    let header = parse_header(&bytes).ok_or_else(|| damaged("it has no header of an object"))?;
    Ok((header, bytes))
}

/// Inflates into the room that `bytes` has.
fn inflate(stream: &mut Decompress, deflated: &[u8], bytes: &mut Vec<u8>) -> Result<Status, Defect> {
    stream
        .decompress_vec(rest(stream, deflated).unwrap_or_default(), bytes, FlushDecompress::None)
        .map_err(|error| damaged(&error.to_string()))
}

/// What of the file the stream has not taken in.
fn rest<'a>(stream: &Decompress, deflated: &'a [u8]) -> Option<&'a [u8]> {
    deflated.get(usize::try_from(stream.total_in()).ok()?..)
}

/// `kind size` and a NUL, the size without needless zeros.
fn parse_header(bytes: &[u8]) -> Option<LooseHeader> {
    let length = bytes.iter().position(|byte| *byte == 0)?;
    let (kind, size) = std::str::from_utf8(bytes.get(..length)?).ok()?.split_once(' ')?;
    let kind = match kind {
        "commit" => ObjectType::Commit,
        "tree" => ObjectType::Tree,
        "blob" => ObjectType::Blob,
        "tag" => ObjectType::Tag,
        _ => return None,
    };
    let plain = size.bytes().all(|digit| digit.is_ascii_digit()) && (size == "0" || !size.starts_with('0'));
    let bytes = if plain { size.parse().ok()? } else { return None };
    Some(LooseHeader { kind, bytes, length: length + 1 })
}

fn damaged(reason: &str) -> Defect {
    Defect::Damaged(reason.to_owned())
}
