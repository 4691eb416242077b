//! Opening a repository in a hook, where git says by its environment which it is and where its objects lie.
//!
//! While a push is judged its objects are in quarantine: a directory of their own, with the repository's as alternates. Only
//! hooks look there; everywhere else these variables are not honoured (design, sections 9.2 and 13).

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use super::locate::{is_git_directory, open_packs};
use super::loose::ObjectDirectories;
use super::{GitError, Repository};

/// What git tells a hook of the repository: `GIT_DIR`, `GIT_OBJECT_DIRECTORY`, `GIT_ALTERNATE_OBJECT_DIRECTORIES`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HookPlace {
    /// The git directory; nothing: the repository that the hook runs in.
    pub git_directory: Option<PathBuf>,
    /// Where new objects are; nothing: where all are.
    pub objects: Option<PathBuf>,
    /// Where the others are, as the variable has them.
    pub alternates: Option<OsString>,
}

impl Repository {
    /// Opens the repository of a hook that runs in `directory`.
    pub fn open_in_hook(place: &HookPlace, directory: &Path) -> Result<Self, GitError> {
        let mut repository = match &place.git_directory {
            None => Self::discover(directory)?,
            Some(named) => {
                let named = directory.join(named);
                if !is_git_directory(&named) {
                    return Err(GitError::NotARepository(named));
                }
                Self::open(named, None)?
            }
        };
        if let Some(objects) = &place.objects {
            let alternates = place.alternates.as_deref().map(split).unwrap_or_default();
            let alternates: Vec<PathBuf> = alternates.into_iter().map(|path| directory.join(path)).collect();
            repository.directories = ObjectDirectories::of_hook(&directory.join(objects), &alternates)?;
            repository.odb = open_packs(repository.directories.iter())?;
        }
        Ok(repository)
    }
}

/// The paths of a list that colons part; one in double quotes is written as git writes names that need it.
fn split(list: &OsStr) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    let mut bytes = list.as_bytes().iter().copied().peekable();
    while bytes.peek().is_some() {
        let mut path = Vec::new();
        if bytes.next_if_eq(&b'"').is_some() {
            while let Some(byte) = bytes.next() {
                match byte {
                    b'"' => break,
                    b'\\' => path.extend(escaped(&mut bytes)),
                    plain => path.push(plain),
                }
            }
        }
        for byte in bytes.by_ref() {
            if byte == b':' {
                break;
            }
            path.push(byte);
        }
        if !path.is_empty() {
            paths.push(PathBuf::from(OsString::from_vec(path)));
        }
    }
    paths
}

/// The byte behind a backslash: a letter for a control, or three octal digits.
fn escaped(bytes: &mut std::iter::Peekable<impl Iterator<Item = u8>>) -> Option<u8> {
    Some(match bytes.next()? {
        b'a' => 7,
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 11,
        b'f' => 12,
        b'r' => b'\r',
        first @ b'0'..=b'7' => {
            let mut value = first - b'0';
            for _more in 0..2 {
                let digit = bytes.next_if(|byte| (b'0'..=b'7').contains(byte))?;
                value = value.wrapping_mul(8).wrapping_add(digit - b'0');
            }
            value
        }
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_directories_is_split_as_git_splits_it() {
        for (list, paths) in [
            ("/a/objects", vec!["/a/objects"]),
            ("/a:/b c", vec!["/a", "/b c"]),
            (r#""/a:b":/c"#, vec!["/a:b", "/c"]),
            (r#""/a\"b\\\303\244""#, vec![r#"/a"b\ä"#]),
            ("::/a:", vec!["/a"]),
            ("", vec![]),
            (r#""/open"#, vec!["/open"]),
            (r#""/cut\3"#, vec!["/cut"]),
        ] {
            let expected: Vec<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
            assert_eq!(split(OsStr::new(list)), expected, "{list}");
        }
    }
}
