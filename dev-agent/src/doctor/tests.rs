//! Tests of name resolution with a resolver that the test controls.

use std::io;
use std::net::SocketAddr;
use std::sync::OnceLock;

use super::{Code, Doctor};
use crate::{Config, DevAgent};

fn found(resolver: super::reach::Resolver) -> Vec<Code> {
    let doctor = Doctor::new().proc("/nowhere").agent("agent.example");
    let mut codes = doctor.resolver(resolver).examine().codes();
    codes.retain(|code| *code != Code::ProcMissing);
    codes
}

#[test]
fn a_name_that_does_not_resolve() {
    let fails = |_: &str, _| Err(io::Error::other("Name or service not known"));
    assert_eq!(found(fails), [Code::NameUnresolved]);
    let empty = |_: &str, _| Ok(Vec::new());
    assert_eq!(found(empty), [Code::NameUnresolved]);
}

#[test]
fn name_servers_that_do_not_answer() {
    let hangs = |_: &str, _| loop {
        std::thread::park();
    };
    assert_eq!(found(hangs), [Code::NameSlow]);
}

#[test]
fn every_address_of_a_name_is_tried() {
    static AGENT: OnceLock<DevAgent> = OnceLock::new();
    let both = |_: &str, _| -> io::Result<Vec<SocketAddr>> {
        let agent =
            DevAgent::start(Config::new().host("agent.example")).map_err(io::Error::other)?;
        let addr = AGENT.get_or_init(|| agent).addr();
        Ok(vec![SocketAddr::from(([127, 0, 0, 1], 1)), addr])
    };
    assert_eq!(found(both), []);
}
