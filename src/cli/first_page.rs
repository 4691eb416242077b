//! The first page: what `git gate` alone and `git gate -h` show.
//!
//! Grouped by what the five kinds of user do (design, section 1). The words are those of each command's own help; a
//! command that stands in no group is listed at the end, so that none is ever hidden.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use clap::Command;

/// Each kind of user: what they do, with which commands.
const GROUPS: [(&str, &[&str]); 6] = [
    (
        "Engineers open a gate and attach what it needs",
        &["open", "attach", "detach", "artifact", "show", "ready", "merge", "close"],
    ),
    (
        "Approvers read, and sign",
        &["pending", "review", "approve", "reject", "withdraw", "except", "accept-risk"],
    ),
    (
        "Release bots ask before they promote, and log it",
        &["check", "deploy", "attest", "log", "status", "record"],
    ),
    (
        "Policy owners change the rules, under the rules",
        &["init", "trust", "policy", "key", "evidence", "hook", "backtest", "tune"],
    ),
    ("Auditors read the record", &["list", "audit", "report", "metrics", "incident"]),
    ("For a start, and when something does not work", &["demo", "doctor", "man", "completions", "schema"]),
];

/// No line is longer.
const WIDTH: usize = 80;

/// The page, for a command line as it is defined.
pub(super) fn first_page(command: &Command) -> String {
    let mut page = String::from(
        "A deployment gate for AI systems that lives in git\n\n\
         Usage: git gate <command> [arguments]\n       git gate <command> --help    what it does, and every option\n",
    );
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for (title, names) in GROUPS {
        let known: Vec<&Command> = names.iter().filter_map(|name| command.find_subcommand(name)).collect();
        told.extend(known.iter().map(|known| known.get_name()));
        group(&mut page, title, &known);
    }
    let others: Vec<&Command> = command
        .get_subcommands()
        .filter(|other| !other.is_hide_set() && !told.contains(other.get_name()))
        .collect();
    group(&mut page, "More", &others);
    page.push_str("\nOptions of every command\n");
    for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
        let short = argument.get_short().map(|short| format!("-{short}"));
        let long = argument.get_long().map(|long| format!("--{long}"));
        let names: Vec<String> = short.into_iter().chain(long).collect();
        let value = argument
            .get_value_names()
            .and_then(<[_]>::first)
            .filter(|_| argument.get_action().takes_values());
        let value = value.map(|value| format!(" <{value}>")).unwrap_or_default();
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        line(&mut page, &format!("{}{value}", names.join(", ")), 21, &help);
    }
    page
}

fn group(page: &mut String, title: &str, commands: &[&Command]) {
    if commands.is_empty() {
        return;
    }
    // Writing to a string cannot fail.
    let _ = write!(page, "\n{title}\n");
    for command in commands {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        line(page, command.get_name(), 11, &about);
    }
}

/// A name and what is said of it, which goes on below itself.
fn line(page: &mut String, name: &str, column: usize, words: &str) {
    let mut line = format!("  {name:column$}");
    let hang = " ".repeat(line.chars().count().max(column + 2));
    for word in words.split_whitespace() {
        let begins = line.trim().is_empty() || line.trim_end() == format!("  {name}");
        if !begins && line.chars().count() + 1 + word.chars().count() > WIDTH {
            page.push_str(&line);
            page.push('\n');
            line.clone_from(&hang);
        }
        line.push(' ');
        line.push_str(word);
    }
    page.push_str(line.trim_end());
    page.push('\n');
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn every_command_stands_on_the_page_once() {
        let command = super::super::Cli::command();
        let page = first_page(&command);
        for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
            let line = format!("\n  {:11}", inner.get_name());
            assert_eq!(page.matches(&line).count(), 1, "{}:\n{page}", inner.get_name());
        }
    }

    #[test]
    fn a_command_of_no_group_is_not_hidden() {
        let command = Command::new("git-gate").subcommand(Command::new("brand-new").about("It is new"));
        assert!(
            first_page(&command).contains("\nMore\n  brand-new   It is new\n"),
            "{}",
            first_page(&command)
        );
    }

    #[test]
    fn no_command_stands_in_two_groups() {
        let names: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        let distinct: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(names.len(), distinct.len());
    }
}
