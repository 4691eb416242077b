//! Trees, strictly: canonical, or they count for nothing (design, section 4).
//!
//! Git itself reads a tree whose names repeat or are out of order, and different commands then see different files.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Range;

use crate::model::ObjectId;

/// A canonical tree: sorted as git sorts, no name twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    bytes: Vec<u8>,
    slots: Vec<Slot>,
}

/// One entry of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its name; any bytes but NUL and `/`.
    pub name: &'a [u8],
    /// What it is, by mode.
    pub kind: EntryKind,
    /// The object.
    pub id: ObjectId,
}

/// Where an entry's name stands in the bytes; its id is behind the NUL that ends it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Slot {
    /// Where it begins and ends, in half the space of two addresses: no tree that is read is nearly as long.
    name: (u32, u32),
    kind: EntryKind,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A regular file, executable or not: that bit is ignored everywhere.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, a submodule, or a mode that git no longer writes: nothing that a governed directory may hold.
    Other,
}

/// Why a tree is not canonical.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeDefect {
    /// Its bytes do not parse.
    #[error("the tree does not parse")]
    Malformed,
    /// Its entries are out of order.
    #[error("the tree is not sorted at `{}`", crate::model::escape(.0))]
    Unsorted(String),
    /// A name stands in it twice.
    #[error("the tree holds `{}` twice", crate::model::escape(.0))]
    Twice(String),
    /// A name stands in it twice, in different letter case.
    #[error("the tree holds `{}` in two letter cases", crate::model::escape(.0))]
    LetterCase(String),
}

impl Tree {
    /// Parses the bytes of a tree object.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, TreeDefect> {
        let mut slots: Vec<Slot> = Vec::with_capacity(bytes.len() / 32);
        let mut at = 0;
        while at < bytes.len() {
            let slot = parse_slot(&bytes, at).ok_or(TreeDefect::Malformed)?;
            at = slot.end();
            slots.push(slot);
        }
        let tree = Self { bytes, slots };
        tree.refuse_disorder()?;
        Ok(tree)
    }

    fn refuse_disorder(&self) -> Result<(), TreeDefect> {
        let mut prefixes = false;
        for (before, entry) in self.entries().zip(self.entries().skip(1)) {
            match order(&before, &entry) {
                Ordering::Less => {}
                Ordering::Equal | Ordering::Greater => return Err(TreeDefect::Unsorted(lossy(entry.name))),
            }
            prefixes |= entry.name.starts_with(before.name);
        }
        // Where a name stands twice, the one behind its first begins with it: in between are only names that do.
        if !prefixes {
            return Ok(());
        }
        // In git's order a directory sorts as if its name ended in `/`: a file of its name stands before it, and between
        // them are only names that begin with the same name and a byte below `/`.
        for (index, entry) in self.entries().enumerate() {
            let neighbours = self.entries().skip(index + 1);
            let mut same_beginning = neighbours.take_while(|other| other.name.starts_with(entry.name));
            if entry.kind != EntryKind::Directory && same_beginning.any(|other| other.name == entry.name) {
                return Err(TreeDefect::Twice(lossy(entry.name)));
            }
        }
        Ok(())
    }

    /// How many bytes its object has.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// All entries, in git's order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.slots.iter().filter_map(|slot| self.entry(slot))
    }

    /// The entries of both without those that they begin and end with alike.
    pub fn apart<'a>(
        &'a self,
        other: &'a Self,
    ) -> (impl Iterator<Item = Entry<'a>>, impl Iterator<Item = Entry<'a>>) {
        let (mine, theirs) = (self.bytes.as_slice(), other.bytes.as_slice());
        let head = common(mine, theirs, |bytes, length| bytes.split_at_checked(length));
        let first = self.slots.partition_point(|slot| slot.end() <= head);
        let tail = common(mine, theirs, |bytes, length| {
            let (before, last) = bytes.split_at_checked(bytes.len().checked_sub(length)?)?;
            Some((last, before))
        });
        // Where an entry begins at the same distance from the end in both, they go on alike.
        let from = mine.len() - tail;
        let mut my_end = self.slots.partition_point(|slot| slot.end() < from) + usize::from(from > 0);
        my_end = my_end.clamp(first, self.slots.len());
        let mut their_end = (other.slots.len() + my_end).saturating_sub(self.slots.len());
        if their_end < first || mine.len() - self.begin(my_end) != theirs.len() - other.begin(their_end) {
            (my_end, their_end) = (self.slots.len(), other.slots.len());
        }
        (self.between(first, my_end), other.between(first, their_end))
    }

    /// Where the entry of that number begins, or would.
    fn begin(&self, number: usize) -> usize {
        number.checked_sub(1).and_then(|before| self.slots.get(before)).map_or(0, Slot::end)
    }

    fn between(&self, first: usize, end: usize) -> impl Iterator<Item = Entry<'_>> {
        let slots = self.slots.get(first..end).unwrap_or_default();
        slots.iter().filter_map(|slot| self.entry(slot))
    }

    /// The entry of that name.
    pub fn get(&self, name: &str) -> Option<Entry<'_>> {
        // Files and directories sort differently: look for both.
        [EntryKind::File, EntryKind::Directory].into_iter().find_map(|kind| {
            let wanted = Entry { name: name.as_bytes(), kind, id: ObjectId([0; ID_BYTES]) };
            let found = self.slots.binary_search_by(|slot| match self.entry(slot) {
                Some(entry) => order(&entry, &wanted),
                None => Ordering::Less,
            });
            self.entry(self.slots.get(found.ok()?)?)
        })
    }

    /// Refuses names that are the same but for letter case: with `only`, names that are one of these so.
    pub fn refuse_letter_case(&self, only: Option<&[&str]>) -> Result<(), TreeDefect> {
        // No name stands in it twice: names without capitals, as most trees have none else, differ whatever their case.
        if self.entries().all(|entry| is_folded(entry.name)) {
            return Ok(());
        }
        let mut seen = BTreeSet::new();
        for entry in self.entries() {
            let folded = fold(entry.name);
            let twin = match only {
                Some(names) => {
                    names.iter().any(|name| fold(name.as_bytes()) == folded && name.as_bytes() != entry.name)
                }
                None => !seen.insert(folded),
            };
            if twin {
                return Err(TreeDefect::LetterCase(lossy(entry.name)));
            }
        }
        Ok(())
    }

    fn entry(&self, slot: &Slot) -> Option<Entry<'_>> {
        let Range { start, end } = slot.name();
        let name = self.bytes.get(start..end)?;
        let id = self.bytes.get(end + 1..)?.first_chunk::<ID_BYTES>()?;
        Some(Entry { name, kind: slot.kind, id: ObjectId(*id) })
    }
}

impl Slot {
    fn name(&self) -> Range<usize> {
        let [start, end] = [self.name.0, self.name.1].map(|at| usize::try_from(at).unwrap_or(usize::MAX));
        start..end
    }

    /// Where the entry ends.
    fn end(&self) -> usize {
        self.name().end + 1 + ID_BYTES
    }
}

/// How many bytes two trees have in common, from the side on which `part` parts a number of bytes from the rest.
fn common<'a>(
    mut one: &'a [u8],
    mut other: &'a [u8],
    part: impl Fn(&'a [u8], usize) -> Option<(&'a [u8], &'a [u8])>,
) -> usize {
    let mut length = 0;
    for step in [256, 16, 1] {
        while let (Some((mine, rest)), Some((theirs, others))) = (part(one, step), part(other, step))
            && mine == theirs
        {
            (one, other) = (rest, others);
            length += step;
        }
    }
    length
}

const ID_BYTES: usize = 20;
/// The longest mode that git writes, `160000`, and its blank.
const MODE_BYTES: usize = 7;

fn parse_slot(bytes: &[u8], at: usize) -> Option<Slot> {
    let rest = bytes.get(at..)?;
    let space = rest.iter().take(MODE_BYTES).position(|byte| *byte == b' ')?;
    let mode = rest.get(..space)?;
    let behind = rest.get(space + 1..)?;
    let length = behind.iter().position(|byte| *byte == 0)?;
    let name = behind.get(..length)?;
    let octal = mode.iter().all(|digit| matches!(digit, b'0'..=b'7'));
    let id_fits = behind.len() > length + ID_BYTES;
    if !octal
        || !id_fits
        || mode.first().is_none_or(|first| *first == b'0')
        || name.is_empty()
        || name.contains(&b'/')
    {
        return None;
    }
    let kind = match mode {
        b"100644" | b"100755" => EntryKind::File,
        b"40000" => EntryKind::Directory,
        _ => EntryKind::Other,
    };
    let start = at + space + 1;
    Some(Slot { name: (u32::try_from(start).ok()?, u32::try_from(start + length).ok()?), kind })
}

/// Git's order: bytewise, directories as if their names ended in `/`.
fn order(left: &Entry<'_>, right: &Entry<'_>) -> Ordering {
    let end = |entry: &Entry<'_>| if entry.kind == EntryKind::Directory { b'/' } else { 0 };
    // Most names part at a byte that both have.
    if let Some((mine, theirs)) = left.name.iter().zip(right.name).find(|(mine, theirs)| mine != theirs) {
        return mine.cmp(theirs);
    }
    let common = left.name.len().min(right.name.len());
    let next = |entry: &Entry<'_>| entry.name.get(common).copied().unwrap_or_else(|| end(entry));
    next(left).cmp(&next(right))
}

fn fold(name: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(name) {
        Ok(text) => text.to_lowercase().into_bytes(),
        Err(_not_utf8) => name.to_ascii_lowercase(),
    }
}

/// Whether folding leaves a name as it is.
fn is_folded(name: &[u8]) -> bool {
    name.iter().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
}

fn lossy(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(entries: &[(&str, &str)]) -> Result<Tree, TreeDefect> {
        let mut bytes = Vec::new();
        for (mode, name) in entries {
            bytes.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            bytes.extend_from_slice(&[7; 20]);
        }
        Tree::parse(bytes)
    }

    #[test]
    fn only_canonical_trees_parse() {
        assert!(tree(&[]).is_ok());
        assert!(tree(&[("100644", "a"), ("40000", "b"), ("100755", "b.c")]).is_err(), "b/ sorts behind b.c");
        assert!(tree(&[("100644", "a"), ("100755", "b.c"), ("40000", "b")]).is_ok());
        assert_eq!(tree(&[("100644", "b"), ("100644", "a")]), Err(TreeDefect::Unsorted("a".into())));
        assert_eq!(tree(&[("100644", "a"), ("100644", "a")]), Err(TreeDefect::Unsorted("a".into())));
        assert_eq!(
            tree(&[("100644", "a"), ("100644", "a.b"), ("40000", "a")]),
            Err(TreeDefect::Twice("a".into()))
        );
        for bad in [("040000", "a"), ("100644", ""), ("100644", "a/b"), ("1x0644", "a"), ("", "a")] {
            assert_eq!(tree(&[bad]), Err(TreeDefect::Malformed), "{bad:?}");
        }
        assert_eq!(Tree::parse(b"100644 a\0short".to_vec()), Err(TreeDefect::Malformed));
    }

    #[test]
    fn entries_are_found_by_name() {
        let tree = tree(&[("100644", "a"), ("100755", "b.c"), ("40000", "b"), ("120000", "z")]).unwrap();
        assert_eq!(tree.get("b").unwrap().kind, EntryKind::Directory);
        assert_eq!(tree.get("b.c").unwrap().kind, EntryKind::File);
        assert_eq!(tree.get("z").unwrap().kind, EntryKind::Other);
        assert!(tree.get("c").is_none());
    }

    #[test]
    fn what_two_trees_have_otherwise_is_all_that_is_left_of_them() {
        let make = |names: &[(&str, u8)]| {
            let mut bytes = Vec::new();
            for (name, id) in names {
                bytes.extend_from_slice(format!("100644 {name}\0").as_bytes());
                bytes.extend_from_slice(&[*id; 20]);
            }
            Tree::parse(bytes).unwrap()
        };
        let names: Vec<String> = (0..40).map(|number| format!("file-{number:02}")).collect();
        let all: Vec<(&str, u8)> = names.iter().map(|name| (name.as_str(), 7)).collect();
        let check = |one: &[(&str, u8)], other: &[(&str, u8)]| {
            let (one, other) = (make(one), make(other));
            let (mine, theirs) = one.apart(&other);
            let (mine, theirs): (Vec<_>, Vec<_>) = (mine.collect(), theirs.collect());
            for (tree, against, left) in [(&one, &other, &mine), (&other, &one, &theirs)] {
                let differs: Vec<_> =
                    tree.entries().filter(|entry| !against.entries().any(|other| other == *entry)).collect();
                assert!(differs.iter().all(|entry| left.contains(entry)), "{differs:?} {left:?}");
            }
            mine.len() + theirs.len()
        };
        assert_eq!(check(&all, &all), 0);
        assert_eq!(check(&all, &[]), 40);
        for at in 0..40 {
            let mut other = all.clone();
            other[at].1 = 8;
            assert_eq!(check(&all, &other), 2, "another id at {at}");
            other.remove(at);
            assert_eq!(check(&all, &other), 1, "one less at {at}");
            assert_eq!(check(&all[..at], &all[at..]), 40);
            assert_eq!(check(&all[..at], &all), 40 - at);
        }
        // Where one ends like the other, that need not be an entry of it.
        assert_eq!(check(&[("x", 7)], &[("y 100644 x", 7)]), 2);
        assert_eq!(check(&[("a", 7), ("x", 7)], &[("a", 7), ("y 100644 x", 7)]), 2);
    }

    #[test]
    fn letter_case_tells_no_names_apart() {
        let top = tree(&[("40000", "Gates"), ("100644", "README"), ("40000", "gates"), ("100644", "readme")])
            .unwrap();
        assert!(top.refuse_letter_case(None).is_err());
        assert!(top.refuse_letter_case(Some(&["policy"])).is_ok());
        assert!(top.refuse_letter_case(Some(&["gates"])).is_err());
        // Nor does it of letters beyond ASCII.
        let beyond = tree(&[("40000", "v1-\u{c4}"), ("40000", "v1-\u{e4}")]).unwrap();
        assert!(beyond.refuse_letter_case(None).is_err());
    }
}
