//! What the environment says, judged as the tracer reads it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::code::Code;
use super::report::{Diagnosis, Report};
use super::variables::{self, Kind};

/// The tracer's settings that concern the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) host: String,
    pub(super) port: u16,
    /// How long the tracer waits for an answer.
    pub(super) timeout: Duration,
    pub(super) plugin: String,
    /// Whether `INSTANA_SECRETS` is in force instead of the agent's.
    pub(super) own_secrets: bool,
}

/// The variables of a process, by name.
pub(super) type Environment = BTreeMap<String, String>;

const CHECK: &str = "environment";
/// More variables are not looked at.
const MAX_VARIABLES: usize = 256;
/// Longer values are cut when they are shown.
const SHOWN: usize = 100;
const PROXIES: &[&str] = &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
const NO: &[&str] = &["false", "0", "no", "off"];
const OTLP_PORTS: &[&str] = &["4317", "4318"];

/// Reads the settings and reports what is set, wrong or contradictory.
pub(super) fn read(environment: &Environment, report: &mut Report) -> Settings {
    let variables: Environment = environment
        .iter()
        .filter(|(name, value)| is_ours(name) && !value.is_empty())
        .take(MAX_VARIABLES)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    list(&variables, report);
    for (name, value) in &variables {
        if let Some(diagnosis) = judge(name, value) {
            report.found(diagnosis);
        }
    }
    contradictions(&variables, report);
    proxies(environment, report);
    settings(&variables)
}

fn is_ours(name: &str) -> bool {
    let prefix = name.get(..8).unwrap_or_default();
    prefix.eq_ignore_ascii_case("INSTANA_")
}

fn list(variables: &Environment, report: &mut Report) {
    if variables.is_empty() {
        return report.fact(CHECK, "no INSTANA_ variable is set: defaults");
    }
    for (name, value) in variables {
        report.fact(CHECK, format!("{name}={}", shown(name, value)));
    }
}

/// A value as it may be printed.
fn shown(name: &str, value: &str) -> String {
    match variables::kind(name) {
        None => "<not known, not shown>".to_owned(),
        Some(Kind::Hidden) => "<set, not shown>".to_owned(),
        Some(_) => shorten(&without_credentials(value)),
    }
}

/// `scheme://user:password@host` without what is before the `@`.
fn without_credentials(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else {
        return value.to_owned();
    };
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://<redacted>@{host}"),
        None => value.to_owned(),
    }
}

fn shorten(value: &str) -> String {
    match value.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", value.get(..at).unwrap_or_default()),
        None => value.to_owned(),
    }
}

fn judge(name: &str, value: &str) -> Option<Diagnosis> {
    let Some(kind) = variables::kind(name) else {
        let meant = variables::meant(name)?;
        let finding = format!("{name} is not read; {meant} is nearly the same");
        return Some(Diagnosis::new(Code::EnvMisspelt, finding));
    };
    let set = format!("{name}={}", shown(name, value));
    if !variables::fits(kind, value) {
        let (code, used) = match kind {
            Kind::Host => (Code::EnvHost, "127.0.0.1 is used"),
            Kind::Port => (Code::EnvPort, "42699 is used"),
            Kind::Secrets => (Code::EnvSecrets, "the agent's secrets are used"),
            _ => (Code::EnvValue, "it is ignored"),
        };
        return Some(Diagnosis::new(code, format!("{set}: {used}")));
    }
    let value = value.trim().to_ascii_lowercase();
    match kind {
        Kind::Port if OTLP_PORTS.contains(&value.as_str()) => {
            let finding = format!("{set} is a port of OpenTelemetry");
            Some(Diagnosis::new(Code::EnvOtlpPort, finding))
        }
        Kind::AnyText if NO.contains(&value.as_str()) => {
            let finding = format!("{set} switches it on: any text does");
            Some(Diagnosis::new(Code::EnvAnyText, finding))
        }
        _ if name == "INSTANA_TRACING_DISABLE" && value == "true" => {
            let finding = format!("{set}: no span is recorded");
            Some(Diagnosis::new(Code::EnvTracingOff, finding))
        }
        _ => None,
    }
}

fn contradictions(variables: &Environment, report: &mut Report) {
    let mut found = |finding: String| {
        report.found(Diagnosis::new(Code::EnvContradiction, finding));
    };
    for (new, old) in variables::RENAMED {
        let Some((a, b)) = variables.get(*new).zip(variables.get(*old)) else {
            continue;
        };
        let switch = variables::kind(new) == Some(Kind::Flag);
        if switch && flag(a) != flag(b) {
            found(format!(
                "{new}={} and {old}={}: the first counts",
                shown(new, a),
                shown(old, b)
            ));
        }
    }
    let set = |name: &str| variables.contains_key(name);
    let (url, key) = ("INSTANA_ENDPOINT_URL", "INSTANA_AGENT_KEY");
    if set(url) != set(key) {
        let (one, other) = if set(url) { (url, key) } else { (key, url) };
        found(format!(
            "{one} is set without {other}, so that it has no effect"
        ));
    }
}

fn flag(value: &str) -> bool {
    matches!(value.trim().to_ascii_lowercase().as_str(), "true" | "1")
}

fn proxies(environment: &Environment, report: &mut Report) {
    let set = |name: &&str| {
        environment
            .get(*name)
            .is_some_and(|value| !value.is_empty())
    };
    let names: Vec<&str> = PROXIES.iter().copied().filter(|name| set(name)).collect();
    if !names.is_empty() {
        let finding = format!("{} set; it is not used for the agent", names.join(" and "));
        report.found(Diagnosis::new(Code::ProxyVariables, finding));
    }
}

fn settings(variables: &Environment) -> Settings {
    let value = |name: &str| {
        let kind = variables::kind(name)?;
        let value = variables.get(name)?.trim();
        variables::fits(kind, value).then_some(value)
    };
    let host = value("INSTANA_AGENT_HOST").and_then(variables::host);
    let port = value("INSTANA_AGENT_PORT").and_then(|port| port.parse().ok());
    let millis = value("INSTANA_AGENT_REQUEST_TIMEOUT").and_then(|millis| millis.parse().ok());
    Settings {
        host: host.unwrap_or_else(|| "127.0.0.1".to_owned()),
        port: port.unwrap_or(42699),
        timeout: Duration::from_millis(millis.unwrap_or(5000)),
        plugin: value("INSTANA_PLUGIN_NAME").unwrap_or("rust").to_owned(),
        own_secrets: value("INSTANA_SECRETS").is_some(),
    }
}
