//! Waits, queries, and who may use them.

use std::thread;
use std::time::Duration;

use instana_dev_agent::{Config, DevAgent, Notice};
use serde_json::{Value, json};

use crate::support::{Client, now_ms, report_in};

const PATIENCE: Duration = Duration::from_secs(10);

fn raw(id: &str) -> Value {
    json!([{"t": "1111111111111111", "s": id, "n": "g.http", "k": 1, "ts": now_ms(), "d": 4, "ec": 1,
        "data": {"service": "shop", "http": {"method": "GET", "path": "/a"}}}])
}

fn event_and_log(client: &mut Client) {
    client.post(
        "/com.instana.plugin.generic.event",
        &json!({"title": "deployed", "severity": -1}),
    );
    let headers = [
        ("Content-Type", "application/json"),
        ("X-Log-Level", "INFO"),
    ];
    client
        .send(
            "POST",
            "/com.instana.agent.logger",
            &headers,
            "{\"m\":\"ready\"}",
        )
        .expect("an answer");
}

fn agent() -> (DevAgent, Client) {
    let agent = DevAgent::start(Config::new()).expect("an agent");
    let client = Client::of(&agent);
    (agent, client)
}

#[test]
fn waits_end_when_spans_arrive() {
    let (agent, mut client) = agent();
    let sender = thread::spawn(move || {
        for id in ["2222222222222222", "3333333333333333"] {
            client.post("/com.instana.plugin.generic.rawtrace", &raw(id));
        }
    });
    let spans = agent.wait_for_spans(2, PATIENCE).expect("two spans");
    assert_eq!(spans.len(), 2);
    sender.join().expect("no panic");
}

#[test]
fn waits_end_when_events_and_logs_arrive() {
    let (agent, mut client) = agent();
    let sender = thread::spawn(move || {
        event_and_log(&mut client);
        event_and_log(&mut client);
    });
    let events = agent.wait_for_events(2, PATIENCE).expect("two events");
    assert_eq!(events[1]["title"], "deployed");
    let logs = agent.wait_for_logs(2, PATIENCE).expect("two lines");
    assert_eq!(logs[1], json!({"m": "ready", "level": "INFO"}));
    sender.join().expect("no panic");
    agent.assert_clean();
}

#[test]
fn a_late_wait_tells_what_arrived() {
    let (agent, mut client) = agent();
    client.post(
        "/com.instana.plugin.generic.rawtrace",
        &raw("2222222222222222"),
    );
    let error = agent
        .wait_for_spans(2, Duration::from_millis(20))
        .expect_err("one span only")
        .to_string();
    assert!(error.starts_with("no 2 spans within 20ms"), "{error}");
    assert!(
        error.contains("1 spans (1 g.http)") && error.contains("1 requests (1 rawtrace 200)"),
        "{error}"
    );
}

#[test]
fn waits_over_http() {
    let (agent, mut client) = agent();
    let late = client.get("/dev/wait?spans=1&timeout_ms=20");
    assert_eq!(late.status, 408);
    let addr = agent.addr();
    let waiting = thread::spawn(move || {
        Client::new(addr)
            .get("/dev/wait?spans=1&metrics=1&processes=1&events=1&logs=1&timeout_ms=10000")
    });
    report_in(&mut client, "rust");
    client.post(
        "/com.instana.plugin.generic.rawtrace",
        &raw("2222222222222222"),
    );
    event_and_log(&mut client);
    let answer = waiting.join().expect("no panic");
    assert_eq!(
        (answer.status, answer.json()),
        (
            200,
            json!({"spans": 1, "metrics": 1, "processes": 1, "events": 1, "logs": 1})
        )
    );
    assert_eq!(client.get("/dev/wait?spans=many").status, 400);
}

#[test]
fn queries() {
    let (agent, mut client) = agent();
    let pid = report_in(&mut client, "rust");
    client.post(
        "/com.instana.plugin.generic.rawtrace",
        &raw("2222222222222222"),
    );
    event_and_log(&mut client);
    assert_eq!(client.post("/v1/traces", &json!({})).json(), json!({}));
    let mut at = |path: &str, pointer: &str| {
        client
            .get(path)
            .json()
            .pointer(pointer)
            .cloned()
            .unwrap_or_default()
    };
    for (path, pointer, expected) in [
        ("/", "/dev", json!(true)),
        ("/", "/version", json!("1.1.999")),
        ("/dev", "/name", json!("instana-dev-agent")),
        ("/dev/status", "/spans", json!(1)),
        ("/dev/status", "/otlp_dropped", json!(1)),
        ("/dev/processes", "/processes/0/name", json!("shop")),
        (&format!("/dev/processes/{pid}"), "/plugin", json!("rust")),
        (
            &format!("/dev/processes/{pid}/metrics"),
            "/metrics/0/metrics/tasks",
            json!(4),
        ),
        ("/dev/traces", "/traces/0/root", json!("GET /a")),
        (
            "/dev/traces?errors=1&service=shop",
            "/traces/0/errors",
            json!(1),
        ),
        ("/dev/traces?service=other", "/traces", json!([])),
        ("/dev/traces/1111111111111111", "/left_off", json!(0)),
        ("/dev/traces/1111111111111111", "/spans/0/depth", json!(0)),
        ("/dev/spans", "/spans/0/n", json!("g.http")),
        ("/dev/map", "/services/0/calls", json!(1)),
        ("/dev/violations", "/total", json!(0)),
        ("/dev/notes", "/notes", json!([])),
        ("/dev/rules", "/rules/0/rule", json!("http-syntax")),
        ("/dev/rules", "/rules/0/heading", json!("Requests")),
        ("/dev/events", "/events/0/title", json!("deployed")),
        (
            "/dev/logs",
            "/logs/0",
            json!({"m": "ready", "level": "INFO"}),
        ),
        ("/dev/requests?limit=1", "/requests/0/path", json!("/")),
        ("/dev/traces/x", "/error", json!("no trace has the id x")),
        (
            "/dev/processes/x",
            "/error",
            json!("no process has the pid x"),
        ),
        (
            "/dev/nothing",
            "/error",
            json!("/dev/nothing is unknown; GET /dev lists what there is"),
        ),
    ] {
        assert_eq!(at(path, pointer), expected, "{path}");
    }
    assert_eq!(
        client
            .send("DELETE", "/dev/data", &[], "")
            .expect("an answer")
            .status,
        200
    );
    assert!(agent.spans().is_empty() && agent.events().is_empty());
    assert_eq!(
        agent.process(pid).map(|process| process.known()),
        Some(true)
    );
}

#[test]
fn controls_over_http() {
    let (agent, mut client) = agent();
    let pid = report_in(&mut client, "rust");
    let request = json!({"action": "a", "messageId": "m"});
    assert_eq!(
        client
            .post(&format!("/dev/requests/{pid}"), &request)
            .status,
        200
    );
    assert_eq!(client.post("/dev/requests/1", &request).status, 404);
    assert_eq!(
        client
            .post(&format!("/dev/requests/{pid}"), &json!({}))
            .status,
        400
    );
    assert_eq!(
        client
            .post("/dev/announce-answer", &json!({"pidOffset": 5}))
            .status,
        200
    );
    assert_eq!(
        client
            .post("/dev/announce-answer", &json!({"pidOfset": 5}))
            .status,
        400
    );
    assert_eq!(
        client.post("/dev/reject", &json!({"announces": 1})).status,
        200
    );
    assert_eq!(
        client.post("/dev/reject", &json!({"announce": 1})).status,
        400
    );
    assert_eq!(
        client
            .send("POST", "/dev/forget", &[], "")
            .expect("an answer")
            .status,
        200
    );
    assert_eq!(
        agent.process(pid).map(|process| process.known()),
        Some(false)
    );
    let body = crate::support::announce(&client);
    assert_eq!(
        client
            .put("/com.instana.plugin.rust.discovery", &body)
            .status,
        404
    );
    assert_eq!(
        client
            .put("/com.instana.plugin.rust.discovery", &body)
            .json()["pid"],
        pid + 5
    );
}

#[test]
fn the_token_guards_dev_only() {
    let agent = DevAgent::start(Config::new().token("s3cr3t")).expect("an agent");
    let mut client = Client::of(&agent);
    let mut status = |headers: &[(&str, &str)]| {
        client
            .send("GET", "/dev/status", headers, "")
            .expect("an answer")
            .status
    };
    assert_eq!(status(&[]), 401);
    assert_eq!(status(&[("Authorization", "Bearer wrong1")]), 401);
    assert_eq!(status(&[("Authorization", "Bearer s3cr3t")]), 200);
    report_in(&mut Client::of(&agent), "rust");
}

#[test]
fn web_pages_are_kept_out() {
    let (agent, mut client) = agent();
    let own = format!("http://{}", agent.addr());
    let span = raw("2222222222222222").to_string();
    for (method, path, body) in [
        ("POST", "/dev/forget", ""),
        ("GET", "/dev/status", ""),
        ("GET", "/", ""),
        (
            "POST",
            "/com.instana.plugin.generic.rawtrace",
            span.as_str(),
        ),
        (
            "POST",
            "/com.instana.plugin.generic.event",
            "{\"title\":\"x\"}",
        ),
        (
            "PUT",
            "/com.instana.plugin.rust.discovery",
            "{\"pid\":1,\"name\":\"x\"}",
        ),
        ("POST", "/com.instana.agent.logger", "{\"m\":\"x\"}"),
        ("OPTIONS", "/com.instana.plugin.rust.discovery", ""),
        ("POST", "/v1/traces", "{}"),
        ("GET", "/nothing", ""),
    ] {
        let mut status = |header: (&str, &str)| {
            let headers = [header, ("Content-Type", "text/plain")];
            let answer = client
                .send(method, path, &headers, body)
                .expect("an answer");
            assert!(!answer.body.contains("Access-Control"), "{}", answer.body);
            answer.status
        };
        for header in [
            ("Host", "evil.example"),
            ("Host", "127.0.0.1.evil.example:42699"),
            ("Origin", "http://evil.example"),
            ("Origin", "null"),
            ("Origin", "http://127.0.0.1:1"),
            ("Sec-Fetch-Site", "same-site"),
        ] {
            assert_eq!(status(header), 403, "{method} {path} {header:?}");
        }
        assert_ne!(status(("Origin", &own)), 403, "{method} {path}");
    }
    let seen = client.get("/dev/status").json();
    assert_eq!(seen["foreign_requests"], 60);
    let paths: Vec<_> = agent.requests().into_iter().map(|r| r.path).collect();
    assert!(
        !paths.iter().any(|path| path.starts_with("/dev")),
        "the log is of tracers"
    );
    assert_eq!(
        agent.spans().len(),
        1,
        "only what had our own origin arrived"
    );
}

/// Containers call the agent by other names.
#[test]
fn tracers_may_call_the_agent_by_other_names() {
    let agent = DevAgent::start(Config::new().host("agent.corp.example")).expect("an agent");
    let mut client = Client::of(&agent);
    for host in [
        "host.docker.internal:42699",
        "172.17.0.1:42699",
        "instana-agent",
        "instana-agent.instana-agent.svc.cluster.local:42699",
        "agent.corp.example:42699",
        "[::1]:42699",
    ] {
        let answer = client.send("GET", "/", &[("Host", host)], "");
        assert_eq!(answer.expect("an answer").status, 200, "{host}");
    }
}

#[test]
fn a_foreign_site_is_reported_once() {
    let (agent, mut client) = agent();
    let notices = agent.subscribe();
    for host in ["evil.example", "evil.example", "other.example"] {
        client
            .send("GET", "/", &[("Host", host)], "")
            .expect("an answer");
    }
    for expected in ["evil.example", "other.example"] {
        match notices.recv_timeout(PATIENCE) {
            Ok(Notice::Refused { header, value }) => {
                assert_eq!((header, value.as_str()), ("Host", expected));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(notices.try_recv().is_err());
}

#[test]
fn memory_is_bounded() {
    let config = Config::new()
        .memory(4 << 20)
        .kept_requests(5)
        .kept_findings(5)
        .processes(2);
    let agent = DevAgent::start(config).expect("an agent");
    let mut client = Client::of(&agent);
    let sent = 500;
    for n in 0..sent {
        let mut span = raw(&format!("{:016x}", n + 1));
        span[0]["t"] = format!("{:016x}", n + 1).into();
        span[0]["d"] = (-1).into();
        span[0]["data"]["http"]["error"] = "x".repeat(10_000).into();
        client.post("/com.instana.plugin.generic.rawtrace", &span);
    }
    for pid in 1..=5 {
        client.put(
            "/com.instana.plugin.rust.discovery",
            &json!({"pid": pid, "name": "x"}),
        );
    }
    let status = client.get("/dev/status").json();
    let number = |pointer: &str| status.pointer(pointer).and_then(Value::as_u64).unwrap();
    assert!(number("/bytes") <= number("/memory"), "{status}");
    assert_eq!(number("/memory"), 4 << 20);
    assert_eq!(number("/spans") + number("/dropped/spans"), sent);
    assert!(number("/spans") > 50 && number("/dropped/spans") > 0);
    let kept = agent.spans();
    assert_eq!(
        kept.last().unwrap()["s"],
        format!("{sent:016x}"),
        "the newest"
    );
    assert_eq!(agent.dropped().spans, number("/dropped/spans"));
    assert_eq!((agent.requests().len(), agent.processes().len()), (5, 2));
    assert_eq!(agent.violations().len(), 5);
    let all = agent.check().expect_err("violations").to_string();
    assert!(
        all.starts_with("505 violations of the agent protocol"),
        "{all}"
    );
    assert!(all.contains("… and 455 more"), "{all}");
}

/// 60 events of 2 MiB and 4 MiB of memory: the newest stays.
#[test]
fn the_oldest_of_all_kinds_goes_first() {
    let agent = DevAgent::start(Config::new().memory(16 << 20)).expect("an agent");
    let mut client = Client::of(&agent);
    let pid = report_in(&mut client, "rust");
    let path = "/com.instana.plugin.generic.rawtrace";
    client.post(path, &raw("2222222222222222"));
    for n in 0..60 {
        let event = json!({"title": n.to_string(), "text": "x".repeat(1_200_000)});
        assert_eq!(
            client
                .post("/com.instana.plugin.generic.event", &event)
                .status,
            200
        );
    }
    client.post(path, &raw("3333333333333333"));
    let status = client.get("/dev/status").json();
    assert!(status["bytes"].as_u64() < Some(12 << 20), "{status}");
    let titles = agent.view(|view| view.events());
    assert!((4..20).contains(&titles.len()), "{}", titles.len());
    assert_eq!(titles.last().unwrap()["title"], "59");
    let ids: Vec<_> = agent.spans().iter().map(|span| span["s"].clone()).collect();
    assert_eq!(ids, ["3333333333333333"], "the other span was older");
    let dropped = agent.dropped();
    assert_eq!((dropped.spans, dropped.process_bodies), (1, 1));
    assert_eq!(dropped.events, 60 - titles.len() as u64);
    assert_eq!(agent.process(pid).unwrap().metrics().len(), 0);
    assert!(dropped.to_string().starts_with("1 spans, "), "{dropped}");
}

#[test]
fn the_oldest_idle_connection_gives_way() {
    let agent = DevAgent::start(Config::new().connections(3)).expect("an agent");
    let mut busy = Client::of(&agent);
    let mut idle: Vec<_> = (0..2).map(|_| Client::of(&agent)).collect();
    for client in &mut idle {
        assert_eq!(client.get("/").status, 200);
    }
    // The first one has just been used, and a waiting request is no idle one.
    thread::sleep(Duration::from_millis(20));
    assert_eq!(idle[0].get("/").status, 200);
    let addr = agent.addr();
    busy.raw(b"GET /dev/wait?events=1&timeout_ms=20000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .expect("a connection");
    let mut tracer = Client::new(addr);
    assert_eq!(tracer.get("/").status, 200, "a tracer is not locked out");
    assert_eq!(
        idle.pop().unwrap().rest(),
        "",
        "the oldest idle one was closed"
    );
    assert_eq!(idle[0].get("/dev/status").json()["connections_closed"], 1);
    event_and_log(&mut tracer);
    assert_eq!(busy.answered().status, 200, "the waiting one was not");
}

#[test]
fn connections_that_say_nothing_are_closed() {
    let soon = Duration::from_millis(100);
    let config = Config::new().head_timeout(soon).body_timeout(soon);
    let agent = DevAgent::start(config).expect("an agent");
    let path = "POST /com.instana.plugin.generic.rawtrace HTTP/1.1\r\nHost: localhost\r\n";
    for (sent, open) in [
        (String::from("GET / HT"), false),
        (format!("{path}X-A: b\r\n"), false),
        (format!("{path}Content-Length: 100\r\n\r\n[{{"), false),
        (String::new(), true),
    ] {
        let mut client = Client::of(&agent);
        client.raw(sent.as_bytes()).expect("a connection");
        if open {
            thread::sleep(4 * soon);
            assert_eq!(client.get("/").status, 200, "it was idle");
        } else {
            assert_eq!(client.rest(), "", "{sent}");
        }
    }
    let mut client = Client::of(&agent);
    client.raw(b"GET / HT").expect("a connection");
    client.end();
    assert_eq!(client.rest(), "", "nothing more comes");
    let agent = DevAgent::start(Config::new().idle_timeout(soon)).expect("an agent");
    let mut client = Client::of(&agent);
    assert_eq!(client.get("/").status, 200);
    assert_eq!(client.rest(), "", "it was idle for too long");
}

/// 60 unfinished bodies, and a tracer that gets through.
#[test]
fn unfinished_bodies_are_bounded() {
    let memory = 8 << 20;
    let agent = DevAgent::start(Config::new().memory(memory)).expect("an agent");
    let head = "POST /com.instana.plugin.generic.rawtrace HTTP/1.1\r\nHost: localhost\r\n\
                Content-Type: application/json\r\nContent-Length: 40000000\r\n\r\n";
    let mut open = Vec::new();
    for _ in 0..30 {
        let mut client = Client::of(&agent);
        client.raw(head.as_bytes()).expect("a connection");
        // The agent may have given it up before all is sent.
        let _ = client.raw("[{\"a\":".repeat(100_000).as_bytes());
        open.push(client);
    }
    let mut tracer = Client::of(&agent);
    let pid = report_in(&mut tracer, "rust");
    let mut span = raw("2222222222222222");
    span[0]["data"]["http"]["error"] = "x".repeat(300_000).into();
    // While the others still arrive, this body may be the one that is given up: a tracer
    // sends it again.
    let path = "/com.instana.plugin.generic.rawtrace";
    let answer = (0..30).find_map(|_| {
        let answer = Client::of(&agent).json("POST", path, &span);
        if answer.is_err() {
            std::thread::sleep(Duration::from_millis(100));
        }
        answer.ok()
    });
    let status = answer.expect("an answer").status;
    assert_eq!((status, agent.spans().len()), (200, 1));
    assert!(agent.process(pid).is_some());
    assert!(agent.dropped().bodies >= 20, "{:?}", agent.dropped());
}
