//! A tracer's session, to be changed in one place.

use instana_dev_agent::{Config, DevAgent, Rule};
use serde_json::{Value, json};

use crate::support::{Client, announce, metrics, now_ms};

/// What a tracer sends from start to first spans.
pub(crate) struct Session {
    pub(crate) plugin: &'static str,
    pub(crate) lookup: bool,
    pub(crate) announce: Value,
    pub(crate) ready: bool,
    /// Metrics bodies, sent in order.
    pub(crate) metrics: Vec<Value>,
    pub(crate) spans: Value,
    /// Requests at the end.
    pub(crate) more: Vec<More>,
    pub(crate) pid: u64,
}

/// A request after the session.
pub(crate) struct More {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) body: String,
}

/// One change of a session.
pub(crate) struct Change(pub(crate) Box<dyn FnOnce(&mut Session)>);

impl Session {
    pub(crate) fn new(plugin: &'static str, client: &Client) -> Self {
        let pid = u64::from(std::process::id());
        let metrics = if plugin == "golang" {
            golang(pid)
        } else {
            metrics(pid, true)
        };
        Self {
            plugin,
            lookup: true,
            announce: announce(client),
            ready: true,
            metrics: vec![metrics],
            spans: spans(pid),
            more: Vec::new(),
            pid,
        }
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/com.instana.plugin.{}{rest}", self.plugin)
    }

    /// Adds a request at the end.
    pub(crate) fn then(&mut self, method: &'static str, path: String, body: &Value) {
        self.text(method, path, Some("application/json"), body.to_string());
    }

    /// Adds a request of any text at the end.
    pub(crate) fn text(
        &mut self,
        method: &'static str,
        path: String,
        content_type: Option<&'static str>,
        body: String,
    ) {
        self.more.push(More {
            method,
            path,
            content_type,
            body,
        });
    }

    pub(crate) fn send(&self, client: &mut Client) {
        if self.lookup {
            client.get("/");
        }
        client.put(&self.path(".discovery"), &self.announce);
        let path = self.path(&format!(".{}", self.pid));
        if self.ready {
            client.head(&path);
        }
        for body in &self.metrics {
            client.post(&path, body);
        }
        client.post(&self.path(&format!("/traces.{}", self.pid)), &self.spans);
        for more in &self.more {
            let header = more.content_type.map(|kind| ("Content-Type", kind));
            let headers: Vec<_> = header.into_iter().collect();
            client
                .send(more.method, &more.path, &headers, &more.body)
                .expect("an answer");
        }
    }
}

pub(crate) fn golang(pid: u64) -> Value {
    json!({"pid": pid,
        "snapshot": {"name": "shop", "version": "1.95", "goroot": "", "maxprocs": 2, "compiler": "rustc", "cpu": 2, "iv": "1"},
        "metrics": {"cgo_call": 0, "goroutine": 4, "memory": {"alloc": 1, "total_alloc": 1, "sys": 1, "lookups": 0,
            "mallocs": 1, "frees": 1, "heap_alloc": 1, "heap_sys": 1, "heap_idle": 1, "heap_in_use": 1,
            "heap_released": 1, "heap_objects": 1, "pause_total_ns": 0, "pause_ns": 0, "num_gc": 0, "gc_cpu_fraction": 0.0}}})
}

/// An entry, an exit and an SDK span below it, a root entry of another trace.
pub(crate) fn spans(pid: u64) -> Value {
    let (ts, f) = (
        now_ms(),
        json!({"e": pid.to_string(), "h": "02:42:ac:ff:fe:11:00:02"}),
    );
    json!([
        {"t": "8448eb211c80319c", "s": "1f2e3d4c5b6a7988", "p": "b9c7c989f97918e1", "lt": "0af7651916cd43dd8448eb211c80319c",
         "tp": true, "ia": {"t": "fa2375d711a4ca0f", "p": "02468acefdb97531"}, "n": "g.http", "k": 1, "ts": ts, "d": 17, "ec": 0, "f": f,
         "data": {"service": "orders", "http": {"method": "GET", "host": "orders:8080", "path": "/orders/7", "path_tpl": "/orders/{id}", "status": 200,
             "params": "password=<redacted>&q=1", "header": {"x-a": "1"}}}},
        {"t": "8448eb211c80319c", "p": "1f2e3d4c5b6a7988", "s": "00aa11bb22cc33dd", "n": "postgres", "k": 2, "ts": ts, "d": 4, "ec": 1, "f": f,
         "stack": [{"m": "orders::load", "c": "src/repo.rs", "n": 88}],
         "data": {"pg": {"stmt": "select 1", "host": "db", "port": "5432", "error": "no table"}}},
        {"t": "8448eb211c80319c", "p": "1f2e3d4c5b6a7988", "s": "0c0d0e0f10111213", "n": "sdk", "k": 3, "ts": ts, "d": 2, "ec": 0, "f": f,
         "data": {"sdk": {"name": "price", "type": "intermediate", "custom": {"tags": {"items": 3}}}}},
        {"t": "9999999999999999", "s": "8888888888888888", "n": "kafka", "k": 1, "ts": ts, "d": 0, "ec": 0, "f": f,
         "sy": true, "crid": "c", "crtp": "web", "data": {"kafka": {"access": "consume", "service": "orders"}}},
        {"t": "8448eb211c80319c", "p": "1f2e3d4c5b6a7988", "s": "5555555555555555", "n": "http", "k": 2, "ts": ts, "d": 2, "ec": 0, "f": f,
         "b": {"s": 2, "d": 3}, "data": {"http": {"method": "GET", "url": "http://stock/7", "status": 404}}},
    ])
}

/// Sends a session with one change and returns the violated rules, with their parts.
pub(crate) fn violated(
    plugin: &'static str,
    change: impl FnOnce(&mut Session),
) -> Vec<(Rule, String)> {
    let agent = DevAgent::start(Config::new()).expect("an agent");
    let mut client = Client::of(&agent);
    let mut session = Session::new(plugin, &client);
    change(&mut session);
    session.send(&mut client);
    agent
        .violations()
        .into_iter()
        .map(|violation| (violation.rule, violation.at))
        .collect()
}

/// Each change breaks exactly one rule, once, at this part.
pub(crate) fn each(plugin: &'static str, cases: Vec<(Rule, &str, Change)>) {
    for (rule, at, change) in cases {
        assert_eq!(violated(plugin, change.0), [(rule, at.to_owned())]);
    }
}

pub(crate) fn change(change: impl FnOnce(&mut Session) + 'static) -> Change {
    Change(Box::new(change))
}

/// Sets a member of a span, by JSON pointer into the array.
pub(crate) fn span(pointer: &'static str, value: Value) -> Change {
    change(move |session| set(&mut session.spans, pointer, value))
}

pub(crate) fn announced(pointer: &'static str, value: Value) -> Change {
    change(move |session| set(&mut session.announce, pointer, value))
}

pub(crate) fn measured(pointer: &'static str, value: Value) -> Change {
    change(move |session| set(&mut session.metrics[0], pointer, value))
}

/// Removes the member.
pub(crate) fn set(root: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let parent = root.pointer_mut(parent).expect("the parent");
    match parent {
        Value::Object(members) if value == json!("<remove>") => drop(members.remove(key)),
        _ => parent[key] = value,
    }
}

pub(crate) fn removed() -> Value {
    json!("<remove>")
}
