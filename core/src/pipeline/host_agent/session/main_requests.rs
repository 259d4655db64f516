//! The announce, the checks whether the agent is ready, and metrics: one after the other over
//! one connection, beside everything else.

use std::time::Instant;

use crate::pipeline::host_agent::agent_requests;
use crate::pipeline::host_agent::announce;
use crate::pipeline::host_agent::delivery::Message;
use crate::pipeline::host_agent::http::{Method, Response};
use crate::pipeline::host_agent::identity::Process;
use crate::pipeline::host_agent::lifecycle::{Event, Failure};
use crate::pipeline::host_agent::log_texts::fix;
use crate::pipeline::host_agent::session::{Session, origin};

impl Session {
    /// Begins the announce (PUT), on a connection of its own whose socket it names.
    pub(crate) fn begin_announce(&mut self, until: Option<Instant>) {
        let process = Process::read(&self.secrets);
        self.own_origin = origin(&process.pid.to_string(), None);
        let deadline = self.deadline(until);
        let connection = self.main.connection();
        let socket = connection.and_then(|connection| connection.identity(deadline));
        let message = Message {
            method: Method::Put,
            path: self.paths.announce(),
            header: None,
            body: announce::body(&process, socket.as_ref()),
        };
        self.main.send(message, deadline);
    }

    /// Takes in what came of the announce.
    pub(crate) fn end_announce(
        &mut self,
        result: Result<Response, Failure>,
    ) -> Result<(), Failure> {
        let answer = match result {
            Ok(answer) => answer,
            Err(failure) => {
                self.log.announce_failed(failure, &self.failure);
                return Err(failure);
            }
        };
        match announce::parse(&answer.body) {
            Ok(announced) => {
                self.keep(announced);
                Ok(())
            }
            Err(unusable) => {
                self.malformed();
                let path = self.paths.announce();
                self.fail(&format!("PUT {path}: {unusable}"), fix::MALFORMED);
                self.log.announce_malformed(&self.failure);
                Err(Failure::Malformed)
            }
        }
    }

    /// Begins to ask (HEAD): is the agent ready for this process?
    pub(crate) fn begin_readiness(&mut self, until: Option<Instant>) {
        let message = Message {
            method: Method::Head,
            path: self.paths.entity(&self.pid),
            header: None,
            body: Vec::new(),
        };
        let deadline = self.deadline(until);
        self.main.send(message, deadline);
    }

    /// What the answer to that says.
    pub(crate) fn end_readiness(result: &Result<Response, Failure>) -> Event {
        match result {
            Ok(_) => Event::Readiness(true),
            Err(Failure::Foreign | Failure::Transport) => Event::ReadinessFailed,
            Err(_) => Event::Readiness(false),
        }
    }

    /// An empty body for metrics.
    pub(crate) fn metrics_body(&mut self) -> Vec<u8> {
        self.main.take_body()
    }

    /// Begins to POST metrics.
    pub(crate) fn begin_metrics(&mut self, body: Vec<u8>, until: Option<Instant>) {
        let path = self.paths.entity(&self.pid);
        let deadline = self.deadline(until);
        self.main.begin(path, body, deadline);
    }

    /// Takes in what came of metrics, and refuses what the agent asks for in its answer.
    pub(crate) fn end_metrics(
        &mut self,
        result: Result<Response, Failure>,
        snapshot: bool,
    ) -> Event {
        let Ok(answer) = result else {
            return Event::MetricsFailed;
        };
        self.state.update(|status| status.metrics_sent += 1);
        match agent_requests::parse(&answer.body) {
            Ok(requests) => {
                for request in requests {
                    let path = self.paths.response(&self.pid, &request.message_id);
                    self.send_aside(Message::post(path, request.refusal()));
                }
            }
            Err(unusable) => {
                self.malformed();
                let path = self.paths.entity(&self.pid);
                self.fail(&format!("POST {path}: {unusable}"), fix::MALFORMED);
                self.log.requests_malformed(&self.failure);
            }
        }
        Event::MetricsAccepted { snapshot }
    }

    /// Lets the announce, the check or the metrics go on; what came of them, once that is
    /// known.
    pub(crate) fn poll_main(&mut self) -> Option<Result<Response, Failure>> {
        let delivered = self.main.poll()?;
        Some(self.judge(delivered.method, &delivered.path, delivered.outcome))
    }
}
