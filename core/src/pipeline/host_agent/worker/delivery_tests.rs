//! What becomes of real spans on their way to an agent that is slow, broken or restarted.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::config::{Config, Tree};
use crate::pipeline::event::{Outbox, QueuedEvents, event};
use crate::pipeline::export::Exporter;
use crate::pipeline::host_agent::HostAgent;
use crate::pipeline::host_agent::session::AgentConfig;
use crate::pipeline::host_agent::testing::{FakeAgent, Received, Reply, ok, status};
use crate::pipeline::host_agent::worker::*;
use crate::pipeline::port::{Applied, Limits, MetricSource, Reason, SettingsSink, SpanSource};
use crate::pipeline::transport;
use crate::policy::{LiveSettings, Settings};
use crate::record::head::{Head, Traits};
use crate::record::segment::Pool;
use crate::secrets::Matcher;
use crate::trace::span::http;

const LONG: Duration = Duration::from_secs(20);
const ANNOUNCE: &str = "PUT /com.instana.plugin.rust.discovery";
const METRICS: &str = "POST /com.instana.plugin.rust.4711";
const EVENT: &str = "POST /com.instana.plugin.generic.event";
const TRACES: &str = "POST /com.instana.plugin.rust/traces.4711";

/// The spans of a pool. Others have as many turns as `turns` says before each request.
struct Spans {
    exporter: Exporter,
    turns: usize,
    taken: usize,
}

impl SpanSource for Spans {
    fn encode(&mut self, origin: &str, limits: &Limits, body: &mut Vec<u8>) -> Encoded {
        if self.taken < self.turns {
            self.taken += 1;
            return Encoded::More;
        }
        self.taken = 0;
        self.exporter.encode(origin, limits, body)
    }

    fn acknowledge(&mut self, maybe_twice: bool) {
        self.exporter.acknowledge(maybe_twice);
    }

    fn retry(&mut self) {
        self.exporter.retry();
    }

    fn doubt(&mut self) {
        self.exporter.doubt();
    }

    fn give_up(&mut self, reason: Reason) {
        self.exporter.give_up(reason);
    }

    fn pending(&self) -> bool {
        self.exporter.pending()
    }

    fn tick(&mut self) {
        self.exporter.tick();
    }
}

struct Metrics;

impl MetricSource for Metrics {
    fn encode(&mut self, snapshot: bool, body: &mut Vec<u8>) {
        body.extend_from_slice(format!("\"snapshot\":{snapshot}").as_bytes());
    }
}

struct EverySecond;

impl SettingsSink for EverySecond {
    fn apply(&self, _: &Tree) -> Applied {
        Applied {
            metrics_interval: Duration::from_secs(1),
            secrets: Matcher::default(),
            problems: Vec::new(),
        }
    }
}

/// A worker that runs.
struct Running {
    pool: &'static Pool,
    outbox: &'static Outbox,
    signal: Arc<Signal>,
    state: Arc<AgentState>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Requests have so much time.
    fn start(port: u16, timeout: Duration) -> Self {
        Self::with_turns(port, timeout, 0)
    }

    fn with_turns(port: u16, timeout: Duration, turns: usize) -> Self {
        let pool: &'static Pool = Box::leak(Box::new(Pool::new()));
        pool.open(16 << 20, usize::MAX, || ());
        let live: &'static LiveSettings = Box::leak(Box::new(LiveSettings::off()));
        live.replace(Settings::new(Config::default()));
        let outbox: &'static Outbox = Box::leak(Box::new(Outbox::new()));
        outbox.open(|| ());
        let spans = Spans {
            exporter: Exporter::new(pool, live),
            turns,
            taken: 0,
        };
        let feed = Feed {
            spans: Box::new(spans),
            metrics: Box::new(Metrics),
            events: Box::new(QueuedEvents::of(outbox, live)),
            settings: Box::new(EverySecond),
        };
        let config = AgentConfig {
            host: "127.0.0.1".to_owned(),
            port,
            plugin: "rust".to_owned(),
            timeout,
            gateway: || None,
        };
        let (signal, state) = (
            Arc::new(Signal::default()),
            Arc::new(AgentState::new("rust")),
        );
        let agent = Box::new(HostAgent::at(config, &[]));
        let thread = transport::spawn(agent, feed, signal.clone(), state.clone());
        Self {
            pool,
            outbox,
            signal,
            state,
            thread: Some(thread.unwrap()),
        }
    }

    /// Records spans, numbered on.
    fn record(&self, count: u64) {
        let known = self.pool.counts().recorded();
        for span in known + 1..=known + count {
            let head = Head {
                trace: 1,
                span,
                traits: Traits::new(http::EXIT.index(), 0),
                ..Head::default()
            };
            self.pool.record_shared(&head, &[]);
        }
    }

    /// Waits until the numbers of the spans are so.
    fn wait_until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            let counts = self.pool.counts();
            assert!(begun.elapsed() < LONG, "{what}: {counts:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn stop(&mut self, deadline: Duration) -> bool {
        let is_empty = self.signal.shutdown(deadline);
        self.thread.take().unwrap().join().unwrap();
        is_empty
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.signal.shutdown(Duration::ZERO);
    }
}

/// An agent that does everything right.
fn good(request: &Received) -> Reply {
    match request.line().as_str() {
        "GET /" => ok(r#"{"version":"1.1.999"}"#),
        ANNOUNCE => ok(r#"{"pid":4711,"agentUuid":"uuid"}"#),
        METRICS => ok("[]"),
        _ => status(200),
    }
}

fn count(log: &[Received], line: &str) -> usize {
    log.iter().filter(|request| request.line() == line).count()
}

/// How often each span has come.
fn copies(log: &[Received]) -> HashMap<String, usize> {
    let mut copies = HashMap::new();
    for request in log.iter().filter(|request| request.line() == TRACES) {
        let spans: Vec<serde_json::Value> = serde_json::from_slice(&request.body).unwrap();
        for span in spans {
            let id = span["s"].as_str().unwrap().to_owned();
            *copies.entry(id).or_default() += 1;
        }
    }
    copies
}

#[test]
fn a_flush_goes_on_while_leading_spans_are_left_out() {
    let agent = FakeAgent::start(good);
    let worker = Running::with_turns(agent.port, LONG, 10);
    worker.record(100);
    assert!(worker.signal.flush(LONG));
    let counts = worker.pool.counts();
    assert_eq!((counts.sent, counts.waiting), (100, 0), "{counts:?}");
}

#[test]
fn the_end_comes_when_nothing_waits_behind_spans_that_are_left_out() {
    let agent = FakeAgent::start(good);
    let mut worker = Running::with_turns(agent.port, LONG, 10);
    worker.record(100);
    assert!(worker.stop(LONG));
    let counts = worker.pool.counts();
    assert_eq!((counts.sent, counts.waiting), (100, 0), "{counts:?}");
}

/// Others have their turns while spans are left out.
#[test]
fn metrics_keep_their_second_while_spans_are_left_out() {
    let agent = FakeAgent::start(good);
    let worker = Running::with_turns(agent.port, LONG, usize::MAX);
    worker.record(1);
    agent.wait_for(|log| count(log, METRICS) >= 3);
    assert!(!worker.signal.flush(Duration::from_millis(100)));
    assert_eq!(worker.pool.counts().waiting, 1);
}

/// An agent whose endpoint of spans answers the first requests so, and the others well.
fn answering(first: usize, broken: impl Fn(usize) -> Reply + Send + Sync + 'static) -> FakeAgent {
    let asked = AtomicUsize::new(0);
    FakeAgent::start(move |request| match request.line().as_str() {
        TRACES => match asked.fetch_add(1, Ordering::SeqCst) {
            number if number < first => broken(number),
            _ => good(request),
        },
        _ => good(request),
    })
}

fn raw(answer: &str) -> Reply {
    Reply::Raw(answer.as_bytes().to_vec())
}

/// Waits until 20 spans are given up, each of them sent twice at most.
fn given_up(agent: &FakeAgent) {
    let worker = Running::start(agent.port, LONG);
    worker.record(20);
    worker.wait_until("given up", |worker| {
        worker.pool.counts().dropped_unanswered == 20
    });
    let copies = copies(&agent.log());
    assert_eq!(copies.len(), 20);
    assert!(copies.values().all(|copies| *copies == 2), "{copies:?}");
}

#[test]
fn spans_whose_answer_is_cut_are_sent_twice() {
    let cuts: [fn(usize) -> Reply; 3] = [
        |_| Reply::Close,
        |_| raw("HTTP/1.1 200 O"),
        |_| raw("HTTP/1.1 100 Continue\r\n\r\n"),
    ];
    thread::scope(|scope| {
        for cut in cuts {
            scope.spawn(move || given_up(&answering(usize::MAX, cut)));
        }
    });
}

/// A connection that has been used before is closed: the request is sent over a new one.
#[test]
fn spans_that_were_sent_over_two_connections_are_not_sent_a_third_time() {
    let agent = answering(usize::MAX, |number| match number {
        0 => status(200),
        _ => Reply::Close,
    });
    let worker = Running::start(agent.port, LONG);
    worker.record(1);
    assert!(worker.signal.flush(LONG));
    worker.record(20);
    worker.wait_until("given up", |worker| {
        worker.pool.counts().dropped_unanswered == 20
    });
    assert_eq!(count(&agent.log(), TRACES), 3);
}

#[test]
fn spans_whose_success_cannot_be_read_are_sent_twice() {
    let many = "X: y\r\n".repeat(100);
    let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(20);
    let answers = [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\n{many}Content-Length: 0\r\n\r\n"),
        interim,
    ];
    thread::scope(|scope| {
        for answer in answers {
            scope.spawn(move || given_up(&answering(usize::MAX, move |_| raw(&answer))));
        }
    });
}

#[test]
fn a_success_whose_body_is_cut_is_one() {
    let agent = answering(usize::MAX, |_| {
        raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    });
    let worker = Running::start(agent.port, LONG);
    worker.record(20);
    assert!(worker.signal.flush(LONG));
    let counts = worker.pool.counts();
    assert_eq!((counts.sent, counts.maybe_twice), (20, 0), "{counts:?}");
    assert_eq!(count(&agent.log(), TRACES), 1);
}

#[test]
fn a_page_whose_body_is_cut_is_no_success() {
    let agent = answering(2, |_| {
        raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<html>")
    });
    let worker = Running::start(agent.port, LONG);
    worker.record(20);
    assert!(worker.signal.flush(LONG));
    let counts = worker.pool.counts();
    assert_eq!((counts.sent, counts.maybe_twice), (20, 0), "{counts:?}");
    assert_eq!(count(&agent.log(), TRACES), 3);
}

#[test]
fn a_refusal_whose_body_is_cut_is_one() {
    let agent = answering(2, |_| {
        raw("HTTP/1.1 503 Busy\r\nContent-Length: 10\r\n\r\nabc")
    });
    let worker = Running::start(agent.port, LONG);
    worker.record(20);
    assert!(worker.signal.flush(LONG));
    let counts = worker.pool.counts();
    assert_eq!((counts.sent, counts.maybe_twice), (20, 0), "{counts:?}");
    assert_eq!(counts.dropped_unanswered, 0);
}

/// The agent ends while it has a request, and what comes next is not taken by anybody.
#[test]
fn one_restart_of_the_agent_costs_no_span() {
    let agent = answering(5, |number| match number {
        0 => status(200),
        1 => Reply::Close,
        2 | 3 => Reply::Reset,
        _ => status(503),
    });
    let worker = Running::start(agent.port, LONG);
    worker.record(1);
    assert!(worker.signal.flush(LONG));
    worker.record(20);
    assert!(worker.signal.flush(LONG));
    let counts = worker.pool.counts();
    assert_eq!((counts.sent, counts.maybe_twice), (21, 20), "{counts:?}");
    assert_eq!(counts.dropped_unanswered, 0);
}

/// When each request of this kind came.
fn timed(
    line: &'static str,
    answer: impl Fn(&Received) -> Reply + Send + Sync + 'static,
) -> (FakeAgent, Arc<Mutex<Vec<Instant>>>) {
    let times = Arc::new(Mutex::new(Vec::new()));
    let noted = times.clone();
    let agent = FakeAgent::start(move |request| {
        if request.line() == line {
            noted.lock().unwrap().push(Instant::now());
        }
        answer(request)
    });
    (agent, times)
}

fn send_event(worker: &Running) {
    assert!(worker.outbox.push(event("slow")));
    worker.signal.event_ready();
}

/// The longest pause between two of the first so many.
fn longest_pause(times: &Mutex<Vec<Instant>>, count: usize) -> Duration {
    let begun = Instant::now();
    loop {
        let times = times.lock().unwrap().clone();
        if times.len() >= count {
            let pauses = times.windows(2).map(|pair| pair[1] - pair[0]);
            return pauses.max().unwrap();
        }
        assert!(begun.elapsed() < LONG, "{}", times.len());
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn metrics_keep_their_second_while_an_event_is_not_answered() {
    let (agent, times) = timed(METRICS, |request| match request.line().as_str() {
        EVENT => Reply::Hang,
        _ => good(request),
    });
    let worker = Running::start(agent.port, Duration::from_secs(5));
    worker.record(1);
    assert!(worker.signal.flush(LONG));
    send_event(&worker);
    agent.wait_for(|log| count(log, METRICS) >= 5);
    let pause = longest_pause(&times, 5);
    assert!(pause < Duration::from_secs(3), "{pause:?}");
    assert_eq!(worker.state.read().phase, Phase::Ready);
}

#[test]
fn metrics_keep_their_second_while_the_agent_does_not_hear_what_it_asked_for() {
    let (agent, times) = timed(METRICS, |request| match request.line().as_str() {
        METRICS => ok(r#"[{"action":"a","messageId":"1"},{"action":"a","messageId":"2"}]"#),
        line if line.contains("/response.") => Reply::Hang,
        _ => good(request),
    });
    let mut worker = Running::start(agent.port, Duration::from_secs(5));
    let pause = longest_pause(&times, 5);
    assert!(pause < Duration::from_millis(1_900), "{pause:?}");
    assert!(worker.stop(LONG));
}

/// What an event endpoint that hangs may cost is the event.
#[test]
fn spans_go_on_at_the_end_while_events_and_metrics_are_not_answered() {
    let hangs = Arc::new(AtomicBool::new(false));
    let hung = hangs.clone();
    let agent = FakeAgent::start(move |request| match request.line().as_str() {
        EVENT => Reply::Hang,
        METRICS if hung.load(Ordering::SeqCst) => Reply::Hang,
        _ => good(request),
    });
    let mut worker = Running::start(agent.port, LONG);
    worker.record(1);
    assert!(worker.signal.flush(LONG));
    hangs.store(true, Ordering::SeqCst);
    let known = count(&agent.log(), METRICS);
    send_event(&worker);
    agent.wait_for(|log| count(log, METRICS) > known && count(log, EVENT) == 1);
    worker.record(100);
    assert!(!worker.stop(Duration::from_secs(2)), "the event is left");
    let counts = worker.pool.counts();
    assert_eq!((counts.sent, counts.waiting), (101, 0), "{counts:?}");
    assert_eq!(copies(&agent.log()).len(), 101);
}

/// The answer comes a moment before the end, while metrics are not answered.
#[test]
fn spans_that_were_answered_before_the_end_are_counted() {
    let agent = FakeAgent::start(|request| match request.line().as_str() {
        TRACES => {
            thread::sleep(Duration::from_millis(1_000));
            good(request)
        }
        METRICS if request.json()["snapshot"] == false => Reply::Hang,
        _ => good(request),
    });
    let mut worker = Running::start(agent.port, LONG);
    worker.record(100);
    agent.wait_for(|log| count(log, METRICS) >= 2);
    let is_empty = worker.stop(Duration::from_secs(3));
    assert_eq!(worker.pool.counts().sent, 100);
    assert!(is_empty);
}

/// As of spans, it is not known whether the agent has it.
#[test]
fn an_event_that_is_never_answered_is_given_up() {
    let agent = FakeAgent::start(|request| match request.line().as_str() {
        EVENT => Reply::Close,
        _ => good(request),
    });
    let worker = Running::start(agent.port, LONG);
    send_event(&worker);
    assert!(worker.signal.flush(LONG));
    assert_eq!(worker.outbox.counts().dropped_rejected, 1);
    assert_eq!(count(&agent.log(), EVENT), 3);
}
