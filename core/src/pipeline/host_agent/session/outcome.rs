//! Requests on their way, and what came of each: counted, and in words.

use std::time::{Duration, Instant};

use crate::pipeline::host_agent::connection::Error;
use crate::pipeline::host_agent::delivery::{Delivered, Delivery, Progress};
use crate::pipeline::host_agent::foreign_answer;
use crate::pipeline::host_agent::http::{Method, Response};
use crate::pipeline::host_agent::lifecycle::Failure;
use crate::pipeline::host_agent::log_texts::fix;
use crate::pipeline::host_agent::net;
use crate::pipeline::host_agent::session::Session;

impl Session {
    /// Waits until one of the requests that are on their way can go on, `until` at the latest.
    pub(crate) fn wait(&mut self, mut until: Instant) {
        let mut interests = Vec::with_capacity(4);
        for delivery in [
            &mut self.main,
            &mut self.delivery,
            &mut self.events,
            &mut self.aside,
        ] {
            until = delivery.deadline().map_or(until, |end| end.min(until));
            interests.extend(delivery.interest());
        }
        net::wait(&interests, until);
    }

    /// Whether a request is on its way.
    pub(crate) fn is_busy(&self) -> bool {
        let deliveries = [&self.main, &self.delivery, &self.events, &self.aside];
        deliveries.into_iter().any(Delivery::is_busy)
    }

    /// Gives the requests that are on their way as much more time as was taken from them.
    pub(crate) fn extend(&mut self, time: Duration) {
        for delivery in [
            &mut self.main,
            &mut self.delivery,
            &mut self.events,
            &mut self.aside,
        ] {
            delivery.extend(time);
        }
    }

    /// What came of a request that is not to be sent again and again.
    pub(super) fn judge_delivered(&mut self, delivered: Delivered) -> Result<(), Failure> {
        let Delivered {
            method,
            path,
            outcome,
            progress,
            may_be_accepted,
            ..
        } = delivered;
        let is_late = matches!(outcome, Err(Error::Timeout(..)));
        let is_malformed = matches!(outcome, Err(Error::Malformed(..) | Error::TooLarge(..)));
        let result = self.judge(method, &path, outcome).map(drop);
        result.map_err(|failure| match (failure, progress) {
            (Failure::Transport, _) if is_malformed && may_be_accepted => Failure::Unreadable,
            // Something answers, and it is no agent.
            (Failure::Transport, _) if is_malformed => Failure::Foreign,
            (Failure::Transport, Progress::Part) => Failure::Broken,
            (Failure::Transport, Progress::Whole) if is_late => Failure::Unanswered,
            (Failure::Transport, Progress::Whole) => Failure::Cut,
            (failure, _) => failure,
        })
    }

    /// Counts what came of a request, and says in words what is wrong with it.
    pub(super) fn judge(
        &mut self,
        method: Method,
        path: &str,
        outcome: Result<Response, Error>,
    ) -> Result<Response, Failure> {
        self.count(&outcome);
        let answer = match outcome {
            Ok(answer) => answer,
            Err(error) => {
                self.fail(&error.to_string(), fix::UNANSWERED);
                return Err(Failure::Transport);
            }
        };
        let (name, address, status) = (method.name(), self.address(), answer.status);
        if let Some(how) = foreign_answer::evidence(&answer, &self.server) {
            self.malformed();
            let text = format!(
                "{address} answered {status} to {name} {path} {how}, not as an Instana agent"
            );
            self.fail(&text, fix::FOREIGN);
            return Err(Failure::Foreign);
        }
        if answer.is_success() {
            return Ok(answer);
        }
        let is_too_large = foreign_answer::is_too_large(&answer);
        let fix = match (method, status) {
            _ if is_too_large => fix::LARGE,
            (Method::Put, 404) => fix::UNKNOWN,
            _ => fix::REFUSED,
        };
        self.fail(
            &format!("{address} answered {status} to {name} {path}"),
            fix,
        );
        Err(if is_too_large {
            Failure::TooLarge
        } else {
            Failure::Status(status)
        })
    }

    pub(super) fn count(&self, outcome: &Result<Response, Error>) {
        self.state.update(|status| {
            status.requests += 1;
            status.failures += u64::from(!outcome.as_ref().is_ok_and(Response::is_success));
            let malformed = matches!(outcome, Err(Error::Malformed(..) | Error::TooLarge(..)));
            status.malformed_answers += u64::from(malformed);
        });
    }

    pub(super) fn malformed(&self) {
        self.state.update(|status| status.malformed_answers += 1);
    }

    pub(super) fn fail(&mut self, text: &str, fix: &'static str) {
        self.state.error(text, fix);
        text.clone_into(&mut self.failure);
    }
}
