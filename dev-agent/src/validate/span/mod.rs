//! The span envelope (docs/PROTOCOL.md, "Spans") and what hangs below it.

mod data;
mod from;
mod http;
mod ids;
mod log;
mod sdk;
mod sections;

use std::borrow::Cow;

use serde_json::{Map, Value};

pub(crate) use self::sections::family;
use super::report::Report;
use super::rule::Rule;
use super::secrets::Secrets;
use crate::json::pointer;

const DAY_MS: u64 = 86_400_000;
/// The longest stack that a setting allows.
const FRAMES: usize = 500;
/// The number of further levels of objects that are searched for nulls.
const DEPTH: u8 = 2;
const KEYS: &[&str] = &[
    "t", "s", "p", "lt", "n", "k", "ts", "d", "f", "ec", "data", "stack", "sy", "tp", "ia", "crid",
    "crtp", "b",
];

/// The context of a request, which spans are checked against besides the static rules.
#[derive(Debug, Default)]
pub(crate) struct SpanContext {
    /// The pid of the announce answer.
    pub(crate) entity: Option<String>,
    /// The agentUuid of the announce answer.
    pub(crate) host: Option<String>,
    /// Now, in ms since 1970; `None` leaves times unchecked.
    pub(crate) now_ms: Option<u64>,
    /// The secrets of the announce answer; `None` leaves them unchecked.
    pub(crate) secrets: Option<Secrets>,
    /// Whether `f` may be absent or partial (raw traces).
    pub(crate) raw: bool,
}

/// A span under check, without its null members.
struct Span<'a> {
    at: &'a str,
    members: &'a Map<String, Value>,
    context: &'a SpanContext,
}

/// Checks one span, alone.
pub(crate) fn check(span: &Value, at: &str, context: &SpanContext, report: &mut Report) {
    let Value::Object(sent) = span else {
        report.value(Rule::SpanShape, at, span, "is no object");
        return;
    };
    let members = without_nulls(sent, at, report);
    let span = Span {
        at,
        members: &members,
        context,
    };
    for key in members.keys().filter(|key| !KEYS.contains(&key.as_str())) {
        report.text(Rule::SpanKey, pointer(at, key), "", "is no key of a span");
    }
    ids::check(&span, report);
    span.times(report);
    span.error_count(report);
    span.flags(report);
    span.batch(report);
    span.stack(report);
    from::check(&span, report);
    data::check(&span, report);
}

impl Span<'_> {
    fn get(&self, key: &str) -> Option<&Value> {
        self.members.get(key)
    }

    fn at(&self, key: &str) -> String {
        pointer(self.at, key)
    }

    fn is_entry(&self) -> bool {
        self.kind() == Some(1)
    }

    fn kind(&self) -> Option<u64> {
        self.get("k").and_then(Value::as_u64)
    }

    fn name(&self) -> &str {
        self.get("n").and_then(Value::as_str).unwrap_or_default()
    }

    fn errors(&self) -> u64 {
        self.get("ec").and_then(Value::as_u64).unwrap_or_default()
    }

    fn times(&self, report: &mut Report) {
        match self.get("ts") {
            None => report.missing(Rule::Timestamp, self.at("ts")),
            Some(ts) => match (ts.as_u64(), self.context.now_ms) {
                (None, _) => report.value(Rule::Timestamp, self.at("ts"), ts, "is no integer"),
                (Some(ms), Some(now)) if ms.abs_diff(now) > DAY_MS => {
                    report.value(
                        Rule::Timestamp,
                        self.at("ts"),
                        ts,
                        "is more than a day from now",
                    );
                }
                _ => {}
            },
        }
        match self.get("d") {
            None => report.missing(Rule::Duration, self.at("d")),
            Some(d) if d.as_u64().is_none_or(|ms| ms > DAY_MS) => {
                report.value(
                    Rule::Duration,
                    self.at("d"),
                    d,
                    "is no integer of 0 ms to a day",
                );
            }
            Some(_) => {}
        }
    }

    fn error_count(&self, report: &mut Report) {
        match self.get("ec") {
            None if report.plugin() == "rust" => report.missing(Rule::ErrorCount, self.at("ec")),
            None => {}
            Some(ec) => match ec.as_u64() {
                None => report.value(
                    Rule::ErrorCount,
                    self.at("ec"),
                    ec,
                    "is no integer of 0 or more",
                ),
                Some(2..) if self.get("b").is_none() => {
                    report.value(
                        Rule::ErrorCountAboveOne,
                        self.at("ec"),
                        ec,
                        "without a batch",
                    );
                }
                Some(_) => {}
            },
        }
    }

    /// `sy`, `tp`, `ia`, `crid`, `crtp`: entries only.
    fn flags(&self, report: &mut Report) {
        if let Some(sy) = self.get("sy") {
            if *sy != Value::Bool(true) || !self.is_entry() {
                report.value(
                    Rule::Synthetic,
                    self.at("sy"),
                    sy,
                    "is not `true` on an entry",
                );
            }
        }
        if let Some(tp) = self.get("tp") {
            if *tp != Value::Bool(true) || !self.is_entry() || self.get("p").is_none() {
                report.value(
                    Rule::W3cParent,
                    self.at("tp"),
                    tp,
                    "is not `true` on an entry with `p`",
                );
            }
        }
        if let Some(ia) = self.get("ia") {
            if !is_ancestor(ia) {
                report.value(Rule::Ancestor, self.at("ia"), ia, "is not `{t, p}` in hex");
            } else if self.get("tp").is_none() {
                report.value(Rule::Ancestor, self.at("ia"), ia, "comes without `tp`");
            }
        }
        let (id, kind) = (self.get("crid"), self.get("crtp"));
        if let Some(value) = id.or(kind) {
            let texts = [id, kind]
                .iter()
                .all(|v| v.and_then(Value::as_str).is_some_and(|v| !v.is_empty()));
            // A trace continued from W3C may keep its correlation: docs/PROTOCOL.md, "Correlation".
            let root = self.is_entry() && (self.get("p").is_none() || self.get("tp").is_some());
            if !texts {
                report.value(
                    Rule::Correlation,
                    self.at("crid"),
                    value,
                    "`crid` and `crtp` are not both text",
                );
            } else if !root {
                report.value(
                    Rule::Correlation,
                    self.at("crid"),
                    value,
                    "is on a span that is no root entry",
                );
            }
        }
    }

    fn batch(&self, report: &mut Report) {
        let Some(b) = self.get("b") else { return };
        let fits = b.as_object().is_some_and(|b| {
            b.get("s").and_then(Value::as_u64).is_some_and(|s| s > 0)
                && b.get("d").is_none_or(Value::is_u64)
                && b.keys().all(|key| key == "s" || key == "d")
        });
        if !fits {
            report.value(
                Rule::Batch,
                self.at("b"),
                b,
                "is not `{s, d}` with a size above 0",
            );
            return;
        }
        let member = |key: &str| b.get(key).and_then(Value::as_u64);
        let (size, sum) = (member("s").unwrap_or(1), member("d").unwrap_or_default());
        if size == 1 {
            let at = pointer(&self.at("b"), "s");
            report.text(Rule::BatchSize, at, "1", "is a single call");
        }
        // Each duration has lost its fraction of a millisecond, the sum may not have.
        let longest = self.get("d").and_then(Value::as_u64);
        if longest.is_some_and(|d| sum > size.saturating_mul(d.saturating_add(1))) {
            let at = pointer(&self.at("b"), "d");
            let message = format!("is more than {size} calls within `d` can take");
            report.text(Rule::BatchDuration, at, &sum.to_string(), message);
        }
    }

    fn stack(&self, report: &mut Report) {
        let Some(stack) = self.get("stack") else {
            return;
        };
        let Value::Array(frames) = stack else {
            report.value(Rule::Stack, self.at("stack"), stack, "is no array");
            return;
        };
        if !frames.is_empty() && self.kind() != Some(2) {
            let shown = frames.len().to_string();
            let message = "is the number of frames of a span that is no exit";
            report.text(Rule::StackPlace, self.at("stack"), &shown, message);
        }
        if frames.len() > FRAMES {
            let shown = frames.len().to_string();
            let message = format!("is above {FRAMES}");
            report.text(Rule::StackLength, self.at("stack"), &shown, message);
        }
        for (index, frame) in frames.iter().enumerate() {
            let at = || format!("{}/{index}", self.at("stack"));
            if !is_frame(frame) {
                report.value(Rule::Stack, at(), frame, "is no frame `{m, c, n}`");
            } else if frame.get("c").is_none() || frame.get("n").is_none() {
                report.value(Rule::BareFrame, at(), frame, "has no file or line");
            }
        }
    }
}

fn is_ancestor(ia: &Value) -> bool {
    let member = |key: &str| ia.get(key).and_then(Value::as_str).unwrap_or_default();
    let (t, p) = (member("t"), member("p"));
    ia.as_object().is_some_and(|ia| ia.len() == 2)
        && (ids::is_hex(t, 16) || ids::is_hex(t, 32))
        && ids::is_hex(p, 16)
}

fn is_frame(frame: &Value) -> bool {
    frame.as_object().is_some_and(|frame| {
        !frame.is_empty()
            && frame.iter().all(|(key, value)| match key.as_str() {
                "m" | "c" => value.is_string(),
                "n" => value.is_u64(),
                _ => false,
            })
    })
}

/// The members without null ones, which are reported: a copy where there are any.
fn without_nulls<'a>(
    members: &'a Map<String, Value>,
    at: &str,
    report: &mut Report,
) -> Cow<'a, Map<String, Value>> {
    if has_nulls(members, DEPTH) {
        Cow::Owned(copy(members, at, DEPTH, report))
    } else {
        Cow::Borrowed(members)
    }
}

fn has_nulls(members: &Map<String, Value>, depth: u8) -> bool {
    members.values().any(|value| match value {
        Value::Null => true,
        Value::Object(inner) if depth > 0 => has_nulls(inner, depth - 1),
        _ => false,
    })
}

fn copy(
    members: &Map<String, Value>,
    at: &str,
    depth: u8,
    report: &mut Report,
) -> Map<String, Value> {
    let mut kept = Map::new();
    for (key, value) in members {
        match value {
            Value::Null => report.text(Rule::NullMember, pointer(at, key), "null", "is null"),
            Value::Object(inner) if depth > 0 => {
                let inner = copy(inner, &pointer(at, key), depth - 1, report);
                kept.insert(key.clone(), inner.into());
            }
            other => {
                kept.insert(key.clone(), other.clone());
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests;
