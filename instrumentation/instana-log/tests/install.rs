//! The process's logger, with the tracer's own lines in it.
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets something unexpected ends there"
)]

use std::sync::Mutex;

use instana::LogLevel;
use instana::span::Kind;
use instana::testing::Recorder;
use log::{LevelFilter, Log, Metadata, Record};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Journal;

impl Log for Journal {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = format!("{} {} {}", record.target(), record.level(), record.args());
        LINES.lock().unwrap().push(line);
    }

    fn flush(&self) {}
}

/// The only test here: a process has one logger.
#[test]
fn the_processs_logger_gets_its_own_lines_and_the_tracers() {
    let builder = || instana_log::builder().max_level(LevelFilter::Info);
    builder().logger(Journal).install().unwrap();
    assert_eq!(log::max_level(), LevelFilter::Info);
    assert!(builder().logger(Journal).install().is_err());
    let recorder = Recorder::new();
    recorder.enter(|| {
        instana::entry_span("job").enter(|| {
            log::warn!(target: "shop", "of the application");
            for level in [
                LogLevel::Error,
                LogLevel::Warn,
                LogLevel::Info,
                LogLevel::Debug,
            ] {
                instana::logger::log(level, "of the tracer");
            }
            // A line of the tracer that the application's logger makes one of its own.
            instana::set_logger(|_, line| log::error!(target: "shop", "relayed: {line}"));
            drop(instana::builder().agent("http://[").init().unwrap());
        });
    });
    let logged = recorder.span("log.go", Kind::Exit);
    let message = logged.text("data.log.message");
    assert_eq!(message.as_deref(), Some("of the application"));
    let lines = LINES.lock().unwrap();
    assert_eq!(
        lines[..4],
        [
            "shop WARN of the application",
            "instana ERROR of the tracer",
            "instana WARN of the tracer",
            "instana INFO of the tracer",
        ]
    );
    let relayed = lines
        .iter()
        .filter(|line| line.starts_with("shop ERROR relayed: "));
    assert!(relayed.count() >= 1, "{lines:?}");
}
