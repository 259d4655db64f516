//! `Route`: the paths of the protocol.

use super::kind::RequestKind;

/// A path of the protocol (docs/PROTOCOL.md, "Requests").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Lookup,
    Announce {
        plugin: String,
    },
    /// Readiness (HEAD) and metrics (POST).
    Process {
        plugin: String,
        pid: u64,
    },
    Traces {
        plugin: String,
        pid: u64,
    },
    Profiles {
        plugin: String,
        pid: u64,
    },
    Response {
        plugin: String,
        pid: u64,
    },
    Rawtrace,
    GenericTrace,
    Event,
    MonitoringEvent,
    Log,
    TracerMetrics,
    Otlp,
    /// The agent's own control and query API.
    Dev,
    Unknown,
}

/// The longest name of a plugin.
const PLUGIN: usize = 100;
const PREFIX: &str = "/com.instana.plugin.";

impl Route {
    pub(crate) fn of(path: &str) -> Self {
        match path {
            "/" => return Self::Lookup,
            "/com.instana.plugin.generic.rawtrace" => return Self::Rawtrace,
            "/com.instana.plugin.generic.trace" => return Self::GenericTrace,
            "/com.instana.plugin.generic.event" => return Self::Event,
            "/com.instana.plugin.generic.agent-monitoring-event" => return Self::MonitoringEvent,
            "/com.instana.agent.logger" => return Self::Log,
            "/tracermetrics" => return Self::TracerMetrics,
            "/v1/traces" | "/v1/metrics" | "/v1/logs" => return Self::Otlp,
            _ if path == "/dev" || path.starts_with("/dev/") => return Self::Dev,
            _ => {}
        }
        path.strip_prefix(PREFIX)
            .and_then(Self::of_plugin)
            .unwrap_or(Self::Unknown)
    }

    fn of_plugin(rest: &str) -> Option<Self> {
        let (rest, last) = rest.rsplit_once('.')?;
        let (plugin, what) = rest.split_once('/').unwrap_or((rest, ""));
        let sound = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        if !(1..=PLUGIN).contains(&plugin.len()) || !plugin.bytes().all(sound) {
            return None;
        }
        let plugin = plugin.to_owned();
        if what.is_empty() && last == "discovery" {
            return Some(Self::Announce { plugin });
        }
        if !last.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let pid = last.parse().ok()?;
        match what {
            "" => Some(Self::Process { plugin, pid }),
            "traces" => Some(Self::Traces { plugin, pid }),
            "profiles" => Some(Self::Profiles { plugin, pid }),
            "response" => Some(Self::Response { plugin, pid }),
            _ => None,
        }
    }

    pub(crate) fn methods(&self) -> &'static [&'static str] {
        match self {
            Self::Lookup => &["GET"],
            Self::Announce { .. } => &["PUT"],
            Self::Process { .. } => &["HEAD", "POST"],
            _ => &["POST"],
        }
    }

    pub(crate) fn plugin(&self) -> &str {
        match self {
            Self::Announce { plugin }
            | Self::Process { plugin, .. }
            | Self::Traces { plugin, .. }
            | Self::Profiles { plugin, .. }
            | Self::Response { plugin, .. } => plugin,
            Self::Rawtrace => "rawtrace",
            Self::GenericTrace => "generic",
            _ => "",
        }
    }

    pub(crate) fn pid(&self) -> Option<u64> {
        match self {
            Self::Process { pid, .. }
            | Self::Traces { pid, .. }
            | Self::Profiles { pid, .. }
            | Self::Response { pid, .. } => Some(*pid),
            _ => None,
        }
    }

    pub(crate) fn kind(&self, method: &str) -> RequestKind {
        match self {
            Self::Lookup => RequestKind::Lookup,
            Self::Announce { .. } => RequestKind::Announce,
            Self::Process { .. } if method == "HEAD" => RequestKind::Ready,
            Self::Process { .. } => RequestKind::Metrics,
            Self::Traces { .. } => RequestKind::Traces,
            Self::Profiles { .. } => RequestKind::Profiles,
            Self::Response { .. } => RequestKind::Response,
            Self::Rawtrace => RequestKind::Rawtrace,
            Self::GenericTrace => RequestKind::GenericTrace,
            Self::Event | Self::MonitoringEvent => RequestKind::Event,
            Self::Log => RequestKind::Log,
            Self::TracerMetrics => RequestKind::TracerMetrics,
            Self::Otlp => RequestKind::Otlp,
            Self::Dev | Self::Unknown => RequestKind::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let rust = || "rust".to_owned();
        for (path, route) in [
            ("/", Route::Lookup),
            (
                "/com.instana.plugin.rust.discovery",
                Route::Announce { plugin: rust() },
            ),
            (
                "/com.instana.plugin.rust.17",
                Route::Process {
                    plugin: rust(),
                    pid: 17,
                },
            ),
            (
                "/com.instana.plugin.rust/traces.17",
                Route::Traces {
                    plugin: rust(),
                    pid: 17,
                },
            ),
            (
                "/com.instana.plugin.rust/response.17",
                Route::Response {
                    plugin: rust(),
                    pid: 17,
                },
            ),
            (
                "/com.instana.plugin.a.b.17",
                Route::Process {
                    plugin: "a.b".to_owned(),
                    pid: 17,
                },
            ),
            ("/com.instana.plugin.rust.traces.x", Route::Unknown),
            ("/com.instana.plugin.rust/traces", Route::Unknown),
            ("/com.instana.plugin..17", Route::Unknown),
            ("/com.instana.plugin.rust.+17", Route::Unknown),
            ("/com.instana.plugin.generic.rawtrace", Route::Rawtrace),
            ("/dev/status", Route::Dev),
            ("/device", Route::Unknown),
        ] {
            assert_eq!(Route::of(path), route, "{path}");
        }
    }
}
