//! The tracer's own log lines: to standard error, or to a logger of the
//! application's choice. They never become log spans, and writing one never
//! panics and never fails.

use std::cell::Cell;
use std::fmt;
use std::io::Write;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockWriteGuard};

use crate::local;
use crate::span::block::Block;

/// The longest line in bytes; the rest is cut, because parts of a line may come
/// from another process.
const MAX_LINE: usize = 2048;

static LEVEL: AtomicU8 = AtomicU8::new(Level::Warn as u8);
static LOGGER: RwLock<Option<Logger>> = RwLock::new(None);

thread_local! {
    static IS_WRITING: Cell<bool> = const { Cell::new(false) };
}

/// Where the lines go instead of standard error.
#[derive(Clone)]
pub(crate) struct Logger(Arc<Sink>);

type Sink = dyn Fn(Level, &str) + Send + Sync;

impl Logger {
    pub(crate) fn new(logger: impl Fn(Level, &str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(logger))
    }
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logger").finish_non_exhaustive()
    }
}

/// How important a line is, the most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Level {
    /// Something is lost until somebody acts.
    Error = 1,
    /// A part does not work, or works differently from what was asked for. The
    /// default level.
    Warn = 2,
    /// A change of state that is good to know.
    Info = 3,
    /// Everything else.
    Debug = 4,
}

impl Level {
    /// The level called `name` in any case; `warning` is known too.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "error" => Some(Self::Error),
            "warn" | "warning" => Some(Self::Warn),
            "info" => Some(Self::Info),
            "debug" => Some(Self::Debug),
            _ => None,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warn => "warning",
            Self::Info => "info",
            Self::Debug => "debug",
        })
    }
}

/// Writes lines up to `level` and leaves out the rest.
pub(crate) fn set_level(level: Level) {
    LEVEL.store(level as u8, Ordering::Relaxed);
}

/// Sends the tracer's own log lines to `logger` instead of standard error, from
/// now on and for the whole process, up to the level of
/// [`log_level`](crate::Builder::log_level).
///
/// There is one line a change of state. Most are written on the agent thread,
/// which a logger that blocks keeps from its work, those about settings by
/// [`init`](crate::init). The logger runs outside of every trace; it may use the
/// tracer, but a line that this makes the tracer write goes to standard error. A
/// panic costs that line only.
///
/// ```
/// instana::set_logger(|level, line| println!("{level}: {line}"));
/// ```
pub fn set_logger(logger: impl Fn(Level, &str) + Send + Sync + 'static) {
    drop(replace(Logger::new(logger)));
}

/// The logger until now. What that owns may log when it is dropped: not under a
/// lock.
pub(crate) fn replace(logger: Logger) -> Option<Logger> {
    hold().replace(logger)
}

/// The lock of the logger.
pub(crate) type LoggerGuard = RwLockWriteGuard<'static, Option<Logger>>;

/// Keeps everybody else out.
pub(crate) fn hold() -> LoggerGuard {
    LOGGER.write().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a line of this level is written, for callers whose text costs something.
pub(crate) fn enabled(level: Level) -> bool {
    level as u8 <= LEVEL.load(Ordering::Relaxed)
}

/// Writes one line at [`Level::Warn`].
pub(crate) fn warn(line: fmt::Arguments<'_>) {
    write(Level::Warn, line);
}

/// Lines that wait for the agent's own log. Only tried, never waited for: in a forked
/// child it may be locked for ever.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Lines for the agent that wait for the agent thread; there is no room for more.
const MAX_TOLD: usize = 32;

/// Writes one line at [`Level::Warn`], which goes to the agent's own log, too.
pub(crate) fn tell(line: fmt::Arguments<'_>) {
    warn(line);
    if let Ok(mut told) = TOLD.try_lock() {
        if told.len() < MAX_TOLD {
            told.push(line.to_string());
        }
    }
}

/// Takes the lines that wait for the agent's own log.
pub(crate) fn told() -> Vec<String> {
    let told = TOLD.try_lock();
    told.map(|mut told| mem::take(&mut *told))
        .unwrap_or_default()
}

/// Writes one line at [`Level::Debug`].
pub(crate) fn debug(line: fmt::Arguments<'_>) {
    write(Level::Debug, line);
}

/// Writes one line if its level is enabled.
pub(crate) fn write(level: Level, line: fmt::Arguments<'_>) {
    if !enabled(level) {
        return;
    }
    let line = printable(&line.to_string(), MAX_LINE);
    // The lock is not held while the logger runs: it may set another one.
    let logger = LOGGER
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    match logger.zip(Writing::begin()) {
        Some((logger, _writing)) => {
            drop(catch_unwind(AssertUnwindSafe(|| logger.0(level, &line))));
        }
        // A closed standard error is nobody's problem here.
        None => drop(writeln!(std::io::stderr().lock(), "instana: {line}")),
    }
}

/// While the logger runs: its thread is outside of every trace.
struct Writing(Option<Box<Block>>);

impl Writing {
    /// `None` where the logger runs on this thread already, which would never end.
    fn begin() -> Option<Self> {
        let is_first = IS_WRITING.try_with(|writing| !writing.replace(true));
        (is_first == Ok(true)).then(|| Self(local::exchange(None)))
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        local::exchange(self.0.take());
        let _ = IS_WRITING.try_with(|writing| writing.set(false));
    }
}

/// `text` on one line: control characters become blanks, and what is longer
/// than `limit` bytes is cut, which three dots show.
pub(crate) fn printable(text: &str, limit: usize) -> String {
    let mut line = String::with_capacity(text.len().min(limit));
    for character in text.chars() {
        if line.len() + character.len_utf8() > limit {
            line.push_str("...");
            break;
        }
        line.push(if character.is_control() {
            ' '
        } else {
            character
        });
    }
    line
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::testing::Recorder;

    #[test]
    fn names_of_levels() {
        for (name, level) in [
            ("error", Some(Level::Error)),
            (" WARN ", Some(Level::Warn)),
            ("warning", Some(Level::Warn)),
            ("Info", Some(Level::Info)),
            ("debug", Some(Level::Debug)),
            ("trace", None),
            ("", None),
        ] {
            assert_eq!(Level::parse(name), level, "{name:?}");
        }
    }

    #[test]
    fn lines_stay_on_one_line_and_short() {
        for (text, limit, line) in [
            ("plain", 10, "plain"),
            ("a\r\nb\u{1b}[31m", 20, "a  b [31m"),
            ("abcdef", 3, "abc..."),
            ("aéé", 4, "aé..."),
            ("", 0, ""),
        ] {
            assert_eq!(printable(text, limit), line, "{text:?}");
        }
    }

    // The only test that touches the process-wide logger and level.
    #[test]
    fn the_logger_gets_enabled_lines_and_may_panic_log_and_trace() {
        static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
        let before = LEVEL.load(Ordering::Relaxed);
        set_level(Level::Info);
        set_logger(|level, line| {
            if line == "logger panics" {
                panic!("logger");
            }
            if line == "logger logs" {
                write(Level::Info, format_args!("from the logger"));
            }
            if line.contains("logger") {
                crate::exit_span("of the logger").end();
                let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
                lines.push(format!("{level} {line}"));
            }
        });
        let recorder = Recorder::new();
        recorder.enter(|| {
            crate::entry_span("entry").enter(|| {
                write(Level::Error, format_args!("logger panics"));
                write(Level::Debug, format_args!("logger does not get this"));
                warn(format_args!("logger logs"));
                write(Level::Error, format_args!("logger {}", 1));
                crate::exit_span("of the application").end();
            });
        });
        *hold() = None;
        LEVEL.store(before, Ordering::Relaxed);
        assert_eq!(
            *LINES.lock().unwrap(),
            ["warning logger logs", "error logger 1"]
        );
        let names: Vec<_> = recorder
            .spans()
            .iter()
            .map(|span| span.text("data.sdk.name").unwrap())
            .collect();
        assert_eq!(names, ["of the application", "entry"]);
    }
}
