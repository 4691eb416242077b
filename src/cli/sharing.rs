//! Work on a whole history, shared out among threads, each with a session of its own on the one history.
//!
//! What is done does not depend on how many there are: shares rest on nothing but the history, and what they give is taken in
//! their order. Nobody runs far ahead of what was taken, so that memory does not grow with the work.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::mpsc::channel;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

use crate::model::GateName;

use super::Failure;
use super::session::{Apart, Session};

/// More threads than this are not worth what each keeps.
const MOST_THREADS: usize = 8;

/// So many shares for each thread may be done and not taken yet.
const AHEAD: usize = 2;

/// Does `work` on each share, on all cores where they are worth it (`several`), and gives what came of each to `take`, in the
/// order of the shares.
pub(super) fn in_order<const N: usize, S: Sync, T: Send, E: From<Failure>>(
    sessions: [&Session; N],
    shares: &[S],
    several: bool,
    work: impl Fn([&Session; N], &S) -> T + Sync,
    mut take: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    // Debug builds share out whatever there is, so that every test of a command is a test of this.
    let several = several || cfg!(debug_assertions);
    let threads = if several { cores.min(MOST_THREADS).min(shares.len()) } else { 1 };
    let mut apart: Vec<Vec<Apart>> = Vec::new();
    for number in (1..=threads).filter(|_number| threads > 1) {
        let twins = sessions.iter().map(|session| session.apart(number));
        let Some(twins) = twins.collect::<Result<Option<Vec<_>>, _>>()? else { break };
        apart.push(twins);
    }
    let mut next = 0;
    let mut waiting: BTreeMap<usize, T> = BTreeMap::new();
    if threads > 1 {
        let order = Order {
            state: Mutex::default(),
            taken: Condvar::new(),
            ahead: AHEAD * threads,
            end: shares.len(),
        };
        thread::scope(|scope| -> Result<(), E> {
            let (done, dones) = channel();
            for twins in apart {
                let (done, order, work) = (done.clone(), &order, &work);
                scope.spawn(move || {
                    let _lost = Lost(order);
                    let opened: Vec<Session> = twins.into_iter().map(Apart::open).collect();
                    if let Ok(twins) = <[&Session; N]>::try_from(opened.iter().collect::<Vec<_>>()) {
                        while let Some(at) = order.begin()
                            && let Some(share) = shares.get(at)
                        {
                            if done.send((at, work(twins, share))).is_err() {
                                break;
                            }
                        }
                    }
                    // Others may be opened after these.
                    opened.into_iter().for_each(Session::close);
                });
            }
            drop(done);
            for (at, given) in dones {
                waiting.insert(at, given);
                while let Some(given) = waiting.remove(&next) {
                    next += 1;
                    order.took(next);
                    if let Err(failure) = take(given) {
                        order.took(usize::MAX);
                        return Err(failure);
                    }
                }
            }
            Ok(())
        })?;
    }
    // What nobody else did, or could.
    for (at, share) in shares.iter().enumerate().skip(next) {
        take(waiting.remove(&at).unwrap_or_else(|| work(sessions, share)))?;
    }
    Ok(())
}

/// Gates by system, in their order: those of one system rest on the same records.
pub(super) fn systems(gates: impl IntoIterator<Item = GateName>) -> Vec<Vec<GateName>> {
    let mut systems: Vec<Vec<GateName>> = Vec::new();
    for gate in gates {
        match systems.last_mut() {
            Some(system) if system.first().is_some_and(|first| first.system == gate.system) => {
                system.push(gate);
            }
            Some(_) | None => systems.push(vec![gate]),
        }
    }
    systems
}

/// Who does which share, and how far they were taken.
struct Order {
    state: Mutex<State>,
    taken: Condvar,
    ahead: usize,
    end: usize,
}

#[derive(Default)]
struct State {
    begun: usize,
    taken: usize,
}

/// Whoever is lost with a share that nobody else has must not be waited for.
struct Lost<'o>(&'o Order);

impl Drop for Lost<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.took(usize::MAX);
        }
    }
}

impl Order {
    /// The next share to do; nothing: there is none. Waits while too many are done and not taken.
    fn begin(&self) -> Option<usize> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.begun >= self.end || state.taken == usize::MAX {
                return None;
            }
            if state.begun < state.taken.saturating_add(self.ahead) {
                state.begun += 1;
                return Some(state.begun - 1);
            }
            state = self.taken.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn took(&self, many: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.taken = state.taken.max(many);
        drop(state);
        self.taken.notify_all();
    }
}
