//! Profiles and tracer metrics (docs/PROTOCOL.md, "Profiles" and "Requests").

use serde_json::{Map, Value};

use super::report::Report;
use super::rule::Rule;
use crate::json::pointer;

/// Call trees deeper than this are not walked further.
const DEPTH: usize = 256;

/// Checks a profile.
pub(crate) fn check(profile: &Value, at: &str, pid: u64, report: &mut Report) {
    let Some(members) = profile.as_object() else {
        report.value(Rule::Profile, at, profile, "is no object");
        return;
    };
    if members.get("pid").and_then(Value::as_str) != Some(&pid.to_string()) {
        let message = format!("is not the text \"{pid}\"");
        let sent = members.get("pid").unwrap_or(&Value::Null);
        report.value(Rule::Profile, pointer(at, "pid"), sent, message);
    }
    for key in ["id", "runtime", "category", "type", "unit"] {
        member(members, at, key, Value::is_string, report);
    }
    for key in ["duration", "timespan", "timestamp"] {
        member(members, at, key, Value::is_u64, report);
    }
    member(members, at, "roots", Value::is_array, report);
    sites(members.get("roots"), &pointer(at, "roots"), DEPTH, report);
}

/// Checks a body of `/tracermetrics`.
pub(crate) fn tracer_metrics(body: &Value, report: &mut Report) {
    let counts = body.get("metrics").and_then(Value::as_object);
    let fits = body.get("pid").is_some_and(Value::is_u64)
        && counts.is_some_and(|counts| {
            counts.values().all(Value::is_u64)
                && ["opened", "closed", "dropped"]
                    .iter()
                    .all(|key| counts.contains_key(*key))
        });
    if !fits {
        let message = "is not `{pid, metrics: {opened, closed, dropped}}` of integers";
        report.value(Rule::TracerMetrics, "", body, message);
    }
}

fn sites(sites: Option<&Value>, at: &str, depth: usize, report: &mut Report) {
    let Some(sites) = sites.and_then(Value::as_array).filter(|_| depth > 0) else {
        return;
    };
    for (index, site) in sites.iter().enumerate() {
        let at = pointer(at, &index.to_string());
        let Some(members) = site.as_object() else {
            report.value(Rule::Profile, at, site, "is no call site");
            continue;
        };
        member(members, &at, "method_name", Value::is_string, report);
        member(members, &at, "file_name", Value::is_string, report);
        member(members, &at, "file_line", Value::is_u64, report);
        member(members, &at, "measurement", Value::is_number, report);
        member(members, &at, "num_samples", Value::is_u64, report);
        member(members, &at, "children", Value::is_array, report);
        self::sites(
            members.get("children"),
            &pointer(&at, "children"),
            depth - 1,
            report,
        );
    }
}

fn member(
    members: &Map<String, Value>,
    at: &str,
    key: &str,
    fits: fn(&Value) -> bool,
    report: &mut Report,
) {
    match members.get(key) {
        None => report.missing(Rule::Profile, pointer(at, key)),
        Some(value) if !fits(value) => {
            report.value(Rule::Profile, pointer(at, key), value, "has the wrong type");
        }
        Some(_) => {}
    }
}
