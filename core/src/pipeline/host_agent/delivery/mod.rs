//! A request that is on its way while everything else goes on. Spans, events, lines for the
//! agent's log, and all others have one each, with a connection of its own.

use std::time::{Duration, Instant};

use crate::pipeline::host_agent::address::Address;
use crate::pipeline::host_agent::connection::{Connection, Error, MAX_ANSWER, was_stale};
use crate::pipeline::host_agent::exchange::{Exchange, Failure};
use crate::pipeline::host_agent::http::{Method, Request, Response};
use crate::pipeline::host_agent::net::Interest;

/// At most one request, and the connection for it.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    connection: Option<Connection>,
    flight: Option<Flight>,
    /// The body of the last request, for its memory.
    body: Vec<u8>,
}

/// What is sent.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// One more header, name and value.
    pub(crate) header: Option<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// A POST of JSON.
    pub(crate) fn post(path: String, body: Vec<u8>) -> Self {
        Self {
            method: Method::Post,
            path,
            header: None,
            body,
        }
    }

    fn request(&self) -> Request<'_> {
        let mut request = match self.method {
            Method::Get | Method::Head => Request::bare(self.method, &self.path),
            Method::Post | Method::Put => Request::json(self.method, &self.path, &[]),
        };
        let header = self.header.as_ref();
        request.header = header.map(|(name, value)| (*name, value.as_str()));
        request
    }
}

#[derive(Debug)]
struct Flight {
    /// What came of it before it began: there is no connection.
    exchange: Result<Exchange, Failure>,
    address: Address,
    /// Without its body.
    message: Message,
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
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) outcome: Result<Response, Error>,
    /// How much of the request the agent may have, where there is no answer.
    pub(crate) progress: Progress,
    /// It was sent a second time, and the agent may have had it from the first.
    pub(crate) maybe_twice: bool,
    /// The answer cannot be read, and does not refuse the request as far as it can.
    pub(crate) may_be_accepted: bool,
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

    /// Requests go over this connection from now on.
    pub(crate) fn set_connection(&mut self, connection: Option<Connection>) {
        self.connection = connection;
    }

    /// The connection, while no request is on its way.
    pub(crate) fn connection(&mut self) -> Option<&mut Connection> {
        self.connection.as_mut()
    }

    /// Where it leads.
    pub(crate) fn address(&self) -> Option<&Address> {
        self.connection.as_ref().map(Connection::address)
    }

    /// Whether a request is on its way.
    pub(crate) fn is_busy(&self) -> bool {
        self.flight.is_some()
    }

    /// Begins a request: POST of `body`. It ends at `deadline` at the latest.
    pub(crate) fn begin(&mut self, path: String, body: Vec<u8>, deadline: Instant) {
        self.send(Message::post(path, body), deadline);
    }

    /// Begins a request. It ends at `deadline` at the latest.
    pub(crate) fn send(&mut self, mut message: Message, deadline: Instant) {
        let body = std::mem::take(&mut message.body);
        let exchange = if Instant::now() < deadline {
            self.exchange(&message, body, false)
        } else {
            Err(Failure::Timeout)
        };
        let address = self.connection.as_ref().map(Connection::address);
        self.flight = Some(Flight {
            exchange,
            address: address.cloned().unwrap_or_else(|| Address::new("", 0)),
            message,
            deadline,
            is_resent: false,
            maybe_twice: false,
            is_elsewhere: false,
        });
    }

    /// What has to happen for the request to go on.
    pub(crate) fn interest(&mut self) -> Option<Interest<'_>> {
        self.flight.as_mut()?.exchange.as_mut().ok()?.interest()
    }

    /// Until when it is on its way at the latest.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        Some(self.flight.as_ref()?.deadline)
    }

    /// Time in which nobody looked after the request does not count.
    pub(crate) fn extend(&mut self, time: Duration) {
        if let Some(flight) = &mut self.flight {
            flight.deadline += time;
        }
    }

    /// Lets the request go on; what came of it, once it has ended.
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
            match failure {
                Some(failure) if flight.is_stale(&failure) => {
                    flight = self.resend(flight, &failure);
                }
                failure => return Some(self.finish(flight, failure)),
            }
        }
    }

    /// Gives the request up.
    pub(crate) fn abandon(&mut self) {
        self.flight = None;
    }

    /// Closes the connection: the next request goes over a new one, and so is sent once.
    pub(crate) fn disconnect(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.disconnect();
        }
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

    fn exchange(
        &mut self,
        message: &Message,
        body: Vec<u8>,
        fresh: bool,
    ) -> Result<Exchange, Failure> {
        let Some(connection) = &mut self.connection else {
            return Err(Failure::Closed { answered: false });
        };
        let link = if fresh {
            connection.fresh_link()
        } else {
            connection.link()
        }?;
        let request = message.request();
        let host = connection.address().authority();
        Ok(Exchange::owning(link, &request, host, body, MAX_ANSWER))
    }

    fn resend(&mut self, flight: Flight, failure: &Failure) -> Flight {
        let exchange = flight.exchange.as_ref();
        let progress = exchange.map_or(Progress::Nothing, |it| Progress::of(it, failure));
        let was_whole = progress == Progress::Whole;
        let body = flight.exchange.map(|mut exchange| exchange.take_body());
        Flight {
            exchange: self.exchange(&flight.message, body.unwrap_or_default(), true),
            is_resent: true,
            maybe_twice: was_whole,
            ..flight
        }
    }

    fn finish(&mut self, flight: Flight, failure: Option<Failure>) -> Delivered {
        let mut delivered = Delivered {
            method: flight.message.method,
            path: flight.message.path,
            outcome: Ok(Response::default()),
            progress: Progress::Nothing,
            maybe_twice: flight.maybe_twice,
            may_be_accepted: false,
        };
        let failure = match (flight.exchange, failure) {
            (Err(failure), _) => failure,
            (Ok(mut exchange), Some(failure)) => {
                self.body = exchange.take_body();
                delivered.progress = Progress::of(&exchange, &failure);
                delivered.may_be_accepted = exchange.may_be_accepted();
                let is_broken = matches!(failure, Failure::Malformed(_) | Failure::TooLarge);
                if exchange.is_decided() && !(is_broken && delivered.may_be_accepted) {
                    // What is missing of the body is of no account.
                    delivered.outcome = Ok(exchange.finish().0);
                    return delivered;
                }
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
    fn is_stale(&self, failure: &Failure) -> bool {
        let is_reused = self.exchange.as_ref().is_ok_and(Exchange::is_reused);
        is_reused && !self.is_resent && was_stale(failure)
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
mod answer_tests;
#[cfg(test)]
mod tests;
