//! The ledger: history → facts.
//!
//! Opening a ledger reads every commit that the mainline reaches, once and raw; works out steps, recorded times and the
//! policy in force at each (`chronicle.rs`); and then answers what a question needs: decisions on a gate, its content and
//! authors, its exception, incidents, log records. Signatures are verified when an answer rests on them, not before.
//! What follows from the facts is judged in [`crate::verdict`], never here.

mod alike;
mod arrivals;
mod arrived;
mod arrived_files;
mod audited;
mod ballots;
mod beside;
mod changes;
mod chronicle;
mod content;
mod decisions;
mod directory;
mod epoch;
mod exceptions;
mod history;
mod incidents;
mod incidents_kept;
mod kept;
mod known;
mod moments;
mod news;
mod pending;
mod placing;
mod policies;
mod populace;
mod provenance;
mod reading;
mod records;
mod remembered;
mod reports;
mod rewound;
mod shape;
mod signatures;
mod signing;
mod snapshot;
mod squashed;
mod stood;
mod summary;
mod tally;
mod timeline;
mod trees;
mod undecided;
mod walk;

pub mod mark;

pub(crate) use alike::Alike;
pub(crate) use arrivals::{Arrivals, Governed};
pub(crate) use arrived::Proposal;
pub use audited::{AuditedRecord, ChainBreak, LogOutline, Outlined, Place};
pub use beside::Beside;
pub use directory::GateDirectory;
pub use kept::{Circumstances, Text, remember};
pub use news::News;
pub use populace::ContentChange;
pub use records::{Asked, Record};
pub use remembered::{IndexStanding, IndexState};
pub use signatures::{MOST_TOLD, SignatureCheck, Unverified};
pub use snapshot::{Branches, PendingPolicy, PolicyOrigin, RootFrom, Snapshot, snapshot};
pub use squashed::Squashed;
pub use summary::Summary;
pub use timeline::{Change, FilesChanged, Happening};
pub use undecided::{CODES, Undecided};
pub use walk::Log;

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::git::Repository;
use crate::model::{GateName, Name, ObjectId, Principal, Time};
use crate::policy::Policy;
use crate::verdict::{Notice, PolicyInForce};

use changes::Changes;
use chronicle::{Chronicle, Sources};
use history::{History, Index};
use provenance::Provenance;
use remembered::Remembered;
use reports::Reports;
use signing::{Revocations, Signing};
use trees::Trees;

/// Everything that one mainline commit reaches, read from one trust root.
#[derive(Debug)]
pub struct Ledger {
    repository: Rc<Repository>,
    trees: Rc<Trees>,
    changes: Arc<Changes>,
    signing: Signing,
    history: Arc<History>,
    chronicle: Chronicle,
    /// `[[revoked]]` of the policy in force now: at the tip, never at a replayed commit.
    revocations: Revocations,
    /// Decisions on a gate, by gate.
    by_gate: RefCell<HashMap<GateName, Rc<[Index]>>>,
    /// Log records that the mainline holds, of one environment.
    logs_by_environment: RefCell<HashMap<Name, Rc<Vec<Index>>>>,
    logs: RefCell<audited::Logs>,
    /// Those that were walked before, by whom this ledger was opened beside.
    walked: audited::WalkedLogs,
    provenances: RefCell<HashMap<String, Rc<Provenance>>>,
    /// The tip is a merge that was not made.
    preview: bool,
    incident_events: RefCell<Option<Rc<incidents::Events>>>,
    /// As they stood in the view that was asked about last.
    last_incidents: RefCell<Option<(View, Rc<incidents::Standings>)>>,
    /// What is kept of them, once it was asked for; nothing: it does not hold.
    kept_incidents: OnceCell<Option<incidents_kept::Kept>>,
    requests: RefCell<HashMap<(GateName, ObjectId), content::ReadRequest>>,
    /// Whom requests name, by their file.
    requesters: RefCell<HashMap<ObjectId, Rc<Vec<Principal>>>>,
    reports: Reports,
    /// Why the index that stood there was not used.
    unfit_index: Option<&'static str>,
    /// A policy that is only proposed, in place of the one in force now.
    proposed: Option<PolicyInForce>,
    time: Time,
}

/// Up to where a question looks, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct View {
    link: u32,
    step: u32,
    /// The time of judging.
    pub time: Time,
    /// Whether withdrawals that were recorded later count too (a record's support for a rollback, design section 10).
    pub later_withdrawals: bool,
    /// Whether the policy in force now, or the one proposed in its place, is taken for the one that was in force then.
    pub under_policy_of_now: bool,
}

impl Ledger {
    /// Reads the history of `tip` from `root`. With `preview`, the tip is a merge that was not made.
    pub fn open(
        repository: Rc<Repository>,
        root: ObjectId,
        tip: ObjectId,
        time: Time,
        preview: bool,
    ) -> Result<Self, Undecided> {
        Self::open_as(repository, root, tip, time, preview, false)
    }

    /// As [`Ledger::open`], of a tip that gathers branches behind the mainline and merges none (`Repository::gather`): no
    /// policy comes into force at it.
    pub(crate) fn open_gathered(
        repository: Rc<Repository>,
        root: ObjectId,
        tip: ObjectId,
        time: Time,
    ) -> Result<Self, Undecided> {
        Self::open_as(repository, root, tip, time, true, true)
    }

    fn open_as(
        repository: Rc<Repository>,
        root: ObjectId,
        tip: ObjectId,
        time: Time,
        preview: bool,
        gathered: bool,
    ) -> Result<Self, Undecided> {
        repository.refuse_cut_history()?;
        let mut remembered = Remembered::recall(&repository, root);
        let keeps = repository.keeps() && !preview;
        let history = History::read(&repository, root, tip, remembered.known.take())?;
        let trees = Rc::new(Trees::new(Rc::clone(&repository)));
        for commit in [root, tip] {
            let tree = history.find(commit).map(|at| history.commit(at).tree);
            if let Some(Err(reason)) = tree.map(|tree| trees.check_top(tree)).transpose()? {
                return Err(Undecided::new(
                    "tree-not-canonical",
                    format!("the top tree of {commit} counts for nothing: {reason}"),
                    "no git command writes such a tree: find who did, and put the mainline back before it",
                ));
            }
        }
        let changes = Changes::read(&repository, &history, keeps)?;
        if keeps {
            remembered.keep(&repository, root, &history, &changes);
        }
        let signing = Signing::new(Rc::clone(&repository));
        let sources = Sources {
            history: &history,
            trees: &trees,
            changes: &changes,
            signing: &signing,
            time,
            preview,
            gathered,
            glances: repository.remembers() && repository.glances(),
        };
        let chronicle = Chronicle::read(sources)?;
        let (history, changes) = (Arc::new(history), Arc::new(changes));
        let ledger = Self::of((repository, trees, signing), (history, changes, chronicle), preview, time);
        Ok(Self { unfit_index: remembered.unfit, ..ledger })
    }

    /// The view of the tip, at the time of judging.
    pub fn now(&self) -> View {
        let link = self.history.links().saturating_sub(1);
        self.view(link, self.time)
    }

    /// The view of an earlier mainline commit, at another time; nothing where it is not on the chain.
    pub fn at(&self, commit: ObjectId, time: Time) -> Option<View> {
        Some(self.view(self.history.link_of(commit)?, time))
    }

    fn view(&self, link: u32, time: Time) -> View {
        let step = self.chronicle.last_step(link);
        View { link, step, time, later_withdrawals: false, under_policy_of_now: false }
    }

    /// The mainline commit of a view.
    pub fn mainline(&self, view: View) -> ObjectId {
        self.chain_commit(view.link)
    }

    /// The date of the mainline commit of a view: no record about it is dated before, unless others recorded it earlier.
    pub fn mainline_date(&self, view: View) -> Time {
        self.commit_at_link(view.link).date
    }

    /// The last step of a view.
    pub fn step(&self, view: View) -> ObjectId {
        self.chain_commit(view.step)
    }

    /// Puts another policy in force at the end of this history, for whoever asks what a change would do. What was recorded
    /// stays judged as it was, but for what its `[[revoked]]` takes back; what a merge that was not made brings in
    /// (`preview`) comes after it.
    pub fn propose(&mut self, policy: PolicyInForce, preview: bool) {
        self.revocations = Revocations::of(&policy.policy, &self.history);
        if preview {
            let link = self.now().link;
            let directory = Rc::clone(self.chronicle.epoch_at(link).directory());
            let PolicyInForce { policy, digest, commit } = policy.clone();
            let top = self.commit_at_link(link).tree;
            self.chronicle.epochs.push(epoch::Epoch::new(policy, digest, link, commit, (top, directory)));
        }
        self.proposed = Some(policy);
    }

    /// The policy in force in a view.
    pub fn policy(&self, view: View) -> PolicyInForce {
        let now = self.now();
        let of_now = view.under_policy_of_now || view == now;
        if let Some(proposed) = self.proposed.as_ref().filter(|_proposed| of_now) {
            return proposed.clone();
        }
        let epoch = self.chronicle.epoch_at(if view.under_policy_of_now { now.link } else { view.link });
        PolicyInForce { policy: Arc::clone(epoch.policy()), digest: epoch.digest, commit: epoch.commit }
    }

    /// What a reader should know of the history as a whole.
    pub fn notices(&self, view: View) -> Result<Vec<Notice>, Undecided> {
        let mut notices = self.chronicle.notices.clone();
        notices.extend(policies::notices(self.chronicle.epoch_at(view.link)));
        if self.history.before_root() > 0 {
            notices.push(Notice {
                code: "decisions-before-root",
                message: format!(
                    "{} decisions at or before the trust root do not count",
                    self.history.before_root()
                ),
            });
        }
        if self.history.stray() > 0 {
            notices.push(Notice {
                code: "stray-trailers",
                message: format!(
                    "{} commits have `Gate` lines that decide nothing: out of place, or not to be attributed",
                    self.history.stray()
                ),
            });
        }
        if view.step < view.link {
            notices.push(Notice {
                code: "beyond-last-step",
                message: format!(
                    "{} mainline commits after {} are not signed by the roles that `[mainline]` asks for: what they \
                     bring in permits nothing",
                    view.link - view.step,
                    self.step(view)
                ),
            });
        }
        if self.repository.has_replacements()? {
            notices.push(Notice {
                code: "replace-refs",
                message: "this repository has `refs/replace/`: they are ignored".into(),
            });
        }
        Ok(notices)
    }

    /// Whether `commit` is on the first-parent chain up to the view.
    pub fn is_on_chain(&self, commit: ObjectId, view: View) -> bool {
        self.history.link_of(commit).is_some_and(|link| link <= view.link)
    }

    /// Whether mainline commit `judged` contains `commit`.
    pub fn contains(&self, judged: ObjectId, commit: ObjectId) -> bool {
        let (Some(link), Some(at)) = (self.history.link_of(judged), self.history.find(commit)) else {
            return false;
        };
        self.history.commit(at).link <= link
    }

    fn chain_commit(&self, link: u32) -> ObjectId {
        self.commit_at_link(link).id
    }

    fn commit_at_link(&self, link: u32) -> &history::Commit {
        self.history.commit(self.history.chain_at(link).unwrap_or_default())
    }

    fn recorded_at_link(&self, link: u32) -> Time {
        self.chronicle.recorded(&self.history, link)
    }

    /// The places of the decisions on a gate.
    fn decisions_on(&self, gate: &GateName) -> Rc<[Index]> {
        if let Some(known) = self.by_gate.borrow().get(gate) {
            return Rc::clone(known);
        }
        let places: Rc<[Index]> = self.history.decisions_on(gate).into();
        self.by_gate.borrow_mut().insert(gate.clone(), Rc::clone(&places));
        places
    }

    /// The history of a governed directory, worked out once.
    fn provenance(&self, path: &[&str]) -> Result<Rc<Provenance>, Undecided> {
        let key = path.join("/");
        if let Some(known) = self.provenances.borrow().get(&key) {
            return Ok(Rc::clone(known));
        }
        let found = Rc::new(Provenance::follow(&self.changes, &self.trees, &self.history, path)?);
        self.provenances.borrow_mut().insert(key, Rc::clone(&found));
        Ok(found)
    }

    /// How a governed directory stands at a commit.
    fn state(&self, provenance: &Provenance, at: Index) -> Result<Option<Rc<provenance::State>>, Undecided> {
        Ok(provenance.state(&self.trees, &self.history, at)?)
    }

    /// The policy under which what `link` brought in is judged, and when: at its step up to `last`, else at the link itself.
    fn recording(&self, link: u32, last: u32) -> (Option<u32>, &Policy, Time) {
        match self.chronicle.recording_step(link, last) {
            Some(step) => (Some(step), self.chronicle.epoch_at(step).policy(), self.recorded_at_link(step)),
            None => (None, self.chronicle.epoch_at(link).policy(), self.recorded_at_link(link)),
        }
    }

    /// Who signed the commit at a place, as recording judged it, with what today's `[[revoked]]` takes back.
    fn signer(&self, at: Index, last: u32) -> Result<signing::Signer, Undecided> {
        let commit = self.history.commit(at);
        let (step, policy, recorded) = self.recording(commit.link, last);
        let signed = self.signing.signed(commit.id)?;
        let mut signer = signed.signer(policy, &[recorded, commit.date]);
        self.revocations.apply(&signed, step, &mut signer);
        Ok(signer)
    }
}
