//! Loggers of the application, and the line about a guard that was not kept.

use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use instana::LogLevel;

use crate::child::{LONG, for_agent, live, record, soon};
use crate::parent::{Case, Run, agent, assert_spans, collect, pipe};

pub(crate) const CASES: fn() -> Vec<Case> = || {
    vec![
        Case {
            name: "a_logger_that_blocks_for_ever",
            parent: lives,
            child: |agent| {
                live(for_agent(agent).logger(|_, _| {
                    loop {
                        thread::park();
                    }
                }));
                assert_eq!(instana::status().lines.written, 0);
                assert!(instana::status().lines.waiting > 0);
            },
        },
        Case {
            name: "a_logger_that_is_slow",
            parent: lives,
            child: |agent| {
                let slow = |_: LogLevel, _: &str| thread::sleep(Duration::from_millis(20));
                live(for_agent(agent).log_level(LogLevel::Debug).logger(slow));
                let lines = instana::status().lines;
                assert!(lines.written > 3, "{lines:?}");
            },
        },
        Case {
            name: "a_logger_that_panics",
            parent: lives,
            child: |agent| {
                std::panic::set_hook(Box::new(|_| {}));
                let panics = |_: LogLevel, _: &str| panic!("on purpose");
                live(for_agent(agent).log_level(LogLevel::Debug).logger(panics));
                let lines = instana::status().lines;
                assert!(lines.unwritten > 3 && lines.written == 0, "{lines:?}");
            },
        },
        Case {
            name: "a_logger_that_uses_the_tracer",
            parent: lives,
            child: uses_the_tracer,
        },
        Case {
            name: "a_guard_that_is_not_kept_is_a_line",
            parent: |case| {
                let agent = agent();
                let (read, write) = pipe();
                let lines = collect(read);
                Run::start(case, &agent, Stdio::from(write)).join();
                let lines = lines.recv_timeout(LONG).unwrap();
                let warnings = lines.matches("`let _ = …` drops it at once").count();
                assert_eq!(warnings, 5, "{lines}");
                let once = "instana: the tracer was stopped ";
                assert_eq!(lines.matches(once).count(), 5, "{lines}");
            },
            child: not_kept,
        },
    ]
};

fn lives(case: &Case) {
    let agent = agent();
    Run::start(case, &agent, Stdio::inherit()).join();
    assert_spans(&agent, "case", 4);
}

fn uses_the_tracer(agent: &str) {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    static GUARD: Mutex<Option<instana::Guard>> = Mutex::new(None);
    let builder = for_agent(agent).log_level(LogLevel::Debug).logger(|_, _| {
        let _ = instana::status();
        let _ = instana::flush(Duration::from_millis(1));
        let _ = instana::builder().init();
        drop(instana::init());
        instana::gauge("of the logger", "items").set(1);
        if CALLS.fetch_add(1, Ordering::SeqCst) == 10 {
            instana::set_logger(|_, _| {
                CALLS.fetch_add(1, Ordering::SeqCst);
            });
        }
        // The last line of a tracer that the logger itself stops.
        drop(GUARD.lock().unwrap().take());
    });
    live(builder);
    assert!(CALLS.load(Ordering::SeqCst) > 11);
    let stopped_by_its_logger = for_agent(agent).log_level(LogLevel::Debug).logger(|_, _| {
        drop(GUARD.lock().unwrap().take());
    });
    let mut place = GUARD.lock().unwrap();
    *place = Some(soon(|| stopped_by_its_logger.init().unwrap()));
    drop(place);
    while instana::Tracer::global().is_on() {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Five mistakes, and what is none.
fn not_kept(agent: &str) {
    fn set_up(agent: &str) {
        let _guard = for_agent(agent).init();
    }
    let _ = instana::init();
    let _ = for_agent(agent).init();
    drop(instana::init());
    set_up(agent);
    assert!(for_agent(agent).init().is_ok());
    // Spans, time, an event, a panic.
    let guard = for_agent(agent).init();
    record(1);
    drop(guard);
    let guard = for_agent(agent).init();
    thread::sleep(Duration::from_millis(150));
    drop(guard);
    let guard = for_agent(agent).init();
    instana::event("deployed").send();
    drop(guard);
    let first = for_agent(agent).init();
    drop(instana::init());
    record(1);
    drop(first);
    let _ = std::panic::catch_unwind(|| {
        let _guard = for_agent(agent).init();
        panic!("on purpose");
    });
}
