//! The schema of metrics for the plugin `python`.

use serde_json::{Map, Value};

use super::schema::Kind::{Any, Count, Number, Numbers, Object, Text, Texts};
use super::schema::{METRICS, Member, SNAPSHOT, object};
use crate::validate::report::Report;

const BODY: &[Member] = &[
    Member("pid", Any, false),
    Member("metrics", Object, false),
    Member("snapshot", Object, false),
    Member("pollRate", Count, false),
];
const USAGE: &[&str] = &[
    "ru_utime",
    "ru_stime",
    "ru_maxrss",
    "ru_ixrss",
    "ru_idrss",
    "ru_isrss",
    "ru_minflt",
    "ru_majflt",
    "ru_nswap",
    "ru_inblock",
    "ru_oublock",
    "ru_msgsnd",
    "ru_msgrcv",
    "ru_nsignals",
    "ru_nvcsw",
    "ru_nivcsw",
];
const TOP: &[Member] = &[
    Member("daemon_threads", Count, false),
    Member("alive_threads", Count, false),
    Member("dummy_threads", Count, false),
    Member("gc", Numbers, false),
];
const SNAPSHOT_MEMBERS: &[Member] = &[
    Member("name", Text, true),
    Member("version", Text, true),
    Member("f", Text, true),
    Member("a", Text, true),
    Member("versions", Object, true),
    Member("iv", Text, true),
    Member("m", Text, true),
    Member("djmw", Texts, false),
];

/// Python's schema, as recorded from its tracer: differences, all optional.
pub(super) fn check(body: &Map<String, Value>, report: &mut Report) {
    object("", body, BODY, &METRICS, report);
    if let Some(Value::Object(metrics)) = body.get("metrics") {
        let usage = USAGE.iter().map(|name| Member(name, Number, false));
        let members: Vec<_> = TOP.iter().copied().chain(usage).collect();
        object("/metrics", metrics, &members, &METRICS, report);
    }
    if let Some(Value::Object(snapshot)) = body.get("snapshot") {
        object("/snapshot", snapshot, SNAPSHOT_MEMBERS, &SNAPSHOT, report);
    }
}
