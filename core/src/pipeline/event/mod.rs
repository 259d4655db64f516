//! Events: what happened to a service or a host, for Instana's timeline.

mod encode;
mod outbox;

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::base::clock;
use crate::base::text::prefix;
use crate::base::text::printable;
use crate::secrets::kept;
use crate::trace::context::Tracer;
use crate::trace::context::tracer::GLOBAL;

pub(crate) use self::encode::QueuedEvents;
pub(crate) use self::outbox::{OUTBOX, Outbox, OutboxGuard};

/// Bytes of a title and of a name that are sent, without the dots behind a longer one.
const TITLE_LIMIT: u16 = 256;
/// Bytes of a text that are sent, without these dots.
const TEXT_LIMIT: u16 = 4_000;

/// Begins an event of the configured service; [`send`](Event::send) sends it.
///
/// ```
/// use std::time::Duration;
///
/// instana::event("Cache cold")
///     .text("The warm-up took long.")
///     .severity(instana::Severity::Warning)
///     .duration(Duration::from_secs(4))
///     .send();
/// ```
pub fn event(title: &str) -> Event {
    let title = printable(title.trim(), kept(TITLE_LIMIT + 3).into());
    Event {
        title: if title.is_empty() {
            "untitled".to_owned()
        } else {
            title
        },
        text: String::new(),
        severity: Severity::default(),
        duration: Duration::ZERO,
        timestamp: None,
        subject: Subject::default(),
    }
}

/// Something that happened to a service or to the host: see [`event`].
///
/// The title has at most 256 bytes and the text 4,000; URLs, connection strings
/// and values of secret keys in them are redacted.
#[derive(Clone)]
#[must_use = "an event is sent by send()"]
pub struct Event {
    title: String,
    text: String,
    severity: Severity,
    duration: Duration,
    /// `None` until it is sent: now.
    timestamp: Option<Duration>,
    subject: Subject,
}

/// With what is sent of its texts.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("title", &GLOBAL.redacted(&self.title))
            .field("text", &GLOBAL.redacted(&self.text))
            .field("severity", &self.severity)
            .field("duration", &self.duration)
            .field("timestamp", &self.timestamp)
            .field("subject", &self.subject)
            .finish()
    }
}

/// How bad an event is, in the numbers of Instana's Go and Node.js tracers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Severity {
    /// -1: something was changed, such as a version or a setting. The default.
    #[default]
    Change,
    /// 10: an issue that needs somebody now.
    Critical,
    /// -2: good to know.
    Info,
    /// 5: an issue.
    Warning,
}

impl Severity {
    fn number(self) -> i8 {
        match self {
            Self::Change => -1,
            Self::Critical => 10,
            Self::Info => -2,
            Self::Warning => 5,
        }
    }
}

/// What the event is about.
#[derive(Clone, Debug, Default)]
enum Subject {
    Host,
    /// The configured service, else the executable.
    #[default]
    OwnService,
    Service(String),
}

impl Event {
    /// What there is to say, in Markdown.
    pub fn text(mut self, text: &str) -> Self {
        self.text = prefix(text, kept(TEXT_LIMIT + 3).into()).to_owned();
        self
    }

    /// How bad it is; default: a change.
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// How long it lasted; default: no time.
    pub fn duration(mut self, duration: Duration) -> Self {
        self.duration = duration;
        self
    }

    /// When it began; default: when it is sent.
    pub fn timestamp(mut self, time: SystemTime) -> Self {
        self.timestamp = Some(time.duration_since(UNIX_EPOCH).unwrap_or_default());
        self
    }

    /// It happened to the service `name`; default: to the configured one, else to the
    /// one called like the executable, as in Instana's Go tracer.
    pub fn service(mut self, name: &str) -> Self {
        self.subject = Subject::Service(printable(name, TITLE_LIMIT.into()));
        self
    }

    /// It happened to the host.
    pub fn host(mut self) -> Self {
        self.subject = Subject::Host;
        self
    }

    /// Hands the event to the agent thread, which sends it when the agent is
    /// there. Up to 256 events wait for that; then the oldest is dropped and
    /// [counted](crate::EventCounts). A no-op without a tracer, and in the scope of a
    /// test's recorder.
    pub fn send(mut self) {
        self.timestamp.get_or_insert_with(clock::unix_time);
        if is_of_process() {
            let _ = OUTBOX.push(self);
        }
    }
}

/// What became of events since `init`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventCounts {
    /// Acknowledged by the agent.
    pub sent: u64,
    /// Kept for the agent.
    pub waiting: u64,
    /// The oldest, dropped when there was no room.
    pub dropped_full: u64,
    /// Refused by the agent again and again.
    pub dropped_rejected: u64,
    /// Not sent when the tracer stopped.
    pub dropped_stopped: u64,
}

impl EventCounts {
    /// All that were dropped, for whatever reason.
    pub fn dropped(&self) -> u64 {
        self.dropped_full + self.dropped_rejected + self.dropped_stopped
    }
}

/// False in the scope of a recorder.
fn is_of_process() -> bool {
    Tracer::global().in_context().scope().is_none()
}

#[cfg(test)]
mod tests;
