//! The scenarios. Each is one function that is never inlined, so that its
//! instructions can be counted by its name.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use instana::propagation::Incoming;
use instana::span::http::{self, Http};
use instana::span::{Family, Kind};
use instana::{FutureExt, Span};

/// The names `run` knows.
pub(crate) const NAMES: [&str; 6] = ["a", "b", "c", "d", "poll", "poll-bare"];

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
        /// What went wrong.
        error: error(200),
    }
}

static POSTGRES: Family = Family::new("postgres", Kind::Exit, Database::SECTION, "databases");

const STATEMENT: &str =
    "select id, name, price from products where category = $1 order by price limit 20";
const CONNECTION: &str = "postgres-primary.shop.internal.example:54";

/// Runs a scenario; false where there is none of this name.
pub(crate) fn run(name: &str, iterations: u64) -> bool {
    let scenario: fn(u64) = match name {
        "a" => scenario_a,
        "b" => scenario_b,
        "c" => scenario_c,
        "d" => scenario_d,
        "poll" => scenario_poll,
        "poll-bare" => scenario_poll_bare,
        _ => return false,
    };
    // Warm: pools filled, families known.
    scenario(200);
    measured(scenario, iterations);
    true
}

/// What is counted.
#[inline(never)]
fn measured(scenario: fn(u64), iterations: u64) {
    scenario(iterations);
}

fn entry(incoming: &Incoming) -> Span {
    let mut entry = Span::entry(&http::ENTRY, incoming);
    Http::record(&mut entry, |http| {
        http.method(black_box("GET"))
            .path(black_box("/api/products/12345"))
            .path_tpl(black_box("/api/products/{id}"))
            .host(black_box("shop.example.com:8080"))
            .params(black_box("category=books&page=2"))
            .status(200);
    });
    entry
}

fn exit() {
    let mut exit = Span::exit(&POSTGRES);
    Database::record(&mut exit, |database| {
        database
            .stmt(black_box(STATEMENT))
            .host(black_box(CONNECTION))
            .user("shop")
            .db("catalogue");
    });
}

fn incoming() -> Incoming {
    Incoming::from_ids("fa2375d711a4ca0f", "37cb2d6e9b1c078a")
}

/// One HTTP entry with six attributes.
fn scenario_a(iterations: u64) {
    let incoming = incoming();
    for _ in 0..iterations {
        entry(black_box(&incoming)).end();
    }
}

/// An entry and three exits with four attributes each.
fn scenario_b(iterations: u64) {
    let incoming = incoming();
    for _ in 0..iterations {
        entry(black_box(&incoming)).enter(|| {
            exit();
            exit();
            exit();
        });
    }
}

/// A root and 100 bare children.
fn scenario_c(iterations: u64) {
    for _ in 0..iterations {
        Span::entry(&http::ENTRY, &Incoming::none()).enter(|| {
            for _ in 0..100 {
                Span::exit(&POSTGRES).end();
            }
        });
    }
}

/// `b`, suppressed.
fn scenario_d(iterations: u64) {
    let incoming = Incoming::suppressed();
    for _ in 0..iterations {
        entry(black_box(&incoming)).enter(|| {
            exit();
            exit();
            exit();
        });
    }
}

/// Ready after so many polls.
struct Countdown(u64);

impl Future for Countdown {
    type Output = ();

    #[inline(never)]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        self.0 -= 1;
        if self.0 == 0 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// Polls of an instrumented future.
fn scenario_poll(iterations: u64) {
    let span = entry(&incoming());
    drive(Countdown(iterations).in_span(span));
}

/// The same future without a span.
fn scenario_poll_bare(iterations: u64) {
    drive(Countdown(iterations));
}

fn drive(future: impl Future<Output = ()>) {
    let mut future = Box::pin(future);
    let mut context = Context::from_waker(Waker::noop());
    while black_box(&mut future)
        .as_mut()
        .poll(&mut context)
        .is_pending()
    {}
}
