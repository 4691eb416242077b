//! `git gate report`: what was found of everything, as a site, one file, JSON or OSCAL (R14).

use std::path::PathBuf;

use clap::ValueEnum;

use crate::insight::Dossier;
use crate::model::GateName;
use crate::render::report;

use super::session::{Opening, Session, View};
use super::{Context, Exit, Failure, Format};

mod gathered;
mod site;

use gathered::{Gathered, Put};

/// The arguments of `report`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A report is made from the mainline, as `check` reads it. The site needs no network and no script, \
                        and holds nothing that the repository does not. Exit status: 0 whatever it says."
)]
pub struct Args {
    /// Write a site into this directory: made beside it, then moved into place.
    #[arg(long, value_name = "DIRECTORY")]
    out: Option<PathBuf>,
    /// Put what the records show of the control into the site as OSCAL, too.
    #[arg(long, requires = "out")]
    oscal: bool,
    /// Print the checklist of one gate, to attach to a ticket.
    #[arg(long, value_name = "GATE", conflicts_with = "out")]
    gate: Option<GateName>,
    /// The form of `--gate`: markdown, or a page that stands alone.
    #[arg(long, value_name = "FORM", requires = "gate", default_value = "markdown")]
    r#as: As,
}

/// The form of one gate's report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum As {
    /// Markdown.
    Markdown,
    /// HTML.
    Html,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let opening = Opening { view: View::Recorded, many: args.gate.is_none(), ..Opening::default() };
    let mut session = Session::open(context, &opening)?;
    if let Some(gate) = &args.gate {
        if !session.gates()?.0.contains(gate) {
            session =
                Session::open(context, &Opening { view: View::Merged(gate.clone()), ..Opening::default() })?;
        }
        let mut dossier = session.dossier(gate)?;
        dossier.line.unmerged = session.is_as_if_merged();
        let origin = session.origin()?;
        let text = match (args.r#as, context.format) {
            (As::Html, _) => report::gate_html(&dossier, session.policy(), &origin),
            (As::Markdown, _) => report::gate_markdown(&dossier, session.policy(), &origin),
        };
        context.print(&text)?;
        return Ok(Exit::Done);
    }
    if context.format == Format::Json && args.out.is_none() {
        print_json(context, &session)?;
        return Ok(Exit::Done);
    }
    let Some(out) = &args.out else {
        return Err(Failure::usage(
            "say where to: `--out <directory>`, `--gate <gate>` for one gate, or `--format json`",
        )
        .into());
    };
    let directory = context.directory.join(out);
    let site = site::Site::begin(&directory)?;
    let gathered = write_parts(context, &session, &site)?;
    write_whole(&gathered, &session, args.oscal, &site)?;
    let written = site.finish()?;
    context.print(&format!(
        "{} pages in {}: {} written, {} as they were, {} gone\n",
        written.pages,
        out.display(),
        written.new,
        written.kept,
        written.gone
    ))?;
    Ok(Exit::Done)
}

/// The pages of every deployment and every gate.
fn write_parts(context: &Context, session: &Session, site: &site::Site) -> anyhow::Result<Gathered> {
    // Whoever makes the pages of a gate puts them there: nobody keeps them.
    let make = |session: &Session, dossier: &Dossier| -> Result<(), Failure> {
        let mut files = report::gate_files(dossier, session.policy()).into_iter();
        files.try_for_each(|(path, text)| site.put(&path, &text))
    };
    Gathered::read(context, session, make, &mut |put| {
        match put {
            Put::Deployment(deployment, violations) => {
                let (path, text) = report::deployment_file(deployment, violations, session.policy());
                site.put(&path, &text)?;
            }
            Put::Gate(done) => done?,
        }
        Ok(())
    })
}

/// Prints everything as one object.
fn print_json(context: &Context, session: &Session) -> anyhow::Result<()> {
    let origin = session.origin()?;
    let mut before = report::json_before_gates();
    let make = |_session: &Session, dossier: &Dossier| report::gate_json(dossier, &origin);
    let gathered = Gathered::read(context, session, make, &mut |put| match put {
        Put::Deployment(..) => Ok(()),
        Put::Gate(json) => {
            let text = format!("{before}{json}");
            before = ",";
            context.print(&text)
        }
    })?;
    // Of no gate at all, nothing was printed yet.
    if before != "," {
        context.print(before)?;
    }
    report::json_after_gates(&gathered.whole(session), &mut |text| context.print(text))
}

/// The pages about the whole, once every gate has been read.
fn write_whole(
    gathered: &Gathered,
    session: &Session,
    oscal: bool,
    site: &site::Site,
) -> Result<(), Failure> {
    let whole = gathered.whole(session);
    let oscal = if oscal { report::oscal_files(&whole) } else { Vec::new() };
    for (path, text) in report::whole_files(&whole).chain(oscal).chain([report::style()]) {
        site.put(&path, &text)?;
    }
    Ok(())
}
