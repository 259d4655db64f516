//! What nobody waits for: lines for the agent's log, and answers to its requests. They are
//! sent one by one, beside everything else.

use std::time::{Duration, Instant};

use crate::pipeline::host_agent::delivery::Message;
use crate::pipeline::host_agent::lifecycle::Failure;
use crate::pipeline::host_agent::paths;
use crate::pipeline::host_agent::session::Session;
use crate::secrets;

/// How long one of them may take.
const TIMEOUT: Duration = Duration::from_secs(1);
/// The most that wait. What comes then is not sent.
const MOST: usize = 32;

impl Session {
    /// Keeps a line for the agent's own log to be sent, if one waits. Failures are ignored.
    pub(crate) fn log_line(&mut self, now: Duration) {
        let Some(line) = self.log.line(now) else {
            return;
        };
        let mut text = String::with_capacity(line.text.len());
        secrets::text(&self.secrets, &line.text, &mut text);
        let body = serde_json::json!({ "m": text }).to_string();
        let mut message = Message::post(paths::LOGGER.to_owned(), body.into_bytes());
        message.header = Some(("x-log-level", line.level.to_string()));
        self.send_aside(message);
    }

    /// Keeps a message to be sent.
    pub(super) fn send_aside(&mut self, message: Message) {
        if self.asides.len() < MOST {
            self.asides.push_back(message);
        }
    }

    /// Lets them go on.
    pub(crate) fn progress_asides(&mut self) {
        loop {
            if !self.aside.is_busy() {
                let Some(message) = self.asides.pop_front() else {
                    return;
                };
                let deadline = Instant::now() + TIMEOUT.min(self.config.timeout);
                self.aside.send(message, deadline);
            }
            let Some(delivered) = self.aside.poll() else {
                return;
            };
            if self.asides.is_empty() {
                // They are rare: no connection is kept for them.
                self.aside.disconnect();
            }
            if delivered.path == paths::LOGGER {
                self.state.update(|status| status.requests += 1);
            } else if self.judge_delivered(delivered) == Err(Failure::Unanswered) {
                // An agent that does not listen gets no more of them.
                self.asides.clear();
            }
        }
    }
}
