//! HTTP/1.1 messages as far as the agent needs them: request heads, and an
//! incremental decoder for answers. Pure: no socket and no clock.

use std::mem::MaybeUninit;

use crate::json;

/// The longest head of an answer in bytes, and the most headers in it.
const MAX_HEAD: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
/// The longest chunk-size line (extensions included) and trailer line in bytes.
const MAX_LINE: usize = 1024;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    /// The status code, 200 to 999.
    pub(crate) status: u16,
    /// The body, at most as long as the decoder's limit.
    pub(crate) body: Vec<u8>,
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
    status: u16,
    body: Vec<u8>,
    keep_alive: bool,
    started: bool,
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
            status: 0,
            body: Vec::new(),
            keep_alive: true,
            started: false,
        }
    }

    /// Takes the next bytes; true when the answer is complete.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<bool, Fault> {
        self.started |= !bytes.is_empty();
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
        self.started
    }

    /// The complete answer, and whether the connection can be used again.
    pub(crate) fn finish(self) -> (Response, bool) {
        let response = Response {
            status: self.status,
            body: self.body,
        };
        (response, self.keep_alive)
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
        // Not written to before: most answers have few.
        let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
        let mut head = httparse::Response::new(&mut []);
        let parser = httparse::ParserConfig::default();
        let used = match parser.parse_response_with_uninit_headers(&mut head, rest, &mut headers) {
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
        let status = head.code.unwrap_or_default();
        match status {
            101 => return Err(Fault::Malformed("the answer switches protocols")),
            // Interim answers: the real one follows.
            100..=199 => return Ok(Some(used)),
            200..=999 => {}
            _ => return Err(Fault::Malformed("no such status code")),
        }
        let framing = Framing::of(head.version == Some(1), head.headers)?;
        self.status = status;
        self.keep_alive = framing.keep_alive;
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
                if size > self.limit.saturating_sub(self.body.len()) {
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
        if used > self.limit.saturating_sub(self.body.len()) {
            return Err(Fault::TooLarge);
        }
        self.body
            .extend_from_slice(rest.get(..used).unwrap_or_default());
        Ok(used)
    }
}

/// How an answer's body ends, and whether another one may follow it.
struct Framing {
    stage: Stage,
    keep_alive: bool,
}

impl Framing {
    /// RFC 9112, section 6.3, for an answer that may have a body.
    fn of(http_1_1: bool, headers: &[httparse::Header<'_>]) -> Result<Self, Fault> {
        let mut length = None;
        let mut chunked = None;
        let mut keep_alive = http_1_1;
        for header in headers {
            let is = |name| header.name.eq_ignore_ascii_case(name);
            let mut words = header
                .value
                .split(|byte| *byte == b',')
                .map(<[u8]>::trim_ascii);
            if is("content-length") {
                for word in words {
                    let number = parse_length(word)?;
                    if length.is_some_and(|known| known != number) {
                        return Err(Fault::Malformed("two different lengths"));
                    }
                    length = Some(number);
                }
            } else if is("transfer-encoding") {
                let last = words.next_back();
                chunked = last.map(|word| word.eq_ignore_ascii_case(b"chunked"));
            } else if is("connection") {
                for word in words {
                    if word.eq_ignore_ascii_case(b"close") {
                        keep_alive = false;
                    } else if word.eq_ignore_ascii_case(b"keep-alive") && !http_1_1 {
                        keep_alive = true;
                    }
                }
            }
        }
        // Both a length and a coding: the coding wins, the connection is suspect.
        keep_alive &= chunked.is_none() || length.is_none();
        let stage = match (chunked, length) {
            (Some(true), _) => Stage::ChunkSize,
            (Some(false), _) | (None, None) => Stage::UntilClose,
            (None, Some(length)) => Stage::Length(length),
        };
        Ok(Self { stage, keep_alive })
    }
}

fn parse_length(word: &[u8]) -> Result<usize, Fault> {
    if word.is_empty() || !word.iter().all(u8::is_ascii_digit) {
        return Err(Fault::Malformed("the length is not a number"));
    }
    let add = |length: usize, digit: &u8| {
        length
            .checked_mul(10)?
            .checked_add(usize::from(digit - b'0'))
    };
    word.iter().try_fold(0, add).ok_or(Fault::TooLarge)
}

#[cfg(test)]
mod tests;
