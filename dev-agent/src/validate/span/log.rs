//! Checks the section `log` of a span.

use serde_json::{Map, Value};

use super::Span;
use crate::json::pointer;
use crate::validate::report::Report;
use crate::validate::rule::Rule;

/// Levels, and whether the span counts as an error. From WARN on by default;
/// the threshold is a setting of the tracers.
const LEVELS: &[(&str, bool)] = &[
    ("trace", false),
    ("debug", false),
    ("info", false),
    ("notice", false),
    ("warn", false),
    ("warning", false),
    ("error", true),
    ("critical", true),
    ("fatal", true),
    ("panic", true),
];

/// The rules for `data.log` beyond types (docs/PROTOCOL.md, "Logs").
pub(super) fn check(span: &Span<'_>, at: &str, log: &Map<String, Value>, report: &mut Report) {
    match log.get("message") {
        None => report.missing(Rule::LogMessage, pointer(at, "message")),
        Some(message) if *message == "" => {
            report.value(
                Rule::LogMessage,
                pointer(at, "message"),
                message,
                "is empty",
            );
        }
        Some(_) => {}
    }
    let Some(level) = log.get("level").and_then(Value::as_str) else {
        // A level of another type was reported as that.
        if !log.contains_key("level") {
            report.missing(Rule::LogLevel, pointer(at, "level"));
        }
        return;
    };
    let known = LEVELS
        .iter()
        .find(|(name, _)| level.eq_ignore_ascii_case(name));
    match known {
        None => {
            let message = "is no level";
            report.text(Rule::LogLevel, pointer(at, "level"), level, message);
        }
        Some((_, error)) if *error != (span.errors() > 0) => {
            let message = format!("with `ec` {}", span.errors());
            report.text(Rule::LogError, pointer(at, "level"), level, message);
        }
        Some(_) => {}
    }
}
