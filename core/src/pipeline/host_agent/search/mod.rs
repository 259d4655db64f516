//! The search for the agent: all the places where it may be are tried at the same time, and
//! a place that keeps silent keeps nobody waiting (docs/PROTOCOL.md, "Lookup").

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::pipeline::host_agent::address::Address;
use crate::pipeline::host_agent::connection::{Connection, Error, MAX_ANSWER};
use crate::pipeline::host_agent::exchange::{Exchange, Failure};
use crate::pipeline::host_agent::http::{Method, Request, Response};
use crate::pipeline::host_agent::link::{Broken, Link};
use crate::pipeline::host_agent::lookup;
use crate::pipeline::host_agent::lookup::Refusal;
use crate::pipeline::host_agent::net;
use crate::pipeline::host_agent::net::Interest;

/// How long one look at all places may take. What has not answered by then goes on while
/// others are tried again.
const LOOK: Duration = Duration::from_millis(250);
/// How long a better place may keep silent while another one has an agent.
const GRACE: Duration = Duration::from_millis(600);
/// After this time a connection that is not made is begun anew: the system itself asks
/// again more and more rarely.
const CONNECT: Duration = Duration::from_secs(2);
/// The most addresses of one host that are tried.
const MAX_ADDRESSES: usize = 4;
/// How long addresses of a name are kept: so that the resolver takes at most a part in 200
/// of the time, and one that is quick is asked at each look.
const RESOLVED: u32 = 200;
const SHORTEST_KEPT: Duration = Duration::from_millis(800);
const LONGEST_KEPT: Duration = Duration::from_secs(60);

/// All places, the best in front.
#[derive(Debug, Default)]
pub(crate) struct Search {
    places: Vec<Place>,
    names: Vec<Name>,
}

/// One address where an agent may be.
#[derive(Debug)]
struct Place {
    address: Address,
    peer: SocketAddr,
    attempt: Option<Attempt>,
    /// Since when it has neither answered nor refused.
    silent: Option<Instant>,
    /// What came of the last attempt, in words.
    trouble: Option<String>,
    /// The agent that answered.
    found: Option<Found>,
}

#[derive(Debug)]
struct Attempt {
    exchange: Exchange,
    begun: Instant,
}

/// What the resolver said of a host.
#[derive(Debug)]
struct Name {
    address: Address,
    peers: Result<Vec<SocketAddr>, String>,
    /// When it is asked again.
    next: Instant,
}

/// An agent.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) connection: Connection,
    /// The `Server` of its answer.
    pub(crate) server: String,
}

/// What a look has found.
#[derive(Debug)]
pub(crate) struct Looked {
    /// The best agent, or what is wrong with each place.
    pub(crate) outcome: Result<Found, String>,
    /// Something answers that is no agent.
    pub(crate) refused: u64,
    /// Something has taken the request, and its answer is awaited.
    pub(crate) is_awaited: bool,
    /// Requests that came to an end, and how many of them without an answer of an agent.
    pub(crate) requests: u64,
    pub(crate) failures: u64,
    /// Answers that say something else than they should.
    pub(crate) malformed: u64,
}

impl Search {
    /// Looks at all `hosts`, for a quarter of a second at most, unless the resolver of
    /// names blocks. A place may take `timeout` for its answer, `until` at the latest.
    pub(crate) fn look(
        &mut self,
        hosts: &[String],
        port: u16,
        timeout: Duration,
        until: Option<Instant>,
    ) -> Looked {
        let mut looked = Looked {
            outcome: Err(String::new()),
            refused: 0,
            is_awaited: false,
            requests: 0,
            failures: 0,
            malformed: 0,
        };
        let mut unknown = Vec::new();
        self.set_places(hosts, port, &mut unknown);
        let begun = Instant::now();
        for place in &mut self.places {
            place.begin(begun, timeout, &mut looked);
        }
        loop {
            for place in &mut self.places {
                place.progress(&mut looked);
            }
            let now = Instant::now();
            let until = until.unwrap_or(now + timeout);
            if let Some(best) = self.best(now, until) {
                looked.outcome = Ok(best);
                self.places.clear();
                return looked;
            }
            let end = if self.has_found() {
                begun + LOOK + GRACE
            } else {
                begun + LOOK
            };
            let end = end.min(until);
            if now >= end || !self.wait(end) {
                break;
            }
        }
        looked.is_awaited = self.places.iter().any(Place::is_awaited);
        let troubles = self.places.iter().map(Place::words);
        unknown.extend(troubles);
        looked.outcome = Err(unknown.join("; "));
        looked
    }

    /// Keeps the places of these hosts, and their attempts.
    fn set_places(&mut self, hosts: &[String], port: u16, unknown: &mut Vec<String>) {
        let addresses = hosts.iter().map(|host| Address::new(host, port));
        let addresses: Vec<Address> = addresses.collect();
        self.names.retain(|name| addresses.contains(&name.address));
        let mut known = std::mem::take(&mut self.places);
        // Names behind addresses: the resolver may block.
        let (literal, named): (Vec<_>, Vec<_>) = addresses
            .iter()
            .partition(|address| address.literal().is_some());
        for address in literal.into_iter().chain(named) {
            match self.resolve(address) {
                Ok(peers) => self.places.extend(peers.into_iter().map(|peer| {
                    let at = known.iter().position(|place| place.is(address, peer));
                    match at {
                        Some(at) => known.swap_remove(at),
                        None => Place::new(address.clone(), peer),
                    }
                })),
                Err(trouble) => unknown.push(trouble),
            }
        }
        // The order of the hosts is the order of preference.
        let rank = |place: &Place| addresses.iter().position(|known| *known == place.address);
        self.places.sort_by_key(rank);
    }

    fn resolve(&mut self, address: &Address) -> Result<Vec<SocketAddr>, String> {
        if let Some(peer) = address.literal() {
            return Ok(vec![peer]);
        }
        let begun = Instant::now();
        let known = self.names.iter().position(|name| name.address == *address);
        if let Some(name) = known.and_then(|at| self.names.get(at)) {
            if begun < name.next {
                return name.peers.clone();
            }
        }
        let peers = match address.resolve() {
            Ok(peers) if peers.is_empty() => Err(format!("{address}: the name has no address")),
            Ok(mut peers) => {
                peers.truncate(MAX_ADDRESSES);
                Ok(peers)
            }
            Err(error) => Err(format!("{address}: no connection ({error})")),
        };
        let now = Instant::now();
        let kept = (now - begun).saturating_mul(RESOLVED);
        let name = Name {
            address: address.clone(),
            peers: peers.clone(),
            next: now + kept.clamp(SHORTEST_KEPT, LONGEST_KEPT),
        };
        match known.and_then(|at| self.names.get_mut(at)) {
            Some(known) => *known = name,
            None => self.names.push(name),
        }
        peers
    }

    /// The first place with an agent, unless a better one may still answer.
    fn best(&mut self, now: Instant, until: Instant) -> Option<Found> {
        for place in &mut self.places {
            if place.found.is_some() {
                return place.found.take();
            }
            let silent = place.attempt.as_ref().and(place.silent);
            if silent.is_some_and(|since| now < since + GRACE) && now < until {
                return None;
            }
        }
        None
    }

    fn has_found(&self) -> bool {
        self.places.iter().any(|place| place.found.is_some())
    }

    /// False where there is nothing to wait for.
    fn wait(&mut self, until: Instant) -> bool {
        let attempts = self.places.iter_mut();
        let interests: Vec<Interest<'_>> = attempts
            .filter_map(|place| place.attempt.as_mut()?.exchange.interest())
            .collect();
        net::wait(&interests, until);
        !interests.is_empty()
    }
}

impl Place {
    fn new(address: Address, peer: SocketAddr) -> Self {
        Self {
            address,
            peer,
            attempt: None,
            silent: None,
            trouble: None,
            found: None,
        }
    }

    fn is(&self, address: &Address, peer: SocketAddr) -> bool {
        self.peer == peer && self.address == *address
    }

    /// Begins an attempt, unless one is under way that may still succeed.
    fn begin(&mut self, now: Instant, timeout: Duration, looked: &mut Looked) {
        self.found = None;
        if let Some(attempt) = &self.attempt {
            let patience = if attempt.exchange.is_written() {
                timeout
            } else {
                CONNECT.min(timeout)
            };
            if now < attempt.begun + patience {
                return;
            }
            self.attempt = None;
            looked.requests += 1;
            looked.failures += 1;
            self.trouble = Some(Error::Timeout(self.address.clone()).to_string());
        }
        let request = Request::bare(Method::Get, "/");
        match Link::dial(&self.peer) {
            Ok(link) => {
                let authority = self.address.authority();
                let exchange = Exchange::new(link, &request, authority, MAX_ANSWER);
                self.attempt = Some(Attempt {
                    exchange,
                    begun: now,
                });
                self.silent.get_or_insert(now);
            }
            Err(broken) => {
                looked.requests += 1;
                looked.failures += 1;
                self.failed(match broken {
                    Broken::Connect(error) => Failure::Connect(error),
                    _ => Failure::NotOurs,
                });
            }
        }
    }

    fn failed(&mut self, failure: Failure) {
        self.silent = None;
        self.trouble = Some(Error::new(&self.address, failure).to_string());
    }

    fn progress(&mut self, looked: &mut Looked) {
        let Some(attempt) = &mut self.attempt else {
            return;
        };
        let Some(outcome) = attempt.exchange.progress() else {
            return;
        };
        let Some(attempt) = self.attempt.take() else {
            return;
        };
        looked.requests += 1;
        if let Err(failure) = outcome {
            let malformed = matches!(failure, Failure::Malformed(_) | Failure::TooLarge);
            looked.malformed += u64::from(malformed);
            looked.failures += 1;
            return self.failed(failure);
        }
        let (answer, link) = attempt.exchange.finish();
        match lookup::accept(&answer) {
            Ok(()) => self.accepted(answer, link),
            Err(refusal) => self.refused(&answer, &refusal, looked),
        }
    }

    fn accepted(&mut self, answer: Response, link: Option<Link>) {
        let connection = Connection::new(self.address.clone(), self.peer).with(link);
        self.silent = None;
        self.found = Some(Found {
            connection,
            server: answer.server,
        });
    }

    fn refused(&mut self, answer: &Response, refusal: &Refusal, looked: &mut Looked) {
        looked.failures += u64::from(!answer.is_success());
        looked.malformed += 1;
        looked.refused += 1;
        self.silent = None;
        self.trouble = Some(format!("{} {refusal}", self.address));
    }

    /// Whether it has taken the request, and has not been silent for too long.
    fn is_awaited(&self) -> bool {
        let attempt = self.attempt.as_ref();
        let is_written = attempt.is_some_and(|attempt| attempt.exchange.is_written());
        is_written && self.trouble.is_none()
    }

    fn words(&self) -> String {
        match &self.trouble {
            Some(trouble) => trouble.clone(),
            None => format!("{}: no answer yet", self.address),
        }
    }
}

#[cfg(test)]
mod awaited_tests;
#[cfg(test)]
mod tests;
