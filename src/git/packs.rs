//! Packs, as whoever reads a whole history or thousands of gates reads them: with their tables in memory, and a stretch of a file at a time.
//!
//! The library is made for one object now and then: for each it takes locks and makes a stream anew, and each of its
//! readers maps all of a pack. Nothing that is read here is believed before it is hashed. What is not found, is large, does
//! not read or is not what its id says is left to the library, which knows every form of pack and says what is wrong.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use git2::ObjectType;
use zlib_rs::{Inflate, InflateFlush, Status};

use crate::model::ObjectId;

mod table;
#[cfg(test)]
mod tests;

use table::Table;

/// A larger object is left to the library, as are those whose deltas are larger together or more.
const MOST_BYTES: usize = 1024 * 1024;
const MOST_DELTA_BYTES: usize = 16 * MOST_BYTES;
const MOST_DELTAS: usize = 512;

/// So many packs are kept open, and so many bytes of their tables in memory; the rest is left to the library.
const MOST_PACKS: usize = 64;
const MOST_TABLE_BYTES: u64 = 512 * 1024 * 1024;

/// So much of a file is read at once, and so many of these stretches are kept.
const STRETCH: u64 = 32 * 1024;
const STRETCHES: u64 = 64;

/// More than the longest thing that a stream repeats.
const ROOM: usize = 264;

/// How many bytes of objects that others are deltas of are kept, twice.
const BASE_BYTES: usize = 2 * MOST_BYTES;

/// A reader of all packs of a repository.
pub(super) struct Packs {
    files: Arc<Vec<PackFile>>,
    state: Mutex<State>,
}

struct PackFile {
    table: Table,
    file: fs::File,
}

/// Where something stands: in which pack, and from which byte on.
type Place = (usize, u64);

struct State {
    inflate: Inflate,
    stretches: Vec<Stretch>,
    bases: Bases,
}

#[derive(Default)]
struct Stretch {
    from: Option<Place>,
    bytes: Vec<u8>,
}

/// Objects as read, by place: those that were used lately.
#[derive(Default)]
struct Bases {
    young: HashMap<Place, Object>,
    bytes: usize,
    old: HashMap<Place, Object>,
}

type Object = (ObjectType, Arc<Vec<u8>>);

/// How an object is kept.
enum Form {
    Whole(ObjectType),
    /// As a delta of what stands there.
    Delta(Place),
}

impl Packs {
    /// Opens the packs of object directories, the largest first; those that cannot be read so, and those beyond number or
    /// size, are left out.
    pub(super) fn open<'a>(directories: impl Iterator<Item = &'a Path>) -> Self {
        let mut tables: Vec<(u64, PathBuf)> = Vec::new();
        for directory in directories {
            for entry in fs::read_dir(directory.join("pack")).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.extension().is_some_and(|extension| extension == "idx")
                    && let Ok(about) = path.metadata()
                    && about.is_file()
                {
                    tables.push((about.len(), path));
                }
            }
        }
        tables.sort_by(|(bytes, path), (others, other)| others.cmp(bytes).then_with(|| path.cmp(other)));
        let mut room = MOST_TABLE_BYTES;
        let mut fits = |bytes: u64| room.checked_sub(bytes).inspect(|left| room = *left).is_some();
        let files = tables.into_iter().filter(|(bytes, _path)| fits(*bytes)).take(MOST_PACKS);
        Self::over(Arc::new(files.filter_map(|(_bytes, path)| PackFile::open(&path)).collect()))
    }

    /// Another reader of the same, for another thread. Who has others read keeps nothing meanwhile.
    pub(super) fn twin(&self) -> Self {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State::new();
        drop(state);
        Self::over(Arc::clone(&self.files))
    }

    fn over(files: Arc<Vec<PackFile>>) -> Self {
        Self { files, state: Mutex::new(State::new()) }
    }

    /// The object as a pack has it, not yet compared with its id; nothing where the library is to be asked.
    pub(super) fn read(&self, id: ObjectId) -> Option<(ObjectType, Vec<u8>)> {
        let place =
            self.files.iter().enumerate().find_map(|(number, pack)| Some((number, pack.table.find(id)?)))?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (kind, bytes) = state.object(&self.files, place)?;
        Some((kind, Arc::unwrap_or_clone(bytes)))
    }
}

impl PackFile {
    fn open(table: &Path) -> Option<Self> {
        let path = table.with_extension("pack");
        if !path.metadata().ok()?.is_file() {
            return None;
        }
        #[expect(clippy::disallowed_methods, reason = "git/ owns the repository's files")]
        let file = fs::File::open(path).ok()?;
        let table = Table::read(table)?;
        let mut head = [0; 12];
        file.read_exact_at(&mut head, 0).ok()?;
        let mut digest = [0; 20];
        file.read_exact_at(&mut digest, file.metadata().ok()?.len().checked_sub(20)?).ok()?;
        (table.is_of(head, digest)).then_some(Self { table, file })
    }
}

impl State {
    fn new() -> Self {
        let stretches = (0..STRETCHES).map(|_number| Stretch::default()).collect();
        Self { inflate: Inflate::new(true, 15), stretches, bases: Bases::default() }
    }

    fn object(&mut self, files: &[PackFile], place: Place) -> Option<Object> {
        let mut deltas: Vec<(Place, Vec<u8>)> = Vec::new();
        let mut delta_bytes = 0;
        let mut at = place;
        let (kind, mut object) = loop {
            if let Some(found) = self.bases.get(at) {
                break found;
            }
            let mut position = at;
            let (form, size) = self.header(files, &mut position)?;
            let bytes = self.inflated(files, position, size)?;
            match form {
                Form::Whole(kind) => {
                    let bytes = Arc::new(bytes);
                    // Trees are like those of their neighbours in history; a commit is like none.
                    if kind == ObjectType::Tree || !deltas.is_empty() {
                        self.bases.put(at, (kind, Arc::clone(&bytes)));
                    }
                    break (kind, bytes);
                }
                Form::Delta(base) => {
                    delta_bytes += bytes.len();
                    if delta_bytes > MOST_DELTA_BYTES || deltas.len() == MOST_DELTAS {
                        return None;
                    }
                    deltas.push((at, bytes));
                    at = base;
                }
            }
        };
        for (at, delta) in deltas.into_iter().rev() {
            object = Arc::new(applied(&object, &delta)?);
            self.bases.put(at, (kind, Arc::clone(&object)));
        }
        Some((kind, object))
    }

    /// Reads the header at a position, and moves that behind it: the form, and how long what follows is when inflated.
    fn header(&mut self, files: &[PackFile], position: &mut Place) -> Option<(Form, usize)> {
        let at = *position;
        let mut byte = self.next(files, position)?;
        let code = (byte >> 4) & 7;
        let mut size = u64::from(byte & 15);
        let mut shift = 4;
        while byte & 0x80 != 0 {
            byte = self.next(files, position)?;
            size |= u64::from(byte & 0x7f).checked_shl(shift).filter(|_| shift < 57)?;
            shift += 7;
        }
        let size = usize::try_from(size).ok().filter(|size| *size <= MOST_BYTES)?;
        let form = match code {
            1 => Form::Whole(ObjectType::Commit),
            2 => Form::Whole(ObjectType::Tree),
            3 => Form::Whole(ObjectType::Blob),
            4 => Form::Whole(ObjectType::Tag),
            6 => {
                let mut byte = self.next(files, position)?;
                let mut back = u64::from(byte & 0x7f);
                while byte & 0x80 != 0 {
                    byte = self.next(files, position)?;
                    back = back.checked_add(1)?.checked_mul(128)? | u64::from(byte & 0x7f);
                }
                Form::Delta((at.0, at.1.checked_sub(back).filter(|base| *base < at.1)?))
            }
            7 => {
                let mut id = [0; 20];
                for byte in &mut id {
                    *byte = self.next(files, position)?;
                }
                Form::Delta((at.0, files.get(at.0)?.table.find(ObjectId(id))?))
            }
            _ => return None,
        };
        Some((form, size))
    }

    fn next(&mut self, files: &[PackFile], position: &mut Place) -> Option<u8> {
        let number = self.stretch(files, *position)?;
        let byte = *self.stretches.get(number)?.bytes.get(within(*position))?;
        position.1 += 1;
        Some(byte)
    }

    /// Inflates what stands at a position, which gives exactly `size` bytes and ends there.
    fn inflated(&mut self, files: &[PackFile], mut position: Place, size: usize) -> Option<Vec<u8>> {
        // With that much room behind the end, it inflates fast up to the end.
        let mut bytes = vec![0; size + ROOM];
        self.inflate.reset(true);
        let mut written = 0;
        loop {
            let number = self.stretch(files, position)?;
            let input = self.stretches.get(number)?.bytes.get(within(position)..)?;
            let before = (self.inflate.total_in(), self.inflate.total_out());
            let status =
                self.inflate.decompress(input, bytes.get_mut(written..)?, InflateFlush::NoFlush).ok()?;
            let taken = self.inflate.total_in() - before.0;
            position.1 += taken;
            written = usize::try_from(self.inflate.total_out()).ok()?;
            match status {
                Status::StreamEnd => {
                    bytes.truncate(size);
                    return (written == size).then_some(bytes);
                }
                Status::Ok | Status::BufError if taken == 0 && self.inflate.total_out() == before.1 => {
                    return None;
                }
                Status::Ok | Status::BufError => {}
            }
        }
    }

    /// The number of the stretch that holds the byte at a position, read if need be.
    fn stretch(&mut self, files: &[PackFile], (pack, at): Place) -> Option<usize> {
        let from = at - at % STRETCH;
        let slot = usize::try_from((at / STRETCH) % STRETCHES).ok()?;
        let stretch = self.stretches.get_mut(slot)?;
        if stretch.from != Some((pack, from)) {
            stretch.from = None;
            stretch.bytes.resize(usize::try_from(STRETCH).ok()?, 0);
            let file = &files.get(pack)?.file;
            let mut filled = 0;
            while filled < stretch.bytes.len() {
                let offset = from + u64::try_from(filled).ok()?;
                match file.read_at(stretch.bytes.get_mut(filled..)?, offset).ok()? {
                    0 => break,
                    more => filled += more,
                }
            }
            stretch.bytes.truncate(filled);
            stretch.from = Some((pack, from));
        }
        Some(slot)
    }
}

/// Where a position lies in its stretch.
fn within((_pack, at): Place) -> usize {
    usize::try_from(at % STRETCH).unwrap_or_default()
}

impl Bases {
    fn get(&mut self, at: Place) -> Option<Object> {
        if let Some((kind, bytes)) = self.young.get(&at) {
            return Some((*kind, Arc::clone(bytes)));
        }
        let found = self.old.remove(&at)?;
        self.put(at, (found.0, Arc::clone(&found.1)));
        Some(found)
    }

    fn put(&mut self, at: Place, object: Object) {
        if self.bytes > BASE_BYTES {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += object.1.len();
        self.young.insert(at, object);
    }
}

/// What a delta makes of its base; nothing where it does not read, or gives too much.
fn applied(base: &[u8], delta: &[u8]) -> Option<Vec<u8>> {
    let mut rest = delta;
    if length(&mut rest)? != base.len() {
        return None;
    }
    let size = length(&mut rest).filter(|size| *size <= MOST_BYTES)?;
    let mut made = Vec::with_capacity(size);
    while let [instruction, behind @ ..] = rest {
        rest = behind;
        let part = if instruction & 0x80 == 0 {
            let (inserted, behind) = rest.split_at_checked(usize::from(*instruction))?;
            if inserted.is_empty() {
                return None;
            }
            rest = behind;
            inserted
        } else {
            let from = number(&mut rest, instruction & 0x0f, 4)?;
            let count = match number(&mut rest, (instruction >> 4) & 7, 3)? {
                0 => 0x1_0000,
                count => count,
            };
            base.get(from..from.checked_add(count)?)?
        };
        if part.len() > size - made.len() {
            return None;
        }
        made.extend_from_slice(part);
    }
    (made.len() == size).then_some(made)
}

/// A length: seven bits a byte, the lowest first.
fn length(rest: &mut &[u8]) -> Option<usize> {
    let mut length: usize = 0;
    for shift in (0..56).step_by(7) {
        let (byte, behind) = rest.split_first()?;
        *rest = behind;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(length);
        }
    }
    None
}

/// A number of which only those bytes are there that `present` names, the lowest first.
fn number(rest: &mut &[u8], present: u8, bytes: u8) -> Option<usize> {
    let mut number = 0;
    for place in (0..bytes).filter(|place| present & (1 << place) != 0) {
        let (byte, behind) = rest.split_first()?;
        *rest = behind;
        number |= usize::from(*byte) << (8 * place);
    }
    Some(number)
}
