//! Completion as a shell does it, and manual pages as `man` and `git help` show them.

use std::path::PathBuf;

use crate::world::{Policy, Repo, Run, World};

/// A shell in a repository: with gates on branches and on the mainline, and names that somebody hostile chose.
struct Shell<'w> {
    repo: Repo<'w>,
    home: PathBuf,
}

impl<'w> Shell<'w> {
    fn new(world: &'w World, policy: &Policy) -> Self {
        let repo = world.governance_repo_with(policy);
        repo.open("j.doe", "summarizer/v1.3");
        repo.merge("l.wu", "gate/summarizer/v1.3");
        repo.switch("main").git(&["branch", "-q", "-D", "gate/summarizer/v1.3"]);
        repo.open("j.doe", "summarizer/v1.4");
        repo.switch("main");
        Self { repo, home: world.home_of("j.rivera") }
    }

    fn run(&self, script: &str) -> Run {
        self.repo.world.shell(&self.repo.path, &self.home, &[], script)
    }

    /// What bash would offer for a line, with the cursor at its end: for `git` by git's function, as git's own completion
    /// calls it.
    #[track_caller]
    fn offered(&self, line: &str) -> Vec<String> {
        let function = if line.starts_with("git ") { "_git_gate" } else { "__git_gate_complete" };
        // Bash splits at these, and gives each of them as a word of its own.
        let mut words: Vec<String> = vec![String::new()];
        for c in line.chars() {
            match c {
                ' ' => words.push(String::new()),
                '=' | ':' => words.extend([c.to_string(), String::new()]),
                c => words.last_mut().unwrap().push(c),
            }
        }
        if words.len() > 1 && words.last().unwrap().is_empty() && !line.ends_with(' ') {
            words.pop();
        }
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let script = format!(
            "cat > ../try.bash <<'END'\nset -u\neval \"$(git-gate completions bash)\"\nCOMP_LINE='{line}'; \
             COMP_POINT=${{#COMP_LINE}}; COMP_WORDS=({}); COMP_CWORD={}\n{function}\nprintf '%s|\\n' \"${{COMPREPLY[@]-}}\"\nEND\n\
             bash --norc ../try.bash",
            quoted.join(" "),
            words.len() - 1
        );
        let run = self.run(&script).expect(0);
        run.stdout
            .lines()
            .map(|line| line.trim_end_matches('|').to_owned())
            .filter(|line| !line.is_empty())
            .collect()
    }
}

#[test]
fn bash_completes_commands_flags_and_names_of_the_repository() {
    let world = World::new();
    let shell = Shell::new(&world, &Policy::small());
    for (line, expected) in [
        ("git gate che", vec!["check "]),
        ("git-gate policy li", vec!["lint "]),
        ("git gate show ", vec!["summarizer/v1.3 ", "summarizer/v1.4 "]),
        ("git gate show summarizer/v1.4", vec!["summarizer/v1.4 "]),
        ("git-gate approve ", vec!["policy ", "summarizer/v1.3 ", "summarizer/v1.4 "]),
        ("git gate check summarizer/v1.4 --env ", vec!["production ", "staging "]),
        // Bash replaces what stands behind the `=` only.
        ("git gate check summarizer/v1.4 --env=pro", vec!["production "]),
        ("git gate check summarizer/v1.4 --format=", vec!["text ", "json ", "markdown "]),
        ("git gate approve summarizer/v1.4 --role ml", vec!["ml-lead "]),
        ("git gate reject summarizer/v1.4 --reason qu", vec!["quality "]),
        ("git gate attach summarizer/v1.4 ", vec!["change-description ", "evaluation "]),
        ("git gate open summarizer/v1.5 --kind ", vec!["config ", "model ", "prompt "]),
        ("git gate open summarizer/v1.5 --from ", vec!["v1.3 ", "v1.4 "]),
        ("git gate open summarizer/v1.5 --risk h", vec!["high "]),
        (
            "git gate schema pol",
            vec!["policy ", "policy-diff ", "policy-lint ", "policy-show ", "policy-status "],
        ),
        // A file: bash falls back to its own.
        ("git gate attach summarizer/v1.4 evaluation ", vec![]),
        ("git gate nothing ", vec![]),
    ] {
        assert_eq!(shell.offered(line), expected, "{line}");
    }
}

/// Whether a shell is here; where it is not, that is said.
fn is_here(shell: &Shell<'_>, name: &str) -> bool {
    let here = shell.run(&format!("command -v {name}")).status == 0;
    if !here {
        eprintln!("not run: `{name}` is not installed");
    }
    here
}

/// Lines that shells complete, and what they offer.
const LINES: [(&str, &[&str]); 6] = [
    ("che", &["check"]),
    ("show ", &["summarizer/v1.3", "summarizer/v1.4"]),
    ("check summarizer/v1.4 --env ", &["production", "staging"]),
    ("approve summarizer/v1.4 --role ml", &["ml-lead"]),
    ("policy li", &["lint"]),
    // A file, of which two are there.
    ("attach summarizer/v1.4 evaluation gat", &["gates/"]),
];

#[test]
fn fish_completes_what_bash_does() {
    let world = World::new();
    let shell = Shell::new(&world, &Policy::small());
    if !is_here(&shell, "fish") {
        return;
    }
    for command in ["git-gate", "git gate"] {
        for (line, expected) in LINES {
            let script = format!(
                "git-gate completions fish > ../gate.fish && \
                 fish --no-config -c 'source ../gate.fish; complete -C \"{command} {line}\"'"
            );
            let run = shell.run(&script).expect(0);
            let offered: Vec<&str> =
                run.stdout.lines().filter_map(|line| line.split('\t').next()).map(str::trim).collect();
            if command == "git gate" && line == "che" {
                // Fish's own completion of `git` may offer more.
                assert!(offered.contains(&"check"), "{run}");
            } else {
                assert_eq!(offered, expected, "{command} {line}\n{run}");
            }
        }
    }
}

#[test]
fn zsh_completes_what_bash_does() {
    let world = World::new();
    let shell = Shell::new(&world, &Policy::small());
    if !is_here(&shell, "zsh") {
        return;
    }
    for command in ["git-gate", "gate"] {
        for (line, expected) in LINES {
            let words: Vec<String> = line.split(' ').map(|word| format!("'{word}'")).collect();
            // Zsh's completion hands its function the words, `gate` first where git's calls it; what that describes is
            // printed in place of a menu.
            let script = format!(
                "mkdir -p ../fpath; git-gate completions zsh > ../fpath/_git-gate; cat > ../try.zsh <<'END'\n\
                 fpath=($PWD/../fpath $fpath)\nautoload -Uz compinit && compinit -u -d $PWD/../dump\n\
                 [[ ${{_comps[git-gate]}} == _git-gate ]] || print unknown\n\
                 _describe() {{ local -a all; all=(\"${{(@P)@[-1]}}\"); print -rl -- \"${{(@)all%%:*}}\" }}\n\
                 _files() {{ print -r -- gates/ }}\n\
                 words=({command} {}); CURRENT=${{#words}}\n_git-gate\nEND\nzsh -f ../try.zsh",
                words.join(" ")
            );
            let run = shell.run(&script).expect(0);
            let offered: Vec<&str> = run.stdout.lines().collect();
            assert_eq!(offered, expected, "{command} {line}\n{run}");
        }
    }
}

#[test]
fn bash_completes_names_of_the_repository_that_the_line_names() {
    let world = World::new();
    let shell = Shell::new(&world, &Policy::small());
    let repo = shell.repo.path.display().to_string();
    let elsewhere = Shell {
        repo: Repo { world: &world, path: world.dir(), root: String::new() },
        home: shell.home.clone(),
    };
    for line in [
        format!("git -C {repo} gate show s"),
        format!("git gate -C {repo} show s"),
        format!("git-gate -C {repo} show s"),
    ] {
        assert_eq!(elsewhere.offered(&line), ["summarizer/v1.3 ", "summarizer/v1.4 "], "{line}");
    }
    assert_eq!(elsewhere.offered("git gate show "), [""; 0]);
}

#[test]
fn a_name_that_a_shell_would_run_is_never_offered() {
    let world = World::new();
    let hostile = "a$(touch${IFS}/tmp/x)@example.com";
    let policy = Policy::small().replacing(
        "members = [\"s.chen@example.com\"]",
        &format!("members = [\"s.chen@example.com\", \"{hostile}\"]"),
    );
    let policy = Policy {
        signers: format!(
            "{}{}",
            policy.signers,
            policy.signers.lines().next().unwrap().replace("a.ng@example.com", hostile)
        ),
        ..policy
    };
    let shell = Shell::new(&world, &policy);
    let offered = shell.offered("git gate open summarizer/v1.5 --for ");
    assert!(offered.contains(&"s.chen@example.com ".to_owned()), "{offered:?}");
    assert!(!offered.iter().any(|word| word.contains('$')), "{offered:?}");
}

#[test]
fn scripts_of_other_shells_are_whole_where_those_shells_are() {
    let world = World::new();
    let shell = Shell::new(&world, &Policy::small());
    for name in ["bash", "zsh", "fish"] {
        let script = format!(
            "git-gate completions {name} > ../c && {{ ! command -v {name} >/dev/null || {name} -n ../c; }} && cat ../c"
        );
        let text = shell.run(&script).expect(0).stdout;
        assert!(text.contains("git-gate __complete -- "), "{text}");
    }
    shell.run("git-gate completions cmd").expect(2);
}

#[test]
fn every_command_has_a_manual_page_that_is_printed_and_installed() {
    let world = World::new();
    let shell = Shell::new(&world, &Policy::small());
    let man = world.dir().join("manuals");
    let said = shell.run(&format!("git gate man --install --dir {}", man.display())).expect(0).stdout;
    assert!(said.contains("man1"), "{said}");
    let help = shell.run("git gate --help 2>/dev/null || git-gate --help").stdout;
    assert!(!help.contains("__complete"));
    for (command, page) in
        [("", "git-gate"), ("check", "git-gate-check"), ("policy lint", "git-gate-policy-lint")]
    {
        let printed = shell.run(&format!("git gate man {command}")).expect(0).stdout;
        assert_eq!(printed, std::fs::read_to_string(man.join(format!("man1/{page}.1"))).unwrap());
        assert!(printed.contains(".SH SYNOPSIS") && printed.contains(&page.replace('-', "\\-")), "{printed}");
    }
    assert!(!man.join("man1/git-gate-__complete.1").exists());
    shell.run("git gate man nothing").expect(2);
    shell.run("git gate man --dir x").expect(2);
}

#[test]
fn git_help_and_man_show_the_pages_that_were_installed() {
    let world = World::new();
    let shell = Shell::new(&world, &Policy::small());
    let man = world.dir().join("manuals");
    shell.run(&format!("git gate man --install --dir {}", man.display())).expect(0);
    if shell.run("command -v man").status != 0 {
        return;
    }
    let around = format!(
        "export MANPATH={} MANPAGER=cat GIT_PAGER=cat PAGER=cat MANWIDTH=80 TERM=dumb; ",
        man.display()
    );
    for (command, page) in [
        ("git help gate", "GIT-GATE(1)"),
        ("git gate --help", "GIT-GATE(1)"),
        ("man git-gate-check", "GIT-GATE-CHECK(1)"),
    ] {
        let shown = shell.run(&format!("{around}{command}"));
        // An image without manual pages may have replaced `man` by a message.
        if shown.stdout.contains("minimized") {
            return;
        }
        let text = shown.expect(0).stdout;
        assert!(text.contains(page), "{command}: {text}");
        assert!(
            text.contains("deployment gate") || text.contains("whether a version may go"),
            "{command}: {text}"
        );
    }
}
