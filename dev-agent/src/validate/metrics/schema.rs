//! Checks a body against a schema: members, types, and which are required.

use serde_json::{Map, Value};

use crate::json::pointer;
use crate::validate::report::Report;
use crate::validate::rule::Rule;

/// The type of a member of a schema.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// An integer of 0 or more.
    Count,
    Number,
    /// Numbers, or objects of them.
    Numbers,
    Object,
    Text,
    Texts,
    True,
    Any,
}

/// A member: name, type, whether it is always sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member(pub(super) &'static str, pub(super) Kind, pub(super) bool);

/// The rules that a breach falls under.
pub(super) struct Rules {
    missing: Rule,
    unknown: Rule,
    wrong: Rule,
}

pub(super) const METRICS: Rules = Rules {
    missing: Rule::MetricsMissing,
    unknown: Rule::MetricsKey,
    wrong: Rule::MetricsType,
};

pub(super) const SNAPSHOT: Rules = Rules {
    missing: Rule::SnapshotMissing,
    unknown: Rule::SnapshotKey,
    wrong: Rule::SnapshotType,
};

/// Checks an object against a list of members.
pub(super) fn object(
    at: &str,
    object: &Map<String, Value>,
    members: &[Member],
    rules: &Rules,
    report: &mut Report,
) {
    for Member(name, kind, always) in members {
        let at = pointer(at, name);
        match object.get(*name) {
            None if *always => report.missing(rules.missing, at),
            None => {}
            Some(Value::Null) => report.text(Rule::NullMember, at, "null", "is null"),
            Some(value) => check(&at, value, *kind, rules, report),
        }
    }
    for (key, value) in object {
        if !members.iter().any(|Member(name, ..)| name == key) {
            report.value(
                rules.unknown,
                pointer(at, key),
                value,
                "is not in the schema",
            );
        }
    }
}

/// The object member of that name, or a breach.
pub(super) fn section<'a>(
    body: &'a Map<String, Value>,
    name: &str,
    rules: &Rules,
    report: &mut Report,
) -> Option<&'a Map<String, Value>> {
    let at = pointer("", name);
    match body.get(name)? {
        Value::Object(section) => Some(section),
        Value::Null => {
            report.text(Rule::NullMember, at, "null", "is null");
            None
        }
        other => {
            report.value(rules.wrong, at, other, "is no object");
            None
        }
    }
}

/// Numbers at any depth.
pub(super) fn numbers(at: &str, value: &Value, rules: &Rules, report: &mut Report) {
    match value {
        Value::Number(_) => {}
        Value::Object(members) => {
            for (key, value) in members {
                numbers(&pointer(at, key), value, rules, report);
            }
        }
        Value::Null => report.text(Rule::NullMember, at, "null", "is null"),
        other => report.value(rules.wrong, at, other, "is no number"),
    }
}

fn check(at: &str, value: &Value, kind: Kind, rules: &Rules, report: &mut Report) {
    let (fits, name) = match kind {
        Kind::Any => (true, ""),
        Kind::Count => (value.is_u64(), "an integer of 0 or more"),
        Kind::Number => (value.is_number(), "a number"),
        Kind::Numbers => return numbers(at, value, rules, report),
        Kind::Object => (value.is_object(), "an object"),
        Kind::Text => (value.is_string(), "text"),
        Kind::Texts => (
            value
                .as_array()
                .is_some_and(|list| list.iter().all(Value::is_string)),
            "an array of texts",
        ),
        Kind::True => (*value == Value::Bool(true), "`true`"),
    };
    if !fits {
        report.value(rules.wrong, at, value, format!("is not {name}"));
    }
}
