//! What signing needs: the format, a name, a key, the agent that holds it.

use std::path::PathBuf;

use crate::git::{Signer, Unwritten};
use crate::render::{About, Finding};
use crate::signature::Fingerprint;

use super::super::environment;
use super::{Patient, agent, key, policy, shell};

/// What is signed to see whether that works: no commit, and so no decision.
const PROBE: &[u8] = b"git gate doctor: whether this key signs; this is no commit\n";

/// The public key that signs here, where it can be told, and what was found on the way.
pub(super) fn look(patient: &Patient<'_>, sign: bool) -> (Option<String>, Vec<Finding>) {
    let signer = Signer::whatever_format(&patient.git, patient.context.asks);
    let public = signer.as_ref().ok().and_then(Signer::public_key);
    let mut findings = vec![format(patient), identity(patient, public.as_deref())];
    match &signer {
        Ok(signer) => {
            findings.push(program(signer));
            findings.push(key::look(patient, signer));
            findings.extend(agent::look(patient, signer));
            if sign {
                findings.push(probe(signer));
            }
        }
        Err(why) => findings.push(no_key(patient, why)),
    }
    (public, findings)
}

fn format(patient: &Patient<'_>) -> Finding {
    let name = "gpg.format";
    let found = match patient.git.config(name) {
        Ok(Some(format)) if format == "ssh" => return Finding::ok(About::Signing, name, "`ssh`"),
        Ok(Some(format)) => format!("`{format}`: git does not sign with SSH keys here"),
        Ok(None) => "not set: git signs with PGP, which counts for nothing".to_owned(),
        Err(why) => return Finding::broken(About::Signing, name, why.message),
    };
    let set = shell::config(&patient.git, name);
    Finding::broken(About::Signing, name, found).mend(format!("{set} gpg.format ssh"))
}

/// Git must know a name and an address for the commits that it makes.
fn identity(patient: &Patient<'_>, public: Option<&str>) -> Finding {
    let name = "identity";
    let (who, email) = (patient.git.config("user.name"), patient.git.config("user.email"));
    if let Ok(ident) = patient.git.run(&["-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT"]) {
        let shown = ident.rsplit_once("> ").map_or(ident.as_str(), |(who, _when)| who);
        return Finding::ok(About::Signing, name, format!("{}>", shown.trim_end_matches('>')));
    }
    let finding = Finding::broken(About::Signing, name, "git does not know who you are");
    let fingerprint = public.and_then(Fingerprint::of_public_key);
    let principal = fingerprint.and_then(|fingerprint| policy::owner(patient, &fingerprint));
    let mut mends = Vec::new();
    if let Some(principal) = principal {
        let word = shell::word(principal.as_str());
        if matches!(email, Ok(None)) {
            mends.push(format!("git config --global user.email {word}"));
        }
        if matches!(who, Ok(None)) {
            mends.push(format!("git config --global user.name {word}"));
        }
    }
    if mends.is_empty() {
        return finding.help("git config --global user.email <email>; git config --global user.name <name>");
    }
    finding.mend(mends.join(" && "))
}

fn program(signer: &Signer) -> Finding {
    let (name, program) = ("gpg.ssh.program", signer.program());
    let shown = program.to_string_lossy();
    if environment::has_program(program) {
        return Finding::ok(About::Signing, name, format!("`{shown}` signs"));
    }
    let finding = Finding::broken(About::Signing, name, format!("the program `{shown}` is not there"));
    if shown == "ssh-keygen" {
        return finding.help("install OpenSSH");
    }
    finding.mend("git config --global gpg.ssh.program ssh-keygen")
}

/// There is none, or `gpg.ssh.defaultKeyCommand` gives none.
fn no_key(patient: &Patient<'_>, why: &Unwritten) -> Finding {
    key::mended(patient, Finding::broken(About::Signing, "user.signingkey", why.message.clone()))
}

fn probe(signer: &Signer) -> Finding {
    match signer.sign(PROBE) {
        Ok(signed) => Finding::ok(
            About::Signing,
            "signs",
            format!("a signature by `{}` verifies", signed.signature.key()),
        ),
        Err(why) => {
            let finding = Finding::broken(About::Signing, "signs", why.message);
            match why.help {
                Some(help) => finding.help(help),
                None => finding,
            }
        }
    }
}

/// Where OpenSSH keeps keys.
pub(super) fn key_directory() -> Option<PathBuf> {
    environment::home().map(|home| home.join(".ssh"))
}
