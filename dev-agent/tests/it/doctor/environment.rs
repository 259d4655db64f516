//! Variables that are wrong, and files that they name.

use std::path::Path;

use instana_dev_agent::Config;
use instana_dev_agent::doctor::{Code, Report};

use super::surroundings::Proc;
use super::{agent, assert_found, doctor};

/// What is found with these variables and a healthy agent.
fn with(variables: &[(&str, &str)]) -> Report {
    let agent = agent(Config::new());
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    doctor(agent.addr().port(), &Proc::host())
        .environment(variables)
        .examine()
}

#[test]
fn wrong_values() {
    for (name, value, code) in [
        ("INSTANA_AGENT_HOST", "http://agent:42699", Code::EnvHost),
        ("INSTANA_AGENT_HOST", "agent:42699", Code::EnvHost),
        ("INSTANA_AGENT_PORT", "agent", Code::EnvPort),
        ("INSTANA_AGENT_PORT", "70000", Code::EnvPort),
        ("INSTANA_AGENT_PORT", "4317", Code::EnvOtlpPort),
        ("INSTANA_SECRETS", "like:key", Code::EnvSecrets),
        ("INSTANA_SECRETS", "equals:", Code::EnvSecrets),
        ("INSTANA_AGENT_REQUEST_TIMEOUT", "5s", Code::EnvValue),
        ("INSTANA_PLUGIN_NAME", "Rust", Code::EnvValue),
        ("INSTANA_LOG_LEVEL", "verbose", Code::EnvValue),
        ("INSTANA_ALLOW_ROOT_EXIT_SPAN", "yes", Code::EnvValue),
        ("INSTANA_TRACING_DISABLE_W3C", "false", Code::EnvAnyText),
        ("INSTANA_TRACING_DISABLE", "true", Code::EnvTracingOff),
        ("INSTANA_TRACING_DISABLE", " 1", Code::EnvTracingOff),
        ("INSTANA_TRACING_DISABLE_GROUPS", "1", Code::EnvTracingOff),
        ("INSTANA_TRACING_DISABLE", "redis,!", Code::EnvValue),
        ("INSTANA_AGENTPORT", "1", Code::EnvMisspelt),
        ("instana_service_name", "shop", Code::EnvMisspelt),
        ("INSTANA_AGENT_KEY", "k", Code::EnvUnread),
        ("INSTANA_AUTO_PROFILE", "true", Code::EnvUnread),
        ("INSTANA_DISABLE", "true", Code::EnvUnread),
        ("AUTOWRAPT_BOOTSTRAP", "instana", Code::EnvUnread),
        (
            "INSTANA_CONFIG_PATH",
            "/nowhere/config.yaml",
            Code::ConfigMissing,
        ),
        ("INSTANA_CONFIG_PATH", "/dev/null", Code::ConfigUnusable),
        ("http_proxy", "http://proxy:3128", Code::ProxyVariables),
    ] {
        let report = with(&[(name, value)]);
        assert_eq!(report.codes(), [code], "{name}={value} {report:?}");
        assert!(report.diagnoses[0].finding.contains(name), "{report:?}");
    }
}

/// A finding says the value, and what is accepted.
#[test]
fn values_in_words() {
    for (name, value, finding) in [
        (
            "INSTANA_METRICS_TRANSMISSION_DELAY",
            "500",
            "=500 is not a number of milliseconds (1000 to 5000): it is ignored",
        ),
        (
            "INSTANA_TRACING_TRANSMISSION_DELAY",
            "1s",
            "=1s is not a number of milliseconds (10 to 60000): it is ignored",
        ),
        (
            "INSTANA_RETRY_AGENT_CONNECTION_IN_MS",
            "50",
            "=50 is not a number of milliseconds (100 to 600000): it is ignored",
        ),
        (
            "INSTANA_FORCE_TRANSMISSION_STARTING_AT",
            "0",
            "=0 is not a number of spans (1 to 1000000): it is ignored",
        ),
        (
            "INSTANA_STACK_TRACE_LENGTH",
            "501",
            "=501 is not a number of frames (0 to 500): it is ignored",
        ),
        (
            "INSTANA_STACK_TRACE",
            "some",
            "=some is not one of all, error, none: it is ignored",
        ),
        (
            "INSTANA_TRACING_HTTP_EXIT_CLASSIFY_AS_ERRORS",
            "404,500",
            "=404,500: `500` is not a status (400 to 499); the rest counts",
        ),
        (
            "INSTANA_TRACING_HTTP_EXIT_CLASSIFY_AS_ERRORS",
            "5xx",
            "=5xx is not a list of statuses (400 to 499): it is ignored",
        ),
        (
            "INSTANA_IGNORE_ENDPOINTS",
            "mongo:find;redis:get;kafka",
            "=mongo:find;redis:get;kafka: `mongo:find`, `kafka` is not service:method,method \
             with the service redis, dynamodb, kafka or http; the rest counts",
        ),
        (
            "INSTANA_SERVICE_NAME",
            " ",
            "=  is not a text in UTF-8 that is not blank, of at most 1024 bytes: it is ignored",
        ),
        (
            "INSTANA_TRACING_FILTER_EXCLUDE_A_ATTRIBUTES",
            "http.path;/a;like",
            "=http.path;/a;like is not key;value,value or key;value;match with the match strict, \
             contains, startswith or endswith: it is ignored",
        ),
    ] {
        let report = with(&[(name, value)]);
        assert_found(&report, &[Code::EnvValue]);
        assert_eq!(report.diagnoses[0].finding, format!("{name}{finding}"));
    }
}

#[test]
fn contradictions() {
    let (new, old) = ("INSTANA_ALLOW_ROOT_EXIT_SPAN", "INSTANA_ALLOW_EXIT_AS_ROOT");
    let report = with(&[(new, "true"), (old, "0")]);
    assert_found(&report, &[Code::EnvContradiction]);
    assert_found(&with(&[(new, "true"), (old, "1")]), &[]);

    let suppression = ("INSTANA_TRACING_FILTER_EXCLUDE_A_SUPPRESSION", "false");
    let attributes = ("INSTANA_TRACING_FILTER_EXCLUDE_a_ATTRIBUTES", "kind;exit");
    assert_found(&with(&[suppression]), &[Code::EnvContradiction]);
    assert_found(&with(&[suppression, attributes]), &[]);
}

#[test]
fn all_tracing_is_off() {
    let (first, second) = ("INSTANA_TRACING_DISABLE", "INSTANA_TRACING_DISABLE_GROUPS");
    assert_found(&with(&[(first, "true"), (second, "!databases")]), &[]);
    assert_found(&with(&[(first, "true"), (second, "0")]), &[]);
    let report = with(&[(first, "1"), (second, "databases")]);
    assert_found(&report, &[Code::EnvTracingOff]);
}

#[test]
fn variables_of_other_tracers() {
    let report = with(&[
        ("INSTANA_ENDPOINT_URL", "https://serverless.example"),
        ("INSTANA_AGENT_KEY", "k"),
        ("INSTANA_DISABLE", "1"),
    ]);
    assert_found(&report, &[Code::EnvUnread, Code::EnvUnread]);
    assert_eq!(report.problems().count(), 0);
    let finding = &report.diagnoses[1].finding;
    let both = "INSTANA_ENDPOINT_URL and INSTANA_AGENT_KEY: not read by this tracer (";
    assert!(finding.starts_with(both), "{finding}");
}

#[test]
fn right_values() {
    let report = with(&[
        ("INSTANA_AGENT_HOST", "10.0.0.1"),
        ("INSTANA_AGENT_PORT", ""),
        ("INSTANA_SECRETS", "regex:.*pin.*"),
        ("INSTANA_TRACING_DISABLE", "logging"),
        ("INSTANA_METRICS_TRANSMISSION_DELAY", "5000"),
        ("INSTANA_STACK_TRACE_LENGTH", "0"),
        ("INSTANA_TRACING_HTTP_EXIT_CLASSIFY_AS_ERRORS", "404; 409"),
        ("INSTANA_IGNORE_ENDPOINTS", "redis:get,type;http:*"),
        (
            "INSTANA_TRACING_FILTER_EXCLUDE_HEALTH_ATTRIBUTES",
            "http.path;/health",
        ),
        ("INSTANA_DEBUG", "1"),
        ("PATH", "/bin"),
    ]);
    assert_found(&report, &[]);
    assert!(!format!("{report:?}").contains("PATH="), "{report:?}");
}

#[test]
fn secret_values_are_not_shown() {
    let report = with(&[
        ("INSTANA_AGENT_KEY", "hush-1"),
        (
            "INSTANA_ENDPOINT_URL",
            "https://me:hush-2@serverless.example",
        ),
        ("INSTANA_ENDPOINT_PROXY", "http://me:hush-3@proxy"),
        ("INSTANA_AGENT_HOST", "http://me:hush-4@agent"),
        ("INSTANA_UNKNOWN_THING", "hush-5"),
        ("https_proxy", "http://me:hush-6@proxy"),
    ]);
    assert_found(&report, &[Code::EnvHost, Code::EnvUnread]);
    let shown = format!("{report:?}");
    assert!(shown.contains("INSTANA_UNKNOWN_THING"), "{shown}");
    assert!(!shown.contains("hush"), "{shown}");
}

#[test]
fn configuration_files() {
    let folder = Proc::empty();
    for (content, codes) in [
        ("tracing:\n  disable: [logging]\n", &[][..]),
        ("secrets: none\n", &[]),
        ("tracing:\n\tdisable: [logging]\n", &[Code::ConfigUnusable]),
        ("disable: [logging]\n", &[Code::ConfigUnusable]),
        (&"#".repeat((1 << 20) + 1), &[Code::ConfigUnusable]),
    ] {
        folder.file("config.yaml", content);
        let path = folder.folder().join("config.yaml");
        let path = path.to_str().unwrap();
        assert!(Path::new(path).is_absolute());
        assert_found(&with(&[("INSTANA_CONFIG_PATH", path)]), codes);
    }
}
