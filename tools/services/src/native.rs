//! Servers that are run here, with Debian's programs.

use std::time::Duration;

use crate::place::Place;
use crate::service::Service;
use crate::status::State;
use crate::{command, debian};

/// How long a server may take from its start to its first answer.
const START: Duration = Duration::from_secs(60);

/// How long a server that runs may take to answer before it is started anew.
const ANSWER: Duration = Duration::from_secs(15);

/// Installs what is missing of these services.
pub(crate) fn install(services: &[&Service]) -> Result<(), String> {
    let missing: Vec<&&Service> = services.iter().filter(|s| !(s.is_installed)()).collect();
    let mut packages: Vec<&str> = missing.iter().flat_map(|s| s.packages).copied().collect();
    packages.sort_unstable();
    packages.dedup();
    let units: Vec<&str> = missing.iter().flat_map(|s| s.units).copied().collect();
    match packages.is_empty() {
        true => Ok(()),
        false => debian::install(&packages, &units),
    }
}

/// Starts a service where it does not run. Its URLs, and whether it was started.
pub(crate) fn up(service: &Service) -> Result<(String, bool), String> {
    let mut place = Place::of(service)?;
    let runs = place.processes().all(|process| process.running().is_some());
    // On a busy machine one look may come too early.
    let answer = || (service.ready)(&place);
    if runs && command::wait("an answer", ANSWER, answer).is_ok() {
        return Ok((service.urls(&place.ports), false));
    }
    stop(service, &place)?;
    place.settle(service.ports)?;
    eprintln!("starting {} in {}", service.name, place.folder.display());
    match start(service, &place) {
        Ok(()) => Ok((service.urls(&place.ports), true)),
        Err(error) => {
            let _ = stop(service, &place);
            Err(error)
        }
    }
}

fn start(service: &Service, place: &Place) -> Result<(), String> {
    (service.prepare)(place)?;
    for (process, command) in place.processes().zip((service.commands)(place)?) {
        process.start(&command, place.user)?;
    }
    let with_logs = |error: String| {
        let logs = place.processes();
        let logs = logs.map(|process| command::last_lines(&process.log()));
        format!("{error}{}", logs.collect::<String>())
    };
    (service.join)(place).map_err(with_logs)?;
    let mut last = String::new();
    let what = format!("{} to be ready", service.name);
    command::wait(&what, START, || {
        if place.processes().any(|process| process.running().is_none()) {
            return Ok(Err(format!("{} has ended: {last}", service.name)));
        }
        let ready = (service.ready)(place);
        if let Err(error) = &ready {
            last.clone_from(error);
        }
        ready.map(Ok)
    })
    .and_then(|ended| ended)
    .map_err(with_logs)
}

/// Stops a service; whether any of it ran. With `purge`, its data go, too.
pub(crate) fn down(service: &Service, purge: bool) -> Result<bool, String> {
    let place = Place::of(service)?;
    let stopped = stop(service, &place)?;
    if purge {
        place.purge()?;
    }
    Ok(stopped)
}

fn stop(service: &Service, place: &Place) -> Result<bool, String> {
    let mut stopped = false;
    for process in place.processes() {
        stopped |= process.stop(service.signal)?;
    }
    Ok(stopped)
}

pub(crate) fn state(service: &Service) -> Result<State, String> {
    let place = Place::of(service)?;
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
    if let Err(error) = (service.ready)(&place) {
        return Ok(State::Broken(error));
    }
    let ages = running.iter().flatten().map(|running| running.seconds());
    Ok(State::Running {
        pids,
        seconds: ages.min().unwrap_or_default(),
        urls: service.urls(&place.ports),
    })
}
