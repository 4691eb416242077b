//! `git gate artifact`: record what will be deployed, by digest.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::model::{ArtifactDigest, ArtifactName, GateName};
use crate::request::Artifact;

use super::artifact_digest::artifact_digest;
use super::hand::SigningArgs;
use super::requesting::{GateOnBranch, print_written};
use super::together::{self, Proposal};
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
        (Some(path), _) => {
            let _busy = context.busy("reading the artifact");
            Some(artifact_digest(&context.directory.join(path))?)
        }
        (None, digest) => digest.clone(),
    };
    let name = &args.name;
    let (signed, ()) = together::write(context, &args.signing, |_before| {
        Ok((proposal(context, args, digest.as_ref())?, ()))
    })?;
    let Some(digest) = digest else {
        let more = serde_json::json!({});
        print_written(context, "artifact", &format!("removed {name}"), &signed.written, &more)?;
        return Ok(Exit::Done);
    };
    let more = serde_json::json!({ "artifact": name.to_string(), "digest": digest.as_str() });
    print_written(context, "artifact", &format!("{name} = {digest}\nrecorded"), &signed.written, &more)?;
    Ok(Exit::Done)
}

/// The artifact with that digest on the list; nothing: off it.
fn proposal(context: &Context, args: &Args, digest: Option<&ArtifactDigest>) -> anyhow::Result<Proposal> {
    let mut gate = GateOnBranch::find(context, &args.gate)?;
    let (name, of) = (&args.name, &args.gate);
    let listed = gate.request.artifacts.get(name).map(|artifact| artifact.digest.as_str().to_owned());
    let replaces = listed.map(|digest| (format!("the artifact `{name}`"), digest)).into_iter().collect();
    let subject = if let Some(digest) = digest {
        gate.edit.set_artifact(name, &Artifact { digest: digest.clone(), uri: args.uri.clone() });
        format!("Record artifact {name} of {of}")
    } else {
        if !gate.edit.remove_artifact(name) {
            let message = format!("`{of}` lists no artifact `{name}`");
            return Err(Failure::new("artifact-unknown", message).into());
        }
        format!("Remove artifact {name} from {of}")
    };
    gate.proposal(context, &args.signing, BTreeMap::new(), &subject, replaces)
}
