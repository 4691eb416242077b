//! `git gate demo`: the whole of it at work, in a repository of its own.
//!
//! Real keys, real commits, reports as real tools write them, and this very program, run as a person would run it. It
//! starts no server and leaves nothing behind unless it is told where to.

mod stage;

use std::path::PathBuf;

use super::{Context, Exit, Failure};
use stage::Stage;

/// The arguments of `demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Make the repository in this directory, which must be empty, and leave it there; else in a temporary one.
    #[arg(long, value_name = "DIRECTORY")]
    pub dir: Option<PathBuf>,
    /// Leave the temporary directory behind.
    #[arg(long)]
    pub keep: bool,
}

/// The gate of the control's example.
const GATE: &str = "summarizer/v1.4";
/// The version that hallucinates.
const WORSE: &str = "summarizer/v1.5";

const REPORTS: [(&str, &str); 9] = [
    ("lm-eval.json", include_str!("demo/reports/lm-eval.json")),
    ("promptfoo.json", include_str!("demo/reports/promptfoo.json")),
    ("promptfoo-v1.5.json", include_str!("demo/reports/promptfoo-regressed.json")),
    ("red-team.json", include_str!("demo/reports/red-team.json")),
    ("human-eval.csv", include_str!("demo/reports/human-eval.csv")),
    ("bias.json", include_str!("demo/reports/bias.json")),
    ("rollback.toml", include_str!("demo/reports/rollback.toml")),
    ("CHANGE.md", "Answer with facts of the document only: fewer hallucinations in long documents.\n"),
    ("prompt.txt", "Summarize for the customer, with facts of the document only: {{document}}\n"),
];

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    let mut stage = Stage::build(context, args.dir.as_deref())?;
    for (name, text) in REPORTS {
        stage.write(&format!("work/{name}"), text)?;
    }
    begin(&stage)?;
    open_and_attach(&stage)?;
    approve_and_allow(&stage)?;
    swap_a_report(&stage)?;
    forge_an_approval(&stage)?;
    hallucinate(&stage)?;
    stage.tell("What was allowed stayed allowed only while nothing moved. That is all there is to it.")?;
    stage.close(args.keep)?;
    Ok(Exit::Done)
}

fn begin(stage: &Stage) -> Result<(), Failure> {
    stage.heading("A governance repository: the rules, and who signs with which key")?;
    stage.write("governance/policy/policy.toml", include_str!("demo/policy.toml"))?;
    stage.write("governance/policy/allowed_signers", &stage.allowed_signers()?)?;
    stage.tell(
        "policy/policy.toml says what must be shown and who approves; here for risk `high`: an ML lead and a product \
         lead, hallucination of at most 5 %, no open critical finding. Plain git begins it, and its first commit is \
         pinned as the trust root.",
    )?;
    stage.run("a.ng", "git add policy")?;
    stage.run("a.ng", "git commit -q -S -m \"Begin\"")?;
    let root = stage.ask("a.ng", &["git", "rev-parse", "HEAD"])?;
    stage.run("a.ng", &format!("git gate trust {root}"))
}

fn open_and_attach(stage: &Stage) -> Result<(), Failure> {
    stage.heading("An engineer opens the gate, and attaches the reports")?;
    let attach = |rest: &str| stage.run("j.doe", &format!("git gate attach {GATE} {rest}"));
    stage.run(
        "j.doe",
        &format!("git gate open {GATE} --kind prompt --risk high --summary \"Cut hallucinations in long documents\""),
    )?;
    stage.run("j.doe", &format!("git gate artifact {GATE} prompt.txt ../work/prompt.txt"))?;
    attach("change-description ../work/CHANGE.md")?;
    attach("evaluation ../work/lm-eval.json --name evidence/rouge.json")?;
    attach("evaluation ../work/promptfoo.json --name evidence/hallucination.json")?;
    attach("human-eval ../work/human-eval.csv --as csv")?;
    attach("adversarial ../work/red-team.json")?;
    attach("bias ../work/bias.json")?;
    attach("rollback ../work/rollback.toml")?;
    stage.tell("All reports are in. Nobody has approved yet:")?;
    stage.show("j.doe", &format!("git gate show {GATE}"), &["Checklist"])
}

fn approve_and_allow(stage: &Stage) -> Result<(), Failure> {
    stage.heading("The ML lead and the product lead approve, each with a signature")?;
    stage.run(
        "j.rivera",
        &format!("git gate approve {GATE} --yes -m \"Hallucination at 2.1 %, injection suite clean\""),
    )?;
    stage.run("s.chen", &format!("git gate approve {GATE} --yes"))?;
    stage.tell("Merged, the approvals are on record. Before it deploys, the release bot asks:")?;
    stage.run("j.doe", &format!("git gate merge {GATE}"))?;
    check(stage)
}

fn swap_a_report(stage: &Stage) -> Result<(), Failure> {
    stage.heading("First thing that goes wrong: a report is swapped after the approval")?;
    let (_name, ratings) =
        REPORTS.iter().find(|(name, _text)| *name == "human-eval.csv").unwrap_or(&("", ""));
    stage.write("work/human-eval.csv", &ratings.replace("not acceptable", "acceptable"))?;
    stage.run("j.doe", &format!("git gate attach {GATE} human-eval ../work/human-eval.csv --as csv"))?;
    stage.run("j.doe", &format!("git gate merge {GATE}"))?;
    stage.tell("The approvals were for other content. They no longer count:")?;
    check(stage)
}

fn forge_an_approval(stage: &Stage) -> Result<(), Failure> {
    stage.heading("Second: an approval is forged")?;
    stage.tell("The ML lead looks at the new content and approves it. The product lead does not; somebody writes the approval in that name, with another key:")?;
    stage.run("j.rivera", &format!("git gate approve {GATE} --yes"))?;
    let approval = stage.ask("mallory", &["git", "log", "-1", "--format=%B", &format!("gate/{GATE}")])?;
    stage.write("work/approval.txt", &approval.replace("ml-lead", "product-lead"))?;
    stage.run("mallory", &format!("git switch -q gate/{GATE}"))?;
    stage.run(
        "mallory",
        "git -c user.name=s.chen -c user.email=s.chen@example.com commit -q -S --allow-empty -F ../work/approval.txt",
    )?;
    stage.run("mallory", "git switch -q main")?;
    stage.run("j.doe", &format!("git gate merge {GATE}"))?;
    check(stage)
}

fn hallucinate(stage: &Stage) -> Result<(), Failure> {
    stage.heading("Third: the next version hallucinates in 6.5 % of its summaries")?;
    stage.run("j.doe", &format!("git gate open {WORSE} --from v1.4 --summary \"Shorter summaries\""))?;
    stage.run("j.doe", &format!("git gate artifact {WORSE} prompt.txt ../work/prompt.txt"))?;
    stage.run(
        "j.doe",
        &format!("git gate attach {WORSE} evaluation ../work/lm-eval.json --name evidence/rouge.json"),
    )?;
    stage.run("j.doe", &format!("git gate attach {WORSE} evaluation ../work/promptfoo-v1.5.json"))?;
    stage.tell("`ready` judges it as if it were merged now. No approval could make this pass:")?;
    stage.show("j.doe", &format!("git gate ready {WORSE}"), &[])
}

fn check(stage: &Stage) -> Result<(), Failure> {
    let command = format!("git gate check {GATE} --env production --artifact prompt.txt=../work/prompt.txt");
    stage.show("bot", &command, &["Decisions"])
}
