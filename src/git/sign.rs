//! Signing, exactly as git does it: the program, its arguments, where the key comes from.
//!
//! A person's key, agent, hardware token or wrapper works here as it works with `git commit -S`. What the program
//! returns is believed only after it has been verified in-process over what was to be signed.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::signature::{self, Signature, public_half};

use super::run::{Git, Messages, Start};
use super::scratch::{Scratch, scratch_failed};
use super::unwritten::Unwritten;

/// Largest key file and signature that are read.
const LARGEST: u64 = 64 * 1024;

/// The user's signing configuration.
#[derive(Debug)]
pub struct Signer {
    git: Git,
    program: OsString,
    key: Key,
    terminal: bool,
}

/// Where the key is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    /// A file, private or public.
    File(PathBuf),
    /// A public key as text; its private half is in the agent.
    Literal(String),
}

/// A signature that verifies over what was signed.
#[derive(Debug, Clone)]
pub struct Signed {
    /// As it is written into the commit.
    pub armored: String,
    /// As it was verified.
    pub signature: Signature,
}

impl Signer {
    /// Reads the configuration, as git sees it in that directory. `terminal`: whether a person would see a program ask.
    pub fn of(git: &Git, terminal: bool) -> Result<Self, Unwritten> {
        let format = git.config("gpg.format")?;
        if format.as_deref() != Some("ssh") {
            let now = match format {
                Some(format) => format!("`gpg.format` is `{format}`"),
                None => "`gpg.format` is not set".to_owned(),
            };
            return Err(Unwritten::new(
                "signing-format",
                format!("git is not set to sign with SSH keys here: {now}"),
            )
            .help("git config --global gpg.format ssh"));
        }
        Self::whatever_format(git, terminal)
    }

    /// The same, whatever `gpg.format` says.
    pub fn whatever_format(git: &Git, terminal: bool) -> Result<Self, Unwritten> {
        let program = git.config_path("gpg.ssh.program")?.unwrap_or_else(|| "ssh-keygen".to_owned());
        Ok(Self { git: git.clone(), program: program.into(), key: find_key(git)?, terminal })
    }

    /// The file that the key is in, private or public; nothing where the configuration holds the key itself.
    pub fn key_file(&self) -> Option<PathBuf> {
        match &self.key {
            Key::File(path) => Some(self.git.directory().join(path)),
            Key::Literal(_) => None,
        }
    }

    /// The program that signs.
    pub fn program(&self) -> &OsStr {
        &self.program
    }

    /// The public key that will sign, as `type base64`, where that can be told without asking anyone.
    pub fn public_key(&self) -> Option<String> {
        let text = match &self.key {
            Key::Literal(text) => text.clone(),
            Key::File(path) => {
                let path = self.git.directory().join(path);
                let beside = PathBuf::from(format!("{}.pub", path.display()));
                let text = |path: &Path| read_text(path).ok().filter(|text| is_public_key(text));
                let own = || read_text(&path).ok().and_then(|text| public_half(&text));
                text(&path).or_else(|| text(&beside)).or_else(own)?
            }
        };
        let mut words = text.split_whitespace();
        Some(format!("{} {}", words.next()?, words.next()?))
    }

    /// Signs `payload` in namespace `git`.
    pub fn sign(&self, payload: &[u8]) -> Result<Signed, Unwritten> {
        let scratch = Scratch::new(".git_signing_")?;
        let buffer = scratch.path().join("buffer");
        write_scratch(&buffer, payload)?;
        let mut arguments: Vec<OsString> = ["-Y", "sign", "-n", "git", "-f"].map(OsString::from).into();
        match &self.key {
            Key::File(path) => arguments.push(path.into()),
            Key::Literal(text) => {
                let file = scratch.path().join("key");
                write_scratch(&file, text.as_bytes())?;
                arguments.push(file.into());
                arguments.push("-U".into());
            }
        }
        arguments.push(buffer.clone().into());
        let ran = Start {
            program: &self.program,
            arguments,
            directory: self.git.directory(),
            variables: vec![],
            input: None,
            messages: self.messages(),
        }
        .run()?;
        if !ran.success {
            return Err(self.did_not_sign(&ran.stderr));
        }
        let armored = read_text(&scratch.path().join("buffer.sig"))
            .map_err(|reason| self.did_not_sign(&format!("it left no signature: {reason}")))?
            .replace("\r\n", "\n");
        let signature = signature::verify(payload, armored.as_bytes()).map_err(|defect| {
            Unwritten::new(
                "signing-bad",
                format!(
                    "what `{}` returned does not sign this commit: {} [{}]",
                    self.program.to_string_lossy(),
                    defect.reason,
                    defect.code
                ),
            )
            .help("check `git config gpg.ssh.program` and `git config user.signingkey`; nothing was written")
        })?;
        Ok(Signed { armored, signature })
    }

    /// Whether its program may write on the terminal itself.
    pub fn talks(&self) -> bool {
        self.messages() == Messages::Shown
    }

    /// `ssh-keygen` tells of files that it writes, which are ours and soon gone. But where a hardware key may ask for a
    /// touch, it does so there, and only on a terminal.
    fn messages(&self) -> Messages {
        let may_ask = self.public_key().is_none_or(|key| key.starts_with("sk-"));
        let own_program = self.program != OsStr::new("ssh-keygen");
        if self.terminal && (may_ask || own_program) { Messages::Shown } else { Messages::Caught }
    }

    fn did_not_sign(&self, said: &str) -> Unwritten {
        let said = said.trim_end();
        let program = self.program.to_string_lossy();
        let message = if said.is_empty() {
            format!("`{program}` did not sign")
        } else {
            format!("`{program}` did not sign: {said}")
        };
        Unwritten::new("signing-failed", message)
            .help("check that the key is there, or loaded: `ssh-add -l`; nothing was written")
    }
}

fn find_key(git: &Git) -> Result<Key, Unwritten> {
    if let Some(value) = git.config("user.signingkey")? {
        if let Some(text) = literal(&value) {
            return Ok(Key::Literal(text.to_owned()));
        }
        let path = git.config_path("user.signingkey")?.unwrap_or(value);
        return Ok(Key::File(path.into()));
    }
    let Some(command) = git.config("gpg.ssh.defaultKeyCommand")? else {
        return Err(Unwritten::new(
            "signing-key",
            "git has no key to sign with: `user.signingkey` is not set",
        )
        .help("git config --global user.signingkey ~/.ssh/id_ed25519.pub"));
    };
    let wrong = |reason: &str| {
        Unwritten::new(
            "signing-key",
            format!("`gpg.ssh.defaultKeyCommand` (`{command}`) gives no key: {reason}"),
        )
        .help("set `user.signingkey` instead, or load the key: `ssh-add`")
    };
    let mut words = split_words(&command).ok_or_else(|| wrong("its quotes are not closed"))?.into_iter();
    let program = words.next().ok_or_else(|| wrong("it is empty"))?;
    let ran = Start {
        program: OsStr::new(&program),
        arguments: words.map(OsString::from).collect(),
        directory: git.directory(),
        variables: vec![],
        input: None,
        messages: Messages::Caught,
    }
    .run()?;
    if !ran.success {
        return Err(wrong(ran.stderr.trim_end()));
    }
    let printed = String::from_utf8_lossy(&ran.stdout);
    let first = printed.lines().next().unwrap_or_default();
    let text = literal(first).ok_or_else(|| wrong("its first line is no public key"))?;
    Ok(Key::Literal(text.to_owned()))
}

/// What git takes for a key as text: `key::…`, or what begins with `ssh-`.
fn literal(value: &str) -> Option<&str> {
    value.strip_prefix("key::").or_else(|| value.starts_with("ssh-").then_some(value))
}

fn is_public_key(text: &str) -> bool {
    ["ssh-", "ecdsa-sha2-", "sk-"].iter().any(|prefix| text.starts_with(prefix))
}

/// Splits a command as git splits it: at blanks, with quotes and backslashes. Nothing where a quote is not closed.
fn split_words(command: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = command.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', None | Some('"')) => word.get_or_insert_default().push(characters.next()?),
            (mark, Some(open)) if mark == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (blank, None) if blank.is_whitespace() => words.extend(word.take()),
            (other, _) => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[expect(clippy::disallowed_methods, reason = "git/ owns the files that the signing program reads")]
fn write_scratch(path: &Path, bytes: &[u8]) -> Result<(), Unwritten> {
    fs::write(path, bytes).map_err(scratch_failed)
}

fn read_text(path: &Path) -> Result<String, String> {
    #[expect(clippy::disallowed_methods, reason = "git/ owns the files of the signing program")]
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    file.take(LARGEST).read_to_string(&mut text).map_err(|error| error.to_string())?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_split_as_git_splits_them() {
        for (command, words) in [
            ("ssh-add -L", vec!["ssh-add", "-L"]),
            (
                r#"  sh -c 'echo "a b"' "c \" d" e\ f '' "#,
                vec!["sh", "-c", "echo \"a b\"", "c \" d", "e f", ""],
            ),
            ("", vec![]),
        ] {
            assert_eq!(split_words(command).unwrap(), words, "{command}");
        }
        assert_eq!(split_words("a 'b"), None);
        assert_eq!(split_words("a \\"), None);
    }

    #[test]
    fn a_literal_key_is_what_git_takes_for_one() {
        assert_eq!(literal("key::ecdsa-sha2-nistp256 AAAA"), Some("ecdsa-sha2-nistp256 AAAA"));
        assert_eq!(literal("ssh-ed25519 AAAA"), Some("ssh-ed25519 AAAA"));
        assert_eq!(literal("~/.ssh/id"), None);
        assert_eq!(literal("ecdsa-sha2-nistp256 AAAA"), None);
    }
}
