//! No threads, no memory, no descriptors.

use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use instana::InitError;

use crate::child::{LONG, for_agent, live, record, soon};
use crate::forks;
use crate::interposed::{ASKED, NO_THREADS, TOO_LARGE, UNTIL_FAILURE};
use crate::parent::{Case, Run, agent, assert_spans, collect, pipe};

/// Sizes that are refused, with all that are larger. A block and the word that a thread
/// keeps for an attribute are smaller.
const REFUSED: [usize; 6] = [32 * 1024, 16 * 1024, 4096, 2048, 1024, 512];

pub(crate) const CASES: fn() -> Vec<Case> = || {
    vec![
        Case {
            name: "no_thread_at_init",
            parent: |case| {
                let agent = agent();
                let (read, write) = pipe();
                let lines = collect(read);
                Run::start(case, &agent, Stdio::from(write)).join();
                assert_spans(&agent, "case", 4);
                let lines = lines.recv_timeout(LONG).unwrap();
                let late = "instana: the Instana agent thread could not be started";
                assert_eq!(lines.matches(late).count(), 1, "{lines}");
            },
            child: |agent| {
                NO_THREADS.store(true, Ordering::SeqCst);
                let error = soon(|| for_agent(agent).init()).err().unwrap();
                assert!(matches!(error, InitError::Thread(_)), "{error}");
                drop(soon(instana::init));
                record(1);
                assert_eq!(instana::status().lines.waiting, 1);
                NO_THREADS.store(false, Ordering::SeqCst);
                // Not before its time; the next line brings the first one out.
                thread::sleep(Duration::from_millis(1_100));
                live(for_agent(agent));
                let lines = instana::status().lines;
                assert!(lines.written >= 2 && lines.waiting == 0, "{lines:?}");
            },
        },
        Case {
            name: "no_thread_in_a_forked_child",
            parent: |case| {
                let agent = agent();
                let (read, write) = pipe();
                let lines = collect(read);
                Run::start(case, &agent, Stdio::from(write)).join();
                let lines = lines.recv_timeout(LONG).unwrap();
                let said = lines
                    .matches("no agent thread in the forked process")
                    .count();
                assert_eq!(said, 1, "{lines}");
            },
            child: no_thread_in_a_forked_child,
        },
        Case {
            name: "no_memory_of_a_size",
            parent: |case| {
                let agent = agent();
                Run::start(case, &agent, Stdio::inherit()).join();
                assert_spans(&agent, "with memory", REFUSED.len());
            },
            child: no_memory_of_a_size,
        },
        Case {
            name: "no_memory_now_and_then",
            parent: |case| Run::start(case, &agent(), Stdio::inherit()).join(),
            child: no_memory_now_and_then,
        },
        Case {
            name: "no_descriptors",
            parent: |case| Run::start(case, &agent(), Stdio::inherit()).join(),
            child: |agent| {
                let none = libc::rlimit {
                    rlim_cur: 3,
                    rlim_max: 3,
                };
                // SAFETY: `none` outlives the call.
                unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const none) };
                let guard = soon(|| for_agent(agent).init().unwrap());
                record(3);
                assert!(!guard.flush(Duration::from_millis(200)));
                assert_eq!(instana::status().spans.waiting, 3);
                soon(|| drop(guard));
            },
        },
    ]
};

fn no_thread_in_a_forked_child(agent: &str) {
    const SPANS: u64 = 200_000;
    let guard = for_agent(agent).buffer_bytes(256 * 1024).init().unwrap();
    assert!(guard.flush(LONG));
    forks::child(|| {
        NO_THREADS.store(true, Ordering::SeqCst);
        let begin = Instant::now();
        record(SPANS as usize);
        let seconds = begin.elapsed().as_secs() as usize;
        let asked = ASKED.load(Ordering::SeqCst);
        // Once a second for the agent thread and once for that of the lines.
        assert!(
            (2..=2 * (seconds + 2)).contains(&asked),
            "{asked} in {seconds} s"
        );
        let spans = instana::status().spans;
        assert_eq!((spans.recorded(), spans.sent), (SPANS, 0), "{spans:?}");
        assert!(spans.waiting > 1_000, "{spans:?}");
        assert!(!soon(|| instana::flush(Duration::from_millis(10))));
        NO_THREADS.store(false, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(1_100));
        // Who flushes may wait: that brings the thread, too.
        assert!(instana::flush(LONG), "{}", instana::status());
        assert!(instana::status().spans.sent > 1_000);
        // The line is written when the next one comes, or at the end.
        soon(|| drop(guard));
    })
    .join();
}

/// A span with 8 KiB of attributes, which are made before.
fn large(name: &str, text: &str) {
    let mut span = instana::entry_span(name);
    for tag in ["a", "b"] {
        span.tag(tag, text);
    }
}

fn no_memory_of_a_size(agent: &str) {
    let text = "x".repeat(4_000);
    let guard = for_agent(agent).buffer_bytes(64 * 1024).init().unwrap();
    let mut recorded = 0;
    for size in REFUSED {
        let text = text.clone();
        thread::spawn(move || {
            TOO_LARGE.set(size);
            for _ in 0..20 {
                large("without memory", &text);
            }
            TOO_LARGE.set(usize::MAX);
        })
        .join()
        .unwrap();
        recorded += 20;
        let spans = instana::status().spans;
        assert_eq!(spans.recorded(), recorded, "{size}: {spans:?}");
    }
    let spans = instana::status().spans;
    assert!(spans.dropped_memory > 0, "{spans:?}");
    assert!(spans.attributes_dropped > 0, "{spans:?}");
    assert!(guard.flush(LONG));
    for _ in REFUSED {
        instana::entry_span("with memory").end();
    }
    assert!(guard.flush(LONG));
}

/// One allocation after the other fails, once each.
fn no_memory_now_and_then(agent: &str) {
    let text = "x".repeat(4_000);
    let _guard = for_agent(agent).buffer_bytes(64 * 1024).init().unwrap();
    for failure in 0..60 {
        let text = text.clone();
        thread::spawn(move || {
            UNTIL_FAILURE.set(failure);
            for _ in 0..20 {
                large("now and then", &text);
            }
            UNTIL_FAILURE.set(usize::MAX);
        })
        .join()
        .unwrap();
        let spans = instana::status().spans;
        assert_eq!(
            spans.recorded(),
            20 * (failure as u64 + 1),
            "{failure}: {spans:?}"
        );
    }
    assert!(instana::flush(LONG));
}
