//! Holds the source to the two tables of `docs/architecture.md`.
//!
//! What may import what, and what may touch the world, is written down once, for people; this reads it from there. The
//! scanner sees paths, not types: it finds honest mistakes. Evasion (a renamed import) is for review and clippy.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::markdown;
use super::source::{Code, paths_in};

const MOST_LINES: usize = 400;

/// The rules, as the tables say them.
struct Rules {
    /// Module → what it may import.
    imports: BTreeMap<String, BTreeSet<String>>,
    /// What, paths that name it, prefixes of files that may.
    touches: Vec<(String, Vec<String>, Vec<String>)>,
}

impl Rules {
    fn read(text: &str) -> Result<Self, String> {
        let mut imports = BTreeMap::new();
        for row in markdown::table(text, &["module", "may import"])? {
            let [module, allowed] = row.cells.as_slice() else { return Err(row.wrong("two cells")) };
            let [name] = &markdown::quoted(module)[..] else {
                return Err(row.wrong("one module in backticks"));
            };
            let above: BTreeSet<String> = imports.keys().cloned().collect();
            let allowed = match allowed.as_str() {
                "nothing" => BTreeSet::new(),
                "everything above" => above.clone(),
                list => markdown::quoted(list).into_iter().collect(),
            };
            if let Some(later) = allowed.difference(&above).next() {
                return Err(row.wrong(&format!("only modules above it, not `{later}`")));
            }
            imports.insert(name.clone(), allowed);
        }
        let mut touches = Vec::new();
        for row in markdown::table(text, &["what", "named in code as", "only in"])? {
            let [what, names, homes] = row.cells.as_slice() else { return Err(row.wrong("three cells")) };
            touches.push((what.clone(), markdown::quoted(names), markdown::quoted(homes)));
        }
        Ok(Self { imports, touches })
    }

    /// Everything that `source`, the file at `path` (`src/…`), does against the rules.
    fn violations(&self, path: &str, source: &str) -> Vec<String> {
        let mut found = Vec::new();
        let code = Code::of(source);
        if !source.starts_with("//! ") {
            found.push(format!("{path}: opens with one `//!` sentence that says what it is for"));
        }
        if code.lines > MOST_LINES {
            found.push(format!("{path}: {} lines without tests, at most {MOST_LINES}", code.lines));
        }
        let paths = paths_in(&code.text);
        found.extend(self.imports_against(path, &paths));
        for (what, names, homes) in &self.touches {
            if homes.iter().any(|home| path.starts_with(home.as_str())) {
                continue;
            }
            for used in &paths {
                if used == "std::process::ExitCode" && (path == "src/main.rs" || path.starts_with("src/cli/"))
                {
                    continue;
                }
                if names.iter().any(|name| holds(used, name)) {
                    found.push(format!("{path}: `{used}`: {what}, only in {}", homes.join(", ")));
                }
            }
        }
        found
    }

    fn imports_against(&self, path: &str, paths: &[String]) -> Vec<String> {
        let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
        if matches!(inner, "lib" | "main") {
            return Vec::new();
        }
        let depth = inner.split('/').filter(|part| *part != "mod").count();
        let module = inner.split('/').next().unwrap_or(inner);
        let Some(allowed) = self.imports.get(module) else {
            return vec![format!("{path}: docs/architecture.md has no row for `{module}`")];
        };
        let mut found = BTreeSet::new();
        for used in paths {
            let mut parts = used.split("::");
            match parts.next() {
                Some("crate") => match parts.next() {
                    Some(target) if target == module || allowed.contains(target) => {}
                    Some(target) => {
                        found.insert(format!("{path}: `{module}` may not import `{target}`"));
                    }
                    // `pub(crate)`.
                    None => {}
                },
                Some("super") if 1 + parts.filter(|part| *part == "super").count() >= depth => {
                    found.insert(format!("{path}: `{used}` leaves the module; write it from `crate`"));
                }
                Some("git_gate") => {
                    found.insert(format!("{path}: `{used}`: the crate is `crate` here"));
                }
                Some(_) | None => {}
            }
        }
        found.into_iter().collect()
    }
}

/// Whether the path `used` has the segments of `name` in a row.
fn holds(used: &str, name: &str) -> bool {
    format!("::{used}::").contains(&format!("::{name}::"))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `folder`, by path from the root, with its text; files of tests left out.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            found.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
    found.sort();
    found
}

/// Files that only a `mod …tests;` under `#[cfg(test)]` brings in.
fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.ends_with("_tests.rs") || path.contains("/tests/")
}

/// Whether a module of tests is declared in `code`, from which test code was cut.
fn declares_tests(code: &str) -> bool {
    code.split(';')
        .filter_map(|item| item.rsplit_once("mod "))
        .any(|(_, name)| name.trim().ends_with("tests"))
}

#[test]
fn the_source_keeps_to_the_tables_of_the_architecture() {
    let rules = Rules::read(&std::fs::read_to_string(root().join("docs/architecture.md")).unwrap()).unwrap();
    let files = sources(&root().join("src"));
    assert!(files.len() > 10, "found only {} files", files.len());
    let mut found = Vec::new();
    for (path, source) in files.iter().filter(|(path, _)| !is_test(path)) {
        found.extend(rules.violations(path, source));
        if declares_tests(&Code::of(source).text) {
            found.push(format!("{path}: `mod …tests;` without `#[cfg(test)]`"));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[track_caller]
fn violations(path: &str, source: &str) -> Vec<String> {
    let text = "\
| module | may import |\n|---|---|\n| `model` | nothing |\n| `policy` | `model` |\n| `git` | `model` |\n\
| `cli` | everything above |\n\n\
| what | named in code as | only in |\n|---|---|---|\n| the git library | `git2` | `src/git/` |\n\
| processes | `std::process` | `src/git/run.rs` |\n| the clock | `Utc::now` | `src/cli/` |\n";
    Rules::read(text).unwrap().violations(path, &format!("//! For a test.\n{source}"))
}

#[test]
fn an_import_against_the_order_is_found_however_it_is_written() {
    for source in [
        "use crate::git::Oid;",
        "use crate::{model::Name, git};",
        "use crate::{\n    model::{Name, Time},\n    git::{self, Oid},\n};",
        "fn f() -> crate::git::Oid { todo!() }",
        "use crate :: git :: Oid;",
        "macro_rules! m { () => { $crate::git::x() } }",
        "use super::git::Oid;",
        "use crate::*;",
        "use git_gate::git;",
    ] {
        assert_eq!(violations("src/policy/mod.rs", source).len(), 1, "{source}");
    }
    assert_eq!(violations("src/policy/check.rs", "use super::super::git::Oid;").len(), 1);
    assert_eq!(violations("src/unknown/mod.rs", "").len(), 1);
}

#[test]
fn an_import_in_order_passes() {
    for source in [
        "use crate::model::{Name, Time};",
        "use crate::policy::Rule;",
        "// use crate::git::Oid;\n/* crate::git /* nested */ crate::git */",
        "const A: &str = \"crate::git\"; const B: &str = r#\"\" crate::git\"#; const C: char = '\"';",
        "fn f<'a>(x: &'a str) -> &'a str { x }",
        "#[cfg(test)]\nmod tests {\n    use crate::git::Oid;\n    fn f() { let _ = \"}\"; }\n}",
    ] {
        assert_eq!(violations("src/policy/mod.rs", source), Vec::<String>::new(), "{source}");
    }
    assert_eq!(violations("src/policy/check.rs", "use super::Rule;"), Vec::<String>::new());
    assert_eq!(violations("src/cli/check.rs", "use crate::{git, policy};"), Vec::<String>::new());
}

#[test]
fn what_stands_behind_a_test_module_is_still_seen() {
    let source = "#[cfg(test)]\nmod tests { fn f() { {} } }\nuse crate::git::Oid;";
    assert_eq!(violations("src/policy/mod.rs", source).len(), 1);
}

#[test]
fn the_world_is_touched_only_where_the_table_says() {
    for (path, source, count) in [
        ("src/policy/mod.rs", "fn f() { git2::init() }", 1),
        ("src/git/mod.rs", "fn f() { git2::init() }", 0),
        ("src/git/mod.rs", "use std::{io, process::{Command, Stdio}};", 2),
        ("src/git/run.rs", "use std::process::{Command, Stdio};", 0),
        ("src/cli/mod.rs", "use std::process::ExitCode;", 0),
        ("src/git/mod.rs", "use std::process::ExitCode;", 1),
        ("src/policy/mod.rs", "fn f() { chrono::Utc::now(); }", 1),
        ("src/cli/mod.rs", "fn f() { chrono::Utc::now(); }", 0),
        ("src/policy/mod.rs", "fn f() { my_git2::x(); git2x(); }", 0),
    ] {
        assert_eq!(violations(path, source).len(), count, "{path}: {source}");
    }
}

#[test]
fn files_say_what_they_are_for_and_stay_small() {
    let rules = Rules { imports: BTreeMap::from([("a".into(), BTreeSet::new())]), touches: Vec::new() };
    assert_eq!(rules.violations("src/a.rs", "fn f() {}\n").len(), 1);
    let long = format!("//! For a test.\n{}", "\n".repeat(MOST_LINES));
    assert_eq!(rules.violations("src/a.rs", &long).len(), 1);
    let tested = format!("//! For a test.\n#[cfg(test)]\nmod tests {{{}}}\n", "\n".repeat(MOST_LINES));
    assert_eq!(rules.violations("src/a.rs", &tested), Vec::<String>::new());
}

#[test]
fn a_module_of_tests_in_the_product_is_found() {
    for (source, found) in [
        ("mod tests;", true),
        ("mod a;\nmod document_tests;", true),
        ("#[cfg(test)]\nmod tests;", false),
        ("#[cfg(test)]\n#[path = \"x_tests.rs\"]\nmod tests;\nmod a;", false),
        ("mod contests_a; fn tests() { ; }", false),
    ] {
        assert_eq!(declares_tests(&Code::of(source).text), found, "{source}");
    }
}

#[test]
fn a_table_that_imports_upwards_is_refused() {
    let text = "| module | may import |\n|---|---|\n| `model` | `policy` |\n| `policy` | nothing |\n";
    assert!(Rules::read(text).is_err());
    assert!(Rules::read("no table").is_err());
}
