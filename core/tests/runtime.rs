//! Starting and stopping the tracer: again and again, from several threads, and
//! with a logger that uses it.
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets something unexpected ends there"
)]

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use instana::{Builder, EventCounts, FutureExt, InitError, Phase};
use instana_dev_agent::{AnnounceAnswer, Config, DevAgent, Fault, Matcher, RequestKind, What};
use serde_json::json;

/// Nothing here takes this long unless it is broken.
const LONG: Duration = Duration::from_secs(20);

/// Nobody listens there.
const NO_AGENT: &str = "127.0.0.1:1";

/// The process has one tracer.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn for_agent(agent: &DevAgent) -> Builder {
    instana::builder().agent(&agent.addr().to_string())
}

/// Runs `f` on a thread; panics where it hangs.
fn in_time<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> R {
    let (tx, rx) = mpsc::channel();
    thread::spawn(move || tx.send(f()));
    rx.recv_timeout(LONG).unwrap()
}

fn wait_until(what: impl Fn() -> bool) {
    let end = Instant::now() + LONG;
    while !what() {
        assert!(Instant::now() < end, "nothing came");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A setting in force, in words.
fn shown(name: &str) -> Option<String> {
    let settings = instana::status().settings;
    let setting = settings.iter().find(|setting| setting.name == name);
    setting.map(ToString::to_string)
}

#[test]
fn settings_are_told_once_with_their_origin_and_again_when_they_change() {
    static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let _alone = alone();
    let answer = AnnounceAnswer::new()
        .extra_headers(["x-agent"])
        .tracing(json!({"disable": ["logging"], "kafka": {"header-format": "xml"}}))
        .poll_rate(5);
    let agent = DevAgent::start(Config::new().announce_answer(answer)).unwrap();
    instana::set_logger(|_, line| {
        LINES.lock().unwrap().push(line.to_owned());
    });
    let guard = for_agent(&agent)
        .service("shop")
        .disable("redis")
        .log_level(instana::LogLevel::Debug)
        .init()
        .unwrap();
    wait_until(|| {
        let status = instana::status().agent;
        status.is_some_and(|agent| agent.phase == Phase::Ready)
    });
    let status = instana::status();
    drop(guard);
    instana::set_logger(|_, _| {});

    let lines = LINES.lock().unwrap();
    for line in [
        "setting service = shop (code)",
        "setting plugin = rust (default)",
        "setting disable = redis (code)",
        "setting extra_headers = none (default)",
        "setting extra_headers = x-agent (agent)",
        "setting metrics_interval = 5000 ms (agent)",
        "setting secrets = contains-ignore-case:key,pass,secret (default)",
        "setting secrets = contains-ignore-case:key,pass,secret (agent)",
    ] {
        let found = lines.iter().filter(|known| *known == line).count();
        assert_eq!(found, 1, "{line} in {lines:#?}");
    }
    let settings = lines.iter().filter(|line| line.starts_with("setting "));
    assert_eq!(settings.count(), status.settings.len() + 3);

    let problem = "the agent's tracing.kafka.header-format=\"xml\" is not a format of headers \
                   (string, binary or both); using string";
    assert_eq!(status.problems, [problem]);
    let text = status.to_string();
    for part in [
        "agent      ready for 0 s as plugin rust",
        "\nspans      0 sent, 0 waiting, 0 dropped\n",
        " KiB of 16384 KiB\n",
        "\nsetting    disable = redis (code)\n",
        "\nsetting    extra_headers = x-agent (agent)\n",
        &format!("\nproblem    {problem}"),
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
}

#[test]
fn errors_are_shown_with_what_helps() {
    let _alone = alone();
    let _guard = instana::builder().agent(NO_AGENT).init().unwrap();
    wait_until(|| {
        let status = instana::status().agent;
        status.is_some_and(|agent| !agent.errors.is_empty())
    });
    let status = instana::status();
    let text = status.to_string();
    assert!(
        text.contains("agent      searching for the agent for "),
        "{text}"
    );
    let fix = "; start the agent or set INSTANA_AGENT_HOST and INSTANA_AGENT_PORT\n";
    assert!(
        text.contains("\nerror      ") && text.contains(fix),
        "{text}"
    );
    assert!(status.agent.unwrap().elapsed() < LONG);
}

#[test]
fn a_logger_may_use_the_tracer() {
    let _alone = alone();
    instana::set_logger(|_, _| {
        let _ = instana::status();
        instana::entry_span("logged").end();
        instana::flush(Duration::ZERO);
    });
    in_time(|| {
        // A problem, which is logged.
        drop(instana::builder().agent("").init().unwrap());
        let guard = instana::builder().agent("http://[").init().unwrap();
        assert_ne!(instana::status().problems.len(), 0);
        instana::entry_span("waits").end();
        drop(guard);
    });
    instana::set_logger(|_, _| {});
}

#[test]
fn what_users_say_about_a_span_is_what_the_agent_expects() {
    let _alone = alone();
    let agent = DevAgent::start(Config::new()).unwrap();
    let guard = for_agent(&agent).init().unwrap();
    let mut page = instana::entry_span("page");
    page.correlation("web", "1a2b");
    page.service("front");
    page.log("begins");
    page.enter(|| {
        let mut call = instana::exit_span("call");
        call.log_with("retry", |entry| {
            entry.field("attempt", 2);
        });
        call.record_error(&std::fmt::Error);
    });
    page.end();
    let spans = agent.wait_for_spans(2, LONG).unwrap();
    drop(guard);
    agent.assert_clean();
    let (call, page) = (&spans[0], &spans[1]);
    assert_eq!(page["crtp"], "web");
    assert_eq!(page["crid"], "1a2b");
    assert_eq!(page["data"]["service"], "front");
    let custom = &call["data"]["sdk"]["custom"];
    assert_eq!(custom["tags"]["error.type"], "core::fmt::Error");
    let (at, entry) = custom["logs"].as_object().unwrap().iter().next().unwrap();
    assert_eq!(entry["attempt"], 2);
    assert!(at.parse::<u64>().unwrap() + 2 >= call["ts"].as_u64().unwrap());
}

#[test]
fn the_builders_logger_gets_the_first_line_and_only_with_a_tracer() {
    let _alone = alone();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let logger = |name: &'static str| {
        let lines = lines.clone();
        instana::builder()
            .agent("http://[")
            .logger(move |level, line| lines.lock().unwrap().push(format!("{name} {level} {line}")))
    };
    let guard = logger("first").init().unwrap();
    assert!(logger("second").init().is_err());
    drop(instana::init());
    drop(guard);
    instana::set_logger(|_, _| {});
    let lines = lines.lock().unwrap();
    assert!(
        lines[0].starts_with("first warning agent=\"http://[\" is not "),
        "{lines:?}"
    );
    assert!(
        lines.iter().all(|line| line.starts_with("first ")),
        "{lines:?}"
    );
    let again = "the process has an Instana tracer already";
    assert!(lines.iter().any(|line| line.contains(again)), "{lines:?}");
}

#[test]
fn events_are_no_ops_without_a_tracer_and_counted_with_one() {
    let _alone = alone();
    let send = || instana::event("deployed").send();
    let counts = || instana::status().events;
    send();
    let guard = instana::builder().agent(NO_AGENT);
    let guard = guard.flush_deadline(Duration::ZERO).init().unwrap();
    assert_eq!(counts(), EventCounts::default());
    assert!(!instana::status().to_string().contains("events "));
    send();
    send();
    assert_eq!((counts().waiting, counts().dropped()), (2, 0));
    assert!(!guard.flush(Duration::from_millis(20)), "there is no agent");
    drop(guard);
    assert_eq!((counts().waiting, counts().dropped_stopped), (0, 2));
    send();
    assert_eq!(counts().dropped(), 2);

    let agent = DevAgent::start(Config::new()).unwrap();
    let guard = for_agent(&agent).service("shop").init().unwrap();
    send();
    assert!(guard.flush(LONG));
    assert_eq!(
        (counts().sent, counts().waiting, counts().dropped()),
        (1, 0, 0)
    );
    let events = agent.events();
    assert_eq!((events.len(), &events[0]["id"]), (1, &json!("shop")));
    let now = UNIX_EPOCH.elapsed().unwrap().as_millis();
    let age = now - u128::from(events[0]["timestamp"].as_u64().unwrap());
    assert!(age < LONG.as_millis(), "{age} ms ago");
    drop(guard);
    agent.assert_clean();
}

#[test]
fn no_tracer_starts_into_one_that_stops() {
    let _alone = alone();
    let agent = DevAgent::start(Config::new()).unwrap();
    agent.fault(Fault::new(Matcher::any(), What::Hang));
    let deadline = Duration::from_millis(500);
    let guard = for_agent(&agent).flush_deadline(deadline).init().unwrap();
    instana::entry_span("waits").end();
    let stop = thread::spawn(move || drop(guard));
    wait_until(|| !instana::Tracer::global().is_on());
    let early = instana::builder().agent(NO_AGENT).init();
    assert!(matches!(early, Err(InitError::AlreadyRunning)), "{early:?}");
    assert!(instana::status().agent.is_some(), "it still sends");
    stop.join().unwrap();
    assert!(instana::status().agent.is_none());
    let _guard = instana::builder().agent(NO_AGENT).init().unwrap();
    instana::entry_span("kept").end();
    let spans = instana::status().spans;
    assert_eq!((spans.waiting, spans.dropped()), (1, 0));
}

#[test]
fn an_announce_that_is_answered_late_changes_no_later_tracer() {
    let _alone = alone();
    let agent = DevAgent::start(Config::new()).unwrap();
    agent.fault(Fault::new(
        Matcher::kind(RequestKind::Announce),
        What::Delay(Duration::from_millis(400)),
    ));
    let first = for_agent(&agent).extra_headers(["x-first"]).init().unwrap();
    wait_until(|| {
        agent
            .requests()
            .iter()
            .any(|request| request.kind == RequestKind::Announce)
            || instana::status()
                .agent
                .is_some_and(|agent| agent.requests > 1)
    });
    drop(first);
    let _second = instana::builder()
        .agent(NO_AGENT)
        .extra_headers(["x-second"])
        .init()
        .unwrap();
    // Over the time of the answer, which the first tracer may or may not still read.
    for _ in 0..20 {
        let headers = shown("extra_headers");
        assert_eq!(headers.as_deref(), Some("extra_headers = x-second (code)"));
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_tracer_can_be_restarted_while_threads_record() {
    let _alone = alone();
    in_time(|| {
        let ends = Arc::new(AtomicBool::new(false));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let ends = Arc::clone(&ends);
                thread::spawn(move || {
                    while !ends.load(Ordering::Relaxed) {
                        instana::entry_span("work").enter(|| {
                            instana::exit_span("call").tag("a", "b".repeat(3_000).as_str());
                        });
                        let _ = instana::status();
                        instana::flush(Duration::from_millis(1));
                    }
                })
            })
            .collect();
        for _ in 0..200 {
            let guard = instana::builder()
                .agent(NO_AGENT)
                .buffer_bytes(65_536)
                .log_level(instana::LogLevel::Error)
                .flush_deadline(Duration::from_millis(2))
                .init();
            assert!(guard.is_ok(), "{guard:?}");
            thread::sleep(Duration::from_millis(1));
            thread::spawn(move || drop(guard)).join().unwrap();
        }
        ends.store(true, Ordering::Relaxed);
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert!(instana::status().agent.is_none());
    });
}

#[test]
fn spans_that_were_dropped_are_an_event() {
    let _alone = alone();
    let agent = DevAgent::start(Config::new()).unwrap();
    let guard = for_agent(&agent)
        .service("shop")
        .buffer_bytes(65_536)
        .log_level(instana::LogLevel::Error)
        .init()
        .unwrap();
    let begin = Instant::now();
    while instana::status().spans.dropped_full == 0 {
        assert!(begin.elapsed() < LONG);
        // More than there is room for, before any of them is sent.
        for _ in 0..10_000 {
            instana::entry_span("burst").end();
        }
    }
    let events = agent.wait_for_events(1, LONG).unwrap();
    let event = events.first().unwrap();
    assert_eq!(event["title"], "Spans were dropped");
    assert_eq!(
        (&event["id"], &event["severity"]),
        (&json!("shop"), &json!(5))
    );
    let text = event["text"].as_str().unwrap();
    assert!(
        text.contains(" since the start: there was no room"),
        "{text}"
    );
    drop(guard);
    agent.assert_clean();
}

#[test]
fn a_guard_is_dropped_while_a_panic_unwinds() {
    let _alone = alone();
    let result = std::panic::catch_unwind(|| {
        let _guard = instana::builder().agent(NO_AGENT).init().unwrap();
        panic!("on purpose");
    });
    assert!(result.is_err());
    assert!(instana::status().agent.is_none());
    let first = instana::builder().agent(NO_AGENT).init().unwrap();
    // The second is no owner.
    drop(instana::init());
    assert!(instana::status().agent.is_some());
    drop(first);
}

/// Does all that can be done with spans when the thread ends.
struct AtTheEnd(mpsc::Sender<bool>);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        let mut entry = instana::entry_span("at the end");
        let mut handle = entry.handle();
        entry.tag("name", "value");
        let below = entry.enter(|| {
            instana::current(|span| span.tag("inner", 1));
            let mut exit = instana::exit_span("call");
            exit.enter(|| instana::Context::current().is_active())
        });
        handle.error("late");
        entry.context().enter(|| instana::span("carried").end());
        drop(entry);
        let _ = instana::status();
        instana::flush(Duration::ZERO);
        let _ = self.0.send(below);
    }
}

#[test]
fn spans_may_end_while_their_thread_does() {
    thread_local! {
        static BEFORE: std::cell::RefCell<Option<AtTheEnd>> = const { std::cell::RefCell::new(None) };
        static AFTER: std::cell::RefCell<Option<AtTheEnd>> = const { std::cell::RefCell::new(None) };
    }
    let _alone = alone();
    let _guard = instana::builder().agent(NO_AGENT).init().unwrap();
    for records in [true, false] {
        let before = instana::status().spans.recorded();
        let (tx, rx) = mpsc::channel();
        thread::spawn(move || {
            BEFORE.set(Some(AtTheEnd(tx.clone())));
            if records {
                instana::entry_span("first").end();
            }
            AFTER.set(Some(AtTheEnd(tx)));
        })
        .join()
        .unwrap();
        assert_eq!(rx.iter().count(), 2);
        // Entries always; what is below them where the thread still has its memory.
        let recorded = instana::status().spans.recorded() - before;
        assert!((3..=7).contains(&recorded), "{recorded}");
    }
}

#[test]
fn a_slow_poll_is_a_warning_once() {
    let _alone = alone();
    let agent = DevAgent::start(Config::new()).unwrap();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = lines.clone();
    instana::set_logger(move |_, line| sink.lock().unwrap().push(line.to_owned()));
    let timed = for_agent(&agent)
        .poll_timing(true)
        .slow_poll(Duration::from_millis(2));
    let guard = timed.init().unwrap();
    for _ in 0..2 {
        let future = async {
            let begin = Instant::now();
            while begin.elapsed() < Duration::from_millis(3) {}
        };
        let span = instana::entry_span("report that blocks");
        let mut future = pin!(future.in_span(span));
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_ready());
        assert!(guard.flush(LONG));
    }
    drop(guard);
    let warnings = || {
        let lines = lines.lock().unwrap();
        lines
            .iter()
            .filter(|line| line.starts_with("sdk report that blocks: one poll took "))
            .count()
    };
    // Lines are written by a thread of their own.
    wait_until(|| warnings() > 0);
    instana::set_logger(|_, _| {});
    assert_eq!(warnings(), 1, "{lines:?}");
}
