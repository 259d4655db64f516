//! Metrics and snapshots (docs/METRICS.md), by the plugin's schema.

mod golang;
mod nodejs;
mod python;
mod rust;
mod schema;

use serde_json::{Map, Value};

use super::report::Report;
use super::rule::Rule;

/// Checks a metrics body against the schema of its plugin. Of plugins without
/// a published schema only `pid` is checked.
pub(crate) fn check(body: &Map<String, Value>, pid: u64, report: &mut Report) {
    match body.get("pid") {
        Some(sent) if sent.as_u64() != Some(pid) => {
            let message = format!("is not the integer {pid} of the URL");
            report.value(Rule::MetricsPid, "/pid", sent, message);
        }
        // Node sends differences only.
        None if report.plugin() != "nodejs" => report.missing(Rule::MetricsPid, "/pid"),
        _ => {}
    }
    match report.plugin() {
        "golang" => golang::check(body, report),
        "nodejs" => nodejs::check(body, report),
        "python" => python::check(body, report),
        "rust" => rust::check(body, report),
        _ => {}
    }
}

/// Whether the body carries the snapshot.
pub(crate) fn has_snapshot(plugin: &str, body: &Value) -> bool {
    match plugin {
        // The full payload is the snapshot.
        "nodejs" => body.get("pid").is_some() && body.get("sensorVersion").is_some(),
        _ => body.get("snapshot").is_some_and(Value::is_object),
    }
}
