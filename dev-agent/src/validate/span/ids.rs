use serde_json::Value;

use super::Span;
use crate::validate::report::Report;
use crate::validate::rule::Rule;

/// `t`, `s`, `p`, `lt`, `n` and `k`.
pub(super) fn check(span: &Span<'_>, report: &mut Report) {
    for (rule, key) in [(Rule::TraceId, "t"), (Rule::SpanId, "s")] {
        match span.get(key) {
            None => report.missing(rule, span.at(key)),
            Some(id) if !is_id(id) => {
                report.value(rule, span.at(key), id, "is not 16 lower-case hex digits");
            }
            Some(_) => {}
        }
    }
    if let Some(parent) = span.get("p") {
        if !is_id(parent) {
            report.value(
                Rule::ParentId,
                span.at("p"),
                parent,
                "is not 16 lower-case hex digits",
            );
        } else if span.get("s") == Some(parent) {
            report.value(Rule::ParentId, span.at("p"), parent, "is the span itself");
        }
    }
    long_trace_id(span, report);
    match span.get("n") {
        None => report.missing(Rule::SpanName, span.at("n")),
        Some(Value::String(name)) if !name.is_empty() => {}
        Some(name) => report.value(Rule::SpanName, span.at("n"), name, "is no text"),
    }
    match span.get("k") {
        None => report.missing(Rule::SpanKind, span.at("k")),
        Some(kind) if !matches!(kind.as_u64(), Some(1..=3)) => {
            report.value(Rule::SpanKind, span.at("k"), kind, "is not 1, 2 or 3");
        }
        Some(_) => {}
    }
}

fn long_trace_id(span: &Span<'_>, report: &mut Report) {
    let Some(long) = span.get("lt") else { return };
    let at = span.at("lt");
    let text = long.as_str().unwrap_or_default();
    if !is_hex(text, 32) {
        report.value(
            Rule::LongTraceId,
            at,
            long,
            "is not 32 lower-case hex digits",
        );
    } else if text.get(16..) != span.get("t").and_then(Value::as_str) {
        report.value(Rule::LongTraceId, at, long, "does not end in `t`");
    } else if !span.is_entry() {
        report.value(Rule::LongTraceIdPlace, at, long, "is not on an entry");
    }
}

/// Whether the text is that many lower-case hex digits.
pub(super) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_id(id: &Value) -> bool {
    id.as_str()
        .is_some_and(|id| is_hex(id, 16) && id.bytes().any(|b| b != b'0'))
}
