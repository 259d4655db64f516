//! Checks ids, name and kind of a span.

use serde_json::Value;

use super::Span;
use crate::validate::report::Report;
use crate::validate::rule::Rule;

/// `t`, `s`, `p`, `lt`, `n` and `k`.
pub(super) fn check(span: &Span<'_>, report: &mut Report) {
    match span.get("t") {
        None => report.missing(Rule::TraceId, span.at("t")),
        Some(id) => foreign(span, "t", id, Rule::TraceId, report),
    }
    match span.get("s") {
        None => report.missing(Rule::SpanId, span.at("s")),
        Some(id) if !is_id(id) => report.value(Rule::SpanId, span.at("s"), id, FORM),
        Some(_) => {}
    }
    if let Some(parent) = span.get("p") {
        foreign(span, "p", parent, Rule::ParentId, report);
        if is_id(parent) && span.get("s") == Some(parent) {
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

const FORM: &str = "is not 16 lower-case hex digits";

/// An id that may be the caller's, which Node.js hands on as it came.
fn foreign(span: &Span<'_>, key: &str, id: &Value, rule: Rule, report: &mut Report) {
    if is_id(id) {
        return;
    }
    let rule = if Rule::IdForm.is_note_for(report.plugin()) && is_loose(id) {
        Rule::IdForm
    } else {
        rule
    };
    report.value(rule, span.at(key), id, FORM);
}

/// Whether it is an id in some form: hex digits in any case, up to 32 of them.
fn is_loose(id: &Value) -> bool {
    id.as_str().is_some_and(|id| {
        (1..=32).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_hexdigit())
            && id.bytes().any(|b| b != b'0')
    })
}

fn long_trace_id(span: &Span<'_>, report: &mut Report) {
    let Some(long) = span.get("lt") else { return };
    let at = span.at("lt");
    let text = long.as_str().unwrap_or_default();
    let lower = text.to_ascii_lowercase();
    let t = span
        .get("t")
        .and_then(Value::as_str)
        .map(str::to_ascii_lowercase);
    let habit = Rule::IdForm.is_note_for(report.plugin());
    if habit && text != lower && is_hex(&lower, 32) && lower.get(16..) == t.as_deref() {
        report.value(Rule::IdForm, at, long, "is not in lower case");
    } else if !is_hex(text, 32) {
        report.value(
            Rule::LongTraceId,
            at,
            long,
            "is not 32 lower-case hex digits",
        );
    } else if text.get(16..) != t.as_deref() {
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
