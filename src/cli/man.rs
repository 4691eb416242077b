//! `git gate man`: manual pages, from the same source as `--help`, so that `git help gate` finds them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use crate::git::{Messages, Start};

use super::{Cli, Context, Exit, Failure, environment};

/// The arguments of `man`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The command whose page is printed, such as `check` or `policy lint`; `git gate` itself when not given.
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
    /// Write all pages to where `man` and `git help gate` find them.
    #[arg(long, conflicts_with = "command")]
    install: bool,
    /// The directory of manual pages that holds `man1`; else that beside the program, else the user's own.
    #[arg(long, value_name = "DIRECTORY", requires = "install")]
    dir: Option<PathBuf>,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let root = Cli::command();
    if args.install {
        return install(context, args, &root);
    }
    let mut name = root.get_name().to_owned();
    let mut command = &root;
    for word in &args.command {
        command = command.find_subcommand(word).ok_or_else(|| {
            Failure::usage(format!("there is no command `{word}`: `git gate --help` lists them"))
        })?;
        name = format!("{name}-{}", command.get_name());
    }
    context.print(&page(command, &name)?)?;
    Ok(Exit::Done)
}

fn install(context: &Context, args: &Args, root: &Command) -> anyhow::Result<Exit> {
    let directory = match &args.dir {
        Some(directory) => context.directory.join(directory),
        None => own_directory()?,
    };
    let section = directory.join("man1");
    let failed = |path: &Path, error: &std::io::Error| {
        Failure::new("file-unwritten", format!("`{}` cannot be written: {error}", path.display()))
            .help("name another directory: `git gate man --install --dir <directory>`")
    };
    fs::create_dir_all(&section).map_err(|error| failed(&section, &error))?;
    let pages = pages(root)?;
    for (name, text) in &pages {
        let path = section.join(format!("{name}.1"));
        #[expect(clippy::disallowed_methods, reason = "cli/ writes what the user asks for")]
        fs::write(&path, text).map_err(|error| failed(&path, &error))?;
    }
    context.print(&format!("wrote {} pages into {}\n", pages.len(), section.display()))?;
    if !is_found(&directory) {
        // `export` in the language of shells; an empty part stands for where `man` looks anyway.
        context.say(&format!("`man` does not look there: export MANPATH={}:", directory.display()));
    }
    Ok(Exit::Done)
}

/// Each command that is not hidden, with its page.
fn pages(root: &Command) -> anyhow::Result<Vec<(String, String)>> {
    let mut pages = Vec::new();
    let mut open = vec![(root.get_name().to_owned(), root)];
    while let Some((name, command)) = open.pop() {
        pages.push((name.clone(), page(command, &name)?));
        let inner = command.get_subcommands().filter(|inner| !inner.is_hide_set());
        open.extend(inner.map(|inner| (format!("{name}-{}", inner.get_name()), inner)));
    }
    Ok(pages)
}

fn page(command: &Command, name: &str) -> anyhow::Result<String> {
    let typed = name.replacen("git-", "git ", 1).replacen("gate-", "gate ", 1);
    let command = command
        .clone()
        .display_name(name.to_owned())
        .bin_name(typed)
        .version(env!("CARGO_PKG_VERSION"))
        .mut_subcommands(|inner| {
            let shown = format!("{name}-{}", inner.get_name());
            inner.display_name(shown)
        });
    let mut bytes = Vec::new();
    let man = Man::new(command)
        .title(name.to_uppercase())
        .source(format!("git-gate {}", env!("CARGO_PKG_VERSION")));
    man.manual("git gate").render(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// `share/man` beside the `bin` that the program is in, which `man` looks through where that is on the `PATH`; else the
/// user's own.
fn own_directory() -> Result<PathBuf, Failure> {
    let beside =
        environment::program_directory().filter(|directory| directory.file_name() == Some(OsStr::new("bin")));
    let own = || environment::home().map(|home| home.join(".local"));
    let place = beside.and_then(|bin| bin.parent().map(Path::to_owned)).or_else(own);
    place.map(|place| place.join("share/man")).ok_or_else(|| {
        Failure::new("file-unwritten", "it is not known where manual pages belong here")
            .help("name the directory: `git gate man --install --dir <directory>`")
    })
}

/// Whether `man` finds the page by itself. Where there is no `man`, nothing is to be said.
fn is_found(directory: &Path) -> bool {
    let start = Start {
        program: OsStr::new("man"),
        arguments: vec!["-w".into(), "git-gate".into()],
        directory,
        variables: Vec::new(),
        input: Some(b""),
        messages: Messages::Caught,
    };
    start.run().map_or(true, |ran| ran.success)
}
