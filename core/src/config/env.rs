//! The environment variables: one table, and the only reader of `std::env`.
//!
//! `docs/ENVIRONMENT.md` shows the table to users; a test compares the two.
//! An empty variable counts as one that is not set.

use std::ffi::OsString;

use super::parse;
use super::{CodeSettings, Config, Problem};
use crate::log::Level;
use crate::secrets::Matcher;

/// One setting in the environment.
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "what is for the documentation is compared with it by a test"
    )
)]
pub(super) struct Variable {
    /// The name, then older names, which are used where the first is not.
    pub(super) names: &'static [&'static str],
    /// What the value is, for the documentation.
    pub(super) kind: &'static str,
    /// What is in force without it, for the documentation.
    pub(super) default: &'static str,
    /// What it does, for the documentation.
    pub(super) meaning: &'static str,
    /// What a good value is, for messages; empty where any text is one.
    accepted: &'static str,
    /// Writes the value into the configuration; false if it cannot be used.
    set: fn(&str, &mut Entries<'_>) -> bool,
    /// What the configuration holds, for messages.
    show: fn(&Config) -> String,
}

/// Where a value goes.
struct Entries<'a> {
    name: &'static str,
    config: &'a mut Config,
    problems: &'a mut Vec<Problem>,
}

/// In the order in which they are applied: a later one wins where two set the
/// same.
pub(super) const VARIABLES: &[Variable] = &[
    Variable {
        names: &["INSTANA_AGENT_HOST"],
        kind: "host name, IPv4 or IPv6 address",
        default: "`127.0.0.1`",
        meaning: "Where the Instana agent listens. Without scheme and port; IPv6 with or without brackets.",
        accepted: parse::HOST,
        set: |value, to| store(&mut to.config.agent_host, parse::host(value)),
        show: |config| config.agent_host.clone(),
    },
    Variable {
        names: &["INSTANA_AGENT_PORT"],
        kind: "port",
        default: "`42699`",
        meaning: "The port of the Instana agent.",
        accepted: parse::PORT,
        set: |value, to| store(&mut to.config.agent_port, parse::port(value)),
        show: |config| config.agent_port.to_string(),
    },
    Variable {
        names: &["INSTANA_AGENT_REQUEST_TIMEOUT"],
        kind: "milliseconds, 1 to 600000",
        default: "`5000`",
        meaning: "How long one request to the agent may take, connecting included.",
        accepted: parse::TIMEOUT,
        set: |value, to| store(&mut to.config.agent_timeout, parse::timeout(value)),
        show: |config| format!("{} ms", config.agent_timeout.as_millis()),
    },
    Variable {
        names: &["INSTANA_PLUGIN_NAME"],
        kind: "1 to 64 of `a-z`, `0-9`, `.`, `_`, `-`",
        default: "`rust`",
        meaning: "Under which name the process announces itself. With `golang`, metrics follow the schema of Go, so that an agent that does not know Rust shows them.",
        accepted: parse::PLUGIN,
        set: |value, to| store(&mut to.config.plugin, parse::plugin(value)),
        show: |config| config.plugin.clone(),
    },
    Variable {
        names: &["INSTANA_SERVICE_NAME"],
        kind: "text",
        default: "none",
        meaning: "The service of all spans. Without it, Instana derives the service from each span.",
        accepted: parse::NAME,
        set: |value, to| store_some(&mut to.config.service, parse::name(value)),
        show: |config| or_none(config.service.as_ref()),
    },
    Variable {
        names: &["INSTANA_PROCESS_NAME"],
        kind: "text",
        default: "the service, else the name of the executable",
        meaning: "The name of the process in the infrastructure view.",
        accepted: parse::NAME,
        set: |value, to| store_some(&mut to.config.process_name, parse::name(value)),
        show: |config| or_none(config.process_name.as_ref()),
    },
    Variable {
        names: &["INSTANA_SECRETS"],
        kind: "`mode:term,term`",
        default: "the agent's, else `contains-ignore-case:key,pass,secret`",
        meaning: "Which keys are secret: the values behind them are sent as `<redacted>`. The mode is `equals`, `equals-ignore-case`, `contains`, `contains-ignore-case`, `regex` (matches whole keys) or `none`.",
        accepted: "mode:term,term with the mode equals, equals-ignore-case, contains, contains-ignore-case, regex or none",
        set: secrets,
        show: |config| {
            config.secrets.as_ref().map_or_else(
                || format!("the agent's, else {}", Matcher::default()),
                ToString::to_string,
            )
        },
    },
    Variable {
        names: &["INSTANA_EXTRA_HTTP_HEADERS"],
        kind: "names separated by `;` or `,`",
        default: "the agent's, else none",
        meaning: "Request and response headers to record with HTTP spans; at most 64. Upper and lower case are the same.",
        accepted: parse::HEADERS,
        set: headers,
        show: |config| {
            config
                .extra_headers
                .as_ref()
                .map_or_else(|| "the agent's".to_owned(), |names| names.join(","))
        },
    },
    Variable {
        names: &[
            "INSTANA_TRACING_DISABLE_W3C_CORRELATION",
            "INSTANA_DISABLE_W3C_TRACE_CORRELATION",
        ],
        kind: "any text",
        default: "not set",
        meaning: "Traces are not continued from `traceparent`, only from `X-INSTANA-T` and `X-INSTANA-S`.",
        accepted: "",
        set: |_, to| store(&mut to.config.w3c_correlation, Some(false)),
        show: |config| config.w3c_correlation.to_string(),
    },
    Variable {
        names: &["INSTANA_TRACING_DISABLE_W3C_PROPAGATION"],
        kind: "any text",
        default: "not set",
        meaning: "`traceparent` and `tracestate` are not sent.",
        accepted: "",
        set: |_, to| store(&mut to.config.w3c_propagation, Some(false)),
        show: |config| config.w3c_propagation.to_string(),
    },
    Variable {
        names: &["INSTANA_TRACING_DISABLE_W3C"],
        kind: "any text",
        default: "not set",
        meaning: "Both: `traceparent` is neither followed nor sent.",
        accepted: "",
        set: |_, to| {
            to.config.w3c_propagation = false;
            store(&mut to.config.w3c_correlation, Some(false))
        },
        show: |config| config.w3c_correlation.to_string(),
    },
    Variable {
        names: &["INSTANA_ALLOW_ROOT_EXIT_SPAN", "INSTANA_ALLOW_EXIT_AS_ROOT"],
        kind: "`true`, `1`, `false`, `0`",
        default: "`false`",
        meaning: "Calls to other services are recorded where no request is being served, as traces of their own.",
        accepted: parse::FLAG,
        set: |value, to| store(&mut to.config.allow_root_exit, parse::flag(value)),
        show: |config| config.allow_root_exit.to_string(),
    },
    Variable {
        names: &["INSTANA_POLL_TIMING"],
        kind: "`true`, `1`, `false`, `0`",
        default: "`false`",
        meaning: "Entries record how long their futures ran and how long they idled, in tags: a handler that blocks is told from a slow dependency.",
        accepted: parse::FLAG,
        set: |value, to| store(&mut to.config.poll_timing, parse::flag(value)),
        show: |config| config.poll_timing.to_string(),
    },
    Variable {
        names: &["INSTANA_SLOW_POLL"],
        kind: "milliseconds, 1 to 600000",
        default: "`100`",
        meaning: "From which length on one timed poll is a warning in the tracer's log, once for each route or span name.",
        accepted: parse::TIMEOUT,
        set: |value, to| store(&mut to.config.slow_poll, parse::timeout(value)),
        show: |config| format!("{} ms", config.slow_poll.as_millis()),
    },
    Variable {
        names: &["INSTANA_LOG_LEVEL"],
        kind: "`error`, `warn`, `info`, `debug`",
        default: "`warn`",
        meaning: "From which level on the tracer writes about itself.",
        accepted: parse::LOG_LEVEL,
        set: |value, to| store(&mut to.config.log_level, parse::log_level(value)),
        show: |config| config.log_level.to_string(),
    },
    Variable {
        names: &["INSTANA_DEBUG"],
        kind: "any text",
        default: "not set",
        meaning: "The same as `INSTANA_LOG_LEVEL=debug`, and stronger.",
        accepted: "",
        set: |_, to| store(&mut to.config.log_level, Some(Level::Debug)),
        show: |config| config.log_level.to_string(),
    },
];

/// [`resolve`] with the environment of the process.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment"
)]
pub(crate) fn from_environment(code: CodeSettings) -> (Config, Vec<Problem>) {
    resolve(|name| std::env::var_os(name), code)
}

/// The settings in force: the environment wins over code, code over defaults.
/// Values that cannot be used are reported, and the next source counts.
pub(crate) fn resolve(
    lookup: impl Fn(&str) -> Option<OsString>,
    code: CodeSettings,
) -> (Config, Vec<Problem>) {
    let mut config = Config::default();
    let mut problems = Vec::new();
    code.apply(&mut config, &mut problems);
    for variable in VARIABLES {
        for name in variable.names {
            let Some(value) = lookup(name).filter(|value| !value.is_empty()) else {
                continue;
            };
            let usable = value.to_str().is_some() || variable.accepted.is_empty();
            let value = value.to_string_lossy();
            let mut entries = Entries {
                name,
                config: &mut config,
                problems: &mut problems,
            };
            if usable && (variable.set)(&value, &mut entries) {
                break;
            }
            let using = (variable.show)(&config);
            problems.push(Problem::new(name, &value, variable.accepted, using));
        }
    }
    (config, problems)
}

fn store<T>(place: &mut T, value: Option<T>) -> bool {
    match value {
        Some(value) => {
            *place = value;
            true
        }
        None => false,
    }
}

fn store_some<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    value.is_some_and(|value| {
        *place = Some(value);
        true
    })
}

fn or_none(value: Option<&String>) -> String {
    value.map_or_else(|| "none".to_owned(), Clone::clone)
}

fn secrets(value: &str, to: &mut Entries<'_>) -> bool {
    let mut skipped = Vec::new();
    let matcher = Matcher::parse(value, &mut skipped).ok();
    for term in skipped {
        let using = "the other terms".to_owned();
        to.problems
            .push(Problem::new(to.name, &term.term, term.accepted, using));
    }
    store_some(&mut to.config.secrets, matcher)
}

fn headers(value: &str, to: &mut Entries<'_>) -> bool {
    let (good, bad) = parse::headers(value);
    for name in bad {
        let using = "the other names".to_owned();
        to.problems
            .push(Problem::new(to.name, &name, parse::HEADER, using));
    }
    store_some(
        &mut to.config.extra_headers,
        Some(good).filter(|names| !names.is_empty()),
    )
}
