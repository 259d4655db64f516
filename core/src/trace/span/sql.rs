//! SQL databases: where statements go, and the spans of these. Names and keys are
//! those that Instana's Go and Node.js tracers share; the limit of a statement is
//! the one of Node.js.
//!
//! ```
//! use instana::span::sql::{Address, Target};
//!
//! let address = Address::new().host("db").port(Some(5432)).user("shop").database("orders");
//! let target = Target::postgres(&address);
//! target.exit("SELECT id FROM orders WHERE day = $1").enter(|| { /* the call */ });
//! ```

use std::borrow::Cow;

use crate::record::sdk;
use crate::record::tag::TagValue;
use crate::record::{Family, Kind};
use crate::secrets;
pub use crate::secrets::Dialect;
use crate::secrets::{Matcher, dsn};
use crate::trace::span::Span;
use crate::trace::span::preset::Preset;

macro_rules! sections {
    ($($(#[$meta:meta])* $name:ident = $key:literal, $language:ident;)+) => {
        $(crate::section! {
            $(#[$meta])*
            pub struct $name = $key {
                /// The statement. Where a secret word stands in it, no literal is shown.
                stmt: $language(4_000),
                /// The server's host, or the folder of its socket.
                host: text(256),
                /// The server's port, a string.
                port: text(8),
                /// The user that is logged in.
                user: text(128),
                /// The database.
                db: text(256),
                /// What went wrong.
                error: error(200),
            }
        })+
    };
}

sections! {
    /// `data.pg`: a statement for PostgreSQL.
    Postgres = "pg", postgres;
    /// `data.mysql`: a statement for MySQL or MariaDB.
    MySql = "mysql", mysql;
}

/// A statement for PostgreSQL.
pub static POSTGRES: Family = Family::new("postgres", Kind::Exit, Postgres::SECTION, "databases");

/// A statement for MySQL or MariaDB.
pub static MYSQL: Family = Family::new("mysql", Kind::Exit, MySql::SECTION, "databases");

/// A statement for any other database: an SDK span `sdk.database` with the tags
/// `db.type` (`sql`), `db.instance`, `db.statement`, `peer.hostname`,
/// `peer.port`, `peer.address` and `db.error`, as in Instana's Go tracer.
pub static OTHER: Family = Family::new("sdk", Kind::Exit, &sdk::SECTION, sdk::DATABASES);

/// The address of a database, as far as it is known. Empty texts are left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Address<'a> {
    host: &'a str,
    port: Option<u16>,
    user: &'a str,
    database: &'a str,
}

impl<'a> Address<'a> {
    /// Nothing is known yet.
    pub const fn new() -> Self {
        Self {
            host: "",
            port: None,
            user: "",
            database: "",
        }
    }

    /// The host's name or address, or the folder of a socket.
    #[must_use]
    pub const fn host(mut self, host: &'a str) -> Self {
        self.host = host;
        self
    }

    /// The port, where there is one.
    #[must_use]
    pub const fn port(mut self, port: Option<u16>) -> Self {
        self.port = port;
        self
    }

    /// The user that is logged in.
    #[must_use]
    pub const fn user(mut self, user: &'a str) -> Self {
        self.user = user;
        self
    }

    /// The database; the file of one without a server.
    #[must_use]
    pub const fn database(mut self, database: &'a str) -> Self {
        self.database = database;
        self
    }
}

/// Where statements go: what the spans of a pool or connection have in common,
/// encoded once.
///
/// ```
/// use instana::span::sql::{Address, Target};
///
/// let address = Address::new().host("db").port(Some(5432)).user("shop").database("orders");
/// let target = Target::postgres(&address);
/// let rows = target.exit("SELECT 1").enter(|| 1);
/// ```
#[derive(Clone, Debug)]
pub struct Target {
    family: &'static Family,
    preset: Preset,
    dialect: Dialect,
}

/// `statement` with `?` for each literal, and without comments but for hints: what a server of
/// this language would read as literals and comments. All from a place on where that is not
/// certain is one `?`. No more than 64 KiB are looked at.
///
/// ```
/// use instana::span::sql::{Dialect, masked};
///
/// let statement = masked(Dialect::Postgres, "SELECT a FROM t WHERE b = 'it''s' -- c");
/// assert_eq!(statement, "SELECT a FROM t WHERE b = ?  ");
/// ```
pub fn masked(dialect: Dialect, statement: &str) -> String {
    secrets::masked(dialect, statement)
}

macro_rules! described {
    ($section:ident, $address:expr) => {{
        let mut preset = Preset::new();
        $section::record(&mut preset, |section| {
            section.host(&host($address.host));
            if let Some(port) = $address.port {
                section.port(&port.to_string());
            }
            section.user($address.user).db(&database($address.database));
        });
        preset
    }};
}

impl Target {
    /// A PostgreSQL server.
    pub fn postgres(address: &Address<'_>) -> Self {
        Self {
            family: &POSTGRES,
            dialect: Dialect::Postgres,
            preset: described!(Postgres, address),
        }
    }

    /// A MySQL or MariaDB server.
    pub fn mysql(address: &Address<'_>) -> Self {
        Self {
            family: &MYSQL,
            dialect: Dialect::MySql,
            preset: described!(MySql, address),
        }
    }

    /// SQLite, which has no family of its own: see [`OTHER`].
    pub fn sqlite(address: &Address<'_>) -> Self {
        Self {
            dialect: Dialect::Sqlite,
            ..Self::other(address)
        }
    }

    /// A database without a family of its own: see [`OTHER`].
    pub fn other(address: &Address<'_>) -> Self {
        let mut preset = Preset::new();
        preset.sdk_name("sdk.database");
        preset.tag("db.type", "sql");
        let port = address.port.map(|port| port.to_string());
        let port = port.as_deref().unwrap_or_default();
        let (host, database) = (&*host(address.host), &*database(address.database));
        let peer = match (host, port) {
            ("", _) | (_, "") => String::new(),
            (host, port) => format!("{host}:{port}"),
        };
        for (name, text) in [
            ("db.instance", database),
            ("peer.hostname", host),
            ("peer.port", port),
            ("peer.address", &peer),
        ] {
            if !text.is_empty() {
                preset.tag(name, text);
            }
        }
        Self {
            family: &OTHER,
            dialect: Dialect::Generic,
            preset,
        }
    }

    /// Starts the exit of `statement`, described and decided
    /// ([`Span::decide`]). An empty statement is left out.
    pub fn exit(&self, statement: &str) -> Span {
        self.exit_with(|| statement)
    }

    /// As [`exit`](Self::exit), for a statement that has to be worked out: `statement`
    /// is not called where nothing is recorded.
    #[inline]
    pub fn exit_with<S: AsRef<str>>(&self, statement: impl FnOnce() -> S) -> Span {
        let mut span = Span::exit(self.family);
        if span.is_recording() {
            span.apply(&self.preset);
            self.state(&mut span, statement().as_ref());
            span.decide();
        }
        span
    }

    fn state(&self, span: &mut Span, statement: &str) {
        if statement.is_empty() {
            return;
        }
        if std::ptr::eq(self.family, &POSTGRES) {
            Postgres::record(span, |pg| {
                pg.stmt(statement);
            });
        } else if std::ptr::eq(self.family, &MYSQL) {
            MySql::record(span, |mysql| {
                mysql.stmt(statement);
            });
        } else {
            span.tag(
                "db.statement",
                TagValue::StatementOf(self.dialect, statement),
            );
        }
    }
}

/// What is given as a host may be a connection string.
fn host(text: &str) -> Cow<'_, str> {
    match text.contains('@') {
        true => without_passwords(text),
        false => database(text),
    }
}

/// As [`host`]. The name of a database may have an `@`.
fn database(text: &str) -> Cow<'_, str> {
    match text.contains('=') || text.contains("://") {
        true => without_passwords(text),
        false => text.into(),
    }
}

#[cold]
fn without_passwords(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    dsn(&Matcher::default(), text, &mut out);
    out.into()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::Recorder;

    const ADDRESS: Address<'_> = Address::new()
        .host("db")
        .port(Some(5432))
        .user("shop")
        .database("orders");

    fn recorded(target: &Target, statement: &str) -> Value {
        let recorder = Recorder::new();
        recorder.enter(|| {
            crate::entry_span("job").enter(|| {
                let mut exit = target.exit(statement);
                exit.record_error(&std::io::Error::other("no answer from x:y@db"));
                exit.record_error(&std::io::Error::other("late"));
            });
        });
        let spans = recorder.spans();
        let exit = spans.iter().find(|span| span.kind() == Kind::Exit).unwrap();
        assert_eq!(exit.errors(), 1);
        assert!(exit.error_text().unwrap().starts_with("no answer"));
        serde_json::from_str(&exit.json()).unwrap()
    }

    #[test]
    fn statements_are_described() {
        let error = "no answer from <redacted>:<redacted>@db";
        let expected = json!({
            "stmt": "alter user a password '<redacted>'", "host": "db", "port": "5432",
            "user": "shop", "db": "orders", "error": error,
        });
        let statement = "alter user a password 'x'";
        let span = recorded(&Target::postgres(&ADDRESS), statement);
        assert_eq!(span["n"], "postgres");
        assert_eq!(span["data"], json!({"pg": expected}));
        let span = recorded(&Target::mysql(&ADDRESS), statement);
        assert_eq!(span["n"], "mysql");
        assert_eq!(span["data"], json!({"mysql": expected}));
        let span = recorded(&Target::other(&ADDRESS), statement);
        assert_eq!(span["n"], "sdk");
        let tags = json!({
            "db.type": "sql", "db.instance": "orders", "peer.hostname": "db",
            "peer.port": "5432", "peer.address": "db:5432",
            "db.statement": "alter user a password '<redacted>'", "db.error": error,
        });
        let sdk = json!({"name": "sdk.database", "type": "exit", "custom": {"tags": tags}});
        assert_eq!(span["data"], json!({"sdk": sdk}));
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let span = recorded(&Target::postgres(&Address::default()), "");
        let fields = span["data"]["pg"].as_object().unwrap();
        assert_eq!(fields.keys().collect::<Vec<_>>(), ["error"]);
        let span = recorded(&Target::other(&Address::default()), "");
        let tags = span["data"]["sdk"]["custom"]["tags"].as_object().unwrap();
        assert_eq!(tags.keys().collect::<Vec<_>>(), ["db.error", "db.type"]);
    }

    #[test]
    fn connection_strings_in_the_place_of_names_have_no_passwords() {
        for text in [
            "postgres://me:geheim@db/orders",
            "me:geheim@db",
            "host=db password=geheim",
            "Server=db;Pwd=geheim",
            "postgres://a:1,b:2/orders?password=geheim",
            "file:orders.db?password=geheim",
        ] {
            let address = Address::new().host(text).port(Some(1));
            for target in [
                Target::postgres(&address),
                Target::mysql(&address),
                Target::other(&address),
            ] {
                let shown = recorded(&target, "").to_string();
                assert!(!shown.contains("geheim"), "{text}: {shown}");
            }
        }
        assert!(!database("postgres://me:geheim@db/orders").contains("geheim"));
        assert_eq!(database("orders@eu"), "orders@eu");
        assert_eq!(host("/run/postgres"), "/run/postgres");
    }

    #[test]
    fn a_statement_has_4_000_characters() {
        for (character, kept) in [("a", 4_000), ("ä", 4_000), ("漢", 4_000), ("🦀", 3_072)] {
            let long = character.repeat(1_000_000);
            for target in [Target::postgres(&ADDRESS), Target::other(&ADDRESS)] {
                let span = recorded(&target, &long);
                let data = &span["data"];
                let statement = match &data["pg"]["stmt"] {
                    Value::Null => &data["sdk"]["custom"]["tags"]["db.statement"],
                    statement => statement,
                };
                let statement = statement.as_str().unwrap();
                assert_eq!(statement.chars().count(), kept, "{character}");
            }
        }
        let exact = "ä".repeat(4_000);
        let span = recorded(&Target::postgres(&ADDRESS), &exact);
        assert_eq!(span["data"]["pg"]["stmt"], exact);
    }

    #[test]
    fn a_password_at_the_cut_is_hidden() {
        for before in 3_950..4_010 {
            let statement = format!("{} PASSWORD 'secretsecretsecret' VALID", "a".repeat(before));
            let span = recorded(&Target::postgres(&ADDRESS), &statement);
            let statement = span["data"]["pg"]["stmt"].as_str().unwrap();
            assert!(!statement.contains("sec"), "{before}");
        }
    }
}
