//! What gets through to agents that are slow, and how soon to agents that appear.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets something unexpected ends there"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use instana::Phase;

const LONG: Duration = Duration::from_secs(60);

/// The process has one tracer.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What an agent got.
#[derive(Default)]
struct Got {
    spans: AtomicUsize,
    requests: AtomicUsize,
    /// When metrics came.
    metrics: Mutex<Vec<Instant>>,
    /// Ends all connections.
    stopped: AtomicBool,
}

/// An agent that answers requests of spans after `delay`.
fn agent(port: u16, delay: Duration) -> (u16, Arc<Got>) {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let got = Arc::new(Got::default());
    let shared = Arc::clone(&got);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let shared = Arc::clone(&shared);
            if shared.stopped.load(Ordering::SeqCst) {
                return;
            }
            thread::spawn(move || serve(&stream.unwrap(), &shared, delay));
        }
    });
    (port, got)
}

fn serve(stream: &TcpStream, got: &Got, delay: Duration) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 || got.stopped.load(Ordering::SeqCst) {
                return None;
            }
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let mut answer = "";
        if head.starts_with("GET") {
            answer = r#"{"version":"1"}"#;
        } else if head.starts_with("PUT") {
            answer = r#"{"pid":4711,"agentUuid":"uuid"}"#;
        } else if head.contains("/traces.") {
            let spans = body.windows(6).filter(|part| *part == b"{\"t\":\"");
            got.spans.fetch_add(spans.count(), Ordering::SeqCst);
            got.requests.fetch_add(1, Ordering::SeqCst);
            thread::sleep(delay);
        } else if head.starts_with("POST /com.instana.plugin.rust.4711") {
            got.metrics.lock().unwrap().push(Instant::now());
        }
        let length = answer.len();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{answer}");
        (&mut &*stream).write_all(answer.as_bytes()).ok()?;
    }
}

fn wait_until(what: impl Fn() -> bool) -> Duration {
    let begun = Instant::now();
    while !what() {
        assert!(
            begun.elapsed() < LONG,
            "nothing came: {}",
            instana::status()
        );
        thread::sleep(Duration::from_millis(2));
    }
    begun.elapsed()
}

fn phase() -> Phase {
    instana::status().agent.unwrap().phase
}

/// Records spans on two threads for some seconds, as fast as 50,000 a second each, or as the
/// machine sends them.
fn record(time: Duration) -> usize {
    let recorded = AtomicUsize::new(0);
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut own = 0_u32;
                while begun.elapsed() < time {
                    for _ in 0..50 {
                        instana::entry_span("GET /stock").end();
                    }
                    own += 50;
                    while own % 5000 == 0 && instana::status().spans.waiting > 150_000 {
                        thread::sleep(Duration::from_millis(5));
                    }
                    let due = Duration::from_micros(20) * own;
                    thread::sleep(due.saturating_sub(begun.elapsed()));
                }
                recorded.fetch_add(own as usize, Ordering::SeqCst);
            });
        }
    });
    recorded.into_inner()
}

#[test]
fn an_agent_that_answers_after_20_ms_gets_100_000_spans_a_second() {
    let _alone = alone();
    let (port, got) = agent(0, Duration::from_millis(20));
    let guard = instana::builder()
        .agent(&format!("127.0.0.1:{port}"))
        .init()
        .unwrap();
    wait_until(|| phase() == Phase::Ready);
    let time = Duration::from_secs(3);
    let recorded = record(time);
    assert!(instana::flush(LONG), "{}", instana::status());
    let spans = instana::status().spans;
    let requests = got.requests.load(Ordering::SeqCst);
    println!(
        "{recorded} spans in {time:?}, {} dropped, {requests} requests",
        spans.dropped()
    );
    assert_eq!(spans.dropped(), 0, "{}", instana::status());
    assert_eq!(spans.sent, recorded as u64);
    assert_eq!(got.spans.load(Ordering::SeqCst), recorded);
    // A machine that records as many has more than 1,500 for each round trip.
    if recorded > 250_000 {
        assert!(requests < recorded / 1_500, "{requests}");
    }
    drop(guard);
}

#[test]
fn metrics_keep_their_second_while_spans_wait_for_answers() {
    let _alone = alone();
    let (port, got) = agent(0, Duration::from_secs(4));
    let guard = instana::builder()
        .agent(&format!("127.0.0.1:{port}"))
        .init()
        .unwrap();
    wait_until(|| phase() == Phase::Ready);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(9) {
        instana::entry_span("entry").end();
        thread::sleep(Duration::from_millis(10));
    }
    let metrics = got.metrics.lock().unwrap().clone();
    let pauses: Vec<_> = metrics.windows(2).map(|pair| pair[1] - pair[0]).collect();
    println!("pauses between metrics: {pauses:?}");
    // One request of spans takes 4 s: metrics would come every 4 s behind it, 3 at most.
    assert!(metrics.len() >= 5, "{pauses:?}");
    assert!(got.requests.load(Ordering::SeqCst) >= 2);
    drop(guard);
}

/// CPU time that this process has used.
#[expect(unsafe_code, reason = "std knows no CPU time")]
fn cpu() -> Duration {
    // SAFETY: all zero is a valid `rusage`.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is valid for writes of an `rusage`.
    let result = unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
    assert_eq!(result, 0);
    let of = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
    };
    of(usage.ru_utime) + of(usage.ru_stime)
}

/// Prints how soon agents are found that appear after some seconds, and what looking for
/// them costs: `cargo test -p instana --test pipeline -- --nocapture recovery`.
#[test]
fn recovery_of_an_agent_that_appears_and_restarts() {
    let _alone = alone();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let guard = instana::builder()
        .agent(&format!("127.0.0.1:{port}"))
        .init()
        .unwrap();
    thread::sleep(Duration::from_secs(2));
    let before = cpu();
    thread::sleep(Duration::from_secs(5));
    let used = cpu() - before;
    println!("searching for 5 s took {used:?} of CPU time");
    // Ten times as much as it may take, for what else is in this process.
    assert!(used < Duration::from_millis(50), "{used:?}");
    for round in 0..3 {
        let (_, got) = agent(port, Duration::ZERO);
        instana::entry_span("entry").end();
        let took = wait_until(|| got.spans.load(Ordering::SeqCst) > 0);
        println!("round {round}: the first span came {took:?} after the agent");
        assert!(took < Duration::from_secs(10), "{took:?}");
        got.stopped.store(true, Ordering::SeqCst);
        // Wakes the agent's thread, so that the port is free again.
        drop(TcpStream::connect(("127.0.0.1", port)));
        wait_until(|| phase() != Phase::Ready);
        thread::sleep(Duration::from_millis(1300));
    }
    drop(guard);
}
