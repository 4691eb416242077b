//! `git gate __complete`: what could stand where the cursor is, for the scripts of `completions`.
//!
//! One candidate a line, behind a tab what it means. Nothing here decides or fails: what cannot be read offers nothing.
//! A candidate goes onto somebody's command line unquoted, so names that a shell would read as anything but a word are
//! left out, whoever wrote them into the repository.

mod names;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, Command, CommandFactory as _};

use super::{Cli, Context, Exit};
use names::Names;

/// The arguments of `__complete`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What was typed behind the program's name; the last word is the one that is completed, perhaps empty.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

/// A word that could stand there, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    word: String,
    about: String,
}

/// Where the cursor is: what was typed before it, as far as it is understood.
struct Cursor<'c> {
    command: &'c Command,
    /// The words that stand for positional arguments of that command.
    positions: Vec<&'c str>,
    /// The flag whose value comes next.
    flag: Option<&'c Arg>,
    /// Behind `--`: there are no flags any more.
    only_positions: bool,
    directory: Option<PathBuf>,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let words: Vec<String> = args.words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let mut root = Cli::command();
    root.build();
    let Some((current, before)) = words.split_last() else { return Ok(Exit::Done) };
    let cursor = Cursor::of(&root, before);
    let directory = cursor.directory.as_ref().map(|directory| context.directory.join(directory));
    let there =
        Context { directory: directory.unwrap_or_else(|| context.directory.clone()), ..context.clone() };
    let mut text = String::new();
    for Candidate { word, about } in candidates(&cursor, current, &Names::new(&there)) {
        if word.starts_with(current.as_str()) && is_plain(&word) {
            text.extend([word.as_str(), "\t", &about, "\n"]);
        }
    }
    context.print(&text)?;
    Ok(Exit::Done)
}

impl<'c> Cursor<'c> {
    fn of(root: &'c Command, before: &'c [String]) -> Self {
        let mut cursor =
            Self { command: root, positions: Vec::new(), flag: None, only_positions: false, directory: None };
        for word in before {
            cursor.step(word);
        }
        cursor
    }

    fn step(&mut self, word: &'c str) {
        if let Some(flag) = self.flag.take() {
            if flag.get_short() == Some('C') {
                self.directory = Some(PathBuf::from(word));
            }
        } else if self.only_positions {
            self.positions.push(word);
        } else if word == "--" {
            self.only_positions = true;
        } else if let Some(long) = word.strip_prefix("--") {
            // With `=` its value stands there already.
            self.flag = self.long(long).filter(|flag| awaits_value(flag));
        } else if let Some(short) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            let found = self.command.get_arguments().find(|flag| flag.get_short() == short.chars().next());
            self.flag = found.filter(|flag| short.chars().count() == 1 && awaits_value(flag));
        } else if let Some(inner) =
            self.command.find_subcommand(word).filter(|_inner| self.positions.is_empty())
        {
            self.command = inner;
        } else {
            self.positions.push(word);
        }
    }

    fn long(&self, name: &str) -> Option<&'c Arg> {
        self.command.get_arguments().find(|flag| flag.get_long() == Some(name))
    }
}

fn awaits_value(flag: &Arg) -> bool {
    flag.get_action().takes_values() && flag.get_num_args().is_none_or(|count| count.min_values() > 0)
}

fn candidates(cursor: &Cursor<'_>, current: &str, names: &Names) -> Vec<Candidate> {
    if let Some(flag) = cursor.flag {
        return values(cursor, flag, names);
    }
    if current.starts_with('-') && !cursor.only_positions {
        let Some((flag, _value)) = current.split_once('=') else { return flags(cursor) };
        let long = cursor.long(flag.trim_start_matches('-')).filter(|found| awaits_value(found));
        return long
            .map_or_else(Vec::new, |found| values(cursor, found, names))
            .into_iter()
            .map(|value| Candidate { word: format!("{flag}={}", value.word), about: value.about })
            .collect();
    }
    let mut found: Vec<Candidate> = Vec::new();
    if cursor.positions.is_empty() {
        let inner = cursor.command.get_subcommands().filter(|inner| !inner.is_hide_set());
        found.extend(inner.map(|inner| Candidate::new(inner.get_name(), inner.get_about())));
    }
    let mut positionals = cursor.command.get_positionals().skip(cursor.positions.len());
    if let Some(argument) = positionals.next() {
        found.extend(values(cursor, argument, names));
        // An address may be left out, and what follows it then stands in its place.
        if value_name(argument) == "URL" {
            found.extend(positionals.next().into_iter().flat_map(|next| values(cursor, next, names)));
        }
    }
    found
}

fn flags(cursor: &Cursor<'_>) -> Vec<Candidate> {
    let shown = cursor.command.get_arguments().filter(|flag| !flag.is_hide_set());
    shown
        .filter_map(|flag| Some(Candidate::new(&format!("--{}", flag.get_long()?), flag.get_help())))
        .collect()
}

fn value_name(argument: &Arg) -> &str {
    argument.get_value_names().and_then(<[_]>::first).map_or("", |name| name.as_str())
}

/// What can be the value of an argument.
fn values(cursor: &Cursor<'_>, argument: &Arg, names: &Names) -> Vec<Candidate> {
    let known = argument.get_possible_values();
    if !known.is_empty() {
        let shown = known.iter().filter(|value| !value.is_hide_set());
        return shown.map(|value| Candidate::new(value.get_name(), value.get_help())).collect();
    }
    let words = names.of(value_name(argument), cursor.command.get_name(), &cursor.positions);
    words.into_iter().map(|word| Candidate { word, about: String::new() }).collect()
}

impl Candidate {
    fn new(word: &str, about: Option<&clap::builder::StyledStr>) -> Self {
        let about = about.map(ToString::to_string).unwrap_or_default();
        Self { word: word.to_owned(), about: about.lines().next().unwrap_or_default().to_owned() }
    }
}

/// Whether every shell takes it for one word that means itself.
fn is_plain(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_alphanumeric() || "._+-/@:=".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(line: &str) -> Vec<String> {
        let mut root = Cli::command();
        root.build();
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (current, before) = words.split_last().unwrap();
        let names = Names::of_nothing();
        let cursor = Cursor::of(&root, before);
        let found = candidates(&cursor, current, &names).into_iter().map(|candidate| candidate.word);
        found.filter(|word| word.starts_with(current.as_str())).collect()
    }

    #[test]
    fn commands_flags_and_known_values_are_offered_where_they_can_stand() {
        assert_eq!(offered("che"), ["check"]);
        assert_eq!(offered("-C x che"), ["check"]);
        assert!(!offered("").contains(&"__complete".to_owned()));
        assert_eq!(offered("policy li"), ["lint"]);
        assert_eq!(offered("check a/b --e"), ["--env", "--evidence-file"]);
        assert_eq!(offered("check --format j"), ["json"]);
        assert_eq!(offered("check --format=j"), ["--format=json"]);
        assert_eq!(offered("completions z"), ["zsh"]);
        assert_eq!(offered("check -- --e"), [""; 0]);
        // A flag that may stand without a value does not swallow the next word.
        assert_eq!(offered("schema --write --q"), ["--quiet"]);
    }

    #[test]
    fn what_a_shell_would_not_take_for_itself_is_left_out() {
        for word in ["a$(x)@b", "a;b", "`x`", "a b", "a\nb", "*", "~", "a'b", "#a", "ü"] {
            assert!(!is_plain(word), "{word}");
        }
        assert!(is_plain("j.rivera+x@example.com") && is_plain("summarizer/v1.4") && is_plain("--env=a"));
    }
}
