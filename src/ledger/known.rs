//! What the index knows of a history: commits, the chain, and lists of places by key, each read when it is asked for.
//!
//! A segment holds the commits of some links of the chain, in recorded order, with tables to find them by id and by what
//! they are about. Every number that it holds is looked at before it is used: what makes no sense loses the index
//! ([`Known::is_lost`]), and then nothing that was answered from it may be used. A lookup that fails answers with a commit
//! that says nothing.

mod written;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};

use crate::git::Pages;
use crate::model::{GateName, ObjectId, Time};

use super::history::{About, ChainLink, Commit, Index, place};

pub(crate) use written::encode;

/// The bytes of a segment's head, of a commit, of a link of the chain, and of an entry of a table.
const HEAD: usize = 48;
const COMMIT: usize = 68;
const LINK: usize = 16;
const ENTRY: usize = 12;

/// Tables begin with where the entries of each first byte end.
const FAN: usize = 256 * 4;

/// No parent, or no text.
const NONE: u32 = u32::MAX;

/// Commits are kept in groups of so many.
const GROUP: usize = 64;

/// A commit that has more parents than two.
const MANY_PARENTS: u8 = 2;
const STRAY: u8 = 1;

/// Places of commits by what they are asked for.
pub(crate) type Lists = BTreeMap<Vec<u8>, Vec<Index>>;

/// An index that is open.
#[derive(Debug)]
pub(crate) struct Known {
    pages: Pages,
    heads: Vec<Head>,
    groups: Vec<OnceLock<Box<[OnceLock<Commit>]>>>,
    nothing: Commit,
}

/// Where things stand in a segment.
#[derive(Debug, Clone, Copy)]
struct Head {
    /// The place of its first commit, and how many it holds.
    first: u32,
    count: u32,
    /// The same of the links of the chain.
    first_link: u32,
    links: u32,
    ids: Table,
    lists: Table,
    /// Where list and texts begin.
    bodies: u32,
    /// Of all commits up to its end.
    before_root: u64,
}

#[derive(Debug, Clone, Copy)]
struct Table {
    from: u32,
    entries: u32,
}

impl Known {
    /// An index whose first link is the trust root `root`; nothing where it is none.
    pub(crate) fn open(pages: Pages, root: ObjectId) -> Option<Self> {
        let mut heads: Vec<Head> = Vec::new();
        for segment in 0..pages.segments() {
            let head = Head::read(&pages, segment)?;
            let (first, first_link) =
                heads.last().map_or((0, 0), |last| (last.first + last.count, last.first_link + last.links));
            if (head.first, head.first_link) != (first, first_link) || head.links == 0 {
                return None;
            }
            heads.push(head);
        }
        let count = heads.last().map_or(0, |last| place(last.first + last.count));
        let groups = std::iter::repeat_with(OnceLock::new).take(count.div_ceil(GROUP)).collect();
        let (id, date) = (ObjectId([0; 20]), Time::from_unix(0)?);
        let nothing =
            Commit { id, tree: id, parents: Vec::new(), date, link: 0, about: About::Nothing, stray: false };
        let known = Self { pages, heads, groups, nothing };
        let first = known.chain(0).and_then(|link| known.id(link.at));
        (first == Some(root)).then_some(known)
    }

    /// The bytes behind it.
    pub(crate) fn pages(&self) -> &Pages {
        &self.pages
    }

    /// Whether something that it said may be wrong.
    pub(crate) fn is_lost(&self) -> bool {
        self.pages.is_lost()
    }

    /// How many commits it knows.
    pub(crate) fn len(&self) -> Index {
        self.heads.last().map_or(0, |last| last.first + last.count)
    }

    /// How many links of the chain.
    pub(crate) fn links(&self) -> u32 {
        self.heads.last().map_or(0, |last| last.first_link + last.links)
    }

    /// Decisions at or before the trust root: how many.
    pub(crate) fn before_root(&self) -> u64 {
        self.heads.last().map_or(0, |last| last.before_root)
    }

    /// How many commits each segment holds up to its end.
    pub(crate) fn ends(&self) -> impl DoubleEndedIterator<Item = Index> {
        self.heads.iter().map(|head| head.first + head.count)
    }

    /// The commit at a place.
    pub(crate) fn commit(&self, at: Index) -> &Commit {
        let Some(group) = self.groups.get(place(at) / GROUP) else { return self.lost() };
        let group = group.get_or_init(|| std::iter::repeat_with(OnceLock::new).take(GROUP).collect());
        let Some(slot) = group.get(place(at) % GROUP) else { return self.lost() };
        if let Some(commit) = slot.get() {
            return commit;
        }
        match self.decode(at) {
            Some(commit) => slot.get_or_init(|| commit),
            None => self.lost(),
        }
    }

    fn lost(&self) -> &Commit {
        self.pages.lose();
        &self.nothing
    }

    /// The place of a commit.
    pub(crate) fn find(&self, id: ObjectId) -> Option<Index> {
        let [hash @ .., _, _, _, _, _, _, _, _, _, _, _, _] = id.0;
        (0..).zip(&self.heads).find_map(|(segment, head)| {
            let found = self.look_up(segment, head.ids, hash);
            found.into_iter().find(|at| self.id(*at) == Some(id))
        })
    }

    fn id(&self, at: Index) -> Option<ObjectId> {
        let (segment, record) = self.record(at)?;
        Some(ObjectId(self.array(segment, record)?))
    }

    /// The link of that number.
    pub(crate) fn chain(&self, link: u32) -> Option<ChainLink> {
        let segment = self.heads.partition_point(|head| head.first_link + head.links <= link);
        let head = self.heads.get(segment)?;
        let from = HEAD + place(head.count) * COMMIT + place(link.checked_sub(head.first_link)?) * LINK;
        let at = self.number(segment, from)?;
        let stray = self.number(segment, from + 4)?;
        let latest = Time::from_unix(i64::from_le_bytes(self.array(segment, from + 8)?));
        if !(head.first..head.first + head.count).contains(&at) || latest.is_none() {
            self.pages.lose();
            return None;
        }
        Some(ChainLink { at, stray, latest: latest? })
    }

    /// The places of a key, in recorded order.
    pub(crate) fn list(&self, key: &[u8]) -> Vec<Index> {
        let mut places = Vec::new();
        for (segment, head) in (0..).zip(&self.heads) {
            for body in self.look_up(segment, head.lists, hash_of(key)) {
                if let Some((found, more)) = self.body(segment, head, body)
                    && found == key
                {
                    places.extend(more);
                }
            }
        }
        if !places.is_sorted_by(|one, next| one < next) {
            self.pages.lose();
            places.clear();
        }
        places
    }

    /// All lists, with their places from `first` on; those that have none there are left out.
    pub(crate) fn lists(&self, first: Index) -> Lists {
        let mut lists = Lists::new();
        for (segment, head) in (0..).zip(&self.heads).filter(|(_, head)| head.first + head.count > first) {
            for entry in 0..head.lists.entries {
                let Some((key, places)) = self
                    .number(segment, head.lists.entry(entry) + 8)
                    .and_then(|body| self.body(segment, head, body))
                else {
                    self.pages.lose();
                    return Lists::new();
                };
                let places: Vec<Index> = places.into_iter().filter(|at| *at >= first).collect();
                if !places.is_empty() {
                    lists.entry(key).or_default().extend(places);
                }
            }
        }
        lists
    }

    fn body(&self, segment: usize, head: &Head, body: u32) -> Option<(Vec<u8>, Vec<Index>)> {
        let at = place(head.bodies) + place(body);
        let key = self.text(segment, at)?;
        let at = at + 4 + key.len();
        let count = place(self.number(segment, at)?);
        let mut bytes = self.room(segment, at + 4, count.checked_mul(4)?)?;
        if !self.pages.read(segment, at + 4, &mut bytes) {
            return None;
        }
        let (places, _) = bytes.as_chunks::<4>();
        let places: Vec<Index> = places.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
        if places.iter().any(|at| !(head.first..head.first + head.count).contains(at)) {
            self.pages.lose();
            return None;
        }
        Some((key, places))
    }

    /// The values that a table has for a hash.
    fn look_up(&self, segment: usize, table: Table, hash: [u8; 8]) -> Vec<u32> {
        self.looked_up(segment, table, hash).unwrap_or_else(|| {
            self.pages.lose();
            Vec::new()
        })
    }

    fn looked_up(&self, segment: usize, table: Table, hash: [u8; 8]) -> Option<Vec<u32>> {
        let [first, ..] = hash;
        let bucket = usize::from(first) * 4;
        let mut low = match bucket.checked_sub(4) {
            Some(before) => self.number(segment, place(table.from) + before)?,
            None => 0,
        };
        let end = self.number(segment, place(table.from) + bucket)?;
        if low > end || end > table.entries {
            return None;
        }
        let mut high = end;
        while low < high {
            let middle = low + (high - low) / 2;
            if self.array::<8>(segment, table.entry(middle))? < hash {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let mut values = Vec::new();
        while low < end && self.array::<8>(segment, table.entry(low))? == hash {
            values.push(self.number(segment, table.entry(low) + 8)?);
            low += 1;
        }
        Some(values)
    }

    /// Where the record of a commit stands.
    fn record(&self, at: Index) -> Option<(usize, usize)> {
        let segment = self.heads.partition_point(|head| head.first + head.count <= at);
        let head = self.heads.get(segment)?;
        Some((segment, HEAD + place(at.checked_sub(head.first)?) * COMMIT))
    }

    fn decode(&self, at: Index) -> Option<Commit> {
        let (segment, record) = self.record(at)?;
        let head = self.heads.get(segment)?;
        let bytes: [u8; COMMIT] = self.array(segment, record)?;
        let mut reader = Reader(&bytes);
        let (id, tree) = (ObjectId(reader.array()?), ObjectId(reader.array()?));
        let date = Time::from_unix(i64::from_le_bytes(reader.array()?))?;
        let link = reader.number()?;
        let (one, two, text) = (reader.number()?, reader.number()?, reader.number()?);
        let [about, flags] = reader.array()?;
        let parents: Vec<Index> = if flags & MANY_PARENTS == 0 {
            [one, two].into_iter().filter(|parent| *parent != NONE).collect()
        } else {
            let body = place(head.bodies) + place(one);
            let count = place(self.number(segment, body)?);
            let mut bytes = self.room(segment, body + 4, count.checked_mul(4)?)?;
            if !self.pages.read(segment, body + 4, &mut bytes) {
                return None;
            }
            bytes.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect()
        };
        let text = match text {
            NONE => None,
            text => Some(String::from_utf8(self.text(segment, place(head.bodies) + place(text))?).ok()?),
        };
        let about = match (about, text) {
            (0, None) => About::Nothing,
            (1, None) => About::Policy,
            (2, Some(gate)) => About::Gate(gate.parse::<GateName>().ok()?),
            (3, message) => About::Log(message.map(String::into_boxed_str)),
            (_, _) => return None,
        };
        let in_order = parents.iter().all(|parent| *parent < at);
        let in_link = (head.first_link..head.first_link + head.links).contains(&link);
        (in_order && in_link).then_some(Commit {
            id,
            tree,
            parents,
            date,
            link,
            about,
            stray: flags & STRAY != 0,
        })
    }

    fn text(&self, segment: usize, from: usize) -> Option<Vec<u8>> {
        let length = place(self.number(segment, from)?);
        let mut bytes = self.room(segment, from + 4, length)?;
        self.pages.read(segment, from + 4, &mut bytes).then_some(bytes)
    }

    /// Room for bytes that a segment has from a place on; a length that nobody wrote takes no memory.
    fn room(&self, segment: usize, from: usize, length: usize) -> Option<Vec<u8>> {
        let holds = from.checked_add(length).is_some_and(|end| end <= self.pages.length(segment));
        if !holds {
            self.pages.lose();
        }
        holds.then(|| vec![0; length])
    }

    fn number(&self, segment: usize, from: usize) -> Option<u32> {
        Some(u32::from_le_bytes(self.array(segment, from)?))
    }

    fn array<const N: usize>(&self, segment: usize, from: usize) -> Option<[u8; N]> {
        let mut array = [0; N];
        self.pages.read(segment, from, &mut array).then_some(array)
    }
}

impl Table {
    fn entry(self, number: u32) -> usize {
        place(self.from) + FAN + place(number) * ENTRY
    }
}

impl Head {
    fn read(pages: &Pages, segment: usize) -> Option<Self> {
        let mut bytes = [0; HEAD];
        if !pages.read(segment, 0, &mut bytes) {
            return None;
        }
        let mut reader = Reader(&bytes);
        let mut number = || reader.number();
        let (first, count, first_link, links) = (number()?, number()?, number()?, number()?);
        let ids = Table { from: number()?, entries: number()? };
        let lists = Table { from: number()?, entries: number()? };
        let bodies = number()?;
        let before_root = u64::from_le_bytes(reader.array()?);
        first.checked_add(count)?;
        first_link.checked_add(links)?;
        (ids.entries == count).then_some(Self {
            first,
            count,
            first_link,
            links,
            ids,
            lists,
            bodies,
            before_root,
        })
    }
}

/// The first bytes of a digest of a key: nobody makes many keys with the same.
fn hash_of(key: &[u8]) -> [u8; 8] {
    let digest: [u8; 32] = Sha256::digest(key).into();
    digest.first_chunk().copied().unwrap_or_default()
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*array)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.array()?))
    }
}
