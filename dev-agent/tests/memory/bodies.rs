//! Large bodies for every endpoint.

use std::time::{Duration, Instant};

use instana_dev_agent::{Config, DevAgent};
use serde_json::json;

use super::support::{Client, report_in};
use super::{alone, counting, shapes};

const MIB: usize = 1024 * 1024;
/// The least that an agent works with.
const MEMORY: usize = 4 * MIB;
/// More than the agent keeps of a body.
const BODY: usize = MIB + MIB / 4;

/// Every endpoint that takes a body.
fn endpoints(pid: u64) -> Vec<(&'static str, String)> {
    let plugin = "/com.instana.plugin.rust";
    vec![
        ("POST", "/com.instana.plugin.generic.rawtrace".to_owned()),
        ("POST", format!("{plugin}/traces.{pid}")),
        ("POST", "/com.instana.plugin.generic.trace".to_owned()),
        ("POST", "/com.instana.plugin.generic.event".to_owned()),
        (
            "POST",
            "/com.instana.plugin.generic.agent-monitoring-event".to_owned(),
        ),
        ("POST", format!("{plugin}.{pid}")),
        ("POST", format!("{plugin}/profiles.{pid}")),
        ("POST", format!("{plugin}/response.{pid}?messageId=m")),
        ("PUT", format!("{plugin}.discovery")),
        ("POST", "/com.instana.agent.logger".to_owned()),
        ("POST", "/tracermetrics".to_owned()),
        ("POST", "/v1/traces".to_owned()),
        ("POST", "/com.instana.unknown".to_owned()),
        ("POST", "/dev/faults".to_owned()),
        ("POST", "/dev/announce-answer".to_owned()),
        ("POST", format!("/dev/requests/{pid}")),
    ]
}

/// Sends a body as it is.
fn send(agent: &DevAgent, method: &str, path: &str, body: &[u8]) -> u16 {
    let mut client = Client::of(agent);
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         X-Log-Level: info\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    client.raw(head.as_bytes()).expect("a connection");
    client.raw(body).expect("the agent reads it all");
    client.answered().status
}

#[test]
fn memory_is_bounded_whatever_is_sent() {
    let _alone = alone();
    let agent = DevAgent::start(Config::new().memory(MEMORY)).expect("an agent");
    // Nobody reads them.
    let _notices = agent.subscribe();
    let pid = report_in(&mut Client::of(&agent), "rust");
    let begin = counting::now();
    for (place, (method, path)) in endpoints(pid).into_iter().enumerate() {
        // All shapes for the first, and each shape for some of the others.
        let some = |(at, _): &(usize, _)| place == 0 || (at + place) % 4 == 0;
        for (_, (name, shape)) in shapes::SHAPES.iter().enumerate().filter(some) {
            let body = shape(BODY);
            let before = counting::now().saturating_sub(body.capacity() + begin);
            let took = counting::peak(|| {
                let status = send(&agent, method, &path, &body);
                assert!((200..500).contains(&status), "{name} {path}: {status}");
            });
            let most = before + took;
            assert!(
                most < MEMORY,
                "{name} {method} {path}: {most} of {MEMORY} bytes"
            );
        }
    }
    let dropped = agent.dropped();
    assert!(
        dropped.spans > 0 && dropped.too_large > 0 && dropped.notices > 0,
        "{dropped}"
    );
    let mut client = Client::of(&agent);
    for path in [
        "status",
        "processes",
        "traces",
        "spans",
        "map",
        "violations",
        "notes",
        "events",
        "logs",
        "tracer-metrics",
        "requests",
        "faults",
        "rules",
    ] {
        let before = counting::now().saturating_sub(begin);
        let mut length = 0;
        let took = counting::peak(|| {
            let answer = client.get(&format!("/dev/{path}?limit=1000000"));
            assert_eq!(answer.status, 200, "{path}");
            length = answer.body.len();
        });
        // The reader here takes the answer twice.
        let most = before + took.saturating_sub(2 * length);
        assert!(most < MEMORY, "{path}: {most} of {MEMORY} bytes");
    }
}

/// Twice as much takes about twice as long, in all shapes together and in each.
#[test]
fn time_is_linear() {
    let _alone = alone();
    let agent = DevAgent::start(Config::new()).expect("an agent");
    let path = "/com.instana.plugin.generic.rawtrace";
    let time = |body: &[u8]| {
        let start = Instant::now();
        send(&agent, "POST", path, body);
        start.elapsed()
    };
    for (name, shape) in shapes::SHAPES {
        let (small, large) = (shape(MIB / 4), shape(2 * MIB));
        let mut attempts = (0..3).map(|_| (time(&small), time(&large)));
        // A quadratic step would take 64 times as long; a loaded machine may take its time.
        let fits = attempts.any(|(small, large)| large < small * 24 + Duration::from_millis(100));
        assert!(fits, "{name}");
    }
}

/// Each trace is looked at once, however many others there are.
#[test]
fn many_traces_finish_in_time() {
    let _alone = alone();
    let quiet = Duration::from_millis(50);
    let agent = DevAgent::start(Config::new().quiet_after(quiet)).expect("an agent");
    let notices = agent.subscribe();
    let shape = shapes::SHAPES
        .iter()
        .find(|(name, _)| *name == "spans of many traces");
    let body = shape.expect("a shape").1(4 * MIB);
    send(
        &agent,
        "POST",
        "/com.instana.plugin.generic.rawtrace",
        &body,
    );
    let traces = agent.view(|view| view.trace_count());
    assert!(traces > 5000, "{traces}");
    let start = Instant::now();
    let mut client = Client::of(&agent);
    // Each of these had all traces built anew.
    for n in 0..200_u64 {
        let span = json!([{"t": format!("{:016x}", n + 0x1000_0000), "s": "1111111111111111"}]);
        client.post("/com.instana.plugin.generic.rawtrace", &span);
    }
    let took = start.elapsed();
    assert!(took < Duration::from_secs(60), "{took:?}");
    while notices.recv_timeout(4 * quiet).is_ok() {}
}

#[test]
fn unfinished_bodies_and_idle_connections_are_bounded() {
    let _alone = alone();
    let agent = DevAgent::start(Config::new().memory(MEMORY)).expect("an agent");
    let begin = counting::now();
    let head = "POST /com.instana.plugin.generic.rawtrace HTTP/1.1\r\nHost: localhost\r\n\
                Content-Length: 40000000\r\n\r\n";
    let body = shapes::SHAPES[0].1(MIB);
    let mut open = Vec::new();
    let took = counting::peak(|| {
        for _ in 0..60 {
            let mut client = Client::of(&agent);
            client.raw(head.as_bytes()).expect("a connection");
            // The agent may have given it up before all is sent.
            let _ = client.raw(&body);
            open.push(client);
        }
        // Heads that do not end.
        for _ in 0..60 {
            let mut client = Client::of(&agent);
            let _ = client.raw(b"GET / HTTP/1.1\r\nX-Long: ");
            let _ = client.raw(&vec![b'x'; 15_000]);
            open.push(client);
        }
        assert_eq!(Client::of(&agent).get("/").status, 200);
    });
    let ours = body.capacity() + 120 * 9000;
    assert!(
        took < MEMORY + ours,
        "{took} of {MEMORY} bytes, from {begin}"
    );
}
