//! Starting and stopping the process's tracer.

use std::fmt;
use std::time::Duration;

use crate::config::{self, CodeSettings};
use crate::log;
use crate::runtime;
use crate::secrets::Matcher;

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

/// Settings in code. The environment wins over them, setting by setting.
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

/// Settings of the process's tracer: see [`builder`].
#[derive(Clone, Debug, Default)]
#[must_use = "init() starts the tracer"]
pub struct Builder {
    code: CodeSettings,
    secrets: Option<String>,
}

impl Builder {
    /// The service's name, `data.service` of all spans (`INSTANA_SERVICE_NAME`).
    pub fn service(mut self, name: &str) -> Self {
        self.code.service = Some(name.to_owned());
        self
    }

    /// The process's name in the infrastructure view (`INSTANA_PROCESS_NAME`);
    /// default: the service's name, else the executable's.
    pub fn process_name(mut self, name: &str) -> Self {
        self.code.process_name = Some(name.to_owned());
        self
    }

    /// The host agent, `host` or `host:port` (`INSTANA_AGENT_HOST`,
    /// `INSTANA_AGENT_PORT`); default `127.0.0.1:42699`.
    pub fn agent(mut self, address: &str) -> Self {
        self.code.agent = Some(address.to_owned());
        self
    }

    /// The deadline of one request to the agent (`INSTANA_AGENT_REQUEST_TIMEOUT`);
    /// default 5 s.
    pub fn agent_timeout(mut self, timeout: Duration) -> Self {
        self.code.agent_timeout = Some(timeout);
        self
    }

    /// The plugin name in the announce and all URLs (`INSTANA_PLUGIN_NAME`);
    /// default `rust`. With `golang`, metrics follow Go's schema.
    pub fn plugin(mut self, name: &str) -> Self {
        self.code.plugin = Some(name.to_owned());
        self
    }

    /// Which keys hold secrets (`INSTANA_SECRETS`), as `matcher:key,key`; default:
    /// what the agent says, else `contains-ignore-case:key,pass,secret`.
    pub fn secrets(mut self, matcher: &str) -> Self {
        self.secrets = Some(matcher.to_owned());
        self
    }

    /// HTTP headers to capture (`INSTANA_EXTRA_HTTP_HEADERS`); default: what the
    /// agent says.
    pub fn extra_headers<I, S>(mut self, names: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        self.code.extra_headers = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Whether exits without an entry are recorded
    /// (`INSTANA_ALLOW_ROOT_EXIT_SPAN`); default: no.
    pub fn allow_root_exits(mut self, on: bool) -> Self {
        self.code.allow_root_exit = Some(on);
        self
    }

    /// Whether entries continue from `traceparent`
    /// (`INSTANA_TRACING_DISABLE_W3C_CORRELATION`); default: yes.
    pub fn w3c_correlation(mut self, on: bool) -> Self {
        self.code.w3c_correlation = Some(on);
        self
    }

    /// Whether exits write `traceparent` and `tracestate`
    /// (`INSTANA_TRACING_DISABLE_W3C_PROPAGATION`); default: yes.
    pub fn w3c_propagation(mut self, on: bool) -> Self {
        self.code.w3c_propagation = Some(on);
        self
    }

    /// Whether entries record how long their futures ran and how long they idled
    /// (`INSTANA_POLL_TIMING`); default: no. See [`Span::time_polls`].
    ///
    /// [`Span::time_polls`]: crate::Span::time_polls
    pub fn poll_timing(mut self, on: bool) -> Self {
        self.code.poll_timing = Some(on);
        self
    }

    /// From which length on the log tells of a timed poll (`INSTANA_SLOW_POLL`),
    /// once for each route or span name; default 100 ms.
    pub fn slow_poll(mut self, length: Duration) -> Self {
        self.code.slow_poll = Some(length);
        self
    }

    /// How much the tracer says on stderr (`INSTANA_LOG_LEVEL`).
    pub fn log_level(mut self, level: log::Level) -> Self {
        self.code.log_level = Some(level);
        self
    }

    /// The bound of the memory for spans over all threads, in bytes; default
    /// 16 MiB, at least 64 KiB.
    pub fn buffer_bytes(mut self, bytes: usize) -> Self {
        self.code.buffer_bytes = Some(bytes);
        self
    }

    /// How long the guard may flush when it is dropped; default 2 s.
    pub fn flush_deadline(mut self, deadline: Duration) -> Self {
        self.code.flush_deadline = Some(deadline);
        self
    }

    /// Starts the tracer.
    ///
    /// # Errors
    /// Where the process has a tracer already, its thread cannot be started, or
    /// `secrets` is no matcher. Values of the environment that cannot be used are
    /// logged, not returned.
    pub fn init(mut self) -> Result<Guard, InitError> {
        if let Some(secrets) = &self.secrets {
            let matcher = Matcher::parse(secrets, &mut Vec::new());
            self.code.secrets =
                Some(matcher.map_err(|error| InitError::Secrets(error.to_string()))?);
        }
        let (config, problems) = config::from_environment(self.code);
        let deadline = config.flush_deadline;
        runtime::start(config, problems.iter().map(ToString::to_string).collect())?;
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
    /// The value given to [`Builder::secrets`] is no matcher: the text says why.
    Secrets(String),
    /// The system gave no thread.
    Thread(std::io::Error),
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyRunning => {
                f.write_str("the process has an Instana tracer already: call init once")
            }
            Self::Secrets(error) => write!(f, "the builder's secrets: {error}"),
            Self::Thread(_) => f.write_str("the Instana agent thread could not be started"),
        }
    }
}

impl std::error::Error for InitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Thread(error) => Some(error),
            Self::AlreadyRunning | Self::Secrets(_) => None,
        }
    }
}
