//! A pack, written object by object: trees that differ little from one before as what was put in.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use git2::{ObjectType, Oid};

/// A pack in the making.
pub(crate) struct Pack {
    path: PathBuf,
    file: BufWriter<File>,
    written: HashSet<Oid>,
}

impl Pack {
    pub(crate) fn create(path: &Path) -> Self {
        let mut file = BufWriter::new(File::create(path).unwrap());
        file.write_all(b"PACK\0\0\0\x02\0\0\0\0").unwrap();
        Self { path: path.to_owned(), file, written: HashSet::new() }
    }

    /// Puts an object in, whole.
    pub(crate) fn put(&mut self, kind: ObjectType, data: &[u8]) -> Oid {
        let id = Oid::hash_object(kind, data).unwrap();
        if self.written.insert(id) {
            let kind = match kind {
                ObjectType::Commit => 1,
                ObjectType::Tree => 2,
                ObjectType::Blob | ObjectType::Tag | ObjectType::Any => 3,
            };
            self.append(kind, data.len(), &[], data);
        }
        id
    }

    /// Puts a tree in as what it has otherwise than another one.
    pub(crate) fn put_like(&mut self, data: &[u8], base: (Oid, &[u8])) -> Oid {
        let id = Oid::hash_object(ObjectType::Tree, data).unwrap();
        if self.written.insert(id) {
            let delta = delta(base.1, data);
            self.append(7, delta.len(), base.0.as_bytes(), &delta);
        }
        id
    }

    fn append(&mut self, kind: u8, length: usize, reference: &[u8], data: &[u8]) {
        let mut rest = length >> 4;
        let mut byte = (kind << 4) | u8::try_from(length & 15).unwrap();
        while rest > 0 {
            self.file.write_all(&[byte | 0x80]).unwrap();
            byte = u8::try_from(rest & 0x7f).unwrap();
            rest >>= 7;
        }
        self.file.write_all(&[byte]).unwrap();
        self.file.write_all(reference).unwrap();
        let mut encoder = ZlibEncoder::new(&mut self.file, Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap();
    }

    /// Ends it: the number of objects at its head, and its digest behind all.
    pub(crate) fn finish(self) -> PathBuf {
        let count = u32::try_from(self.written.len()).unwrap();
        let mut file = self.file.into_inner().unwrap();
        file.seek(SeekFrom::Start(8)).unwrap();
        file.write_all(&count.to_be_bytes()).unwrap();
        drop(file);
        let mut hasher = sha1dc::Hasher::new();
        let mut reader = BufReader::new(File::open(&self.path).unwrap());
        let mut chunk = vec![0; 1 << 20];
        loop {
            let length = reader.read(&mut chunk).unwrap();
            if length == 0 {
                break;
            }
            hasher.update(&chunk[..length]);
        }
        let Ok(digest) = hasher.finalize() else { panic!("a collision") };
        let mut file = fs::OpenOptions::new().append(true).open(&self.path).unwrap();
        file.write_all(digest.as_ref()).unwrap();
        self.path
    }
}

/// What makes `new` of `old`: what they begin and end with alike is copied.
fn delta(old: &[u8], new: &[u8]) -> Vec<u8> {
    let prefix = old.iter().zip(new).take_while(|(one, other)| one == other).count();
    let most = old.len().min(new.len()) - prefix;
    let suffix =
        old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(one, other)| one == other).count();
    let mut delta = Vec::new();
    for mut length in [old.len(), new.len()] {
        while length > 0x7f {
            delta.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        delta.push(u8::try_from(length).unwrap());
    }
    copy(&mut delta, 0, prefix);
    for chunk in new[prefix..new.len() - suffix].chunks(127) {
        delta.push(u8::try_from(chunk.len()).unwrap());
        delta.extend_from_slice(chunk);
    }
    copy(&mut delta, old.len() - suffix, suffix);
    delta
}

fn copy(delta: &mut Vec<u8>, from: usize, length: usize) {
    for start in (from..from + length).step_by(0xffff) {
        let length = (from + length - start).min(0xffff);
        delta.push(0xf7);
        delta.extend_from_slice(&u32::try_from(start).unwrap().to_le_bytes()[..3]);
        delta.extend_from_slice(&u32::try_from(length).unwrap().to_le_bytes()[..3]);
    }
}
