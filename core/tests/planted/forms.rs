//! In which forms a secret may stand, by the place where it is recorded.
//!
//! `KEY` is a secret name, `VALUE` the secret: each form is tried with all keys and all
//! values of its place.

/// A part of each secret, in lower case: no byte that leaves may have it. The first letter
/// is left out, for it may be encoded.
pub(crate) const MARK: &str = "unter2";

/// `user:HUNTER2` in Base64, without its padding.
pub(crate) const MARK_IN_BASE64: &str = "dXNlcjpIVU5URVIy";

/// What signs a URL, in each of its names.
pub(crate) const SIGNED: [&str; 8] = [
    "X-Amz-Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "Signature",
    "sig",
    "code",
    "access_token",
    "X-Goog-Signature",
];

/// Names that are secret by default.
pub(crate) const KEYS: [&str; 5] = [
    "password",
    "API_KEY",
    "client_secret",
    "db.passwd_key",
    "p%61ssword",
];

/// Encodings of the value.
pub(crate) const VALUES: [&str; 5] = [
    "HUNTER2",
    "%48UNTER2",
    "%2548UNTER2",
    "hunter2!$x",
    r"\u0048UNTER2",
];

/// Queries of requests.
pub(crate) const QUERIES: &[&str] = &[
    "a=1&KEY=VALUE&b=2",
    "KEY=VALUE",
    "a=1;KEY=VALUE;b",
    "user[KEY]=VALUE",
    "user[KEY][0]=VALUE",
    "to=https://h/?KEY=VALUE",
    "to=https%3A%2F%2Fh%2F%3FKEY%3DVALUE&b=2",
    "to=https%253A%252F%252Fh%252F%253FKEY%253DVALUE",
    "f={\"KEY\":\"VALUE\"}",
    "f=%7B%22KEY%22%3A%22VALUE%22%7D",
    "to=//u:VALUE@h",
    "to=http://u:VALUE@h/",
    "to=http%3A%2F%2Fu%3AVALUE%40h",
];

/// URLs of requests.
pub(crate) const URLS: &[&str] = &[
    "https://u:VALUE@h/a",
    "https://VALUE@h/a",
    "https://h/a?KEY=VALUE",
    "https://h/a#KEY=VALUE",
    "https://h/a;KEY=VALUE;v=1/b",
    "//u:VALUE@h/a",
    "u:VALUE@h:1/a",
];

/// Paths of requests, as they should be and as a proxy is asked.
pub(crate) const PATHS: &[&str] = &[
    "/a;KEY=VALUE;v=1/b",
    "/a?KEY=VALUE",
    "//u:VALUE@h/a",
    "https://u:VALUE@h/a",
];

/// Connection strings.
pub(crate) const DSNS: &[&str] = &[
    "postgres://u:VALUE@h/d?KEY=VALUE",
    "redis://:VALUE@h:6379/0",
    "mysql://u:p@s/VALUE@h/d",
    "jdbc:sqlserver://h:1433;user=a;KEY=VALUE;x=1",
    "Server=a;Uid=b;KEY=VALUE x;Z=1",
    "host=a KEY='it VALUE' user=b",
    "user:VALUE@tcp(h:3306)/d",
    "u/VALUE@//h:1521/s",
    "(DESCRIPTION=(HOST=h)(KEY=VALUE))",
    "url=amqp://u:VALUE@h;KEY=VALUE",
];

/// Captured headers: a name and a value.
pub(crate) const HEADERS: &[(&str, &str)] = &[
    ("X-KEY", "a VALUE"),
    ("Authorization", "Basic BASE64=="),
    ("authorization", "Negotiate VALUE"),
    ("Proxy-Authorization", "Bearer VALUE"),
    ("Cookie", "a=1; KEY=b VALUE; c=2"),
    ("Set-Cookie", "KEY=VALUE; Path=/"),
    ("Location", "/cb?KEY=VALUE&a=1"),
    ("Referer", "https://u:VALUE@h/"),
    ("X-Json", "{\"KEY\":\"VALUE\"}"),
];

/// Free texts: errors, messages, log lines, events, tags, arguments.
pub(crate) const TEXTS: &[&str] = &[
    "cannot reach https://u:VALUE@h/: timed out",
    "GET https://h/?KEY=VALUE&a=1: refused",
    "bad KEY=VALUE, sorry",
    "bad KEY: VALUE",
    "KEY => 'it VALUE' x",
    "{\"KEY\": \"b VALUE\", \"a\": 1}",
    "{\\\"KEY\\\":\\\"b VALUE\\\",\\\"a\\\":1}",
    "Config { KEY: Some(\"b VALUE\"), port: 1 }",
    "Config { KEY: Secret(\"b VALUE\"), port: 1 }",
    "Config { KEY: Inner { a: \"b VALUE\" }, port: 1 }",
    "KEY: [\"b c\", \"d VALUE\"]",
    "KEY: (\"b c\", \"d VALUE\")",
    "KEY: \"b c\", \"d VALUE\"",
    "{\n  \"KEY\": {\n    \"a\": \"b VALUE\"\n  }\n}",
    "{\"pass\\u0077ord\": \"VALUE\"}",
    "env[\"KEY\"] = VALUE",
    "Server=a;KEY=b VALUE;Uid=c",
    "dial u:VALUE@tcp(h:1)/db: refused",
    "url=//u:VALUE@h",
    "http:\\/\\/u:VALUE@h\\/a",
    "Authorization: Negotiate b VALUE",
    "Authorization: AWS4-HMAC-SHA256 Credential=a, Signature=VALUE",
    "authorization: Basic BASE64==",
    "no https%3A%2F%2Fu%3AVALUE%40h here",
    "to=%2F%3FKEY%3DVALUE",
];

/// Statements that any server may be sent.
pub(crate) const STATEMENTS: &[&str] = &[
    "ALTER USER a PASSWORD 'VALUE'",
    "SELECT 1 WHERE api_key = 'VALUE' AND b = 2",
    "SELECT 1 WHERE 'VALUE' = api_key",
    "INSERT INTO u (password) values ('VALUE')",
    "INSERT INTO j values ('{\"password\": \"VALUE\"}')",
    "INSERT INTO j values ('{\"pass\\u0077ord\": \"VALUE\"}')",
    "SELECT 1 WHERE password BETWEEN 'a' AND 'VALUE'",
    "SELECT CASE WHEN password THEN 'VALUE' END",
    "SELECT 'VALUE' /* of the secret */",
    "SELECT 1 -- VALUE",
    "SELECT 1 WHERE password = 'VALUE",
    "SELECT 'pa' || 'ss', 'VALUE'",
    "CREATE USER a IDENTIFIED BY 'VALUE'",
    "SELECT 'postgres://u:VALUE@h/d'",
    "SET api_key = VALUE",
    "PREPARE s FROM \"UPDATE u SET password='VALUE'\"",
    "SELECT 1 WHERE password IS NOT DISTINCT FROM \"VALUE\"",
    "UPDATE t SET access_token = 'VALUE' WHERE id = 1",
    "SELECT http_header('Authorization', 'Bearer VALUE')",
    "SELECT 'X-Amz-Signature' AS a, 'VALUE'",
    "PRAGMA main.key('VALUE')",
    "EXPLAIN PRAGMA key=VALUE",
];

/// Statements for PostgreSQL, MySQL and SQLite.
pub(crate) const FOR_POSTGRES: &[&str] = &[
    "DO $$ BEGIN ALTER USER a PASSWORD 'VALUE'; END $$",
    "SELECT password /* a /* b */ ' */, 'VALUE'",
    "SELECT set_config('app.api_key', 'VALUE', true)",
    "SELECT config->>'password' = 'VALUE'",
    "SELECT my$tab$col, password = 'VALUE' FROM my$tab$t",
    "SELECT U&\"p\\0061ssword\", U&'VALUE'",
    "ALTER USER a PASSWORD \"VALUE\"",
    "SELECT password = E'it\\'s VALUE'",
    "SELECT set_config(U&'app.p@0061ss' UESCAPE '@', 'VALUE', false)",
    "SELECT password = U&\"VALUE\"",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET app.secret = VALUE",
];
pub(crate) const FOR_MYSQL: &[&str] = &[
    "SELECT password # it's\n, 'VALUE'",
    "SELECT password, 5--1, 'VALUE'",
    "SELECT password, \"a\\\"VALUE\"",
    "SET PASSWORD FOR 'a'@'b' = 'VALUE'",
    "SELECT /*!50000 password = 'VALUE' */",
    "CREATE FUNCTION f() LANGUAGE JAVASCRIPT AS $$ it's \"VALUE\" $$ -- password",
    "SELECT 0x70617373, 'VALUE'",
];
pub(crate) const FOR_SQLITE: &[&str] = &[
    "SELECT [it's], password = 'VALUE'",
    "SELECT password = \"VALUE\"",
    "PRAGMA key = 'VALUE'",
    "ATTACH 'f' AS d KEY 'VALUE'",
    "SELECT $x(it's), 'VALUE', password",
    "ATTACH 'x' AS y key `VALUE`",
];

/// What servers quote in their errors.
pub(crate) const QUOTED: &[&str] = &[
    "syntax error at or near \"VALUE\"",
    "unrecognized role option \"VALUE\"",
    "column \"VALUE\" does not exist",
    "invalid input syntax for type integer: \"a\"VALUE\"",
    "Unknown column 'VALUE' in 'where clause'",
    "Duplicate entry 'VALUE' for something",
    "use near ''VALUE'' at line 1",
    "near \"VALUE\": syntax error",
    "Syntax error; token: \"VALUE\", near: \"= VALUE AND\"",
    "Value '{\"a\":\"VALUE\"}' at 'x' failed to satisfy constraint",
    "enumeration does not contain the value \"VALUE\"",
    "unknown command 'VALUE', with args beginning with: 'VALUE' 'VALUE",
    "no such “VALUE”",
];

/// Errors of databases, as applications pass them on in texts of their own.
pub(crate) const PASSED_ON: &[&str] = &[
    "error returned from database: invalid input syntax for type uuid: \"VALUE\"",
    "db error: ERROR: duplicate key value violates unique constraint \"u\"\nDETAIL: Key (email)=(VALUE) already exists.",
    "DETAIL: Failing row contains (1, VALUE, bob@example.com, null).",
    "Failing row contains (1, VALUE, bob@example.com, null).",
    "db error: ERROR: invalid input\nCONTEXT: JSON data, line 1: {\"a\":VALUE...",
    "Database(PgDatabaseError { code: \"23505\", detail: Some(\"Key (email)=(VALUE) is there\") })",
    "Database(SqliteError { code: 1, message: \"near \\\"VALUE\\\": syntax error\" })",
    "Database(MySqlDatabaseError { code: Some(\"23000\"), message: \"Duplicate entry 'VALUE' for it\" })",
    "Error { kind: Db, cause: Some(DbError { message: \"no \\\"VALUE\\\"\", detail: Some(\"(VALUE)\") }) }",
    "Server error: `ERROR HY000 (1366): Incorrect integer value: 'VALUE' for column 'a'",
    "near \"VALUE\": syntax error",
];
