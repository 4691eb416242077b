//! `git gate artifact`: record what will be deployed, by digest.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::model::{ArtifactDigest, ArtifactName, GateName};
use crate::request::Artifact;

use super::artifact_digest::artifact_digest;
use super::hand::SigningArgs;
use super::requesting::{GateOnBranch, print_written};
use super::{Context, Exit, Failure};

/// The arguments of `artifact`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The gate, `<system>/<version>`.
    pub gate: GateName,
    /// What the artifact is called, such as `prompts/summarize.txt`.
    pub name: ArtifactName,
    /// The file or directory that will be deployed.
    #[arg(required_unless_present_any = ["digest", "remove"], conflicts_with_all = ["digest", "remove"])]
    pub path: Option<PathBuf>,
    /// Its digest instead: `sha256:…`, `git:<oid>` or `oci:sha256:…`.
    #[arg(long, value_name = "DIGEST", conflicts_with = "remove")]
    pub digest: Option<ArtifactDigest>,
    /// Where it lies; for people.
    #[arg(long, value_name = "URI", conflicts_with = "remove")]
    pub uri: Option<String>,
    /// Take it off the list.
    #[arg(long)]
    pub remove: bool,
    /// How to sign.
    #[command(flatten)]
    pub signing: SigningArgs,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let digest = match (&args.path, &args.digest) {
        (Some(path), _) => Some(artifact_digest(&context.directory.join(path))?),
        (None, digest) => digest.clone(),
    };
    let mut gate = GateOnBranch::find(context, &args.gate)?;
    let (name, subject) = (&args.name, &args.gate);
    let Some(digest) = digest else {
        if !gate.edit.remove_artifact(name) {
            let message = format!("`{subject}` lists no artifact `{name}`");
            return Err(Failure::new("artifact-unknown", message).into());
        }
        let subject = format!("Remove artifact {name} from {subject}");
        let written = gate.commit(context, &args.signing, BTreeMap::new(), &subject)?;
        print_written(context, "artifact", &format!("removed {name}"), &written, &serde_json::json!({}))?;
        return Ok(Exit::Done);
    };
    gate.edit.set_artifact(name, &Artifact { digest: digest.clone(), uri: args.uri.clone() });
    let subject = format!("Record artifact {name} of {subject}");
    let written = gate.commit(context, &args.signing, BTreeMap::new(), &subject)?;
    let more = serde_json::json!({ "artifact": name.to_string(), "digest": digest.as_str() });
    print_written(context, "artifact", &format!("{name} = {digest}\nrecorded"), &written, &more)?;
    Ok(Exit::Done)
}
