//! The command: its output and its exit codes.

use std::process::{Command, Output};

use instana_dev_agent::{Config, Fault, Matcher, RequestKind, What};
use serde_json::Value;

use super::agent;

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_instana-dev-agent"))
        .arg("doctor")
        .args(arguments)
        .env_clear()
        .output()
        .expect("the binary")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn all_is_well() {
    let agent = agent(Config::new());
    let at = agent.addr().to_string();
    let ran = run(&["--agent", &at]);
    let out = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(0), "{out}");
    assert!(out.contains("announce         accepted as rust"), "{out}");
    assert!(out.contains("\n0 problems, "), "{out}");
}

#[test]
fn a_problem() {
    let agent = agent(Config::new());
    let announce = Matcher::kind(RequestKind::Announce);
    agent.fault(Fault::new(announce, What::Status(500)));
    let at = agent.addr().to_string();
    let ran = run(&["--json", "--agent", &at, "--plugin", "golang"]);
    assert_eq!(ran.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    let found = &report["diagnoses"].as_array().expect("a list");
    let refused = found
        .iter()
        .find(|found| found["code"] == "announce-refused");
    let refused = refused.expect("the diagnosis");
    assert_eq!(refused["finding"], "the announce as golang is answered 500");
    assert!(
        refused["fix"]
            .as_str()
            .is_some_and(|fix| fix.contains("agent's log"))
    );
    assert_eq!(report["problems"], 1);
    assert_eq!(report["plugin"], "golang");
}

#[test]
fn wrong_options() {
    let ran = run(&["--agent", "http://here"]);
    assert_eq!(ran.status.code(), Some(2));
    assert!(text(&ran.stderr).contains("no http://"), "{ran:?}");
}

/// A variable that is wrong is not called well before.
#[test]
fn wrong_variables_have_no_tick() {
    let agent = agent(Config::new());
    let at = agent.addr().to_string();
    let ran = Command::new(env!("CARGO_BIN_EXE_instana-dev-agent"))
        .args(["doctor", "--agent", &at])
        .env_clear()
        .env("INSTANA_STACK_TRACE", "some")
        .env("INSTANA_TRACING_DISABLE", "true")
        .env("INSTANA_CONFIG_PATH", "/nowhere/config.yaml")
        .env("INSTANA_AGENT_KEY", "k")
        .env("INSTANA_SERVICE_NAME", "shop\u{1b}[2J")
        .output()
        .expect("the binary");
    let out = text(&ran.stdout);
    let ticks: Vec<_> = out
        .lines()
        .filter(|line| line.starts_with("✓ environment"))
        .collect();
    assert_eq!(
        ticks,
        ["✓ environment      INSTANA_SERVICE_NAME=shop·[2J"],
        "{out}"
    );
    for code in ["env-value", "env-tracing-off", "config-missing"] {
        assert!(out.contains(&format!("✗ {code}: ")), "{out}");
    }
    let (found, well) = (out.find('✗'), out.find('✓'));
    assert!(found < well, "{out}");
}
