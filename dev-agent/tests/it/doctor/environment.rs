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
        ("INSTANA_AGENTPORT", "1", Code::EnvMisspelt),
        ("instana_service_name", "shop", Code::EnvMisspelt),
        ("INSTANA_AGENT_KEY", "k", Code::EnvContradiction),
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
        let named = name == "INSTANA_AGENT_KEY" || report.diagnoses[0].finding.contains(name);
        assert!(named, "{report:?}");
    }
}

#[test]
fn contradictions() {
    let (new, old) = ("INSTANA_ALLOW_ROOT_EXIT_SPAN", "INSTANA_ALLOW_EXIT_AS_ROOT");
    let report = with(&[(new, "true"), (old, "0")]);
    assert_found(&report, &[Code::EnvContradiction]);
    assert_found(&with(&[(new, "true"), (old, "1")]), &[]);
}

#[test]
fn right_values() {
    let report = with(&[
        ("INSTANA_AGENT_HOST", "10.0.0.1"),
        ("INSTANA_AGENT_PORT", ""),
        ("INSTANA_SECRETS", "regex:.*pin.*"),
        ("INSTANA_TRACING_DISABLE", "logging"),
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
    assert_found(&report, &[Code::EnvHost]);
    let shown = format!("{report:?}");
    assert!(shown.contains("INSTANA_UNKNOWN_THING"), "{shown}");
    assert!(!shown.contains("hush"), "{shown}");
}

#[test]
fn configuration_files() {
    let folder = Proc::empty();
    for (content, codes) in [
        ("tracing:\n  disable: [logging]\n", &[][..]),
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
