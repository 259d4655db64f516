//! The schema of metrics for the plugin `rust`.

use serde_json::{Map, Value};

use super::schema::Kind::{Count, Number, Text};
use super::schema::{METRICS, Member, SNAPSHOT, numbers, object, section};
use crate::json::pointer;
use crate::validate::report::Report;
use crate::validate::rule::Rule;

/// The body of plugin `rust`: `{pid, snapshot?, metrics}`. The public sources have no
/// schema for it, so metrics are any numbers, metrics of sources and of the application
/// have a unit, and the snapshot is any object with a `name`.
pub(super) fn check(body: &Map<String, Value>, report: &mut Report) {
    for (key, value) in body {
        if !matches!(key.as_str(), "pid" | "snapshot" | "metrics") {
            let message = "is not pid, snapshot or metrics";
            report.value(Rule::MetricsKey, pointer("", key), value, message);
        }
    }
    if !body.contains_key("metrics") {
        report.missing(Rule::MetricsMissing, "/metrics");
    }
    if let Some(metrics) = section(body, "metrics", &METRICS, report) {
        for (key, value) in metrics {
            let at = pointer("/metrics", key);
            match key.as_str() {
                "sources" => {
                    for (name, value) in members(&at, value, report) {
                        readings(&pointer(&at, name), value, report);
                    }
                }
                "custom" => readings(&at, value, report),
                _ => numbers(&at, value, &METRICS, report),
            }
        }
    }
    let Some(snapshot) = section(body, "snapshot", &SNAPSHOT, report) else {
        return;
    };
    match snapshot.get("name") {
        None => report.missing(Rule::SnapshotMissing, "/snapshot/name"),
        Some(Value::String(name)) if !name.is_empty() => {}
        Some(name) => report.value(Rule::SnapshotType, "/snapshot/name", name, "is no text"),
    }
    for (key, value) in snapshot {
        if value.is_null() {
            let at = pointer("/snapshot", key);
            report.text(Rule::NullMember, at, "null", "is null");
        }
    }
}

/// Figures by name, each `{"gauge": number, "unit": text}` or
/// `{"counter": integer, "unit": text}`.
fn readings(at: &str, value: &Value, report: &mut Report) {
    for (name, reading) in members(at, value, report) {
        let at = pointer(at, name);
        let kind = match reading.get("counter") {
            Some(_) => Member("counter", Count, true),
            None => Member("gauge", Number, true),
        };
        let expected = [kind, Member("unit", Text, true)];
        match reading {
            Value::Object(reading) => object(&at, reading, &expected, &METRICS, report),
            other => report.value(Rule::MetricsType, at, other, "is no object"),
        }
    }
}

fn members<'a>(
    at: &str,
    value: &'a Value,
    report: &mut Report,
) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
    if !value.is_object() {
        report.value(Rule::MetricsType, at, value, "is no object");
    }
    value.as_object().into_iter().flatten()
}
