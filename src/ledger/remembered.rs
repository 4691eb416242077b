//! The index: what a history is made of, as it was read before, so that only what is new is read.
//!
//! Facts that follow from the commits of one chain alone: ids, parents, trees, dates, what each message is about, which
//! commits change which governed directory. No signature, no policy, no time, no verdict: those are worked out anew from
//! the objects. It is used only where the mainline descends by first parents from a link that it knows, and only up to
//! there; then it says what reading everything says (design, section 16).

use std::collections::BTreeMap;

use crate::git::{Parts, Recalled, Repository};
use crate::model::{GateName, ObjectId, Time};

use super::Undecided;
use super::changes::Changes;
use super::history::{About, Commit, History, Index, place};

/// Changes with the form of what is kept. The program's version stands in the key as well.
const FORMAT: u32 = 1;

/// What was remembered of a history.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    /// It, as far as it is of use.
    pub(crate) known: Option<(History, Changes)>,
    /// How many commits each part holds up to its end.
    ends: Vec<usize>,
    parts: Option<Parts>,
    /// Why what stands there is not used.
    pub(crate) unfit: Option<&'static str>,
}

/// How the index of a repository stands to a mainline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexState {
    /// How it stands.
    pub standing: IndexStanding,
    /// How many commits it knows.
    pub commits: usize,
    /// The mainline commit up to which it knows all.
    pub mainline: Option<ObjectId>,
    /// Whether it says what the history says; nothing: that was not asked, or there is nothing to compare.
    pub verified: Option<bool>,
}

/// How an index stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexStanding {
    /// There is none, or none that can be read now.
    None,
    /// What stands there is not used: why.
    Unfit(&'static str),
    /// It knows all that the mainline holds.
    Current,
    /// It knows the mainline up to an earlier commit.
    Behind,
    /// It knows a mainline that goes on beyond this one, or another way.
    Elsewhere,
}

impl IndexState {
    /// How the index of the trust root `root` stands to the mainline commit `tip`; with `verify`, whether it says what the
    /// history says, which is then read.
    pub fn read(
        repository: &Repository,
        root: ObjectId,
        tip: ObjectId,
        verify: bool,
    ) -> Result<Self, Undecided> {
        let remembered = Remembered::recall(repository, root);
        let nothing = Self { standing: IndexStanding::None, commits: 0, mainline: None, verified: None };
        if let Some(reason) = remembered.unfit {
            return Ok(Self { standing: IndexStanding::Unfit(reason), ..nothing });
        }
        let Some((history, changes)) = remembered.known else { return Ok(nothing) };
        let (commits, mainline) = (history.commits.len(), history.last());
        let used = history.known_until(repository, tip);
        let standing = match used.as_ref().map(History::last) {
            Some(last) if last == mainline && last == Some(tip) => IndexStanding::Current,
            Some(last) if last == mainline => IndexStanding::Behind,
            Some(_) | None => IndexStanding::Elsewhere,
        };
        let verified = match used.filter(|_| verify) {
            Some(used) => Some(is_as_history(repository, root, tip, (used, changes))?),
            None => None,
        };
        Ok(Self { standing, commits, mainline, verified })
    }
}

/// Whether what is used of an index is what reading everything gives.
fn is_as_history(
    repository: &Repository,
    root: ObjectId,
    tip: ObjectId,
    (used, mut changes): (History, Changes),
) -> Result<bool, Undecided> {
    changes.cut(used.commits.len());
    let (history, _) = History::read(repository, root, tip, None)?;
    let Some(history) = used.last().and_then(|last| history.known_until(repository, last)) else {
        return Ok(false);
    };
    let read = Changes::by_version(BTreeMap::new()).read(repository, &history, 0)?;
    Ok(encode(&history, &read, 0) == encode(&used, &changes, 0))
}

/// What an index is of: another version of the program may read a history otherwise.
fn key(root: ObjectId) -> Vec<u8> {
    format!("git-gate index {FORMAT}, version {}, trust root {root}\n", env!("CARGO_PKG_VERSION"))
        .into_bytes()
}

impl Remembered {
    /// Reads the index of a trust root.
    pub(crate) fn recall(repository: &Repository, root: ObjectId) -> Self {
        let parts = match repository.recall(&key(root)) {
            Recalled::Nothing => return Self::default(),
            Recalled::Unfit(reason) => return Self { unfit: Some(reason), ..Self::default() },
            // What was kept last was taken out: then nothing is known.
            Recalled::Parts(parts) if parts.bytes.is_empty() => {
                return Self { parts: Some(parts), ..Self::default() };
            }
            Recalled::Parts(parts) => parts,
        };
        let Some((history, changes, ends)) =
            decode_all(&parts).filter(|(history, _, _)| history.begins_at(root))
        else {
            return Self { unfit: Some("it does not read"), ..Self::default() };
        };
        Self { known: Some((history, changes)), ends, parts: Some(parts), unfit: None }
    }

    /// Keeps a history that was read up to its end; `taken` is how many of its commits were taken from here. Nothing is
    /// written where nothing is new.
    pub(crate) fn keep(
        &self,
        repository: &Repository,
        root: ObjectId,
        (history, changes): (&History, &Changes),
        taken: usize,
    ) {
        let all = history.commits.len();
        if taken == all && self.parts.is_some() {
            return;
        }
        // Parts that are not much larger than what follows them are written again with it, so that there never are many.
        let mut kept = self.ends.iter().take_while(|end| **end <= taken).count();
        while let Some(last) = kept.checked_sub(1) {
            let end = self.ends.get(last).copied().unwrap_or_default();
            let begin =
                last.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
            if end - begin > 2 * (all - end) {
                break;
            }
            kept = last;
        }
        let first = kept.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or_default();
        let bytes = encode(history, changes, first);
        // Reading never needs to write: where it is not kept, the next reads the same again.
        let _kept = repository.keep_parts(&key(root), self.parts.as_ref(), kept, &bytes);
    }
}

/// The commits of a history from a place on, and what they change.
fn encode(history: &History, changes: &Changes, first: usize) -> Vec<u8> {
    let commits = history.commits.get(first..).unwrap_or_default();
    let mut bytes = Vec::with_capacity(commits.len() * 128);
    put(&mut bytes, commits.len());
    for commit in commits {
        bytes.extend_from_slice(&commit.id.0);
        bytes.extend_from_slice(&commit.tree.0);
        bytes.extend_from_slice(&commit.date.unix().to_le_bytes());
        bytes.extend_from_slice(&commit.link.to_le_bytes());
        put(&mut bytes, commit.parents.len());
        for parent in &commit.parents {
            bytes.extend_from_slice(&parent.to_le_bytes());
        }
        bytes.push(u8::from(commit.stray));
        match &commit.about {
            About::Nothing => bytes.push(0),
            About::Policy => bytes.push(1),
            About::Gate(gate) => {
                bytes.push(2);
                put_text(&mut bytes, gate.to_string().as_bytes());
            }
            About::Log(None) => bytes.push(3),
            About::Log(Some(message)) => {
                bytes.push(4);
                put_text(&mut bytes, message.as_bytes());
            }
        }
    }
    let changes: Vec<_> = changes.from(first).collect();
    put(&mut bytes, changes.len());
    for (path, places) in changes {
        put_text(&mut bytes, path);
        put(&mut bytes, places.len());
        for at in places {
            bytes.extend_from_slice(&at.to_le_bytes());
        }
    }
    bytes
}

fn put(bytes: &mut Vec<u8>, number: usize) {
    bytes.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_text(bytes: &mut Vec<u8>, text: &[u8]) {
    put(bytes, text.len());
    bytes.extend_from_slice(text);
}

fn decode_all(parts: &Parts) -> Option<(History, Changes, Vec<usize>)> {
    let mut history = History::default();
    let mut places: BTreeMap<Vec<u8>, Vec<Index>> = BTreeMap::new();
    let mut ends = Vec::new();
    for part in &parts.bytes {
        let mut bytes = Reader(part);
        for _ in 0..bytes.number()? {
            history.push(decode(&mut bytes)?)?;
        }
        for _ in 0..bytes.number()? {
            let path = bytes.text()?.to_vec();
            let of_path = places.entry(path).or_default();
            for _ in 0..bytes.number()? {
                of_path.push(bytes.number()?);
            }
        }
        if !bytes.0.is_empty() {
            return None;
        }
        ends.push(history.commits.len());
    }
    Some((history, Changes::by_version(places), ends))
}

fn decode(bytes: &mut Reader<'_>) -> Option<Commit> {
    let (id, tree) = (ObjectId(bytes.array()?), ObjectId(bytes.array()?));
    let date = Time::from_unix(i64::from_le_bytes(bytes.array()?))?;
    let link = bytes.number()?;
    let parents = (0..bytes.number()?).map(|_| bytes.number()).collect::<Option<_>>()?;
    let [stray] = bytes.array()?;
    let about = match bytes.array()? {
        [0] => About::Nothing,
        [1] => About::Policy,
        [2] => About::Gate(std::str::from_utf8(bytes.text()?).ok()?.parse::<GateName>().ok()?),
        [3] => About::Log(None),
        [4] => About::Log(Some(std::str::from_utf8(bytes.text()?).ok()?.into())),
        [_] => return None,
    };
    Some(Commit { id, tree, parents, date, link, about, stray: stray == 1 })
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*array)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.array()?))
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = place(self.number()?);
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(text)
    }
}
