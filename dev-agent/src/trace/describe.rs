//! Describes a span in words: what it does, where, and its error.

use serde_json::Value;

use crate::validate::span::family;

/// What a span does, in words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Description {
    pub(crate) label: String,
    pub(crate) status: String,
    pub(crate) target: String,
    pub(crate) error: Option<String>,
}

/// A text that is put together of members of a section.
struct Phrase {
    /// Written before the members, if there are any.
    prefix: &'static str,
    members: &'static [&'static str],
    /// Written between two members.
    between: &'static str,
}

impl Phrase {
    /// The members that the section has, or nothing if it has none.
    fn text(&self, section: &Value) -> String {
        let members = self.members.iter().map(|key| member(section, key));
        let members: Vec<String> = members.collect();
        join(self.prefix, &members, self.between)
    }
}

/// Members with blanks between them.
const fn words(prefix: &'static str, members: &'static [&'static str]) -> Phrase {
    Phrase {
        prefix,
        members,
        between: " ",
    }
}

/// `host:port`.
const fn address(prefix: &'static str) -> Phrase {
    Phrase {
        prefix,
        members: &["host", "port"],
        between: ":",
    }
}

const NOWHERE: Phrase = words("", &[]);

/// Label and target of the spans with a section.
#[rustfmt::skip]
const PHRASES: &[(&str, Phrase, Phrase)] = &[
    ("rpc", words("", &["call"]), address("grpc ")),
    ("pg", words("", &["stmt"]), address("postgres ")),
    ("mysql", words("", &["stmt"]), address("mysql ")),
    ("mssql", words("", &["stmt"]), address("mssql ")),
    ("db2", words("", &["stmt"]), address("ibmdb2 ")),
    ("redis", words("", &["command"]), words("redis ", &["connection"])),
    ("memcached", words("", &["operation"]), words("memcached ", &["connection"])),
    ("mongo", words("", &["command", "namespace"]), words("mongo ", &["service"])),
    ("kafka", words("", &["access", "service"]), words("kafka ", &["service"])),
    ("rabbitmq", words("", &["sort", "exchange", "key"]), words("rabbitmq ", &["exchange"])),
    ("nats", words("", &["sort", "subject"]), words("nats ", &["subject"])),
    ("gcps", words("", &["op", "top", "sub"]), words("gcps ", &["top"])),
    ("sqs", words("", &["type", "queue"]), words("sqs ", &["queue"])),
    ("bull", words("", &["type", "queue"]), words("bull ", &["queue"])),
    ("sns", words("publish ", &["topic", "phone"]), words("sns ", &["topic"])),
    ("s3", words("", &["op", "bucket", "key"]), words("s3 ", &["bucket"])),
    ("gcs", words("", &["op", "bucket", "object"]), words("gcs ", &["bucket"])),
    ("dynamodb", words("", &["op", "table"]), words("dynamodb ", &["table"])),
    ("aws.lambda.invoke", words("invoke ", &["function"]), words("lambda ", &["function"])),
    ("lambda", words("", &["trigger", "functionName"]), NOWHERE),
    ("graphql", words("", &["operationType", "operationName"]), NOWHERE),
    ("log", words("", &["level", "message"]), NOWHERE),
];

/// Describes a span of any type; unknown ones by their name.
pub(crate) fn describe(span: &Value) -> Description {
    let name = text(span, "/n");
    let section_name = match name {
        "sdk" => "sdk",
        name => family(name).map_or("", |family| family.section),
    };
    let section = span.get("data").and_then(|data| data.get(section_name));
    let section = section.unwrap_or(&Value::Null);
    let phrases = PHRASES.iter().find(|(key, ..)| *key == section_name);
    let (label, target) = match (section_name, phrases) {
        (_, Some((_, label, target))) => (label.text(section), target.text(section)),
        ("http", _) => http(section),
        ("sdk", _) => sdk(section),
        _ if name == "otel" => (text(span, "/data/operation").to_owned(), String::new()),
        (other, _) => (String::new(), other.to_owned()),
    };
    let label = if label.is_empty() {
        name.to_owned()
    } else {
        label
    };
    let status = section.get("status").and_then(Value::as_u64);
    Description {
        label,
        status: status.map(|status| status.to_string()).unwrap_or_default(),
        target,
        error: error(span, section),
    }
}

fn http(section: &Value) -> (String, String) {
    let part = |key: &str| part(section, key);
    let url = part("url");
    let place = ["path_tpl", "path", "url"]
        .map(part)
        .into_iter()
        .find(|place| !place.is_empty());
    let absolute = url.contains("://");
    let place = if absolute {
        url.clone()
    } else {
        place.unwrap_or_default()
    };
    let host = url
        .split_once("://")
        .and_then(|(_, rest)| rest.split('/').next());
    let target = host.map(|host| format!("http {host}")).unwrap_or_default();
    (join("", &[part("method"), place], " "), target)
}

/// The statement of a database without a family of its own, or the name of any other SDK
/// span.
fn sdk(section: &Value) -> (String, String) {
    let tags = section.pointer("/custom/tags").unwrap_or(&Value::Null);
    let tag = |key: &str| part(tags, key);
    let statement = cut(&tag("db.statement"));
    if statement.is_empty() {
        return (part(section, "name"), String::new());
    }
    let place = ["peer.address", "peer.hostname", "db.instance"].map(tag);
    let place = place.into_iter().find(|place| !place.is_empty());
    let target = join("sql ", &[place.unwrap_or_default()], "");
    (statement, target)
}

fn error(span: &Value, section: &Value) -> Option<String> {
    if span.get("ec").and_then(Value::as_u64).unwrap_or_default() == 0 {
        return None;
    }
    let tags = span
        .pointer("/data/sdk/custom/tags")
        .unwrap_or(&Value::Null);
    let candidates = [
        section.get("error"),
        section.get("errors"),
        section.get("err"),
        tags.get("message"),
        tags.get("error"),
        tags.get("db.error"),
    ];
    let found = candidates.into_iter().flatten().find_map(Value::as_str);
    found.filter(|text| !text.is_empty()).map(str::to_owned)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn part(section: &Value, key: &str) -> String {
    match section.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// A member as it is shown: one line of a statement or a message, and the last part of
/// a queue's URL.
fn member(section: &Value, key: &str) -> String {
    let whole = part(section, key);
    match key {
        "message" | "stmt" => cut(&whole),
        "queue" => whole.rsplit('/').next().unwrap_or_default().to_owned(),
        _ => whole,
    }
}

/// The parts that are there, or nothing if none is.
fn join(prefix: &str, parts: &[String], between: &str) -> String {
    let parts: Vec<_> = parts
        .iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    if parts.is_empty() {
        return String::new();
    }
    format!("{prefix}{}", parts.join(between))
}

/// One line of at most 100 characters.
fn cut(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(100) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn families() {
        for (n, data, label, target) in [
            (
                "g.http",
                json!({"http": {"method": "GET", "path": "/a/7", "path_tpl": "/a/{id}", "status": 200}}),
                "GET /a/{id}",
                "",
            ),
            (
                "http",
                json!({"http": {"method": "GET", "url": "http://h:1/a"}}),
                "GET http://h:1/a",
                "http h:1",
            ),
            (
                "postgres",
                json!({"pg": {"stmt": "select\n 1", "host": "db", "port": "5432"}}),
                "select 1",
                "postgres db:5432",
            ),
            (
                "redis",
                json!({"redis": {"command": "get", "connection": "r:6379"}}),
                "get",
                "redis r:6379",
            ),
            (
                "kafka",
                json!({"kafka": {"access": "send", "service": "orders"}}),
                "send orders",
                "kafka orders",
            ),
            (
                "sqs",
                json!({"sqs": {"sort": "exit", "type": "single.sync", "queue": "https://q/1/jobs"}}),
                "single.sync jobs",
                "sqs jobs",
            ),
            ("sdk", json!({"sdk": {"name": "price"}}), "price", ""),
            (
                "sdk",
                json!({"sdk": {"name": "sdk.database", "custom": {"tags": {
                    "db.type": "sql", "db.instance": ":memory:", "db.statement": "select\n 1", "rows": 1}}}}),
                "select 1",
                "sql :memory:",
            ),
            (
                "log.go",
                json!({"log": {"level": "WARN", "message": "low"}}),
                "WARN low",
                "",
            ),
            (
                "graphql.server",
                json!({"graphql": {"operationType": "query", "operationName": "q"}}),
                "query q",
                "",
            ),
            ("new.thing", json!({}), "new.thing", ""),
        ] {
            let described = describe(&json!({"n": n, "data": data}));
            assert_eq!(
                (described.label.as_str(), described.target.as_str()),
                (label, target),
                "{n}"
            );
        }
    }

    #[test]
    fn error_texts() {
        let span = json!({"n": "sdk", "ec": 1, "data": {"sdk": {"name": "x", "custom": {"tags": {"message": "boom"}}}}});
        assert_eq!(describe(&span).error.as_deref(), Some("boom"));
        let span = json!({"n": "sdk", "ec": 1, "data": {"sdk": {"name": "sdk.database", "custom": {"tags": {"db.error": "locked"}}}}});
        assert_eq!(describe(&span).error.as_deref(), Some("locked"));
        let span = json!({"n": "redis", "ec": 0, "data": {"redis": {"error": "nil"}}});
        assert_eq!(describe(&span).error, None);
    }
}
