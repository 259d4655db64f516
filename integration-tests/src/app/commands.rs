//! The commands that tests can send.

use std::time::{Duration, UNIX_EPOCH};

use instana::Severity;

use instana::span::{Family, Kind};

use crate::redis;

instana::section! {
    /// Calls to a cache.
    struct Redis = "redis" {
        /// The command.
        command: text(64),
        /// What went wrong.
        error: error(200),
    }
}

static REDIS: Family = Family::new("redis", Kind::Exit, Redis::SECTION, "databases");

/// Obeys one line; the answer is one line too.
pub(crate) fn obey(line: &str) -> String {
    // Calls a Redis server: "redis <URL>".
    if let Some(url) = line.strip_prefix("redis ") {
        return redis::call(url);
    }
    // Executes statements: "sql <URL>".
    if let Some(url) = line.strip_prefix("sql ") {
        return crate::sql::run(url);
    }
    let mut words = line.split_whitespace();
    let (command, number) = (
        words.next().unwrap_or_default(),
        words.next().and_then(|word| word.parse().ok()),
    );
    match (command, number) {
        // Sends what was recorded: "flush <milliseconds>".
        ("flush", Some(millis)) => instana::flush(Duration::from_millis(millis)).to_string(),
        // Records entries, each with an exit below it: "entries <how many>".
        ("entries", Some(count)) => {
            for number in 0..count {
                instana::entry_span("job").enter(|| {
                    instana::current(|job| job.tag("number", number));
                    instana::exit_span("call").end();
                });
            }
            "done".to_owned()
        }
        // Records an entry with quick calls of one database, of which one fails:
        // "queries <how many>".
        ("queries", Some(count)) => {
            instana::entry_span("job").enter(|| {
                for number in 0..count {
                    let mut query = instana::Span::exit(&REDIS);
                    Redis::record(&mut query, |redis| {
                        redis.command("GET");
                    });
                    if number == 0 {
                        query.error("no such key");
                    }
                }
            });
            "done".to_owned()
        }
        // Records an entry with a tag of so many bytes: "large <bytes>".
        ("large", Some(bytes)) => {
            let text = "x".repeat(usize::try_from(bytes).unwrap_or_default());
            instana::entry_span("large").enter(|| {
                instana::current(|job| {
                    for part in 0..5 {
                        job.tag(&format!("part{part}"), text.as_str());
                    }
                });
            });
            "done".to_owned()
        }
        // Sends an event of each kind, or so many of one: "events <how many>".
        ("events", count) => {
            match count {
                None => events(),
                Some(count) => (0..count).for_each(|number| {
                    instana::event(&format!("event {number}")).host().send();
                }),
            }
            "done".to_owned()
        }
        // What became of them: sent, waiting and dropped.
        ("event-counts", None) => {
            let events = instana::status().events;
            format!("{} {} {}", events.sent, events.waiting, events.dropped())
        }
        // Logs one line of each level inside an entry, and one outside.
        ("log", None) => {
            instana::entry_span("job").enter(log_lines);
            log_lines();
            "done".to_owned()
        }
        // Records an entry whose tags and URL hold secrets.
        ("secrets", None) => {
            secrets();
            "done".to_owned()
        }
        // "status": the status as one line.
        ("status", None) => instana::status().to_string().replace('\n', " | "),
        // "counts": recorded, sent, waiting and dropped spans.
        ("counts", None) => {
            let spans = instana::status().spans;
            format!(
                "{} {} {} {}",
                spans.recorded(),
                spans.sent,
                spans.waiting,
                spans.dropped()
            )
        }
        _ => format!("unknown: {line}"),
    }
}

fn events() {
    let at = UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    instana::event("Cache cold")
        .text("warm-up of https://user:hidden-1@cache/ with key=hidden-2 took *long*")
        .severity(Severity::Warning)
        .duration(Duration::from_millis(4_200))
        .timestamp(at)
        .send();
    instana::event("Disk full")
        .severity(Severity::Critical)
        .timestamp(at)
        .host()
        .send();
    instana::event("Deployed 1.2.3")
        .timestamp(at)
        .service("other")
        .send();
}

fn log_lines() {
    log::error!(target: "shop::orders", "order {} failed", 7);
    log::warn!(target: "shop::orders", "password=hidden-3 is weak");
    log::info!(target: "shop::orders", "order 8 came in");
}

fn secrets() {
    use instana::propagation::Incoming;
    use instana::span::TagValue;
    use instana::span::http::{ENTRY, Http};

    let mut entry = instana::Span::entry(&ENTRY, &Incoming::none());
    Http::record(&mut entry, |http| {
        http.method("GET")
            .path("/")
            .params("token=hidden-1&plain=shown&credential=hidden-2");
    });
    // Keys that each kind of matcher treats differently.
    entry.error("Token=hidden-3 mytoken=hidden-4 password=hidden-5 http://u:hidden-6@h/");
    entry.tag("note", TagValue::Error("token: hidden-7"));
    entry.log("TOKEN=hidden-8");
}
