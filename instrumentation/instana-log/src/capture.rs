//! Records a line as a span, whichever crate wrote it.

use std::cell::Cell;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use instana::span::{Family, Kind};
use instana::{CapturedLogs, Span, Tracer};
use log::{Level, LevelFilter};

use crate::text::Text;

/// Bytes of a message that are sent (as in Node.js), including the dots behind a longer
/// message.
const FIELD_LIMIT: u16 = 500 + 3;

/// Bytes of a message that are written: more than the limit, because core redacts before
/// it cuts.
pub(crate) const LIMIT: usize = 2 * 1_024;

instana::section! {
    /// `data.log`: a line of the application's log.
    pub struct Log = "log" {
        /// The message with its values; values of secret keys are replaced.
        message: message(FIELD_LIMIT),
        /// Its level, such as `WARN`.
        level: text(16),
        /// The target of the record, which is the module's path unless it was set.
        logger: text(256),
        /// The error in the line's values, with its sources.
        parameters: message(FIELD_LIMIT),
    }
}

/// Lines of logs: `log.go`, as Instana's Go tracer calls them. A name for Rust is
/// not known.
pub static FAMILY: Family = Family::new("log.go", Kind::Exit, Log::SECTION, "logging");

thread_local! {
    static IS_CAPTURING: Cell<bool> = const { Cell::new(false) };
}

/// The contents of a line.
pub(crate) struct Said {
    pub(crate) message: Text,
    /// Values, as `key=value`.
    pub(crate) values: Text,
    pub(crate) error: Text,
}

impl Said {
    /// The whole message, which is never empty.
    fn into_texts(self, target: &str) -> (Text, Text) {
        let Self {
            mut message,
            values,
            error,
        } = self;
        if !message.is_empty() && !values.is_empty() {
            message.push_str(" ");
        }
        message.push_str(values.as_str());
        for instead in [error.as_str(), target, "-"] {
            if message.is_empty() {
                message.push_str(instead);
            }
        }
        (message, error)
    }
}

/// Whether a line is recorded according to its level and target.
pub(crate) fn wants(level: Level, target: &str) -> bool {
    let captured = Tracer::global().in_context().captured_logs();
    level <= filter(captured) && !is_own(target)
}

/// Records a line as a span, if there is a span around it. Otherwise `say` is not called,
/// nor for a line that is written while another one is recorded.
pub(crate) fn record(
    family: &'static Family,
    level: Level,
    target: &str,
    say: impl FnOnce(&mut Said),
) {
    let Some(_capturing) = Capturing::begin() else {
        return;
    };
    let mut span = Span::annotation(family);
    if !span.is_recording() {
        return;
    }
    let mut said = Said {
        message: Text::new(LIMIT),
        values: Text::new(LIMIT),
        error: Text::new(LIMIT),
    };
    // The application's logger reports values that cannot be shown.
    drop(catch_unwind(AssertUnwindSafe(|| say(&mut said))));
    let (message, error) = said.into_texts(target);
    Log::record(&mut span, |log| {
        log.message(message.as_str())
            .level(level.as_str())
            .logger(target);
        if !error.is_empty() {
            log.parameters(error.as_str());
        }
    });
    // From here on as Node and Python do; Go never does.
    if level == Level::Error {
        span.mark_erroneous();
    }
}

/// Appends the text; if a `Display` fails, the text before that stays.
pub(crate) fn write_to(text: &mut Text, arguments: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(arguments);
}

fn filter(captured: CapturedLogs) -> LevelFilter {
    match captured {
        CapturedLogs::Trace => LevelFilter::Trace,
        CapturedLogs::Debug => LevelFilter::Debug,
        CapturedLogs::Info => LevelFilter::Info,
        CapturedLogs::Warn => LevelFilter::Warn,
        CapturedLogs::Error => LevelFilter::Error,
        _ => LevelFilter::Off,
    }
}

/// The tracer's own lines.
fn is_own(target: &str) -> bool {
    let rest = target.strip_prefix("instana");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// While a line of this thread is recorded.
struct Capturing;

impl Capturing {
    fn begin() -> Option<Self> {
        let is_first = IS_CAPTURING.try_with(|capturing| !capturing.replace(true));
        (is_first == Ok(true)).then_some(Self)
    }
}

impl Drop for Capturing {
    fn drop(&mut self) {
        let _ = IS_CAPTURING.try_with(|capturing| capturing.set(false));
    }
}
