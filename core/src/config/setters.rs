//! Settings of spans in code: the same methods for the process's tracer and for
//! recorders.

macro_rules! setters {
    ($builder:ty) => {
        impl $builder {
            /// The service's name, `data.service` of all spans (`INSTANA_SERVICE_NAME`).
            pub fn service(mut self, name: &str) -> Self {
                self.code.service(crate::config::Given::Text(name));
                self
            }

            /// Which keys hold secrets (`INSTANA_SECRETS`), as `matcher:key,key`; default:
            /// what the agent says, else `contains-ignore-case:key,pass,secret`.
            pub fn secrets(mut self, matcher: &str) -> Self {
                self.code.secrets(crate::config::Given::Text(matcher));
                self
            }

            /// Whether what signs URLs is hidden beside what [`secrets`](Self::secrets) names
            /// (`INSTANA_HIDE_SIGNED_URLS`); default: yes.
            pub fn hide_signed_urls(mut self, on: bool) -> Self {
                self.code.hide_signed_urls(crate::config::Given::Value(on));
                self
            }

            /// HTTP headers to capture (`INSTANA_EXTRA_HTTP_HEADERS`); default: what the
            /// agent says.
            pub fn extra_headers<I, S>(mut self, names: I) -> Self
            where
                I: IntoIterator<Item = S>,
                S: Into<String>,
            {
                let names = names.into_iter().map(Into::into).collect();
                self.code.extra_headers(crate::config::Given::Value(names));
                self
            }

            /// Whether exits without an entry are recorded
            /// (`INSTANA_ALLOW_ROOT_EXIT_SPAN`); default: no.
            pub fn allow_root_exits(mut self, on: bool) -> Self {
                self.code.allow_root_exits(crate::config::Given::Value(on));
                self
            }

            /// Whether entries continue from `traceparent`
            /// (`INSTANA_TRACING_DISABLE_W3C_CORRELATION`); default: yes.
            pub fn w3c_correlation(mut self, on: bool) -> Self {
                self.code.w3c_correlation(crate::config::Given::Value(on));
                self
            }

            /// Whether exits write `traceparent` and `tracestate`
            /// (`INSTANA_TRACING_DISABLE_W3C_PROPAGATION`); default: yes.
            pub fn w3c_propagation(mut self, on: bool) -> Self {
                self.code.w3c_propagation(crate::config::Given::Value(on));
                self
            }

            /// Whether HTTP exits that are answered with a status from 400 to 499 are errors
            /// (`INSTANA_TRACING_HTTP_EXIT_CLASSIFY_ALL_4XX_AS_ERRORS`); default: no.
            pub fn client_errors(mut self, on: bool) -> Self {
                self.code.client_errors(crate::config::Given::Value(on));
                self
            }

            /// Which statuses from 400 to 499 are errors of HTTP exits, instead of all
            /// (`INSTANA_TRACING_HTTP_EXIT_CLASSIFY_AS_ERRORS`).
            pub fn client_error_statuses(
                mut self,
                statuses: impl IntoIterator<Item = u16>,
            ) -> Self {
                self.code.client_error_statuses(crate::config::Given::Value(
                    statuses.into_iter().collect(),
                ));
                self
            }

            /// Categories and types of spans that are not recorded
            /// (`INSTANA_TRACING_DISABLE`), such as `logging,redis`; `!` before a name keeps it,
            /// `true` is everything.
            pub fn disable(mut self, names: &str) -> Self {
                self.code.disable(crate::config::Given::Text(names));
                self
            }

            /// Calls that are not recorded (`INSTANA_IGNORE_ENDPOINTS`).
            pub fn ignored_endpoints(
                mut self,
                endpoints: impl IntoIterator<Item = crate::config::IgnoredEndpoint>,
            ) -> Self {
                self.code.ignored_endpoints(crate::config::Given::Value(
                    endpoints.into_iter().collect(),
                ));
                self
            }

            /// Whether calls below an ignored one are ignored, too
            /// (`INSTANA_IGNORE_ENDPOINTS_DISABLE_SUPPRESSION`); default: yes.
            pub fn ignored_endpoints_suppression(mut self, on: bool) -> Self {
                self.code
                    .ignored_endpoints_suppression(crate::config::Given::Value(on));
                self
            }

            /// Spans that are left out or kept by what they hold
            /// (`INSTANA_TRACING_FILTER_EXCLUDE_<NAME>_ATTRIBUTES`).
            pub fn filters(
                mut self,
                filters: impl IntoIterator<Item = crate::config::SpanFilter>,
            ) -> Self {
                self.code
                    .filters(crate::config::Given::Value(filters.into_iter().collect()));
                self
            }

            /// Which exits have the stack of their caller (`INSTANA_STACK_TRACE`); default:
            /// those that failed.
            pub fn stack_trace(mut self, mode: crate::config::StackTraces) -> Self {
                self.code.stack_trace(crate::config::Given::Value(mode));
                self
            }

            /// How many frames such a stack has (`INSTANA_STACK_TRACE_LENGTH`), at most 500;
            /// default 10.
            pub fn stack_trace_length(mut self, frames: u16) -> Self {
                self.code
                    .stack_trace_length(crate::config::Given::Value(frames));
                self
            }

            /// As [`stack_trace`](Self::stack_trace) and
            /// [`stack_trace_length`](Self::stack_trace_length), for one technology such as
            /// `kafka`.
            pub fn technology_stack_trace(
                mut self,
                technology: &str,
                mode: crate::config::StackTraces,
                frames: u16,
            ) -> Self {
                self.code.technology_stack_trace(technology, mode, frames);
                self
            }

            /// From which level on log lines are recorded
            /// (`INSTANA_TRACING_CAPTURE_LOG_LEVEL`); default: warnings.
            pub fn captured_logs(mut self, level: crate::config::CapturedLogs) -> Self {
                self.code.captured_logs(crate::config::Given::Value(level));
                self
            }

            /// Whether Kafka records carry trace context
            /// (`INSTANA_KAFKA_TRACE_CORRELATION`); default: yes.
            pub fn kafka_correlation(mut self, on: bool) -> Self {
                self.code.kafka_correlation(crate::config::Given::Value(on));
                self
            }

            /// The form of their headers (`INSTANA_KAFKA_HEADER_FORMAT`).
            pub fn kafka_header_format(mut self, format: crate::config::KafkaHeaderFormat) -> Self {
                self.code
                    .kafka_header_format(crate::config::Given::Value(format));
                self
            }

            /// Whether entries record how long their futures ran, waited for a thread and
            /// idled (`INSTANA_POLL_TIMING`); default: no. See [`Span::time_polls`].
            ///
            /// [`Span::time_polls`]: crate::Span::time_polls
            pub fn poll_timing(mut self, on: bool) -> Self {
                self.code.poll_timing(crate::config::Given::Value(on));
                self
            }

            /// Whether calls to other services that are given up are errors
            /// (`INSTANA_CANCELLED_EXITS_AS_ERRORS`); default: yes. If not, they have the
            /// tag `cancelled_after_ms`.
            pub fn cancelled_exits_as_errors(mut self, on: bool) -> Self {
                self.code.cancelled_exits(crate::config::Given::Value(on));
                self
            }

            /// Timed polls longer than this are logged (`INSTANA_SLOW_POLL`), once for each
            /// route or span name; default 100 ms.
            pub fn slow_poll(mut self, length: ::std::time::Duration) -> Self {
                self.code.slow_poll(crate::config::Given::Value(length));
                self
            }
        }
    };
}

pub(crate) use setters;
