//! Spans on their way to the agent, beside everything else.

use std::time::{Duration, Instant};

use super::{Session, fix};
use crate::agent::connection::Error;
use crate::agent::delivery::{Delivered, Progress};
use crate::agent::http::Method;
use crate::agent::lifecycle::Failure;
use crate::agent::paths;
use crate::agent::size::{Reason, Verdict};
use crate::agent::voice::Topic;
use crate::log::Level;

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
    pub(crate) fn begin_spans(&mut self, body: Vec<u8>, fallback: bool, until: Option<Instant>) {
        let path = if fallback {
            paths::RAW_TRACE.to_owned()
        } else {
            self.paths.traces(&self.pid)
        };
        let deadline = self.deadline(until);
        self.delivery.begin(path, body, deadline);
    }

    /// Waits until the spans can go on, `until` at the latest.
    pub(crate) fn wait_for_spans(&mut self, until: Instant) {
        self.delivery.wait(until);
    }

    /// Gives the request of spans as much more time as others have taken.
    pub(crate) fn extend_spans(&mut self, time: Duration) {
        self.delivery.extend(time);
    }

    /// Forgets the request of spans.
    pub(crate) fn abandon_spans(&mut self) {
        self.delivery.abandon();
    }

    /// Lets the spans go on; what came of them, once that is known.
    pub(crate) fn poll_spans(&mut self) -> Option<SpansOutcome> {
        let Delivered {
            path,
            outcome,
            progress,
            maybe_twice,
        } = self.delivery.poll()?;
        let is_late = matches!(outcome, Err(Error::Timeout(..)));
        let is_malformed = matches!(outcome, Err(Error::Malformed(..) | Error::TooLarge(..)));
        let result = self.judge(Method::Post, &path, outcome).map(drop);
        let result = result.map_err(|failure| match (failure, progress) {
            // Something answers, and it is no agent.
            (Failure::Transport, _) if is_malformed => Failure::Foreign,
            (Failure::Transport, Progress::Part) => Failure::Broken,
            (Failure::Transport, Progress::Whole) if is_late => Failure::Unanswered,
            (Failure::Transport, Progress::Whole) => Failure::Cut,
            (failure, _) => failure,
        });
        Some(SpansOutcome {
            result,
            maybe_twice,
        })
    }

    /// Says what becomes of spans that were not accepted.
    pub(crate) fn tell_spans(&mut self, failure: Failure, verdict: Verdict) {
        let trouble = &self.trouble;
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
        };
        self.voice
            .say(level, topic, format_args!("{what}: {trouble}; {fix}"));
    }
}
