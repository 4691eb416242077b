//! The table beside a pack: where in it each object begins.
//!
//! Version 2, the only one that git has written since 2007. A table that lies says where something else is, which then is not
//! what its id says.

use std::io::Read as _;
use std::path::Path;

use crate::model::ObjectId;

/// What it begins with: its kind and version.
const HEAD: [u8; 8] = *b"\xfftOc\0\0\0\x02";

/// Then come, for each first byte of ids, how many objects there are up to it; ids; checksums; offsets.
const FAN: usize = 8;
const IDS: usize = FAN + 256 * 4;

/// So many ids are looked through one by one.
const FEW: usize = 16;

pub(super) struct Table {
    bytes: Vec<u8>,
    objects: usize,
    /// Of which ids that begin with the same bits the first stands where; and how many bits.
    first: Vec<u32>,
    bits: u32,
}

impl Table {
    pub(super) fn read(path: &Path) -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "git/ owns the repository's files")]
        let file = std::fs::File::open(path).ok()?;
        let length = file.metadata().ok()?.len();
        let mut bytes = Vec::with_capacity(usize::try_from(length).ok()?);
        file.take(length).read_to_end(&mut bytes).ok()?;
        if !bytes.starts_with(&HEAD) {
            return None;
        }
        let mut table = Self { bytes, objects: 0, first: Vec::new(), bits: 0 };
        table.objects = usize::try_from(table.number(FAN + 255 * 4)?).ok()?;
        // Few to a group: a search stays within a line of memory or two.
        table.bits = table.objects.checked_ilog2().unwrap_or_default().clamp(2, 18) - 1;
        table.first = table.count()?;
        Some(table)
    }

    /// Whether it is of the pack that begins and ends so.
    pub(super) fn is_of(&self, head: [u8; 12], digest: [u8; 20]) -> bool {
        let [magic @ .., _, _, _, _, a, b, c, d] = head;
        let objects = usize::try_from(u32::from_be_bytes([a, b, c, d]));
        let behind = self.bytes.len().checked_sub(40).and_then(|from| self.bytes.get(from..));
        // Behind all that is listed stand the pack's digest and the table's own.
        let listed = IDS + self.objects * 28 + 40;
        magic == *b"PACK"
            && objects == Ok(self.objects)
            && self.bytes.len() >= listed
            && behind.is_some_and(|behind| behind.starts_with(&digest))
    }

    /// From which byte of the pack on an object stands.
    pub(super) fn find(&self, id: ObjectId) -> Option<u64> {
        let group = group(&id.0, self.bits);
        let from = usize::try_from(*self.first.get(group)?).ok()?;
        let end = usize::try_from(*self.first.get(group + 1)?).ok()?;
        let group = self.ids()?.get(from..end)?;
        let among = if group.len() <= FEW {
            group.iter().position(|other| *other == id.0)?
        } else {
            group.binary_search(&id.0).ok()?
        };
        let at = from + among;
        let offsets = IDS + self.objects * 24;
        let offset = self.number(offsets + at * 4)?;
        if offset & 0x8000_0000 == 0 {
            return Some(u64::from(offset));
        }
        let large = offsets + self.objects * 4 + usize::try_from(offset & 0x7fff_ffff).ok()? * 8;
        self.bytes.get(large..)?.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
    }

    fn ids(&self) -> Option<&[[u8; 20]]> {
        Some(self.bytes.get(IDS..IDS.checked_add(self.objects.checked_mul(20)?)?)?.as_chunks().0)
    }

    /// Where the ids of each group begin, if they are sorted.
    fn count(&self) -> Option<Vec<u32>> {
        let mut first = vec![0; (1 << self.bits) + 1];
        for id in self.ids()? {
            *first.get_mut(group(id, self.bits) + 1)? += 1;
        }
        let mut before = 0;
        for count in &mut first {
            before += *count;
            *count = before;
        }
        Some(first)
    }

    fn number(&self, at: usize) -> Option<u32> {
        self.bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
    }
}

/// The first bits of an id.
fn group(id: &[u8; 20], bits: u32) -> usize {
    let [one, two, three, four, ..] = *id;
    let begin = u32::from_be_bytes([one, two, three, four]);
    usize::try_from(begin >> (32 - bits)).unwrap_or_default()
}
