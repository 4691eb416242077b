//! `git gate check`: may this version go to this environment, and why.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use crate::insight::Question;
use crate::model::{ArtifactDigest, ArtifactName, GateName, Malformed, Name, ObjectId, Time};
use crate::render;
use crate::verdict::Given;

use super::session::{Opening, Session, View};
use super::{Context, Exit, Failure, artifact_digest, judging};

/// The arguments of `check`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 allowed, 11 pending, 10 blocked, 3 it could not be decided, 2 wrong arguments.\n\
    What replays (--at, --time, --log) is named in the output, and `deploy` and `attest` refuse it."
)]
pub struct Args {
    /// The gate, `<system>/<version>`.
    #[arg(value_name = "GATE")]
    gate: GateName,
    /// The environment it is to go to.
    #[arg(long, value_name = "ENVIRONMENT", required = true)]
    env: Name,
    /// An artifact that will be deployed: a file or a directory, digested here.
    #[arg(long = "artifact", value_name = "NAME=PATH")]
    artifacts: Vec<GivenPath>,
    /// An artifact that will be deployed, by its digest.
    #[arg(long = "digest", value_name = "NAME=DIGEST")]
    digests: Vec<GivenDigest>,
    /// Judge at this mainline commit, as a full commit id, instead of the tip.
    #[arg(long, value_name = "COMMIT")]
    at: Option<ObjectId>,
    /// Judge at this time (RFC 3339) instead of now.
    #[arg(long, value_name = "TIME")]
    time: Option<Time>,
    /// Judge with the deployment log up to this commit.
    #[arg(long, value_name = "COMMIT")]
    log: Option<ObjectId>,
    /// Fail unless this commit is on the mainline: what a caller has seen before cannot be taken away.
    #[arg(long, value_name = "COMMIT")]
    seen: Option<ObjectId>,
}

/// `NAME=PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct GivenPath {
    name: ArtifactName,
    path: PathBuf,
}

/// `NAME=DIGEST`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct GivenDigest {
    name: ArtifactName,
    digest: ArtifactDigest,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let given = Given::Artifacts(artifacts(context, args)?);
    let opening = Opening {
        view: View::Recorded,
        at: args.at,
        time: args.time,
        log: args.log,
        seen: args.seen,
        proposed: None,
    };
    let session = Session::open(context, &opening)?;
    let question = Question { gate: args.gate.clone(), environment: args.env.clone(), given };
    let judgement = session.judge(&question)?;
    context.print(&render::render_check(&judgement, judging::form(context)))?;
    Ok(judging::exit(judgement.verdict.outcome))
}

/// All that was given, each name once. Nothing is digested before the names are known to be right.
fn artifacts(context: &Context, args: &Args) -> anyhow::Result<BTreeMap<ArtifactName, ArtifactDigest>> {
    let mut names: Vec<&ArtifactName> = args.artifacts.iter().map(|given| &given.name).collect();
    names.extend(args.digests.iter().map(|given| &given.name));
    names.sort();
    if let Some(twice) = names.windows(2).find_map(|pair| match pair {
        [one, other] if one == other => Some(one),
        _ => None,
    }) {
        return Err(Failure::usage(format!("artifact `{twice}` is given twice: give each name once")).into());
    }
    let mut artifacts: BTreeMap<ArtifactName, ArtifactDigest> =
        args.digests.iter().map(|given| (given.name.clone(), given.digest.clone())).collect();
    for GivenPath { name, path } in &args.artifacts {
        artifacts.insert(name.clone(), artifact_digest::artifact_digest(&context.directory.join(path))?);
    }
    Ok(artifacts)
}

/// The name and what stands behind the first `=`; a name holds none.
fn split<'a>(text: &'a str, form: &str) -> Result<(ArtifactName, &'a str), Malformed> {
    match text.split_once('=') {
        Some((name, value)) if !value.is_empty() => Ok((name.parse()?, value)),
        Some(_) | None => Err(Malformed(format!("an artifact is given as `{form}`"))),
    }
}

impl FromStr for GivenPath {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (name, path) = split(text, "NAME=PATH")?;
        Ok(Self { name, path: PathBuf::from(path) })
    }
}

impl FromStr for GivenDigest {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (name, digest) = split(text, "NAME=DIGEST")?;
        Ok(Self { name, digest: digest.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artifact_is_a_name_and_a_path() {
        let given: GivenPath = "prompts/a.txt=dir/x=y".parse().unwrap();
        assert_eq!((given.name.as_str(), given.path), ("prompts/a.txt", PathBuf::from("dir/x=y")));
        for bad in ["", "a", "a=", "=a", "../a=b", "a b=c"] {
            assert!(bad.parse::<GivenPath>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_digest_is_one_that_can_be_compared() {
        assert!(format!("a=sha256:{}", "9b".repeat(32)).parse::<GivenDigest>().is_ok());
        for bad in ["a=sha256:9b", "a=", "a=md5:00", "sha256:00"] {
            assert!(bad.parse::<GivenDigest>().is_err(), "{bad}");
        }
    }
}
