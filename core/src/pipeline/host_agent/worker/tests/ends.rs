//! Flushes, the end of the thread, and what must not end it.

use super::*;

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
            // A request has 5 s otherwise.
            assert!(took < 10 * deadline, "{took:?}");
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
    let (start, deadline) = (Instant::now(), Duration::from_millis(300));
    assert!(!worker.signal.shutdown(deadline));
    // A request has 5 s otherwise.
    worker.thread.take().unwrap().join().unwrap();
    let took = start.elapsed();
    assert!(took < 10 * deadline, "{took:?}");
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
        READY if tries.fetch_add(1, Ordering::SeqCst) < 14 => status(404),
        _ => good(request),
    });
    let spans = Spans::new(1500);
    let worker = Running::start(agent.port, &spans);
    let start = Instant::now();
    assert!(worker.shutdown().0);
    // The pauses behind 14 failed checks are 9.6 s otherwise, and 0.7 s in a hurry.
    let took = start.elapsed();
    assert!(took < 14 * 10 * schedule::HURRY, "{took:?}");
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
