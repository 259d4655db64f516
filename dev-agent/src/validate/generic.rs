//! `/com.instana.plugin.generic.trace` (docs/PROTOCOL.md, "Generic spans"): checked
//! and converted to native spans.

use serde_json::{Map, Value, json};

use super::report::Report;
use super::rule::Rule;
use crate::json::pointer;

/// A span, converted; one that cannot be converted is reported.
pub(crate) fn convert(span: &Value, at: &str, report: &mut Report) -> Option<Value> {
    let Some(members) = span.as_object() else {
        report.value(Rule::GenericSpan, at, span, "is no object");
        return None;
    };
    let before = members.iter().filter(|(key, value)| !fits(key, value));
    let mut sound = true;
    for (key, value) in before {
        sound = false;
        let message = "is unknown or of the wrong type";
        report.value(Rule::GenericSpan, pointer(at, key), value, message);
    }
    for key in ["spanId", "traceId", "timestamp", "duration", "name"] {
        if !members.contains_key(key) {
            sound = false;
            report.missing(Rule::GenericSpan, pointer(at, key));
        }
    }
    sound.then(|| native(members))
}

fn fits(key: &str, value: &Value) -> bool {
    let hex = |value: &Value| {
        value.as_str().is_some_and(|id| {
            (1..=16).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit())
        })
    };
    match key {
        "spanId" | "traceId" | "parentId" => hex(value),
        "timestamp" | "duration" => value.is_u64(),
        "name" => value.as_str().is_some_and(|name| !name.is_empty()),
        "type" => matches!(
            value.as_str(),
            Some("ENTRY" | "EXIT" | "INTERMEDIATE" | "INTERNAL" | "EUM")
        ),
        "error" => value.is_boolean(),
        "data" => value
            .as_object()
            .is_some_and(|data| data.values().all(Value::is_string)),
        _ => false,
    }
}

fn native(span: &Map<String, Value>) -> Value {
    let id = |key: &str| {
        let id = span.get(key)?.as_str()?.to_ascii_lowercase();
        Some(format!("{id:0>16}"))
    };
    let (kind, name) = match span.get("type").and_then(Value::as_str) {
        Some("EXIT") => (2, "exit"),
        Some("INTERNAL" | "INTERMEDIATE") => (3, "intermediate"),
        _ => (1, "entry"),
    };
    let errors = u8::from(span.get("error") == Some(&Value::Bool(true)));
    let tags = span.get("data").cloned().unwrap_or_else(|| json!({}));
    let mut data = json!({
        "sdk": {"name": span.get("name"), "type": name, "custom": {"tags": tags}},
    });
    if let (Some(service), Some(data)) = (tags.get("service"), data.as_object_mut()) {
        data.insert("service".to_owned(), service.clone());
    }
    let mut out = json!({
        "t": id("traceId"), "s": id("spanId"), "n": "sdk", "k": kind,
        "ts": span.get("timestamp"), "d": span.get("duration"), "ec": errors, "data": data,
    });
    if let (Some(parent), Some(out)) = (id("parentId"), out.as_object_mut()) {
        out.insert("p".to_owned(), parent.into());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn converts_to_native_spans() {
        let mut report = Report::new(1, String::new(), None, "generic");
        let body = json!({"spanId": "AB", "parentId": "1", "traceId": "cd", "timestamp": 5,
            "duration": 2, "name": "job", "type": "EXIT", "error": true, "data": {"service": "s"}});
        let span = convert(&body, "", &mut report);
        assert_eq!(
            span,
            Some(
                json!({"t": "00000000000000cd", "s": "00000000000000ab", "p": "0000000000000001",
                "n": "sdk", "k": 2, "ts": 5, "d": 2, "ec": 1, "data": {"service": "s",
                "sdk": {"name": "job", "type": "exit", "custom": {"tags": {"service": "s"}}}}})
            )
        );
        assert!(report.findings().0.is_empty());
    }

    #[test]
    fn reports_what_it_cannot_convert() {
        let mut report = Report::new(1, String::new(), None, "generic");
        let body = json!({"spanId": "x", "traceId": "1", "timestamp": 1, "duration": 1});
        assert_eq!(convert(&body, "/0", &mut report), None);
        let at: Vec<_> = report.findings().0.into_iter().map(|f| f.at).collect();
        assert_eq!(at, ["/0/spanId", "/0/name"]);
    }
}
