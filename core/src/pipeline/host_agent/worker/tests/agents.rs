//! Agents that come late, go away, move, or are none.

use super::*;

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
    let spans = json!({"f": {"e": "4711", "h": "uuid"}, "spans": [0, 1, 2]});
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
    assert_eq!(sent["f"]["e"], std::process::id().to_string());
    assert_eq!(sent["f"]["h"], json!(null));
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
