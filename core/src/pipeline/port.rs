//! What a transport asks of the rest of the tracer: where spans, metrics and events come
//! from, and who hears of the settings that come back.

use std::time::Duration;

use crate::config::Tree;
use crate::secrets::Matcher;

/// Where the spans come from. Bounded by itself.
pub(crate) trait SpanSource: Send {
    /// Encodes the oldest spans not yet acknowledged as one JSON array into the
    /// empty `body`, as many as fit. `origin` is the
    /// JSON of each span's `f`: it says from which process the spans are. It is filled in
    /// when spans are sent, because a transport may learn it after they were recorded.
    fn encode(&mut self, origin: &str, limits: &Limits, body: &mut Vec<u8>) -> Encoded;
    /// The batch encoded last was accepted. `maybe_twice`: it may have been before.
    fn acknowledge(&mut self, maybe_twice: bool);
    /// The batch encoded last was not accepted: encode it again next time.
    fn retry(&mut self);
    /// The batch encoded last left as a whole, and no answer came: encode its spans once
    /// again, without others.
    fn doubt(&mut self);
    /// The batch encoded last is given up (counted).
    fn give_up(&mut self, reason: Reason);
    /// Whether anything waits to be sent, or for its answer.
    fn pending(&self) -> bool;
    /// Housekeeping: once a second, and when a flush or the shutdown begins.
    fn tick(&mut self);
}

/// What was made of the spans that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoded {
    /// The body holds spans.
    Batch(Batch),
    /// The spans that were looked at are not sent, and others may wait behind them: others
    /// have a turn, then it goes on.
    More,
    /// Spans wait, and there is no memory for them now.
    NoMemory,
    /// Nothing waits.
    Nothing,
}

/// What a body holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) spans: usize,
    /// Nothing else waited when it was encoded.
    pub(crate) is_last: bool,
    /// It was sent before, and no answer came.
    pub(crate) is_second: bool,
}

/// Where the metrics come from.
pub(crate) trait MetricSource: Send {
    /// Appends the members `snapshot` (what does not change while the process runs, if it
    /// is asked for) and `metrics` of a JSON object to `body`. The transport writes the
    /// object around them.
    fn encode(&mut self, snapshot: bool, body: &mut Vec<u8>);
}

/// Where the events come from. Bounded by itself.
pub(crate) trait EventSource: Send {
    /// The JSON of the oldest event.
    fn encode(&mut self) -> Option<Vec<u8>>;
    /// The event encoded last was accepted.
    fn acknowledge(&mut self);
    /// The event encoded last is given up (counted).
    fn reject(&mut self);
    /// Whether an event waits.
    fn pending(&self) -> bool;
    /// A flush begins: it waits for the events up to now.
    fn begin_flush(&mut self);
    /// Whether none of the events before the flush waits any more.
    fn is_flushed(&self) -> bool;
}

/// Who acts on settings that come from Instana.
pub(crate) trait SettingsSink: Send {
    /// Called when a transport has received settings, before it sends anything else.
    fn apply(&self, answer: &Tree) -> Applied;
}

/// What followed from the agent's settings.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    /// The time between two metrics.
    pub(crate) metrics_interval: Duration,
    /// Which keys are secret.
    pub(crate) secrets: Matcher,
    /// Settings of the agent that could not be used, in words.
    pub(crate) problems: Vec<String>,
}

/// What a request may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Less than so many bytes, unless it is a single span.
    pub(crate) bytes: usize,
    /// A request with one span of so many bytes, brackets included, is too large.
    pub(crate) span: usize,
}

/// Why spans are given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The agent does not take it, in a request of its own either.
    Refused,
    /// It is too large for the agent in a request of its own, too.
    TooLarge,
    /// They were sent twice and never answered.
    Unanswered,
}
