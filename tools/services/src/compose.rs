//! Servers in containers, where a Docker engine runs: `docker-compose.yml`.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::service::{ALL, Service};
use crate::status::State;
use crate::{command, folders};

/// How long Docker may take to say that it is there.
const ANSWER: Duration = Duration::from_secs(5);

/// How long bringing up may take, images included, and all else.
const UP: Duration = Duration::from_secs(900);
const LIMIT: Duration = Duration::from_secs(60);

/// Whether there are an engine and `docker compose`.
pub(crate) fn is_available() -> bool {
    let answers = |arguments: &[&str]| {
        let mut docker = Command::new("docker");
        docker.args(arguments);
        let output = command::output("docker", docker, ANSWER);
        output.is_ok_and(|output| output.status.success())
    };
    answers(&["info"]) && answers(&["compose", "version"])
}

/// Starts these services and waits until they are healthy.
pub(crate) fn up(services: &[&Service]) -> Result<(), String> {
    eprintln!("starting containers: {}", names(services).join(" "));
    run(&up_arguments(services), UP)
}

/// Stops these services; with `purge`, removes them and their data.
pub(crate) fn down(services: &[&Service], purge: bool) -> Result<(), String> {
    run(&down_arguments(services, purge), LIMIT)
}

/// How each of these services is.
pub(crate) fn states(
    services: &[&'static Service],
) -> Result<Vec<(&'static Service, State)>, String> {
    let output = command::output("docker compose ps", compose(&ps_arguments()), LIMIT)?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let containers = containers(&String::from_utf8_lossy(&output.stdout));
    let states = services.iter();
    Ok(states
        .map(|service| (*service, state(service, &containers)))
        .collect())
}

fn run(arguments: &[&str], limit: Duration) -> Result<(), String> {
    let log = folders::target()?.join("services/docker-compose.log");
    let mut compose = compose(arguments);
    compose.stdin(Stdio::null());
    command::run("docker compose", compose, &log, limit)
}

fn compose(arguments: &[&str]) -> Command {
    let mut docker = Command::new("docker");
    docker.args(["compose", "--file", "docker-compose.yml"]);
    docker.args(arguments);
    docker
}

fn up_arguments(services: &[&Service]) -> Vec<&'static str> {
    let mut arguments = profiles(services);
    arguments.extend(["up", "--detach", "--wait", "--wait-timeout", "180"]);
    arguments.extend(names(services));
    arguments
}

fn down_arguments(services: &[&Service], purge: bool) -> Vec<&'static str> {
    let mut arguments = profiles(services);
    match purge {
        true => arguments.extend(["rm", "--stop", "--force", "--volumes"]),
        false => arguments.push("stop"),
    }
    arguments.extend(names(services));
    arguments
}

fn ps_arguments() -> Vec<&'static str> {
    let mut arguments = profiles(&ALL);
    arguments.extend(["ps", "--all", "--format", "json"]);
    arguments
}

/// The services have profiles of their own names.
fn profiles(services: &[&Service]) -> Vec<&'static str> {
    let profiles = names(services).into_iter();
    profiles.flat_map(|name| ["--profile", name]).collect()
}

fn names(services: &[&Service]) -> Vec<&'static str> {
    services.iter().map(|service| service.name).collect()
}

/// Docker prints a list, or an object a line, as its version has it.
fn containers(text: &str) -> Vec<Value> {
    match serde_json::from_str(text) {
        Ok(Value::Array(list)) => list,
        _ => {
            let lines = text.lines();
            lines
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect()
        }
    }
}

fn state(service: &Service, containers: &[Value]) -> State {
    let text = |container: &Value, key: &str| {
        let value = container.get(key).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let mut own = containers.iter();
    let own = own.find(|container| text(container, "Service") == service.name);
    let Some(own) = own.filter(|own| text(own, "State") == "running") else {
        return State::Stopped;
    };
    let since = text(own, "Status");
    match text(own, "Health").as_str() {
        "healthy" => State::Contained {
            since,
            urls: service.urls(service.ports),
        },
        _ => State::Broken(since),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::servers::{mariadb, postgres, redis, redis_cluster, redis_sentinel};

    #[test]
    fn commands_name_profiles_and_services() {
        let two = [&postgres::SERVICE, &redis_cluster::SERVICE];
        assert_eq!(
            up_arguments(&two).join(" "),
            "--profile postgres --profile redis-cluster up --detach --wait --wait-timeout 180 \
             postgres redis-cluster"
        );
        assert_eq!(
            down_arguments(&[&redis::SERVICE], false).join(" "),
            "--profile redis stop redis"
        );
        assert_eq!(
            down_arguments(&[&redis::SERVICE], true).join(" "),
            "--profile redis rm --stop --force --volumes redis"
        );
    }

    #[test]
    fn states_are_read_in_both_forms() {
        let healthy = r#"{"Service":"redis","State":"running","Health":"healthy","Status":"Up"}"#;
        let starting =
            r#"{"Service":"mariadb","State":"running","Health":"starting","Status":"Up 1 s"}"#;
        let exited = r#"{"Service":"postgres","State":"exited","Health":"","Status":"Exited (1)"}"#;
        for text in [
            format!("{healthy}\n{starting}\n{exited}\n"),
            format!("[{healthy},{starting},{exited}]"),
        ] {
            let containers = containers(&text);
            let expected = State::Contained {
                since: "Up".to_owned(),
                urls: "redis://127.0.0.1:17379".to_owned(),
            };
            assert_eq!(state(&redis::SERVICE, &containers), expected);
            let expected = State::Broken("Up 1 s".to_owned());
            assert_eq!(state(&mariadb::SERVICE, &containers), expected);
            assert_eq!(state(&postgres::SERVICE, &containers), State::Stopped);
            assert_eq!(state(&redis_sentinel::SERVICE, &containers), State::Stopped);
        }
    }

    #[test]
    fn the_file_has_every_service_on_its_ports() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let file = fs::read_to_string(format!("{root}/docker-compose.yml")).unwrap();
        for service in ALL {
            let name = service.name;
            let start = file.find(&format!("\n  {name}:\n"));
            let text = &file[start.expect(name) + 1..];
            let own: Vec<&str> = text.split("\n\n").take(1).collect();
            assert!(own[0].contains(&format!("profiles: [{name}]")), "{name}");
            assert!(own[0].contains("healthcheck:"), "{name}");
            let published = own[0]
                .lines()
                .filter(|line| line.contains("- \"127.0.0.1:"));
            let published: Vec<u16> = published
                .map(|line| line.split(':').nth(1).unwrap().parse().unwrap())
                .collect();
            // Nodes of the cluster talk among themselves inside the container.
            let expected = match service.name {
                "redis-cluster" => &service.ports[..3],
                _ => service.ports,
            };
            assert_eq!(published, expected, "{name}");
        }
    }
}
