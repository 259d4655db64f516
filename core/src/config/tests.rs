//! Tables of environment and code against the settings that follow.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use super::env::{VARIABLES, resolve};
use super::*;

fn resolved(environment: &[(&str, &str)], code: CodeSettings) -> (Config, Vec<String>) {
    let environment: BTreeMap<&str, OsString> = environment
        .iter()
        .map(|(name, value)| (*name, OsString::from(value)))
        .collect();
    let (config, problems) = resolve(|name| environment.get(name).cloned(), code);
    (config, problems.iter().map(ToString::to_string).collect())
}

/// The settings of an environment without a mistake.
fn config(environment: &[(&str, &str)]) -> Config {
    let (config, problems) = resolved(environment, CodeSettings::default());
    assert_eq!(problems, [] as [&str; 0]);
    config
}

#[test]
fn without_anything_the_defaults_hold() {
    for environment in [
        &[][..],
        &[("INSTANA_AGENT_PORT", ""), ("INSTANA_DEBUG", "")],
    ] {
        let config = config(environment);
        assert_eq!(config.agent_host, "127.0.0.1");
        assert_eq!(config.agent_port, 42_699);
        assert_eq!(config.agent_timeout, Duration::from_secs(5));
        assert_eq!(config.plugin, "rust");
        assert_eq!(config.service, None);
        assert_eq!(config.process_name, None);
        assert!(config.secrets.is_none());
        assert_eq!(config.extra_headers, None);
        assert!(config.w3c_correlation && config.w3c_propagation);
        assert!(!config.allow_root_exit);
        assert_eq!(config.log_level, Level::Warn);
        assert_eq!(config.buffer_bytes, 16 << 20);
        assert!(!config.poll_timing);
        assert_eq!(config.slow_poll, Duration::from_millis(100));
        assert_eq!(config.flush_deadline, Duration::from_secs(2));
    }
}

#[test]
fn every_variable_is_read() {
    let config = config(&[
        ("INSTANA_AGENT_HOST", "[fe80::1%eth0]"),
        ("INSTANA_AGENT_PORT", " 42700 "),
        ("INSTANA_AGENT_REQUEST_TIMEOUT", "250"),
        ("INSTANA_PLUGIN_NAME", "golang"),
        ("INSTANA_SERVICE_NAME", " shop "),
        ("INSTANA_PROCESS_NAME", "shop-1"),
        ("INSTANA_SECRETS", "equals:token"),
        ("INSTANA_EXTRA_HTTP_HEADERS", "X-Tenant; x-b"),
        ("INSTANA_ALLOW_ROOT_EXIT_SPAN", "1"),
        ("INSTANA_POLL_TIMING", "true"),
        ("INSTANA_SLOW_POLL", "20"),
        ("INSTANA_LOG_LEVEL", "Warn"),
    ]);
    assert_eq!(config.agent_host, "fe80::1%eth0");
    assert_eq!(config.agent_port, 42_700);
    assert_eq!(config.agent_timeout, Duration::from_millis(250));
    assert_eq!(config.plugin, "golang");
    assert_eq!(config.service.as_deref(), Some("shop"));
    assert_eq!(config.process_name.as_deref(), Some("shop-1"));
    let secrets = config.secrets.unwrap();
    assert!(secrets.is_secret("token") && !secrets.is_secret("key"));
    assert_eq!(config.extra_headers.unwrap(), ["x-tenant", "x-b"]);
    assert!(config.allow_root_exit);
    assert!(config.poll_timing);
    assert_eq!(config.slow_poll, Duration::from_millis(20));
    assert_eq!(config.log_level, Level::Warn);
}

#[test]
fn each_w3c_switch_does_its_part() {
    for (name, correlation, propagation) in [
        ("INSTANA_DISABLE_W3C_TRACE_CORRELATION", false, true),
        ("INSTANA_TRACING_DISABLE_W3C_CORRELATION", false, true),
        ("INSTANA_TRACING_DISABLE_W3C_PROPAGATION", true, false),
        ("INSTANA_TRACING_DISABLE_W3C", false, false),
    ] {
        for value in ["true", "false", " "] {
            let config = config(&[(name, value)]);
            assert_eq!(config.w3c_correlation, correlation, "{name}");
            assert_eq!(config.w3c_propagation, propagation, "{name}");
        }
    }
}

#[test]
fn debug_beats_the_level() {
    let config = config(&[("INSTANA_DEBUG", "0"), ("INSTANA_LOG_LEVEL", "error")]);
    assert_eq!(config.log_level, Level::Debug);
}

#[test]
fn the_first_name_beats_the_older_one() {
    let both = [
        ("INSTANA_ALLOW_ROOT_EXIT_SPAN", "false"),
        ("INSTANA_ALLOW_EXIT_AS_ROOT", "true"),
    ];
    assert!(!config(&both).allow_root_exit);
    assert!(config(&both[1..]).allow_root_exit);
    let wrong = [("INSTANA_ALLOW_ROOT_EXIT_SPAN", "ja"), both[1]];
    let (config, problems) = resolved(&wrong, CodeSettings::default());
    assert!(config.allow_root_exit);
    assert_eq!(problems.len(), 1);
}

fn code() -> CodeSettings {
    CodeSettings {
        agent: Some("agent:1000".to_owned()),
        agent_timeout: Some(Duration::from_secs(1)),
        plugin: Some("golang".to_owned()),
        service: Some("code".to_owned()),
        secrets: Some(Matcher::parse("none", &mut Vec::new()).unwrap()),
        extra_headers: Some(vec!["X-Code".to_owned(), "a b".to_owned()]),
        w3c_propagation: Some(false),
        allow_root_exit: Some(true),
        log_level: Some(Level::Error),
        buffer_bytes: Some(1 << 20),
        ..CodeSettings::default()
    }
}

#[test]
fn code_beats_the_defaults_and_the_environment_beats_code() {
    let (config, problems) = resolved(&[], code());
    assert_eq!(config.agent_host, "agent");
    assert_eq!(config.agent_port, 1000);
    assert_eq!(config.plugin, "golang");
    assert_eq!(config.extra_headers.as_deref().unwrap(), ["x-code"]);
    assert!(!config.w3c_propagation && config.w3c_correlation);
    assert_eq!(config.log_level, Level::Error);
    assert_eq!(config.buffer_bytes, 1 << 20);
    assert_eq!(config.flush_deadline, Duration::from_secs(2));
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with(r#"extra_headers="a b" is not a header name"#));

    let environment = [
        ("INSTANA_AGENT_PORT", "2000"),
        ("INSTANA_SERVICE_NAME", "env"),
        ("INSTANA_SECRETS", "equals:a"),
        ("INSTANA_ALLOW_ROOT_EXIT_SPAN", "0"),
    ];
    let (config, _) = resolved(&environment, code());
    assert_eq!(
        (config.agent_host.as_str(), config.agent_port),
        ("agent", 2000)
    );
    assert_eq!(config.service.as_deref(), Some("env"));
    assert!(config.secrets.unwrap().is_secret("a"));
    assert!(!config.allow_root_exit);
    assert_eq!(config.log_level, Level::Error);
}

#[test]
fn mistakes_are_named_and_the_next_source_counts() {
    for (name, value, expected) in [
        (
            "INSTANA_AGENT_PORT",
            "42x99",
            r#"INSTANA_AGENT_PORT="42x99" is not a port (1 to 65535); using 1000"#,
        ),
        (
            "INSTANA_AGENT_HOST",
            "http://u:pw@h:42699",
            "INSTANA_AGENT_HOST=\"http://<redacted>:<redacted>@h:42699\" is not a host name or an IP \
             address (no scheme; the port is a setting of its own); using agent",
        ),
        (
            "INSTANA_AGENT_REQUEST_TIMEOUT",
            "5s",
            r#"INSTANA_AGENT_REQUEST_TIMEOUT="5s" is not a number of milliseconds (1 to 600000); using 1000 ms"#,
        ),
        (
            "INSTANA_PLUGIN_NAME",
            "Go",
            r#"INSTANA_PLUGIN_NAME="Go" is not a plugin name (1 to 64 of a-z, 0-9, `.`, `_`, `-`); using golang"#,
        ),
        (
            "INSTANA_SERVICE_NAME",
            " ",
            r#"INSTANA_SERVICE_NAME=" " is not a name (it is blank); using code"#,
        ),
        (
            "INSTANA_LOG_LEVEL",
            "loud",
            r#"INSTANA_LOG_LEVEL="loud" is not a log level (error, warn, info or debug); using error"#,
        ),
        (
            "INSTANA_EXTRA_HTTP_HEADERS",
            ";",
            r#"INSTANA_EXTRA_HTTP_HEADERS=";" is not a list of header names; using x-code"#,
        ),
        (
            "INSTANA_SECRETS",
            "equal:a",
            "INSTANA_SECRETS=\"equal:a\" is not mode:term,term with the mode equals, equals-ignore-case, \
             contains, contains-ignore-case, regex or none; using none",
        ),
    ] {
        let (config, problems) = resolved(&[(name, value)], code());
        assert_eq!(problems.last().unwrap(), expected);
        assert_eq!(problems.len(), 2, "{name}");
        assert_eq!(config.agent_port, 1000);
        assert_eq!(config.service.as_deref(), Some("code"));
    }
}

#[test]
fn the_good_part_of_a_list_is_kept() {
    let environment = [
        ("INSTANA_SECRETS", "regex:a(,b+"),
        ("INSTANA_EXTRA_HTTP_HEADERS", "x y;x-z"),
    ];
    let (config, problems) = resolved(&environment, CodeSettings::default());
    assert!(config.secrets.unwrap().is_secret("bb"));
    assert_eq!(config.extra_headers.unwrap(), ["x-z"]);
    assert_eq!(problems.len(), 2);
    assert!(problems[0].starts_with(r#"INSTANA_SECRETS="a(" is not a regular expression"#));
    assert!(problems[1].ends_with("using the other names"));
}

#[cfg(unix)]
#[test]
fn text_that_is_not_utf8_is_a_mistake() {
    use std::os::unix::ffi::OsStringExt as _;

    let lookup = |name: &str| {
        matches!(name, "INSTANA_SERVICE_NAME" | "INSTANA_DEBUG")
            .then(|| OsString::from_vec(vec![b'a', 0xff]))
    };
    let (config, problems) = resolve(lookup, CodeSettings::default());
    assert_eq!(config.service, None);
    assert_eq!(config.log_level, Level::Debug);
    assert_eq!(problems.len(), 1);
}

#[test]
fn the_process_environment_is_read() {
    let (config, _) = from_environment(CodeSettings::default());
    assert!(config.agent_port > 0);
}

/// `docs/ENVIRONMENT.md` holds one row for each name, and no other.
#[test]
fn the_documentation_shows_this_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ENVIRONMENT.md");
    let text = std::fs::read_to_string(&path).expect("docs/ENVIRONMENT.md is there");
    let mut expected = Vec::new();
    for variable in VARIABLES {
        for (index, name) in variable.names.iter().enumerate() {
            let meaning = match variable.names.first() {
                Some(first) if index > 0 => format!("An older name of `{first}`."),
                _ => variable.meaning.to_owned(),
            };
            let (kind, default) = (variable.kind, variable.default);
            expected.push(format!("| `{name}` | {kind} | {default} | {meaning} |"));
        }
    }
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("| `INSTANA_"))
        .collect();
    assert_eq!(rows, expected, "expected rows:\n{}", expected.join("\n"));
}
