//! Metrics, events, profiles and the like with one fault each.

use instana_dev_agent::Rule;
use serde_json::{Value, json};

use crate::session::{change, each, measured, removed};

#[test]
fn metrics_of_rust() {
    each(
        "rust",
        vec![
            (
                Rule::MetricsPid,
                "/pid",
                measured("/pid", json!(std::process::id().to_string())),
            ),
            (Rule::MetricsPid, "/pid", measured("/pid", removed())),
            (
                Rule::MetricsMissing,
                "/metrics",
                measured("/metrics", removed()),
            ),
            (Rule::MetricsKey, "/extra", measured("/extra", json!(1))),
            (
                Rule::MetricsType,
                "/metrics/memory/rss",
                measured("/metrics/memory/rss", json!("1")),
            ),
            (
                Rule::NullMember,
                "/metrics/tasks",
                measured("/metrics/tasks", Value::Null),
            ),
            (
                Rule::MetricsType,
                "/metrics/custom/depth/gauge",
                measured(
                    "/metrics/custom",
                    json!({"depth": {"gauge": "1", "unit": "items"}}),
                ),
            ),
            (
                Rule::MetricsMissing,
                "/metrics/sources/tokio/tasks/unit",
                measured(
                    "/metrics/sources",
                    json!({"tokio": {"tasks": {"counter": 1}}}),
                ),
            ),
            (
                Rule::MetricsKey,
                "/metrics/sources/tokio/tasks/gauge",
                measured(
                    "/metrics/sources",
                    json!({"tokio": {"tasks": {"counter": 1, "gauge": 1, "unit": ""}}}),
                ),
            ),
            (
                Rule::MetricsType,
                "/metrics/sources/tokio",
                measured("/metrics/sources", json!({"tokio": 1})),
            ),
            (
                Rule::SnapshotMissing,
                "/snapshot/name",
                measured("/snapshot/name", removed()),
            ),
            (
                Rule::SnapshotType,
                "/snapshot/name",
                measured("/snapshot/name", json!(1)),
            ),
        ],
    );
}

#[test]
fn metrics_of_golang() {
    each(
        "golang",
        vec![
            (
                Rule::MetricsMissing,
                "/metrics/memory/num_gc",
                measured("/metrics/memory/num_gc", removed()),
            ),
            (
                Rule::MetricsKey,
                "/metrics/tasks",
                measured("/metrics/tasks", json!(1)),
            ),
            (
                Rule::MetricsType,
                "/metrics/memory/alloc",
                measured("/metrics/memory/alloc", json!(1.5)),
            ),
            (
                Rule::MetricsType,
                "/metrics/memory/gc_cpu_fraction",
                measured("/metrics/memory/gc_cpu_fraction", json!(2.0)),
            ),
            (
                Rule::SnapshotMissing,
                "/snapshot/goroot",
                measured("/snapshot/goroot", removed()),
            ),
            (
                Rule::SnapshotKey,
                "/snapshot/arch",
                measured("/snapshot/arch", json!("x86")),
            ),
            (
                Rule::SnapshotType,
                "/snapshot/cpu",
                measured("/snapshot/cpu", json!("2")),
            ),
        ],
    );
}

#[test]
fn other_endpoints() {
    let profile = |pid: Value, children: Value| {
        json!([{"pid": pid, "id": "1", "runtime": "rust", "category": "cpu", "type": "cpu-usage", "unit": "sample", "duration": 1, "timespan": 1,
            "timestamp": 1, "roots": [{"method_name": "m", "file_name": "f", "file_line": 1, "measurement": 1.0, "num_samples": 1, "children": children}]}])
    };
    each(
        "rust",
        vec![
            (
                Rule::GenericSpan,
                "/traceId",
                change(|session| {
                    session.then(
                        "POST",
                        "/com.instana.plugin.generic.trace".to_owned(),
                        &json!({"spanId": "1", "timestamp": 1, "duration": 1, "name": "x"}),
                    );
                }),
            ),
            (
                Rule::EventShape,
                "/title",
                change(|session| {
                    session.then(
                        "POST",
                        "/com.instana.plugin.generic.event".to_owned(),
                        &json!({"text": "x"}),
                    );
                }),
            ),
            (
                Rule::EventTarget,
                "/id",
                change(|session| {
                    session.then(
                        "POST",
                        "/com.instana.plugin.generic.event".to_owned(),
                        &json!({"title": "x", "plugin": "com.instana.forge.connection.http.logical.LogicalWebApp"}),
                    );
                }),
            ),
            (
                Rule::EventSeverity,
                "/severity",
                change(|session| {
                    session.then(
                        "POST",
                        "/com.instana.plugin.generic.event".to_owned(),
                        &json!({"title": "x", "severity": 7}),
                    );
                }),
            ),
            (
                Rule::LogLine,
                "x-log-level",
                change(|session| {
                    session.then(
                        "POST",
                        "/com.instana.agent.logger".to_owned(),
                        &json!({"m": "x"}),
                    );
                }),
            ),
            (
                Rule::ResponseMessageId,
                "url",
                change(|session| {
                    let path =
                        session.path(&format!("/response.{}?messageId=unasked", session.pid));
                    session.then("POST", path, &json!({"error": "no"}));
                }),
            ),
            (
                Rule::TracerMetrics,
                "",
                change(|session| {
                    session.then(
                        "POST",
                        "/tracermetrics".to_owned(),
                        &json!({"pid": 1, "metrics": {"opened": 1}}),
                    );
                }),
            ),
            (
                Rule::Profile,
                "/0/pid",
                change(move |session| {
                    let path = session.path(&format!("/profiles.{}", session.pid));
                    let pid = session.pid;
                    session.then("POST", path, &profile(json!(pid), json!([])));
                }),
            ),
            (
                Rule::Profile,
                "/0/roots/0/children",
                change(move |session| {
                    let path = session.path(&format!("/profiles.{}", session.pid));
                    let pid = session.pid.to_string();
                    session.then("POST", path, &profile(json!(pid), Value::Null));
                }),
            ),
        ],
    );
}
