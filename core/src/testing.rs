//! For tests: spans as the agent would get them, without an agent.
//!
//! A [`Recorder`] is a tracer that keeps its spans in memory. It is scoped:
//! code that runs inside [`Recorder::enter`] or [`Recorder::scope`], and layers
//! that were given [`Recorder::tracer`], record into it; nothing is global, so
//! tests run in parallel.
//!
//! ```
//! use instana::testing::Recorder;
//!
//! let recorder = Recorder::new();
//! recorder.enter(|| {
//!     instana::entry_span("job").enter(|| instana::current(|job| job.tag("items", 3)));
//! });
//!
//! let job = recorder.span("sdk", 1);
//! assert_eq!(job.text("data.sdk.name").as_deref(), Some("job"));
//! assert_eq!(job.integer("data.sdk.custom.tags.items"), Some(3));
//! ```

use std::future::Future;
use std::sync::Arc;

use serde_json::Value;

use crate::clock::Timeline;
use crate::config::{CapturedLogs, Code, Environment, Given, Sources};
use crate::context::{Context, Extra};
use crate::export::{Encoder, Surroundings};
use crate::future::{FutureExt, InSpan};
use crate::record::Record;
use crate::settings::Settings;
use crate::span::Span;
use crate::tracer::{Scope, Tracer};

/// A tracer that keeps its spans in memory. None is dropped, and each is turned
/// into JSON by the code that writes to the agent.
#[derive(Clone, Debug)]
pub struct Recorder {
    scope: Arc<Scope>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl Recorder {
    /// A recorder with the tracer's default settings.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A recorder with other settings.
    pub fn builder() -> RecorderBuilder {
        RecorderBuilder::default()
    }

    /// The tracer, for `.tracer(…)` of layers and wrappers.
    pub fn tracer(&self) -> Tracer {
        Tracer::scoped(self.scope.clone())
    }

    /// Runs `f` in a context without a trace that belongs to this recorder.
    pub fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        Span::carrier(self.context()).enter(f)
    }

    /// Runs `future` in a context without a trace that belongs to this recorder.
    pub fn scope<F: Future>(&self, future: F) -> InSpan<F> {
        future.in_context(self.context())
    }

    /// The finished spans, in the order in which they ended.
    pub fn spans(&self) -> Vec<RecordedSpan> {
        let (records, settings) = (self.scope.records(), self.scope.settings().get());
        let Some(settings) = settings else {
            return Vec::new();
        };
        let config = &settings.config;
        let service = config.service.as_deref();
        let surroundings = Surroundings::new("", service, &config.secrets, Timeline::now());
        let (mut encoder, mut rest, mut spans) =
            (Encoder::default(), records.as_slice(), Vec::new());
        while let Some((record, tail)) = Record::split(rest) {
            let mut json = Vec::new();
            let written = encoder.encode(&record, &surroundings, &mut json);
            assert_eq!(written, Ok(()), "a record that cannot be written");
            match serde_json::from_slice(&json) {
                Ok(value) => spans.push(RecordedSpan(value)),
                Err(error) => unreachable!("{error} in {}", String::from_utf8_lossy(&json)),
            }
            rest = tail;
        }
        spans
    }

    /// The only finished span with this name (`n`) and kind (`k`).
    ///
    /// # Panics
    /// Unless there is exactly one; the message shows what there is.
    pub fn span(&self, name: &str, kind: u64) -> RecordedSpan {
        let mut spans = self.spans();
        let all: Vec<String> = spans.iter().map(RecordedSpan::json).collect();
        spans.retain(|span| span.name() == name && span.kind() == kind);
        assert_eq!(
            spans.len(),
            1,
            "spans with n={name} and k={kind}, of {all:#?}"
        );
        spans.remove(0)
    }

    /// Forgets the finished spans.
    pub fn clear(&self) {
        self.scope.clear();
    }

    fn context(&self) -> Context {
        let extra = Extra {
            tracestate: None,
            scope: Some(self.scope.clone()),
        };
        Context {
            extra: Some(Arc::new(extra)),
            ..Context::default()
        }
    }
}

/// Settings of a [`Recorder`].
#[derive(Clone, Debug, Default)]
#[must_use = "build() makes the recorder"]
pub struct RecorderBuilder {
    code: Code,
}

impl RecorderBuilder {
    /// `data.service` of all spans.
    pub fn service(mut self, name: &str) -> Self {
        self.code.service(Given::Text(name));
        self
    }

    /// Headers to capture, compared without case.
    pub fn extra_headers(mut self, names: &[&str]) -> Self {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        self.code.extra_headers(Given::Value(names));
        self
    }

    /// The matcher for secrets, in the form of `INSTANA_SECRETS`:
    /// `contains-ignore-case:key,pass`.
    pub fn secrets(mut self, matcher: &str) -> Self {
        self.code.secrets(Given::Text(matcher));
        self
    }

    /// Whether entries continue from `traceparent` (default: yes).
    pub fn w3c_correlation(mut self, on: bool) -> Self {
        self.code.w3c_correlation(Given::Value(on));
        self
    }

    /// Whether exits write the W3C's headers (default: yes).
    pub fn w3c_propagation(mut self, on: bool) -> Self {
        self.code.w3c_propagation(Given::Value(on));
        self
    }

    /// Whether exits without an entry are recorded (default: no).
    pub fn root_exits(mut self, on: bool) -> Self {
        self.code.allow_root_exits(Given::Value(on));
        self
    }

    /// Whether exits that are answered with a status from 400 to 499 are errors
    /// (default: no).
    pub fn client_errors(mut self, on: bool) -> Self {
        self.code.client_errors(Given::Value(on));
        self
    }

    /// Which of these statuses are errors of exits (default: none).
    pub fn client_error_statuses(mut self, statuses: &[u16]) -> Self {
        self.code
            .client_error_statuses(Given::Value(statuses.to_vec()));
        self
    }

    /// From which level on log lines are recorded (default: warnings).
    pub fn captured_logs(mut self, level: CapturedLogs) -> Self {
        self.code.captured_logs(Given::Value(level));
        self
    }

    /// The recorder.
    ///
    /// # Panics
    /// On a setting that [`Builder`](crate::Builder) would not accept.
    pub fn build(self) -> Recorder {
        let (_, config, problems) = Sources::read(&Environment::default(), self.code);
        assert_eq!(problems, [] as [&str; 0], "settings of a recorder");
        Recorder {
            scope: Arc::new(Scope::new(Settings::new(config))),
        }
    }
}

/// A finished span, as the agent would get it (without `f`, which is known only
/// when spans are sent).
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedSpan(Value);

impl RecordedSpan {
    /// `t`
    pub fn trace(&self) -> String {
        self.text("t").unwrap_or_default()
    }

    /// `s`
    pub fn id(&self) -> String {
        self.text("s").unwrap_or_default()
    }

    /// `p`; empty for a root.
    pub fn parent(&self) -> String {
        self.text("p").unwrap_or_default()
    }

    /// `n`
    pub fn name(&self) -> String {
        self.text("n").unwrap_or_default()
    }

    /// `k`
    pub fn kind(&self) -> u64 {
        self.get("k").and_then(Value::as_u64).unwrap_or_default()
    }

    /// `ec`
    pub fn errors(&self) -> u64 {
        self.get("ec").and_then(Value::as_u64).unwrap_or_default()
    }

    /// `d`, in milliseconds.
    pub fn duration(&self) -> u64 {
        self.get("d").and_then(Value::as_u64).unwrap_or_default()
    }

    /// The string at a path such as `data.http.method`; `None` where there is
    /// none, or something else.
    pub fn text(&self, path: &str) -> Option<String> {
        self.get(path)?.as_str().map(str::to_owned)
    }

    /// The integer at a path.
    pub fn integer(&self, path: &str) -> Option<i64> {
        self.get(path)?.as_i64()
    }

    /// The number at a path.
    pub fn float(&self, path: &str) -> Option<f64> {
        self.get(path)?.as_f64()
    }

    /// The boolean at a path.
    pub fn boolean(&self, path: &str) -> Option<bool> {
        self.get(path)?.as_bool()
    }

    /// Whether there is anything at a path.
    pub fn has(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    /// The whole span.
    pub fn json(&self) -> String {
        self.0.to_string()
    }

    fn get(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(&self.0, |value, key| match value {
            Value::Array(items) => items.get(key.parse::<usize>().ok()?),
            other => other.get(key),
        })
    }
}
