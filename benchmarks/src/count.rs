//! Runs a scenario so that callgrind or the counting allocator can tell the
//! measured code from the rest: `measured_burst` and `measured_request` hold
//! nothing else, and `drained` what the calling thread does to get spans out;
//! none of them is inlined.

use std::hint::black_box;
use std::pin::pin;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request};

use crate::allocator;
use crate::requests;
use crate::work::{Countdown, Library, Scenario, drive, headers};

/// Bursts after which buffers and pools have their size.
const WARM_UP: u64 = 5;

/// Runs `bursts` of a scenario, with everything drained after each. The first
/// is for warming up and comes in addition; false where the library has no such
/// scenario.
pub(crate) fn bursts<L: Library>(library: &L, scenario: Scenario, bursts: u64) -> bool {
    let Some(mut prepared) = Prepared::new(library, scenario) else {
        return false;
    };
    for _ in 0..=bursts {
        prepared.burst();
        drained(library);
    }
    true
}

/// Allocations per iteration: hot and in the background, after a warm-up.
pub(crate) fn allocations<L: Library>(
    library: &L,
    scenario: Scenario,
    bursts: u64,
) -> Option<[f64; 4]> {
    let mut prepared = Prepared::new(library, scenario)?;
    for _ in 0..WARM_UP {
        prepared.burst();
        library.drain();
    }
    let mut sum = [0; 4];
    for _ in 0..bursts {
        prepared.refill();
        let before = allocator::read();
        prepared.run();
        library.drain();
        let after = allocator::read();
        let figures = [
            after.0.count - before.0.count,
            after.0.bytes - before.0.bytes,
            after.1.count - before.1.count,
            after.1.bytes - before.1.bytes,
        ];
        sum.iter_mut()
            .zip(figures)
            .for_each(|(sum, new)| *sum += new);
    }
    let iterations = (bursts * scenario.burst()) as f64;
    Some(sum.map(|sum| sum as f64 / iterations))
}

/// What a scenario needs before it is measured.
pub(crate) struct Prepared<'a, L: Library> {
    library: &'a L,
    scenario: Scenario,
    incoming: L::Incoming,
    headers: HeaderMap,
    open: Option<L::Open>,
    router: Option<Router>,
    requests: Vec<Request<Body>>,
}

impl<'a, L: Library> Prepared<'a, L> {
    /// `None` where the library has no such scenario.
    pub(crate) fn new(library: &'a L, scenario: Scenario) -> Option<Self> {
        let all_five = scenario != Scenario::Axum;
        let foreign = matches!(scenario, Scenario::InjectForeign | Scenario::ExtractForeign);
        let mut headers = headers(all_five, foreign);
        library.caller(&mut headers);
        let incoming = match scenario {
            Scenario::Inject | Scenario::InjectForeign => library.extract(&headers),
            _ => library.incoming(scenario != Scenario::Suppressed),
        };
        if scenario == Scenario::PollTimed && !L::TIMES_POLLS {
            return None;
        }
        let router = match scenario {
            Scenario::Axum | Scenario::AxumHeaders => Some(library.layer(requests::router())?),
            _ => None,
        };
        let open = match scenario {
            Scenario::Inject | Scenario::InjectForeign => Some(library.open(&incoming)),
            _ => None,
        };
        Some(Self {
            library,
            scenario,
            incoming,
            headers,
            open,
            router,
            requests: Vec::new(),
        })
    }

    /// One burst with its preparation.
    pub(crate) fn burst(&mut self) {
        self.refill();
        self.run();
    }

    /// Makes the requests of a burst.
    pub(crate) fn refill(&mut self) {
        if self.router.is_some() {
            let count = usize::try_from(self.scenario.burst()).unwrap_or(usize::MAX);
            self.requests.reserve_exact(count);
            for _ in 0..count {
                self.requests.push(requests::request(&self.headers));
            }
        }
    }

    /// The measured part of a burst.
    pub(crate) fn run(&mut self) {
        match &mut self.router {
            Some(router) => {
                for request in self.requests.drain(..) {
                    allocator::measured(|| measured_request(router, request));
                }
            }
            None => {
                let (library, scenario) = (self.library, self.scenario);
                let (incoming, headers) = (&self.incoming, &self.headers);
                let open = self.open.as_ref();
                allocator::measured(|| {
                    measured_burst(library, scenario, incoming, headers, open);
                });
            }
        }
    }
}

#[inline(never)]
fn measured_burst<L: Library>(
    library: &L,
    scenario: Scenario,
    incoming: &L::Incoming,
    headers: &HeaderMap,
    open: Option<&L::Open>,
) {
    let iterations = scenario.burst();
    match scenario {
        Scenario::Entry => each(iterations, || library.entry(black_box(incoming))),
        Scenario::Request | Scenario::Suppressed => {
            each(iterations, || library.request(black_box(incoming)));
        }
        Scenario::Tree => each(iterations, || library.tree()),
        Scenario::Extract | Scenario::ExtractForeign => each(iterations, || {
            black_box(library.extract(black_box(headers)));
        }),
        Scenario::Inject | Scenario::InjectForeign => {
            if let Some(open) = open {
                each(iterations, || inject(library, open));
            }
        }
        Scenario::Poll | Scenario::PollTimed => {
            let mut open = library.open(incoming);
            if scenario == Scenario::PollTimed {
                library.time_polls(&mut open);
            }
            let future = library.traced(open, Countdown(iterations));
            drive(black_box(pin!(future)));
        }
        Scenario::Axum | Scenario::AxumHeaders => {}
    }
}

#[inline(never)]
pub(crate) fn drained<L: Library>(library: &L) {
    library.drain();
}

#[inline(always)]
fn each(iterations: u64, f: impl Fn()) {
    (0..iterations).for_each(|_| f());
}

/// A request's headers, and the trace's behind them. With room for ten: what a
/// library pays for is what it writes, not the growth of a map that happens to
/// be full with six.
fn inject<L: Library>(library: &L, open: &L::Open) {
    let mut headers = HeaderMap::with_capacity(10);
    headers.insert(http::header::HOST, http::HeaderValue::from_static("stock"));
    headers.insert(
        http::header::ACCEPT,
        http::HeaderValue::from_static("application/json"),
    );
    library.inject(open, &mut headers);
    black_box(&headers);
}

#[inline(never)]
fn measured_request(router: &mut Router, request: Request<Body>) {
    black_box(requests::answer(router, request));
}
