//! Text that is made to deceive whoever reads it on a terminal.

use super::{BRANCH, DIRECTORY, GATE, REPORT, opened};
use crate::world::{Decision, Repo, World};

/// Erases the screen, turns the direction of text, hides, joins, begins a link.
const HOSTILE: &str = "\u{1b}[2J\u{9b}1m\u{202e}evil\u{2066}\u{200b}\u{feff}\u{7f}\u{8}\u{ad}";
const COMMANDS: [&[&str]; 3] = [&["check", GATE, "--env", "production"], &["show", GATE], &["ready", GATE]];

/// Characters that no output may hold, whatever a repository says.
fn is_hostile(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Asserts that no command, in no form, prints such a character; gives all that they print.
#[track_caller]
fn assert_clean(repo: &Repo<'_>) -> String {
    let mut all = String::new();
    for command in COMMANDS {
        for format in ["text", "json", "markdown"] {
            let run = repo.run(&[command, &["--format", format]].concat());
            for printed in [&run.stdout, &run.stderr] {
                let found: Vec<char> = printed.chars().filter(|c| is_hostile(*c)).collect();
                assert!(found.is_empty(), "{command:?} {format}: {found:?} in {printed:?}");
            }
            all.push_str(&run.stdout);
        }
    }
    all
}

/// `HOSTILE` as a TOML string may hold it.
fn toml() -> String {
    HOSTILE
        .chars()
        .map(|c| if is_hostile(c) { format!("\\u{:04X}", u32::from(c)) } else { c.to_string() })
        .collect()
}

#[track_caller]
fn request(repo: &Repo<'_>, old: &str, new: &str) {
    let path = format!("{DIRECTORY}/gate.toml");
    let text = std::fs::read_to_string(repo.switch(BRANCH).path.join(&path)).unwrap();
    assert!(text.contains(old));
    repo.write(&path, text.replace(old, new)).commit("j.doe", "Request");
}

#[test]
fn hostile_text_is_escaped() {
    let world = World::new();
    let repo = opened(&world);
    request(&repo, "Cut hallucinations", &toml());
    let said = Decision::approve(GATE, "ml-lead");
    let message = repo.message(&said);
    for message in [
        message.replacen("\n\n", &format!("\n\nWords {HOSTILE}\nand | more <b> @all\n\n"), 1),
        message.replace("ml-lead", &format!("ml{HOSTILE}lead")),
        message.replace("Gate-Role:", &format!("Gate-{HOSTILE}:")),
        message.replace("approve\n", &format!("approve{HOSTILE}\n")),
        format!("{message}Gate-Unknown{HOSTILE}: x\n"),
        format!("{message}x{HOSTILE}\n"),
        repo.message(&Decision::reject(GATE, "product-lead", &format!("quality{HOSTILE}"))),
    ] {
        let args = ["commit", "-q", "-S", "--allow-empty", "--cleanup=verbatim", "-m", &message];
        repo.git_as("j.rivera", &args);
    }
    assert!(assert_clean(&repo).contains("evil"));
    repo.merge("l.wu", BRANCH);
    assert!(assert_clean(&repo).contains("evil"));
}

#[test]
fn hostile_words_of_a_request_that_does_not_read_are_escaped() {
    let world = World::new();
    let repo = opened(&world);
    repo.merge("l.wu", BRANCH);
    for (old, new) in [
        ("kinds = [\"prompt\"]", format!("kinds = [\"{}\"]", toml())),
        ("risk = \"medium\"", format!("risk = \"{}\"", toml())),
        ("schema = 1", format!("schema = 1\n\"{}\" = 1", toml())),
        ("schema = 1", format!("schema = {HOSTILE}")),
        ("schema = 1", format!("# {HOSTILE}\nschema = 1")),
        ("name = \"prompts", format!("name = \"{}", toml())),
        ("file = \"CHANGE", format!("file = \"{}", toml())),
        ("environments = [", format!("environments = [\"{}\", ", toml())),
    ] {
        let before = repo.switch(BRANCH).rev("HEAD");
        request(&repo, old, &new);
        assert_clean(&repo);
        repo.git(&["revert", "--no-edit", &format!("{before}..")]);
    }
}

#[test]
fn hostile_reports_are_escaped() {
    let world = World::new();
    let repo = opened(&world);
    let escaped = HOSTILE.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect::<Vec<_>>().concat();
    for report in [
        format!("{{\"summary\": {{\"hallucination_rate\": \"{escaped}\"}}}}"),
        format!("{{\"{escaped}\": 1, \"{escaped}\": 2}}"),
        format!("{{\"{HOSTILE}\": 1, \"{HOSTILE}\": 2"),
        format!("{HOSTILE},{HOSTILE}\n1,2\n"),
    ] {
        repo.switch(BRANCH).write(REPORT, report).commit("j.doe", "Report");
        assert_clean(&repo);
    }
    repo.merge("l.wu", BRANCH);
    assert_clean(&repo);
}
