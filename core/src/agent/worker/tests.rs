use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::json;

use super::*;
use crate::agent::session::{AgentConfig, Origin};
use crate::agent::size::{Limits, Reason};
use crate::agent::status::AgentStatus;
use crate::agent::testing::{FakeAgent, Received, Reply, lines, ok, status};
use crate::config::Tree;
use crate::event::{Courier, Outbox, event};
use crate::secrets::Matcher;
use crate::settings::Live;

const LONG: Duration = Duration::from_secs(20);
const ANNOUNCE: &str = "PUT /com.instana.plugin.rust.discovery";
const READY: &str = "HEAD /com.instana.plugin.rust.4711";
const METRICS: &str = "POST /com.instana.plugin.rust.4711";
const TRACES: &str = "POST /com.instana.plugin.rust/traces.4711";
const EVENT: &str = "POST /com.instana.plugin.generic.event";
const LOGGER: &str = "POST /com.instana.agent.logger";
const RAW: &str = "POST /com.instana.plugin.generic.rawtrace";

/// Numbered spans; shared with the test, which looks at what became of them.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<SpanState>>);

#[derive(Default)]
struct SpanState {
    encoded: usize,
    waiting: VecDeque<usize>,
    in_flight: usize,
    acknowledged: usize,
    rejected: usize,
    /// How many of those in front were sent without an answer.
    doubtful: usize,
    maybe_twice: usize,
    reasons: Vec<Reason>,
    retried: usize,
    per_batch: Option<usize>,
    panics: usize,
    lies: bool,
}

impl Spans {
    fn new(count: usize) -> Self {
        let spans = Self::default();
        spans.add(count);
        spans
    }

    fn add(&self, count: usize) {
        self.lock().waiting.extend(0..count);
    }

    /// The state, also after a panic of this source.
    fn lock(&self) -> MutexGuard<'_, SpanState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SpanSource for Spans {
    fn encode(
        &mut self,
        origin: &Origin<'_>,
        limits: &Limits,
        body: &mut Vec<u8>,
    ) -> Option<Batch> {
        assert!(body.is_empty());
        self.lock().encoded += 1;
        let mut state = self.lock();
        if state.panics > 0 {
            state.panics -= 1;
            panic!("a span that cannot be encoded");
        }
        // As if each span had 1,000 bytes.
        let is_second = state.doubtful > 0;
        let there = if is_second {
            state.doubtful
        } else {
            state.waiting.len()
        };
        let fitting = (limits.bytes / 1000).max(1);
        let count = there.min(fitting).min(state.per_batch.unwrap_or(999));
        if count == 0 {
            return None;
        }
        let batch: Vec<_> = state.waiting.iter().take(count).collect();
        let spans = json!({ "e": origin.pid, "h": origin.host, "spans": batch });
        body.extend_from_slice(spans.to_string().as_bytes());
        body.resize(body.len().max(count * 1000), b' ');
        state.in_flight = count;
        Some(Batch {
            spans: count,
            is_last: count == state.waiting.len(),
            is_second,
        })
    }

    fn acknowledge(&mut self, maybe_twice: bool) {
        let mut state = self.lock();
        let count = std::mem::take(&mut state.in_flight);
        state.waiting.drain(..count);
        state.doubtful = state.doubtful.saturating_sub(count);
        state.acknowledged += count;
        state.maybe_twice += if maybe_twice { count } else { 0 };
    }

    fn doubt(&mut self) {
        let mut state = self.lock();
        state.doubtful = std::mem::take(&mut state.in_flight);
    }

    fn retry(&mut self) {
        let mut state = self.lock();
        state.in_flight = 0;
        state.retried += 1;
    }

    fn give_up(&mut self, reason: Reason) {
        let mut state = self.lock();
        let count = state.waiting.len().min(state.in_flight.max(1));
        state.waiting.drain(..count);
        state.doubtful = state.doubtful.saturating_sub(count);
        state.in_flight = 0;
        state.rejected += count;
        state.reasons.push(reason);
    }

    fn pending(&self) -> bool {
        let state = self.lock();
        state.lies || !state.waiting.is_empty()
    }

    fn tick(&mut self) {}
}

#[derive(Default)]
struct Metrics {
    panics: Arc<AtomicBool>,
}

impl MetricSource for Metrics {
    fn encode(&mut self, pid: u64, snapshot: bool, body: &mut Vec<u8>) {
        assert!(body.is_empty());
        assert!(!self.panics.load(Ordering::Relaxed), "broken metrics");
        let metrics = json!({ "pid": pid, "snapshot": snapshot });
        body.extend_from_slice(metrics.to_string().as_bytes());
    }
}

struct Settings(mpsc::Sender<Tree>);

impl SettingsSink for Settings {
    fn apply(&self, answer: &Tree) -> Applied {
        drop(self.0.send(answer.clone()));
        Applied {
            metrics_interval: Duration::from_secs(1),
            secrets: Matcher::default(),
            problems: Vec::new(),
        }
    }
}

/// A running worker.
struct Running {
    outbox: &'static Outbox,
    signal: Arc<Signal>,
    state: Arc<AgentState>,
    spans: Spans,
    settings: mpsc::Receiver<Tree>,
    broken_metrics: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(port: u16, spans: &Spans) -> Self {
        Self::looking_at("127.0.0.1", || None, port, spans)
    }

    fn looking_at(host: &str, gateway: fn() -> Option<Ipv4Addr>, port: u16, spans: &Spans) -> Self {
        Self::with_problems(&[], host, gateway, port, spans)
    }

    fn with_timeout(timeout: Duration, port: u16, spans: &Spans) -> Self {
        let config = AgentConfig {
            timeout,
            ..config("127.0.0.1", || None, port)
        };
        Self::with(config, &[], spans)
    }

    fn with_problems(
        problems: &[String],
        host: &str,
        gateway: fn() -> Option<Ipv4Addr>,
        port: u16,
        spans: &Spans,
    ) -> Self {
        Self::with(config(host, gateway, port), problems, spans)
    }

    fn with(config: AgentConfig, problems: &[String], spans: &Spans) -> Self {
        let state = Arc::new(AgentState::new("rust"));
        let signal = Arc::new(Signal::default());
        let (tell, settings) = mpsc::channel();
        let metrics = Metrics::default();
        let broken_metrics = Arc::clone(&metrics.panics);
        let outbox: &'static Outbox = Box::leak(Box::new(Outbox::new()));
        outbox.open();
        let courier = Courier::of(outbox, Box::leak(Box::new(Live::off())));
        let mut session = Session::new(config, Matcher::default(), courier, Arc::clone(&state));
        session.keep_problems(problems);
        let worker = Worker::new(
            session,
            spans.clone(),
            metrics,
            Settings(tell),
            Tempo::default(),
            Arc::clone(&signal),
            Arc::clone(&state),
        );
        Self {
            outbox,
            signal,
            state,
            spans: spans.clone(),
            settings,
            broken_metrics,
            thread: Some(worker.spawn().unwrap()),
        }
    }

    fn status(&self) -> AgentStatus {
        self.state.read()
    }

    fn shutdown(mut self) -> (bool, AgentStatus) {
        let delivered = self.signal.shutdown(LONG);
        self.thread.take().unwrap().join().unwrap();
        (delivered, self.status())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.signal.shutdown(Duration::ZERO);
    }
}

fn config(host: &str, gateway: fn() -> Option<Ipv4Addr>, port: u16) -> AgentConfig {
    AgentConfig {
        host: host.to_owned(),
        port,
        plugin: "rust".to_owned(),
        timeout: Duration::from_secs(5),
        gateway,
    }
}

/// An agent that does everything right.
fn good(request: &Received) -> Reply {
    match request.line().as_str() {
        "GET /" => ok(r#"{"version":"1.1.999"}"#),
        ANNOUNCE => ok(r#"{"pid":4711,"agentUuid":"uuid","extraHeaders":["X-Tenant"]}"#),
        METRICS => ok("[]"),
        _ => status(200),
    }
}

fn count(log: &[Received], line: &str) -> usize {
    log.iter().filter(|request| request.line() == line).count()
}

/// A port where nobody listens.
fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn the_order_of_requests_and_what_is_in_them() {
    let agent = FakeAgent::start(good);
    let worker = Running::start(agent.port, &Spans::new(3));
    assert!(worker.signal.flush(LONG));
    let log = agent.log();
    assert_eq!(lines(&log), ["GET /", ANNOUNCE, READY, METRICS, TRACES]);
    let announce = log[1].json();
    assert_eq!(announce["pid"], std::process::id());
    assert!(log[1].head.contains("Content-Type: application/json\r\n"));
    #[cfg(target_os = "linux")]
    assert!(announce["inode"].as_str().unwrap().starts_with("socket:["));
    assert_eq!(log[3].json(), json!({"pid": 4711, "snapshot": true}));
    let spans = json!({"e": "4711", "h": "uuid", "spans": [0, 1, 2]});
    assert_eq!(log[4].json(), spans);
    let settings = worker.settings.recv().unwrap();
    let sent = json!({"extraHeaders": ["X-Tenant"]});
    let read = |answer: &serde_json::Value| Tree::of_answer(answer.as_object().unwrap());
    assert_eq!(settings, read(&sent));

    // The next metrics are without the snapshot; the agent's log gets a line.
    let log = agent.wait_for(|log| count(log, METRICS) >= 2 && count(log, LOGGER) == 1);
    let logged = log.iter().find(|request| request.path.ends_with("logger"));
    let logged = logged.unwrap();
    assert!(logged.head.contains("x-log-level: info\r\n"));
    assert!(logged.json()["m"].as_str().unwrap().contains("connected"));
    let metrics: Vec<_> = log
        .iter()
        .filter(|request| request.line() == METRICS)
        .collect();
    assert_eq!(metrics[1].json()["snapshot"], false);

    let status = worker.status();
    assert_eq!(status.phase, Phase::Ready);
    assert_eq!(status.address, Some(format!("127.0.0.1:{}", agent.port)));
    assert_eq!((status.pid, status.announces), (Some(4711), 1));
    assert_eq!(status.agent_uuid.as_deref(), Some("uuid"));
    assert_eq!((status.failures, status.malformed_answers), (0, 0));
    let (delivered, status) = worker.shutdown();
    assert!(delivered);
    assert_eq!(status.phase, Phase::Stopped);
    assert!(status.errors.is_empty(), "{status:?}");
}

#[test]
fn many_spans_go_at_once_and_in_full_batches() {
    let agent = FakeAgent::start(good);
    let spans = Spans::new(2500);
    let worker = Running::start(agent.port, &spans);
    let log = agent.wait_for(|log| count(log, TRACES) == 3);
    let sizes: Vec<_> = log
        .iter()
        .filter(|request| request.line() == TRACES)
        .map(|request| request.json()["spans"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [999, 999, 502]);
    let (delivered, _) = worker.shutdown();
    assert!(delivered);
    assert_eq!(spans.lock().acknowledged, 2500);
}

#[test]
fn a_restarted_agent_is_announced_to_again_and_no_span_is_lost() {
    let restarted = Arc::new(AtomicBool::new(false));
    let forgotten = Arc::clone(&restarted);
    let agent = FakeAgent::start(move |request| match request.line().as_str() {
        ANNOUNCE => {
            forgotten.store(false, Ordering::SeqCst);
            good(request)
        }
        METRICS | TRACES if forgotten.load(Ordering::SeqCst) => status(404),
        _ => good(request),
    });
    let spans = Spans::new(1);
    let worker = Running::start(agent.port, &spans);
    assert!(worker.signal.flush(LONG));
    restarted.store(true, Ordering::SeqCst);
    spans.add(1);
    worker.signal.spans_ready();
    agent.wait_for(|log| count(log, ANNOUNCE) == 2);
    assert!(worker.signal.flush(LONG));
    let log = agent.log();
    let last = log.iter().rposition(|request| request.line() == ANNOUNCE);
    let after = &log[last.unwrap()..];
    let metrics = after.iter().find(|request| request.line() == METRICS);
    assert_eq!(metrics.unwrap().json()["snapshot"], true);
    assert_eq!(count(after, TRACES), 1);
    // Straight to the announce: the agent was not looked up again.
    assert_eq!(count(&log, "GET /"), 1);
    assert_eq!(spans.lock().acknowledged, 2);
    assert_eq!(worker.status().announces, 2);
}

#[test]
fn an_agent_that_appears_late_gets_what_was_recorded_before() {
    // 404 and garbage first, like an agent that is still discovering.
    let calls = Arc::new(AtomicUsize::new(0));
    let agent = FakeAgent::start(move |request| match request.line().as_str() {
        ANNOUNCE => match calls.fetch_add(1, Ordering::SeqCst) {
            0 => status(404),
            1 => ok("<html></html>"),
            2 => ok(r#"{"pid":4711}"#),
            3 => Reply::Close,
            _ => good(request),
        },
        _ => good(request),
    });
    let spans = Spans::new(5);
    let worker = Running::start(agent.port, &spans);
    assert!(worker.signal.flush(LONG));
    assert_eq!(count(&agent.log(), ANNOUNCE), 5);
    assert_eq!(spans.lock().acknowledged, 5);
    let status = worker.status();
    assert_eq!(status.malformed_answers, 2);
    assert_eq!(status.failures, 2);
}

#[test]
fn an_agent_that_does_not_know_us_gets_raw_traces() {
    let known = Arc::new(AtomicBool::new(false));
    let learns = Arc::clone(&known);
    let agent = FakeAgent::start(move |request| match request.line().as_str() {
        ANNOUNCE if !learns.load(Ordering::SeqCst) => status(404),
        _ => good(request),
    });
    let spans = Spans::new(2);
    let worker = Running::start(agent.port, &spans);
    // The flush hurries the ten announces.
    assert!(worker.signal.flush(LONG));
    let log = agent.log();
    assert_eq!((count(&log, ANNOUNCE), count(&log, RAW)), (10, 1));
    let sent = log.last().unwrap().json();
    assert_eq!(sent["e"], std::process::id().to_string());
    assert_eq!(sent["h"], json!(null));
    assert_eq!(worker.status().phase, Phase::RawTrace);
    assert!(worker.status().errors[0].text.contains("answered 404"));
    // A later announce ends it.
    known.store(true, Ordering::SeqCst);
    agent.wait_for(|log| count(log, METRICS) == 1);
    spans.add(1);
    assert!(worker.signal.flush(LONG));
    let log = agent.log();
    assert_eq!((count(&log, RAW), count(&log, TRACES)), (1, 1));
    assert_eq!(worker.status().phase, Phase::Ready);
}

#[cfg(target_os = "linux")]
#[test]
fn the_agent_may_be_at_the_gateway() {
    let agent = FakeAgent::start(good);
    // Nobody listens at the other loopback address.
    let gateway = || Some(Ipv4Addr::LOCALHOST);
    let spans = Spans::new(1);
    let worker = Running::looking_at("127.0.0.2", gateway, agent.port, &spans);
    assert!(worker.signal.flush(LONG));
    let status = worker.status();
    assert_eq!(status.address, Some(format!("127.0.0.1:{}", agent.port)));
    assert_eq!((status.phase, status.failures), (Phase::Ready, 1));
}

#[test]
fn another_server_is_not_an_agent() {
    type Answer = fn(&Received) -> Reply;
    let answers: [(Answer, &str); 4] = [
        (|_| ok("<html>It works</html>"), "is not JSON"),
        (|_| ok("{}"), "no `version`"),
        (|_| status(301), "answered 301"),
        (|_| Reply::Close, "without a whole answer"),
    ];
    let check = |(answer, words): (Answer, &str)| {
        let agent = FakeAgent::start(answer);
        let worker = Running::start(agent.port, &Spans::new(1));
        assert!(!worker.signal.flush(Duration::from_millis(120)));
        agent.wait_for(|log| count(log, "GET /") >= 2);
        // The flush is over: the next try comes a second later.
        let status = worker.status();
        assert_eq!(status.phase, Phase::Searching);
        let error = &status.errors.last().unwrap().text;
        assert!(error.contains(words), "{error}");
        assert!(status.requests >= 1 && status.failures + status.malformed_answers >= 1);
        let log = agent.log();
        assert_eq!(count(&log, "GET /"), log.len());
    };
    thread::scope(|scope| {
        for answer in answers {
            scope.spawn(move || check(answer));
        }
    });
}

#[test]
fn requests_of_the_agent_are_refused() {
    let agent = FakeAgent::start(|request| match request.line().as_str() {
        METRICS if request.json()["snapshot"] == true => {
            ok(r#"[{"action":"rust.source","messageId":"a b","args":{"file":"/etc/passwd"}}]"#)
        }
        METRICS => ok("neither JSON nor empty"),
        _ => good(request),
    });
    let worker = Running::start(agent.port, &Spans::new(0));
    let answer = "POST /com.instana.plugin.rust/response.4711?messageId=a%20b";
    let log = agent.wait_for(|log| count(log, answer) == 1 && count(log, METRICS) >= 3);
    let answer = log.iter().find(|request| request.line() == answer).unwrap();
    let refusal = json!({"error": "unsupported action \"rust.source\""});
    assert_eq!(answer.json(), refusal);
    let status = worker.status();
    assert!(status.malformed_answers >= 1);
    assert_eq!((status.phase, status.failures), (Phase::Ready, 0));
}

#[test]
fn a_batch_that_is_too_large_is_halved_and_only_a_single_span_is_dropped() {
    // The agent takes three spans at a time, and span 2 not even alone.
    let agent = FakeAgent::start(|request| match request.line().as_str() {
        TRACES => {
            let spans = request.json()["spans"].as_array().unwrap().clone();
            match spans.len() > 3 || spans == [json!(2)] {
                true => status(413),
                false if spans.contains(&json!(2)) => status(413),
                false => status(200),
            }
        }
        _ => good(request),
    });
    let spans = Spans::new(100);
    let worker = Running::start(agent.port, &spans);
    assert!(worker.signal.flush(LONG));
    let state = spans.lock();
    assert_eq!((state.rejected, state.acknowledged), (1, 99));
    assert_eq!(state.reasons, [Reason::TooLarge]);
    drop(state);
    // What the agent takes is remembered: 34 requests and few in vain.
    let requests = count(&agent.log(), TRACES);
    assert!(requests < 130, "{requests}");
    let status = worker.status();
    assert_eq!(status.phase, Phase::Ready);
    assert!(status.errors.iter().any(|error| error.text.contains("413")));
}

#[test]
fn what_no_agent_says_is_no_success_and_spans_are_kept() {
    type Answer = fn() -> Reply;
    let answers: [Answer; 6] = [
        || ok("<html>proxy</html>"),
        || {
            Reply::Headed(
                200,
                "Content-Type: text/html".to_owned(),
                "welcome".to_owned(),
            )
        },
        || Reply::Headed(302, "Location: http://login/".to_owned(), String::new()),
        || Reply::Headed(204, "Server: nginx/1.27".to_owned(), String::new()),
        || Reply::Headed(200, "Server: cloudflare".to_owned(), "[]".to_owned()),
        || Reply::Raw(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()),
    ];
    let check = |answer: Answer| {
        let broken = Arc::new(AtomicBool::new(true));
        let is_broken = Arc::clone(&broken);
        let agent = FakeAgent::start(move |request| match request.line().as_str() {
            TRACES if is_broken.load(Ordering::SeqCst) => answer(),
            _ => good(request),
        });
        let spans = Spans::new(3);
        let worker = Running::start(agent.port, &spans);
        agent.wait_for(|log| count(log, TRACES) >= 1);
        assert!(!worker.signal.flush(Duration::from_millis(200)));
        assert_eq!(spans.lock().acknowledged, 0);
        let malformed = worker.status().malformed_answers;
        assert!(malformed >= 1, "{:?}", worker.status());
        broken.store(false, Ordering::SeqCst);
        assert!(worker.signal.flush(LONG));
        let state = spans.lock();
        assert_eq!((state.acknowledged, state.rejected), (3, 0));
        assert_eq!(state.maybe_twice, 0);
    };
    thread::scope(|scope| {
        for answer in answers {
            scope.spawn(move || check(answer));
        }
    });
}

#[test]
fn metrics_and_readiness_of_another_server_are_no_success() {
    for place in [METRICS, READY, ANNOUNCE] {
        let broken = Arc::new(AtomicBool::new(true));
        let is_broken = Arc::clone(&broken);
        let agent = FakeAgent::start(move |request| {
            if request.line() == place && is_broken.load(Ordering::SeqCst) {
                let kind = "Content-Type: text/html".to_owned();
                return Reply::Headed(200, kind, "<html>".to_owned());
            }
            good(request)
        });
        let spans = Spans::new(1);
        let worker = Running::start(agent.port, &spans);
        agent.wait_for(|log| count(log, place) >= 2);
        assert_ne!(worker.status().phase, Phase::Ready, "{place}");
        assert_eq!(worker.status().metrics_sent, 0);
        assert_eq!(count(&agent.log(), TRACES), 0);
        broken.store(false, Ordering::SeqCst);
        assert!(worker.signal.flush(LONG));
        assert_eq!(spans.lock().acknowledged, 1);
    }
}

/// Spans of requests to an endpoint, one list a request.
fn batches(log: &[Received]) -> Vec<Vec<u64>> {
    log.iter()
        .filter(|request| request.line() == TRACES)
        .map(|request| serde_json::from_value(request.json()["spans"].clone()).unwrap())
        .collect()
}

#[test]
fn slow_traces_do_not_delay_the_metrics() {
    let agent = FakeAgent::start(|request| match request.line().as_str() {
        TRACES => Reply::Hang,
        _ => good(request),
    });
    let worker = Running::start(agent.port, &Spans::new(10));
    agent.wait_for(|log| count(log, TRACES) >= 1);
    let before = count(&agent.log(), METRICS);
    // One request of spans hangs for 5 s: metrics come each second meanwhile.
    let begun = Instant::now();
    let log = agent.wait_for(|log| count(log, METRICS) >= before + 4);
    assert!(begun.elapsed() < Duration::from_secs(20));
    let hung = log
        .iter()
        .filter(|request| request.line() == TRACES)
        .count();
    let at = |line: &str| {
        log.iter()
            .position(|request| request.line() == line)
            .unwrap()
    };
    let behind = log[at(TRACES)..]
        .iter()
        .filter(|request| request.line() == METRICS);
    assert!(behind.count() >= 4, "{:?}", lines(&log));
    assert!(hung <= 2, "the first had not ended: {hung}");
    assert_eq!(worker.status().phase, Phase::Ready);
}

#[test]
fn what_was_not_answered_is_sent_once_more_in_smaller_parts() {
    let agent = FakeAgent::start(|request| match request.line().as_str() {
        TRACES => Reply::Hang,
        _ => good(request),
    });
    let spans = Spans::new(100);
    let worker = Running::with_timeout(Duration::from_millis(300), agent.port, &spans);
    let log = agent.wait_for(|log| batches(log).iter().map(Vec::len).sum::<usize>() >= 200);
    let sent = batches(&log);
    assert_eq!(sent[0].len(), 100);
    assert!(sent[1..].iter().all(|batch| batch.len() <= 50), "{sent:?}");
    // Given up when the second time passes without an answer, too.
    let begun = Instant::now();
    while spans.lock().rejected < 100 {
        assert!(begun.elapsed() < LONG);
        thread::sleep(Duration::from_millis(10));
    }
    for span in 0..100 {
        let times = batches(&agent.log())
            .iter()
            .flatten()
            .filter(|sent| **sent == span)
            .count();
        assert_eq!(times, 2, "span {span}");
    }
    assert!(
        spans
            .lock()
            .reasons
            .iter()
            .all(|reason| *reason == Reason::Unanswered)
    );
    drop(worker);
}

#[test]
fn the_second_time_may_be_answered_and_is_counted() {
    let asked = Arc::new(AtomicUsize::new(0));
    let agent = FakeAgent::start(move |request| match request.line().as_str() {
        TRACES if asked.fetch_add(1, Ordering::SeqCst) == 0 => Reply::Hang,
        _ => good(request),
    });
    let spans = Spans::new(10);
    let worker = Running::with_timeout(Duration::from_millis(300), agent.port, &spans);
    agent.wait_for(|log| count(log, TRACES) == 1);
    spans.add(5);
    assert!(worker.signal.flush(LONG));
    let state = spans.lock();
    assert_eq!(
        (state.acknowledged, state.maybe_twice, state.rejected),
        (15, 10, 0)
    );
}

#[test]
fn a_batch_that_did_not_leave_as_a_whole_is_sent_as_often_as_it_takes() {
    // Takes the head and breaks off.
    let asked = Arc::new(AtomicUsize::new(0));
    let agent = FakeAgent::start(move |request| match request.line().as_str() {
        TRACES if asked.fetch_add(1, Ordering::SeqCst) < 3 => Reply::Reset,
        _ => good(request),
    });
    let spans = Spans::new(10);
    let worker = Running::start(agent.port, &spans);
    assert!(worker.signal.flush(LONG));
    assert_eq!(count(&agent.log(), TRACES), 4);
    let state = spans.lock();
    assert_eq!((state.acknowledged, state.rejected), (10, 0));
}

#[test]
fn slow_metrics_and_events_do_not_stop_the_spans() {
    let slow = Arc::new(AtomicBool::new(false));
    let is_slow = Arc::clone(&slow);
    let agent = FakeAgent::start(move |request| match request.line().as_str() {
        EVENT | METRICS if is_slow.load(Ordering::SeqCst) => {
            thread::sleep(Duration::from_millis(1200));
            good(request)
        }
        _ => good(request),
    });
    let spans = Spans::new(1);
    let worker = Running::start(agent.port, &spans);
    assert!(worker.signal.flush(LONG));
    slow.store(true, Ordering::SeqCst);
    assert!(worker.outbox.push(event("slow")));
    worker.signal.event_ready();
    for _ in 0..3 {
        let before = spans.lock().acknowledged;
        spans.add(1);
        worker.signal.spans_ready();
        let begun = Instant::now();
        while spans.lock().acknowledged == before {
            assert!(begun.elapsed() < LONG);
            thread::sleep(Duration::from_millis(5));
        }
    }
    assert_eq!(worker.status().phase, Phase::Ready);
    assert_eq!(worker.status().failures, 0);
}

/// Where an agent was found, the way to the first spans takes less than a second.
#[test]
fn an_agent_that_appears_is_found_within_a_second() {
    let port = closed_port();
    let spans = Spans::new(1);
    let worker = Running::start(port, &spans);
    thread::sleep(Duration::from_millis(2500));
    assert_eq!(worker.status().phase, Phase::Searching);
    // As an agent that discovers the process at its second look, and is ready at the
    // third.
    let asked = AtomicUsize::new(0);
    let agent = FakeAgent::start_at(port, move |request| match request.line().as_str() {
        ANNOUNCE | READY if asked.fetch_add(1, Ordering::SeqCst) % 2 == 0 => status(404),
        _ => good(request),
    });
    let begun = Instant::now();
    agent.wait_for(|log| count(log, TRACES) == 1);
    let took = begun.elapsed();
    println!("an agent that appeared after 2.5 s had the first span after {took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn events_are_sent_one_by_one_and_a_flush_waits_for_them() {
    let agent = FakeAgent::start(good);
    let worker = Running::start(agent.port, &Spans::new(0));
    for number in 0..3 {
        assert!(worker.outbox.push(event(&format!("event {number}")).host()));
    }
    assert!(worker.signal.flush(LONG));
    let log = agent.log();
    let titles: Vec<_> = log
        .iter()
        .filter(|request| request.line() == EVENT)
        .map(|request| request.json()["title"].clone())
        .collect();
    assert_eq!(titles, ["event 0", "event 1", "event 2"]);
    assert_eq!(lines(&log)[..5], ["GET /", ANNOUNCE, READY, METRICS, EVENT]);
    assert_eq!(worker.outbox.counts().sent, 3);
    // One that is sent later needs no flush.
    assert!(worker.outbox.push(event("later")));
    worker.signal.event_ready();
    agent.wait_for(|log| count(log, EVENT) == 4);
    assert!(worker.outbox.push(event("last")));
    let outbox = worker.outbox;
    let (delivered, _) = worker.shutdown();
    assert!(delivered);
    assert_eq!((count(&agent.log(), EVENT), outbox.counts().sent), (5, 5));
}

#[test]
fn refused_events_are_retried_then_given_up() {
    let agent = FakeAgent::start(|request| match request.line().as_str() {
        EVENT if request.json()["title"] == "bad" => status(400),
        _ => good(request),
    });
    let worker = Running::start(agent.port, &Spans::new(1));
    assert!(worker.outbox.push(event("bad")));
    assert!(worker.outbox.push(event("good")));
    assert!(worker.signal.flush(LONG));
    let counts = worker.outbox.counts();
    assert_eq!((counts.sent, counts.dropped_rejected), (1, 1));
    assert_eq!(count(&agent.log(), EVENT), 4);
    assert_eq!(worker.spans.lock().acknowledged, 1);
}

#[test]
fn the_agents_log_gets_problems_without_secrets_and_only_when_announced() {
    let agent = FakeAgent::start(good);
    let problem = "INSTANA_X=\"api_key=abc\" is not a number".to_owned();
    let worker =
        Running::with_problems(&[problem], "127.0.0.1", || None, agent.port, &Spans::new(0));
    let log = agent.wait_for(|log| count(log, LOGGER) == 1);
    let at = |line: &str| log.iter().position(|request| request.line() == line);
    assert!(at(LOGGER) > at(METRICS), "{:?}", lines(&log));
    let logged = &log[at(LOGGER).unwrap()];
    assert!(logged.head.contains("x-log-level: warning\r\n"));
    let text = logged.json()["m"].as_str().unwrap().to_owned();
    assert!(
        text.contains("a part of the settings is ignored: INSTANA_X=") && !text.contains("abc"),
        "{text}"
    );
    drop(worker);

    let agent = FakeAgent::start(|request| match request.line().as_str() {
        ANNOUNCE => status(503),
        _ => good(request),
    });
    let problems = ["a problem".to_owned()];
    let worker =
        Running::with_problems(&problems, "127.0.0.1", || None, agent.port, &Spans::new(0));
    // The time of several lines, in seconds of refused announces.
    agent.wait_for(|log| count(log, ANNOUNCE) >= 3);
    assert_eq!(count(&agent.log(), LOGGER), 0);
    drop(worker);
}

#[test]
fn nobody_waits_longer_than_the_deadline() {
    let hanging = FakeAgent::start(|_| Reply::Hang);
    let hangs_late = FakeAgent::start(|request| match request.line().as_str() {
        TRACES => Reply::Hang,
        _ => good(request),
    });
    let deadline = Duration::from_millis(300);
    for port in [hanging.port, hangs_late.port, closed_port()] {
        let worker = Running::start(port, &Spans::new(1));
        for wait in [Signal::flush, Signal::shutdown] {
            let start = Instant::now();
            assert!(!wait(&worker.signal, deadline));
            let took = start.elapsed();
            assert!(took >= deadline, "{took:?}");
            assert!(took < deadline + Duration::from_millis(100), "{took:?}");
        }
        assert!(worker.spans.pending());
    }
}

#[test]
fn a_shutdown_cuts_requests_short() {
    let hangs = Arc::new(AtomicBool::new(false));
    let hanging = Arc::clone(&hangs);
    let agent = FakeAgent::start(move |_| match hanging.load(Ordering::SeqCst) {
        true => Reply::Hang,
        false => Reply::Close,
    });
    let mut worker = Running::start(agent.port, &Spans::new(1));
    agent.wait_for(|log| !log.is_empty());
    hangs.store(true, Ordering::SeqCst);
    let start = Instant::now();
    assert!(!worker.signal.shutdown(Duration::from_millis(300)));
    // A request has 5 s otherwise.
    worker.thread.take().unwrap().join().unwrap();
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(worker.status().phase, Phase::Stopped);
}

#[test]
fn without_spans_there_is_nothing_to_wait_for() {
    let idle = Running::start(closed_port(), &Spans::new(0));
    assert!(idle.signal.flush(LONG));
    assert_eq!(idle.status().plugin, "rust");
    assert!(idle.shutdown().0);
}

#[test]
fn a_short_lived_process_still_delivers() {
    let tries = Arc::new(AtomicUsize::new(0));
    let agent = FakeAgent::start(move |request| match request.line().as_str() {
        READY if tries.fetch_add(1, Ordering::SeqCst) < 3 => status(404),
        _ => good(request),
    });
    let spans = Spans::new(1500);
    let worker = Running::start(agent.port, &spans);
    let start = Instant::now();
    assert!(worker.shutdown().0);
    // Three failed checks a second apart would have taken three seconds.
    assert!(start.elapsed() < Duration::from_secs(2));
    assert_eq!(spans.lock().acknowledged, 1500);
}

#[test]
fn flushes_of_many_threads() {
    let agent = FakeAgent::start(good);
    let spans = Spans::new(0);
    let worker = Running::start(agent.port, &spans);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    spans.add(1);
                    assert!(worker.signal.flush(LONG));
                }
            });
        }
    });
    assert_eq!(spans.lock().acknowledged, 160);
}

#[test]
fn panics_of_the_sources_do_not_end_the_thread() {
    let agent = FakeAgent::start(good);
    let spans = Spans::new(2);
    spans.lock().panics = 3;
    let worker = Running::start(agent.port, &spans);
    worker.broken_metrics.store(true, Ordering::Relaxed);
    assert!(worker.signal.flush(LONG));
    let state = spans.lock();
    assert_eq!((state.rejected, state.acknowledged), (1, 1));
    drop(state);
    assert!(worker.status().panics >= 3);
}

#[test]
fn a_source_that_never_runs_dry_does_not_spin() {
    let agent = FakeAgent::start(good);
    let spans = Spans::new(0);
    spans.lock().lies = true;
    let worker = Running::start(agent.port, &spans);
    assert!(worker.signal.flush(LONG));
    agent.wait_for(|log| count(log, METRICS) >= 2);
    assert_eq!(count(&agent.log(), TRACES), 0);
    let encoded = spans.lock().encoded;
    assert!(encoded <= 4, "{encoded}");
    assert!(!worker.shutdown().0);
}
