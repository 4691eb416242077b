//! The command line: parse, run, print, exit status. One file per command.
//!
//! The only part that reads the clock and the environment, and the only one that talks to the user. Data goes to
//! stdout, everything else to stderr. No panic and no cut output ever ends in status 0 (design, section 12).

mod accept_risk;
mod approve;
mod arguments;
mod artifact;
mod artifact_digest;
mod ask;
mod attach;
mod attest;
mod audit;
mod backtest;
mod borrowed;
mod busy;
mod check;
mod close;
mod complete;
mod completions;
mod context;
mod decided_on;
mod deciding;
mod demo;
mod deploy;
mod deploy_failed;
mod detach;
mod doctor;
mod editor;
mod environment;
mod evidence;
mod except;
mod exceptional;
mod exceptional_known;
mod exit;
mod failure;
mod first_page;
mod fresh;
mod gate_files;
mod gathering;
mod given;
mod hand;
mod hook;
mod in_force;
mod incident;
mod index;
mod init;
mod interrupt;
mod judging;
mod key;
mod key_setup;
mod list;
mod log;
mod man;
mod measure;
mod merge;
mod metrics;
mod open;
mod originals;
mod pending;
mod period;
mod policy;
mod policy_branches;
mod policy_change;
mod policy_diff;
mod policy_files;
mod ready;
mod record;
mod recordable;
mod reject;
mod report;
mod report_file;
mod requesting;
mod review;
mod roots;
mod schema;
mod session;
mod sharing;
mod show;
mod status;
mod subject;
mod together;
mod trust;
mod tune;
mod wait;
mod withdraw;

pub use arguments::{Cli, Color, Command, Format, Globals};
pub use context::{Context, Talk};
pub use exit::Exit;
pub use failure::{CODES, Failure};

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// Runs the program: its exit status says how it went.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let format = arguments::format_as_typed(&arguments);
    let color = context::colors(arguments::color_as_typed(&arguments), std::io::stderr().is_terminal());
    let result = catch_unwind(AssertUnwindSafe(|| run(&arguments)));
    interrupt::give_way();
    let exit = match result {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) => failure::report(&error, format, color),
        // The panic hook has said where.
        Err(_panic) => failure::report(&Failure::panicked().into(), format, color),
    };
    exit.into()
}

fn run(arguments: &[OsString]) -> anyhow::Result<Exit> {
    if arguments.len() <= 1 {
        return Ok(arguments::greet());
    }
    let cli = match arguments::parse(arguments) {
        Ok(cli) => cli,
        Err(answer) => return answer.give(),
    };
    let context = Context::new(&cli.globals)?;
    if context.talk == Talk::Everything {
        crate::git::tell_of_programs(context::say_program);
    }
    // Git itself sets them for its hooks, and there they are honoured.
    if !matches!(&cli.command, Command::Hook(hook) if hook.is_run_by_git()) {
        environment::warn_of_redirection(&context);
    }
    arguments::refuse_tables(&context, &cli.command)?;
    dispatch(&context, &cli.command)
}

fn dispatch(context: &Context, command: &Command) -> anyhow::Result<Exit> {
    match command {
        Command::Init(args) => init::run(context, args),
        Command::Trust(args) => trust::run(context, args),
        Command::Open(args) => open::run(context, args),
        Command::Attach(args) => attach::run(context, args),
        Command::Detach(args) => detach::run(context, args),
        Command::Artifact(args) => artifact::run(context, args),
        Command::Evidence(args) => evidence::run(context, args),
        Command::Show(args) => show::run(context, args),
        Command::List(args) => list::run(context, args),
        Command::Pending(args) => pending::run(context, args),
        Command::Review(args) => review::run(context, args),
        Command::Approve(args) => approve::run(context, args),
        Command::Reject(args) => reject::run(context, args),
        Command::Withdraw(args) => withdraw::run(context, args),
        Command::Close(args) => close::run(context, args),
        Command::Except(args) => except::run(context, args),
        Command::AcceptRisk(args) => accept_risk::run(context, args),
        Command::Ready(args) => ready::run(context, args),
        Command::Merge(args) => merge::run(context, args),
        Command::Record(args) => record::run(context, args),
        Command::Check(args) => check::run(context, args),
        Command::Deploy(args) => deploy::run(context, args),
        Command::Attest(args) => attest::run(context, args),
        Command::Log(args) => log::run(context, args),
        Command::Status(args) => status::run(context, args),
        Command::Index(args) => index::run(context, args),
        Command::Audit(args) => audit::run(context, args),
        Command::Incident(args) => incident::run(context, args),
        Command::Metrics(args) => metrics::run(context, args),
        Command::Report(args) => report::run(context, args),
        Command::Key(args) => key::run(context, args),
        Command::Policy(args) => policy::run(context, args),
        Command::Hook(args) => hook::run(context, args),
        Command::Backtest(args) => backtest::run(context, args),
        Command::Tune(args) => tune::run(context, args),
        Command::Doctor(args) => doctor::run(context, args),
        Command::Completions(args) => completions::run(context, args),
        Command::Complete(args) => complete::run(context, args),
        Command::Man(args) => man::run(context, args),
        Command::Schema(args) => schema::run(context, args),
        Command::Demo(args) => demo::run(context, args),
    }
}
