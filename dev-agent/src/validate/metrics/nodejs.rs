//! The schema of metrics for the plugin `nodejs`.

use serde_json::{Map, Value};

use super::schema::Kind::{Any, Number, Numbers, Object, Text, Texts, True};
use super::schema::{METRICS, Member, object};
use crate::validate::report::Report;
use crate::validate::rule::Rule;

const BODY: &[Member] = &[
    Member("pid", Any, false),
    Member("sensorVersion", Text, false),
    Member("startTime", Number, false),
    Member("versions", Object, false),
    Member("name", Text, false),
    Member("version", Text, false),
    Member("description", Text, false),
    Member("keywords", Texts, false),
    Member("args", Texts, false),
    Member("execArgs", Texts, false),
    Member("dependencies", Object, false),
    Member("directDependencies", Object, false),
    Member("http", Object, false),
    Member("healthchecks", Object, false),
    Member("activeResources", Numbers, false),
    Member("memory", Numbers, false),
    Member("heapSpaces", Numbers, false),
    Member("gc", Object, false),
    Member("libuv", Object, false),
    Member("initTooLate", True, false),
];

/// Node's schema, as recorded from its tracer: differences, all optional.
pub(super) fn check(body: &Map<String, Value>, report: &mut Report) {
    object("", body, BODY, &METRICS, report);
    if let Some(start) = body.get("startTime").filter(|start| start.is_f64()) {
        report.value(Rule::FloatStartTime, "/startTime", start, "has a fraction");
    }
}
