//! What the life cycle says and hears.

use std::time::Duration;

use crate::pipeline::host_agent::schedule::Pace;

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// PUT the announce; answer with `Announced` or `AnnounceFailed`.
    Announce,
    /// HEAD; answer with `Readiness` or `ReadinessFailed`.
    CheckReadiness,
    /// GET `/`; answer with `Found` or `NotFound`.
    Lookup,
    /// POST metrics; answer with `MetricsAccepted` or `MetricsFailed`.
    SendMetrics {
        /// With the snapshot.
        snapshot: bool,
    },
    /// POST one event; answer with `Delivered` or `NotDelivered`.
    SendEvent,
    /// POST one batch of spans; answer with `SpansAccepted` or `SpansFailed`.
    SendSpans,
    /// Housekeeping, once a second; no answer.
    Tick,
    /// Nothing to do before this time.
    Wait(Duration),
}

/// What came of the last action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The announce was accepted.
    Announced {
        /// The time between two metrics.
        metrics_interval: Duration,
    },
    /// It was not.
    AnnounceFailed(Failure),
    /// An event was accepted, or there was none.
    Delivered,
    /// An event was not accepted. It is given up after three times in which the agent
    /// refused it, or may have taken it.
    NotDelivered(Failure),
    /// An agent answers.
    Found {
        /// At another address than before.
        moved: bool,
    },
    /// The metrics were accepted.
    MetricsAccepted {
        /// They had the snapshot with them.
        snapshot: bool,
    },
    /// They were not, whatever the reason.
    MetricsFailed,
    /// No agent anywhere.
    NotFound,
    /// The readiness check was answered.
    Readiness(bool),
    /// The readiness check was not answered.
    ReadinessFailed,
    /// A batch was accepted, or there was nothing to send.
    SpansAccepted {
        /// Nothing, or little, is left: the rest can wait for the next tick.
        drained: bool,
    },
    /// A batch was not accepted.
    SpansFailed {
        failure: Failure,
        /// When another one, or the same, follows.
        pace: Pace,
    },
}

/// Why something was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The connection broke off while the request was being written.
    Broken,
    /// All of the request left, and the connection was closed instead of an answer.
    Cut,
    /// An answer that no agent gives.
    Foreign,
    /// A 2xx answer that says something else than it should. Of spans: they
    /// cannot be encoded.
    Malformed,
    /// Another status.
    Status(u16),
    /// The agent says that the request is too large.
    TooLarge,
    /// No connection. Of all but spans: no answer.
    Transport,
    /// All of the request left, and no answer came in time.
    Unanswered,
    /// All of the request left, and an answer came that cannot be read: 2xx, as far as
    /// that can be seen.
    Unreadable,
}

impl Failure {
    /// Whether the agent, or the way to it, is gone.
    pub(super) fn is_loss(self) -> bool {
        matches!(
            self,
            Self::Broken | Self::Cut | Self::Transport | Self::Unanswered
        )
    }
}

/// What a failure or success changes beyond the schedule; for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The first metrics were accepted: the process is known to the agent.
    Connected,
    /// This event is never going to be accepted.
    EventRejected,
    /// Spans go to the raw-trace endpoint from now on.
    FallbackStarted,
    /// An agent that worked does not any more.
    Lost,
    /// The agent accepted the announce, but did not become ready.
    NeverReady,
}

/// What the rest of the process wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Demand {
    /// There are spans to send.
    pub(crate) pending: bool,
    /// There are many: do not wait for the tick.
    pub(crate) woken: bool,
    /// There is an event to send.
    pub(crate) event: bool,
    /// Somebody waits for a flush or for the shutdown.
    pub(crate) hurry: bool,
}
