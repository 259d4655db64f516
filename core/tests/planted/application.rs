//! The process whose secrets are looked for.

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use instana::metrics::{self, Readings};
use instana::span::sql::{Address, Dialect, Target};
use instana::span::{Failure, Family, Kind, TagValue, without_values};
use instana::{Phase, Severity, Span};

use crate::forms::{
    DSNS, FOR_MYSQL, FOR_POSTGRES, FOR_SQLITE, HEADERS, KEYS, PASSED_ON, PATHS, QUERIES, QUOTED,
    SIGNED, STATEMENTS, TEXTS, URLS, VALUES,
};

/// Before the number of spans on standard output.
pub(crate) const COUNT: &str = "recorded: ";

instana::section! {
    /// What may hold secrets.
    struct Planted = "planted" {
        /// A query string.
        query: query(2_000),
        /// A URL.
        url: url(2_000),
        /// A path.
        path: path(2_000),
        /// A connection string.
        dsn: dsn(2_000),
        /// A captured header.
        header: headers(2_000),
        /// A line of a log.
        message: message(2_000),
        /// A statement.
        stmt: statement(2_000),
        /// What went wrong.
        error: error(2_000),
    }
}

static CALL: Family = Family::new("planted", Kind::Exit, Planted::SECTION, "databases");

/// Of which nobody knows that it is one of a database.
static OTHER: Family = Family::new("planted.other", Kind::Exit, Planted::SECTION, "protocols");

pub(crate) fn run(agent: &str) {
    let builder = instana::builder()
        .agent(agent)
        .service("shop")
        .config_path("/no/file?password=HUNTER2")
        .buffer_bytes(64 << 20)
        .flush_deadline(Duration::from_secs(60));
    println!("{builder:?}");
    let guard = builder.init().unwrap();
    wait(|| {
        instana::status()
            .agent
            .is_some_and(|agent| agent.phase == Phase::Ready)
    });
    let _source = metrics::register("planted", Troubled);
    let event = instana::event("no https://u:HUNTER2@h")
        .text("password: Some(\"a HUNTER2\")")
        .severity(Severity::Warning);
    println!("{event:?}");
    event.send();
    let mut recorded = 0;
    recorded += plant(QUERIES, &KEYS, |span, text| {
        Planted::record(span, |call| {
            call.query(text);
        });
    });
    recorded += plant(&["a=1&KEY=VALUE"], &SIGNED, |span, text| {
        Planted::record(span, |call| {
            call.query(text);
        });
    });
    recorded += plant(
        &["no https://h/?a=1&KEY=VALUE: refused"],
        &SIGNED,
        |span, text| {
            span.record_error(&Failed(text.to_owned()));
        },
    );
    recorded += plant(URLS, &KEYS, |span, text| {
        Planted::record(span, |call| {
            call.url(text);
        });
    });
    recorded += plant(PATHS, &KEYS, |span, text| {
        Planted::record(span, |call| {
            call.path(text);
        });
    });
    recorded += plant(DSNS, &KEYS, |span, text| {
        Planted::record(span, |call| {
            call.dsn(text);
        });
    });
    recorded += plant(TEXTS, &KEYS, describe);
    recorded += plant_headers();
    recorded += plant_statements();
    recorded += plant(QUOTED, &["x"], |span, text| {
        let text = without_values(text, |_, _| false);
        span.record_error(Failure::display(&text));
    });
    recorded += plant(PASSED_ON, &["x"], pass_on);
    recorded += PASSED_ON.len() * VALUES.len();
    println!("{:?} {guard:?}", Span::exit(&CALL));
    wait(|| instana::status().events.sent >= 2);
    println!("{}\n{:?}", instana::status(), instana::status());
    drop(guard);
    println!("{}", instana::status());
    println!("{COUNT}{recorded}");
}

/// Records each form with each key and value as a trace of its own; the number of spans.
fn plant(forms: &[&str], keys: &[&str], record: impl Fn(&mut Span, &str)) -> usize {
    let mut count = 0;
    for form in forms {
        let keys = if form.contains("KEY") {
            keys
        } else {
            &["password"]
        };
        for key in keys {
            for value in VALUES {
                let text = filled(form, key, value);
                instana::entry_span("job").enter(|| record(&mut Span::exit(&CALL), &text));
                count += 2;
            }
        }
    }
    count
}

fn filled(form: &str, key: &str, value: &str) -> String {
    let form = form
        .replace("VALUE", value)
        .replace("BASE64", "dXNlcjpIVU5URVIy");
    // No header has such a name.
    let header = if key.contains('%') {
        "X-password".to_owned()
    } else {
        format!("X-{key}")
    };
    form.replace("X-KEY", &header).replace("KEY", key)
}

/// A free text in all of its places.
fn describe(span: &mut Span, text: &str) {
    let error = Failed(text.to_owned());
    // Only passwords are hidden where nobody has said what else is.
    println!("{:?}", Failure::from(&error));
    span.record_error(&error);
    span.tag("why", TagValue::Error(text));
    span.tag("free", text);
    span.tag("password", "HUNTER2");
    span.tag("api_key", "HUNTER2");
    span.log(text);
    span.log_with(text, |entry| {
        entry.field("secret", "HUNTER2");
        entry.field("text", text);
    });
    Planted::record(span, |call| {
        call.message(text);
    });
}

/// The error of a database, and a long chain of errors that ends with it.
fn pass_on(span: &mut Span, text: &str) {
    let long = "could not load the orders of a customer: ".repeat(3);
    let error = Chain(long, Some(Box::new(Chain(text.to_owned(), None))));
    println!("{:?}", Failure::from(&error));
    Span::exit(&OTHER).record_error(&error);
    span.log(text);
    Planted::record(span, |call| {
        call.message(text);
    });
}

fn plant_headers() -> usize {
    let forms = HEADERS
        .iter()
        .flat_map(|(name, value)| KEYS.map(|key| (name, value, key)));
    let mut count = 0;
    for (name, value, key) in forms {
        for secret in VALUES {
            let (name, value) = (filled(name, key, secret), filled(value, key, secret));
            instana::entry_span("job").enter(|| {
                Planted::record(&mut Span::exit(&CALL), |call| {
                    call.header(&name, &value);
                });
            });
            count += 2;
        }
    }
    count
}

fn plant_statements() -> usize {
    let address = Address::new().host("db");
    let targets = [
        (Target::postgres(&address), Dialect::Postgres, FOR_POSTGRES),
        (Target::mysql(&address), Dialect::MySql, FOR_MYSQL),
        (Target::sqlite(&address), Dialect::Sqlite, FOR_SQLITE),
        (Target::other(&address), Dialect::Generic, STATEMENTS),
    ];
    let mut count = 0;
    for (target, dialect, own) in targets {
        for form in STATEMENTS.iter().chain(own) {
            for value in VALUES {
                let statement = filled(form, "password", value);
                instana::entry_span("job").enter(|| {
                    target.exit(&statement).end();
                    let mut span = Span::exit(&CALL);
                    span.tag("of", TagValue::StatementOf(dialect, &statement));
                    Planted::record(&mut span, |call| {
                        call.stmt(&statement);
                    });
                });
                count += 3;
            }
        }
    }
    count
}

/// A source of metrics with something to say.
struct Troubled;

impl metrics::Source for Troubled {
    fn sample(&mut self, readings: &mut Readings) {
        readings.problem("No https://u:HUNTER2@h", "password: Some(\"a HUNTER2\")");
    }
}

#[derive(Debug)]
struct Failed(String);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failed {}

/// An error, and its source.
#[derive(Debug)]
struct Chain(String, Option<Box<Chain>>);

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Chain {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

fn wait(until: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !until() {
        assert!(Instant::now() < end, "nothing came: {}", instana::status());
        thread::sleep(Duration::from_millis(5));
    }
}
