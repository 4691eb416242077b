//! Holds the documentation to the program: examples parse, commands run, codes and tests that it names are there.
//!
//! Fenced blocks carry words behind their language. `toml <kind>` names the file it is an example of (`examples.rs`),
//! `console <person>` who types its commands (`sessions.rs`); what is only to be looked at is `text`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::markdown::{self, quoted, section, table};

mod codes;
mod examples;
mod recipes;
mod sessions;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|other| other == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// README.md and every page of `docs/`, by name.
fn pages() -> BTreeMap<String, String> {
    let mut paths = files(&root().join("docs"), "md");
    paths.push(root().join("README.md"));
    let name = |path: &Path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    paths.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// All Rust text of `src/` and `tests/`.
fn code() -> String {
    let paths = [files(&root().join("src"), "rs"), files(&root().join("tests"), "rs")].concat();
    paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// The code of a folder of `src/` without its tests.
fn code_of(folder: &str) -> String {
    let mut text = String::new();
    for path in files(&root().join("src").join(folder), "rs") {
        let is_test = path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs");
        if !is_test {
            let whole = std::fs::read_to_string(&path).unwrap();
            text.push_str(whole.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default());
        }
    }
    text
}

/// The gate of the examples.
fn summarizer() -> git_gate::model::GateName {
    "summarizer/v1.4".parse().unwrap()
}

#[track_caller]
fn nothing(found: &[String]) {
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// The first cell of each row of the tables below `heading` whose first column is named `first`.
fn listed(page: &str, heading: &str, header: &[&str]) -> Vec<String> {
    let part = section(page, heading).unwrap_or_else(|| panic!("no heading `{heading}`"));
    table(part, header).unwrap().iter().flat_map(|row| quoted(&row.cells[0])).collect()
}

#[test]
fn every_format_action_and_status_is_explained() {
    let evidence = page("evidence.md");
    let formats: Vec<&str> = git_gate::evidence::Format::ALL.iter().map(|format| format.as_str()).collect();
    assert_eq!(listed(&evidence, "## Formats", &["format", "detected by", "gives"]), formats);
    for format in formats {
        assert!(section(&evidence, &format!("### `{format}`")).is_some(), "{format}");
    }
    let rules = quoted(&page("rules.md"));
    for verb in git_gate::decision::Verb::ALL {
        assert!(rules.contains(&verb.as_str().to_owned()), "{}", verb.as_str());
    }
}

#[test]
fn every_threat_names_a_test_that_is_there() {
    let page = page("threats.md");
    let code = code();
    let mut wrong = Vec::new();
    let rows = table(&page, &["the attacker", "the reader", "test"]).unwrap();
    assert!(rows.len() > 50);
    for row in &rows {
        let cell = row.cells.get(2).map_or("", String::as_str);
        let names = quoted(cell);
        if names.is_empty() {
            wrong.push(row.wrong("a test"));
        }
        for name in names {
            match (code.contains(&format!("fn {name}(")), cell.starts_with("planned ")) {
                (false, false) => wrong.push(format!("docs/threats.md:{}: no test `{name}`", row.line)),
                (true, true) => {
                    wrong.push(format!("docs/threats.md:{}: `{name}` is there: not planned", row.line));
                }
                (true, false) | (false, true) => {}
            }
        }
    }
    let both = table(&page, &["the attack", "with the hook", "without it"]).unwrap();
    assert!(both.len() > 25);
    for row in &both {
        for cell in row.cells.iter().skip(1) {
            let names = quoted(cell);
            if names.is_empty() {
                wrong.push(row.wrong("a test on each side"));
            }
            let unknown = names.iter().filter(|name| !code.contains(&format!("fn {name}(")));
            wrong.extend(unknown.map(|name| format!("docs/threats.md:{}: no test `{name}`", row.line)));
        }
    }
    nothing(&wrong);
}

#[test]
fn rules_are_numbered_without_gaps_and_cited_as_they_stand() {
    let rules = page("rules.md");
    let numbers: Vec<(u32, u32)> = rules
        .lines()
        .filter_map(|line| line.strip_prefix("**R")?.split_once("**"))
        .map(|(n, _)| number(n))
        .collect();
    for pair in numbers.windows(2) {
        let ((section, rule), next) = (pair[0], pair[1]);
        assert!(
            next == (section, rule + 1) || next == (section + 1, 1),
            "R{section}.{rule} is followed by {next:?}"
        );
    }
    let known: BTreeSet<(u32, u32)> = numbers.into_iter().collect();
    assert!(known.len() > 100);
    let texts = pages().into_values().chain([code()]);
    for cited in texts.flat_map(|text| citations(&text)) {
        assert!(known.contains(&cited), "R{}.{} is cited and not in docs/rules.md", cited.0, cited.1);
    }
}

fn number(text: &str) -> (u32, u32) {
    let (section, rule) = text.split_once('.').unwrap();
    (section.parse().unwrap(), rule.parse().unwrap())
}

/// Every `R<section>.<rule>` in `text`.
fn citations(text: &str) -> Vec<(u32, u32)> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
    let digits = |part: &str| !part.is_empty() && part.len() < 4 && part.bytes().all(|b| b.is_ascii_digit());
    words
        .filter_map(|word| word.strip_prefix('R')?.trim_end_matches('.').split_once('.'))
        .filter(|(section, rule)| digits(section) && digits(rule))
        .map(|(section, rule)| number(&format!("{section}.{rule}")))
        .collect()
}

#[test]
fn every_link_leads_to_a_file() {
    for (name, text) in pages() {
        let folder = root().join(&name).parent().unwrap().to_owned();
        for target in markdown::links(&text) {
            assert!(folder.join(&target).exists(), "{name}: `{target}` is not there");
        }
    }
}

#[test]
fn every_page_that_the_program_names_is_there() {
    let mut wrong = Vec::new();
    for rest in code_of("").split("docs/").skip(1) {
        let is_path = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
        let named: String = rest.chars().take_while(is_path).collect();
        if std::path::Path::new(&named).extension().is_some_and(|end| end == "md")
            && !root().join("docs").join(&named).exists()
        {
            wrong.push(format!("docs/{named}"));
        }
    }
    nothing(&wrong);
}

#[test]
fn limits_are_told_as_they_are() {
    use git_gate::model::limits;
    let rules = page("rules.md");
    let mib = |bytes: u64| format!("{} MiB", bytes / (1024 * 1024));
    for told in [
        format!("{} levels", limits::DIRECTORY_DEPTH),
        format!("{} files", limits::DIRECTORY_FILES),
        format!("{} a file", mib(limits::FILE_BYTES)),
        format!("{} a directory", mib(limits::DIRECTORY_BYTES)),
        format!("{} minutes", limits::CLOCK_SKEW_SECONDS / 60),
        format!("{} bits", limits::RSA_BITS),
    ] {
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat(&rules).contains(&flat(&told)), "docs/rules.md does not say `{told}`");
    }
}

#[test]
fn citations_are_found_in_text() {
    assert_eq!(citations("R9.1, (R10.12). XR1.2 R1 R.2 R1.2.3"), [(9, 1), (10, 12)]);
}
