//! HTTP/1.1 messages as far as the agent needs them: request heads, and an
//! incremental decoder for answers. Pure: no socket and no clock.

use std::mem::MaybeUninit;

use crate::base::json;

mod framing;

use self::framing::{Framing, has_blank_line, value};

/// The longest head of an answer in bytes, and the most headers in it.
const MAX_HEAD: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
/// The longest chunk-size line (extensions included) and trailer line in bytes.
const MAX_LINE: usize = 1024;
/// The most interim answers (1xx) before an answer. An agent sends none.
const MAX_INTERIM: u32 = 8;
/// The most bytes of an answer beyond its body, chunk sizes and trailers included, and how
/// many of them a byte of the body may bring along.
const MAX_OVERHEAD: usize = 64 * 1024;
const OVERHEAD_PER_BYTE: usize = 8;

/// The methods the protocol uses (docs/PROTOCOL.md, "Requests").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// Lookup.
    Get,
    /// Readiness.
    Head,
    /// Data.
    Post,
    /// Announce.
    Put,
}

impl Method {
    /// The method's name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// One request, borrowed from whoever made it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// The method.
    pub(crate) method: Method,
    /// Path and query, already percent-encoded.
    pub(crate) path: &'a str,
    /// The value of `Content-Type`; the header is left out without one.
    pub(crate) content_type: Option<&'a str>,
    /// One more header, name and value.
    pub(crate) header: Option<(&'a str, &'a str)>,
    /// The body; sent with its `Content-Length`.
    pub(crate) body: &'a [u8],
}

impl<'a> Request<'a> {
    /// A request without a body.
    pub(crate) fn bare(method: Method, path: &'a str) -> Self {
        Self {
            method,
            path,
            content_type: None,
            header: None,
            body: &[],
        }
    }

    /// A request with a JSON body. The agent gets no `User-Agent` and no
    /// `X-Instana-*` header from any tracer (docs/PROTOCOL.md, "Requests").
    pub(crate) fn json(method: Method, path: &'a str, body: &'a [u8]) -> Self {
        Self {
            method,
            path,
            content_type: Some("application/json"),
            header: None,
            body,
        }
    }

    /// Appends the request's head to `out`. `host` is the value of `Host`.
    pub(crate) fn write_head(&self, host: &str, out: &mut Vec<u8>) {
        let mut text = |part: &str| out.extend_from_slice(part.as_bytes());
        text(self.method.name());
        text(" ");
        text(self.path);
        text(" HTTP/1.1\r\nHost: ");
        text(host);
        text("\r\n");
        if let Some(content_type) = self.content_type {
            text("Content-Type: ");
            text(content_type);
            text("\r\n");
        }
        if let Some((name, value)) = self.header {
            text(name);
            text(": ");
            text(value);
            text("\r\n");
        }
        if matches!(self.method, Method::Post | Method::Put) {
            text("Content-Length: ");
            json::unsigned(out, self.body.len() as u64);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// A whole answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Response {
    /// The status code, 200 to 999.
    pub(crate) status: u16,
    /// The body, at most as long as the decoder's limit.
    pub(crate) body: Vec<u8>,
    /// Whether the head speaks of a body, which an answer to HEAD does not bring along.
    pub(crate) has_body: bool,
    /// The values of these headers in lower case, shortened; empty without one.
    pub(crate) content_type: String,
    pub(crate) server: String,
}

impl Response {
    /// Whether the status is 2xx.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not HTTP/1.x, or broken; says which part.
    Malformed(&'static str),
    /// The body is longer than the limit.
    TooLarge,
    /// The peer closed before the answer was complete.
    Truncated,
}

/// Takes the bytes of one answer as they come.
#[derive(Debug)]
pub(crate) struct Decoder {
    method: Method,
    limit: usize,
    stage: Stage,
    pending: Vec<u8>,
    response: Response,
    keep_alive: bool,
    /// Bytes that have come.
    received: usize,
    /// The status that the last head began with, 0 without one. It is known where the rest
    /// of the head cannot be read, too.
    status: u16,
    /// Interim answers that have come.
    interim: u32,
    /// How much of an unfinished head was parsed in vain, and was searched for its end.
    parsed: usize,
    seen: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Head,
    Length(usize),
    ChunkSize,
    ChunkData(usize),
    ChunkEnd,
    Trailer,
    UntilClose,
    Done,
}

impl Decoder {
    /// A decoder for the answer to a request with `method`. A body longer than
    /// `limit` bytes is a fault.
    pub(crate) fn new(method: Method, limit: usize) -> Self {
        Self {
            method,
            limit,
            stage: Stage::Head,
            pending: Vec::new(),
            response: Response::default(),
            keep_alive: true,
            received: 0,
            status: 0,
            interim: 0,
            parsed: 0,
            seen: 0,
        }
    }

    /// Takes the next bytes; true when the answer is complete.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<bool, Fault> {
        self.received = self.received.saturating_add(bytes.len());
        let mut pending = std::mem::take(&mut self.pending);
        pending.extend_from_slice(bytes);
        let mut at = 0;
        while self.stage != Stage::Done {
            let rest = pending.get(at..).unwrap_or_default();
            match self.step(rest)? {
                Some(used) => at += used,
                None => break,
            }
        }
        pending.drain(..at);
        let body = self.response.body.len();
        let frame = self.received.saturating_sub(pending.len() + body);
        if frame > MAX_OVERHEAD + body.saturating_mul(OVERHEAD_PER_BYTE) {
            return Err(Fault::Malformed("the answer has no end"));
        }
        // Bytes that nobody asked for: the connection is out of step.
        if self.stage == Stage::Done && !pending.is_empty() {
            self.keep_alive = false;
        }
        self.pending = pending;
        Ok(self.stage == Stage::Done)
    }

    /// The peer closed the connection.
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        self.keep_alive = false;
        match self.stage {
            Stage::Done => Ok(()),
            Stage::UntilClose => {
                self.stage = Stage::Done;
                Ok(())
            }
            _ => Err(Fault::Truncated),
        }
    }

    /// Whether any byte of an answer has come.
    pub(crate) fn started(&self) -> bool {
        self.received > 0
    }

    /// Whether the head of the answer has come, and says 2xx.
    pub(crate) fn is_success(&self) -> bool {
        self.response.is_success()
    }

    /// Whether the head of the answer has come, whatever becomes of its body.
    pub(crate) fn has_head(&self) -> bool {
        self.response.status > 0
    }

    /// The status that the last head began with, interim ones included; 0 without one.
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// The answer as far as it has come, and whether the connection can be used again.
    pub(crate) fn finish(self) -> (Response, bool) {
        (self.response, self.keep_alive)
    }

    /// Consumes a part of `rest`; `None` asks for more bytes.
    fn step(&mut self, rest: &[u8]) -> Result<Option<usize>, Fault> {
        match self.stage {
            Stage::Head => self.head(rest),
            Stage::Length(left) => {
                let used = self.take(rest, left)?;
                self.stage = match left - used {
                    0 => Stage::Done,
                    left => Stage::Length(left),
                };
                Ok((used > 0).then_some(used))
            }
            Stage::ChunkSize => self.chunk_size(rest),
            Stage::ChunkData(left) => {
                let used = self.take(rest, left)?;
                self.stage = match left - used {
                    0 => Stage::ChunkEnd,
                    left => Stage::ChunkData(left),
                };
                Ok((used > 0).then_some(used))
            }
            Stage::ChunkEnd => match rest {
                [b'\r', b'\n', ..] => {
                    self.stage = Stage::ChunkSize;
                    Ok(Some(2))
                }
                [] | [b'\r'] => Ok(None),
                _ => Err(Fault::Malformed("a chunk is longer than its size")),
            },
            Stage::Trailer => self.trailer(rest),
            Stage::UntilClose => {
                let used = self.take(rest, usize::MAX)?;
                Ok((used > 0).then_some(used))
            }
            Stage::Done => Ok(None),
        }
    }

    fn head(&mut self, rest: &[u8]) -> Result<Option<usize>, Fault> {
        // One that comes byte by byte is not parsed for each of them.
        let fresh = rest.get(self.seen.saturating_sub(2)..).unwrap_or_default();
        self.seen = rest.len();
        if !has_blank_line(fresh) && rest.len() < (self.parsed * 2).min(MAX_HEAD) {
            return Ok(None);
        }
        self.parsed = rest.len();
        // Not written to before: most answers have few.
        let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
        let mut head = httparse::Response::new(&mut []);
        let parser = httparse::ParserConfig::default();
        let parsed = parser.parse_response_with_uninit_headers(&mut head, rest, &mut headers);
        self.status = head.code.unwrap_or_default();
        let used = match parsed {
            Ok(httparse::Status::Complete(used)) => used,
            Ok(httparse::Status::Partial) if rest.len() > MAX_HEAD => {
                return Err(Fault::Malformed("the head is too long"));
            }
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => {
                return Err(Fault::Malformed("too many headers"));
            }
            Err(_) => return Err(Fault::Malformed("the answer is not HTTP")),
        };
        let status = self.status;
        match status {
            101 => return Err(Fault::Malformed("the answer switches protocols")),
            // Interim answers: the real one follows.
            100..=199 if self.interim < MAX_INTERIM => {
                self.interim += 1;
                (self.parsed, self.seen) = (0, 0);
                return Ok(Some(used));
            }
            100..=199 => return Err(Fault::Malformed("the answer has no end")),
            200..=999 => {}
            _ => return Err(Fault::Malformed("no such status code")),
        }
        let framing = Framing::of(head.version == Some(1), head.headers)?;
        self.keep_alive = framing.keep_alive;
        self.response.status = status;
        self.response.has_body = !matches!(framing.stage, Stage::Length(0) | Stage::UntilClose);
        self.response.content_type = value(head.headers, "content-type");
        self.response.server = value(head.headers, "server");
        self.stage = if self.method == Method::Head || status == 204 || status == 304 {
            // Some send the body that they must not send, and it may come later.
            self.keep_alive &= matches!(framing.stage, Stage::Length(0) | Stage::UntilClose);
            Stage::Done
        } else {
            framing.stage
        };
        match self.stage {
            Stage::Length(length) if length > self.limit => return Err(Fault::TooLarge),
            Stage::Length(0) => self.stage = Stage::Done,
            Stage::UntilClose => self.keep_alive = false,
            _ => {}
        }
        Ok(Some(used))
    }

    fn chunk_size(&mut self, rest: &[u8]) -> Result<Option<usize>, Fault> {
        match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete((used, 0))) => {
                self.stage = Stage::Trailer;
                Ok(Some(used))
            }
            Ok(httparse::Status::Complete((used, size))) => {
                let size = usize::try_from(size).map_err(|_| Fault::TooLarge)?;
                if size > self.limit.saturating_sub(self.response.body.len()) {
                    return Err(Fault::TooLarge);
                }
                self.stage = Stage::ChunkData(size);
                Ok(Some(used))
            }
            Ok(httparse::Status::Partial) if rest.len() <= MAX_LINE => Ok(None),
            _ => Err(Fault::Malformed("a chunk without a size")),
        }
    }

    fn trailer(&mut self, rest: &[u8]) -> Result<Option<usize>, Fault> {
        match rest.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                let line = rest.get(..end).unwrap_or_default();
                if line.is_empty() || line == b"\r" {
                    self.stage = Stage::Done;
                }
                Ok(Some(end + 1))
            }
            None if rest.len() > MAX_LINE => Err(Fault::Malformed("the trailer is too long")),
            None => Ok(None),
        }
    }

    /// Moves at most `most` bytes to the body.
    fn take(&mut self, rest: &[u8], most: usize) -> Result<usize, Fault> {
        let used = rest.len().min(most);
        if used > self.limit.saturating_sub(self.response.body.len()) {
            return Err(Fault::TooLarge);
        }
        self.response
            .body
            .extend_from_slice(rest.get(..used).unwrap_or_default());
        Ok(used)
    }
}

#[cfg(test)]
mod tests;
