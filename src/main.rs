//! The program `git-gate`.

use std::process::ExitCode;

fn main() -> ExitCode {
    git_gate::cli::main()
}
