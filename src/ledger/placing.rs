//! Where commits that were read stand on their way to a place in history: unseen, waiting for parents, or there.

use super::history::{Index, place};
use super::reading::Read;

/// Where commits that were read come to stand, by their number.
pub(super) struct Placing(Vec<Standing>);

#[derive(Clone, Copy)]
enum Standing {
    /// No link has come upon it yet.
    Unseen,
    /// For so many parents.
    Waits(u32),
    /// It has its place.
    At(Index),
}

impl Placing {
    pub(super) fn of(read: &Read) -> Self {
        Self(vec![Standing::Unseen; read.commits.len()])
    }

    fn get(&self, number: u32) -> Standing {
        self.0.get(place(number)).copied().unwrap_or(Standing::Unseen)
    }

    fn set(&mut self, number: u32, standing: Standing) {
        if let Some(slot) = self.0.get_mut(place(number)) {
            *slot = standing;
        }
    }

    /// Its place, once it has one.
    pub(super) fn place(&self, number: u32) -> Option<Index> {
        match self.get(number) {
            Standing::At(at) => Some(at),
            Standing::Unseen | Standing::Waits(_) => None,
        }
    }

    /// Whether nobody came upon it before.
    pub(super) fn begins_to_wait(&mut self, number: u32) -> bool {
        let new = matches!(self.get(number), Standing::Unseen);
        if new {
            self.set(number, Standing::Waits(0));
        }
        new
    }

    /// Says for how many parents it waits.
    pub(super) fn wait(&mut self, number: u32, parents: u32) {
        self.set(number, Standing::Waits(parents));
    }

    /// Whether it was the last that it waited for.
    pub(super) fn waits_for_no_more(&mut self, number: u32) -> bool {
        let Standing::Waits(parents) = self.get(number) else { return false };
        let left = parents.saturating_sub(1);
        self.wait(number, left);
        left == 0
    }

    /// Gives it its place.
    pub(super) fn put(&mut self, number: u32, at: Index) {
        self.set(number, Standing::At(at));
    }
}
