//! Tests of the rules for spans.

use serde_json::json;

use super::*;
use crate::validate::rule::Rule;

fn broken(span: &Value) -> Vec<(Rule, String)> {
    let mut report = Report::new(1, String::new(), None, "rust");
    check(span, "", &SpanContext::default(), &mut report);
    let findings = report.findings().0.into_iter();
    findings.map(|finding| (finding.rule, finding.at)).collect()
}

fn span(n: &str, k: u8, data: Value) -> Value {
    let mut span = json!({
        "t": "1111111111111111", "s": "2222222222222222", "p": "3333333333333333", "n": n, "k": k,
        "ts": 5, "d": 0, "ec": 0, "f": {"e": "1", "h": "h"},
    });
    span["data"] = data;
    span
}

#[test]
fn every_family_has_an_accepted_span() {
    for (n, k, data) in [
        (
            "g.http",
            1,
            json!({"http": {"method": "GET", "path": "/a", "path_tpl": "/:id?", "status": 200, "header": {"x": "y"}, "params": "a=b"}}),
        ),
        (
            "http",
            2,
            json!({"http": {"method": "GET", "url": "https://<redacted>:<redacted>@h/a@b", "status": 404}}),
        ),
        (
            "rpc-client",
            2,
            json!({"rpc": {"flavor": "grpc", "call": "/p.S/M", "call_type": "unary", "host": "h", "port": "1"}}),
        ),
        (
            "kafka",
            1,
            json!({"kafka": {"access": "consume", "service": "t"}}),
        ),
        (
            "kafka",
            2,
            json!({"kafka": {"access": "send", "service": "t"}}),
        ),
        (
            "sqs",
            1,
            json!({"sqs": {"sort": "entry", "queue": "q", "size": 2}}),
        ),
        ("gcps", 2, json!({"gcps": {"op": "PUBLISH", "top": "t"}})),
        (
            "postgres",
            2,
            json!({"pg": {"stmt": "select 1", "host": "h", "port": "5432"}}),
        ),
        (
            "redis",
            2,
            json!({"redis": {"command": "multi", "subCommands": ["get", "set"]}}),
        ),
        (
            "mongo",
            2,
            json!({"mongo": {"command": "find", "filter": "{}"}, "peer": {"hostname": "h", "port": 1}}),
        ),
        (
            "aws.lambda.invoke",
            2,
            json!({"aws.lambda.invoke": {"function": "f"}}),
        ),
        (
            "graphql.server",
            1,
            json!({"graphql": {"operationType": "query", "fields": {"a": ["b"]}}, "http": {"status": 500}}),
        ),
        (
            "log.go",
            2,
            json!({"log": {"message": "m", "level": "WARN"}}),
        ),
        (
            "sdk",
            3,
            json!({"sdk": {"name": "x", "type": "intermediate", "custom": {"tags": {"a": 1}}}}),
        ),
        (
            "redis",
            2,
            json!({"redis": {}, "sdk": {"custom": {"tags": {"a": 1}}}}),
        ),
        (
            "otel",
            3,
            json!({"operation": "x", "tags": {}, "resource": {}}),
        ),
    ] {
        assert_eq!(broken(&span(n, k, data)), [], "{n}");
    }
}

#[test]
fn members_of_sections() {
    for (n, k, data, rule, at) in [
        (
            "kafka",
            2,
            json!({"kafka": {"access": "consume"}}),
            Rule::KindFitsName,
            "/k",
        ),
        (
            "kafka",
            2,
            json!({"kafka": {}}),
            Rule::KindFitsName,
            "/data/kafka/access",
        ),
        (
            "rpc-server",
            2,
            json!({"rpc": {}}),
            Rule::KindFitsName,
            "/k",
        ),
        (
            "redis",
            2,
            json!({"redis": {"args": "a"}}),
            Rule::SectionKey,
            "/data/redis/args",
        ),
        (
            "redis",
            2,
            json!({"redis": {"subCommands": [1]}}),
            Rule::SectionType,
            "/data/redis/subCommands",
        ),
        (
            "postgres",
            2,
            json!({"pg": {"port": 5432}}),
            Rule::PortType,
            "/data/pg/port",
        ),
        (
            "postgres",
            2,
            json!({"postgres": {}, "pg": {}}),
            Rule::SectionExtra,
            "/data/postgres",
        ),
        (
            "sqs",
            2,
            json!({"sqs": {"sort": "exit", "size": "2"}}),
            Rule::SectionType,
            "/data/sqs/size",
        ),
        (
            "aws.lambda.entry",
            1,
            json!({"lambda": {"coldStart": false}}),
            Rule::SectionType,
            "/data/lambda/coldStart",
        ),
        (
            "log.go",
            2,
            json!({"log": "text"}),
            Rule::SectionType,
            "/data/log",
        ),
        ("new.name", 2, json!({"x": {}}), Rule::UnknownSpanName, "/n"),
    ] {
        assert_eq!(broken(&span(n, k, data)), [(rule, at.to_owned())], "{n}");
    }
}

#[test]
fn entries_only() {
    let mut exit = span("redis", 2, json!({"redis": {}}));
    for (key, value) in [
        ("sy", json!(true)),
        ("tp", json!(true)),
        ("lt", json!("00000000000000011111111111111111")),
    ] {
        exit[key] = value;
    }
    let rules: Vec<_> = broken(&exit).into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(
        rules,
        [Rule::LongTraceIdPlace, Rule::Synthetic, Rule::W3cParent]
    );
}

#[test]
fn continued_traces() {
    let mut entry = span("g.http", 1, json!({"http": {}}));
    entry["tp"] = true.into();
    entry["ia"] = json!({"t": "00000000000000011111111111111111", "p": "4444444444444444"});
    entry["crid"] = "c".into();
    entry["crtp"] = "web".into();
    assert_eq!(broken(&entry), []);
    entry.as_object_mut().unwrap().remove("tp");
    let rules: Vec<_> = broken(&entry).into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(rules, [Rule::Ancestor, Rule::Correlation]);
}

/// Accepted differences of Instana's own tracers are notes for them, and violations for
/// ours.
#[test]
fn habits_of_siblings() {
    let found = |span: &Value, plugin: &str| {
        let mut report = Report::new(1, String::new(), None, plugin);
        check(span, "", &SpanContext::default(), &mut report);
        let found = report.findings().0.into_iter();
        found
            .map(|found| (found.rule, found.is_note()))
            .collect::<Vec<_>>()
    };
    let kafka = |k: u8, access: &str| {
        span(
            "kafka",
            k,
            json!({"kafka": {"access": access, "service": "t"}}),
        )
    };
    for (k, access) in [(1, "poll"), (2, "produce")] {
        let found_by = |plugin| found(&kafka(k, access), plugin);
        assert_eq!(found_by("python"), [(Rule::KafkaAccess, true)], "{access}");
        assert_eq!(found_by("rust"), [(Rule::KafkaAccess, false)], "{access}");
    }
    // The kind is checked in any case.
    assert!(found(&kafka(2, "poll"), "python").contains(&(Rule::KindFitsName, false)));
    for (key, id, rule) in [
        ("p", "ABCDEF0123456789", Rule::ParentId),
        ("p", "AbC1", Rule::ParentId),
        ("p", "0123456789abcdef0123456789ABCDEF", Rule::ParentId),
        ("t", "ABCDEF0123456789", Rule::TraceId),
        ("t", "12345678901234567890", Rule::TraceId),
    ] {
        let mut sent = span("g.http", 1, json!({"http": {}}));
        sent[key] = id.into();
        assert_eq!(found(&sent, "nodejs"), [(Rule::IdForm, true)], "{key} {id}");
        assert_eq!(found(&sent, "rust"), [(rule, false)], "{key} {id}");
        sent[key] = "no hex".into();
        assert_eq!(found(&sent, "nodejs"), [(rule, false)], "{key}");
        sent[key] = "0000000000000000".into();
        assert_eq!(found(&sent, "nodejs"), [(rule, false)], "{key}");
    }
    let mut long = span("g.http", 1, json!({"http": {}}));
    long["t"] = "ABCDEF0123456789".into();
    long["lt"] = "0000000000000001ABCDEF0123456789".into();
    let notes = found(&long, "nodejs");
    assert_eq!(notes, [(Rule::IdForm, true), (Rule::IdForm, true)]);
}
