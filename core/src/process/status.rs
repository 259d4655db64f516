//! What the tracer does, did and could not do: for people, and for checks of
//! health.

use std::fmt;

use crate::base::descriptor;
use crate::base::log;
use crate::base::log::LineCounts;
use crate::config::Setting;
use crate::pipeline::event::{EventCounts, OUTBOX};
use crate::pipeline::span_counts::SpanCounts;
use crate::pipeline::status::AgentStatus;
use crate::process::running;
use crate::record::segment::POOL;
use crate::trace::context::tracer::GLOBAL;

/// The state of the process's tracer, at the moment it is asked for.
///
/// ```
/// println!("{}", instana::status());
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// The agent thread; `None` before `init`, after the guard was dropped, and in
    /// a forked child until it has recorded a span.
    pub agent: Option<AgentStatus>,
    /// Spans since `init`.
    pub spans: SpanCounts,
    /// Events since `init`.
    pub events: EventCounts,
    /// The tracer's own log lines, since the start of the process.
    pub lines: LineCounts,
    /// Bytes of memory that hold finished spans, bounded by
    /// [`Builder::buffer_bytes`](crate::Builder::buffer_bytes).
    pub buffer_bytes: usize,
    /// The most there may be of them.
    pub buffer_bound: usize,
    /// Descriptors of the tracer that the application has closed or replaced; it opened
    /// others. For the whole process.
    pub descriptors_lost: u64,
    /// The settings in force, and who set them; empty before `init`.
    pub settings: Vec<Setting>,
    /// Settings that could not be used, in words.
    pub problems: Vec<String>,
}

/// The state of the process's tracer now.
pub fn status() -> Status {
    let report = running::report();
    Status {
        problems: report
            .as_ref()
            .map(|(_, problems)| problems.clone())
            .unwrap_or_default(),
        agent: report.map(|(state, _)| state.read()),
        spans: SpanCounts::of_process(),
        events: OUTBOX.counts(),
        lines: log::counts(),
        buffer_bytes: POOL.memory(),
        buffer_bound: POOL.bound(),
        descriptors_lost: descriptor::lost(),
        settings: GLOBAL
            .get()
            .map(|settings| settings.config.settings())
            .unwrap_or_default(),
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.agent {
            None => writeln!(f, "tracer     not running")?,
            Some(agent) => {
                writeln!(f, "agent      {agent}")?;
                for error in &agent.errors {
                    writeln!(f, "error      {error}")?;
                }
            }
        }
        let spans = &self.spans;
        writeln!(
            f,
            "spans      {} sent, {} waiting, {} dropped",
            spans.sent,
            spans.waiting,
            spans.dropped()
        )?;
        if spans.unrecorded() > 0 {
            writeln!(
                f,
                "lost       by where they began: exits {} and work {} outside of entries, \
                 entries {} inside of entries",
                spans.exits_outside, spans.intermediates_outside, spans.entries_inside
            )?;
        }
        if spans.ignored > 0 {
            writeln!(f, "ignored    {} by rules", spans.ignored)?;
        }
        if spans.dropped() > 0 {
            writeln!(
                f,
                "dropped    {} no room, {} refused by the agent, {} too large for it, {} never \
                 answered, {} not writable, {} after the stop, {} no memory",
                spans.dropped_full,
                spans.dropped_rejected,
                spans.dropped_too_large,
                spans.dropped_unanswered,
                spans.dropped_invalid,
                spans.dropped_stopped,
                spans.dropped_memory
            )?;
        }
        if spans.maybe_twice > 0 {
            writeln!(
                f,
                "twice      {} may have arrived twice: the agent did not answer in time",
                spans.maybe_twice
            )?;
        }
        if self.descriptors_lost > 0 {
            writeln!(
                f,
                "files      {} of the tracer's descriptors closed or replaced by the application",
                self.descriptors_lost
            )?;
        }
        writeln!(
            f,
            "cut        {} attributes and {} stacks left out, {} texts shortened",
            spans.attributes_dropped, spans.stacks_dropped, spans.texts_cut
        )?;
        if spans.contexts_malformed + spans.contexts_omitted > 0 {
            writeln!(
                f,
                "messages   {} with a context that could not be read, {} without room for theirs",
                spans.contexts_malformed, spans.contexts_omitted
            )?;
        }
        let events = &self.events;
        if *events != EventCounts::default() {
            writeln!(
                f,
                "events     {} sent, {} waiting, {} dropped ({} no room, {} refused by the agent, \
                 {} at the stop)",
                events.sent,
                events.waiting,
                events.dropped(),
                events.dropped_full,
                events.dropped_rejected,
                events.dropped_stopped
            )?;
        }
        let lines = &self.lines;
        if lines.waiting + lines.unwritten > 0 {
            writeln!(
                f,
                "log lines  {} written, {} waiting, {} not written",
                lines.written, lines.waiting, lines.unwritten
            )?;
        }
        write!(
            f,
            "buffer     {} KiB of {} KiB",
            self.buffer_bytes / 1024,
            self.buffer_bound / 1024
        )?;
        for setting in &self.settings {
            write!(f, "\nsetting    {setting}")?;
        }
        for problem in &self.problems {
            write!(f, "\nproblem    {problem}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_can_be_read_without_a_tracer() {
        let text = status().to_string();
        assert!(text.contains("not running"), "{text}");
    }
}
