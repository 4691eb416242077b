//! A request says what a metric is: no criterion reads it.

use crate::world::World;

const GATE: &str = "summarizer/v1.4";

#[test]
fn a_request_cannot_say_what_a_metric_is() {
    let world = World::new();
    let repo = world.governance_repo();
    repo.open("j.doe", GATE);
    let request = format!("gates/{GATE}/gate.toml");
    let text = repo.git(&["show", &format!("HEAD:{request}")]);
    repo.write(
        &request,
        format!("{text}\n[evidence.metrics]\nhallucination_rate = \"/summary/wished_for\"\n"),
    )
    .write(
        &format!("gates/{GATE}/evidence/evaluation.json"),
        "{\"summary\": {\"hallucination_rate\": 0.31, \"wished_for\": 0.01, \"n\": 400}}\n",
    )
    .commit("j.doe", "Say what counts");
    repo.approve("j.rivera", GATE, "ml-lead");
    repo.approve("s.chen", GATE, "product-lead");
    repo.merge("l.wu", &format!("gate/{GATE}"));
    let found = repo.check_json(GATE, "production");
    assert_eq!(found["verdict"], "blocked", "{found:#}");
    let lines = found["requirements"].as_array().unwrap();
    let line = lines.iter().find(|line| line["id"] == "criterion:hallucination").unwrap();
    assert_eq!(line["status"], "failed", "{line:#}");
    assert!(line["found"].as_str().unwrap().contains("0.31"), "{line:#}");
}
