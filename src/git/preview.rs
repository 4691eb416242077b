//! A merge that was not made: what the mainline would be with a branch merged, in memory only.
//!
//! `ready` judges it with the same reader as any history. Nothing is written to the repository.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use git2::{ObjectType, Odb};

use crate::model::{ObjectId, Time};

use super::draft::split_entry;
use super::objects::{object_id, oid};
use super::{GitError, Repository};

/// Most entries that the trees of a merge may hold: more than any governance repository has.
const MOST_MERGED_ENTRIES: u64 = 2_000_000;

/// What merging would give.
#[derive(Debug)]
pub enum Preview {
    /// The branch brings nothing: its commits are all on the mainline.
    NothingNew,
    /// Both sides changed the same file.
    Conflict(Vec<String>),
    /// The merge commit, in `repository` alone.
    Merged {
        /// The repository with the merge in memory above it.
        repository: Box<Repository>,
        /// The unsigned merge commit: first parent the mainline, second the branch.
        commit: ObjectId,
    },
}

impl Repository {
    /// Merges `branch` into `mainline` in memory, dated `time`.
    pub fn preview_merge(
        &self,
        mainline: ObjectId,
        branch: ObjectId,
        time: Time,
    ) -> Result<Preview, GitError> {
        let library = |error: git2::Error| GitError::Library(error.message().to_owned());
        let odb = self.layered()?;
        let tree = {
            let Some(base) = self.merge_base(mainline, branch)? else {
                return Ok(Preview::Conflict(vec!["the branch shares no history with the mainline".into()]));
            };
            if base == branch {
                return Ok(Preview::NothingNew);
            }
            self.check_sides([base, mainline, branch])?;
            let merging = git2::Repository::from_odb(self.layered()?).map_err(library)?;
            // Else the library would read those of the user and the system.
            let no_configuration = git2::Config::new().map_err(library)?;
            merging.set_config(&no_configuration).map_err(library)?;
            let tree_of = |id| merging.find_commit(id).and_then(|commit| commit.tree());
            let ours = tree_of(oid(mainline)).map_err(library)?;
            let theirs = tree_of(oid(branch)).map_err(library)?;
            let mut options = git2::MergeOptions::new();
            options.find_renames(false);
            let base = tree_of(oid(base)).map_err(library)?;
            let mut index = merging.merge_trees(&base, &ours, &theirs, Some(&options)).map_err(library)?;
            if index.has_conflicts() {
                return Ok(Preview::Conflict(conflicts(&index)));
            }
            let tree = index.write_tree_to(&merging).map_err(library)?;
            copy_new_trees(&merging, &odb, tree)?;
            tree
        };
        let seconds = time.unix();
        let bytes = format!(
            "tree {tree}\nparent {mainline}\nparent {branch}\nauthor preview <preview> {seconds} +0000\n\
             committer preview <preview> {seconds} +0000\n\nPreview\n"
        );
        let commit = odb.write(ObjectType::Commit, bytes.as_bytes()).map_err(library)?;
        let repository = Box::new(self.with_objects(odb));
        Ok(Preview::Merged { repository, commit: object_id(commit) })
    }

    /// Gathers tips behind `mainline`, whose tree stays, in one commit that was not made, dated `time`: so that one reader
    /// sees all of them at once, and none is merged. With the repository that alone holds that commit.
    pub fn gather(
        &self,
        mainline: ObjectId,
        tips: &[ObjectId],
        time: Time,
    ) -> Result<(Box<Self>, ObjectId), GitError> {
        let library = |error: git2::Error| GitError::Library(error.message().to_owned());
        let odb = self.layered()?;
        let tree = self.tree_of(mainline)?;
        let parents: Vec<String> = tips.iter().map(|tip| format!("parent {tip}\n")).collect();
        let parents = parents.concat();
        let seconds = time.unix();
        let bytes = format!(
            "tree {tree}\nparent {mainline}\n{parents}author preview <preview> {seconds} +0000\n\
             committer preview <preview> {seconds} +0000\n\nGathered\n"
        );
        let commit = odb.write(ObjectType::Commit, bytes.as_bytes()).map_err(library)?;
        Ok((Box::new(self.with_objects(odb)), object_id(commit)))
    }

    /// Makes sure that the library can merge what these commits hold: it neither visits entries beyond number nor comes upon
    /// a file that it cannot inflate.
    fn check_sides(&self, sides: [ObjectId; 3]) -> Result<(), GitError> {
        let mut seen: BTreeMap<ObjectId, usize> = BTreeMap::new();
        for side in sides {
            for file in self.files_below(self.tree_of(side)?)? {
                *seen.entry(file).or_default() += 1;
            }
        }
        // What all three hold is not looked at.
        for (file, sides) in seen {
            if sides < 3
                && let Err(error @ GitError::Corrupt { .. }) = self.read_blob(file)
            {
                return Err(error);
            }
        }
        Ok(())
    }

    /// The files that a tree holds in all its directories, each once, the trees read whole.
    ///
    /// Merging visits every entry of every directory as often as it is named. Somebody who names the same directory again
    /// and again makes a tree of a few kilobytes that nobody could ever visit; each is read once, and counted as often.
    fn files_below(&self, root: ObjectId) -> Result<BTreeSet<ObjectId>, GitError> {
        let mut files = BTreeSet::new();
        let mut known: HashMap<ObjectId, u64> = HashMap::new();
        let mut open = vec![root];
        while let Some(id) = open.last().copied() {
            if known.contains_key(&id) {
                open.pop();
                continue;
            }
            let bytes = self.read_tree_bytes(id)?;
            let mut rest = bytes.as_slice();
            let mut total: u64 = 0;
            let mut waits = false;
            while let Some((entry, behind)) = split_entry(rest) {
                rest = behind;
                total = total.saturating_add(1);
                match (file_type(&entry.mode), known.get(&entry.id)) {
                    (Some(DIRECTORY), Some(below)) => total = total.saturating_add(*below),
                    (Some(DIRECTORY), None) => {
                        waits = true;
                        open.push(entry.id);
                    }
                    (Some(SUBMODULE), _) => {}
                    (Some(_) | None, _) => drop(files.insert(entry.id)),
                }
            }
            if waits {
                continue;
            }
            if total > MOST_MERGED_ENTRIES {
                return Err(GitError::MergeTooLarge(MOST_MERGED_ENTRIES));
            }
            known.insert(id, total);
            open.pop();
        }
        Ok(files)
    }

    fn with_objects(&self, odb: Odb<'static>) -> Self {
        Self {
            odb,
            directories: self.directories.clone(),
            packs: self.twin_packs(),
            git_directory: self.git_directory.clone(),
            common_directory: self.common_directory.clone(),
            config: self.config.clone(),
            work_tree: self.work_tree().map(ToOwned::to_owned),
            layered: true,
            remembers: self.remembers,
        }
    }

    /// The same objects with an empty layer in memory, which takes what is written. What the library maps of packs for a merge,
    /// which visits every tree, is let go of with it.
    fn layered(&self) -> Result<Odb<'static>, GitError> {
        let odb = self.open_packs_apart(LAYERED)?;
        odb.add_new_mempack_backend(1000).map_err(|error| GitError::Library(error.message().to_owned()))?;
        Ok(odb)
    }
}

/// No thread has so high a number.
const LAYERED: usize = 100;

const DIRECTORY: u32 = 0o4;
const SUBMODULE: u32 = 0o16;

/// What a mode says of the type of file, whatever it says of permissions.
fn file_type(mode: &[u8]) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(mode).ok()?, 8).ok().map(|mode| mode >> 12)
}

fn conflicts(index: &git2::Index) -> Vec<String> {
    let Ok(found) = index.conflicts() else { return Vec::new() };
    found
        .flatten()
        .filter_map(|conflict| conflict.our.or(conflict.their).or(conflict.ancestor))
        .map(|entry| String::from_utf8_lossy(&entry.path).into_owned())
        .collect()
}

/// Copies the trees that the merge wrote into the layer of the repository that is handed out.
fn copy_new_trees(from: &git2::Repository, to: &Odb<'static>, root: git2::Oid) -> Result<(), GitError> {
    let library = |error: git2::Error| GitError::Library(error.message().to_owned());
    let source = from.odb().map_err(library)?;
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        if to.exists(id) {
            continue;
        }
        let object = source.read(id).map_err(library)?;
        to.write(ObjectType::Tree, object.data()).map_err(library)?;
        let tree = from.find_tree(id).map_err(library)?;
        open.extend(
            tree.iter().filter(|entry| entry.kind() == Some(ObjectType::Tree)).map(|entry| entry.id()),
        );
    }
    Ok(())
}
