//! Spans on their way to the agent, beside everything else.

use std::time::Instant;

use crate::pipeline::host_agent::lifecycle::Failure;
use crate::pipeline::host_agent::paths;
use crate::pipeline::host_agent::session::Session;
use crate::pipeline::host_agent::size::Verdict;

/// A buffer larger than this is given back after use.
const KEPT_BODY: usize = 1024 * 1024;

/// What came of a request of spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpansOutcome {
    pub(crate) result: Result<(), Failure>,
    /// The agent may have had the spans once before.
    pub(crate) maybe_twice: bool,
}

impl Session {
    /// An empty body for the next request.
    pub(crate) fn spans_body(&mut self) -> Vec<u8> {
        self.delivery.take_body()
    }

    /// Gives the memory of the last request back where it was a large one.
    pub(crate) fn forget_spans_body(&mut self) {
        let body = self.delivery.take_body();
        if body.capacity() <= KEPT_BODY {
            self.delivery.keep_body(body);
        }
    }

    /// Begins to POST one batch of spans.
    pub(crate) fn begin_spans(
        &mut self,
        body: Vec<u8>,
        is_second: bool,
        fallback: bool,
        until: Option<Instant>,
    ) {
        let path = if fallback {
            paths::RAW_TRACE.to_owned()
        } else {
            self.paths.traces(&self.pid)
        };
        let deadline = self.deadline(until);
        if is_second {
            // Over a connection that was closed by now it would be sent a third time.
            self.delivery.disconnect();
        }
        self.delivery.begin(path, body, deadline);
    }

    /// Forgets the request of spans.
    pub(crate) fn abandon_spans(&mut self) {
        self.delivery.abandon();
    }

    /// Lets the spans go on; what came of them, once that is known.
    pub(crate) fn poll_spans(&mut self) -> Option<SpansOutcome> {
        let delivered = self.delivery.poll()?;
        let maybe_twice = delivered.maybe_twice;
        let result = self.judge_delivered(delivered);
        Some(SpansOutcome {
            result,
            maybe_twice,
        })
    }

    /// Logs what becomes of spans that were not accepted.
    pub(crate) fn log_refused_spans(&mut self, failure: Failure, verdict: Verdict) {
        self.log.spans_refused(failure, verdict, &self.failure);
    }
}
