//! Every line that the agent thread logs about the agent, and what can be done about
//! what it says.

use crate::base::log::Level;
use crate::pipeline::host_agent::lifecycle::{Change, Failure};
use crate::pipeline::host_agent::log_once::{LogOnce, Topic};
use crate::pipeline::host_agent::paths::RAW_TRACE;
use crate::pipeline::host_agent::size::Verdict;
use crate::pipeline::port::Reason;

/// The plugin name that agents do not know today (docs/PROTOCOL.md, "Not certain").
const UNKNOWN_PLUGIN: &str = "rust";

/// What can be done about what goes wrong.
pub(super) mod fix {
    pub(in crate::pipeline::host_agent) const AWAITED: &str =
        "nothing to do while the agent starts or is busy; later: its log says why it is slow";
    pub(in crate::pipeline::host_agent) const FOREIGN: &str = "something else answers in the agent's place: check proxies \
                                      between, INSTANA_AGENT_HOST and INSTANA_AGENT_PORT";
    pub(in crate::pipeline::host_agent) const LARGE: &str =
        "raise the body limit of the agent or of a proxy between";
    pub(in crate::pipeline::host_agent) const MALFORMED: &str =
        "check that no proxy changes the agent's answers, and update the agent";
    pub(in crate::pipeline::host_agent) const NOBODY: &str =
        "start the agent or set INSTANA_AGENT_HOST and INSTANA_AGENT_PORT";
    pub(in crate::pipeline::host_agent) const NO_AGENT: &str =
        "set INSTANA_AGENT_HOST and INSTANA_AGENT_PORT to where the agent listens";
    pub(in crate::pipeline::host_agent) const PANIC: &str = "please report this with the log";
    pub(in crate::pipeline::host_agent) const REFUSED: &str =
        "the agent's log says why; update the agent";
    pub(in crate::pipeline::host_agent) const UNANSWERED: &str = "check that the agent runs and can be reached; where it is \
                                         slow, raise INSTANA_AGENT_REQUEST_TIMEOUT";
    pub(in crate::pipeline::host_agent) const UNKNOWN: &str = "normal for some seconds; later: the agent does not see the \
                                      process (in a container: host pid namespace), or does not \
                                      know the plugin (INSTANA_PLUGIN_NAME=golang)";
}

/// What the lines about changes of state name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    /// The agent's address.
    pub(crate) address: &'a str,
    /// The plugin name in force.
    pub(crate) plugin: &'a str,
    /// The announced pid.
    pub(crate) pid: u64,
    /// What went wrong last.
    pub(crate) failure: &'a str,
}

impl LogOnce {
    /// No agent was found; `topic` says whether something else answered.
    pub(crate) fn not_found(&mut self, topic: Topic, reasons: &str) {
        let fix = fix_for_lookup(topic);
        if topic == Topic::Awaited {
            let text = format_args!(
                "waiting for an answer of the agent ({reasons}); spans are kept within their \
                 bound; {fix}"
            );
            return self.say(Level::Info, topic, text);
        }
        let text = format_args!(
            "no agent found ({reasons}); searching goes on, spans are kept within their bound; \
             {fix}"
        );
        self.say(Level::Warn, topic, text);
    }

    /// An announce was not accepted.
    pub(crate) fn announce_failed(&mut self, failure: Failure, why: &str) {
        let (level, topic) = match failure {
            // Normal while the agent is still discovering the process.
            Failure::Status(404) => (Level::Info, Topic::AnnounceNotFound),
            Failure::Broken | Failure::Cut | Failure::Transport | Failure::Unanswered => {
                (Level::Warn, Topic::AnnounceUnanswered)
            }
            Failure::Foreign
            | Failure::Malformed
            | Failure::Status(_)
            | Failure::TooLarge
            | Failure::Unreadable => (Level::Warn, Topic::AnnounceRefused),
        };
        let text = format_args!("the announce is repeated: {why}");
        self.say(level, topic, text);
    }

    /// The answer to an announce could not be used.
    pub(crate) fn announce_malformed(&mut self, why: &str) {
        let text = format_args!("the announce is repeated: {why}");
        self.say(Level::Warn, Topic::Malformed, text);
    }

    /// The answer to metrics could not be used.
    pub(crate) fn requests_malformed(&mut self, why: &str) {
        let text = format_args!("requests of the agent are ignored: {why}");
        self.say(Level::Info, Topic::Malformed, text);
    }

    /// The metrics of a fresh announce were refused.
    pub(crate) fn metrics_refused(&mut self, why: &str) {
        let text = format_args!("announcing again, metrics were refused: {why}");
        self.say(Level::Warn, Topic::MetricsRefused, text);
    }

    /// Settings of the agent could not be used.
    pub(crate) fn settings_ignored(&mut self, problems: &[String]) {
        let problems = problems.join("; ");
        let text = format_args!("a part of the agent's settings is ignored: {problems}");
        self.say(Level::Warn, Topic::Settings, text);
    }

    /// Settings of the process could not be used: for the agent's own log only, because
    /// the process has logged them.
    pub(crate) fn own_settings_ignored(&mut self, problems: &[String]) {
        let text = format!("a part of the settings is ignored: {}", problems.join("; "));
        self.keep(Level::Warn, &text);
    }

    /// The agent thread has survived a panic.
    pub(crate) fn panicked(&mut self) {
        let text = format_args!("the agent thread panicked and goes on: please report this");
        self.say(Level::Error, Topic::Panic, text);
    }

    /// Spans were not accepted; `verdict` says what becomes of them.
    pub(crate) fn spans_refused(&mut self, failure: Failure, verdict: Verdict, why: &str) {
        let (level, topic, what) = match (verdict, failure) {
            (Verdict::Again, Failure::TooLarge) => (
                Level::Info,
                Topic::RequestTooLarge,
                "requests of spans become smaller",
            ),
            (Verdict::Again, Failure::Foreign) => (
                Level::Warn,
                Topic::NoAgent,
                "spans are kept and sent again later",
            ),
            (Verdict::Again, _) => (
                Level::Warn,
                Topic::SpansRefused,
                "spans are kept and sent again",
            ),
            (Verdict::Doubt, _) => (
                Level::Warn,
                Topic::SpansRefused,
                "spans are sent once more, the agent may have them",
            ),
            (Verdict::GiveUp(Reason::Refused), _) => (
                Level::Error,
                Topic::SpansRejected,
                "a span is dropped, the agent does not take it in a request of its own either",
            ),
            (Verdict::GiveUp(Reason::TooLarge), _) => (
                Level::Error,
                Topic::SpanTooLarge,
                "a span is dropped, it is larger than the agent takes",
            ),
            (Verdict::GiveUp(Reason::Unanswered), _) => (
                Level::Error,
                Topic::Unanswered,
                "spans are not sent a third time, the agent may have them",
            ),
        };
        let fix = match failure {
            Failure::Foreign => fix::FOREIGN,
            Failure::TooLarge => fix::LARGE,
            Failure::Broken | Failure::Cut | Failure::Transport | Failure::Unanswered => {
                fix::UNANSWERED
            }
            Failure::Malformed | Failure::Status(_) => fix::REFUSED,
            Failure::Unreadable => fix::MALFORMED,
        };
        self.say(level, topic, format_args!("{what}: {why}; {fix}"));
    }

    /// The state has changed.
    pub(crate) fn changed(&mut self, change: Change, facts: &Facts<'_>) {
        let Facts {
            address,
            plugin,
            pid,
            failure,
        } = facts;
        match change {
            Change::Connected => {
                self.reset();
                let text = format_args!("connected to the agent at {address} as {plugin} {pid}");
                self.say(Level::Info, Topic::Connected, text);
            }
            Change::Lost => {
                let text = format_args!(
                    "lost the agent at {address} ({failure}); spans are kept until it is back"
                );
                self.say(Level::Warn, Topic::Lost, text);
            }
            Change::FallbackStarted => {
                let advice = fallback_advice(plugin);
                let text = format_args!(
                    "the agent at {address} keeps answering 404 to the announce as {plugin}: spans \
                     go to {RAW_TRACE} now; runtime metrics and the agent's settings (secrets, \
                     extra headers) do not work; announcing goes on; {advice}"
                );
                self.say(Level::Warn, Topic::Fallback, text);
            }
            Change::EventRejected => {
                let text =
                    format_args!("an event is dropped, the agent does not take it: {failure}");
                self.say(Level::Warn, Topic::EventRejected, text);
            }
            Change::NeverReady => {
                let text = format_args!(
                    "the agent at {address} accepted the announce, but does not become ready \
                     ({failure}); announcing again"
                );
                self.say(Level::Warn, Topic::NotReady, text);
            }
        }
    }
}

/// What can be done where no agent was found.
pub(super) fn fix_for_lookup(topic: Topic) -> &'static str {
    match topic {
        Topic::Awaited => fix::AWAITED,
        Topic::NoAgent => fix::NO_AGENT,
        _ => fix::NOBODY,
    }
}

fn fallback_advice(plugin: &str) -> &'static str {
    if plugin == UNKNOWN_PLUGIN {
        "for a runtime dashboard with this agent set INSTANA_PLUGIN_NAME=golang; in a container \
         also check that the agent sees its processes (host pid namespace)"
    } else {
        "check that the agent knows this plugin name and sees the process (in a container: host \
         pid namespace)"
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn changes_in_words() {
        #[rustfmt::skip]
        let table: [(Change, &str, &[&str]); 6] = [
            (Change::Connected, "rust", &["connected to the agent at a:1 as rust 7"]),
            (Change::Lost, "rust", &["lost the agent at a:1 (why)"]),
            (Change::FallbackStarted, "rust", &["a:1", "rawtrace", "INSTANA_PLUGIN_NAME=golang"]),
            (Change::FallbackStarted, "golang", &["a:1", "rawtrace", "host pid namespace"]),
            (Change::NeverReady, "rust", &["a:1", "(why)"]),
            (Change::EventRejected, "rust", &["event", "dropped", "why"]),
        ];
        for (change, plugin, words) in table {
            let mut log = LogOnce::default();
            let facts = Facts {
                address: "a:1",
                plugin,
                pid: 7,
                failure: "why",
            };
            log.changed(change, &facts);
            log.changed(change, &facts);
            let text = log.line(Duration::from_secs(1)).unwrap().text;
            for word in words {
                assert!(text.contains(word), "{text}");
            }
            let advised = text.contains("INSTANA_PLUGIN_NAME");
            assert_eq!(
                advised,
                change == Change::FallbackStarted && plugin == "rust"
            );
            // Only the connection itself may be said again.
            let said_again = log.line(Duration::from_secs(100)).is_some();
            assert_eq!(said_again, change == Change::Connected);
        }
    }
}
