//! `Doctor`: runs all checks in their order.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::budget::Budget;
use super::code::Code;
use super::config_file;
use super::environment::{self, Environment, Settings};
use super::process::Process;
use super::reach::{self, Agent, Resolver};
use super::report::{Diagnosis, Report};
use super::surroundings::{Identity, Surroundings};

/// The time for all checks together; the current check takes a moment longer.
const LIMIT: Duration = Duration::from_secs(28);
/// How often the agent is asked to find a process, and whether it is ready.
const TRIES: u32 = 6;
/// The time between two attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// Examines the way from a process to its agent.
#[derive(Clone, Debug)]
#[must_use = "`examine` does it"]
pub struct Doctor {
    environment: Environment,
    agent: Option<String>,
    port: Option<u16>,
    plugin: Option<String>,
    pid: Option<u64>,
    gateway: bool,
    limit: Duration,
    tries: u32,
    pause: Duration,
    proc: PathBuf,
    resolver: Resolver,
}

/// What the requests to an agent need.
#[derive(Debug)]
pub(super) struct Visit<'a> {
    pub(super) agent: &'a Agent,
    pub(super) settings: &'a Settings,
    pub(super) around: &'a Surroundings,
    pub(super) identity: &'a Identity,
    pub(super) budget: Budget,
    pub(super) tries: u32,
    pub(super) pause: Duration,
}

impl Doctor {
    /// Examines the agent at 127.0.0.1:42699.
    pub fn new() -> Self {
        Self {
            environment: Environment::new(),
            agent: None,
            port: None,
            plugin: None,
            pid: None,
            gateway: true,
            limit: LIMIT,
            tries: TRIES,
            pause: PAUSE,
            proc: PathBuf::from("/proc"),
            resolver: reach::system,
        }
    }

    /// The environment variables to examine; if [`Self::pid`] names a process, its
    /// variables override them.
    pub fn environment(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.environment = variables.into_iter().collect();
        self
    }

    /// The agent's host, instead of `INSTANA_AGENT_HOST`.
    pub fn agent(mut self, host: impl Into<String>) -> Self {
        self.agent = Some(host.into());
        self
    }

    /// The agent's port, instead of `INSTANA_AGENT_PORT`.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// The plugin to announce, instead of `INSTANA_PLUGIN_NAME`.
    pub fn plugin(mut self, plugin: impl Into<String>) -> Self {
        self.plugin = Some(plugin.into());
        self
    }

    /// A process to look at: its variables, and its connection to the agent.
    pub fn pid(mut self, pid: u64) -> Self {
        self.pid = Some(pid);
        self
    }

    /// Whether the default gateway is tried too, as tracers do. Default yes.
    pub fn gateway(mut self, gateway: bool) -> Self {
        self.gateway = gateway;
        self
    }

    /// The time for all checks together. Default 28 s.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// How often the agent is asked to find the process and whether it is ready,
    /// and the time in between. Default 6 times, each second.
    pub fn tries(mut self, tries: u32, pause: Duration) -> Self {
        self.tries = tries.max(1);
        self.pause = pause;
        self
    }

    /// Where `/proc` is mounted.
    pub fn proc(mut self, folder: impl Into<PathBuf>) -> Self {
        self.proc = folder.into();
        self
    }

    #[cfg(test)]
    pub(super) fn resolver(mut self, resolver: Resolver) -> Self {
        self.resolver = resolver;
        self
    }

    /// Does all checks. Blocks for at most [`Self::limit`] and a moment.
    #[must_use]
    pub fn examine(&self) -> Report {
        let budget = Budget::new(self.limit);
        let mut report = Report::default();
        let around = Surroundings::new(self.proc.clone());
        let process = self
            .pid
            .and_then(|pid| Process::find(pid, &around, &mut report));
        let theirs = process
            .as_ref()
            .and_then(|process| process.environment(&mut report));
        let environment = theirs.as_ref().unwrap_or(&self.environment);
        let mut settings = environment::read(environment, &mut report);
        let root = process.as_ref().map(Process::root);
        let root = root.as_deref().unwrap_or(Path::new("/"));
        config_file::check(environment, root, &mut report);
        environment::list(environment, &mut report);
        let configured = (settings.host.clone(), settings.port);
        self.overrule(&mut settings);
        if theirs.is_some() && configured != (settings.host.clone(), settings.port) {
            let (host, port) = configured;
            let finding = format!("the process is set to talk to {host} port {port}");
            report.found(Diagnosis::new(Code::ProcessOtherAgent, finding));
        }
        report.agent = format!("{} port {}", settings.host, settings.port);
        report.plugin.clone_from(&settings.plugin);
        around.examine(&mut report);
        let outcome = self.visit(&settings, &around, budget, &mut report);
        if let Err(found) = outcome {
            report.found(found);
        } else if let Some(process) = &process {
            process.examine_connection(settings.port, budget, &mut report);
        }
        report
    }

    fn overrule(&self, settings: &mut Settings) {
        if let Some(host) = &self.agent {
            settings.host.clone_from(host);
        }
        if let Some(port) = self.port {
            settings.port = port;
        }
        if let Some(plugin) = &self.plugin {
            settings.plugin.clone_from(plugin);
        }
    }

    /// Reaches an agent, and does as a tracer does.
    fn visit(
        &self,
        settings: &Settings,
        around: &Surroundings,
        budget: Budget,
        report: &mut Report,
    ) -> Result<(), Diagnosis> {
        let agent = self.reach(settings, around, budget, report)?;
        let identity = around.identity();
        let visit = Visit {
            agent: &agent,
            settings,
            around,
            identity: &identity,
            budget,
            tries: self.tries,
            pause: self.pause,
        };
        in_time(budget, visit.steps(report))
    }

    /// The configured host, then the default gateway.
    fn reach(
        &self,
        settings: &Settings,
        around: &Surroundings,
        budget: Budget,
        report: &mut Report,
    ) -> Result<Agent, Diagnosis> {
        let mut greet = |host: &str| {
            let address = (host, settings.port);
            let agent = Agent::resolve(address, settings.timeout, budget, self.resolver)?;
            agent.greet(report)?;
            Ok(agent)
        };
        let trouble = match greet(&settings.host) {
            Ok(agent) => return Ok(agent),
            Err(trouble) => trouble,
        };
        let gateway = around.gateway().filter(|_| self.gateway);
        let gateway = gateway.map(|address| address.to_string());
        let Some(gateway) = gateway.filter(|gateway| *gateway != settings.host) else {
            return in_time(budget, Err(trouble));
        };
        let greeted: Result<Agent, Diagnosis> = greet(&gateway);
        match greeted {
            Ok(agent) => {
                let finding = format!("{}; {} is an agent", trouble.finding, agent.name);
                report.found(Diagnosis::new(Code::AgentAtGateway, finding));
                Ok(agent)
            }
            Err(at_gateway) => {
                let finding = format!(
                    "{}; default gateway: {}",
                    trouble.finding, at_gateway.finding
                );
                in_time(budget, Err(Diagnosis::new(trouble.code, finding)))
            }
        }
    }
}

impl Visit<'_> {
    fn steps(&self, report: &mut Report) -> Result<(), Diagnosis> {
        let pid = self.announce(report)?;
        self.wait_ready(pid, report)?;
        self.send_none(pid, report)
    }
}

impl Default for Doctor {
    fn default() -> Self {
        Self::new()
    }
}

/// A check that fails at the end of the time may fail because of that.
fn in_time<T>(budget: Budget, outcome: Result<T, Diagnosis>) -> Result<T, Diagnosis> {
    outcome.map_err(|found| {
        if !budget.is_over() {
            return found;
        }
        let finding = format!("the time was over at: {}", found.finding);
        Diagnosis::new(Code::OutOfTime, finding)
    })
}
