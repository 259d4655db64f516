//! Checks `f` of a span: the process that sent it.

use serde_json::{Map, Value};

use super::Span;
use crate::json::pointer;
use crate::validate::report::Report;
use crate::validate::rule::Rule;

/// `f`: which process, on which host (docs/PROTOCOL.md, "Process").
pub(super) fn check(span: &Span<'_>, report: &mut Report) {
    let at = span.at("f");
    let from = match span.get("f") {
        None if span.context.raw => return,
        None => return report.missing(Rule::From, at),
        Some(Value::Object(from)) => from,
        Some(from) => return report.value(Rule::From, at, from, "is no object"),
    };
    for key in from.keys() {
        if !matches!(key.as_str(), "e" | "h" | "hl" | "cp") {
            report.text(Rule::From, pointer(&at, key), "", "is no key of `f`");
        }
    }
    entity(span, &at, from, report);
    let hostless = from.contains_key("hl") || from.contains_key("cp");
    if hostless {
        let fits = from.get("hl") == Some(&Value::Bool(true))
            && from.get("cp").is_none_or(Value::is_string)
            && !from.contains_key("h");
        if !fits {
            let shown = Value::Object(from.clone());
            report.value(Rule::FromHostless, at, &shown, "mixes `hl`, `cp` and `h`");
        }
        return;
    }
    host(span, &at, from, report);
}

fn entity(span: &Span<'_>, at: &str, from: &Map<String, Value>, report: &mut Report) {
    let at = pointer(at, "e");
    let sent = match from.get("e") {
        None if span.context.raw => return,
        None => return report.missing(Rule::From, at),
        Some(Value::String(entity)) => entity.clone(),
        Some(entity) if entity.is_u64() => {
            report.value(Rule::NumericEntity, at.clone(), entity, "is a number");
            entity.to_string()
        }
        Some(entity) => return report.value(Rule::From, at, entity, "is no text"),
    };
    if let Some(answered) = &span.context.entity {
        if *answered != sent {
            let message = format!("the announce was answered with pid {answered}");
            report.text(Rule::FromEntity, at, &sent, message);
        }
    }
}

fn host(span: &Span<'_>, at: &str, from: &Map<String, Value>, report: &mut Report) {
    let at = pointer(at, "h");
    match (from.get("h"), &span.context.host) {
        (None, _) if span.context.raw => {}
        (None, _) => report.missing(Rule::From, at),
        (Some(Value::String(host)), Some(answered)) if host != answered => {
            let message = format!("the announce was answered with agentUuid {answered}");
            report.text(Rule::FromHost, at, host, message);
        }
        (Some(Value::String(_)), _) => {}
        (Some(host), _) => report.value(Rule::From, at, host, "is no text"),
    }
}
