use serde_json::{Map, Value};

use super::schema::{METRICS, SNAPSHOT, numbers, section};
use crate::validate::report::Report;
use crate::validate::rule::Rule;

/// The body of plugin `rust`: `{pid, snapshot?, metrics}`. The public sources
/// know no schema for it, so metrics are any numbers and the snapshot is any
/// object with a `name`.
pub(super) fn check(body: &Map<String, Value>, report: &mut Report) {
    for (key, value) in body {
        if !matches!(key.as_str(), "pid" | "snapshot" | "metrics") {
            let message = "is not pid, snapshot or metrics";
            report.value(Rule::MetricsKey, format!("/{key}"), value, message);
        }
    }
    if !body.contains_key("metrics") {
        report.missing(Rule::MetricsMissing, "/metrics");
    }
    if let Some(metrics) = section(body, "metrics", &METRICS, report) {
        for (key, value) in metrics {
            numbers(
                &crate::validate::json::pointer("/metrics", key),
                value,
                &METRICS,
                report,
            );
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
            let at = crate::validate::json::pointer("/snapshot", key);
            report.text(Rule::NullMember, at, "null", "is null");
        }
    }
}
