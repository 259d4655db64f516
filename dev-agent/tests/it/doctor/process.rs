//! Processes, looked at from outside.

use instana_dev_agent::doctor::Code;
use instana_dev_agent::{Config, DevAgent};

use super::surroundings::Proc;
use super::{agent, assert_found, doctor};
use crate::support::Client;

/// A `/proc` with process 17, which is connected to the agent.
fn proc(agent: &DevAgent) -> Proc {
    let port = agent.addr().port();
    let proc = Proc::host();
    proc.file("17/cmdline", "/app/shop\0--port\08080\0");
    proc.file(
        "17/environ",
        &format!("PATH=/bin\0INSTANA_AGENT_PORT={port}\0"),
    );
    proc.link("17/ns/net", "net:[1]");
    proc.link("17/fd/3", "socket:[901]");
    proc.link("17/root", "/");
    proc.file("17/net/tcp", &row(port, "01", 901));
    proc
}

fn row(port: u16, state: &str, inode: u32) -> String {
    format!(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
         \x20  0: 0100007F:AED6 0100007F:{port:04X} {state} 00000000:00000000 00:00000000 00000000 0 0 {inode} 1\n"
    )
}

#[test]
fn all_is_well() {
    let agent = agent(Config::new());
    let report = doctor(agent.addr().port(), &proc(&agent)).pid(17).examine();
    assert_found(&report, &[]);
    let seen = format!("{report:?}");
    assert!(seen.contains("17 is /app/shop"), "{seen}");
    assert!(seen.contains("INSTANA_AGENT_PORT="), "{seen}");
}

#[test]
fn this_very_process() {
    let agent = agent(Config::new());
    let own = u64::from(std::process::id());
    let port = agent.addr().port();
    let real = || {
        let report = doctor(port, &Proc::host()).proc("/proc").pid(own).examine();
        let about = [
            Code::ProcessUnconnected,
            Code::ProcessHidden,
            Code::ProcessMissing,
        ];
        let mut codes = report.codes();
        codes.retain(|code| about.contains(code));
        codes
    };
    assert_eq!(real(), [Code::ProcessUnconnected]);
    let mut tracer = Client::of(&agent);
    assert_eq!(tracer.get("/").status, 200);
    assert_eq!(real(), []);
}

#[test]
fn no_such_process() {
    let agent = agent(Config::new());
    let report = doctor(agent.addr().port(), &proc(&agent)).pid(18).examine();
    assert_found(&report, &[Code::ProcessMissing]);
}

#[test]
fn a_process_of_another_user() {
    let agent = agent(Config::new());
    let proc = Proc::host();
    proc.file("17/cmdline", "/app/shop\0");
    let report = doctor(agent.addr().port(), &proc).pid(17).examine();
    assert_found(&report, &[Code::ProcessHidden]);
}

#[test]
fn its_tracer_is_not_connected() {
    let agent = agent(Config::new());
    let port = agent.addr().port();
    for table in [
        row(port, "01", 902),
        row(port, "06", 901),
        row(1, "01", 901),
    ] {
        let proc = proc(&agent);
        proc.file("17/net/tcp", &table);
        let report = doctor(port, &proc).pid(17).examine();
        assert_found(&report, &[Code::ProcessUnconnected]);
    }
}

#[test]
fn it_is_in_another_network() {
    let agent = agent(Config::new());
    let proc = proc(&agent);
    proc.link("17/ns/net", "net:[2]");
    let report = doctor(agent.addr().port(), &proc).pid(17).examine();
    assert_found(&report, &[Code::ProcessNamespace]);
}

#[test]
fn it_talks_to_another_agent() {
    let agent = agent(Config::new());
    let proc = proc(&agent);
    proc.file("17/environ", "INSTANA_AGENT_HOST=10.9.8.7\0");
    let report = doctor(agent.addr().port(), &proc).pid(17).examine();
    assert_found(&report, &[Code::ProcessOtherAgent]);
}

#[test]
fn its_variables_count_and_not_those_of_the_doctor() {
    let agent = agent(Config::new());
    let wrong = [("INSTANA_AGENT_PORT".to_owned(), "none".to_owned())];
    let proc = proc(&agent);
    let doctor = doctor(agent.addr().port(), &proc).environment(wrong);
    assert_found(&doctor.clone().pid(17).examine(), &[]);
    assert_found(&doctor.examine(), &[Code::EnvPort]);
}
