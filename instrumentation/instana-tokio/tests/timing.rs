//! What poll timing says of handlers that sleep, spin and block, and of one that is
//! kept from its thread, beside what they measured themselves.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::time::{Duration, Instant};

use instana::testing::{RecordedSpan, Recorder};
use tokio::sync::oneshot;

const RUNS: usize = 200;
const LENGTH: Duration = Duration::from_millis(4);
/// Runs in which the system may stop the thread between the two clocks.
const STOPPED: usize = RUNS / 20;

/// What a handler measured of its own polls.
#[derive(Clone, Copy, Debug, Default)]
struct Own {
    polls: u32,
    running: Duration,
    longest: Duration,
    /// Between polls.
    away: Duration,
}

/// Runs `handler` in a timed entry.
async fn timed(handler: impl Future) -> (RecordedSpan, Own) {
    let recorder = Recorder::builder()
        .poll_timing(true)
        .slow_poll(Duration::from_secs(600))
        .build();
    let mut own = Own::default();
    let watched = async {
        let mut handler = pin!(handler);
        let mut ended: Option<Instant> = None;
        poll_fn(|cx| {
            let begin = Instant::now();
            own.away += ended.map_or(Duration::ZERO, |ended| begin - ended);
            let polled = handler.as_mut().poll(cx);
            let end = Instant::now();
            own.polls += 1;
            own.running += end - begin;
            own.longest = own.longest.max(end - begin);
            ended = Some(end);
            polled.map(|_| ())
        })
        .await;
    };
    recorder.in_entry(watched).await;
    (recorder.labelled("job"), own)
}

/// The number of a tag whose name begins with `poll_`.
fn polled(span: &RecordedSpan, name: &str) -> f64 {
    let tag = span.tag(&format!("poll_{name}")).unwrap();
    tag.parse().unwrap()
}

/// All runs but a few: each pair is what was said, in milliseconds, and measured.
#[derive(Debug, Default)]
struct Runs {
    apart: Vec<String>,
}

impl Runs {
    /// Within 5 % or 1 ms.
    fn compare(&mut self, span: &RecordedSpan, pairs: &[(f64, Duration)]) {
        let is_close = |(said, measured): &(f64, Duration)| {
            let measured = measured.as_secs_f64() * 1_000.0;
            (said - measured).abs() <= (measured * 0.05).max(1.0)
        };
        if !pairs.iter().all(is_close) {
            self.apart.push(format!("{pairs:?} {}", span.json()));
        }
    }

    fn assert_close(&self) {
        let apart = &self.apart;
        assert!(
            apart.len() <= STOPPED,
            "{} of {RUNS}: {apart:#?}",
            apart.len()
        );
    }
}

fn spin() {
    let begin = Instant::now();
    while begin.elapsed() < LENGTH {}
}

#[tokio::test]
async fn a_handler_that_sleeps_idles() {
    let mut runs = Runs::default();
    for _ in 0..RUNS {
        let (span, own) = timed(async { tokio::time::sleep(LENGTH).await }).await;
        assert_eq!(polled(&span, "count"), f64::from(own.polls));
        assert!(own.away + own.running >= LENGTH, "{own:?}");
        let away = polled(&span, "idle_ms") + polled(&span, "waiting_ms");
        runs.compare(
            &span,
            &[
                (away, own.away),
                (polled(&span, "running_ms"), own.running),
                (polled(&span, "longest_ms"), own.longest),
            ],
        );
    }
    runs.assert_close();
}

#[tokio::test]
async fn a_handler_that_spins_runs() {
    let mut runs = Runs::default();
    for _ in 0..RUNS {
        let handler = async {
            spin();
            tokio::task::yield_now().await;
            spin();
        };
        let (span, own) = timed(handler).await;
        assert_eq!((polled(&span, "count"), own.polls), (2.0, 2));
        assert!(own.running >= 2 * LENGTH, "{own:?}");
        runs.compare(
            &span,
            &[
                (polled(&span, "running_ms"), own.running),
                (polled(&span, "longest_ms"), own.longest),
                (
                    polled(&span, "waiting_ms") + polled(&span, "idle_ms"),
                    own.away,
                ),
            ],
        );
    }
    runs.assert_close();
}

#[tokio::test]
async fn a_handler_that_blocks_runs() {
    let mut runs = Runs::default();
    for _ in 0..RUNS {
        let (span, own) = timed(async { std::thread::sleep(LENGTH) }).await;
        assert!(own.running >= LENGTH, "{own:?}");
        runs.compare(
            &span,
            &[
                (polled(&span, "running_ms"), own.running),
                (polled(&span, "longest_ms"), own.longest),
                (polled(&span, "idle_ms"), own.away),
            ],
        );
    }
    runs.assert_close();
}

#[tokio::test]
async fn a_handler_whose_thread_is_kept_by_another_waits() {
    let mut runs = Runs::default();
    for _ in 0..RUNS {
        let (ready, is_ready) = oneshot::channel();
        // The only thread: it wakes the handler, and goes on for a while.
        let keeps = tokio::spawn(async move {
            let begin = Instant::now();
            ready.send(()).unwrap();
            std::thread::sleep(LENGTH);
            begin.elapsed()
        });
        let (span, own) = timed(is_ready).await;
        let kept = keeps.await.unwrap();
        runs.compare(
            &span,
            &[
                (polled(&span, "waiting_ms"), kept),
                (polled(&span, "running_ms"), own.running),
                (polled(&span, "idle_ms"), own.away.saturating_sub(kept)),
            ],
        );
    }
    runs.assert_close();
}
