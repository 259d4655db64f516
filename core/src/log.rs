//! The tracer's own log lines: to standard error, or to a sink of the
//! application's choice. They never become log spans, and writing one never
//! panics and never fails.

use std::fmt;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

/// The longest line in bytes; the rest is cut, because parts of a line may come
/// from another process.
const MAX_LINE: usize = 2048;

static LEVEL: AtomicU8 = AtomicU8::new(Level::Warn as u8);
static SINK: RwLock<Option<Sink>> = RwLock::new(None);

/// Where the lines go instead of standard error.
type Sink = Arc<dyn Fn(Level, &str) + Send + Sync>;

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

/// Sends the tracer's own log lines to `sink` instead of standard error, from
/// now on and for the whole process. A sink that panics loses that line only.
///
/// ```
/// instana::set_log_sink(|level, line| println!("{level}: {line}"));
/// ```
pub fn set_log_sink(sink: impl Fn(Level, &str) + Send + Sync + 'static) {
    let old = hold().0.replace(Arc::new(sink));
    // Not under the lock: what the old sink owns may log when it is dropped.
    drop(old);
}

/// The lock of the sink.
pub(crate) struct SinkGuard(RwLockWriteGuard<'static, Option<Sink>>);

impl fmt::Debug for SinkGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SinkGuard").finish_non_exhaustive()
    }
}

/// Keeps everybody else out.
pub(crate) fn hold() -> SinkGuard {
    SinkGuard(SINK.write().unwrap_or_else(PoisonError::into_inner))
}

/// Whether a line of this level is written, for callers whose text costs something.
pub(crate) fn enabled(level: Level) -> bool {
    level as u8 <= LEVEL.load(Ordering::Relaxed)
}

/// Writes one line at [`Level::Warn`].
pub(crate) fn warn(line: fmt::Arguments<'_>) {
    write(Level::Warn, line);
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
    // The lock is not held while the sink runs: a sink may log.
    let sink = SINK
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .as_ref()
        .map(Arc::clone);
    match sink {
        Some(sink) => drop(catch_unwind(AssertUnwindSafe(|| sink(level, &line)))),
        // A closed standard error is nobody's problem here.
        None => drop(writeln!(std::io::stderr().lock(), "instana: {line}")),
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

    // The only test that touches the process-wide sink and level.
    #[test]
    fn the_sink_gets_enabled_lines_and_may_panic_and_log() {
        static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
        let before = LEVEL.load(Ordering::Relaxed);
        set_level(Level::Info);
        set_log_sink(|level, line| {
            if line == "sink panics" {
                panic!("sink");
            }
            if line == "sink logs" {
                write(Level::Info, format_args!("from the sink"));
            }
            if line.contains("sink") {
                let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
                lines.push(format!("{level} {line}"));
            }
        });
        write(Level::Error, format_args!("sink panics"));
        write(Level::Debug, format_args!("sink does not get this"));
        warn(format_args!("sink logs"));
        write(Level::Error, format_args!("sink {}", 1));
        *SINK.write().unwrap() = None;
        LEVEL.store(before, Ordering::Relaxed);
        let lines = LINES.lock().unwrap();
        assert_eq!(
            *lines,
            ["info from the sink", "warning sink logs", "error sink 1"]
        );
    }
}
