//! A policy in force: from which link on, and what it says, read when it is asked for where it is remembered.
//!
//! Which policies came into force follows from the chain alone, as long as no link is dated ahead and nobody is asked to
//! sign the mainline: so that is remembered, and the policies are read again from the objects.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{ContentDigest, ObjectId};
use crate::policy::{Policy, Since};

use super::history::History;
use super::kept::Text;
use super::known::Known;
use super::policies;
use super::trees::{Directory, Trees};

/// Under what name the policies are kept.
pub(super) const ROW: &str = "policies";

/// A policy in force.
#[derive(Debug)]
pub(crate) struct Epoch {
    pub(crate) digest: ContentDigest,
    /// The link at whose end it came into force; 0: the trust root.
    pub(crate) link: u32,
    /// The mainline commit there.
    pub(crate) commit: ObjectId,
    /// The top tree that holds it.
    tree: ObjectId,
    content: Held,
}

#[derive(Debug)]
enum Held {
    Read(Content),
    /// It is remembered, and read when it is asked for.
    Remembered(Source, OnceCell<Content>),
}

/// A policy, and its files.
type Content = (Arc<Policy>, Rc<Directory>);

/// A policy in force, with what it says, for another thread.
#[derive(Debug, Clone)]
pub(super) struct Apart {
    digest: ContentDigest,
    link: u32,
    commit: ObjectId,
    tree: ObjectId,
    policy: Arc<Policy>,
    directory: Directory,
}

/// From what a policy that is remembered is read again.
#[derive(Debug, Clone)]
struct Source {
    trees: Rc<Trees>,
    /// What is told where it does not read.
    known: Arc<Known>,
    /// What it says then, so that an answer comes to its end, which is thrown away.
    instead: Content,
}

/// The policies as they are kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    /// The mainline commit by which they were in force.
    mainline: Text<ObjectId>,
    epochs: Vec<EpochRow>,
    /// What they revoke keys from, and no history held then: were it there now, other policies might have come into force.
    unknown: Vec<Text<ObjectId>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EpochRow {
    link: u32,
    digest: Text<ContentDigest>,
    commit: Text<ObjectId>,
    tree: Text<ObjectId>,
}

impl Epoch {
    pub(crate) fn new(
        policy: Arc<Policy>,
        digest: ContentDigest,
        link: u32,
        commit: ObjectId,
        (tree, directory): (ObjectId, Rc<Directory>),
    ) -> Self {
        Self { digest, link, commit, tree, content: Held::Read((policy, directory)) }
    }

    /// What it says.
    pub(crate) fn policy(&self) -> &Arc<Policy> {
        &self.read().0
    }

    /// Its files.
    pub(crate) fn directory(&self) -> &Rc<Directory> {
        &self.read().1
    }

    /// The same for another thread.
    pub(super) fn apart(&self) -> Apart {
        let Self { digest, link, commit, tree, content: _ } = *self;
        let (policy, directory) = self.read();
        Apart { digest, link, commit, tree, policy: Arc::clone(policy), directory: (**directory).clone() }
    }

    /// What a policy that does not read says instead is that of the last: that one was read.
    fn read(&self) -> &Content {
        match &self.content {
            Held::Read(content) => content,
            Held::Remembered(source, read) => read.get_or_init(|| {
                policies::remembered(&source.trees, self.tree, self.digest).unwrap_or_else(|| {
                    source.known.pages().lose();
                    source.instead.clone()
                })
            }),
        }
    }
}

impl Apart {
    pub(super) fn open(self) -> Epoch {
        let Self { digest, link, commit, tree, policy, directory } = self;
        Epoch::new(policy, digest, link, commit, (tree, Rc::new(directory)))
    }
}

impl Row {
    /// The policies as they are to be kept, all of which were in force by the mainline commit `mainline`.
    pub(super) fn of(history: &History, mainline: ObjectId, epochs: &[Epoch]) -> Self {
        let revoked = epochs.iter().flat_map(|epoch| &epoch.policy().revoked);
        let since = revoked.filter_map(|revocation| match revocation.since {
            Since::Commit(commit) if history.find(commit).is_none() => Some(Text(commit)),
            Since::Commit(_) | Since::NeverTrusted => None,
        });
        let row = |epoch: &Epoch| EpochRow {
            link: epoch.link,
            digest: Text(epoch.digest),
            commit: Text(epoch.commit),
            tree: Text(epoch.tree),
        };
        Self { mainline: Text(mainline), unknown: since.collect(), epochs: epochs.iter().map(row).collect() }
    }

    /// The policies that are in force along a history; nothing where that is not what they were kept of, or more decisions on
    /// the policy came since.
    pub(super) fn epochs(self, history: &History, trees: &Rc<Trees>) -> Option<Vec<Epoch>> {
        let then = history.link_of(self.mainline.0)?;
        let known = history.known()?;
        let news = history.decisions_on_the_policy().last().is_some_and(|at| history.commit(*at).link > then);
        if news || self.unknown.iter().any(|commit| history.find(commit.0).is_some()) {
            return None;
        }
        let last = self.epochs.last()?;
        let instead = policies::remembered(trees, last.tree.0, last.digest.0)?;
        let source = Source { trees: Rc::clone(trees), known: Arc::clone(known), instead };
        let epoch = |row: &EpochRow| Epoch {
            digest: row.digest.0,
            link: row.link,
            commit: row.commit.0,
            tree: row.tree.0,
            content: Held::Remembered(source.clone(), OnceCell::new()),
        };
        let mut epochs: Vec<Epoch> = self.epochs.iter().map(epoch).collect();
        // That one was read.
        epochs.last_mut()?.content = Held::Read(source.instead.clone());
        let in_order = epochs.first()?.link == 0 && epochs.is_sorted_by_key(|epoch| epoch.link);
        (in_order && last.link <= then).then_some(epochs)
    }
}
