//! The life with an agent: found, lost, lying, restarting, absent.

use std::time::{Duration, Instant};

use instana_dev_agent::{AnnounceAnswer, Config, DevAgent, Fault, Matcher, RequestKind, What};
use serde_json::{Value, json};

use crate::app::App;

/// Nothing here takes this long unless it is broken.
const LONG: Duration = Duration::from_secs(30);

fn agent() -> DevAgent {
    DevAgent::start(Config::new()).unwrap()
}

fn with_answer(answer: AnnounceAnswer) -> DevAgent {
    DevAgent::start(Config::new().announce_answer(answer)).unwrap()
}

fn kinds(agent: &DevAgent) -> Vec<RequestKind> {
    agent
        .requests()
        .iter()
        .map(|request| request.kind)
        .collect()
}

fn count(agent: &DevAgent, kind: RequestKind) -> usize {
    kinds(agent)
        .into_iter()
        .filter(|other| *other == kind)
        .count()
}

#[test]
fn the_steps_come_in_order_and_carry_the_answered_identity() {
    let agent = with_answer(
        AnnounceAnswer::new()
            .pid_offset(100_000)
            .agent_uuid("aa:bb:cc:ff:fe:dd:ee:01"),
    );
    let mut app = App::for_agent(&agent, &[], &[("INSTANA_SERVICE_NAME", "shop")]);
    assert_eq!(app.ask("entries 2"), "done");
    let spans = agent.wait_for_spans(4, LONG).unwrap();
    for span in &spans {
        assert_eq!(
            span["f"],
            json!({"e": (app.pid() + 100_000).to_string(), "h": "aa:bb:cc:ff:fe:dd:ee:01"})
        );
        assert_eq!(span["data"]["service"], "shop");
    }
    let mut steps = kinds(&agent);
    steps.retain(|kind| *kind != RequestKind::Log);
    steps.truncate(5);
    let expected = [
        RequestKind::Lookup,
        RequestKind::Announce,
        RequestKind::Ready,
        RequestKind::Metrics,
        RequestKind::Traces,
    ];
    assert_eq!(steps, expected);
    let process = agent.process(app.pid() + 100_000).unwrap();
    assert_eq!(process.sent_pid(), app.pid());
    assert_eq!(process.snapshot().unwrap()["name"], "shop");
    agent.assert_clean();
}

#[test]
fn metrics_come_every_second() {
    let agent = agent();
    let app = App::for_agent(&agent, &[], &[]);
    let metrics = agent.wait_for_metrics(app.pid(), 4, LONG).unwrap();
    for body in &metrics {
        assert!(body["metrics"]["mem"]["resident"].as_u64().unwrap() > 100_000);
        assert!(body["metrics"]["threads"].as_u64().unwrap() >= 2);
    }
    let snapshots = metrics
        .iter()
        .filter(|body| body.get("snapshot").is_some())
        .count();
    assert_eq!(snapshots, 1, "once after the announce");
    let times: Vec<u64> = metric_times(&agent);
    let span = times[3] - times[0];
    assert!(
        (2_000..5_000).contains(&span),
        "three intervals took {span} ms"
    );
    agent.assert_clean();
}

fn metric_times(agent: &DevAgent) -> Vec<u64> {
    let requests = agent.requests();
    requests
        .iter()
        .filter(|request| request.kind == RequestKind::Metrics)
        .map(|request| request.at_ms)
        .collect()
}

#[test]
fn an_agent_that_is_slow_with_metrics_gets_spans_too() {
    let agent = agent();
    let slow = What::Delay(Duration::from_millis(1_300));
    agent.fault(Fault::new(Matcher::kind(RequestKind::Metrics), slow));
    let mut app = App::for_agent(&agent, &[], &[]);
    agent.wait_for_metrics(app.pid(), 2, LONG).unwrap();
    assert_eq!(app.ask("entries 10"), "done");
    app.flush();
    assert_eq!(agent.spans().len(), 20);
    assert_eq!(agent.process(app.pid()).unwrap().announces(), 1);
    agent.assert_clean();
}

#[test]
fn the_agents_poll_rate_is_honoured() {
    let agent = with_answer(AnnounceAnswer::new().poll_rate(3));
    let app = App::for_agent(&agent, &[], &[]);
    agent.wait_for_metrics(app.pid(), 2, LONG).unwrap();
    let times = metric_times(&agent);
    assert!(times[1] - times[0] >= 2_500, "{times:?}");
}

#[test]
fn go_metrics_follow_gos_schema() {
    let agent = agent();
    let app = App::for_agent(&agent, &[], &[("INSTANA_PLUGIN_NAME", "golang")]);
    let metrics = agent.wait_for_metrics(app.pid(), 2, LONG).unwrap();
    assert!(metrics[0]["snapshot"]["goroot"].is_string());
    assert!(
        metrics[1]["metrics"]["memory"]["heap_alloc"]
            .as_u64()
            .unwrap()
            > 0
    );
    assert_eq!(agent.process(app.pid()).unwrap().plugin(), "golang");
    agent.assert_clean();
}

#[test]
fn refused_announces_and_readiness_checks_are_repeated() {
    let agent = DevAgent::start(Config::new().reject_announces(3).reject_ready(2)).unwrap();
    let mut app = App::for_agent(&agent, &[], &[]);
    assert_eq!(app.ask("entries 1"), "done");
    agent.wait_for_spans(2, LONG).unwrap();
    assert_eq!(count(&agent, RequestKind::Announce), 4);
    assert_eq!(count(&agent, RequestKind::Ready), 3);
    agent.assert_clean();
}

#[test]
fn a_restarted_agent_gets_announce_snapshot_and_every_span() {
    let agent = agent();
    let mut app = App::for_agent(&agent, &[], &[]);
    agent.wait_for_metrics(app.pid(), 1, LONG).unwrap();
    for _ in 0..3 {
        assert_eq!(app.ask("entries 20"), "done");
        let snapshots = agent.process(app.pid()).unwrap().snapshots();
        agent.forget();
        assert_eq!(app.ask("entries 20"), "done");
        agent
            .wait_until("a new announce with its snapshot", LONG, |view| {
                let process = view.process(app.pid())?;
                (process.ready() && process.snapshots() > snapshots).then_some(())
            })
            .unwrap();
    }
    // Posts that were answered with 404 are sent again, so none is missing.
    let spans = agent.wait_for_spans(240, LONG).unwrap();
    let mut ids: Vec<_> = spans
        .iter()
        .map(|span| span["s"].as_str().unwrap().to_owned())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 240);
    assert!(agent.process(app.pid()).unwrap().snapshots() >= 4);
    app.flush();
    assert_eq!(app.counts(), [240, 240, 0, 0]);
}

#[test]
fn an_agent_that_goes_away_and_comes_back_gets_every_span() {
    let agent = agent();
    let mut app = App::for_agent(&agent, &[], &[]);
    agent.wait_for_metrics(app.pid(), 1, LONG).unwrap();
    agent.stop();
    assert_eq!(app.ask("entries 300"), "done");
    assert_eq!(app.ask("flush 100"), "false");
    agent.restart().unwrap();
    agent.wait_for_spans(600, LONG).unwrap();
    agent.assert_clean();
}

#[test]
fn a_failed_metrics_post_leads_to_a_new_announce() {
    for what in [
        What::Status(500),
        What::Status(404),
        What::Drop,
        What::Garbage(b"not http".to_vec()),
        What::Truncated,
    ] {
        let agent = agent();
        let app = App::for_agent(&agent, &[], &[]);
        agent.wait_for_metrics(app.pid(), 1, LONG).unwrap();
        agent.fault(Fault::new(Matcher::kind(RequestKind::Metrics), what.clone()).times(2));
        agent
            .wait_until(&format!("a new announce after {what:?}"), LONG, |view| {
                (view.process(app.pid())?.announces() >= 2).then_some(())
            })
            .unwrap();
    }
}

#[test]
fn a_404_for_traces_alone_is_no_reason_to_announce() {
    let agent = agent();
    let mut app = App::for_agent(&agent, &[], &[]);
    agent.wait_for_metrics(app.pid(), 1, LONG).unwrap();
    agent.fault(Fault::new(Matcher::kind(RequestKind::Traces), What::Status(404)).times(1));
    assert_eq!(app.ask("entries 1"), "done");
    agent.wait_for_spans(2, LONG).unwrap();
    assert_eq!(agent.process(app.pid()).unwrap().announces(), 1);
}

#[test]
fn failed_trace_posts_are_repeated_without_loss() {
    // Spans whose answer is missing or cannot be read are sent once more, not twice.
    for (what, times) in [
        (What::Status(503), 2),
        (What::Drop, 1),
        (What::Garbage(b"\0\0\0".to_vec()), 1),
        (What::Truncated, 1),
    ] {
        let agent = agent();
        let mut app = App::for_agent(&agent, &[], &[]);
        agent.wait_for_metrics(app.pid(), 1, LONG).unwrap();
        agent.fault(Fault::new(Matcher::kind(RequestKind::Traces), what).times(times));
        assert_eq!(app.ask("entries 10"), "done");
        agent.wait_for_spans(20, LONG).unwrap();
        app.flush();
        assert_eq!(app.counts(), [20, 20, 0, 0]);
        agent.assert_clean();
    }
}

#[test]
fn spans_the_agent_never_takes_are_given_up_and_counted() {
    let agent = agent();
    let mut app = App::for_agent(&agent, &[], &[]);
    agent.wait_for_metrics(app.pid(), 1, LONG).unwrap();
    agent.fault(Fault::new(
        Matcher::kind(RequestKind::Traces),
        What::Status(400),
    ));
    assert_eq!(app.ask("entries 5"), "done");
    let start = Instant::now();
    while app.counts() != [10, 0, 0, 10] {
        assert!(start.elapsed() < LONG, "{:?}", app.counts());
        // Each look is a round trip to the application: no busy loop of ours.
    }
    agent.clear_faults();
    assert_eq!(app.ask("entries 1"), "done");
    agent.wait_for_spans(2, LONG).unwrap();
    app.flush();
    assert_eq!(app.counts(), [12, 2, 0, 10]);
}

#[test]
fn wrong_announce_answers_never_crash_and_never_last() {
    let bodies = [
        "",
        "null",
        "[]",
        "17",
        "{",
        "\u{0}",
        "<html></html>",
        r#"{"pid":"x"}"#,
        r#"{"pid":-1,"agentUuid":"u"}"#,
        r#"{"pid":1}"#,
        r#"{"agentUuid":"u"}"#,
        r#"{"pid":null,"agentUuid":null}"#,
    ];
    let agent = agent();
    let answer = |body: &str| AnnounceAnswer::new().raw(body);
    agent.set_announce_answer(answer(bodies[0]));
    let mut app = App::for_agent(&agent, &[], &[]);
    assert_eq!(app.ask("entries 1"), "done");
    for (number, body) in bodies.iter().enumerate() {
        agent.set_announce_answer(answer(body));
        let wanted = count(&agent, RequestKind::Announce) + 2;
        agent
            .wait_until(&format!("announces after answer {number}"), LONG, |view| {
                let seen = view
                    .requests()
                    .iter()
                    .filter(|request| request.kind == RequestKind::Announce)
                    .count();
                (seen >= wanted).then_some(())
            })
            .unwrap();
    }
    let status = app.ask("status");
    assert!(status.contains("announcing"), "{status}");
    agent.set_announce_answer(AnnounceAnswer::new());
    agent.wait_for_spans(2, LONG).unwrap();
}

#[test]
fn settings_of_wrong_types_are_ignored_and_the_others_used() {
    let agent = with_answer(
        AnnounceAnswer::new()
            .member("secrets", json!({"matcher": 7, "list": "key"}))
            .member("extraHeaders", json!("x-one"))
            .member(
                "tracing",
                json!({"extra-http-headers": ["x-tenant", {}, ""], "disable": 17, "global": []}),
            )
            .member("plugin.rust", json!({"poll_rate": "often"})),
    );
    let mut app = App::for_agent(&agent, &[], &[]);
    assert_eq!(app.ask("entries 1"), "done");
    agent.wait_for_spans(2, LONG).unwrap();
    let status = app.ask("status");
    assert!(
        status.contains("extra_headers = x-tenant (agent)"),
        "{status}"
    );
}

#[test]
fn another_http_server_is_not_taken_for_an_agent() {
    let agent = agent();
    agent.fault(Fault::new(
        Matcher::kind(RequestKind::Lookup),
        What::Body("<html>hello</html>".to_owned()),
    ));
    let mut app = App::for_agent(&agent, &[], &[]);
    agent
        .wait_until("two lookups", LONG, |view| {
            let lookups = view
                .requests()
                .iter()
                .filter(|request| request.kind == RequestKind::Lookup)
                .count();
            (lookups >= 2).then_some(())
        })
        .unwrap();
    let status = app.ask("status");
    assert!(status.contains("not as an Instana agent"), "{status}");
    assert_eq!(count(&agent, RequestKind::Announce), 0);
    agent.clear_faults();
    assert_eq!(app.ask("entries 1"), "done");
    agent.wait_for_spans(2, LONG).unwrap();
}

#[test]
fn an_agent_that_hangs_is_left_after_the_timeout() {
    let agent = agent();
    let mut app = App::for_agent(&agent, &[], &[("INSTANA_AGENT_REQUEST_TIMEOUT", "300")]);
    agent.wait_for_metrics(app.pid(), 1, LONG).unwrap();
    agent.fault(Fault::new(Matcher::any(), What::Hang).times(3));
    let start = Instant::now();
    assert_eq!(app.ask("entries 1000"), "done");
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "the application waited: {:?}",
        start.elapsed()
    );
    agent.wait_for_spans(2_000, LONG).unwrap();
}

#[test]
fn where_rust_is_unknown_spans_go_to_the_raw_trace_endpoint() {
    let agent = agent();
    agent.fault(Fault::new(
        Matcher::kind(RequestKind::Announce),
        What::Status(404),
    ));
    let mut app = App::for_agent(&agent, &[], &[("INSTANA_SERVICE_NAME", "raw")]);
    assert_eq!(app.ask("entries 2"), "done");
    let spans = agent.wait_for_spans(4, LONG).unwrap();
    assert!(count(&agent, RequestKind::Rawtrace) > 0);
    assert!(count(&agent, RequestKind::Announce) >= 10);
    assert_eq!(spans[0]["f"], json!({"e": app.pid().to_string()}));
    let status = app.ask("status");
    assert!(status.contains("raw-trace"), "{status}");
    // The agent learns the name after all.
    agent.clear_faults();
    agent.wait_for_metrics(app.pid(), 1, LONG).unwrap();
    assert_eq!(app.ask("entries 1"), "done");
    let spans = agent.wait_for_spans(6, LONG).unwrap();
    assert!(spans[5]["f"]["h"].is_string());
    agent.assert_clean();
}

#[test]
fn many_and_large_spans_are_split_over_requests() {
    let agent = agent();
    agent.stop();
    let mut app = App::for_agent(&agent, &[], &[]);
    for _ in 0..450 {
        assert_eq!(app.ask("large 3900"), "done");
    }
    assert_eq!(app.ask("entries 1500"), "done");
    agent.restart().unwrap();
    agent.wait_for_spans(3_450, LONG).unwrap();
    let requests = agent.requests();
    let posts: Vec<_> = requests
        .iter()
        .filter(|request| request.kind == RequestKind::Traces)
        .collect();
    assert!(posts.len() >= 4, "{} posts", posts.len());
    assert!(posts.iter().all(|post| post.body_len < 5 * 1024 * 1024));
    agent.assert_clean();
}

#[test]
fn requests_of_the_agent_are_answered() {
    let agent = agent();
    let app = App::for_agent(&agent, &[], &[]);
    agent.wait_for_metrics(app.pid(), 1, LONG).unwrap();
    let request =
        json!({"action": "rust.source", "messageId": "a b/c?", "args": {"file": "/etc/passwd"}});
    assert!(agent.queue_request(app.pid(), request));
    let responses = agent
        .wait_until("an answer", LONG, |view| {
            let responses = view.process(app.pid())?.responses();
            (!responses.is_empty()).then_some(responses)
        })
        .unwrap();
    assert_eq!(responses[0].0, "a b/c?");
    let error = responses[0].1["error"].as_str().unwrap();
    assert!(
        error.contains("rust.source") && !error.contains("root:"),
        "{error}"
    );
}

#[test]
fn wrong_values_in_the_environment_are_named_and_not_used() {
    let mut app = App::start(
        &[],
        &[
            ("INSTANA_AGENT_PORT", "42x99"),
            ("INSTANA_AGENT_HOST", "127.0.0.1"),
        ],
    );
    let status = app.ask("status");
    assert!(
        status.contains(r#"INSTANA_AGENT_PORT="42x99" is not a port"#),
        "{status}"
    );
}

#[test]
fn without_an_agent_memory_is_bounded_and_losses_are_counted() {
    let mut app = App::start(&[], &[("INSTANA_AGENT_PORT", "1")]);
    for _ in 0..20 {
        assert_eq!(app.ask("entries 20000"), "done");
    }
    let [recorded, sent, waiting, dropped] = app.counts();
    assert_eq!((recorded, sent), (800_000, 0));
    assert_eq!(waiting + dropped, recorded);
    assert!(dropped > 0);
    let status: String = app.ask("status");
    let buffer = status
        .split("buffer")
        .nth(1)
        .unwrap()
        .trim()
        .split(' ')
        .next()
        .unwrap();
    assert!(buffer.parse::<u64>().unwrap() <= 16 * 1024 + 32, "{status}");
}

#[test]
fn nobody_but_the_tracer_is_told_of_what_the_agent_lacks() {
    // The values of a span's tags are the application's own business; a process
    // without any span sends metrics alone.
    let agent = agent();
    let app = App::for_agent(&agent, &[], &[]);
    agent.wait_for_metrics(app.pid(), 3, LONG).unwrap();
    assert_eq!(count(&agent, RequestKind::Traces), 0);
    assert_eq!(agent.spans(), Vec::<Value>::new());
}
