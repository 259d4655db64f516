//! Every setting in every source, which source wins, and what a mistake costs.

mod documentation;
mod lists;
mod mistakes;
mod precedence;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;
use serde_json::Value;

use crate::base::log::Level;
use crate::config::key::Side;
use crate::config::keys::KEYS;
use crate::config::*;

/// A file that is removed when the test is over.
struct File(PathBuf);

impl File {
    fn new(content: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("instana-{}-{number}.yaml", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, content).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

/// What each source says; empty is nothing.
#[derive(Clone, Copy, Default)]
pub(super) struct Said<'a> {
    pub(super) environment: &'a [(&'a str, &'a str)],
    pub(super) file: &'a str,
    pub(super) code: Option<fn(&mut Code)>,
    pub(super) agent: &'a str,
}

impl Said<'_> {
    /// The settings, and all problems without the path of the file.
    fn resolve(&self) -> (Config, Vec<String>) {
        let file = File::new(self.file);
        let mut environment = self.environment.to_vec();
        if !self.file.is_empty() {
            environment.push(("INSTANA_CONFIG_PATH", file.path()));
        }
        let mut code = Code::default();
        if let Some(set) = self.code {
            set(&mut code);
        }
        let environment = Environment::from_pairs(&environment);
        let (sources, mut config, mut problems) = Sources::read(&environment, code);
        if !self.agent.is_empty() {
            let answer: Value = serde_json::from_str(self.agent).unwrap();
            let (all, more) = sources.with_agent(&Tree::of_answer(answer.as_object().unwrap()));
            config = all;
            problems.extend(more);
        }
        for problem in &mut problems {
            *problem = problem.replace(file.path(), "FILE");
        }
        (config, problems)
    }

    /// The settings, where nobody made a mistake.
    pub(super) fn config(&self) -> Config {
        let (config, problems) = self.resolve();
        assert_eq!(problems, [] as [&str; 0]);
        config
    }
}

fn setting(config: &Config, name: &str) -> Setting {
    let mut settings = config.settings().into_iter();
    settings.find(|setting| setting.name == name).expect(name)
}

/// What a source says of one setting, and how that is shown.
type Told<T> = Option<(T, &'static str)>;

struct Case {
    name: &'static str,
    default: &'static str,
    environment: Told<&'static [(&'static str, &'static str)]>,
    file: Told<&'static str>,
    code: Told<fn(&mut Code)>,
    agent: Told<&'static str>,
    /// A value in the environment that cannot be used.
    wrong: &'static str,
}

macro_rules! case {
    ($name:literal, $default:literal, $environment:expr, $file:expr, $code:expr, $agent:expr, $wrong:literal) => {
        Case {
            name: $name,
            default: $default,
            environment: $environment,
            file: $file,
            code: $code,
            agent: $agent,
            wrong: $wrong,
        }
    };
}

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    vec![
        case!("agent_host", "127.0.0.1",
            Some((&[("INSTANA_AGENT_HOST", "[fe80::1%eth0]")], "fe80::1%eth0")), None,
            Some((|code| code.agent("h"), "h")), None, "http://h:42699"),
        case!("agent_port", "42699",
            Some((&[("INSTANA_AGENT_PORT", " 42700 ")], "42700")), None,
            Some((|code| code.agent("h:1"), "1")), None, "42x99"),
        case!("agent_timeout", "5000 ms",
            Some((&[("INSTANA_AGENT_REQUEST_TIMEOUT", "250")], "250 ms")), None,
            Some((|code| code.agent_timeout(Given::Text("7")), "7 ms")), None, "5s"),
        case!("poll_timing", "false",
            Some((&[("INSTANA_POLL_TIMING", "true")], "true")), None,
            Some((|code| code.poll_timing(Given::Value(true)), "true")), None, "yes"),
        case!("glibc_heap", "false",
            Some((&[("INSTANA_GLIBC_HEAP", "true")], "true")), None,
            Some((|code| code.glibc_heap(Given::Value(true)), "true")), None, "yes"),
        case!("cancelled_exits", "true",
            Some((&[("INSTANA_CANCELLED_EXITS_AS_ERRORS", "false")], "false")), None,
            Some((|code| code.cancelled_exits(Given::Value(false)), "false")), None, "no"),
        case!("slow_poll", "100 ms",
            Some((&[("INSTANA_SLOW_POLL", "20")], "20 ms")), None,
            Some((|code| code.slow_poll(Given::Text("7")), "7 ms")), None, "0"),
        case!("retry_interval", "1 s, later 10 s",
            Some((&[("INSTANA_RETRY_AGENT_CONNECTION_IN_MS", "60000")], "60000 ms")), None,
            Some((|code| code.retry_interval(Given::Text("100")), "100 ms")), None, "99"),
        case!("plugin", "rust",
            Some((&[("INSTANA_PLUGIN_NAME", "golang")], "golang")), None,
            Some((|code| code.plugin(Given::Text("code")), "code")), None, "Go"),
        case!("service", "none",
            Some((&[("INSTANA_SERVICE_NAME", " shop ")], "shop")), None,
            Some((|code| code.service(Given::Text("code")), "code")), None, " "),
        case!("process_name", "none",
            Some((&[("INSTANA_PROCESS_NAME", "shop-1")], "shop-1")), None,
            Some((|code| code.process_name(Given::Text("code")), "code")), None, "\t"),
        case!("secrets", "contains-ignore-case:key,pass,secret",
            Some((&[("INSTANA_SECRETS", "equals:token")], "equals:token")),
            Some(("com.instana.secrets: {matcher: contains, list: [a, b]}", "contains:a,b")),
            Some((|code| code.secrets(Given::Text("none")), "none")),
            Some((r#"{"secrets":{"matcher":"equals","list":["a"]}}"#, "equals:a")), "equal:a"),
        case!("hide_signed_urls", "true",
            Some((&[("INSTANA_HIDE_SIGNED_URLS", "0")], "false")),
            Some(("tracing: {global: {hide-signed-urls: true}}", "true")),
            Some((|code| code.hide_signed_urls(Given::Value(false)), "false")),
            Some((r#"{"tracing":{"global":{"hide-signed-urls":true}}}"#, "true")), "yes"),
        case!("extra_headers", "none",
            Some((&[("INSTANA_EXTRA_HTTP_HEADERS", "X-Tenant; x-b,X-B")], "x-tenant, x-b")),
            Some(("tracing: {extra-http-headers: [X-File]}", "x-file")),
            Some((|code| code.extra_headers(Given::Text("X-Code")), "x-code")),
            Some((r#"{"tracing":{"extra-http-headers":["X-Agent"]},"extraHeaders":["x-old"]}"#, "x-agent")), ";"),
        case!("w3c_correlation", "true",
            Some((&[("INSTANA_TRACING_DISABLE_W3C_CORRELATION", "yes")], "false")),
            Some(("tracing: {global: {disable-w3c-correlation: false}}", "true")),
            Some((|code| code.w3c_correlation(Given::Value(false)), "false")),
            Some((r#"{"tracing":{"global":{"disable-w3c":true}}}"#, "false")), ""),
        case!("w3c_propagation", "true",
            Some((&[("INSTANA_TRACING_DISABLE_W3C_PROPAGATION", "yes")], "false")),
            Some(("tracing: {global: {disable-w3c: false}}", "true")),
            Some((|code| code.w3c_propagation(Given::Value(false)), "false")),
            Some((r#"{"tracing":{"global":{"disable-w3c-propagation":true}}}"#, "false")), ""),
        case!("allow_root_exits", "false",
            Some((&[("INSTANA_ALLOW_ROOT_EXIT_SPAN", "TRUE")], "true")), None,
            Some((|code| code.allow_root_exits(Given::Value(true)), "true")), None, "yes"),
        case!("client_errors", "false",
            Some((&[("INSTANA_TRACING_HTTP_EXIT_CLASSIFY_ALL_4XX_AS_ERRORS", "1")], "true")),
            Some(("tracing: {http: {exit: {classify-all-4xx-as-errors: false}}}", "false")),
            Some((|code| code.client_errors(Given::Value(true)), "true")),
            Some((r#"{"tracing":{"http":{"exit":{"classify-all-4xx-as-errors":true}}}}"#, "true")), "all"),
        case!("client_error_statuses", "none",
            Some((&[("INSTANA_TRACING_HTTP_EXIT_CLASSIFY_AS_ERRORS", "409, 404,409")], "404, 409")),
            Some(("tracing: {http: {exit: {classify-as-errors: [410]}}}", "410")),
            Some((|code| code.client_error_statuses(Given::Value(vec![411])), "411")),
            Some((r#"{"tracing":{"http":{"exit":{"classify-as-errors":[412]}}}}"#, "412")), "all"),
        case!("disable", "none",
            Some((&[("INSTANA_TRACING_DISABLE", "logging;Databases,!redis"),
                ("INSTANA_TRACING_DISABLE_INSTRUMENTATIONS", "kafka"),
                ("INSTANA_TRACING_DISABLE_GROUPS", "protocols")],
                "databases, kafka, logging, protocols, !redis")),
            Some(("tracing: {disable: [logging, redis: false, '!kafka': true]}", "!kafka, logging, !redis")),
            Some((|code| code.disable(Given::Text("true")), "all")),
            Some((r#"{"tracing":{"disable":[{"logging":true}]}}"#, "logging")), ",;"),
        case!("ignored_endpoints", "none",
            Some((&[("INSTANA_IGNORE_ENDPOINTS", "redis:GET, type;dynamodb:query")],
                "redis methods=get|type, dynamodb methods=query")),
            Some(("tracing:\n  ignore-endpoints:\n    kafka:\n      - methods: ['*']\n        Endpoints: [Audit]\n    redis: GET",
                "kafka methods=* endpoints=audit, redis methods=get")),
            Some((|code| code.ignored_endpoints(Given::Value(vec![IgnoredEndpoint::of("HTTP").connections(["X"])])),
                "http connections=x")),
            Some((r#"{"tracing":{"ignore-endpoints":{"redis":["set"]}}}"#, "redis methods=set")), "redis"),
        case!("ignored_endpoints_suppression", "true",
            Some((&[("INSTANA_IGNORE_ENDPOINTS_DISABLE_SUPPRESSION", "true")], "false")), None,
            Some((|code| code.ignored_endpoints_suppression(Given::Value(false)), "false")), None, "no"),
        case!("filters", "none",
            Some((&[("INSTANA_TRACING_FILTER_EXCLUDE_HEALTH_ATTRIBUTES", "http.url;/a,/b;startswith|kind;entry"),
                ("INSTANA_TRACING_FILTER_EXCLUDE_HEALTH_SUPPRESSION", "false"),
                ("INSTANA_TRACING_FILTER_INCLUDE_A_B_ATTRIBUTES", "type;*")],
                "exclude health: http.url startswith /a|/b kind strict entry without suppression, include a_b: type strict *")),
            Some(("tracing:\n  filter:\n    exclude:\n    - {name: x, suppression: false, attributes: [{key: type, values: [redis], match_type: contains}]}",
                "exclude x: type contains redis without suppression")),
            Some((|code| {
                let filter = SpanFilter::include("y").attribute("kind", FilterMatch::EndsWith, ["t"]);
                code.filters(Given::Value([filter].into_iter().collect()));
            }, "include y: kind endswith t")),
            Some((r#"{"tracing":{"filter":{"deactivate":true,"exclude":{"attributes":{"key":"kind","values":"exit"}}}}}"#,
                "deactivated: exclude 0: kind strict exit")), ""),
        case!("stack_trace", "error",
            Some((&[("INSTANA_STACK_TRACE", "ALL")], "all")),
            Some(("tracing: {global: {stack-trace: none}}", "none")),
            Some((|code| code.stack_trace(Given::Value(StackTraces::All)), "all")),
            Some((r#"{"tracing":{"global":{"stack-trace":"none"}}}"#, "none")), "some"),
        case!("stack_trace_length", "10",
            Some((&[("INSTANA_STACK_TRACE_LENGTH", "500")], "500")),
            Some(("tracing: {global: {stack-trace-length: '20'}}", "20")),
            Some((|code| code.stack_trace_length(Given::Value(0)), "0")),
            Some((r#"{"tracing":{"global":{"stack-trace-length":25}}}"#, "25")), "501"),
        case!("technology_stack_traces", "none", None,
            Some(("tracing: {kafka: {stack-trace: all, stack-trace-length: 3}, Redis: {stack-trace: none}}",
                "kafka all 3 frames, redis none")),
            Some((|code| {
                code.technology_stack_trace("http", StackTraces::All, 1);
                code.technology_stack_trace("sql", StackTraces::None, 2);
            }, "http all 1 frames, sql none 2 frames")),
            Some((r#"{"tracing":{"kafka":{"stack-trace-length":5}}}"#, "kafka 5 frames")), ""),
        case!("span_batching", "false",
            Some((&[("INSTANA_SPANBATCHING_ENABLED", "true")], "true")),
            Some(("tracing: {span-batching-enabled: false}", "false")),
            Some((|code| code.span_batching(Given::Value(true)), "true")),
            Some((r#"{"spanBatchingEnabled":"true"}"#, "true")), "on"),
        case!("captured_logs", "warn",
            Some((&[("INSTANA_TRACING_CAPTURE_LOG_LEVEL", "fatal")], "error")), None,
            Some((|code| code.captured_logs(Given::Value(CapturedLogs::Off)), "off")), None, "loud"),
        case!("kafka_correlation", "true",
            Some((&[("INSTANA_KAFKA_TRACE_CORRELATION", "false")], "false")),
            Some(("com.instana.tracing: {kafka: {trace-correlation: true}}", "true")),
            Some((|code| code.kafka_correlation(Given::Value(false)), "false")),
            Some((r#"{"tracing":{"kafka":{"trace-correlation":false}}}"#, "false")), "no"),
        case!("kafka_header_format", "string",
            Some((&[("INSTANA_KAFKA_HEADER_FORMAT", "Both")], "both")),
            Some(("tracing: {kafka: {header-format: binary}}", "binary")),
            Some((|code| code.kafka_header_format(Given::Value(KafkaHeaderFormat::Both)), "both")),
            Some((r#"{"tracing":{"kafka":{"header-format":"binary"}}}"#, "binary")), "xml"),
        case!("transmission_delay", "1000 ms",
            Some((&[("INSTANA_TRACING_TRANSMISSION_DELAY", "10")], "10 ms")), None,
            Some((|code| code.transmission_delay(Given::Text("60000")), "60000 ms")), None, "60001"),
        case!("transmission_threshold", "500",
            Some((&[("INSTANA_FORCE_TRANSMISSION_STARTING_AT", "1")], "1")), None,
            Some((|code| code.transmission_threshold(Given::Value(9)), "9")), None, "0"),
        case!("metrics", "true",
            Some((&[("INSTANA_DISABLE_METRICS_COLLECTION", "1")], "false")), None,
            Some((|code| code.metrics(Given::Value(false)), "false")), None, ""),
        case!("metrics_interval", "1000 ms",
            Some((&[("INSTANA_METRICS_TRANSMISSION_DELAY", "5000")], "5000 ms")),
            Some(("com.instana.plugin.rust: {poll_rate: 10}", "10000 ms")),
            Some((|code| code.metrics_interval(Given::Text("2000")), "2000 ms")),
            Some((r#"{"plugin.golang":{"poll_rate":5},"plugin.rust":{"poll_rate":7.5}}"#, "7000 ms")), "999"),
        case!("log_level", "warning",
            Some((&[("INSTANA_LOG_LEVEL", "Info")], "info")), None,
            Some((|code| code.log_level(Given::Value(Level::Error)), "error")), None, "loud"),
        case!("buffer_bytes", "16777216 bytes", None, None,
            Some((|code| code.buffer_bytes(Given::Value(1)), "1 bytes")), None, ""),
        case!("flush_deadline", "2000 ms", None, None,
            Some((|code| code.flush_deadline(Given::Text("0")), "0 ms")), None, ""),
    ]
}

/// The sources of a case, the strongest first, each with the kind of its origin.
fn sources(case: &Case) -> Vec<(Said<'static>, &'static str, &'static str)> {
    let none = Said::default();
    let sources = [
        case.environment.map(|(environment, shown)| {
            (
                Said {
                    environment,
                    ..none
                },
                shown,
                "environment",
            )
        }),
        case.file
            .map(|(file, shown)| (Said { file, ..none }, shown, "file")),
        case.code.map(|(code, shown)| {
            (
                Said {
                    code: Some(code),
                    ..none
                },
                shown,
                "code",
            )
        }),
        case.agent
            .map(|(agent, shown)| (Said { agent, ..none }, shown, "agent")),
    ];
    sources.into_iter().flatten().collect()
}

pub(super) fn kind(origin: &Origin) -> &'static str {
    match origin {
        Origin::Agent => "agent",
        Origin::Code => "code",
        Origin::Default => "default",
        Origin::Environment { .. } => "environment",
        Origin::File { .. } => "file",
    }
}
