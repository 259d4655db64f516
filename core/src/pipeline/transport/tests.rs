//! A second transport proves that the feed is of no particular one: this one keeps in
//! memory what it is given.

use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::config::{Config, Tree};
use crate::pipeline::event::{Outbox, QueuedEvents, event};
use crate::pipeline::export::Exporter;
use crate::pipeline::metrics::Metrics;
use crate::pipeline::port::{Applied, Encoded, Limits, Reason};
use crate::pipeline::transport::*;
use crate::policy::{LiveSettings, Settings};
use crate::record::head::{Head, Traits};
use crate::record::segment::Pool;
use crate::secrets::Matcher;
use crate::trace::span::http;

const LONG: Duration = Duration::from_secs(30);

/// What has left the process.
#[derive(Debug)]
enum Sent {
    Spans(Value),
    Metrics(Value),
    Event(Value),
}

/// Sends a batch of at most two spans at a time, where it takes any.
struct InMemory {
    sent: Sender<Sent>,
    refuses: Option<Reason>,
}

impl InMemory {
    fn send_all(&self, feed: &mut Feed) {
        // Smaller than two spans, so that there are several batches.
        let limits = Limits {
            bytes: 300,
            span: 10_000,
        };
        let mut body = Vec::new();
        loop {
            let origin = r#"{"cp":"memory"}"#;
            match feed.spans.encode(origin, &limits, &mut body) {
                Encoded::Batch(_) => {}
                Encoded::More => continue,
                Encoded::NoMemory | Encoded::Nothing => break,
            }
            match self.refuses {
                Some(reason) => feed.spans.give_up(reason),
                None => {
                    let _ = self.sent.send(Sent::Spans(json(&body)));
                    feed.spans.acknowledge(false);
                }
            }
            body.clear();
        }
        while let Some(body) = feed.events.encode() {
            let _ = self.sent.send(Sent::Event(json(&body)));
            feed.events.acknowledge();
        }
    }
}

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

impl Transport for InMemory {
    fn run(self: Box<Self>, mut feed: Feed, signal: &Arc<Signal>, state: &Arc<AgentState>) -> bool {
        state.enter(Phase::Ready);
        let settings = feed.settings.apply(&Tree::default());
        assert_eq!(settings.metrics_interval, Duration::from_secs(7));
        let mut body = b"{".to_vec();
        feed.metrics.encode(true, &mut body);
        body.push(b'}');
        let _ = self.sent.send(Sent::Metrics(json(&body)));
        loop {
            let woken = signal.wait(Instant::now() + Duration::from_millis(20));
            if woken.flush.is_some() || woken.shutdown.is_some() {
                feed.spans.tick();
                feed.events.begin_flush();
                self.send_all(&mut feed);
                assert!(feed.events.is_flushed());
            }
            if let Some(flush) = woken.flush {
                signal.complete(flush);
            }
            if woken.shutdown.is_some() {
                return !feed.spans.pending() && !feed.events.pending();
            }
        }
    }
}

struct EverySevenSeconds;

impl SettingsSink for EverySevenSeconds {
    fn apply(&self, _: &Tree) -> Applied {
        Applied {
            metrics_interval: Duration::from_secs(7),
            secrets: Matcher::default(),
            problems: Vec::new(),
        }
    }
}

/// The sources of one process, and a transport that runs.
struct Running {
    pool: &'static Pool,
    outbox: &'static Outbox,
    signal: Arc<Signal>,
    state: Arc<AgentState>,
    sent: Receiver<Sent>,
    thread: JoinHandle<()>,
}

fn start(refuses: Option<Reason>) -> Running {
    let pool: &'static Pool = Box::leak(Box::new(Pool::new()));
    pool.open(1 << 20, usize::MAX, || ());
    let live: &'static LiveSettings = Box::leak(Box::new(LiveSettings::off()));
    let config = Config::default();
    live.replace(Settings::new(config.clone()));
    let outbox: &'static Outbox = Box::leak(Box::new(Outbox::new()));
    outbox.open(|| ());
    let feed = Feed {
        spans: Box::new(Exporter::new(pool, live)),
        metrics: Box::new(Metrics::new(&config)),
        events: Box::new(QueuedEvents::of(outbox, live)),
        settings: Box::new(EverySevenSeconds),
    };
    let signal = Arc::new(Signal::default());
    let state = Arc::new(AgentState::new("memory"));
    let (tell, sent) = mpsc::channel();
    let transport = Box::new(InMemory {
        sent: tell,
        refuses,
    });
    let thread = spawn(transport, feed, signal.clone(), state.clone()).unwrap();
    Running {
        pool,
        outbox,
        signal,
        state,
        sent,
        thread,
    }
}

fn record(pool: &Pool, span: u64) {
    let head = Head {
        trace: 1,
        span,
        traits: Traits::new(http::EXIT.index(), 0),
        ..Head::default()
    };
    pool.record_shared(&head, &[]);
}

#[test]
fn another_transport_sends_the_same_feed() {
    let running = start(None);
    for span in 1..=5 {
        record(running.pool, span);
    }
    assert!(running.outbox.push(event("deployed")));
    assert!(running.signal.flush(LONG));
    let counts = running.pool.counts();
    assert_eq!((counts.sent, counts.waiting), (5, 0));
    record(running.pool, 6);
    assert!(running.signal.shutdown(LONG));
    running.thread.join().unwrap();
    assert_eq!(running.state.read().phase, Phase::Stopped);

    let (mut spans, mut events, mut metrics, mut batches) = (Vec::new(), 0, 0, 0);
    for sent in running.sent {
        match sent {
            Sent::Spans(Value::Array(batch)) => {
                batches += 1;
                spans.extend(batch);
            }
            Sent::Spans(other) => panic!("{other}"),
            Sent::Event(event) => {
                events += 1;
                assert_eq!(event["title"], "deployed");
            }
            Sent::Metrics(body) => {
                metrics += 1;
                assert!(body["snapshot"].is_object() && body["metrics"].is_object());
                assert_eq!(body.get("pid"), None, "{body}");
            }
        }
    }
    assert_eq!((spans.len(), events, metrics), (6, 1, 1));
    assert!(batches > 2, "{batches}");
    for (number, span) in spans.iter().enumerate() {
        assert_eq!(span["s"], format!("{:016x}", number + 1));
        assert_eq!(span["f"], serde_json::json!({"cp": "memory"}));
    }
}

#[test]
fn what_a_transport_gives_up_is_counted_by_its_reason() {
    let running = start(Some(Reason::TooLarge));
    for span in 1..=3 {
        record(running.pool, span);
    }
    assert!(running.signal.flush(LONG));
    let counts = running.pool.counts();
    assert_eq!((counts.sent, counts.dropped_too_large), (0, 3));
    assert!(running.signal.shutdown(LONG));
    running.thread.join().unwrap();
}

#[test]
fn a_transport_that_panics_keeps_nobody_waiting() {
    struct Panics;
    impl Transport for Panics {
        fn run(self: Box<Self>, _: Feed, _: &Arc<Signal>, _: &Arc<AgentState>) -> bool {
            panic!("on purpose");
        }
    }
    let Running { pool, outbox, .. } = start(None);
    let live: &'static LiveSettings = Box::leak(Box::new(LiveSettings::off()));
    let feed = Feed {
        spans: Box::new(Exporter::new(pool, live)),
        metrics: Box::new(Metrics::new(&Config::default())),
        events: Box::new(QueuedEvents::of(outbox, live)),
        settings: Box::new(EverySevenSeconds),
    };
    let (signal, state) = (
        Arc::new(Signal::default()),
        Arc::new(AgentState::new("memory")),
    );
    let thread = spawn(Box::new(Panics), feed, signal.clone(), state.clone()).unwrap();
    assert!(!signal.flush(LONG));
    assert!(thread.join().is_err());
    assert_eq!(state.read().phase, Phase::Stopped);
}
