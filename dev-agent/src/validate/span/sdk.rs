//! Checks the section `sdk` of a span.

use serde_json::{Map, Value};

use super::Span;
use crate::json::pointer;
use crate::validate::report::Report;
use crate::validate::rule::Rule;

/// The rules for `data.sdk` of an SDK span (docs/PROTOCOL.md, "SDK spans").
pub(super) fn check(span: &Span<'_>, at: &str, sdk: &Map<String, Value>, report: &mut Report) {
    match sdk.get("name") {
        None => report.missing(Rule::SdkName, pointer(at, "name")),
        Some(Value::String(name)) if !name.is_empty() => {}
        Some(name) => report.value(Rule::SdkName, pointer(at, "name"), name, "is no text"),
    }
    let wanted: &[&str] = match span.kind() {
        Some(1) => &["entry"],
        Some(2) => &["exit"],
        Some(3) => &["intermediate", "local"],
        _ => &["entry", "exit", "intermediate", "local"],
    };
    match sdk.get("type") {
        None => report.missing(Rule::SdkType, pointer(at, "type")),
        Some(Value::String(kind)) if wanted.contains(&kind.as_str()) => {}
        Some(kind) => {
            let message = format!("is not {}", wanted.join(" or "));
            report.value(Rule::SdkType, pointer(at, "type"), kind, message);
        }
    }
    custom(at, sdk, report);
}

/// `custom`, which registered spans may have too.
pub(super) fn custom(at: &str, sdk: &Map<String, Value>, report: &mut Report) {
    let Some(custom) = sdk.get("custom") else {
        return;
    };
    let fits = custom.as_object().is_some_and(|custom| {
        custom.iter().all(|(key, value)| {
            matches!(key.as_str(), "tags" | "logs" | "baggage" | "events") && value.is_object()
        })
    });
    if !fits {
        let message = "is not an object of tags, logs, baggage and events";
        report.value(Rule::SdkCustom, pointer(at, "custom"), custom, message);
    }
}
