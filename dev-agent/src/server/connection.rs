use std::fmt;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming as Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request as HttpRequest};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::io::{FaultyIo, Output};
use super::reply::{self, Reply};
use super::{access, control};
use crate::clock::now_ms;
use crate::fault::What;
use crate::protocol::{Incoming, Route, handle};
use crate::state::{Request, Shared, State};
use crate::validate::socket::Ends;
use crate::validate::{Report, Rule};

/// The largest body that is read.
const BODY_LIMIT: usize = 50 * 1024 * 1024;
/// How much of a body the request log keeps.
const LOGGED: usize = 4096;

/// Serves one connection until it ends or is hung up.
pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    shared: Arc<Shared>,
    mut hang_up: watch::Receiver<u64>,
) {
    let _ = stream.set_nodelay(true);
    let local = stream.local_addr().unwrap_or(peer);
    let io = FaultyIo::new(stream);
    let exchange = Exchange {
        shared: Arc::clone(&shared),
        ends: Ends { peer, local },
        output: io.output(),
    };
    let service = service_fn(move |request| exchange.clone().serve(request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(io), service);
    tokio::select! {
        ended = connection => {
            if let Err(error) = ended {
                if error.is_parse() {
                    shared.change(|state| not_http(state, peer, &error));
                }
            }
        }
        _ = hang_up.changed() => {}
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
    state.record(report.findings());
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
    shared: Arc<Shared>,
    ends: Ends,
    output: Output,
}

impl Exchange {
    async fn serve(self, request: HttpRequest<Body>) -> Result<Reply, Unanswered> {
        let (head, body) = request.into_parts();
        let method = head.method.as_str().to_owned();
        let path = head.uri.path().to_owned();
        let query = head.uri.query().unwrap_or_default().to_owned();
        let headers = texts(&head.headers);
        let route = Route::of(&path);
        let is_dev = route == Route::Dev;
        let seq = if is_dev {
            0
        } else {
            self.shared.change(State::next_seq)
        };
        let mut incoming = Incoming {
            seq,
            ends: self.ends,
            method,
            path,
            query,
            headers,
            body: Vec::new(),
        };
        if is_dev {
            if let Some(refused) = access::refuse(&self.shared, &incoming) {
                return Ok(refused);
            }
        }
        match Limited::new(body, BODY_LIMIT).collect().await {
            Ok(body) => incoming.body = Vec::from(body.to_bytes()),
            Err(error) => return self.unreadable(&incoming, &route, error.as_ref()),
        }
        if is_dev {
            return Ok(control::serve(&self.shared, &incoming).await);
        }
        self.protocol(&incoming, &route).await
    }

    async fn protocol(self, incoming: &Incoming, route: &Route) -> Result<Reply, Unanswered> {
        let kind = route.kind(&incoming.method);
        let fault = self.shared.change(|state| {
            let fault = state.take_fault(kind, &incoming.method, route.pid());
            state
                .requests
                .push(self.log(incoming, route, fault.is_some()));
            fault
        });
        let mut unhang = self.shared.unhang.subscribe();
        match fault {
            None => Ok(self.answer(incoming, route, None)),
            Some(What::Body(body)) => Ok(self.answer(incoming, route, Some(body))),
            Some(What::Delay(delay)) => {
                tokio::time::sleep(delay).await;
                Ok(self.answer(incoming, route, None))
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
                if unhang.changed().await.is_err() {
                    pending::<()>().await;
                }
                Err(Unanswered)
            }
            Some(What::Drop) => Err(Unanswered),
        }
    }

    fn answer(&self, incoming: &Incoming, route: &Route, body: Option<String>) -> Reply {
        let answer = self.shared.change(|state| handle(state, incoming, route));
        if matches!(
            route,
            Route::Traces { .. } | Route::Rawtrace | Route::GenericTrace
        ) {
            self.shared.spans.notify_one();
        }
        let (status, body) = match body {
            Some(body) => (200, body),
            None => (answer.status, answer.body),
        };
        self.answered(incoming.seq, status);
        reply::text(status, body)
    }

    fn answered(&self, seq: u64, status: u16) {
        self.shared.change(|state| {
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
        error: &(dyn std::error::Error + 'static),
    ) -> Result<Reply, Unanswered> {
        let large = error.is::<LengthLimitError>();
        self.shared.change(|state| {
            state.requests.push(self.log(incoming, route, false));
            let name = format!("{} {}", incoming.method, incoming.path);
            let mut report = Report::new(incoming.seq, name, route.pid(), route.plugin());
            if large {
                report.text(
                    Rule::BodySize,
                    "body",
                    "",
                    "is above 50 MiB and was not read",
                );
            } else {
                let sent = incoming.header("content-length").unwrap_or_default();
                report.text(
                    Rule::ContentLength,
                    "content-length",
                    sent,
                    "the body is shorter",
                );
            }
            state.record(report.findings());
        });
        if large {
            Ok(reply::text(413, String::new()))
        } else {
            Err(Unanswered)
        }
    }

    fn log(&self, incoming: &Incoming, route: &Route, fault: bool) -> Request {
        let shown = incoming.body.get(..LOGGED).unwrap_or(&incoming.body);
        let query = Some(&incoming.query).filter(|query| !query.is_empty());
        Request {
            seq: incoming.seq,
            at: self.shared.started.elapsed(),
            at_ms: now_ms(),
            peer: incoming.ends.peer,
            kind: route.kind(&incoming.method),
            method: incoming.method.clone(),
            path: query.map_or_else(
                || incoming.path.clone(),
                |query| format!("{}?{query}", incoming.path),
            ),
            headers: incoming.headers.clone(),
            body: String::from_utf8_lossy(shown).into_owned(),
            body_len: incoming.body.len(),
            pid: route.pid(),
            status: None,
            fault,
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
