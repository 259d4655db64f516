//! The table of settings: one entry each, with its variables, its paths in a
//! configuration file and in the agent's answer, its kind and its default.
//! What reads and shows settings is made from it.
//!
//! `docs/ENVIRONMENT.md` shows the table to users; a test compares the two.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::base::log::Level;
use crate::config::env::Environment;
use crate::config::given::Given;
use crate::config::key::{Key, Path, Variable, agents, both, variable};
use crate::config::kind::{
    Bytes, Capture, CapturedLogs, Disabled, Disabling, Endpoints, FilePath, Filters, Frames,
    Headers, Host, IgnoredEndpoint, Inverse, KafkaFormat, KafkaHeaderFormat, Kind, LogLevel,
    Millis, Mode, Name, Pause, Plugin, PollRate, Port, Presence, Secrets, SpanFilters, Spans,
    StackTraces, Statuses, Switch, Technologies, TechnologyStackTraces,
};
use crate::config::problem::Problems;
use crate::config::reader::Reader;
use crate::config::setting::Setting;
use crate::config::tree::Tree;
use crate::config::{Code, Entry, Origin};
use crate::secrets::Matcher;

/// Makes what reads and shows settings from the table.
macro_rules! keys {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident: $kind:ty = $default:expr,
        variables [$($variable:expr),* $(,)?],
        paths [$($path:expr),* $(,)?];
    )*) => {
        /// All settings.
        pub(crate) const KEYS: &[Key] = &[$(Key {
            name: stringify!($name),
            variables: &[$($variable),*],
            paths: &[$($path),*],
        }),*];

        /// The settings in force.
        #[derive(Clone)]
        pub(crate) struct Config {
            $($(#[doc = $doc])* pub(crate) $name: <$kind as Kind>::Value,)*
            pub(crate) origins: Origins,
        }

        /// Who set them.
        #[derive(Clone, Debug, Default)]
        pub(crate) struct Origins {
            $($name: Origin,)*
        }

        /// The values of one source; `None` where it has none.
        #[derive(Clone, Default)]
        pub(crate) struct Layer {
            $(pub(super) $name: Option<Entry<<$kind as Kind>::Value>>,)*
        }

        impl Default for Config {
            fn default() -> Self {
                Self {
                    $($name: $default,)*
                    origins: Origins::default(),
                }
            }
        }

        impl Config {
            /// Each setting from the first of `layers` that has it.
            pub(crate) fn of(layers: &[&Layer]) -> Self {
                let mut config = Self::default();
                $(
                    let entry = layers.iter().find_map(|layer| layer.$name.as_ref());
                    if let Some(Entry { value, origin }) = entry {
                        config.$name.clone_from(value);
                        config.origins.$name = origin.clone();
                    }
                )*
                config.secrets = config.secrets.with_signed_urls(config.hide_signed_urls);
                config
            }

            /// All settings in words.
            pub(crate) fn settings(&self) -> Vec<Setting> {
                vec![$({
                    let value = <$kind as Kind>::show(&self.$name);
                    Setting::new(stringify!($name), &value, &self.origins.$name)
                }),*]
            }
        }

        /// As users may see it.
        impl fmt::Debug for Config {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_list().entries(self.settings()).finish()
            }
        }

        /// As users may see it.
        impl fmt::Debug for Layer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut list = f.debug_list();
                $(if let Some(Entry { value, origin }) = &self.$name {
                    let value = <$kind as Kind>::show(value);
                    list.entry(&Setting::new(stringify!($name), &value, origin));
                })*
                list.finish()
            }
        }

        impl Layer {
            pub(crate) fn of_environment(
                environment: &Environment,
                problems: &mut Problems,
            ) -> Self {
                Self {
                    $($name: <$kind as Kind>::from_environment(
                        const { &[$($variable),*] },
                        environment,
                        &mut Reader { key: stringify!($name), plugin: "", problems },
                    ),)*
                }
            }

            pub(crate) fn of_tree(tree: &Tree, plugin: &str, problems: &mut Problems) -> Self {
                Self {
                    $($name: <$kind as Kind>::from_tree(
                        const { &[$($path),*] },
                        tree,
                        &mut Reader { key: stringify!($name), plugin, problems },
                    ),)*
                }
            }
        }

        impl Code {
            $(
                $(#[doc = $doc])*
                pub(crate) fn $name(&mut self, given: Given<'_, <$kind as Kind>::Value>) {
                    let key = stringify!($name);
                    let problems = &mut self.problems;
                    let reader = &mut Reader { key, plugin: "", problems };
                    let entry = match given {
                        Given::Text(text) => <$kind as Kind>::from_code_text(text, reader),
                        Given::Value(value) => <$kind as Kind>::from_code(value, reader),
                    };
                    self.layer.$name = entry.or(self.layer.$name.take());
                }
            )*
        }
    };
}

keys! {
    /// Where the configuration file is.
    config_path: FilePath = None,
    variables [variable(
        "INSTANA_CONFIG_PATH",
        "path",
        "none",
        "The configuration file: see below.",
    )],
    paths [];

    /// A name or an address; IPv6 without brackets, as
    /// `(&str, u16)::to_socket_addrs` wants it.
    agent_host: Host = "127.0.0.1".to_owned(),
    variables [variable(
        "INSTANA_AGENT_HOST",
        "host name, IPv4 or IPv6 address",
        "`127.0.0.1`",
        "Where the Instana agent listens. Without scheme and port; IPv6 with or without brackets.",
    )],
    paths [];

    agent_port: Port = 42_699,
    variables [variable(
        "INSTANA_AGENT_PORT",
        "port",
        "`42699`",
        "The port of the Instana agent.",
    )],
    paths [];

    /// The total deadline of one request to the agent, connecting included.
    agent_timeout: Millis<1, 600_000> = Duration::from_secs(5),
    variables [variable(
        "INSTANA_AGENT_REQUEST_TIMEOUT",
        "milliseconds, 1 to 600000",
        "`5000`",
        "How long one request to the agent may take, connecting included.",
    )],
    paths [];

    /// The pause between two lookups; `None` is a second at most.
    retry_interval: Pause = None,
    variables [variable(
        "INSTANA_RETRY_AGENT_CONNECTION_IN_MS",
        "milliseconds, 100 to 600000",
        "1 s at most",
        "The pause between two lookups while no agent is found.",
    )],
    paths [];

    /// The name in the announce and all URLs.
    plugin: Plugin = "rust".to_owned(),
    variables [variable(
        "INSTANA_PLUGIN_NAME",
        "1 to 64 of `a-z`, `0-9`, `.`, `_`, `-`",
        "`rust`",
        "The name under which the process announces itself. With `golang`, metrics follow Go's schema, so that an agent that does not know Rust shows them.",
    )],
    paths [];

    /// `data.service` of every span.
    service: Name = None,
    variables [variable(
        "INSTANA_SERVICE_NAME",
        "text, 1 to 1024 bytes",
        "none",
        "The service of all spans. Without it, Instana derives the service from each span.",
    )],
    paths [];

    /// `name` in the snapshot.
    process_name: Name = None,
    variables [variable(
        "INSTANA_PROCESS_NAME",
        "text, 1 to 1024 bytes",
        "the service, else the name of the executable",
        "The name of the process in the infrastructure view.",
    )],
    paths [];

    /// Which keys hold secrets.
    secrets: Secrets = Matcher::default(),
    variables [variable(
        "INSTANA_SECRETS",
        "`mode:term,term`",
        "`contains-ignore-case:key,pass,secret`",
        "Which keys are secret: the values behind them are sent as `<redacted>`. The mode is `equals`, `equals-ignore-case`, `contains`, `contains-ignore-case`, `regex` (matches whole keys) or `none`.",
    )],
    paths [both(
        "secrets",
        "map of `matcher` (the mode) and `list` (the terms), or a text",
        "As `INSTANA_SECRETS`.",
    )];

    /// Whether signatures and tokens in URLs are secret, too.
    hide_signed_urls: Switch = true,
    variables [variable(
        "INSTANA_HIDE_SIGNED_URLS",
        "`true`, `1`, `false`, `0`",
        "`true`",
        "Signatures and access tokens in URLs are hidden in addition to the keys of `INSTANA_SECRETS`: `X-Amz-Signature`, `sig`, `code`, `access_token` and others; see below.",
    )],
    paths [both(
        "tracing.global.hide-signed-urls",
        "`true`, `false`",
        "As `INSTANA_HIDE_SIGNED_URLS`.",
    )];

    /// Headers to capture, in lower case.
    extra_headers: Headers = Vec::new(),
    variables [variable(
        "INSTANA_EXTRA_HTTP_HEADERS",
        "names separated by `;` or `,`",
        "none",
        "Request and response headers to record with HTTP spans; at most 64. Case does not matter.",
    )],
    paths [
        both("tracing.extra-http-headers", "list of names", "As `INSTANA_EXTRA_HTTP_HEADERS`."),
        agents("extraHeaders", "list of names", "An older name of `tracing.extra-http-headers`."),
    ];

    /// Whether entries continue from `traceparent`.
    w3c_correlation: Presence = true,
    variables [
        variable(
            "INSTANA_TRACING_DISABLE_W3C_CORRELATION",
            "any text",
            "not set",
            "Traces are not continued from `traceparent`, only from `X-INSTANA-T` and `X-INSTANA-S` and from the member `in` of `tracestate`.",
        ),
        variable(
            "INSTANA_DISABLE_W3C_TRACE_CORRELATION",
            "any text",
            "not set",
            "An older name of `INSTANA_TRACING_DISABLE_W3C_CORRELATION`.",
        ),
        DISABLE_W3C,
    ],
    paths [
        both(
            "tracing.global.disable-w3c-correlation",
            "`true`, `false`",
            "As `INSTANA_TRACING_DISABLE_W3C_CORRELATION`.",
        ),
        PATH_OF_W3C,
    ];

    /// Whether exits write W3C headers.
    w3c_propagation: Presence = true,
    variables [
        variable(
            "INSTANA_TRACING_DISABLE_W3C_PROPAGATION",
            "any text",
            "not set",
            "`traceparent` and `tracestate` are not sent.",
        ),
        DISABLE_W3C,
    ],
    paths [
        both(
            "tracing.global.disable-w3c-propagation",
            "`true`, `false`",
            "As `INSTANA_TRACING_DISABLE_W3C_PROPAGATION`.",
        ),
        PATH_OF_W3C,
    ];

    /// Whether exits without an entry are recorded.
    allow_root_exits: Switch = false,
    variables [
        variable(
            "INSTANA_ALLOW_ROOT_EXIT_SPAN",
            "`true`, `1`, `false`, `0`",
            "`false`",
            "Exits without an entry above them are recorded, each as a trace of its own.",
        ),
        variable(
            "INSTANA_ALLOW_EXIT_AS_ROOT",
            "`true`, `1`, `false`, `0`",
            "`false`",
            "An older name of `INSTANA_ALLOW_ROOT_EXIT_SPAN`.",
        ),
    ],
    paths [];

    /// Whether entries record how their futures ran.
    poll_timing: Switch = false,
    variables [variable(
        "INSTANA_POLL_TIMING",
        "`true`, `1`, `false`, `0`",
        "`false`",
        "Entries have tags that show how long their futures ran, waited for a thread and idled. They distinguish a handler that blocks from a slow dependency.",
    )],
    paths [];

    /// Whether the heap of the C library is read.
    glibc_heap: Switch = false,
    variables [variable(
        "INSTANA_GLIBC_HEAP",
        "`true`, `1`, `false`, `0`",
        "`false`",
        "Metrics include glibc's statistics of its heap. Reading them stops the application for a moment: see `docs/METRICS.md`.",
    )],
    paths [];

    /// Timed polls of at least this length are logged.
    slow_poll: Millis<1, 600_000> = Duration::from_millis(100),
    variables [variable(
        "INSTANA_SLOW_POLL",
        "milliseconds, 1 to 600000",
        "`100`",
        "Timed polls of at least this length are logged as warnings, once for each route or span name.",
    )],
    paths [];

    /// Whether an exit answered 4xx has failed.
    client_errors: Switch = false,
    variables [variable(
        "INSTANA_TRACING_HTTP_EXIT_CLASSIFY_ALL_4XX_AS_ERRORS",
        "`true`, `1`, `false`, `0`",
        "`false`",
        "HTTP exits that are answered with a status from 400 to 499 are errors.",
    )],
    paths [both(
        "tracing.http.exit.classify-all-4xx-as-errors",
        "`true`, `false`",
        "As `INSTANA_TRACING_HTTP_EXIT_CLASSIFY_ALL_4XX_AS_ERRORS`.",
    )];

    /// The 4xx statuses with which an exit has failed, instead of all; empty is not set.
    client_error_statuses: Statuses = Vec::new(),
    variables [variable(
        "INSTANA_TRACING_HTTP_EXIT_CLASSIFY_AS_ERRORS",
        "statuses from 400 to 499, separated by `,`",
        "none",
        "HTTP exits that are answered with one of these statuses are errors; the setting for all of them is ignored then.",
    )],
    paths [both(
        "tracing.http.exit.classify-as-errors",
        "list of statuses",
        "As `INSTANA_TRACING_HTTP_EXIT_CLASSIFY_AS_ERRORS`.",
    )];

    /// Whether a cancelled exit has failed.
    cancelled_exits: Switch = true,
    variables [variable(
        "INSTANA_CANCELLED_EXITS_AS_ERRORS",
        "`true`, `1`, `false`, `0`",
        "`true`",
        "Cancelled exits, such as the slower branches of a `select!`, have the error `cancelled after N ms`. With `false` they have the tag `cancelled_after_ms` instead, and no error.",
    )],
    paths [];

    /// Which categories and types of spans are not recorded.
    disable: Disabling = Disabled::default(),
    variables [
        variable(
            "INSTANA_TRACING_DISABLE",
            "names separated by `,` or `;`, or `true`, `false`",
            "none",
            "Categories (`logging`, `databases`, `messaging`, `protocols`) and types of spans (`redis`, `kafka`) that are not recorded. `!` before a name keeps it; a type overrides its category. Callees of a call that is switched off still join the trace. `true` switches tracing off: trace headers are left alone, too. Metrics are sent.",
        ),
        variable(
            "INSTANA_TRACING_DISABLE_INSTRUMENTATIONS",
            "names separated by `,` or `;`",
            "none",
            "More types, in addition to `INSTANA_TRACING_DISABLE`.",
        ),
        variable(
            "INSTANA_TRACING_DISABLE_GROUPS",
            "names separated by `,` or `;`",
            "none",
            "More categories, in addition to `INSTANA_TRACING_DISABLE`.",
        ),
    ],
    paths [both(
        "tracing.disable",
        "list of names and of maps of a name to `true` or `false`; such a map; `true`, `false`",
        "As `INSTANA_TRACING_DISABLE`.",
    )];

    /// Calls that are not recorded.
    ignored_endpoints: Endpoints = Vec::<IgnoredEndpoint>::new(),
    variables [
        variable(
            "INSTANA_IGNORE_ENDPOINTS_PATH",
            "path",
            "none",
            "A configuration file of which only `tracing.ignore-endpoints` is read. It overrides `INSTANA_IGNORE_ENDPOINTS`.",
        ),
        variable(
            "INSTANA_IGNORE_ENDPOINTS",
            "`service:method,method;service:method`",
            "none",
            "Calls that are not recorded, by service (`redis`, `dynamodb`, `kafka`, `http`) and method; `*` is any method.",
        ),
    ],
    paths [both(
        "tracing.ignore-endpoints",
        "map of a service to a list of methods, and of maps of `methods`, `endpoints` and `connections`",
        "As `INSTANA_IGNORE_ENDPOINTS`. A call is ignored if all conditions of one entry are met.",
    )];

    /// Whether calls below an ignored call are ignored, too.
    ignored_endpoints_suppression: Inverse = true,
    variables [variable(
        "INSTANA_IGNORE_ENDPOINTS_DISABLE_SUPPRESSION",
        "`true`, `1`, `false`, `0`",
        "`false`",
        "Only the ignored call is left out; calls below it are recorded.",
    )],
    paths [];

    /// Spans that are left out.
    filters: Filters = SpanFilters::default(),
    variables [
        variable(
            "INSTANA_TRACING_FILTER_EXCLUDE_<NAME>_ATTRIBUTES",
            "`key;value,value;match`, several separated by `\\|`",
            "none",
            "Spans that have all these attributes are left out. A key is `category`, `kind`, `type`, or a path such as `http.url`; a value is a text, or `*` for any; the match is `strict` (the default), `contains`, `startswith` or `endswith`.",
        ),
        variable(
            "INSTANA_TRACING_FILTER_EXCLUDE_<NAME>_SUPPRESSION",
            "`true`, `1`, `false`, `0`",
            "`true`",
            "Whether calls below such a span are left out, too.",
        ),
        variable(
            "INSTANA_TRACING_FILTER_INCLUDE_<NAME>_ATTRIBUTES",
            "`key;value,value;match`, several separated by `\\|`",
            "none",
            "Spans that have all these attributes are kept, even if another filter excludes them.",
        ),
    ],
    paths [both(
        "tracing.filter",
        "map of `exclude` and `include` (lists of maps of `name`, `suppression` and `attributes`: `key`, `values`, `match_type`) and `deactivate`",
        "As the variables for filters.",
    )];

    /// Which exits have the stack of their caller.
    stack_trace: Mode = StackTraces::default(),
    variables [variable(
        "INSTANA_STACK_TRACE",
        "`all`, `error`, `none`",
        "`error`",
        "Which exits have the stack of their caller: all, the failed ones, or none.",
    )],
    paths [both(
        "tracing.global.stack-trace",
        "`all`, `error`, `none`",
        "As `INSTANA_STACK_TRACE`.",
    )];

    /// The largest number of frames in a stack.
    stack_trace_length: Frames = 10,
    variables [variable(
        "INSTANA_STACK_TRACE_LENGTH",
        "frames, 0 to 500",
        "`10`",
        "The largest number of frames in a stack.",
    )],
    paths [both(
        "tracing.global.stack-trace-length",
        "frames, 0 to 500",
        "As `INSTANA_STACK_TRACE_LENGTH`.",
    )];

    /// Exceptions from both settings by technology.
    technology_stack_traces: Technologies = BTreeMap::<String, TechnologyStackTraces>::new(),
    variables [],
    paths [
        both(
            "tracing.*.stack-trace",
            "`all`, `error`, `none`",
            "The same for one technology, such as `kafka`.",
        ),
        both(
            "tracing.*.stack-trace-length",
            "frames, 0 to 500",
            "The same for one technology, such as `kafka`.",
        ),
    ];

    /// Whether short calls of one kind are sent as one span.
    span_batching: Switch = false,
    variables [variable(
        "INSTANA_SPANBATCHING_ENABLED",
        "`true`, `1`, `false`, `0`",
        "`false`",
        "Many short calls of one kind are sent as one span, a batch.",
    )],
    paths [
        both(
            "tracing.span-batching-enabled",
            "`true`, `false`",
            "As `INSTANA_SPANBATCHING_ENABLED`.",
        ),
        agents(
            "spanBatchingEnabled",
            "`true`, `false`",
            "An older name of `tracing.span-batching-enabled`.",
        ),
    ];

    /// The lowest level of log lines that are recorded.
    captured_logs: Capture = CapturedLogs::default(),
    variables [variable(
        "INSTANA_TRACING_CAPTURE_LOG_LEVEL",
        "`trace`, `debug`, `info`, `warn`, `error`, `off`",
        "`warn`",
        "The lowest level of the application's log lines that are recorded.",
    )],
    paths [];

    /// Whether Kafka records carry trace context.
    kafka_correlation: Switch = true,
    variables [variable(
        "INSTANA_KAFKA_TRACE_CORRELATION",
        "`true`, `1`, `false`, `0`",
        "`true`",
        "Trace context is propagated in the headers of Kafka records.",
    )],
    paths [both(
        "tracing.kafka.trace-correlation",
        "`true`, `false`",
        "As `INSTANA_KAFKA_TRACE_CORRELATION`.",
    )];

    /// In which headers.
    kafka_header_format: KafkaFormat = KafkaHeaderFormat::default(),
    variables [variable(
        "INSTANA_KAFKA_HEADER_FORMAT",
        "`string`, `binary`, `both`",
        "`string`",
        "The form of these headers; `binary` is the older form.",
    )],
    paths [both(
        "tracing.kafka.header-format",
        "`string`, `binary`, `both`",
        "As `INSTANA_KAFKA_HEADER_FORMAT`.",
    )];

    /// The time between two requests with spans.
    transmission_delay: Millis<10, 60_000> = Duration::from_secs(1),
    variables [variable(
        "INSTANA_TRACING_TRANSMISSION_DELAY",
        "milliseconds, 10 to 60000",
        "`1000`",
        "How long spans are buffered before they are sent.",
    )],
    paths [];

    /// Spans with which that is done early.
    transmission_threshold: Spans = 500,
    variables [variable(
        "INSTANA_FORCE_TRANSMISSION_STARTING_AT",
        "spans, 1 to 1000000",
        "`500`",
        "The number of buffered spans at which they are sent at once. It is checked whenever a thread has filled a block of 32 KiB.",
    )],
    paths [];

    /// Whether metrics of the process are sent.
    metrics: Presence = true,
    variables [variable(
        "INSTANA_DISABLE_METRICS_COLLECTION",
        "any text",
        "not set",
        "Metrics are off; only the process snapshot and a heartbeat are sent.",
    )],
    paths [];

    /// The time between two requests with metrics.
    metrics_interval: PollRate = Duration::from_secs(1),
    variables [variable(
        "INSTANA_METRICS_TRANSMISSION_DELAY",
        "milliseconds, 1000 to 5000",
        "`1000`",
        "The time between two requests with metrics.",
    )],
    paths [both(
        "plugin.*.poll_rate",
        "seconds, 1 to 600",
        "The time between two requests with metrics. A rate under the plugin's own name comes before others.",
    )];

    /// The lowest level of the tracer's own log lines.
    log_level: LogLevel = Level::Warn,
    variables [
        variable(
            "INSTANA_LOG_LEVEL",
            "`error`, `warn`, `info`, `debug`",
            "`warn`",
            "The lowest level of the tracer's own log lines.",
        ),
        variable(
            "INSTANA_DEBUG",
            "any text",
            "not set",
            "The same as `INSTANA_LOG_LEVEL=debug`, which it overrides.",
        ),
    ],
    paths [];

    /// Bound of the span memory over all threads.
    buffer_bytes: Bytes = 16 * 1024 * 1024,
    variables [],
    paths [];

    /// How long the guard may flush when it is dropped.
    flush_deadline: Millis<0, { u64::MAX }> = Duration::from_secs(2),
    variables [],
    paths [];
}

/// Of two settings.
const DISABLE_W3C: Variable = variable(
    "INSTANA_TRACING_DISABLE_W3C",
    "any text",
    "not set",
    "Both correlation and propagation are off: `traceparent` is neither followed nor sent.",
);
const PATH_OF_W3C: Path = both(
    "tracing.global.disable-w3c",
    "`true`, `false`",
    "As `INSTANA_TRACING_DISABLE_W3C`.",
);

impl Tree {
    /// The settings in the agent's answer to the announce.
    pub(crate) fn of_answer(answer: &Map<String, Value>) -> Self {
        Self::of_members(answer, is_root)
    }
}

/// Whether settings stand under this name at the top of an answer.
pub(super) fn is_root(name: &str) -> bool {
    let mut paths = KEYS.iter().flat_map(|key| key.paths);
    paths.any(|path| path.name.split('.').next() == Some(name))
}
