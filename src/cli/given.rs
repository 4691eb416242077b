//! The artifacts that are to be deployed, as they are given on the command line: by path, digested here, or by digest.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use crate::insight::{Originals, Question};
use crate::model::{ArtifactDigest, ArtifactName, GateName, Malformed, Name};
use crate::verdict::Given;

use super::{Context, Failure, artifact_digest};

/// What commands that judge artifacts take.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct GivenArgs {
    /// An artifact that will be deployed: a file or a directory, digested here.
    #[arg(long = "artifact", value_name = "NAME=PATH")]
    artifacts: Vec<GivenPath>,
    /// An artifact that will be deployed, by its digest.
    #[arg(long = "digest", value_name = "NAME=DIGEST")]
    digests: Vec<GivenDigest>,
}

/// What commands that ask for a verdict take: which version, where, and what of it.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct QuestionArgs {
    /// The gate, `<system>/<version>`.
    #[arg(value_name = "GATE")]
    pub(super) gate: GateName,
    /// The environment it is to go to.
    #[arg(long, value_name = "ENVIRONMENT", required = true)]
    pub(super) env: Name,
    /// What is to be deployed.
    #[command(flatten)]
    pub(super) given: GivenArgs,
}

impl QuestionArgs {
    /// The question about these artifacts, with reports that lie elsewhere.
    pub(super) fn question(
        &self,
        given: &BTreeMap<ArtifactName, ArtifactDigest>,
        originals: Originals,
    ) -> Question {
        let given = Given::Artifacts(given.clone().into());
        Question { gate: self.gate.clone(), environment: self.env.clone(), given, originals }
    }
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

impl GivenArgs {
    /// All that was given, each name once. Nothing is digested before the names are known to be right.
    pub(super) fn digests(
        &self,
        context: &Context,
    ) -> anyhow::Result<BTreeMap<ArtifactName, ArtifactDigest>> {
        let mut names: Vec<&ArtifactName> = self.artifacts.iter().map(|given| &given.name).collect();
        names.extend(self.digests.iter().map(|given| &given.name));
        names.sort();
        if let Some(twice) = names.windows(2).find_map(|pair| match pair {
            [one, other] if one == other => Some(one),
            _ => None,
        }) {
            return Err(
                Failure::usage(format!("artifact `{twice}` is given twice: give each name once")).into()
            );
        }
        let mut artifacts: BTreeMap<ArtifactName, ArtifactDigest> =
            self.digests.iter().map(|given| (given.name.clone(), given.digest.clone())).collect();
        let _busy = context.busy("reading the artifacts");
        for GivenPath { name, path } in &self.artifacts {
            artifacts.insert(name.clone(), artifact_digest::artifact_digest(&context.directory.join(path))?);
        }
        Ok(artifacts)
    }
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
