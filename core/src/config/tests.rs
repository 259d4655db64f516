//! Every setting in every source, which source wins, and what a mistake costs.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;
use serde_json::Value;

use super::keys::{KEYS, Side};
use super::*;
use crate::log::Level;

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

#[test]
fn without_anything_the_defaults_hold() {
    let config = Said::default().config();
    for case in cases() {
        let setting = setting(&config, case.name);
        assert_eq!(
            (setting.value.as_str(), &setting.origin),
            (case.default, &Origin::Default)
        );
    }
}

#[test]
fn each_source_wins_over_those_below_it() {
    for case in cases() {
        let sources = sources(&case);
        assert!(!sources.is_empty(), "{}", case.name);
        for (number, (upper, shown, origin)) in sources.iter().enumerate() {
            let alone = setting(&upper.config(), case.name);
            assert_eq!(
                (alone.value.as_str(), kind(&alone.origin)),
                (*shown, *origin),
                "{}",
                case.name
            );
            // Each pair of neighbours, and all below it.
            let mut all = *upper;
            for (lower, ..) in &sources[number + 1..] {
                all = Said {
                    environment: if all.environment.is_empty() {
                        lower.environment
                    } else {
                        all.environment
                    },
                    file: if all.file.is_empty() {
                        lower.file
                    } else {
                        all.file
                    },
                    code: all.code.or(lower.code),
                    agent: if all.agent.is_empty() {
                        lower.agent
                    } else {
                        all.agent
                    },
                };
                let found = setting(&all.config(), case.name);
                assert_eq!(found.value, *shown, "{}", case.name);
                assert_eq!(kind(&found.origin), *origin, "{}", case.name);
            }
        }
    }
}

#[test]
fn a_mistake_is_named_and_the_next_source_counts() {
    for case in cases() {
        let (Some((environment, _)), false) = (case.environment, case.wrong.is_empty()) else {
            continue;
        };
        let name = environment[0].0;
        let wrong = [(name, case.wrong)];
        let next = sources(&case).into_iter().nth(1);
        let (next, shown, origin) = next.unwrap_or((Said::default(), case.default, "default"));
        let (config, problems) = Said {
            environment: &wrong,
            ..next
        }
        .resolve();
        let setting = setting(&config, case.name);
        assert_eq!(
            (setting.value.as_str(), kind(&setting.origin)),
            (shown, origin),
            "{name}"
        );
        let text = problems.last().unwrap();
        assert!(text.starts_with(&format!("{name}=\"")), "{text}");
        assert!(text.contains(" is not "), "{text}");
    }
}

#[test]
fn mistakes_in_words() {
    let file = |file| Said {
        file,
        ..Said::default()
    };
    let agent = |agent| Said {
        agent,
        ..Said::default()
    };
    #[rustfmt::skip]
    let table: &[(Said<'_>, &[&str])] = &[
        (Said { environment: &[("INSTANA_AGENT_PORT", "42x99")], ..Said::default() },
            &[r#"INSTANA_AGENT_PORT="42x99" is not a port (1 to 65535); using 42699"#]),
        (Said { environment: &[("INSTANA_AGENT_HOST", "http://u:pw@h:42699")], ..Said::default() },
            &["INSTANA_AGENT_HOST=\"http://<redacted>:<redacted>@h:42699\" is not a host name or an IP \
               address (no scheme; the port is a setting of its own); using 127.0.0.1"]),
        (Said { environment: &[("INSTANA_SECRETS", "regex:a(,b+"), ("INSTANA_EXTRA_HTTP_HEADERS", "x y;x-z")], ..Said::default() },
            &[r#"INSTANA_SECRETS="a(" is not a regular expression (no look-around, no Unicode classes); using the other terms"#,
              r#"INSTANA_EXTRA_HTTP_HEADERS="x y" is not one of 64 header names at most (1 to 256 letters, digits and !#$%&'*+-.^_`|~); using the other names"#]),
        (Said { environment: &[("INSTANA_IGNORE_ENDPOINTS", "postgres:select;redis:get")], ..Said::default() },
            &[r#"INSTANA_IGNORE_ENDPOINTS="postgres:select" is not service:method,method with the service redis, dynamodb, kafka or http; using the other rules"#]),
        (Said { environment: &[("INSTANA_TRACING_FILTER_EXCLUDE_A_ATTRIBUTES", "key;v;like"), ("INSTANA_TRACING_FILTER_EXCLUDE_B_SUPPRESSION", "true")], ..Said::default() },
            &[r#"INSTANA_TRACING_FILTER_EXCLUDE_A_ATTRIBUTES="key;v;like" is not key;value,value or key;value;match with the match strict, contains, startswith or endswith; using the other filters"#,
              r#"INSTANA_TRACING_FILTER_EXCLUDE_B_SUPPRESSION="true" is not of a filter: its _ATTRIBUTES are missing; using the other filters"#]),
        (Said { code: Some(|code| { code.agent("http://h"); code.service(Given::Text("a")); code.service(Given::Text(" ")); code.transmission_delay(Given::Value(std::time::Duration::ZERO)); }), ..Said::default() },
            &[r#"agent="http://h" is not a host or host:port (no scheme; IPv6 with a port in brackets); using 127.0.0.1"#,
              r#"service=" " is not a name (1 to 1024 bytes); using a"#,
              r#"transmission_delay="0 ms" is not a number of milliseconds (10 to 60000); using 1000 ms"#]),
        (file("tracing:\n  kafka:\n    header-format: xml\n"),
            &[r#"FILE:3: tracing.kafka.header-format="xml" is not a format of headers (string, binary or both); using string"#]),
        (file("tracing:\n  disable:\n    - logging\n    - redis: maybe\n"),
            &[r#"FILE:4: tracing.disable.1.redis="maybe" is not true or false; using the other names"#]),
        (file("tracing:\n  disabled: [logging]\n  kafka: off\n  global: {stack-trace: some, w3c: no}\n"),
            &[r#"FILE:2: tracing.disabled="a list" is not a setting, nor a map of settings; using the other settings"#,
              "FILE:4: tracing.global.w3c is no setting; using the other settings",
              r#"FILE:3: tracing.kafka="off" is not a setting, nor a map of settings; using the other settings"#,
              r#"FILE:4: tracing.global.stack-trace="some" is not a mode of stack traces (all, error or none); using error"#]),
        (file("tracing:\n  kafka: {stack-trace: some}\n"),
            &[r#"FILE:2: tracing.kafka.stack-trace="some" is not a mode of stack traces (all, error or none); using the setting of all technologies"#]),
        (file("tracing:\n  ignore-endpoints:\n    redis: [get, {method: set}]\n    kafka: {topics: [a]}\n"),
            &[r#"FILE:4: tracing.ignore-endpoints.kafka.0.topics="a list" is not methods or endpoints; using the other rules"#,
              r#"FILE:4: tracing.ignore-endpoints.kafka="a map" is not a list of methods, or a map of methods, endpoints and connections; using the other rules"#,
              r#"FILE:3: tracing.ignore-endpoints.redis.1.method="set" is not methods or connections; using the other rules"#]),
        (file("tracing:\n  ignore-endpoints:\n    redsi: [get]\n    dynamodb: {connections: [eu-1]}\n    kafka: {connections: [a]}\n"),
            &[r#"FILE:5: tracing.ignore-endpoints.kafka.0.connections="a list" is not methods or endpoints; using the other rules"#,
              r#"FILE:5: tracing.ignore-endpoints.kafka="a map" is not a list of methods, or a map of methods, endpoints and connections; using the other rules"#,
              r#"FILE:3: tracing.ignore-endpoints.redsi="redsi" is not redis, dynamodb, kafka or http; using the other rules"#]),
        (file("tracing:\n  filter:\n    exclude:\n      - attributes: [{key: a, values: [b], match_type: like}]\n      - attributes: []\n"),
            &[r#"FILE:4: tracing.filter.exclude.0="a map" is not a map of name, suppression and attributes (key, values, match_type); using the other filters"#,
              r#"FILE:5: tracing.filter.exclude.1="a map" is not a map of name, suppression and attributes (key, values, match_type); using the other filters"#]),
        (file("secrets:\n  matcher: equals\n  list: []\n"),
            &["FILE:2: secrets=\"a map\" is not mode:term,term with the mode equals, equals-ignore-case, contains, \
               contains-ignore-case, regex or none; using contains-ignore-case:key,pass,secret"]),
        (file("- tracing\n"), &["FILE: has no settings: `tracing` or `secrets` is expected at its top; using the other sources"]),
        (file("tracng: {}\n"), &["FILE: has no settings: `tracing` or `secrets` is expected at its top; using the other sources"]),
        (file("# nothing\n"), &[]),
        (file("com.instana.plugin.host: {tags: [a]}\ntracing:\n  kafka:\n"), &[]),
        (agent(r#"{"secrets":[],"extraHeaders":7,"tracing":{"global":4,"unknown":1}}"#),
            &["the agent's secrets=\"a list\" is not mode:term,term with the mode equals, equals-ignore-case, contains, \
               contains-ignore-case, regex or none; using contains-ignore-case:key,pass,secret"]),
        (agent(r#"{"plugin.rust":{"poll_rate":"often"},"plugin.golang":{"poll_rate":5}}"#),
            &[r#"the agent's plugin.rust.poll_rate="often" is not a number of seconds (1 to 600); using 5000 ms"#]),
        (agent(r#"{"tracing":{"global":{"disable-w3c":"maybe"}}}"#),
            &[r#"the agent's tracing.global.disable-w3c="maybe" is not a flag (true, 1, false or 0); using true"#,
              r#"the agent's tracing.global.disable-w3c="maybe" is not a flag (true, 1, false or 0); using true"#]),
    ];
    for (said, expected) in table {
        assert_eq!(said.resolve().1, *expected, "{}{}", said.file, said.agent);
    }
}

#[test]
fn variables_that_say_what_is_not_done_say_so_by_being_there() {
    let both = |config: &Config| (config.w3c_correlation, config.w3c_propagation);
    for (name, expected) in [
        ("INSTANA_DISABLE_W3C_TRACE_CORRELATION", (false, true)),
        ("INSTANA_TRACING_DISABLE_W3C_CORRELATION", (false, true)),
        ("INSTANA_TRACING_DISABLE_W3C_PROPAGATION", (true, false)),
        ("INSTANA_TRACING_DISABLE_W3C", (false, false)),
    ] {
        for (value, expected) in [
            ("true", expected),
            ("yes", expected),
            (" ", expected),
            ("", (true, true)),
            ("False", expected),
            ("0", expected),
        ] {
            let environment = &[(name, value)];
            let config = Said {
                environment,
                ..Said::default()
            }
            .config();
            assert_eq!(both(&config), expected, "{name}={value}");
        }
    }
}

#[test]
fn debug_beats_the_level() {
    for debug in ["1", "x", "false"] {
        let environment = &[("INSTANA_DEBUG", debug), ("INSTANA_LOG_LEVEL", "error")];
        let config = Said {
            environment,
            ..Said::default()
        }
        .config();
        assert_eq!(config.log_level, Level::Debug, "{debug}");
    }
}

#[test]
fn the_first_name_beats_the_older_one() {
    let both = [
        ("INSTANA_ALLOW_ROOT_EXIT_SPAN", "false"),
        ("INSTANA_ALLOW_EXIT_AS_ROOT", "true"),
    ];
    let read = |environment| {
        Said {
            environment,
            ..Said::default()
        }
        .resolve()
    };
    assert!(!read(&both).0.allow_root_exits);
    assert!(read(&both[1..]).0.allow_root_exits);
    let (config, problems) = read(&[("INSTANA_ALLOW_ROOT_EXIT_SPAN", "ja"), both[1]]);
    assert!(config.allow_root_exits);
    assert_eq!(problems.len(), 1);
}

#[cfg(unix)]
#[test]
fn text_that_is_not_utf8_or_too_long_is_a_mistake() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;

    let text = || OsString::from_vec(vec![b'a', 0xff]);
    let read = |name, value| {
        let (_, config, problems) =
            Sources::read(&Environment::from_raw(name, value), Code::default());
        (config, problems.len())
    };
    let (config, problems) = read("INSTANA_SERVICE_NAME", text());
    assert_eq!((config.service, problems), (None, 1));
    let (config, problems) = read("INSTANA_SERVICE_NAME", "x".repeat(32 * 1024 + 1).into());
    assert_eq!((config.service, problems), (None, 1));
    let (config, problems) = read("INSTANA_DEBUG", text());
    assert_eq!((config.log_level, problems), (Level::Debug, 0));
    let (config, problems) = read("INSTANA_TRACING_DISABLE_W3C", text());
    assert_eq!((config.w3c_correlation, problems), (false, 0));
}

#[test]
fn lists_of_the_agent_in_every_shape() {
    #[rustfmt::skip]
    let table = [
        ("extra_headers", r#"{"extraHeaders":["X-Old"]}"#, "x-old"),
        ("extra_headers", r#"{"extraHeaders":["X-Old"],"tracing":{"extra-http-headers":[]}}"#, "x-old"),
        ("extra_headers", r#"{"extraHeaders":["X-Old"],"tracing":{}}"#, "x-old"),
        ("extra_headers", r#"{"tracing":{"extra-http-headers":[]}}"#, "none"),
        ("secrets", r#"{"secrets":{"matcher":" None "}}"#, "none"),
        ("secrets", r#"{"secrets":null}"#, "contains-ignore-case:key,pass,secret"),
        ("metrics_interval", r#"{"plugin":{"rust":{"poll_rate":7}},"plugin.golang":{"poll_rate":5}}"#, "7000 ms"),
        ("metrics_interval", r#"{"plugin":{"python":{"poll_rate":5}}}"#, "5000 ms"),
        ("metrics_interval", r#"{"plugin.rust":{"poll_rate":0}}"#, "1000 ms"),
        ("metrics_interval", r#"{"plugin.rust":{"poll_rate":-3}}"#, "1000 ms"),
        ("metrics_interval", r#"{"plugin.rust":{"poll_rate":18446744073709551616}}"#, "600000 ms"),
        ("metrics_interval", r#"{"plugin.rust":{"poll_rate":" 20 "}}"#, "20000 ms"),
        ("metrics_interval", r#"{"plugin.rust":5,"plugin":7}"#, "1000 ms"),
        ("disable", r#"{"tracing":{"disable":{"logging":true,"redis":false}}}"#, "logging, !redis"),
        ("disable", r#"{"tracing":{"disable":["logging","!redis",{"kafka":true}]}}"#, "kafka, logging, !redis"),
        ("disable", r#"{"tracing":{"disable":true}}"#, "all"),
        ("disable", r#"{"tracing":{"disable":false}}"#, "none"),
        ("disable", r#"{"tracing":{"disable":[]}}"#, "none"),
        ("disable", r#"{"tracing":{"disable":{"instrumentations":["redis"],"groups":["logging"]}}}"#, "logging, redis"),
        ("client_error_statuses", r#"{"tracing":{"http":{"exit":{"classify-as-errors":[]}}}}"#, "none"),
        ("ignored_endpoints", r#"{"tracing":{"ignore-endpoints":{}}}"#, "none"),
        ("ignored_endpoints", r#"{"tracing":{"ignore-endpoints":{"kafka":{"endpoints":"a"}}}}"#, "kafka endpoints=a"),
    ];
    for (name, agent, shown) in table {
        let config = Said {
            agent,
            ..Said::default()
        }
        .config();
        assert_eq!(setting(&config, name).value, shown, "{agent}");
    }
}

#[test]
fn ignored_endpoints_can_stand_in_a_file_of_their_own() {
    let file = File::new("tracing:\n  ignore-endpoints: {redis: [get]}\n  disable: logging\n");
    let path = ("INSTANA_IGNORE_ENDPOINTS_PATH", file.path());
    let text = ("INSTANA_IGNORE_ENDPOINTS", "kafka:*");
    let config = Said {
        environment: &[path, text],
        ..Said::default()
    }
    .config();
    let endpoints = setting(&config, "ignored_endpoints");
    assert_eq!(endpoints.value, "redis methods=get");
    assert_eq!(endpoints.origin.to_string(), format!("{}:2", file.path()));
    assert!(config.disable.names.is_empty());

    let empty = File::new("tracing: {disable: logging}");
    for path in [empty.path(), "/dev/null"] {
        let environment = &[("INSTANA_IGNORE_ENDPOINTS_PATH", path), text];
        let (config, problems) = Said {
            environment,
            ..Said::default()
        }
        .resolve();
        assert_eq!(
            setting(&config, "ignored_endpoints").value,
            "kafka methods=*"
        );
        assert_eq!(problems.len(), 1, "{problems:?}");
    }
}

#[test]
fn a_file_can_be_named_in_code() {
    let file = File::new("\ntracing: {disable: logging}");
    let mut code = Code::default();
    code.config_path(Given::Text(file.path()));
    let (_, config, problems) = Sources::read(&Environment::default(), code);
    let disabled = setting(&config, "disable");
    assert_eq!(disabled.origin.to_string(), format!("{}:2", file.path()));
    assert_eq!(problems, [] as [&str; 0]);

    let mut code = Code::default();
    code.config_path(Given::Text("/nowhere"));
    let (_, _, problems) = Sources::read(&Environment::default(), code);
    let text = "config_path=\"/nowhere\" is not a file that can be used (";
    assert!(problems[0].starts_with(text), "{problems:?}");
}

#[test]
fn lists_are_bounded() {
    let many: Vec<String> = (0..1000).map(|number| format!("h{number}")).collect();
    let list = serde_json::to_string(&many).unwrap();
    for key in ["extra-http-headers", "disable", "ignore-endpoints"] {
        let value = match key {
            "ignore-endpoints" => format!(r#"{{"redis":{list}}}"#),
            _ => list.clone(),
        };
        let agent = &format!(r#"{{"tracing":{{"{key}":{value}}}}}"#);
        let (config, problems) = Said {
            agent,
            ..Said::default()
        }
        .resolve();
        let sizes = (
            config.extra_headers.len(),
            config.disable.names.len(),
            config
                .ignored_endpoints
                .first()
                .map_or(0, |rule| rule.methods.len()),
        );
        assert!(
            sizes.0 <= 64 && sizes.1 <= 256 && sizes.2 <= 256,
            "{sizes:?}"
        );
        assert!(sizes.0 + sizes.1 + sizes.2 >= 64, "{sizes:?}");
        assert!((1..=33).contains(&problems.len()), "{}", problems.len());
        let shown = config.settings();
        assert!(shown.iter().all(|setting| setting.value.len() < 600));
    }
}

#[test]
fn a_setting_is_shown_with_its_origin() {
    let environment = &[
        ("INSTANA_SERVICE_NAME", "shop"),
        ("INSTANA_PROCESS_NAME", "http://u:pw@h"),
    ];
    let config = Said {
        environment,
        ..Said::default()
    }
    .config();
    let text = |name| setting(&config, name).to_string();
    assert_eq!(text("service"), "service = shop (INSTANA_SERVICE_NAME)");
    assert_eq!(text("plugin"), "plugin = rust (default)");
    assert!(!text("process_name").contains("pw"));
}

#[test]
fn the_process_environment_is_read() {
    let (_, config, _) = Sources::read(&Environment::of_process(), Code::default());
    assert!(config.agent_port > 0);
}

/// What is in the table is in the tests above.
#[test]
fn every_name_in_the_table_is_tested() {
    let cases = cases();
    let tested = include_str!("tests.rs");
    for key in KEYS.iter().filter(|key| key.name != "config_path") {
        let case = cases
            .iter()
            .find(|case| case.name == key.name)
            .expect(key.name);
        let has_files = key.paths.iter().any(|path| path.side == Side::Both);
        assert_eq!(case.file.is_some(), has_files, "{}", key.name);
        assert_eq!(case.agent.is_some(), !key.paths.is_empty(), "{}", key.name);
        assert_eq!(
            case.environment.is_some(),
            !key.variables.is_empty(),
            "{}",
            key.name
        );
        for variable in key.variables {
            let name = variable.name.split('<').next().unwrap();
            assert!(tested.contains(name), "{name}");
        }
        for path in key.paths {
            let last = path.name.rsplit('.').next().unwrap();
            assert!(tested.contains(last), "{last}");
        }
    }
    assert_eq!(cases.len(), KEYS.len() - 1);
}

proptest! {
    #[test]
    fn no_environment_panics(values in proptest::collection::vec((0..60_usize, "(?s).{0,40}"), 0..8)) {
        let variables: Vec<&str> = KEYS
            .iter()
            .flat_map(|key| key.variables)
            .map(|variable| variable.name)
            .filter(|name| !name.ends_with("_PATH"))
            .collect();
        let environment: Vec<(&str, &str)> = values
            .iter()
            .filter(|(_, value)| !value.contains('\0'))
            .map(|(number, value)| (variables[number % variables.len()], value.as_str()))
            .collect();
        Said { environment: &environment, ..Said::default() }.resolve();
    }

    #[test]
    fn no_file_and_no_answer_panics(
        names in proptest::collection::vec((0..60_usize, any::<bool>()), 0..6),
        value in "[-a1:,{}\\[\\]&*!|>'\"%@`#?~. \n]{0,30}|true|[0-9]{1,25}|\\[a, \\{b: c\\}\\]|\\{a: [b]\\}",
    ) {
        let paths: Vec<&str> = KEYS.iter().flat_map(|key| key.paths).map(|path| path.name).collect();
        for (number, cut) in names {
            let path = paths[number % paths.len()].replace('*', "rust");
            let path = if cut { path.rsplit_once('.').map_or(path.as_str(), |(front, _)| front) } else { &path };
            let mut file = value.clone();
            let mut answer = serde_json::json!([value, {"a": value}]);
            for name in path.rsplit('.') {
                file = format!("{name}: {{{file}}}");
                answer = serde_json::json!({ name: answer });
            }
            file.push('\n');
            Said { file: &file, agent: &answer.to_string(), ..Said::default() }.resolve();
        }
    }
}
