//! Brings servers up and down: those that the environment names are only looked at, the others
//! run in containers where a Docker engine does, natively otherwise.

use serde_json::{Value, json};

use crate::servers::kafka;
use crate::service::Service;
use crate::status::State;
use crate::{How, KafkaKind, compose, native, urls, variables};

/// What was brought up.
#[derive(Debug, Default)]
pub(crate) struct Up {
    /// Names of variables and their values.
    pub(crate) environment: Vec<(&'static str, String)>,
    /// What did not run before.
    pub(crate) started: Vec<&'static Service>,
    pub(crate) failures: Vec<String>,
}

impl Up {
    /// For `cargo xtask test`.
    pub(crate) fn to_json(&self) -> Value {
        let started: Vec<&str> = self.started.iter().map(|service| service.name).collect();
        let environment: serde_json::Map<String, Value> = self
            .environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
            .collect();
        json!({ "environment": environment, "started": started, "failures": self.failures })
    }

    /// For a shell, which sets the variables.
    pub(crate) fn to_shell(&self) -> String {
        let lines = self.environment.iter();
        let lines = lines.map(|(name, value)| format!("export {name}={}\n", quoted(value)));
        lines.collect()
    }
}

/// Brings services up, as many as can be.
pub(crate) fn up(services: &[&'static Service], how: &How) -> Up {
    let mut up = Up::default();
    let (given, wanted) = split(services, |name| value(name, how));
    for (service, value) in given {
        match check(service, &value) {
            Ok(()) => up.environment.push((service.variable, value)),
            Err(error) => up.failures.push(format!(
                "{error}; unset the variable to have {} started",
                service.name
            )),
        }
    }
    if wanted.is_empty() {
        return up;
    }
    if how.native || !compose::is_available() {
        up_natively(&wanted, &mut up);
    } else if let Err(error) = up_in_containers(&wanted, &mut up) {
        up.failures.push(error);
    }
    up
}

/// Stops services that were started here; with `purge`, removes their data.
pub(crate) fn down(services: &[&'static Service], purge: bool) -> Result<(), String> {
    let mut failures = Vec::new();
    for service in services {
        match native::down(service, purge) {
            Ok(true) => eprintln!("stopped {}", service.name),
            Ok(false) => {}
            Err(error) => failures.push(error),
        }
    }
    if compose::is_available() {
        failures.extend(compose::down(services, purge).err());
    }
    match failures.as_slice() {
        [] => Ok(()),
        failures => Err(failures.join("\n")),
    }
}

/// The value of a service's variable, where there is nothing to start for it.
fn value(variable: &str, how: &How) -> Option<String> {
    match how.kafka {
        KafkaKind::Mock if variable == kafka::SERVICE.variable => Some(kafka::MOCK.to_owned()),
        _ => variables::value(variable),
    }
}

/// Whether what is given can be used.
fn check(service: &Service, value: &str) -> Result<(), String> {
    match *service == kafka::SERVICE && value == kafka::MOCK {
        true => Ok(()),
        false => urls::check(service.variable, value),
    }
}

/// Which services somebody else has brought up, with the URLs, and the others.
fn split(
    services: &[&'static Service],
    variable: impl Fn(&str) -> Option<String>,
) -> (Vec<(&'static Service, String)>, Vec<&'static Service>) {
    let (mut given, mut wanted) = (Vec::new(), Vec::new());
    for service in services {
        match variable(service.variable) {
            Some(value) => given.push((*service, value)),
            None => wanted.push(*service),
        }
    }
    (given, wanted)
}

/// A value as a shell reads it.
fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "+,-./:=@_".contains(c);
    match value.chars().all(is_plain) {
        true => value.to_owned(),
        false => format!("'{}'", value.replace('\'', r"'\''")),
    }
}

fn up_natively(wanted: &[&'static Service], up: &mut Up) {
    if let Err(error) = native::install(wanted) {
        // What is installed comes up all the same.
        up.failures.push(error);
    }
    for service in wanted {
        match native::up(service) {
            Ok((urls, is_new)) => {
                up.environment.push((service.variable, urls));
                up.started.extend(is_new.then_some(*service));
            }
            Err(error) => up.failures.push(format!("{}: {error}", service.name)),
        }
    }
}

fn up_in_containers(wanted: &[&'static Service], up: &mut Up) -> Result<(), String> {
    for (service, state) in compose::states(wanted)? {
        if !matches!(state, State::Contained { .. }) {
            up.started.push(service);
        }
    }
    if !up.started.is_empty() {
        compose::up(&up.started)?;
    }
    let urls = wanted.iter();
    let urls = urls.map(|service| (service.variable, service.urls(service.ports)));
    up.environment.extend(urls);
    Ok(())
}

pub(crate) fn states(
    services: &[&'static Service],
    how: &How,
) -> Result<Vec<(&'static Service, State)>, String> {
    let (given, ours) = split(services, |name| value(name, how));
    let given = given.into_iter().map(|(service, value)| {
        let state = State::Given(check(service, &value));
        (service, state)
    });
    let mut states: Vec<(&'static Service, State)> = given.collect();
    if how.native || !compose::is_available() {
        for service in ours {
            states.push((service, native::state(service)?));
        }
    } else {
        states.extend(compose::states(&ours)?);
    }
    Ok(states)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::servers::{aws, postgres, redis, redis_cluster};

    #[test]
    fn services_with_a_url_are_not_started() {
        let variable = |name: &str| (name == "REDIS_URL").then(|| "redis://db".to_owned());
        let services = [&postgres::SERVICE, &redis::SERVICE];
        let (given, wanted) = split(&services, variable);
        assert_eq!(given, [(&redis::SERVICE, "redis://db".to_owned())]);
        assert_eq!(wanted, [&postgres::SERVICE]);
    }

    #[test]
    fn the_mock_of_kafka_is_nothing_to_start() {
        let how = How {
            kafka: KafkaKind::Mock,
            native: false,
        };
        let services = [&kafka::SERVICE];
        let (given, wanted) = split(&services, |name| value(name, &how));
        assert_eq!(given, [(&kafka::SERVICE, "mock".to_owned())]);
        assert!(wanted.is_empty(), "{wanted:?}");
        assert_eq!(check(&kafka::SERVICE, "mock"), Ok(()));
        assert!(check(&aws::SERVICE, "mock").is_err());
    }

    #[test]
    fn shells_read_what_is_printed() {
        for value in ["redis://a:1,redis://b:2", "x://h/?a=1&b=it's", "$(id) `id`"] {
            let script = format!("printf %s {}", quoted(value));
            let mut shell = Command::new("/bin/sh");
            let output = shell.args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), value);
        }
        let plain = redis_cluster::SERVICE.urls(redis_cluster::SERVICE.ports);
        assert_eq!(quoted(&plain), plain);
    }
}
