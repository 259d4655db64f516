//! What the agent thread asks of the rest of the tracer.

use std::time::Duration;

use crate::agent::session::Origin;
use crate::agent::size::{Limits, Reason};
use crate::config::Tree;
use crate::secrets::Matcher;

/// Where the spans come from. Bounded by itself.
pub(crate) trait SpanSource: Send {
    /// Encodes the oldest spans not yet acknowledged as one JSON array into the
    /// empty `body`, as many as fit; `None`: there is nothing to send.
    fn encode(&mut self, origin: &Origin<'_>, limits: &Limits, body: &mut Vec<u8>)
    -> Option<Batch>;
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
    /// Encodes the body of one metrics POST into the empty `body`.
    fn encode(&mut self, pid: u64, snapshot: bool, body: &mut Vec<u8>);
}

/// Who acts on the agent's settings.
pub(crate) trait SettingsSink: Send {
    /// Called after each successful announce, before anything is sent.
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
