//! `/dev/…`: the control API.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tokio::sync::OwnedSemaphorePermit;

use super::connection::Hub;
use super::query;
use super::reply::{Reply, error, json as reply};
use crate::fault::Fault;
use crate::protocol::Incoming;
use crate::state::{Shared, State};

/// Answers a request of the control or query API.
pub(super) async fn serve(hub: &Hub, request: &Incoming) -> Reply {
    let shared = &*hub.shared;
    let path = request.path.trim_end_matches('/');
    let parts: Vec<&str> = path.split('/').skip(2).collect();
    let served = match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["wait"]) => wait(shared, request).await,
        ("GET", parts) => match query(hub, parts, request).await {
            Ok(reply) => return reply,
            Err(problem) => Err(problem),
        },
        (_, parts) => control(shared, parts, request),
    };
    match served {
        Ok(body) => reply(200, format!("{body}\n")),
        Err(Problem::Bad(message)) => error(400, message),
        Err(Problem::NotFound(message)) => error(404, message),
        Err(Problem::Timeout(message)) => error(408, message),
    }
}

fn control(shared: &Shared, parts: &[&str], request: &Incoming) -> Result<Value, Problem> {
    let largest = shared.read(|state| state.memory.settings());
    if request.body.length > largest {
        let message = format!("the body has more than {largest} bytes");
        return Err(message.into());
    }
    match (request.method.as_str(), parts) {
        ("POST", ["forget"]) => {
            shared.change(State::forget);
            Ok(json!({"forgotten": true}))
        }
        ("POST", ["drop-connections"]) => {
            shared.hang_up.send_modify(|count| *count += 1);
            Ok(json!({"dropped": true}))
        }
        ("POST", ["faults"]) => add_fault(shared, request),
        ("DELETE", ["faults"]) => {
            shared.change(State::clear_faults);
            shared.unhang.send_modify(|count| *count += 1);
            Ok(json!({"faults": []}))
        }
        ("POST", ["announce-answer"]) => announce_answer(shared, request),
        ("POST", ["reject"]) => reject(shared, request),
        ("POST", ["requests", pid]) => queue(shared, pid, request),
        ("DELETE", ["data"]) => {
            shared.change(State::clear);
            Ok(json!({"cleared": true}))
        }
        _ => Err(Problem::NotFound(format!(
            "{} {} is unknown; GET /dev lists what there is",
            request.method, request.path
        ))),
    }
}

/// Answers may be long, so only one exists at a time, until it has been read.
async fn query(hub: &Hub, parts: &[&str], request: &Incoming) -> Result<Reply, Problem> {
    let permit = Arc::clone(&hub.answers).acquire_owned().await.ok();
    let mut text = hub
        .shared
        .read(|state| query::serve(state, parts, request))?;
    text.push('\n');
    let answer = Answer {
        text,
        _permit: permit,
    };
    Ok(reply(200, Bytes::from_owner(answer)))
}

/// A long answer that is being sent.
struct Answer {
    text: String,
    _permit: Option<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Answer {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

/// Why a request of the API is not served.
#[derive(Debug)]
pub(super) enum Problem {
    Bad(String),
    NotFound(String),
    Timeout(String),
}

impl From<String> for Problem {
    fn from(message: String) -> Self {
        Self::Bad(message)
    }
}

/// A number of the query string.
pub(super) fn number(request: &Incoming, name: &str) -> Result<Option<u64>, Problem> {
    let Some(text) = request.parameter(name) else {
        return Ok(None);
    };
    let parsed = text
        .parse()
        .map_err(|_| format!("`{name}` is not a whole number: {text}"))?;
    Ok(Some(parsed))
}

fn body(request: &Incoming) -> Result<Value, Problem> {
    let parsed = serde_json::from_slice(&request.body.text);
    Ok(parsed.map_err(|error| format!("the body is no JSON: {error}"))?)
}

/// `GET /dev/wait?spans=n&metrics=n&processes=n&events=n&logs=n&timeout_ms=…`.
async fn wait(shared: &Shared, request: &Incoming) -> Result<Value, Problem> {
    let mut wanted = [0; COUNTED.len()];
    for (wanted, name) in wanted.iter_mut().zip(COUNTED) {
        *wanted = number(request, name)?.unwrap_or_default();
    }
    let timeout = Duration::from_millis(
        number(request, "timeout_ms")?
            .unwrap_or(10_000)
            .min(600_000),
    );
    let deadline = Instant::now() + timeout;
    let mut changes = shared.changes();
    loop {
        let have = shared.read(counts);
        let shown: Map<String, Value> = COUNTED
            .iter()
            .zip(have)
            .map(|(name, count)| ((*name).to_owned(), count.into()))
            .collect();
        if have
            .iter()
            .zip(wanted)
            .all(|(have, wanted)| *have >= wanted)
        {
            return Ok(shown.into());
        }
        let change = tokio::time::timeout_at(deadline.into(), changes.changed());
        if !matches!(change.await, Ok(Ok(()))) {
            let have = Value::from(shown);
            return Err(Problem::Timeout(format!(
                "waited {timeout:?}; arrived: {have}"
            )));
        }
    }
}

/// What can be waited for, in the order of [`counts`].
const COUNTED: [&str; 5] = ["spans", "metrics", "processes", "events", "logs"];

fn counts(state: &State) -> [u64; COUNTED.len()] {
    let each = || state.processes.iter();
    [
        state.spans.len() as u64,
        each().map(|process| process.metric_count).sum::<u64>(),
        each().filter(|process| process.ready).count() as u64,
        state.events.total(),
        state.logs.total(),
    ]
}

fn add_fault(shared: &Shared, request: &Incoming) -> Result<Value, Problem> {
    let fault = Fault::from_json(&body(request)?)?;
    let shown = fault.to_json();
    let id = shared.change(|state| state.add_fault(fault));
    Ok(json!({"id": id, "fault": shown}))
}

fn announce_answer(shared: &Shared, request: &Incoming) -> Result<Value, Problem> {
    let change = body(request)?;
    shared.change(|state| {
        let answer = state.answer.clone().merge_json(&change)?;
        let example = answer.render("rust", 1);
        if example.len() > state.memory.settings() {
            return Err("the answer would be too long".to_owned().into());
        }
        state.answer = answer;
        Ok(json!({"example": example}))
    })
}

/// `{"announces": n, "ready": n}`: that many are answered 404.
fn reject(shared: &Shared, request: &Incoming) -> Result<Value, Problem> {
    let body = body(request)?;
    let members = body
        .as_object()
        .ok_or_else(|| "expected an object {announces?, ready?}".to_owned())?;
    let count = |value: &Value| value.as_u64().and_then(|count| u32::try_from(count).ok());
    for (key, value) in members {
        if !matches!(key.as_str(), "announces" | "ready") || count(value).is_none() {
            return Err(
                format!("`{key}` is unknown or no number; known are announces, ready").into(),
            );
        }
    }
    shared.change(|state| {
        if let Some(announces) = members.get("announces").and_then(count) {
            state.reject_announces = announces;
        }
        if let Some(ready) = members.get("ready").and_then(count) {
            state.reject_ready = ready;
        }
        Ok(json!({"announces": state.reject_announces, "ready": state.reject_ready}))
    })
}

fn queue(shared: &Shared, pid: &str, request: &Incoming) -> Result<Value, Problem> {
    let pid: u64 = pid.parse().map_err(|_| format!("`{pid}` is no pid"))?;
    let queued = body(request)?;
    let fits = ["action", "messageId"]
        .iter()
        .all(|key| queued.get(key).is_some_and(Value::is_string));
    if !fits {
        return Err(
            "expected {\"action\": text, \"messageId\": text, \"args\": {…}}"
                .to_owned()
                .into(),
        );
    }
    if shared.change(|state| state.queue_request(pid, queued)) {
        Ok(json!({"queued": true}))
    } else {
        Err(Problem::NotFound(format!(
            "no known process has the pid {pid}, or too many requests wait for it"
        )))
    }
}
