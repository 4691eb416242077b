//! One verdict, whoever asks, from wherever, at whatever time zone: the same bytes.

use super::*;
use crate::world::World;

#[test]
fn the_same_question_has_the_same_bytes_for_an_answer_everywhere() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    repo.deploy_record("bot", GATE, "production", "requirements");
    repo.except("k.berg", GATE, "evidence:evaluation", &world.day(7));
    repo.merge("l.wu", &format!("gate/{GATE}"));
    repo.deploy_record("bot", GATE, "production", "exception");
    let time = world.day(0);
    for form in ["json", "text", "markdown"] {
        let args = ["check", GATE, "--env", "production", "--format", form, "--time", &time];
        let expected = repo.run(&args).expect(0).stdout;
        let elsewhere = world.dir().join("somewhere else");
        let _ = std::fs::rename(&repo.path, &elsewhere);
        for variables in [
            &[("TZ", "Asia/Kathmandu")][..],
            &[("TZ", "America/St_Johns"), ("LC_ALL", "tr_TR.UTF-8"), ("LANG", "tr_TR.UTF-8")],
            &[("HOME", "/nonexistent"), ("XDG_CONFIG_HOME", "")],
            &[("USER", "root"), ("COLUMNS", "20"), ("TERM", "dumb"), ("NO_COLOR", "1")],
            &[("RAYON_NUM_THREADS", "1"), ("RUST_BACKTRACE", "1"), ("LC_ALL", "de_DE.UTF-8")],
        ] {
            let run = world.run_with(&elsewhere, &args, variables).expect(0);
            assert_eq!(run.stdout, expected, "{variables:?}");
        }
        std::fs::rename(&elsewhere, &repo.path).unwrap();
        for _again in 0..3 {
            assert_eq!(repo.run(&args).stdout, expected);
        }
    }
}

#[test]
fn the_order_of_packs_and_clones_does_not_matter() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.allowed_gate(GATE);
    for who in ["k.berg", "j.rivera"] {
        repo.approve(who, GATE, "ml-lead");
        repo.merge("l.wu", &format!("gate/{GATE}"));
    }
    let time = world.day(0);
    let args = ["check", GATE, "--env", "production", "--format", "json", "--time", &time];
    let bare = |name: &str| repo.clone_to(name, true).run(&args).expect(0).stdout;
    assert_eq!(bare("one.git"), bare("two.git"));
    assert_eq!(bare("three.git"), repo.run(&args).stdout);
}
