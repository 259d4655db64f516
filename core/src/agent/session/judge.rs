//! What came of a request: counted, and in words.

use std::time::Instant;

use super::{Session, fix};
use crate::agent::connection::Error;
use crate::agent::foreign;
use crate::agent::http::{Method, Request, Response};
use crate::agent::lifecycle::Failure;

impl Session {
    /// One request to the agent; anything but 2xx is a failure.
    pub(super) fn exchange(
        &mut self,
        request: &Request<'_>,
        deadline: Instant,
    ) -> Result<Response, Failure> {
        let Some(connection) = &mut self.connection else {
            return Err(Failure::Transport);
        };
        let outcome = connection.send(request, deadline);
        self.judge(request.method, request.path, outcome)
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
        if let Some(how) = foreign::evidence(&answer, &self.server) {
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
        let is_too_large = foreign::is_too_large(&answer);
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
        text.clone_into(&mut self.trouble);
    }
}
