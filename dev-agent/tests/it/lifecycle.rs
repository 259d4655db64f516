//! Announces, restarts, and what tracers are answered.

use std::net::TcpStream;
use std::time::Duration;

use instana_dev_agent::render::Style;
use instana_dev_agent::{AnnounceAnswer, Config, DevAgent, Notice, Rule, StartError};
use serde_json::{Value, json};

use crate::support::{Client, announce, metrics, now_ms, report_in};

const PATIENCE: Duration = Duration::from_secs(10);

fn rules(agent: &DevAgent) -> Vec<Rule> {
    agent
        .violations()
        .iter()
        .map(|violation| violation.rule)
        .collect()
}

#[test]
fn the_answered_pid_counts() {
    let own = u64::from(std::process::id());
    let config = Config::new().announce_answer(AnnounceAnswer::new().pid_offset(1_000_000));
    let agent = DevAgent::start(config).expect("an agent");
    let mut client = Client::of(&agent);
    let pid = report_in(&mut client, "rust");
    assert_eq!(pid, own + 1_000_000);
    agent.assert_clean();
    assert_eq!(
        client
            .head(&format!("/com.instana.plugin.rust.{own}"))
            .status,
        404
    );
    assert_eq!(rules(&agent), [Rule::UrlPid]);
    let message = &agent.violations()[0].message;
    assert_eq!(
        *message,
        format!("the announce of {own} was answered with pid {pid}")
    );
    let process = agent.process(pid).expect("the process");
    assert_eq!((process.sent_pid(), process.name().as_str()), (own, "shop"));
}

#[test]
fn rejections_then_acceptance() {
    let agent =
        DevAgent::start(Config::new().reject_announces(2).reject_ready(1)).expect("an agent");
    let mut client = Client::of(&agent);
    client.get("/");
    let body = announce(&client);
    let statuses: Vec<_> = (0..3)
        .map(|_| {
            client
                .put("/com.instana.plugin.rust.discovery", &body)
                .status
        })
        .collect();
    assert_eq!(statuses, [404, 404, 200]);
    let path = format!("/com.instana.plugin.rust.{}", std::process::id());
    assert_eq!(
        [client.head(&path).status, client.head(&path).status],
        [404, 200]
    );
    agent.assert_clean();
}

#[test]
fn forget_needs_a_new_announce_with_snapshot() {
    let agent = DevAgent::start(Config::new()).expect("an agent");
    let mut client = Client::of(&agent);
    let pid = report_in(&mut client, "rust");
    agent.forget();
    let path = format!("/com.instana.plugin.rust.{pid}");
    assert_eq!(client.post(&path, &metrics(pid, false)).status, 404);
    assert_eq!(client.head(&path).status, 404);
    let body = announce(&client);
    client.put("/com.instana.plugin.rust.discovery", &body);
    assert_eq!(client.head(&path).status, 200);
    agent.assert_clean();
    assert_eq!(client.post(&path, &metrics(pid, false)).status, 200);
    assert_eq!(rules(&agent), [Rule::SnapshotAgain]);
    assert_eq!(
        agent.process(pid).map(|process| process.announces()),
        Some(2)
    );
}

#[test]
fn stop_and_restart_on_the_same_port() {
    let agent = DevAgent::start(Config::new()).expect("an agent");
    let mut client = Client::of(&agent);
    let pid = report_in(&mut client, "rust");
    agent.stop();
    assert_eq!(client.rest(), "", "open connections are closed");
    assert!(TcpStream::connect(agent.addr()).is_err());
    agent.restart().expect("the port is free");
    let mut client = Client::of(&agent);
    assert_eq!(
        client
            .head(&format!("/com.instana.plugin.rust.{pid}"))
            .status,
        404
    );
    assert_eq!(report_in(&mut client, "rust"), pid);
    agent.assert_clean();
}

#[test]
fn dropped_connections() {
    let agent = DevAgent::start(Config::new()).expect("an agent");
    let mut client = Client::of(&agent);
    client.get("/");
    agent.drop_connections();
    assert_eq!(client.rest(), "");
    assert_eq!(Client::of(&agent).get("/").status, 200);
}

#[test]
fn agent_requests_are_handed_out_once() {
    let agent = DevAgent::start(Config::new()).expect("an agent");
    let mut client = Client::of(&agent);
    let pid = report_in(&mut client, "rust");
    let request = json!({"action": "rust.source", "messageId": "a/b", "args": {}});
    assert!(agent.queue_request(pid, request.clone()));
    assert!(!agent.queue_request(1, request.clone()));
    let path = format!("/com.instana.plugin.rust.{pid}");
    assert_eq!(
        client.post(&path, &metrics(pid, false)).json(),
        json!([request])
    );
    assert_eq!(client.post(&path, &metrics(pid, false)).json(), json!([]));
    let response = format!("/com.instana.plugin.rust/response.{pid}?messageId=a%2Fb");
    assert_eq!(
        client
            .post(&response, &json!({"error": "unsupported"}))
            .status,
        204
    );
    agent.assert_clean();
    let process = agent.process(pid).expect("the process");
    assert_eq!(
        process.responses(),
        [("a/b".to_owned(), json!({"error": "unsupported"}))]
    );
}

#[test]
fn lies_in_the_answer() {
    let agent = DevAgent::start(Config::new()).expect("an agent");
    let mut client = Client::of(&agent);
    client.get("/");
    let body = announce(&client);
    agent.set_announce_answer(AnnounceAnswer::new().raw("{\"pid\": \"x\""));
    let answer = client.put("/com.instana.plugin.rust.discovery", &body);
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (200, "{\"pid\": \"x\"")
    );
    agent.set_announce_answer(
        AnnounceAnswer::new()
            .member("secrets", Value::Null)
            .poll_rate(5),
    );
    let answer = client
        .put("/com.instana.plugin.golang.discovery", &body)
        .json();
    assert_eq!(
        (&answer["secrets"], &answer["plugin.golang"]["poll_rate"]),
        (&Value::Null, &json!(5))
    );
}

#[test]
fn finished_traces_are_told() {
    let agent =
        DevAgent::start(Config::new().quiet_after(Duration::from_millis(30))).expect("an agent");
    let notices = agent.subscribe();
    let mut client = Client::of(&agent);
    let pid = report_in(&mut client, "rust");
    let f = json!({"e": pid.to_string(), "h": "02:42:ac:ff:fe:11:00:02"});
    // All begin at once: of several roots, the first one counts.
    let ts = now_ms();
    let span = |s: &str, p: Option<&str>, n: &str, k: u8, data: Value| {
        let mut span = json!({"t": "1111111111111111", "s": s, "n": n, "k": k, "ts": ts, "d": 4, "ec": 0, "f": f, "data": data});
        if let Some(p) = p {
            span["p"] = p.into();
        }
        span
    };
    let exit = span(
        "3333333333333333",
        Some("2222222222222222"),
        "redis",
        2,
        json!({"redis": {"command": "get"}}),
    );
    let orphan = span(
        "4444444444444444",
        Some("9999999999999999"),
        "redis",
        2,
        json!({"redis": {"command": "set"}}),
    );
    let entry = span(
        "2222222222222222",
        None,
        "g.http",
        1,
        json!({"http": {"method": "GET", "path": "/"}}),
    );
    let path = format!("/com.instana.plugin.rust/traces.{pid}");
    client.post(&path, &json!([exit, orphan]));
    client.post(&path, &json!([entry]));
    let Ok(Notice::Announced {
        pid: found,
        again: false,
        ..
    }) = notices.recv_timeout(PATIENCE)
    else {
        panic!("no announce")
    };
    assert_eq!(found, pid);
    let Ok(Notice::Trace(trace)) = notices.recv_timeout(PATIENCE) else {
        panic!("no trace")
    };
    assert_eq!(
        (
            trace.spans().len(),
            trace.root().map(|root| root.label.as_str())
        ),
        (3, Some("GET /"))
    );
    let Ok(Notice::Violation(violation)) = notices.recv_timeout(PATIENCE) else {
        panic!("no violation")
    };
    assert_eq!(violation.rule, Rule::ParentKnown);
}

/// A span that comes late is shown alone, with what is above it and a sign.
#[test]
fn late_spans_are_shown_as_such() {
    let quiet = Duration::from_millis(30);
    let agent = DevAgent::start(Config::new().quiet_after(quiet)).expect("an agent");
    let notices = agent.subscribe();
    let mut client = Client::of(&agent);
    let ts = now_ms();
    let span = |s: &str, p: Option<&str>, command: &str| {
        // Node.js hands ids on as they came.
        let mut span = json!({"t": "ABCDEFABCDEFABCD", "s": s, "n": "redis", "k": 2, "ts": ts, "d": 1, "ec": 0,
            "data": {"redis": {"command": command}}});
        if let Some(p) = p {
            span["p"] = p.to_uppercase().into();
        } else {
            span["k"] = 1.into();
        }
        span
    };
    let path = "/com.instana.plugin.generic.rawtrace";
    let root = span("aaaaaaaaaaaaaaaa", None, "root");
    let early = span("bbbbbbbbbbbbbbbb", Some("aaaaaaaaaaaaaaaa"), "early");
    client.post(path, &json!([root, early]));
    let next = |late: usize| loop {
        match notices.recv_timeout(PATIENCE) {
            Ok(Notice::Trace(trace)) if trace.late() == late => break trace,
            Ok(_) => {}
            Err(error) => panic!("{error}"),
        }
    };
    let whole = next(0);
    assert_eq!((whole.spans().len(), whole.span_count()), (2, 2));
    let mut late = span("cccccccccccccccc", Some("aaaaaaaaaaaaaaaa"), "late");
    late["t"] = "abcdefabcdefabcd".into();
    client.post(path, &json!([late]));
    let again = next(1);
    let commands: Vec<_> = again
        .spans()
        .iter()
        .map(|s| (s.label.as_str(), s.late))
        .collect();
    assert_eq!(commands, [("root", false), ("late", true)]);
    assert_eq!(again.span_count(), 3);
    let text = instana_dev_agent::render::tree(&again, Style::plain());
    assert!(
        text.starts_with("↻ ") && text.contains("1 late span  3 spans"),
        "{text}"
    );
    assert!(
        !text.contains("early") && !text.contains("more span"),
        "{text}"
    );
    assert_eq!(agent.traces().len(), 1, "ids are the same in any case");
}

#[test]
fn remote_addresses_need_a_flag_and_a_token() {
    let any = || Config::new().listen(([0, 0, 0, 0], 0).into());
    assert!(matches!(DevAgent::start(any()), Err(StartError::Remote(_))));
    assert!(matches!(
        DevAgent::start(any().allow_remote(true)),
        Err(StartError::NoToken(_))
    ));
    assert!(matches!(
        DevAgent::start(any().allow_remote(true).token("")),
        Err(StartError::NoToken(_))
    ));
    assert!(DevAgent::start(any().allow_remote(true).token("t")).is_ok());
}

#[test]
fn a_busy_port_is_explained() {
    let agent = DevAgent::start(Config::new()).expect("an agent");
    let error = DevAgent::start(Config::new().listen(agent.addr())).expect_err("the port is taken");
    assert!(
        error
            .to_string()
            .contains("is in use, perhaps by an Instana agent"),
        "{error}"
    );
}

#[test]
fn works_inside_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let agent = DevAgent::start(Config::new()).expect("an agent");
        let addr = agent.addr();
        let tracer = tokio::task::spawn_blocking(move || report_in(&mut Client::new(addr), "rust"));
        let pid = tracer.await.expect("no panic");
        agent.wait_for_metrics(pid, 1, PATIENCE).expect("metrics");
        drop(agent);
    });
}
