//! Events on their way to the agent, beside everything else.

use std::time::Instant;

use crate::pipeline::host_agent::lifecycle::Event;
use crate::pipeline::host_agent::paths;
use crate::pipeline::host_agent::session::Session;

impl Session {
    /// Begins to POST an event.
    pub(crate) fn begin_event(&mut self, body: Vec<u8>, until: Option<Instant>) {
        let deadline = self.deadline(until);
        self.events.begin(paths::EVENT.to_owned(), body, deadline);
    }

    /// Lets the event go on; what came of it, once that is known.
    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        let delivered = self.events.poll()?;
        Some(match self.judge_delivered(delivered) {
            Ok(()) => Event::Delivered,
            Err(failure) => Event::NotDelivered(failure),
        })
    }

    /// Forgets the request of an event.
    pub(crate) fn abandon_event(&mut self) {
        self.events.abandon();
    }
}
