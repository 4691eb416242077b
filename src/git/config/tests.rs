//! The reader against git itself, over files that people and others write.

use super::*;

/// Files that git reads: each with the keys to ask for.
const READ: &[&str] = &[
    "",
    "[gate]\n\troot = abc\n\tmainline = main\n",
    "[gate]root=abc",
    "[gate] root = abc ; comment\n# another\n; and another",
    "[GATE]\n\tRoot = AbC\n\tROOT = second\n",
    "[gate \"Sub\"]\nroot = 1\n[gate \"sub\"]\nroot = 2\n[gate.Sub]\nroot = 3\n",
    "[gate \"a \\\"quoted\\\" \\x name]\"]\nroot = 1\n",
    "[gate \"\"]\nroot = 1\n",
    "[gate]\nroot = \"a # b ; c\"  # d\n",
    "[gate]\nroot = a \"b  c\"  d   \n",
    "[gate]\nroot = \"  a  \"  \n",
    "[gate]\nroot = \"a\"\"b\"\n",
    "[gate]\nroot = a\\\nb\\\n   c\n",
    "[gate]\nroot = \"a\\\nb\"\n",
    "[gate]\nroot = a \\\n # not a value\nmainline = x\n",
    "[gate]\nroot = a\\tb\\nc\\\\d\\\"e\\bf\n",
    "[gate]\nroot\nmainline = main\n",
    "[gate]\nroot =\n",
    "[gate]\nroot = \n",
    "[gate]\nroot = a\\",
    "[gate]\nroot",
    "[gate]\nroot   = a\n",
    "[gate]\nroot = a=b=c\n",
    "[gate]\r\nroot = a\r\nmainline = b \r\n",
    "[gate]\nroot = a\rb\n",
    "\u{feff}[gate]\nroot = a\n",
    "[gate]\nroot = a\n[gate]\nroot = b\n[other]\nroot = c\n[gate]\nroot = d\n",
    "[gate]\nro-ot2 = a\n[g-1.x]\nroot = b\n",
    "root = outside\n[gate]\nroot = a\n",
    "[gate]\nroot = caf\u{e9} \u{2003}\n",
    "[include]\npath = /dev/null/nowhere\n[gate]\nroot = a\n",
    "[gate]\nroot = a\u{b}\u{c}\n",
    "[gate] [other] root = a\n",
    "[gate]\n\n\n   root = a\n",
    "[gate]\nroot = a;b#c\n",
    "[gate]\nroot = \"\"\n",
    "[gate]\nroot = \"\"   x\n",
    "[gate]\nroot = x \"\"   \n",
    "[remote \"origin\"]\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n\tfetch = +refs/tags/*:refs/tags/*\n",
];

/// Files that git refuses.
const REFUSED: &[&str] = &[
    "[gate",
    "[ gate]\nroot = 1\n",
    "[gate\nroot = a\n",
    "[gate \"sub]\nroot = a\n",
    "[gate \"sub\" ]\nroot = a\n",
    "[gate \"sub\\\n\"]\nroot = a\n",
    "[gate sub]\nroot = a\n",
    "[ga_te]\nroot = a\n",
    "[gate]\nroot : a\n",
    "[gate]\nro_ot = a\n",
    "[gate]\nroot # comment\n",
    "[gate]\nroot\\\n= a\n",
    "[gate]\n= a\n",
    "[gate]\n1root = a\n",
    "[gate]\nroot = \"a\n",
    "[gate]\nroot = \"a",
    "[gate]\nroot = \\a\n",
    "[gate]\nroot = \"\\x\"\n",
    "[gate]\n\u{c}root = a\n",
    "]\n",
];

/// What git lists: each key with its values, `git config --list` order; nothing where it refuses.
#[expect(clippy::disallowed_methods, reason = "the reader is compared with git itself")]
fn by_git(text: &str) -> Option<Config> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config");
    std::fs::write(&file, text).unwrap();
    let listed = std::process::Command::new("git")
        .args(["config", "--no-includes", "--list", "-z", "--file"])
        .arg(&file)
        .output()
        .unwrap();
    if !listed.status.success() {
        return None;
    }
    let mut config = Config::default();
    for entry in String::from_utf8(listed.stdout).unwrap().split_terminator('\0') {
        let (key, value) = entry.split_once('\n').unwrap_or((entry, ""));
        config.values.entry(key.to_owned()).or_default().push(value.to_owned());
    }
    Some(config)
}

#[test]
fn every_file_reads_as_git_reads_it() {
    for text in READ {
        let ours = Config::parse(text).unwrap_or_else(|line| panic!("{text:?}: line {line}"));
        assert_eq!(Some(ours), by_git(text), "{text:?}");
    }
}

#[test]
fn what_git_refuses_is_refused() {
    for text in REFUSED {
        assert!(Config::parse(text).is_err(), "{text:?}");
        assert_eq!(by_git(text), None, "{text:?}");
    }
    assert!(Config::parse("[gate]\nroot = a\0b\n").is_err(), "git reads the half of it");
}

#[test]
fn no_part_of_a_file_reads_otherwise_than_git_reads_it() {
    // Cut anywhere, most of these are files that nobody would write.
    let text = "[gate \"s\\\"\"] # c\n\troot = a \"b ;\\n\" \\\n c ; d\n\tmainline\n";
    for end in 0..text.len() {
        let part = text.get(..end).unwrap();
        assert_eq!(Config::parse(part).ok(), by_git(part), "{part:?}");
    }
}
