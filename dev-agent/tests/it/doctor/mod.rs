//! The doctor against seeded faults: each has its own diagnosis, and no other.

mod announce;
mod binary;
mod environment;
mod process;
mod reach;
mod server;
mod surroundings;

use std::time::Duration;

use instana_dev_agent::doctor::{Code, Doctor, Report};
use instana_dev_agent::{Config, DevAgent};

use self::server::Server;
use self::surroundings::Proc;

/// Asks the agent at this port, with a `/proc` of the host and no gateway.
fn doctor(port: u16, proc: &Proc) -> Doctor {
    Doctor::new()
        .proc(proc.folder())
        .agent("127.0.0.1")
        .port(port)
        .tries(3, Duration::from_millis(5))
}

fn of_agent(agent: &DevAgent) -> Report {
    doctor(agent.addr().port(), &Proc::host()).examine()
}

fn of_server(server: &Server) -> Report {
    doctor(server.port(), &Proc::host()).examine()
}

fn agent(config: Config) -> DevAgent {
    DevAgent::start(config).expect("an agent")
}

fn assert_found(report: &Report, codes: &[Code]) {
    assert_eq!(report.codes(), codes, "{report:#?}");
}

#[test]
fn a_healthy_agent() {
    let agent = agent(Config::new());
    let report = of_agent(&agent);
    assert_found(&report, &[]);
    assert!(report.facts.iter().any(|fact| fact.check == "spans"));
    agent.assert_clean();
    assert!(agent.spans().is_empty());
    let processes = agent.processes();
    assert_eq!(processes.len(), 1, "only itself is announced");
    assert_eq!(processes[0].metric_count(), 0);
}

#[test]
fn the_server_of_these_tests_is_healthy_without_a_fault() {
    assert_found(&of_server(&Server::healthy()), &[]);
}

#[test]
fn an_agent_that_takes_its_time() {
    let agent = agent(Config::new().reject_announces(2).reject_ready(2));
    assert_found(&of_agent(&agent), &[]);
    agent.assert_clean();
}
