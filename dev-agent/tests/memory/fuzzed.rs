//! Bodies and requests that are broken at random, from a fixed seed.

use instana_dev_agent::{Config, DevAgent};
use serde_json::{Value, json};

use super::support::{Client, metrics, now_ms, report_in};
use super::{alone, counting};

const MEMORY: usize = 8 * 1024 * 1024;
const ROUNDS: usize = 1000;

/// xorshift: the same numbers each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

/// What stands in the place of something else.
const PIECES: &[&[u8]] = &[
    b"null",
    b"[]",
    b"{}",
    b"-1",
    b"1e999",
    b"-0",
    b"1.5",
    b"18446744073709551616",
    b"\"\"",
    b"true",
    b"[[[[[[[[[[[[[[[[[[[[",
    b"{\"a\":{\"a\":{\"a\":",
    b"\\ud800",
    b"\\u0000",
    b"\"",
    b"\\",
    b",",
    b":",
    b"]",
    b"}",
    b"\xff\xfe",
    b"\xf0\x9f",
    b"\0",
    b"\xe2\x80\xae",
    b"\x1b[2J",
    b"\"t\":1,",
    b"\"t\":\"8448eb211c80319c\",",
    b"\"pid\":0,",
    b"99999999999999999999999999999",
    b"\"0000000000000000\"",
    b" ",
    b"\n",
    b"\xef\xbb\xbf",
    b"NaN",
];

fn mutate(random: &mut Random, body: &mut Vec<u8>) {
    for _ in 0..=random.below(4) {
        let at = random.below(body.len() + 1);
        let end = (at + random.below(40)).min(body.len());
        match random.below(7) {
            0 if at < body.len() => body[at] = random.below(256) as u8,
            1 => body.truncate(at),
            2 => {
                let piece = random.pick(PIECES).to_vec();
                body.splice(at..end, piece);
            }
            3 => {
                let piece = random.pick(PIECES).repeat(random.below(2000));
                body.splice(at..at, piece);
            }
            4 => {
                // Members and items that come twice.
                let again = body[at..end].to_vec();
                body.splice(at..at, again);
            }
            5 => drop(body.drain(at..end)),
            _ => {
                let quotes: Vec<_> = (0..body.len()).filter(|at| body[*at] == b'"').collect();
                if let [.., _] = quotes.as_slice() {
                    let at = quotes[random.below(quotes.len())];
                    let piece = random.pick(PIECES).to_vec();
                    body.splice(at..=at, piece);
                }
            }
        }
    }
}

fn requests(pid: u64) -> Vec<(&'static str, String, Value)> {
    let plugin = "/com.instana.plugin.rust";
    let span = json!({"t": "8448eb211c80319c", "s": "1f2e3d4c5b6a7988", "p": "b9c7c989f97918e1", "n": "g.http", "k": 1,
        "ts": now_ms(), "d": 4, "ec": 0, "f": {"e": pid.to_string(), "h": "02:42:ac:ff:fe:11:00:02"}, "sy": true,
        "tp": true, "ia": {"t": "fa2375d711a4ca0f", "p": "02468acefdb97531"}, "lt": "0af7651916cd43dd8448eb211c80319c",
        "crid": "c", "crtp": "web", "b": {"s": 2, "d": 3}, "stack": [{"m": "f", "c": "a.rs", "n": 1}],
        "data": {"service": "shop", "http": {"method": "GET", "url": "http://a/b", "status": 200, "params": "a=b", "header": {"x": "y"}},
            "sdk": {"custom": {"tags": {"a": [1, {"b": null}]}}}}});
    let profile = json!([{"pid": pid.to_string(), "id": "1", "runtime": "rust", "category": "cpu", "type": "t", "unit": "u", "duration": 1,
        "timespan": 1, "timestamp": 1, "roots": [{"method_name": "m", "file_name": "f", "file_line": 1, "measurement": 1.0,
        "num_samples": 1, "children": [{}]}]}]);
    let announce = json!({"pid": pid, "pidFromParentNS": false, "name": "/app/shop", "args": ["--port", "1"], "fd": "7",
        "inode": "socket:[1]", "cpuSetFileContent": "/\n"});
    let generic = json!([{"spanId": "1", "traceId": "2", "timestamp": 1, "duration": 1, "name": "x", "type": "EXIT", "data": {"service": "a"}}]);
    let event = json!([{"title": "t", "text": "x", "severity": 5, "duration": 1, "id": "a", "plugin": "p"}]);
    let generic_event = "/com.instana.plugin.generic.event";
    vec![
        (
            "POST",
            "/com.instana.plugin.generic.rawtrace".to_owned(),
            json!([span, span]),
        ),
        ("POST", format!("{plugin}/traces.{pid}"), json!([span])),
        (
            "POST",
            "/com.instana.plugin.generic.trace".to_owned(),
            generic,
        ),
        ("POST", generic_event.to_owned(), event),
        (
            "POST",
            "/com.instana.plugin.generic.agent-monitoring-event".to_owned(),
            json!({"plugin": "p", "pid": 1, "code": "c"}),
        ),
        ("POST", format!("{plugin}.{pid}"), metrics(pid, true)),
        ("POST", format!("{plugin}/profiles.{pid}"), profile),
        (
            "POST",
            format!("{plugin}/response.{pid}?messageId=m"),
            json!({"data": {"a": 1}}),
        ),
        ("PUT", format!("{plugin}.discovery"), announce),
        (
            "POST",
            "/com.instana.agent.logger".to_owned(),
            json!({"m": "x", "st": "y"}),
        ),
        (
            "POST",
            "/tracermetrics".to_owned(),
            json!({"pid": 1, "metrics": {"opened": 1, "closed": 1, "dropped": 0}}),
        ),
        (
            "POST",
            "/dev/reject".to_owned(),
            json!({"announces": 0, "ready": 0}),
        ),
        (
            "POST",
            format!("/dev/requests/{pid}"),
            json!({"action": "a", "messageId": "m", "args": {}}),
        ),
    ]
}

/// The body in chunks, some of which are broken.
fn chunked(random: &mut Random, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in body.chunks(1 + random.below(200)) {
        let head = match random.below(60) {
            0 => "zz\r\n".to_owned(),
            1 => "ffffffffffffffff\r\n".to_owned(),
            2 => format!("{:x}\r\n", chunk.len() + 1),
            3 => format!(
                "{:x};ext={}\r\n",
                chunk.len(),
                "x".repeat(random.below(300))
            ),
            4 => format!("{:x}\n", chunk.len()),
            _ => format!("{:x}\r\n", chunk.len()),
        };
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    let end = ["0\r\n\r\n", "0\r\nX-Trailer: a\r\n\r\n", "0\r\n\r", ""];
    out.extend_from_slice(random.pick(&end).as_bytes());
    out
}

fn request(random: &mut Random, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
    let mut out = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n").into_bytes();
    let kind = random.pick(&["application/json", "application/json", "text/plain", ""]);
    out.extend_from_slice(format!("Content-Type: {kind}\r\nX-Log-Level: info\r\n").as_bytes());
    if random.below(4) == 0 {
        out.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
        out.extend_from_slice(&chunked(random, body));
    } else {
        let length = match random.below(20) {
            0 => body.len() + 1,
            1 => body.len().saturating_sub(1),
            _ => body.len(),
        };
        out.extend_from_slice(format!("Content-Length: {length}\r\n\r\n").as_bytes());
        out.extend_from_slice(body);
    }
    if random.below(30) == 0 {
        mutate(random, &mut out);
    }
    out
}

#[test]
fn no_request_ends_the_agent_or_fills_it() {
    let _alone = alone();
    let agent = DevAgent::start(Config::new().memory(MEMORY)).expect("an agent");
    let notices = agent.subscribe();
    let pid = report_in(&mut Client::of(&agent), "rust");
    let requests = requests(pid);
    let begin = counting::now();
    let mut random = Random(0x5eed_1234_5678_9abc);
    let mut answered = 0;
    let took = counting::peak(|| {
        for round in 0..ROUNDS {
            let (method, path, body) = &requests[random.below(requests.len())];
            let mut body = body.to_string().into_bytes();
            mutate(&mut random, &mut body);
            let sent = request(&mut random, method, path, &body);
            let mut client = Client::of(&agent);
            // The agent may close while the rest is written.
            let _ = client.raw(&sent);
            client.end();
            let answer = client.rest();
            assert!(
                answer.is_empty() || answer.starts_with("HTTP/1.1 "),
                "{answer}"
            );
            assert!(!answer.starts_with("HTTP/1.1 5"), "{answer}");
            answered += usize::from(!answer.is_empty());
            if round % 100 == 0 {
                let status = Client::of(&agent).get("/dev/status").json();
                assert!(status["bytes"].as_u64() < Some(MEMORY as u64), "{status}");
            }
        }
    });
    assert!(answered > ROUNDS / 2, "{answered} answers");
    assert!(took < MEMORY, "{took} of {MEMORY} bytes, from {begin}");
    while let Ok(notice) = notices.try_recv() {
        let _ = notice.to_json();
    }
    assert!(!agent.violations().is_empty() && agent.trace("x").is_none());
}
