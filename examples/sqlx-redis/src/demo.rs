//! An agent, the traced program, and what the agent got of it.

use std::process::Command;

use instana_dev_agent::{Config, DevAgent, render};

use crate::{Outcome, environment, say};

pub(crate) fn run() -> Outcome<()> {
    let agent = DevAgent::start(Config::new())?;
    // A program of its own, which sends what is left when it ends.
    let ended = Command::new(std::env::current_exe()?)
        .arg("traced")
        .env("INSTANA_AGENT_HOST", agent.addr().ip().to_string())
        .env("INSTANA_AGENT_PORT", agent.addr().port().to_string())
        .env("INSTANA_SERVICE_NAME", "goods")
        .status()?;
    if !ended.success() {
        return Err("the traced program failed".into());
    }
    for trace in agent.traces() {
        let tree = render::tree(&trace, render::Style::plain());
        say(&format!("\n{}", tree.trim_end()))?;
    }
    if environment::redis().is_none() {
        say(
            "\nThat is SQLite alone: REDIS_URL is not set. `cargo xtask services up redis` starts Redis\n\
             and prints the variable.",
        )?;
    }
    Ok(agent.check()?)
}
