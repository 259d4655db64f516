//! What the agent answers: a function of its state and a request.

mod lifecycle;
mod spans;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use self::spans::Batch;
use crate::clock::now_ms;
use crate::json::{self, Items, Unread};
use crate::notice::Notice;
use crate::protocol::{Incoming, Route, merge};
use crate::state::State;
use crate::validate::span::SpanContext;
use crate::validate::{Report, Rule, Secrets, event, http, metrics, profile};

/// Longer ids of agent requests are cut.
const MESSAGE_ID: usize = 200;
/// For texts up to this length there is always room; for longer texts, older data is
/// dropped.
const SMALL: usize = 64 * 1024;
/// Further events and profiles of a request are ignored.
const ITEMS: usize = 1000;

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
        state.make_room(state.memory.work(SMALL));
        Handler {
            state: &mut *state,
            request,
            report: &mut report,
        }
        .route(route)
        .unwrap_or_else(Answer::empty)
    } else {
        let known = !matches!(route, Route::Unknown);
        Answer::empty(if known { 405 } else { 404 })
    };
    state.record(report);
    answer
}

pub(super) struct Handler<'a> {
    pub(super) state: &'a mut State,
    pub(super) request: &'a Incoming,
    pub(super) report: &'a mut Report,
}

/// An answer, or the status of an empty one.
pub(super) type Answered = Result<Answer, u16>;

impl<'a> Handler<'a> {
    fn route(&mut self, route: &Route) -> Answered {
        match route {
            Route::Lookup => Ok(self.lookup()),
            Route::Process { plugin, pid } if self.request.method == "HEAD" => {
                self.ready(plugin, *pid)
            }
            Route::Otlp => {
                self.state.otlp += 1;
                Ok(Answer::json("{}"))
            }
            Route::Dev | Route::Unknown => Err(404),
            _ => {
                let items = self.items()?;
                self.with_items(route, items)
            }
        }
    }

    fn with_items(&mut self, route: &Route, items: Items<'a>) -> Answered {
        match route {
            Route::Traces { plugin, pid } => self.traces(plugin, *pid, items),
            Route::Rawtrace => self.rawtrace(items),
            Route::GenericTrace => self.generic(items),
            Route::Profiles { plugin, pid } => self.profiles(plugin, *pid, items),
            Route::Event => self.events(items),
            _ => {
                let body = self.body()?;
                self.with_body(route, &body)
            }
        }
    }

    fn with_body(&mut self, route: &Route, body: &Value) -> Answered {
        match route {
            Route::Announce { plugin } => self.announce(plugin, body),
            Route::Process { plugin, pid } => self.metrics(plugin, *pid, body),
            Route::Response { plugin, pid } => self.response(plugin, *pid, body),
            Route::MonitoringEvent => {
                event::monitoring(body, self.report);
                self.keep_event(body);
                Ok(Answer::json("OK"))
            }
            Route::Log => Ok(self.log(body.clone())),
            _ => {
                profile::tracer_metrics(body, self.report);
                let age = self.state.age();
                self.state.tracer_metrics.push(age, body.to_string().into());
                Ok(Answer::json("OK"))
            }
        }
    }

    /// The parts of the body, which is JSON.
    fn items(&mut self) -> Result<Items<'a>, u16> {
        let body = &self.request.body;
        if body.too_large {
            self.too_large("body", body.length);
            return Err(413);
        }
        if body.before > 0 {
            let message = "is the number of parts that were dropped: there is no room for more";
            self.report
                .text(Rule::BodyKept, "body", &body.before.to_string(), message);
        }
        let items = Items::new(&body.text, body.before);
        json::check(&body.text, &items).map_err(|reason| {
            let beginning = body.beginning(600);
            self.report.text(Rule::Json, "body", &beginning, reason);
            400_u16
        })?;
        Ok(items)
    }

    /// The body as one value.
    fn body(&mut self) -> Result<Value, u16> {
        let text = &self.request.body.text;
        if self.request.body.before > 0 {
            self.report.text(Rule::BodyShape, "", "[…", "is an array");
            return Err(400);
        }
        self.read(text, "")
    }

    /// Reads a part of the body.
    ///
    /// # Errors
    /// It cannot be read, which is reported: the status that is answered if there
    /// are no other parts.
    pub(super) fn read(&mut self, text: &[u8], at: &str) -> Result<Value, u16> {
        let memory = self.state.memory;
        if text.len() > memory.item() {
            self.too_large(at, text.len());
            return Err(413);
        }
        if text.len() > SMALL {
            self.state.make_room(memory.work(text.len()));
        }
        match json::read(text, at, memory.tree()) {
            Ok(tree) => {
                for at in tree.duplicates {
                    self.report.text(Rule::DuplicateKey, at, "", "comes twice");
                }
                Ok(tree.value)
            }
            Err(Unread::Broken(reason)) => {
                let beginning = text.get(..600).unwrap_or(text);
                let beginning = String::from_utf8_lossy(beginning);
                let at = if at.is_empty() { "body" } else { at };
                self.report.text(Rule::Json, at, &beginning, reason);
                Err(400)
            }
            Err(Unread::TooLarge) => {
                self.too_large(at, text.len());
                Err(413)
            }
        }
    }

    fn too_large(&mut self, at: &str, bytes: usize) {
        self.state.too_large += 1;
        let message = "is neither checked nor kept: there is no room for it";
        self.report
            .text(Rule::BodyKept, at, &format!("{bytes} bytes"), message);
    }

    pub(super) fn object<'v>(&mut self, body: &'v Value) -> Result<&'v Map<String, Value>, u16> {
        body.as_object().ok_or_else(|| {
            self.report.value(Rule::BodyShape, "", body, "is no object");
            400
        })
    }

    fn array(&mut self, items: &Items<'a>) -> Result<(), u16> {
        if items.is_array() {
            return Ok(());
        }
        let beginning = self.request.body.beginning(600);
        self.report
            .text(Rule::BodyShape, "", beginning.trim(), "is no array");
        Err(400)
    }

    fn metrics(&mut self, plugin: &str, pid: u64, body: &Value) -> Answered {
        self.known(plugin, pid)?;
        let members = self.object(body)?;
        metrics::check(members, pid, self.report);
        let age = self.state.age();
        let process = self.state.processes.get_mut(pid).ok_or(404_u16)?;
        if !process.ready && !process.metrics_seen {
            self.report.text(
                Rule::OrderReady,
                "url",
                "",
                "no readiness check was answered 200 before",
            );
        }
        if process.snapshot_due && !metrics::has_snapshot(plugin, body) {
            let rule = if process.announces > 1 {
                Rule::SnapshotAgain
            } else {
                Rule::SnapshotFirst
            };
            self.report.missing(rule, "/snapshot");
        }
        process.snapshot_due = false;
        let named = process.add_metrics(age, body);
        let queued = std::mem::take(&mut process.queued);
        for request in &queued {
            if let Some(id) = request.get("messageId").and_then(Value::as_str) {
                process.handed_out.push(message_id(id));
            }
        }
        let surplus = process.handed_out.len().saturating_sub(100);
        process.handed_out.drain(..surplus);
        if let Some(name) = named {
            self.state.notify(&Notice::Named { pid, name });
        }
        Ok(Answer::json(Value::Array(queued).to_string()))
    }

    fn traces(&mut self, plugin: &str, pid: u64, items: Items<'a>) -> Answered {
        self.known(plugin, pid)?;
        self.array(&items)?;
        let process = self.state.processes.get_mut(pid).ok_or(404_u16)?;
        let empty = self.request.body.before == 0 && items.iter().next().is_none();
        if !process.metrics_seen && !empty {
            self.report.text(
                Rule::OrderTraces,
                "url",
                "",
                "no metrics came since the announce",
            );
        }
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
            context,
            plugin: Arc::from(plugin),
            pid: Some(pid),
            generic: false,
        };
        let spans = batch.take(self, &items);
        if let Some(process) = self.state.processes.get_mut(pid) {
            process.span_count += spans;
        }
        Ok(Answer::json("OK"))
    }

    fn rawtrace(&mut self, items: Items<'a>) -> Answered {
        self.array(&items)?;
        self.without_process(&items, false)
    }

    fn generic(&mut self, items: Items<'a>) -> Answered {
        self.without_process(&items, true)
    }

    /// Spans that name no process in the URL.
    fn without_process(&mut self, items: &Items<'a>, generic: bool) -> Answered {
        let context = SpanContext {
            now_ms: self.state.config.check_times.then(now_ms),
            raw: true,
            ..SpanContext::default()
        };
        let batch = Batch {
            context,
            plugin: Arc::from(self.report.plugin()),
            pid: None,
            generic,
        };
        batch.take(self, items);
        Ok(Answer::json("OK"))
    }

    fn profiles(&mut self, plugin: &str, pid: u64, items: Items<'a>) -> Answered {
        self.known(plugin, pid)?;
        self.array(&items)?;
        self.each(&items, |handler, at, profile| {
            profile::check(profile, at, pid, handler.report);
            let age = handler.state.age();
            if let Some(process) = handler.state.processes.get_mut(pid) {
                process.add_profile(age, profile);
            }
        })
    }

    fn events(&mut self, items: Items<'a>) -> Answered {
        self.each(&items, |handler, at, event| {
            event::check(event, at, handler.report);
            handler.keep_event(event);
        })
    }

    /// Does something with each part of an array, or with the one value.
    fn each(
        &mut self,
        items: &Items<'a>,
        mut take: impl FnMut(&mut Self, &str, &Value),
    ) -> Answered {
        for (index, item) in items.iter().flatten().enumerate() {
            if index == ITEMS {
                let message = format!("has more than {ITEMS} parts; the others are dropped");
                self.report.text(Rule::BodyKept, "body", "", message);
                break;
            }
            let at = if items.is_array() {
                format!("/{index}")
            } else {
                String::new()
            };
            match self.read(item, &at) {
                Ok(value) => take(self, &at, &value),
                Err(status) if !items.is_array() => return Err(status),
                Err(_) => {}
            }
            self.state.make_room(self.state.memory.work(SMALL));
        }
        Ok(Answer::json("OK"))
    }

    fn response(&mut self, plugin: &str, pid: u64, body: &Value) -> Answered {
        self.known(plugin, pid)?;
        let fits = body
            .as_object()
            .is_some_and(|body| body.contains_key("data") || body.contains_key("error"));
        if !fits {
            self.report.value(
                Rule::ResponseShape,
                "",
                body,
                "has neither `data` nor `error`",
            );
        }
        let id = self.request.parameter("messageId").unwrap_or_default();
        let id = message_id(&id);
        let age = self.state.age();
        let process = self.state.processes.get_mut(pid).ok_or(404_u16)?;
        if !process.handed_out.contains(&id) {
            self.report.text(
                Rule::ResponseMessageId,
                "url",
                &id,
                "is not the messageId of a request",
            );
        }
        process.add_response(age, &id, body);
        Err(204)
    }

    fn keep_event(&mut self, event: &Value) {
        if self.state.has_subscribers() {
            self.state.notify(&Notice::Event(event.clone()));
        }
        let age = self.state.age();
        self.state.events.push(age, event.to_string().into());
    }

    fn log(&mut self, mut body: Value) -> Answer {
        let level = self.request.header("x-log-level");
        event::log_line(&body, level, self.report);
        merge(&mut body, json!({"level": level}));
        let age = self.state.age();
        self.state.logs.push(age, body.to_string().into());
        Answer::json("OK")
    }
}

/// An id as it is kept and compared.
fn message_id(id: &str) -> String {
    id.chars().take(MESSAGE_ID).collect()
}
