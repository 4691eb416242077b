//! Signing through an SSH agent, for what is no commit: two messages of its protocol, over its socket.
//!
//! Commits are signed by the program that git is set to use; that program wraps what it signs, and an attestation needs
//! the plain signature. What the agent returns is believed only once it verifies. See draft-ietf-sshm-ssh-agent.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::signature::PlainKey;

use super::unwritten::Unwritten;

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGNED: u8 = 14;

/// The longest answer that is read, as OpenSSH has it.
const LONGEST: usize = 256 * 1024;
/// How long an agent may take: it may ask its user.
const PATIENCE: Duration = Duration::from_secs(120);

/// Has the agent at `socket` sign `message` with `key`; a signature that verifies.
pub fn sign_with_agent(socket: Option<&Path>, key: &PlainKey, message: &[u8]) -> Result<[u8; 64], Unwritten> {
    let Some(socket) = socket else {
        return Err(no_agent("`SSH_AUTH_SOCK` is not set"));
    };
    let cannot = |error: std::io::Error| no_agent(&format!("there is none at `SSH_AUTH_SOCK`: {error}"));
    let mut stream = UnixStream::connect(socket).map_err(cannot)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(cannot)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(cannot)?;
    sign(&mut stream, key, message)
}

fn sign(stream: &mut (impl Read + Write), key: &PlainKey, message: &[u8]) -> Result<[u8; 64], Unwritten> {
    let answer = ask(stream, REQUEST_IDENTITIES, &[])?;
    let held = answered(&answer, IDENTITIES).and_then(identities);
    let held = held.ok_or_else(|| failed("it does not list its keys"))?;
    if !held.contains(&key.blob()) {
        return Err(Unwritten::new(
            "agent-key",
            format!("the agent does not hold the signing key `{}`", key.fingerprint()),
        )
        .help("load it: `ssh-add <private key>`; what it holds: `ssh-add -l`"));
    }
    let flags = [0; 4];
    let answer = ask(stream, SIGN_REQUEST, &[&string(key.blob())?[..], &string(message)?, &flags].concat())?;
    let Some((signature, [])) = answered(&answer, SIGNED).and_then(split_string) else {
        return Err(failed("it refused to sign"));
    };
    key.verified(message, signature).ok_or_else(|| failed("what it returned does not sign the statement"))
}

/// Sends a message and reads the answer to it.
fn ask(stream: &mut (impl Read + Write), kind: u8, body: &[u8]) -> Result<Vec<u8>, Unwritten> {
    let broken = |error: std::io::Error| failed(&error.to_string());
    let message = string(&[&[kind], body].concat())?;
    stream.write_all(&message).and_then(|()| stream.flush()).map_err(broken)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length).map_err(broken)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length == 0 || length > LONGEST {
        return Err(failed("its answer is empty or too long"));
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).map_err(broken)?;
    Ok(answer)
}

/// What stands in an answer of that kind.
fn answered(answer: &[u8], kind: u8) -> Option<&[u8]> {
    answer.split_first().filter(|(first, _body)| **first == kind).map(|(_first, body)| body)
}

/// The keys in an answer: each a blob and a comment.
fn identities(body: &[u8]) -> Option<Vec<&[u8]>> {
    let (count, mut rest) = body.split_first_chunk::<4>()?;
    let mut keys = Vec::new();
    for _ in 0..u32::from_be_bytes(*count) {
        let (blob, after) = split_string(rest)?;
        let (_comment, after) = split_string(after)?;
        keys.push(blob);
        rest = after;
    }
    rest.is_empty().then_some(keys)
}

/// A string of the protocol, and what stands behind it.
fn split_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

fn string(bytes: &[u8]) -> Result<Vec<u8>, Unwritten> {
    let length = u32::try_from(bytes.len()).ok().filter(|_length| bytes.len() < LONGEST);
    let length = length.ok_or_else(|| failed("the statement is too long for an agent"))?;
    Ok([&length.to_be_bytes()[..], bytes].concat())
}

fn no_agent(message: &str) -> Unwritten {
    Unwritten::new("no-agent", format!("no SSH agent: {message}"))
        .help("start one and load the key: `eval $(ssh-agent); ssh-add <private key>`")
}

fn failed(reason: &str) -> Unwritten {
    Unwritten::new("agent-failed", format!("the SSH agent did not sign: {reason}"))
        .help("try it: `ssh-add -T <public key>`")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFngsrMm0yQeTZEEOeAuRFE8agoQ++DVM/8O18xDOI+y";

    /// An agent that gives these answers, whatever it is asked.
    struct Scripted {
        answers: std::io::Cursor<Vec<u8>>,
    }

    impl Read for Scripted {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.answers.read(buffer)
        }
    }

    impl Write for Scripted {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn key() -> PlainKey {
        PlainKey::of_public_key(KEY).unwrap()
    }

    #[track_caller]
    fn code_of(answers: &[&[u8]]) -> (&'static str, String) {
        let framed: Vec<u8> = answers.iter().flat_map(|answer| string(answer).unwrap()).collect();
        let mut agent = Scripted { answers: std::io::Cursor::new(framed) };
        let unwritten = sign(&mut agent, &key(), b"message").unwrap_err();
        (unwritten.code, unwritten.message)
    }

    fn listing(blobs: &[&[u8]]) -> Vec<u8> {
        let mut body = vec![IDENTITIES];
        body.extend(u32::try_from(blobs.len()).unwrap().to_be_bytes());
        for blob in blobs {
            body.extend(string(blob).unwrap());
            body.extend(string(b"comment").unwrap());
        }
        body
    }

    #[test]
    fn whatever_an_agent_answers_it_ends_in_a_reason() {
        let mine = key();
        let held = listing(&[b"another", mine.blob()]);
        let bogus = [&[SIGNED][..], &string(b"rubbish").unwrap()].concat();
        let long = u32::MAX.to_be_bytes();
        for (answers, code) in [
            (vec![], "agent-failed"),
            (vec![&[5][..]], "agent-failed"),
            (vec![&[][..]], "agent-failed"),
            (vec![&[IDENTITIES, 0, 0, 0, 9][..]], "agent-failed"),
            (vec![&[IDENTITIES, 0, 0, 0, 0, 7]], "agent-failed"),
            (vec![&[IDENTITIES, 0, 0, 0, 0]], "agent-key"),
            (vec![&held], "agent-failed"),
            (vec![&held, &[5]], "agent-failed"),
            (vec![&held, &[SIGNED]], "agent-failed"),
            (vec![&held, &bogus], "agent-failed"),
            (vec![&held, &[&[SIGNED][..], &long].concat()], "agent-failed"),
        ] {
            assert_eq!(code_of(&answers).0, code, "{answers:?}");
        }
    }

    #[test]
    fn an_answer_without_end_is_not_read() {
        let mut agent = Scripted { answers: std::io::Cursor::new(u32::MAX.to_be_bytes().to_vec()) };
        let unwritten = sign(&mut agent, &key(), b"message").unwrap_err();
        assert!(unwritten.message.contains("too long"), "{unwritten}");
    }

    #[test]
    fn without_a_socket_there_is_no_agent() {
        for socket in [None, Some(Path::new("/nonexistent/agent"))] {
            assert_eq!(sign_with_agent(socket, &key(), b"message").unwrap_err().code, "no-agent");
        }
    }
}
