//! `RequestKind`: the purpose of a request.

use std::fmt;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestKind {
    /// `PUT /com.instana.plugin.<X>.discovery`.
    Announce,
    /// `POST /com.instana.plugin.generic.event` and `.agent-monitoring-event`.
    Event,
    /// `POST /com.instana.plugin.generic.trace`.
    GenericTrace,
    /// `POST /com.instana.agent.logger`.
    Log,
    /// `GET /`.
    Lookup,
    /// `POST /com.instana.plugin.<X>.<pid>`.
    Metrics,
    /// `POST /v1/…`.
    Otlp,
    /// `POST /com.instana.plugin.<X>/profiles.<pid>`.
    Profiles,
    /// `POST /com.instana.plugin.generic.rawtrace`.
    Rawtrace,
    /// `HEAD /com.instana.plugin.<X>.<pid>`.
    Ready,
    /// `POST /com.instana.plugin.<X>/response.<pid>`.
    Response,
    /// `POST /com.instana.plugin.<X>/traces.<pid>`.
    Traces,
    /// `POST /tracermetrics`.
    TracerMetrics,
    /// Anything else.
    Unknown,
}

impl RequestKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Announce,
        Self::Event,
        Self::GenericTrace,
        Self::Log,
        Self::Lookup,
        Self::Metrics,
        Self::Otlp,
        Self::Profiles,
        Self::Rawtrace,
        Self::Ready,
        Self::Response,
        Self::Traces,
        Self::TracerMetrics,
        Self::Unknown,
    ];

    /// The name in the control API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Announce => "announce",
            Self::Event => "event",
            Self::GenericTrace => "trace",
            Self::Log => "log",
            Self::Lookup => "lookup",
            Self::Metrics => "metrics",
            Self::Otlp => "otlp",
            Self::Profiles => "profiles",
            Self::Rawtrace => "rawtrace",
            Self::Ready => "ready",
            Self::Response => "response",
            Self::Traces => "traces",
            Self::TracerMetrics => "tracermetrics",
            Self::Unknown => "unknown",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for RequestKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
