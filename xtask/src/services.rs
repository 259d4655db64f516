//! The servers of tests. The package `services-tool` brings them up; it is run and not linked, so
//! that `cargo xtask check` does not build it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::{Command, ExitCode, Stdio};

use clap::Args;
use serde::Deserialize;

use crate::cargo;

/// How the servers are brought up.
#[derive(Args, Debug)]
pub(crate) struct How {
    /// `mock`: Kafka's tests without a broker, as in `services`
    #[arg(long, value_parser = ["broker", "mock"], default_value = "broker")]
    kafka: String,
    /// Servers without Docker
    #[arg(long)]
    native: bool,
}

/// What was brought up, as the tool prints it.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Up {
    /// Names of variables and their values.
    pub(crate) environment: BTreeMap<String, String>,
    /// What did not run before.
    pub(crate) started: Vec<String>,
    pub(crate) failures: Vec<String>,
}

/// The task: what the tool does with these arguments.
pub(crate) fn run(arguments: &[OsString]) -> ExitCode {
    // 1 is what the tool reports itself, 2 a word it does not know.
    let status = tool().args(arguments).status();
    let code = status
        .ok()
        .and_then(|status| u8::try_from(status.code()?).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}

/// Brings all servers up, as many as can be.
pub(crate) fn up(how: &How) -> Result<Up, String> {
    let mut up = tool();
    up.args(["up", "--json", "--kafka", &how.kafka]);
    if how.native {
        up.arg("--native");
    }
    let output = up.stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("services-tool: {error}"))?;
    serde_json::from_slice(&output.stdout).map_err(|_| format!("services-tool: {}", output.status))
}

/// Stops these servers.
pub(crate) fn down(names: &[String]) -> Result<(), String> {
    succeeds(tool().arg("down").args(names))
}

/// Installs packages of Debian.
pub(crate) fn install(packages: &[&str]) -> Result<(), String> {
    succeeds(tool().arg("packages").args(packages))
}

fn tool() -> Command {
    let mut tool = cargo::command();
    tool.args(["run", "--quiet", "--package", "services-tool", "--"]);
    tool
}

fn succeeds(tool: &mut Command) -> Result<(), String> {
    match tool.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("services-tool: {status}")),
        Err(error) => Err(format!("services-tool: {error}")),
    }
}
