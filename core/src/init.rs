//! Starting and stopping the process's tracer.

use std::fmt;
use std::time::Duration;

use crate::config::{
    CapturedLogs, Code, Environment, Given, IgnoredEndpoint, KafkaHeaderFormat, Sources,
    SpanFilter, StackTraces,
};
use crate::log;
use crate::runtime;

/// Starts the process's tracer with the settings of the environment. The guard
/// flushes when it is dropped: keep it until the end of `main`.
///
/// It never fails: what is wrong is logged and shown by
/// [`status`](crate::status), and the application runs without tracing.
///
/// ```no_run
/// let _guard = instana::init();
/// // the application
/// ```
#[must_use = "the tracer stops when the guard is dropped: bind it to a name, such as `_guard`"]
pub fn init() -> Guard {
    builder().init().unwrap_or_else(|error| {
        log::warn(format_args!("{error}"));
        Guard {
            owner: false,
            deadline: Duration::ZERO,
        }
    })
}

/// Settings in code. The environment and the configuration file win over them, setting by setting; they win over the agent's.
///
/// ```no_run
/// # fn main() -> Result<(), instana::InitError> {
/// let _guard = instana::builder().service("shop").agent("127.0.0.1:42699").init()?;
/// # Ok(())
/// # }
/// ```
pub fn builder() -> Builder {
    Builder::default()
}

/// Settings of the process's tracer: see [`builder`]. What cannot be used is
/// logged and shown by [`status`](crate::status).
#[derive(Clone, Debug, Default)]
#[must_use = "init() starts the tracer"]
pub struct Builder {
    code: Code,
    logger: Option<log::Logger>,
}

impl Builder {
    /// The service's name, `data.service` of all spans (`INSTANA_SERVICE_NAME`).
    pub fn service(mut self, name: &str) -> Self {
        self.code.service(Given::Text(name));
        self
    }

    /// The process's name in the infrastructure view (`INSTANA_PROCESS_NAME`);
    /// default: the service's name, else the executable's.
    pub fn process_name(mut self, name: &str) -> Self {
        self.code.process_name(Given::Text(name));
        self
    }

    /// The host agent, `host` or `host:port` (`INSTANA_AGENT_HOST`,
    /// `INSTANA_AGENT_PORT`); default `127.0.0.1:42699`.
    pub fn agent(mut self, address: &str) -> Self {
        self.code.agent(address);
        self
    }

    /// The deadline of one request to the agent (`INSTANA_AGENT_REQUEST_TIMEOUT`), up
    /// to 10 minutes; default 5 s.
    pub fn agent_timeout(mut self, timeout: Duration) -> Self {
        self.code.agent_timeout(Given::Value(timeout));
        self
    }

    /// How long after a lookup without an agent the next one is made
    /// (`INSTANA_RETRY_AGENT_CONNECTION_IN_MS`), 100 ms to 10 minutes; default 1 s,
    /// after a minute growing to 10 s.
    pub fn retry_interval(mut self, interval: Duration) -> Self {
        self.code.retry_interval(Given::Value(Some(interval)));
        self
    }

    /// The plugin name in the announce and all URLs (`INSTANA_PLUGIN_NAME`);
    /// default `rust`. With `golang`, metrics follow Go's schema.
    pub fn plugin(mut self, name: &str) -> Self {
        self.code.plugin(Given::Text(name));
        self
    }

    /// The configuration file (`INSTANA_CONFIG_PATH`). What it says wins over what is
    /// set here.
    pub fn config_path(mut self, path: &str) -> Self {
        self.code.config_path(Given::Text(path));
        self
    }

    /// Which keys hold secrets (`INSTANA_SECRETS`), as `matcher:key,key`; default:
    /// what the agent says, else `contains-ignore-case:key,pass,secret`.
    pub fn secrets(mut self, matcher: &str) -> Self {
        self.code.secrets(Given::Text(matcher));
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
        self.code.extra_headers(Given::Value(names));
        self
    }

    /// Whether exits without an entry are recorded
    /// (`INSTANA_ALLOW_ROOT_EXIT_SPAN`); default: no.
    pub fn allow_root_exits(mut self, on: bool) -> Self {
        self.code.allow_root_exits(Given::Value(on));
        self
    }

    /// Whether entries continue from `traceparent`
    /// (`INSTANA_TRACING_DISABLE_W3C_CORRELATION`); default: yes.
    pub fn w3c_correlation(mut self, on: bool) -> Self {
        self.code.w3c_correlation(Given::Value(on));
        self
    }

    /// Whether exits write `traceparent` and `tracestate`
    /// (`INSTANA_TRACING_DISABLE_W3C_PROPAGATION`); default: yes.
    pub fn w3c_propagation(mut self, on: bool) -> Self {
        self.code.w3c_propagation(Given::Value(on));
        self
    }

    /// Whether HTTP exits that are answered with a status from 400 to 499 are errors
    /// (`INSTANA_TRACING_HTTP_EXIT_CLASSIFY_ALL_4XX_AS_ERRORS`); default: no.
    pub fn client_errors(mut self, on: bool) -> Self {
        self.code.client_errors(Given::Value(on));
        self
    }

    /// Which statuses from 400 to 499 are errors of HTTP exits, instead of all
    /// (`INSTANA_TRACING_HTTP_EXIT_CLASSIFY_AS_ERRORS`).
    pub fn client_error_statuses(mut self, statuses: impl IntoIterator<Item = u16>) -> Self {
        self.code
            .client_error_statuses(Given::Value(statuses.into_iter().collect()));
        self
    }

    /// Categories and types of spans that are not recorded
    /// (`INSTANA_TRACING_DISABLE`), such as `logging,redis`; `!` before a name keeps it,
    /// `true` is everything.
    pub fn disable(mut self, names: &str) -> Self {
        self.code.disable(Given::Text(names));
        self
    }

    /// Calls that are not recorded (`INSTANA_IGNORE_ENDPOINTS`).
    pub fn ignored_endpoints(
        mut self,
        endpoints: impl IntoIterator<Item = IgnoredEndpoint>,
    ) -> Self {
        self.code
            .ignored_endpoints(Given::Value(endpoints.into_iter().collect()));
        self
    }

    /// Whether calls below an ignored one are ignored, too
    /// (`INSTANA_IGNORE_ENDPOINTS_DISABLE_SUPPRESSION`); default: yes.
    pub fn ignored_endpoints_suppression(mut self, on: bool) -> Self {
        self.code.ignored_endpoints_suppression(Given::Value(on));
        self
    }

    /// Spans that are left out or kept by what they hold
    /// (`INSTANA_TRACING_FILTER_EXCLUDE_<NAME>_ATTRIBUTES`).
    pub fn filters(mut self, filters: impl IntoIterator<Item = SpanFilter>) -> Self {
        self.code
            .filters(Given::Value(filters.into_iter().collect()));
        self
    }

    /// Which exits have the stack of their caller (`INSTANA_STACK_TRACE`); default:
    /// those that failed.
    pub fn stack_trace(mut self, mode: StackTraces) -> Self {
        self.code.stack_trace(Given::Value(mode));
        self
    }

    /// How many frames such a stack has (`INSTANA_STACK_TRACE_LENGTH`), at most 500;
    /// default 10.
    pub fn stack_trace_length(mut self, frames: u16) -> Self {
        self.code.stack_trace_length(Given::Value(frames));
        self
    }

    /// As [`stack_trace`](Self::stack_trace) and
    /// [`stack_trace_length`](Self::stack_trace_length), for one technology such as
    /// `kafka`.
    pub fn technology_stack_trace(
        mut self,
        technology: &str,
        mode: StackTraces,
        frames: u16,
    ) -> Self {
        self.code.technology_stack_trace(technology, mode, frames);
        self
    }

    /// Whether many short calls of one kind are sent as one span
    /// (`INSTANA_SPANBATCHING_ENABLED`); default: no.
    pub fn span_batching(mut self, on: bool) -> Self {
        self.code.span_batching(Given::Value(on));
        self
    }

    /// From which level on log lines are recorded
    /// (`INSTANA_TRACING_CAPTURE_LOG_LEVEL`); default: warnings.
    pub fn captured_logs(mut self, level: CapturedLogs) -> Self {
        self.code.captured_logs(Given::Value(level));
        self
    }

    /// Whether Kafka records carry trace context
    /// (`INSTANA_KAFKA_TRACE_CORRELATION`); default: yes.
    pub fn kafka_correlation(mut self, on: bool) -> Self {
        self.code.kafka_correlation(Given::Value(on));
        self
    }

    /// The form of their headers (`INSTANA_KAFKA_HEADER_FORMAT`).
    pub fn kafka_header_format(mut self, format: KafkaHeaderFormat) -> Self {
        self.code.kafka_header_format(Given::Value(format));
        self
    }

    /// How long spans are collected before they are sent
    /// (`INSTANA_TRACING_TRANSMISSION_DELAY`), 10 ms to 1 minute; default 1 s.
    pub fn transmission_delay(mut self, delay: Duration) -> Self {
        self.code.transmission_delay(Given::Value(delay));
        self
    }

    /// With how many spans waiting they are sent at once
    /// (`INSTANA_FORCE_TRANSMISSION_STARTING_AT`), 1 to 1,000,000; default 500.
    pub fn transmission_threshold(mut self, spans: usize) -> Self {
        self.code.transmission_threshold(Given::Value(spans));
        self
    }

    /// Whether the process is measured (`INSTANA_DISABLE_METRICS_COLLECTION`);
    /// default: yes.
    pub fn metrics(mut self, on: bool) -> Self {
        self.code.metrics(Given::Value(on));
        self
    }

    /// The time between two metrics (`INSTANA_METRICS_TRANSMISSION_DELAY`), 1 s to 5 s;
    /// default: what the agent says, else 1 s.
    pub fn metrics_interval(mut self, interval: Duration) -> Self {
        self.code.metrics_interval(Given::Value(interval));
        self
    }

    /// Whether the metrics have what glibc says of its heap (`INSTANA_GLIBC_HEAP`), for
    /// which it stops the application for a moment; default: no.
    pub fn glibc_heap(mut self, on: bool) -> Self {
        self.code.glibc_heap(Given::Value(on));
        self
    }

    /// Whether entries record how long their futures ran, waited for a thread and idled
    /// (`INSTANA_POLL_TIMING`); default: no. See [`Span::time_polls`].
    ///
    /// [`Span::time_polls`]: crate::Span::time_polls
    pub fn poll_timing(mut self, on: bool) -> Self {
        self.code.poll_timing(Given::Value(on));
        self
    }

    /// From which length on the log tells of a timed poll (`INSTANA_SLOW_POLL`),
    /// once for each route or span name; default 100 ms.
    pub fn slow_poll(mut self, length: Duration) -> Self {
        self.code.slow_poll(Given::Value(length));
        self
    }

    /// Up to which level the tracer writes about itself (`INSTANA_LOG_LEVEL`).
    pub fn log_level(mut self, level: log::Level) -> Self {
        self.code.log_level(Given::Value(level));
        self
    }

    /// Where the tracer writes about itself, instead of to standard error: see
    /// [`set_logger`](crate::set_logger). It stays in force when the tracer stops.
    pub fn logger(mut self, logger: impl Fn(log::Level, &str) + Send + Sync + 'static) -> Self {
        self.logger = Some(log::Logger::new(logger));
        self
    }

    /// The bound of the memory for spans over all threads, in bytes; default
    /// 16 MiB, at least 64 KiB.
    pub fn buffer_bytes(mut self, bytes: usize) -> Self {
        self.code.buffer_bytes(Given::Value(bytes));
        self
    }

    /// How long the guard may flush when it is dropped; default 2 s.
    pub fn flush_deadline(mut self, deadline: Duration) -> Self {
        self.code.flush_deadline(Given::Value(deadline));
        self
    }

    /// Starts the tracer.
    ///
    /// # Errors
    /// Where the process has a tracer already, or its thread cannot be started.
    /// Settings that cannot be used are logged, not returned.
    pub fn init(self) -> Result<Guard, InitError> {
        let (sources, config, problems) = Sources::read(&Environment::of_process(), self.code);
        let deadline = config.flush_deadline;
        runtime::start(sources, config, problems, self.logger)?;
        Ok(Guard {
            owner: true,
            deadline,
        })
    }
}

/// Stops the tracer when it is dropped: what was recorded is sent first, as far
/// as that is done within the [deadline](Builder::flush_deadline). It can be
/// dropped anywhere: inside and outside of async runtimes, while a panic unwinds.
#[derive(Debug)]
#[must_use = "the tracer stops when the guard is dropped: bind it to a name, such as `_guard`"]
pub struct Guard {
    owner: bool,
    deadline: Duration,
}

impl Guard {
    /// Sends what was recorded so far; blocks until that is done or `deadline`
    /// has passed. True where everything was sent.
    pub fn flush(&self, deadline: Duration) -> bool {
        runtime::flush(deadline)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.owner {
            runtime::stop(self.deadline);
        }
    }
}

/// Sends what was recorded so far; blocks until that is done or `deadline` has
/// passed. True where everything was sent, false also without a tracer.
pub fn flush(deadline: Duration) -> bool {
    runtime::flush(deadline)
}

/// Why the tracer did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum InitError {
    /// The process has a tracer: its guard is alive, or is being dropped. Call `init` once, in `main`.
    AlreadyRunning,
    /// The system gave no thread.
    Thread(std::io::Error),
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyRunning => {
                f.write_str("the process has an Instana tracer already: call init once")
            }
            Self::Thread(_) => f.write_str("the Instana agent thread could not be started"),
        }
    }
}

impl std::error::Error for InitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Thread(error) => Some(error),
            Self::AlreadyRunning => None,
        }
    }
}
