//! One request and its answer over a [`Link`]: goes on as far as it can whenever it is
//! asked to, and never waits.

use std::io;

use crate::pipeline::host_agent::http::{Decoder, Fault, Method, Request, Response};
use crate::pipeline::host_agent::link::{Broken, Link};
use crate::pipeline::host_agent::net::Interest;

/// Bodies up to this size leave together with their head.
const ONE_PACKET: usize = 16 * 1024;
/// Bytes of an answer that are read at once. Most have fewer.
const READ_PART: usize = 4 * 1024;

/// A request on its way, or its answer.
#[derive(Debug)]
pub(crate) struct Exchange {
    link: Link,
    /// The head, and the body if it is small.
    head: Vec<u8>,
    body: Vec<u8>,
    /// Whether the body is sent behind the head, not with it.
    is_split: bool,
    stage: Stage,
    decoder: Decoder,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Connecting,
    /// So many bytes of the head were written.
    Head(usize),
    /// So many bytes of the body were written.
    Body(usize),
    /// All was written: the answer is awaited.
    Answer,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The peer closed the connection, maybe after a part of an answer.
    Closed { answered: bool },
    /// There is no connection.
    Connect(io::Error),
    /// The peer does not speak HTTP, or speaks it wrongly; says what is wrong.
    Malformed(&'static str),
    /// The application has closed or replaced our descriptor.
    NotOurs,
    /// The peer broke the connection off and did not take all of the request.
    Reset { answered: bool },
    /// The deadline passed.
    Timeout,
    /// The answer is longer than the limit.
    TooLarge,
}

impl Exchange {
    /// A request whose body is sent together with its head. `host` is the value of
    /// `Host`, `limit` the longest body of an answer.
    pub(crate) fn new(link: Link, request: &Request<'_>, host: &str, limit: usize) -> Self {
        let mut head = Vec::new();
        request.write_head(host, &mut head);
        head.extend_from_slice(request.body);
        Self::of(link, head, Vec::new(), request.method, limit)
    }

    /// A request with a body of its own, in place of `request`'s.
    pub(crate) fn owning(
        link: Link,
        request: &Request<'_>,
        host: &str,
        body: Vec<u8>,
        limit: usize,
    ) -> Self {
        let request = Request {
            body: &body,
            ..*request
        };
        if body.len() <= ONE_PACKET {
            let mut exchange = Self::new(link, &request, host, limit);
            exchange.body = body;
            return exchange;
        }
        let mut head = Vec::new();
        request.write_head(host, &mut head);
        let method = request.method;
        let mut exchange = Self::of(link, head, body, method, limit);
        exchange.is_split = true;
        exchange
    }

    fn of(link: Link, head: Vec<u8>, body: Vec<u8>, method: Method, limit: usize) -> Self {
        Self {
            link,
            head,
            body,
            is_split: false,
            stage: Stage::Connecting,
            decoder: Decoder::new(method, limit),
        }
    }

    /// Goes on as far as it can; `None`: more is to come.
    pub(crate) fn progress(&mut self) -> Option<Result<(), Failure>> {
        loop {
            let outcome = match self.stage {
                Stage::Connecting => match self.link.connected() {
                    Ok(false) => return None,
                    Ok(true) => {
                        self.stage = Stage::Head(0);
                        continue;
                    }
                    Err(broken) => Err(self.failure(broken)),
                },
                Stage::Head(_) | Stage::Body(_) => match self.write() {
                    Ok(true) => continue,
                    // Most answers take a while: they are waited for first.
                    Ok(false) if self.stage == Stage::Answer => return None,
                    Ok(false) => return self.read().and_then(|read| self.early(read)).transpose(),
                    Err(broken) => match self.read() {
                        Ok(Some(())) => self.early(Some(())).map(|_| ()),
                        Ok(None) | Err(_) => Err(self.failure(broken)),
                    },
                },
                Stage::Answer => return self.read().transpose(),
            };
            return Some(outcome);
        }
    }

    /// What has to happen for it to go on.
    pub(crate) fn interest(&mut self) -> Option<Interest<'_>> {
        self.link.interest(self.stage != Stage::Answer)
    }

    /// Whether the whole request has left: the peer may have it.
    pub(crate) fn is_written(&self) -> bool {
        self.stage == Stage::Answer
    }

    /// Whether the link has carried another exchange before.
    pub(crate) fn is_reused(&self) -> bool {
        self.link.is_used
    }

    /// Whether the peer has decided about the request, although its answer broke off: a
    /// refusal, or a success after all of the request had left.
    pub(crate) fn is_decided(&self) -> bool {
        let is_success = self.decoder.is_success();
        self.decoder.has_head() && (self.is_written() || !is_success)
    }

    /// Whether what cannot be read of the answer does not refuse the request.
    pub(crate) fn may_be_accepted(&self) -> bool {
        self.is_written() && (100..300).contains(&self.decoder.status())
    }

    /// The answer, and the link if it can be used again; after `progress` has said that
    /// all went well.
    pub(crate) fn finish(self) -> (Response, Option<Link>) {
        let is_written = self.is_written();
        let (response, keep_alive) = self.decoder.finish();
        let mut link = self.link;
        link.is_used = true;
        (response, (keep_alive && is_written).then_some(link))
    }

    /// Takes the body out, for another use.
    pub(crate) fn take_body(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.body)
    }

    /// Writes a part; false where there is no room, or nothing left.
    fn write(&mut self) -> Result<bool, Broken> {
        let (bytes, at) = match self.stage {
            Stage::Head(at) => (&self.head, at),
            Stage::Body(at) => (&self.body, at),
            Stage::Connecting | Stage::Answer => return Ok(false),
        };
        let count = self.link.write(bytes.get(at..).unwrap_or_default())?;
        let is_whole = at + count >= bytes.len();
        self.stage = match self.stage {
            Stage::Head(_) if is_whole && self.is_split => Stage::Body(0),
            _ if is_whole => Stage::Answer,
            Stage::Head(_) => Stage::Head(at + count),
            _ => Stage::Body(at + count),
        };
        Ok(count > 0 && self.stage != Stage::Answer)
    }

    /// Judges an answer that came before the peer could have all of the request: it may
    /// refuse it (413, say), and cannot have accepted it.
    fn early(&self, read: Option<()>) -> Result<Option<()>, Failure> {
        if read.is_some() && self.decoder.is_success() {
            return Err(Failure::Malformed("a success before the request was sent"));
        }
        Ok(read)
    }

    /// Reads what there is of the answer; `None`: not all of it has come.
    fn read(&mut self) -> Result<Option<()>, Failure> {
        let mut part = [0; READ_PART];
        loop {
            let complete = match self.link.read(&mut part) {
                Ok(None) => return Ok(None),
                Ok(Some(0)) => self.decoder.end().map(|()| true),
                Ok(Some(count)) => self.decoder.feed(part.get(..count).unwrap_or_default()),
                Err(broken) => return Err(self.failure(broken)),
            };
            match complete {
                Ok(true) => return Ok(Some(())),
                Ok(false) => {}
                Err(Fault::Malformed(what)) => return Err(Failure::Malformed(what)),
                Err(Fault::TooLarge) => return Err(Failure::TooLarge),
                Err(Fault::Truncated) => return Err(self.failure(Broken::Closed)),
            }
        }
    }

    fn failure(&self, broken: Broken) -> Failure {
        let answered = self.decoder.started();
        match broken {
            Broken::Closed => Failure::Closed { answered },
            Broken::Connect(error) => Failure::Connect(error),
            Broken::NotOurs => Failure::NotOurs,
            Broken::Reset => Failure::Reset { answered },
        }
    }
}
