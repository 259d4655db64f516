//! Serves one connection: reads requests, applies faults and sends answers.

use std::fmt;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::body::Incoming as Stream;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request as HttpRequest};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};

use super::bodies::{Bodies, Upload, Whole};
use super::connections::{Connection, Phase, Timeouts};
use super::io::{FaultyIo, Output};
use super::reply::{self, Reply};
use super::{access, control};
use crate::clock::now_ms;
use crate::fault::What;
use crate::handler::handle;
use crate::protocol::{Body, Ends, Incoming, Route};
use crate::state::{Request, Shared, State};
use crate::validate::{Report, Rule};

/// The largest body that is read.
const BODY_LIMIT: usize = 50 * 1024 * 1024;
/// How much of a body the request log keeps.
const LOGGED: usize = 4096;
/// The largest head, and what is read at once.
const HEAD_LIMIT: usize = 16 * 1024;
/// A body in more pieces has pieces of at least `PIECE` bytes on average.
const PIECES: usize = 100_000;
const PIECE: usize = 64;

/// The state that the connections of an agent share.
#[derive(Debug)]
pub(super) struct Hub {
    pub(super) shared: Arc<Shared>,
    pub(super) bodies: Arc<Bodies>,
    pub(super) timeouts: Timeouts,
    /// One long answer at a time is in memory.
    pub(super) answers: Arc<Semaphore>,
}

/// Serves one connection until it ends, is hung up, or has been idle for too long.
pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    hub: Arc<Hub>,
    connection: Arc<Connection>,
    mut hang_up: watch::Receiver<u64>,
) {
    let _ = stream.set_nodelay(true);
    let local = stream.local_addr().unwrap_or(peer);
    let io = FaultyIo::new(stream, Arc::clone(&connection));
    let exchange = Exchange {
        hub: Arc::clone(&hub),
        connection: Arc::clone(&connection),
        ends: Ends { peer, local },
        output: io.output(),
    };
    let service = service_fn(move |request| exchange.clone().serve(request));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(HEAD_LIMIT)
        .serve_connection(TokioIo::new(io), service);
    tokio::select! {
        ended = served => {
            if let Err(error) = ended {
                if error.is_parse() {
                    hub.shared.change(|state| not_http(state, peer, &error));
                }
            }
        }
        _ = hang_up.changed() => {}
        () = connection.over(hub.timeouts) => {}
    }
}

fn not_http(state: &mut State, peer: SocketAddr, error: &hyper::Error) {
    let mut report = Report::new(
        state.next_seq(),
        format!("connection from {peer}"),
        None,
        "",
    );
    report.text(Rule::HttpSyntax, "request", "", error.to_string());
    state.record(report);
}

/// The request is not answered; the connection is closed.
#[derive(Debug)]
struct Unanswered;

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not answered on purpose")
    }
}

impl std::error::Error for Unanswered {}

#[derive(Clone, Debug)]
struct Exchange {
    hub: Arc<Hub>,
    connection: Arc<Connection>,
    ends: Ends,
    output: Output,
}

/// Why a body did not arrive.
enum Broken {
    /// It is too large.
    Large,
    /// It comes in too many pieces.
    Pieces,
    /// The connection was closed before its end.
    Short,
    /// It was dropped to make room for others.
    GivenUp,
}

impl Exchange {
    async fn serve(self, request: HttpRequest<Stream>) -> Result<Reply, Unanswered> {
        self.connection.set(Phase::Body);
        let (head, body) = request.into_parts();
        let shared = &self.hub.shared;
        if let Some(refused) =
            access::refuse_foreign(shared, &head.method, &head.uri, &head.headers)
        {
            self.connection.set(Phase::Idle);
            return Ok(refused);
        }
        let path = head.uri.path().to_owned();
        let route = Route::of(&path);
        let is_dev = route == Route::Dev;
        let mut incoming = Incoming {
            seq: if is_dev {
                0
            } else {
                shared.change(State::next_seq)
            },
            ends: self.ends,
            method: head.method.as_str().to_owned(),
            path,
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: texts(&head.headers),
            body: Body::default(),
        };
        if is_dev {
            if let Some(refused) = access::refuse_stranger(shared, &incoming) {
                self.connection.set(Phase::Idle);
                return Ok(refused);
            }
        }
        let upload = self.hub.bodies.begin();
        if let Err(broken) = gather(body, &upload).await {
            return self.unreadable(&incoming, &route, &broken);
        }
        self.connection.set(Phase::Answer);
        if is_dev {
            let Some(mut whole) = upload.finish() else {
                return Err(Unanswered);
            };
            incoming.body = std::mem::take(&mut whole.body);
            let reply = control::serve(&self.hub, &incoming).await;
            self.connection.set(Phase::Reading);
            return Ok(reply);
        }
        let reply = self.protocol(incoming, upload, &route).await;
        self.connection.set(Phase::Idle);
        reply
    }

    async fn protocol(
        &self,
        mut incoming: Incoming,
        upload: Upload,
        route: &Route,
    ) -> Result<Reply, Unanswered> {
        let kind = route.kind(&incoming.method);
        let whole = upload.finish().ok_or(Unanswered)?;
        let shared = &self.hub.shared;
        let fault = shared.change(|state| {
            let fault = state.take_fault(kind, &incoming.method, route.pid());
            let age = state.age();
            let logged = self.log(&incoming, &whole.body, route, fault.is_some());
            state.requests.push(age, logged);
            fault
        });
        let mut unhang = shared.unhang.subscribe();
        match fault {
            None => Ok(self.answer(&mut incoming, whole, route, None)),
            Some(What::Body(body)) => Ok(self.answer(&mut incoming, whole, route, Some(body))),
            Some(What::Delay(delay)) => {
                tokio::time::sleep(delay).await;
                Ok(self.answer(&mut incoming, whole, route, None))
            }
            Some(What::Status(status)) => {
                self.answered(incoming.seq, status);
                Ok(reply::text(status, String::new()))
            }
            Some(What::Garbage(bytes)) => {
                self.output.replace(bytes);
                Ok(reply::last(200, String::new()))
            }
            Some(What::Truncated) => {
                self.output.half();
                Ok(reply::last(200, "[]".to_owned()))
            }
            Some(What::Hang) => {
                drop(whole);
                if unhang.changed().await.is_err() {
                    pending::<()>().await;
                }
                Err(Unanswered)
            }
            Some(What::Drop) => Err(Unanswered),
        }
    }

    fn answer(
        &self,
        incoming: &mut Incoming,
        mut whole: Whole,
        route: &Route,
        body: Option<String>,
    ) -> Reply {
        let shared = &self.hub.shared;
        incoming.body = std::mem::take(&mut whole.body);
        let answer = shared.change(|state| handle(state, incoming, route));
        incoming.body = Body::default();
        drop(whole);
        if matches!(
            route,
            Route::Traces { .. } | Route::Rawtrace | Route::GenericTrace
        ) {
            shared.spans.notify_one();
        }
        let (status, body) = match body {
            Some(body) => (200, body),
            None => (answer.status, answer.body),
        };
        self.answered(incoming.seq, status);
        reply::text(status, body)
    }

    fn answered(&self, seq: u64, status: u16) {
        self.hub.shared.change(|state| {
            if let Some(request) = state
                .requests
                .iter_mut()
                .rev()
                .find(|request| request.seq == seq)
            {
                request.status = Some(status);
            }
        });
    }

    fn unreadable(
        &self,
        incoming: &Incoming,
        route: &Route,
        broken: &Broken,
    ) -> Result<Reply, Unanswered> {
        if *route == Route::Dev {
            return Err(Unanswered);
        }
        self.hub.shared.change(|state| {
            let age = state.age();
            let logged = self.log(incoming, &incoming.body, route, false);
            state.requests.push(age, logged);
            let name = format!("{} {}", incoming.method, incoming.path);
            let mut report = Report::new(incoming.seq, name, route.pid(), route.plugin());
            let sent = incoming.header("content-length").unwrap_or_default();
            let (rule, at, message) = match broken {
                Broken::Large => (Rule::BodySize, "body", "is above 50 MiB and was not read"),
                Broken::Pieces => (Rule::HttpSyntax, "body", "comes in pieces of a few bytes"),
                Broken::Short => (Rule::ContentLength, "content-length", "the body is shorter"),
                Broken::GivenUp => (
                    Rule::BodyKept,
                    "body",
                    "was given up unfinished: there was no room for it and others",
                ),
            };
            let shown = if at == "body" { "" } else { sent };
            report.text(rule, at, shown, message);
            state.record(report);
        });
        self.connection.set(Phase::Idle);
        match broken {
            Broken::Large => Ok(reply::last(413, String::new())),
            Broken::Pieces => Ok(reply::last(400, String::new())),
            Broken::Short | Broken::GivenUp => Err(Unanswered),
        }
    }

    fn log(&self, incoming: &Incoming, body: &Body, route: &Route, fault: bool) -> Request {
        let query = Some(&incoming.query).filter(|query| !query.is_empty());
        Request {
            seq: incoming.seq,
            at: self.hub.shared.started.elapsed(),
            at_ms: now_ms(),
            peer: incoming.ends.peer,
            kind: route.kind(&incoming.method),
            method: incoming.method.clone(),
            path: query.map_or_else(
                || incoming.path.clone(),
                |query| format!("{}?{query}", incoming.path),
            ),
            headers: incoming.headers.clone(),
            body: body.beginning(LOGGED),
            body_len: body.length,
            pid: route.pid(),
            status: None,
            fault,
        }
    }
}

/// Reads a body to its end.
async fn gather(mut body: Stream, upload: &Upload) -> Result<(), Broken> {
    let (mut length, mut pieces) = (0_usize, 0_usize);
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            () = upload.given_up() => return Err(Broken::GivenUp),
        };
        let Some(frame) = frame else {
            return Ok(());
        };
        let frame = frame.map_err(|_| Broken::Short)?;
        let Some(chunk) = frame.data_ref() else {
            continue;
        };
        length = length.saturating_add(chunk.len());
        pieces += 1;
        if length > BODY_LIMIT {
            return Err(Broken::Large);
        }
        if pieces > PIECES && length / pieces < PIECE {
            return Err(Broken::Pieces);
        }
        if !upload.push(chunk) {
            return Err(Broken::GivenUp);
        }
    }
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let each = headers.iter();
    each.map(|(name, value)| {
        (
            name.as_str().to_owned(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        )
    })
    .collect()
}
