//! An answer that rests on little of the history: no more of the index is read than it needs.

use super::{Context, Failure, Opening, Session};

impl Session {
    /// Opens it for an answer that rests on little of the history, and gives that. What is read of the index is compared as it
    /// is read: where it turns out to be damaged, or somebody changed it meanwhile, nothing that was answered is used, and
    /// all is read again without it.
    pub(crate) fn glance<T, E: From<Failure>>(
        context: &Context,
        opening: &Opening,
        answer: impl Fn(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        // Where it could not even be opened, all is read too: then the error is of the history and not of the index.
        if let Ok(session) = Self::opened(context, opening, true) {
            let answered = answer(&session);
            let lost = session.ledger.has_lost_its_index();
            if opening.asked_again {
                session.close();
            }
            if !lost {
                return answered;
            }
        }
        let session = Self::open(context, opening)?;
        let answered = answer(&session);
        if opening.asked_again {
            session.close();
        }
        answered
    }
}
