//! Lines as spans: by the scoped recorder, with loggers and subscribers that are
//! nobody else's.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that meets something unexpected ends there"
)]

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use instana::CapturedLogs;
use instana::propagation::Incoming;
use instana::span::http;
use instana::span::{Family, Kind};
use instana::testing::{RecordedSpan, Recorder};
use instana_log::Logger;
use log::{Level, Log, Metadata, Record};

/// Keeps what it gets. `quiet::…` is filtered out.
#[derive(Clone, Default)]
struct Journal(Arc<Lines>);

#[derive(Default)]
struct Lines {
    lines: Mutex<Vec<String>>,
    flushes: AtomicUsize,
}

impl Journal {
    fn lines(&self) -> Vec<String> {
        self.0.lines.lock().unwrap().clone()
    }
}

impl Log for Journal {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        !metadata.target().starts_with("quiet")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = format!("{} {} {}", record.level(), record.target(), record.args());
            self.0.lines.lock().unwrap().push(line);
        }
    }

    fn flush(&self) {
        self.0.flushes.fetch_add(1, Ordering::Relaxed);
    }
}

/// A logger around a journal of its own.
fn logger() -> (Logger<Journal>, Journal) {
    let journal = Journal::default();
    (Logger::new(journal.clone()), journal)
}

fn write(logger: &impl Log, level: Level, target: &str, text: impl fmt::Display) {
    let mut record = Record::builder();
    record.level(level).target(target);
    logger.log(&record.args(format_args!("{text}")).build());
}

fn logs(recorder: &Recorder) -> Vec<RecordedSpan> {
    let mut spans = recorder.spans();
    spans.retain(|span| span.has("data.log"));
    spans
}

fn messages(recorder: &Recorder) -> Vec<String> {
    let logs = logs(recorder);
    logs.iter()
        .map(|log| log.text("data.log.message").unwrap())
        .collect()
}

#[test]
fn warnings_and_errors_are_exits_of_the_current_span() {
    let (recorder, (logger, journal)) = (Recorder::new(), logger());
    recorder.enter_entry(|| {
        for level in Level::iter() {
            write(&logger, level, "shop::orders", format!("a {level} line"));
        }
    });
    let entry = recorder.span("sdk", Kind::Entry);
    let logs = logs(&recorder);
    assert_eq!(logs.len(), 2);
    for (log, level, errors) in [(&logs[0], "ERROR", 1), (&logs[1], "WARN", 0)] {
        assert_eq!((log.name().as_str(), log.kind()), ("log.go", Kind::Exit));
        assert_eq!((log.trace(), log.parent()), (entry.trace(), entry.id()));
        assert_eq!(log.errors(), errors);
        assert_eq!(log.text("data.log.level").as_deref(), Some(level));
        let message = log.text("data.log.message");
        assert_eq!(message, Some(format!("a {level} line")));
        let logger = log.text("data.log.logger");
        assert_eq!(logger.as_deref(), Some("shop::orders"));
        assert!(!log.has("data.log.parameters"));
        assert!(!log.has("data.sdk"), "{}", log.json());
    }
    assert_eq!(entry.errors(), 0);
    assert_eq!(journal.lines().len(), 5, "all of them are forwarded");
    assert_eq!(journal.lines()[0], "ERROR shop::orders a ERROR line");
}

#[test]
fn the_wrapped_logger_decides_and_gets_everything() {
    let (recorder, (logger, journal)) = (Recorder::new(), logger());
    recorder.enter_entry(|| {
        write(&logger, Level::Error, "quiet::please", "filtered");
        write(&logger, Level::Error, "loud", "taken");
    });
    assert_eq!(messages(&recorder), ["taken"]);
    assert_eq!(journal.lines(), ["ERROR loud taken"]);
    for target in ["quiet::please", "loud"] {
        let metadata = Metadata::builder().target(target).build();
        assert_eq!(logger.enabled(&metadata), target == "loud");
    }
    logger.flush();
    assert_eq!(journal.0.flushes.load(Ordering::Relaxed), 1);
    assert!(Arc::ptr_eq(&logger.inner().0, &journal.0));
    assert!(Arc::ptr_eq(
        &Logger::from(journal.clone()).into_inner().0,
        &journal.0
    ));
}

#[test]
fn the_level_is_a_setting_of_the_tracer() {
    for (captured, expected) in [
        (CapturedLogs::Off, 0),
        (CapturedLogs::Error, 1),
        (CapturedLogs::Warn, 2),
        (CapturedLogs::Info, 3),
        (CapturedLogs::Debug, 4),
        (CapturedLogs::Trace, 5),
    ] {
        let recorder = Recorder::builder().captured_logs(captured).build();
        let (logger, journal) = logger();
        recorder.enter_entry(|| {
            for level in Level::iter() {
                write(&logger, level, "shop", level);
            }
        });
        assert_eq!(logs(&recorder).len(), expected, "{captured}");
        assert_eq!(journal.lines().len(), 5);
    }
}

/// Counts how often it is shown.
struct Costly<'a>(&'a Cell<usize>);

impl fmt::Display for Costly<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.set(self.0.get() + 1);
        f.write_str("shown")
    }
}

/// Shows nothing of a record.
struct Blind;

impl Log for Blind {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, _: &Record<'_>) {}

    fn flush(&self) {}
}

#[test]
fn nothing_is_formatted_for_a_line_that_is_not_recorded() {
    let logger = Logger::new(Blind);
    let shown = Cell::new(0);
    let line = |level| write(&logger, level, "shop", Costly(&shown));
    // No tracer.
    line(Level::Error);
    instana::entry_span("no tracer").enter(|| line(Level::Error));
    let recorder = Recorder::builder().allow_root_exits(true).build();
    recorder.enter(|| {
        // No trace, also where exits may be roots; a suppressed one.
        line(Level::Error);
        let mut suppressed = instana::Span::entry(&http::ENTRY, &Incoming::suppressed());
        suppressed.enter(|| line(Level::Error));
        instana::entry_span("job").enter(|| line(Level::Info));
    });
    assert_eq!((shown.get(), logs(&recorder).len()), (0, 0));
    recorder.enter_entry(|| line(Level::Warn));
    assert_eq!(
        (shown.get(), messages(&recorder)),
        (1, vec!["shown".to_owned()])
    );
}

#[test]
fn lines_are_switched_off_by_category_and_type() {
    for (disabled, recorded) in [("logging", 0), ("log", 0), ("databases", 1), ("true", 0)] {
        let variables = [("INSTANA_TRACING_DISABLE", disabled)];
        let recorder = Recorder::builder().environment(&variables).build();
        let (logger, shown) = (Logger::new(Blind), Cell::new(0));
        recorder.enter_entry(|| {
            write(&logger, Level::Error, "shop", Costly(&shown));
        });
        assert_eq!(
            (logs(&recorder).len(), shown.get()),
            (recorded, recorded),
            "{disabled}"
        );
    }
}

#[test]
fn lines_inside_of_exits_belong_to_these() {
    let (recorder, (logger, _)) = (Recorder::builder().allow_root_exits(true).build(), logger());
    recorder.enter_entry(|| {
        instana::exit_span("call").enter(|| write(&logger, Level::Warn, "driver", "slow"));
    });
    let call = recorder.span("sdk", Kind::Exit);
    assert_eq!(recorder.span("log.go", Kind::Exit).parent(), call.id());
    // Of an exit that is a root, too.
    recorder.clear();
    recorder.enter(|| {
        instana::exit_span("call").enter(|| write(&logger, Level::Warn, "driver", "slow"));
    });
    assert_eq!(
        recorder.span("log.go", Kind::Exit).parent(),
        recorder.span("sdk", Kind::Exit).id()
    );
}

#[test]
fn messages_are_short_never_empty_and_without_secrets() {
    let (recorder, (logger, journal)) = (Recorder::new(), logger());
    let long = "é".repeat(1000);
    recorder.enter_entry(|| {
        write(&logger, Level::Warn, "shop", &long);
        write(&logger, Level::Warn, "shop", "");
        write(&logger, Level::Warn, "", "");
        write(
            &logger,
            Level::Warn,
            "shop",
            "password=abc of https://u:p@host/",
        );
        let credential = "hunter".repeat(500);
        let cut = format!("{} at https://u:{credential}@host/", "x".repeat(480));
        write(&logger, Level::Warn, "shop", &cut);
    });
    assert_eq!(
        messages(&recorder),
        [
            format!("{}...", "é".repeat(250)).as_str(),
            "shop",
            "-",
            "password=<redacted> of https://<redacted>:<redacted>@host/",
            format!("{} at https://<redacte...", "x".repeat(480)).as_str(),
        ]
    );
    assert_eq!(journal.lines()[0], format!("WARN shop {long}"));
    assert!(
        journal.lines()[3].contains("password=abc"),
        "not the application's"
    );
}

/// Logs while it is shown.
struct Chatty<'a, L>(&'a L);

impl<L: Log> fmt::Display for Chatty<'_, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(self.0, Level::Error, "shop", "from inside");
        f.write_str("chatty")
    }
}

/// Cannot be shown.
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half a value ")?;
        panic!("broken");
    }
}

#[test]
fn values_that_log_or_panic_while_they_are_shown() {
    let recorder = Recorder::new();
    let logger = Logger::new(Blind);
    recorder.enter_entry(|| {
        write(&logger, Level::Warn, "shop", Chatty(&logger));
        write(&logger, Level::Warn, "shop", Broken);
        write(&logger, Level::Warn, "shop", "after that");
    });
    assert_eq!(
        messages(&recorder),
        ["chatty", "half a value ", "after that"]
    );
}

#[test]
fn the_name_is_an_option() {
    static RUST: Family = Family::new("log.rust", Kind::Exit, instana_log::Log::SECTION, "logging");
    let recorder = Recorder::new();
    let logger = instana_log::builder().family(&RUST).logger(Blind);
    recorder.enter_entry(|| write(&logger, Level::Warn, "shop", "line"));
    let line = recorder.span("log.rust", Kind::Exit);
    assert_eq!(line.text("data.log.message").as_deref(), Some("line"));
    assert_eq!(instana_log::FAMILY.category(), "logging");
}

#[test]
fn the_tracers_own_lines_are_forwarded_only() {
    let (recorder, (logger, journal)) = (Recorder::new(), logger());
    let own = ["instana", "instana::agent"];
    let others = ["instanation", "instana_shop", "my::instana"];
    recorder.enter_entry(|| {
        for target in own.into_iter().chain(others) {
            write(&logger, Level::Error, target, target);
        }
    });
    assert_eq!(messages(&recorder), others);
    assert_eq!(journal.lines().len(), 5);
}

#[derive(Debug)]
struct Outer(std::io::Error);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not saved")
    }
}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

fn outer() -> Outer {
    Outer(std::io::Error::other("disk full"))
}

#[test]
fn key_values_are_part_of_the_message_and_errors_parameters() {
    let (recorder, (logger, _)) = (Recorder::new(), logger());
    let error = outer();
    let error: &(dyn std::error::Error + 'static) = &error;
    let values = [
        ("order", log::kv::Value::from(7)),
        ("api_key", log::kv::Value::from("hidden")),
        ("error", log::kv::Value::from_dyn_error(error)),
    ];
    recorder.enter_entry(|| {
        let mut record = Record::builder();
        record
            .level(Level::Error)
            .target("shop")
            .key_values(&values);
        logger.log(&record.args(format_args!("sorry")).build());
        let mut record = Record::builder();
        record
            .level(Level::Error)
            .target("shop")
            .key_values(&values[2]);
        logger.log(&record.args(format_args!("")).build());
    });
    assert_eq!(
        messages(&recorder),
        ["sorry order=7 api_key=<redacted>", "not saved: disk full"]
    );
    for log in logs(&recorder) {
        let parameters = log.text("data.log.parameters");
        assert_eq!(parameters.as_deref(), Some("not saved: disk full"));
    }
}

mod events {
    use instana_log::InstanaLayer;
    use tracing_subscriber::prelude::*;

    use super::*;

    /// Runs `f` inside an entry, with a subscriber that has the layer alone.
    fn traced(recorder: &Recorder, f: impl FnOnce()) {
        let subscriber = tracing_subscriber::registry().with(InstanaLayer::new());
        tracing::subscriber::with_default(subscriber, || recorder.enter_entry(f));
    }

    #[test]
    fn a_secret_of_several_words_is_hidden_whole() {
        let recorder = Recorder::new();
        traced(&recorder, || {
            tracing::warn!(password = "correct horse, \"battery\"", user = %"x y", "login failed");
        });
        assert_eq!(
            messages(&recorder),
            ["login failed password=\"<redacted>\" user=\"x y\""]
        );
    }

    #[test]
    fn events_are_recorded_with_their_fields() {
        let recorder = Recorder::new();
        let error = outer();
        let error: &(dyn std::error::Error + 'static) = &error;
        traced(&recorder, || {
            tracing::error!(target: "shop", order = 7, who = %"me", what = ?Some(1), error, "sorry");
            tracing::warn!(target: "shop", note = "no message", ok = true);
            tracing::warn!("plain");
            tracing::info!("not important");
            tracing::warn!(target: "instana", "of the tracer");
            let _span = tracing::warn_span!("a span is none").entered();
        });
        assert_eq!(
            messages(&recorder),
            [
                "sorry order=7 who=me what=Some(1)",
                "note=\"no message\" ok=true",
                "plain"
            ]
        );
        let entry = recorder.span("sdk", Kind::Entry);
        let logs = logs(&recorder);
        let levels: Vec<_> = logs
            .iter()
            .map(|log| {
                (
                    log.text("data.log.level").unwrap(),
                    log.errors(),
                    log.parent(),
                )
            })
            .collect();
        let (error, warn) = ("ERROR".to_owned(), "WARN".to_owned());
        let expected = [(error, 1), (warn.clone(), 0), (warn, 0)];
        assert_eq!(
            levels,
            expected.map(|(level, errors)| (level, errors, entry.id()))
        );
        let parameters = logs[0].text("data.log.parameters");
        assert_eq!(parameters.as_deref(), Some("not saved: disk full"));
        assert_eq!(logs[0].text("data.log.logger").as_deref(), Some("shop"));
        assert_eq!(
            logs[2].text("data.log.logger").as_deref(),
            Some(module_path!())
        );
    }

    #[test]
    fn records_that_came_over_a_bridge_keep_their_target() {
        let recorder = Recorder::new();
        // As tracing-log does it.
        let bridged = |target: &str, text: &str| {
            tracing::warn!(
                target: "log",
                message = text, log.target = target, log.module_path = "m", log.line = 3
            );
        };
        traced(&recorder, || {
            bridged("shop", "from a record");
            bridged("instana", "of the tracer");
            tracing::warn!(target: "log", "the application's own");
        });
        assert_eq!(
            messages(&recorder),
            ["from a record", "the application's own"]
        );
        let loggers: Vec<_> = logs(&recorder)
            .iter()
            .map(|log| log.text("data.log.logger").unwrap())
            .collect();
        assert_eq!(loggers, ["shop", "log"]);
    }

    #[test]
    fn suppressed_and_outside_of_traces_nothing_is_shown() {
        let recorder = Recorder::builder().allow_root_exits(true).build();
        let shown = Cell::new(0);
        let subscriber = tracing_subscriber::registry().with(instana_log::builder().layer());
        tracing::subscriber::with_default(subscriber, || {
            recorder.enter(|| {
                tracing::error!("{}", Costly(&shown));
                let mut suppressed = instana::Span::entry(&http::ENTRY, &Incoming::suppressed());
                suppressed.enter(|| tracing::error!("{}", Costly(&shown)));
            });
        });
        assert_eq!((shown.get(), recorder.spans().len()), (0, 0));
    }

    #[test]
    fn the_tracers_own_lines_reach_tracing_and_are_no_spans() {
        let recorder = Recorder::new();
        traced(&recorder, || {
            instana::logger::tracing(instana::LogLevel::Error, "own line");
            instana::logger::tracing(instana::LogLevel::Warn, "own line");
        });
        assert_eq!(messages(&recorder), [""; 0]);
    }
}
