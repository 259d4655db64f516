//! Judges the environment variables as the tracer reads them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::code::Code;
use super::report::{Diagnosis, Report};
use super::value::{self, Kind};
use super::variables;

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
    let variables = ours(environment);
    for (name, value) in &variables {
        if let Some(diagnosis) = judge(name, value) {
            report.found(diagnosis);
        }
    }
    tracing_off(&variables, report);
    contradictions(&variables, report);
    unread(environment, report);
    proxies(environment, report);
    settings(&variables)
}

fn is_ours(name: &str) -> bool {
    let prefix = name.get(..8).unwrap_or_default();
    prefix.eq_ignore_ascii_case("INSTANA_")
}

fn ours(environment: &Environment) -> Environment {
    let set = environment
        .iter()
        .filter(|(name, value)| is_ours(name) && !value.is_empty());
    set.take(MAX_VARIABLES)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Lists the variables that are set and without a finding. It runs last, so that no
/// variable is reported both as right and as wrong.
pub(super) fn list(environment: &Environment, report: &mut Report) {
    let variables = ours(environment);
    if variables.is_empty() {
        return report.fact(CHECK, "no INSTANA_ variable is set: defaults");
    }
    for (name, value) in &variables {
        let named = |found: &Diagnosis| names(&found.finding, name);
        if !report.diagnoses.iter().any(named) {
            report.fact(CHECK, format!("{name}={}", shown(name, value)));
        }
    }
}

/// Whether the text has the name of the variable as a word.
fn names(text: &str, name: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at + name.len()..).unwrap_or_default();
        !before.ends_with(part) && !after.starts_with(part)
    })
}

/// A value as it may be printed.
fn shown(name: &str, value: &str) -> String {
    match variables::kind(name) {
        None => "<not known, not shown>".to_owned(),
        Some(Kind::Unread) => "<not read, not shown>".to_owned(),
        Some(_) => safe(value),
    }
}

fn safe(value: &str) -> String {
    shorten(&without_credentials(value))
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
    let verdict = kind.judge(value);
    if !verdict.usable {
        let (code, used) = match kind {
            Kind::Host => (Code::EnvHost, "127.0.0.1 is used"),
            Kind::Port => (Code::EnvPort, "42699 is used"),
            Kind::Secrets => (Code::EnvSecrets, "the agent's secrets are used"),
            _ => (Code::EnvValue, "it is ignored"),
        };
        let finding = format!("{set} is not {}: {used}", kind.accepted());
        return Some(Diagnosis::new(code, finding));
    }
    if !verdict.skipped.is_empty() {
        let skipped = safe(&verdict.skipped.join("`, `"));
        let finding = format!(
            "{set}: `{skipped}` is not {}; the rest counts",
            kind.accepted_part()
        );
        return Some(Diagnosis::new(Code::EnvValue, finding));
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
        _ => None,
    }
}

/// Reports if everything is switched off and no exception keeps anything.
fn tracing_off(variables: &Environment, report: &mut Report) {
    let mut by = None;
    let mut names = BTreeMap::new();
    for name in variables::DISABLING {
        let Some(value) = variables.get(*name) else {
            continue;
        };
        match value::flag(value) {
            Some(true) => by = Some(format!("{name}={}", shown(name, value))),
            Some(false) => by = None,
            None => names.extend(value::disabled(value)),
        }
    }
    if let Some(set) = by.filter(|_| names.values().all(|off| *off)) {
        let finding = format!("{set}: no span is recorded");
        report.found(Diagnosis::new(Code::EnvTracingOff, finding));
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
        let flags = value::flag(a).zip(value::flag(b)).filter(|_| switch);
        if flags.is_some_and(|(a, b)| a != b) {
            found(format!(
                "{new}={} and {old}={}: the first counts",
                shown(new, a),
                shown(old, b)
            ));
        }
    }
    let filter =
        |name: &str, known: &str| variables::between(name, known).map(str::to_ascii_lowercase);
    for name in variables.keys() {
        let Some(suppressing) = filter(name, variables::SUPPRESSION) else {
            continue;
        };
        let mut filters = variables.keys();
        if !filters.any(|name| filter(name, variables::EXCLUDE).as_ref() == Some(&suppressing)) {
            found(format!(
                "{name} is set without the attributes of that filter, so that it has no effect"
            ));
        }
    }
}

/// Reports variables of other tracers, grouped by reason.
fn unread(environment: &Environment, report: &mut Report) {
    for (names, reason) in variables::UNREAD {
        let names = set(environment, names);
        if !names.is_empty() {
            let names = names.join(" and ");
            let finding = format!("{names}: not read by this tracer ({reason})");
            report.found(Diagnosis::new(Code::EnvUnread, finding));
        }
    }
}

fn proxies(environment: &Environment, report: &mut Report) {
    let names = set(environment, PROXIES);
    if !names.is_empty() {
        let finding = format!("{} set; it is not used for the agent", names.join(" and "));
        report.found(Diagnosis::new(Code::ProxyVariables, finding));
    }
}

/// The names of variables that are set.
fn set(environment: &Environment, names: &[&'static str]) -> Vec<&'static str> {
    let set = |name: &&str| {
        environment
            .get(*name)
            .is_some_and(|value| !value.is_empty())
    };
    names.iter().copied().filter(set).collect()
}

fn settings(variables: &Environment) -> Settings {
    let value = |name: &str| {
        let kind = variables::kind(name)?;
        let value = variables.get(name)?.trim();
        kind.fits(value).then_some(value)
    };
    let host = value("INSTANA_AGENT_HOST").and_then(value::host);
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
