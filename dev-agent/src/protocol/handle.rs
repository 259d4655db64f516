use std::time::Instant;

use serde_json::{Map, Value, json};

use super::spans::Batch;
use super::{Incoming, Route, merge};
use crate::clock::now_ms;
use crate::notice::Notice;
use crate::state::State;
use crate::validate::span::SpanContext;
use crate::validate::{Report, Rule, Secrets, event, http, json, metrics, profile};

/// What the agent answers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    pub(super) fn empty(status: u16) -> Self {
        Self {
            status,
            body: String::new(),
        }
    }

    pub(super) fn json(body: impl Into<String>) -> Self {
        Self {
            status: 200,
            body: body.into(),
        }
    }
}

/// Answers a request and checks it.
pub(crate) fn handle(state: &mut State, request: &Incoming, route: &Route) -> Answer {
    let name = format!("{} {}", request.method, request.path);
    let mut report = Report::new(request.seq, name, route.pid(), route.plugin());
    let answer = if http::check(request, route, &mut report) {
        Handler {
            state: &mut *state,
            request,
            report: &mut report,
        }
        .route(route)
    } else {
        let known = !matches!(route, Route::Unknown);
        Answer::empty(if known { 405 } else { 404 })
    };
    state.record(report.findings());
    answer
}

pub(super) struct Handler<'a> {
    pub(super) state: &'a mut State,
    pub(super) request: &'a Incoming,
    pub(super) report: &'a mut Report,
}

impl Handler<'_> {
    fn route(&mut self, route: &Route) -> Answer {
        match route {
            Route::Lookup => self.lookup(),
            Route::Process { plugin, pid } if self.request.method == "HEAD" => {
                self.ready(plugin, *pid)
            }
            Route::Otlp => {
                self.state.otlp += 1;
                Answer::json("{}")
            }
            Route::Dev | Route::Unknown => Answer::empty(404),
            _ => match self.body() {
                Some(body) => self.with_body(route, body),
                None => Answer::empty(400),
            },
        }
    }

    fn with_body(&mut self, route: &Route, body: Value) -> Answer {
        match route {
            Route::Announce { plugin } => self.announce(plugin, &body),
            Route::Process { plugin, pid } => self.metrics(plugin, *pid, body),
            Route::Traces { plugin, pid } => self.traces(plugin, *pid, body),
            Route::Profiles { plugin, pid } => self.profiles(plugin, *pid, &body),
            Route::Response { plugin, pid } => self.response(plugin, *pid, body),
            Route::Rawtrace => self.rawtrace(body, true),
            Route::GenericTrace => {
                let spans = crate::validate::generic::convert(&body, self.report);
                self.rawtrace(spans.into(), false)
            }
            Route::Event => {
                event::check(&body, self.report);
                self.keep_event(body)
            }
            Route::MonitoringEvent => {
                event::monitoring(&body, self.report);
                self.keep_event(body)
            }
            Route::Log => self.log(body),
            _ => {
                profile::tracer_metrics(&body, self.report);
                self.state.tracer_metrics.push(body);
                Answer::json("OK")
            }
        }
    }

    fn body(&mut self) -> Option<Value> {
        match json::parse(&self.request.body) {
            Ok(parsed) => {
                for at in parsed.duplicates {
                    self.report.text(Rule::DuplicateKey, at, "", "comes twice");
                }
                Some(parsed.value)
            }
            Err(error) => {
                let text = String::from_utf8_lossy(&self.request.body);
                self.report
                    .text(Rule::Json, "body", &text, error.to_string());
                None
            }
        }
    }

    pub(super) fn object<'a>(&mut self, body: &'a Value) -> Option<&'a Map<String, Value>> {
        if !body.is_object() {
            self.report.value(Rule::BodyShape, "", body, "is no object");
        }
        body.as_object()
    }

    fn metrics(&mut self, plugin: &str, pid: u64, body: Value) -> Answer {
        if let Err(answer) = self.known(plugin, pid) {
            return answer;
        }
        let Some(members) = self.object(&body) else {
            return Answer::empty(400);
        };
        metrics::check(members, pid, self.report);
        let Some(process) = self.state.processes.get_mut(pid) else {
            return Answer::empty(404);
        };
        if !process.ready && !process.metrics_seen {
            self.report.text(
                Rule::OrderReady,
                "url",
                "",
                "no readiness check was answered 200 before",
            );
        }
        if process.snapshot_due && !metrics::has_snapshot(plugin, &body) {
            let rule = if process.announces > 1 {
                Rule::SnapshotAgain
            } else {
                Rule::SnapshotFirst
            };
            self.report.missing(rule, "/snapshot");
        }
        process.snapshot_due = false;
        process.add_metrics(body);
        let queued = std::mem::take(&mut process.queued);
        for request in &queued {
            if let Some(id) = request.get("messageId").and_then(Value::as_str) {
                process.handed_out.push(id.to_owned());
            }
        }
        let surplus = process.handed_out.len().saturating_sub(100);
        process.handed_out.drain(..surplus);
        Answer::json(Value::Array(queued).to_string())
    }

    fn traces(&mut self, plugin: &str, pid: u64, body: Value) -> Answer {
        if let Err(answer) = self.known(plugin, pid) {
            return answer;
        }
        let Value::Array(spans) = body else {
            self.report.value(Rule::BodyShape, "", &body, "is no array");
            return Answer::empty(400);
        };
        let Some(process) = self.state.processes.get_mut(pid) else {
            return Answer::empty(404);
        };
        if !process.metrics_seen && !spans.is_empty() {
            self.report.text(
                Rule::OrderTraces,
                "url",
                "",
                "no metrics came since the announce",
            );
        }
        process.span_count += spans.len() as u64;
        let context = SpanContext {
            entity: Some(pid.to_string()),
            host: process
                .answer
                .get("agentUuid")
                .and_then(Value::as_str)
                .map(str::to_owned),
            now_ms: self.state.config.check_times.then(now_ms),
            secrets: Secrets::from_answer(&process.answer)
                .filter(|_| self.state.config.check_secrets),
            raw: false,
        };
        let batch = Batch {
            spans,
            context,
            plugin,
            pid: Some(pid),
            check: true,
        };
        batch.take(self.state, self.report, Instant::now());
        Answer::json("OK")
    }

    fn rawtrace(&mut self, body: Value, check: bool) -> Answer {
        let Value::Array(spans) = body else {
            self.report.value(Rule::BodyShape, "", &body, "is no array");
            return Answer::empty(400);
        };
        let context = SpanContext {
            now_ms: self.state.config.check_times.then(now_ms),
            raw: true,
            ..SpanContext::default()
        };
        let plugin = self.report.plugin().to_owned();
        let batch = Batch {
            spans,
            context,
            plugin: &plugin,
            pid: None,
            check,
        };
        batch.take(self.state, self.report, Instant::now());
        Answer::json("OK")
    }

    fn profiles(&mut self, plugin: &str, pid: u64, body: &Value) -> Answer {
        if let Err(answer) = self.known(plugin, pid) {
            return answer;
        }
        let Value::Array(profiles) = body else {
            self.report.value(Rule::BodyShape, "", body, "is no array");
            return Answer::empty(400);
        };
        profile::check(profiles, pid, self.report);
        if let Some(process) = self.state.processes.get_mut(pid) {
            for profile in profiles {
                process.add_profile(profile.clone());
            }
        }
        Answer::json("OK")
    }

    fn response(&mut self, plugin: &str, pid: u64, body: Value) -> Answer {
        if let Err(answer) = self.known(plugin, pid) {
            return answer;
        }
        let fits = body
            .as_object()
            .is_some_and(|body| body.contains_key("data") || body.contains_key("error"));
        if !fits {
            self.report.value(
                Rule::ResponseShape,
                "",
                &body,
                "has neither `data` nor `error`",
            );
        }
        let id = self.request.parameter("messageId").unwrap_or_default();
        let Some(process) = self.state.processes.get_mut(pid) else {
            return Answer::empty(404);
        };
        if !process.handed_out.contains(&id) {
            self.report.text(
                Rule::ResponseMessageId,
                "url",
                &id,
                "is not the messageId of a request",
            );
        }
        process.add_response(id, body);
        Answer::empty(204)
    }

    fn keep_event(&mut self, body: Value) -> Answer {
        let events = match body {
            Value::Array(events) => events,
            event => vec![event],
        };
        for event in events {
            self.state.tell(&Notice::Event(event.clone()));
            self.state.events.push(event);
        }
        Answer::json("OK")
    }

    fn log(&mut self, mut body: Value) -> Answer {
        let level = self.request.header("x-log-level");
        event::log_line(&body, level, self.report);
        merge(&mut body, json!({"level": level}));
        self.state.logs.push(body);
        Answer::json("OK")
    }
}
