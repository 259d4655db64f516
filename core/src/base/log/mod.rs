//! The tracer's own log lines: to standard error, or to a logger of the
//! application's choice. They never become log spans. Whoever writes one puts it into
//! a bounded queue and goes on: a thread of its own delivers it.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use crate::base::text::Printable;
mod queue;
mod sender;
#[cfg(unix)]
mod stderr;
#[cfg(not(unix))]
#[path = "stderr_portable.rs"]
mod stderr;
#[cfg(test)]
mod tests;

use self::queue::QUEUE;

pub(crate) use self::queue::QueueGuard;

/// The longest line in bytes; the rest is cut, because parts of a line may come
/// from another process.
const MAX_LINE: usize = 2048;

/// How long the end of the tracer waits for a single line.
const PATIENCE: Duration = Duration::from_millis(250);

/// How long it waits for lines when its time has passed.
const GRACE: Duration = Duration::from_millis(50);

static LEVEL: AtomicU8 = AtomicU8::new(Level::Warn as u8);

/// Where the lines go instead of standard error.
#[derive(Clone)]
pub(crate) struct Logger(Arc<Sink>);

type Sink = dyn Fn(Level, &str) + Send + Sync;

impl Logger {
    pub(crate) fn new(logger: impl Fn(Level, &str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(logger))
    }

    /// Hands a line to it. Runs the application's code.
    fn log(&self, level: Level, line: &str) {
        self.0(level, line);
    }
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logger").finish_non_exhaustive()
    }
}

/// What became of the tracer's own log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LineCounts {
    /// Written to standard error, or taken by the [logger](crate::set_logger).
    pub written: u64,
    /// That wait to be written.
    pub waiting: u64,
    /// That found no room because those before them were not written, that the logger
    /// panicked at, or for which there was no standard error any more.
    pub unwritten: u64,
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
/// There is one line a change of state. The logger runs on a thread that does nothing
/// else, and may block: lines that it keeps waiting are left out beyond 256 of them, and
/// counted by [`Status::lines`](crate::Status::lines). It runs outside of every trace and
/// may use the tracer; a line that this makes the tracer write goes to standard error. A
/// panic costs that line only. A fork waits up to 50 ms for its return: what it has locked
/// then stays locked in the child.
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
    QUEUE.replace(Some(logger))
}

/// Keeps everybody else out.
pub(crate) fn hold() -> QueueGuard<'static> {
    QUEUE.hold()
}

/// Standard error is what it is now. Where it is something else later, nothing is
/// written there.
pub(crate) fn remember_stderr() {
    QUEUE.remember();
}

/// What became of lines.
pub(crate) fn counts() -> LineCounts {
    QUEUE.counts()
}

/// Waits until the lines are written, `until` as long as that helps.
pub(crate) fn drain(until: Instant) {
    // It would wait for itself.
    if !sender::is_in_logger() {
        QUEUE.drain(until.max(Instant::now() + GRACE), PATIENCE);
    }
}

/// Whether a line of this level is written, for callers whose text costs something.
pub(crate) fn enabled(level: Level) -> bool {
    level as u8 <= LEVEL.load(Ordering::Relaxed)
}

/// Writes one line at [`Level::Warn`].
pub(crate) fn warn(line: fmt::Arguments<'_>) {
    write(Level::Warn, line);
}

/// What an instrumentation has to say about how it is used, once. Not for applications.
pub fn warn_of_use(line: fmt::Arguments<'_>) {
    warn(line);
}

/// Writes one line at [`Level::Warn`], which goes to the agent's own log, too.
pub(crate) fn tell(line: fmt::Arguments<'_>) {
    let line = text(line);
    QUEUE.tell(&line);
    warn(format_args!("{line}"));
}

/// Takes the lines that wait for the agent's own log.
pub(crate) fn told() -> Vec<String> {
    QUEUE.told()
}

/// Writes one line at [`Level::Debug`].
pub(crate) fn debug(line: fmt::Arguments<'_>) {
    write(Level::Debug, line);
}

/// Writes one line if its level is enabled.
pub(crate) fn write(level: Level, line: fmt::Arguments<'_>) {
    if enabled(level) {
        QUEUE.push(level, text(line), !sender::is_in_logger());
    }
}

fn text(line: fmt::Arguments<'_>) -> String {
    let mut printable = Printable::new(MAX_LINE);
    // It fails where the rest of the text is left out.
    let _ = printable.write_fmt(line);
    printable.line
}
