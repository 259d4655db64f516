//! The registered span types as one table: the types of this tracer (docs/PROTOCOL.md,
//! //! "Families"), and the other types of Go, Node.js and Python.

use serde_json::Value;

use self::Kinds::{By, Entry, Exit};
use self::Type::{Any, Int, Object, Port, Text, TextMap, Texts, True};

/// The type of a section's member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Any,
    Int,
    Object,
    Port,
    Text,
    TextMap,
    Texts,
    True,
}

/// Which `k` a span name allows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kinds {
    /// The value of this member of the section decides (case-insensitive).
    By(&'static str, &'static [(&'static str, u64)]),
    Entry,
    Exit,
    /// Any kind.
    Open,
}

/// Span names that share a section.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) names: &'static [&'static str],
    pub(crate) section: &'static str,
    pub(crate) kinds: Kinds,
    pub(crate) keys: &'static [(&'static str, Type)],
    /// Further sections that `data` may have.
    pub(crate) also: &'static [&'static str],
}

/// The family of a registered span name; `sdk` and `otel` have none.
pub(crate) fn family(name: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| {
        family.names.contains(&name) || (family.section == "log" && name.starts_with("log."))
    })
}

const HTTP: &[(&str, Type)] = &[
    ("method", Text),
    ("host", Text),
    ("url", Text),
    ("path", Text),
    ("protocol", Text),
    ("path_tpl", Text),
    ("route_id", Text),
    ("params", Text),
    ("header", TextMap),
    ("status", Int),
    ("error", Text),
];
const RPC: &[(&str, Type)] = &[
    ("flavor", Text),
    ("call", Text),
    ("call_type", Text),
    ("host", Text),
    ("port", Port),
    ("params", Text),
    ("error", Text),
];
const SQL: &[(&str, Type)] = &[
    ("stmt", Text),
    ("host", Text),
    ("port", Port),
    ("user", Text),
    ("db", Text),
    ("error", Text),
];
const GRAPHQL: &[(&str, Type)] = &[
    ("operationName", Text),
    ("operationType", Text),
    ("fields", Object),
    ("args", Object),
    ("errors", Text),
    ("error", Text),
];
const SORTS: &[(&str, u64)] = &[("entry", 1), ("exit", 2)];

#[rustfmt::skip]
const FAMILIES: &[Family] = &[
    Family { names: &["g.http", "node.http.server", "wsgi", "asgi", "django", "aiohttp-server", "tornado-server", "twisted-server"],
        section: "http", kinds: Entry, keys: HTTP, also: &[] },
    Family { names: &["http", "node.http.client", "urllib3", "aiohttp-client", "tornado-client", "twisted-client"],
        section: "http", kinds: Exit, keys: HTTP, also: &[] },
    Family { names: &["rpc-server"], section: "rpc", kinds: Entry, keys: RPC, also: &[] },
    Family { names: &["rpc-client"], section: "rpc", kinds: Exit, keys: RPC, also: &[] },
    Family { names: &["kafka"], section: "kafka", kinds: By("access", &[("consume", 1), ("send", 2)]),
        keys: &[("service", Text), ("access", Text), ("error", Text)], also: &[] },
    Family { names: &["rabbitmq"], section: "rabbitmq", kinds: By("sort", &[("consume", 1), ("publish", 2)]),
        keys: &[("exchange", Text), ("key", Text), ("queue", Text), ("sort", Text), ("address", Text), ("error", Text)], also: &[] },
    Family { names: &["amqp"], section: "amqp", kinds: Kinds::Open,
        keys: &[("command", Text), ("routingkey", Text), ("connection", Text), ("error", Text)], also: &[] },
    Family { names: &["nats"], section: "nats", kinds: By("sort", &[("consume", 1), ("publish", 2)]),
        keys: &[("sort", Text), ("subject", Text), ("address", Text), ("error", Text)], also: &[] },
    Family { names: &["gcps"], section: "gcps", kinds: By("op", &[("consume", 1), ("publish", 2)]),
        keys: &[("op", Text), ("projid", Text), ("top", Text), ("sub", Text), ("msgid", Text), ("messageId", Text), ("error", Text)], also: &[] },
    Family { names: &["sqs"], section: "sqs", kinds: By("sort", SORTS),
        keys: &[("sort", Text), ("queue", Text), ("type", Text), ("group", Text), ("size", Int), ("error", Text)], also: &[] },
    Family { names: &["sns"], section: "sns", kinds: Exit,
        keys: &[("topic", Text), ("target", Text), ("phone", Text), ("subject", Text), ("error", Text)], also: &[] },
    Family { names: &["kinesis"], section: "kinesis", kinds: Exit,
        keys: &[("op", Text), ("stream", Text), ("record", Any), ("shardType", Text), ("startSequenceNumber", Text), ("shard", Text), ("error", Text)], also: &[] },
    Family { names: &["bull"], section: "bull", kinds: By("sort", SORTS),
        keys: &[("sort", Text), ("queue", Text), ("messageId", Text), ("error", Text)], also: &[] },
    Family { names: &["postgres"], section: "pg", kinds: Exit, keys: SQL, also: &[] },
    Family { names: &["mysql"], section: "mysql", kinds: Exit, keys: SQL, also: &[] },
    Family { names: &["mssql"], section: "mssql", kinds: Exit, keys: SQL, also: &[] },
    Family { names: &["ibmdb2"], section: "db2", kinds: Exit,
        keys: &[("stmt", Text), ("dsn", Text), ("error", Text)], also: &[] },
    Family { names: &["redis"], section: "redis", kinds: Exit,
        keys: &[("connection", Text), ("command", Text), ("subCommands", Texts), ("driver", Text), ("error", Text)], also: &[] },
    Family { names: &["mongo"], section: "mongo", kinds: Exit,
        keys: &[("service", Text), ("namespace", Text), ("command", Text), ("query", Text), ("filter", Text), ("json", Text), ("error", Text)], also: &["peer"] },
    Family { names: &["couchbase"], section: "couchbase", kinds: Exit,
        keys: &[("hostname", Text), ("bucket", Text), ("type", Text), ("sql", Text), ("error", Text), ("error_type", Text)], also: &[] },
    Family { names: &["cosmos"], section: "cosmos", kinds: Exit,
        keys: &[("con", Text), ("db", Text), ("type", Text), ("cmd", Text), ("obj", Text), ("pk", Text), ("rt", Text), ("error", Text)], also: &[] },
    Family { names: &["elasticsearch"], section: "elasticsearch", kinds: Exit,
        keys: &[("action", Text), ("cluster", Text), ("index", Text), ("type", Text), ("id", Text), ("query", Text), ("hits", Int), ("address", Text), ("port", Port), ("endpoint", Text), ("url", Text), ("error", Text)], also: &[] },
    Family { names: &["memcached"], section: "memcached", kinds: Exit,
        keys: &[("connection", Text), ("operation", Text), ("key", Text), ("error", Text)], also: &[] },
    Family { names: &["cassandra"], section: "cassandra", kinds: Exit,
        keys: &[("cluster", Text), ("query", Text), ("keyspace", Text), ("fetchSize", Any), ("achievedConsistency", Text), ("triedHosts", Any), ("fullyFetched", Any), ("error", Text)], also: &[] },
    Family { names: &["dynamodb"], section: "dynamodb", kinds: Exit,
        keys: &[("op", Text), ("table", Text), ("region", Text), ("error", Text)], also: &[] },
    Family { names: &["prisma"], section: "prisma", kinds: Exit,
        keys: &[("model", Text), ("action", Text), ("provider", Text), ("url", Text), ("error", Text)], also: &[] },
    Family { names: &["sqlalchemy"], section: "sqlalchemy", kinds: Exit,
        keys: &[("sql", Text), ("eng", Text), ("url", Text), ("err", Text)], also: &[] },
    Family { names: &["s3"], section: "s3", kinds: Exit,
        keys: &[("op", Text), ("bucket", Text), ("key", Text), ("region", Text), ("error", Text)], also: &[] },
    Family { names: &["gcs"], section: "gcs", kinds: Exit,
        keys: &[("op", Text), ("bucket", Text), ("object", Text), ("entity", Text), ("range", Text), ("sourceBucket", Text), ("sourceObject", Text), ("sourceObjects", Any),
            ("destinationBucket", Text), ("destinationObject", Text), ("numberOfOperations", Text), ("projectId", Text), ("accessId", Text), ("error", Text)], also: &[] },
    Family { names: &["azstorage"], section: "azstorage", kinds: Exit,
        keys: &[("containerName", Text), ("blobName", Text), ("accountName", Text), ("op", Text), ("error", Text)], also: &[] },
    Family { names: &["aws.lambda.entry"], section: "lambda", kinds: Entry,
        keys: &[("arn", Text), ("runtime", Text), ("functionName", Text), ("functionVersion", Text), ("alias", Text), ("reqId", Text), ("coldStart", True), ("trigger", Text),
            ("msleft", Int), ("error", Text), ("cw", Object), ("s3", Object), ("sqs", Object), ("dynamodb", Object)], also: &["http"] },
    Family { names: &["aws.lambda.invoke"], section: "aws.lambda.invoke", kinds: Exit,
        keys: &[("function", Text), ("type", Text), ("error", Text)], also: &[] },
    Family { names: &["azf"], section: "azf", kinds: Entry,
        keys: &[("name", Text), ("functionname", Text), ("methodname", Text), ("triggername", Text), ("runtime", Text), ("error", Text)], also: &[] },
    Family { names: &["graphql.server"], section: "graphql", kinds: Entry, keys: GRAPHQL, also: &["http", "kafka", "sqs"] },
    Family { names: &["graphql.client"], section: "graphql", kinds: Exit, keys: GRAPHQL, also: &["http"] },
    Family { names: &["log"], section: "log", kinds: Exit,
        keys: &[("message", Text), ("level", Text), ("logger", Text), ("parameters", Text)], also: &[] },
];

/// `data.sdk` of SDK spans.
pub(super) const SDK: &[(&str, Type)] = &[
    ("name", Any),
    ("type", Any),
    ("custom", Any),
    ("arguments", Text),
    ("return", Text),
];

/// Members of `data` of `otel` spans, which Node.js makes of OpenTelemetry's.
pub(super) const OTEL: &[(&str, Type)] =
    &[("operation", Text), ("tags", Object), ("resource", Object)];

impl Type {
    /// Whether the value has this type, and the type's description.
    pub(super) fn fits(self, value: &Value) -> (bool, &'static str) {
        match self {
            Any => (true, "anything"),
            Int => (value.is_u64() || value.is_i64(), "an integer"),
            Object => (value.is_object(), "an object"),
            Port | Text => (value.is_string(), "text"),
            TextMap => (
                value
                    .as_object()
                    .is_some_and(|map| map.values().all(Value::is_string)),
                "an object of texts",
            ),
            Texts => (
                value
                    .as_array()
                    .is_some_and(|list| list.iter().all(Value::is_string)),
                "an array of texts",
            ),
            True => (*value == Value::Bool(true), "`true`"),
        }
    }
}
