//! Servers that are run here, with Debian's programs.

use std::time::Duration;

use super::aws::Aws;
use super::kafka::Kafka;
use super::mariadb::MariaDb;
use super::place::Place;
use super::postgres::Postgres;
use super::redis::Redis;
use super::redis_cluster::RedisCluster;
use super::redis_sentinel::RedisSentinel;
use super::server::Server;
use super::service::Service;
use super::status::State;
use crate::{command, debian};

/// How long a server may take from its start to its first answer.
const START: Duration = Duration::from_secs(60);

/// How long a server that runs may take to answer before it is started anew.
const ANSWER: Duration = Duration::from_secs(15);

fn server(service: Service) -> &'static dyn Server {
    match service {
        Service::Postgres => &Postgres,
        Service::MariaDb => &MariaDb,
        Service::Redis => &Redis,
        Service::RedisCluster => &RedisCluster,
        Service::RedisSentinel => &RedisSentinel,
        Service::Kafka => &Kafka,
        Service::Aws => &Aws,
    }
}

/// Installs what is missing of these services.
pub(crate) fn install(services: &[Service]) -> Result<(), String> {
    let servers = services.iter().map(|service| server(*service));
    let missing = servers.filter(|server| !server.is_installed());
    let packages: Vec<debian::Packages> = missing.map(Server::packages).collect();
    if packages.is_empty() {
        return Ok(());
    }
    debian::install(&packages)
}

/// Starts a service where it does not run. Its URLs, and whether it was started.
pub(crate) fn up(service: Service) -> Result<(String, bool), String> {
    let server = server(service);
    let mut place = Place::of(service, server)?;
    let runs = place.processes().all(|process| process.running().is_some());
    // On a busy machine one look may come too early.
    let answer = || server.ready(&place);
    if runs && command::wait("an answer", ANSWER, answer).is_ok() {
        return Ok((service.urls(&place.ports), false));
    }
    stop(server, &place)?;
    place.settle(service.ports())?;
    eprintln!("starting {} in {}", service.name(), place.folder.display());
    match start(service, server, &place) {
        Ok(()) => Ok((service.urls(&place.ports), true)),
        Err(error) => {
            let _ = stop(server, &place);
            Err(error)
        }
    }
}

fn start(service: Service, server: &dyn Server, place: &Place) -> Result<(), String> {
    server.prepare(place)?;
    for (process, command) in place.processes().zip(server.commands(place)?) {
        process.start(&command, place.user)?;
    }
    let with_logs = |error: String| {
        let logs = place.processes();
        let logs = logs.map(|process| command::last_lines(&process.log()));
        format!("{error}{}", logs.collect::<String>())
    };
    server.join(place).map_err(with_logs)?;
    let mut last = String::new();
    let what = format!("{} to be ready", service.name());
    command::wait(&what, START, || {
        if place.processes().any(|process| process.running().is_none()) {
            return Ok(Err(format!("{} has ended: {last}", service.name())));
        }
        let ready = server.ready(place);
        if let Err(error) = &ready {
            last.clone_from(error);
        }
        ready.map(Ok)
    })
    .and_then(|ended| ended)
    .map_err(with_logs)
}

/// Stops a service; whether any of it ran. With `purge`, its data go, too.
pub(crate) fn down(service: Service, purge: bool) -> Result<bool, String> {
    let server = server(service);
    let place = Place::of(service, server)?;
    let stopped = stop(server, &place)?;
    if purge {
        place.purge()?;
    }
    Ok(stopped)
}

fn stop(server: &dyn Server, place: &Place) -> Result<bool, String> {
    let mut stopped = false;
    for process in place.processes() {
        stopped |= process.stop(server.signal())?;
    }
    Ok(stopped)
}

pub(crate) fn state(service: Service) -> Result<State, String> {
    let server = server(service);
    let place = Place::of(service, server)?;
    let running: Vec<_> = place.processes().map(|process| process.running()).collect();
    let pids: Vec<u32> = running
        .iter()
        .flatten()
        .map(|running| running.pid)
        .collect();
    if pids.is_empty() {
        return Ok(State::Stopped);
    }
    if pids.len() < running.len() {
        return Ok(State::Broken("not all of its processes run".to_owned()));
    }
    if let Err(error) = server.ready(&place) {
        return Ok(State::Broken(error));
    }
    let ages = running.iter().flatten().map(|running| running.seconds());
    Ok(State::Running {
        pids,
        seconds: ages.min().unwrap_or_default(),
        urls: service.urls(&place.ports),
    })
}
