//! `git gate metrics`: what the gates of this repository took, came to and led to.
//!
//! Every gate is judged at the steps that recorded something of it (`measure.rs`).

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;

use crate::insight::metrics::{self, Metrics};
use crate::model::{Duration, Name, Time};
use crate::render::{self, Table};

use super::session::{Opening, Session, View};
use super::{Context, Exit, Failure, Format, judging, measure};

/// The arguments of `metrics`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "What each figure means: docs/metrics.md. `--format csv` and `--format openmetrics` are for this command alone. Exit status: 0 whatever the figures."
)]
pub struct Args {
    /// Group the figures.
    #[arg(long, value_name = "WHAT")]
    by: Option<By>,
    /// What happened from then on: a date, a moment, or how long ago (`90d`).
    #[arg(long, value_name = "WHEN")]
    since: Option<When>,
    /// What happened before then.
    #[arg(long, value_name = "WHEN")]
    until: Option<When>,
    /// Only for this environment.
    #[arg(long = "env", value_name = "ENVIRONMENT")]
    environment: Option<Name>,
    /// Only gates of this system; repeatable.
    #[arg(long = "system", value_name = "SYSTEM")]
    systems: Vec<Name>,
    /// Write to this file, whole or not at all, in place of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// By what figures are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// The system.
    System,
    /// The kind of the change.
    Kind,
    /// The effective risk.
    Risk,
    /// The role that decided, or was waited for.
    Role,
    /// The month in which it happened, in UTC.
    Month,
    /// The environment.
    Environment,
}

impl From<By> for metrics::By {
    fn from(by: By) -> Self {
        match by {
            By::System => Self::System,
            By::Kind => Self::Kind,
            By::Risk => Self::Risk,
            By::Role => Self::Role,
            By::Month => Self::Month,
            By::Environment => Self::Environment,
        }
    }
}

/// A moment of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// At that moment.
    At(Time),
    /// So long ago.
    Ago(Duration),
}

impl When {
    fn before(self, now: Time) -> Option<Time> {
        match self {
            Self::At(time) => Some(time),
            Self::Ago(duration) => Time::from_unix(now.unix() - duration.seconds()),
        }
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(duration) = text.parse() {
            return Ok(Self::Ago(duration));
        }
        let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
        whole.parse().map(Self::At).map_err(|_malformed| {
            "a date (`2026-11-01`), a moment (`2026-11-01T12:00:00Z`) or how long ago (`90d`)".into()
        })
    }
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let moment = |when: Option<When>| when.and_then(|when| when.before(context.now));
    let asked = metrics::Asked {
        since: moment(args.since),
        until: moment(args.until),
        environment: args.environment.clone(),
        by: args.by.map(Into::into),
    };
    if let (Some(since), Some(until)) = (asked.since, asked.until)
        && until <= since
    {
        return Err(Failure::usage(format!("`--until` {until} is not after `--since` {since}")).into());
    }
    let session =
        Session::open(context, &Opening { view: View::Recorded, many: true, ..Opening::default() })?;
    let mut metrics = [Metrics::new(asked)];
    measure::measure(context, &session, &mut metrics, &args.systems)?;
    let [metrics] = metrics;
    let origin = session.origin()?;
    let text = match context.format {
        Format::Csv => render::render_metrics_table(&metrics, &origin, Table::Csv),
        Format::Openmetrics => render::render_metrics_table(&metrics, &origin, Table::OpenMetrics),
        Format::Text | Format::Json | Format::Markdown => {
            render::render_metrics(&metrics, &origin, judging::form(context))
        }
    };
    match &args.out {
        Some(file) => write_whole(&context.directory.join(file), &text)?,
        None => context.print(&text)?,
    }
    Ok(Exit::Done)
}

/// Writes a file beside its place, then moves it there: who reads it meanwhile has the one or the other.
fn write_whole(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new("file-unwritten", format!("`{}` cannot be written: {error}", path.display()))
            .help("a file in a directory that exists and may be written to")
    };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".git-gate-")
        .permissions(readable_by_all())
        .tempfile_in(directory)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// A collector runs as another user.
fn readable_by_all() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::Permissions::from_mode(0o644)
}
