//! What poll timing says of handlers that sleep, spin and block, and of one that is
//! kept from its thread, beside what they measured themselves.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::future::Future;
use std::time::{Duration, Instant};

use instana::FutureExt;
use instana::testing::{RecordedSpan, Recorder};
use tokio::sync::oneshot;

const RUNS: usize = 200;
const LENGTH: Duration = Duration::from_millis(4);

/// Runs `handler`, which returns what it measured, in a timed entry.
async fn timed<F: Future<Output = Duration>>(handler: F) -> (RecordedSpan, f64) {
    let recorder = Recorder::builder()
        .poll_timing(true)
        .slow_poll(Duration::from_secs(600))
        .build();
    let entry = async { handler.in_span(instana::entry_span("handler")).await };
    let measured = recorder.scope(entry).await;
    (recorder.labelled("handler"), millis(measured))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn tag(span: &RecordedSpan, name: &str) -> f64 {
    span.float(&format!("data.sdk.custom.tags.{name}")).unwrap()
}

/// Within 5 % or 1 ms.
fn assert_close(said: f64, measured: f64, span: &RecordedSpan) {
    let bound = (measured * 0.05).max(1.0);
    assert!(
        (said - measured).abs() <= bound,
        "{said} ms said, {measured} ms measured: {}",
        span.json()
    );
}

fn spin() -> Duration {
    let begin = Instant::now();
    while begin.elapsed() < LENGTH {}
    begin.elapsed()
}

fn block() -> Duration {
    let begin = Instant::now();
    std::thread::sleep(LENGTH);
    begin.elapsed()
}

#[tokio::test]
async fn a_handler_that_sleeps_idles() {
    for _ in 0..RUNS {
        let (span, measured) = timed(async {
            let begin = Instant::now();
            tokio::time::sleep(LENGTH).await;
            begin.elapsed()
        })
        .await;
        assert_eq!(tag(&span, "poll_count"), 2.0);
        let away = tag(&span, "poll_idle_ms") + tag(&span, "poll_waiting_ms");
        assert_close(away, measured, &span);
        assert_close(tag(&span, "poll_running_ms"), 0.0, &span);
    }
}

#[tokio::test]
async fn a_handler_that_spins_runs() {
    for _ in 0..RUNS {
        let (span, measured) = timed(async {
            let first = spin();
            tokio::task::yield_now().await;
            first + spin()
        })
        .await;
        assert_eq!(tag(&span, "poll_count"), 2.0);
        assert_close(tag(&span, "poll_running_ms"), measured, &span);
        assert_close(tag(&span, "poll_longest_ms"), measured / 2.0, &span);
    }
}

#[tokio::test]
async fn a_handler_that_blocks_runs() {
    for _ in 0..RUNS {
        let (span, measured) = timed(async { block() }).await;
        assert_close(tag(&span, "poll_running_ms"), measured, &span);
        assert_close(tag(&span, "poll_longest_ms"), measured, &span);
        assert_close(tag(&span, "poll_idle_ms"), 0.0, &span);
    }
}

#[tokio::test]
async fn a_handler_whose_thread_is_kept_by_another_waits() {
    for _ in 0..RUNS {
        let (ready, is_ready) = oneshot::channel();
        // The only thread: it wakes the handler, and goes on for a while.
        let keeps = tokio::spawn(async move {
            ready.send(()).unwrap();
            block()
        });
        let (span, _) = timed(async {
            is_ready.await.unwrap();
            Duration::ZERO
        })
        .await;
        let measured = millis(keeps.await.unwrap());
        assert_close(tag(&span, "poll_waiting_ms"), measured, &span);
        assert_close(tag(&span, "poll_running_ms"), 0.0, &span);
        assert_close(tag(&span, "poll_idle_ms"), 0.0, &span);
    }
}
