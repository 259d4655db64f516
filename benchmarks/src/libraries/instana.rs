//! This tracer: default features and settings, two captured headers, an agent
//! on a socket.

use std::future::Future;
use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use http::HeaderMap;
use instana::propagation::Incoming;
use instana::span::http::{ENTRY, Http};
use instana::span::{Family, Kind};
use instana::{FutureExt, Guard, Phase, Span, Tracer};
use instana_axum::InstanaLayer;

use crate::values;
use crate::work::{Counts, Library};

/// How long the announce and a drain may take; callgrind is 50 times slower.
const PATIENCE: Duration = Duration::from_secs(60);

instana::section! {
    /// A database call with four attributes.
    struct Database = "pg" {
        /// The statement.
        stmt: text(4_000),
        /// The connection.
        host: text(256),
        /// The user.
        user: text(64),
        /// The database.
        db: text(64),
    }
}

static POSTGRES: Family = Family::new("postgres", Kind::Exit, Database::SECTION, "databases");

/// The tracer, started.
#[derive(Debug)]
pub(crate) struct Instana(Guard);

impl Instana {
    /// Starts the tracer without waiting for the agent.
    pub(crate) fn start(agent: &str) -> Result<Self, String> {
        instana::builder()
            .service("bench")
            .agent(agent)
            .extra_headers([values::CAPTURED, values::CAPTURED_ABSENT])
            .log_level(instana::LogLevel::Error)
            .init()
            .map(Self)
            .map_err(|error| error.to_string())
    }

    /// Starts the tracer and waits until the agent knows it.
    pub(crate) fn announced(agent: &str) -> Result<Self, String> {
        let tracer = Self::start(agent)?;
        let start = Instant::now();
        loop {
            let status = instana::status();
            match status.agent {
                Some(agent) if agent.phase == Phase::Ready => return Ok(tracer),
                _ if start.elapsed() > PATIENCE => {
                    return Err(format!("no announce: {}", instana::status()));
                }
                _ => thread::sleep(Duration::from_millis(5)),
            }
        }
    }
}

#[inline]
fn entry(incoming: &Incoming) -> Span {
    let mut entry = Span::entry(&ENTRY, incoming);
    Http::record(&mut entry, |http| {
        http.method(black_box(values::METHOD))
            .path(black_box(values::PATH))
            .path_tpl(black_box(values::TEMPLATE))
            .host(black_box(values::HOST))
            .params(black_box(values::PARAMS))
            .status(i64::from(black_box(values::STATUS)));
    });
    entry
}

fn exit() {
    let mut exit = Span::exit(&POSTGRES);
    Database::record(&mut exit, |database| {
        database
            .stmt(black_box(values::STATEMENT))
            .host(black_box(values::CONNECTION))
            .user(black_box(values::USER))
            .db(black_box(values::DATABASE));
    });
}

impl Library for Instana {
    type Incoming = Incoming;
    type Open = Span;

    const TIMES_POLLS: bool = true;

    fn incoming(&self, sampled: bool) -> Incoming {
        if sampled {
            Incoming::from_ids(values::TRACE_ID, values::PARENT_ID)
        } else {
            Incoming::suppressed()
        }
    }

    fn entry(&self, incoming: &Incoming) {
        entry(incoming).end();
    }

    fn request(&self, incoming: &Incoming) {
        entry(incoming).enter(|| {
            exit();
            exit();
            exit();
        });
    }

    fn tree(&self) {
        Span::entry(&ENTRY, &Incoming::none()).enter(|| {
            for _ in 0..100 {
                Span::exit(&POSTGRES).end();
            }
        });
    }

    fn open(&self, incoming: &Incoming) -> Span {
        entry(incoming)
    }

    fn inject(&self, open: &Span, headers: &mut HeaderMap) {
        instana_http::inject(open, headers);
    }

    fn extract(&self, headers: &HeaderMap) -> Incoming {
        instana_http::extract(headers, &Tracer::global())
    }

    fn traced<F: Future<Output = ()> + Send>(
        &self,
        open: Span,
        future: F,
    ) -> impl Future<Output = ()> {
        future.in_span(open)
    }

    fn time_polls(&self, open: &mut Span) {
        open.time_polls();
    }

    fn layer(&self, router: Router) -> Option<Router> {
        Some(router.layer(InstanaLayer::new()))
    }

    fn drain(&self) {
        if !self.0.flush(PATIENCE) {
            eprintln!("benchmarks: not everything was sent: {}", instana::status());
        }
    }

    fn counts(&self) -> Counts {
        let spans = instana::status().spans;
        Counts {
            exported: spans.sent,
            dropped: Some(spans.dropped()),
            recorded: Some(spans.recorded()),
        }
    }
}
