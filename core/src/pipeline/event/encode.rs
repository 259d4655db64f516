//! Events on the agent thread: as JSON, without secrets.

use serde_json::{Value, json};

use crate::base::executable;
use crate::config::Config;
use crate::pipeline::event::{Event, OUTBOX, Outbox, Subject, TEXT_LIMIT, TITLE_LIMIT};
use crate::pipeline::port::EventSource;
use crate::policy::LiveSettings;
use crate::secrets;
use crate::secrets::Limit;
use crate::trace::context::tracer::GLOBAL;

/// What a service is to the agent (docs/PROTOCOL.md, "Events").
const SERVICE: &str = "com.instana.forge.connection.http.logical.LogicalWebApp";

/// Takes events from the outbox, one at a time.
#[derive(Debug)]
pub(crate) struct QueuedEvents {
    outbox: &'static Outbox,
    live: &'static LiveSettings,
    /// The event encoded last.
    number: u64,
    /// The first event that the flush in progress does not wait for.
    flush: u64,
}

impl QueuedEvents {
    /// Of the process's events.
    pub(crate) fn new() -> Self {
        Self::of(&OUTBOX, &GLOBAL)
    }

    pub(crate) fn of(outbox: &'static Outbox, live: &'static LiveSettings) -> Self {
        Self {
            outbox,
            live,
            number: 0,
            flush: 0,
        }
    }
}

impl EventSource for QueuedEvents {
    fn encode(&mut self) -> Option<Vec<u8>> {
        let (number, event) = self.outbox.oldest()?;
        self.number = number;
        let body = match self.live.get() {
            Some(settings) => encode(&event, &settings.config),
            None => encode(&event, &Config::default()),
        };
        Some(body.to_string().into_bytes())
    }

    fn acknowledge(&mut self) {
        self.outbox.sent(self.number);
    }

    fn reject(&mut self) {
        self.outbox.rejected(self.number);
    }

    fn pending(&self) -> bool {
        !self.outbox.is_done_before(u64::MAX)
    }

    fn begin_flush(&mut self) {
        self.flush = self.outbox.next_number();
    }

    fn is_flushed(&self) -> bool {
        self.outbox.is_done_before(self.flush)
    }
}

fn encode(event: &Event, config: &Config) -> Value {
    let mut body = json!({
        "title": limited(&event.title, TITLE_LIMIT, config),
        "text": limited(&event.text, TEXT_LIMIT, config),
        "severity": event.severity.number(),
        "duration": millis(event.duration),
        "timestamp": millis(event.timestamp.unwrap_or_default()),
        // The agent knows the host (docs/PROTOCOL.md, "Events").
        "host": "",
    });
    let service = match &event.subject {
        Subject::Host => return body,
        Subject::OwnService => config
            .service
            .clone()
            .or_else(executable::name)
            .unwrap_or_else(|| "rust".to_owned()),
        Subject::Service(name) => name.clone(),
    };
    if let Value::Object(members) = &mut body {
        members.insert("plugin".to_owned(), SERVICE.into());
        members.insert("id".to_owned(), service.into());
    }
    body
}

/// Without what is secret, and then cut.
fn limited(text: &str, limit: u16, config: &Config) -> String {
    let mut out = String::with_capacity(text.len());
    let redact = |text: &str, out: &mut String| secrets::message(&config.secrets, text, out);
    Limit::dotted(limit + 3).write(redact, text, &mut out);
    out
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
