//! The request of spans that is on its way, over a connection of its own: metrics, events
//! and all others go on meanwhile, over theirs.

use std::time::{Duration, Instant};

use crate::agent::address::Address;
use crate::agent::connection::{Connection, Error, MAX_ANSWER, was_stale};
use crate::agent::exchange::{Exchange, Failure};
use crate::agent::http::{Method, Request, Response};
use crate::agent::net;

/// At most one request, and the connection for it.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    connection: Option<Connection>,
    flight: Option<Flight>,
    /// The body of the last request, for its memory.
    body: Vec<u8>,
}

#[derive(Debug)]
struct Flight {
    /// What came of it before it began: there is no connection.
    exchange: Result<Exchange, Failure>,
    address: Address,
    path: String,
    deadline: Instant,
    /// It was sent a second time, for the connection had been closed by then.
    is_resent: bool,
    maybe_twice: bool,
    /// The connection has another place by now.
    is_elsewhere: bool,
}

/// What came of a request.
#[derive(Debug)]
pub(crate) struct Delivered {
    pub(crate) path: String,
    pub(crate) outcome: Result<Response, Error>,
    /// How much of the request the agent may have, where there is no answer.
    pub(crate) progress: Progress,
    /// It was sent a second time, and the agent may have had it from the first.
    pub(crate) maybe_twice: bool,
}

/// How far a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// There was no connection.
    Nothing,
    /// Not all of it left.
    Part,
    /// All of it left.
    Whole,
}

impl Delivery {
    /// Requests go where `connection` leads from now on, over another one.
    pub(crate) fn set_place(&mut self, connection: &Connection) {
        let known = self.connection.as_ref();
        if known.is_some_and(|known| known.is_like(connection)) {
            return;
        }
        self.connection = Some(connection.another());
        if let Some(flight) = &mut self.flight {
            flight.is_elsewhere = true;
        }
    }

    /// Begins a request: POST of `body`. It is over at `deadline` at the latest.
    pub(crate) fn begin(&mut self, path: String, body: Vec<u8>, deadline: Instant) {
        let exchange = self.exchange(&path, body, false);
        let address = self.connection.as_ref().map(Connection::address);
        self.flight = Some(Flight {
            exchange,
            address: address.cloned().unwrap_or_else(|| Address::new("", 0)),
            path,
            deadline,
            is_resent: false,
            maybe_twice: false,
            is_elsewhere: false,
        });
    }

    /// Waits until the request can go on, `until` at the latest.
    pub(crate) fn wait(&mut self, until: Instant) {
        let Some(flight) = &mut self.flight else {
            return;
        };
        let until = until.min(flight.deadline);
        if let Ok(exchange) = &mut flight.exchange {
            if let Some(interest) = exchange.interest() {
                net::wait(&[interest], until);
            }
        }
    }

    /// Time in which nobody looked after the request does not count.
    pub(crate) fn extend(&mut self, time: Duration) {
        if let Some(flight) = &mut self.flight {
            flight.deadline += time;
        }
    }

    /// Lets the request go on; what came of it, once it is over.
    pub(crate) fn poll(&mut self) -> Option<Delivered> {
        let mut flight = self.flight.take()?;
        loop {
            let outcome = match &mut flight.exchange {
                Ok(exchange) => exchange.progress(),
                Err(_) => Some(Ok(())),
            };
            let failure = match outcome {
                None if Instant::now() < flight.deadline => {
                    self.flight = Some(flight);
                    return None;
                }
                None => Some(Failure::Timeout),
                Some(Ok(())) => None,
                Some(Err(failure)) => Some(failure),
            };
            if !flight.is_stale(failure.as_ref()) {
                return Some(self.finish(flight, failure));
            }
            flight = self.resend(flight);
        }
    }

    /// Gives the request up.
    pub(crate) fn abandon(&mut self) {
        self.flight = None;
    }

    /// An empty body with the memory of the last one.
    pub(crate) fn take_body(&mut self) -> Vec<u8> {
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        body
    }

    /// Keeps the memory of a body for the next request.
    pub(crate) fn keep_body(&mut self, body: Vec<u8>) {
        self.body = body;
    }

    fn exchange(&mut self, path: &str, body: Vec<u8>, fresh: bool) -> Result<Exchange, Failure> {
        let Some(connection) = &mut self.connection else {
            return Err(Failure::Closed { answered: false });
        };
        let link = if fresh {
            connection.fresh_link()
        } else {
            connection.link()
        }?;
        let request = Request::json(Method::Post, path, &[]);
        let host = connection.address().authority();
        Ok(Exchange::owning(link, &request, host, body, MAX_ANSWER))
    }

    fn resend(&mut self, flight: Flight) -> Flight {
        let was_whole = flight.exchange.as_ref().is_ok_and(Exchange::is_written);
        let body = flight.exchange.map(|mut exchange| exchange.take_body());
        Flight {
            exchange: self.exchange(&flight.path, body.unwrap_or_default(), true),
            is_resent: true,
            maybe_twice: was_whole,
            ..flight
        }
    }

    fn finish(&mut self, flight: Flight, failure: Option<Failure>) -> Delivered {
        let mut delivered = Delivered {
            path: flight.path,
            outcome: Ok(Response::default()),
            progress: Progress::Nothing,
            maybe_twice: flight.maybe_twice,
        };
        let failure = match (flight.exchange, failure) {
            (Err(failure), _) => failure,
            (Ok(mut exchange), Some(failure)) => {
                self.body = exchange.take_body();
                delivered.progress = Progress::of(&exchange, &failure);
                failure
            }
            (Ok(mut exchange), None) => {
                self.body = exchange.take_body();
                let (answer, link) = exchange.finish();
                let place = self.connection.as_mut().filter(|_| !flight.is_elsewhere);
                if let Some(connection) = place {
                    connection.keep(link);
                }
                delivered.progress = Progress::Whole;
                delivered.outcome = Ok(answer);
                return delivered;
            }
        };
        delivered.outcome = Err(Error::new(&flight.address, failure));
        delivered
    }
}

impl Flight {
    /// Whether the request went over a connection that had been closed by then.
    fn is_stale(&self, failure: Option<&Failure>) -> bool {
        let is_reused = self.exchange.as_ref().is_ok_and(Exchange::is_reused);
        is_reused && !self.is_resent && failure.is_some_and(was_stale)
    }
}

impl Progress {
    fn of(exchange: &Exchange, failure: &Failure) -> Self {
        match failure {
            Failure::Connect(_) => Self::Nothing,
            // The peer says so itself.
            Failure::Reset { answered: false } => Self::Part,
            _ if exchange.is_written() => Self::Whole,
            _ => Self::Part,
        }
    }
}

#[cfg(test)]
mod tests;
