//! How a recorder is made.

use std::sync::Arc;
use std::time::Duration;

use super::Recorder;
use crate::config::{
    CapturedLogs, Code, Environment, Given, IgnoredEndpoint, Sources, SpanFilter, StackTraces,
};
use crate::outside;
use crate::settings::Settings;
use crate::tracer::Scope;

/// Settings of a [`Recorder`].
#[derive(Clone, Debug, Default)]
#[must_use = "build() makes the recorder"]
pub struct RecorderBuilder {
    code: Code,
    environment: Environment,
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

    /// Whether the polls of entries are timed (default: no), and from which
    /// length on the log tells of one.
    pub fn poll_timing(mut self, on: bool, slow: Duration) -> Self {
        self.code.poll_timing(Given::Value(on));
        self.code.slow_poll(Given::Value(slow));
        self
    }

    /// From which level on log lines are recorded (default: warnings).
    pub fn captured_logs(mut self, level: CapturedLogs) -> Self {
        self.code.captured_logs(Given::Value(level));
        self
    }

    /// Which exits have the stack of their caller (default: those that failed).
    pub fn stack_trace(mut self, mode: StackTraces) -> Self {
        self.code.stack_trace(Given::Value(mode));
        self
    }

    /// How many frames such a stack has, at most 500 (default: 10).
    pub fn stack_trace_length(mut self, frames: u16) -> Self {
        self.code.stack_trace_length(Given::Value(frames));
        self
    }

    /// The same for one technology, such as `kafka`.
    pub fn technology_stack_trace(
        mut self,
        technology: &str,
        mode: StackTraces,
        frames: u16,
    ) -> Self {
        self.code.technology_stack_trace(technology, mode, frames);
        self
    }

    /// Calls that are not recorded.
    pub fn ignored_endpoints(
        mut self,
        endpoints: impl IntoIterator<Item = IgnoredEndpoint>,
    ) -> Self {
        self.code
            .ignored_endpoints(Given::Value(endpoints.into_iter().collect()));
        self
    }

    /// Spans that are left out.
    pub fn filters(mut self, filters: impl IntoIterator<Item = SpanFilter>) -> Self {
        self.code
            .filters(Given::Value(filters.into_iter().collect()));
        self
    }

    /// Settings as the environment would have them, for all that have no method
    /// here. The process's own environment is not looked at.
    pub fn environment(mut self, variables: &[(&str, &str)]) -> Self {
        self.environment = Environment::from_pairs(variables);
        self
    }

    /// The recorder.
    ///
    /// # Panics
    /// On a setting that [`Builder`](crate::Builder) would not accept.
    pub fn build(self) -> Recorder {
        let (_, config, problems) = Sources::read(&self.environment, self.code);
        assert_eq!(problems, [] as [&str; 0], "settings of a recorder");
        outside::arm();
        Recorder {
            scope: Arc::new(Scope::new(Settings::new(config))),
        }
    }
}
