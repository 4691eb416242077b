//! `git gate completions`: what makes a shell complete commands, flags, and names of the repository.
//!
//! The scripts are the same for every version: they hand what was typed to the hidden command `__complete`, which knows
//! the arguments and reads the names ([`super::complete`]). A script that is generated once could know no gate.

use clap::ValueEnum;

use super::{Context, Exit};

/// The arguments of `completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "bash: eval \"$(git-gate completions bash)\" in ~/.bashrc\n\
    zsh:  git-gate completions zsh > <directory of $fpath>/_git-gate\n\
    fish: git-gate completions fish > ~/.config/fish/completions/git-gate.fish")]
pub struct Args {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    context.print(match args.shell {
        Shell::Bash => include_str!("completions/git-gate.bash"),
        Shell::Zsh => include_str!("completions/git-gate.zsh"),
        Shell::Fish => include_str!("completions/git-gate.fish"),
    })?;
    Ok(Exit::Done)
}
