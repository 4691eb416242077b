//! `git gate audit`: every logged deployment judged again, and all that is wrong.
//!
//! Reads only: no program is started and nothing is written, but for `--fetch`, and for `--pack`, which writes where it is
//! told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::insight::{Observed, Scope};
use crate::model::{ArtifactDigest, Duration, Malformed, Name, Time};
use crate::render;

use super::exceptional::moment;
use super::fresh::FreshArgs;
use super::session::{Opening, Session, View};
use super::{Context, Exit, Failure, judging};

mod pack;

/// The arguments of `audit`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 10 where anything is wrong, a log or a mainline that was rewound among it; else 0."
)]
pub struct Args {
    /// Only this environment; repeatable. The others are named.
    #[arg(long = "env", value_name = "ENVIRONMENT")]
    environments: Vec<Name>,
    /// Leave out what was logged before: a date, a moment, or how long ago (`90d`). What runs or is owed today stays.
    #[arg(long, value_name = "WHEN")]
    since: Option<Since>,
    /// Compare with what really runs: a JSON file, environment → digests of artifacts.
    #[arg(long, value_name = "FILE")]
    running: Option<PathBuf>,
    /// Show so many deployments one by one, drawn by risk. What is wrong is told of all.
    #[arg(long, value_name = "COUNT", requires = "seed")]
    sample: Option<u64>,
    /// What the sample is drawn by: the same seed draws the same.
    #[arg(long, value_name = "TEXT", requires = "sample")]
    seed: Option<String>,
    /// Write a pack into this new directory that can be checked with git, ssh-keygen and sha256sum alone.
    #[arg(long, value_name = "DIRECTORY")]
    pack: Option<PathBuf>,
    /// Verify the signature of every commit since the trust root, in place of judging deployments. Whatever is found, it ends
    /// with 0.
    #[arg(long, conflicts_with_all = ["environments", "since", "running", "sample", "pack"])]
    signatures: bool,
    /// As of this moment, in place of now.
    #[arg(long, value_name = "TIME")]
    time: Option<Time>,
    /// How fresh the clone must be.
    #[command(flatten)]
    fresh: FreshArgs,
}

/// From when on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    At(Time),
    Ago(Duration),
}

impl FromStr for Since {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if let Ok(duration) = text.parse() {
            return Ok(Self::Ago(duration));
        }
        moment(text).map(Self::At).ok_or_else(|| {
            Malformed(
                "a date (`2026-12-05`), a moment (`2026-12-05T12:00:00Z`) or how long ago (`90d`)".into(),
            )
        })
    }
}

impl Since {
    fn before(self, now: Time) -> Option<Time> {
        match self {
            Self::At(time) => Some(time),
            Self::Ago(duration) => Time::from_unix(now.unix().saturating_sub(duration.seconds())),
        }
    }
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let observed = args.running.as_deref().map(|file| observed(context, file)).transpose()?;
    args.fresh.bring_up_to_date(context)?;
    let opening = Opening {
        view: View::Recorded,
        time: args.time,
        tell_rewound: true,
        many: true,
        ..Opening::default()
    };
    let session = Session::open(context, &opening)?;
    if args.signatures {
        let (check, origin) = session.signatures(context)?;
        context.print(&render::render_signatures(&check, &origin, judging::form(context)))?;
        return Ok(Exit::Done);
    }
    let now = args.time.unwrap_or(context.now);
    let named: BTreeSet<Name> = args.environments.iter().cloned().collect();
    let scope = Scope {
        environments: (!named.is_empty()).then_some(named),
        since: args.since.and_then(|since| since.before(now)),
    };
    let mut audit = session.audit(context, &scope)?;
    if let Some(observed) = observed {
        audit.reconcile(observed);
    }
    audit.find_ended_exceptions();
    if let (Some(size), Some(seed)) = (args.sample, &args.seed) {
        audit.draw(size, seed, &session.policy().risks);
        audit.origin.relaxations.push(format!("--sample {size} --seed {seed}"));
    }
    let exit = if audit.violations.is_empty() { Exit::Done } else { Exit::Blocked };
    if let Some(directory) = &args.pack {
        pack::write(context, &session, &audit, directory)?;
    }
    render::render_audit(&audit, judging::form(context), &mut |text| context.print(text))?;
    Ok(exit)
}

/// What runs, as somebody saw it. By environment a list of digests, or an object of them by name.
fn observed(context: &Context, file: &Path) -> Result<Observed, Failure> {
    let unreadable = |reason: String| {
        Failure::new("running-unreadable", format!("`{}` cannot be read: {reason}", file.display()))
            .help("it holds one object: `{\"production\": [\"sha256:…\"]}`")
    };
    #[expect(clippy::disallowed_methods, reason = "cli/ reads what the user names")]
    let bytes = std::fs::read(context.directory.join(file)).map_err(|error| unreadable(error.to_string()))?;
    let read: BTreeMap<String, Runs> =
        serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    let mut observed = Observed::new();
    for (environment, runs) in read {
        let environment: Name =
            environment.parse().map_err(|wrong: Malformed| unreadable(wrong.to_string()))?;
        let digests = match runs {
            Runs::Digests(digests) => digests,
            Runs::ByName(by_name) => by_name.into_values().collect(),
        };
        let digests: Result<BTreeSet<ArtifactDigest>, Malformed> =
            digests.iter().map(|digest| digest.parse()).collect();
        observed.insert(environment, digests.map_err(|wrong| unreadable(wrong.to_string()))?);
    }
    Ok(observed)
}

/// What runs in one environment.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Runs {
    Digests(Vec<String>),
    ByName(BTreeMap<String, String>),
}
