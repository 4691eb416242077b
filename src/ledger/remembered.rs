//! The index: what a history is made of, as it was read before, so that only what is new is read.
//!
//! Facts that follow from the commits of one chain alone: ids, parents, trees, dates, what each message is about, which
//! commits change which governed directory. No signature, no policy, no time, no verdict: those are worked out anew from
//! the objects. It is used only where the mainline descends by first parents from a link that it knows, and only up to
//! there; then it says what reading everything says (design, section 16).

use std::sync::Arc;

use crate::git::{Pages, Recalled, Repository};
use crate::model::ObjectId;

use super::Undecided;
use super::changes::Changes;
use super::history::{History, Index};
use super::known::{Known, Lists, encode};

/// Changes with the form of what is kept. The program's version stands in the key as well.
const FORMAT: u32 = 3;

/// What was remembered of a history.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    /// It.
    pub(crate) known: Option<Arc<Known>>,
    /// What was kept of it last was taken out: an index that knows nothing.
    empty: Option<Pages>,
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
        let Some(known) = remembered.known else { return Ok(nothing) };
        let (commits, links) = (known.len(), known.links());
        let last = links.checked_sub(1).and_then(|last| known.chain(last));
        let mainline = last.map(|last| known.commit(last.at).id);
        let used = History::known_until(known, repository, tip);
        let standing = match used.as_ref().map(History::last) {
            Some(last) if last == mainline && last == Some(tip) => IndexStanding::Current,
            Some(last) if last == mainline => IndexStanding::Behind,
            Some(_) | None => IndexStanding::Elsewhere,
        };
        let verified = match used.filter(|_| verify) {
            Some(used) => Some(is_as_history(repository, root, &used)?),
            None => None,
        };
        let commits = usize::try_from(commits).unwrap_or(usize::MAX);
        Ok(Self { standing, commits, mainline, verified })
    }
}

/// Whether what is used of an index is what reading everything gives.
fn is_as_history(repository: &Repository, root: ObjectId, used: &History) -> Result<bool, Undecided> {
    let Some(last) = used.last() else { return Ok(false) };
    let read = History::read(repository, root, last, None)?;
    let lists = |history: &History| -> Result<Lists, Undecided> {
        Ok(all_lists(history, &Changes::read(repository, history, true)?, 0))
    };
    Ok(encode(&read, 0, &lists(&read)?) == encode(used, 0, &lists(used)?))
}

fn all_lists(history: &History, changes: &Changes, first: Index) -> Lists {
    let mut lists = history.lists(first);
    lists.extend(changes.lists(first));
    lists
}

/// What an index is of: another version of the program may read a history otherwise.
pub(super) fn key(root: ObjectId) -> Vec<u8> {
    format!("git-gate index {FORMAT}, version {}, trust root {root}\n", env!("CARGO_PKG_VERSION"))
        .into_bytes()
}

impl Remembered {
    /// Opens the index of a trust root, where one is used. Unless only a glance is asked for, all of it is read and compared
    /// at once, so that nothing can turn out to be damaged later.
    pub(crate) fn recall(repository: &Repository, root: ObjectId) -> Self {
        if !repository.remembers() {
            return Self::default();
        }
        let pages = match repository.recall(&key(root)) {
            Recalled::Nothing => return Self::default(),
            Recalled::Unfit(reason) => return Self { unfit: Some(reason), ..Self::default() },
            Recalled::Pages(pages) if pages.segments() == 0 => {
                return Self { empty: Some(pages), ..Self::default() };
            }
            Recalled::Pages(pages) => pages,
        };
        if !repository.glances() && !pages.read_all() {
            return Self { unfit: Some("it is damaged, or was changed by hand"), ..Self::default() };
        }
        match Known::open(pages, root) {
            Some(known) if !known.is_lost() => Self { known: Some(Arc::new(known)), ..Self::default() },
            Some(_) | None => Self { unfit: Some("it does not read"), ..Self::default() },
        }
    }

    /// Keeps a history that was read up to its end. Nothing is written where nothing is new.
    pub(crate) fn keep(&self, repository: &Repository, root: ObjectId, history: &History, changes: &Changes) {
        let (all, taken) = (history.len(), history.taken());
        let known = history.known();
        let pages = known.map(|known| known.pages()).or(self.empty.as_ref());
        if taken == all && known.is_some() {
            return;
        }
        // Segments that are not much larger than what follows them are written again with it, so that there never are many.
        let ends: Vec<Index> = known.into_iter().flat_map(|known| known.ends()).collect();
        let begin = |number: usize| number.checked_sub(1).and_then(|before| ends.get(before)).copied();
        let mut kept = ends.iter().take_while(|end| **end <= taken).count();
        while let Some(last) = kept.checked_sub(1) {
            let first = begin(last).unwrap_or_default();
            let end = ends.get(last).copied().unwrap_or_default();
            if end - first > 2 * (all - end) {
                break;
            }
            kept = last;
        }
        let first = begin(kept).unwrap_or_default();
        let bytes = encode(history, first, &all_lists(history, changes, first));
        if known.is_some_and(|known| known.is_lost()) {
            return;
        }
        // Reading never needs to write: where it is not kept, the next reads the same again.
        let _kept = repository.keep_segment(&key(root), pages, kept, &bytes);
    }
}
