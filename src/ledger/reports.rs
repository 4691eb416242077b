//! Reports that were read: each once, however many moments and policies ask for it.
//!
//! What a file says depends on its bytes, on the format that the request declares and on what the policy says of the kind;
//! a file that is read with others beside it is read anew each time.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::evidence::{Format, Keeping, Reading, Report, Unreadable};
use crate::model::ObjectId;
use crate::policy::EvidenceKind;

/// What a file said.
type Said = Result<Arc<Report>, Unreadable>;

/// What one file said in a declared format, under what policies say of its kind.
type Readings = Vec<(Arc<EvidenceKind>, Said)>;

/// Reports of the gates in hand.
#[derive(Debug, Default)]
pub(super) struct Reports {
    /// By the file's object and the declared format.
    known: RefCell<HashMap<(ObjectId, Option<Format>), Readings>>,
    /// What policies say of kinds, each once, with what is kept of files that are read so.
    kinds: RefCell<Vec<(Arc<EvidenceKind>, Arc<Keeping>)>>,
}

/// More kinds than this no history of policies has but a hostile one.
const MOST_KINDS: usize = 256;

impl Reports {
    /// What a file says, read with `companions` beside it.
    pub(super) fn read(
        &self,
        blob: ObjectId,
        declared: Option<Format>,
        kind: &EvidenceKind,
        companions: &[&[u8]],
        bytes: impl FnOnce() -> Result<Vec<u8>, crate::git::GitError>,
    ) -> Result<Said, crate::git::GitError> {
        let key = (blob, declared);
        if companions.is_empty()
            && let Some(readings) = self.known.borrow().get(&key)
            && let Some((_, said)) = readings.iter().find(|(known, _)| **known == *kind)
        {
            return Ok(said.clone());
        }
        let (kind, keeping) = self.kind(kind);
        let reading = Reading {
            declared,
            allowed: kind.formats.as_deref(),
            unfinished_allowed: kind.unfinished_allowed,
            external_allowed: kind.external_allowed,
            in_source_ignored: kind.in_source_ignored,
            companions,
            mappings: Some(&kind.metrics),
        };
        let bytes = bytes()?;
        let said = keeping.read(&bytes, &reading).map(Arc::new);
        debug_assert_eq!(
            format!("{said:?}"),
            format!("{:?}", crate::evidence::read(&bytes, &reading)),
            "what is worked out once gives the same"
        );
        if companions.is_empty() {
            self.known.borrow_mut().entry(key).or_default().push((kind, said.clone()));
        }
        Ok(said)
    }

    /// Lets go of what files said.
    pub(super) fn forget(&self) {
        self.known.borrow_mut().clear();
    }

    fn kind(&self, kind: &EvidenceKind) -> (Arc<EvidenceKind>, Arc<Keeping>) {
        let mut kinds = self.kinds.borrow_mut();
        if let Some((known, keeping)) = kinds.iter().find(|(known, _)| **known == *kind) {
            return (Arc::clone(known), Arc::clone(keeping));
        }
        let same = kinds.iter().find(|(_, keeping)| keeping.is_of(&kind.metrics));
        let keeping = same.map(|(_, keeping)| Arc::clone(keeping));
        let keeping = keeping.unwrap_or_else(|| Arc::new(Keeping::of(&kind.metrics)));
        let kind = Arc::new(kind.clone());
        if kinds.len() >= MOST_KINDS {
            kinds.clear();
        }
        kinds.push((Arc::clone(&kind), Arc::clone(&keeping)));
        (kind, keeping)
    }
}
