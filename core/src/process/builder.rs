//! Starting and stopping the process's tracer.

use std::time::{Duration, Instant};

use crate::base::log;
use crate::config::setters::setters;
use crate::config::{Code, Environment, Given, Sources};
use crate::process::error::InitError;
use crate::process::running;
use crate::trace::context::block;

/// Starts the process's tracer with the settings of the environment. The guard
/// flushes when it is dropped: keep it until the end of `main`. (`let _ = instana::init();`
/// drops it at once, and the tracer stops.)
///
/// It never fails: what is wrong is logged and shown by
/// [`status`](crate::process::status), and the application runs without tracing.
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
            since: Instant::now(),
            generation: block::generation(),
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
/// logged and shown by [`status`](crate::process::status).
#[derive(Clone, Debug, Default)]
#[must_use = "init() starts the tracer"]
pub struct Builder {
    pub(crate) code: Code,
    logger: Option<log::Logger>,
}

impl Builder {
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
    /// (`INSTANA_RETRY_AGENT_CONNECTION_IN_MS`), 100 ms to 10 minutes; default a
    /// second at most.
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

    /// Whether many short calls of one kind are sent as one span
    /// (`INSTANA_SPANBATCHING_ENABLED`); default: no.
    pub fn span_batching(mut self, on: bool) -> Self {
        self.code.span_batching(Given::Value(on));
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

    /// Up to which level the tracer writes about itself (`INSTANA_LOG_LEVEL`).
    pub fn log_level(mut self, level: log::Level) -> Self {
        self.code.log_level(Given::Value(level));
        self
    }

    /// Where the tracer writes about itself, instead of to standard error: see
    /// [`set_logger`](crate::set_logger). It stays in force when the tracer stops. Standard
    /// error is what it is at `init`: where it is closed or replaced later, nothing is
    /// written to it.
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
        running::start(sources, config, problems, self.logger)?;
        Ok(Guard {
            owner: true,
            deadline,
            since: Instant::now(),
            generation: block::generation(),
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
    /// When the tracer had been started, and in which process.
    since: Instant,
    generation: u32,
}

/// A guard that lives no longer, and before any span was recorded, was not kept.
const NOT_KEPT: Duration = Duration::from_millis(100);

impl Guard {
    /// Sends what was recorded so far; blocks until that is done or `deadline`
    /// has passed. True where everything was sent.
    pub fn flush(&self, deadline: Duration) -> bool {
        running::flush(deadline)
    }

    /// `let _ = instana::init();` drops the guard at once, of which the compiler says
    /// nothing.
    fn warn_if_not_kept(&self) {
        let lived = self.since.elapsed();
        // A forked child drops the guard of its parent.
        let is_own = self.generation == block::generation();
        if lived < NOT_KEPT && is_own && !std::thread::panicking() && running::is_unused() {
            log::warn(format_args!(
                "the tracer was stopped {} ms after its start, before any span: nothing is traced \
                 from now on. It runs as long as the guard that init returns: keep that until the \
                 end of main by `let _guard = instana::init();` (`let _ = …` drops it at once)",
                lived.as_millis()
            ));
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.owner {
            self.warn_if_not_kept();
            running::stop(self.deadline);
        }
    }
}

/// Sends what was recorded so far; blocks until that is done or `deadline` has
/// passed. True where everything was sent, false also without a tracer.
pub fn flush(deadline: Duration) -> bool {
    running::flush(deadline)
}

setters!(Builder);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_builder_shows_no_secrets() {
        let builder = builder()
            .service("shop")
            .config_path("/etc/app.yaml?password=hunter2")
            .agent("u:hunter2@h");
        let shown = format!("{builder:?}");
        assert!(
            shown.contains("shop") && shown.contains("app.yaml"),
            "{shown}"
        );
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
