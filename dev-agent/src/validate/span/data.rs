//! Checks `data` of a span: the service, and the section of its family.

use serde_json::{Map, Value};

use super::sections::{Family, Kinds, OTEL, SDK, Type, family};
use super::{Span, http, log, sdk};
use crate::json::pointer;
use crate::validate::report::Report;
use crate::validate::rule::Rule;

/// `data`: the service and the section that the span's name implies.
pub(super) fn check(span: &Span<'_>, report: &mut Report) {
    let at = span.at("data");
    let data = match span.get("data") {
        None => return report.missing(Rule::Data, at),
        Some(Value::Object(data)) => data,
        Some(data) => return report.value(Rule::Data, at, data, "is no object"),
    };
    if let Some(service) = data.get("service") {
        if service.as_str().is_none_or(str::is_empty) {
            report.value(
                Rule::Service,
                pointer(&at, "service"),
                service,
                "is no text",
            );
        }
    }
    match (span.name(), family(span.name())) {
        ("", _) => {}
        ("sdk", _) => sdk_span(span, &at, data, report),
        ("otel", _) => {
            keys(&at, data, OTEL, &["service"], report);
        }
        (_, Some(family)) => registered(span, &at, data, family, report),
        (name, None) => report.text(
            Rule::UnknownSpanName,
            span.at("n"),
            name,
            "is not checked further",
        ),
    }
}

fn sdk_span(span: &Span<'_>, at: &str, data: &Map<String, Value>, report: &mut Report) {
    others(at, data, &["service", "sdk"], report);
    let Some(section) = section(at, data, "sdk", report) else {
        return;
    };
    let at = pointer(at, "sdk");
    keys(&at, section, SDK, &[], report);
    sdk::check(span, &at, section, report);
}

fn registered(
    span: &Span<'_>,
    at: &str,
    data: &Map<String, Value>,
    family: &Family,
    report: &mut Report,
) {
    // Free tags of a registered span are in `sdk.custom.tags`; Go writes a literal dot.
    let mut known = vec!["service", "sdk", "sdk.custom", family.section];
    known.extend(family.also);
    others(at, data, &known, report);
    if let Some(Value::Object(free)) = data.get("sdk") {
        sdk::custom(&pointer(at, "sdk"), free, report);
    }
    let Some(section) = section(at, data, family.section, report) else {
        return;
    };
    kind(span, section, family, report);
    let at = pointer(at, family.section);
    keys(&at, section, family.keys, &[], report);
    match family.section {
        "http" => http::check(span, &at, section, report),
        "log" => log::check(span, &at, section, report),
        _ => {}
    }
}

fn section<'a>(
    at: &str,
    data: &'a Map<String, Value>,
    name: &str,
    report: &mut Report,
) -> Option<&'a Map<String, Value>> {
    let at = pointer(at, name);
    match data.get(name) {
        None => report.missing(Rule::SectionMissing, at),
        Some(Value::Object(section)) => return Some(section),
        Some(other) => report.value(Rule::SectionType, at, other, "is no object"),
    }
    None
}

fn others(at: &str, data: &Map<String, Value>, known: &[&str], report: &mut Report) {
    for key in data.keys().filter(|key| !known.contains(&key.as_str())) {
        let message = "is no section of this span type";
        report.text(Rule::SectionExtra, pointer(at, key), "", message);
    }
}

/// Members of a section: known, and of their type.
fn keys(
    at: &str,
    section: &Map<String, Value>,
    known: &[(&str, Type)],
    also: &[&str],
    report: &mut Report,
) {
    for (key, value) in section {
        let at = pointer(at, key);
        let Some((_, wanted)) = known.iter().find(|(name, _)| name == key) else {
            if !also.contains(&key.as_str()) {
                report.value(Rule::SectionKey, at, value, "is no key of this section");
            }
            continue;
        };
        let (fits, name) = wanted.fits(value);
        if !fits {
            let number = *wanted == Type::Port && value.is_u64();
            let rule = if number {
                Rule::PortType
            } else {
                Rule::SectionType
            };
            report.value(rule, at, value, format!("is not {name}"));
        }
    }
}

fn kind(span: &Span<'_>, section: &Map<String, Value>, family: &Family, report: &mut Report) {
    let Some(kind @ 1..=3) = span.kind() else {
        return;
    };
    let wanted = match family.kinds {
        Kinds::Open => return,
        Kinds::Entry => 1,
        Kinds::Exit => 2,
        Kinds::By(field, values) => {
            let sent = section
                .get(field)
                .and_then(Value::as_str)
                .unwrap_or_default();
            match values
                .iter()
                .find(|(value, _)| value.eq_ignore_ascii_case(sent))
            {
                Some((_, wanted)) => *wanted,
                None if family.section == "kafka" && habit(sent).is_some() => {
                    let at = format!("{}/kafka/{field}", span.at("data"));
                    report.text(Rule::KafkaAccess, at, sent, "is neither consume nor send");
                    habit(sent).unwrap_or(kind)
                }
                None => {
                    let at = format!("{}/{}/{field}", span.at("data"), family.section);
                    return report.text(
                        Rule::KindFitsName,
                        at,
                        sent,
                        "does not distinguish entry and exit",
                    );
                }
            }
        }
    };
    if kind != wanted {
        let message = format!("{} has k {wanted} here", span.name());
        report.text(Rule::KindFitsName, span.at("k"), &kind.to_string(), message);
    }
}

/// The kind of a Kafka span by the words that Python uses.
fn habit(access: &str) -> Option<u64> {
    match access {
        "poll" => Some(1),
        "produce" => Some(2),
        _ => None,
    }
}
