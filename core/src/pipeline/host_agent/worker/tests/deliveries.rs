//! Batches of spans, and events: what is sent once, again, or not at all.

use super::*;

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
