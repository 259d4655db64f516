//! Events and log lines (docs/PROTOCOL.md, "Events" and "Log lines").

use serde_json::{Map, Value};

use super::report::Report;
use super::rule::Rule;

/// Checks a monitoring event.
pub(crate) fn monitoring(body: &Value, report: &mut Report) {
    let Some(event) = object(body, "", report) else {
        return;
    };
    types(event, "", report);
    for key in ["plugin", "pid", "code"] {
        if !event.contains_key(key) {
            report.missing(Rule::EventShape, format!("/{key}"));
        }
    }
}

/// Checks a log line and its `x-log-level`.
pub(crate) fn log_line(body: &Value, level: Option<&str>, report: &mut Report) {
    let fits = body.as_object().is_some_and(|line| {
        line.get("m").is_some_and(Value::is_string)
            && line
                .iter()
                .all(|(key, value)| matches!(key.as_str(), "m" | "st") && value.is_string())
    });
    if !fits {
        report.value(Rule::LogLine, "", body, "is not `{m, st?}` of texts");
    }
    let known = ["debug", "info", "warn", "warning", "error"];
    match level {
        None => report.missing(Rule::LogLine, "x-log-level"),
        Some(level) if !known.iter().any(|name| level.eq_ignore_ascii_case(name)) => {
            report.text(Rule::LogLine, "x-log-level", level, "is no log level");
        }
        Some(_) => {}
    }
}

/// Checks an event.
pub(crate) fn check(event: &Value, at: &str, report: &mut Report) {
    let Some(event) = object(event, at, report) else {
        return;
    };
    types(event, at, report);
    if !event.contains_key("title") {
        report.missing(Rule::EventShape, format!("{at}/title"));
    }
    let (target, id) = (event.contains_key("plugin"), event.contains_key("id"));
    if target != id {
        let absent = if target { "id" } else { "plugin" };
        report.missing(Rule::EventTarget, format!("{at}/{absent}"));
    }
    let severity = event
        .get("severity")
        .filter(|severity| severity.is_i64() || severity.is_u64());
    if let Some(severity) = severity {
        if !matches!(severity.as_i64(), Some(-4 | -2 | -1 | 5 | 10)) {
            report.value(
                Rule::EventSeverity,
                format!("{at}/severity"),
                severity,
                "is unknown",
            );
        }
    }
}

fn object<'a>(event: &'a Value, at: &str, report: &mut Report) -> Option<&'a Map<String, Value>> {
    let object = event.as_object();
    if object.is_none() {
        report.value(Rule::EventShape, at, event, "is no object");
    }
    object
}

fn types(event: &Map<String, Value>, at: &str, report: &mut Report) {
    for (key, value) in event {
        let (fits, name) = match key.as_str() {
            "title" => (
                value.as_str().is_some_and(|title| !title.is_empty()),
                "text",
            ),
            "text" | "plugin" | "host" | "path" | "code" | "category" => {
                (value.is_string(), "text")
            }
            "id" => (value.is_string() || value.is_u64(), "text"),
            "duration" | "timestamp" | "pid" => (value.is_u64(), "an integer of 0 or more"),
            "severity" => (value.is_i64() || value.is_u64(), "an integer"),
            _ => (false, "a key of an event"),
        };
        if !fits {
            let at = crate::json::pointer(at, key);
            report.value(Rule::EventShape, at, value, format!("is not {name}"));
        }
    }
}
