//! The schema of metrics for the plugin `golang`.

use serde_json::{Map, Value};

use super::schema::Kind::{Any, Count, Number, Object, Text};
use super::schema::{METRICS, Member, SNAPSHOT, object};
use crate::validate::report::Report;
use crate::validate::rule::Rule;

const BODY: &[Member] = &[
    Member("pid", Any, false),
    Member("snapshot", Object, false),
    Member("metrics", Object, true),
];
const TOP: &[Member] = &[
    Member("cgo_call", Count, true),
    Member("goroutine", Count, true),
    Member("memory", Object, true),
];
const MEMORY: &[Member] = &[
    Member("alloc", Count, true),
    Member("total_alloc", Count, true),
    Member("sys", Count, true),
    Member("lookups", Count, true),
    Member("mallocs", Count, true),
    Member("frees", Count, true),
    Member("heap_alloc", Count, true),
    Member("heap_sys", Count, true),
    Member("heap_idle", Count, true),
    Member("heap_in_use", Count, true),
    Member("heap_released", Count, true),
    Member("heap_objects", Count, true),
    Member("pause_total_ns", Count, true),
    Member("pause_ns", Count, true),
    Member("num_gc", Count, true),
    Member("gc_cpu_fraction", Number, true),
];
const SNAPSHOT_MEMBERS: &[Member] = &[
    Member("name", Text, true),
    Member("version", Text, true),
    Member("goroot", Text, true),
    Member("maxprocs", Count, true),
    Member("compiler", Text, true),
    Member("cpu", Count, true),
    Member("iv", Text, false),
];

/// Go's schema (docs/METRICS.md), exactly.
pub(super) fn check(body: &Map<String, Value>, report: &mut Report) {
    object("", body, BODY, &METRICS, report);
    if let Some(Value::Object(metrics)) = body.get("metrics") {
        object("/metrics", metrics, TOP, &METRICS, report);
        if let Some(Value::Object(memory)) = metrics.get("memory") {
            object("/metrics/memory", memory, MEMORY, &METRICS, report);
            let share = memory.get("gc_cpu_fraction").and_then(Value::as_f64);
            if let Some(share) = share.filter(|share| !(0.0..=1.0).contains(share)) {
                let at = "/metrics/memory/gc_cpu_fraction";
                report.text(Rule::MetricsType, at, &share.to_string(), "is not 0 to 1");
            }
        }
    }
    if let Some(Value::Object(snapshot)) = body.get("snapshot") {
        object("/snapshot", snapshot, SNAPSHOT_MEMBERS, &SNAPSHOT, report);
    }
}
